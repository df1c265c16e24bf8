/* SPDX-License-Identifier: MIT */
/*
 * The end: panic, unhandled traps, warnings.
 *
 * The first CPU to panic speaks; others are stopped by NMI and a CPU that panics later, or in its
 * own panic, halts. Nothing here takes a lock that a stopped CPU might hold: log_panic_mode()
 * breaks them.
 */
#include "core/panic.h"

#include "arch/cpu.h"
#include "arch/power.h"
#include "arch/regs.h"
#include "arch/smp.h"
#include "core/log.h"
#include "core/percpu.h"
#include "core/time.h"
#include "lib/atomic.h"
#include "lib/format.h"

int panic_timeout;

static struct atomic32 panic_owner = ATOMIC_INIT(-1);

static void
panic_begin(void)
{
	arch_irq_disable();
	if (atomic_cmpxchg(&panic_owner, -1, (int)cpu_id()) != -1)
		arch_cpu_halt();
	arch_smp_stop_others();
	log_panic_mode();
}

static void __noreturn
panic_end(void)
{
	if (panic_timeout == 0) {
		log_emerg("---[ system halted ]---\n");
		arch_cpu_halt();
	}
	if (panic_timeout > 0) {
		log_emerg("Rebooting in %d seconds..\n", panic_timeout);
		for (int i = 0; i < panic_timeout; i++)
			for (int ms = 0; ms < 1000; ms++)
				udelay(1000);
	}
	arch_reboot();
}

void
panic(const char *fmt, ...)
{
	char text[256];
	va_list args;

	panic_begin();
	va_start(args, fmt);
	vscnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	log_emerg("Kernel panic - not syncing: %s\n", text);
	log_emerg("CPU %u, backtrace:\n", cpu_id());
	backtrace_print((uintptr_t)__builtin_frame_address(0));
	panic_end();
}

void
panic_oops(struct regs *regs, const char *what, uintptr_t addr)
{
	const char *name = "?";
	size_t offset = 0;

	panic_begin();
	symbol_find(regs_ip(regs), &name, &offset);
	log_emerg("Kernel panic - not syncing: %s at address %016lx, in %s+0x%lx\n", what, addr,
		  name, offset);
	arch_regs_print(regs);
	log_emerg("CPU %u, backtrace:\n", cpu_id());
	if (!regs_user(regs))
		backtrace_print(regs_fp(regs));
	panic_end();
}

void
warn_at(const char *file, int line, const char *expr)
{
	log_warn("warning: %s:%d: %s\n", file, line, expr);
	backtrace_print((uintptr_t)__builtin_frame_address(0));
}
