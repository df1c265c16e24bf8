/* SPDX-License-Identifier: MIT */
/*
 * The scheduling tick, accounting by it, and load averages.
 *
 * A CPU ticks while it runs a thread: to end slices, and to sample whether the time goes to user
 * mode or to the kernel. An idle CPU does not. The tick is not stopped at the moment of going idle,
 * though, but when it finds the CPU idle: a CPU that sleeps and wakes many times a tick thus
 * programs no timer for it.
 *
 * One CPU, the keeper, also keeps the time of all (coarse clocks, vDSO page, load averages). When
 * it goes idle another takes over at its own next tick; if all are idle the keeper ticks once a
 * second.
 *
 * Locking: tick and tick_active belong to their CPU, with interrupts off.
 */
#include "sched_internal.h"

#include "core/cpumask.h"
#include "core/irq.h"
#include "lib/math.h"

#define KEEPER_IDLE_NS NSEC_PER_SEC
#define LOAD_PERIOD_NS                                                                            \
	(5 * NSEC_PER_SEC + 4 * NSEC_PER_MSEC) /* not in step with things that happen each second \
						*/
#define LOAD_SHIFT 11
#define LOAD_ONE   (1u << LOAD_SHIFT)

void (*sched_tick_hook)(struct thread *t, bool user, u64 delta_ns);

static u32 keeper; /* CPU; changed by the one that takes over */
static struct spinlock load_lock = SPINLOCK_INIT(RANK_LEAF);
static u64 load_next;
static u64 load_average[3];

/* exp(-5 s / 1, 5, 15 min) in LOAD_SHIFT fixed point. */
static const u32 load_decay[3] = { 1884, 2014, 2037 };

/* ---- load averages ---- */

static void
load_update(u64 now)
{
	u64 active;

	if (likely(now < READ_ONCE(load_next)))
		return;
	if (!spin_trylock(&load_lock))
		return;
	active = (u64)(sched_nr_running() + sched_nr_uninterruptible()) << LOAD_SHIFT;
	if (!load_next)
		WRITE_ONCE(load_next, now);
	/* After a long idle time several periods are due, all but the last of them without load. */
	for (u32 due = 0; now >= load_next && due < 720; due++) {
		bool last = now - load_next < LOAD_PERIOD_NS;

		for (u32 i = 0; i < 3; i++) {
			u64 sample = last ? active : 0;

			load_average[i] = (load_average[i] * load_decay[i] +
					   sample * (LOAD_ONE - load_decay[i]) + LOAD_ONE / 2) >>
					  LOAD_SHIFT;
		}
		WRITE_ONCE(load_next, load_next + LOAD_PERIOD_NS);
	}
	if (now >= load_next)
		WRITE_ONCE(load_next, now + LOAD_PERIOD_NS);
	spin_unlock(&load_lock);
}

void
sched_load_average(u64 out[3])
{
	for (u32 i = 0; i < 3; i++)
		out[i] = READ_ONCE(load_average[i]);
}

u32
sched_nr_running(void)
{
	u32 cpu, sum = 0;

	cpumask_for_each(cpu, &cpu_online) sum += READ_ONCE(rq_of(cpu)->count);
	return sum;
}

u32
sched_nr_uninterruptible(void)
{
	s32 sum = 0;
	u32 cpu;

	cpumask_for_each(cpu, &cpu_online) sum += READ_ONCE(rq_of(cpu)->uninterruptible);
	return sum > 0 ? (u32)sum : 0;
}

/* ---- the tick ---- */

static void
keep_time(struct run_queue *rq, u64 now)
{
	u32 is = READ_ONCE(keeper);

	if (is != rq->cpu) {
		if (READ_ONCE(rq_of(is)->count))
			return;
		/* Two may take over at once: the later one keeps it, an extra update harms nobody.
		 */
		WRITE_ONCE(keeper, rq->cpu);
	}
	time_tick();
	load_update(now);
}

static void
account(struct run_queue *rq, struct thread *t, bool user, u64 now)
{
	u64 sample = now - rq->tick_last, used;

	rq->tick_last = now;
	if (user) {
		t->utime_ns += sample;
		if (t->nice > 0)
			rq->nice_ns += sample;
		else
			rq->user_ns += sample;
	} else {
		t->stime_ns += sample;
		rq->system_ns += sample;
	}
	used = t->sum_exec_ns - t->tick_exec_ns;
	t->tick_exec_ns = t->sum_exec_ns;
	if (sched_tick_hook && !t->is_kernel)
		sched_tick_hook(t, user, used);
}

static void
tick(struct timer *timer)
{
	struct run_queue *rq = container_of(timer, struct run_queue, tick);
	struct thread *t = rq->curr;
	u64 now = time_mono_ns();
	bool user = irq_from_user();

	keep_time(rq, now);
	if (t == rq->idle) {
		rq->tick_active = false;
		if (READ_ONCE(keeper) == rq->cpu)
			timer_start(timer, now + KEEPER_IDLE_NS);
		return;
	}
	spin_lock(&rq->lock);
	rq_charge(rq);
	if (unlikely(rq->rt.throttled) && rt_refresh(&rq->rt, now))
		rq_resched(rq);
	spin_unlock(&rq->lock);
	account(rq, t, user, now);
	balance_tick(rq);
	timer_start(timer, now + TICK_NS);
}

void
tick_init(struct run_queue *rq)
{
	timer_init(&rq->tick, tick);
}

void
tick_start(struct run_queue *rq)
{
	if (rq->tick_active)
		return;
	rq->tick_active = true;
	rq->tick_last = rq->clock;
	timer_start(&rq->tick, rq->clock + TICK_NS);
	/* Coarse clocks may be a second old if nobody else ticked. */
	keep_time(rq, rq->clock);
}

/* ---- what was used ---- */

/* t's run queue is locked. */
static u64
runtime_locked(struct run_queue *rq, struct thread *t)
{
	s64 since = 0;

	if (rq->curr == t)
		since = (s64)(time_mono_ns() - t->exec_start);
	return t->sum_exec_ns + (since > 0 ? (u64)since : 0);
}

u64
sched_thread_runtime_ns(struct thread *t)
{
	unsigned long flags = arch_irq_save();
	struct run_queue *rq = thread_rq_lock(t);
	u64 used = runtime_locked(rq, t);

	spin_unlock(&rq->lock);
	arch_irq_restore(flags);
	return used;
}

/*
 * The samples say the proportion, the run time the sum. Neither part may ever go back, so what was
 * told before is a lower bound. Without a sample of kernel time it was too short to matter.
 */
void
sched_thread_times(struct thread *t, u64 *utime_ns, u64 *stime_ns)
{
	unsigned long flags = arch_irq_save();
	struct run_queue *rq = thread_rq_lock(t);
	u64 total = runtime_locked(rq, t), user = t->utime_ns, system = t->stime_ns;

	if (total > t->utime_told + t->stime_told) {
		u64 stime = system ? mul_div_u64(total, system, user + system) : 0;

		if (t->is_kernel)
			stime = total;
		stime = CLAMP(stime, t->stime_told, total - t->utime_told);
		t->stime_told = stime;
		t->utime_told = total - stime;
	}
	*utime_ns = t->utime_told;
	*stime_ns = t->stime_told;
	spin_unlock(&rq->lock);
	arch_irq_restore(flags);
}

void
sched_cpu_stats(u32 cpu, struct sched_cpu_stats *out)
{
	struct run_queue *rq = rq_of(cpu);

	*out = (struct sched_cpu_stats){
		.user_ns = READ_ONCE(rq->user_ns),
		.nice_ns = READ_ONCE(rq->nice_ns),
		.system_ns = READ_ONCE(rq->system_ns),
		.switches = READ_ONCE(rq->switches),
	};
	if (rq->idle)
		out->idle_ns = sched_thread_runtime_ns(rq->idle);
}
