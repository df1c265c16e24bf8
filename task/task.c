/* SPDX-License-Identifier: MIT */
/*
 * Tasks and processes as objects: allocation, lookup, release, names and times.
 *
 * Lifetime: a task's reference count is that of its thread. The scheduler holds one until the task
 * has left the CPU for the last time, the process tree holds one until it is reaped, finders hold
 * theirs. A process is held by each of its tasks and by the tree until it is reaped. Both are freed
 * after a grace period, so lookups under RCU may look at them and try to take a reference.
 */
#include "task/task.h"

#include "core/log.h"
#include "core/panic.h"
#include "core/time.h"
#include "lib/string.h"
#include "mm/mm.h"
#include "mm/slab.h"
#include "sched/sched.h"
#include "task/timers.h"
#include "task_internal.h"
#include "uapi/errno.h"
#include "uapi/resource.h"
#include "uapi/sched.h"

struct spinlock tasklist_lock = SPINLOCK_INIT(RANK_TASKLIST);
struct process *init_process;
struct atomic32 task_count;
u32 task_count_max = 20;

static struct kmem_cache *task_cache, *process_cache, *sighand_cache;

struct task *
task_alloc(void)
{
	struct task *t = kmem_cache_zalloc(task_cache, GFP_KERNEL);

	if (!t)
		return NULL;
	spin_init(&t->lock, RANK_TASK);
	list_init(&t->thread_node);
	list_init(&t->pi_held);
	list_init(&t->ptraced_node);
	list_init(&t->task_work);
	sigqueue_list_init(&t->pending);
	t->alt_flags = SS_DISABLE;
	t->timer_slack_ns = 50 * NSEC_PER_USEC;
	return t;
}

static void
task_free_rcu(struct rcu_head *head)
{
	kmem_cache_free(task_cache, container_of(head, struct task, rcu));
}

void
task_free(struct task *t)
{
	kmem_cache_free(task_cache, t);
}

void
task_release(struct thread *thread)
{
	struct task *t = container_of(thread, struct task, thread);

	arch_thread_fini(&thread->arch);
	if (t->cred)
		cred_put(t->cred);
	if (t->pid)
		pid_put(t->pid);
	if (t->process)
		process_put(t->process);
	rcu_call(&t->rcu, task_free_rcu);
}

struct process *
process_alloc(void)
{
	struct process *p = kmem_cache_zalloc(process_cache, GFP_KERNEL);

	if (!p)
		return NULL;
	ref_init(&p->ref);
	spin_init(&p->lock, RANK_TASK);
	mutex_init(&p->exec_lock, RANK_EXEC);
	list_init(&p->threads);
	list_init(&p->children);
	list_init(&p->sibling);
	list_init(&p->tracees);
	list_init(&p->pgrp_node);
	list_init(&p->session_node);
	list_init(&p->posix_timers);
	wait_queue_init(&p->child_wait);
	wait_queue_init(&p->signalfd_wait);
	wait_queue_init(&p->pidfd_wait);
	sigqueue_list_init(&p->pending);
	return p;
}

void
process_get(struct process *p)
{
	ref_get(&p->ref);
}

static void
process_free_rcu(struct rcu_head *head)
{
	kmem_cache_free(process_cache, container_of(head, struct process, rcu));
}

void
process_put(struct process *p)
{
	if (!ref_put(&p->ref))
		return;
	signal_flush(&p->pending);
	/* An epoll set of another process may have been made to watch a signalfd by us. */
	wait_queue_fini(&p->signalfd_wait);
	if (p->sighand)
		sighand_put(p->sighand);
	if (p->pid)
		pid_put(p->pid);
	rcu_call(&p->rcu, process_free_rcu);
}

/* ---- sighand: type-stable memory, so that a lock found under RCU may be tried and then verified
 * ---- */

static void
sighand_ctor(void *obj)
{
	struct sighand *sh = obj;

	memset(sh, 0, sizeof(*sh));
	spin_init(&sh->lock, RANK_SIGHAND);
}

struct sighand *
sighand_create(void)
{
	struct sighand *sh = kmem_cache_alloc(sighand_cache, GFP_KERNEL);

	if (!sh)
		return NULL;
	ref_init(&sh->ref);
	memset(sh->action, 0, sizeof(sh->action));
	return sh;
}

void
sighand_put(struct sighand *sh)
{
	if (ref_put(&sh->ref))
		kmem_cache_free(sighand_cache, sh);
}

struct sighand *
sighand_lock(struct process *p, unsigned long *flags)
{
	for (;;) {
		rcu_read_lock();
		struct sighand *sh = READ_ONCE(p->sighand);

		*flags = spin_lock_irqsave(&sh->lock);
		rcu_read_unlock();
		/* exec replaces p->sighand under the old lock, so equality now means it stays. */
		if (likely(sh == READ_ONCE(p->sighand)))
			return sh;
		spin_unlock_irqrestore(&sh->lock, *flags);
	}
}

void
sighand_unlock(struct sighand *sh, unsigned long flags)
{
	spin_unlock_irqrestore(&sh->lock, flags);
}

/* ---- lookup ---- */

struct task *
task_peek(int tid)
{
	struct pid *pid = pid_peek(current_pid_ns(), tid);

	return pid ? READ_ONCE(pid->task) : NULL;
}

struct task *
task_find(int tid)
{
	rcu_read_lock();
	struct task *t = task_peek(tid);
	if (t && !ref_try_get(&t->thread.ref))
		t = NULL;
	rcu_read_unlock();
	return t;
}

struct process *
process_find(int nr)
{
	rcu_read_lock();
	struct pid *pid = pid_peek(current_pid_ns(), nr);
	struct process *p = pid ? READ_ONCE(pid->process) : NULL;
	if (p && !ref_try_get(&p->ref))
		p = NULL;
	rcu_read_unlock();
	return p;
}

int
task_tid(const struct task *t)
{
	return pid_nr(t->pid, current_pid_ns());
}

int
process_pid(const struct process *p)
{
	return pid_nr(p->pid, current_pid_ns());
}

int
process_ppid(const struct process *p)
{
	rcu_read_lock();
	const struct process *parent = READ_ONCE(p->parent);
	int nr = parent ? process_pid(parent) : 0;
	rcu_read_unlock();
	return nr;
}

struct process *
process_next(int *nr)
{
	struct pid_ns *ns = current_pid_ns();
	u64 index = *nr < 1 ? 1 : (u64)*nr;
	struct process *p = NULL;

	rcu_read_lock();
	for (struct pid *pid = xa_find(&ns->ids, &index, XA_MAX, XA_ANY); pid;
	     pid = xa_find_after(&ns->ids, &index, XA_MAX, XA_ANY)) {
		p = READ_ONCE(pid->process);
		if (p && ref_try_get(&p->ref))
			break;
		p = NULL;
	}
	rcu_read_unlock();
	if (p)
		*nr = (int)index;
	return p;
}

struct task *
process_next_thread(struct process *p, int *tid)
{
	struct task *found = NULL;
	int best = 0;
	unsigned long flags;
	struct sighand *sh = sighand_lock(p, &flags);
	struct task *t;

	/* The list is in order of creation; ids are not sorted in it once numbers have wrapped. */
	list_for_each_entry(t, &p->threads, thread_node)
	{
		int nr = task_tid(t);

		if (nr >= *tid && (!found || nr < best)) {
			found = t;
			best = nr;
		}
	}
	if (found)
		task_get(found);
	sighand_unlock(sh, flags);
	*tid = best;
	return found;
}

/* ---- names, work, times ---- */

void
task_set_comm(struct task *t, const char *name)
{
	unsigned long flags = spin_lock_irqsave(&t->lock);

	memset(t->thread.comm, 0, sizeof(t->thread.comm));
	strscpy(t->thread.comm, name, sizeof(t->thread.comm));
	spin_unlock_irqrestore(&t->lock, flags);
}

void
task_get_comm(struct task *t, char out[16])
{
	unsigned long flags = spin_lock_irqsave(&t->lock);

	memcpy(out, t->thread.comm, 16);
	spin_unlock_irqrestore(&t->lock, flags);
}

int
task_work_add(struct task *t, struct task_work *w)
{
	int r = 0;
	unsigned long flags = spin_lock_irqsave(&t->lock);

	if (t->work_closed)
		r = -ESRCH;
	else
		list_add_tail(&w->node, &t->task_work);
	spin_unlock_irqrestore(&t->lock, flags);
	if (r == 0) {
		thread_flag_set(&t->thread, TF_NOTIFY);
		if (t != current)
			thread_wake_signal(&t->thread, false, 0);
	}
	return r;
}

void
task_work_run(bool close)
{
	struct task *t = current;
	struct list todo = LIST_INIT(todo);

	for (;;) {
		unsigned long flags = spin_lock_irqsave(&t->lock);

		if (list_empty(&t->task_work)) {
			t->work_closed |= close;
			spin_unlock_irqrestore(&t->lock, flags);
			return;
		}
		list_splice_init(&t->task_work, &todo);
		spin_unlock_irqrestore(&t->lock, flags);
		while (!list_empty(&todo)) {
			struct task_work *w = list_first_entry(&todo, struct task_work, node);

			list_del_init(&w->node);
			w->func(w);
		}
	}
}

struct mm *
task_get_mm(struct task *t)
{
	unsigned long flags = spin_lock_irqsave(&t->lock);
	struct mm *mm = t->thread.mm;

	if (mm && !mm_users_try_get(mm))
		mm = NULL;
	spin_unlock_irqrestore(&t->lock, flags);
	return mm;
}

char
task_state_letter(struct task *t)
{
	u32 state = READ_ONCE(t->thread.state);

	if (t->exiting)
		return state & THREAD_DEAD ? 'Z' : 'R';
	if (state & THREAD_DEAD)
		return 'Z';
	if (state & (THREAD_TRACED | THREAD_FROZEN))
		return 't';
	if (state & THREAD_STOPPED)
		return 'T';
	if (state & (THREAD_UNINTERRUPTIBLE | THREAD_KILLABLE))
		return 'D';
	if (state & THREAD_INTERRUPTIBLE)
		return 'S';
	return 'R';
}

void
process_times(struct process *p, u64 *utime_ns, u64 *stime_ns)
{
	unsigned long flags;
	struct sighand *sh = sighand_lock(p, &flags);
	u64 user = p->dead_utime_ns, sys = p->dead_stime_ns;
	struct task *t;

	list_for_each_entry(t, &p->threads, thread_node)
	{
		u64 u, s;

		sched_thread_times(&t->thread, &u, &s);
		user += u;
		sys += s;
	}
	sighand_unlock(sh, flags);
	*utime_ns = user;
	*stime_ns = sys;
}

u64
process_runtime_ns(struct process *p)
{
	unsigned long flags;
	struct sighand *sh = sighand_lock(p, &flags);
	u64 sum = p->dead_runtime_ns;
	struct task *t;

	list_for_each_entry(t, &p->threads, thread_node) sum += sched_thread_runtime_ns(&t->thread);
	sighand_unlock(sh, flags);
	return sum;
}

void
task_init(void)
{
	task_cache = kmem_cache_create("task", sizeof(struct task), 64, 0, NULL);
	process_cache = kmem_cache_create("process", sizeof(struct process), 64, 0, NULL);
	sighand_cache = kmem_cache_create("sighand", sizeof(struct sighand), 64, SLAB_RCU_TYPESAFE,
					  sighand_ctor);
	signal_init();
	cred_init();
	rlimit_init();
	oom_init();
	timers_init();
	thread_fatal_pending = signal_thread_fatal;
}
