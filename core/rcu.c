/* SPDX-License-Identifier: MIT */
/*
 * Read-copy-update: grace periods and callbacks.
 *
 * Idea: grace periods are numbered and run one at a time. When one starts, every online CPU that is
 * not idle is asked for a quiescent state, by a byte in its per-CPU area, which is all that the
 * scheduler and interrupts look at when nothing is asked. A CPU answers when it switches threads,
 * when an interrupt finds it in user mode or in kernel code with preemption on, and when it goes
 * idle. The last answer ends the grace period.
 *
 * A callback waits in one of three lists of the CPU that queued it: next (no grace period yet),
 * wait (for the one numbered wait_gp), done. A per-CPU timer moves them along while there are any,
 * so an idle CPU with callbacks still makes progress; CPUs that are late are interrupted.
 *
 * Order: the starter sets need_quiescent, then reads idle; an idle CPU that wakes clears idle, then
 * reads what RCU protects. Either the starter sees it awake and waits for it, or its reads come
 * after the start and find what the updater published.
 *
 * Locking: rcu_lock for the numbers and the set of CPUs; the lists are this CPU's with interrupts
 * off.
 */
#include "core/rcu.h"

#include "arch/cpu.h"
#include "arch/smp.h"
#include "core/cpumask.h"
#include "core/panic.h"
#include "core/spinlock.h"
#include "core/time.h"
#include "core/timer.h"
#include "lib/atomic.h"

#define PERIOD_NS NSEC_PER_MSEC
#define LATE_NS	  (3 * NSEC_PER_MSEC)

struct rcu_list {
	struct rcu_head *first, **last;
};

struct rcu_cpu {
	struct rcu_list next, wait, done;
	u64 wait_gp;
	struct timer timer;
	bool ready; /* lists and timer are set up */
};

DEFINE_PERCPU(union rcu_cpu_flags, rcu_cpu_flags);
static DEFINE_PERCPU(struct rcu_cpu, rcu_cpu);

static struct spinlock rcu_lock = SPINLOCK_INIT(RANK_RCU);
static u64 gp_started, gp_completed, gp_wanted;
static u64 gp_start_ns;
static struct cpumask gp_waiting; /* CPUs yet to answer */

void (*rcu_wake_worker)(void);

static void
list_reset(struct rcu_list *list)
{
	list->first = NULL;
	list->last = &list->first;
}

static void
list_append(struct rcu_list *to, struct rcu_list *from)
{
	if (!from->first)
		return;
	*to->last = from->first;
	to->last = from->last;
	list_reset(from);
}

/* rcu_lock held, no grace period running. */
static void
gp_start(void)
{
	u32 cpu;

	gp_started++;
	gp_start_ns = time_mono_ns();
	cpumask_for_each(cpu, &cpu_online)
	{
		WRITE_ONCE(percpu_ptr(rcu_cpu_flags, cpu)->need_quiescent, 1);
		cpumask_set(&gp_waiting, cpu);
	}
	smp_mb();
	cpumask_for_each(cpu, &gp_waiting) if (READ_ONCE(percpu_ptr(rcu_cpu_flags, cpu)->idle))
	{
		WRITE_ONCE(percpu_ptr(rcu_cpu_flags, cpu)->need_quiescent, 0);
		cpumask_clear(&gp_waiting, cpu);
	}
}

/* rcu_lock held: end the running grace period if all have answered, and start what is wanted. */
static void
gp_advance(void)
{
	for (;;) {
		if (gp_started != gp_completed) {
			if (!cpumask_empty(&gp_waiting))
				return;
			smp_store_release(&gp_completed, gp_started);
		}
		if (gp_wanted <= gp_started)
			return;
		gp_start();
	}
}

static void
quiescent_report(void)
{
	unsigned long flags = spin_lock_irqsave(&rcu_lock);

	if (this_cpu_read(rcu_cpu_flags.need_quiescent)) {
		this_cpu_write(rcu_cpu_flags.need_quiescent, 0);
		cpumask_clear(&gp_waiting, cpu_id());
		gp_advance();
	}
	spin_unlock_irqrestore(&rcu_lock, flags);
}

void
rcu_quiescent(void)
{
	if (unlikely(this_cpu_read(rcu_cpu_flags.need_quiescent)))
		quiescent_report();
}

void
rcu_idle_enter(void)
{
	rcu_quiescent();
	this_cpu_write(rcu_cpu_flags.idle, 1);
	/* A grace period that started in between found this CPU awake: answer it. */
	smp_mb();
	rcu_quiescent();
}

void
rcu_idle_exit(void)
{
	if (!this_cpu_read(rcu_cpu_flags.idle))
		return;
	this_cpu_write(rcu_cpu_flags.idle, 0);
	smp_mb();
}

void
rcu_irq_enter_slow(bool quiescent)
{
	rcu_idle_exit();
	if (quiescent)
		rcu_quiescent();
}

/* Interrupts off. Moves this CPU's callbacks to where they belong by now. */
static void
lists_advance(struct rcu_cpu *rc)
{
	if (rc->wait.first && smp_load_acquire(&gp_completed) >= rc->wait_gp)
		list_append(&rc->done, &rc->wait);
	if (!rc->wait.first && rc->next.first) {
		list_append(&rc->wait, &rc->next);
		spin_lock(&rcu_lock);
		/* One that is running began before these were queued. */
		rc->wait_gp = gp_started + 1;
		gp_wanted = MAX(gp_wanted, rc->wait_gp);
		gp_advance();
		spin_unlock(&rcu_lock);
		if (smp_load_acquire(&gp_completed) >= rc->wait_gp)
			list_append(&rc->done, &rc->wait);
	}
}

static void
late_cpus_interrupt(void)
{
	struct cpumask late;
	u32 cpu;

	spin_lock(&rcu_lock);
	cpumask_zero(&late);
	if (gp_started != gp_completed && time_mono_ns() - gp_start_ns > LATE_NS) {
		late = gp_waiting;
		gp_start_ns = time_mono_ns();
	}
	spin_unlock(&rcu_lock);
	cpumask_for_each(cpu, &late) if (cpu != cpu_id()) arch_ipi_reschedule(cpu);
}

void
rcu_tick(void)
{
	struct rcu_cpu *rc = this_cpu_ptr(rcu_cpu);

	if (!rc->ready)
		return;
	lists_advance(rc);
	if (rc->wait.first)
		late_cpus_interrupt();
	if (!rc->done.first)
		return;
	if (rcu_wake_worker)
		rcu_wake_worker();
	else
		rcu_run_callbacks();
}

static void
rcu_timer(struct timer *timer)
{
	rcu_tick();
	if (rcu_needs_cpu() && !timer_pending(timer))
		timer_start(timer, time_mono_ns() + PERIOD_NS);
}

void
rcu_call(struct rcu_head *head, void (*func)(struct rcu_head *head))
{
	unsigned long flags = arch_irq_save();
	struct rcu_cpu *rc = this_cpu_ptr(rcu_cpu);

	if (!rc->ready) {
		list_reset(&rc->next);
		list_reset(&rc->wait);
		list_reset(&rc->done);
		timer_init(&rc->timer, rcu_timer);
		rc->ready = true;
	}
	head->next = NULL;
	head->func = func;
	*rc->next.last = head;
	rc->next.last = &head->next;
	if (!timer_pending(&rc->timer))
		timer_start(&rc->timer, time_mono_ns() + PERIOD_NS);
	arch_irq_restore(flags);
}

bool
rcu_callbacks_ready(void)
{
	return this_cpu_ptr(rcu_cpu)->done.first != NULL;
}

/* The caller stays on this CPU for the list's head; what it took it may run anywhere. */
void
rcu_run_callbacks(void)
{
	struct rcu_head *head;
	unsigned long flags = arch_irq_save();
	struct rcu_cpu *rc = this_cpu_ptr(rcu_cpu);

	head = rc->done.first;
	if (head)
		list_reset(&rc->done);
	arch_irq_restore(flags);
	while (head) {
		struct rcu_head *next = head->next;

		head->func(head);
		head = next;
	}
}

bool
rcu_needs_cpu(void)
{
	const struct rcu_cpu *rc = this_cpu_ptr(rcu_cpu);

	return rc->next.first || rc->wait.first || rc->done.first;
}
