/* SPDX-License-Identifier: MIT */
/*
 * Reaching pages of an address space from the outside: pinning for direct transfers, the memory of
 * another process, the identity of a futex word.
 *
 * A page is found under its table's lock, where a reference can be taken; if it is not there, or
 * not writable and that is wanted, the fault is done on the program's behalf and the look repeated.
 * Huge pages are split before anyone gets a reference to a part of them.
 */
#include "lib/string.h"
#include "mm_internal.h"
#include "pagetable.h"
#include "sched/thread.h"
#include "vma.h"

/*
 * mmap_lock held for reading. The page that v shows at addr, with a reference; NULL: a fault is
 * needed.
 */
static struct page *
page_follow(struct vma *v, u64 addr, bool write, bool force)
{
	pte_t *level1 = mm_level1_find(v->mm, addr), *pte, e;
	struct page *page = NULL;
	bool ok;

	e = level1 ? pte_get(level1) : (pte_t){ 0 };
	if (!pte_none(e) && pte_leaf(e)) {
		huge_split(v, level1, addr);
		e = pte_get(level1);
	}
	if (pte_none(e))
		return NULL;
	pte = pte_table(e) + pte_index(addr, 0);
	spin_lock(table_lock_of(pte));
	e = pte_get(pte);
	if (pte_present(e)) {
		page = phys_to_page(pte_paddr(e));
		ok = !write || pte_write(e);
		/* A forced write goes to a private copy that stays read-only for the program. */
		if (!ok && force && page_flag(page, PG_ANON))
			ok = (u32)atomic64_read(&page->ref_and_map) == 1;
		if (ok)
			page_get(page);
		else
			page = NULL;
	}
	spin_unlock(table_lock_of(pte));
	return page;
}

/* mmap_lock held for reading; may be dropped and taken again. */
static int
page_reach(struct mm *mm, u64 addr, bool write, bool force, struct page **out)
{
	struct vma *v;
	bool major = false;
	int err;

	for (;;) {
		err = fault_find_vma(mm, addr, write ? FAULT_WRITE : FAULT_READ, force, &v);
		if (err)
			return -EFAULT;
		if (v->flags & VM_IO)
			return -EFAULT;
		*out = page_follow(v, addr, write, force);
		if (*out)
			return 0;
		err = fault_page(v, addr, write ? FAULT_WRITE : FAULT_READ, &major);
		if (err && err != -EAGAIN)
			return err;
		if (thread_fatal_pending && thread_fatal_pending(thread_current()))
			return -EINTR;
	}
}

ssize_t
mm_access_remote(struct mm *mm, u64 addr, void *buf, size_t len, bool write, bool force)
{
	size_t done = 0;
	int err = 0;

	if (rwsem_read_lock_killable(&mm->mmap_lock))
		return -EINTR;
	while (done < len) {
		u32 offset = addr & ~PAGE_MASK;
		size_t n = MIN_T(size_t, PAGE_SIZE - offset, len - done);
		struct page *page;
		struct mapping *m;
		char *va;

		if (addr >= USER_END) {
			err = -EFAULT;
			break;
		}
		err = page_reach(mm, addr, write, force, &page);
		if (err)
			break;
		va = (char *)page_to_virt(page) + offset;
		if (write)
			memcpy(va, (char *)buf + done, n);
		else
			memcpy((char *)buf + done, va, n);
		m = page_flag(page, PG_ANON) ? NULL : READ_ONCE(page->mapping);
		if (write && m)
			mapping_mark_dirty(m, page);
		page_put(page);
		done += n;
		addr += n;
	}
	rwsem_read_unlock(&mm->mmap_lock);
	return done ? (ssize_t)done : err;
}

long
mm_pin_pages(u64 addr, u32 nr, bool write, struct page **pages)
{
	struct mm *mm = thread_current()->mm;
	u32 n = 0;
	int err = 0;

	if (rwsem_read_lock_killable(&mm->mmap_lock))
		return -EINTR;
	for (; n < nr && !err; n += !err, addr += PAGE_SIZE)
		err = addr < USER_END ? page_reach(mm, addr & PAGE_MASK, write, false, &pages[n])
				      : -EFAULT;
	rwsem_read_unlock(&mm->mmap_lock);
	return n ? (long)n : err;
}

/*
 * A word of private memory is known by its address space and address, one of shared memory by its
 * place in the object. The word's own accessibility shows when it is read.
 */
int
mm_futex_key(struct mm *mm, u64 uaddr, bool shared, bool write, struct futex_key *out)
{
	struct vma *v;
	int err = 0;

	if (uaddr & 3)
		return -EINVAL;
	if (uaddr > USER_END - 4)
		return -EFAULT;
	*out = (struct futex_key){
		.a = (u64)(uintptr_t)mm,
		.b = uaddr & PAGE_MASK,
		.offset = (u32)(uaddr & ~PAGE_MASK),
	};
	if (!shared)
		return 0;
	rwsem_read_lock(&mm->mmap_lock);
	v = vma_find(mm, uaddr);
	if (!v || v->start > uaddr || !(v->flags & (write ? VM_WRITE : VM_READ))) {
		err = -EFAULT;
	} else if ((v->flags & VM_SHARED) && v->mapping) {
		out->a = (u64)(uintptr_t)v->mapping;
		out->b = v->pgoff + ((uaddr - v->start) >> PAGE_SHIFT);
		if (v->mapping->size &&
		    out->b >= DIV_ROUND_UP(READ_ONCE(*v->mapping->size), PAGE_SIZE))
			err = -EFAULT;
		/* Never the key of a private word: offsets there are multiples of 4. */
		out->offset |= 1;
	} else {
		/* Not the private word of the same address either. */
		out->offset |= 2;
	}
	rwsem_read_unlock(&mm->mmap_lock);
	return err;
}

/*
 * Keys hold no reference: an object that dies while someone waits on it can at worst lend its key
 * to a spurious wake-up.
 */
void
mm_futex_key_put(struct futex_key *key)
{
	key->page = NULL;
}
