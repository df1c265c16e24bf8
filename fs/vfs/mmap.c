/* SPDX-License-Identifier: MIT */
/*
 * mmap(2): from a descriptor to a mapping of the address space. The file decides what stands behind
 * (file_ops.mmap), mm does the rest. A mapping holds its file, as a descriptor does.
 */
#include "fs/vfs/device.h"
#include "generated/syscalls.h"
#include "lib/format.h"
#include "mm/mm.h"
#include "uapi/major.h"
#include "uapi/mman.h"
#include "uapi/mount.h"
#include "vfs_internal.h"

#define KNOWN_FLAGS                                                                              \
	(MAP_TYPE | MAP_FIXED | MAP_ANONYMOUS | MAP_GROWSDOWN | MAP_DENYWRITE | MAP_EXECUTABLE | \
	 MAP_LOCKED | MAP_NORESERVE | MAP_POPULATE | MAP_NONBLOCK | MAP_STACK | MAP_HUGETLB |    \
	 MAP_FIXED_NOREPLACE | MAP_32BIT | MAP_UNINITIALIZED |                                   \
	 ((u32)MAP_HUGE_MASK << MAP_HUGE_SHIFT))

/* --- what mm asks of a mapped file --- */

static void
vma_open(struct vma *v)
{
	file_get(v->owner);
}

static void
vma_close(struct vma *v)
{
	/* mmap_lock is held: what releasing takes may rank below. */
	file_put_late(v->owner);
}

static void
vma_describe(struct vma *v, struct strbuf *path, u64 *dev, u64 *ino)
{
	struct file *f = v->owner;
	char *buf = kmalloc(PATH_MAX, GFP_KERNEL), *text;

	*dev = f->inode->super->dev;
	*ino = f->inode->ino;
	if (!buf)
		return;
	text = path_text(&f->path, NULL, buf, PATH_MAX);
	strbuf_puts(path, text ? text : "//toolong");
	kfree(buf);
}

static int
vma_msync(struct vma *v, u64 start, u64 end, u32 flags)
{
	struct file *f = v->owner;
	u64 from = (v->pgoff << PAGE_SHIFT) + (start - v->start);

	if (!(flags & MS_SYNC) || !(v->flags & VM_SHARED) || !f->ops->fsync)
		return 0;
	return file_sync_range(f, from, from + (end - start) - 1, true);
}

const struct vma_ops file_vma_ops = {
	.open = vma_open,
	.close = vma_close,
	.describe = vma_describe,
	.msync = vma_msync,
};

int
file_mmap_cached(struct file *f, struct mm_map_request *rq)
{
	rq->mapping = f->mapping;
	rq->ops = &file_vma_ops;
	inode_touch_atime(f->path.mnt, f->inode);
	return 0;
}

/* --- mmap(2) --- */

static int
check_file(struct file *f, struct mm_map_request *rq)
{
	u32 type = rq->map_flags & MAP_TYPE;

	rq->vm_extra = VM_MAYREAD | VM_MAYWRITE | VM_MAYEXEC;
	switch (type) {
	case MAP_SHARED_VALIDATE:
		if (rq->map_flags & ~(u32)KNOWN_FLAGS)
			return -EOPNOTSUPP;
		__fallthrough;
	case MAP_SHARED:
		if ((rq->prot & PROT_WRITE) && !(f->mode & FMODE_WRITE))
			return -EACCES;
		if ((f->inode->flags & INODE_APPEND) && (f->mode & FMODE_WRITE))
			return -EACCES;
		if (!(f->mode & FMODE_WRITE))
			rq->vm_extra &= ~VM_MAYWRITE;
		__fallthrough;
	case MAP_PRIVATE:
		if (!(f->mode & FMODE_READ))
			return -EACCES;
		if (f->path.mnt->flags & MS_NOEXEC) {
			if (rq->prot & PROT_EXEC)
				return -EPERM;
			rq->vm_extra &= ~VM_MAYEXEC;
		}
		if (!f->ops->mmap)
			return -ENODEV;
		return rq->map_flags & MAP_GROWSDOWN ? -EINVAL : 0;
	default: return -EINVAL;
	}
}

long
file_map(struct mm *mm, struct file *f, struct mm_map_request *rq)
{
	long ret = check_file(f, rq);

	if (ret)
		return ret;
	ret = f->ops->mmap(f, rq);
	if (ret)
		return ret;
	/* /dev/zero and the like leave nothing behind: anonymous memory. */
	if (rq->ops == &file_vma_ops || (rq->ops && !rq->owner)) {
		rq->owner = f;
		file_get(f);
	}
	ret = mm_map(mm, rq);
	if (ret < 0 && rq->owner == f)
		file_put(f);
	return ret;
}

long
sys_mmap(unsigned long addr, size_t length, unsigned long prot, unsigned long flags, int fd,
	 loff_t offset)
{
	struct mm_map_request rq = {
		.addr = addr,
		.len = length,
		.prot = (u32)prot,
		.map_flags = (u32)flags,
		.pgoff = (u64)offset >> PAGE_SHIFT,
	};
	u32 type = flags & MAP_TYPE;
	struct fd_ref r;
	long ret;

	if (offset & (PAGE_SIZE - 1))
		return -EINVAL;
	if (flags & MAP_ANONYMOUS) {
		if (flags & MAP_HUGETLB)
			return -EINVAL; /* no pool of huge pages: as built without it */
		if (type != MAP_SHARED && type != MAP_PRIVATE)
			return -EINVAL;
		if (!length)
			return -EINVAL;
		return mm_map(current->thread.mm, &rq);
	}
	r = fd_lookup(fd);
	if (!r.file)
		return -EBADF;
	if (flags & MAP_HUGETLB)
		ret = -EINVAL;
	else if (!length)
		ret = -EINVAL;
	else
		ret = file_map(current->thread.mm, r.file, &rq);
	fd_release(r);
	return ret;
}
