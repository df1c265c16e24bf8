/* SPDX-License-Identifier: MIT */
/*
 * Birth of tasks: fork(2), vfork(2), clone(2), clone3(2).
 *
 * task_clone makes everything the child needs while nobody can see the child, then links it into
 * the tree in one step under tasklist_lock and the parent's sighand->lock, and wakes it. What can
 * fail comes before the link, so there is nothing to take back from others.
 *
 * A signal that is pending for the caller makes it give up and start over (ERESTARTNOINTR): a
 * signal to a process group then comes either before the fork, and the parent handles it first, or
 * after, and the child gets its own. The last look is under the locks, where also group exit and
 * exec would have marked the caller; so no thread is born into a process that is ending.
 *
 * References of a new task: the scheduler's, born with the thread, and the tree's, dropped when it
 * is reaped (or, not being a leader, when it exits). Of a new process: its tasks' and the tree's.
 *
 * Linux behaviour: flag combinations are refused as clone(2) says. CLONE_IO and CLONE_SYSVSEM share
 * contexts that are not there: nothing is lost. CLONE_INTO_CGROUP needs cgroups: EINVAL.
 */
#include "arch/regs.h"
#include "arch/thread.h"
#include "core/time.h"
#include "event/pidfd.h"
#include "fs/vfs/file.h"
#include "fs/vfs/inode.h"
#include "fs/vfs/mount.h"
#include "fs/vfs/path.h"
#include "generated/syscalls.h"
#include "ipc/sysv.h"
#include "lib/string.h"
#include "mm/mm.h"
#include "mm/page.h"
#include "mm/slab.h"
#include "mm/user.h"
#include "proc/exec.h"
#include "proc_internal.h"
#include "sched/sched.h"
#include "task/nsset.h"
#include "task/task.h"
#include "task/user_ns.h"
#include "uapi/errno.h"
#include "uapi/ptrace.h"
#include "uapi/sched.h"

#define CLONE_NAMESPACES                                                           \
	(CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWPID | CLONE_NEWNET | \
	 CLONE_NEWCGROUP | CLONE_NEWUSER | CLONE_NEWTIME)

struct clone_request {
	u64 flags;
	user_ptr pidfd, child_tid, parent_tid;
	int exit_signal;
	u64 stack; /* initial stack pointer; 0: the parent's */
	u64 tls;
	u32 set_tid_count;
	int set_tid[PID_NS_MAX_LEVEL];
};

void
fork_init(void)
{
	struct mem_stats stats;

	/* An eighth of memory may be kernel stacks. */
	mem_stats(&stats);
	task_count_max = (u32)CLAMP(stats.total * PAGE_SIZE / (KSTACK_SIZE * 8), 20ul, 4194304ul);
}

/* ---- checks ---- */

static int
clone_flags_check(const struct clone_request *rq)
{
	const struct process *p = current->process;
	u64 f = rq->flags;

	if ((f & (CLONE_NEWNS | CLONE_NEWUSER)) && (f & CLONE_FS))
		return -EINVAL;
	if ((f & CLONE_THREAD) && !(f & CLONE_SIGHAND))
		return -EINVAL;
	if ((f & CLONE_SIGHAND) && !(f & CLONE_VM))
		return -EINVAL;
	if ((f & CLONE_PARENT) && (READ_ONCE(p->flags) & PROC_UNKILLABLE))
		return -EINVAL;
	if ((f & CLONE_THREAD) && ((f & (CLONE_NEWUSER | CLONE_NEWPID)) ||
				   current->ns->pid_for_children != current_pid_ns()))
		return -EINVAL;
	if ((f & CLONE_PIDFD) && (f & (CLONE_THREAD | CLONE_DETACHED)))
		return -EINVAL;
	if ((f & CLONE_NEWIPC) && (f & CLONE_SYSVSEM))
		return -EINVAL;
	if (f & CLONE_INTO_CGROUP)
		return -EINVAL;
	return 0;
}

/* pid_namespaces(7), clone(2) on set_tid: exact numbers need a privilege, and a namespace with an
 * init (or the number 1). */
static int
set_tid_check(const struct clone_request *rq, const struct pid_ns *ns)
{
	if (rq->set_tid_count > ns->level + 1)
		return -EINVAL;
	for (u32 i = 0; i < rq->set_tid_count; i++, ns = ns->parent) {
		int tid = rq->set_tid[i];

		if (tid < 1 || (u32)tid >= ns->max || (tid != 1 && !READ_ONCE(ns->reaper)))
			return -EINVAL;
		if (!capable(CAP_CHECKPOINT_RESTORE) && !capable(CAP_SYS_ADMIN))
			return -EPERM;
	}
	return 0;
}

/* ---- parts of a child ---- */

static int
fork_count(struct task *t)
{
	struct cred *c = current->cred;
	u64 limit = rlimit_current(RLIMIT_NPROC);

	if ((u32)atomic_read(&task_count) >= READ_ONCE(task_count_max))
		return -EAGAIN;
	if (!user_count_processes(c->user, 1, limit)) {
		if (c->uid != 0 && !cred_capable(c, CAP_SYS_RESOURCE) &&
		    !cred_capable(c, CAP_SYS_ADMIN))
			return -EAGAIN;
		user_count_processes(c->user, 1, RLIM_INFINITY);
	}
	t->cred = cred_get(c);
	atomic_inc(&task_count);
	return 0;
}

/* CLONE_NEWUSER: credentials of its own, before the other namespaces, which it is to own. */
static int
fork_user_ns(struct task *t)
{
	struct cred *new = cred_dup(current->cred);
	int r;

	if (!new)
		return -ENOMEM;
	r = nsset_new_user(new);
	if (r) {
		cred_put(new);
		return r;
	}
	cred_put(t->cred);
	t->cred = new;
	return 0;
}

static void
fork_uncount(struct task *t)
{
	user_count_processes(t->cred->user, -1, 0);
	atomic_dec(&task_count);
}

static int
fork_files(struct task *t, u64 flags)
{
	if (flags & CLONE_FILES) {
		t->files = fd_table_get(current->files);
		return 0;
	}
	return fd_table_dup(current->files, UINT32_MAX, &t->files);
}

static int
fork_fs(struct task *t, u64 flags)
{
	if (flags & CLONE_FS) {
		t->fs = fs_context_get(current->fs);
		return 0;
	}
	return fs_context_dup(current->fs, &t->fs);
}

static int
fork_namespaces(struct task *t, u64 flags)
{
	int r = sem_fork(t, flags);

	if (r)
		return r;
	if (likely(!(flags & CLONE_NAMESPACES))) {
		t->ns = nsset_get(current->ns);
		return 0;
	}
	r = flags & CLONE_NEWUSER ? fork_user_ns(t) : 0;
	if (r == 0)
		r = nsset_copy(current->ns, flags & (CLONE_NAMESPACES & ~CLONE_NEWUSER), t->cred,
			       &t->ns);
	if (r)
		sem_exit(t);
	else if (flags & CLONE_NEWNS)
		mount_ns_move_fs(t->ns->mnt, t->fs);
	return r;
}

static int
fork_mm(struct task *t, u64 flags)
{
	struct mm *mm = current->thread.mm;

	if (flags & CLONE_VM) {
		mm_users_get(mm);
	} else {
		int r = mm_fork(mm, &mm);

		if (r)
			return r;
		if (current->thread.mm->exe) {
			file_get(current->thread.mm->exe);
			mm->exe = current->thread.mm->exe;
		}
		mm->user_ns = user_ns_get(current->thread.mm->user_ns);
	}
	t->thread.mm = mm;
	t->thread.space = &mm->space;
	return 0;
}

static int
fork_sighand(struct process *p, u64 flags)
{
	struct sighand *ours = current->process->sighand, *sh;

	if (flags & CLONE_SIGHAND) {
		ref_get(&ours->ref);
		p->sighand = ours;
		return 0;
	}
	sh = sighand_create();
	if (!sh)
		return -ENOMEM;
	p->sighand = sh;
	spin_lock_irq(&ours->lock);
	memcpy(sh->action, ours->action, sizeof(sh->action));
	spin_unlock_irq(&ours->lock);
	if (flags & CLONE_CLEAR_SIGHAND) {
		for (u32 i = 0; i < ARRAY_SIZE(sh->action); i++) {
			if (sh->action[i].handler != SIG_IGN)
				memset(&sh->action[i], 0, sizeof(sh->action[i]));
		}
	}
	return 0;
}

static int
fork_process(struct task *t, u64 flags)
{
	struct process *ours = current->process, *p;

	if (flags & CLONE_THREAD) {
		process_get(ours);
		t->process = ours;
		return 0;
	}
	p = process_alloc();
	if (!p)
		return -ENOMEM;
	t->process = p;
	int r = fork_sighand(p, flags);
	if (r)
		return r; /* process_put in the caller frees what there is */
	p->limits = ours->limits;
	p->oom_score_adj = READ_ONCE(ours->oom_score_adj);
	p->nr_threads = 1;
	p->leader = t;
	list_add(&t->thread_node, &p->threads);
	return 0;
}

/* What a thread starts with that is neither shared nor fresh. */
static void
fork_inherit(struct task *t, const struct clone_request *rq)
{
	const struct task *me = current;

	t->sighand = t->process->sighand;
	t->blocked = me->blocked;
	if ((rq->flags & (CLONE_VM | CLONE_VFORK)) == CLONE_VM) {
		signal_reset_altstack(t);
	} else {
		t->alt_sp = me->alt_sp;
		t->alt_size = me->alt_size;
		t->alt_flags = me->alt_flags;
	}
	t->set_child_tid = rq->flags & CLONE_CHILD_SETTID ? rq->child_tid : (user_ptr){ 0 };
	t->clear_child_tid = rq->flags & CLONE_CHILD_CLEARTID ? rq->child_tid : (user_ptr){ 0 };
	t->personality = me->personality;
	t->timer_slack_ns = me->timer_slack_ns;
	t->no_new_privs = me->no_new_privs;
	t->start_time_ns = time_boot_ns();
	t->syscall_nr = -1;
	rseq_fork(t, rq->flags);
	if (t->set_child_tid.addr)
		thread_flag_set(&t->thread, TF_NOTIFY);
}

/* ---- the child becomes visible ---- */

/* tasklist_lock and the parent's sighand->lock held. */
static void
fork_link_process(struct task *t, const struct clone_request *rq)
{
	struct process *ours = current->process, *p = t->process;
	struct pid_number *inner = &t->pid->numbers[t->pid->level];

	if (rq->flags & CLONE_PARENT) {
		p->parent = ours->parent;
		p->creator = ours->creator;
		t->exit_signal = ours->leader->exit_signal;
	} else {
		p->parent = ours;
		p->creator = current;
		t->exit_signal = rq->exit_signal;
		current->has_children = true;
	}
	p->parent_execs = READ_ONCE(p->parent->execs);
	pid_get(t->pid);
	p->pid = t->pid;
	p->ctty = ours->ctty;
	if (inner->nr == 1) {
		p->flags |= PROC_UNKILLABLE;
		inner->ns->reaper = p;
	}
	process_get(p);
	list_add_tail(&p->sibling, &p->parent->children);
	process_set_pgrp(p, ours->pgrp);
	process_set_session(p, ours->session);
	rcu_assign_pointer(t->pid->process, p);
}

static int
fork_link(struct task *t, const struct clone_request *rq, struct ptrace_state *traced)
{
	struct task *me = current;
	struct sighand *sh = me->process->sighand;
	int r = 0;
	unsigned long flags = spin_lock_irqsave(&tasklist_lock);

	spin_lock(&sh->lock);
	if (thread_signal_pending(&me->thread)) {
		r = -ERESTARTNOINTR;
	} else if (t->pid->numbers[t->pid->level].ns->dying) {
		r = -ENOMEM;
	} else {
		task_get(t);
		seccomp_fork(t);
		if (rq->flags & CLONE_THREAD) {
			t->exit_signal = -1;
			list_add_tail(&t->thread_node, &t->process->threads);
			t->process->nr_threads++;
		} else {
			fork_link_process(t, rq);
		}
		rcu_assign_pointer(t->pid->task, t);
		if (unlikely(traced) && !ptrace_fork_link(t, traced))
			kfree(traced);
	}
	spin_unlock(&sh->lock);
	spin_unlock_irqrestore(&tasklist_lock, flags);
	return r;
}

/* The child lives in our memory until it executes a program or exits; a fatal signal may end the
 * wait earlier. */
static void
vfork_wait(struct task *child, struct completion *done)
{
	if (completion_wait_killable(done)) {
		unsigned long flags = spin_lock_irqsave(&child->lock);

		child->vfork_done = NULL;
		spin_unlock_irqrestore(&child->lock, flags);
	}
}

static long
task_clone(struct clone_request *rq)
{
	struct task *me = current, *t;
	struct completion vfork_done;
	struct file *pidfd_file = NULL;
	struct regs regs;
	struct ptrace_state *traced;
	int pidfd = -1, r, nr, event;

	r = clone_flags_check(rq);
	if (r)
		return r;
	if (thread_signal_pending(&me->thread))
		return -ERESTARTNOINTR;

	t = task_alloc();
	if (!t)
		return -ENOMEM;
	r = fork_count(t);
	if (r)
		goto out_free_task;
	r = thread_init_fork(&t->thread, &me->thread, task_release);
	if (r)
		goto out_uncount;
	r = fork_process(t, rq->flags);
	if (r)
		goto out_put_process;
	r = fork_files(t, rq->flags);
	if (r)
		goto out_put_process;
	r = fork_fs(t, rq->flags);
	if (r)
		goto out_put_files;
	r = fork_namespaces(t, rq->flags);
	if (r)
		goto out_put_fs;
	r = fork_mm(t, rq->flags);
	if (r)
		goto out_put_ns;

	regs = *arch_thread_regs(me->thread.kstack);
	regs_set_ret(&regs, 0);
	if (rq->stack)
		regs_set_sp(&regs, rq->stack);
	r = arch_thread_fork(&t->thread.arch, t->thread.kstack, &me->thread.arch, &regs);
	if (r == 0 && (rq->flags & CLONE_SETTLS))
		r = arch_thread_set_tls(&t->thread.arch, rq->tls);
	if (r)
		goto out_put_mm;

	r = set_tid_check(rq, t->ns->pid_for_children);
	if (r == 0)
		r = pid_alloc(t->ns->pid_for_children, rq->set_tid, rq->set_tid_count, &t->pid);
	if (r)
		goto out_put_mm;
	if (rq->flags & CLONE_PIDFD) {
		r = pidfd = fd_reserve(0, true);
		if (r >= 0)
			r = pidfd_create(t->pid, 0, &pidfd_file);
		if (r == 0)
			r = put_user(rq->pidfd, pidfd);
		if (r)
			goto out_put_pidfd;
	}
	fork_inherit(t, rq);
	if (rq->flags & CLONE_VFORK) {
		completion_init(&vfork_done);
		t->vfork_done = &vfork_done;
	}
	event = ptrace_fork_event(rq->flags, rq->exit_signal);
	traced = ptrace_fork_alloc(rq->flags, event);
	r = fork_link(t, rq, traced);
	if (r) {
		kfree(traced);
		goto out_put_pidfd;
	}

	/* From here the child is a task like others: it may be killed, and even reaped once it has
	 * run. */
	atomic64_inc(&sched_forks);
	nr = task_tid(t);
	if (pidfd_file)
		fd_install(pidfd, pidfd_file);
	if (rq->flags & CLONE_PARENT_SETTID)
		(void)!put_user(rq->parent_tid, nr);
	if (rq->flags & CLONE_VFORK) {
		task_get(t);
		thread_wake_new_sync(&t->thread);
		if (unlikely(event))
			ptrace_event(event, (u64)nr);
		vfork_wait(t, &vfork_done);
		ptrace_event(PTRACE_EVENT_VFORK_DONE, (u64)nr);
		task_put(t);
	} else {
		thread_wake_new(&t->thread);
		if (unlikely(event))
			ptrace_event(event, (u64)nr);
	}
	return nr;

out_put_pidfd:
	if (pidfd_file)
		file_put(pidfd_file);
	if (pidfd >= 0)
		fd_cancel(pidfd);
	pid_put(t->pid);
out_put_mm:
	mm_users_put(t->thread.mm);
out_put_ns:
	sem_exit(t);
	nsset_put(t->ns);
out_put_fs:
	fs_context_put(t->fs);
out_put_files:
	fd_table_put(t->files);
out_put_process:
	if (t->process)
		process_put(t->process);
	thread_abort_fork(&t->thread);
out_uncount:
	fork_uncount(t);
	cred_put(t->cred);
out_free_task:
	task_free(t);
	return r;
}

/* ---- system calls ---- */

long
sys_fork(void)
{
	struct clone_request rq = { .exit_signal = SIGCHLD };

	return task_clone(&rq);
}

long
sys_vfork(void)
{
	struct clone_request rq = { .flags = CLONE_VFORK | CLONE_VM, .exit_signal = SIGCHLD };

	return task_clone(&rq);
}

/* CLONE_PIDFD puts the descriptor where CLONE_PARENT_SETTID would put the tid. */
long
sys_clone(unsigned long flags, unsigned long stack, user_ptr parent_tid, user_ptr child_tid,
	  unsigned long tls)
{
	struct clone_request rq = {
		.flags = (u32)flags & ~(u64)CSIGNAL,
		.exit_signal = flags & CSIGNAL,
		.pidfd = parent_tid,
		.parent_tid = parent_tid,
		.child_tid = child_tid,
		.stack = stack,
		.tls = tls,
	};

	if ((rq.flags & CLONE_PIDFD) && (rq.flags & CLONE_PARENT_SETTID))
		return -EINVAL;
	return task_clone(&rq);
}

static int
clone_args_read(struct clone_request *rq, user_ptr uargs, size_t size)
{
	struct linux_clone_args a;

	if (size > PAGE_SIZE)
		return -E2BIG;
	if (size < CLONE_ARGS_SIZE_VER0)
		return -EINVAL;
	int r = copy_struct_from_user(&a, sizeof(a), uargs, size);
	if (r)
		return r;
	if (a.set_tid_size > PID_NS_MAX_LEVEL || !a.set_tid != !a.set_tid_size)
		return -EINVAL;
	if ((a.exit_signal & ~(u64)CSIGNAL) || a.exit_signal > SIGRTMAX)
		return -EINVAL;
	if ((a.flags & CLONE_INTO_CGROUP) && (a.cgroup > INT32_MAX || size < CLONE_ARGS_SIZE_VER2))
		return -EINVAL;
	*rq = (struct clone_request){
		.flags = a.flags,
		.pidfd = user_ptr_of(a.pidfd),
		.child_tid = user_ptr_of(a.child_tid),
		.parent_tid = user_ptr_of(a.parent_tid),
		.exit_signal = (int)a.exit_signal,
		.stack = a.stack,
		.tls = a.tls,
		.set_tid_count = (u32)a.set_tid_size,
	};
	if (a.set_tid_size) {
		r = copy_from_user(rq->set_tid, user_ptr_of(a.set_tid),
				   a.set_tid_size * sizeof(int));
		if (r)
			return r;
	}

	u64 known = 0xffffffffull | CLONE_CLEAR_SIGHAND | CLONE_INTO_CGROUP;
	if (a.flags & ~known)
		return -EINVAL;
	if (a.flags & (CLONE_DETACHED | (CSIGNAL & ~CLONE_NEWTIME)))
		return -EINVAL;
	if ((a.flags & CLONE_SIGHAND) && (a.flags & CLONE_CLEAR_SIGHAND))
		return -EINVAL;
	if ((a.flags & (CLONE_THREAD | CLONE_PARENT)) && a.exit_signal)
		return -EINVAL;
	if (!a.stack != !a.stack_size)
		return -EINVAL;
	if (a.stack) {
		if (!user_range_ok(user_ptr_of(a.stack), a.stack_size))
			return -EINVAL;
		rq->stack = a.stack +
			    a.stack_size; /* stacks grow down on every architecture we know */
	}
	return 0;
}

long
sys_clone3(user_ptr uargs, size_t size)
{
	struct clone_request rq;
	int r = clone_args_read(&rq, uargs, size);

	return r ? r : task_clone(&rq);
}
