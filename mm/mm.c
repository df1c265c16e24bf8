/* SPDX-License-Identifier: MIT */
/*
 * Address spaces: birth, death, who uses them.
 *
 * Two counts. `users` are tasks that run in the space (and those who act as if: /proc, ptrace);
 * when the last leaves, everything is unmapped. `ref` keeps the structure and the root table: all
 * users together hold one. A CPU that runs a kernel thread may still have the tables of a dead
 * space loaded; arch_space_fini makes such CPUs let go before the root is freed.
 */
#include "arch/cpu.h"
#include "lib/string.h"
#include "mm/slab.h"
#include "mm_internal.h"
#include "pagetable.h"
#include "sched/thread.h"
#include "swap.h"
#include "uapi/mman.h"
#include "vma.h"

static struct kmem_cache *mm_cache, *vma_cache;

static void vma_construct(void *v);

void (*mm_exe_put)(void *exe);
void (*mm_user_ns_put)(struct user_ns *ns);
void (*mm_get_limits)(struct mm_limits *out);

void
mm_caches_init(void)
{
	mm_cache = kmem_cache_create("mm_struct", sizeof(struct mm), 64, 0, NULL);
	vma_cache = kmem_cache_create("vm_area_struct", sizeof(struct vma), 8, SLAB_RCU_TYPESAFE,
				      vma_construct);
	vma_locks_init();
	zero_page = page_alloc(0, GFP_KERNEL | GFP_ZERO);
	ASSERT(zero_page);
	page_set_flag(zero_page, PG_RESERVED);
}

struct vma *
vma_alloc(struct mm *mm)
{
	struct vma *v = kmem_cache_alloc(vma_cache, GFP_KERNEL);

	if (v) {
		const size_t kept = offsetof(struct vma, write_seq) + sizeof(v->write_seq);

		/* Marked from birth: whoever sees the new life sees the mark. */
		WRITE_ONCE(v->write_seq, mm->write_seq);
		smp_store_release(&v->life, v->life + 1);
		smp_wmb();
		memset((char *)v + kept, 0, sizeof(*v) - kept);
		v->mm = mm;
	}
	return v;
}

void
vma_free(struct vma *v)
{
	WRITE_ONCE(v->attached, false);
	kmem_cache_free(vma_cache, v);
}

static void
vma_construct(void *v)
{
	memset(v, 0, sizeof(struct vma));
}

struct mm *
mm_create(void)
{
	struct mm *mm = kmem_cache_zalloc(mm_cache, GFP_KERNEL);
	struct page *root;

	if (!mm)
		return NULL;
	root = page_alloc(0, GFP_KERNEL | GFP_ZERO);
	if (!root) {
		kmem_cache_free(mm_cache, mm);
		return NULL;
	}
	mem_count(MC_PAGE_TABLES, 1);
	atomic64_set(&mm->page_tables, 1);
	arch_space_init(&mm->space, page_to_virt(root));
	rwsem_init(&mm->mmap_lock, RANK_MMAP);
	atomic_set(&mm->users, 1);
	ref_init(&mm->ref);
	/* exec moves it below the stack's limit and some randomness. */
	mm->mmap_base = USER_END - (128ul << 20);
	mm->write_seq = 1;
	mm->dumpable = 1;
	mm_scan_add(mm);
	return mm;
}

void
mm_users_get(struct mm *mm)
{
	atomic_inc(&mm->users);
}

bool
mm_users_try_get(struct mm *mm)
{
	return atomic_inc_not_zero(&mm->users);
}

void
mm_get(struct mm *mm)
{
	ref_get(&mm->ref);
}

void
mm_put(struct mm *mm)
{
	if (!ref_put(&mm->ref))
		return;
	pte_t *root = mm_root(mm);

	arch_space_fini(&mm->space);
	pages_free(root, 0);
	mem_count(MC_PAGE_TABLES, -1);
	kmem_cache_free(mm_cache, mm);
}

/*
 * The last user is gone: nobody runs here or faults here; walks of the reverse map may still come
 * by.
 */
static void
mm_unmap_all(struct mm *mm)
{
	struct gather g;
	struct vma *v, *next;

	mm_scan_remove(mm);
	rwsem_write_lock(&mm->mmap_lock);
	gather_init(&g, mm);
	rb_for_each_entry(v, &mm->vmas, node) zap_range(&g, v, v->start, v->end, ZAP_ALL);
	rb_for_each_entry(v, &mm->vmas, node)
	{
		if (v->mapping) {
			rmap_lock(v->mapping);
			rmap_remove_locked(v);
			rmap_unlock(v->mapping);
		}
		mm_account(mm, v->flags, vma_pages(v), -1);
	}
	/* Upwards, so that a table shared by neighbours goes with the last of them. */
	for (v = vma_first(mm); v; v = next) {
		next = vma_next(v);
		mm_tables_free(&g, v->start, v->end, 0, next ? next->start : UINT64_MAX);
	}
	gather_finish(&g);
	rb_for_each_entry_postorder_safe(v, next, &mm->vmas, node)
	{
		if (v->ops && v->ops->close)
			v->ops->close(v);
		vma_free(v);
	}
	mm->vmas = (struct rb_root)RB_ROOT;
	mm->vma_count = 0;
	mm_write_unlock(mm);
	oom_memory_freed();
}

void
mm_users_put(struct mm *mm)
{
	if (!atomic_dec_and_test(&mm->users))
		return;
	mm_unmap_all(mm);
	if (mm->exe && mm_exe_put)
		mm_exe_put(mm->exe);
	mm->exe = NULL;
	if (mm->user_ns)
		mm_user_ns_put(mm->user_ns);
	mm->user_ns = NULL;
	mm_put(mm);
}

struct mm *
mm_switch_current(struct mm *next)
{
	struct thread *t = thread_current();
	unsigned long flags = arch_irq_save();
	struct mm *prev = t->mm;

	t->mm = next;
	t->space = next ? &next->space : NULL;
	arch_space_switch(prev ? &prev->space : NULL, t->space);
	arch_irq_restore(flags);
	return prev;
}

/* ---- accounting and limits ---- */

void
mm_account(struct mm *mm, u32 vm_flags, u64 pages, s64 sign)
{
	u64 delta = pages * (u64)sign;

	if (vm_flags & VM_ACCOUNT) {
		if (sign < 0)
			commit_release(pages);
	}
	mm->total_vm += delta;
	if (vm_flags & VM_LOCKED) {
		mm->locked_vm += delta;
		mem_count(MC_MLOCKED, (s64)delta);
	}
	if (vm_flags & (VM_GROWSDOWN | VM_STACK))
		mm->stack_vm += delta;
	else if ((vm_flags & (VM_EXEC | VM_WRITE)) == VM_EXEC)
		mm->exec_vm += delta;
	else if ((vm_flags & (VM_WRITE | VM_SHARED)) == VM_WRITE)
		mm->data_vm += delta;
}

static inline bool
over(u64 used, u64 more, u64 limit_bytes)
{
	return used + more > limit_bytes >> PAGE_SHIFT;
}

int
mm_data_check(struct mm *mm, u64 pages)
{
	struct mm_limits limits;

	if (!mm_get_limits)
		return 0;
	mm_get_limits(&limits);
	return over(mm->data_vm, pages, limits.data) ? -ENOMEM : 0;
}

int
mm_limits_check(struct mm *mm, u32 vm_flags, u64 pages)
{
	struct mm_limits limits;

	if (!mm_get_limits)
		return 0;
	mm_get_limits(&limits);
	if (over(mm->total_vm, pages, limits.as))
		return -ENOMEM;
	if ((vm_flags & (VM_WRITE | VM_SHARED | VM_STACK | VM_GROWSDOWN)) == VM_WRITE &&
	    over(mm->data_vm, pages, limits.data))
		return -ENOMEM;
	if ((vm_flags & VM_LOCKED) && !limits.memlock_exempt &&
	    over(mm->locked_vm, pages, limits.memlock))
		return -EAGAIN;
	return 0;
}
