/* SPDX-License-Identifier: MIT */
/* CPU-time clocks of threads and processes, and timers on them; see task/cpu_timer.c. */
#ifndef TASK_CPU_TIMER_H
#define TASK_CPU_TIMER_H

#include "lib/rbtree.h"
#include "lib/types.h"

struct process;
struct task;

/* Which part of the CPU time: the low bits of a dynamic clock id. */
enum cpu_clock_kind { CPU_CLOCK_PROF, CPU_CLOCK_VIRT, CPU_CLOCK_SCHED, CPU_CLOCK_KINDS };

struct cpu_clock {
	struct task *task; /* referenced: the thread, or any thread of the process */
	bool thread;
	enum cpu_clock_kind kind;
};

/* Does the id name a CPU-time clock? CLOCK_PROCESS_CPUTIME_ID, CLOCK_THREAD_CPUTIME_ID and negative
 * ones. */
bool cpu_clock_is(int clock);
/* The clock behind the id; -EINVAL if the process or thread does not exist or may not be asked. */
int cpu_clock_find(int clock, struct cpu_clock *out);
void cpu_clock_put(struct cpu_clock *c);
u64 cpu_clock_read(const struct cpu_clock *c);
/* The same for holders of the process's sighand->lock; and a process's clock directly. */
u64 cpu_clock_read_locked(const struct cpu_clock *c);
u64 cpu_clock_process_locked(struct process *p, enum cpu_clock_kind kind);

/* Timers of one thread or process by kind; zeroed = empty. Under sighand->lock. */
struct cpu_timer_set {
	struct rb_root_cached tree[CPU_CLOCK_KINDS];
	u64 check_at; /* nothing can have expired before this monotonic time; 0: look at the next
			 tick */
};

struct cpu_timer {
	struct rb_node node;
	struct cpu_timer_set *set; /* where it is armed, or NULL */
	enum cpu_clock_kind kind;
	u64 expires; /* on its clock */
	/* Interrupt context, no lock held, no longer armed; the object is kept by the caller's RCU
	 * section. */
	void (*func)(struct cpu_timer *t);
};

void cpu_timer_arm(struct cpu_timer *t, const struct cpu_clock *c, u64 expires);
/* True if it was armed; if not, its function may be running. */
bool cpu_timer_cancel(struct cpu_timer *t, struct process *p);
/* The same for holders of the sighand->lock of the clock's process. */
void cpu_timer_arm_locked(struct cpu_timer *t, const struct cpu_clock *c, u64 expires);
bool cpu_timer_cancel_locked(struct cpu_timer *t);
/* An interval timer or RLIMIT_CPU of the process has changed. */
void cpu_timers_changed(struct process *p);

/* A thread exits, sighand->lock held: timers on its clock will never expire. */
void cpu_timers_exit_locked(struct task *t);

void cpu_timer_init(void); /* boot: takes the scheduler's tick hook */

#endif
