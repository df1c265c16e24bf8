/* SPDX-License-Identifier: MIT */
/*
 * May the current task look into, or change, another one? The rule of ptrace(2), "Ptrace access
 * mode checking", shared by ptrace, process_vm_readv, kcmp and /proc/PID.
 */
#include "task/access.h"

#include "core/rcu.h"
#include "mm/mm.h"
#include "task/task.h"
#include "uapi/errno.h"

int
task_may_access(struct task *t, bool real_ids)
{
	const struct cred *me = current_cred(), *they;
	u32 uid = real_ids ? me->uid : me->fsuid, gid = real_ids ? me->gid : me->fsgid;
	bool privileged = cred_capable(me, CAP_SYS_PTRACE);
	int r = 0;

	if (t->process == current->process)
		return 0;
	rcu_read_lock();
	they = rcu_dereference(t->cred);
	if (!privileged) {
		if (uid != they->euid || uid != they->suid || uid != they->uid ||
		    gid != they->egid || gid != they->sgid || gid != they->gid)
			r = -EPERM;
		else if (they->cap_permitted & ~me->cap_permitted)
			r = -EPERM;
	}
	rcu_read_unlock();
	if (r == 0 && !privileged) {
		unsigned long flags = spin_lock_irqsave(&t->lock);

		if (t->thread.mm && t->thread.mm->dumpable != 1)
			r = -EPERM;
		spin_unlock_irqrestore(&t->lock, flags);
	}
	return r;
}
