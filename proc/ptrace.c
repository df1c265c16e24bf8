/* SPDX-License-Identifier: MIT */
/*
 * Tracing: ptrace(2).
 *
 * A traced task has a struct ptrace_state and is on its tracer's list of tracees. It stops by
 * itself, at points where it looks (signals, system calls, events), in THREAD_TRACED; the tracer
 * learns of it by wait(2) and SIGCHLD, and resumes it. So the tracer never interrupts anything:
 * what it asks for (PTRACE_INTERRUPT, the SIGSTOP of an attach) is a reason to look.
 *
 * While a tracee is stopped its tracer may read and change its registers and memory. For the time
 * of one request the tracee is frozen (THREAD_FROZEN): not even SIGKILL wakes it, so it cannot take
 * away its kernel stack and registers meanwhile. A second thread of the tracer finds no stopped
 * tracee then (ESRCH, as always on Linux, where the tracer is a thread).
 *
 * The tracer is a process: any of its threads may use the tracee. A traced thread that dies stays,
 * as a zombie, until the tracer has waited for it; a traced process whose parent is another one is
 * the parent's to wait for only after that.
 *
 * A program that gains privileges by execve must not be traced by who has less: attaching excludes
 * execve (process->exec_lock), and execve looks who traces under the same lock.
 *
 * Locking: who traces whom under tasklist_lock and the tracee's sighand->lock; the state of a stop
 * under the latter. The state is freed under both: a tracee that wakes looks at t->ptrace again.
 *
 * Limits: no PTRACE_SYSEMU, no block step, no peeking at queued signals.
 */
#include "arch/ptrace.h"

#include "arch/regs.h"
#include "arch/thread.h"
#include "generated/syscalls.h"
#include "lib/string.h"
#include "mm/mm.h"
#include "mm/slab.h"
#include "mm/user.h"
#include "proc/ptrace.h"
#include "proc_internal.h"
#include "task/access.h"
#include "task/task.h"
#include "uapi/elf.h"
#include "uapi/errno.h"
#include "uapi/ptrace.h"
#include "uapi/sched.h"
#include "uapi/uio.h"
#include "uapi/wait.h"

#define REGSET_MAX 16384

/* ---- stopping ---- */

/* The tracer may die and the state go away meanwhile: a look, under RCU. */
static u32
ptrace_options(const struct task *t)
{
	const struct ptrace_state *ps;
	u32 options;

	rcu_read_lock();
	ps = rcu_dereference(t->ptrace);
	options = ps ? READ_ONCE(ps->options) : 0;
	rcu_read_unlock();
	return options;
}

static bool
ptrace_is_seized(const struct task *t)
{
	const struct ptrace_state *ps;
	bool seized;

	rcu_read_lock();
	ps = rcu_dereference(t->ptrace);
	seized = ps && ps->seized;
	rcu_read_unlock();
	return seized;
}

static bool
ptrace_wants(const struct task *t, int event)
{
	return ptrace_options(t) & (1u << event);
}

/* tasklist_lock held. */
static void
tell_tracer(struct task *t, int code)
{
	struct process *tracer = t->ptrace->tracer;
	const struct pid *pid = tracer->pid;
	struct linux_siginfo info;

	spin_lock(&tracer->sighand->lock);
	const struct sigaction_kernel *sa = &tracer->sighand->action[SIGCHLD - 1];
	bool send = sa->handler != SIG_IGN && !(sa->flags & SA_NOCLDSTOP);
	spin_unlock(&tracer->sighand->lock);
	if (send) {
		memset(&info, 0, sizeof(info));
		info.si_signo = SIGCHLD;
		info.si_code = CLD_TRAPPED;
		info.chld.pid = pid_nr(t->pid, pid->numbers[pid->level].ns);
		info.chld.uid = t->cred->uid;
		info.chld.status = code & 0x7f;
		signal_send_process(tracer, SIGCHLD, &info);
	}
	wake_up_all(&tracer->child_wait);
}

/*
 * The current task stops with `code` (signal, event in the second byte) until its tracer resumes
 * it. Returns the signal that the tracer wants delivered; *info may have been replaced.
 */
static int
ptrace_stop(int code, struct linux_siginfo *info, u64 message)
{
	struct task *t = current;
	struct sighand *sh = t->process->sighand;
	struct ptrace_state *ps;
	int sig = 0;

	spin_lock_irq(&sh->lock);
	ps = t->ptrace;
	if (!ps || signal_fatal_pending(t)) {
		spin_unlock_irq(&sh->lock);
		return 0;
	}
	ps->stop_code = code;
	ps->report = true;
	ps->resume_signal = 0;
	ps->listening = false;
	ps->message = message;
	ps->has_info = info != NULL;
	if (info) {
		ps->info = *info;
	} else {
		memset(&ps->info, 0, sizeof(ps->info));
		ps->info.si_signo = SIGTRAP;
		ps->info.si_code = code;
		ps->info.kill.pid = task_tid(t);
		ps->info.kill.uid = t->cred->uid;
	}
	thread_set_state(THREAD_TRACED);
	spin_unlock_irq(&sh->lock);

	spin_lock_irq(&tasklist_lock);
	if (t->ptrace)
		tell_tracer(t, code);
	spin_unlock_irq(&tasklist_lock);
	schedule();

	spin_lock_irq(&sh->lock);
	ps = t->ptrace;
	if (ps) {
		ps->stop_code = 0;
		ps->report = false;
		sig = ps->resume_signal;
		if (info)
			*info = ps->info;
	}
	signal_recalc(t);
	spin_unlock_irq(&sh->lock);
	return sig;
}

int
ptrace_signal(struct task *t, int sig, struct linux_siginfo *info)
{
	int now = ptrace_stop(sig, info, 0);
	const struct ptrace_state *ps;

	if (!now)
		return 0;
	if (now != sig) {
		/* The tracer's own idea: it is the sender. */
		memset(info, 0, sizeof(*info));
		info->si_signo = now;
		info->si_code = SI_USER;
		rcu_read_lock();
		ps = rcu_dereference(t->ptrace);
		if (ps)
			info->kill.pid = pid_nr(ps->tracer->pid, current_pid_ns());
		rcu_read_unlock();
	}
	if (t->blocked & SIGMASK(now)) {
		signal_send_task(t, now, info);
		return 0;
	}
	return now;
}

void
ptrace_trap(struct task *t)
{
	ptrace_stop(SIGTRAP | PTRACE_EVENT_STOP << 8, NULL, 0);
}

void
ptrace_group_stop(struct task *t, int sig)
{
	bool listening, stopped;

	ptrace_stop(ptrace_is_seized(t) ? sig | PTRACE_EVENT_STOP << 8 : sig, NULL, 0);
	spin_lock_irq(&t->process->sighand->lock);
	listening = t->ptrace && t->ptrace->listening;
	stopped = listening && (t->process->flags & PROC_STOPPED);
	if (stopped)
		thread_set_state(THREAD_STOPPED);
	spin_unlock_irq(&t->process->sighand->lock);
	/* PTRACE_LISTEN: stopped as others are until the continuation, which is told. */
	if (stopped)
		schedule();
	if (listening)
		ptrace_trap(t);
}

bool
ptrace_event_wanted(int event)
{
	return ptrace_wants(current, event);
}

void
ptrace_event(int event, u64 message)
{
	struct task *t = current;

	if (likely(!ptrace_wants(t, event)))
		return;
	if (event == PTRACE_EVENT_EXIT) {
		/* The signal that ends us has done its work: it is not to end this stop. */
		spin_lock_irq(&t->process->sighand->lock);
		t->pending.mask &= ~SIGMASK(SIGKILL);
		thread_flag_clear(&t->thread, TF_SIGPENDING);
		spin_unlock_irq(&t->process->sighand->lock);
	}
	ptrace_stop(SIGTRAP | event << 8, NULL, message);
}

void
ptrace_exec(int old_tid)
{
	struct task *t = current;

	if (ptrace_wants(t, PTRACE_EVENT_EXEC))
		ptrace_event(PTRACE_EVENT_EXEC, (u64)old_tid);
	else if (t->ptrace && !ptrace_is_seized(t))
		signal_send_task(t, SIGTRAP, NULL);
}

/* ---- system calls ---- */

static void
syscall_stop(u8 op)
{
	struct task *t = current;
	bool good = ptrace_options(t) & PTRACE_O_TRACESYSGOOD;
	int sig;

	t->ptrace_syscall_op = op;
	sig = ptrace_stop(SIGTRAP | (good ? 0x80 : 0), NULL, 0);
	t->ptrace_syscall_op = PTRACE_SYSCALL_INFO_NONE;
	if (sig)
		signal_send_task(t, sig, NULL);
}

long
ptrace_syscall_enter(struct regs *regs, long nr)
{
	syscall_stop(PTRACE_SYSCALL_INFO_ENTRY);
	if (signal_fatal_pending(current))
		return -1;
	return regs_syscall_nr(regs);
}

void
ptrace_syscall_exit(struct regs *regs)
{
	syscall_stop(PTRACE_SYSCALL_INFO_EXIT);
}

/* ---- the relation ---- */

static void
state_link(struct task *t, struct ptrace_state *ps, struct process *tracer)
{
	ps->tracer = tracer;
	t->ptrace = ps;
	list_add_tail(&t->ptraced_node, &tracer->tracees);
}

/*
 * tasklist_lock held. The tracee goes on, if it is not dead. True: it was a dead thread, and its
 * tree reference is the caller's to put.
 */
bool
ptrace_unlink(struct task *t)
{
	struct sighand *sh = t->process->sighand;
	struct ptrace_state *ps = t->ptrace;
	bool dead = ps->dead;

	spin_lock(&sh->lock);
	list_del_init(&t->ptraced_node);
	t->ptrace = NULL;
	t->ptrace_trap = false;
	thread_flag_clear(&t->thread, TF_SYSCALL_TRACE);
	/* A stopped process stays stopped, now as others are. */
	if ((t->process->flags & PROC_STOPPED) && !t->exiting) {
		t->must_stop = true;
		t->process->stop_count++;
		thread_flag_set(&t->thread, TF_SIGPENDING);
	}
	thread_wake_state(&t->thread, THREAD_TRACED | THREAD_FROZEN);
	spin_unlock(&sh->lock);
	kfree_rcu(ps, rcu);
	if (dead) {
		WRITE_ONCE(t->pid->task, NULL);
		pid_release_number(t->pid);
	}
	return dead;
}

static int
may_attach(struct task *t)
{
	if (t->process == current->process)
		return -EPERM;
	return task_may_access(t, true);
}

static long
ptrace_attach(struct task *t, bool seize, u64 addr, u64 options)
{
	struct ptrace_state *ps;
	int r;

	if (seize && addr)
		return -EIO;
	if (options & ~(u64)PTRACE_O_MASK)
		return -EINVAL;
	if (mutex_lock_killable(&t->process->exec_lock))
		return -EINTR;
	r = may_attach(t);
	if (r)
		goto out_unlock;
	r = -ENOMEM;
	ps = kzalloc(sizeof(*ps), GFP_KERNEL);
	if (!ps)
		goto out_unlock;
	ps->seized = seize;
	ps->may_gain = capable(CAP_SYS_PTRACE);
	ps->options = (u32)options;
	spin_lock_irq(&tasklist_lock);
	struct sighand *sh = t->process->sighand;
	spin_lock(&sh->lock);
	r = -EPERM;
	if (!t->exiting && !t->ptrace) {
		state_link(t, ps, current->process);
		r = 0;
	}
	spin_unlock(&sh->lock);
	spin_unlock_irq(&tasklist_lock);
	if (r)
		kfree(ps);
	else if (!seize)
		signal_send_task(t, SIGSTOP, NULL);
out_unlock:
	mutex_unlock(&t->process->exec_lock);
	return r;
}

static long
ptrace_traceme(void)
{
	struct ptrace_state *ps = kzalloc(sizeof(*ps), GFP_KERNEL);
	struct task *t = current;
	int r = -EPERM;

	if (!ps)
		return -ENOMEM;
	ps->may_gain = capable(CAP_SYS_PTRACE);
	spin_lock_irq(&tasklist_lock);
	spin_lock(&t->process->sighand->lock);
	if (!t->ptrace && t->process->parent) {
		state_link(t, ps, t->process->parent);
		r = 0;
	}
	spin_unlock(&t->process->sighand->lock);
	spin_unlock_irq(&tasklist_lock);
	if (r)
		kfree(ps);
	return r;
}

/* ---- births ---- */

int
ptrace_fork_event(u64 flags, int exit_signal)
{
	const struct task *t = current;
	int event = flags & CLONE_VFORK	     ? PTRACE_EVENT_VFORK
		    : exit_signal != SIGCHLD ? PTRACE_EVENT_CLONE
					     : PTRACE_EVENT_FORK;

	if (!t->ptrace || (flags & CLONE_UNTRACED))
		return 0;
	return ptrace_wants(t, event) ? event : 0;
}

/* For fork_link to link: NULL if the child is not to be traced (or there is no memory). */
struct ptrace_state *
ptrace_fork_alloc(u64 flags, int event)
{
	if (!current->ptrace || (!event && !(flags & CLONE_PTRACE)))
		return NULL;
	return kzalloc(sizeof(struct ptrace_state), GFP_KERNEL);
}

/* tasklist_lock and sighand->lock of the parent held. False: the parent is no longer traced. */
bool
ptrace_fork_link(struct task *child, struct ptrace_state *ps)
{
	const struct ptrace_state *ours = current->ptrace;

	if (!ours)
		return false;
	ps->seized = ours->seized;
	ps->may_gain = ours->may_gain;
	ps->options = ours->options;
	state_link(child, ps, ours->tracer);
	if (ps->seized)
		child->ptrace_trap = true;
	else
		child->pending.mask |= SIGMASK(SIGSTOP);
	thread_flag_set(&child->thread, TF_SIGPENDING);
	return true;
}

/*
 * capabilities(7): a traced program gains nothing by set-id bits that its tracer could not have.
 * What counts is who made the link: a tracer that is privileged today may be a set-id program that
 * gives its privileges, but not its tracees, up tomorrow.
 */
bool
ptrace_tracer_may_gain(const struct task *t)
{
	const struct ptrace_state *ps;
	bool may;

	rcu_read_lock();
	ps = rcu_dereference(t->ptrace);
	may = !ps || ps->may_gain;
	rcu_read_unlock();
	return may;
}

/* ---- deaths ---- */

/* tasklist_lock held: a traced thread that is no leader has died. */
void
ptrace_thread_died(struct task *t)
{
	t->ptrace->dead = true;
	wake_up_all(&t->ptrace->tracer->child_wait);
}

/*
 * tasklist_lock held: the tracer dies. Dead threads go to `threads` by their thread_node, processes
 * that nobody waits for to `processes`.
 */
void
ptrace_tracer_died(struct process *tracer, struct list *threads, struct list *processes)
{
	struct task *t, *next;

	list_for_each_entry_safe(t, next, &tracer->tracees, ptraced_node)
	{
		bool kill = t->ptrace->options & PTRACE_O_EXITKILL;

		if (ptrace_unlink(t)) {
			list_add(&t->thread_node, threads);
			continue;
		}
		if (kill)
			signal_send_task(t, SIGKILL, NULL);
		if ((t->process->flags & PROC_ZOMBIE) && t->process->parent != tracer)
			process_untraced(t->process, processes);
	}
}

/* ---- requests ---- */

/*
 * The tracee, stopped, off its CPU and frozen: until tracee_thaw, or until the request lets it go,
 * nobody else wakes it. -ESRCH else.
 */
static int
tracee_freeze(struct task *t)
{
	for (;;) {
		unsigned long flags;
		struct sighand *sh = sighand_lock(t->process, &flags);
		bool ok = t->ptrace && t->ptrace->tracer == current->process &&
			  t->ptrace->stop_code && !t->ptrace->listening &&
			  (READ_ONCE(t->thread.state) & THREAD_TRACED) && !signal_fatal_pending(t);
		bool frozen = ok && thread_freeze(&t->thread);

		sighand_unlock(sh, flags);
		if (!ok)
			return -ESRCH;
		if (frozen)
			return 0;
		thread_wait_inactive(&t->thread);
	}
}

static void
tracee_thaw(struct task *t)
{
	unsigned long flags;
	struct sighand *sh = sighand_lock(t->process, &flags);

	thread_thaw(&t->thread);
	/* What was to wake it in the meantime. */
	if (signal_fatal_pending(t) || (t->ptrace && t->ptrace->listening))
		thread_wake_state(&t->thread, THREAD_TRACED);
	sighand_unlock(sh, flags);
}

static struct regs *
tracee_regs(struct task *t)
{
	return arch_thread_regs(t->thread.kstack);
}

static long
tracee_resume(struct task *t, long request, u64 sig)
{
	unsigned long flags;
	struct sighand *sh;

	arch_single_step(&t->thread, tracee_regs(t), request == PTRACE_SINGLESTEP);
	if (request == PTRACE_SYSCALL)
		thread_flag_set(&t->thread, TF_SYSCALL_TRACE);
	else
		thread_flag_clear(&t->thread, TF_SYSCALL_TRACE);
	sh = sighand_lock(t->process, &flags);
	t->ptrace->resume_signal = (int)sig;
	t->ptrace->stop_code = 0;
	t->ptrace->report = false;
	thread_wake_state(&t->thread, THREAD_FROZEN);
	sighand_unlock(sh, flags);
	return 0;
}

static long
tracee_detach(struct task *t, u64 sig)
{
	arch_single_step(&t->thread, tracee_regs(t), false);
	spin_lock_irq(&tasklist_lock);
	(void)ptrace_unlink(t);
	spin_unlock_irq(&tasklist_lock);
	if (sig)
		signal_send_task(t, (int)sig, NULL);
	return 0;
}

/* The requests that end the stop. */
static long
tracee_let_go(struct task *t, long request, u64 sig)
{
	if (sig > SIGRTMAX) {
		tracee_thaw(t);
		return -EIO;
	}
	return request == PTRACE_DETACH ? tracee_detach(t, sig) : tracee_resume(t, request, sig);
}

static long
tracee_interrupt(struct task *t, long request)
{
	unsigned long flags;
	struct sighand *sh = sighand_lock(t->process, &flags);
	long r = -ESRCH;

	if (t->ptrace && t->ptrace->tracer == current->process) {
		r = -EIO;
		if (t->ptrace->seized && request == PTRACE_INTERRUPT) {
			t->ptrace_trap = true;
			thread_flag_set(&t->thread, TF_SIGPENDING);
			thread_wake_signal(&t->thread, false, 0);
			r = 0;
		} else if (t->ptrace->seized && t->ptrace->stop_code >> 8 == PTRACE_EVENT_STOP) {
			t->ptrace->listening = true;
			thread_wake_state(&t->thread, THREAD_TRACED);
			r = 0;
		}
	}
	sighand_unlock(sh, flags);
	return r;
}

static long
tracee_peek(struct task *t, u64 addr, u64 data)
{
	struct mm *mm = task_get_mm(t);
	u64 word;
	ssize_t n = -EIO;

	if (mm) {
		n = mm_access_remote(mm, addr, &word, sizeof(word), false, true);
		mm_users_put(mm);
	}
	return n == sizeof(word) ? put_user(user_ptr_of(data), word) : -EIO;
}

static long
tracee_poke(struct task *t, u64 addr, u64 word)
{
	struct mm *mm = task_get_mm(t);
	ssize_t n = -EIO;

	if (mm) {
		n = mm_access_remote(mm, addr, &word, sizeof(word), true, true);
		mm_users_put(mm);
	}
	return n == sizeof(word) ? 0 : -EIO;
}

/* Copies a register set to or from user memory; *size is what the user has room for, and what was
 * copied. */
static long
tracee_regset(struct task *t, u32 type, user_ptr buf, u64 *size, bool set)
{
	size_t all = arch_regset_size(type);
	void *copy;
	long r;

	if (!all || all > REGSET_MAX)
		return -EINVAL;
	*size = MIN(*size, (u64)all);
	copy = kzalloc(all, GFP_KERNEL);
	if (!copy)
		return -ENOMEM;
	if (set) {
		r = copy_from_user(copy, buf, *size);
		if (r == 0)
			r = arch_regset_set(&t->thread, &t->thread.arch, tracee_regs(t), type, copy,
					    *size);
	} else {
		arch_regset_get(&t->thread.arch, tracee_regs(t), type, copy);
		r = copy_to_user(buf, copy, *size);
	}
	kfree(copy);
	return r;
}

static long
tracee_regset_iov(struct task *t, u32 type, user_ptr uiov, bool set)
{
	struct linux_iovec iov;
	u64 size;
	long r = copy_from_user(&iov, uiov, sizeof(iov));

	if (r)
		return r;
	size = iov.iov_len;
	r = tracee_regset(t, type, user_ptr_of(iov.iov_base), &size, set);
	return r ? r : put_user(user_ptr_add(uiov, offsetof(struct linux_iovec, iov_len)), size);
}

static long
tracee_siginfo(struct task *t, user_ptr data, bool set)
{
	struct linux_siginfo info;
	unsigned long flags;
	struct sighand *sh;
	long r = set ? copy_from_user(&info, data, sizeof(info)) : 0;

	if (r)
		return r;
	sh = sighand_lock(t->process, &flags);
	if (!t->ptrace)
		r = -ESRCH;
	else if (!t->ptrace->has_info && t->ptrace->stop_code >> 8 == PTRACE_EVENT_STOP &&
		 (t->ptrace->stop_code & 0x7f) != SIGTRAP)
		r = -EINVAL; /* a group stop: how debuggers tell it from a signal */
	else if (set)
		t->ptrace->info = info;
	else
		info = t->ptrace->info;
	sighand_unlock(sh, flags);
	if (r == 0 && !set)
		r = copy_to_user(data, &info, sizeof(info));
	return r;
}

static long
tracee_syscall_info(struct task *t, u64 size, user_ptr data)
{
	struct linux_ptrace_syscall_info info;
	struct regs *regs = tracee_regs(t);
	size_t actual = offsetof(struct linux_ptrace_syscall_info, entry);

	memset(&info, 0, sizeof(info));
	info.op = t->ptrace_syscall_op;
	info.arch = UAPI_AUDIT_ARCH;
	info.instruction_pointer = regs_ip(regs);
	info.stack_pointer = regs_sp(regs);
	if (info.op == PTRACE_SYSCALL_INFO_ENTRY) {
		info.entry.nr = (u64)regs_syscall_nr(regs);
		for (u32 i = 0; i < 6; i++)
			info.entry.args[i] = regs_arg(regs, i);
		actual = offsetof(struct linux_ptrace_syscall_info, entry) + sizeof(info.entry);
	} else if (info.op == PTRACE_SYSCALL_INFO_EXIT) {
		info.exit.rval = regs_ret(regs);
		info.exit.is_error = regs_ret(regs) < 0 && regs_ret(regs) >= -4095;
		actual = offsetof(struct linux_ptrace_syscall_info, exit) + 9;
	}
	long r = copy_to_user(data, &info, MIN(size, (u64)actual));
	return r ? r : (long)actual;
}

static long
tracee_sigmask(struct task *t, u64 size, user_ptr data, bool set)
{
	unsigned long flags;
	struct sighand *sh;
	u64 mask;
	long r;

	if (size != LINUX_SIGSET_SIZE)
		return -EINVAL;
	if (!set)
		return put_user(data, thread_flag_test(&t->thread, TF_RESTORE_MASK) ? t->saved_mask
										    : t->blocked);
	r = signal_mask_from_user(data, size, &mask);
	if (r)
		return r;
	sh = sighand_lock(t->process, &flags);
	t->blocked = mask;
	signal_recalc(t);
	sighand_unlock(sh, flags);
	return 0;
}

static long
tracee_user_area(struct task *t, long request, u64 addr, u64 data)
{
	u64 value;
	int r;

	if (request == PTRACE_POKEUSR)
		return arch_ptrace_poke_user(&t->thread, &t->thread.arch, tracee_regs(t), addr,
					     data);
	r = arch_ptrace_peek_user(&t->thread.arch, tracee_regs(t), addr, &value);
	return r ? r : put_user(user_ptr_of(data), value);
}

static long
tracee_message(struct task *t, user_ptr data)
{
	unsigned long flags;
	struct sighand *sh = sighand_lock(t->process, &flags);
	u64 message = t->ptrace ? t->ptrace->message : 0;

	sighand_unlock(sh, flags);
	return put_user(data, message);
}

static long
tracee_set_options(struct task *t, u32 options)
{
	unsigned long flags;
	struct sighand *sh = sighand_lock(t->process, &flags);

	if (t->ptrace)
		t->ptrace->options = options;
	sighand_unlock(sh, flags);
	return 0;
}

static long
tracee_kill(struct task *t)
{
	unsigned long flags;
	struct sighand *sh = sighand_lock(t->process, &flags);
	bool ours = t->ptrace && t->ptrace->tracer == current->process;

	sighand_unlock(sh, flags);
	return ours ? signal_send_task(t, SIGKILL, NULL) : -ESRCH;
}

static long
tracee_request(struct task *t, long request, u64 addr, u64 data)
{
	user_ptr udata = user_ptr_of(data);
	u64 size = UINT64_MAX;

	switch (request) {
	case PTRACE_PEEKTEXT:
	case PTRACE_PEEKDATA: return tracee_peek(t, addr, data);
	case PTRACE_POKETEXT:
	case PTRACE_POKEDATA: return tracee_poke(t, addr, data);
	case PTRACE_PEEKUSR:
	case PTRACE_POKEUSR: return tracee_user_area(t, request, addr, data);
	case PTRACE_GETREGS: return tracee_regset(t, NT_PRSTATUS, udata, &size, false);
	case PTRACE_SETREGS: return tracee_regset(t, NT_PRSTATUS, udata, &size, true);
	case PTRACE_GETFPREGS: return tracee_regset(t, NT_PRFPREG, udata, &size, false);
	case PTRACE_SETFPREGS: return tracee_regset(t, NT_PRFPREG, udata, &size, true);
	case PTRACE_GETREGSET: return tracee_regset_iov(t, (u32)addr, udata, false);
	case PTRACE_SETREGSET: return tracee_regset_iov(t, (u32)addr, udata, true);
	case PTRACE_GETSIGINFO: return tracee_siginfo(t, udata, false);
	case PTRACE_SETSIGINFO: return tracee_siginfo(t, udata, true);
	case PTRACE_GETSIGMASK: return tracee_sigmask(t, addr, udata, false);
	case PTRACE_SETSIGMASK: return tracee_sigmask(t, addr, udata, true);
	case PTRACE_GETEVENTMSG: return tracee_message(t, udata);
	case PTRACE_GET_SYSCALL_INFO: return tracee_syscall_info(t, addr, udata);
	case PTRACE_SETOPTIONS:
		if (data & ~(u64)PTRACE_O_MASK)
			return -EINVAL;
		return tracee_set_options(t, (u32)data);
	default: return -EIO;
	}
}

long
sys_ptrace(long request, int pid, unsigned long addr, unsigned long data)
{
	struct task *t;
	long r;

	if (request == PTRACE_TRACEME)
		return ptrace_traceme();
	t = task_find(pid);
	if (!t)
		return -ESRCH;
	switch (request) {
	case PTRACE_ATTACH: r = ptrace_attach(t, false, 0, 0); break;
	case PTRACE_SEIZE: r = ptrace_attach(t, true, addr, data); break;
	case PTRACE_INTERRUPT:
	case PTRACE_LISTEN: r = tracee_interrupt(t, request); break;
	case PTRACE_KILL: r = tracee_kill(t); break;
	case PTRACE_CONT:
	case PTRACE_SYSCALL:
	case PTRACE_SINGLESTEP:
	case PTRACE_DETACH:
		r = tracee_freeze(t);
		if (r == 0)
			r = tracee_let_go(t, request, data);
		break;
	default:
		r = tracee_freeze(t);
		if (r == 0) {
			r = tracee_request(t, request, addr, data);
			tracee_thaw(t);
		}
	}
	task_put(t);
	return r;
}
