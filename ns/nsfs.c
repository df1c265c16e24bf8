/* SPDX-License-Identifier: MIT */
/*
 * Namespaces as files, /proc/PID/ns/NAME, and setns(2).
 *
 * Following such a link makes an inode that holds the namespace, on a file system of its own
 * without directories; its number is the namespace's, so that stat(2) tells whether two are the
 * same.
 */
#include "fs/vfs/dentry.h"
#include "fs/vfs/file.h"
#include "fs/vfs/inode.h"
#include "fs/vfs/mount.h"
#include "fs/vfs/path.h"
#include "generated/syscalls.h"
#include "ipc/sysv.h"
#include "lib/format.h"
#include "mm/slab.h"
#include "ns/ns.h"
#include "sched/mutex.h"
#include "task/cred.h"
#include "task/pid.h"
#include "task/task.h"
#include "task/user_ns.h"
#include "uapi/errno.h"
#include "uapi/magic.h"
#include "uapi/sched.h"

struct ns_handle {
	u64 kind;
	struct nsset *set;    /* holds it, whatever else it holds */
	struct pid_ns *pid;   /* CLONE_NEWPID */
	struct user_ns *user; /* CLONE_NEWUSER */
};

static const struct fs_type nsfs_type;
static const struct file_ops ns_file_ops;
static const struct inode_ops ns_inode_ops;

static struct mount *nsfs_mount;
static struct mutex mount_once = MUTEX_INIT(mount_once, RANK_DIR);

static struct nsset *
task_nsset(struct task *t)
{
	unsigned long flags = spin_lock_irqsave(&t->lock);
	struct nsset *n = t->ns ? nsset_get(t->ns) : NULL;

	spin_unlock_irqrestore(&t->lock, flags);
	return n;
}

static struct pid_ns *
pid_ns_of(struct task *t, const struct nsset *n, u64 kind)
{
	return kind & NS_FOR_CHILDREN ? n->pid_for_children : t->pid->numbers[t->pid->level].ns;
}

static u64
user_inum(struct task *t)
{
	rcu_read_lock();
	u64 inum = rcu_dereference(t->cred)->user_ns->inum;
	rcu_read_unlock();
	return inum;
}

static u64
inum_of(struct task *t, const struct nsset *n, u64 kind)
{
	switch (kind & ~(u64)NS_FOR_CHILDREN) {
	case CLONE_NEWNS: return mount_ns_inum(n->mnt);
	case CLONE_NEWUTS: return n->uts->inum;
	case CLONE_NEWIPC: return ipc_ns_inum(n->ipc);
	case CLONE_NEWUSER: return user_inum(t);
	default: return pid_ns_of(t, n, kind)->inum;
	}
}

u64
ns_inum(struct task *t, u64 kind)
{
	struct nsset *n = task_nsset(t);
	u64 inum = n ? inum_of(t, n, kind) : 0;

	if (n)
		nsset_put(n);
	return inum;
}

const char *
ns_kind_name(u64 kind)
{
	switch (kind & ~(u64)NS_FOR_CHILDREN) {
	case CLONE_NEWNS: return "mnt";
	case CLONE_NEWUTS: return "uts";
	case CLONE_NEWIPC: return "ipc";
	case CLONE_NEWUSER: return "user";
	default: return "pid";
	}
}

/* ---- the file system ---- */

static struct mount *
nsfs_get_mount(void)
{
	struct mount *m = smp_load_acquire(&nsfs_mount);

	if (likely(m))
		return m;
	mutex_lock(&mount_once);
	m = nsfs_mount;
	if (!m) {
		m = mount_internal(&nsfs_type);
		smp_store_release(&nsfs_mount, m);
	}
	mutex_unlock(&mount_once);
	return m;
}

static void
handle_free(struct ns_handle *h)
{
	pid_ns_put(h->pid);
	user_ns_put(h->user);
	nsset_put(h->set);
	kfree(h);
}

static void
nsfs_evict(struct inode *i)
{
	if (i->private)
		handle_free(i->private);
}

/* Takes over the handle on success. */
static int
nsfs_path(struct ns_handle *h, u64 inum, struct path *out)
{
	struct mount *m = nsfs_get_mount();
	struct inode *i;
	char name[40];

	if (!m)
		return -ENOMEM;
	i = inode_create(m->super, &ns_inode_ops, &ns_file_ops, S_IFREG | 0444, inum);
	if (!i)
		return -ENOMEM;
	snprintf(name, sizeof(name), "%s:[%lu]", ns_kind_name(h->kind), inum);
	out->dentry = dentry_create_anon(m->super, name, i);
	if (!out->dentry) {
		inode_put(i);
		return -ENOMEM;
	}
	i->private = h;
	mount_get(m);
	out->mnt = m;
	return 0;
}

int
ns_path(struct task *t, u64 kind, struct path *out)
{
	struct ns_handle *h = kzalloc(sizeof(*h), GFP_KERNEL);
	int r;

	if (!h)
		return -ENOMEM;
	h->kind = kind;
	h->set = task_nsset(t);
	if (!h->set) {
		kfree(h);
		return -ENOENT;
	}
	h->pid = pid_ns_of(t, h->set, kind);
	pid_ns_get(h->pid);
	struct cred *c = task_get_cred(t);
	h->user = user_ns_get(c->user_ns);
	cred_put(c);
	r = nsfs_path(h, inum_of(t, h->set, kind), out);
	if (r)
		handle_free(h);
	return r;
}

/* ---- setns(2) ---- */

/* One may enter a pid namespace only downwards. */
static bool
pid_ns_is_below(const struct pid_ns *ns, const struct pid_ns *top)
{
	while (ns && ns->level > top->level)
		ns = ns->parent;
	return ns == top;
}

/* Into another user namespace, above which we have no power: as its root, with all capabilities. */
static int
user_ns_set(struct user_ns *ns)
{
	struct cred *new;

	if (ns == current_cred()->user_ns || READ_ONCE(current->process->nr_threads) > 1 ||
	    ref_read(&current->fs->ref) > 1)
		return -EINVAL;
	if (!ns_capable(ns, CAP_SYS_ADMIN))
		return -EPERM;
	new = cred_dup(current->cred);
	if (!new)
		return -ENOMEM;
	user_ns_enter(new, ns);
	cred_commit(new);
	return 0;
}

static const struct user_ns *
owner_of(const struct ns_handle *h, u64 kind)
{
	switch (kind) {
	case CLONE_NEWNS: return mount_ns_owner(h->set->mnt);
	case CLONE_NEWUTS: return h->set->uts->owner;
	case CLONE_NEWIPC: return ipc_ns_owner(h->set->ipc);
	default: return h->pid->owner;
	}
}

static int
ns_enter(const struct ns_handle *h)
{
	u64 kind = h->kind & ~(u64)NS_FOR_CHILDREN;
	const struct user_ns *mine = current_cred()->user_ns;
	struct nsset *n;
	int r = 0;

	if (kind == CLONE_NEWUSER)
		return user_ns_set(h->user);
	if (!ns_capable(owner_of(h, kind), CAP_SYS_ADMIN) || !ns_capable(mine, CAP_SYS_ADMIN) ||
	    (kind == CLONE_NEWNS && !ns_capable(mine, CAP_SYS_CHROOT)))
		return -EPERM;
	if (kind == CLONE_NEWPID && !pid_ns_is_below(h->pid, current_pid_ns()))
		return -EINVAL;
	/* Those who share root and cwd with us would find themselves elsewhere. */
	if (kind == CLONE_NEWNS && ref_read(&current->fs->ref) > 1)
		return -EINVAL;
	n = nsset_dup(current->ns);
	if (!n)
		return -ENOMEM;
	switch (kind) {
	case CLONE_NEWUTS:
		uts_ns_put(n->uts);
		n->uts = uts_ns_get(h->set->uts);
		break;
	case CLONE_NEWIPC:
		ipc_ns_put(n->ipc);
		n->ipc = ipc_ns_get(h->set->ipc);
		sem_exit(current);
		break;
	case CLONE_NEWPID:
		pid_ns_put(n->pid_for_children);
		pid_ns_get(h->pid);
		n->pid_for_children = h->pid;
		break;
	case CLONE_NEWNS:
		r = mount_ns_enter(h->set->mnt, current->fs);
		if (r == 0) {
			mount_ns_put(n->mnt);
			n->mnt = mount_ns_get(h->set->mnt);
		}
		break;
	}
	if (r)
		nsset_put(n);
	else
		nsset_commit(n);
	return r;
}

long
sys_setns(int fd, int type)
{
	struct fd_ref ref = fd_lookup(fd);
	int r = -EINVAL;

	if (!ref.file)
		return -EBADF;
	if (ref.file->ops == &ns_file_ops) {
		const struct ns_handle *h = ref.file->inode->private;

		if (type == 0 || (u32)type == (h->kind & ~(u64)NS_FOR_CHILDREN))
			r = ns_enter(h);
	}
	fd_release(ref);
	return r;
}

static int
nsfs_super(const struct fs_type *type, const char *source, u32 flags, const char *data,
	   struct super **out)
{
	static const struct super_ops nsfs_super_ops = { .evict = nsfs_evict };
	struct super *s = super_create(type, &nsfs_super_ops, type->magic);
	struct inode *root;

	if (!s)
		return -ENOMEM;
	root = inode_create(s, &ns_inode_ops, NULL, S_IFDIR | 0500, 1);
	if (root)
		s->root = dentry_create_root(s, root);
	if (!s->root) {
		super_put(s);
		return -ENOMEM;
	}
	*out = s;
	return 0;
}

static const struct inode_ops ns_inode_ops = { .lookup = NULL };
static const struct file_ops ns_file_ops = { .release = NULL };
static const struct fs_type nsfs_type = {
	.name = "nsfs",
	.magic = NSFS_MAGIC,
	.mount = nsfs_super,
};
