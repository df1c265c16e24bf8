/* SPDX-License-Identifier: MIT */
/*
 * madvise(2). What changes contents or behaviour is done; what only hints at the future is recorded
 * in the vma where something reads it (read-ahead, huge pages). MADV_FREE frees at once, which it
 * may. Advice that a Linux without page merging, hardware poisoning and the like does not know is
 * -EINVAL here as well.
 */
#include "generated/syscalls.h"
#include "mm_internal.h"
#include "pagetable.h"
#include "sched/thread.h"
#include "uapi/mman.h"
#include "vma.h"

struct advice {
	u8 advice;
	u32 set, clear; /* vma flags; 0, 0: an action */
};

static const struct advice flag_advice[] = {
	{ MADV_NORMAL, 0, VM_SEQ_READ | VM_RAND_READ },
	{ MADV_RANDOM, VM_RAND_READ, VM_SEQ_READ },
	{ MADV_SEQUENTIAL, VM_SEQ_READ, VM_RAND_READ },
	{ MADV_DONTFORK, VM_DONTCOPY, 0 },
	{ MADV_DOFORK, 0, VM_DONTCOPY },
	{ MADV_DONTDUMP, VM_DONTDUMP, 0 },
	{ MADV_DODUMP, 0, VM_DONTDUMP },
	{ MADV_WIPEONFORK, VM_WIPEONFORK, 0 },
	{ MADV_KEEPONFORK, 0, VM_WIPEONFORK },
	{ MADV_HUGEPAGE, VM_HUGEPAGE, VM_NOHUGEPAGE },
	{ MADV_NOHUGEPAGE, VM_NOHUGEPAGE, VM_HUGEPAGE },
};

static const struct advice *
flag_advice_find(int advice)
{
	for (u32 i = 0; i < ARRAY_SIZE(flag_advice); i++) {
		if (flag_advice[i].advice == advice)
			return &flag_advice[i];
	}
	return NULL;
}

static int
advise_flags(struct mm *mm, struct vma **vp, u64 start, u64 end, const struct advice *a)
{
	struct vma *v = *vp;
	u32 flags = (v->flags & ~a->clear) | a->set;
	int err;

	if (a->advice == MADV_WIPEONFORK && (v->mapping || (v->flags & VM_SHARED)))
		return -EINVAL;
	if ((a->advice == MADV_DOFORK || a->advice == MADV_DODUMP) &&
	    (v->flags & (VM_IO | VM_SPECIAL)))
		return -EINVAL;
	if (flags == v->flags)
		return 0;
	if (v->start < start) {
		err = vma_split(mm, v, start, &v);
		if (err)
			return err == -ENOMEM ? -EAGAIN : err;
	}
	if (v->end > end) {
		err = vma_split(mm, v, end, NULL);
		if (err)
			return err == -ENOMEM ? -EAGAIN : err;
	}
	vma_write_begin(v);
	v->flags = flags;
	*vp = vma_merge(mm, v);
	return 0;
}

static int
advise_discard(struct vma *v, u64 start, u64 end, int advice)
{
	struct gather g;

	if (v->flags & (VM_SPECIAL | VM_IO))
		return -EINVAL;
	if ((v->flags & VM_LOCKED) && advice != MADV_DONTNEED_LOCKED)
		return -EINVAL;
	if (advice == MADV_FREE && (v->mapping || (v->ops && v->ops->fault)))
		return -EINVAL;
	gather_init(&g, v->mm);
	zap_range(&g, v, start, end, ZAP_ALL);
	gather_finish(&g);
	return 0;
}

/* MADV_REMOVE: a hole in the object, as fallocate would punch it. */
static int
advise_remove(struct vma *v, u64 start, u64 end)
{
	u64 offset = (v->pgoff << PAGE_SHIFT) + (start - v->start);

	if (v->flags & VM_LOCKED)
		return -EINVAL;
	if (!v->mapping)
		return -EINVAL;
	if ((v->flags & (VM_SHARED | VM_WRITE)) != (VM_SHARED | VM_WRITE))
		return -EACCES;
	if (v->mapping->ops->read_page)
		return -EOPNOTSUPP;
	mapping_punch(v->mapping, offset, offset + (end - start));
	return 0;
}

/* Forget that the pages were used: they are the next to go under pressure. */
static void
advise_cold(struct vma *v, u64 start, u64 end)
{
	struct mapping *m = v->mapping;

	if (!m || !m->ops->read_page)
		return;
	/* What is there, that is: a mapping may reach far beyond its file. */
	u64 first = v->pgoff + ((start - v->start) >> PAGE_SHIFT), index = first,
	    past = first + ((end - start) >> PAGE_SHIFT);

	for (; mapping_next_data(m, index, past, &index); index++) {
		struct page *page = mapping_find(m, index);

		if (page) {
			page_clear_flag(page, PG_REFERENCED);
			page_put(page);
		}
	}
}

static int
advise_one(struct mm *mm, struct vma **vp, u64 start, u64 end, int advice)
{
	const struct advice *flags = flag_advice_find(advice);
	struct vma *v = *vp;

	if (flags)
		return advise_flags(mm, vp, start, end, flags);
	switch (advice) {
	case MADV_DONTNEED:
	case MADV_DONTNEED_LOCKED:
	case MADV_FREE: return advise_discard(v, start, end, advice);
	case MADV_REMOVE: return advise_remove(v, start, end);
	case MADV_COLD:
	case MADV_PAGEOUT:
		if (v->flags & (VM_LOCKED | VM_SPECIAL | VM_IO))
			return -EINVAL;
		advise_cold(v, start, end);
		if (advice == MADV_PAGEOUT && v->mapping && v->mapping->ops->read_page) {
			u64 first = v->pgoff + ((start - v->start) >> PAGE_SHIFT);

			mapping_invalidate(v->mapping, first,
					   first + ((end - start) >> PAGE_SHIFT) - 1);
		}
		return 0;
	case MADV_WILLNEED:
		/* Anonymous memory has nowhere to come from. */
		if (v->mapping)
			mapping_read_ahead(v->mapping,
					   v->pgoff + ((start - v->start) >> PAGE_SHIFT),
					   (end - start) >> PAGE_SHIFT);
		return 0;
	default: return -EINVAL;
	}
}

static bool
advice_known(int advice)
{
	switch (advice) {
	case MADV_WILLNEED:
	case MADV_DONTNEED:
	case MADV_DONTNEED_LOCKED:
	case MADV_FREE:
	case MADV_REMOVE:
	case MADV_COLD:
	case MADV_PAGEOUT:
	case MADV_POPULATE_READ:
	case MADV_POPULATE_WRITE: return true;
	default: return flag_advice_find(advice);
	}
}

static int
advise_range(struct mm *mm, u64 start, u64 end, int advice)
{
	struct vma *v = vma_find(mm, start);
	bool hole = false;
	int err = 0;

	while (start < end && !err) {
		u64 stop;

		if (!v)
			return -ENOMEM;
		if (v->start > start) {
			/* Go on behind the hole, and say so at the end. */
			hole = true;
			start = v->start;
			if (start >= end)
				break;
		}
		stop = MIN(v->end, end);
		err = advise_one(mm, &v, start, stop, advice);
		start = stop;
		if (start < end && v->end <= start)
			v = vma_next(v);
	}
	return err ? err : hole ? -ENOMEM : 0;
}

long
sys_madvise(unsigned long addr, size_t len, int advice)
{
	struct mm *mm = thread_current()->mm;
	u64 end;
	int err;

	if (!advice_known(advice) || (addr & ~PAGE_MASK))
		return -EINVAL;
	end = addr + ALIGN_UP(len, PAGE_SIZE);
	if ((len && !ALIGN_UP(len, PAGE_SIZE)) || end < addr)
		return -EINVAL;
	if (end == addr)
		return 0;
	if (advice == MADV_POPULATE_READ || advice == MADV_POPULATE_WRITE) {
		return populate_range(mm, addr, end,
				      advice == MADV_POPULATE_READ ? POPULATE_READ
								   : POPULATE_WRITE);
	}
	/* Only changes of the tree need it for themselves. */
	if (flag_advice_find(advice)) {
		if (rwsem_write_lock_killable(&mm->mmap_lock))
			return -EINTR;
		err = advise_range(mm, addr, end, advice);
		mm_write_unlock(mm);
	} else {
		rwsem_read_lock(&mm->mmap_lock);
		err = advise_range(mm, addr, end, advice);
		rwsem_read_unlock(&mm->mmap_lock);
	}
	return err;
}
