/* SPDX-License-Identifier: MIT */
/*
 * CPU-time clocks, and what happens when they reach a value: POSIX timers on them, ITIMER_PROF and
 * ITIMER_VIRTUAL, RLIMIT_CPU. clock_getcpuclockid(3), setitimer(2), getrlimit(2).
 *
 * The tick of a running thread looks whether anything has expired. Since the clock of a process is
 * the sum over its threads, looking properly costs a walk; but a CPU clock cannot run faster than
 * real time (a process's not faster than all CPUs together), so each look also says when the next
 * one can find something at the earliest: check_at. Until then a tick compares two numbers.
 *
 * Locking: sighand->lock guards the sets, the interval timers and check_at for writing. Signals are
 * sent and functions called after it is dropped.
 */
#include "task/cpu_timer.h"

#include "core/cpumask.h"
#include "core/time.h"
#include "sched/sched.h"
#include "task/signal.h"
#include "task/task.h"
#include "task_internal.h"
#include "uapi/errno.h"
#include "uapi/resource.h"
#include "uapi/siginfo.h"
#include "uapi/time.h"

/* ---- clocks ---- */

bool
cpu_clock_is(int clock)
{
	return clock < 0 || clock == CLOCK_PROCESS_CPUTIME_ID || clock == CLOCK_THREAD_CPUTIME_ID;
}

int
cpu_clock_find(int clock, struct cpu_clock *out)
{
	struct task *t = current;
	int id = 0;

	if (clock == CLOCK_PROCESS_CPUTIME_ID || clock == CLOCK_THREAD_CPUTIME_ID) {
		out->thread = clock == CLOCK_THREAD_CPUTIME_ID;
		out->kind = CPU_CLOCK_SCHED;
	} else {
		if ((clock & CPUCLOCK_CLOCK_MASK) > CPUCLOCK_SCHED)
			return -EINVAL;
		id = ~(clock >> 3);
		out->thread = clock & CPUCLOCK_PERTHREAD_MASK;
		out->kind = clock & CPUCLOCK_CLOCK_MASK;
	}
	if (id == 0) {
		task_get(t);
		out->task = t;
		return 0;
	}
	t = id > 0 ? task_find(id) : NULL;
	if (!t)
		return -EINVAL;
	/* A thread may be asked by its own process only; a process by anybody, under its leader's
	 * number (or any of our own threads'). */
	if (out->thread ? t->process != current->process
			: READ_ONCE(t->process->leader) != t && t->process != current->process) {
		task_put(t);
		return -EINVAL;
	}
	out->task = t;
	return 0;
}

void
cpu_clock_put(struct cpu_clock *c)
{
	task_put(c->task);
}

static u64
thread_sample(struct task *t, enum cpu_clock_kind kind)
{
	u64 user, system;

	if (kind == CPU_CLOCK_SCHED)
		return sched_thread_runtime_ns(&t->thread);
	sched_thread_times(&t->thread, &user, &system);
	return kind == CPU_CLOCK_VIRT ? user : user + system;
}

/* sighand->lock held. */
u64
cpu_clock_process_locked(struct process *p, enum cpu_clock_kind kind)
{
	u64 sum;
	struct task *t;

	if (kind == CPU_CLOCK_SCHED)
		sum = p->dead_runtime_ns;
	else
		sum = p->dead_utime_ns + (kind == CPU_CLOCK_PROF ? p->dead_stime_ns : 0);
	list_for_each_entry(t, &p->threads, thread_node) sum += thread_sample(t, kind);
	return sum;
}

static u64
process_sample(struct process *p, enum cpu_clock_kind kind)
{
	unsigned long flags;
	struct sighand *sh = sighand_lock(p, &flags);
	u64 sum = cpu_clock_process_locked(p, kind);

	sighand_unlock(sh, flags);
	return sum;
}

u64
cpu_clock_read_locked(const struct cpu_clock *c)
{
	return c->thread ? thread_sample(c->task, c->kind)
			 : cpu_clock_process_locked(c->task->process, c->kind);
}

u64
cpu_clock_read(const struct cpu_clock *c)
{
	return c->thread ? thread_sample(c->task, c->kind)
			 : process_sample(c->task->process, c->kind);
}

/* ---- timers ---- */

static bool
timer_before(const struct rb_node *a, const struct rb_node *b)
{
	return rb_entry(a, struct cpu_timer, node)->expires <
	       rb_entry(b, struct cpu_timer, node)->expires;
}

static struct cpu_timer *
set_first(const struct cpu_timer_set *set, enum cpu_clock_kind kind)
{
	return rb_entry_safe(rb_first_cached(&set->tree[kind]), struct cpu_timer, node);
}

static void
timer_remove(struct cpu_timer *t)
{
	rb_erase_cached(&t->node, &t->set->tree[t->kind]);
	t->set = NULL;
}

void
cpu_timer_arm_locked(struct cpu_timer *t, const struct cpu_clock *c, u64 expires)
{
	struct task *task = c->task;

	if (t->set)
		timer_remove(t);
	/* A thread that has exited uses no more time. */
	if (c->thread && task->exiting)
		return;
	t->set = c->thread ? &task->cpu_timers : &task->process->cpu_timers;
	t->kind = c->kind;
	t->expires = expires;
	rb_add_cached(&t->node, &t->set->tree[t->kind], timer_before);
	WRITE_ONCE(t->set->check_at, 0);
}

bool
cpu_timer_cancel_locked(struct cpu_timer *t)
{
	bool armed = t->set;

	if (armed)
		timer_remove(t);
	return armed;
}

void
cpu_timer_arm(struct cpu_timer *t, const struct cpu_clock *c, u64 expires)
{
	unsigned long flags;
	struct sighand *sh = sighand_lock(c->task->process, &flags);

	cpu_timer_arm_locked(t, c, expires);
	sighand_unlock(sh, flags);
}

bool
cpu_timer_cancel(struct cpu_timer *t, struct process *p)
{
	unsigned long flags;
	struct sighand *sh = sighand_lock(p, &flags);
	bool armed = cpu_timer_cancel_locked(t);

	sighand_unlock(sh, flags);
	return armed;
}

static void
set_clear(struct cpu_timer_set *set)
{
	for (u32 kind = 0; kind < CPU_CLOCK_KINDS; kind++) {
		struct cpu_timer *t;

		while ((t = set_first(set, kind)))
			timer_remove(t);
	}
	WRITE_ONCE(set->check_at, TIME_NEVER);
}

void
cpu_timers_exit_locked(struct task *t)
{
	set_clear(&t->cpu_timers);
}

void
cpu_timers_changed(struct process *p)
{
	WRITE_ONCE(p->xcpu_next_sec, 0);
	WRITE_ONCE(p->cpu_timers.check_at, 0);
}

/* An expired timer taken off its set, or NULL and in *slack the least CPU time until one expires.
 */
static struct cpu_timer *
set_expired(struct cpu_timer_set *set, const u64 now[CPU_CLOCK_KINDS], u64 *slack)
{
	for (u32 kind = 0; kind < CPU_CLOCK_KINDS; kind++) {
		struct cpu_timer *t = set_first(set, kind);

		if (!t)
			continue;
		if (t->expires <= now[kind]) {
			timer_remove(t);
			return t;
		}
		*slack = MIN(*slack, t->expires - now[kind]);
	}
	return NULL;
}

static void
set_check_later(struct cpu_timer_set *set, u64 slack, u32 speed)
{
	WRITE_ONCE(set->check_at,
		   slack == TIME_NEVER ? TIME_NEVER : time_mono_ns() + slack / speed);
}

static void
thread_check(struct task *t)
{
	struct cpu_timer *timer;

	do {
		unsigned long flags;
		struct sighand *sh = sighand_lock(t->process, &flags);
		u64 now[CPU_CLOCK_KINDS], slack = TIME_NEVER;

		for (u32 kind = 0; kind < CPU_CLOCK_KINDS; kind++)
			now[kind] = thread_sample(t, kind);
		timer = set_expired(&t->cpu_timers, now, &slack);
		if (!timer)
			set_check_later(&t->cpu_timers, slack, 1);
		sighand_unlock(sh, flags);
		if (timer)
			timer->func(timer);
	} while (timer);
}

/* An interval timer: true if it has expired; it is armed again. */
static bool
itimer_expired(struct process *p, int which, u64 now, u64 *slack)
{
	u64 *value = &p->itimer_value[which], interval = p->itimer_interval[which];
	bool expired = false;

	if (!*value)
		return false;
	if (*value <= now) {
		expired = true;
		*value = interval ? *value + ((now - *value) / interval + 1) * interval : 0;
	}
	if (*value)
		*slack = MIN(*slack, *value - now);
	return expired;
}

/* RLIMIT_CPU: SIGXCPU at the soft limit and each second after it, SIGKILL at the hard one. The
 * signal to send, or 0. */
static int
rlimit_expired(struct process *p, u64 now, u64 *slack)
{
	u64 soft = READ_ONCE(p->limits.lim[RLIMIT_CPU].cur),
	    hard = READ_ONCE(p->limits.lim[RLIMIT_CPU].max), next;

	if (soft == RLIM_INFINITY)
		return 0;
	if (now / NSEC_PER_SEC >= hard)
		return SIGKILL;
	next = MAX(soft, p->xcpu_next_sec);
	if (now / NSEC_PER_SEC >= next) {
		p->xcpu_next_sec = now / NSEC_PER_SEC + 1;
		*slack = MIN(*slack, NSEC_PER_SEC - now % NSEC_PER_SEC);
		return SIGXCPU;
	}
	if (next < TIME_NEVER / NSEC_PER_SEC)
		*slack = MIN(*slack, next * NSEC_PER_SEC - now);
	return 0;
}

static void
process_check(struct process *p)
{
	struct cpu_timer *timer;

	do {
		unsigned long flags;
		struct sighand *sh = sighand_lock(p, &flags);
		u64 now[CPU_CLOCK_KINDS], slack = TIME_NEVER;
		bool prof, virt;
		int xcpu;

		for (u32 kind = 0; kind < CPU_CLOCK_KINDS; kind++)
			now[kind] = cpu_clock_process_locked(p, kind);
		prof = itimer_expired(p, ITIMER_PROF, now[CPU_CLOCK_PROF], &slack);
		virt = itimer_expired(p, ITIMER_VIRTUAL, now[CPU_CLOCK_VIRT], &slack);
		xcpu = rlimit_expired(p, now[CPU_CLOCK_PROF], &slack);
		timer = set_expired(&p->cpu_timers, now, &slack);
		if (!timer)
			set_check_later(&p->cpu_timers, slack, cpu_count);
		sighand_unlock(sh, flags);
		if (prof)
			signal_send_process(p, SIGPROF, NULL);
		if (virt)
			signal_send_process(p, SIGVTALRM, NULL);
		if (xcpu)
			signal_send_process(p, xcpu, NULL);
		if (timer)
			timer->func(timer);
	} while (timer);
}

static void
cpu_timer_tick(struct thread *thread, bool user, u64 delta_ns)
{
	struct task *t = container_of(thread, struct task, thread);
	u64 now = time_mono_ns();

	if (unlikely(now >= READ_ONCE(t->process->cpu_timers.check_at)))
		process_check(t->process);
	if (unlikely(now >= READ_ONCE(t->cpu_timers.check_at)))
		thread_check(t);
}

void
cpu_timer_init(void)
{
	sched_tick_hook = cpu_timer_tick;
}
