/* SPDX-License-Identifier: MIT */
/* ioctl(2) on files and directories: flags (chattr(1)), project ids, fiemap, fstrim, labels. */
#include "uapi/ioctl.h"
#include "ext4_internal.h"
#include "fs/vfs/mount.h"
#include "mm/mapping.h"
#include "mm/user.h"
#include "task/cred.h"
#include "uapi/mount.h"

/* --- flags --- */

static u32
visible_flags(const struct ext4_node *n)
{
	u32 flags = n->flags & EXT4_USER_VISIBLE;

	return S_ISREG(n->inode->mode) ? flags & ~EXT4_PROJINHERIT_FL : flags;
}

/* Under a handle of its own; inode locked. */
static int
store_flags(struct inode *i, u32 flags, u32 projid)
{
	struct ext4_node *n = ext4_node_of(i);
	struct journal_handle *h;
	int err = ext4_start(n->fs, CREDITS_INODE, &h), end;

	if (err)
		return err;
	n->flags = flags;
	n->projid = projid;
	ext4_flags_to_inode(i);
	WRITE_ONCE(i->times.ctime, inode_now(i));
	i->version++;
	err = ext4_inode_store(h, i);
	end = ext4_stop(h);
	return err ? err : end;
}

static int
change_flags(struct file *f, u32 wanted, const u32 *projid)
{
	struct inode *i = f->inode;
	struct ext4_node *n = ext4_node_of(i);
	u32 allowed = EXT4_USER_MODIFIABLE, old;
	int err = mount_want_write(f->path.mnt);

	if (err)
		return err;
	if (!S_ISDIR(i->mode))
		allowed &= ~(EXT4_DIRSYNC_FL | EXT4_TOPDIR_FL);
	rwsem_write_lock(&i->lock);
	old = n->flags;
	err = inode_owner_or_capable(i) ? 0 : -EPERM;
	if (!err && ((wanted ^ old) & (EXT4_APPEND_FL | EXT4_IMMUTABLE_FL)) &&
	    !capable(CAP_LINUX_IMMUTABLE))
		err = -EPERM;
	/* The format of the map and data=journal do not change here. */
	if (!err && ((wanted ^ old) & (EXT4_EXTENTS_FL | EXT4_JOURNAL_DATA_FL)))
		err = -EOPNOTSUPP;
	if (!err)
		err = store_flags(i, (old & ~allowed) | (wanted & allowed),
				  projid ? *projid : n->projid);
	rwsem_write_unlock(&i->lock);
	mount_drop_write(f->path.mnt);
	return err;
}

/* FS_XFLAG_* of struct fsxattr and the flags they are. */
static const u32 xflags[][2] = {
	{ 0x00000008, EXT4_IMMUTABLE_FL }, { 0x00000010, EXT4_APPEND_FL },
	{ 0x00000020, EXT4_SYNC_FL },	   { 0x00000040, EXT4_NOATIME_FL },
	{ 0x00000080, EXT4_NODUMP_FL },	   { 0x00000200, EXT4_PROJINHERIT_FL },
};

static long
get_fsxattr(struct inode *i, user_ptr arg)
{
	const struct ext4_node *n = ext4_node_of(i);
	struct linux_fsxattr x = { .fsx_projid = n->projid };

	for (u32 k = 0; k < ARRAY_SIZE(xflags); k++)
		if (n->flags & xflags[k][1])
			x.fsx_xflags |= xflags[k][0];
	return copy_to_user(arg, &x, sizeof(x));
}

static long
set_fsxattr(struct file *f, user_ptr arg)
{
	struct ext4_node *n = ext4_node_of(f->inode);
	struct linux_fsxattr x;
	u32 flags = n->flags, known = 0;

	if (copy_from_user(&x, arg, sizeof(x)))
		return -EFAULT;
	for (u32 k = 0; k < ARRAY_SIZE(xflags); k++) {
		known |= xflags[k][0];
		flags = x.fsx_xflags & xflags[k][0] ? flags | xflags[k][1] : flags & ~xflags[k][1];
	}
	if ((x.fsx_xflags & ~known) || x.fsx_extsize)
		return -EOPNOTSUPP;
	if (x.fsx_projid != n->projid && !ext4_ro_compat(n->fs, RO_PROJECT))
		return -EOPNOTSUPP;
	return change_flags(f, flags, &x.fsx_projid);
}

/* --- fiemap --- */

struct fiemap_extent {
	u64 fe_logical, fe_physical, fe_length, fe_reserved64[2];
	u32 fe_flags, fe_reserved[3];
};
struct fiemap_head {
	u64 fm_start, fm_length;
	u32 fm_flags, fm_mapped_extents, fm_extent_count, fm_reserved;
};
#define FIEMAP_FLAG_SYNC	  0x1u
#define FIEMAP_EXTENT_LAST	  0x1u
#define FIEMAP_EXTENT_UNWRITTEN	  0x800u
#define FIEMAP_EXTENT_DATA_INLINE 0x200u
#define FIEMAP_EXTENT_NOT_ALIGNED 0x100u

static long
fiemap(struct file *f, user_ptr arg)
{
	struct inode *i = f->inode;
	struct ext4_fs *fs = ext4_fs_of_inode(i);
	struct fiemap_head head;
	u64 at, end;
	u32 count = 0;
	long err = 0;

	if (copy_from_user(&head, arg, sizeof(head)))
		return -EFAULT;
	if (head.fm_flags & ~FIEMAP_FLAG_SYNC) {
		head.fm_flags &= ~FIEMAP_FLAG_SYNC;
		return copy_to_user(arg, &head, sizeof(head)) ? -EFAULT : -EBADR;
	}
	if (!head.fm_length || head.fm_start > i->super->max_bytes)
		return head.fm_length ? -EFBIG : -EINVAL;
	if (S_ISREG(i->mode) &&
	    ((head.fm_flags & FIEMAP_FLAG_SYNC) || READ_ONCE(ext4_node_of(i)->reserved)))
		err = mapping_writeback(&i->mapping, 0, UINT64_MAX, true);
	end = head.fm_length > i->super->max_bytes - head.fm_start ? i->super->max_bytes
								   : head.fm_start + head.fm_length;
	at = head.fm_start >> fs->block_bits;
	while (!err && at << fs->block_bits < end && at <= UINT32_MAX) {
		struct fiemap_extent e = { 0 };
		struct ext4_map m, next;
		int found = ext4_map_next(i, (u32)at, &m);

		if (found <= 0) {
			err = found;
			break;
		}
		if ((u64)m.lblk << fs->block_bits >= end)
			break;
		at = (u64)m.lblk + m.len;
		if (head.fm_extent_count) {
			if (count == head.fm_extent_count)
				break;
			found = at <= UINT32_MAX ? ext4_map_next(i, (u32)at, &next) : 0;
			if (found < 0) {
				err = found;
				break;
			}
			e.fe_logical = (u64)m.lblk << fs->block_bits;
			e.fe_physical = m.pblk << fs->block_bits;
			e.fe_length = (u64)m.len << fs->block_bits;
			e.fe_flags = (m.flags & MAP_UNWRITTEN ? FIEMAP_EXTENT_UNWRITTEN : 0) |
				     (found ? 0 : FIEMAP_EXTENT_LAST);
			if (copy_to_user(user_ptr_add(arg, sizeof(head) + count * sizeof(e)), &e,
					 sizeof(e)))
				err = -EFAULT;
		}
		count++;
	}
	head.fm_mapped_extents = count;
	if (!err && copy_to_user(arg, &head, sizeof(head)))
		err = -EFAULT;
	return err;
}

/* --- the file system --- */

static long
trim(struct ext4_fs *fs, user_ptr arg)
{
	struct {
		u64 start, len, min_len;
	} range;
	u64 trimmed = 0;
	long err;

	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	if (!fs->dev->disk->limits.max_discard_sectors)
		return -EOPNOTSUPP;
	if (ext4_readonly(fs))
		return -EROFS;
	if (copy_from_user(&range, arg, sizeof(range)))
		return -EFAULT;
	if (range.start >= fs->blocks << fs->block_bits || range.len < fs->block_size ||
	    range.min_len >> fs->block_bits > fs->blocks_per_group)
		return -EINVAL;
	err = ext4_trim(fs, range.start, MIN(range.len, fs->blocks << fs->block_bits),
			range.min_len, &trimmed);
	if (err)
		return err;
	range.len = trimmed;
	return copy_to_user(arg, &range, sizeof(range));
}

static long
get_label(struct ext4_fs *fs, user_ptr arg)
{
	char label[256] = { 0 };

	memcpy(label, fs->es->s_volume_name, sizeof(fs->es->s_volume_name));
	return copy_to_user(arg, label, sizeof(label));
}

long
ext4_ioctl(struct file *f, u32 cmd, u64 raw_arg)
{
	struct inode *i = f->inode;
	struct ext4_node *n = ext4_node_of(i);
	user_ptr arg = user_ptr_of(raw_arg);
	u32 flags;

	switch (cmd) {
	case FS_IOC_GETFLAGS: return put_user(arg, visible_flags(n));
	case FS_IOC_SETFLAGS:
		if (get_user(&flags, arg))
			return -EFAULT;
		return change_flags(f, flags, NULL);
	case FS_IOC_FSGETXATTR: return get_fsxattr(i, arg);
	case FS_IOC_FSSETXATTR: return set_fsxattr(f, arg);
	case FS_IOC_GETVERSION: return put_user(arg, n->generation);
	case FS_IOC_FIEMAP: return fiemap(f, arg);
	case FITRIM: return trim(n->fs, arg);
	case FS_IOC_GETFSLABEL: return get_label(n->fs, arg);
	default: return -ENOTTY;
	}
}
