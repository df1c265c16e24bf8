/* SPDX-License-Identifier: MIT */
/* statfs(2): what the file system says, and the flags of the mount. */
#include "uapi/statfs.h"
#include "fs/vfs/device.h"
#include "generated/syscalls.h"
#include "uapi/major.h"
#include "uapi/mount.h"
#include "vfs_internal.h"

int
path_statfs(const struct path *p, struct linux_statfs *st)
{
	struct super *s = p->dentry->super;
	u32 flags = p->mnt->flags | (s->flags & (MS_RDONLY | MS_SYNCHRONOUS | MS_MANDLOCK));
	int err;

	memset(st, 0, sizeof(*st));
	st->f_type = (s64)s->magic;
	st->f_bsize = s->block_size;
	st->f_namelen = NAME_MAX;
	st->f_fsid.val[0] = (s32)dev_encode(DEV_MAJOR(s->dev), DEV_MINOR(s->dev));
	err = s->ops && s->ops->statfs ? s->ops->statfs(s, st) : 0;
	if (err)
		return err;
	if (!st->f_frsize)
		st->f_frsize = st->f_bsize;
	st->f_flags = ST_VALID;
	/* The low bits are those of mount(2); the others moved. */
	st->f_flags |= flags & (MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_SYNCHRONOUS |
				MS_MANDLOCK | MS_NOATIME | MS_NODIRATIME);
	if (flags & MS_RELATIME)
		st->f_flags |= ST_RELATIME;
	if (flags & MS_NOSYMFOLLOW)
		st->f_flags |= ST_NOSYMFOLLOW;
	return 0;
}

long
sys_statfs(user_ptr path, user_ptr buf)
{
	struct linux_statfs st;
	struct path p;
	int err = path_lookup_user(AT_FDCWD, path, WALK_FOLLOW, &p);

	if (err)
		return err;
	err = path_statfs(&p, &st);
	path_put(&p);
	return err ? err : copy_to_user(buf, &st, sizeof(st));
}

long
sys_fstatfs(int fd, user_ptr buf)
{
	struct fd_ref r = fd_lookup_path(fd);
	struct linux_statfs st;
	int err;

	if (!r.file)
		return -EBADF;
	err = path_statfs(&r.file->path, &st);
	fd_release(r);
	return err ? err : copy_to_user(buf, &st, sizeof(st));
}
