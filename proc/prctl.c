/* SPDX-License-Identifier: MIT */
/*
 * prctl(2): attributes of the calling thread and process that have no call of their own.
 *
 * What is not there answers EINVAL, as in a Linux built without it: PR_SET_MM, speculation
 * controls, syscall user dispatch, names of anonymous mappings, and everything of other
 * architectures.
 */
#include "uapi/prctl.h"
#include "generated/syscalls.h"
#include "lib/string.h"
#include "mm/mm.h"
#include "mm/user.h"
#include "proc_internal.h"
#include "task/cred.h"
#include "task/task.h"
#include "uapi/errno.h"
#include "uapi/securebits.h"

#define TIMER_SLACK_DEFAULT_NS 50000

static long
prctl_set_name(user_ptr name)
{
	char comm[TASK_COMM_LEN] = "";
	ssize_t n = strncpy_from_user(comm, name, sizeof(comm));

	if (n < 0 && n != -ENAMETOOLONG)
		return n;
	comm[sizeof(comm) - 1] = '\0';
	task_set_comm(current, comm);
	return 0;
}

static long
prctl_get_name(user_ptr name)
{
	char comm[TASK_COMM_LEN];

	task_get_comm(current, comm);
	return copy_to_user(name, comm, sizeof(comm));
}

static long
prctl_set_flag(u32 flag, bool on)
{
	struct process *p = current->process;
	unsigned long irq;
	struct sighand *sh = sighand_lock(p, &irq);

	p->flags = on ? p->flags | flag : p->flags & ~flag;
	sighand_unlock(sh, irq);
	return 0;
}

static bool
cap_valid(unsigned long cap)
{
	return cap <= CAP_LAST_CAP;
}

static long
prctl_bounding_drop(unsigned long cap)
{
	struct cred *new;

	if (!ns_capable(current_cred()->user_ns, CAP_SETPCAP))
		return -EPERM;
	if (!cap_valid(cap))
		return -EINVAL;
	new = cred_dup(current->cred);
	if (!new)
		return -ENOMEM;
	new->cap_bounding &= ~(1ull << cap);
	cred_commit(new);
	return 0;
}

static long
prctl_set_securebits(unsigned long bits)
{
	const struct cred *c = current->cred;
	u32 locked = (c->securebits & SECURE_ALL_LOCKS) >> 1;
	struct cred *new;

	/* capabilities(7): a locked bit stays, and so does a lock. */
	if ((locked & (c->securebits ^ bits)) || (c->securebits & SECURE_ALL_LOCKS & ~bits) ||
	    (bits & ~(unsigned long)(SECURE_ALL_LOCKS | SECURE_ALL_BITS)) ||
	    !ns_capable(c->user_ns, CAP_SETPCAP))
		return -EPERM;
	new = cred_dup(c);
	if (!new)
		return -ENOMEM;
	new->securebits = (u32)bits;
	cred_commit(new);
	return 0;
}

static long
prctl_set_keep_caps(unsigned long keep)
{
	const struct cred *c = current->cred;
	struct cred *new;

	if (keep > 1)
		return -EINVAL;
	if (c->securebits & SECBIT_KEEP_CAPS_LOCKED)
		return -EPERM;
	new = cred_dup(c);
	if (!new)
		return -ENOMEM;
	new->securebits = keep ? c->securebits | SECBIT_KEEP_CAPS
			       : c->securebits & ~(u32)SECBIT_KEEP_CAPS;
	cred_commit(new);
	return 0;
}

static long
prctl_ambient(unsigned long what, unsigned long cap, unsigned long arg4, unsigned long arg5)
{
	const struct cred *c = current->cred;
	u64 set = c->cap_ambient, bit;
	struct cred *new;

	if (arg4 || arg5)
		return -EINVAL;
	if (what == PR_CAP_AMBIENT_CLEAR_ALL) {
		if (cap)
			return -EINVAL;
		set = 0;
	} else {
		if (!cap_valid(cap))
			return -EINVAL;
		bit = 1ull << cap;
		switch (what) {
		case PR_CAP_AMBIENT_IS_SET: return !!(set & bit);
		case PR_CAP_AMBIENT_RAISE:
			if (!(c->cap_permitted & c->cap_inheritable & bit) ||
			    (c->securebits & SECBIT_NO_CAP_AMBIENT_RAISE))
				return -EPERM;
			set |= bit;
			break;
		case PR_CAP_AMBIENT_LOWER: set &= ~bit; break;
		default: return -EINVAL;
		}
	}
	new = cred_dup(c);
	if (!new)
		return -ENOMEM;
	new->cap_ambient = set;
	cred_commit(new);
	return 0;
}

long
sys_prctl(int option, unsigned long arg2, unsigned long arg3, unsigned long arg4,
	  unsigned long arg5)
{
	struct task *t = current;
	struct process *p = t->process;
	struct mm *mm = t->thread.mm;

	switch (option) {
	case PR_SET_PDEATHSIG:
		if (arg2 > SIGRTMAX)
			return -EINVAL;
		WRITE_ONCE(t->pdeath_signal, (int)arg2);
		return 0;
	case PR_GET_PDEATHSIG: return put_user(user_ptr_of(arg2), t->pdeath_signal);
	case PR_GET_DUMPABLE: return mm->dumpable;
	case PR_SET_DUMPABLE:
		if (arg2 > 1)
			return -EINVAL;
		mm->dumpable = (u8)arg2;
		return 0;
	case PR_GET_KEEPCAPS: return !!(t->cred->securebits & SECBIT_KEEP_CAPS);
	case PR_SET_KEEPCAPS: return prctl_set_keep_caps(arg2);
	case PR_GET_TIMING: return PR_TIMING_STATISTICAL;
	case PR_SET_TIMING: return arg2 == PR_TIMING_STATISTICAL ? 0 : -EINVAL;
	case PR_SET_NAME: return prctl_set_name(user_ptr_of(arg2));
	case PR_GET_NAME: return prctl_get_name(user_ptr_of(arg2));
	case PR_CAPBSET_READ:
		return cap_valid(arg2) ? !!(t->cred->cap_bounding & (1ull << arg2)) : -EINVAL;
	case PR_CAPBSET_DROP: return prctl_bounding_drop(arg2);
	case PR_GET_TSC: return put_user(user_ptr_of(arg2), (int)PR_TSC_ENABLE);
	case PR_SET_TSC: return arg2 == PR_TSC_ENABLE ? 0 : -EINVAL;
	case PR_GET_SECUREBITS: return t->cred->securebits;
	case PR_SET_SECUREBITS: return prctl_set_securebits(arg2);
	case PR_SET_TIMERSLACK:
		t->timer_slack_ns = (long)arg2 <= 0 ? TIMER_SLACK_DEFAULT_NS : arg2;
		return 0;
	case PR_GET_TIMERSLACK: return (long)t->timer_slack_ns;
	case PR_SET_CHILD_SUBREAPER: return prctl_set_flag(PROC_SUBREAPER, arg2);
	case PR_GET_CHILD_SUBREAPER:
		return put_user(user_ptr_of(arg2), (int)!!(READ_ONCE(p->flags) & PROC_SUBREAPER));
	case PR_SET_NO_NEW_PRIVS:
		if (arg2 != 1 || arg3 || arg4 || arg5)
			return -EINVAL;
		t->no_new_privs = true;
		return 0;
	case PR_GET_SECCOMP: return t->seccomp_mode;
	case PR_SET_SECCOMP: return seccomp_prctl(arg2, arg3);
	case PR_GET_NO_NEW_PRIVS: return arg2 || arg3 || arg4 || arg5 ? -EINVAL : t->no_new_privs;
	case PR_GET_TID_ADDRESS: return put_user(user_ptr_of(arg2), t->clear_child_tid.addr);
	case PR_CAP_AMBIENT: return prctl_ambient(arg2, arg3, arg4, arg5);
	default: return -EINVAL;
	}
}
