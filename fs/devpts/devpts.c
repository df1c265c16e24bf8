/* SPDX-License-Identifier: MIT */
/*
 * devpts: pts(4).
 *
 * The root directory holds ptmx and a node for each number in use. Nodes are put into the name
 * cache when a master is opened and pinned there until it closes, so lookups find them without
 * asking us; what is not there is negative.
 *
 * Locking: the root inode's lock guards numbers and names, as for any directory.
 */
#include "fs/devpts/devpts.h"

#include "fs/vfs/dentry.h"
#include "fs/vfs/device.h"
#include "fs/vfs/file.h"
#include "fs/vfs/inode.h"
#include "fs/vfs/path.h"
#include "lib/format.h"
#include "lib/string.h"
#include "lib/xarray.h"
#include "mm/slab.h"
#include "task/task.h"
#include "task/user_ns.h"
#include "uapi/dirent.h"
#include "uapi/errno.h"
#include "uapi/magic.h"
#include "uapi/major.h"

#define PTS_MAX	  4096
#define PTMX_INO  2
#define FIRST_INO 3

struct instance {
	struct xarray nodes; /* number -> inode */
	struct dentry *ptmx;
	u32 mode, ptmx_mode, uid, gid, max;
	bool set_uid, set_gid;
};

static struct instance *
instance_of(const struct super *s)
{
	return s->private;
}

static int
root_lookup(struct inode *dir, struct dentry *d)
{
	dentry_add(d, NULL);
	return 0;
}

static int
root_readdir(struct file *f, struct dir_context *ctx)
{
	struct instance *in = instance_of(f->inode->super);
	struct inode *node;
	char name[12];
	u64 n;

	if (ctx->pos == 0) {
		if (!ctx->emit(ctx, ".", 1, f->inode->ino, DT_DIR, 1))
			return 0;
		ctx->pos = 1;
	}
	if (ctx->pos == 1) {
		struct inode *up = f->path.dentry->parent->inode;

		if (!ctx->emit(ctx, "..", 2, up->ino, DT_DIR, 2))
			return 0;
		ctx->pos = 2;
	}
	if (ctx->pos == 2) {
		if (!ctx->emit(ctx, "ptmx", 4, PTMX_INO, DT_CHR, 3))
			return 0;
		ctx->pos = 3;
	}
	xa_for_each_range(&in->nodes, n, node, ctx->pos - 3, XA_MAX)
	{
		size_t len = format_u64(name, n);

		if (!ctx->emit(ctx, name, len, node->ino, DT_CHR, n + 4))
			return 0;
		ctx->pos = n + 4;
	}
	return 0;
}

static const struct inode_ops node_inode_ops;

static const struct inode_ops root_inode_ops = {
	.lookup = root_lookup,
};

static const struct file_ops root_file_ops = {
	.readdir = root_readdir,
	.seek = file_seek_pos,
};

/* ---- numbers ---- */

int
devpts_add(struct super *s, void *private, u32 *index, struct dentry **out)
{
	struct instance *in = instance_of(s);
	struct inode *root = s->root->inode, *i;
	struct dentry *d;
	const struct cred *c = current_cred();
	char name[12];
	u64 n;
	int r;

	i = inode_create(s, &node_inode_ops, NULL, S_IFCHR | in->mode, 0);
	if (!i)
		return -ENOMEM;
	rwsem_write_lock(&root->lock);
	r = xa_alloc(&in->nodes, &n, i, 0, in->max - 1);
	if (r) {
		r = r == -EBUSY ? -ENOSPC : r;
		goto out_put_inode;
	}
	i->ino = FIRST_INO + n;
	i->rdev = DEV_MAKE(UNIX98_PTY_SLAVE_MAJOR, n);
	i->uid = in->set_uid ? in->uid : c->fsuid;
	i->gid = in->set_gid ? in->gid : c->fsgid;
	i->private = private;
	r = dentry_lookup_child(s->root, name, format_u64(name, n), &d);
	if (r)
		goto out_erase;
	inode_get(i);
	dentry_add(d, i);
	rwsem_write_unlock(&root->lock);
	*index = (u32)n;
	*out = d;
	return 0;

out_erase:
	xa_erase(&in->nodes, n);
out_put_inode:
	rwsem_write_unlock(&root->lock);
	inode_put(i);
	return r;
}

void
devpts_remove(struct super *s, u32 index, struct dentry *node)
{
	struct inode *root = s->root->inode, *i;

	rwsem_write_lock(&root->lock);
	i = xa_erase(&instance_of(s)->nodes, index);
	WRITE_ONCE(i->private, NULL);
	i->nlink = 0;
	dentry_delete(node);
	rwsem_write_unlock(&root->lock);
	dentry_put(node);
	inode_put(i);
}

void *
devpts_private(struct inode *i)
{
	return i->ops == &node_inode_ops ? READ_ONCE(i->private) : NULL;
}

/* ---- mounts ---- */

static struct fs_type devpts_type;

int
devpts_instance(struct file *f, struct super **out)
{
	struct super *s = f->inode->super;
	struct path p = { 0 };

	if (s->type != &devpts_type) {
		if (path_lookup(AT_FDCWD, "/dev/pts", WALK_FOLLOW | WALK_DIRECTORY, &p))
			return -ENODEV;
		s = p.dentry->super;
	}
	int r = s->type == &devpts_type ? 0 : -ENODEV;
	if (r == 0) {
		ref_get(&s->ref);
		*out = s;
	}
	if (p.dentry)
		path_put(&p);
	return r;
}

/* "gid=5,mode=620,ptmxmode=666,max=N,newinstance" */
static int
parse_options(struct instance *in, const char *data)
{
	char copy[256], *rest = copy, *word;

	if (!data)
		return 0;
	if (strscpy(copy, data, sizeof(copy)) < 0)
		return -EINVAL;
	while ((word = str_token(&rest, ",")) != NULL) {
		char *value = strchr(word, '=');
		u64 n = 0;
		bool octal;

		if (!*word || strcmp(word, "newinstance") == 0)
			continue;
		if (!value)
			return -EINVAL;
		*value++ = 0;
		octal = strcmp(word, "mode") == 0 || strcmp(word, "ptmxmode") == 0;
		if (parse_u64(value, octal ? 8 : 10, &n) || n > UINT32_MAX)
			return -EINVAL;
		if (strcmp(word, "mode") == 0) {
			in->mode = (u32)n & 0777;
		} else if (strcmp(word, "ptmxmode") == 0) {
			in->ptmx_mode = (u32)n & 0777;
		} else if (strcmp(word, "uid") == 0) {
			in->uid = uid_from_user(current_cred()->user_ns, (u32)n);
			if (in->uid == ID_NONE)
				return -EINVAL;
			in->set_uid = true;
		} else if (strcmp(word, "gid") == 0) {
			in->gid = gid_from_user(current_cred()->user_ns, (u32)n);
			if (in->gid == ID_NONE)
				return -EINVAL;
			in->set_gid = true;
		} else if (strcmp(word, "max") == 0) {
			in->max = (u32)n;
		} else {
			return -EINVAL;
		}
	}
	return 0;
}

static void
devpts_put(struct super *s)
{
	struct instance *in = instance_of(s);

	xa_destroy(&in->nodes);
	kfree(in);
}

static void
devpts_show_options(struct super *s, struct strbuf *sb)
{
	struct instance *in = instance_of(s);

	if (in->set_uid)
		strbuf_printf(sb, ",uid=%u", in->uid);
	if (in->set_gid)
		strbuf_printf(sb, ",gid=%u", in->gid);
	strbuf_printf(sb, ",mode=%03o,ptmxmode=%03o", in->mode, in->ptmx_mode);
}

static int
devpts_remount(struct super *s, u32 flags, const char *data)
{
	struct instance *in = instance_of(s), new = *in;
	int r = parse_options(&new, data);

	if (r)
		return r;
	in->mode = new.mode;
	in->ptmx_mode = new.ptmx_mode;
	in->uid = new.uid;
	in->gid = new.gid;
	in->set_uid = new.set_uid;
	in->set_gid = new.set_gid;
	if (in->ptmx)
		in->ptmx->inode->mode = S_IFCHR | in->ptmx_mode;
	return 0;
}

static const struct super_ops devpts_super_ops = {
	.put = devpts_put,
	.show_options = devpts_show_options,
	.remount = devpts_remount,
};

static int
devpts_mount(const struct fs_type *type, const char *source, u32 flags, const char *data,
	     struct super **out)
{
	struct instance *in = kzalloc(sizeof(*in), GFP_KERNEL);
	struct inode *root, *ptmx;
	struct super *s;
	int r;

	if (!in)
		return -ENOMEM;
	xa_init(&in->nodes);
	in->mode = 0600;
	in->max = PTS_MAX;
	r = parse_options(in, data);
	if (r) {
		kfree(in);
		return r;
	}
	s = super_create(type, &devpts_super_ops, DEVPTS_SUPER_MAGIC);
	if (!s) {
		kfree(in);
		return -ENOMEM;
	}
	s->private = in;
	root = inode_create(s, &root_inode_ops, &root_file_ops, S_IFDIR | 0755, 1);
	ptmx = inode_create(s, &node_inode_ops, NULL, S_IFCHR | in->ptmx_mode, PTMX_INO);
	if (!root || !ptmx)
		goto out_no_memory;
	root->nlink = 2;
	s->root = dentry_create_root(s, root);
	if (!s->root)
		goto out_no_memory;
	root = NULL;
	ptmx->rdev = DEV_MAKE(TTYAUX_MAJOR, 2);
	rwsem_write_lock(&s->root->inode->lock);
	in->ptmx = dentry_create_child(s->root, "ptmx", ptmx);
	rwsem_write_unlock(&s->root->inode->lock);
	if (!in->ptmx)
		goto out_no_memory;
	*out = s;
	return 0;

out_no_memory:
	if (root)
		inode_put(root);
	if (ptmx)
		inode_put(ptmx);
	super_put(s);
	return -ENOMEM;
}

static struct fs_type devpts_type = {
	.name = "devpts",
	.flags = FS_USER_MOUNT,
	.magic = DEVPTS_SUPER_MAGIC,
	.mount = devpts_mount,
};

void
devpts_register(void)
{
	fs_register(&devpts_type);
}

static const struct inode_ops node_inode_ops = {
	.lookup = NULL,
};
