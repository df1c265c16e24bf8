/* SPDX-License-Identifier: MIT */
/*
 * Files of tmpfs: bytes live in the page cache only. Absent pages are holes. Each page is charged
 * to the file system (and counted in st_blocks) as it is made. Seals (memfd_create(2), fcntl(2)
 * F_ADD_SEALS) are looked at under the inode's lock where bytes or size change.
 */
#include "fs/vfs/path.h"
#include "mm/mm.h"
#include "mm/vmalloc.h"
#include "tmpfs_internal.h"
#include "uapi/mman.h"

/* --- pages --- */

static int
charge_page(struct mapping *m, struct page *page, u32 offset, u32 len)
{
	struct inode *i = m->host;
	int err = tmpfs_charge_blocks(i->super, 1);

	if (!err)
		__atomic_fetch_add(&i->blocks, PAGE_SIZE / 512, __ATOMIC_RELAXED);
	return err;
}

static void
uncharge_page(struct mapping *m, struct page *page)
{
	struct inode *i = m->host;

	tmpfs_uncharge_blocks(i->super, 1);
	__atomic_fetch_sub(&i->blocks, PAGE_SIZE / 512, __ATOMIC_RELAXED);
}

const struct mapping_ops tmpfs_mapping_ops = {
	.prepare_dirty = charge_page,
	.page_removed = uncharge_page,
};

/* --- writing and sizes --- */

/* Inode locked. Writing beyond the end is cut by a grow seal. */
static int
check_seals(struct inode *i, struct iov_iter *it, u64 pos)
{
	u32 seals = tmpfs_inode_of(i)->seals;

	if (likely(!(seals & (F_SEAL_WRITE | F_SEAL_FUTURE_WRITE | F_SEAL_GROW))))
		return 0;
	if (seals & (F_SEAL_WRITE | F_SEAL_FUTURE_WRITE))
		return -EPERM;
	if (pos >= i->size)
		return -EPERM;
	iter_truncate(it, i->size - pos);
	return 0;
}

static ssize_t
tmpfs_write(struct file *f, struct iov_iter *it, u64 *pos)
{
	int err = file_write_begin(f, it, pos);

	if (unlikely(err))
		return err < 0 ? err : 0;
	err = check_seals(f->inode, it, *pos);
	if (unlikely(err)) {
		file_write_abort(f);
		return err;
	}
	return file_write_end(f, it, pos);
}

int
tmpfs_setattr(struct inode *i, const struct attr_change *c)
{
	u32 seals = tmpfs_inode_of(i)->seals;
	int err;

	if (c->valid & ATTR_SIZE) {
		if (c->size < i->size && (seals & F_SEAL_SHRINK))
			return -EPERM;
		if (c->size > i->size && (seals & F_SEAL_GROW))
			return -EPERM;
	}
	err = setattr_generic(i, c);
	return !err && (c->valid & ATTR_MODE) ? tmpfs_acl_chmod(i) : err;
}

/* --- fallocate(2) --- */

static int
allocate(struct inode *i, u64 offset, u64 len, bool keep_size)
{
	u64 first = offset >> PAGE_SHIFT, last = (offset + len - 1) >> PAGE_SHIFT;
	struct page *page;
	int err = 0;

	if (!keep_size && offset + len > i->size && (tmpfs_inode_of(i)->seals & F_SEAL_GROW))
		return -EPERM;
	for (u64 index = first; index <= last; index++) {
		err = thread_signal_pending(thread_current())
			      ? -EINTR
			      : mapping_get_locked(&i->mapping, index, &page);
		if (err) {
			/* What was made beyond the end is given back; below it, pages of zeroes
			 * change nothing. */
			u64 made_from = MAX(first << PAGE_SHIFT, ALIGN_UP(i->size, PAGE_SIZE));

			if (index << PAGE_SHIFT > made_from)
				mapping_punch(&i->mapping, made_from, index << PAGE_SHIFT);
			return err == -ENOMEM ? -ENOSPC : err;
		}
		page_unlock(page);
		page_put(page);
	}
	if (!keep_size && offset + len > i->size)
		WRITE_ONCE(i->size, offset + len);
	inode_touch(i, ATTR_MODE);
	return 0;
}

static int
tmpfs_fallocate(struct file *f, int mode, u64 offset, u64 len)
{
	struct inode *i = f->inode;
	int err = 0;

	if (mode & ~(FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE))
		return -EOPNOTSUPP;
	rwsem_write_lock(&i->lock);
	if (mode & FALLOC_FL_PUNCH_HOLE) {
		if (tmpfs_inode_of(i)->seals & (F_SEAL_WRITE | F_SEAL_FUTURE_WRITE)) {
			err = -EPERM;
		} else {
			mapping_punch(&i->mapping, offset, offset + len);
			inode_touch(i, ATTR_MTIME);
		}
	} else {
		err = allocate(i, offset, len, mode & FALLOC_FL_KEEP_SIZE);
	}
	rwsem_write_unlock(&i->lock);
	return err;
}

/* --- mappings and seals --- */

static int
tmpfs_mmap(struct file *f, struct mm_map_request *rq)
{
	u32 seals = READ_ONCE(tmpfs_inode_of(f->inode)->seals);

	if ((seals & (F_SEAL_WRITE | F_SEAL_FUTURE_WRITE)) &&
	    (rq->map_flags & MAP_TYPE) != MAP_PRIVATE) {
		if (rq->prot & PROT_WRITE)
			return -EPERM;
		rq->vm_extra &= ~VM_MAYWRITE;
	}
	return file_mmap_cached(f, rq);
}

static long
tmpfs_seals(struct file *f, bool add, u32 seals)
{
	struct inode *i = f->inode;
	struct tmpfs_inode *ti = tmpfs_inode_of(i);
	long err = 0;

	if (!add)
		return READ_ONCE(ti->seals);
	if (!(f->mode & FMODE_WRITE))
		return -EPERM;
	if (seals &
	    ~(u32)(F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_FUTURE_WRITE))
		return -EINVAL;
	rwsem_write_lock(&i->lock);
	if (ti->seals & F_SEAL_SEAL)
		err = -EPERM;
	else if ((seals & F_SEAL_WRITE) && !(ti->seals & F_SEAL_WRITE) &&
		 atomic_read(&i->mapping.writable_maps) > 0)
		err = -EBUSY;
	else
		ti->seals |= seals;
	rwsem_write_unlock(&i->lock);
	return err;
}

#define COMMON_OPS                                                                        \
	.setattr = tmpfs_setattr, .getxattr = tmpfs_getxattr, .setxattr = tmpfs_setxattr, \
	.listxattr = tmpfs_listxattr, .removexattr = tmpfs_removexattr

const struct inode_ops tmpfs_file_inode_ops = { COMMON_OPS };
const struct inode_ops tmpfs_file_acl_ops = { COMMON_OPS, .permission = tmpfs_permission };
/* Links, devices, pipes, sockets. */
const struct inode_ops tmpfs_special_inode_ops = { COMMON_OPS };
const struct inode_ops tmpfs_special_acl_ops = { COMMON_OPS, .permission = tmpfs_permission };

const struct file_ops tmpfs_file_ops = {
	.read = file_read_cached,
	.write = tmpfs_write,
	.seek = file_seek_size,
	.mmap = tmpfs_mmap,
	.fallocate = tmpfs_fallocate,
	.seals = tmpfs_seals,
};
