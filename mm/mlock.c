/* SPDX-License-Identifier: MIT */
/*
 * mlock(2) and relatives, and faulting ranges in ahead of use (MAP_POPULATE).
 *
 * A locked mapping is one whose pages are all present and which reclaim passes over (rmap.c for
 * pages of mappings, swap_out.c for private ones); limits and counters are Linux's.
 */
#include "generated/syscalls.h"
#include "mm_internal.h"
#include "sched/sched.h"
#include "uapi/mman.h"
#include "vma.h"

/* One page of v; mmap_lock held for reading. */
static int
populate_page(struct vma *v, u64 addr, bool write)
{
	bool major = false;
	int err;

	do {
		err = fault_page(v, addr, write ? FAULT_WRITE : FAULT_READ, &major);
	} while (err == -EAGAIN);
	return err;
}

int
populate_range(struct mm *mm, u64 start, u64 end, enum populate_how how)
{
	u64 addr = start;
	int err = 0;

	while (addr < end && !err) {
		struct vma *v;
		u64 stop;
		bool write;

		if (rwsem_read_lock_killable(&mm->mmap_lock))
			return -EINTR;
		v = vma_find(mm, addr);
		if (!v || v->start > addr) {
			rwsem_read_unlock(&mm->mmap_lock);
			return -ENOMEM;
		}
		/*
		 * Private writable pages get their copies now; nothing is made dirty for looking at
		 * it.
		 */
		write = how == POPULATE_WRITE || (how == POPULATE_DEFAULT &&
						  (v->flags & (VM_WRITE | VM_SHARED)) == VM_WRITE);
		if (!(v->flags & (write ? VM_WRITE : VM_READ | VM_WRITE | VM_EXEC)))
			err = how == POPULATE_DEFAULT ? -EFAULT : -EINVAL;
		/* In pieces, so that others get at the lock. */
		stop = MIN(end, MIN(v->end, addr + HUGE_SIZE));
		for (; addr < stop && !err; addr += PAGE_SIZE) {
			if (thread_fatal_pending && thread_fatal_pending(thread_current()))
				err = -EINTR;
			else
				err = populate_page(v, addr, write);
		}
		rwsem_read_unlock(&mm->mmap_lock);
		sched_cond_resched();
	}
	return err;
}

int
mm_populate(struct mm *mm, u64 addr, u64 len)
{
	return populate_range(mm, addr, addr + len, POPULATE_DEFAULT);
}

/* Set or clear lock flags of [start, end). */
static int
lock_range(struct mm *mm, u64 start, u64 end, u32 set)
{
	struct vma *v = vma_find(mm, start);
	int err;

	if (!v || v->start > start)
		return -ENOMEM;
	while (start < end) {
		u64 stop;

		if (!v || v->start > start)
			return -ENOMEM;
		stop = MIN(end, v->end);
		if ((v->flags & (VM_LOCKED | VM_LOCKONFAULT)) != set &&
		    !(v->flags & (VM_SPECIAL | VM_IO))) {
			if (v->start < start) {
				err = vma_split(mm, v, start, &v);
				if (err)
					return err;
			}
			if (v->end > stop) {
				err = vma_split(mm, v, stop, NULL);
				if (err)
					return err;
			}
			vma_write_begin(v);
			mm_account(mm, v->flags & ~(u32)VM_ACCOUNT, vma_pages(v), -1);
			v->flags = (v->flags & ~(u32)(VM_LOCKED | VM_LOCKONFAULT)) | set;
			mm_account(mm, v->flags & ~(u32)VM_ACCOUNT, vma_pages(v), 1);
			v = vma_merge(mm, v);
		}
		start = stop;
		if (v->end <= start)
			v = vma_next(v);
	}
	return 0;
}

static long
lock_user(u64 addr, size_t len, u32 set)
{
	struct mm *mm = thread_current()->mm;
	struct mm_limits limits = { .memlock = UINT64_MAX };
	u64 start = addr & PAGE_MASK, pages;
	int err;

	if (mm_get_limits)
		mm_get_limits(&limits);
	if (set && !limits.memlock && !limits.memlock_exempt)
		return -EPERM;
	len = ALIGN_UP(len + (addr - start), PAGE_SIZE);
	pages = len >> PAGE_SHIFT;
	if (start + len < start)
		return -EINVAL;
	if (rwsem_write_lock_killable(&mm->mmap_lock))
		return -EINTR;
	err = 0;
	if (set && !limits.memlock_exempt && mm->locked_vm + pages > limits.memlock >> PAGE_SHIFT) {
		/* What is locked already counts once. */
		for (struct vma *v = vma_find(mm, start); v && v->start < start + len;
		     v = vma_next(v)) {
			if (v->flags & VM_LOCKED)
				pages -= (MIN(v->end, start + len) - MAX(v->start, start)) >>
					 PAGE_SHIFT;
		}
		if (mm->locked_vm + pages > limits.memlock >> PAGE_SHIFT)
			err = -ENOMEM;
	}
	if (!err && len)
		err = lock_range(mm, start, start + len, set);
	mm_write_unlock(mm);
	if (!err && len && set == VM_LOCKED) {
		err = populate_range(mm, start, start + len, POPULATE_DEFAULT);
		err = err == -EFAULT ? -ENOMEM : err == -ENOMEM ? -EAGAIN : err;
	}
	return err;
}

long
sys_mlock(unsigned long addr, size_t len)
{
	return lock_user(addr, len, VM_LOCKED);
}

long
sys_mlock2(unsigned long addr, size_t len, int flags)
{
	if (flags & ~MLOCK_ONFAULT)
		return -EINVAL;
	return lock_user(addr, len, flags & MLOCK_ONFAULT ? VM_LOCKED | VM_LOCKONFAULT : VM_LOCKED);
}

long
sys_munlock(unsigned long addr, size_t len)
{
	return lock_user(addr, len, 0);
}

static void
lock_all(struct mm *mm, u32 set)
{
	struct vma *v, *next;

	for (v = vma_first(mm); v; v = next) {
		u64 end = v->end;

		/* Failure to split cannot be: whole mappings only. */
		(void)lock_range(mm, v->start, v->end, set);
		next = vma_find(mm, end);
	}
}

long
sys_mlockall(int flags)
{
	struct mm *mm = thread_current()->mm;
	struct mm_limits limits = { .memlock = UINT64_MAX };
	u32 set = flags & MCL_ONFAULT ? VM_LOCKED | VM_LOCKONFAULT : VM_LOCKED;

	if (!flags || (flags & ~(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT)) || flags == MCL_ONFAULT)
		return -EINVAL;
	if (mm_get_limits)
		mm_get_limits(&limits);
	if (!limits.memlock && !limits.memlock_exempt)
		return -EPERM;
	if (rwsem_write_lock_killable(&mm->mmap_lock))
		return -EINTR;
	if ((flags & MCL_CURRENT) && !limits.memlock_exempt &&
	    mm->total_vm > limits.memlock >> PAGE_SHIFT) {
		mm_write_unlock(mm);
		return -ENOMEM;
	}
	mm->def_flags = flags & MCL_FUTURE ? set : 0;
	if (flags & MCL_CURRENT)
		lock_all(mm, set);
	mm_write_unlock(mm);
	if ((flags & MCL_CURRENT) && set == VM_LOCKED) {
		u64 addr = 0;

		for (;;) {
			struct vma *v;
			u64 start, end;

			rwsem_read_lock(&mm->mmap_lock);
			v = vma_find(mm, addr);
			start = v ? v->start : 0;
			end = v ? v->end : 0;
			rwsem_read_unlock(&mm->mmap_lock);
			if (!v)
				break;
			(void)mm_populate(mm, start, end - start);
			addr = end;
		}
	}
	return 0;
}

long
sys_munlockall(void)
{
	struct mm *mm = thread_current()->mm;

	if (rwsem_write_lock_killable(&mm->mmap_lock))
		return -EINTR;
	mm->def_flags = 0;
	lock_all(mm, 0);
	mm_write_unlock(mm);
	return 0;
}
