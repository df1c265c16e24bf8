/* SPDX-License-Identifier: MIT */
/* What the files of fs/9p share. */
#ifndef P9_INTERNAL_H
#define P9_INTERNAL_H

#include "core/ref.h"
#include "core/spinlock.h"
#include "fs/9p/9p.h"
#include "fs/vfs/file.h"
#include "fs/vfs/inode.h"
#include "mm/backing.h"
#include "mm/slab.h"
#include "sched/wait.h"
#include "uapi/errno.h"

#define P9_IO_HEADER 24 /* of a message with data, at most: what msize has to spare */

/* --- messages: client.c --- */

enum p9_type { /* the answer is one more */
	       P9_LERROR = 6,
	       P9_STATFS = 8,
	       P9_LOPEN = 12,
	       P9_LCREATE = 14,
	       P9_SYMLINK = 16,
	       P9_MKNOD = 18,
	       P9_READLINK = 22,
	       P9_GETATTR = 24,
	       P9_SETATTR = 26,
	       P9_XATTRWALK = 30,
	       P9_XATTRCREATE = 32,
	       P9_READDIR = 40,
	       P9_FSYNC = 50,
	       P9_LOCK = 52,
	       P9_GETLOCK = 54,
	       P9_LINK = 70,
	       P9_MKDIR = 72,
	       P9_RENAMEAT = 74,
	       P9_UNLINKAT = 76,
	       P9_VERSION = 100,
	       P9_ATTACH = 104,
	       P9_WALK = 110,
	       P9_READ = 116,
	       P9_WRITE = 118,
	       P9_CLUNK = 120,
};

#define P9_SLOTS 32 /* requests at once; their tags are 0 to 31 */

/* A session with a server. */
struct p9_client {
	struct p9_channel *channel;
	u32 msize, chunk;     /* [I] of a message; of the data in one */
	struct spinlock lock; /* everything below; interrupts take it */
	struct list idle;     /* requests */
	u32 requests, busy;
	struct wait_queue room; /* a request became idle */
	struct list fids;	/* free ones, with their numbers */
	u32 next_fid;
};

/* A number that stands for a file at the server. */
struct p9_fid {
	struct p9_client *client;
	struct ref ref;
	u32 number;
	bool readable, writable; /* it is open */
	struct list node;	 /* client->fids */
};

struct p9_request {
	struct p9_packet packet;
	struct p9_client *client;
	struct list node; /* client->idle */
	struct wait_queue wait;
	struct p9_fid *clunked; /* nobody waits for the answer: this fid is free then */
	u8 *tx, *rx;
	u32 at, end; /* in tx while it is made, in rx while it is read */
	u16 tag;
	u8 type;
	bool answered, bad; /* bad: the text did not fit, or ended too soon */
	u32 written;
};

int p9_client_create(const char *tag, u32 msize, struct p9_client **out);
void p9_client_destroy(struct p9_client *c); /* its fids are put */

/* NULL: never. May sleep. */
struct p9_request *p9_begin(struct p9_client *c, enum p9_type type);
void p9_put8(struct p9_request *r, u8 v);
void p9_put16(struct p9_request *r, u16 v);
void p9_put32(struct p9_request *r, u32 v);
void p9_put64(struct p9_request *r, u64 v);
void p9_put_bytes(struct p9_request *r, const char *text, size_t len); /* a string */
void p9_put_string(struct p9_request *r, const char *text);
/* Pages that the message is followed by, or (out false) the answer's header of `header` bytes. */
void
p9_put_pages(struct p9_request *r, struct page **pages, u32 offset, u32 len, bool out, u32 header);
/* Send, and wait: 0 or the server's error. */
int __must_check p9_call(struct p9_request *r);
u8 p9_get8(struct p9_request *r);
u16 p9_get16(struct p9_request *r);
u32 p9_get32(struct p9_request *r);
u64 p9_get64(struct p9_request *r);
/* A string of the answer, not terminated, which lives as long as the request. */
const char *p9_get_bytes(struct p9_request *r, u32 *len);
/* Frees it: err, or -EIO if the answer was not what it should be. */
int p9_end(struct p9_request *r, int err);

/* fids */
struct p9_fid *p9_fid_create(struct p9_client *c); /* NULL: no memory. The server knows nothing. */
void p9_fid_get(struct p9_fid *f);
void p9_fid_put(struct p9_fid *f);		 /* the last one: clunked; NULL is allowed */
void p9_fid_forget(struct p9_fid *f);		 /* the server never had it */
int __must_check p9_fid_clunk(struct p9_fid *f); /* the only reference; what the server says */

/* --- calls: calls.c. Names are as in the protocol --- */

struct p9_qid {
	u8 type;
	u32 version;
	u64 path;
};

struct p9_attr {
	struct p9_qid qid;
	u32 mode, uid, gid;
	u64 nlink, rdev, size, blocks;
	struct inode_times times;
};

#define P9_ATTR_MODE	  BIT(0)
#define P9_ATTR_UID	  BIT(1)
#define P9_ATTR_GID	  BIT(2)
#define P9_ATTR_SIZE	  BIT(3)
#define P9_ATTR_ATIME	  BIT(4)
#define P9_ATTR_MTIME	  BIT(5)
#define P9_ATTR_CTIME	  BIT(6)
#define P9_ATTR_ATIME_SET BIT(7)
#define P9_ATTR_MTIME_SET BIT(8)

struct linux_statfs;

int
p9_attach(struct p9_client *c, const char *user, const char *tree, u32 uid, struct p9_fid **out);
/* name NULL: another fid for the same file. */
int
p9_walk(struct p9_fid *from, const char *name, u32 len, struct p9_qid *qid, struct p9_fid **out);
int p9_getattr(struct p9_fid *f, struct p9_attr *a);
int p9_setattr(struct p9_fid *f, u32 valid, const struct attr_change *c);
int p9_lopen(struct p9_fid *f, u32 flags);
/* f was the directory, and is the open file then. */
int p9_lcreate(struct p9_fid *f, const struct dentry *d, u32 flags, u32 mode, u32 gid);
int p9_mkdir(struct p9_fid *dir, const struct dentry *d, u32 mode, u32 gid);
int p9_mknod(struct p9_fid *dir, const struct dentry *d, u32 mode, devnum_t dev, u32 gid);
int p9_symlink(struct p9_fid *dir, const struct dentry *d, const char *target, u32 gid);
int p9_link(struct p9_fid *dir, struct p9_fid *old, const struct dentry *d);
int p9_unlinkat(struct p9_fid *dir, const struct dentry *d, bool directory);
int
p9_renameat(struct p9_fid *from, const struct dentry *o, struct p9_fid *to, const struct dentry *n);
int p9_readlink(struct p9_fid *f, char *buf, size_t size); /* length */
int p9_statfs(struct p9_fid *f, struct linux_statfs *st);
int p9_fsync(struct p9_fid *f, bool datasync);
/* The directory's entries from a cookie on, into pages: bytes. */
int p9_readdir(struct p9_fid *f, u64 from, struct page **pages, u32 len);
/* Bytes moved: less than len at the end of the file, or after an error. */
ssize_t p9_transfer(struct p9_fid *f, u64 pos, struct page **pages, size_t len, bool write);
int p9_xattrwalk(struct p9_fid *f, const char *name, struct p9_fid **out, u64 *size);
int p9_xattrcreate(struct p9_fid *f, const char *name, u64 size, u32 flags);

/* --- mounts: super.c --- */

enum p9_cache {
	CACHE_NONE, /* names, attributes and bytes are the server's; pages only for mmap, to read */
	CACHE_MMAP, /* the same, and shared mappings may be written */
	CACHE_LOOSE, /* nobody else changes anything: all is cached */
};

struct p9_mount {
	struct p9_client *client;
	struct backing backing;
	struct p9_fid *root;
	enum p9_cache cache;
	u32 msize;
	char *user, *tree, *access;
	u32 uid, gid; /* dfltuid, dfltgid: of attaching */
	char name[24];
};

static inline struct p9_mount *
p9_mount_of(const struct super *s)
{
	return s->private;
}

/* --- inodes: inode.c --- */

struct p9_node {
	struct inode *inode;
	struct spinlock lock; /* the fids and opens */
	struct p9_fid *fid;   /* for walks and attributes; of the name that was looked up last */
	struct p9_fid *readable, *writable; /* open ones, for pages; while files are open */
	struct p9_fid *fresh;		    /* just created, open: for the open that follows */
	u32 opens;
	u32 changes; /* of the size, by us: attributes asked for before are old */
	/* When these change somebody else has written, and pages are dropped at the next open. */
	s64 seen_mtime;
	u64 seen_size;
};

static inline struct p9_node *
p9_node_of(const struct inode *i)
{
	return i->private;
}

static inline bool
p9_is_loose(const struct inode *i)
{
	return p9_mount_of(i->super)->cache == CACHE_LOOSE;
}

extern struct kmem_cache *p9_node_cache;

struct p9_fid *p9_node_fid(const struct inode *i);		/* referenced */
struct p9_fid *p9_node_open(const struct inode *i, bool write); /* referenced, or NULL */
/* Walk to a name in dir and find its inode. -ENOENT... */
int p9_inode_lookup(struct inode *dir, const struct dentry *d, struct inode **out);
int p9_inode_of_fid(struct super *s, struct p9_fid *fid, struct inode **out); /* takes fid over */
/* Attributes, anew from the server. */
int p9_refresh(struct inode *i);
void p9_evict(struct inode *i);
int p9_getattr_op(struct inode *i, struct linux_statx *st);
int p9_setattr_op(struct inode *i, const struct attr_change *c);
int p9_revalidate(struct inode *dir, struct dentry *d);

extern const struct inode_ops p9_dir_inode_ops, p9_file_inode_ops, p9_link_inode_ops,
	p9_special_inode_ops;
extern const struct file_ops p9_dir_file_ops, p9_file_ops;
extern const struct mapping_ops p9_mapping_ops;

/* --- xattr.c --- */
ssize_t p9_getxattr(struct inode *i, const char *name, void *value, size_t size);
int p9_setxattr(struct inode *i, const char *name, const void *value, size_t size, int flags);
ssize_t p9_listxattr(struct inode *i, char *list, size_t size);
int p9_removexattr(struct inode *i, const char *name);

#endif
