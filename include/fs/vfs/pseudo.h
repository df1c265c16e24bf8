/* SPDX-License-Identifier: MIT */
/*
 * Declarative pseudo files: proc, sys and cgroup describe their trees as tables; this library gives
 * them lookup, readdir, reading through a text buffer that is generated at the first read of
 * position 0 (and again after a seek to 0), and writing of short texts.
 */
#ifndef FS_VFS_PSEUDO_H
#define FS_VFS_PSEUDO_H

#include "fs/vfs/file.h"
#include "fs/vfs/inode.h"

struct pseudo_node;

struct pseudo_entry {
	const char *name; /* last entry of a table: NULL */
	umode_t mode;	  /* type and permission */
	/* Regular files. */
	int (*show)(struct strbuf *sb,
		    void *ctx); /* text; 0 or -errno. strbuf grows as needed (library retries) */
	ssize_t (*store)(void *ctx, const char *text,
			 size_t len); /* NUL-terminated copy; len or -errno. NULL: not writable */
	const struct file_ops
		*fops; /* instead of show/store: own operations; inode->private is ctx */
	/* Directories. */
	const struct pseudo_entry *children;
	/* Symlinks. */
	int (*link)(char *buf, size_t size, void *ctx);
	int (*follow)(void *ctx, struct path *out); /* magic link */
	/* Dynamic directories: names that a table cannot list. */
	int (*lookup_dynamic)(void *ctx, const char *name, size_t len, struct pseudo_node *out);
	int (*readdir_dynamic)(void *ctx, struct dir_context *dc, u64 first_pos);
	int (*permission)(void *ctx, int mask);
};

/* What a dynamic lookup found. ctx ownership: get/put below. */
struct pseudo_node {
	const struct pseudo_entry *entry;
	void *ctx;
	u64 ino; /* 0: the library numbers it */
	u32 uid, gid;
	bool volatile_name; /* must be looked up again at each use (pids) */
};

/* How ctx pointers are kept alive by inodes: shared by a whole tree. */
struct pseudo_ctx_ops {
	void (*get)(void *ctx);
	void (*put)(void *ctx);
};

/* Build a super block from a root entry. */
int pseudo_super_create(const struct fs_type *type, u64 magic, const struct pseudo_entry *root,
			void *ctx, const struct pseudo_ctx_ops *cops, struct super **out);
/* Add a table under an existing directory entry at run time (drivers' sysfs files, net's
 * /proc/net). path "" = root. 0, -ENOENT, -ENOMEM. */
int pseudo_extend(const struct fs_type *type, const char *path, const struct pseudo_entry *table,
		  void *ctx);
#endif
