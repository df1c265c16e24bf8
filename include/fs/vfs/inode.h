/* SPDX-License-Identifier: MIT */
/*
 * Inodes, super blocks and file-system types.
 *
 * Letters: [I] fixed, [A] atomic, [L] inode->lock (rwsem), [S] inode->spin.
 */
#ifndef FS_VFS_INODE_H
#define FS_VFS_INODE_H

#include "core/rcu.h"
#include "core/ref.h"
#include "core/spinlock.h"
#include "core/time.h"
#include "lib/list.h"
#include "lib/types.h"
#include "mm/mapping.h"
#include "sched/mutex.h"
#include "task/cred.h"
#include "uapi/fcntl.h"
#include "uapi/stat.h"

struct backing;
struct block_device;
struct dentry;
struct file;
struct inode;
struct super;
struct fs_type;
struct path;
struct pipe;
struct file_ops;
struct strbuf;
struct linux_statfs;
struct cred;
struct pseudo_entry;
struct dir_context;

/*
 * Time stamps: ns since 1970 modulo 2^64, which are the years 1882 to 2466 (ext4 has 1901 to 2446).
 * From 2262 on they are negative: inode_time_split tells what they mean.
 */
struct inode_times {
	s64 atime, mtime, ctime, btime;
};
#define INODE_TIME_FIRST (-2750000000ll) /* seconds since 1970 */
#define INODE_TIME_LAST	 (INODE_TIME_FIRST + (s64)(UINT64_MAX / NSEC_PER_SEC) - 1)

/* What is out of range becomes the nearest that is not. */
static inline s64
inode_time_make(s64 sec, u32 nsec)
{
	sec = CLAMP(sec, INODE_TIME_FIRST, INODE_TIME_LAST);
	return (s64)((u64)sec * NSEC_PER_SEC + nsec);
}

/* Returns the seconds since 1970. */
static inline s64
inode_time_split(s64 t, u32 *nsec)
{
	u64 ns = (u64)t - (u64)INODE_TIME_FIRST * NSEC_PER_SEC;

	*nsec = (u32)(ns % NSEC_PER_SEC);
	return (s64)(ns / NSEC_PER_SEC) + INODE_TIME_FIRST;
}

/* What chmod, chown, truncate, utimes ask for. */
struct attr_change {
	u32 valid; /* ATTR_* */
	u32 mode, uid, gid;
	u64 size;
	s64 atime, mtime;
	struct file *file; /* ftruncate: the open file, or NULL */
};
#define ATTR_MODE      BIT(0)
#define ATTR_UID       BIT(1)
#define ATTR_GID       BIT(2)
#define ATTR_SIZE      BIT(3)
#define ATTR_ATIME     BIT(4)
#define ATTR_MTIME     BIT(5)
#define ATTR_ATIME_SET BIT(6) /* an explicit time rather than now */
#define ATTR_MTIME_SET BIT(7)
#define ATTR_KILL_SUID BIT(8)
#define ATTR_KILL_SGID BIT(9)
#define ATTR_OPEN      BIT(10) /* O_TRUNC */
#define ATTR_TIMES     BIT(11) /* some time was named: takes the owner, not just write permission */

/*
 * Each slot: what NULL means; locks held on entry; may it sleep (all may, unless said).
 * "dir locked" = dir->lock held for writing; names are those of the dentry.
 */
struct inode_ops {
	/* NULL: -ENOTDIR. dir locked for reading at least. Finds d->name in dir and calls
	 * dentry_add(d, inode or NULL). 0 or error (not -ENOENT). */
	int (*lookup)(struct inode *dir, struct dentry *d);
	/* NULL: -EPERM (create: -EACCES as on read-only pseudo file systems). dir locked. On
	 * success dentry_add is done. */
	int (*create)(struct inode *dir, struct dentry *d, umode_t mode);
	int (*mkdir)(struct inode *dir, struct dentry *d, umode_t mode);
	int (*mknod)(struct inode *dir, struct dentry *d, umode_t mode, devnum_t dev);
	int (*symlink)(struct inode *dir, struct dentry *d, const char *target);
	int (*link)(struct dentry *old, struct inode *dir, struct dentry *d);
	int (*unlink)(struct inode *dir, struct dentry *d); /* victim's inode locked too */
	int (*rmdir)(struct inode *dir, struct dentry *d);
	/* Both dirs locked, victims too. flags: RENAME_NOREPLACE handled by the caller; EXCHANGE,
	 * WHITEOUT by the file system: -EINVAL if unknown. */
	int (*rename)(struct inode *od, struct dentry *o, struct inode *nd, struct dentry *n,
		      u32 flags);
	/* O_TMPFILE. NULL: -EOPNOTSUPP. */
	int (*tmpfile)(struct inode *dir, struct file *f, umode_t mode);
	/* Symlinks: the target, valid under RCU or while the inode is referenced. NULL with
	 * inode->link set: that text. */
	int (*get_link)(struct inode *i, char *buf,
			size_t size); /* length or error; for generated links (/proc/self) */
	/* Magic links (/proc/PID/fd/N): jump to *out (referenced). NULL: an ordinary symlink. */
	int (*follow_link)(struct inode *i, struct path *out);
	/* NULL: inode_permission_generic (mode bits, ACL-less). mask MAY_*. */
	int (*permission)(struct inode *i, int mask);
	/* NULL: setattr_generic. inode locked. */
	int (*setattr)(struct inode *i, const struct attr_change *c);
	/* NULL: from the inode's fields. Adjusts *st. */
	int (*getattr)(struct inode *i, struct linux_statx *st);
	/* NULL: -EOPNOTSUPP. inode locked for set/remove. size 0 asks for the length. */
	ssize_t (*getxattr)(struct inode *i, const char *name, void *value, size_t size);
	int (*setxattr)(struct inode *i, const char *name, const void *value, size_t size,
			int flags);
	ssize_t (*listxattr)(struct inode *i, char *list, size_t size);
	int (*removexattr)(struct inode *i, const char *name);
};

#define MAY_EXEC   1
#define MAY_WRITE  2
#define MAY_READ   4
#define MAY_APPEND 8
#define MAY_OPEN   16

struct inode {
	struct super *super;		 /* [I] */
	const struct inode_ops *ops;	 /* [I] */
	const struct file_ops *file_ops; /* [I] for opens; specials are redirected by vfs */
	u64 ino;			 /* [I] */
	umode_t mode;			 /* [L] type [I] */
	u32 uid, gid;			 /* [L] */
	u32 nlink;			 /* [L] */
	u64 size;			 /* [L] read with READ_ONCE */
	u64 blocks;			 /* 512-byte units */
	struct inode_times times;	 /* [S] */
	devnum_t rdev;			 /* [I] device nodes */
	u32 flags;			 /* INODE_* */
	struct mapping mapping;		 /* pages */
	struct rwsem lock;		 /* L */
	struct spinlock spin;		 /* S */
	struct ref ref;			 /* dentries, open files through them, the file system */
	char *link;			 /* [I] symlink text, kmalloc'ed */
	void *private;			 /* file system's */
	struct pipe *pipe;		 /* [L] FIFO, while open */
	struct list dentries;		 /* [S] aliases */
	struct list super_node;		 /* all of the super block, when it has a backing */
	/* Writeback (fs/vfs/writeback.c). */
	u32 dirty;		      /* [backing->lock] DIRTY_*, WRITING */
	u64 dirtied_ns;		      /* [backing->lock] since when */
	struct list dirty_node;	      /* [backing->lock] backing->inodes */
	struct list lru;	      /* unused but kept: inode.c */
	bool cached;		      /* on that list, which holds a reference */
	struct file_lock_list *locks; /* fs/vfs/locks.c */
	void *watches;		      /* event/inotify.c */
	struct hlist_node hash;	      /* super's inode hash, when the file system uses inode_find */
	struct atomic32 writers;      /* open for writing; < 0: denied (executing) */
	struct atomic32 readers;
	u64 version;
	union {
		void *socket;			  /* bound AF_UNIX socket; net/unix */
		const struct pseudo_entry *entry; /* pseudo file systems: pseudo.c */
	};
	struct rcu_head rcu;
};
/*
 * What of an inode is not on disk yet.
 *	SYNC		anything: times, mode, owner
 *	DATASYNC	what fdatasync must write as well: size, the way to the blocks
 *	PAGES		pages of the mapping
 */
#define INODE_DIRTY_SYNC     BIT(0)
#define INODE_DIRTY_DATASYNC BIT(1)
#define INODE_DIRTY_PAGES    BIT(2)
#define INODE_DIRTY	     (INODE_DIRTY_SYNC | INODE_DIRTY_DATASYNC | INODE_DIRTY_PAGES)
#define INODE_WRITING	     BIT(3) /* a writer has it */

#define INODE_DELETED	  BIT(0)
#define INODE_NOATIME	  BIT(1)
#define INODE_APPEND	  BIT(2)
#define INODE_IMMUTABLE	  BIT(3)
#define INODE_NEW	  BIT(4)
#define INODE_SYNC	  BIT(5)
#define INODE_NO_SEEK	  BIT(6)
#define INODE_LINKABLE	  BIT(7)  /* O_TMPFILE without O_EXCL: linkat may give it a name */
#define INODE_VOLATILE	  BIT(8)  /* pseudo files: the owner may change, ask at each use */
#define INODE_STATIC_CTX  BIT(9)  /* pseudo files: private is not counted */
#define INODE_FLEETING	  BIT(10) /* goes with its last user, unless it has pages */
#define INODE_DEFAULT_ACL BIT(11) /* directories: posix_acl.h; instead of the umask */
#define INODE_SWAPFILE	  BIT(12) /* in use by swapon(2): no writers, stays where it is */
#define INODE_NO_CAPS	  BIT(13) /* known to have no security.capability; inode->lock */

struct super_ops {
	/*
	 * Last reference gone, or memory is short. nlink == 0: delete for good. The pages are the
	 * inode's still: begin with mapping_truncate(&i->mapping, 0) when they must not be written.
	 * Otherwise nothing is dirty. Frees nothing of the inode itself but `private`. NULL:
	 * nothing. May sleep, may start a handle.
	 */
	void (*evict)(struct inode *i);
	/*
	 * INODE_DIRTY_SYNC or _DATASYNC is being set: a journalling file system copies the fields
	 * into its inode table block here, under a handle (its caller's or a new one). May sleep:
	 * no page is locked. NULL: write_inode will do it.
	 */
	void (*dirty_inode)(struct inode *i, u32 flags);
	/*
	 * Writeback of the inode itself. sync: it must be durable on return, as far as the inode is
	 * concerned (a journal commits). NULL: nothing to write.
	 */
	int (*write_inode)(struct inode *i, bool sync);
	/*
	 * After all dirty inodes were written (wait: and waited for): what the file system has of
	 * its own, superblock, journal commit. The device is flushed by the file system: it knows
	 * whether a commit did. NULL: nothing.
	 */
	int (*sync)(struct super *s, bool wait);
	int (*statfs)(struct super *s,
		      struct linux_statfs
			      *out); /* NULL: -ENOSYS never happens: generic zeros with magic */
	/*
	 * s->flags are the old ones. To read-only: nobody writes any more, and all is synced. NULL:
	 * only ro/rw flags change.
	 */
	int (*remount)(struct super *s, u32 flags, const char *options);
	void (*show_options)(struct super *s,
			     struct strbuf *sb); /* ",size=64k" for /proc/mounts. NULL: none */
	/* Unmounted for good: all synced, no inode is left. `private` goes. */
	void (*put)(struct super *s);
	/*
	 * A dentry with DENTRY_REVALIDATE is about to be used: 1 it still names what it says, 0
	 * forget it and look up anew, or -errno. dir is locked for reading at least; may sleep.
	 * NULL: 0.
	 */
	int (*revalidate)(struct inode *dir, struct dentry *d);
};

struct super {
	const struct fs_type *type;
	const struct super_ops *ops;
	u64 magic;
	devnum_t dev; /* st_dev */
	u32 block_size;
	u64 max_bytes;
	u32 flags; /* SB_RDONLY ... = MS_* bits of the super block */
	struct dentry *root;
	void *private;
	struct ref ref;			  /* mounts, and those who need it longer */
	struct atomic32 mounts;		  /* which show it */
	struct list watches;		  /* event/inotify.c: those of its inodes */
	struct list inodes;		  /* [lock] of a super block with a backing */
	bool dying;			  /* being unmounted: unused inodes are not kept */
	struct backing *backing;	  /* [I] NULL: nothing is ever written back */
	struct block_device *bdev;	  /* [I] of mount_bdev */
	u32 wb_error;			  /* errseq of all its files: syncfs */
	void (*release)(struct super *s); /* after put: closes what was opened for it */
	struct mutex rename_lock;
	struct spinlock lock;
	struct list node; /* all super blocks */
	char id[64];	  /* source as given to mount(2) is per mount */
	u32 time_gran_ns;
	/* [I] Seconds: utimes(2) gives no earlier and no later time. Both 0: as INODE_TIME_*. */
	s64 time_first, time_last;
};

#define SUPER_CLOSING BIT(30) /* in flags: becoming read-only, no new writers */

struct fs_type {
	const char *name;
	u32 flags; /* FS_* */
	u64 magic;
	/* Make or find the super block for this mount: *out referenced, with root set. data: option
	 * string, may be NULL. */
	int (*mount)(const struct fs_type *type, const char *source, u32 flags, const char *data,
		     struct super **out);
	struct fs_type *next;
};
#define FS_NEEDS_DEVICE BIT(0) /* not "nodev" in /proc/filesystems */
#define FS_USER_MOUNT	BIT(1)
/* Pseudo files: looking up a name that is not there fails even in order to make it (-ENOENT). */
#define FS_NO_NEW_NAMES BIT(2)

/* For file systems of inodes without names (pipes, sockets): the slot mount, which makes an empty
 * root that nobody sees, and the inodes' operations. */
int anon_fs_mount(const struct fs_type *type, const char *source, u32 flags, const char *data,
		  struct super **out);
extern const struct inode_ops anon_inode_ops;

void fs_register(struct fs_type *type);
const struct fs_type *fs_find(const char *name);
void fs_list(struct strbuf *out); /* /proc/filesystems */
/* fn returns false to stop. */
void fs_for_each(bool (*fn)(void *ctx, const struct fs_type *type), void *ctx);

/* A new super block with an anonymous device number. NULL: no memory. */
struct super *super_create(const struct fs_type *type, const struct super_ops *ops, u64 magic);
void super_put(struct super *s);
/* An anonymous device number, for ever. */
devnum_t super_next_dev(void);

/*
 * fs_type.mount of a type with FS_NEEDS_DEVICE (mount_bdev.c). Opens the device at the path
 * `source` exclusively for this super block: -ENOENT..., -ENOTBLK, -ENXIO, -EBUSY (somebody else
 * has it), -EACCES (a read-only device, and flags lack MS_RDONLY). If it is mounted with this type
 * already, that super block is shared: -EBUSY when ro and rw differ.
 *
 * Otherwise fill makes the rest of a new one: s->bdev, backing, dev, id and flags are set; it sets
 * ops, magic, block_size, private, time_gran_ns, max_bytes and root (dentry_create_root). When it
 * fails it leaves nothing of its own: no root, and put is not called. The device is closed by the
 * caller of put.
 */
int mount_bdev(const struct fs_type *type, const char *source, u32 flags, const char *data,
	       int (*fill)(struct super *s, const char *data), struct super **out);

/* --- writeback: fs/vfs/writeback.c --- */
extern u32 vm_dirty_writeback_centisecs, vm_dirty_expire_centisecs;
/*
 * Fields of the inode changed (INODE_DIRTY_*): dirty_inode is told, and the inode will be written.
 * May sleep unless flags is INODE_DIRTY_PAGES, which mapping_mark_dirty does by itself.
 */
void inode_mark_dirty(struct inode *i, u32 flags);
/* Pages of the inode, then the inode itself if dirty (datasync: only if _DATASYNC). */
int inode_write_now(struct inode *i, bool sync);
/* All dirty inodes of s; wait: durable as far as they go, then s->ops->sync. */
int super_sync(struct super *s, bool wait);

/*
 * File systems that keep inodes by number: the cached one (reference taken), or a new one with
 * INODE_NEW set which the caller fills and ends with inode_ready (or inode_failed: others then get
 * -EIO... and it is dropped). 0, -ENOMEM, -EIO.
 */
int inode_find(struct super *s, u64 ino, struct inode **out);
void inode_ready(struct inode *i);
void inode_failed(struct inode *i);

/* A new inode with one reference, times = now, mode given, owner 0. NULL: no memory. */
struct inode *inode_create(struct super *s, const struct inode_ops *ops,
			   const struct file_ops *fops, umode_t mode, u64 ino);
/* Owner from current's fsuid/fsgid, setgid directories inherited. */
void inode_init_owner(struct inode *i, const struct inode *dir, umode_t mode);
void inode_get(struct inode *i);
void inode_put(struct inode *i);	/* may sleep */
u64 inode_next_number(struct super *s); /* for pseudo file systems */
s64 inode_now(const struct inode *i);	/* coarse real time */
void inode_touch(struct inode *i,
		 u32 attr_valid); /* ATTR_ATIME | ATTR_MTIME | ATTR_MODE(=ctime) set to now */
struct mount;
void inode_touch_atime(struct mount *m,
		       struct inode *i); /* after a read: by the mount's noatime, relatime rules */
bool inode_atime_due(const struct mount *m, const struct inode *i);
int inode_permission(struct inode *i, int mask); /* 0 or -EACCES / -EROFS / -EPERM */
int inode_permission_generic(struct inode *i, int mask);
/* The capability, towards this inode: in a user namespace that has its owner and group. */
static inline bool
inode_capable(const struct inode *i, int cap)
{
	return ids_capable(i->uid, i->gid, cap);
}
bool inode_owner_or_capable(const struct inode *i);
int setattr_prepare(struct inode *i,
		    const struct attr_change *c); /* permission checks of chmod, chown, utimes */
int setattr_generic(struct inode *i, const struct attr_change *c);
/* chmod(2) and the like on a place: wants write, locks, checks, sets, tells. */
int inode_set_attr(const struct path *p, struct attr_change *c);
void inode_stat(struct inode *i, struct linux_statx *st);

static inline bool
inode_is_dir(const struct inode *i)
{
	return S_ISDIR(i->mode);
}
static inline bool
inode_is_reg(const struct inode *i)
{
	return S_ISREG(i->mode);
}
static inline bool
inode_is_link(const struct inode *i)
{
	return S_ISLNK(i->mode);
}

#endif
