/* SPDX-License-Identifier: MIT */
/*
 * Directories of 9P: names are made, moved and removed by the server; here their dentries follow.
 *
 * The server is asked as one user, whoever attached. So a new file is given to its creator
 * afterwards, if that is somebody else; a server that may not do that leaves it as it is.
 */
#include "fs/vfs/path.h"
#include "lib/string.h"
#include "p9_internal.h"
#include "task/cred.h"
#include "uapi/dirent.h"

#define BUFFER_ORDER 2u
#define BUFFER_PAGES (1u << BUFFER_ORDER)
#define ENTRY_HEADER 24u /* qid, cookie, type, length of the name */

/* An open directory: a piece of its listing. */
struct p9_dir {
	struct p9_fid *fid;
	u8 *buffer;
	u32 at, len;
	u64 next; /* the cookie of what is at `at` */
};

/* --- names --- */

/* Before dentry_add. */
static void
dentry_mark(const struct inode *dir, struct dentry *d)
{
	if (!p9_is_loose(dir))
		__atomic_fetch_or(&d->flags, DENTRY_REVALIDATE | DENTRY_NO_CACHE, __ATOMIC_SEQ_CST);
}

static int
p9_lookup(struct inode *dir, struct dentry *d)
{
	struct inode *i = NULL;
	int err = p9_inode_lookup(dir, d, &i);

	if (err && err != -ENOENT)
		return err;
	dentry_mark(dir, d);
	dentry_add(d, i);
	return 0;
}

static u32
group_for(const struct inode *dir)
{
	return dir->mode & S_ISGID ? dir->gid : current_cred()->fsgid;
}

/* What the server just made gets its inode, its owner and its dentry. `fresh`: it is open. */
static int
made(struct inode *dir, struct dentry *d, struct p9_fid *fresh)
{
	const struct cred *cred = current_cred();
	struct attr_change c = { .uid = cred->fsuid, .gid = group_for(dir) };
	struct inode *i;
	int err = p9_inode_lookup(dir, d, &i);

	if (err) {
		p9_fid_put(fresh);
		return err;
	}
	if (i->uid != c.uid || i->gid != c.gid) {
		struct p9_fid *fid = p9_node_fid(i);

		c.mode = i->mode;
		if (!p9_setattr(fid, P9_ATTR_UID | P9_ATTR_GID, &c)) {
			/* Which took the set-id bits. */
			if (!S_ISDIR(i->mode) && (c.mode & (S_ISUID | S_ISGID)))
				(void)p9_setattr(fid, P9_ATTR_MODE, &c);
			(void)p9_refresh(i);
		}
		p9_fid_put(fid);
	}
	p9_node_of(i)->fresh = fresh;
	if (p9_is_loose(dir))
		(void)p9_refresh(dir);
	dentry_mark(dir, d);
	dentry_add(d, i);
	return 0;
}

static int
p9_create(struct inode *dir, struct dentry *d, umode_t mode)
{
	struct p9_fid *dfid = p9_node_fid(dir), *fid;
	int err = p9_walk(dfid, NULL, 0, NULL, &fid);

	p9_fid_put(dfid);
	if (err)
		return err;
	err = p9_lcreate(fid, d, O_RDWR | O_CREAT | O_EXCL | O_LARGEFILE, mode & S_IALLUGO,
			 group_for(dir));
	if (err) {
		p9_fid_put(fid);
		return err;
	}
	return made(dir, d, fid);
}

static int
p9_mkdir_op(struct inode *dir, struct dentry *d, umode_t mode)
{
	struct p9_fid *dfid = p9_node_fid(dir);
	int err = p9_mkdir(dfid, d, (mode & S_IALLUGO) | (dir->mode & S_ISGID), group_for(dir));

	p9_fid_put(dfid);
	return err ? err : made(dir, d, NULL);
}

static int
p9_mknod_op(struct inode *dir, struct dentry *d, umode_t mode, devnum_t dev)
{
	struct p9_fid *dfid = p9_node_fid(dir);
	int err = p9_mknod(dfid, d, mode, dev, group_for(dir));

	p9_fid_put(dfid);
	return err ? err : made(dir, d, NULL);
}

static int
p9_symlink_op(struct inode *dir, struct dentry *d, const char *target)
{
	struct p9_fid *dfid = p9_node_fid(dir);
	int err = p9_symlink(dfid, d, target, group_for(dir));

	p9_fid_put(dfid);
	return err ? err : made(dir, d, NULL);
}

static int
p9_link_op(struct dentry *old, struct inode *dir, struct dentry *d)
{
	struct p9_fid *dfid = p9_node_fid(dir), *fid = p9_node_fid(old->inode);
	int err = p9_link(dfid, fid, d);

	p9_fid_put(fid);
	p9_fid_put(dfid);
	if (err)
		return err;
	(void)p9_refresh(old->inode);
	if (p9_is_loose(dir))
		(void)p9_refresh(dir);
	inode_get(old->inode);
	dentry_mark(dir, d);
	dentry_add(d, old->inode);
	return 0;
}

/* One name less. If others are left, the fid may be of the one that went: they are looked up anew.
 */
static void
name_gone(struct inode *dir, struct inode *i)
{
	struct dentry *d;

	if (S_ISDIR(i->mode)) {
		i->nlink = 0;
	} else if (i->nlink) {
		i->nlink--;
	}
	if (i->nlink) {
		spin_lock(&i->spin);
		list_for_each_entry(d, &i->dentries, alias_node)
			__atomic_fetch_or(&d->flags, DENTRY_REVALIDATE, __ATOMIC_SEQ_CST);
		spin_unlock(&i->spin);
	}
	if (p9_is_loose(dir))
		(void)p9_refresh(dir);
}

static int
remove_name(struct inode *dir, struct dentry *d, bool directory)
{
	struct p9_fid *dfid = p9_node_fid(dir);
	int err = p9_unlinkat(dfid, d, directory);

	p9_fid_put(dfid);
	if (!err)
		name_gone(dir, d->inode);
	return err;
}

static int
p9_unlink(struct inode *dir, struct dentry *d)
{
	return remove_name(dir, d, false);
}

static int
p9_rmdir(struct inode *dir, struct dentry *d)
{
	return remove_name(dir, d, true);
}

static int
p9_rename(struct inode *od, struct dentry *o, struct inode *nd, struct dentry *n, u32 flags)
{
	struct p9_fid *from, *to;
	int err;

	if (flags & ~(u32)RENAME_NOREPLACE)
		return -EINVAL;
	from = p9_node_fid(od);
	to = p9_node_fid(nd);
	err = p9_renameat(from, o, to, n);
	p9_fid_put(to);
	p9_fid_put(from);
	if (err)
		return err;
	if (n->inode)
		name_gone(nd, n->inode);
	if (p9_is_loose(od)) {
		(void)p9_refresh(od);
		(void)p9_refresh(nd);
	}
	return 0;
}

/* --- reading --- */

static int
p9_dir_open(struct file *f)
{
	struct p9_fid *fid = p9_node_fid(f->inode);
	struct p9_dir *pd = kzalloc(sizeof(*pd), GFP_KERNEL);
	int err = -ENOMEM;

	if (!pd)
		goto out_fid;
	pd->buffer = pages_alloc(BUFFER_ORDER, GFP_KERNEL);
	if (!pd->buffer)
		goto out_free;
	err = p9_walk(fid, NULL, 0, NULL, &pd->fid);
	if (err)
		goto out_buffer;
	err = p9_lopen(pd->fid, O_RDONLY | O_DIRECTORY | O_LARGEFILE);
	if (err)
		goto out_opened;
	p9_fid_put(fid);
	f->private = pd;
	return 0;
out_opened:
	p9_fid_put(pd->fid);
out_buffer:
	pages_free(pd->buffer, BUFFER_ORDER);
out_free:
	kfree(pd);
out_fid:
	p9_fid_put(fid);
	return err;
}

static void
p9_dir_release(struct file *f)
{
	struct p9_dir *pd = f->private;

	p9_fid_put(pd->fid);
	pages_free(pd->buffer, BUFFER_ORDER);
	kfree(pd);
}

/* The listing from the cookie `from` on. 0 also at its end. */
static int
dir_fill(struct p9_dir *pd, u64 from)
{
	u32 room = MIN((u32)(BUFFER_PAGES * PAGE_SIZE), pd->fid->client->chunk);
	struct page *pages[BUFFER_PAGES];
	int got;

	for (u32 k = 0; k < BUFFER_PAGES; k++)
		pages[k] = virt_to_page(pd->buffer + k * PAGE_SIZE);
	pd->at = pd->len = 0;
	pd->next = from;
	got = p9_readdir(pd->fid, from, pages, room);
	if (got < 0)
		return got;
	pd->len = (u32)got;
	return 0;
}

static int
p9_readdir_op(struct file *f, struct dir_context *ctx)
{
	struct p9_dir *pd = f->private;

	for (;;) {
		const u8 *e;
		u64 path, cookie;
		u16 len;
		int err;

		if (pd->at >= pd->len || pd->next != ctx->pos) {
			err = dir_fill(pd, ctx->pos);
			if (err || !pd->len)
				return err;
		}
		e = pd->buffer + pd->at;
		if (pd->len - pd->at < ENTRY_HEADER)
			return -EIO;
		memcpy(&path, e + 5, sizeof(path));
		memcpy(&cookie, e + 13, sizeof(cookie));
		memcpy(&len, e + 22, sizeof(len));
		if (!len || len > pd->len - pd->at - ENTRY_HEADER ||
		    memchr(e + ENTRY_HEADER, '/', len) || memchr(e + ENTRY_HEADER, '\0', len))
			return -EIO;
		if (!ctx->emit(ctx, (const char *)e + ENTRY_HEADER, len, path, e[21], cookie))
			return 0;
		ctx->pos = pd->next = cookie;
		pd->at += ENTRY_HEADER + len;
	}
}

static int
p9_dir_fsync(struct file *f, u64 start, u64 end, bool datasync)
{
	struct p9_dir *pd = f->private;

	return p9_fsync(pd->fid, datasync);
}

const struct inode_ops p9_dir_inode_ops = {
	.lookup = p9_lookup,
	.create = p9_create,
	.mkdir = p9_mkdir_op,
	.mknod = p9_mknod_op,
	.symlink = p9_symlink_op,
	.link = p9_link_op,
	.unlink = p9_unlink,
	.rmdir = p9_rmdir,
	.rename = p9_rename,
	.setattr = p9_setattr_op,
	.getattr = p9_getattr_op,
	.getxattr = p9_getxattr,
	.setxattr = p9_setxattr,
	.listxattr = p9_listxattr,
	.removexattr = p9_removexattr,
};

const struct file_ops p9_dir_file_ops = {
	.open = p9_dir_open,
	.release = p9_dir_release,
	.readdir = p9_readdir_op,
	.seek = file_seek_pos,
	.fsync = p9_dir_fsync,
};
