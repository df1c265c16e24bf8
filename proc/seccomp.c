/* SPDX-License-Identifier: MIT */
/*
 * seccomp(2): which system calls a thread may still make.
 *
 * A thread has a mode and a chain of filters, newest first. Filters are only ever added, by the
 * thread itself or for it by another of its process (SECCOMP_FILTER_FLAG_TSYNC, which demands that
 * its chain be a tail of the new one). So whatever chain a thread has begun to walk stays: a newer
 * one still refers to it. New threads and processes begin with their maker's; exec keeps it.
 *
 * Locking: the chain, the mode and TF_SECCOMP change under sighand->lock; the thread itself reads
 * without.
 *
 * Limits: no notifications to a supervisor (SECCOMP_RET_USER_NOTIF answers ENOSYS, as a filter's
 * result without a listener does); no cache of calls that are always allowed.
 */
#include "proc/seccomp.h"
#include "arch/regs.h"
#include "core/log.h"
#include "core/panic.h"
#include "fs/vfs/file.h"
#include "generated/syscall_nr.h"
#include "generated/syscalls.h"
#include "lib/bpf.h"
#include "lib/string.h"
#include "mm/slab.h"
#include "mm/user.h"
#include "proc_internal.h"
#include "sched/thread.h"
#include "task/cred.h"
#include "task/signal.h"
#include "task/task.h"
#include "uapi/arch.h"
#include "uapi/capability.h"
#include "uapi/errno.h"
#include "uapi/ptrace.h"
#include "uapi/seccomp.h"

#define PATH_INSNS_MAX 32768u /* of a whole chain, each filter counting 4 more */
#define FILTER_COST    4u
#define SYS_SECCOMP    1 /* si_code of SIGSYS */
#define FLAGS_KNOWN                                                                             \
	(SECCOMP_FILTER_FLAG_TSYNC | SECCOMP_FILTER_FLAG_LOG | SECCOMP_FILTER_FLAG_SPEC_ALLOW | \
	 SECCOMP_FILTER_FLAG_TSYNC_ESRCH)

struct seccomp_filter {
	struct ref ref;
	struct seccomp_filter *older; /* one reference */
	u32 total;		      /* cost of the chain from here */
	bool log;
	struct linux_sock_filter code[];
};

static void
filter_put(struct seccomp_filter *f)
{
	while (f && ref_put(&f->ref)) {
		struct seccomp_filter *older = f->older;

		kvfree(f);
		f = older;
	}
}

/* ---- checking a call ---- */

/* Words of struct seccomp_data; lib/bpf.h. */
static bool
load(const void *data, u32 offset, u32 size, u32 *out)
{
	memcpy(out, (const u8 *)data + offset, sizeof(*out));
	return true;
}

/* The checker of lib/bpf.c, and: loads of whole aligned words inside the data, no packets' codes.
 */
static bool
filter_check(const struct linux_sock_filter *code, u32 len)
{
	if (!bpf_check(code, len))
		return false;
	for (u32 i = 0; i < len; i++) {
		u16 c = code[i].code;

		switch (BPF_CLASS(c)) {
		case BPF_LD:
		case BPF_LDX:
			if (BPF_MODE(c) == BPF_IND || BPF_MODE(c) == BPF_MSH)
				return false;
			if (BPF_MODE(c) == BPF_ABS &&
			    (BPF_SIZE(c) != BPF_W || code[i].k & 3 ||
			     code[i].k >= sizeof(struct linux_seccomp_data)))
				return false;
			break;
		case BPF_ALU:
			if (BPF_OP(c) == BPF_MOD)
				return false;
			break;
		}
	}
	return true;
}

/* The strictest result of the chain: actions compare as signed numbers, the newest wins a tie. */
static u32
chain_run(const struct seccomp_filter *f, const struct linux_seccomp_data *d, bool *log)
{
	u32 result = SECCOMP_RET_ALLOW;

	for (; f; f = f->older) {
		u32 r = bpf_run(f->code, d, sizeof(*d), load);

		if ((s32)(r & SECCOMP_RET_ACTION_FULL) < (s32)(result & SECCOMP_RET_ACTION_FULL)) {
			result = r;
			*log = f->log;
		}
	}
	return result;
}

static void
sigsys_fill(struct linux_siginfo *info, const struct regs *regs, long nr, u32 data)
{
	memset(info, 0, sizeof(*info));
	info->si_signo = SIGSYS;
	info->si_code = SYS_SECCOMP;
	info->si_errno = (s32)data;
	info->sys.call_addr = regs_ip(regs);
	info->sys.syscall = (s32)nr;
	info->sys.arch = UAPI_AUDIT_ARCH;
}

static void
say(const char *what, long nr, u32 result)
{
	log_info("seccomp: %s[%d]: call %ld, %s (%#x)\n", current->thread.comm, task_tid(current),
		 nr, what, result);
}

/* A process dies as by an uncaught SIGSYS; one thread among others just ends. */
static void
die(const struct regs *regs, long nr, u32 data, bool whole)
{
	struct task *t = current;

	if (whole || READ_ONCE(t->process->nr_threads) == 1) {
		struct linux_siginfo info;

		sigsys_fill(&info, regs, nr, data);
		signal_force_fatal(SIGSYS, &info);
		return;
	}
	task_exit(SIGSYS);
}

static void
strict_check(long nr)
{
	if (nr != NR_read && nr != NR_write && nr != NR_exit && nr != NR_rt_sigreturn)
		task_exit(SIGKILL);
}

static long
filter_enter(struct regs *regs, long nr, bool traced_again)
{
	struct linux_seccomp_data d = { .nr = (s32)nr,
					.arch = UAPI_AUDIT_ARCH,
					.instruction_pointer = regs_ip(regs) };
	const struct seccomp_filter *f = smp_load_acquire(&current->seccomp);
	struct linux_siginfo info;
	bool log = false;

	for (u32 i = 0; i < 6; i++)
		d.args[i] = regs_arg(regs, i);
	u32 r = chain_run(f, &d, &log), data = r & SECCOMP_RET_DATA;
	switch (r & SECCOMP_RET_ACTION_FULL) {
	case SECCOMP_RET_ALLOW: return nr;
	case SECCOMP_RET_LOG: say("logged", nr, r); return nr;
	case SECCOMP_RET_ERRNO:
		if (log)
			say("refused", nr, r);
		regs_set_ret(regs, -(long)MIN(data, (u32)MAX_ERRNO));
		return -1;
	case SECCOMP_RET_TRAP:
		/* The handler sees the call as it was. */
		regs_set_ret(regs, nr);
		sigsys_fill(&info, regs, nr, data);
		signal_force(SIGSYS, &info);
		return -1;
	case SECCOMP_RET_TRACE:
		if (traced_again)
			return nr;
		if (!ptrace_event_wanted(PTRACE_EVENT_SECCOMP)) {
			regs_set_ret(regs, -ENOSYS);
			return -1;
		}
		ptrace_event(PTRACE_EVENT_SECCOMP, data);
		if (signal_fatal_pending(current))
			return -1;
		/* The tracer may have made another call of it: that is checked, too. */
		nr = regs_syscall_nr(regs);
		return nr < 0 ? -1 : filter_enter(regs, nr, true);
	case SECCOMP_RET_USER_NOTIF: regs_set_ret(regs, -ENOSYS); return -1;
	case SECCOMP_RET_KILL_THREAD:
		say("thread killed", nr, r);
		die(regs, nr, data, false);
		return -1;
	}
	/* SECCOMP_RET_KILL_PROCESS, and what nobody knows */
	say("killed", nr, r);
	die(regs, nr, data, true);
	return -1;
}

long
seccomp_enter(struct regs *regs, long nr)
{
	if (nr < 0)
		return nr;
	if (READ_ONCE(current->seccomp_mode) == SECCOMP_MODE_STRICT) {
		strict_check(nr);
		return nr;
	}
	return filter_enter(regs, nr, false);
}

/* ---- setting ---- */

static long
set_strict(void)
{
	struct task *t = current;
	struct sighand *sh = t->process->sighand;
	long r = -EINVAL;

	spin_lock_irq(&sh->lock);
	if (t->seccomp_mode != SECCOMP_MODE_FILTER) {
		t->seccomp_mode = SECCOMP_MODE_STRICT;
		thread_flag_set(&t->thread, TF_SECCOMP);
		r = 0;
	}
	spin_unlock_irq(&sh->lock);
	return r;
}

static int
filter_read(user_ptr uprog, struct seccomp_filter **out)
{
	struct linux_sock_fprog prog;
	struct seccomp_filter *f;
	int r = copy_from_user(&prog, uprog, sizeof(prog));

	if (r)
		return r;
	if (!prog.len || prog.len > BPF_MAXINSNS)
		return -EINVAL;
	size_t size = prog.len * sizeof(f->code[0]);
	f = kvmalloc(sizeof(*f) + size, GFP_KERNEL);
	if (!f)
		return -ENOMEM;
	memset(f, 0, sizeof(*f));
	ref_init(&f->ref);
	f->total = prog.len + FILTER_COST;
	r = copy_from_user(f->code, user_ptr_of(prog.filter), size);
	if (!r && !filter_check(f->code, prog.len))
		r = -EINVAL;
	if (r)
		kvfree(f);
	else
		*out = f;
	return r;
}

static bool
is_tail(const struct seccomp_filter *chain, const struct seccomp_filter *tail)
{
	while (chain && chain != tail)
		chain = chain->older;
	return chain == tail;
}

/* A thread that the new chain cannot be given to; 0: none. sighand->lock held. */
static int
odd_thread(struct task *me)
{
	struct task *t;

	list_for_each_entry(t, &me->process->threads, thread_node)
	{
		if (t == me || t->exiting)
			continue;
		if (t->seccomp_mode == SECCOMP_MODE_STRICT || !is_tail(me->seccomp, t->seccomp))
			return pid_nr(t->pid, current_pid_ns());
	}
	return 0;
}

/* sighand->lock held. The thread's old chain lives on as the new one's tail. */
static struct seccomp_filter *
give(struct task *t, struct seccomp_filter *f)
{
	struct seccomp_filter *old = t->seccomp;

	ref_get(&f->ref);
	smp_store_release(&t->seccomp, f);
	t->seccomp_filters++;
	WRITE_ONCE(t->seccomp_mode, SECCOMP_MODE_FILTER);
	thread_flag_set(&t->thread, TF_SECCOMP);
	return old;
}

/* 0, a thread's number (TSYNC), -EINVAL, -ENOMEM, -ESRCH. f is taken over. */
static long
install(struct seccomp_filter *f, u32 flags)
{
	struct task *me = current, *t;
	struct sighand *sh = me->process->sighand;
	int odd = 0;
	long r = 0;

	spin_lock_irq(&sh->lock);
	if (me->seccomp_mode == SECCOMP_MODE_STRICT)
		r = -EINVAL;
	else if (f->total + (me->seccomp ? me->seccomp->total : 0) > PATH_INSNS_MAX)
		r = -ENOMEM;
	else if (flags & SECCOMP_FILTER_FLAG_TSYNC)
		odd = odd_thread(me);
	if (odd)
		r = flags & SECCOMP_FILTER_FLAG_TSYNC_ESRCH ? -ESRCH : odd;
	if (!r) {
		f->older = me->seccomp; /* its reference moves here */
		f->total += f->older ? f->older->total : 0;
		give(me, f);
		if (flags & SECCOMP_FILTER_FLAG_TSYNC) {
			list_for_each_entry(t, &me->process->threads, thread_node)
			{
				if (t == me || t->exiting)
					continue;
				struct seccomp_filter *old = give(t, f);

				/* Never the last: f's chain holds it. */
				if (old)
					filter_put(old);
				t->seccomp_filters = me->seccomp_filters;
				t->no_new_privs |= me->no_new_privs;
			}
		}
	}
	spin_unlock_irq(&sh->lock);
	filter_put(f);
	return r;
}

static long
set_filter(u32 flags, user_ptr uprog)
{
	struct seccomp_filter *f;

	if (flags & ~(u32)FLAGS_KNOWN)
		return -EINVAL;
	if (!current->no_new_privs && !ns_capable(current_cred()->user_ns, CAP_SYS_ADMIN))
		return -EACCES;
	int r = filter_read(uprog, &f);
	if (r)
		return r;
	f->log = flags & SECCOMP_FILTER_FLAG_LOG;
	return install(f, flags);
}

static long
action_known(user_ptr uaction)
{
	u32 action;

	if (copy_from_user(&action, uaction, sizeof(action)))
		return -EFAULT;
	switch (action) {
	case SECCOMP_RET_KILL_PROCESS:
	case SECCOMP_RET_KILL_THREAD:
	case SECCOMP_RET_TRAP:
	case SECCOMP_RET_ERRNO:
	case SECCOMP_RET_TRACE:
	case SECCOMP_RET_LOG:
	case SECCOMP_RET_ALLOW: return 0;
	}
	return -EOPNOTSUPP;
}

long
sys_seccomp(unsigned int op, unsigned int flags, user_ptr args)
{
	switch (op) {
	case SECCOMP_SET_MODE_STRICT: return flags || !user_ptr_null(args) ? -EINVAL : set_strict();
	case SECCOMP_SET_MODE_FILTER: return set_filter(flags, args);
	case SECCOMP_GET_ACTION_AVAIL: return flags ? -EINVAL : action_known(args);
	}
	return -EINVAL;
}

/* prctl(PR_SET_SECCOMP) */
long
seccomp_prctl(u64 mode, u64 prog)
{
	switch (mode) {
	case SECCOMP_MODE_STRICT: return set_strict();
	case SECCOMP_MODE_FILTER: return set_filter(0, user_ptr_of(prog));
	}
	return -EINVAL;
}

void
seccomp_fork(struct task *child)
{
	struct task *me = current;

	if (likely(!me->seccomp_mode))
		return;
	child->no_new_privs = me->no_new_privs;
	child->seccomp_mode = me->seccomp_mode;
	child->seccomp = me->seccomp;
	child->seccomp_filters = me->seccomp_filters;
	if (child->seccomp)
		ref_get(&child->seccomp->ref);
	thread_flag_set(&child->thread, TF_SECCOMP);
}

void
seccomp_exit(struct task *t)
{
	filter_put(t->seccomp);
	t->seccomp = NULL;
}
