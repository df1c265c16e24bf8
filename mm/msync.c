/* SPDX-License-Identifier: MIT */
/*
 * msync(2): shared file mappings see their dirty pages written. Reads and writes of the file use
 * the same pages, so there is nothing else to keep in step.
 */
#include "generated/syscalls.h"
#include "mm_internal.h"
#include "sched/thread.h"
#include "uapi/mman.h"
#include "vma.h"

static int
sync_vma(struct vma *v, u64 start, u64 end, u32 flags)
{
	u64 offset = (v->pgoff << PAGE_SHIFT) + (start - v->start);

	if ((flags & MS_INVALIDATE) && (v->flags & VM_LOCKED))
		return -EBUSY;
	if (!(flags & MS_SYNC) || !(v->flags & VM_SHARED) || !v->mapping)
		return 0;
	if (v->ops && v->ops->msync)
		return v->ops->msync(v, start, end, flags);
	return mapping_writeback(v->mapping, offset, offset + (end - start), true);
}

long
sys_msync(unsigned long addr, size_t len, int flags)
{
	struct mm *mm = thread_current()->mm;
	u64 start = addr, end;
	bool hole = false;
	struct vma *v;
	int err = 0;

	if ((flags & ~(MS_ASYNC | MS_INVALIDATE | MS_SYNC)) || (addr & ~PAGE_MASK) ||
	    ((flags & MS_ASYNC) && (flags & MS_SYNC)))
		return -EINVAL;
	end = start + ALIGN_UP(len, PAGE_SIZE);
	if (end < start || (len && !ALIGN_UP(len, PAGE_SIZE)))
		return -ENOMEM;
	rwsem_read_lock(&mm->mmap_lock);
	for (v = vma_find(mm, start); start < end && !err; v = vma_next(v)) {
		if (!v || v->start >= end) {
			hole = true;
			break;
		}
		if (v->start > start) {
			hole = true;
			start = v->start;
		}
		err = sync_vma(v, start, MIN(end, v->end), (u32)flags);
		start = v->end;
	}
	rwsem_read_unlock(&mm->mmap_lock);
	return err ? err : hole ? -ENOMEM : 0;
}
