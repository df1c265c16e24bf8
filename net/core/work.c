/* SPDX-License-Identifier: MIT */
/*
 * Where received packets are worked on: net sections (net/core/net.h).
 *
 * Each CPU has a list of polls that wait, a backlog queue and a list of timers that have fired;
 * interrupt handlers put on them, so they are touched with interrupts off. net_run empties them in
 * rounds: fired timers first, then the backlog and the polls with a budget. What is left after some
 * rounds goes to the CPU's thread, so that a flood leaves time for programs.
 *
 * A bit in net_work_bits says what there is. Who sets it outside a section sees to it that somebody
 * looks: the end of the interrupt (core/irq.h), or the thread.
 *
 * A poll belongs to the CPU whose bit POLL_SCHED owner put it on the list, until net_poll_complete
 * clears the bit. An interrupt that comes while it is being polled sets POLL_MISSED.
 */
#include "arch/cpu.h"
#include "core/cpumask.h"
#include "core/irq.h"
#include "core/panic.h"
#include "core/time.h"
#include "net_core_internal.h"
#include "sched/sched.h"
#include "sched/thread.h"
#include "sched/wait.h"

#define WORK_BACKLOG BIT(0)
#define WORK_POLL    BIT(1)
#define WORK_TIMER   BIT(2)

#define POLL_SCHED    0 /* bit numbers */
#define POLL_MISSED   1
#define POLL_DISABLED 2

#define ROUND_BUDGET 64
#define ROUNDS_MAX   8

DEFINE_PERCPU(u32, net_depth);
DEFINE_PERCPU(u32, net_work_bits);
DEFINE_PERCPU(bool, net_in_sender);
DEFINE_PERCPU(struct net_work_stats, net_work_stats);
u32 net_max_backlog = 1000;

struct cpu_work {
	struct packet *head, **tail; /* backlog; interrupts off */
	u32 count;
	struct list polls;	  /* interrupts off */
	struct net_timer *timers; /* interrupts off; linked by next_fired */
	struct thread *thread;
	bool running; /* net_run is at work */
	u64 rounds;   /* of the backlog, ended */
};
static DEFINE_PERCPU(struct cpu_work, cpu_work);

/* Interrupts off. */
static void
work_raise(u32 bits)
{
	this_cpu_or(net_work_bits, bits);
	if (net_in_section())
		return; /* net_end or net_run looks */
	if (in_irq()) {
		irq_after_raise();
	} else {
		struct thread *t = this_cpu_ptr(cpu_work)->thread;

		if (t)
			thread_wake(t);
	}
}

/* ---- polls ---- */

void
net_poll_init(struct net_poll *np, struct net_device *dev,
	      int (*poll)(struct net_poll *np, int budget))
{
	*np = (struct net_poll){ .poll = poll, .dev = dev };
	list_init(&np->node);
}

static void
poll_enqueue(struct net_poll *np)
{
	unsigned long flags = arch_irq_save();

	list_add_tail(&np->node, &this_cpu_ptr(cpu_work)->polls);
	work_raise(WORK_POLL);
	arch_irq_restore(flags);
}

bool
net_poll_schedule(struct net_poll *np)
{
	if (test_bit(POLL_DISABLED, &np->state))
		return false;
	if (test_and_set_bit(POLL_SCHED, &np->state)) {
		set_bit(POLL_MISSED, &np->state);
		/* The poller may have finished between the two: then it is ours after all. */
		smp_mb();
		if (test_and_set_bit(POLL_SCHED, &np->state))
			return false;
	}
	poll_enqueue(np);
	return true;
}

bool
net_poll_complete(struct net_poll *np)
{
	if (!test_and_clear_bit(POLL_MISSED, &np->state)) {
		clear_bit_unlock(POLL_SCHED, &np->state);
		smp_mb();
		/* One that came between the two is ours still, if nobody has taken it up. */
		if (!test_bit(POLL_MISSED, &np->state) || test_and_set_bit(POLL_SCHED, &np->state))
			return true;
		clear_bit(POLL_MISSED, &np->state);
	}
	poll_enqueue(np);
	return false;
}

void
net_poll_disable(struct net_poll *np)
{
	set_bit(POLL_DISABLED, &np->state);
	while (test_and_set_bit(POLL_SCHED, &np->state))
		sleep_ns(NSEC_PER_MSEC);
}

static int
polls_run(struct cpu_work *w, int budget)
{
	int done = 0;

	while (done < budget) {
		struct net_poll *np;
		int n, share = MIN(budget - done, 64);
		unsigned long flags = arch_irq_save();

		np = list_first_entry_or_null(&w->polls, struct net_poll, node);
		if (np)
			list_del_init(&np->node);
		arch_irq_restore(flags);
		if (!np)
			break;
		n = np->poll(np, share);
		done += n;
		if (n >= share) /* not complete: to the end of the line */
			poll_enqueue(np);
	}
	return done;
}

/* ---- the backlog ---- */

bool
net_receive_later(struct packet *p)
{
	unsigned long flags = arch_irq_save();
	struct cpu_work *w = this_cpu_ptr(cpu_work);

	if (unlikely(w->count >= net_max_backlog || !w->tail)) {
		this_cpu_inc(net_work_stats.dropped);
		arch_irq_restore(flags);
		packet_free(p);
		return false;
	}
	p->next = NULL;
	*w->tail = p;
	w->tail = &p->next;
	w->count++;
	work_raise(WORK_BACKLOG);
	arch_irq_restore(flags);
	return true;
}

static int
backlog_run(struct cpu_work *w, int budget)
{
	unsigned long flags = arch_irq_save();
	struct packet *p = w->head, *next;
	int done = 0;

	w->head = NULL;
	w->tail = &w->head;
	w->count = 0;
	arch_irq_restore(flags);
	for (; p; p = next) {
		next = p->next;
		p->next = NULL;
		done++;
		net_receive(p);
	}
	smp_store_release(&w->rounds, w->rounds + 1);
	return done;
}

/* ---- timers ---- */

static void
timer_fire(struct timer *t)
{
	struct net_timer *nt = container_of(t, struct net_timer, timer);
	struct cpu_work *w = this_cpu_ptr(cpu_work);

	nt->next_fired = w->timers;
	w->timers = nt;
	work_raise(WORK_TIMER);
}

static void
timers_run(struct cpu_work *w)
{
	unsigned long flags = arch_irq_save();
	struct net_timer *t = w->timers, *next;

	w->timers = NULL;
	arch_irq_restore(flags);
	for (; t; t = next) {
		next = t->next_fired;
		t->func(t);
	}
}

void
net_timer_init(struct net_timer *t, void (*func)(struct net_timer *t))
{
	timer_init(&t->timer, timer_fire);
	t->deadline = TIME_NEVER;
	t->armed = false;
	t->next_fired = NULL;
	t->func = func;
}

bool
net_timer_start(struct net_timer *t, u64 deadline)
{
	t->deadline = deadline;
	if (!t->armed) {
		t->armed = true;
		timer_start(&t->timer, deadline);
		return true;
	}
	/* If it cannot be taken off the tree it has just fired, and net_timer_fired will look. */
	if (deadline < t->timer.expires && timer_cancel(&t->timer))
		timer_start(&t->timer, deadline);
	return false;
}

bool
net_timer_cancel(struct net_timer *t)
{
	t->deadline = TIME_NEVER;
	if (!t->armed || !timer_cancel(&t->timer))
		return false;
	t->armed = false;
	return true;
}

enum net_timer_result
net_timer_fired(struct net_timer *t)
{
	if (t->deadline == TIME_NEVER) {
		t->armed = false;
		return NET_TIMER_IDLE;
	}
	if (t->deadline > time_mono_ns()) {
		timer_start(&t->timer, t->deadline);
		return NET_TIMER_REARMED;
	}
	t->armed = false;
	t->deadline = TIME_NEVER;
	return NET_TIMER_DUE;
}

/* ---- running ---- */

/* Preemption off, outside every section but the caller's. True: more is left. */
static bool
net_run(void)
{
	struct cpu_work *w = this_cpu_ptr(cpu_work);
	u32 bits;

	if (w->running)
		return false;
	w->running = true;
	this_cpu_inc(net_depth);
	for (int round = 0; (bits = this_cpu_read(net_work_bits)); round++) {
		int done = 0;

		if (round == ROUNDS_MAX) {
			this_cpu_inc(net_work_stats.squeezed);
			break;
		}
		/* Cleared before the lists are read: what is added later sets it again. */
		this_cpu_and(net_work_bits, ~bits);
		barrier();
		if (bits & WORK_TIMER)
			timers_run(w);
		if (bits & WORK_BACKLOG)
			done += backlog_run(w, ROUND_BUDGET);
		if (bits & WORK_POLL) {
			done += polls_run(w, ROUND_BUDGET);
			if (!list_empty(&w->polls))
				this_cpu_or(net_work_bits, WORK_POLL);
		}
		this_cpu_add(net_work_stats.processed, (u64)done);
	}
	this_cpu_dec(net_depth);
	w->running = false;
	barrier();
	/* Read again: an interrupt since the loop's last look saw a section and woke nobody. */
	return this_cpu_read(net_work_bits) != 0;
}

/* The thread takes what is left, at its own pace. */
static void
leave_to_thread(void)
{
	struct thread *t = this_cpu_ptr(cpu_work)->thread;

	if (t)
		thread_wake(t);
}

void
net_end_work(void)
{
	if (net_in_section())
		return;
	/* Somebody's spinlock is held around the section: the work may want it. */
	if ((this_cpu_read(preempt_count) & ~PREEMPT_NO_RESCHED) != PREEMPT_OFFSET) {
		leave_to_thread();
		return;
	}
	this_cpu_write(net_in_sender, true);
	if (net_run())
		leave_to_thread();
	this_cpu_write(net_in_sender, false);
}

/* After an interrupt, interrupts off. An idle thread runs with preemption off, without locks. */
static void
net_irq_after(bool from_user)
{
	u32 count = this_cpu_read(preempt_count) & ~PREEMPT_NO_RESCHED;
	bool idle = thread_current()->is_idle;

	if (!this_cpu_read(net_work_bits))
		return;
	if (count == (idle ? PREEMPT_OFFSET : 0) && (from_user || idle)) {
		bool more;

		preempt_disable();
		arch_irq_enable();
		more = net_run();
		arch_irq_disable();
		preempt_enable_no_resched();
		if (!more)
			return;
	} else if (net_in_section()) {
		return;
	}
	leave_to_thread();
}

static void
net_thread(void *unused)
{
	for (;;) {
		thread_set_state(THREAD_INTERRUPTIBLE);
		if (!this_cpu_read(net_work_bits)) {
			schedule();
			continue;
		}
		thread_set_state(THREAD_RUNNABLE);
		preempt_disable();
		(void)net_run();
		preempt_enable();
		sched_cond_resched();
	}
}

void
net_backlog_flush(void)
{
	for (u32 cpu = 0; cpu < cpu_count; cpu++) {
		const struct cpu_work *w = percpu_ptr(cpu_work, cpu);
		u64 seen = READ_ONCE(w->rounds);

		/* The second round from now on ends after all that is there now, however much
		 * comes meanwhile. */
		while ((READ_ONCE(w->count) || READ_ONCE(w->running)) &&
		       READ_ONCE(w->rounds) - seen < 2)
			sleep_ns(NSEC_PER_MSEC);
	}
}

void
work_init_net(void)
{
	for (u32 cpu = 0; cpu < cpu_count; cpu++) {
		struct cpu_work *w = percpu_ptr(cpu_work, cpu);

		w->head = NULL;
		list_init(&w->polls);
		w->thread = thread_create(net_thread, NULL, "net/%u", cpu);
		if (!w->thread)
			panic("net: no memory for threads");
		thread_bind(w->thread, cpu);
		w->tail = &w->head;
	}
	irq_after = net_irq_after;
}
