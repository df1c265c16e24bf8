/* SPDX-License-Identifier: MIT */
/* Layers of an overlay: credentials, whiteouts, opaque directories, names in the working directory.
 */
#include "core/log.h"
#include "lib/format.h"
#include "overlayfs_internal.h"
#include "uapi/dirent.h"

/* --- credentials --- */

struct cred *
ovl_cred_begin(const struct super *s)
{
	struct cred *saved = current->cred;

	rcu_assign_pointer(current->cred, ovl_mount_of(s)->cred);
	return saved;
}

void
ovl_cred_end(struct cred *saved)
{
	rcu_assign_pointer(current->cred, saved);
}

struct cred *
ovl_cred_begin_as_caller(const struct super *s, struct cred **made)
{
	struct cred *saved = current->cred, *c = cred_dup(ovl_mount_of(s)->cred);

	*made = c;
	if (!c)
		return NULL;
	c->fsuid = saved->fsuid;
	c->fsgid = saved->fsgid;
	rcu_assign_pointer(current->cred, c);
	return saved;
}

void
ovl_cred_end_as_caller(struct cred *saved, struct cred *made)
{
	rcu_assign_pointer(current->cred, saved);
	cred_put(made);
}

/* --- places --- */

struct path
ovl_upper_path(const struct inode *i)
{
	return (struct path){ ovl_mount_of(i->super)->upper.mnt, ovl_upper(i) };
}

struct path
ovl_real_path(const struct inode *i)
{
	const struct ovl_inode *oi = ovl_inode_of(i);
	const struct ovl_mount *m = ovl_mount_of(i->super);
	struct dentry *upper = ovl_upper(i);

	if (upper)
		return (struct path){ m->upper.mnt, upper };
	return (struct path){ m->lowers[oi->lowers[0].layer].mnt, oi->lowers[0].dentry };
}

bool
ovl_is_whiteout(const struct inode *real)
{
	return real && S_ISCHR(real->mode) && !real->rdev;
}

bool
ovl_is_opaque(struct inode *real)
{
	char value;

	return real->ops->getxattr && real->ops->getxattr(real, OVL_XATTR_OPAQUE, &value, 1) == 1 &&
	       value == 'y';
}

int
ovl_set_opaque(const struct path *dir)
{
	struct inode *real = dir->dentry->inode;
	int err = mount_want_write(dir->mnt);

	if (err)
		return err;
	rwsem_write_lock(&real->lock);
	err = real->ops->setxattr ? real->ops->setxattr(real, OVL_XATTR_OPAQUE, "y", 1, 0)
				  : -EOPNOTSUPP;
	rwsem_write_unlock(&real->lock);
	mount_drop_write(dir->mnt);
	return err;
}

int
ovl_child(struct dentry *parent, const char *name, u32 len, struct dentry **out)
{
	struct inode *dir = parent->inode;
	int err;

	if (!dir)
		return -ENOENT;
	rwsem_read_lock(&dir->lock);
	err = dentry_lookup_child(parent, name, len, out);
	rwsem_read_unlock(&dir->lock);
	return err;
}

int
ovl_lower_has(const struct inode *dir, const struct dentry *d)
{
	const struct ovl_inode *oi = ovl_inode_of(dir);

	for (u32 k = 0; k < oi->nr_lowers; k++) {
		struct dentry *c;
		int err = ovl_child(oi->lowers[k].dentry, d->name, d->name_len, &c);
		bool there, white;

		if (err)
			return err;
		there = c->inode != NULL;
		white = ovl_is_whiteout(c->inode);
		dentry_put(c);
		if (there)
			return !white;
	}
	return 0;
}

/* --- names of a layer's directory --- */

struct name {
	struct list node;
	u64 ino;
	u8 type;
	u32 len;
	char text[];
};

struct gather {
	struct dir_context ctx;
	struct list names;
	u32 count;
	int err;
};

static bool
gather_name(struct dir_context *ctx, const char *text, size_t len, u64 ino, u8 type, u64 next_pos)
{
	struct gather *g = container_of(ctx, struct gather, ctx);
	struct name *n;

	g->count++;
	if (text[0] == '.' && (len == 1 || (len == 2 && text[1] == '.')))
		return true;
	n = kmalloc(sizeof(*n) + len + 1, GFP_KERNEL);
	if (!n) {
		g->err = -ENOMEM;
		return false;
	}
	n->ino = ino;
	n->type = type;
	n->len = (u32)len;
	memcpy(n->text, text, len);
	n->text[len] = '\0';
	list_add_tail(&n->node, &g->names);
	return true;
}

static int
gather_all(struct file *f, struct gather *g)
{
	struct inode *dir = f->inode;
	u32 before;
	int err;

	if (!f->ops->readdir)
		return -ENOTDIR;
	do {
		before = g->count;
		rwsem_read_lock(&dir->lock);
		err = f->ops->readdir(f, &g->ctx);
		rwsem_read_unlock(&dir->lock);
		if (!err)
			err = g->err;
	} while (!err && g->count != before);
	return err;
}

int
ovl_for_each_name(const struct path *dir,
		  int (*fn)(void *ctx, const char *name, u32 len, u64 ino, u8 type), void *ctx)
{
	struct gather g = { .ctx.emit = gather_name };
	struct name *n;
	struct file *f;
	int err = file_open_path(dir, O_RDONLY | O_DIRECTORY, &f);

	if (err)
		return err;
	list_init(&g.names);
	err = gather_all(f, &g);
	file_put(f);
	while ((n = list_first_entry_or_null(&g.names, struct name, node))) {
		list_del(&n->node);
		if (!err)
			err = fn(ctx, n->text, n->len, n->ino, n->type);
		kfree(n);
	}
	return err;
}

static int
clear_one(void *ctx, const char *name, u32 len, u64 ino, u8 type)
{
	const struct path *dir = ctx;
	struct dentry *c;
	bool white;
	int err = ovl_child(dir->dentry, name, len, &c);

	if (err)
		return err;
	white = ovl_is_whiteout(c->inode);
	dentry_put(c);
	return white ? vfs_remove_at(dir, name, false) : -ENOTEMPTY;
}

int
ovl_clear_whiteouts(const struct path *dir)
{
	return ovl_for_each_name(dir, clear_one, (void *)(uintptr_t)dir);
}

/* --- the working directory --- */

void
ovl_temp_name(struct ovl_mount *m, char name[OVL_TEMP_SIZE])
{
	snprintf(name, OVL_TEMP_SIZE, "#%x", (u32)atomic_inc_return(&m->temps));
}

int
ovl_remove_temp(struct ovl_mount *m, const char *name)
{
	struct path p = { m->upper.mnt, NULL };
	bool dir;
	int err = ovl_child(m->work.dentry, name, (u32)strlen(name), &p.dentry);

	if (err)
		return err;
	dir = p.dentry->inode && S_ISDIR(p.dentry->inode->mode);
	if (dir)
		(void)ovl_clear_whiteouts(&p);
	dentry_put(p.dentry);
	err = vfs_remove_at(&m->work, name, dir);
	if (err)
		log_warn("overlayfs: %s is left in the work directory: error %d\n", name, err);
	return err;
}

int
ovl_make_whiteout(struct ovl_mount *m, char name[OVL_TEMP_SIZE])
{
	struct path_create pc;
	int err;

	ovl_temp_name(m, name);
	err = path_create_at(&m->work, name, &pc);
	if (err)
		return err;
	err = vfs_mknod(&pc, S_IFCHR, 0);
	path_create_done(&pc);
	return err;
}
