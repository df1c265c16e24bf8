/* SPDX-License-Identifier: MIT */
/*
 * Files without a name: on the one inode of anon_inodefs (eventfd, epoll, timerfd ...), or on an
 * inode that the caller brings (pipes, sockets).
 */
#include "core/panic.h"
#include "lib/format.h"
#include "uapi/magic.h"
#include "vfs_internal.h"

static struct mount *anon_mount;
static struct inode *anon_inode;

const struct inode_ops anon_inode_ops;

int
anon_fs_mount(const struct fs_type *type, const char *source, u32 flags, const char *data,
	      struct super **out)
{
	struct super *s = super_create(type, NULL, type->magic);
	struct inode *root;

	if (!s)
		return -ENOMEM;
	root = inode_create(s, &anon_inode_ops, NULL, S_IFDIR | 0500, 1);
	if (root)
		s->root = dentry_create_root(s, root);
	if (!s->root)
		return -ENOMEM;
	*out = s;
	return 0;
}

static const struct fs_type anon_fs_type = {
	.name = "anon_inodefs",
	.magic = ANON_INODE_FS_MAGIC,
	.mount = anon_fs_mount,
};

void
anon_init(void)
{
	anon_mount = mount_internal(&anon_fs_type);
	if (anon_mount)
		anon_inode = inode_create(anon_mount->super, &anon_inode_ops, NULL, 0600,
					  inode_next_number(anon_mount->super));
	if (!anon_inode)
		panic("vfs: no memory for %s", anon_fs_type.name);
}

/* Takes over the reference on d. */
static int
create_on(struct dentry *d, const struct file_ops *ops, void *private, u32 flags, u32 mode,
	  struct file **out)
{
	struct file *f = file_alloc(flags & ~O_CLOEXEC, mode | FMODE_OPENED);

	if (!f) {
		dentry_put(d);
		return -ENOMEM;
	}
	mount_get(anon_mount);
	f->path = (struct path){ anon_mount, d };
	f->inode = d->inode;
	f->mapping = &d->inode->mapping;
	f->ops = ops;
	f->private = private;
	*out = f;
	return 0;
}

int
file_create_on(struct dentry *d, const struct file_ops *ops, void *private, u32 flags, u32 mode,
	       struct file **out)
{
	dentry_get(d);
	return create_on(d, ops, private, flags, mode, out);
}

int
file_create_anon(const char *name, const struct file_ops *ops, void *private, u32 flags, u32 mode,
		 struct file **out)
{
	char text[64];
	struct dentry *d;

	scnprintf(text, sizeof(text), "anon_inode:%s", name);
	d = dentry_create_anon(anon_mount->super, text, anon_inode);
	if (!d)
		return -ENOMEM;
	inode_get(anon_inode);
	return create_on(d, ops, private, flags, mode | FMODE_STREAM, out);
}
