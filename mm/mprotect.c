/* SPDX-License-Identifier: MIT */
/*
 * mprotect(2): the vmas of the range get new rights, then their page-table entries.
 *
 * Entries only ever lose rights eagerly. Write access comes back eagerly where nothing must happen
 * at the first write (a private page that is ours alone, a shared page of memory); otherwise the
 * write faults and fault.c decides. Gaining rights needs no shoot-down: a CPU that remembers the
 * old entry faults, looks again and goes on.
 */
#include "generated/syscalls.h"
#include "mm_internal.h"
#include "pagetable.h"
#include "sched/thread.h"
#include "uapi/mman.h"
#include "vma.h"

static bool
write_needs_fault(const struct vma *v, struct page *page, u32 huge)
{
	if (v->flags & VM_SHARED)
		return !page || !v->mapping || mapping_writes(v->mapping) ||
		       v->mapping->ops->page_mkwrite;
	if (huge)
		return !huge_sole(page);
	return !page || !page_flag(page, PG_ANON) || (u32)atomic64_read(&page->ref_and_map) != 1;
}

/*
 * The entry with the vma's present rights; *lost is set if a cached translation would allow too
 * much.
 */
static pte_t
pte_with_rights(const struct vma *v, pte_t old, struct page *page, u32 prot, u32 huge, bool *lost)
{
	bool special = pte_soft(old, PTE_SOFT_SPECIAL);
	pte_t new;

	if ((prot & PTE_P_WRITE) && !pte_write(old) && write_needs_fault(v, page, huge))
		prot &= ~PTE_P_WRITE;
	new = pte_make(pte_paddr(old), prot | huge);
	if (pte_dirty(old))
		new = pte_mkdirty(new);
	if (pte_young(old))
		new = pte_mkyoung(new);
	if (special)
		new = pte_set_soft(new, PTE_SOFT_SPECIAL, true);
	if ((pte_write(old) && !pte_write(new)) || (pte_exec(old) && !pte_exec(new)) ||
	    !(prot & (PTE_P_READ | PTE_P_WRITE | PTE_P_EXEC)))
		*lost = true;
	return new;
}

static void
protect_leaf(struct gather *g, struct vma *v, pte_t *pte, u64 addr, u64 end, u32 prot)
{
	struct spinlock *lock = table_lock_of(pte);

	spin_lock(lock);
	for (; addr < end; addr += PAGE_SIZE, pte++) {
		pte_t old = pte_get(pte), new;
		struct page *page;
		bool lost = false;

		if (!pte_present(old))
			continue;
		page = pte_soft(old, PTE_SOFT_SPECIAL) ? NULL : phys_to_page(pte_paddr(old));
		for (;;) {
			new = pte_with_rights(v, old, page, prot, 0, &lost);
			/*
			 * The processor may set the dirty bit under our hands: it must not get
			 * lost.
			 */
			if (new.v == old.v || pte_cmpxchg(pte, old, new))
				break;
			old = pte_get(pte);
		}
		if (lost)
			gather_range(g, addr, addr + PAGE_SIZE);
	}
	spin_unlock(lock);
}

void
protect_range(struct gather *g, struct vma *v, u64 start, u64 end)
{
	u32 prot = vma_pte_prot(v->flags);
	u64 addr = start;
	pte_t *level1;

	while ((level1 = mm_level1_next(v->mm, &addr, end))) {
		u64 stop = MIN(end, ALIGN_DOWN(addr, HUGE_SIZE) + HUGE_SIZE);
		pte_t e = pte_get(level1);

		if (!pte_none(e) && pte_leaf(e)) {
			if (stop - addr == HUGE_SIZE) {
				struct spinlock *lock = table_lock_of(level1);
				bool lost = false;

				/* mmap_lock is ours for writing: nobody splits it now. */
				spin_lock(lock);
				pte_set(level1,
					pte_with_rights(v, e, phys_to_page(pte_paddr(e)),
							prot | PTE_P_DIRTY, PTE_P_HUGE, &lost));
				spin_unlock(lock);
				if (lost)
					gather_range(g, addr, stop);
				addr = stop;
				continue;
			}
			huge_split(v, level1, addr);
			e = pte_get(level1);
		}
		if (!pte_none(e))
			protect_leaf(g, v, pte_table(e) + pte_index(addr, 0), addr, stop, prot);
		addr = stop;
	}
}

/* [start, end) lies in v. On success *out is the vma that covers it now. */
static int
vma_protect(struct mm *mm, struct vma *v, u64 start, u64 end, u32 prot, struct gather *g,
	    struct vma **out)
{
	u32 flags = (v->flags & ~(u32)(VM_READ | VM_WRITE | VM_EXEC)) |
		    (prot & (PROT_READ | PROT_WRITE | PROT_EXEC));
	u64 pages = (end - start) >> PAGE_SHIFT;
	bool charge = false;
	int err;

	*out = v;
	/* VM_MAY* stand four bits above the rights they allow. */
	if (flags & (VM_READ | VM_WRITE | VM_EXEC) & ~(flags >> 4))
		return -EACCES;
	if (v->ops && v->ops->may_protect) {
		err = v->ops->may_protect(v, prot);
		if (err)
			return err;
	}
	if (flags == v->flags)
		return 0;
	/* Private memory that becomes writable may be needed in full from now on. */
	if ((flags & (VM_WRITE | VM_SHARED)) == VM_WRITE && !(v->flags & VM_WRITE)) {
		err = mm_data_check(mm, pages);
		if (err)
			return err;
		if (!(flags & (VM_ACCOUNT | VM_NORESERVE | VM_SPECIAL))) {
			err = commit_charge(pages);
			if (err)
				return err;
			charge = true;
			flags |= VM_ACCOUNT;
		}
	}
	err = 0;
	if (v->start < start)
		err = vma_split(mm, v, start, &v);
	if (!err && v->end > end)
		err = vma_split(mm, v, end, NULL);
	if (err) {
		if (charge)
			commit_release(pages);
		return err;
	}
	vma_write_begin(v);
	/* The charge moves along: what mm_account would release for the old flags stays. */
	mm_account(mm, v->flags & ~(u32)VM_ACCOUNT, pages, -1);
	v->flags = flags;
	mm_account(mm, flags & ~(u32)VM_ACCOUNT, pages, 1);
	protect_range(g, v, start, end);
	*out = vma_merge(mm, v);
	return 0;
}

static int
protect_locked(struct mm *mm, u64 addr, u64 len, u32 prot)
{
	u64 end = addr + len;
	struct vma *v = vma_find(mm, addr);
	struct gather g;
	int err = 0;

	if (!v || v->start >= end)
		return -ENOMEM;
	if (prot & PROT_GROWSDOWN) {
		/* From the start of the stack-like mapping on. */
		if (!(v->flags & VM_GROWSDOWN))
			return -EINVAL;
		addr = v->start;
	} else if (v->start > addr) {
		return -ENOMEM;
	}
	gather_init(&g, mm);
	while (addr < end) {
		u64 stop;

		if (!v || v->start > addr) {
			err = -ENOMEM; /* a hole: what lies before it has changed, as on Linux */
			break;
		}
		stop = MIN(v->end, end);
		err = vma_protect(mm, v, addr, stop, prot, &g, &v);
		if (err)
			break;
		addr = stop;
		if (addr < end && v->end <= addr)
			v = vma_next(v);
	}
	gather_finish(&g);
	return err;
}

int
mm_protect(struct mm *mm, u64 addr, u64 len, u32 prot)
{
	int err;

	if ((prot & (PROT_GROWSDOWN | PROT_GROWSUP)) == (PROT_GROWSDOWN | PROT_GROWSUP))
		return -EINVAL;
	if (addr & ~PAGE_MASK)
		return -EINVAL;
	if (!len)
		return 0;
	len = ALIGN_UP(len, PAGE_SIZE);
	if (!len || addr + len <= addr)
		return -ENOMEM;
	if (prot &
	    ~(u32)(PROT_READ | PROT_WRITE | PROT_EXEC | PROT_SEM | PROT_GROWSDOWN | PROT_GROWSUP))
		return -EINVAL;
	if (prot & PROT_GROWSUP)
		return -EINVAL;
	if (rwsem_write_lock_killable(&mm->mmap_lock))
		return -EINTR;
	err = protect_locked(mm, addr, len, prot);
	mm_write_unlock(mm);
	return err;
}

long
sys_mprotect(unsigned long addr, size_t len, unsigned long prot)
{
	if (prot > UINT32_MAX)
		return -EINVAL;
	return mm_protect(thread_current()->mm, addr, len, (u32)prot);
}
