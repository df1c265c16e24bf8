/* SPDX-License-Identifier: MIT */
/*
 * Other CPUs: start them all at once, make them call functions, stop them.
 *
 * A call request is a slot of the sending CPU with the set of those who have yet to run it; whoever
 * waits for its own slot meanwhile runs what others want of it, so two senders cannot block each
 * other.
 */
#include "arch/smp.h"

#include "apic.h"
#include "arch/clock.h"
#include "arch/cpu.h"
#include "arch/mmu.h"
#include "core/arch_upcalls.h"
#include "core/cpumask.h"
#include "core/log.h"
#include "core/panic.h"
#include "core/preempt.h"
#include "core/time.h"
#include "lib/atomic.h"
#include "lib/string.h"
#include "x86.h"

#define TRAMPOLINE	 0x8000
#define START_TIMEOUT_NS (10 * NSEC_PER_SEC)
#define START_AGAIN_NS	 NSEC_PER_MSEC

struct call_request {
	struct cpumask waiting;
	void (*fn)(void *arg);
	void *arg;
};

extern const char trampoline_start[], trampoline_end[];

u64 smp_stack_top[MAX_CPUS]; /* 0: the CPU is to halt */
u64 smp_root;

static DEFINE_PERCPU(struct call_request, call_request);
static u64 startup_sent;
static bool stopping;

void smp_cpu_start(u32 cpu) __noreturn;

/* First C code of another CPU, on its idle stack. */
void
smp_cpu_start(u32 cpu)
{
	arch_percpu_set_base(percpu_offset[cpu]);
	mmu_cpu_init();
	cpu_setup(cpu);
	apic_setup_cpu();
	arch_timer_init_cpu();
	cpumask_set(&cpu_online, cpu);
	cpu_main();
}

static void
startup_send(void)
{
	apic_broadcast_startup(TRAMPOLINE >> 12);
	startup_sent = time_mono_ns();
}

void
arch_smp_start(void *(*idle_stack)(u32 cpu))
{
	if (cpu_count == 1)
		return;
	for (u32 cpu = 1; cpu < cpu_count; cpu++) {
		void *stack = idle_stack(cpu);

		smp_stack_top[cpu] = stack ? (u64)stack + KSTACK_SIZE : 0;
	}
	smp_root = virt_to_phys(arch_kernel_root);
	memcpy(phys_to_virt(TRAMPOLINE), trampoline_start,
	       image_bytes(trampoline_start, trampoline_end));

	apic_broadcast_init();
	/* Real processors of old want 10 ms; those under a hypervisor are ready at once. */
	if (!cpu_has(CPU_HYPERVISOR))
		udelay(10000);
	startup_send();
}

static bool
all_online(void)
{
	for (u32 cpu = 0; cpu < cpu_count; cpu++)
		if (!cpumask_test(&cpu_online, cpu))
			return false;
	return true;
}

/* A second start-up message, after a while, for CPUs that missed the first: others ignore it. */
void
arch_smp_wait(void)
{
	u64 first = startup_sent;
	u32 online = 0;

	while (!all_online() && time_mono_ns() - first < START_TIMEOUT_NS) {
		if (startup_sent == first && time_mono_ns() - first > START_AGAIN_NS)
			startup_send();
		arch_cpu_relax();
	}
	for (u32 cpu = 0; cpu < cpu_count; cpu++)
		if (cpumask_test(&cpu_online, cpu))
			online++;
		else
			log_err("smp: CPU %u (APIC id %u) did not start\n", cpu,
				apic_id_of_cpu[cpu]);
	log_info("smp: %u CPUs\n", online);
}

void
arch_ipi_reschedule(u32 cpu)
{
	apic_send_ipi(cpu, VECTOR_RESCHEDULE);
}

void
smp_call_ipi(void)
{
	u32 self = cpu_id(), sender;

	cpumask_for_each(sender, &cpu_online)
	{
		struct call_request *rq = percpu_ptr(call_request, sender);

		if (!(smp_load_acquire(&rq->waiting.bits[self / 64]) >> (self % 64) & 1))
			continue;
		rq->fn(rq->arg);
		smp_mb();
		cpumask_clear(&rq->waiting, self);
	}
}

static void
call_wait(const struct call_request *rq)
{
	while (!cpumask_empty(&rq->waiting)) {
		unsigned long flags = arch_irq_save();

		smp_call_ipi();
		arch_irq_restore(flags);
		arch_cpu_relax();
	}
	smp_mb();
}

void
arch_ipi_call(const struct cpumask *cpus, void (*fn)(void *arg), void *arg, bool wait)
{
	struct call_request *rq;
	u32 self, cpu;

	preempt_disable();
	self = cpu_id();
	rq = this_cpu_ptr(call_request);
	call_wait(rq);
	rq->fn = fn;
	rq->arg = arg;
	for (u32 i = 0; i < ARRAY_SIZE(rq->waiting.bits); i++) {
		unsigned long bits = READ_ONCE(cpus->bits[i]) & READ_ONCE(cpu_online.bits[i]);

		if (i == self / 64)
			bits &= ~(1ul << (self % 64));
		smp_store_release(&rq->waiting.bits[i], bits);
	}
	smp_mb();
	cpumask_for_each(cpu, &rq->waiting) apic_send_ipi(cpu, VECTOR_CALL);
	if (wait)
		call_wait(rq);
	preempt_enable();
}

bool
smp_stopping(void)
{
	return READ_ONCE(stopping);
}

/* By NMI, for they may have interrupts off for ever. */
void
arch_smp_stop_others(void)
{
	WRITE_ONCE(stopping, true);
	smp_mb();
	if (cpu_count > 1)
		apic_send_nmi_others();
}
