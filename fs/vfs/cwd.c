/* SPDX-License-Identifier: MIT */
/*
 * Where a task stands: its root, working directory and umask. chdir(2), chroot(2), getcwd(2),
 * umask(2).
 *
 * The context may be shared (CLONE_FS). Path walk copies it under RCU by its sequence; who changes
 * it holds the lock, and drops the old references afterwards: what they held is freed after a grace
 * period at the earliest.
 */
#include "core/panic.h"
#include "generated/syscalls.h"
#include "mount_internal.h"

struct fs_context root_fs_context = {
	.ref = REF_INIT,
	.lock = SPINLOCK_INIT(RANK_FS),
	.umask = 0022,
};

void
fs_context_init_root(const struct path *root)
{
	root_fs_context.root = root_fs_context.cwd = *root;
	path_get(root);
	path_get(root);
}

int
fs_context_dup(struct fs_context *old, struct fs_context **out)
{
	struct fs_context *fs = kzalloc(sizeof(*fs), GFP_KERNEL);

	if (!fs)
		return -ENOMEM;
	ref_init(&fs->ref);
	spin_init(&fs->lock, RANK_FS);
	fs->umask = old->umask;
	fs_context_paths(old, &fs->root, &fs->cwd);
	*out = fs;
	return 0;
}

struct fs_context *
fs_context_get(struct fs_context *fs)
{
	ref_get(&fs->ref);
	return fs;
}

void
fs_context_put(struct fs_context *fs)
{
	if (!ref_put(&fs->ref))
		return;
	path_put(&fs->root);
	path_put(&fs->cwd);
	kfree(fs);
}

void
fs_context_paths(struct fs_context *fs, struct path *root, struct path *cwd)
{
	spin_lock(&fs->lock);
	if (root) {
		*root = fs->root;
		path_get(root);
	}
	if (cwd) {
		*cwd = fs->cwd;
		path_get(cwd);
	}
	spin_unlock(&fs->lock);
}

void
fs_context_set(struct fs_context *fs, const struct path *root, const struct path *cwd)
{
	struct path old_root = { NULL, NULL }, old_cwd = { NULL, NULL };

	if (root)
		path_get(root);
	if (cwd)
		path_get(cwd);
	spin_lock(&fs->lock);
	seq_write_begin(&fs->seq);
	if (root) {
		old_root = fs->root;
		fs->root = *root;
	}
	if (cwd) {
		old_cwd = fs->cwd;
		fs->cwd = *cwd;
	}
	seq_write_end(&fs->seq);
	spin_unlock(&fs->lock);
	if (root)
		path_put(&old_root);
	if (cwd)
		path_put(&old_cwd);
}

static bool
same_path(const struct path *a, const struct path *b)
{
	return a->mnt == b->mnt && a->dentry == b->dentry;
}

static void
replace_in(struct fs_context *fs, const struct path *old, const struct path *new)
{
	struct path root, cwd;

	fs_context_paths(fs, &root, &cwd);
	if (same_path(&root, old) || same_path(&cwd, old))
		fs_context_set(fs, same_path(&root, old) ? new : NULL,
			       same_path(&cwd, old) ? new : NULL);
	path_put(&root);
	path_put(&cwd);
}

void
fs_context_replace_all(const struct path *old, const struct path *new)
{
	struct process *p;
	struct task *t;

	replace_in(&root_fs_context, old, new);
	for (int pid = 1; (p = process_next(&pid)); pid++) {
		for (int tid = 1; (t = process_next_thread(p, &tid)); tid++) {
			unsigned long irq = spin_lock_irqsave(&t->lock);
			struct fs_context *fs = t->fs ? fs_context_get(t->fs) : NULL;

			spin_unlock_irqrestore(&t->lock, irq);
			if (fs) {
				replace_in(fs, old, new);
				fs_context_put(fs);
			}
			task_put(t);
		}
		process_put(p);
	}
}

/* --- system calls --- */

static long
change_dir(const struct path *p)
{
	int err = inode_permission(p->dentry->inode, MAY_EXEC);

	if (!err)
		fs_context_set(current->fs, NULL, p);
	return err;
}

long
sys_chdir(user_ptr path)
{
	struct path p;
	long err = path_lookup_user(AT_FDCWD, path, WALK_FOLLOW | WALK_DIRECTORY, &p);

	if (err)
		return err;
	err = change_dir(&p);
	path_put(&p);
	return err;
}

long
sys_fchdir(int fd)
{
	struct fd_ref f = fd_lookup_path(fd);
	long err = -ENOTDIR;

	if (!f.file)
		return -EBADF;
	if (S_ISDIR(f.file->inode->mode))
		err = change_dir(&f.file->path);
	fd_release(f);
	return err;
}

long
sys_chroot(user_ptr path)
{
	struct path p;
	long err = path_lookup_user(AT_FDCWD, path, WALK_FOLLOW | WALK_DIRECTORY, &p);

	if (err)
		return err;
	err = inode_permission(p.dentry->inode, MAY_EXEC);
	if (!err && !ns_capable(current_cred()->user_ns, CAP_SYS_CHROOT))
		err = -EPERM;
	if (!err)
		fs_context_set(current->fs, &p, NULL);
	path_put(&p);
	return err;
}

#define CWD_SMALL 256

long
sys_getcwd(user_ptr buf, size_t size)
{
	char small[CWD_SMALL], *text, *page = NULL;
	struct path root, cwd;
	bool reached;
	size_t len;
	long ret;

	fs_context_paths(current->fs, &root, &cwd);
	ret = -ENOENT;
	if ((cwd.dentry->flags & DENTRY_UNHASHED) && !dentry_is_root(cwd.dentry))
		goto out;
	text = path_text_reach(&cwd, &root, small, sizeof(small), &reached);
	if (!text) {
		ret = -ENOMEM;
		page = kmalloc(PATH_MAX, GFP_KERNEL);
		if (!page)
			goto out;
		ret = -ENAMETOOLONG;
		text = path_text_reach(&cwd, &root, page, PATH_MAX, &reached);
		if (!text)
			goto out;
	}
	len = strlen(text) + 1;
	if (!reached) {
		static const char prefix[] = "(unreachable)";

		ret = -ERANGE;
		if (len + sizeof(prefix) - 1 > size)
			goto out;
		ret = -EFAULT;
		if (copy_to_user(buf, prefix, sizeof(prefix) - 1) ||
		    copy_to_user(user_ptr_add(buf, sizeof(prefix) - 1), text, len))
			goto out;
		ret = (long)(len + sizeof(prefix) - 1);
		goto out;
	}
	ret = -ERANGE;
	if (len > size)
		goto out;
	ret = copy_to_user(buf, text, len) ? -EFAULT : (long)len;
out:
	kfree(page);
	path_put(&root);
	path_put(&cwd);
	return ret;
}

long
sys_umask(umode_t mask)
{
	struct fs_context *fs = current->fs;
	u32 old;

	spin_lock(&fs->lock);
	old = fs->umask;
	fs->umask = mask & S_IRWXUGO;
	spin_unlock(&fs->lock);
	return old;
}
