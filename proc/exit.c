/* SPDX-License-Identifier: MIT */
/*
 * Death of threads and processes: _exit(2), exit_group(2), what happens to children, the notice to
 * the parent, reaping.
 *
 * A thread leaves in three steps.
 *
 *  1. exit_begin, under sighand->lock: it is marked exiting, so that it is chosen for no more
 * signals; signals of the group that it alone could take are handed to others; a group stop no
 * longer waits for it; process->nr_threads counts it out. Who counts to zero is the last one, and
 * does what is done once a process: timers, the session's terminal, the children of a pid
 * namespace.
 *  2. It gives up what it holds: address space, files, namespaces. This sleeps; the other threads
 * still run.
 *  3. exit_finish, under tasklist_lock: it leaves process->threads. When the list becomes empty,
 * the process is dead: children go to a new parent, groups that lost their link to the session are
 * told, and the parent is told or the process is reaped at once (SIGCHLD ignored). All of this is
 *     one step for whoever takes tasklist_lock: wait(2) sees either a living process or a zombie
 * whose children have moved.
 *
 * A leader that exits before its threads stays as the process's face (pid->task, process->leader)
 * until the process is reaped; other threads vanish in step 3.
 *
 * Against each other:
 *  - exit and exit: PROC_GROUP_EXIT is set once, its code wins (signal_start_group_exit).
 *  - exit and exec: exec marks the process (PROC_EXEC_IN_PROGRESS) and kills the other threads;
 * those that leave wake process->exec_task. A group exit that comes first makes exec give up, one
 * that comes later kills the thread that waits in exec. See exec.c.
 *  - exit and fork: fork links the child under both locks and refuses when a signal is pending;
 * group exit makes one pending for everybody.
 *  - exit and wait: both take tasklist_lock; a process is reaped by whoever takes it off its
 * parent's list.
 *
 * Locks: tasklist_lock, then sighand->lock of one process at a time.
 */
#include "core/panic.h"
#include "core/rcu.h"
#include "core/time.h"
#include "drivers/tty/tty.h"
#include "fs/vfs/file.h"
#include "fs/vfs/path.h"
#include "generated/syscalls.h"
#include "ipc/futex.h"
#include "ipc/sysv.h"
#include "lib/string.h"
#include "mm/mm.h"
#include "mm/user.h"
#include "proc_internal.h"
#include "sched/sched.h"
#include "task/nsset.h"
#include "task/task.h"
#include "task/timers.h"
#include "uapi/errno.h"
#include "uapi/ptrace.h"
#include "uapi/wait.h"

#define NS_PER_CLOCK_TICK (NSEC_PER_SEC / USER_HZ)

/* ---- telling the parent ---- */

int
process_wait_status(const struct process *p)
{
	return p->flags & PROC_GROUP_EXIT ? p->group_exit_code : p->leader->exit_code;
}

static void
sigchld_fill(struct linux_siginfo *info, struct process *p, struct process *to, int sig, int code,
	     int status)
{
	u64 utime = p->dead_utime_ns, stime = p->dead_stime_ns;
	const struct pid *parent = to->pid;

	memset(info, 0, sizeof(*info));
	info->si_signo = sig;
	info->si_code = code;
	info->chld.status = status;
	info->chld.pid = pid_nr(p->pid, parent->numbers[parent->level].ns);
	rcu_read_lock();
	info->chld.uid = rcu_dereference(p->leader->cred)->uid;
	rcu_read_unlock();
	info->chld.utime = (s64)(utime / NS_PER_CLOCK_TICK);
	info->chld.stime = (s64)(stime / NS_PER_CLOCK_TICK);
}

/* tasklist_lock held, p is a zombie. True: the parent does not want to wait for it. */
static bool
notify_exit(struct process *p, struct process *parent)
{
	int sig = p->leader->exit_signal, status = process_wait_status(p), code;
	bool autoreap = false;
	struct linux_siginfo info;

	/* A signal of its own choice was agreed on with the program that made it, not with another
	 * one, which may have more privileges. */
	if (sig != SIGCHLD && p->parent_execs != READ_ONCE(parent->execs))
		sig = SIGCHLD;
	if (status & 0x7f) {
		code = status & WAIT_STATUS_CORE ? CLD_DUMPED : CLD_KILLED;
		status &= 0x7f;
	} else {
		code = CLD_EXITED;
		status >>= 8;
	}
	if (sig == SIGCHLD) {
		spin_lock(&parent->sighand->lock);
		const struct sigaction_kernel *sa = &parent->sighand->action[SIGCHLD - 1];

		autoreap = sa->handler == SIG_IGN || (sa->flags & SA_NOCLDWAIT);
		if (sa->handler == SIG_IGN)
			sig = 0;
		spin_unlock(&parent->sighand->lock);
	}
	if (sig > 0 && sig <= SIGRTMAX) {
		sigchld_fill(&info, p, parent, sig, code, status);
		signal_send_process(parent, sig, &info);
	}
	if (wait_queue_active(&parent->child_wait))
		wake_up_all(&parent->child_wait);
	return autoreap;
}

static bool
notify_parent_exit(struct process *p)
{
	return notify_exit(p, p->parent);
}

/* The tracer hears of it first. */
static bool
traced_by_other(const struct process *p)
{
	return unlikely(p->leader->ptrace) && p->leader->ptrace->tracer != p->parent;
}

void
process_notify_stop(struct process *p, int why, int status)
{
	struct process *parent = p->parent;
	struct linux_siginfo info;

	if (!parent || !p->leader)
		return;
	spin_lock(&parent->sighand->lock);
	const struct sigaction_kernel *sa = &parent->sighand->action[SIGCHLD - 1];
	bool send = sa->handler != SIG_IGN && !(sa->flags & SA_NOCLDSTOP);
	spin_unlock(&parent->sighand->lock);
	if (send) {
		sigchld_fill(&info, p, parent, SIGCHLD, why, status);
		signal_send_process(parent, SIGCHLD, &info);
	}
	if (wait_queue_active(&parent->child_wait))
		wake_up_all(&parent->child_wait);
}

/* ---- reaping ---- */

struct task *
process_reap(struct process *p)
{
	struct task *leader = p->leader;
	struct pid *pid = p->pid;

	if (unlikely(leader->ptrace))
		(void)ptrace_unlink(leader);
	list_del_init(&p->sibling);
	process_leave_groups(p);
	p->parent = NULL;
	WRITE_ONCE(p->leader, NULL);
	WRITE_ONCE(pid->task, NULL);
	WRITE_ONCE(pid->process, NULL);
	pid_release_number(pid);
	return leader;
}

/* A thread left the tree, or its tracer's care: what it held there. */
void
task_reap_finish(struct task *t)
{
	user_count_processes(t->cred->user, -1, 0);
	task_put(t);
}

void
process_reap_finish(struct process *p, struct task *leader)
{
	task_reap_finish(leader);
	process_put(p);
}

/* Processes that die while tasklist_lock is held and that nobody waits for; linked by their sibling
 * node, empty by now. */
static void
reap_later(struct process *p, struct list *dead)
{
	struct task *leader = process_reap(p);

	p->leader = leader; /* for reap_list; nobody else finds p any more */
	list_add(&p->sibling, dead);
}

void
process_reap_list(struct list *dead)
{
	struct process *p, *next;

	list_for_each_entry_safe(p, next, dead, sibling)
	{
		struct task *leader = p->leader;

		list_del_init(&p->sibling);
		WRITE_ONCE(p->leader, NULL);
		process_reap_finish(p, leader);
	}
}

void
process_untraced(struct process *p, struct list *dead)
{
	if (notify_parent_exit(p))
		reap_later(p, dead);
}

/* ---- orphaned groups: setpgid(2), credentials(7) ---- */

static bool
pgrp_has_stopped(struct pid *pgrp)
{
	struct process *p;

	list_for_each_entry(p, &pgrp->pgrp_members, pgrp_node)
	{
		if (READ_ONCE(p->flags) & PROC_STOPPED)
			return true;
	}
	return false;
}

/*
 * p's link from its group to `parent` in another group of the session is going away (`ignore`:
 * because p itself is). If it was the last and somebody is stopped there, nobody could continue
 * them: SIGHUP and SIGCONT.
 */
static void
pgrp_lost_parent(struct process *p, struct process *parent, struct process *ignore)
{
	struct pid *pgrp = p->pgrp;
	struct process *member;

	if (!parent || parent->pgrp == pgrp || parent->session != p->session ||
	    !pgrp_has_stopped(pgrp) || !pgrp_is_orphaned(pgrp, ignore))
		return;
	list_for_each_entry(member, &pgrp->pgrp_members, pgrp_node)
	{
		signal_send_process(member, SIGHUP, NULL);
		signal_send_process(member, SIGCONT, NULL);
	}
}

/* ---- children ---- */

/* prctl(2) PR_SET_CHILD_SUBREAPER, pid_namespaces(7): the nearest subreaper above in the namespace,
 * else its init. */
static struct process *
reaper_of(struct process *p)
{
	struct pid_ns *ns = p->pid->numbers[p->pid->level].ns;
	struct process *up;

	for (up = p->parent; up && up != ns->reaper && up->pid->level == p->pid->level;
	     up = up->parent) {
		if ((READ_ONCE(up->flags) & PROC_SUBREAPER) && READ_ONCE(up->nr_threads))
			return up;
	}
	while (ns->parent && (!ns->reaper || ns->reaper == p))
		ns = ns->parent;
	return ns->reaper;
}

static void
send_pdeath_signals(struct process *child)
{
	struct linux_siginfo info;
	struct task *t;

	/* Under tasklist_lock alone: threads are linked and unlinked under it too. */
	list_for_each_entry(t, &child->threads, thread_node)
	{
		int sig = READ_ONCE(t->pdeath_signal);

		if (sig) {
			siginfo_from_current(&info, sig, SI_USER);
			signal_send_process(child, sig, &info);
		}
	}
}

/* p is dead: its children get another parent. Zombies among them that nobody wants go to `dead`. */
static void
children_leave(struct process *p, struct list *dead)
{
	struct process *reaper, *child, *next;

	if (list_empty(&p->children))
		return;
	reaper = reaper_of(p);
	list_for_each_entry_safe(child, next, &p->children, sibling)
	{
		send_pdeath_signals(child);
		child->parent = reaper;
		child->creator = list_first_entry_or_null(&reaper->threads, struct task,
							  thread_node);
		child->leader->exit_signal = SIGCHLD;
		list_move_tail(&child->sibling, &reaper->children);
		if ((child->flags & PROC_ZOMBIE) && !traced_by_other(child) &&
		    notify_parent_exit(child))
			reap_later(child, dead);
		else
			pgrp_lost_parent(child, p, NULL);
	}
}

/* A thread that made children leaves others behind: these are the children's parent now. */
static void
children_change_creator(struct task *t)
{
	struct process *p = t->process, *child;
	struct task *heir = list_first_entry(&p->threads, struct task, thread_node);

	list_for_each_entry(child, &p->children, sibling)
	{
		if (child->creator != t)
			continue;
		child->creator = heir;
		send_pdeath_signals(child);
	}
	heir->has_children = true;
}

/* ---- pid namespaces: init takes everybody with it ---- */

static bool
process_has_children(struct process *p)
{
	unsigned long flags = spin_lock_irqsave(&tasklist_lock);
	bool has = !list_empty(&p->children);

	spin_unlock_irqrestore(&tasklist_lock, flags);
	return has;
}

static void
reap_zombie_children(struct process *p)
{
	struct process *child, *next;
	struct list dead = LIST_INIT(dead);
	unsigned long flags = spin_lock_irqsave(&tasklist_lock);

	list_for_each_entry_safe(child, next, &p->children, sibling)
	{
		if (child->flags & PROC_ZOMBIE)
			reap_later(child, &dead);
	}
	spin_unlock_irqrestore(&tasklist_lock, flags);
	process_reap_list(&dead);
}

static bool
children_all_reaped(struct process *p)
{
	reap_zombie_children(p);
	return !process_has_children(p);
}

/*
 * The init of a pid namespace is dying: no more births there, everybody else is killed, and init
 * waits until they are gone. Those whose parent is in the namespace are reparented to us as they
 * die; those whose parent is outside (setns) are that parent's to reap.
 */
static void
pid_ns_kill(struct process *p, struct pid_ns *ns)
{
	unsigned long flags = spin_lock_irqsave(&ns->lock);

	ns->dying = true;
	spin_unlock_irqrestore(&ns->lock, flags);

	rcu_read_lock();
	u64 index = 1;
	for (struct pid *pid = xa_find(&ns->ids, &index, XA_MAX, XA_ANY); pid;
	     pid = xa_find_after(&ns->ids, &index, XA_MAX, XA_ANY)) {
		struct process *victim = READ_ONCE(pid->process);

		if (victim && victim != p)
			signal_send_process(victim, SIGKILL, NULL);
	}
	rcu_read_unlock();

	/* Not interruptible: our own SIGKILL is pending, and we cannot leave before them. */
	wait_event(&p->child_wait, children_all_reaped(p));
}

/* ---- the thread's own things ---- */

static void
vfork_release(struct task *t)
{
	if (likely(!READ_ONCE(t->vfork_done)))
		return;
	unsigned long flags = spin_lock_irqsave(&t->lock);
	struct completion *done = t->vfork_done;

	t->vfork_done = NULL;
	if (done)
		complete(done); /* it lies on the parent's stack: the lock keeps the parent there */
	spin_unlock_irqrestore(&t->lock, flags);
}

void
task_leave_mm(struct task *t, bool exiting)
{
	struct mm *mm = t->thread.mm;
	user_ptr tid = t->clear_child_tid;

	if (mm) {
		if (exiting)
			futex_exit();
		else
			futex_exec();
		/* pthread_join waits for it, so only if somebody else is left in this memory. */
		if (tid.addr && atomic_read(&mm->users) > 1 && put_user(tid, 0u) == 0)
			(void)futex_wake_user(tid, 1);
	}
	t->clear_child_tid = (user_ptr){ 0 };
	vfork_release(t);
}

static void
exit_mm(struct task *t)
{
	task_leave_mm(t, true);

	unsigned long flags = spin_lock_irqsave(&t->lock);
	struct mm *mm = mm_switch_current(NULL);
	spin_unlock_irqrestore(&t->lock, flags);
	if (mm)
		mm_users_put(mm);
}

static void
exit_files(struct task *t)
{
	unsigned long flags = spin_lock_irqsave(&t->lock);
	struct fd_table *files = t->files;
	struct fs_context *fs = t->fs;

	t->files = NULL;
	t->fs = NULL;
	spin_unlock_irqrestore(&t->lock, flags);
	if (files)
		fd_table_put(files);
	/* What closing left to be done later. */
	task_work_run(true);
	if (fs)
		fs_context_put(fs);
}

static void
exit_namespaces(struct task *t)
{
	unsigned long flags = spin_lock_irqsave(&t->lock);
	struct nsset *ns = t->ns;

	t->ns = NULL;
	spin_unlock_irqrestore(&t->lock, flags);
	if (ns)
		nsset_put(ns);
}

/* ---- the steps ---- */

static bool
exit_begin(struct task *t)
{
	struct process *p = t->process;
	struct mm *mm = t->thread.mm;
	bool stopped = false;
	unsigned long flags;
	struct sighand *sh = sighand_lock(p, &flags);

	t->exiting = true;
	if (p->nr_threads > 1)
		signal_retarget(t, ~t->blocked);
	if (t->must_stop)
		stopped = signal_stop_participate(t);
	bool last = --p->nr_threads == 0;
	if (mm) {
		u64 rss = (u64)(atomic64_read(&mm->rss_anon) + atomic64_read(&mm->rss_file) +
				atomic64_read(&mm->rss_shmem));

		p->maxrss = MAX(p->maxrss, MAX(rss, (u64)atomic64_read(&mm->hiwater_rss)));
	}
	int stop_signal = p->stop_signal;
	sighand_unlock(sh, flags);

	if (stopped) {
		flags = spin_lock_irqsave(&tasklist_lock);
		process_notify_stop(p, CLD_STOPPED, stop_signal);
		spin_unlock_irqrestore(&tasklist_lock, flags);
	}
	return last;
}

/* sighand->lock held. */
static void
account_dead_thread(struct process *p, struct task *t)
{
	u64 utime, stime;

	sched_thread_times(&t->thread, &utime, &stime);
	p->dead_utime_ns += utime;
	p->dead_stime_ns += stime;
	p->dead_runtime_ns += sched_thread_runtime_ns(&t->thread);
	p->dead_min_flt += t->thread.min_flt;
	p->dead_maj_flt += t->thread.maj_flt;
	p->dead_nvcsw += t->thread.nvcsw;
	p->dead_nivcsw += t->thread.nivcsw;
}

/* tasklist_lock held, no thread is left. */
static void
process_die(struct process *p, struct list *threads, struct list *dead)
{
	struct pid_ns *ns = p->pid->numbers[p->pid->level].ns;

	if (unlikely(!list_empty(&p->tracees)))
		ptrace_tracer_died(p, threads, dead);
	children_leave(p, dead);
	if (ns->reaper == p)
		ns->reaper = NULL;
	pgrp_lost_parent(p, p->parent, p);
	if (wait_queue_active(&p->pidfd_wait))
		wake_up_all(&p->pidfd_wait);
	if (wait_queue_active(&p->pid->pidfd_wait))
		wake_up_all(&p->pid->pidfd_wait);
	if (traced_by_other(p))
		(void)notify_exit(p, p->leader->ptrace->tracer);
	else if (notify_parent_exit(p))
		reap_later(p, dead);
}

static void
exit_finish(struct task *t)
{
	struct process *p = t->process;
	struct list dead = LIST_INIT(dead), threads = LIST_INIT(threads);
	bool gone = false;
	unsigned long flags = spin_lock_irqsave(&tasklist_lock);

	spin_lock(&p->sighand->lock);
	account_dead_thread(p, t);
	cpu_timers_exit_locked(t);
	signal_flush(&t->pending);
	list_del_init(&t->thread_node);
	bool empty = list_empty(&p->threads);
	if (empty)
		p->flags |= PROC_ZOMBIE;
	if (p->exec_task)
		thread_wake(&p->exec_task->thread);
	spin_unlock(&p->sighand->lock);

	if (t != p->leader) {
		if (unlikely(t->ptrace)) {
			ptrace_thread_died(t);
		} else {
			WRITE_ONCE(t->pid->task, NULL);
			pid_release_number(t->pid);
			gone = true;
		}
	}
	if (empty)
		process_die(p, &threads, &dead);
	else if (t->has_children)
		children_change_creator(t);
	spin_unlock_irqrestore(&tasklist_lock, flags);

	process_reap_list(&dead);
	while (!list_empty(&threads)) {
		struct task *dead_thread = list_first_entry(&threads, struct task, thread_node);

		list_del_init(&dead_thread->thread_node);
		task_reap_finish(dead_thread);
	}
	atomic_dec(&task_count);
	if (gone)
		task_reap_finish(t);
}

static void
exit_last(struct process *p, int code)
{
	struct pid_number *inner = &p->pid->numbers[p->pid->level];

	if (p == init_process)
		panic("Attempted to kill init! exitcode=0x%08x",
		      (u32)(p->flags & PROC_GROUP_EXIT ? p->group_exit_code : code));
	process_timers_exit(p);
	if (p->session == p->pid)
		tty_session_exit(p);
	if (inner->nr == 1)
		pid_ns_kill(p, inner->ns);
}

void
task_exit(int code)
{
	struct task *t = current;
	bool last;

	if (unlikely(t->ptrace))
		ptrace_event(PTRACE_EVENT_EXIT, (u64)code);
	last = exit_begin(t);
	t->exit_code = code;
	if (last)
		exit_last(t->process, code);
	exit_mm(t);
	exit_files(t);
	sem_exit(t);
	exit_namespaces(t);
	seccomp_exit(t);
	exit_finish(t);
	thread_exit();
}

void
process_exit(int code)
{
	struct process *p = current->process;
	unsigned long flags;
	struct sighand *sh = sighand_lock(p, &flags);

	if (p->flags & PROC_GROUP_EXIT)
		code = p->group_exit_code;
	else if ((p->flags & PROC_EXEC_IN_PROGRESS) && p->exec_task != current)
		code = 0; /* only this thread leaves: the process goes on as another program */
	else
		signal_start_group_exit(p, code);
	sighand_unlock(sh, flags);
	task_exit(code);
}

/* ---- system calls ---- */

long
sys_exit(int status)
{
	task_exit(WAIT_STATUS_EXITED(status));
}

long
sys_exit_group(int status)
{
	process_exit(WAIT_STATUS_EXITED(status));
}

long
sys_set_tid_address(user_ptr tid)
{
	current->clear_child_tid = tid;
	return task_tid(current);
}
