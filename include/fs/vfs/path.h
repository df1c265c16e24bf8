/* SPDX-License-Identifier: MIT */
/* Path walk for other rooms. path_resolution(7), openat2(2). */
#ifndef FS_VFS_PATH_H
#define FS_VFS_PATH_H

#include "fs/vfs/dentry.h"
#include "fs/vfs/file.h"
#include "lib/user_ptr.h"

/* Walk flags. */
#define WALK_FOLLOW	  BIT(0) /* follow a symlink in the last component */
#define WALK_DIRECTORY	  BIT(1) /* must be a directory */
#define WALK_EMPTY	  BIT(2) /* AT_EMPTY_PATH */
#define WALK_NO_XDEV	  BIT(3) /* RESOLVE_* */
#define WALK_NO_MAGIC	  BIT(4)
#define WALK_NO_SYMLINKS  BIT(5)
#define WALK_BENEATH	  BIT(6)
#define WALK_IN_ROOT	  BIT(7)
#define WALK_CACHED	  BIT(8)
#define WALK_NO_AUTOMOUNT BIT(9)

/* User path relative to dirfd to an existing place, referenced. */
int path_lookup_user(int dirfd, user_ptr path, u32 walk, struct path *out);
int path_lookup(int dirfd, const char *path, u32 walk,
		struct path *out); /* kernel string; AT_FDCWD: the current task's cwd */
/* Open by kernel path with O_ flags (exec, boot console, core). */
int file_open(int dirfd, const char *path, u32 flags, umode_t mode, struct file **out);
/* Open an existing place (magic links, exec by fd): checks permission and calls ops->open. */
int file_open_path(const struct path *p, u32 flags, struct file **out);

/*
 * Open an existing place for execution: wants execute permission instead of read permission;
 * -EACCES unless it is a regular file on a mount without noexec, -ETXTBSY while somebody has it
 * open for writing. Until the file's release, or file_allow_write, opening it for writing gives
 * -ETXTBSY.
 */
int file_open_exec(const struct path *p, struct file **out);
void file_allow_write(struct file *f);
/* A file just opened for writing that is not to be in the way of execution (memfd). */
void file_uncount_writer(struct file *f);

/*
 * Creating from inside the kernel: parent of the last component locked, dentry looked up (must be
 * negative: -EEXIST). End with path_create_done. Used by mknod of sockets (AF_UNIX bind), devtmpfs,
 * initramfs.
 */
struct path_create {
	struct path parent;
	struct dentry *dentry;
};
int path_create_begin(int dirfd, const char *path, bool directory, struct path_create *pc);
/* The same in a directory that is at hand (stacked file systems). */
int path_create_at(const struct path *dir, const char *name, struct path_create *pc);
/* What the umask leaves of the mode, or the directory's default ACL will. */
umode_t path_create_mode(const struct path_create *pc, umode_t mode);
void path_create_done(struct path_create *pc);
int vfs_mkdir(struct path_create *pc, umode_t mode);
int vfs_mknod(struct path_create *pc, umode_t mode, devnum_t dev);
int vfs_symlink(struct path_create *pc, const char *target);

int vfs_link(const struct path *old, struct path_create *pc);
/* Names in directories that are at hand. */
int vfs_remove_at(const struct path *dir, const char *name, bool directory);
int vfs_rename_at(const struct path *from, const char *old, const struct path *to, const char *new,
		  u32 flags);

/* Another name for an existing file; remove a file or an empty directory. */
int vfs_link_kernel(const char *old, struct path_create *pc);
int vfs_remove_kernel(const char *path);

/* Root, cwd, umask of a task; shared by CLONE_FS. */
struct fs_context {
	struct ref ref;
	struct spinlock lock;
	struct seqcount seq;
	struct path root, cwd;
	u32 umask;
};
/* The first one: root and cwd at the root of rootfs. Kernel threads, which are no tasks, walk from
 * it too. */
extern struct fs_context root_fs_context;
int fs_context_dup(struct fs_context *old, struct fs_context **out);
struct fs_context *fs_context_get(struct fs_context *f);
void fs_context_put(struct fs_context *f);
void fs_context_paths(struct fs_context *f, struct path *root,
		      struct path *cwd); /* referenced copies; either may be NULL */
#endif
