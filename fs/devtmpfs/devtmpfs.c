/* SPDX-License-Identifier: MIT */
/*
 * devtmpfs: a tmpfs that the kernel fills with a node for each registered device. Every mount shows
 * the same tree, in which user space may make, change and remove names as in any tmpfs.
 *
 * Nodes are made through the directory operations of tmpfs, directory by directory, with each
 * directory locked as a system call would.
 */
#include "fs/devtmpfs/devtmpfs.h"

#include "core/log.h"
#include "core/panic.h"
#include "fs/tmpfs/tmpfs.h"
#include "fs/vfs/dentry.h"
#include "fs/vfs/device.h"
#include "fs/vfs/inode.h"
#include "lib/string.h"
#include "uapi/errno.h"
#include "uapi/magic.h"

static struct super *tree;

/*
 * Go down to the directory of `name`, making directories if asked: the last component's directory
 * locked for writing, its dentry in *out (referenced, maybe negative), *dir referenced.
 */
static int
node_lookup(const char *name, bool make, struct dentry **dir_out, struct dentry **out)
{
	struct dentry *dir = tree->root, *d;
	int r;

	dentry_get(dir);
	for (;;) {
		const char *slash = strchr(name, '/');
		size_t len = slash ? (size_t)(slash - name) : strlen(name);

		rwsem_write_lock(&dir->inode->lock);
		r = dentry_lookup_child(dir, name, len, &d);
		if (r)
			break;
		if (!slash) {
			*dir_out = dir;
			*out = d;
			return 0;
		}
		if (!d->inode && make)
			r = dir->inode->ops->mkdir(dir->inode, d, S_IFDIR | 0755);
		rwsem_write_unlock(&dir->inode->lock);
		if (r == 0 && (!d->inode || !inode_is_dir(d->inode)))
			r = d->inode ? -ENOTDIR : -ENOENT;
		dentry_put(dir);
		dir = d;
		if (r) {
			dentry_put(dir);
			return r;
		}
		name = slash + 1;
	}
	rwsem_write_unlock(&dir->inode->lock);
	dentry_put(dir);
	return r;
}

static void
node_done(struct dentry *dir, struct dentry *d)
{
	dentry_put(d);
	rwsem_write_unlock(&dir->inode->lock);
	dentry_put(dir);
}

static void
node_add(struct device *dev)
{
	struct dentry *dir, *d;
	int r = node_lookup(dev->name, true, &dir, &d);

	if (r) {
		log_warn("devtmpfs: no node for %s (error %d)\n", dev->name, -r);
		return;
	}
	if (!d->inode)
		r = dir->inode->ops->mknod(dir->inode, d, dev->mode, dev->dev);
	node_done(dir, d);
	if (r)
		log_warn("devtmpfs: no node for %s (error %d)\n", dev->name, -r);
}

static void
node_remove(struct device *dev)
{
	struct dentry *dir, *d;

	if (node_lookup(dev->name, false, &dir, &d))
		return;
	if (d->inode && d->inode->rdev == dev->dev && dir->inode->ops->unlink(dir->inode, d) == 0)
		dentry_delete(d);
	node_done(dir, d);
}

static int
devtmpfs_mount(const struct fs_type *type, const char *source, u32 flags, const char *data,
	       struct super **out)
{
	ref_get(&tree->ref);
	*out = tree;
	return 0;
}

static struct fs_type devtmpfs_type = {
	.name = "devtmpfs",
	.magic = TMPFS_MAGIC,
	.mount = devtmpfs_mount,
};

void
devtmpfs_register(void)
{
	fs_register(&devtmpfs_type);
}

void
devtmpfs_init(void)
{
	if (tmpfs_super_create(&devtmpfs_type, "mode=0755", &tree))
		panic("devtmpfs: no memory");
	device_added = node_add;
	device_removed = node_remove;
}
