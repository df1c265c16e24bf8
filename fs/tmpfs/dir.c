/* SPDX-License-Identifier: MIT */
/*
 * Directories of tmpfs: names.
 *
 * Two trees of the same entries: by (hash, name) for lookup, by position for readdir. A position is
 * given once, in the order of creation, and never again, so a reader of a directory that changes
 * sees every name that stays exactly once. All under the directory's lock.
 */
#include "lib/hash.h"
#include "lib/string.h"
#include "tmpfs_internal.h"
#include "uapi/dirent.h"
#include "uapi/fcntl.h"

static int
compare(u32 hash, const char *name, u32 len, const struct tmpfs_entry *e)
{
	if (hash != e->hash)
		return hash < e->hash ? -1 : 1;
	if (len != e->len)
		return len < e->len ? -1 : 1;
	return memcmp(name, e->name, len);
}

static struct tmpfs_entry *
entry_find(const struct inode *dir, const struct dentry *d)
{
	struct rb_node *node = tmpfs_inode_of(dir)->names.node;

	while (node) {
		struct tmpfs_entry *e = container_of(node, struct tmpfs_entry, by_name);
		int c = compare(d->name_hash, d->name, d->name_len, e);

		if (c == 0)
			return e;
		node = c < 0 ? node->left : node->right;
	}
	return NULL;
}

static struct tmpfs_entry *
entry_alloc(const struct dentry *d, struct inode *i)
{
	struct tmpfs_entry *e = kmalloc(sizeof(*e) + d->name_len + 1, GFP_KERNEL);

	if (!e)
		return NULL;
	e->inode = i;
	e->hash = d->name_hash;
	e->len = d->name_len;
	memcpy(e->name, d->name, d->name_len);
	e->name[d->name_len] = '\0';
	return e;
}

static void
entry_insert(struct inode *dir, struct tmpfs_entry *e)
{
	struct tmpfs_inode *ti = tmpfs_inode_of(dir);
	struct rb_node **link = &ti->names.node, *parent = NULL;

	while (*link) {
		parent = *link;
		link = compare(e->hash, e->name, e->len,
			       container_of(parent, struct tmpfs_entry, by_name)) < 0
			       ? &parent->left
			       : &parent->right;
	}
	rb_link_node(&e->by_name, parent, link);
	rb_insert_color(&e->by_name, &ti->names);

	/* The newest has the greatest position: the rightmost place. */
	e->position = ti->next_position++;
	parent = rb_last(&ti->positions);
	rb_link_node(&e->by_position, parent, parent ? &parent->right : &ti->positions.node);
	rb_insert_color(&e->by_position, &ti->positions);
	dir->size += ENTRY_SIZE;
	inode_touch(dir, ATTR_MTIME);
}

static void
entry_remove(struct inode *dir, struct tmpfs_entry *e)
{
	struct tmpfs_inode *ti = tmpfs_inode_of(dir);

	rb_erase(&e->by_name, &ti->names);
	rb_erase(&e->by_position, &ti->positions);
	dir->size -= ENTRY_SIZE;
	inode_touch(dir, ATTR_MTIME);
}

/* The file system goes, with everything still in it. */
void
tmpfs_dir_destroy(struct inode *dir)
{
	struct tmpfs_inode *ti = tmpfs_inode_of(dir);
	struct inode *doomed = NULL, *i;
	struct rb_node *node;

	/* Depth without recursion: the entries of subdirectories join the work, chained by private
	 * of inodes that nobody else has. */
	for (;;) {
		while ((node = rb_first(&ti->positions))) {
			struct tmpfs_entry *e = container_of(node, struct tmpfs_entry, by_position);

			rb_erase(node, &ti->positions);
			i = e->inode;
			kfree(e);
			if (S_ISDIR(i->mode) && ref_read(&i->ref) == 1) {
				tmpfs_inode_of(i)->parent = doomed;
				doomed = i;
			} else {
				inode_put(i);
			}
		}
		ti->names.node = NULL;
		if (ti != tmpfs_inode_of(dir))
			inode_put(ti->inode);
		if (!doomed)
			return;
		i = doomed;
		ti = tmpfs_inode_of(i);
		doomed = ti->parent;
	}
}

/* --- inode operations; the directory is locked --- */

static int
tmpfs_lookup(struct inode *dir, struct dentry *d)
{
	struct tmpfs_entry *e = entry_find(dir, d);

	if (e)
		inode_get(e->inode);
	dentry_add(d, e ? e->inode : NULL);
	return 0;
}

/* i's first reference becomes the entry's; the dentry gets another. */
static int
add_entry(struct inode *dir, struct dentry *d, struct inode *i)
{
	struct tmpfs_entry *e = entry_alloc(d, i);

	if (!e) {
		i->nlink = 0;
		inode_put(i);
		return -ENOMEM;
	}
	if (S_ISDIR(i->mode)) {
		tmpfs_inode_of(i)->parent = dir;
		dir->nlink++;
	}
	entry_insert(dir, e);
	inode_get(i);
	dentry_add(d, i);
	return 0;
}

static int
tmpfs_mknod(struct inode *dir, struct dentry *d, umode_t mode, devnum_t dev)
{
	struct inode *i;
	int err = tmpfs_inode_create(dir->super, dir, mode, dev, &i);

	return err ? err : add_entry(dir, d, i);
}

static int
tmpfs_create(struct inode *dir, struct dentry *d, umode_t mode)
{
	return tmpfs_mknod(dir, d, mode, 0);
}

static int
tmpfs_mkdir(struct inode *dir, struct dentry *d, umode_t mode)
{
	return tmpfs_mknod(dir, d, mode, 0);
}

static int
tmpfs_symlink(struct inode *dir, struct dentry *d, const char *target)
{
	struct inode *i;
	int err = tmpfs_inode_create(dir->super, dir, S_IFLNK | S_IRWXUGO, 0, &i);

	if (err)
		return err;
	i->link = kstrdup(target, GFP_KERNEL);
	if (!i->link) {
		i->nlink = 0;
		inode_put(i);
		return -ENOMEM;
	}
	i->size = strlen(target);
	return add_entry(dir, d, i);
}

static int
tmpfs_link(struct dentry *old, struct inode *dir, struct dentry *d)
{
	struct inode *i = old->inode;
	struct tmpfs_entry *e = entry_alloc(d, i);

	if (!e)
		return -ENOMEM;
	i->nlink++;
	inode_touch(i, ATTR_MODE);
	inode_get(i);
	entry_insert(dir, e);
	inode_get(i);
	dentry_add(d, i);
	return 0;
}

/* Drop e and its reference; the caller, or the dentry, holds another. */
static void
drop_entry(struct inode *dir, struct tmpfs_entry *e)
{
	struct inode *i = e->inode;

	entry_remove(dir, e);
	if (S_ISDIR(i->mode)) {
		i->nlink = 0;
		dir->nlink--;
	} else {
		i->nlink--;
	}
	inode_touch(i, ATTR_MODE);
	kfree(e);
	inode_put(i);
}

static int
tmpfs_unlink(struct inode *dir, struct dentry *d)
{
	struct tmpfs_entry *e = entry_find(dir, d);

	if (!e)
		return -ENOENT;
	drop_entry(dir, e);
	return 0;
}

static bool
is_empty(const struct inode *dir)
{
	return rb_empty(&tmpfs_inode_of(dir)->names);
}

static int
tmpfs_rmdir(struct inode *dir, struct dentry *d)
{
	return is_empty(d->inode) ? tmpfs_unlink(dir, d) : -ENOTEMPTY;
}

static void
move_dir(struct inode *i, struct inode *from, struct inode *to)
{
	if (!S_ISDIR(i->mode) || from == to)
		return;
	tmpfs_inode_of(i)->parent = to;
	from->nlink--;
	to->nlink++;
}

static int
tmpfs_rename(struct inode *od, struct dentry *o, struct inode *nd, struct dentry *n, u32 flags)
{
	struct tmpfs_entry *source = entry_find(od, o), *target = entry_find(nd, n), *fresh,
			   *white = NULL;
	struct inode *i, *whiteout = NULL;
	int err;

	if (!source)
		return -ENOENT;
	i = source->inode;
	if (flags & RENAME_EXCHANGE) {
		if (!target)
			return -ENOENT;
		SWAP(source->inode, target->inode);
		move_dir(i, od, nd);
		move_dir(source->inode, nd, od);
		inode_touch(i, ATTR_MODE);
		inode_touch(source->inode, ATTR_MODE);
		inode_touch(od, ATTR_MTIME);
		inode_touch(nd, ATTR_MTIME);
		return 0;
	}
	if (target && S_ISDIR(target->inode->mode) && !is_empty(target->inode))
		return -ENOTEMPTY;
	fresh = entry_alloc(n, i);
	if (!fresh)
		return -ENOMEM;
	if (flags & RENAME_WHITEOUT) {
		err = tmpfs_inode_create(od->super, od, S_IFCHR, 0, &whiteout);
		if (!err) {
			white = entry_alloc(o, whiteout);
			if (!white) {
				inode_put(whiteout);
				err = -ENOMEM;
			}
		}
		if (err) {
			kfree(fresh);
			return err;
		}
	}
	if (target)
		drop_entry(nd, target);
	entry_remove(od, source);
	kfree(source);
	entry_insert(nd, fresh);
	if (white)
		entry_insert(od, white);
	move_dir(i, od, nd);
	inode_touch(i, ATTR_MODE);
	return 0;
}

static int
tmpfs_tmpfile(struct inode *dir, struct file *f, umode_t mode)
{
	struct inode *i;
	int err = tmpfs_inode_create(dir->super, dir, mode, 0, &i);

	if (err)
		return err;
	i->nlink = 0;
	if (!(f->flags & O_EXCL))
		i->flags |= INODE_LINKABLE;
	dentry_add(f->path.dentry, i);
	return 0;
}

/* --- reading --- */

static int
tmpfs_readdir(struct file *f, struct dir_context *ctx)
{
	struct inode *dir = f->inode;
	struct tmpfs_inode *ti = tmpfs_inode_of(dir);
	struct rb_node *node, *first = NULL;

	if (ctx->pos == 0) {
		if (!ctx->emit(ctx, ".", 1, dir->ino, DT_DIR, 1))
			return 0;
		ctx->pos = 1;
	}
	if (ctx->pos == 1) {
		if (!ctx->emit(ctx, "..", 2, ti->parent ? ti->parent->ino : dir->ino, DT_DIR, 2))
			return 0;
		ctx->pos = 2;
	}
	/* The first entry at or behind the position. */
	for (node = ti->positions.node; node;) {
		if (container_of(node, struct tmpfs_entry, by_position)->position >= ctx->pos) {
			first = node;
			node = node->left;
		} else {
			node = node->right;
		}
	}
	for (node = first; node; node = rb_next(node)) {
		struct tmpfs_entry *e = container_of(node, struct tmpfs_entry, by_position);

		if (!ctx->emit(ctx, e->name, e->len, e->inode->ino, DT_OF_MODE(e->inode->mode),
			       e->position + 1))
			break;
		ctx->pos = e->position + 1;
	}
	return 0;
}

#define DIR_OPS                                                                         \
	.lookup = tmpfs_lookup, .create = tmpfs_create, .mkdir = tmpfs_mkdir,           \
	.mknod = tmpfs_mknod, .symlink = tmpfs_symlink, .link = tmpfs_link,             \
	.unlink = tmpfs_unlink, .rmdir = tmpfs_rmdir, .rename = tmpfs_rename,           \
	.tmpfile = tmpfs_tmpfile, .setattr = tmpfs_setattr, .getxattr = tmpfs_getxattr, \
	.setxattr = tmpfs_setxattr, .listxattr = tmpfs_listxattr, .removexattr = tmpfs_removexattr

const struct inode_ops tmpfs_dir_inode_ops = { DIR_OPS };
const struct inode_ops tmpfs_dir_acl_ops = { DIR_OPS, .permission = tmpfs_permission };

const struct file_ops tmpfs_dir_file_ops = {
	.readdir = tmpfs_readdir,
	.seek = file_seek_pos,
};
