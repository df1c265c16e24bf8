/* SPDX-License-Identifier: MIT */
/*
 * Address spaces in a CPU: loading them, and keeping its translations true.
 *
 * Idea: each space counts its shoot-downs (tlb_generation). A CPU remembers, for the few spaces
 * whose translations it keeps under a PCID, at which count it last was up to date. A shoot-down
 * raises the count, then interrupts the CPUs that have the space loaded; all others find out when
 * they load it.
 *
 * Order: the unmapper changes entries, raises the generation, reads space->cpus; a CPU that
 * switches sets its bit in space->cpus, then reads the generation. Whatever the interleaving,
 * either it sees the new generation or it gets the interrupt.
 *
 * A CPU in a kernel thread keeps the last space loaded (lazily). Rather than flush for it, it
 * leaves it when a shoot-down arrives: a sleeping CPU is interrupted once for a space, not for
 * every unmap.
 *
 * Requests wait in one slot per sending CPU; a receiver acknowledges by clearing its bit in the
 * slot. Nobody waits with interrupts off, so receivers always answer.
 */
#include "arch/tlb.h"

#include "apic.h"
#include "arch/cpu.h"
#include "arch/mmu.h"
#include "arch/thread.h"
#include "core/cpumask.h"
#include "core/panic.h"
#include "core/preempt.h"
#include "lib/atomic.h"
#include "lib/string.h"
#include "x86.h"

#define PCID_SLOTS 6
#define PAGES_MAX  32 /* beyond, flush everything */
#define CR3_KEEP   (1ul << 63)

struct tlb_slot {
	u64 space_id;
	u64 generation;
};

struct tlb_state {
	struct arch_space *loaded; /* NULL: the kernel's own tables */
	bool lazy;		   /* a kernel thread runs on `loaded` */
	u32 slot, next_slot;
	struct tlb_slot slots[PCID_SLOTS];
};

struct tlb_request {
	struct cpumask waiting;	  /* CPUs that have not answered yet */
	struct arch_space *space; /* NULL: kernel addresses */
	uintptr_t start, end;
	size_t stride;
	u64 generation;
};

static DEFINE_PERCPU(struct tlb_state, tlb_state);
static DEFINE_PERCPU(struct tlb_request, tlb_request);
static u64 space_next_id = 1;

void
arch_tlb_flush_local_page(uintptr_t addr)
{
	__asm__ volatile("invlpg (%0)" ::"r"(addr) : "memory");
}

/* Reloading CR3 without the keep bit drops the current PCID's translations but global ones. */
void
arch_tlb_flush_local_all(void)
{
	unsigned long flags = arch_irq_save();

	write_cr3(read_cr3() & ~CR3_KEEP);
	arch_irq_restore(flags);
}

static void
flush_everything(void)
{
	u64 cr4 = read_cr4();

	write_cr4(cr4 & ~CR4_PGE);
	write_cr4(cr4);
}

void
arch_space_init(struct arch_space *space, void *root)
{
	memcpy((pte_t *)root + PTE_PER_TABLE / 2, arch_kernel_root + PTE_PER_TABLE / 2,
	       PTE_PER_TABLE / 2 * sizeof(pte_t));
	space->root = virt_to_phys(root);
	space->id = __atomic_fetch_add(&space_next_id, 1, __ATOMIC_RELAXED);
	space->tlb_generation = 1;
	cpumask_zero(&space->cpus);
}

static void
load_kernel_root(struct tlb_state *state)
{
	if (state->loaded)
		cpumask_clear(&state->loaded->cpus, cpu_id());
	state->loaded = NULL;
	state->lazy = true;
	write_cr3(virt_to_phys(arch_kernel_root));
}

/* The slot of a space, and whether what the CPU holds under it is up to date. */
static bool
slot_choose(struct tlb_state *state, const struct arch_space *space, u64 generation)
{
	for (u32 i = 0; i < PCID_SLOTS; i++) {
		if (state->slots[i].space_id != space->id)
			continue;
		state->slot = i;
		if (state->slots[i].generation == generation)
			return true;
		state->slots[i].generation = generation;
		return false;
	}
	state->slot = state->next_slot;
	state->next_slot = (state->next_slot + 1) % PCID_SLOTS;
	state->slots[state->slot] = (struct tlb_slot){ space->id, generation };
	return false;
}

static void
space_load(struct tlb_state *state, struct arch_space *space)
{
	u64 generation = __atomic_load_n(&space->tlb_generation, __ATOMIC_SEQ_CST);

	state->lazy = false;
	if (cpu_has(CPU_PCID)) {
		bool current = slot_choose(state, space, generation);

		write_cr3(space->root | (state->slot + 1) | (current ? CR3_KEEP : 0));
	} else {
		state->slots[0] = (struct tlb_slot){ space->id, generation };
		write_cr3(space->root);
	}
}

void
arch_space_switch(struct arch_space *prev, struct arch_space *next)
{
	struct tlb_state *state = this_cpu_ptr(tlb_state);

	if (!next) {
		state->lazy = true;
		return;
	}
	if (state->loaded == next) {
		/*
		 * Lazily loaded until now: a shoot-down that came meanwhile has made this CPU
		 * leave, so the translations are good. The store before the next user access cannot
		 * be missed, for the interrupt handler runs on this CPU.
		 */
		state->lazy = false;
		return;
	}
	if (state->loaded)
		cpumask_clear(&state->loaded->cpus, cpu_id());
	state->loaded = next;
	cpumask_set(&next->cpus, cpu_id());
	smp_mb();
	space_load(state, next);
}

static void
flush_range(uintptr_t start, uintptr_t end, size_t stride)
{
	for (uintptr_t addr = start; addr < end; addr += stride)
		arch_tlb_flush_local_page(addr);
}

/* Interrupts off. Brings this CPU up to date with a shoot-down of `space`. */
static void
space_flush_local(const struct tlb_request *rq)
{
	struct tlb_state *state = this_cpu_ptr(tlb_state);
	struct tlb_slot *slot = &state->slots[state->slot];

	if (state->loaded != rq->space)
		return;
	if (state->lazy) {
		load_kernel_root(state);
		return;
	}
	if (slot->generation >= rq->generation)
		return;
	/* A generation that was missed may have been about other pages: then everything goes. */
	if (slot->generation + 1 == rq->generation &&
	    rq->end - rq->start <= PAGES_MAX * rq->stride) {
		flush_range(rq->start, rq->end, rq->stride);
		slot->generation = rq->generation;
	} else {
		slot->generation = __atomic_load_n(&rq->space->tlb_generation, __ATOMIC_SEQ_CST);
		write_cr3(read_cr3() & ~CR3_KEEP);
	}
}

static void
kernel_flush_local(const struct tlb_request *rq)
{
	if (rq->end - rq->start <= PAGES_MAX * PAGE_SIZE)
		flush_range(rq->start, rq->end, PAGE_SIZE);
	else
		flush_everything();
}

/* Interrupt: every sender whose request names this CPU. */
void
tlb_ipi(void)
{
	u32 self = cpu_id(), sender;

	cpumask_for_each(sender, &cpu_online)
	{
		struct tlb_request *rq = percpu_ptr(tlb_request, sender);

		if (sender == self ||
		    !(smp_load_acquire(&rq->waiting.bits[self / 64]) >> (self % 64) & 1))
			continue;
		if (rq->space)
			space_flush_local(rq);
		else
			kernel_flush_local(rq);
		smp_mb();
		cpumask_clear(&rq->waiting, self);
	}
}

/*
 * Preemption off, interrupts on: this CPU's slot is ours until all have answered. While waiting we
 * answer others ourselves: interrupts are on.
 */
static void
request_run(struct tlb_request *rq, const struct cpumask *cpus)
{
	u32 self = cpu_id(), words = (cpu_count + 63) / 64, cpu;
	unsigned long bits, any = 0;

	for (u32 i = 0; i < words; i++) {
		bits = READ_ONCE(cpus->bits[i]);
		if (i == self / 64)
			bits &= ~(1ul << (self % 64));
		any |= bits;
	}
	if (!any)
		return;
	DEBUG_ASSERT(arch_irqs_enabled());
	for (u32 i = 0; i < words; i++) {
		bits = READ_ONCE(cpus->bits[i]) & READ_ONCE(cpu_online.bits[i]);
		if (i == self / 64)
			bits &= ~(1ul << (self % 64));
		smp_store_release(&rq->waiting.bits[i], bits);
	}
	smp_mb();
	cpumask_for_each(cpu, &rq->waiting) apic_send_ipi(cpu, VECTOR_TLB);
	for (u32 i = 0; i < words; i++)
		while (smp_load_acquire(&rq->waiting.bits[i]))
			arch_cpu_relax();
}

void
arch_tlb_shootdown(struct arch_space *space, uintptr_t start, uintptr_t end, size_t stride)
{
	struct tlb_request *rq;
	unsigned long flags;

	preempt_disable();
	rq = this_cpu_ptr(tlb_request);
	rq->space = space;
	rq->start = start;
	rq->end = end;
	rq->stride = stride;
	rq->generation = __atomic_add_fetch(&space->tlb_generation, 1, __ATOMIC_SEQ_CST);
	flags = arch_irq_save();
	space_flush_local(rq);
	arch_irq_restore(flags);
	request_run(rq, &space->cpus);
	preempt_enable();
}

void
arch_tlb_shootdown_all(struct arch_space *space)
{
	arch_tlb_shootdown(space, 0, USER_END, PAGE_SIZE);
}

void
arch_tlb_flush_kernel(uintptr_t start, uintptr_t end)
{
	struct tlb_request *rq;

	preempt_disable();
	rq = this_cpu_ptr(tlb_request);
	rq->space = NULL;
	rq->start = start;
	rq->end = end;
	kernel_flush_local(rq);
	request_run(rq, &cpu_online);
	preempt_enable();
}

/* No thread runs in it any more; CPUs that hold it lazily leave it. Called with interrupts on. */
void
arch_space_fini(struct arch_space *space)
{
	arch_tlb_shootdown_all(space);
	ASSERT(cpumask_empty(&space->cpus));
}
