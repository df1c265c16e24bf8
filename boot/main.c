/* SPDX-License-Identifier: MIT */
/*
 * The one file that names every room, in the order in which they start.
 *
 * kernel_main runs on the boot CPU with interrupts off until it becomes that CPU's idle thread; what may
 * sleep happens in init_thread, which at last becomes process 1.
 */
#include "arch/irq.h"
#include "arch/mmu.h"
#include "arch/smp.h"
#include "boot/options.h"
#include "core/arch_upcalls.h"
#include "core/bootinfo.h"
#include "core/cpumask.h"
#include "core/log.h"
#include "core/panic.h"
#include "core/percpu.h"
#include "core/time.h"
#include "mm/page.h"
#include "sched/sched.h"
#include "sched/work.h"

/* arch's entry code knows the work flags by their values: arch/x86_64/asm.h, traps.h. */
STATIC_ASSERT(TF_EXIT_WORK == 0x17 && TF_RESCHED == 0x02 && TF_ENTRY_WORK == 0x300);

/* mem=: RAM above the limit is as if it were not there. */
static void
memory_limit_apply(u64 limit)
{
	for (u32 i = 0; limit && i < boot_info.mem_count; i++) {
		struct boot_mem *m = &boot_info.mem[i];

		if (m->type == BOOT_MEM_RAM && m->start + m->len > limit) {
			m->len = m->start < limit ? limit - m->start : 0;
			if (!m->len)
				m->type = BOOT_MEM_RESERVED;
		}
	}
}

static void
init_thread(void *unused)
{
	arch_smp_start(sched_idle_stack);
	arch_protect_kernel();
	log_info("boot: init after %lu ms\n", time_mono_ns() / NSEC_PER_MSEC);
}

void
kernel_main(void)
{
	log_notice("Linux version 6.1.0-kevlar, command line: %s\n", boot_info.cmdline);
	cmdline_parse();
	memory_limit_apply(boot_options.memory_limit);
	arch_smp_detect(boot_options.max_cpus);
	percpu_init(cpu_count);
	time_init();
	mm_init();
	sched_init();
	work_system_init();
	thread_wake(thread_create(init_thread, NULL, "init"));
	sched_idle();
}
