/* SPDX-License-Identifier: MIT */
/*
 * Delivery of signals, and the other work on the way back to user mode. signal(7), sigreturn(2),
 * restart_syscall(2).
 *
 * task_return_work does, in this order: queued task work; what a new or moved thread owes user
 * memory (child tid, rseq); signals. Signals are taken one at a time until one has a handler (a
 * frame is built; more signals nest on it when the exit path comes back here) or none is left. A
 * system call that was cut short is then decided upon: with a handler by the handler's SA_RESTART,
 * without one it is issued again, which is how a stop and continuation stay invisible.
 *
 * Group stop. The thread that takes a stop signal marks every thread (must_stop) and counts them
 * (stop_count); each, when it gets here, counts itself down and sleeps in THREAD_STOPPED; the last
 * one makes the process PROC_STOPPED and tells the parent. SIGCONT's sender undoes all of it under
 * the same lock and wakes the sleepers; the first of them on its way here tells the parent
 * (PROC_NOTIFY_*), for the sender may be in an interrupt. A thread sets its state under
 * sighand->lock after looking, so a continuation cannot slip between.
 *
 * A stop signal other than SIGSTOP does nothing in an orphaned process group. That is looked up
 * without sighand->lock (tasklist_lock comes first), so a SIGCONT may pass meanwhile: it clears
 * stop_dequeued, and the stop is forgotten.
 *
 * Locks: sighand->lock; tasklist_lock is only taken without it.
 */
#include "arch/regs.h"
#include "arch/signal.h"
#include "arch/thread.h"
#include "core/arch_upcalls.h"
#include "generated/syscall_nr.h"
#include "generated/syscalls.h"
#include "lib/string.h"
#include "mm/user.h"
#include "proc_internal.h"
#include "sched/sched.h"
#include "task/task.h"
#include "uapi/errno.h"
#include "uapi/wait.h"

/* ---- stopping ---- */

bool
signal_stop_participate(struct task *t)
{
	struct process *p = t->process;

	t->must_stop = false;
	if (p->stop_count == 0 || --p->stop_count)
		return false;
	if (!(p->flags & PROC_STOP_PENDING))
		return false;
	p->flags &= ~PROC_STOP_PENDING;
	p->flags |= PROC_STOPPED | PROC_STOP_REPORT;
	return true;
}

static void
notify_parent(struct process *p, int why, int status)
{
	spin_lock_irq(&tasklist_lock);
	process_notify_stop(p, why, status);
	spin_unlock_irq(&tasklist_lock);
}

static void
stop_start(struct process *p, int sig)
{
	struct task *t;

	p->stop_signal = sig;
	p->stop_count = 0;
	p->flags &= ~(PROC_CONTINUED | PROC_STOPPED | PROC_STOP_REPORT);
	p->flags |= PROC_STOP_PENDING;
	list_for_each_entry(t, &p->threads, thread_node)
	{
		if (t->exiting)
			continue;
		t->must_stop = true;
		p->stop_count++;
		if (t != current) {
			thread_flag_set(&t->thread, TF_SIGPENDING);
			thread_wake_signal(&t->thread, false, 0);
		}
	}
}

/* sighand->lock held on entry, not on return. Sleeps until continued or killed. */
static void
stop_sleep(struct task *t, struct sighand *sh)
{
	struct process *p = t->process;
	int sig = p->stop_signal;
	bool last = signal_stop_participate(t), traced = t->ptrace;

	if (!traced)
		thread_set_state(THREAD_STOPPED);
	spin_unlock_irq(&sh->lock);
	if (last)
		notify_parent(p, CLD_STOPPED, sig);
	if (unlikely(traced))
		ptrace_group_stop(t, sig);
	else
		schedule();
}

/* sighand->lock held on entry, not on return: a stop signal was taken. */
static void
stop_by_signal(struct task *t, struct sighand *sh, int sig)
{
	struct process *p = t->process;

	t->stop_dequeued = true;
	if (sig != SIGSTOP) {
		spin_unlock_irq(&sh->lock);
		spin_lock_irq(&tasklist_lock);
		bool orphaned = pgrp_is_orphaned(p->pgrp, NULL);
		spin_unlock_irq(&tasklist_lock);
		if (orphaned)
			return;
		spin_lock_irq(&sh->lock);
	}
	if (!t->stop_dequeued || (p->flags & (PROC_GROUP_EXIT | PROC_EXEC_IN_PROGRESS))) {
		spin_unlock_irq(&sh->lock);
		return;
	}
	t->stop_dequeued = false;
	if (!t->must_stop)
		stop_start(p, sig);
	stop_sleep(t, sh);
}

/* ---- choosing ---- */

struct chosen {
	int sig;
	struct sigaction_kernel action;
	struct linux_siginfo info;
};

/* The next signal that has a handler; everything else is acted upon here. False: nothing is left.
 */
static bool
signal_choose(struct task *t, struct chosen *c)
{
	struct process *p = t->process;
	struct sighand *sh = p->sighand; /* no exec of another thread replaces it while we live */

	for (;;) {
		spin_lock_irq(&sh->lock);
		if (p->flags & (PROC_NOTIFY_CONTINUED | PROC_NOTIFY_STOPPED)) {
			bool continued = p->flags & PROC_NOTIFY_CONTINUED;
			int status = continued ? SIGCONT : p->stop_signal;

			p->flags &= ~(PROC_NOTIFY_CONTINUED | PROC_NOTIFY_STOPPED);
			spin_unlock_irq(&sh->lock);
			notify_parent(p, continued ? CLD_CONTINUED : CLD_STOPPED, status);
			continue;
		}
		if ((p->flags & PROC_GROUP_EXIT) ||
		    ((p->flags & PROC_EXEC_IN_PROGRESS) && p->exec_task != t)) {
			spin_unlock_irq(&sh->lock);
			process_exit(0);
		}
		if (unlikely(t->ptrace_trap)) {
			t->ptrace_trap = false;
			spin_unlock_irq(&sh->lock);
			ptrace_trap(t);
			continue;
		}
		if (t->must_stop) {
			stop_sleep(t, sh);
			continue;
		}

		c->sig = signal_dequeue_locked(t, ~t->blocked, &c->info);
		if (!c->sig) {
			spin_unlock_irq(&sh->lock);
			return false;
		}
		if (unlikely(t->ptrace) && c->sig != SIGKILL) {
			spin_unlock_irq(&sh->lock);
			c->sig = ptrace_signal(t, c->sig, &c->info);
			if (!c->sig)
				continue;
			spin_lock_irq(&sh->lock);
		}
		struct sigaction_kernel *sa = &sh->action[c->sig - 1];

		if (sa->handler == SIG_IGN) {
			spin_unlock_irq(&sh->lock);
			continue;
		}
		if (sa->handler != SIG_DFL) {
			c->action = *sa;
			if (sa->flags & SA_RESETHAND)
				sa->handler = SIG_DFL;
			spin_unlock_irq(&sh->lock);
			return true;
		}

		enum signal_default d = signal_default_action(c->sig);
		bool spared = (p->flags & PROC_UNKILLABLE) && c->sig != SIGKILL &&
			      c->sig != SIGSTOP;

		if (d == SIGDEF_IGN || d == SIGDEF_CONT || spared) {
			spin_unlock_irq(&sh->lock);
		} else if (d == SIGDEF_STOP) {
			stop_by_signal(t, sh, c->sig);
		} else {
			spin_unlock_irq(&sh->lock);
			process_exit(WAIT_STATUS_KILLED(c->sig));
		}
	}
}

/* ---- frames ---- */

/* The frame could not be built: the program gets SIGSEGV, for which there may be a handler on an
 * alternate stack; not if this was it. */
static void
frame_failed(int sig)
{
	if (sig == SIGSEGV)
		signal_force_fatal(SIGSEGV, NULL);
	else
		signal_force(SIGSEGV, NULL);
}

static void
signal_handle(struct task *t, struct regs *regs, struct chosen *c)
{
	bool restore = thread_flag_test(&t->thread, TF_RESTORE_MASK);
	u64 sp = regs_sp(regs);
	struct signal_frame_request rq = {
		.sig = c->sig,
		.handler = c->action.handler,
		.restorer = c->action.restorer,
		.flags = c->action.flags,
		.mask = restore ? t->saved_mask : t->blocked,
		.stack_sp = sp,
		.on_altstack = false,
		.alt_sp = t->alt_sp,
		.alt_size = t->alt_size,
		.alt_flags = t->alt_flags,
		.info = &c->info,
		.trapno = t->fault_trapno,
		.error = t->fault_error,
		.fault_addr = t->fault_addr,
	};

	if (t->thread.rseq)
		rseq_signal(t, regs);
	if ((c->action.flags & SA_ONSTACK) && t->alt_size && !signal_on_altstack(t, sp)) {
		rq.stack_sp = t->alt_sp + t->alt_size;
		rq.on_altstack = true;
	}
	if (arch_signal_setup(regs, &rq)) {
		frame_failed(c->sig);
		return;
	}
	/* The mask to come back to is in the frame now. */
	thread_flag_clear(&t->thread, TF_RESTORE_MASK);
	if ((u32)t->alt_flags & SS_AUTODISARM)
		signal_reset_altstack(t);

	u64 mask = t->blocked | c->action.mask;
	if (!(c->action.flags & SA_NODEFER))
		mask |= SIGMASK(c->sig);
	signal_set_blocked(mask);
}

void
signal_reset_actions(struct task *t, bool also_ignored)
{
	struct sighand *sh = t->process->sighand;

	for (u32 i = 0; i < ARRAY_SIZE(sh->action); i++) {
		u64 handler = sh->action[i].handler;

		memset(&sh->action[i], 0, sizeof(sh->action[i]));
		if (handler == SIG_IGN && !also_ignored)
			sh->action[i].handler = SIG_IGN;
	}
}

/* ---- system calls that were cut short ---- */

static void
restart_for_handler(struct regs *regs, u64 sa_flags)
{
	switch (regs_ret(regs)) {
	case -ERESTARTSYS:
		if (sa_flags & SA_RESTART) {
			regs_restart_syscall(regs);
			return;
		}
		break;
	case -ERESTARTNOINTR: regs_restart_syscall(regs); return;
	case -ERESTARTNOHAND:
	case -ERESTART_RESTARTBLOCK: break;
	default: return;
	}
	regs_set_ret(regs, -EINTR);
}

static void
restart_without_handler(struct regs *regs)
{
	switch (regs_ret(regs)) {
	case -ERESTARTSYS:
	case -ERESTARTNOINTR:
	case -ERESTARTNOHAND: regs_restart_syscall(regs); break;
	case -ERESTART_RESTARTBLOCK:
		regs_set_syscall_nr(regs, NR_restart_syscall);
		regs_restart_syscall(regs);
		break;
	}
}

long
sys_restart_syscall(void)
{
	struct restart_block *rb = &current->restart;

	return rb->func ? rb->func(rb) : -EINTR;
}

long
sys_rt_sigreturn(void)
{
	struct task *t = current;
	struct regs *regs = arch_thread_regs(t->thread.kstack);
	struct signal_frame_restored frame;

	t->restart.func = NULL;
	if (arch_signal_restore(regs, &frame)) {
		signal_force(SIGSEGV, NULL);
		return 0;
	}
	signal_set_blocked(frame.mask);
	(void)altstack_set(t, regs_sp(regs), frame.alt_sp, frame.alt_size, frame.alt_flags);
	return regs_ret(regs);
}

/* ---- the way to user mode ---- */

void
task_return_work(struct regs *regs, long syscall_nr)
{
	struct task *t = current;
	struct chosen c;
	bool handled = false;

	if (thread_flag_test(&t->thread, TF_NOTIFY)) {
		thread_flag_clear(&t->thread, TF_NOTIFY);
		task_work_run(false);
		if (unlikely(t->set_child_tid.addr)) {
			(void)!put_user(t->set_child_tid, task_tid(t));
			t->set_child_tid = (user_ptr){ 0 };
		}
		if (t->thread.rseq)
			rseq_return(t, regs);
	}
	if (thread_signal_pending(&t->thread) && signal_choose(t, &c)) {
		if (syscall_nr >= 0)
			restart_for_handler(regs, c.action.flags);
		signal_handle(t, regs, &c);
		handled = true;
	}
	if (!handled && syscall_nr >= 0)
		restart_without_handler(regs);
	if (!thread_signal_pending(&t->thread))
		signal_restore_temporary_mask();
}
