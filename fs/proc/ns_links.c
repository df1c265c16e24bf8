/* SPDX-License-Identifier: MIT */
/* /proc/PID/ns: the identities of a task's namespaces, "uts:[4026531838]". namespaces(7). */
#include "ns/ns.h"
#include "proc_internal.h"
#include "task/task.h"
#include "uapi/errno.h"
#include "uapi/sched.h"

static int
ns_text(char *buf, size_t size, void *ctx, u64 kind)
{
	struct proc_ref *r = ctx;
	int err = proc_ref_access(r);

	return err ? err
		   : (int)scnprintf(buf, size, "%s:[%lu]", ns_kind_name(kind),
				    ns_inum(r->task, kind));
}

static int
ns_place(void *ctx, struct path *out, u64 kind)
{
	struct proc_ref *r = ctx;
	int err = proc_ref_access(r);

	return err ? err : ns_path(r->task, kind, out);
}

static int
uts_link(char *buf, size_t size, void *ctx)
{
	return ns_text(buf, size, ctx, CLONE_NEWUTS);
}

static int
uts_follow(void *ctx, struct path *out)
{
	return ns_place(ctx, out, CLONE_NEWUTS);
}

static int
ipc_link(char *buf, size_t size, void *ctx)
{
	return ns_text(buf, size, ctx, CLONE_NEWIPC);
}

static int
ipc_follow(void *ctx, struct path *out)
{
	return ns_place(ctx, out, CLONE_NEWIPC);
}

static int
mnt_link(char *buf, size_t size, void *ctx)
{
	return ns_text(buf, size, ctx, CLONE_NEWNS);
}

static int
mnt_follow(void *ctx, struct path *out)
{
	return ns_place(ctx, out, CLONE_NEWNS);
}

static int
pid_link(char *buf, size_t size, void *ctx)
{
	return ns_text(buf, size, ctx, CLONE_NEWPID);
}

static int
pid_follow(void *ctx, struct path *out)
{
	return ns_place(ctx, out, CLONE_NEWPID);
}

static int
children_link(char *buf, size_t size, void *ctx)
{
	return ns_text(buf, size, ctx, CLONE_NEWPID | NS_FOR_CHILDREN);
}

static int
children_follow(void *ctx, struct path *out)
{
	return ns_place(ctx, out, CLONE_NEWPID | NS_FOR_CHILDREN);
}

static int
user_link(char *buf, size_t size, void *ctx)
{
	return ns_text(buf, size, ctx, CLONE_NEWUSER);
}

static int
user_follow(void *ctx, struct path *out)
{
	return ns_place(ctx, out, CLONE_NEWUSER);
}

static const struct pseudo_entry ns_entries[] = {
	{ .name = "ipc", .mode = S_IFLNK | 0777, .link = ipc_link, .follow = ipc_follow },
	{ .name = "mnt", .mode = S_IFLNK | 0777, .link = mnt_link, .follow = mnt_follow },
	{ .name = "pid", .mode = S_IFLNK | 0777, .link = pid_link, .follow = pid_follow },
	{ .name = "pid_for_children",
	  .mode = S_IFLNK | 0777,
	  .link = children_link,
	  .follow = children_follow },
	{ .name = "user", .mode = S_IFLNK | 0777, .link = user_link, .follow = user_follow },
	{ .name = "uts", .mode = S_IFLNK | 0777, .link = uts_link, .follow = uts_follow },
	{ .name = NULL },
};

const struct pseudo_entry ns_dir = { .name = "ns", .mode = S_IFDIR | 0511, .children = ns_entries };
