/* SPDX-License-Identifier: MIT */
/*
 * Inodes of 9P: what the server said last about a file.
 *
 * An inode is found by the qid's path, so that all names of a file share pages, locks and watches.
 * It keeps the fid of the name that was looked up last; a server that thinks in paths (QEMU) asks
 * of that name. Without cache=loose every name on the way of a path is asked for again, and with it
 * the attributes; so what the host changes is seen by the next call, and inodes go with their last
 * user.
 *
 * Sizes. What we write ourselves changes the size here before the server's answers to earlier
 * questions have come: p9_node.changes says that an answer is too old to be believed.
 */
#include "fs/vfs/device.h"
#include "lib/string.h"
#include "mm/mapping.h"
#include "p9_internal.h"
#include "task/cred.h"

#define STALE_TRIES 3

struct kmem_cache *p9_node_cache;

/* --- fids --- */

struct p9_fid *
p9_node_fid(const struct inode *i)
{
	struct p9_node *n = p9_node_of(i);
	struct p9_fid *f;

	spin_lock(&n->lock);
	/* A name that is gone says nothing; the open file still does, at some servers. */
	f = i->nlink ? n->fid : n->writable ? n->writable : n->readable ? n->readable : n->fid;
	p9_fid_get(f);
	spin_unlock(&n->lock);
	return f;
}

struct p9_fid *
p9_node_open(const struct inode *i, bool write)
{
	struct p9_node *n = p9_node_of(i);
	struct p9_fid *f;

	spin_lock(&n->lock);
	f = write ? n->writable : n->readable;
	if (f)
		p9_fid_get(f);
	spin_unlock(&n->lock);
	return f;
}

/* fid, whose reference is taken over, is that of the name used last. */
static void
node_set_fid(struct inode *i, struct p9_fid *fid)
{
	struct p9_node *n = p9_node_of(i);
	struct p9_fid *old;

	spin_lock(&n->lock);
	old = n->fid;
	n->fid = fid;
	spin_unlock(&n->lock);
	p9_fid_put(old);
}

/* --- attributes --- */

/* `changes`: as it was before the server was asked. */
static void
attributes_set(struct inode *i, const struct p9_attr *a, u32 changes)
{
	struct p9_node *n = p9_node_of(i);
	bool ours = READ_ONCE(n->changes) != changes || mapping_has_dirty(&i->mapping) ||
		    mapping_in_writeback(&i->mapping);

	WRITE_ONCE(i->mode, (i->mode & S_IFMT) | (a->mode & S_IALLUGO));
	WRITE_ONCE(i->uid, a->uid);
	WRITE_ONCE(i->gid, a->gid);
	if (i->nlink)
		WRITE_ONCE(i->nlink, (u32)MAX(a->nlink, 1ul));
	WRITE_ONCE(i->blocks, a->blocks);
	WRITE_ONCE(i->times.atime, a->times.atime);
	WRITE_ONCE(i->times.ctime, a->times.ctime);
	i->times.btime = a->times.btime;
	if (ours)
		return;
	WRITE_ONCE(i->times.mtime, a->times.mtime);
	if (a->size < i->size && i->mapping.nr_pages) {
		WRITE_ONCE(i->size, a->size);
		mapping_truncate(&i->mapping, a->size);
	} else {
		WRITE_ONCE(i->size, a->size);
	}
}

static int
refresh_from(struct inode *i, struct p9_fid *fid)
{
	u32 changes = READ_ONCE(p9_node_of(i)->changes);
	struct p9_attr a;
	int err = p9_getattr(fid, &a);

	if (err)
		return err;
	if ((a.mode ^ i->mode) & S_IFMT)
		return -ESTALE;
	attributes_set(i, &a, changes);
	return 0;
}

int
p9_refresh(struct inode *i)
{
	struct p9_fid *fid = p9_node_fid(i);
	int err = refresh_from(i, fid);

	p9_fid_put(fid);
	return err;
}

int
p9_getattr_op(struct inode *i, struct linux_statx *st)
{
	int err = p9_is_loose(i) ? 0 : p9_refresh(i);

	/* A file without a name that is still open: what is known of it. */
	if (err && !((err == -ENOENT || err == -ESTALE) && READ_ONCE(p9_node_of(i)->opens)))
		return err;
	inode_stat(i, st);
	return 0;
}

static u32
wire_valid(u32 valid)
{
	static const struct {
		u32 ours, wire;
	} map[] = {
		{ ATTR_MODE, P9_ATTR_MODE },
		{ ATTR_UID, P9_ATTR_UID },
		{ ATTR_GID, P9_ATTR_GID },
		{ ATTR_SIZE, P9_ATTR_SIZE },
		{ ATTR_ATIME, P9_ATTR_ATIME },
		{ ATTR_MTIME, P9_ATTR_MTIME },
		{ ATTR_ATIME_SET, P9_ATTR_ATIME_SET },
		{ ATTR_MTIME_SET, P9_ATTR_MTIME_SET },
	};
	u32 wire = P9_ATTR_CTIME;

	for (u32 k = 0; k < ARRAY_SIZE(map); k++)
		if (valid & map[k].ours)
			wire |= map[k].wire;
	return wire;
}

int
p9_setattr_op(struct inode *i, const struct attr_change *change)
{
	struct p9_node *n = p9_node_of(i);
	struct attr_change c = *change;
	struct p9_fid *fid;
	int err = 0;

	c.mode &= S_IALLUGO;
	if ((c.valid & ATTR_MODE) && (c.mode & S_ISGID) && !S_ISDIR(i->mode) &&
	    !(c.valid & (ATTR_UID | ATTR_GID)) && !cred_in_group(current_cred(), i->gid) &&
	    !capable(CAP_FSETID))
		c.mode &= ~S_ISGID;
	if (c.valid & ATTR_SIZE) {
		err = mapping_writeback(&i->mapping, 0, UINT64_MAX, true);
		if (err)
			return err;
	}
	fid = p9_node_fid(i);
	c.mode |= i->mode & S_IFMT; /* for servers that keep it as it comes */
	WRITE_ONCE(n->changes, n->changes + 1);
	err = p9_setattr(fid, wire_valid(c.valid), &c);
	if (!err)
		err = setattr_generic(i, &c);
	WRITE_ONCE(n->changes, n->changes + 1);
	p9_fid_put(fid);
	return err;
}

/* --- finding inodes --- */

static int
node_init(struct inode *i, struct p9_fid *fid, const struct p9_attr *a)
{
	struct p9_node *n = kmem_cache_zalloc(p9_node_cache, GFP_KERNEL);

	if (!n)
		return -ENOMEM;
	n->inode = i;
	n->fid = fid;
	spin_init(&n->lock, RANK_FS);
	i->private = n;
	i->mode = a->mode;
	i->flags |= INODE_NOATIME; /* the server's business */
	if (!p9_is_loose(i))
		i->flags |= INODE_FLEETING;
	switch (a->mode & S_IFMT) {
	case S_IFREG:
		i->ops = &p9_file_inode_ops;
		i->file_ops = &p9_file_ops;
		i->mapping.ops = &p9_mapping_ops;
		break;
	case S_IFDIR:
		i->ops = &p9_dir_inode_ops;
		i->file_ops = &p9_dir_file_ops;
		break;
	case S_IFLNK: i->ops = &p9_link_inode_ops; break;
	case S_IFCHR:
	case S_IFBLK: i->rdev = dev_from_user(a->rdev); __fallthrough;
	case S_IFIFO:
	case S_IFSOCK: i->ops = &p9_special_inode_ops; break;
	default:
		i->private = NULL;
		kmem_cache_free(p9_node_cache, n);
		return -EIO;
	}
	attributes_set(i, a, 0);
	n->seen_mtime = a->times.mtime;
	n->seen_size = a->size;
	return 0;
}

int
p9_inode_of_fid(struct super *s, struct p9_fid *fid, struct inode **out)
{
	struct p9_attr a;
	struct inode *i;
	int err = p9_getattr(fid, &a);

	for (u32 tries = 0; !err; tries++) {
		u32 changes;

		err = inode_find(s, a.qid.path, &i);
		if (err)
			break;
		if (i->flags & INODE_NEW) {
			err = node_init(i, fid, &a);
			if (err) {
				inode_failed(i);
				break;
			}
			inode_ready(i);
			*out = i;
			return 0;
		}
		if (!((i->mode ^ a.mode) & S_IFMT)) {
			changes = READ_ONCE(p9_node_of(i)->changes);
			/* Asked before it was found: only what was not changed since. */
			if (!p9_is_loose(i))
				attributes_set(i, &a, changes);
			node_set_fid(i, fid);
			*out = i;
			return 0;
		}
		/* The number was that of another file, which is gone; unless somebody has it open.
		 */
		i->nlink = 0;
		inode_put(i);
		if (tries == STALE_TRIES)
			err = -ESTALE;
	}
	p9_fid_put(fid);
	return err;
}

int
p9_inode_lookup(struct inode *dir, const struct dentry *d, struct inode **out)
{
	struct p9_fid *dfid = p9_node_fid(dir), *fid;
	int err = p9_walk(dfid, d->name, d->name_len, NULL, &fid);

	p9_fid_put(dfid);
	return err ? err : p9_inode_of_fid(dir->super, fid, out);
}

int
p9_revalidate(struct inode *dir, struct dentry *d)
{
	struct inode *i = d->inode;
	struct p9_fid *dfid, *fid;
	struct p9_qid qid;
	int err;

	if (!i)
		return 0;
	if (d->flags & DENTRY_MOUNTED)
		return 1;
	dfid = p9_node_fid(dir);
	err = p9_walk(dfid, d->name, d->name_len, &qid, &fid);
	p9_fid_put(dfid);
	if (err)
		return err == -ENOENT ? 0 : err;
	err = qid.path == i->ino ? refresh_from(i, fid) : -ESTALE;
	if (err) {
		p9_fid_put(fid);
		return err == -ESTALE || err == -ENOENT ? 0 : err;
	}
	node_set_fid(i, fid);
	return 1;
}

void
p9_evict(struct inode *i)
{
	struct p9_node *n = p9_node_of(i);

	if (!n)
		return;
	if (!i->nlink)
		mapping_truncate(&i->mapping, 0);
	p9_fid_put(n->fresh);
	p9_fid_put(n->readable);
	p9_fid_put(n->writable);
	p9_fid_put(n->fid);
	i->private = NULL;
	kmem_cache_free(p9_node_cache, n);
}

/* --- links and specials --- */

static int
p9_get_link(struct inode *i, char *buf, size_t size)
{
	struct p9_fid *fid = p9_node_fid(i);
	int len = p9_readlink(fid, buf, size);

	p9_fid_put(fid);
	return len;
}

const struct inode_ops p9_file_inode_ops = {
	.setattr = p9_setattr_op,
	.getattr = p9_getattr_op,
	.getxattr = p9_getxattr,
	.setxattr = p9_setxattr,
	.listxattr = p9_listxattr,
	.removexattr = p9_removexattr,
};

const struct inode_ops p9_link_inode_ops = {
	.get_link = p9_get_link,
	.setattr = p9_setattr_op,
	.getattr = p9_getattr_op,
};

const struct inode_ops p9_special_inode_ops = {
	.setattr = p9_setattr_op,
	.getattr = p9_getattr_op,
};
