/* SPDX-License-Identifier: MIT */
/*
 * What a program says about signals: sigaction(2), sigprocmask(2), sigpending(2), sigsuspend(2),
 * sigtimedwait(2), sigaltstack(2), pause(2).
 *
 * Actions belong to the sighand, masks and the alternate stack to the thread; all under
 * sighand->lock, except that the alternate stack is touched by its thread alone.
 */
#include "arch/cpu.h"
#include "arch/regs.h"
#include "arch/thread.h"
#include "core/time.h"
#include "generated/syscalls.h"
#include "lib/string.h"
#include "mm/user.h"
#include "proc_internal.h"
#include "task/task.h"
#include "uapi/errno.h"
#include "uapi/timespec.h"

#define SIG_UNBLOCKABLE (SIGMASK(SIGKILL) | SIGMASK(SIGSTOP))
#define SA_KNOWN                                                                                  \
	(SA_NOCLDSTOP | SA_NOCLDWAIT | SA_SIGINFO | SA_EXPOSE_TAGBITS | SA_ONSTACK | SA_RESTART | \
	 SA_NODEFER | SA_RESETHAND | SA_RESTORER)

static bool
action_ignores(const struct sigaction_kernel *sa, int sig)
{
	if (sa->handler == SIG_IGN)
		return true;
	enum signal_default d = signal_default_action(sig);
	return sa->handler == SIG_DFL && (d == SIGDEF_IGN || d == SIGDEF_CONT);
}

long
sys_rt_sigaction(int sig, user_ptr uact, user_ptr uold, size_t setsize)
{
	struct linux_sigaction act, old;
	struct process *p = current->process;
	bool set = !user_ptr_null(uact);
	unsigned long flags;

	if (setsize != LINUX_SIGSET_SIZE)
		return -EINVAL;
	if (set) {
		int r = copy_from_user(&act, uact, sizeof(act));
		if (r)
			return r;
	}
	if (sig < 1 || sig > SIGRTMAX || (set && (SIGMASK(sig) & SIG_UNBLOCKABLE)))
		return -EINVAL;

	struct sighand *sh = sighand_lock(p, &flags);
	struct sigaction_kernel *sa = &sh->action[sig - 1];

	old = (struct linux_sigaction){ sa->handler, sa->flags, sa->restorer, sa->mask };
	if (set) {
		*sa = (struct sigaction_kernel){
			.handler = act.sa_handler,
			.flags = act.sa_flags & SA_KNOWN,
			.restorer = act.sa_restorer,
			.mask = act.sa_mask & ~SIG_UNBLOCKABLE,
		};
		/* POSIX: pending signals that are now ignored go, blocked or not. */
		if (action_ignores(sa, sig))
			signal_discard(p, SIGMASK(sig));
	}
	sighand_unlock(sh, flags);
	return user_ptr_null(uold) ? 0 : copy_to_user(uold, &old, sizeof(old));
}

long
sys_rt_sigprocmask(int how, user_ptr uset, user_ptr uold, size_t setsize)
{
	u64 old = current->blocked, set;

	if (setsize != LINUX_SIGSET_SIZE)
		return -EINVAL;
	if (!user_ptr_null(uset)) {
		int r = get_user(&set, uset);
		if (r)
			return r;
		switch (how) {
		case SIG_BLOCK: set = old | set; break;
		case SIG_UNBLOCK: set = old & ~set; break;
		case SIG_SETMASK: break;
		default: return -EINVAL;
		}
		signal_set_blocked(set);
	}
	return user_ptr_null(uold) ? 0 : put_user(uold, old);
}

long
sys_rt_sigpending(user_ptr uset, size_t setsize)
{
	struct task *t = current;
	unsigned long flags;

	if (setsize > LINUX_SIGSET_SIZE)
		return -EINVAL;
	struct sighand *sh = sighand_lock(t->process, &flags);
	u64 set = (t->pending.mask | t->process->pending.mask) & t->blocked;
	sighand_unlock(sh, flags);
	return copy_to_user(uset, &set, setsize);
}

/* Until a handler has run or the process ends; stops and continuations do not count. */
static long
sleep_until_signal(void)
{
	for (;;) {
		thread_set_state(THREAD_INTERRUPTIBLE);
		if (thread_signal_pending(thread_current()))
			break;
		schedule();
	}
	thread_set_state(THREAD_RUNNABLE);
	return -ERESTARTNOHAND;
}

long
sys_pause(void)
{
	return sleep_until_signal();
}

long
sys_rt_sigsuspend(user_ptr uset, size_t setsize)
{
	u64 mask;
	int r = signal_mask_from_user(uset, setsize, &mask);

	if (r)
		return r;
	signal_use_temporary_mask(mask);
	return sleep_until_signal();
}

/*
 * While it sleeps the thread does not block the signals it waits for, so that senders choose and
 * wake it; saved_mask with TF_RESTORE_MASK tells them that these are taken here and not acted upon.
 * Both are back to what they were before the call returns.
 */
static int
sigtimedwait_sleep(u64 set, u64 deadline, struct linux_siginfo *info)
{
	struct task *t = current;
	int sig, woken;

	spin_lock_irq(&t->process->sighand->lock);
	sig = signal_dequeue_locked(t, set, info);
	if (sig || deadline == 0) {
		spin_unlock_irq(&t->process->sighand->lock);
		return sig ? sig : -EAGAIN;
	}
	t->saved_mask = t->blocked;
	thread_flag_set(&t->thread, TF_RESTORE_MASK);
	t->blocked &= ~set;
	signal_recalc(t);
	spin_unlock_irq(&t->process->sighand->lock);

	thread_set_state(THREAD_INTERRUPTIBLE);
	woken = schedule_until(deadline);

	spin_lock_irq(&t->process->sighand->lock);
	thread_flag_clear(&t->thread, TF_RESTORE_MASK);
	t->blocked = t->saved_mask;
	sig = signal_dequeue_locked(t, set, info);
	signal_recalc(t);
	spin_unlock_irq(&t->process->sighand->lock);
	if (sig)
		return sig;
	return woken ? -EINTR : -EAGAIN;
}

long
sys_rt_sigtimedwait(user_ptr uset, user_ptr uinfo, user_ptr utimeout, size_t setsize)
{
	struct linux_timespec ts;
	struct linux_siginfo info;
	u64 set, deadline = TIME_NEVER;
	int r = signal_mask_from_user(uset, setsize, &set);

	if (r)
		return r;
	if (!user_ptr_null(utimeout)) {
		r = copy_from_user(&ts, utimeout, sizeof(ts));
		if (r)
			return r;
		if (ts.tv_sec < 0 || ts.tv_nsec < 0 || ts.tv_nsec >= (s64)NSEC_PER_SEC)
			return -EINVAL;
		if (ts.tv_sec == 0 && ts.tv_nsec == 0)
			deadline = 0;
		else if ((u64)ts.tv_sec < (1ull << 32))
			deadline = time_mono_ns() + (u64)ts.tv_sec * NSEC_PER_SEC + (u64)ts.tv_nsec;
	}
	int sig = sigtimedwait_sleep(set, deadline, &info);
	if (sig > 0 && !user_ptr_null(uinfo)) {
		r = copy_to_user(uinfo, &info, sizeof(info));
		if (r)
			return r;
	}
	return sig;
}

/* ---- alternate stack ---- */

bool
signal_on_altstack(const struct task *t, u64 sp)
{
	/* One that is disarmed while in use is never "in use". */
	if ((u32)t->alt_flags & SS_AUTODISARM)
		return false;
	return sp > t->alt_sp && sp - t->alt_sp <= t->alt_size;
}

void
signal_reset_altstack(struct task *t)
{
	t->alt_sp = 0;
	t->alt_size = 0;
	t->alt_flags = SS_DISABLE;
}

int
altstack_set(struct task *t, u64 user_sp, u64 sp, u64 size, int flags)
{
	u32 mode = (u32)flags & ~SS_AUTODISARM;

	if (signal_on_altstack(t, user_sp))
		return -EPERM;
	if (mode != SS_DISABLE && mode != SS_ONSTACK && mode != 0)
		return -EINVAL;
	if (mode == SS_DISABLE) {
		sp = 0;
		size = 0;
	} else if (size < MINSIGSTKSZ || size < arch_min_sigstack()) {
		return -ENOMEM;
	}
	t->alt_sp = sp;
	t->alt_size = size;
	t->alt_flags = flags;
	return 0;
}

long
sys_sigaltstack(user_ptr unew, user_ptr uold)
{
	struct task *t = current;
	u64 sp = regs_sp(arch_thread_regs(t->thread.kstack));
	struct linux_stack new, old = {
		.ss_sp = t->alt_sp,
		.ss_size = t->alt_size,
		.ss_flags = (s32)(((u32)t->alt_flags & SS_AUTODISARM) |
				  (!t->alt_size		       ? SS_DISABLE
				   : signal_on_altstack(t, sp) ? SS_ONSTACK
							       : 0)),
	};
	int r = 0;

	if (!user_ptr_null(unew)) {
		r = copy_from_user(&new, unew, sizeof(new));
		if (r == 0)
			r = altstack_set(t, sp, new.ss_sp, new.ss_size, new.ss_flags);
	}
	if (r == 0 && !user_ptr_null(uold))
		r = copy_to_user(uold, &old, sizeof(old));
	return r;
}
