/* SPDX-License-Identifier: MIT */
/* /proc/PID/ns: the identities of a task's namespaces, "uts:[4026531838]". namespaces(7). */
#include "ns/ns.h"
#include "proc_internal.h"
#include "task/task.h"
#include "uapi/errno.h"
#include "uapi/sched.h"

static int
ns_text(char *buf, size_t size, void *ctx, const char *name, u64 kind)
{
	struct proc_ref *r = ctx;
	int err = proc_ref_access(r);

	return err ? err : (int)scnprintf(buf, size, "%s:[%lu]", name, ns_inum(r->task, kind));
}

static int
uts_link(char *buf, size_t size, void *ctx)
{
	return ns_text(buf, size, ctx, "uts", CLONE_NEWUTS);
}

static int
mnt_link(char *buf, size_t size, void *ctx)
{
	return ns_text(buf, size, ctx, "mnt", CLONE_NEWNS);
}

static int
pid_link(char *buf, size_t size, void *ctx)
{
	return ns_text(buf, size, ctx, "pid", CLONE_NEWPID);
}

static const struct pseudo_entry ns_entries[] = {
	{ .name = "mnt", .mode = S_IFLNK | 0777, .link = mnt_link },
	{ .name = "pid", .mode = S_IFLNK | 0777, .link = pid_link },
	{ .name = "uts", .mode = S_IFLNK | 0777, .link = uts_link },
	{ .name = NULL },
};

const struct pseudo_entry ns_dir = { .name = "ns", .mode = S_IFDIR | 0511, .children = ns_entries };
