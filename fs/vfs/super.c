/* SPDX-License-Identifier: MIT */
/*
 * File-system types and super blocks.
 *
 * A super block is held by the mounts that show it. When the last one goes all is written, its
 * cache of names and unused inodes is thrown away, then the file system puts the rest, and last the
 * device is closed. Types register once, at start-up, and stay.
 */
#include "core/log.h"
#include "core/panic.h"
#include "fs/vfs/device.h"
#include "lib/format.h"
#include "vfs_internal.h"

static const struct fs_type *types;
static struct spinlock types_lock = SPINLOCK_INIT(RANK_FS);

static struct mutex supers_lock = MUTEX_INIT(supers_lock, RANK_SLEEP_LEAF);
static LIST_HEAD(supers);
static struct atomic32 next_anon_dev = ATOMIC_INIT(1);
static struct wait_queue super_gone = WAIT_QUEUE_INIT(super_gone);

void
fs_register(struct fs_type *type)
{
	const struct fs_type **link = &types;

	spin_lock(&types_lock);
	while (*link)
		link = (const struct fs_type **)&(*link)->next;
	type->next = NULL;
	smp_store_release(link, type);
	spin_unlock(&types_lock);
}

const struct fs_type *
fs_find(const char *name)
{
	for (const struct fs_type *t = smp_load_acquire(&types); t; t = smp_load_acquire(&t->next))
		if (!strcmp(t->name, name))
			return t;
	return NULL;
}

void
fs_list(struct strbuf *out)
{
	for (const struct fs_type *t = smp_load_acquire(&types); t; t = smp_load_acquire(&t->next))
		strbuf_printf(out, "%s\t%s\n", t->flags & FS_NEEDS_DEVICE ? "" : "nodev", t->name);
}

void
fs_for_each(bool (*fn)(void *ctx, const struct fs_type *type), void *ctx)
{
	for (const struct fs_type *t = smp_load_acquire(&types); t; t = smp_load_acquire(&t->next))
		if (!fn(ctx, t))
			break;
}

devnum_t
super_next_dev(void)
{
	return DEV_MAKE(0, (u32)atomic_fetch_add(&next_anon_dev, 1));
}

struct super *
super_create(const struct fs_type *type, const struct super_ops *ops, u64 magic)
{
	struct super *s = kzalloc(sizeof(*s), GFP_KERNEL);

	if (!s)
		return NULL;
	s->type = type;
	s->ops = ops;
	s->magic = magic;
	s->dev = super_next_dev();
	s->block_size = PAGE_SIZE;
	s->max_bytes = INT64_MAX;
	s->time_gran_ns = 1;
	ref_init(&s->ref);
	list_init(&s->inodes);
	list_init(&s->watches);
	mutex_init(&s->rename_lock, RANK_RENAME);
	spin_init(&s->lock, RANK_INODE_HASH);
	mutex_lock(&supers_lock);
	list_add_tail(&s->node, &supers);
	mutex_unlock(&supers_lock);
	return s;
}

/* The last mount that shows it has gone; who holds it now should let it go. */
void
super_unmounted(struct super *s)
{
	if (READ_ONCE(vfs_unmounted))
		vfs_unmounted(s);
}

void
super_put(struct super *s)
{
	struct dentry *root;

	if (!ref_put(&s->ref))
		return;
	root = s->root;
	if (root) {
		(void)super_sync(s, true);
		dentry_prune(root);
		dentry_unhash(root);
		dentry_put(root);
	}
	WRITE_ONCE(s->dying, true);
	if (s->backing)
		inodes_evict_unused(s);
	if (s->ops && s->ops->put)
		s->ops->put(s);
	if (!list_empty(&s->inodes))
		log_err("%s: inodes are in use after unmounting\n", s->id);
	if (s->release)
		s->release(s);
	mutex_lock(&supers_lock);
	list_del(&s->node);
	mutex_unlock(&supers_lock);
	wake_up_all(&super_gone);
	kfree(s);
}

/* Calls fn for every super block, referenced, until it returns other than 0. fn may sleep. */
void
super_for_each(int (*fn)(struct super *s, void *ctx), void *ctx)
{
	struct super *s, *done = NULL;
	bool stop = false;

	mutex_lock(&supers_lock);
	list_for_each_entry(s, &supers, node)
	{
		if (!ref_try_get(&s->ref))
			continue;
		mutex_unlock(&supers_lock);
		if (done)
			super_put(done);
		stop = fn(s, ctx) != 0;
		done = s;
		mutex_lock(&supers_lock);
		if (stop)
			break;
	}
	mutex_unlock(&supers_lock);
	if (done)
		super_put(done);
}

/* --- on block devices: mount_bdev.c --- */

struct dev_search {
	devnum_t dev;
	struct super *found;
	bool leaving;
};

static void
search_dev(struct dev_search *search)
{
	struct super *s;

	search->found = NULL;
	search->leaving = false;
	mutex_lock(&supers_lock);
	list_for_each_entry(s, &supers, node)
	{
		if (!s->bdev || s->dev != search->dev)
			continue;
		if (ref_try_get(&s->ref))
			search->found = s;
		else
			search->leaving = true;
		break;
	}
	mutex_unlock(&supers_lock);
}

static bool
dev_settled(struct dev_search *search)
{
	search_dev(search);
	return !search->leaving;
}

struct super *
super_find_dev(devnum_t dev)
{
	struct dev_search search = { .dev = dev };

	wait_event(&super_gone, dev_settled(&search));
	return search.found;
}
