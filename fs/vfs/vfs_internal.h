/* SPDX-License-Identifier: MIT */
/*
 * What the files of fs/vfs share with each other and with nobody else.
 */
#ifndef VFS_INTERNAL_H
#define VFS_INTERNAL_H

#include "core/time.h"
#include "fs/vfs/dentry.h"
#include "fs/vfs/file.h"
#include "fs/vfs/inode.h"
#include "fs/vfs/mount.h"
#include "fs/vfs/path.h"
#include "lib/string.h"
#include "mm/slab.h"
#include "mm/user.h"
#include "task/cred.h"
#include "task/nsset.h"
#include "task/task.h"
#include "task/user_ns.h"
#include "uapi/errno.h"
#include "uapi/inotify.h"

struct linux_open_how;
struct linux_stat;

#define MAX_SYMLINKS 40

/* A file name of an operation on a directory: not terminated. */
struct qname {
	const char *text;
	u32 len, hash;
};

/* --- dentry.c --- */

/*
 * The sequence of a dentry is read without waiting: a reader in the middle of a change gets an odd
 * number, which dentry_seq_changed never accepts.
 */
static inline u32
dentry_seq(const struct dentry *d)
{
	return smp_load_acquire(&d->seq.seq);
}

static inline bool
dentry_seq_changed(const struct dentry *d, u32 seq)
{
	smp_rmb();
	return (seq & 1) || READ_ONCE(d->seq.seq) != seq;
}

static inline bool
dentry_try_get(struct dentry *d)
{
	int refs = atomic_read(&d->refs);

	do {
		if (refs < 0)
			return false;
	} while (!atomic_try_cmpxchg(&d->refs, &refs, refs + 1));
	return true;
}

extern struct seqcount rename_seq; /* odd or changed: some dentry moved */

void dentry_init(void);
void qname_init(struct qname *n, const char *text, u32 len);
struct dentry *dentry_find_rcu(const struct dentry *parent, const struct qname *n, u32 *seq);
struct dentry *dentry_find(struct dentry *parent, const struct qname *n); /* referenced, or NULL */
/* The child, from the cache or the file system; directory locked (shared is enough). *out
 * referenced, maybe negative. */
int dentry_lookup_locked(struct dentry *parent, const struct qname *n, struct dentry **out);
struct dentry *dentry_get_parent(struct dentry *d);
struct dentry *dentry_alloc(struct super *s, const char *name, u32 len, u32 hash);
void dentry_move(struct dentry *d, struct dentry *target,
		 bool exchange); /* rename: locks as for rename(2) */
bool dentry_is_ancestor(const struct dentry *ancestor, const struct dentry *d);

static inline bool
dentry_is_root(const struct dentry *d)
{
	return d->parent == d;
}

/* --- path.c --- */

#define PATH_SMALL 120

/* A path name copied from user space: short ones need no allocation. */
struct path_name {
	char *text;
	char small[PATH_SMALL];
};
int path_name_get(struct path_name *n, user_ptr path, bool may_be_empty);
void path_name_put(struct path_name *n);

enum last_type { LAST_NORMAL, LAST_DOT, LAST_DOTDOT, LAST_ROOT };

#define WALK_RCU_LINKS 6

struct walk {
	struct path at;		   /* where we are: referenced, unless rcu */
	struct inode *inode;	   /* at.dentry's */
	u32 seq;		   /* rcu: of at.dentry */
	u32 mount_seq, rename_seq; /* as the walk began */
	u32 flags;		   /* WALK_* */
	bool rcu;		   /* inside rcu_read_lock */
	bool trailing_slash;
	enum last_type last_type;
	struct qname last; /* walk_parent's result */
	struct fd_ref dir; /* the file behind dirfd */
	const char *name;  /* still to be walked */
	struct path root;  /* referenced, unless rcu */
	u32 links, depth;
	struct walk_links *held; /* what link bodies in use live in; ref mode */
	const char *rest_rcu[WALK_RCU_LINKS];
};

/*
 * Either mode: begin, walk to the parent of the last component, take the last one; each returns 0
 * or an error, in RCU mode -ECHILD to say "again in the other mode". walk_last returns 1 when the
 * last component was a link that is followed: go on with walk_parent.
 */
int walk_begin(struct walk *w, int dirfd, const char *name, u32 flags, bool rcu);
int walk_parent(struct walk *w);
int walk_last(struct walk *w);
/* Step from the parent to its child d (whose reference is consumed), found by the caller. As
 * walk_last. Ref mode. */
int walk_into(struct walk *w, struct dentry *d, bool follow);
void walk_end(struct walk *w);
/* From begin to end: leaves w at the place; ref mode. */
int walk_lookup_ref(struct walk *w, int dirfd, const char *name, u32 flags);
/* The same without touching anything: on 0 the caller is inside the RCU section, looks at w->inode,
 * and ends it by walk_rcu_done. */
int walk_lookup_rcu(struct walk *w, int dirfd, const char *name, u32 flags);
/* False: what was seen may never have been true together. */
bool walk_rcu_done(struct walk *w);
/* Leave the RCU section with *out referenced; false: it changed underneath. */
bool walk_rcu_to_path(struct walk *w, struct path *out);

/* --- mount.c --- */

extern struct seqcount mount_seq; /* changes with every change of the tree of mounts */
struct mount *mount_find_rcu(struct mount *parent, struct dentry *point);
struct mount *mount_find(struct mount *parent, struct dentry *point); /* referenced */
bool path_up_mount(struct path *p);    /* from a mount's root to its mount point, references moved;
					  false: no parent */
void path_down_mounts(struct path *p); /* to the root of what is mounted on it */
bool dentry_mountpoint(struct dentry *d); /* somewhere, in any namespace */
void mount_detach_from(struct dentry *d); /* the directory was removed: what is mounted on it in
					     other namespaces goes */

/*
 * Inside an RCU section, take a reference on a mount that was found there, the tree being as at
 * `seq`. 1: done. 0: the tree changed, nothing is held. -1: it changed, and a reference is held, to
 * be put when the section is left.
 */
int mount_legitimize(struct mount *m, u32 seq);

/* --- cwd.c --- */
/* Kernel threads walk from the first task's places. */
static inline struct fs_context *
current_fs(void)
{
	struct thread *t = thread_current();

	return unlikely(t->is_kernel) ? &root_fs_context : ((struct task *)t)->fs;
}

static inline struct mount_ns *
current_mount_ns(void)
{
	struct thread *t = thread_current();

	return unlikely(t->is_kernel) ? root_mount_ns : ((struct task *)t)->ns->mnt;
}

static inline umode_t
current_umask(void)
{
	return READ_ONCE(current_fs()->umask);
}

/* The mode of what is made in dir; locked, or the umask may be applied beside a new default ACL. */
static inline umode_t
create_mode(const struct inode *dir, umode_t mode)
{
	return READ_ONCE(dir->flags) & INODE_DEFAULT_ACL ? mode : mode & ~current_umask();
}

void fs_context_init_root(const struct path *root);
void fs_context_set(struct fs_context *fs, const struct path *root,
		    const struct path *cwd); /* takes references of its own */
/* pivot_root: every task whose root or cwd is `old` gets `new`. */
void fs_context_replace_all(const struct path *old, const struct path *new);

/* --- writeback.c --- */
void writeback_init(void);
void super_unmounted(struct super *s);
int super_sync_all(struct super *s, bool wait); /* also if it is read-only */
void inode_forget_dirty(struct inode *i);	/* nobody else has it */

/* --- super.c --- */
/* Referenced, of a mount on a block device; one that is being unmounted is waited for. */
struct super *super_find_dev(devnum_t dev);
void super_for_each(int (*fn)(struct super *s, void *ctx), void *ctx);

/* --- fasync.c --- */
/* To the owner of f (F_SETOWN), of its descriptor fd: the signal of F_SETSIG with si_code and
 * si_band, or else SIGIO. Spinlocks below RANK_INODE_SPIN may be held. */
void file_signal_owner(struct file *f, int fd, int code, u32 band);
int file_own(struct file *f); /* the caller's process, if it has no owner yet: 0 or -ENOMEM */

/* --- dnotify.c --- */
int dnotify_set(int fd, struct file *f, u32 mask);
void dnotify_init(void);
void dnotify_close(struct file *f, const struct fd_table *t); /* a descriptor in t */

/* --- open.c, file.c --- */
void file_init(void);
void anon_init(void);
int fd_set_cloexec(int fd, bool cloexec);
int fd_dup_above(int fd, int min, bool cloexec);
struct file *file_alloc(u32 flags, u32 mode); /* NULL: no memory, or too many (*) */
int
file_open_how(int dirfd, const char *name, u32 flags, umode_t mode, u32 walk, struct file **out);

/* --- inode.c --- */
void inode_init(void);
void inodes_evict_unused(struct super *s); /* s->dying is set */
int inode_may_create(struct inode *dir);
int inode_may_delete(struct inode *dir, struct inode *victim, bool is_dir);
void inode_set_attr_done(struct dentry *d, const struct attr_change *c);
int inode_setattr_locked(struct inode *i, struct attr_change *c);
int
inode_remove_privs(struct inode *i); /* a write clears set-id bits and capabilities; inode locked */
bool sticky_forbids(const struct inode *dir, const struct inode *victim);

/* --- stat.c --- */
int path_statx(const struct path *p, struct linux_statx *st);

struct linux_statfs;
int path_statfs(const struct path *p, struct linux_statfs *st);
int file_readdir(struct file *f, struct dir_context *ctx);

/* --- locks.c --- */
void
locks_release_posix(struct file *f, const void *owner); /* close(2) of any descriptor of the file */
void locks_release_file(struct file *f);		/* the open file itself goes: flock, OFD */
void locks_free(struct inode *i);
long locks_fcntl(int fd, struct file *f, u32 cmd, user_ptr arg);

/* --- fasync.c --- */
long fasync_fcntl(struct file *f, u32 cmd, unsigned long arg);
int fasync_enable(int fd, struct file *f, bool on); /* O_ASYNC */
void fasync_release(struct file *f);

/* --- fcntl.c --- */
int file_set_flags(int fd, struct file *f, u32 flags); /* F_SETFL */

static inline void
file_sample_errors(struct file *f)
{
	f->wb_error_seen = errseq_sample(&f->mapping->wb_error);
	f->wb_error_super = errseq_sample(&f->inode->super->wb_error);
}

static inline bool
file_refuses_direct(const struct file *f)
{
	umode_t mode = f->inode->mode;

	return (S_ISREG(mode) || S_ISBLK(mode) || S_ISDIR(mode)) && !(f->mode & FMODE_DIRECT_OK);
}

static inline void
notify(struct inode *i, struct dentry *d, u32 mask)
{
	void (*hook)(struct inode *, struct dentry *, u32, u32) = READ_ONCE(vfs_notify);

	if (unlikely(hook))
		hook(i, d, mask, 0);
}

static inline void
notify_file(struct file *f, u32 mask)
{
	notify(f->inode, f->path.dentry, mask);
}

#endif
