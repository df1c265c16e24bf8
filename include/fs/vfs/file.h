/* SPDX-License-Identifier: MIT */
/*
 * Open files and descriptor tables.
 */
#ifndef FS_VFS_FILE_H
#define FS_VFS_FILE_H

#include "core/ref.h"
#include "fs/vfs/dentry.h"
#include "lib/types.h"
#include "mm/iter.h"
#include "mm/mapping.h"
#include "sched/mutex.h"
#include "sched/wait.h"
#include "task/task.h"

struct cred;
struct file;
struct inode;
struct mm_map_request;
struct pid;
struct pipe;
struct poll_table;
struct strbuf;
struct linux_flock;
struct pipe;

/* readdir: emit returns false when the caller's buffer is full: stop, do not advance pos past this
 * entry. */
struct dir_context {
	bool (*emit)(struct dir_context *ctx, const char *name, size_t len, u64 ino, u8 type,
		     u64 next_pos);
	u64 pos;
};

struct file_ops {
	/* Called after the file is set up (f->inode, flags): may replace f->ops, set f->private.
	 * NULL: nothing. May sleep. */
	int (*open)(struct file *f);
	/* Last reference gone. NULL: nothing. May sleep. */
	void (*release)(struct file *f);
	/* Each close(2) of a descriptor (POSIX locks are vfs's). NULL: nothing. */
	int (*flush)(struct file *f);
	/*
	 * *pos is the position to use and advance (of the file, or of pread). NULL: -EINVAL. No
	 * lock held (f_pos lock is the caller's). Bytes done, 0 = end, or -errno (-EAGAIN when
	 * O_NONBLOCK: test f->flags; -ERESTARTSYS when a signal ended the wait).
	 */
	ssize_t (*read)(struct file *f, struct iov_iter *it, u64 *pos);
	ssize_t (*write)(struct file *f, struct iov_iter *it, u64 *pos);
	/* NULL: file_seek_none semantics: -ESPIPE. */
	s64 (*seek)(struct file *f, s64 offset, int whence);
	/* NULL: always readable and writable. Returns EPOLL* bits; registers by poll_wait when pt
	 * is not NULL. May not sleep long. */
	u32 (*poll)(struct file *f, struct poll_table *pt);
	/* NULL: -ENOTTY. */
	long (*ioctl)(struct file *f, u32 cmd, u64 arg);
	/* Fill rq->mapping/ops/owner etc. for mmap. NULL: -ENODEV. */
	int (*mmap)(struct file *f, struct mm_map_request *rq);
	/* Directories. NULL: -ENOTDIR. inode locked for reading. */
	int (*readdir)(struct file *f, struct dir_context *ctx);
	int (*fsync)(struct file *f, u64 start, u64 end,
		     bool datasync); /* NULL: 0 is right for memory file systems, -EINVAL for pipes:
					see flag FMODE_NO_SYNC */
	int (*fallocate)(struct file *f, int mode, u64 offset,
			 u64 len); /* NULL: -EOPNOTSUPP; -ENODEV for non-regular */
	void (*show_fdinfo)(struct file *f,
			    struct strbuf *sb); /* extra lines of /proc/PID/fdinfo. NULL: none */
	int (*set_flags)(struct file *f, u32 flags); /* F_SETFL veto. NULL: any */
	long (*seals)(struct file *f, bool add,
		      u32 seals); /* F_ADD_SEALS, F_GET_SEALS. NULL: -EINVAL */
	/* F_GETPIPE_SZ, or F_SETPIPE_SZ to *bytes: the size. NULL: -EBADF. */
	long (*pipe_size)(struct file *f, const unsigned long *bytes);
	/* splice without copy; NULL: generic through read/write and a buffer. */
	ssize_t (*splice_read)(struct file *f, u64 *pos, struct pipe *pipe, size_t len, u32 flags);
	ssize_t (*splice_write)(struct pipe *pipe, struct file *f, u64 *pos, size_t len, u32 flags);
};

struct file {
	const struct file_ops *ops; /* [I after open] */
	struct ref ref;
	u32 flags; /* O_* status flags; changed by F_SETFL under pos_lock-free single word writes */
	u32 mode;  /* FMODE_* [I] */
	struct inode *inode; /* [I] = path.dentry->inode */
	struct path path;    /* [I] */
	void *private;	     /* [I after open] */
	u64 pos;	     /* pos_lock */
	struct mutex pos_lock;
	struct cred *cred;	  /* [I] of the opener */
	struct file_owner *owner; /* F_SETOWN, SIGIO: fs/vfs/fasync.c */
	void *epoll_items; /* event/epoll.c: watchers to drop at release, through file_epoll_release
			    */
	struct file_readahead ra;
	struct mapping *mapping; /* the pages: the inode's own, or open's choice (block devices) */
	u32 wb_error_seen, wb_error_super; /* errseq: told by fsync, syncfs */
	u64 version;
	struct task_work work; /* the last put, where it must wait */
};
#define FMODE_READ    BIT(0)
#define FMODE_WRITE   BIT(1)
#define FMODE_PATH    BIT(2) /* O_PATH: only *at calls, fstat, close */
#define FMODE_EXEC    BIT(3)
#define FMODE_STREAM  BIT(4) /* no position: pipes, sockets, ttys: seek and pread give -ESPIPE */
#define FMODE_NO_SYNC BIT(5)
#define FMODE_ATOMIC_POS \
	BIT(6) /* regular files and directories: read/write take pos_lock if shared */
#define FMODE_LEASE_UNUSED BIT(7)
#define FMODE_NOWAIT_OK	   BIT(8)  /* RWF_NOWAIT supported */
#define FMODE_WRITER	   BIT(9)  /* counted as a writer of its inode and mount */
#define FMODE_OPENED	   BIT(10) /* ops->open succeeded: release is due */
#define FMODE_DIRECT_OK                                                          \
	BIT(11) /* set by open: O_DIRECT works (else -EINVAL on files and disks) \
		 */

void file_get(struct file *f);
void file_put(struct file *f); /* may sleep; deferred to task work when it may not */
/* For callers with locks that releasing a file may need, or who are in a release: done on the way
 * back to user mode, or by a worker, one file after the other. May not be in an interrupt. */
void file_put_late(struct file *f);
/* Urgent data has come: SIGURG to the owner (F_SETOWN). Any context; f is not yet being released.
 */
void file_signal_urgent(struct file *f);

/* A file without a name in any directory, on the one inode of anon_inodefs: "[eventfd]" shows as
 * anon_inode:[eventfd]. 0 or -ENOMEM. */
int file_create_anon(const char *name, const struct file_ops *ops, void *private, u32 flags,
		     u32 mode, struct file **out);
/* The same on an own inode (pipes, sockets: st_ino, "pipe:[123]"); takes its own reference on d. */
int file_create_on(struct dentry *d, const struct file_ops *ops, void *private, u32 flags, u32 mode,
		   struct file **out);

/* --- descriptor tables --- */
struct fd_table *fd_table_create(void);
int fd_table_dup(struct fd_table *old, u32 max_fd,
		 struct fd_table **out); /* fork, unshare, CLOSE_RANGE_UNSHARE */
struct fd_table *fd_table_get(struct fd_table *t);
void fd_table_put(struct fd_table *t);		 /* last one closes all */
void fd_table_close_on_exec(struct fd_table *t); /* exec; table is private by then */

/*
 * Descriptor to file. fd_lookup avoids the atomic reference when the table is used by one task
 *only: put with fd_release. struct fd_ref f = fd_lookup(fd); if (!f.file) return -EBADF; ...
 *fd_release(f); O_PATH files are refused (file == NULL) except by fd_lookup_path.
 */
struct fd_ref {
	struct file *file;
	bool referenced;
};
struct fd_ref fd_lookup(int fd);
struct fd_ref fd_lookup_path(int fd);
static inline void
fd_release(struct fd_ref r)
{
	if (r.referenced)
		file_put(r.file);
}
struct file *fd_find(int fd);				/* always referenced, or NULL */
struct file *fd_table_find(struct fd_table *t, int fd); /* of another task */
int fd_table_next(struct fd_table *t, int fd); /* next used descriptor >= fd, or -1: /proc/PID/fd */
u32 fd_table_size(
	struct fd_table *t); /* descriptors there is room for now: FDSize of /proc/PID/status */
bool fd_table_cloexec(struct fd_table *t, int fd);

/* Reserve the lowest free descriptor >= min (RLIMIT_NOFILE: -EMFILE), then install or cancel. */
int fd_reserve(int min, bool cloexec);
void fd_install(int fd, struct file *f); /* takes over the reference */
void fd_cancel(int fd);
/* reserve + install; on failure the file is put. */
int fd_add(struct file *f, bool cloexec);
int fd_close(int fd);
/* The current task's table becomes its own if others share it (exec, unshare, CLOSE_RANGE_UNSHARE).
 * 0, -ENOMEM, -EMFILE. */
int fd_table_unshare(void);

/* --- kernel's own use of files --- */
/* Map f into mm as mmap(2) does: asks the file's mmap, adds what the file's mode allows (VM_MAY*),
 * takes its own reference. addr, len, prot, map_flags and pgoff of rq are the caller's. Address or
 * -errno. */
struct mm;
long file_map(struct mm *mm, struct file *f, struct mm_map_request *rq);
ssize_t file_read_kernel(struct file *f, void *buf, size_t len, u64 pos);
ssize_t file_write_kernel(struct file *f, const void *buf, size_t len, u64 pos);
ssize_t
vfs_read(struct file *f, struct iov_iter *it, u64 *pos); /* checks mode, accounts, notifies */
ssize_t vfs_write(struct file *f, struct iov_iter *it, u64 *pos);
u32 vfs_poll(struct file *f, struct poll_table *pt);

/*
 * fsync as system calls see it: the file's fsync, then errors of earlier writeback, once. start to
 * end, included.
 */
int file_sync_range(struct file *f, u64 start, u64 end, bool datasync);

/* Generic slots for page-cache files. */
ssize_t file_read_cached(struct file *f, struct iov_iter *it, u64 *pos);
ssize_t file_write_cached(struct file *f, struct iov_iter *it, u64 *pos);
/*
 * The parts of file_write_cached, for files with rules of their own in between: begin locks the
 * inode, applies O_APPEND and the limits to *pos and the count, drops set-id bits, updates times; 0
 * (then end must follow, also when nothing is written), or an error (or 1: nothing to write). end
 * writes to the page cache, sets the size, unlocks, syncs if the file wants it.
 */
int file_write_begin(struct file *f, struct iov_iter *it, u64 *pos);
ssize_t file_write_end(struct file *f, struct iov_iter *it, u64 *pos);
void file_write_abort(struct file *f); /* instead of end */
int file_mmap_cached(struct file *f, struct mm_map_request *rq);
s64 file_seek_size(struct file *f, s64 offset,
		   int whence); /* SEEK_SET/CUR/END/DATA/HOLE by inode size and mapping */
s64 file_seek_fixed_none(struct file *f, s64 offset,
			 int whence); /* character devices such as null: 0 */
s64
file_seek_pos(struct file *f, s64 offset, int whence); /* position without a size (pseudo files) */

/* Set by event/epoll.c: called when a file with epoll_items goes. */
extern void (*file_epoll_release)(struct file *f);
/* Text of /proc/locks. */
void locks_show(struct strbuf *sb);
u64 file_count(void); /* open files in all: /proc/sys/fs/file-nr */

/*
 * inotify hook, set by event/inotify.c; NULL when nobody watches anything (one load on the hot
 * path). IN_CREATE, IN_DELETE, IN_MOVED_FROM, IN_MOVED_TO: happened in directory `inode` to the
 * name of `dentry` (cookie joins the two moves). IN_DELETE_SELF, IN_MOVE_SELF, IN_UNMOUNT: happened
 * to `inode`; dentry may be NULL. All others (IN_ACCESS, IN_MODIFY, IN_ATTRIB, IN_OPEN,
 * IN_CLOSE_*): happened to `inode`, reached by `dentry`: watchers of dentry->parent hear of it too.
 */
/* Whoever sets it calls dnotify_event (fs/vfs/dnotify.c) first, and ignores VFS_RENAMED. */
#define VFS_RENAMED 0x10000000u /* with IN_MOVED_FROM: to another name in the same directory */
extern void (*vfs_notify)(struct inode *inode, struct dentry *dentry, u32 mask, u32 cookie);
void dnotify_event(struct inode *inode, struct dentry *dentry, u32 mask);
/* The same, when the last mount of a super block has gone: its watches end. */
extern void (*vfs_unmounted)(struct super *s);

#endif
