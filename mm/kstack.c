/* SPDX-License-Identifier: MIT */
/*
 * Kernel stacks: vmalloc areas, so that the page below each is unmapped and an overflow is a clean
 * fault.
 *
 * A dead thread's stack is used again soon: this CPU keeps a few, the rest wait on a shared list,
 * linked through their first word. Freeing never sleeps; the list is trimmed by those who allocate,
 * and by reclaim.
 */
#include "mm/kstack.h"

#include "arch/cpu.h"
#include "core/spinlock.h"
#include "mm/vmalloc.h"
#include "mm_internal.h"
#include "pagetable.h"

#define PER_CPU	    4
#define SHARED_MAX  64
#define STACK_PAGES (KSTACK_SIZE / PAGE_SIZE)

struct stack_cpu {
	void *stack[PER_CPU];
	u32 count;
};

static DEFINE_PERCPU(struct stack_cpu, stack_cpus);
static struct spinlock shared_lock = SPINLOCK_INIT(RANK_LEAF);
static void *shared;
static u32 shared_count;

static void *
shared_pop(u32 keep)
{
	unsigned long flags;
	void *stack = NULL;

	if (READ_ONCE(shared_count) <= keep)
		return NULL;
	flags = spin_lock_irqsave(&shared_lock);
	if (shared_count > keep) {
		stack = shared;
		shared = *(void **)stack;
		shared_count--;
	}
	spin_unlock_irqrestore(&shared_lock, flags);
	return stack;
}

static u32
shared_trim(u32 keep)
{
	void *stack;
	u32 n = 0;

	while ((stack = shared_pop(keep))) {
		vfree(stack);
		mem_count(MC_KSTACK, -(s64)STACK_PAGES);
		n++;
	}
	return n;
}

u64
kstack_reclaim(void)
{
	return shared_trim(0) * STACK_PAGES;
}

void *
kstack_alloc(void)
{
	unsigned long flags = arch_irq_save();
	struct stack_cpu *sc = this_cpu_ptr(stack_cpus);
	void *stack = sc->count ? sc->stack[--sc->count] : NULL;

	arch_irq_restore(flags);
	if (likely(stack))
		return stack;
	stack = shared_pop(0);
	if (stack) {
		shared_trim(SHARED_MAX);
		return stack;
	}
	stack = vmalloc(KSTACK_SIZE, GFP_KERNEL);
	if (stack)
		mem_count(MC_KSTACK, STACK_PAGES);
	return stack;
}

void
kstack_free(void *stack)
{
	unsigned long flags = arch_irq_save();
	struct stack_cpu *sc = this_cpu_ptr(stack_cpus);

	if (likely(sc->count < PER_CPU)) {
		sc->stack[sc->count++] = stack;
	} else {
		spin_lock(&shared_lock);
		*(void **)stack = shared;
		shared = stack;
		shared_count++;
		spin_unlock(&shared_lock);
	}
	arch_irq_restore(flags);
}

/* Called on the way to a panic: takes no lock, and a wrong answer only words a message wrongly. */
bool
kstack_guard_hit(uintptr_t addr)
{
	pte_t *here, *above;

	if (!is_vmalloc((void *)addr) || !is_vmalloc((void *)(addr + PAGE_SIZE)))
		return false;
	here = kernel_pte_find(addr);
	above = kernel_pte_find(addr + PAGE_SIZE);
	return (!here || pte_none(pte_get(here))) && above && !pte_none(pte_get(above));
}
