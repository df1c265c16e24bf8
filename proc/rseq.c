/* SPDX-License-Identifier: MIT */
/*
 * Restartable sequences: rseq(2).
 *
 * A thread registers an area in its memory. Whenever it comes back to user mode after it left its
 * CPU or got a signal, the kernel writes the CPU's number there, and if the thread was inside the
 * critical section that the area names, it continues at the section's abort address instead.
 *
 * thread->rseq asks the scheduler to set TF_NOTIFY when the thread leaves its CPU; the work is done
 * here, in the thread's own context. A bad area or descriptor, or an abort address without the
 * signature in front, is answered by SIGSEGV.
 */
#include "uapi/rseq.h"
#include "arch/regs.h"
#include "core/cpumask.h"
#include "generated/syscalls.h"
#include "mm/user.h"
#include "proc_internal.h"
#include "task/task.h"
#include "uapi/errno.h"
#include "uapi/sched.h"

#define RSEQ_SIZE sizeof(struct linux_rseq)
#define RSEQ_CS_FLAGS_GONE                                                        \
	(RSEQ_CS_FLAG_NO_RESTART_ON_PREEMPT | RSEQ_CS_FLAG_NO_RESTART_ON_SIGNAL | \
	 RSEQ_CS_FLAG_NO_RESTART_ON_MIGRATE)

static user_ptr
rseq_field(const struct task *t, size_t offset)
{
	return user_ptr_add(t->rseq, offset);
}

static int
rseq_write_cpu(struct task *t, u32 start, u32 cpu)
{
	int r = put_user(rseq_field(t, offsetof(struct linux_rseq, cpu_id_start)), start);

	return r ? r : put_user(rseq_field(t, offsetof(struct linux_rseq, cpu_id)), cpu);
}

/* The section that the area names now; cs->abort_ip 0: none. */
static int
rseq_read_section(struct task *t, struct linux_rseq_cs *cs)
{
	u64 address;
	u32 signature;
	int r = get_user(&address, rseq_field(t, offsetof(struct linux_rseq, rseq_cs)));

	cs->abort_ip = 0;
	if (r || !address)
		return r;
	r = copy_from_user(cs, user_ptr_of(address), sizeof(*cs));
	if (r)
		return r;
	if (cs->version || (cs->flags & ~RSEQ_CS_FLAGS_GONE) || !cs->abort_ip ||
	    !user_range_ok(user_ptr_of(cs->abort_ip), 1) ||
	    !user_range_ok(user_ptr_of(cs->start_ip), cs->post_commit_offset) ||
	    cs->abort_ip - cs->start_ip < cs->post_commit_offset)
		return -EINVAL;
	r = get_user(&signature, user_ptr_of(cs->abort_ip - sizeof(u32)));
	if (r)
		return r;
	return signature == t->rseq_sig ? 0 : -EINVAL;
}

/* The section is over for the program: it continues at the abort address if it was inside. */
static int
rseq_fix_ip(struct task *t, struct regs *regs)
{
	struct linux_rseq_cs cs;
	u32 flags;
	int r = rseq_read_section(t, &cs);

	if (r || !cs.abort_ip)
		return r;
	if (regs_ip(regs) - cs.start_ip < cs.post_commit_offset) {
		/* The flags that forbade the restart are gone from Linux: sections that use them
		 * are wrong. */
		r = get_user(&flags, rseq_field(t, offsetof(struct linux_rseq, flags)));
		if (r)
			return r;
		if ((cs.flags | flags) & RSEQ_CS_FLAGS_GONE)
			return -EINVAL;
		r = put_user(rseq_field(t, offsetof(struct linux_rseq, rseq_cs)), (u64)0);
		if (r == 0) {
			regs_set_ip(regs, cs.abort_ip);
			thread_flag_set(&t->thread, TF_ARCH_REGS);
		}
		return r;
	}
	return put_user(rseq_field(t, offsetof(struct linux_rseq, rseq_cs)), (u64)0);
}

void
rseq_return(struct task *t, struct regs *regs)
{
	int r = rseq_fix_ip(t, regs);

	if (r == 0) {
		u32 cpu = READ_ONCE(t->thread.cpu); /* should we move now, TF_NOTIFY is set again */

		r = rseq_write_cpu(t, cpu, cpu);
	}
	if (r)
		signal_force(SIGSEGV, NULL);
}

void
rseq_signal(struct task *t, struct regs *regs)
{
	rseq_return(t, regs);
}

/* Threads register an area of their own; a forked child has the same one in its copy. */
void
rseq_fork(struct task *child, u64 clone_flags)
{
	const struct task *me = current;

	if (clone_flags & CLONE_VM)
		return;
	child->rseq = me->rseq;
	child->rseq_len = me->rseq_len;
	child->rseq_sig = me->rseq_sig;
	child->thread.rseq = me->thread.rseq;
	if (child->thread.rseq)
		thread_flag_set(&child->thread, TF_NOTIFY);
}

void
rseq_exec(struct task *t)
{
	t->rseq = (user_ptr){ 0 };
	t->rseq_len = t->rseq_sig = 0;
	t->thread.rseq = false;
}

long
sys_rseq(user_ptr area, u32 length, int flags, u32 signature)
{
	struct task *t = current;

	if (flags & RSEQ_FLAG_UNREGISTER) {
		if ((flags & ~RSEQ_FLAG_UNREGISTER) || t->rseq.addr != area.addr || !t->rseq.addr ||
		    length != t->rseq_len)
			return -EINVAL;
		if (t->rseq_sig != signature)
			return -EPERM;
		int r = rseq_write_cpu(t, 0, (u32)RSEQ_CPU_ID_UNINITIALIZED);
		if (r == 0)
			rseq_exec(t);
		return r;
	}
	if (flags)
		return -EINVAL;
	if (t->rseq.addr) {
		if (t->rseq.addr != area.addr || length != t->rseq_len)
			return -EINVAL;
		return t->rseq_sig == signature ? -EBUSY : -EPERM;
	}
	if (!IS_ALIGNED(area.addr, 32) || length != RSEQ_SIZE)
		return -EINVAL;
	if (!user_range_ok(area, length))
		return -EFAULT;
	t->rseq = area;
	t->rseq_len = length;
	t->rseq_sig = signature;
	t->thread.rseq = true;
	thread_flag_set(&t->thread, TF_NOTIFY);
	return 0;
}
