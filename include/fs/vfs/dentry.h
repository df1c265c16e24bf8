/* SPDX-License-Identifier: MIT */
/*
 * Dentries: the name cache. A dentry with inode NULL is negative. Walked under RCU without touching
 * references until the end (theory in fs/vfs/path.c and dentry.c).
 */
#ifndef FS_VFS_DENTRY_H
#define FS_VFS_DENTRY_H

#include "core/rcu.h"
#include "core/ref.h"
#include "core/spinlock.h"
#include "lib/list.h"
#include "lib/types.h"

struct inode;
struct super;
struct mount;

#define DNAME_INLINE 40

struct dentry {
	struct hlist_node hash; /* in the dentry hash, keyed by (parent, name) */
	struct dentry *parent;	/* changes by rename; the root's is itself */
	struct inode *inode;	/* NULL: negative */
	u32 name_hash, name_len;
	const char *name; /* inline_name, or in a struct long_name (dentry.c) */
	char inline_name[DNAME_INLINE];
	struct seqcount seq; /* changes with name, parent and inode */
	struct spinlock lock;
	struct atomic32 refs;
	u32 flags; /* DENTRY_* */
	struct list children, child_node, alias_node, lru;
	struct super *super;
	void *private; /* pseudo file systems */
	u32 mounts;    /* mounts that sit here; mount.c's lock */
	struct rcu_head rcu;
};
#define DENTRY_MOUNTED	BIT(0) /* some mount sits on it: look in the mount hash */
#define DENTRY_UNHASHED BIT(1)
#define DENTRY_NO_CACHE BIT(2) /* drop when the last reference goes (procfs pids) */
#define DENTRY_REVALIDATE                                                                      \
	BIT(3) /* ask ops of the super before use: inode_ops.lookup again (proc pids, negative \
		  too) */
#define DENTRY_DEAD   BIT(4)
#define DENTRY_LOOKUP BIT(5) /* the file system is being asked about this name: wait (dentry.c) */
#define DENTRY_LRU    BIT(6) /* on the list of reclaim candidates */
#define DENTRY_USED   BIT(7) /* used since reclaim last looked */
#define DENTRY_ANON   BIT(8) /* the name is the whole path text */

/* A place: a dentry in a mount. Both referenced while held. */
struct path {
	struct mount *mnt;
	struct dentry *dentry;
};
void path_get(const struct path *p);
void path_put(const struct path *p);

/* File systems: finish a lookup or creation: d gets the inode (reference taken over) or becomes
 * negative (NULL). */
void dentry_add(struct dentry *d, struct inode *i);
/* Root of a super block. */
struct dentry *dentry_create_root(struct super *s, struct inode *i);
/* A hashed child with an inode made from inside the kernel (devtmpfs, pseudo file systems). NULL:
 * no memory. dir locked. */
struct dentry *dentry_create_child(struct dentry *parent, const char *name, struct inode *i);
/* The child of that name, from the cache or the file system, maybe negative: *out referenced. The
 * directory is locked. For the kernel's own trees. */
int dentry_lookup_child(struct dentry *parent, const char *name, size_t len, struct dentry **out);
/* After a successful unlink by the file system: the dentry becomes negative, or unhashed if in use.
 */
void dentry_delete(struct dentry *d);
/* An unhashed dentry for pipes, sockets, memfd: path text "name:[ino]" or as given. */
struct dentry *dentry_create_anon(struct super *s, const char *name, struct inode *i);
void dentry_get(struct dentry *d);
void dentry_put(struct dentry *d);
/* A name of the inode, referenced, or NULL: it has none in the cache. */
struct dentry *dentry_find_alias(struct inode *i);
void dentry_unhash(struct dentry *d); /* forget the name: next lookup asks the file system */
/* Throw away an unused subtree of the cache (rmdir, umount, proc task exit). */
void dentry_prune(struct dentry *d);
u64 dentry_shrink(u64 nr); /* reclaim: number freed */

/* Text of a path as /proc and getcwd show it, built from the end of buf: returns its start, or NULL
 * if too small (-ENAMETOOLONG). Adds " (deleted)". */
char *path_text(const struct path *p, const struct path *root, char *buf, size_t size);

#endif
