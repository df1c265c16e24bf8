/* SPDX-License-Identifier: MIT */
/*
 * Reading directories of an overlay: the names of all layers, each once, without what whiteouts
 * hide.
 *
 * An open directory has a list of them, made when it is read from the start, so a position is an
 * index into it and stays true until then.
 *
 * Limits: the whole list is in memory.
 */
#include "lib/hash.h"
#include "lib/rbtree.h"
#include "overlayfs_internal.h"
#include "uapi/dirent.h"

struct entry {
	struct rb_node node; /* by name */
	u64 ino;
	u8 type;
	bool hidden; /* a whiteout: also of what comes below */
	u32 len;
	char name[];
};

struct listing {
	struct rb_root names;
	struct entry **entries; /* in the order of layers */
	u32 count, room;
	const struct path *layer; /* being read */
};

struct ovl_dir {
	struct listing list;
	bool filled;
};

static void
listing_fini(struct listing *l)
{
	while (l->count)
		kfree(l->entries[--l->count]);
	kvfree(l->entries);
	*l = (struct listing){ 0 };
}

static int
grow(struct listing *l)
{
	u32 room = l->room ? l->room * 2 : 64;
	struct entry **more = kvmalloc(room * sizeof(*more), GFP_KERNEL);

	if (!more)
		return -ENOMEM;
	if (l->count)
		memcpy(more, l->entries, l->count * sizeof(*more));
	kvfree(l->entries);
	l->entries = more;
	l->room = room;
	return 0;
}

static int
hides(const struct path *layer, const char *name, u32 len, bool *out)
{
	struct dentry *c;
	int err = ovl_child(layer->dentry, name, len, &c);

	if (err)
		return err;
	*out = ovl_is_whiteout(c->inode);
	dentry_put(c);
	return 0;
}

static int
add_name(void *ctx, const char *name, u32 len, u64 ino, u8 type)
{
	struct listing *l = ctx;
	struct rb_node **link = &l->names.node, *parent = NULL;
	struct entry *e;
	int err;

	while (*link) {
		int c;

		e = container_of(*link, struct entry, node);
		c = len != e->len ? (len < e->len ? -1 : 1) : memcmp(name, e->name, len);
		if (!c)
			return 0;
		parent = *link;
		link = c < 0 ? &parent->left : &parent->right;
	}
	if (l->count == l->room) {
		err = grow(l);
		if (err)
			return err;
	}
	e = kmalloc(sizeof(*e) + len + 1, GFP_KERNEL);
	if (!e)
		return -ENOMEM;
	*e = (struct entry){ .ino = ino, .type = type, .len = len };
	memcpy(e->name, name, len + 1);
	if (type == DT_CHR || type == DT_UNKNOWN) {
		err = hides(l->layer, name, len, &e->hidden);
		if (err) {
			kfree(e);
			return err;
		}
	}
	rb_link_node(&e->node, parent, link);
	rb_insert_color(&e->node, &l->names);
	l->entries[l->count++] = e;
	return 0;
}

/* By the mounter's cred. */
static int
listing_fill(struct listing *l, const struct inode *dir)
{
	const struct ovl_inode *oi = ovl_inode_of(dir);
	const struct ovl_mount *m = ovl_mount_of(dir->super);
	struct path p;
	int err = 0;

	l->layer = &p;
	if (ovl_upper(dir)) {
		p = ovl_upper_path(dir);
		err = ovl_for_each_name(&p, add_name, l);
	}
	for (u32 k = 0; k < oi->nr_lowers && !err; k++) {
		p = (struct path){ m->lowers[oi->lowers[k].layer].mnt, oi->lowers[k].dentry };
		err = ovl_for_each_name(&p, add_name, l);
	}
	l->layer = NULL;
	return err;
}

int
ovl_is_empty(struct dentry *d)
{
	struct listing l = { 0 };
	int err = listing_fill(&l, d->inode);

	for (u32 k = 0; k < l.count && !err; k++)
		if (!l.entries[k]->hidden)
			err = -ENOTEMPTY;
	listing_fini(&l);
	return err;
}

/* --- open directories --- */

static int
ovl_dir_open(struct file *f)
{
	struct ovl_dir *od = kzalloc(sizeof(*od), GFP_KERNEL);

	if (!od)
		return -ENOMEM;
	f->private = od;
	return 0;
}

static void
ovl_dir_release(struct file *f)
{
	struct ovl_dir *od = f->private;

	listing_fini(&od->list);
	kfree(od);
}

static int
fill_anew(struct file *f)
{
	struct ovl_dir *od = f->private;
	struct cred *saved = ovl_cred_begin(f->inode->super);
	int err;

	listing_fini(&od->list);
	err = listing_fill(&od->list, f->inode);
	if (err)
		listing_fini(&od->list);
	od->filled = !err;
	ovl_cred_end(saved);
	return err;
}

static int
ovl_readdir(struct file *f, struct dir_context *ctx)
{
	struct ovl_dir *od = f->private;
	const struct inode *parent = READ_ONCE(f->path.dentry->parent)->inode;
	int err;

	if (!od->filled || !ctx->pos) {
		err = fill_anew(f);
		if (err)
			return err;
	}
	if (ctx->pos == 0) {
		if (!ctx->emit(ctx, ".", 1, ovl_inode_of(f->inode)->ino, DT_DIR, 1))
			return 0;
		ctx->pos = 1;
	}
	if (ctx->pos == 1) {
		if (!ctx->emit(ctx, "..", 2, ovl_inode_of(parent)->ino, DT_DIR, 2))
			return 0;
		ctx->pos = 2;
	}
	for (; ctx->pos - 2 < od->list.count; ctx->pos++) {
		const struct entry *e = od->list.entries[ctx->pos - 2];

		if (!e->hidden && !ctx->emit(ctx, e->name, e->len, e->ino, e->type, ctx->pos + 1))
			break;
	}
	return 0;
}

static int
ovl_dir_fsync(struct file *f, u64 start, u64 end, bool datasync)
{
	struct path p = ovl_real_path(f->inode);
	struct cred *saved;
	struct file *real;
	int err;

	if (!ovl_upper(f->inode) || ovl_mount_of(f->inode->super)->is_volatile)
		return 0;
	saved = ovl_cred_begin(f->inode->super);
	err = file_open_path(&p, O_RDONLY | O_DIRECTORY, &real);
	if (!err) {
		err = file_sync_range(real, start, end, datasync);
		file_put(real);
	}
	ovl_cred_end(saved);
	return err;
}

const struct file_ops ovl_dir_file_ops = {
	.open = ovl_dir_open,
	.release = ovl_dir_release,
	.readdir = ovl_readdir,
	.seek = file_seek_pos,
	.fsync = ovl_dir_fsync,
};
