/* SPDX-License-Identifier: MIT */
/* Other CPUs: starting them and interrupting them. */
#ifndef ARCH_SMP_H
#define ARCH_SMP_H
#include "lib/types.h"

struct cpumask;

/* Parse the firmware tables: fills cpu_possible and cpu_count (within max_cpus). Before
 * percpu_init. */
void arch_smp_detect(u32 max_cpus);
/* Start all possible CPUs at once; each runs cpu_main on the idle stack given (NULL: it stays off).
 * Does not wait. */
void arch_smp_start(void *(*idle_stack)(u32 cpu));
/* Until all of them are online or given up, which is logged by name. */
void arch_smp_wait(void);

void arch_ipi_reschedule(u32 cpu); /* runs sched_ipi() there */
/* Run fn(arg) on each CPU of the set but this one, in interrupt context; waits for all if wait.
 * Interrupts must be on if wait. */
void arch_ipi_call(const struct cpumask *cpus, void (*fn)(void *arg), void *arg, bool wait);
void arch_smp_stop_others(void); /* panic, reboot: halts them for ever */
#endif
