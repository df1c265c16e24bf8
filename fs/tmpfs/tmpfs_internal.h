/* SPDX-License-Identifier: MIT */
/* Shared by the files of fs/tmpfs. */
#ifndef TMPFS_INTERNAL_H
#define TMPFS_INTERNAL_H

#include "fs/vfs/dentry.h"
#include "fs/vfs/file.h"
#include "fs/vfs/inode.h"
#include "fs/vfs/mount.h"
#include "lib/rbtree.h"
#include "mm/slab.h"
#include "uapi/errno.h"

#define ENTRY_SIZE 20 /* what a directory's size counts for each name, as Linux has it */

/* super->private */
struct tmpfs_super {
	struct atomic64 used_blocks, used_inodes; /* pages; inodes */
	u64 max_blocks, max_inodes;		  /* 0: no limit */
	struct atomic64 next_ino;
	umode_t mode;
	u32 uid, gid;
	bool no_swap_option;
};

/* A name in a directory. */
struct tmpfs_entry {
	struct rb_node by_name, by_position;
	struct inode *inode; /* referenced */
	u64 position;	     /* readdir's: grows with every entry made, never reused */
	u32 hash, len;
	char name[];
};

struct tmpfs_xattr {
	struct list node;
	size_t size;
	char *value;
	char name[];
};

/* inode->private */
struct tmpfs_inode {
	struct rb_root names, positions; /* directories; inode->lock */
	u64 next_position;
	struct inode *parent; /* directories, for "..": not referenced, it has us as an entry */
	struct list xattrs;   /* inode->spin to read; inode->lock to change */
	struct rwsem xattr_lock;
	u64 xattr_bytes;		     /* xattr_lock; charged in blocks */
	struct posix_acl *acl, *default_acl; /* xattr_lock */
	u32 seals;			     /* memfd; inode->lock */
	struct inode *inode;
};

static inline struct tmpfs_super *
tmpfs_super_of(const struct super *s)
{
	return s->private;
}

static inline struct tmpfs_inode *
tmpfs_inode_of(const struct inode *i)
{
	return i->private;
}

/* super.c */
int tmpfs_charge_blocks(struct super *s, u64 blocks); /* 0 or -ENOSPC */
void tmpfs_uncharge_blocks(struct super *s, u64 blocks);
int tmpfs_inode_create(struct super *s, const struct inode *dir, umode_t mode, devnum_t dev,
		       struct inode **out);

/* dir.c */
extern const struct inode_ops tmpfs_dir_inode_ops, tmpfs_dir_acl_ops;
extern const struct file_ops tmpfs_dir_file_ops;
void tmpfs_dir_destroy(struct inode *dir);

/* file.c */
extern const struct inode_ops tmpfs_file_inode_ops, tmpfs_file_acl_ops;
extern const struct inode_ops tmpfs_special_inode_ops, tmpfs_special_acl_ops;
int tmpfs_setattr(struct inode *i, const struct attr_change *c);
extern const struct file_ops tmpfs_file_ops;
extern const struct mapping_ops tmpfs_mapping_ops;

/* xattr.c */
ssize_t tmpfs_getxattr(struct inode *i, const char *name, void *value, size_t size);
int tmpfs_setxattr(struct inode *i, const char *name, const void *value, size_t size, int flags);
ssize_t tmpfs_listxattr(struct inode *i, char *list, size_t size);
int tmpfs_removexattr(struct inode *i, const char *name);
void tmpfs_xattr_destroy(struct inode *i);

/* acl.c */
int tmpfs_permission(struct inode *i, int mask);
int tmpfs_acl_inherit(const struct inode *dir, struct inode *i); /* dir's default list */
int tmpfs_acl_chmod(struct inode *i);
ssize_t tmpfs_acl_get(struct inode *i, bool is_default, void *value, size_t size);
int tmpfs_acl_set(struct inode *i, bool is_default, const void *value, size_t size);

#endif
