/* SPDX-License-Identifier: MIT */
/*
 * Names: inode_ops of directories. Each operation is one handle, so that after a crash it has
 * happened as a whole or not at all.
 *
 * vfs holds the locks (directories, victims) and has checked permission. An inode that loses its
 * last name becomes an orphan in the same handle; its blocks go when its last user does (evict).
 */
#include "ext4_internal.h"
#include "uapi/dirent.h"
#include "uapi/mount.h"

static void
touch(struct inode *i, bool modified)
{
	s64 now = inode_now(i);

	if (modified)
		WRITE_ONCE(i->times.mtime, now);
	WRITE_ONCE(i->times.ctime, now);
	i->version++;
}

/* chattr +D, mount -o dirsync or sync: names are on the disk when the call returns. */
static void
maybe_sync(struct journal_handle *h, const struct inode *dir)
{
	if (h->journal && ((ext4_node_of(dir)->flags & (EXT4_DIRSYNC_FL | EXT4_SYNC_FL)) ||
			   (dir->super->flags & (MS_SYNCHRONOUS | MS_DIRSYNC))))
		h->sync = true;
}

/* --- link counts: 1 means "more subdirectories than can be counted" --- */

static bool
may_count_more(const struct inode *dir)
{
	return dir->nlink < EXT4_LINK_MAX ||
	       (ext4_dir_indexed(dir) && ext4_ro_compat(ext4_fs_of_inode(dir), RO_DIR_NLINK));
}

static void
count_subdir(struct inode *dir)
{
	if (dir->nlink == 1)
		return;
	dir->nlink = dir->nlink + 1 > EXT4_LINK_MAX ? 1 : dir->nlink + 1;
}

static void
uncount_subdir(struct inode *dir)
{
	if (dir->nlink > 2)
		dir->nlink--;
}

/* --- lookup --- */

/* A directory has one name: a second one, of a damaged file system, would make a circle. */
static bool
has_other_parent(struct inode *i, struct dentry *d)
{
	bool other = false;

	spin_lock(&i->spin);
	if (!list_empty(&i->dentries))
		other = list_first_entry(&i->dentries, struct dentry, alias_node)->parent !=
			d->parent;
	spin_unlock(&i->spin);
	return other;
}

static int
ext4_lookup(struct inode *dir, struct dentry *d)
{
	struct ext4_fs *fs = ext4_fs_of_inode(dir);
	struct inode *i;
	u32 ino;
	int err;

	if (d->name_len > EXT4_NAME_LEN)
		return -ENAMETOOLONG;
	err = ext4_dir_lookup(dir, d->name, d->name_len, &ino);
	if (err == -ENOENT) {
		dentry_add(d, NULL);
		return 0;
	}
	if (err)
		return err;
	if (ino == dir->ino)
		return ext4_corrupt(fs, ino, 0, "directory contains itself");
	err = ext4_iget(dir->super, ino, &i);
	if (err)
		return err;
	if (S_ISDIR(i->mode) && has_other_parent(i, d)) {
		inode_put(i);
		return ext4_corrupt(fs, ino, 0, "directory with two names");
	}
	dentry_add(d, i);
	return 0;
}

/* --- making --- */

/* The name is in: what the disk has becomes visible. */
static int
instantiate(struct journal_handle *h, struct inode *dir, struct dentry *d, struct inode *i)
{
	int err = ext4_dir_add(h, dir, d->name, d->name_len, (u32)i->ino, i->mode);

	if (!err) {
		touch(dir, true);
		err = ext4_inode_store(h, dir);
	}
	return err;
}

/* The new inode is not wanted after all; the handle has been stopped. */
static void
discard(struct inode *i)
{
	inode_ready(i);
	inode_put(i);
}

static u32
create_credits(void)
{
	return CREDITS_NEW_INODE + CREDITS_DIRENT + 2 * CREDITS_XATTR;
}

/* prepare: what is special about a kind of inode, between having it and giving it its name. */
static int
make(struct inode *dir, struct dentry *d, umode_t mode, devnum_t rdev, u32 credits,
     int (*prepare)(struct journal_handle *h, struct inode *dir, struct inode *i, const void *ctx),
     const void *ctx)
{
	struct ext4_fs *fs = ext4_fs_of_inode(dir);
	struct journal_handle *h;
	struct inode *i;
	u32 tries = 0;
	int err, end;

again:
	i = NULL;
	err = ext4_start(fs, create_credits() + credits, &h);
	if (err)
		return err;
	maybe_sync(h, dir);
	err = ext4_new_inode(h, dir, mode, rdev, d->name, d->name_len, &i);
	if (!err) {
		if (prepare)
			err = prepare(h, dir, i, ctx);
		if (!err)
			err = instantiate(h, dir, d, i);
		if (err) {
			i->nlink = 0;
			(void)ext4_orphan_add(h, i);
		}
	}
	end = ext4_stop(h);
	if (err) {
		if (i)
			discard(i);
		if (err == -ENOSPC && ext4_wait_for_space(fs, &tries))
			goto again;
		return err;
	}
	inode_ready(i);
	dentry_add(d, i);
	return end;
}

static int
ext4_create(struct inode *dir, struct dentry *d, umode_t mode)
{
	return make(dir, d, mode, 0, 0, NULL, NULL);
}

static int
ext4_mknod(struct inode *dir, struct dentry *d, umode_t mode, devnum_t dev)
{
	return make(dir, d, mode, dev, 0, NULL, NULL);
}

static int
prepare_dir(struct journal_handle *h, struct inode *dir, struct inode *i, const void *ctx)
{
	int err;

	i->nlink = 2;
	err = ext4_dir_make_empty(h, i, (u32)dir->ino);
	if (!err)
		count_subdir(dir);
	return err;
}

static int
ext4_mkdir(struct inode *dir, struct dentry *d, umode_t mode)
{
	u32 before = dir->nlink;
	int err;

	if (!may_count_more(dir))
		return -EMLINK;
	err = make(dir, d, mode, 0, CREDITS_MAP, prepare_dir, NULL);
	if (err)
		dir->nlink = before;
	return err;
}

static int
prepare_symlink(struct journal_handle *h, struct inode *dir, struct inode *i, const void *ctx)
{
	const char *target = ctx;
	struct ext4_node *n = ext4_node_of(i);
	struct ext4_map m = { .lblk = 0, .len = 1 };
	size_t len = strlen(target);
	struct buffer *b;
	int err;

	i->link = kstrdup(target, GFP_NOFS);
	if (!i->link)
		return -ENOMEM;
	if (len < EXT4_FAST_SYMLINK_MAX) {
		n->flags &= ~EXT4_EXTENTS_FL;
		memset(n->block, 0, sizeof(n->block));
		memcpy(n->block, target, len);
	} else {
		err = ext4_map(h, i, &m, MAP_CREATE);
		if (!err)
			err = ext4_new_block(n->fs, h, m.pblk, &b);
		if (err)
			return err;
		memcpy(b->data, target, len);
		err = ext4_dirty(h, b);
		buffer_put(b);
		if (err)
			return err;
	}
	i->size = len;
	n->disk_size = len;
	return ext4_inode_store(h, i);
}

static int
ext4_symlink(struct inode *dir, struct dentry *d, const char *target)
{
	if (strlen(target) >= ext4_fs_of_inode(dir)->block_size)
		return -ENAMETOOLONG;
	return make(dir, d, S_IFLNK | S_IRWXUGO, 0, CREDITS_MAP, prepare_symlink, target);
}

static int
ext4_tmpfile(struct inode *dir, struct file *f, umode_t mode)
{
	struct ext4_fs *fs = ext4_fs_of_inode(dir);
	struct journal_handle *h;
	struct inode *i;
	int err = ext4_start(fs, create_credits(), &h), end;

	if (err)
		return err;
	err = ext4_new_inode(h, dir, mode, 0, "", 0, &i);
	if (!err) {
		i->nlink = 0;
		err = ext4_orphan_add(h, i);
		if (!err)
			err = ext4_inode_store(h, i);
	} else {
		i = NULL;
	}
	end = ext4_stop(h);
	if (err || end) {
		if (i)
			discard(i);
		return err ? err : end;
	}
	if (!(f->flags & O_EXCL))
		i->flags |= INODE_LINKABLE;
	inode_ready(i);
	dentry_add(f->path.dentry, i);
	return 0;
}

static int
ext4_link(struct dentry *old, struct inode *dir, struct dentry *d)
{
	struct inode *i = old->inode;
	struct ext4_fs *fs = ext4_fs_of_inode(dir);
	struct journal_handle *h;
	u32 tries = 0;
	int err, end;

	if (i->nlink >= EXT4_LINK_MAX)
		return -EMLINK;
	do {
		err = ext4_start(fs, CREDITS_DIRENT + 2 * CREDITS_INODE, &h);
		if (err)
			return err;
		maybe_sync(h, dir);
		err = instantiate(h, dir, d, i);
		if (!err) {
			i->nlink++;
			touch(i, false);
			if (i->nlink == 1)
				err = ext4_orphan_del(h, i); /* of O_TMPFILE */
			if (!err)
				err = ext4_inode_store(h, i);
		}
		end = ext4_stop(h);
	} while (err == -ENOSPC && ext4_wait_for_space(fs, &tries));
	if (err || end)
		return err ? err : end;
	inode_get(i);
	dentry_add(d, i);
	return 0;
}

/* --- removing --- */

/* One name less; without any the inode waits for its last user. */
static int
drop_link(struct journal_handle *h, struct inode *i)
{
	int err = 0;

	if (S_ISDIR(i->mode))
		i->nlink = 0;
	else if (i->nlink)
		i->nlink--;
	touch(i, false);
	if (!i->nlink)
		err = ext4_orphan_add(h, i);
	return err ? err : ext4_inode_store(h, i);
}

/* The entry of d in dir, which must lead to d's inode. Inline directories become ordinary ones. */
static int
find_entry(struct journal_handle *h, struct inode *dir, struct dentry *d, struct ext4_slot *slot)
{
	int err;

	if (ext4_has_inline(ext4_node_of(dir))) {
		err = ext4_inline_dir_convert(h, dir);
		if (err)
			return err;
	}
	err = ext4_dir_find(dir, d->name, d->name_len, slot);
	if (err)
		return err;
	if (ext4_slot_entry(slot)->inode == d->inode->ino)
		return 0;
	buffer_put(slot->buffer);
	return ext4_corrupt(ext4_fs_of_inode(dir), (u32)dir->ino, 0,
			    "an entry has changed behind our back");
}

static int
remove(struct inode *dir, struct dentry *d)
{
	struct inode *i = d->inode;
	struct ext4_slot slot;
	struct journal_handle *h;
	int err = ext4_start(ext4_fs_of_inode(dir),
			     CREDITS_DIRENT + CREDITS_MAP + 3 * CREDITS_INODE, &h),
	    end;

	if (err)
		return err;
	maybe_sync(h, dir);
	err = find_entry(h, dir, d, &slot);
	if (err)
		goto out;
	err = ext4_dir_delete(h, dir, &slot);
	buffer_put(slot.buffer);
	if (err)
		goto out;
	if (S_ISDIR(i->mode))
		uncount_subdir(dir);
	touch(dir, true);
	err = ext4_inode_store(h, dir);
	if (!err)
		err = drop_link(h, i);
out:
	end = ext4_stop(h);
	return err ? err : end;
}

static int
ext4_unlink(struct inode *dir, struct dentry *d)
{
	return remove(dir, d);
}

static int
is_empty(struct inode *dir, bool *empty)
{
	if (ext4_has_inline(ext4_node_of(dir))) {
		struct journal_handle *h;
		int err = ext4_start(ext4_fs_of_inode(dir), CREDITS_MAP + CREDITS_XATTR, &h), end;

		if (err)
			return err;
		err = ext4_inline_dir_convert(h, dir);
		end = ext4_stop(h);
		if (err || end)
			return err ? err : end;
	}
	return ext4_dir_is_empty(dir, empty);
}

static int
ext4_rmdir(struct inode *dir, struct dentry *d)
{
	bool empty;
	int err = is_empty(d->inode, &empty);

	if (err)
		return err;
	return empty ? remove(dir, d) : -ENOTEMPTY;
}

/* --- renaming --- */

/* i's ".." is the new parent. */
static int
set_parent(struct journal_handle *h, struct inode *i, u32 parent)
{
	struct ext4_slot slot;
	int err = 0;

	if (ext4_has_inline(ext4_node_of(i)))
		err = ext4_inline_dir_convert(h, i);
	if (!err)
		err = ext4_dir_parent(i, &slot);
	if (err)
		return err;
	err = ext4_dir_set_entry(h, i, &slot, parent, S_IFDIR);
	buffer_put(slot.buffer);
	return err;
}

static int
exchange(struct journal_handle *h, struct inode *od, struct dentry *o, struct inode *nd,
	 struct dentry *n)
{
	struct inode *a = o->inode, *b = n->inode;
	struct ext4_slot from, to;
	int err = find_entry(h, od, o, &from);

	if (err)
		return err;
	err = find_entry(h, nd, n, &to);
	if (err)
		goto out_from;
	err = ext4_dir_set_entry(h, nd, &to, (u32)a->ino, a->mode);
	if (!err)
		err = ext4_dir_set_entry(h, od, &from, (u32)b->ino, b->mode);
	if (!err && od != nd) {
		if (S_ISDIR(a->mode)) {
			err = set_parent(h, a, (u32)nd->ino);
			uncount_subdir(od);
			count_subdir(nd);
		}
		if (!err && S_ISDIR(b->mode)) {
			err = set_parent(h, b, (u32)od->ino);
			uncount_subdir(nd);
			count_subdir(od);
		}
	}
	buffer_put(to.buffer);
out_from:
	buffer_put(from.buffer);
	return err;
}

/* The old name goes, or becomes the whiteout's. It is looked up again: adding may have moved it. */
static int
drop_old_name(struct journal_handle *h, struct inode *od, struct dentry *o, struct inode *whiteout)
{
	struct ext4_slot slot;
	int err = find_entry(h, od, o, &slot);

	if (err)
		return err;
	if (whiteout)
		err = ext4_dir_set_entry(h, od, &slot, (u32)whiteout->ino, whiteout->mode);
	else
		err = ext4_dir_delete(h, od, &slot);
	buffer_put(slot.buffer);
	return err;
}

static int
move(struct journal_handle *h, struct inode *od, struct dentry *o, struct inode *nd,
     struct dentry *n, struct inode *whiteout)
{
	struct inode *i = o->inode, *target = n->inode;
	bool is_dir = S_ISDIR(i->mode);
	struct ext4_slot slot;
	int err;

	if (target) {
		err = find_entry(h, nd, n, &slot);
		if (!err) {
			err = ext4_dir_set_entry(h, nd, &slot, (u32)i->ino, i->mode);
			buffer_put(slot.buffer);
		}
	} else {
		err = ext4_dir_add(h, nd, n->name, n->name_len, (u32)i->ino, i->mode);
	}
	if (!err)
		err = drop_old_name(h, od, o, whiteout);
	if (err)
		return err;
	if (is_dir && od != nd)
		err = set_parent(h, i, (u32)nd->ino);
	if (is_dir) {
		/* A directory that is replaced counted in nd before, the moved one does now. */
		uncount_subdir(od);
		if (!target)
			count_subdir(nd);
	}
	return err || !target ? err : drop_link(h, target);
}

static int
rename_once(struct inode *od, struct dentry *o, struct inode *nd, struct dentry *n, u32 flags)
{
	struct inode *i = o->inode, *target = n->inode, *whiteout = NULL;
	struct journal_handle *h;
	int err, end;

	err = ext4_start(ext4_fs_of_inode(od),
			 2 * CREDITS_DIRENT + CREDITS_NEW_INODE + CREDITS_MAP + 6 * CREDITS_INODE,
			 &h);
	if (err)
		return err;
	maybe_sync(h, od);
	maybe_sync(h, nd);
	if (flags & RENAME_WHITEOUT) {
		err = ext4_new_inode(h, od, S_IFCHR, 0, o->name, o->name_len, &whiteout);
		if (err)
			goto out;
	}
	if (flags & RENAME_EXCHANGE)
		err = exchange(h, od, o, nd, n);
	else
		err = move(h, od, o, nd, n, whiteout);
	if (err) {
		if (whiteout) {
			whiteout->nlink = 0;
			(void)ext4_orphan_add(h, whiteout);
		}
		goto out;
	}
	touch(i, false);
	touch(od, true);
	if (nd != od)
		touch(nd, true);
	err = ext4_inode_store(h, i);
	if (!err)
		err = ext4_inode_store(h, od);
	if (!err && nd != od)
		err = ext4_inode_store(h, nd);
	if (!err && (flags & RENAME_EXCHANGE)) {
		touch(target, false);
		err = ext4_inode_store(h, target);
	}
out:
	end = ext4_stop(h);
	if (whiteout) {
		inode_ready(whiteout);
		inode_put(whiteout);
	}
	return err ? err : end;
}

static int
ext4_rename(struct inode *od, struct dentry *o, struct inode *nd, struct dentry *n, u32 flags)
{
	struct inode *i = o->inode, *target = n->inode;
	u32 tries = 0, od_links = od->nlink, nd_links = nd->nlink;
	int err;

	if (flags & ~(u32)(RENAME_NOREPLACE | RENAME_EXCHANGE | RENAME_WHITEOUT))
		return -EINVAL;
	if (S_ISDIR(i->mode) && od != nd && !(target && S_ISDIR(target->mode)) &&
	    !may_count_more(nd))
		return -EMLINK;
	if (target && S_ISDIR(target->mode) && !(flags & RENAME_EXCHANGE)) {
		bool empty;

		err = is_empty(target, &empty);
		if (err)
			return err;
		if (!empty)
			return -ENOTEMPTY;
	}
	do {
		err = rename_once(od, o, nd, n, flags);
		if (err) {
			od->nlink = od_links;
			nd->nlink = nd_links;
		}
	} while (err == -ENOSPC && ext4_wait_for_space(ext4_fs_of_inode(od), &tries));
	return err;
}

#define COMMON_OPS                                                                   \
	.setattr = ext4_setattr, .getattr = ext4_getattr, .getxattr = ext4_getxattr, \
	.setxattr = ext4_setxattr, .listxattr = ext4_listxattr, .removexattr = ext4_removexattr

#define DIR_OPS                                                                                 \
	.lookup = ext4_lookup, .create = ext4_create, .mkdir = ext4_mkdir, .mknod = ext4_mknod, \
	.symlink = ext4_symlink, .link = ext4_link, .unlink = ext4_unlink, .rmdir = ext4_rmdir, \
	.rename = ext4_rename, .tmpfile = ext4_tmpfile, COMMON_OPS

const struct inode_ops ext4_inode_ops = { COMMON_OPS };
const struct inode_ops ext4_inode_acl_ops = { COMMON_OPS, .permission = ext4_permission };
const struct inode_ops ext4_dir_ops = { DIR_OPS };
const struct inode_ops ext4_dir_acl_ops = { DIR_OPS, .permission = ext4_permission };
