/* SPDX-License-Identifier: MIT */
/*
 * mremap(2): resize a mapping in place, or move it with its pages.
 *
 * Moving takes entries from the old tables to new ones; the pages stay where they are. Both vmas
 * are in the reverse map then, and its lock is held while entries are on the way, so that
 * truncation finds each page on one side or the other.
 */
#include "arch/tlb.h"
#include "generated/syscalls.h"
#include "mm_internal.h"
#include "pagetable.h"
#include "sched/thread.h"
#include "uapi/mman.h"
#include "vma.h"

struct remap {
	u64 old_addr, old_len, new_len;
	u32 flags;
	u64 new_addr;
};

/*
 * Move what is mapped in [old, old + len) of `from` to `new`. Stops early without memory for
 * tables: returns bytes done.
 */
static u64
move_entries(struct vma *from, struct vma *to, u64 old, u64 new, u64 len)
{
	u64 done = 0;

	while (done < len) {
		u64 old_at = old + done, new_at = new + done;
		u64 step = MIN(len - done, MIN(HUGE_SIZE - (old_at & (HUGE_SIZE - 1)),
					       HUGE_SIZE - (new_at & (HUGE_SIZE - 1))));
		pte_t *level1 = mm_level1_find(from->mm, old_at), *other, *src, *dst;

		if (!level1 || pte_none(pte_get(level1))) {
			done += step;
			continue;
		}
		other = mm_level1_create(to->mm, new_at);
		if (!other)
			break;
		if (pte_leaf(pte_get(level1))) {
			if (step == HUGE_SIZE && huge_move(level1, other)) {
				done += step;
				continue;
			}
			huge_split(from, level1, old_at);
		}
		if (!mm_leaf_create(to->mm, other))
			break;
		src = pte_table(pte_get(level1)) + pte_index(old_at, 0);
		dst = pte_table(pte_get(other)) + pte_index(new_at, 0);
		/*
		 * mmap_lock is ours for writing and no fault is under way: only walks of the
		 * reverse map lock these, and they are kept out.
		 */
		spin_lock(table_lock_of(src));
		for (u64 i = 0; i < step >> PAGE_SHIFT; i++) {
			if (!pte_none(pte_get(src + i)))
				pte_set(dst + i, pte_xchg(src + i, (pte_t){ 0 }));
		}
		spin_unlock(table_lock_of(src));
		done += step;
	}
	arch_tlb_shootdown(&from->mm->space, old, old + len, PAGE_SIZE);
	return done;
}

/* [rq->old_addr, + old_len) lies in v. */
static long
move_vma(struct mm *mm, struct vma *v, const struct remap *rq, u64 new_addr)
{
	struct vma want = *v, *to;
	u64 old_len = rq->old_len, moved, move = MIN(old_len, rq->new_len);
	bool keep_old = rq->flags & MREMAP_DONTUNMAP;
	int err;

	if (mm->vma_count >= MAX_MAP_COUNT - 3)
		return -ENOMEM;
	vma_write_begin(v);
	if ((v->flags & VM_ACCOUNT) && commit_charge(rq->new_len >> PAGE_SHIFT))
		return -ENOMEM;
	to = vma_alloc(mm);
	if (!to) {
		if (v->flags & VM_ACCOUNT)
			commit_release(rq->new_len >> PAGE_SHIFT);
		return -ENOMEM;
	}
	to->start = new_addr;
	to->end = new_addr + rq->new_len;
	to->flags = want.flags;
	to->has_anon = want.has_anon;
	to->mapping = want.mapping;
	to->owner = want.owner;
	to->ops = want.ops;
	to->pgoff = want.pgoff + ((rq->old_addr - want.start) >> PAGE_SHIFT);
	if (!to->mapping && !to->ops)
		to->pgoff = new_addr >> PAGE_SHIFT;
	if (to->ops && to->ops->open)
		to->ops->open(to);
	vma_tree_insert(mm, to);
	mm_account(mm, to->flags, vma_pages(to), 1);
	if (to->mapping) {
		rmap_lock(to->mapping);
		rmap_add_locked(to);
	}
	moved = move_entries(v, to, rq->old_addr, new_addr, move);
	if (moved < move)
		move_entries(to, v, new_addr, rq->old_addr, moved); /* the tables are still there */
	if (to->mapping)
		rmap_unlock(to->mapping);
	if (moved < move) {
		(void)mm_unmap_locked(mm, new_addr, rq->new_len);
		return -ENOMEM;
	}
	if (old_len && !keep_old) {
		err = mm_unmap_locked(mm, rq->old_addr, old_len);
		if (err)
			return err;
	}
	vma_merge(mm, to);
	return (long)new_addr;
}

/* Can v, whose end is the end of the range, grow by `more` bytes where it is? */
static bool
room_above(struct mm *mm, struct vma *v, u64 more)
{
	struct vma *next = vma_next(v);
	u64 limit = next ? next->start : USER_END;

	if (next && (next->flags & VM_GROWSDOWN))
		limit = limit > STACK_GUARD_GAP ? limit - STACK_GUARD_GAP : 0;
	return v->end + more > v->end && v->end + more <= limit;
}

static long
remap_locked(struct mm *mm, struct remap *rq, bool *populate)
{
	struct vma *v;
	u64 grow;
	long addr;
	int err;

	if (rq->flags & MREMAP_FIXED) {
		if ((rq->new_addr & ~PAGE_MASK) || rq->new_len > USER_END ||
		    rq->new_addr > USER_END - rq->new_len)
			return -EINVAL;
		if (rq->old_addr + rq->old_len > rq->new_addr &&
		    rq->new_addr + rq->new_len > rq->old_addr)
			return -EINVAL;
		err = mm_unmap_locked(mm, rq->new_addr, rq->new_len);
		if (err)
			return err;
	}
	v = vma_find(mm, rq->old_addr);
	if (!v || v->start > rq->old_addr)
		return -EFAULT;
	/* Old length 0: a second view of a shared mapping. */
	if (!rq->old_len && !(v->flags & VM_SHARED))
		return -EINVAL;
	if ((rq->flags & MREMAP_DONTUNMAP) && (v->flags & (VM_SPECIAL | VM_IO)))
		return -EINVAL;
	if (v->flags & VM_IO)
		return -EFAULT;
	if (rq->old_len >= rq->new_len && !(rq->flags & (MREMAP_FIXED | MREMAP_DONTUNMAP))) {
		if (rq->old_len > rq->new_len) {
			err = mm_unmap_locked(mm, rq->old_addr + rq->new_len,
					      rq->old_len - rq->new_len);
			if (err)
				return err;
		}
		return (long)rq->old_addr;
	}
	if (rq->old_len > v->end - rq->old_addr)
		return -EFAULT;
	if (rq->old_len > rq->new_len) {
		err = mm_unmap_locked(mm, rq->old_addr + rq->new_len, rq->old_len - rq->new_len);
		if (err)
			return err;
		rq->old_len = rq->new_len;
		v = vma_find(mm, rq->old_addr);
	}
	grow = rq->new_len - rq->old_len;
	if (grow && (v->flags & VM_SPECIAL))
		return -EFAULT;
	err = mm_limits_check(mm, v->flags,
			      (rq->flags & MREMAP_DONTUNMAP ? rq->new_len : grow) >> PAGE_SHIFT);
	if (err)
		return err;
	*populate = grow && (v->flags & (VM_LOCKED | VM_LOCKONFAULT)) == VM_LOCKED;

	if (!(rq->flags & (MREMAP_FIXED | MREMAP_DONTUNMAP)) && rq->old_len &&
	    rq->old_addr + rq->old_len == v->end && room_above(mm, v, grow)) {
		if ((v->flags & VM_ACCOUNT) && commit_charge(grow >> PAGE_SHIFT))
			return -ENOMEM;
		vma_set_bounds(mm, v, v->start, v->end + grow);
		mm_account(mm, v->flags, grow >> PAGE_SHIFT, 1);
		vma_merge(mm, v);
		return (long)rq->old_addr;
	}
	if (!(rq->flags & MREMAP_MAYMOVE))
		return -ENOMEM;
	addr = (long)rq->new_addr;
	if (!(rq->flags & MREMAP_FIXED)) {
		addr = mm_choose_address(mm, rq->flags & MREMAP_DONTUNMAP ? rq->new_addr : 0,
					 rq->new_len, v->mapping ? PLACE_ANYWHERE : PLACE_HUGE);
		if (addr < 0)
			return addr;
	}
	return move_vma(mm, v, rq, (u64)addr);
}

long
sys_mremap(unsigned long old_addr, size_t old_len, size_t new_len, unsigned long flags,
	   unsigned long new_addr)
{
	struct mm *mm = thread_current()->mm;
	struct remap rq = {
		.old_addr = old_addr,
		.old_len = ALIGN_UP(old_len, PAGE_SIZE),
		.new_len = ALIGN_UP(new_len, PAGE_SIZE),
		.flags = (u32)flags,
		.new_addr = new_addr,
	};
	bool populate = false;
	long ret;

	if (flags & ~(unsigned long)(MREMAP_MAYMOVE | MREMAP_FIXED | MREMAP_DONTUNMAP))
		return -EINVAL;
	if ((flags & (MREMAP_FIXED | MREMAP_DONTUNMAP)) && !(flags & MREMAP_MAYMOVE))
		return -EINVAL;
	if ((flags & MREMAP_DONTUNMAP) && rq.old_len != rq.new_len)
		return -EINVAL;
	if ((old_addr & ~PAGE_MASK) || !rq.new_len)
		return -EINVAL;
	if (rwsem_write_lock_killable(&mm->mmap_lock))
		return -EINTR;
	ret = remap_locked(mm, &rq, &populate);
	mm_write_unlock(mm);
	if (ret >= 0 && populate)
		(void)mm_populate(mm, (u64)ret + rq.old_len, rq.new_len - rq.old_len);
	return ret;
}
