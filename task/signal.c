/* SPDX-License-Identifier: MIT */
/*
 * Signals: sending, queues, taking. signal(7).
 *
 * 1. Where a signal waits. Each task has a queue, each process has one for signals sent to the
 * group. A queue is a 64-bit mask of what is pending and a list of struct sigqueue with the
 * siginfo. Standard signals (1-31) are pending at most once; real-time ones queue one entry each,
 * in order. When no memory or RLIMIT_SIGPENDING forbids an entry the bit alone is set, and the
 * receiver sees SI_USER, pid 0: only sigqueue(3) of a real-time signal fails with EAGAIN instead.
 *
 * 2. Sending happens under the receiver's sighand->lock, which also guards the actions, the masks
 * and the stop state, so that "is it ignored", "queue it" and "whom to wake" are one step. A signal
 * whose action is to be ignored is dropped unless it is blocked (it may be unblocked with another
 * action) or the receiver is traced. SIGCONT discards pending stop signals and stop signals a
 * pending SIGCONT, whatever their action.
 *
 * 3. Choosing a thread for a group signal: the main thread if it does not block it, else any thread
 * that does not. If nobody can take it it waits in the group queue. A signal that will kill
 * (default action, no tracer) starts the group exit at once: every thread gets SIGKILL, so that
 *    threads in uninterruptible-but-killable sleeps leave.
 *
 * 4. TF_SIGPENDING of a thread means: look. It is set here, and cleared only by signal_recalc of
 * the thread itself, under the lock.
 *
 * Taking (signal_dequeue): SIGKILL first, then synchronous faults, then by number; own queue before
 * the group's.
 */
#include "task/signal.h"

#include "core/arch_upcalls.h"
#include "core/panic.h"
#include "lib/string.h"
#include "mm/slab.h"
#include "mm/user.h"
#include "task/task.h"
#include "task_internal.h"
#include "uapi/errno.h"

#define SIG_SYNCHRONOUS                                                            \
	(SIGMASK(SIGSEGV) | SIGMASK(SIGBUS) | SIGMASK(SIGILL) | SIGMASK(SIGTRAP) | \
	 SIGMASK(SIGFPE) | SIGMASK(SIGSYS))
#define SIG_STOPS   (SIGMASK(SIGSTOP) | SIGMASK(SIGTSTP) | SIGMASK(SIGTTIN) | SIGMASK(SIGTTOU))
#define SIG_IGNORED (SIGMASK(SIGCHLD) | SIGMASK(SIGCONT) | SIGMASK(SIGURG) | SIGMASK(SIGWINCH))
#define SIG_CORES                                                                   \
	(SIGMASK(SIGQUIT) | SIGMASK(SIGILL) | SIGMASK(SIGTRAP) | SIGMASK(SIGABRT) | \
	 SIGMASK(SIGBUS) | SIGMASK(SIGFPE) | SIGMASK(SIGSEGV) | SIGMASK(SIGXCPU) |  \
	 SIGMASK(SIGXFSZ) | SIGMASK(SIGSYS))
#define SIG_UNBLOCKABLE (SIGMASK(SIGKILL) | SIGMASK(SIGSTOP))

static struct kmem_cache *sigqueue_cache;

void
signal_init(void)
{
	sigqueue_cache = kmem_cache_create("sigqueue", sizeof(struct sigqueue), 8, 0, NULL);
}

enum signal_default
signal_default_action(int sig)
{
	u64 m = SIGMASK(sig);

	if (m & SIG_STOPS)
		return SIGDEF_STOP;
	if (sig == SIGCONT)
		return SIGDEF_CONT;
	if (m & SIG_IGNORED)
		return SIGDEF_IGN;
	return m & SIG_CORES ? SIGDEF_CORE : SIGDEF_TERM;
}

/* ---- queue entries ---- */

static struct sigqueue *
sigqueue_charge(struct task *receiver, bool force)
{
	rcu_read_lock();
	struct user_account *user = user_account_get(rcu_dereference(receiver->cred)->user);
	rcu_read_unlock();
	struct sigqueue *q = NULL;

	if (user_count_sigpending(
		    user, 1,
		    force ? RLIM_INFINITY
			  : READ_ONCE(receiver->process->limits.lim[RLIMIT_SIGPENDING].cur))) {
		q = kmem_cache_alloc(sigqueue_cache, GFP_ATOMIC);
		if (!q)
			user_count_sigpending(user, -1, 0);
	}
	if (!q) {
		user_account_put(user);
		return NULL;
	}
	q->user = user;
	q->preallocated = false;
	q->dequeued = NULL;
	list_init(&q->node);
	return q;
}

struct sigqueue *
sigqueue_alloc(void)
{
	struct sigqueue *q = sigqueue_charge(current, false);

	if (q) {
		q->preallocated = true;
		memset(&q->info, 0, sizeof(q->info));
	}
	return q;
}

static void
sigqueue_release(struct sigqueue *q)
{
	if (q->preallocated)
		return;
	user_count_sigpending(q->user, -1, 0);
	user_account_put(q->user);
	kmem_cache_free(sigqueue_cache, q);
}

/* The owner is done with a preallocated entry. If it is still queued the queue frees it when it is
 * taken or flushed. */
void
sigqueue_free(struct sigqueue *q, struct process *p)
{
	unsigned long flags;
	struct sighand *sh = sighand_lock(p, &flags);
	bool queued = !list_empty(&q->node);

	q->preallocated = false;
	q->dequeued = NULL;
	sighand_unlock(sh, flags);
	if (!queued)
		sigqueue_release(q);
}

void
signal_flush(struct sigqueue_list *l)
{
	struct sigqueue *q, *next;

	list_for_each_entry_safe(q, next, &l->entries, node)
	{
		list_del_init(&q->node);
		sigqueue_release(q);
	}
	l->mask = 0;
}

static void
sigqueue_remove(struct sigqueue_list *l, u64 mask)
{
	struct sigqueue *q, *next;

	if (!(l->mask & mask))
		return;
	l->mask &= ~mask;
	list_for_each_entry_safe(q, next, &l->entries, node)
	{
		if (SIGMASK(q->info.si_signo) & mask) {
			list_del_init(&q->node);
			sigqueue_release(q);
		}
	}
}

void
signal_discard(struct process *p, u64 mask)
{
	struct task *t;

	sigqueue_remove(&p->pending, mask);
	list_for_each_entry(t, &p->threads, thread_node) sigqueue_remove(&t->pending, mask);
}

/* ---- state of a thread ---- */

void
signal_recalc(struct task *t)
{
	u64 pending = (t->pending.mask | t->process->pending.mask) & ~t->blocked;

	if (pending ||
	    (t->process->flags &
	     (PROC_STOP_PENDING | PROC_NOTIFY_CONTINUED | PROC_NOTIFY_STOPPED)) ||
	    t->must_stop || t->ptrace_trap || (t->process->flags & PROC_GROUP_EXIT))
		thread_flag_set(&t->thread, TF_SIGPENDING);
	else if (t == current)
		thread_flag_clear(&t->thread, TF_SIGPENDING);
}

bool
signal_fatal_pending(const struct task *t)
{
	return thread_flag_test(&t->thread, TF_SIGPENDING) &&
	       ((READ_ONCE(t->pending.mask) & SIGMASK(SIGKILL)) ||
		(READ_ONCE(t->process->flags) & PROC_GROUP_EXIT));
}

bool
signal_thread_fatal(const struct thread *t)
{
	return thread_is_task(t) && signal_fatal_pending(container_of(t, struct task, thread));
}

/* ---- sending ---- */

static bool
signal_is_ignored(struct task *t, int sig, bool force)
{
	const struct sigaction_kernel *sa = &t->process->sighand->action[sig - 1];

	/* What is blocked may be wanted later; saved_mask: sigsuspend's caller blocks it once the
	 * call is over. */
	if ((t->blocked & SIGMASK(sig)) ||
	    ((t->saved_mask & SIGMASK(sig)) && thread_flag_test(&t->thread, TF_RESTORE_MASK)))
		return false;
	if (t->ptrace && sig != SIGKILL)
		return false;
	if (sa->handler == SIG_DFL) {
		if ((t->process->flags & PROC_UNKILLABLE) && !force)
			return true;
		enum signal_default d = signal_default_action(sig);
		return d == SIGDEF_IGN || d == SIGDEF_CONT;
	}
	return sa->handler == SIG_IGN;
}

/* The side effects that stop and continue signals have by being sent. False: the signal is to be
 * dropped. */
static bool
signal_prepare(struct process *p, struct task *t, int sig, bool force)
{
	struct task *each;

	if (p->flags & (PROC_GROUP_EXIT | PROC_ZOMBIE))
		return false;
	if (SIGMASK(sig) & SIG_STOPS) {
		sigqueue_remove(&p->pending, SIGMASK(SIGCONT));
		list_for_each_entry(each, &p->threads, thread_node)
			sigqueue_remove(&each->pending, SIGMASK(SIGCONT));
	} else if (sig == SIGCONT) {
		sigqueue_remove(&p->pending, SIG_STOPS);
		list_for_each_entry(each, &p->threads, thread_node)
		{
			sigqueue_remove(&each->pending, SIG_STOPS);
			each->must_stop = each->stop_dequeued = false;
			thread_wake_state(&each->thread, THREAD_STOPPED);
		}
		if (p->flags & PROC_STOPPED) {
			p->flags |= PROC_NOTIFY_CONTINUED | PROC_CONTINUED;
			p->group_exit_code = 0;
		} else if (p->flags & PROC_STOP_PENDING) {
			p->flags |= PROC_NOTIFY_STOPPED;
		}
		p->flags &= ~(PROC_STOPPED | PROC_STOP_PENDING | PROC_STOP_REPORT);
		p->stop_count = 0;
		if (p->flags & (PROC_NOTIFY_CONTINUED | PROC_NOTIFY_STOPPED)) {
			list_for_each_entry(each, &p->threads, thread_node)
				thread_flag_set(&each->thread, TF_SIGPENDING);
		}
	}
	return !signal_is_ignored(t, sig, force);
}

static bool
signal_wanted_by(struct task *t, int sig)
{
	if (t->exiting || (t->blocked & SIGMASK(sig)))
		return false;
	if (sig == SIGKILL)
		return true;
	return !(READ_ONCE(t->thread.state) & (THREAD_STOPPED | THREAD_TRACED | THREAD_FROZEN));
}

void
signal_start_group_exit(struct process *p, int code)
{
	struct task *t;

	p->flags |= PROC_GROUP_EXIT;
	p->flags &= ~(PROC_STOPPED | PROC_STOP_PENDING | PROC_NOTIFY_STOPPED |
		      PROC_NOTIFY_CONTINUED);
	p->group_exit_code = code;
	p->stop_count = 0;
	list_for_each_entry(t, &p->threads, thread_node)
	{
		t->must_stop = t->stop_dequeued = false;
		t->pending.mask |= SIGMASK(SIGKILL);
		thread_flag_set(&t->thread, TF_SIGPENDING);
		if (t != current)
			thread_wake_signal(&t->thread, true, THREAD_STOPPED | THREAD_TRACED);
	}
}

/* Wake whoever is to handle it. */
static void
signal_complete(struct process *p, struct task *t, bool group, int sig)
{
	struct task *each, *target = NULL;

	if (signal_wanted_by(t, sig)) {
		target = t;
	} else if (group) {
		list_for_each_entry(each, &p->threads, thread_node)
		{
			if (signal_wanted_by(each, sig)) {
				target = each;
				break;
			}
		}
	}
	if (!target)
		return;

	enum signal_default d = signal_default_action(sig);
	bool fatal = (sig == SIGKILL || p->sighand->action[sig - 1].handler == SIG_DFL) &&
		     (d == SIGDEF_TERM || d == SIGDEF_CORE) && !(p->flags & PROC_UNKILLABLE) &&
		     (sig == SIGKILL ||
		      (!target->ptrace && !(target->saved_mask & SIGMASK(sig) &&
					    thread_flag_test(&target->thread, TF_RESTORE_MASK))));

	if (fatal) {
		signal_start_group_exit(p, sig);
		return;
	}
	thread_flag_set(&target->thread, TF_SIGPENDING);
	thread_wake_signal(&target->thread, sig == SIGKILL, 0);
}

/* The sender has no number in the namespace of a pid 1: only SIGKILL and SIGSTOP make a difference
 * then, pid_namespaces(7). */
static bool
signal_from_outside(const struct process *p)
{
	const struct pid_number *inner = &p->pid->numbers[p->pid->level];

	return inner->nr == 1 && p->pid->level && !in_irq() && thread_is_task(thread_current()) &&
	       !pid_nr(current->pid, inner->ns);
}

static int
signal_send_locked(struct process *p, struct task *t, bool group, int sig,
		   const struct linux_siginfo *info, struct sigqueue *pre)
{
	/* Kernel-made signals, and what comes from an outer pid namespace, reach even an init that
	 * did not ask for them. */
	bool force = !info || info->si_code > 0 || signal_from_outside(p);
	struct sigqueue_list *queue = group ? &p->pending : &t->pending;
	struct sigqueue *q = pre;

	if (!signal_prepare(p, t, sig, force))
		return pre ? -1 : 0;
	if (pre && !list_empty(&pre->node))
		return 1;
	if (sig < SIGRTMIN && (queue->mask & SIGMASK(sig)) && !pre)
		goto out_wake_watchers;
	if (sig == SIGKILL)
		goto set;
	if (!q) {
		bool from_kernel = !info || info->si_code >= 0;

		q = sigqueue_charge(t, sig < SIGRTMIN && from_kernel);
		if (q) {
			if (info) {
				q->info = *info;
			} else {
				memset(&q->info, 0, sizeof(q->info));
				q->info.si_code = SI_KERNEL;
			}
			q->info.si_signo = sig;
		} else if (sig >= SIGRTMIN && info && info->si_code != SI_USER) {
			return -EAGAIN;
		}
	}
	if (q)
		list_add_tail(&q->node, &queue->entries);
set:
	queue->mask |= SIGMASK(sig);
	signal_complete(p, t, group, sig);
out_wake_watchers:
	if (wait_queue_active(&p->signalfd_wait))
		wake_up_all(&p->signalfd_wait);
	return 0;
}

int
signal_send_task(struct task *t, int sig, const struct linux_siginfo *info)
{
	unsigned long flags;
	struct sighand *sh = sighand_lock(t->process, &flags);
	int r = t->exiting && (READ_ONCE(t->thread.state) & THREAD_DEAD) && t->process->leader != t
			? -ESRCH
			: signal_send_locked(t->process, t, false, sig, info, NULL);

	sighand_unlock(sh, flags);
	return r;
}

int
signal_send_process(struct process *p, int sig, const struct linux_siginfo *info)
{
	unsigned long flags;
	struct sighand *sh = sighand_lock(p, &flags);
	int r = p->leader ? signal_send_locked(p, p->leader, true, sig, info, NULL) : 0;

	sighand_unlock(sh, flags);
	return r;
}

int
signal_send_pgrp(struct pid *pgrp, int sig, const struct linux_siginfo *info)
{
	struct process *p;
	int r = -ESRCH;
	unsigned long flags = spin_lock_irqsave(&tasklist_lock);

	list_for_each_entry(p, &pgrp->pgrp_members, pgrp_node)
	{
		signal_send_process(p, sig, info);
		r = 0;
	}
	spin_unlock_irqrestore(&tasklist_lock, flags);
	return r;
}

int
sigqueue_send(struct sigqueue *q, struct task *t, struct process *p)
{
	unsigned long flags;
	struct sighand *sh = sighand_lock(p, &flags);
	int r = -1;

	if (t ? !t->exiting : !!p->leader)
		r = signal_send_locked(p, t ? t : p->leader, !t, q->info.si_signo, &q->info, q);
	sighand_unlock(sh, flags);
	return r;
}

struct linux_siginfo *
sigqueue_info(struct sigqueue *q)
{
	return &q->info;
}

void
signal_force(int sig, const struct linux_siginfo *info)
{
	struct task *t = current;
	struct process *p = t->process;
	unsigned long flags;
	struct sighand *sh = sighand_lock(p, &flags);
	struct sigaction_kernel *sa = &sh->action[sig - 1];

	if (sa->handler == SIG_IGN || (t->blocked & SIGMASK(sig))) {
		sa->handler = SIG_DFL;
		t->blocked &= ~SIGMASK(sig);
	}
	/* An init that faults cannot go on: the panic that follows says why. */
	if (sa->handler == SIG_DFL)
		p->flags &= ~PROC_UNKILLABLE;
	signal_send_locked(p, t, false, sig, info, NULL);
	signal_recalc(t);
	sighand_unlock(sh, flags);
}

void
signal_force_fatal(int sig, const struct linux_siginfo *info)
{
	struct task *t = current;
	unsigned long flags;
	struct sighand *sh = sighand_lock(t->process, &flags);

	sh->action[sig - 1].handler = SIG_DFL;
	t->blocked &= ~SIGMASK(sig);
	t->process->flags &= ~PROC_UNKILLABLE;
	signal_send_locked(t->process, t, false, sig, info, NULL);
	signal_recalc(t);
	sighand_unlock(sh, flags);
}

/* Exceptions of the program, told by arch. */
void
task_exception(struct regs *regs, int sig, int code, uintptr_t addr, int trapno, u64 error)
{
	struct linux_siginfo info;

	memset(&info, 0, sizeof(info));
	info.si_signo = sig;
	info.si_code = code;
	info.fault.addr = addr;
	current->fault_trapno = trapno;
	current->fault_error = error;
	current->fault_addr = addr;
	signal_force(sig, &info);
}

/* ---- taking ---- */

static int
signal_next(u64 set)
{
	if (set & SIGMASK(SIGKILL))
		return SIGKILL;
	if (set & SIG_SYNCHRONOUS)
		set &= SIG_SYNCHRONOUS;
	return __builtin_ctzll(set) + 1;
}

static int
sigqueue_take(struct sigqueue_list *l, u64 deliverable, struct linux_siginfo *info)
{
	struct sigqueue *q, *found = NULL;
	bool more = false;

	if (!(l->mask & deliverable))
		return 0;
	int sig = signal_next(l->mask & deliverable);

	list_for_each_entry(q, &l->entries, node)
	{
		if (q->info.si_signo != sig)
			continue;
		if (found) {
			more = true;
			break;
		}
		found = q;
	}
	if (!more)
		l->mask &= ~SIGMASK(sig);
	if (found) {
		*info = found->info;
		list_del_init(&found->node);
		if (found->dequeued)
			found->dequeued(found, info);
		sigqueue_release(found);
	} else {
		memset(info, 0, sizeof(*info));
		info->si_signo = sig;
		info->si_code = SI_USER;
	}
	return sig;
}

int
signal_dequeue_locked(struct task *t, u64 deliverable, struct linux_siginfo *info)
{
	int sig = sigqueue_take(&t->pending, deliverable, info);

	if (!sig)
		sig = sigqueue_take(&t->process->pending, deliverable, info);
	if (t == current)
		signal_recalc(t);
	return sig;
}

int
signal_dequeue(struct task *t, u64 deliverable, struct linux_siginfo *info)
{
	unsigned long flags;
	struct sighand *sh = sighand_lock(t->process, &flags);
	int sig = signal_dequeue_locked(t, deliverable, info);

	sighand_unlock(sh, flags);
	return sig;
}

/* ---- masks ---- */

/* Group signals that only we could take may now be another thread's. sighand->lock held. */
void
signal_retarget(struct task *t, u64 newly_blocked)
{
	struct process *p = t->process;
	u64 orphaned = p->pending.mask & newly_blocked;
	struct task *each;

	if (!orphaned || p->nr_threads < 2)
		return;
	list_for_each_entry(each, &p->threads, thread_node)
	{
		if (each == t || each->exiting || !(orphaned & ~each->blocked))
			continue;
		orphaned &= each->blocked;
		if (!thread_flag_test(&each->thread, TF_SIGPENDING)) {
			thread_flag_set(&each->thread, TF_SIGPENDING);
			thread_wake_signal(&each->thread, false, 0);
		}
		if (!orphaned)
			break;
	}
}

void
signal_set_blocked(u64 mask)
{
	struct task *t = current;

	mask &= ~SIG_UNBLOCKABLE;
	if (mask == t->blocked)
		return;

	unsigned long flags;
	struct sighand *sh = sighand_lock(t->process, &flags);
	u64 newly = mask & ~t->blocked;

	t->blocked = mask;
	if (newly)
		signal_retarget(t, newly);
	signal_recalc(t);
	sighand_unlock(sh, flags);
}

void
signal_use_temporary_mask(u64 mask)
{
	struct task *t = current;

	t->saved_mask = t->blocked;
	thread_flag_set(&t->thread, TF_RESTORE_MASK);
	signal_set_blocked(mask);
}

void
signal_restore_temporary_mask(void)
{
	struct task *t = current;

	if (thread_flag_test(&t->thread, TF_RESTORE_MASK)) {
		thread_flag_clear(&t->thread, TF_RESTORE_MASK);
		signal_set_blocked(t->saved_mask);
	}
}

int
signal_mask_from_user(user_ptr set, size_t size, u64 *out)
{
	if (size != LINUX_SIGSET_SIZE)
		return -EINVAL;
	int r = get_user(out, set);
	if (r == 0)
		*out &= ~SIG_UNBLOCKABLE;
	return r;
}
