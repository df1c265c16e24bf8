/* SPDX-License-Identifier: MIT */
/*
 * Declarative pseudo files: proc, sys and cgroup describe their trees as tables; this library gives
 * them lookup, readdir, reading through a text buffer that is generated at each read of position 0,
 * and writing of short texts.
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

	/* The text; 0 or -errno. The buffer grows as needed: show is called again. */
	int (*show)(struct strbuf *sb, void *ctx);
	/* A NUL-terminated copy of what was written; len or -errno. NULL: not writable (-EIO). */
	ssize_t (*store)(void *ctx, const char *text, size_t len);
	/* The same, of a file that `opener` opened: whoever writes may be a set-id program that was
	 * tricked into it. */
	ssize_t (*store_by)(void *ctx, const struct cred *opener, const char *text, size_t len);
	/* A number that grows as the text changes, and who is woken then: poll says POLLPRI and
	 * POLLERR once for each change. NULL: nobody is told. */
	u64 (*changes)(void *ctx, struct wait_queue **woken);
	/* Instead of show and store: own operations; inode->private is ctx. */
	const struct file_ops *fops;

	/* Directories: a table, and names that a table cannot list. */

	const struct pseudo_entry *children;
	/* Fills *out, with a count of its ctx that the caller drops; 0 or -ENOENT... */
	int (*lookup_dynamic)(void *ctx, const char *name, size_t len, struct pseudo_node *out);
	/* Emits names at positions from first_pos on; dc->pos is not below it. */
	int (*readdir_dynamic)(void *ctx, struct dir_context *dc, u64 first_pos);

	/* Symlinks: the text (its length or -errno), and for magic links the place itself. */

	int (*link)(char *buf, size_t size, void *ctx);
	int (*follow)(void *ctx, struct path *out);

	/* NULL: by mode and owner. */
	int (*permission)(void *ctx, int mask);
};

/* What a dynamic lookup found. */
struct pseudo_node {
	const struct pseudo_entry *entry;
	void *ctx;
	u64 ino; /* 0: the library numbers it */
	u32 uid, gid;
	bool volatile_name; /* must be looked up again at each use (pids) */
	bool static_ctx;    /* ctx is not counted */
};

/* How ctx pointers are kept alive by inodes: shared by a whole tree. Either may be NULL. */
struct pseudo_ctx_ops {
	void (*get)(void *ctx);
	void (*put)(void *ctx);
};

/* Make the tree of a type known, so that it can be extended before it is first mounted. */
int pseudo_declare(const struct fs_type *type, const struct pseudo_entry *root);
/* Build a super block from a root entry; takes a count of ctx of its own. 0 or -ENOMEM. */
int pseudo_super_create(const struct fs_type *type, u64 magic, const struct pseudo_entry *root,
			void *ctx, const struct pseudo_ctx_ops *cops, struct super **out);
/*
 * Add a table under an existing directory at run time (drivers' sysfs files, net's /proc/net).
 * path "" is the root. ctx is for ever. 0, -ENOENT (no such directory, or type not declared),
 * -ENOMEM.
 */
int pseudo_extend(const struct fs_type *type, const char *path, const struct pseudo_entry *table,
		  void *ctx);

#endif
