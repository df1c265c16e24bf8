/* SPDX-License-Identifier: MIT */
/*
 * The system calls that send signals: kill(2), tkill(2), tgkill(2), rt_sigqueueinfo(2),
 * rt_tgsigqueueinfo(2), pidfd's sender is event/pidfd.c.
 *
 * Permission: the sender's real or effective uid equals the target's real or saved uid, or
 * CAP_KILL, or SIGCONT within a session.
 */
#include "core/rcu.h"
#include "generated/syscalls.h"
#include "lib/string.h"
#include "mm/user.h"
#include "task/signal.h"
#include "task/task.h"
#include "uapi/errno.h"

int
signal_may_send(struct task *t, int sig)
{
	const struct cred *me = current_cred();
	int r = -EPERM;

	if (t->process == current->process)
		return 0;
	rcu_read_lock();
	const struct cred *they = rcu_dereference(t->cred);
	if (me->euid == they->suid || me->euid == they->uid || me->uid == they->suid ||
	    me->uid == they->uid || cred_ns_capable(me, they->user_ns, CAP_KILL))
		r = 0;
	else if (sig == SIGCONT &&
		 READ_ONCE(t->process->session) == READ_ONCE(current->process->session))
		r = 0;
	rcu_read_unlock();
	return r;
}

void
siginfo_from_current(struct linux_siginfo *info, int sig, int code)
{
	memset(info, 0, sizeof(*info));
	info->si_signo = sig;
	info->si_code = code;
	info->kill.pid = current_pid();
	info->kill.uid = current_cred()->uid;
}

static bool
signal_valid(int sig)
{
	return sig >= 0 && sig <= SIGRTMAX;
}

/* A process, found through its leader; permission is asked of the leader as Linux does. */
static int
kill_process(struct process *p, int sig, const struct linux_siginfo *info)
{
	rcu_read_lock();
	struct task *leader = READ_ONCE(p->leader);
	int r = leader ? signal_may_send(leader, sig) : 0;
	rcu_read_unlock();

	if (r == 0 && sig)
		r = signal_send_process(p, sig, info);
	return r;
}

static int
kill_pgrp(struct pid *pgrp, int sig, const struct linux_siginfo *info)
{
	struct process *p;
	bool any = false;
	int last = -ESRCH;
	unsigned long flags = spin_lock_irqsave(&tasklist_lock);

	list_for_each_entry(p, &pgrp->pgrp_members, pgrp_node)
	{
		last = kill_process(p, sig, info);
		any |= last == 0;
	}
	spin_unlock_irqrestore(&tasklist_lock, flags);
	return any ? 0 : last;
}

/* kill(-1): everyone but init and ourselves. */
static int
kill_everyone(int sig, const struct linux_siginfo *info)
{
	int r = -ESRCH, nr = 2;
	struct process *p;

	for (; (p = process_next(&nr)) != NULL; nr++) {
		if (p != current->process && p != init_process) {
			int one = kill_process(p, sig, info);

			if (one != -EPERM)
				r = one;
			else if (r == -ESRCH)
				r = -EPERM;
		}
		process_put(p);
	}
	return r;
}

long
sys_kill(int pid, int sig)
{
	struct linux_siginfo info;
	int r;

	if (!signal_valid(sig))
		return -EINVAL;
	siginfo_from_current(&info, sig, SI_USER);
	if (pid > 0) {
		/* A thread's id stands for its process here. */
		struct task *t = task_find(pid);

		if (!t) {
			struct process *p = process_find(pid);
			if (!p)
				return -ESRCH;
			r = kill_process(p, sig, &info);
			process_put(p);
			return r;
		}
		r = kill_process(t->process, sig, &info);
		task_put(t);
		return r;
	}
	if (pid == -1)
		return kill_everyone(sig, &info);
	if (pid == INT32_MIN)
		return -ESRCH;

	struct pid *pgrp;
	if (pid == 0) {
		unsigned long flags = spin_lock_irqsave(&tasklist_lock);
		pgrp = current->process->pgrp;
		pid_get(pgrp);
		spin_unlock_irqrestore(&tasklist_lock, flags);
	} else {
		pgrp = pid_find(current_pid_ns(), -pid);
	}
	if (!pgrp)
		return -ESRCH;
	r = kill_pgrp(pgrp, sig, &info);
	pid_put(pgrp);
	return r;
}

static long
send_to_thread(int tgid, int tid, int sig, const struct linux_siginfo *info)
{
	struct task *t = task_find(tid);
	int r;

	if (!t)
		return -ESRCH;
	if (tgid > 0 && process_pid(t->process) != tgid) {
		task_put(t);
		return -ESRCH;
	}
	r = signal_may_send(t, sig);
	if (r == 0 && sig)
		r = signal_send_task(t, sig, info);
	task_put(t);
	return r;
}

long
sys_tgkill(int tgid, int tid, int sig)
{
	struct linux_siginfo info;

	if (tgid <= 0 || tid <= 0 || !signal_valid(sig))
		return -EINVAL;
	siginfo_from_current(&info, sig, SI_TKILL);
	return send_to_thread(tgid, tid, sig, &info);
}

long
sys_tkill(int tid, int sig)
{
	struct linux_siginfo info;

	if (tid <= 0 || !signal_valid(sig))
		return -EINVAL;
	siginfo_from_current(&info, sig, SI_TKILL);
	return send_to_thread(0, tid, sig, &info);
}

/* Only the kernel and a process to itself may claim to be kill(2), tkill(2) or the kernel. */
static int
siginfo_from_user(user_ptr uinfo, int sig, int pid, struct linux_siginfo *info)
{
	int r = copy_from_user(info, uinfo, sizeof(*info));

	if (r)
		return r;
	info->si_signo = sig;
	if ((info->si_code >= 0 || info->si_code == SI_TKILL) && pid != current_pid())
		return -EPERM;
	return 0;
}

long
sys_rt_sigqueueinfo(int pid, int sig, user_ptr uinfo)
{
	struct linux_siginfo info;
	int r = siginfo_from_user(uinfo, sig, pid, &info);

	if (r)
		return r;
	if (!signal_valid(sig))
		return -EINVAL;
	struct process *p = process_find(pid);
	if (!p)
		return -ESRCH;
	r = kill_process(p, sig, &info);
	process_put(p);
	return r;
}

long
sys_rt_tgsigqueueinfo(int tgid, int tid, int sig, user_ptr uinfo)
{
	struct linux_siginfo info;

	if (tgid <= 0 || tid <= 0)
		return -EINVAL;
	int r = siginfo_from_user(uinfo, sig, tgid, &info);
	if (r)
		return r;
	if (!signal_valid(sig))
		return -EINVAL;
	return send_to_thread(tgid, tid, sig, &info);
}
