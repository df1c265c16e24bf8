/* SPDX-License-Identifier: MIT */
/* The scheduler's controls: policies, affinity, yielding, statistics. */
#ifndef SCHED_SCHED_H
#define SCHED_SCHED_H

#include "sched/thread.h"

/* Boot CPU: run queues, idle threads; the caller becomes CPU 0's idle thread when it calls
 * sched_idle. */
void sched_init(void);
/* Idle stack for CPU `cpu`, for arch_smp_start. */
void *sched_idle_stack(u32 cpu);
/* The end of kernel_main on CPU 0. */
void sched_idle(void) __noreturn;

void sched_yield(void);
/* Preempt point for long loops in the kernel. */
void sched_cond_resched(void);

struct sched_params {
	u8 policy; /* enum sched_policy */
	s8 nice;
	u8 rt_priority;
	bool reset_on_fork;
};
void sched_get_params(struct thread *t, struct sched_params *out);
/* 0 or -EINVAL. Permission is the caller's business. */
int sched_set_params(struct thread *t, const struct sched_params *p);
void sched_set_nice(struct thread *t, int nice);
/* 0, or -EINVAL when no online CPU is left in the mask. Moves the thread if needed before it
 * returns. */
int sched_set_affinity(struct thread *t, const struct cpumask *mask);
/* The online CPUs it may run on. */
void sched_get_affinity(struct thread *t, struct cpumask *out);
u64 sched_rr_interval_ns(struct thread *t);
/* Priority inheritance: raise (or with 0 reset) the effective real-time priority. */
void sched_boost(struct thread *t, u8 rt_priority);

/* CPU time of a thread up to now (also while it runs). */
u64 sched_thread_runtime_ns(struct thread *t);
/* utime/stime scaled to sum to the precise run time. */
void sched_thread_times(struct thread *t, u64 *utime_ns, u64 *stime_ns);

struct sched_cpu_stats {
	u64 user_ns, nice_ns, system_ns, idle_ns, iowait_ns, irq_ns, softirq_ns, steal_ns;
	u64 switches;
};
void sched_cpu_stats(u32 cpu, struct sched_cpu_stats *out);
u32 sched_nr_running(void); /* all CPUs */
u32 sched_nr_uninterruptible(void);
/* 1, 5 and 15 minute load averages, fixed point with 11 fraction bits. */
void sched_load_average(u64 out[3]);
extern struct atomic64 sched_forks; /* processes created since boot */
extern struct atomic32
	sched_kernel_threads; /* those of thread_create; tasks are counted by task/ */

/* Charging hook of the task room: called by the tick with run time used (process CPU clocks,
 * RLIMIT_CPU, ITIMER_PROF/VIRTUAL). Interrupt context. */
extern void (*sched_tick_hook)(struct thread *t, bool user, u64 delta_ns);

#endif
