/* SPDX-License-Identifier: MIT */
/*
 * POSIX timers: timer_create(2) and its family.
 *
 * A timer on a clock of the machine is a core timer at the corresponding CLOCK_MONOTONIC time; one
 * on a CPU-time clock is a cpu_timer. When it expires its one signal entry is queued. A periodic
 * timer is not started again then, but when that signal is taken (timer_dequeued): the periods that
 * have passed in between are the overrun count, and a program that is slow to take its signals is
 * not flooded.
 *
 * `generation` counts settings. A signal that is still pending from an earlier setting does not
 * start the timer.
 *
 * Locking: everything is under the process's sighand->lock, which is also where the signal is
 * queued and taken. The core timer's callback takes it, so it is cancelled with waiting only
 * without the lock; a callback that comes too late finds the expiry in the future, or the timer
 * deleted, and leaves. Memory is freed after a grace period, for CPU-time callbacks are not waited
 * for.
 *
 * Deviation: a timer on the CPU-time clock of another process is refused with EINVAL.
 */
#include "arch/cpu.h"
#include "core/rcu.h"
#include "generated/syscalls.h"
#include "lib/string.h"
#include "mm/slab.h"
#include "mm/user.h"
#include "task/clock.h"
#include "task/cpu_timer.h"
#include "task/signal.h"
#include "task/task.h"
#include "task/timers.h"
#include "task_internal.h"
#include "uapi/errno.h"
#include "uapi/siginfo.h"
#include "uapi/time.h"

#define IGNORED_PERIOD_NS (4 * NSEC_PER_MSEC) /* how often at most an ignored signal is tried */

struct posix_timer {
	struct list node;      /* process->posix_timers */
	struct list step_node; /* realtime_timers, with step_lock */
	struct rcu_head rcu;
	int id, clock;
	int counts_on; /* the clock of `expires`: a relative time on CLOCK_REALTIME counts on
			  MONOTONIC */
	struct process *process;
	struct task *target;	 /* SIGEV_THREAD_ID: referenced */
	struct sigqueue *signal; /* NULL: SIGEV_NONE */
	struct sigqueue *charge; /* of SIGEV_NONE: for RLIMIT_SIGPENDING only */

	struct timer timer;
	struct cpu_timer cpu_timer;
	struct cpu_clock cpu_clock; /* task NULL: not on a CPU-time clock */

	bool active; /* `expires` means something */
	bool firing; /* its signal is being sent */
	bool deleted;
	u64 expires, interval; /* on its clock */
	u32 generation, signal_generation;
	u64 overrun; /* of the signal taken last */
};

/* Absolute timers on clocks that can be set: started anew when that happens. */
static LIST_HEAD(realtime_timers);
static struct spinlock step_lock = SPINLOCK_INIT(RANK_TIMER_USER);

static u64
timer_now(const struct posix_timer *t)
{
	u64 now = 0;

	if (t->cpu_clock.task)
		return cpu_clock_read_locked(&t->cpu_clock);
	(void)clock_read(t->counts_on, &now);
	return now;
}

static void
timer_arm(struct posix_timer *t)
{
	if (!t->signal)
		return; /* SIGEV_NONE: timer_gettime computes what there is to know */
	if (t->cpu_clock.task)
		cpu_timer_arm_locked(&t->cpu_timer, &t->cpu_clock, t->expires);
	else
		timer_start(&t->timer, clock_to_mono(t->counts_on, t->expires));
}

static void
timer_disarm(struct posix_timer *t)
{
	if (t->cpu_clock.task)
		cpu_timer_cancel_locked(&t->cpu_timer);
	else
		timer_cancel(&t->timer);
}

/* Move a periodic timer that has expired past `now`. The number of periods that this skips. */
static u64
timer_forward(struct posix_timer *t, u64 now)
{
	u64 periods;

	if (now < t->expires)
		return 0;
	periods = (now - t->expires) / t->interval + 1;
	t->expires += periods * t->interval;
	return periods;
}

/* sighand->lock held by the taker of the signal. */
static void
timer_dequeued(struct sigqueue *q, struct linux_siginfo *info)
{
	struct posix_timer *t = q->owner;

	info->timer.overrun = 0;
	info->timer.sys_private = 0;
	if (t->signal_generation != t->generation || t->deleted)
		return;
	t->overrun = 0;
	if (t->active && t->interval) {
		u64 periods = timer_forward(t, timer_now(t));

		/* One of them is the expiry that this signal reports. */
		t->overrun = periods ? periods - 1 : 0;
		timer_arm(t);
	}
	info->timer.overrun = (s32)MIN(t->overrun, (u64)INT32_MAX);
}

/* Interrupt context. */
static void
timer_expired(struct posix_timer *t)
{
	unsigned long flags;
	struct sighand *sh = sighand_lock(t->process, &flags);
	u64 now = timer_now(t);
	int r;

	if (!t->active || t->deleted)
		goto out_unlock;
	if (now < t->expires) {
		timer_arm(t); /* set anew, or its clock was set back */
		goto out_unlock;
	}
	if (!t->interval)
		t->active = false;
	t->firing = true;
	t->signal_generation = t->generation;
	sighand_unlock(sh, flags);

	r = sigqueue_send(t->signal, t->target, t->process);

	sh = sighand_lock(t->process, &flags);
	t->firing = false;
	/* Ignored: nobody will take it and start the timer again. */
	if (r < 0 && t->active && t->interval && !t->deleted &&
	    t->signal_generation == t->generation) {
		timer_forward(t, now);
		if (t->expires < now + IGNORED_PERIOD_NS)
			timer_forward(t, now + IGNORED_PERIOD_NS);
		timer_arm(t);
	}
out_unlock:
	sighand_unlock(sh, flags);
}

static void
timer_callback(struct timer *timer)
{
	timer_expired(container_of(timer, struct posix_timer, timer));
}

static void
cpu_timer_callback(struct cpu_timer *timer)
{
	timer_expired(container_of(timer, struct posix_timer, cpu_timer));
}

static void
timers_clock_stepped(void)
{
	unsigned long flags = spin_lock_irqsave(&step_lock);
	struct posix_timer *t;

	/* Without the sighand locks: at worst a timer fires once for nothing and starts itself
	 * again. */
	list_for_each_entry(t, &realtime_timers, step_node) if (READ_ONCE(t->active))
		timer_start(&t->timer, clock_to_mono(t->counts_on, READ_ONCE(t->expires)));
	spin_unlock_irqrestore(&step_lock, flags);
}

/* The timer of that number of the current process; sighand->lock is held on success. */
static struct posix_timer *
timer_find_lock(int id, struct sighand **sh, unsigned long *flags)
{
	struct process *p = current->process;
	struct posix_timer *t;

	*sh = sighand_lock(p, flags);
	t = id >= 0 ? xa_load(&p->posix_timer_ids, (u64)id) : NULL;
	if (!t)
		sighand_unlock(*sh, *flags);
	return t;
}

static void
timer_unlink(struct posix_timer *t)
{
	unsigned long flags;

	xa_erase(&t->process->posix_timer_ids, (u64)t->id);
	list_del(&t->node);
	t->deleted = true;
	t->active = false;
	flags = spin_lock_irqsave(&step_lock);
	list_del_init(&t->step_node);
	spin_unlock_irqrestore(&step_lock, flags);
	timer_disarm(t);
}

/* After timer_unlink, without the lock. */
static void
timer_destroy(struct posix_timer *t)
{
	timer_cancel_sync(&t->timer);
	while (READ_ONCE(t->firing))
		arch_cpu_relax();
	if (t->signal)
		sigqueue_free(t->signal, t->process);
	if (t->charge)
		sigqueue_free(t->charge, t->process);
	if (t->target)
		task_put(t->target);
	if (t->cpu_clock.task)
		cpu_clock_put(&t->cpu_clock);
	process_put(t->process);
	kfree_rcu(t, rcu);
}

static int
timer_choose_clock(struct posix_timer *t, int clock)
{
	int r;

	switch (clock) {
	case CLOCK_REALTIME:
	case CLOCK_MONOTONIC:
	case CLOCK_BOOTTIME:
	case CLOCK_TAI: return 0;
	case CLOCK_MONOTONIC_RAW:
	case CLOCK_REALTIME_COARSE:
	case CLOCK_MONOTONIC_COARSE:
	case CLOCK_REALTIME_ALARM:
	case CLOCK_BOOTTIME_ALARM: return -EOPNOTSUPP;
	}
	if (!cpu_clock_is(clock))
		return -EINVAL;
	r = cpu_clock_find(clock, &t->cpu_clock);
	if (r) {
		t->cpu_clock.task = NULL;
		return r;
	}
	return t->cpu_clock.task->process == t->process ? 0 : -EINVAL;
}

static int
timer_choose_signal(struct posix_timer *t, const struct linux_sigevent *ev)
{
	struct linux_siginfo *info;

	switch (ev->sigev_notify) {
	case SIGEV_NONE: t->charge = sigqueue_alloc(); return t->charge ? 0 : -EAGAIN;
	case SIGEV_SIGNAL | SIGEV_THREAD_ID:
		t->target = ev->sigev_un.tid > 0 ? task_find(ev->sigev_un.tid) : NULL;
		if (!t->target || t->target->process != t->process)
			return -EINVAL;
		__fallthrough;
	case SIGEV_SIGNAL:
	case SIGEV_THREAD:
		if (ev->sigev_signo <= 0 || ev->sigev_signo > 64)
			return -EINVAL;
		break;
	default: return -EINVAL;
	}
	t->signal = sigqueue_alloc();
	if (!t->signal)
		return -EAGAIN;
	t->signal->owner = t;
	t->signal->dequeued = timer_dequeued;
	info = sigqueue_info(t->signal);
	info->si_signo = ev->sigev_signo;
	info->si_code = SI_TIMER;
	info->timer.value = ev->sigev_value;
	return 0;
}

/* Give it a number and make it known. */
static int
timer_publish(struct posix_timer *t)
{
	struct process *p = t->process;
	unsigned long flags;
	struct sighand *sh = sighand_lock(p, &flags);
	u64 id;
	int r = xa_alloc(&p->posix_timer_ids, &id, t, p->posix_timer_next_id, INT32_MAX);

	if (r == -EBUSY)
		r = xa_alloc(&p->posix_timer_ids, &id, t, 0, INT32_MAX);
	if (r == 0) {
		t->id = (int)id;
		p->posix_timer_next_id = id == INT32_MAX ? 0 : (u32)id + 1;
		list_add_tail(&t->node, &p->posix_timers);
		if (t->signal)
			sigqueue_info(t->signal)->timer.tid = t->id;
	}
	sighand_unlock(sh, flags);
	return r ? -EAGAIN : 0;
}

long
sys_timer_create(int clock, user_ptr event, user_ptr timer)
{
	struct linux_sigevent ev = { .sigev_signo = SIGALRM, .sigev_notify = SIGEV_SIGNAL };
	bool no_event = user_ptr_null(event);
	struct posix_timer *t;
	struct sighand *sh;
	unsigned long flags;
	int r;

	if (!no_event && copy_from_user(&ev, event, sizeof(ev)))
		return -EFAULT;
	t = kzalloc(sizeof(*t), GFP_KERNEL);
	if (!t)
		return -EAGAIN;
	list_init(&t->step_node);
	timer_init(&t->timer, timer_callback);
	t->cpu_timer.func = cpu_timer_callback;
	t->clock = t->counts_on = clock;
	t->process = current->process;
	process_get(t->process);
	r = timer_choose_clock(t, clock);
	if (r == 0)
		r = timer_choose_signal(t, &ev);
	if (r == 0)
		r = timer_publish(t);
	if (r) {
		timer_destroy(t);
		return r;
	}
	if (no_event && t->signal)
		sigqueue_info(t->signal)->timer.value.sival_int = t->id;
	if (!put_user(timer, (s32)t->id))
		return 0;
	/* Another thread may have guessed the number and deleted it. */
	r = t->id;
	t = timer_find_lock(r, &sh, &flags);
	if (t) {
		timer_unlink(t);
		sighand_unlock(sh, flags);
		timer_destroy(t);
	}
	return -EFAULT;
}

long
sys_timer_delete(int timer)
{
	struct sighand *sh;
	unsigned long flags;
	struct posix_timer *t = timer_find_lock(timer, &sh, &flags);

	if (!t)
		return -EINVAL;
	timer_unlink(t);
	sighand_unlock(sh, flags);
	timer_destroy(t);
	return 0;
}

/* What is left, and the period. */
static struct linux_itimerspec
timer_state(const struct posix_timer *t)
{
	struct linux_itimerspec its = { .it_interval = timespec_of_ns(t->interval) };
	u64 now, left;

	if (!t->active)
		return its;
	now = timer_now(t);
	if (now < t->expires)
		left = t->expires - now;
	else if (t->interval)
		left = t->interval - (now - t->expires) % t->interval;
	else
		left = t->signal ? 1 : 0; /* about to fire */
	its.it_value = timespec_of_ns(left);
	return its;
}

static void
timer_set(struct posix_timer *t, bool absolute, u64 value, u64 interval)
{
	unsigned long flags;

	timer_disarm(t);
	t->generation++;
	t->overrun = 0;
	t->interval = value ? interval : 0;
	t->active = value;
	t->counts_on = !absolute && t->clock == CLOCK_REALTIME ? CLOCK_MONOTONIC : t->clock;
	if (value)
		t->expires = absolute ? value : MIN(timer_now(t) + value, (u64)INT64_MAX);
	flags = spin_lock_irqsave(&step_lock);
	list_del_init(&t->step_node);
	if (value && t->signal && (t->counts_on == CLOCK_REALTIME || t->counts_on == CLOCK_TAI))
		list_add_tail(&t->step_node, &realtime_timers);
	spin_unlock_irqrestore(&step_lock, flags);
	if (value)
		timer_arm(t);
}

long
sys_timer_settime(int timer, int flags, user_ptr value, user_ptr old)
{
	struct linux_itimerspec new, was;
	struct sighand *sh;
	unsigned long irq;
	struct posix_timer *t;
	u64 first, interval;

	if (user_ptr_null(value))
		return -EINVAL;
	if (copy_from_user(&new, value, sizeof(new)))
		return -EFAULT;
	if (timespec_to_ns(&new.it_value, &first) || timespec_to_ns(&new.it_interval, &interval))
		return -EINVAL;
	t = timer_find_lock(timer, &sh, &irq);
	if (!t)
		return -EINVAL;
	was = timer_state(t);
	timer_set(t, flags & TIMER_ABSTIME, first, interval);
	sighand_unlock(sh, irq);
	return user_ptr_null(old) ? 0 : copy_to_user(old, &was, sizeof(was));
}

long
sys_timer_gettime(int timer, user_ptr value)
{
	struct linux_itimerspec its;
	struct sighand *sh;
	unsigned long flags;
	struct posix_timer *t = timer_find_lock(timer, &sh, &flags);

	if (!t)
		return -EINVAL;
	its = timer_state(t);
	sighand_unlock(sh, flags);
	return copy_to_user(value, &its, sizeof(its));
}

long
sys_timer_getoverrun(int timer)
{
	struct sighand *sh;
	unsigned long flags;
	struct posix_timer *t = timer_find_lock(timer, &sh, &flags);
	long overrun;

	if (!t)
		return -EINVAL;
	overrun = (long)MIN(t->overrun, (u64)INT32_MAX);
	sighand_unlock(sh, flags);
	return overrun;
}

/* ---- ends ---- */

static void
posix_timers_delete_all(struct process *p)
{
	for (;;) {
		unsigned long flags;
		struct sighand *sh = sighand_lock(p, &flags);
		struct posix_timer *t = list_first_entry_or_null(&p->posix_timers,
								 struct posix_timer, node);

		if (t)
			timer_unlink(t);
		sighand_unlock(sh, flags);
		if (!t)
			return;
		timer_destroy(t);
	}
}

void
process_timers_exit(struct process *p)
{
	posix_timers_delete_all(p);
	itimers_exit(p);
}

void
process_timers_exec(struct process *p)
{
	posix_timers_delete_all(p);
}

void
timers_init(void)
{
	static struct time_step_hook hook = { .stepped = timers_clock_stepped };

	time_add_step_hook(&hook);
	clock_init();
	cpu_timer_init();
}
