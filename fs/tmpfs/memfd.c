/* SPDX-License-Identifier: MIT */
/* memfd_create(2): a file of tmpfs that no directory knows, on a mount of its own. */
#include "fs/vfs/path.h"
#include "generated/syscalls.h"
#include "lib/format.h"
#include "lib/string.h"
#include "mm/user.h"
#include "sched/mutex.h"
#include "tmpfs_internal.h"
#include "uapi/mman.h"
#include "uapi/mount.h"

#define NAME_LIMIT 249 /* with "memfd:" a name that a directory could have */

static struct mount *memfd_mount;
static struct mutex mount_once = MUTEX_INIT(mount_once, RANK_DIR);

/* An internal mount without limits, made at the first call. */
static struct mount *
get_mount(void)
{
	struct mount *m = smp_load_acquire(&memfd_mount);

	if (likely(m))
		return m;
	mutex_lock(&mount_once);
	m = memfd_mount;
	if (!m) {
		m = mount_internal(fs_find("tmpfs"));
		if (m) {
			tmpfs_super_of(m->super)->max_blocks =
				tmpfs_super_of(m->super)->max_inodes = 0;
			m->flags |= MS_NODEV;
			smp_store_release(&memfd_mount, m);
		}
	}
	mutex_unlock(&mount_once);
	return m;
}

static int
create_file(const char *name, u32 flags, struct file **out)
{
	struct path p = { get_mount(), NULL };
	struct inode *i;
	int err;

	if (!p.mnt)
		return -ENOMEM;
	err = tmpfs_inode_create(p.mnt->super, NULL, S_IFREG | S_IRWXUGO, 0, &i);
	if (err)
		return err;
	i->nlink = 0;
	if (flags & MFD_ALLOW_SEALING)
		tmpfs_inode_of(i)->seals = 0;
	p.dentry = dentry_create_anon(p.mnt->super, name, i);
	if (!p.dentry) {
		inode_put(i);
		return -ENOMEM;
	}
	err = file_open_path(&p, O_RDWR | O_LARGEFILE, out);
	/* No writer that would keep it from being executed: it is by this descriptor only. */
	if (!err)
		file_uncount_writer(*out);
	dentry_put(p.dentry);
	return err;
}

long
sys_memfd_create(user_ptr name_user, unsigned int flags)
{
	char text[NAME_LIMIT + sizeof("/memfd: (deleted)") + 1], name[NAME_LIMIT + 1];
	struct file *f;
	ssize_t len;
	int err;

	if (flags & ~(MFD_CLOEXEC | MFD_ALLOW_SEALING))
		return -EINVAL; /* MFD_HUGETLB: as built without it */
	len = strncpy_from_user(name, name_user, NAME_LIMIT + 1);
	if (len < 0)
		return len == -ENAMETOOLONG ? -EINVAL : len;
	scnprintf(text, sizeof(text), "/memfd:%s (deleted)", name);
	err = create_file(text, flags, &f);
	return err ? err : fd_add(f, flags & MFD_CLOEXEC);
}
