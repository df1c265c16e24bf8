/* SPDX-License-Identifier: MIT */
/*
 * May the current task look into, or change, another one? The rule of ptrace(2), "Ptrace access
 * mode checking", shared by ptrace, process_vm_readv, kcmp and /proc/PID.
 */
#include "task/access.h"

#include "core/rcu.h"
#include "mm/mm.h"
#include "task/task.h"
#include "task/user_ns.h"
#include "uapi/errno.h"

/* The space was judged `open` before. */
static int
ids_check(struct task *t, bool open, bool real_ids)
{
	const struct cred *me = current_cred(), *they;
	u32 uid = real_ids ? me->uid : me->fsuid, gid = real_ids ? me->gid : me->fsgid;
	bool ok;

	if (t->process == current->process)
		return 0;
	rcu_read_lock();
	they = rcu_dereference(t->cred);
	ok = open && (cred_ns_capable(me, they->user_ns, CAP_SYS_PTRACE) ||
		      (they->user_ns == me->user_ns && uid == they->euid && uid == they->suid &&
		       uid == they->uid && gid == they->egid && gid == they->sgid &&
		       gid == they->gid && !(they->cap_permitted & ~me->cap_permitted)));
	rcu_read_unlock();
	return ok ? 0 : -EPERM;
}

/*
 * Dumpable, or ours by privilege where it was executed: who enters a user namespace does not fall
 * to those who rule there. Execve makes a space that may be dumped dumpable only once the
 * credentials are those that go with it: hence the space first, the credentials then.
 */
static bool
mm_open(const struct mm *mm)
{
	return !mm || smp_load_acquire(&mm->dumpable) == 1 ||
	       ns_capable(mm->user_ns, CAP_SYS_PTRACE);
}

int
task_may_access(struct task *t, bool real_ids)
{
	unsigned long flags = spin_lock_irqsave(&t->lock);
	bool open = mm_open(t->thread.mm);

	spin_unlock_irqrestore(&t->lock, flags);
	return ids_check(t, open, real_ids);
}

int
task_access_mm(struct task *t, bool real_ids, struct mm **out)
{
	struct mm *mm = task_get_mm(t);
	int r = ids_check(t, mm_open(mm), real_ids);

	if (r && mm) {
		mm_users_put(mm);
		mm = NULL;
	}
	*out = mm;
	return r;
}
