/* SPDX-License-Identifier: MIT */
/*
 * Names of an overlay: found in the layers, made and removed in the upper one.
 *
 * Looking up goes down the layers until something that is no directory, a whiteout (a character
 * device 0:0) or an opaque directory (trusted.overlay.opaque=y) ends it. Removing what a lower
 * layer has leaves a whiteout; what replaces one is made in the working directory and renamed over
 * it.
 *
 * Locking: the overlay's directory and victim are locked by vfs; then, one at a time, the
 * directories of layers.
 */
#include "overlayfs_internal.h"

/* --- finding --- */

struct found {
	struct dentry *upper;
	struct ovl_lower *lowers;
	u32 nr_lowers;
	bool ended; /* what is below does not count */
};

/* c, whose reference is taken over, is what a layer has. layer < 0: the upper one. */
static void
found_add(struct found *f, struct dentry *c, int layer)
{
	struct inode *real = c->inode;
	bool first = !f->upper && !f->nr_lowers;

	if (!real) {
		dentry_put(c);
		return;
	}
	if (ovl_is_whiteout(real) || (!first && !S_ISDIR(real->mode))) {
		f->ended = true;
		dentry_put(c);
		return;
	}
	if (!S_ISDIR(real->mode) || ovl_is_opaque(real))
		f->ended = true;
	if (layer < 0)
		f->upper = c;
	else
		f->lowers[f->nr_lowers++] = (struct ovl_lower){ c, (u32)layer };
}

static int
search(const struct inode *dir, const struct dentry *d, struct found *f)
{
	const struct ovl_inode *oi = ovl_inode_of(dir);
	struct dentry *upper = ovl_upper(dir), *c;
	int err = 0;

	if (upper) {
		err = ovl_child(upper, d->name, d->name_len, &c);
		if (!err)
			found_add(f, c, -1);
	}
	for (u32 k = 0; k < oi->nr_lowers && !err && !f->ended; k++) {
		err = ovl_child(oi->lowers[k].dentry, d->name, d->name_len, &c);
		if (!err)
			found_add(f, c, (int)oi->lowers[k].layer);
	}
	return err;
}

int
ovl_lookup(struct inode *dir, struct dentry *d)
{
	struct ovl_inode *oi = ovl_inode_of(dir);
	struct found f = { 0 };
	struct inode *i = NULL;
	struct cred *saved;
	int err = 0;

	if (oi->nr_lowers) {
		f.lowers = kmalloc_array(oi->nr_lowers, sizeof(*f.lowers), GFP_KERNEL);
		if (!f.lowers)
			return -ENOMEM;
	}
	saved = ovl_cred_begin(dir->super);
	err = search(dir, d, &f);
	if (!err && (f.upper || f.nr_lowers)) {
		err = ovl_inode_get(dir->super, f.upper, f.lowers, f.nr_lowers, &i);
	} else {
		if (f.upper)
			dentry_put(f.upper);
		while (f.nr_lowers)
			dentry_put(f.lowers[--f.nr_lowers].dentry);
		kfree(f.lowers);
	}
	ovl_cred_end(saved);
	if (!err)
		dentry_add(d, i);
	return err;
}

/* --- making --- */

struct making {
	umode_t mode;
	devnum_t dev;
	const char *target; /* of a symlink */
	struct dentry *old; /* another name for this one of the overlay */
};

static int
make_real(const struct path *dir, const char *name, const struct making *w, struct dentry **out)
{
	struct path_create pc;
	int err = path_create_at(dir, name, &pc);

	if (err)
		return err;
	if (w->old) {
		struct path old = ovl_upper_path(w->old->inode);

		err = vfs_link(&old, &pc);
	} else if (S_ISDIR(w->mode)) {
		err = vfs_mkdir(&pc, w->mode);
	} else if (S_ISLNK(w->mode)) {
		err = vfs_symlink(&pc, w->target);
	} else {
		err = vfs_mknod(&pc, w->mode, w->dev);
	}
	if (!err) {
		*out = pc.dentry;
		dentry_get(pc.dentry);
	}
	path_create_done(&pc);
	return err;
}

/* What was made in the working directory is the caller's, and its group maybe the directory's. */
static int
give_to_caller(const struct inode *dir, const struct path *p, const struct making *w)
{
	const struct cred *cred = current_cred();
	struct attr_change c = {
		.valid = ATTR_UID | ATTR_GID | ATTR_MODE,
		.uid = cred->fsuid,
		.gid = dir->mode & S_ISGID ? dir->gid : cred->fsgid,
		.mode = w->mode & S_IALLUGO,
	};

	if (S_ISDIR(w->mode) && (dir->mode & S_ISGID))
		c.mode |= S_ISGID;
	if (S_ISLNK(w->mode))
		c.valid &= ~(u32)ATTR_MODE;
	return inode_set_attr(p, &c);
}

static int
make_over_whiteout(const struct inode *dir, const struct dentry *d, const struct path *place,
		   const struct making *w, struct dentry **out)
{
	struct ovl_mount *m = ovl_mount_of(dir->super);
	struct path p = { m->upper.mnt, NULL };
	bool is_dir = !w->old && S_ISDIR(w->mode);
	char name[OVL_TEMP_SIZE];
	int err;

	ovl_temp_name(m, name);
	err = make_real(&m->work, name, w, &p.dentry);
	if (err)
		return err;
	if (!w->old)
		err = give_to_caller(dir, &p, w);
	if (!err && is_dir)
		err = ovl_set_opaque(&p);
	if (!err)
		err = vfs_rename_at(&m->work, name, place, d->name, is_dir ? RENAME_EXCHANGE : 0);
	if (err || is_dir)
		(void)ovl_remove_temp(m, name);
	if (err)
		dentry_put(p.dentry);
	else
		*out = p.dentry;
	return err;
}

/* In the upper layer, whose directory is there. */
static int
make_upper(struct inode *dir, const struct dentry *d, const struct making *w, struct dentry **out)
{
	struct path place = ovl_upper_path(dir), p = { place.mnt, NULL };
	struct dentry *there;
	bool white;
	int err = ovl_child(place.dentry, d->name, d->name_len, &there);

	if (err)
		return err;
	white = ovl_is_whiteout(there->inode);
	dentry_put(there);
	if (white)
		return make_over_whiteout(dir, d, &place, w, out);
	err = make_real(&place, d->name, w, &p.dentry);
	if (err)
		return err;
	/* Nobody need look below; that works without, too. */
	if (!w->old && S_ISDIR(w->mode) && ovl_inode_of(dir)->nr_lowers)
		(void)ovl_set_opaque(&p);
	*out = p.dentry;
	return 0;
}

static int
make(struct inode *dir, struct dentry *d, const struct making *w)
{
	struct cred *saved, *made;
	struct dentry *upper = NULL;
	struct inode *i;
	int err = ovl_copy_up(d->parent, true);

	if (!err && w->old)
		err = ovl_copy_up(w->old, true);
	if (err)
		return err;
	saved = ovl_cred_begin_as_caller(dir->super, &made);
	if (!saved)
		return -ENOMEM;
	err = make_upper(dir, d, w, &upper);
	ovl_cred_end_as_caller(saved, made);
	if (err)
		return err;
	if (w->old) {
		i = w->old->inode;
		inode_get(i);
		dentry_put(upper);
	} else {
		err = ovl_inode_get(dir->super, upper, NULL, 0, &i);
		if (err)
			return err;
	}
	ovl_copy_attributes(i);
	ovl_copy_attributes(dir);
	dentry_add(d, i);
	return 0;
}

int
ovl_create(struct inode *dir, struct dentry *d, umode_t mode)
{
	return make(dir, d, &(struct making){ .mode = mode });
}

int
ovl_mkdir(struct inode *dir, struct dentry *d, umode_t mode)
{
	return make(dir, d, &(struct making){ .mode = mode });
}

int
ovl_mknod(struct inode *dir, struct dentry *d, umode_t mode, devnum_t dev)
{
	/* It would be a whiteout. */
	if (S_ISCHR(mode) && !dev)
		return -EPERM;
	return make(dir, d, &(struct making){ .mode = mode, .dev = dev });
}

int
ovl_symlink(struct inode *dir, struct dentry *d, const char *target)
{
	return make(dir, d, &(struct making){ .mode = S_IFLNK | S_IRWXUGO, .target = target });
}

int
ovl_link(struct dentry *old, struct inode *dir, struct dentry *d)
{
	return make(dir, d, &(struct making){ .mode = old->inode->mode, .old = old });
}

/* --- removing --- */

/* A whiteout takes the place of what the upper layer has, if it has something. */
static int
cover(struct inode *dir, const struct dentry *d, bool upper, bool is_dir)
{
	struct ovl_mount *m = ovl_mount_of(dir->super);
	struct path place = ovl_upper_path(dir);
	char name[OVL_TEMP_SIZE];
	int err = ovl_make_whiteout(m, name);

	if (err)
		return err;
	err = vfs_rename_at(&m->work, name, &place, d->name, upper && is_dir ? RENAME_EXCHANGE : 0);
	if (err || (upper && is_dir))
		(void)ovl_remove_temp(m, name);
	return err;
}

/* d is empty, if it is a directory. */
static int
remove_real(struct inode *dir, struct dentry *d, bool is_dir)
{
	struct inode *i = d->inode;
	struct ovl_inode *oi = ovl_inode_of(i);
	struct path place, p;
	bool upper;
	int err = ovl_copy_up(d->parent, true), below;

	if (err)
		return err;
	below = ovl_lower_has(dir, d);
	if (below < 0)
		return below;
	mutex_lock(&oi->copy_lock);
	upper = oi->upper != NULL;
	place = ovl_upper_path(dir);
	if (below) {
		err = cover(dir, d, upper, is_dir);
	} else {
		p = ovl_upper_path(i);
		if (is_dir)
			err = ovl_clear_whiteouts(&p);
		if (!err)
			err = vfs_remove_at(&place, d->name, is_dir);
	}
	if (!err) {
		if (is_dir)
			i->nlink = 0;
		else if (upper)
			i->nlink = ovl_inode_of(i)->upper->inode
					   ? ovl_inode_of(i)->upper->inode->nlink
					   : 0;
		else if (i->nlink)
			i->nlink--;
		i->times.ctime = inode_now(i);
	}
	mutex_unlock(&oi->copy_lock);
	return err;
}

static int
remove_name(struct inode *dir, struct dentry *d, bool is_dir)
{
	struct cred *saved = ovl_cred_begin(dir->super);
	int err = is_dir ? ovl_is_empty(d) : 0;

	if (!err)
		err = remove_real(dir, d, is_dir);
	if (!err)
		ovl_copy_attributes(dir);
	ovl_cred_end(saved);
	return err;
}

int
ovl_unlink(struct inode *dir, struct dentry *d)
{
	return remove_name(dir, d, false);
}

int
ovl_rmdir(struct inode *dir, struct dentry *d)
{
	return remove_name(dir, d, true);
}
