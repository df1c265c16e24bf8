/* SPDX-License-Identifier: MIT */
/*
 * Who am I: ids, process groups and sessions. setpgid(2), setsid(2), credentials(7).
 *
 * A group is the list of processes in the struct pid of its number, a session likewise; both change
 * under tasklist_lock.
 */
#include "core/rcu.h"
#include "generated/syscalls.h"
#include "task/task.h"
#include "uapi/errno.h"

/* Own number in the own namespace: two loads after current, no lookup. */
static int
pid_own_number(const struct pid *p)
{
	return p->numbers[p->level].nr;
}

long
sys_getpid(void)
{
	return pid_own_number(current->process->pid);
}

long
sys_gettid(void)
{
	return pid_own_number(current->pid);
}

long
sys_getppid(void)
{
	return process_ppid(current->process);
}

void
process_set_pgrp(struct process *p, struct pid *pgrp)
{
	struct pid *old = p->pgrp;

	pid_get(pgrp);
	p->pgrp = pgrp;
	list_del_init(&p->pgrp_node);
	list_add_tail(&p->pgrp_node, &pgrp->pgrp_members);
	if (old) {
		pid_release_number(old);
		pid_put(old);
	}
}

void
process_set_session(struct process *p, struct pid *session)
{
	struct pid *old = p->session;

	pid_get(session);
	p->session = session;
	list_del_init(&p->session_node);
	list_add_tail(&p->session_node, &session->session_members);
	if (old) {
		pid_release_number(old);
		pid_put(old);
	}
}

void
process_leave_groups(struct process *p)
{
	struct pid *pgrp = p->pgrp, *session = p->session;

	list_del_init(&p->pgrp_node);
	list_del_init(&p->session_node);
	p->pgrp = p->session = NULL;
	if (pgrp) {
		pid_release_number(pgrp);
		pid_put(pgrp);
	}
	if (session) {
		pid_release_number(session);
		pid_put(session);
	}
}

/*
 * A group is orphaned when no member has a parent in another group of the same session: nobody is
 * left who could continue a stopped member.
 */
bool
pgrp_is_orphaned(struct pid *pgrp, struct process *ignore)
{
	struct process *p;

	list_for_each_entry(p, &pgrp->pgrp_members, pgrp_node)
	{
		struct process *parent = p->parent;

		if (p == ignore || (p->flags & PROC_ZOMBIE) || !parent || parent == init_process)
			continue;
		if (parent->pgrp != pgrp && parent->session == p->session)
			return false;
	}
	return true;
}

long
sys_setpgid(int pid, int pgid)
{
	struct process *me = current->process, *p;
	struct pid *target = NULL;
	int r;

	if (pgid < 0)
		return -EINVAL;
	if (pid == 0)
		pid = process_pid(me);
	if (pgid == 0)
		pgid = pid;
	p = process_find(pid);
	if (!p)
		return -ESRCH;

	unsigned long flags = spin_lock_irqsave(&tasklist_lock);
	r = -ESRCH;
	if (!p->pgrp || (p != me && p->parent != me))
		goto out_unlock;
	if (p != me) {
		r = -EPERM;
		if (p->session != me->session)
			goto out_unlock;
		r = -EACCES;
		if (READ_ONCE(p->flags) & PROC_EXECED)
			goto out_unlock;
	}
	r = -EPERM;
	if (p->session == p->pid)
		goto out_unlock;
	target = pid_find(current_pid_ns(), pgid);
	if (pgid != pid) {
		struct process *member = target ? list_first_entry_or_null(&target->pgrp_members,
									   struct process,
									   pgrp_node)
						: NULL;

		if (!member || member->session != me->session)
			goto out_unlock;
	}
	r = 0;
	if (p->pgrp != target)
		process_set_pgrp(p, target);
out_unlock:
	spin_unlock_irqrestore(&tasklist_lock, flags);
	pid_put(target);
	process_put(p);
	return r;
}

enum id_kind { ID_PGRP, ID_SESSION };

static long
process_group_id(int pid, enum id_kind kind)
{
	struct process *p = pid ? process_find(pid) : current->process;
	long r = -ESRCH;

	if (pid && !p) {
		/* A thread's id will do. */
		struct task *t = task_find(pid);
		if (!t)
			return -ESRCH;
		p = t->process;
		process_get(p);
		task_put(t);
	}
	rcu_read_lock();
	struct pid *id = kind == ID_PGRP ? READ_ONCE(p->pgrp) : READ_ONCE(p->session);
	if (id)
		r = pid_nr(id, current_pid_ns());
	rcu_read_unlock();
	if (pid)
		process_put(p);
	return r;
}

long
sys_getpgid(int pid)
{
	return process_group_id(pid, ID_PGRP);
}

long
sys_getpgrp(void)
{
	return process_group_id(0, ID_PGRP);
}

long
sys_getsid(int pid)
{
	return process_group_id(pid, ID_SESSION);
}

long
sys_setsid(void)
{
	struct process *p = current->process;
	struct pid *id = p->pid;
	long r = -EPERM;
	unsigned long flags = spin_lock_irqsave(&tasklist_lock);

	/* Not if our number is a group already: we lead it, or it outlived a leader of this number.
	 */
	if (p->session == id || !list_empty(&id->pgrp_members))
		goto out_unlock;
	process_set_session(p, id);
	process_set_pgrp(p, id);
	p->ctty = NULL;
	r = pid_nr(id, current_pid_ns());
out_unlock:
	spin_unlock_irqrestore(&tasklist_lock, flags);
	return r;
}
