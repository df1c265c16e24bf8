/* SPDX-License-Identifier: MIT */
/* What the files of fs/overlayfs share. */
#ifndef OVERLAYFS_INTERNAL_H
#define OVERLAYFS_INTERNAL_H

#include "core/spinlock.h"
#include "fs/vfs/file.h"
#include "fs/vfs/inode.h"
#include "fs/vfs/mount.h"
#include "fs/vfs/path.h"
#include "lib/string.h"
#include "mm/slab.h"
#include "task/cred.h"
#include "uapi/errno.h"

#define OVL_XATTR_PREFIX "trusted.overlay."
#define OVL_XATTR_OPAQUE OVL_XATTR_PREFIX "opaque"

#define OVL_LAYERS_MAX 500
#define OVL_TEMP_SIZE  16
#define OVL_TABLE_BITS 8

struct ovl_layer {
	struct mount *mnt; /* ours, of the layer's directory */
	devnum_t dev;	   /* st_dev of its files, where it is another file system than the rest */
};

struct ovl_mount {
	struct ovl_layer *lowers; /* the topmost first */
	u32 nr_lowers, depth;	  /* depth: an overlay among the layers */
	struct path upper, work;  /* mnt NULL: read-only; work is WORKDIR/work */
	struct cred *cred;	  /* of who mounted: layers are touched as that user */
	bool same_fs, is_volatile;
	char *lower_text, *upper_text, *work_text;
	struct spinlock lock; /* table */
	struct hlist_head table[1 << OVL_TABLE_BITS];
	struct atomic32 temps;
};

struct ovl_lower {
	struct dentry *dentry;
	u32 layer;
};

/* Of a file: the one real thing. Of a directory: all that are merged. */
struct ovl_inode {
	struct inode *inode;
	struct dentry *upper;	    /* set once, under copy_lock; read with ovl_upper */
	struct ovl_lower *lowers;   /* [I] the topmost first */
	u32 nr_lowers;		    /* [I] */
	struct mutex copy_lock;	    /* copying up, and unlinking */
	const struct inode *key;    /* [mount->lock] the real inode it is found by, or NULL */
	struct hlist_node in_table; /* [mount->lock] */
	u64 ino;		    /* as stat(2) shows it */
	devnum_t dev;
};

static inline struct ovl_mount *
ovl_mount_of(const struct super *s)
{
	return s->private;
}

static inline struct ovl_inode *
ovl_inode_of(const struct inode *i)
{
	return i->private;
}

static inline struct dentry *
ovl_upper(const struct inode *i)
{
	return smp_load_acquire(&ovl_inode_of(i)->upper);
}

/* --- util.c: the layers, as the user who mounted --- */

struct cred *ovl_cred_begin(const struct super *s); /* what to give to the end */
void ovl_cred_end(struct cred *saved);
/* The same with the caller's ids for files: what is made is his. NULL: no memory. */
struct cred *ovl_cred_begin_as_caller(const struct super *s, struct cred **made);
void ovl_cred_end_as_caller(struct cred *saved, struct cred *made);

struct path ovl_upper_path(const struct inode *i); /* not referenced; there is one */
struct path ovl_real_path(const struct inode *i);  /* upper, or the topmost lower */
static inline struct inode *
ovl_real(const struct inode *i)
{
	return ovl_real_path(i).dentry->inode;
}
bool ovl_is_whiteout(const struct inode *real); /* NULL: false */
bool ovl_is_opaque(struct inode *real);
int ovl_set_opaque(const struct path *dir);
/* A name in a layer's directory, maybe negative; referenced. */
int ovl_child(struct dentry *parent, const char *name, u32 len, struct dentry **out);
/* Is there something of this name in the lower layers of a directory? 1, 0 or -errno. */
int ovl_lower_has(const struct inode *dir, const struct dentry *d);
void ovl_temp_name(struct ovl_mount *m, char name[OVL_TEMP_SIZE]);
/* The name in the working directory goes, with whatever whiteouts are in it. */
int ovl_remove_temp(struct ovl_mount *m, const char *name);
/* A whiteout in the working directory. */
int ovl_make_whiteout(struct ovl_mount *m, char name[OVL_TEMP_SIZE]);
/* Whiteouts in a directory of the upper layer go. -ENOTEMPTY: there was something else. */
int ovl_clear_whiteouts(const struct path *dir);
/* Calls fn for all names in a layer's directory but . and ..; stops when it returns other than 0,
 * which is the result. fn may touch the directory's names. */
int ovl_for_each_name(const struct path *dir,
		      int (*fn)(void *ctx, const char *name, u32 len, u64 ino, u8 type), void *ctx);

/* --- inode.c --- */
/* The inode of what was found; takes the references on dentries and the memory of lowers over. */
int ovl_inode_get(struct super *s, struct dentry *upper, struct ovl_lower *lowers, u32 nr_lowers,
		  struct inode **out);
void ovl_copy_attributes(struct inode *i);
/* It is found by its upper inode from now on. */
void ovl_inode_rekey(struct inode *i);
void ovl_evict(struct inode *i);

/* --- copy_up.c --- */
/* d has an upper from now on; data false: a file that will be cut to nothing. */
int ovl_copy_up(struct dentry *d, bool data);
int ovl_copy_up_inode(struct inode *i, bool data);

/* --- readdir.c --- */
int ovl_is_empty(struct dentry *d); /* 0 or -ENOTEMPTY... of a merged directory */
/* --- rename.c --- */
int ovl_rename(struct inode *od, struct dentry *o, struct inode *nd, struct dentry *n, u32 flags);

extern const struct inode_ops ovl_dir_ops, ovl_dir_acl_ops, ovl_file_ops, ovl_file_acl_ops;
extern const struct file_ops ovl_dir_file_ops, ovl_regular_file_ops;

/* slots of namei.c */
int ovl_lookup(struct inode *dir, struct dentry *d);
int ovl_create(struct inode *dir, struct dentry *d, umode_t mode);
int ovl_mkdir(struct inode *dir, struct dentry *d, umode_t mode);
int ovl_mknod(struct inode *dir, struct dentry *d, umode_t mode, devnum_t dev);
int ovl_symlink(struct inode *dir, struct dentry *d, const char *target);
int ovl_link(struct dentry *old, struct inode *dir, struct dentry *d);
int ovl_unlink(struct inode *dir, struct dentry *d);
int ovl_rmdir(struct inode *dir, struct dentry *d);

#endif
