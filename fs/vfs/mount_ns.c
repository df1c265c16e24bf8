/* SPDX-License-Identifier: MIT */
/*
 * Mount namespaces: mount_namespaces(7). A namespace is one tree of mounts; unshare and clone copy
 * the tree, with peers staying peers. The first namespace begins with "rootfs", a tmpfs that the
 * initramfs is unpacked into.
 */
#include "core/panic.h"
#include "mount_internal.h"
#include "task/user_ns.h"

struct mount_ns *root_mount_ns;

static u64 next_inum = 0xf0000000 + 64;

static struct mount_ns *
ns_alloc(struct user_ns *owner)
{
	struct mount_ns *ns = kzalloc(sizeof(*ns), GFP_KERNEL);

	if (!ns)
		return NULL;
	ref_init(&ns->ref);
	ns->owner = user_ns_get(owner);
	list_init(&ns->mounts);
	ns->inum = __atomic_fetch_add(&next_inum, 1, __ATOMIC_RELAXED);
	return ns;
}

struct mount_ns *
mount_ns_get(struct mount_ns *ns)
{
	ref_get(&ns->ref);
	return ns;
}

void
mount_ns_put(struct mount_ns *ns)
{
	LIST_HEAD(list);

	if (!ref_put(&ns->ref))
		return;
	rwsem_write_lock(&mounts_lock);
	mount_collect_tree(ns->root, &list);
	mount_detach_list(&list);
	rwsem_write_unlock(&mounts_lock);
	mount_release_list(&list);
	user_ns_put(ns->owner);
	kfree(ns);
}

struct user_ns *
mount_ns_owner(const struct mount_ns *ns)
{
	return ns->owner;
}

bool
fs_is_chrooted(void)
{
	struct mount_ns *ns = current_mount_ns();
	struct path top = { ns->root, ns->root->root }, root;

	path_get(&top);
	path_down_mounts(&top);
	fs_context_paths(current_fs(), &root, NULL);
	bool same = root.mnt == top.mnt && root.dentry == top.dentry;
	path_put(&root);
	path_put(&top);
	return !same;
}

int
mount_ns_copy(struct mount_ns *old, struct user_ns *owner, struct mount_ns **out)
{
	struct mount_ns *ns = ns_alloc(owner);
	u32 how = COPY_RECURSIVE | COPY_UNBINDABLE | (owner != old->owner ? COPY_DEMOTE : 0);
	struct mount *m;
	int err;

	if (!ns)
		return -ENOMEM;
	rwsem_write_lock(&mounts_lock);
	err = mount_copy_tree(old->root, old->root->root, how, &ns->root);
	if (!err) {
		if (owner != old->owner)
			mount_lock_tree(ns->root);
		for (m = ns->root; m; m = mount_next_in_tree(m, ns->root))
			mount_join_ns(m, ns);
		/* Unbindable is a property that copies keep. */
	}
	rwsem_write_unlock(&mounts_lock);
	if (err) {
		user_ns_put(owner);
		kfree(ns);
		return err;
	}
	*out = ns;
	return 0;
}

/* The mount of `to` that is the copy of m: the trees have the same shape, m's way up tells where.
 * mounts_lock held. */
static struct mount *
copy_of(struct mount *m, struct mount_ns *to)
{
	struct mount *old = m->ns ? m->ns->root : NULL, *new = to->root;

	while (old && new &&old != m) {
		old = mount_next_in_tree(old, m->ns->root);
		new = mount_next_in_tree(new, to->root);
	}
	return old == m ? new : NULL;
}

static void
move_path(struct path *p, struct mount_ns *to)
{
	struct mount *copy = copy_of(p->mnt, to);

	if (!copy || copy->super != p->mnt->super)
		return;
	mount_get(copy);
	mount_put(p->mnt);
	p->mnt = copy;
}

void
mount_ns_move_fs(struct mount_ns *to, struct fs_context *fs)
{
	struct path root, cwd;

	fs_context_paths(fs, &root, &cwd);
	rwsem_read_lock(&mounts_lock);
	move_path(&root, to);
	move_path(&cwd, to);
	rwsem_read_unlock(&mounts_lock);
	fs_context_set(fs, &root, &cwd);
	path_put(&root);
	path_put(&cwd);
}

int
mount_ns_enter(struct mount_ns *ns, struct fs_context *fs)
{
	struct path p = { ns->root, ns->root->root };

	if (ref_read(&fs->ref) != 1)
		return -EINVAL;
	path_get(&p);
	path_down_mounts(&p);
	fs_context_set(fs, &p, &p);
	path_put(&p);
	return 0;
}

u64
mount_ns_event(struct mount_ns *ns)
{
	return READ_ONCE(ns->event);
}

u64
mount_ns_inum(const struct mount_ns *ns)
{
	return ns->inum;
}

void
vfs_init(void)
{
	const struct fs_type *type = fs_find("rootfs");
	struct mount_ns *ns;
	struct path root;

	dentry_init();
	inode_init();
	writeback_init();
	file_init();
	dnotify_init();
	ns = ns_alloc(&root_user_ns);
	if (!type || !ns)
		panic("vfs: %s",
		      type ? "no memory"
			   : "no file system for the root: filesystems_init comes first");
	ns->root = mount_internal(type);
	if (!ns->root)
		panic("vfs: no memory for the root file system");
	mount_join_ns(ns->root, ns);
	root = (struct path){ ns->root, ns->root->root };
	root_mount_ns = ns;
	fs_context_init_root(&root);
}
