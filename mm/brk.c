/* SPDX-License-Identifier: MIT */
/*
 * brk(2): the heap is an anonymous mapping that ends at the break; moving the break maps and unmaps
 * whole pages.
 */
#include "generated/syscalls.h"
#include "mm_internal.h"
#include "sched/thread.h"
#include "uapi/mman.h"
#include "vma.h"

void
mm_set_brk(struct mm *mm, u64 start)
{
	mm->start_brk = mm->brk = start;
}

static bool
brk_over_limit(const struct mm *mm, u64 brk)
{
	struct mm_limits limits;

	if (!mm_get_limits)
		return false;
	mm_get_limits(&limits);
	return limits.data != UINT64_MAX &&
	       brk - mm->start_brk + (mm->end_data - mm->start_data) > limits.data;
}

/* The result is the break as it is afterwards: there is no error. */
long
sys_brk(unsigned long brk)
{
	struct mm *mm = thread_current()->mm;
	u64 old_end, new_end;
	bool populate = false;

	if (rwsem_write_lock_killable(&mm->mmap_lock))
		return -EINTR;
	if (brk < mm->start_brk || brk > USER_END - PAGE_SIZE || brk_over_limit(mm, brk))
		goto out_unlock;
	old_end = ALIGN_UP(mm->brk, PAGE_SIZE);
	new_end = ALIGN_UP(brk, PAGE_SIZE);
	if (new_end < old_end) {
		if (mm_unmap_locked(mm, new_end, old_end - new_end))
			goto out_unlock;
	} else if (new_end > old_end) {
		struct vma *next = vma_find(mm, old_end);
		u64 gap = next && (next->flags & VM_GROWSDOWN) ? STACK_GUARD_GAP : PAGE_SIZE;
		struct mm_map_request rq = {
			.addr = old_end,
			.len = new_end - old_end,
			.prot = PROT_READ | PROT_WRITE,
			.map_flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE,
		};

		if (next && next->start < new_end + gap)
			goto out_unlock;
		if (mm_map_locked(mm, &rq) < 0)
			goto out_unlock;
		populate = (mm->def_flags & (VM_LOCKED | VM_LOCKONFAULT)) == VM_LOCKED;
	}
	mm->brk = brk;
	mm_write_unlock(mm);
	if (populate)
		(void)mm_populate(mm, old_end, new_end - old_end);
	return (long)brk;

out_unlock:
	brk = mm->brk;
	mm_write_unlock(mm);
	return (long)brk;
}
