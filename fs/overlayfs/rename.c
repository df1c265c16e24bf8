/* SPDX-License-Identifier: MIT */
/*
 * rename(2) in an overlay.
 *
 * The real rename happens in the upper layer, after copying up what is renamed and where it goes.
 * Where a lower layer has the old name too, a whiteout is left (RENAME_WHITEOUT of the layer's file
 * system). A directory that is not wholly in the upper layer is not renamed: EXDEV, and mv(1)
 * copies. One that comes into a merged directory is made opaque, since there may be one of its name
 * below.
 *
 *	target in the upper layer	what happens
 *	nothing, file			a plain rename
 *	directory			its whiteouts go first; then a plain rename
 *	whiteout			a file replaces it; a directory changes places with it, and
 *					the whiteout is removed if the old name needs none
 */
#include "overlayfs_internal.h"

/* Is some of the directory in a lower layer? */
static bool
is_shared_dir(const struct inode *i)
{
	return S_ISDIR(i->mode) && ovl_inode_of(i)->nr_lowers;
}

struct move {
	struct inode *od, *nd;
	struct dentry *o, *n;
	struct path from, to; /* real directories */
	u32 flags;
	bool leave_white; /* at the old name */
	bool onto_white;  /* a whiteout is at the new one */
};

static int
prepare_exchange(struct move *mv)
{
	int err = ovl_copy_up(mv->n, true);

	if (!err && S_ISDIR(mv->n->inode->mode) && ovl_inode_of(mv->od)->nr_lowers) {
		struct path p = ovl_upper_path(mv->n->inode);

		err = ovl_set_opaque(&p);
	}
	return err;
}

static int
prepare_target(struct move *mv)
{
	struct dentry *there;
	struct inode *target = mv->n->inode;
	struct path p;
	int err;

	if (target && S_ISDIR(target->mode)) {
		err = ovl_is_empty(mv->n);
		if (err)
			return err;
		if (ovl_upper(target)) {
			p = ovl_upper_path(target);
			/* Once they are gone what is below must stay hidden. */
			err = ovl_inode_of(target)->nr_lowers ? ovl_set_opaque(&p) : 0;
			return err ? err : ovl_clear_whiteouts(&p);
		}
	}
	err = ovl_child(mv->to.dentry, mv->n->name, mv->n->name_len, &there);
	if (err)
		return err;
	mv->onto_white = ovl_is_whiteout(there->inode);
	dentry_put(there);
	return 0;
}

static int
move_real(struct move *mv)
{
	struct ovl_mount *m = ovl_mount_of(mv->od->super);
	bool is_dir = S_ISDIR(mv->o->inode->mode), swap = is_dir && mv->onto_white;
	u32 flags = mv->flags & RENAME_EXCHANGE;
	int err;

	if (is_dir && ovl_inode_of(mv->nd)->nr_lowers) {
		struct path p = ovl_upper_path(mv->o->inode);

		err = ovl_set_opaque(&p);
		if (err)
			return err == -EOPNOTSUPP ? -EXDEV : err;
	}
	if (swap)
		flags = RENAME_EXCHANGE;
	else if (mv->leave_white)
		flags |= RENAME_WHITEOUT;
	err = vfs_rename_at(&mv->from, mv->o->name, &mv->to, mv->n->name, flags);
	if (err == -EINVAL && (flags & RENAME_WHITEOUT)) {
		/* A layer that cannot: the whiteout follows. */
		err = vfs_rename_at(&mv->from, mv->o->name, &mv->to, mv->n->name, 0);
		if (!err) {
			char name[OVL_TEMP_SIZE];

			err = ovl_make_whiteout(m, name);
			if (!err)
				err = vfs_rename_at(&m->work, name, &mv->from, mv->o->name, 0);
		}
	}
	if (!err && swap && !mv->leave_white)
		err = vfs_remove_at(&mv->from, mv->o->name, false);
	return err;
}

static int
rename_upper(struct move *mv)
{
	int err, below;

	err = ovl_copy_up(mv->o, true);
	if (!err)
		err = ovl_copy_up(mv->n->parent, true);
	if (err)
		return err;
	mv->from = ovl_upper_path(mv->od);
	mv->to = ovl_upper_path(mv->nd);
	if (mv->flags & RENAME_EXCHANGE) {
		err = prepare_exchange(mv);
	} else {
		below = ovl_lower_has(mv->od, mv->o);
		mv->leave_white = below > 0;
		err = below < 0 ? below : prepare_target(mv);
	}
	return err ? err : move_real(mv);
}

static void
target_gone(struct inode *target)
{
	struct dentry *upper = ovl_upper(target);

	if (S_ISDIR(target->mode))
		target->nlink = 0;
	else if (upper)
		target->nlink = upper->inode ? upper->inode->nlink : 0;
	else if (target->nlink)
		target->nlink--;
}

int
ovl_rename(struct inode *od, struct dentry *o, struct inode *nd, struct dentry *n, u32 flags)
{
	struct move mv = { .od = od, .nd = nd, .o = o, .n = n, .flags = flags };
	struct cred *saved;
	int err;

	if (flags & ~(u32)(RENAME_NOREPLACE | RENAME_EXCHANGE))
		return -EINVAL;
	if (is_shared_dir(o->inode) || ((flags & RENAME_EXCHANGE) && is_shared_dir(n->inode)))
		return -EXDEV;
	saved = ovl_cred_begin(od->super);
	err = rename_upper(&mv);
	if (!err) {
		if (n->inode && !(flags & RENAME_EXCHANGE))
			target_gone(n->inode);
		ovl_copy_attributes(o->inode);
		ovl_copy_attributes(od);
		ovl_copy_attributes(nd);
	}
	ovl_cred_end(saved);
	return err;
}
