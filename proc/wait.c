/* SPDX-License-Identifier: MIT */
/*
 * Waiting for children: wait4(2), waitid(2).
 *
 * A caller queues itself on its process's child_wait, then looks at the children under
 * tasklist_lock, then sleeps: what a child reports is published under the same lock before the
 * queue is woken, so nothing is missed. A child reports one of three things: that it died
 * (PROC_ZOMBIE), that it stopped (PROC_STOP_REPORT), that it was continued (PROC_CONTINUED).
 * Reports are consumed by the wait that returns them, unless WNOWAIT.
 *
 * A zombie is reaped by whoever takes it off the list of children, in the same hold of the lock
 * that found it; copying the result out comes after, so a bad pointer loses the child, as on Linux.
 *
 * A child is the child of a process; __WNOTHREAD restricts the search to those that the calling
 * thread made (or inherited).
 */
#include "uapi/wait.h"
#include "event/pidfd.h"
#include "fs/vfs/file.h"
#include "generated/syscalls.h"
#include "lib/string.h"
#include "mm/user.h"
#include "proc_internal.h"
#include "task/task.h"
#include "uapi/errno.h"
#include "uapi/fcntl.h"
#include "uapi/resource.h"

struct wait_request {
	int kind;	 /* P_ALL, P_PID, P_PGID */
	struct pid *pid; /* referenced, for the latter two; NULL: no such number */
	u32 options;

	/* result */
	int nr; /* 0: none */
	u32 uid;
	int code, status; /* as in siginfo */
	int wait_status;  /* as in wait4's word */
	bool want_rusage;
	struct linux_rusage rusage;
};

enum wait_look { WAIT_NO_CHILD, WAIT_NOTHING_YET, WAIT_FOUND };

/* What a locked look takes out of the lock. */
struct wait_reaped {
	struct process *process;
	struct task *leader;
	struct task *thread;  /* a dead tracee */
	struct list unwanted; /* processes whose parent does not wait for them */
};

static bool
wait_eligible(const struct process *child, const struct wait_request *rq)
{
	if ((rq->options & __WNOTHREAD) && child->creator != current)
		return false;
	if (rq->kind == P_PGID && child->pgrp != rq->pid)
		return false;
	if (rq->options & __WALL)
		return true;
	/* "Clone" children are those that do not announce themselves by SIGCHLD. */
	return (child->leader->exit_signal != SIGCHLD) == !!(rq->options & __WCLONE);
}

static void
wait_fill(struct wait_request *rq, struct process *child, int code, int status, int wait_status)
{
	rq->nr = process_pid(child);
	rq->uid = child->leader->cred->uid;
	rq->code = code;
	rq->status = status;
	rq->wait_status = wait_status;
}

/* tasklist_lock held: usage of a dead child and of its own children becomes ours. */
static void
wait_account(struct process *child)
{
	struct process *me = current->process;

	spin_lock(&me->sighand->lock);
	me->child_utime_ns += child->dead_utime_ns + child->child_utime_ns;
	me->child_stime_ns += child->dead_stime_ns + child->child_stime_ns;
	me->child_min_flt += child->dead_min_flt + child->child_min_flt;
	me->child_maj_flt += child->dead_maj_flt + child->child_maj_flt;
	me->child_nvcsw += child->dead_nvcsw + child->child_nvcsw;
	me->child_nivcsw += child->dead_nivcsw + child->child_nivcsw;
	me->child_maxrss = MAX(me->child_maxrss, MAX(child->maxrss, child->child_maxrss));
	spin_unlock(&me->sighand->lock);
}

/* RUSAGE_BOTH: itself and the children it waited for. tasklist_lock held. */
static void
wait_usage(struct wait_request *rq, struct process *child)
{
	struct linux_rusage own, waited;

	if (!rq->want_rusage)
		return;
	process_rusage(child, RUSAGE_SELF, &own);
	process_rusage(child, RUSAGE_CHILDREN, &waited);
	own.ru_utime.tv_sec += waited.ru_utime.tv_sec;
	own.ru_utime.tv_usec += waited.ru_utime.tv_usec;
	own.ru_stime.tv_sec += waited.ru_stime.tv_sec;
	own.ru_stime.tv_usec += waited.ru_stime.tv_usec;
	if (own.ru_utime.tv_usec >= 1000000) {
		own.ru_utime.tv_sec++;
		own.ru_utime.tv_usec -= 1000000;
	}
	if (own.ru_stime.tv_usec >= 1000000) {
		own.ru_stime.tv_sec++;
		own.ru_stime.tv_usec -= 1000000;
	}
	own.ru_minflt += waited.ru_minflt;
	own.ru_majflt += waited.ru_majflt;
	own.ru_nvcsw += waited.ru_nvcsw;
	own.ru_nivcsw += waited.ru_nivcsw;
	own.ru_maxrss = MAX(own.ru_maxrss, waited.ru_maxrss);
	rq->rusage = own;
}

static bool
traced_by_us(const struct task *t)
{
	return unlikely(t->ptrace) && t->ptrace->tracer == current->process;
}

/* The cause of an end, as siginfo and wait4 tell it. */
static void
wait_fill_exit(struct wait_request *rq, int status)
{
	rq->wait_status = status;
	if (status & 0x7f) {
		rq->code = status & WAIT_STATUS_CORE ? CLD_DUMPED : CLD_KILLED;
		rq->status = status & 0x7f;
	} else {
		rq->code = CLD_EXITED;
		rq->status = (status >> 8) & 0xff;
	}
}

static void
wait_take_zombie(struct wait_request *rq, struct process *child, struct wait_reaped *reaped)
{
	rq->nr = process_pid(child);
	rq->uid = child->leader->cred->uid;
	wait_fill_exit(rq, process_wait_status(child));
	wait_usage(rq, child);
	if (rq->options & WNOWAIT)
		return;
	wait_account(child);
	reaped->process = child;
	reaped->leader = process_reap(child);
}

static bool
wait_take_change(struct wait_request *rq, struct process *child)
{
	bool keep = rq->options & WNOWAIT;
	u32 taken = 0;

	spin_lock(&child->sighand->lock);
	if ((rq->options & WSTOPPED) && (child->flags & PROC_STOP_REPORT) &&
	    !traced_by_us(child->leader)) {
		taken = PROC_STOP_REPORT;
		wait_fill(rq, child, CLD_STOPPED, child->stop_signal,
			  WAIT_STATUS_STOPPED(child->stop_signal));
	} else if ((rq->options & WCONTINUED) && (child->flags & PROC_CONTINUED)) {
		taken = PROC_CONTINUED;
		wait_fill(rq, child, CLD_CONTINUED, SIGCONT, WAIT_STATUS_CONTINUED);
	}
	if (taken && !keep)
		child->flags &= ~taken;
	spin_unlock(&child->sighand->lock);
	if (taken)
		wait_usage(rq, child);
	return taken;
}

/* tasklist_lock held. */
static enum wait_look
wait_look_at(struct wait_request *rq, struct process *child, struct wait_reaped *reaped)
{
	if (!wait_eligible(child, rq))
		return WAIT_NO_CHILD;
	if (child->flags & PROC_ZOMBIE) {
		if (child->leader->ptrace && !traced_by_us(child->leader))
			return WAIT_NOTHING_YET; /* its tracer comes first */
		if (!(rq->options & WEXITED))
			return WAIT_NO_CHILD; /* it will never stop or continue */
		wait_take_zombie(rq, child, reaped);
		return WAIT_FOUND;
	}
	return (rq->options & (WSTOPPED | WCONTINUED)) && wait_take_change(rq, child)
		       ? WAIT_FOUND
		       : WAIT_NOTHING_YET;
}

/* tasklist_lock held. A tracee stopped, or died as a thread, or as the process of another parent.
 */
static enum wait_look
wait_look_at_tracee(struct wait_request *rq, struct task *t, struct wait_reaped *reaped)
{
	struct process *p = t->process;
	bool keep = rq->options & WNOWAIT, ended, found = false;

	if (rq->kind == P_PID ? t->pid != rq->pid : rq->kind == P_PGID && p->pgrp != rq->pid)
		return WAIT_NO_CHILD;
	ended = t->ptrace->dead ||
		(t == p->leader && (p->flags & PROC_ZOMBIE) && p->parent != current->process);
	if (ended) {
		if (!(rq->options & WEXITED))
			return WAIT_NO_CHILD;
		rq->nr = task_tid(t);
		rq->uid = t->cred->uid;
		wait_fill_exit(rq, t->ptrace->dead ? t->exit_code : process_wait_status(p));
		wait_usage(rq, p);
		if (keep)
			return WAIT_FOUND;
		if (ptrace_unlink(t))
			reaped->thread = t;
		else
			process_untraced(p, &reaped->unwanted);
		return WAIT_FOUND;
	}
	spin_lock(&p->sighand->lock);
	if (t->ptrace->report) {
		int code = t->ptrace->stop_code;

		found = true;
		t->ptrace->report = keep;
		rq->nr = task_tid(t);
		rq->uid = t->cred->uid;
		rq->code = CLD_TRAPPED;
		rq->status = code;
		rq->wait_status = code << 8 | 0x7f;
	}
	spin_unlock(&p->sighand->lock);
	if (found)
		wait_usage(rq, p);
	return found ? WAIT_FOUND : WAIT_NOTHING_YET;
}

static enum wait_look
wait_look_at_tracees(struct wait_request *rq, struct wait_reaped *reaped)
{
	enum wait_look result = WAIT_NO_CHILD;
	struct task *t;

	list_for_each_entry(t, &current->process->tracees, ptraced_node)
	{
		enum wait_look one = wait_look_at_tracee(rq, t, reaped);

		if (one != WAIT_NO_CHILD)
			result = one;
		if (one == WAIT_FOUND)
			break;
	}
	return result;
}

static enum wait_look
wait_look(struct wait_request *rq)
{
	struct process *me = current->process, *child;
	struct wait_reaped reaped = { .unwanted = LIST_INIT(reaped.unwanted) };
	enum wait_look result = WAIT_NO_CHILD;

	spin_lock_irq(&tasklist_lock);
	if (rq->kind == P_PID) {
		child = rq->pid ? rq->pid->process : NULL;
		if (child && child->parent == me)
			result = wait_look_at(rq, child, &reaped);
	} else {
		list_for_each_entry(child, &me->children, sibling)
		{
			enum wait_look one = wait_look_at(rq, child, &reaped);

			if (one != WAIT_NO_CHILD)
				result = one;
			if (one == WAIT_FOUND)
				break;
		}
	}
	if (unlikely(!list_empty(&me->tracees)) && result != WAIT_FOUND) {
		enum wait_look traced = wait_look_at_tracees(rq, &reaped);

		if (traced != WAIT_NO_CHILD)
			result = traced;
	}
	spin_unlock_irq(&tasklist_lock);
	if (reaped.process)
		process_reap_finish(reaped.process, reaped.leader);
	if (reaped.thread)
		task_reap_finish(reaped.thread);
	process_reap_list(&reaped.unwanted);
	return result;
}

/* 0: rq has a result, or nr is 0 (WNOHANG). */
static int
wait_run(struct wait_request *rq)
{
	struct wait_queue *wq = &current->process->child_wait;
	enum wait_look look = wait_look(rq);
	struct wait_entry we;
	int r = 0;

	if (look == WAIT_NOTHING_YET && !(rq->options & WNOHANG)) {
		wait_entry_init(&we, 0);
		for (;;) {
			r = wait_prepare(wq, &we, THREAD_INTERRUPTIBLE);
			look = wait_look(rq);
			if (look != WAIT_NOTHING_YET || r)
				break;
			schedule();
		}
		wait_finish(wq, &we);
		if (look == WAIT_NOTHING_YET)
			return r;
	}
	return look == WAIT_NO_CHILD ? -ECHILD : 0;
}

static struct pid *
current_pgrp_find(void)
{
	spin_lock_irq(&tasklist_lock);
	struct pid *pgrp = current->process->pgrp;
	pid_get(pgrp);
	spin_unlock_irq(&tasklist_lock);
	return pgrp;
}

long
sys_wait4(int pid, user_ptr status, int options, user_ptr usage)
{
	struct wait_request rq = { .kind = P_ALL,
				   .options = (u32)options | WEXITED,
				   .want_rusage = !user_ptr_null(usage) };
	int r;

	if ((u32)options & ~(WNOHANG | WUNTRACED | WCONTINUED | __WNOTHREAD | __WCLONE | __WALL))
		return -EINVAL;
	if (pid == INT32_MIN)
		return -ESRCH;
	if (pid > 0) {
		rq.kind = P_PID;
		rq.pid = pid_find(current_pid_ns(), pid);
	} else if (pid != -1) {
		rq.kind = P_PGID;
		rq.pid = pid ? pid_find(current_pid_ns(), -pid) : current_pgrp_find();
	}
	r = wait_run(&rq);
	pid_put(rq.pid);
	if (r)
		return r;
	if (rq.nr) {
		if (!user_ptr_null(status))
			r = put_user(status, rq.wait_status);
		if (r == 0 && rq.want_rusage)
			r = copy_to_user(usage, &rq.rusage, sizeof(rq.rusage));
	}
	return r ? r : rq.nr;
}

/* waitid(2) writes the six words that it knows and leaves the rest of the structure alone. */
static int
wait_siginfo_write(user_ptr info, const struct wait_request *rq)
{
	s32 head[3] = { rq->nr ? SIGCHLD : 0, 0, rq->nr ? rq->code : 0 };
	s32 body[3] = { rq->nr, (s32)rq->uid, rq->nr ? rq->status : 0 };
	int r = copy_to_user(info, head, sizeof(head));

	return r ? r
		 : copy_to_user(user_ptr_add(info, offsetof(struct linux_siginfo, chld)), body,
				sizeof(body));
}

static int
wait_pidfd(int fd, struct wait_request *rq)
{
	struct fd_ref ref = fd_lookup(fd);
	int r = -EBADF;

	if (ref.file) {
		rq->pid = pidfd_pid(ref.file);
		if (rq->pid) {
			pid_get(rq->pid);
			rq->kind = P_PID;
			r = ref.file->flags & O_NONBLOCK ? 1 : 0;
		}
	}
	if (ref.file)
		fd_release(ref);
	return r;
}

long
sys_waitid(int which, int id, user_ptr info, int options, user_ptr usage)
{
	struct wait_request rq = { .kind = which,
				   .options = (u32)options,
				   .want_rusage = !user_ptr_null(usage) };
	bool nonblocking = false;
	int r;

	if ((u32)options & ~(WNOHANG | WNOWAIT | WEXITED | WSTOPPED | WCONTINUED | __WNOTHREAD |
			     __WCLONE | __WALL))
		return -EINVAL;
	if (!(options & (WEXITED | WSTOPPED | WCONTINUED)))
		return -EINVAL;
	switch (which) {
	case P_ALL: break;
	case P_PID:
		if (id <= 0)
			return -EINVAL;
		rq.pid = pid_find(current_pid_ns(), id);
		break;
	case P_PGID:
		if (id < 0)
			return -EINVAL;
		rq.pid = id ? pid_find(current_pid_ns(), id) : current_pgrp_find();
		break;
	case P_PIDFD:
		if (id < 0)
			return -EINVAL;
		r = wait_pidfd(id, &rq);
		if (r < 0)
			return r;
		if (r && !(options & WNOHANG)) {
			nonblocking = true;
			rq.options |= WNOHANG;
		}
		break;
	default: return -EINVAL;
	}
	r = wait_run(&rq);
	pid_put(rq.pid);
	if (r)
		return r;
	if (!rq.nr && nonblocking)
		return -EAGAIN;
	if (rq.nr && rq.want_rusage)
		r = copy_to_user(usage, &rq.rusage, sizeof(rq.rusage));
	if (r == 0 && !user_ptr_null(info))
		r = wait_siginfo_write(info, &rq);
	return r;
}
