/* SPDX-License-Identifier: MIT */
/*
 * tmpfs: a file system in the page cache. tmpfs(5).
 *
 * Everything is in memory and nowhere else: names in the directory's trees (dir.c), bytes in the
 * pages of the inode's mapping (file.c). An entry holds its inode, so inodes live without being in
 * the name cache. A block is charged when a page is made and given back when it goes.
 *
 * Options: size= (bytes, with k m g, or % of memory), nr_blocks=, nr_inodes=, mode=, uid=, gid=.
 * The defaults are half of memory and an inode for each page of that; 0 is no limit. The types
 * "rootfs", "ramfs" are the same with their own names, the latter without limits.
 */
#include "core/panic.h"
#include "fs/tmpfs/tmpfs.h"
#include "lib/format.h"
#include "lib/string.h"
#include "mm/page.h"
#include "task/cred.h"
#include "task/user_ns.h"
#include "tmpfs_internal.h"
#include "uapi/magic.h"
#include "uapi/mount.h"
#include "uapi/statfs.h"

static const struct super_ops tmpfs_super_ops;
static struct kmem_cache *inode_cache;

/* --- accounting --- */

int
tmpfs_charge_blocks(struct super *s, u64 blocks)
{
	struct tmpfs_super *t = tmpfs_super_of(s);
	u64 used;

	if (!t->max_blocks) {
		atomic64_add(&t->used_blocks, (s64)blocks);
		return 0;
	}
	used = (u64)atomic64_add_return(&t->used_blocks, (s64)blocks);
	if (likely(used <= t->max_blocks))
		return 0;
	atomic64_sub(&t->used_blocks, (s64)blocks);
	return -ENOSPC;
}

void
tmpfs_uncharge_blocks(struct super *s, u64 blocks)
{
	atomic64_sub(&tmpfs_super_of(s)->used_blocks, (s64)blocks);
}

static int
charge_inode(struct tmpfs_super *t)
{
	u64 used = (u64)atomic64_add_return(&t->used_inodes, 1);

	if (!t->max_inodes || used <= t->max_inodes)
		return 0;
	atomic64_dec(&t->used_inodes);
	return -ENOSPC;
}

/* --- inodes --- */

int
tmpfs_inode_create(struct super *s, const struct inode *dir, umode_t mode, devnum_t dev,
		   struct inode **out)
{
	struct tmpfs_super *t = tmpfs_super_of(s);
	const struct inode_ops *ops = &tmpfs_special_inode_ops;
	const struct file_ops *fops = NULL;
	struct tmpfs_inode *ti;
	struct inode *i;
	int err = charge_inode(t);

	if (err)
		return err;
	if (S_ISREG(mode)) {
		ops = &tmpfs_file_inode_ops;
		fops = &tmpfs_file_ops;
	} else if (S_ISDIR(mode)) {
		ops = &tmpfs_dir_inode_ops;
		fops = &tmpfs_dir_file_ops;
	}
	ti = kmem_cache_zalloc(inode_cache, GFP_KERNEL);
	i = ti ? inode_create(s, ops, fops, mode, (u64)atomic64_add_return(&t->next_ino, 1)) : NULL;
	if (!i) {
		if (ti)
			kmem_cache_free(inode_cache, ti);
		atomic64_dec(&t->used_inodes);
		return -ENOMEM;
	}
	inode_init_owner(i, dir, mode);
	i->rdev = dev;
	i->private = ti;
	ti->inode = i;
	list_init(&ti->xattrs);
	rwsem_init(&ti->xattr_lock, RANK_SLEEP_LEAF);
	if (S_ISREG(mode)) {
		i->mapping.ops = &tmpfs_mapping_ops;
		i->mapping.flags |= MAPPING_SHMEM;
		ti->seals = F_SEAL_SEAL; /* only memfd_create takes it off */
	} else if (S_ISDIR(mode)) {
		i->nlink = 2;
		i->size = 2 * ENTRY_SIZE;
		ti->next_position = 2; /* after . and .. */
	}
	if (dir && (dir->flags & INODE_DEFAULT_ACL) && !S_ISLNK(mode)) {
		int err = tmpfs_acl_inherit(dir, i);

		if (err) {
			i->nlink = 0;
			inode_put(i);
			return err;
		}
	}
	*out = i;
	return 0;
}

static void
tmpfs_evict(struct inode *i)
{
	struct tmpfs_inode *ti = tmpfs_inode_of(i);

	if (S_ISDIR(i->mode))
		tmpfs_dir_destroy(i);
	tmpfs_xattr_destroy(i);
	i->private = NULL;
	kmem_cache_free(inode_cache, ti);
	atomic64_dec(&tmpfs_super_of(i->super)->used_inodes);
}

/* --- options --- */

static u64
total_pages(void)
{
	struct mem_stats ms;

	mem_stats(&ms);
	return ms.total;
}

static int
parse_size_option(const char *value, u64 *blocks)
{
	const char *end;
	u64 n = parse_size(value, &end);

	if (end == value)
		return -EINVAL;
	if (*end == '%') {
		end++;
		n = n * total_pages() / 100 * PAGE_SIZE;
	}
	if (*end)
		return -EINVAL;
	*blocks = n / PAGE_SIZE + !!(n % PAGE_SIZE);
	return 0;
}

static int
parse_option(struct tmpfs_super *t, const char *name, const char *value)
{
	const char *end;
	u64 n;

	if (!strcmp(name, "size"))
		return value ? parse_size_option(value, &t->max_blocks) : -EINVAL;
	if (!strcmp(name, "nr_blocks") || !strcmp(name, "nr_inodes")) {
		if (!value)
			return -EINVAL;
		n = parse_size(value, &end);
		if (end == value || *end)
			return -EINVAL;
		*(name[3] == 'b' ? &t->max_blocks : &t->max_inodes) = n;
		return 0;
	}
	if (!strcmp(name, "mode")) {
		if (!value || parse_u64(value, 8, &n))
			return -EINVAL;
		t->mode = n & S_IALLUGO;
		return 0;
	}
	if (!strcmp(name, "uid") || !strcmp(name, "gid")) {
		const struct user_ns *ns = current_cred()->user_ns;

		if (!value || parse_u64(value, 10, &n) || n >= UINT32_MAX)
			return -EINVAL;
		u32 id = name[0] == 'u' ? uid_from_user(ns, (u32)n) : gid_from_user(ns, (u32)n);
		if (id == ID_NONE)
			return -EINVAL;
		*(name[0] == 'u' ? &t->uid : &t->gid) = id;
		return 0;
	}
	/* What a kernel without NUMA, huge pages in tmpfs, or 32-bit inode numbers takes and
	 * ignores. */
	if (!strcmp(name, "inode32") || !strcmp(name, "inode64"))
		return 0;
	if (!strcmp(name, "huge") && value && !strcmp(value, "never"))
		return 0;
	return -EINVAL;
}

static int
parse_options(struct tmpfs_super *t, const char *data)
{
	char *copy, *rest, *option;
	int err = 0;

	if (!data || !*data)
		return 0;
	copy = rest = kstrdup(data, GFP_KERNEL);
	if (!copy)
		return -ENOMEM;
	while (!err && (option = str_token(&rest, ","))) {
		char *value = strchr(option, '=');

		if (!*option)
			continue;
		if (value)
			*value++ = '\0';
		err = parse_option(t, option, value);
	}
	kfree(copy);
	return err;
}

static void
tmpfs_show_options(struct super *s, struct strbuf *sb)
{
	const struct tmpfs_super *t = tmpfs_super_of(s);
	u64 half = total_pages() / 2;

	if (t->max_blocks != half)
		strbuf_printf(sb, ",size=%luk", t->max_blocks * (PAGE_SIZE / 1024));
	if (t->max_inodes != half)
		strbuf_printf(sb, ",nr_inodes=%lu", t->max_inodes);
	if (t->mode != (S_IRWXUGO | S_ISVTX))
		strbuf_printf(sb, ",mode=%03o", t->mode);
	if (t->uid)
		strbuf_printf(sb, ",uid=%u", t->uid);
	if (t->gid)
		strbuf_printf(sb, ",gid=%u", t->gid);
	strbuf_puts(sb, ",inode64");
}

static int
tmpfs_remount(struct super *s, u32 flags, const char *data)
{
	struct tmpfs_super *t = tmpfs_super_of(s), new = *t;
	int err = parse_options(&new, data);

	if (err)
		return err;
	/* What is in use stays; limits cannot be set below it, nor where there were none. */
	if (new.max_blocks != t->max_blocks &&
	    ((new.max_blocks && (u64)atomic64_read(&t->used_blocks) > new.max_blocks) ||
	     (new.max_blocks && !t->max_blocks)))
		return -EINVAL;
	if (new.max_inodes != t->max_inodes &&
	    ((new.max_inodes && (u64)atomic64_read(&t->used_inodes) > new.max_inodes) ||
	     (new.max_inodes && !t->max_inodes)))
		return -EINVAL;
	t->max_blocks = new.max_blocks;
	t->max_inodes = new.max_inodes;
	return 0;
}

/* --- super blocks --- */

static int
tmpfs_statfs(struct super *s, struct linux_statfs *st)
{
	const struct tmpfs_super *t = tmpfs_super_of(s);
	s64 used = atomic64_read(&t->used_blocks), inodes = atomic64_read(&t->used_inodes);

	st->f_bsize = PAGE_SIZE;
	if (t->max_blocks) {
		st->f_blocks = t->max_blocks;
		st->f_bfree = st->f_bavail = (u64)used < t->max_blocks ? t->max_blocks - (u64)used
								       : 0;
	}
	if (t->max_inodes) {
		st->f_files = t->max_inodes;
		st->f_ffree = (u64)inodes < t->max_inodes ? t->max_inodes - (u64)inodes : 0;
	}
	return 0;
}

static void
tmpfs_put(struct super *s)
{
	kfree(s->private);
}

int
tmpfs_super_create(const struct fs_type *type, const char *data, struct super **out)
{
	struct tmpfs_super *t = kzalloc(sizeof(*t), GFP_KERNEL);
	struct inode *root;
	struct super *s;
	int err;

	if (!t)
		return -ENOMEM;
	t->mode = S_IRWXUGO | S_ISVTX;
	if (strcmp(type->name, "ramfs"))
		t->max_blocks = t->max_inodes = total_pages() / 2;
	else
		t->mode = 0755;
	if (!strcmp(type->name, "rootfs"))
		t->mode = 0755;
	t->uid = current_cred()->fsuid;
	t->gid = current_cred()->fsgid;
	err = parse_options(t, data);
	if (err)
		goto out_free;
	err = -ENOMEM;
	s = super_create(type, &tmpfs_super_ops, type->magic);
	if (!s)
		goto out_free;
	s->private = t;
	err = tmpfs_inode_create(s, NULL, S_IFDIR | t->mode, 0, &root);
	if (err)
		goto out_super;
	root->uid = t->uid;
	root->gid = t->gid;
	tmpfs_inode_of(root)->parent = root;
	s->root = dentry_create_root(s, root);
	if (!s->root) {
		inode_put(root);
		err = -ENOMEM;
		goto out_super;
	}
	*out = s;
	return 0;
out_super:
	super_put(s); /* frees t */
	return err;
out_free:
	kfree(t);
	return err;
}

static int
tmpfs_mount(const struct fs_type *type, const char *source, u32 flags, const char *data,
	    struct super **out)
{
	int err;

	err = tmpfs_super_create(type, data, out);
	if (!err)
		(*out)->flags = flags & ~MS_SILENT;
	return err;
}

static const struct super_ops tmpfs_super_ops = {
	.evict = tmpfs_evict,
	.statfs = tmpfs_statfs,
	.remount = tmpfs_remount,
	.show_options = tmpfs_show_options,
	.put = tmpfs_put,
};

static struct fs_type tmpfs_type = {
	.name = "tmpfs",
	.flags = FS_USER_MOUNT,
	.magic = TMPFS_MAGIC,
	.mount = tmpfs_mount,
};

static struct fs_type rootfs_type = {
	.name = "rootfs",
	.magic = TMPFS_MAGIC,
	.mount = tmpfs_mount,
};

static struct fs_type ramfs_type = {
	.name = "ramfs",
	.flags = FS_USER_MOUNT,
	.magic = RAMFS_MAGIC,
	.mount = tmpfs_mount,
};

void
tmpfs_register(void)
{
	inode_cache = kmem_cache_create("tmpfs_inode", sizeof(struct tmpfs_inode), 64,
					SLAB_RECLAIMABLE, NULL);
	fs_register(&rootfs_type);
	fs_register(&tmpfs_type);
	fs_register(&ramfs_type);
}
