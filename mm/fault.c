/* SPDX-License-Identifier: MIT */
/*
 * Page faults.
 *
 * The vma says what should be there, the entry what is; the difference is made up under the lock of
 * the leaf table, after everything that can sleep (allocating, reading a file) was done without it.
 * Whoever finds the entry changed meanwhile drops his work: the other did it.
 *
 *	entry	vma			access	outcome
 *	none	anonymous		read	the zero page
 *					write	a fresh page (or 2 MiB, huge.c)
 *		file			read	up to 16 pages around, from the page cache
 *		file, shared		write	the cache's page, dirty
 *		file, private		write	a copy
 *	swap				any	back from the swap cache or the disk (swap_in.c),
 *then as r/o r/o	private, ours alone	write	made writable
 *		private			write	a copy; all CPUs forget the old page first
 *		shared			write	made writable, page dirty
 *	fits					stale translation, or another thread was first
 *
 * Truncation against faults: a page leaves the cache (page->mapping = NULL) before its mappings are
 * taken down; a fault checks page->mapping under the table lock before it maps. Either the check
 * sees the page gone, or the unmapping, which takes the same lock later, sees the entry. No page
 * lock is needed.
 *
 * A page is "ours alone" if it is anonymous and the entry's reference is the only one.
 *
 * Locking: the vma's own lock (vma_lock.c), or mmap_lock for reading, so that the vma stays; table
 *lock for the entry.
 */
#include "arch/cpu.h"
#include "arch/regs.h"
#include "arch/tlb.h"
#include "core/arch_upcalls.h"
#include "mm_internal.h"
#include "pagetable.h"
#include "sched/thread.h"
#include "swap.h"
#include "uapi/siginfo.h"
#include "uapi/signal.h"
#include "vma.h"

#define FAULT_AROUND 16 /* pages, aligned */

struct page *zero_page;

static inline struct page *
entry_page(pte_t e)
{
	return pte_soft(e, PTE_SOFT_SPECIAL) ? NULL : phys_to_page(pte_paddr(e));
}

static inline void
mark_anon(struct vma *v)
{
	if (unlikely(!v->has_anon))
		v->has_anon = true;
}

/* A new private page becomes what pte maps. Table lock held. */
static inline void
install_anon(struct vma *v, pte_t *pte, struct page *page)
{
	u32 prot = vma_pte_prot(v->flags) | PTE_P_DIRTY | PTE_P_YOUNG;

	atomic_set(&page->flags, PG_ANON | PG_UPTODATE);
	atomic64_set(&page->ref_and_map, PAGE_MAPPED_ONCE);
	pte_set(pte, pte_make(page_to_phys(page), prot));
}

static inline void
count_anon(struct mm *mm)
{
	atomic64_inc(&mm->rss_anon);
	mem_count(MC_ANON, 1);
}

/* ---- anonymous ---- */

static int
fault_anonymous(struct vma *v, pte_t *pte, enum fault_access access)
{
	struct spinlock *lock = table_lock_of(pte);
	struct page *page;

	if (access != FAULT_WRITE) {
		spin_lock(lock);
		if (pte_none(pte_get(pte))) {
			pte_t e = pte_make(page_to_phys(zero_page),
					   (vma_pte_prot(v->flags) & ~PTE_P_WRITE) | PTE_P_YOUNG);

			pte_set(pte, pte_set_soft(e, PTE_SOFT_SPECIAL, true));
		}
		spin_unlock(lock);
		return 0;
	}
	page = page_alloc(0, GFP_USER | GFP_ZERO);
	if (unlikely(!page))
		return -ENOMEM;
	mark_anon(v);
	spin_lock(lock);
	if (unlikely(!pte_none(pte_get(pte)))) {
		spin_unlock(lock);
		page_free(page, 0);
		return 0;
	}
	install_anon(v, pte, page);
	spin_unlock(lock);
	count_anon(v->mm);
	return 0;
}

/* ---- files ---- */

/* Table lock held, entry none. Takes over the caller's reference as the entry's. */
static void
install_file(struct vma *v, pte_t *pte, struct page *page, u32 prot)
{
	pte_t e = pte_make(page_to_phys(page), prot | PTE_P_YOUNG);

	if (page_flag(page, PG_RESERVED)) {
		/* Part of the kernel image: not counted. */
		pte_set(pte, pte_set_soft(e, PTE_SOFT_SPECIAL, true));
		page_put(page);
		return;
	}
	if (atomic_inc_return(&page->mapcount) == 1)
		mem_count(MC_MAPPED, 1);
	pte_set(pte, e);
}

/* By the page's flags, taken while it could not go away. */
static void
count_file(struct mm *mm, u32 page_flags, s64 n)
{
	if (page_flags & PG_SWAPBACKED)
		atomic64_add(&mm->rss_shmem, n);
	else if (!(page_flags & PG_RESERVED))
		atomic64_add(&mm->rss_file, n);
}

/* Does the first store to a clean page of it need notice? */
static inline bool
store_noticed(const struct mapping *m)
{
	return m && mapping_writes(m);
}

/*
 * May an entry of this vma be writable from the start? Only where the first write needs no notice.
 */
static u32
file_prot(const struct vma *v)
{
	u32 prot = vma_pte_prot(v->flags);

	if (!(v->flags & VM_SHARED) || !v->mapping || store_noticed(v->mapping) ||
	    v->mapping->ops->page_mkwrite)
		prot &= ~PTE_P_WRITE;
	return prot;
}

/*
 * Map what the cache already has around addr: no sleeping, no page locks, one walk of the tree.
 * True if that served addr itself.
 */
static bool
fault_around(struct vma *v, pte_t *pte, u64 addr)
{
	struct mapping *m = v->mapping;
	u64 low = MAX(ALIGN_DOWN(addr, FAULT_AROUND * PAGE_SIZE), v->start);
	u64 high = MIN(ALIGN_DOWN(addr, FAULT_AROUND * PAGE_SIZE) + FAULT_AROUND * PAGE_SIZE,
		       v->end);
	u64 index = v->pgoff + ((low - v->start) >> PAGE_SHIFT), base = index;
	u64 last = base + ((high - low) >> PAGE_SHIFT) - 1;
	void *entries[FAULT_AROUND];
	u64 indices[FAULT_AROUND], size = m->size ? READ_ONCE(*m->size) : UINT64_MAX;
	pte_t *first = pte - ((addr - low) >> PAGE_SHIFT);
	struct spinlock *lock = table_lock_of(pte);
	pte_t proto = pte_make(0, file_prot(v));
	u32 n, count = 0, mapped = 0;
	bool served;
	pte_t e;

	if (!size)
		return false;
	last = MIN(last, (size - 1) >> PAGE_SHIFT);
	if (last < base)
		return false;
	rcu_read_lock();
	n = xa_gather(&m->pages, &index, last, XA_ANY, entries, indices, (u32)(last - base + 1));
	spin_lock(lock);
	for (u32 i = 0; i < n; i++) {
		struct page *page = entries[i];
		pte_t *p = first + (indices[i] - base);
		s64 old;

		/* A page that marks the place from where to read on must be noticed when touched.
		 */
		if (!pte_none(pte_get(p)) || xa_is_value(page) ||
		    (atomic_read(&page->flags) & (PG_UPTODATE | PG_READAHEAD)) != PG_UPTODATE)
			continue;
		/* Reference and map count in one step, unless the page is being freed. */
		old = atomic64_read(&page->ref_and_map);
		while (old &&
		       !atomic64_try_cmpxchg(&page->ref_and_map, &old, old + PAGE_MAPPED_ONCE))
			;
		if (unlikely(!old))
			continue;
		if (unlikely(READ_ONCE(page->mapping) != m || page->index != indices[i])) {
			if (!(u32)atomic64_sub_return(&page->ref_and_map, PAGE_MAPPED_ONCE))
				page_release(page);
			continue;
		}
		mapped += old >> 32 == 0;
		count++;
		pte_set(p, pte_with_page(proto, page));
	}
	e = pte_get(pte);
	served = pte_present(e);
	if (served)
		pte_set(pte, pte_mkyoung(e));
	spin_unlock(lock);
	rcu_read_unlock();
	if (count)
		count_file(v->mm, m->flags & MAPPING_SHMEM ? PG_SWAPBACKED : 0, count);
	if (mapped)
		mem_count(MC_MAPPED, mapped);
	return served;
}

/*
 * The page behind addr with a reference, up to date. -EFAULT beyond the end or on an error of the
 * device.
 */
static int
file_page(struct vma *v, u64 addr, bool *major, struct page **out)
{
	struct mapping *m = v->mapping;
	bool missing;
	u64 index;
	int err;

	if (v->ops && v->ops->fault) {
		err = v->ops->fault(v, addr, out);
		return err == -ENOMEM ? err : err ? -EFAULT : 0;
	}
	if (!m)
		return -EFAULT;
	index = v->pgoff + ((addr - v->start) >> PAGE_SHIFT);
	*out = mapping_find(m, index);
	if (*out && unlikely(page_flag(*out, PG_READAHEAD))) {
		page_clear_flag(*out, PG_READAHEAD);
		if (rwsem_try_read_lock(&m->invalidate_lock)) {
			read_ahead_fault(v, mapping_next_hole(m, index, index + 32));
			rwsem_read_unlock(&m->invalidate_lock);
		}
	}
	if (likely(*out && page_flag(*out, PG_UPTODATE)))
		return 0;
	missing = !*out;
	if (*out)
		page_put(*out);
	/*
	 * Truncation has stored the new size before it takes this lock: what we create here it will
	 * find.
	 */
	rwsem_read_lock(&m->invalidate_lock);
	if (m->size && index >= DIV_ROUND_UP(READ_ONCE(*m->size), PAGE_SIZE)) {
		err = -EFAULT;
	} else {
		if (m->ops->read_page)
			*major = true;
		if (m->ops->read_page && missing)
			read_ahead_fault(v, index);
		err = mapping_read(m, index, out);
		if (err && err != -ENOMEM)
			err = -EFAULT;
	}
	rwsem_read_unlock(&m->invalidate_lock);
	return err;
}

static bool
still_cached(const struct vma *v, const struct page *page)
{
	return (v->ops && v->ops->fault) || READ_ONCE(page->mapping) == v->mapping;
}

/*
 * A store to a page of a shared mapping is about to happen. On success the page is dirty and, where
 * that matters (store_noticed), locked until the entry is writable, so that writeback comes before
 * both or after both.
 */
static int
shared_page_make_writable(struct vma *v, struct page *page)
{
	struct mapping *m = v->mapping;
	u64 size;
	int err;

	if (!m)
		return 0;
	if (m->ops->page_mkwrite) {
		err = m->ops->page_mkwrite(m, page);
		if (err)
			return err == -ENOMEM || err == -EAGAIN ? err : -EFAULT;
	}
	if (!store_noticed(m))
		return 0;
	page_lock(page);
	size = m->size ? READ_ONCE(*m->size) : UINT64_MAX;
	err = READ_ONCE(page->mapping) != m	  ? -EAGAIN
	      : page->index << PAGE_SHIFT >= size ? -EFAULT
						  : 0;
	if (err) {
		page_unlock(page);
		return err;
	}
	if (m->ops->stable_pages)
		page_wait_writeback(page);
	if (m->ops->prepare_dirty) {
		u64 len = MIN(size - (page->index << PAGE_SHIFT), PAGE_SIZE);

		err = m->ops->prepare_dirty(m, page, 0, (u32)len);
		if (err) {
			page_unlock(page);
			return err == -ENOMEM ? err : -EFAULT;
		}
	}
	mapping_mark_dirty(m, page);
	return 0;
}

static int
fault_file(struct vma *v, pte_t *pte, u64 addr, enum fault_access access, bool *major)
{
	struct spinlock *lock = table_lock_of(pte);
	bool copy = access == FAULT_WRITE && !(v->flags & VM_SHARED), mapped = false;
	bool locked = false;
	struct page *page, *new = NULL;
	u32 prot, flags;
	int err;

	if (access != FAULT_WRITE && v->mapping && !(v->ops && v->ops->fault) &&
	    fault_around(v, pte, addr))
		return 0;
	err = file_page(v, addr, major, &page);
	if (err)
		return err;
	prot = file_prot(v);
	flags = (u32)atomic_read(&page->flags);
	if (copy) {
		new = page_alloc(0, GFP_USER);
		if (!new) {
			page_put(page);
			return -ENOMEM;
		}
		page_copy(page_to_virt(new), page_to_virt(page));
		mark_anon(v);
	} else if (access == FAULT_WRITE) {
		err = shared_page_make_writable(v, page);
		if (err)
			goto out_put;
		locked = store_noticed(v->mapping);
		prot = vma_pte_prot(v->flags) | PTE_P_DIRTY;
	}
	spin_lock(lock);
	if (pte_none(pte_get(pte)) && still_cached(v, page)) {
		if (copy)
			install_anon(v, pte, new);
		else
			install_file(v, pte, page, prot);
		mapped = true;
	}
	spin_unlock(lock);
	if (locked)
		page_unlock(page);
	if (mapped && copy) {
		count_anon(v->mm);
		new = NULL;
	} else if (mapped) {
		count_file(v->mm, flags, 1);
		return 0; /* the entry has our reference */
	} else {
		err = -EAGAIN;
	}
	if (new)
		page_free(new, 0);
out_put:
	page_put(page);
	return err;
}

/* ---- writes to what is mapped read-only ---- */

static int
fault_write_shared(struct vma *v, pte_t *pte, pte_t e, struct page *page)
{
	struct spinlock *lock = table_lock_of(pte);
	int err = shared_page_make_writable(v, page);

	if (!err) {
		spin_lock(lock);
		e = pte_get(pte);
		if (pte_present(e) && pte_paddr(e) == page_to_phys(page) && still_cached(v, page))
			pte_set(pte, pte_mkyoung(pte_mkdirty(pte_mkwrite(e))));
		spin_unlock(lock);
		if (store_noticed(v->mapping))
			page_unlock(page);
	}
	page_put(page);
	return err;
}

static int
fault_write_protected(struct vma *v, pte_t *pte, u64 addr)
{
	struct spinlock *lock = table_lock_of(pte);
	struct page *page, *new;
	struct mm *mm = v->mm;
	bool was_anon = false;
	pte_t e, now;

	spin_lock(lock);
	e = pte_get(pte);
	if (!pte_present(e) || pte_write(e)) {
		spin_unlock(lock);
		return 0;
	}
	page = entry_page(e);
	if (v->flags & VM_SHARED) {
		if (!page) {
			spin_unlock(lock);
			return -EFAULT;
		}
		page_get(page);
		spin_unlock(lock);
		return fault_write_shared(v, pte, e, page);
	}
	if (page && page_flag(page, PG_ANON)) {
		was_anon = true;
		if ((u32)atomic64_read(&page->ref_and_map) == 1) {
			/*
			 * A debugger writes to pages of read-only mappings too; the program still
			 * must not.
			 */
			if (v->flags & VM_WRITE)
				pte_set(pte, pte_mkyoung(pte_mkdirty(pte_mkwrite(e))));
			spin_unlock(lock);
			return 0;
		}
	}
	if (page)
		page_get(page);
	spin_unlock(lock);
	if (page && unlikely(page_flag(page, PG_SWAPCACHE)) && swap_take_back(page)) {
		page_put(page);
		return -EAGAIN;
	}

	new = page_alloc(0, page ? GFP_USER : GFP_USER | GFP_ZERO);
	if (!new) {
		if (page)
			page_put(page);
		return -ENOMEM;
	}
	if (page)
		page_copy(page_to_virt(new), page_to_virt(page));
	mark_anon(v);

	spin_lock(lock);
	now = pte_get(pte);
	if (!pte_present(now) || pte_write(now) || pte_paddr(now) != pte_paddr(e)) {
		spin_unlock(lock);
		page_free(new, 0);
		if (page)
			page_put(page);
		return 0;
	}
	/*
	 * No CPU may read the old page once another can write the new one:
	 *	entry = none; all CPUs forget; entry = new.
	 */
	pte_set(pte, (pte_t){ 0 });
	arch_tlb_shootdown(&mm->space, addr, addr + PAGE_SIZE, PAGE_SIZE);
	install_anon(v, pte, new);
	spin_unlock(lock);

	mem_count(MC_ANON, 1);
	if (!was_anon) {
		atomic64_inc(&mm->rss_anon);
		if (page)
			count_file(mm, (u32)atomic_read(&page->flags), -1);
	}
	if (page) {
		(void)page_drop_entry(page);
		page_put(page);
	}
	return 0;
}

/* ---- dispatch ---- */

int
fault_page(struct vma *v, u64 addr, enum fault_access access, bool *major)
{
	bool anonymous = !v->mapping && !(v->ops && v->ops->fault);
	pte_t *level1, *pte, e;

	addr &= PAGE_MASK;
	level1 = mm_level1_create(v->mm, addr);
	if (unlikely(!level1))
		return -ENOMEM;
	e = pte_get(level1);
	if (unlikely(pte_none(e))) {
		if (anonymous && access == FAULT_WRITE && huge_fault(v, level1, addr))
			return 0;
		if (!mm_leaf_create(v->mm, level1))
			return -ENOMEM;
		e = pte_get(level1);
	}
	if (unlikely(pte_leaf(e))) {
		if (access != FAULT_WRITE || pte_write(e) || huge_write(v, level1))
			return 0;
		huge_split(v, level1, addr);
		e = pte_get(level1);
		if (pte_none(e))
			return -EAGAIN; /* madvise of another thread took it away */
	}
	pte = pte_table(e) + pte_index(addr, 0);
	e = pte_get(pte);
	if (pte_none(e))
		return anonymous ? fault_anonymous(v, pte, access)
				 : fault_file(v, pte, addr, access, major);
	if (unlikely(!pte_present(e)))
		return fault_swap(v, pte, e, addr, access, major);
	if (access == FAULT_WRITE && !pte_write(e))
		return fault_write_protected(v, pte, addr);
	return 0;
}

/* ---- stacks ---- */

/* mmap_lock held for writing. Let the stack v reach down to addr. */
static int
stack_expand(struct mm *mm, struct vma *v, u64 addr)
{
	struct vma *prev = vma_prev(v);
	u64 pages = (v->start - addr) >> PAGE_SHIFT;
	struct mm_limits limits;

	if (addr < MMAP_MIN_ADDR)
		return -EFAULT;
	if (prev && prev->flags & (VM_READ | VM_WRITE | VM_EXEC) && !(prev->flags & VM_GROWSDOWN) &&
	    addr - prev->end < STACK_GUARD_GAP)
		return -EFAULT;
	if (prev && prev->end > addr)
		return -EFAULT;
	if (mm_get_limits) {
		mm_get_limits(&limits);
		if (v->end - addr > limits.stack)
			return -EFAULT;
	}
	if (mm_limits_check(mm, v->flags, pages))
		return -EFAULT;
	if ((v->flags & VM_ACCOUNT) && commit_charge(pages))
		return -EFAULT;
	vma_set_bounds(mm, v, addr, v->end);
	mm_account(mm, v->flags, pages, 1);
	return 0;
}

static inline bool
access_allowed(const struct vma *v, enum fault_access access, bool force)
{
	static const u32 need[] = {
		[FAULT_READ] = VM_READ, [FAULT_WRITE] = VM_WRITE, [FAULT_EXEC] = VM_EXEC
	};

	if (likely(v->flags & need[access]))
		return true;
	/* What can be written or executed can be read on our machines. */
	if (access == FAULT_READ && v->flags & (VM_WRITE | VM_EXEC))
		return true;
	/* A debugger may read anything and write private copies. */
	if (force && access == FAULT_READ)
		return v->flags & VM_MAYREAD;
	if (force && access == FAULT_WRITE)
		return (v->flags & (VM_SHARED | VM_MAYWRITE)) == VM_MAYWRITE;
	return false;
}

int
fault_find_vma(struct mm *mm, u64 addr, enum fault_access access, bool force, struct vma **out)
{
	struct vma *v = vma_find(mm, addr);
	int err;

	if (unlikely(!v))
		return -EFAULT;
	if (unlikely(v->start > addr)) {
		if (!(v->flags & VM_GROWSDOWN))
			return -EFAULT;
		rwsem_read_unlock(&mm->mmap_lock);
		rwsem_write_lock(&mm->mmap_lock);
		v = vma_find(mm, addr);
		err = !v ? -EFAULT : 0;
		if (v && v->start > addr)
			err = v->flags & VM_GROWSDOWN ? stack_expand(mm, v, addr & PAGE_MASK)
						      : -EFAULT;
		mm_write_downgrade(mm);
		if (err)
			return err;
	}
	*out = v;
	return access_allowed(v, access, force) ? 0 : -EACCES;
}

/* ---- the trap ---- */

static void
fault_signal(struct regs *regs, u64 addr, enum fault_access access, int sig, int code)
{
	/* "Present" is what the processor says of a page that is there but refuses. */
	u64 error = arch_fault_error(code == SEGV_ACCERR && sig == SIGSEGV, access == FAULT_WRITE,
				     access == FAULT_EXEC);

	task_exception(regs, sig, code, addr, ARCH_TRAP_PAGE_FAULT, error);
}

/* Under mmap_lock: the vma is being changed, a stack grows, or the access is wrong. */
static __noinline int
fault_slow(struct mm *mm, u64 addr, enum fault_access access, bool user, bool *major)
{
	struct vma *v;
	int err;

	rwsem_read_lock(&mm->mmap_lock);
	do {
		err = fault_find_vma(mm, addr, access, false, &v);
		if (!err)
			err = fault_page(v, addr, access, major);
		else if (err == -EACCES && user)
			err = -EPERM;
		else if (err == -EFAULT && user)
			err = -ENXIO;
	} while (err == -EAGAIN);
	rwsem_read_unlock(&mm->mmap_lock);
	return err;
}

bool
mm_fault(struct regs *regs, uintptr_t addr, bool write, bool exec, bool user)
{
	enum fault_access access = write ? FAULT_WRITE : exec ? FAULT_EXEC : FAULT_READ;
	struct thread *t = thread_current();
	struct mm *mm = t ? t->mm : NULL;
	bool major = false;
	struct vma *v;
	int err;

	if (unlikely(addr >= USER_END)) {
		if (!user)
			return false;
		fault_signal(regs, addr, access, SIGSEGV, SEGV_MAPERR);
		return true;
	}
	if (unlikely(!user &&
		     (!mm || t->fault_disabled || in_atomic() || !arch_irqs_enabled() || exec)))
		return false;

	v = vma_read_begin(mm, addr);
	if (likely(v && access_allowed(v, access, false))) {
		do {
			err = fault_page(v, addr, access, &major);
		} while (unlikely(err == -EAGAIN));
		vma_read_end(v);
	} else {
		if (v)
			vma_read_end(v);
		err = fault_slow(mm, addr, access, user, &major);
	}

	if (major) {
		t->maj_flt++;
		mem_count(MC_PGMAJFAULT, 1);
	} else {
		t->min_flt++;
	}
	mem_count(MC_PGFAULT, 1);
	if (write && user)
		dirty_balance();
	if (likely(!err))
		return true;

	if (err == -ENOMEM) {
		/* The allocator has had somebody killed, or could not: if not us, try again. */
		if (thread_fatal_pending && thread_fatal_pending(t))
			return user;
		if (mm_oom_kill && mm_oom_kill("page fault")) {
			oom_wait();
			return user || !(thread_fatal_pending && thread_fatal_pending(t));
		}
	}
	if (!user)
		return false;
	if (err == -EPERM)
		fault_signal(regs, addr, access, SIGSEGV, SEGV_ACCERR);
	else if (err == -EFAULT || err == -ENOMEM)
		fault_signal(regs, addr, access, SIGBUS, BUS_ADRERR);
	else
		fault_signal(regs, addr, access, SIGSEGV, SEGV_MAPERR);
	return true;
}
