/* SPDX-License-Identifier: MIT */
/*
 * Resource limits and usage: getrlimit(2), prlimit(2), getrusage(2).
 *
 * Limits are read without a lock, a word at a time; process->lock orders writers. What a limit
 * means is checked where the resource is handed out.
 */
#include "task/rlimit.h"

#include "generated/syscalls.h"
#include "lib/string.h"
#include "mm/mm.h"
#include "mm/user.h"
#include "sched/sched.h"
#include "task/task.h"
#include "task_internal.h"
#include "uapi/errno.h"
#include "uapi/time.h"

#define NR_OPEN_MAX 1048576

u64
rlimit_current(u32 resource)
{
	/* A kernel thread that writes a file (initramfs, loop) is nobody's process. */
	if (unlikely(thread_current()->is_kernel))
		return RLIM_INFINITY;
	return READ_ONCE(current->process->limits.lim[resource].cur);
}

static void
rlimit_mm_limits(struct mm_limits *out)
{
	const struct rlimit_set *l = &current->process->limits;

	out->as = READ_ONCE(l->lim[RLIMIT_AS].cur);
	out->data = READ_ONCE(l->lim[RLIMIT_DATA].cur);
	out->stack = READ_ONCE(l->lim[RLIMIT_STACK].cur);
	out->memlock = READ_ONCE(l->lim[RLIMIT_MEMLOCK].cur);
	out->memlock_exempt = capable(CAP_IPC_LOCK);
	out->low_exempt = capable(CAP_SYS_RAWIO);
	out->reserve_exempt = capable(CAP_SYS_ADMIN);
}

void
rlimit_init(void)
{
	mm_get_limits = rlimit_mm_limits;
}

/* What the first process starts with; max_tasks follows the size of memory. */
void
rlimit_defaults(struct rlimit_set *l, u64 max_tasks)
{
	for (u32 i = 0; i < RLIM_NLIMITS; i++)
		l->lim[i].cur = l->lim[i].max = RLIM_INFINITY;
	l->lim[RLIMIT_STACK].cur = 8ull << 20;
	l->lim[RLIMIT_CORE].cur = 0;
	l->lim[RLIMIT_NPROC].cur = l->lim[RLIMIT_NPROC].max = max_tasks;
	l->lim[RLIMIT_NOFILE].cur = 1024;
	l->lim[RLIMIT_NOFILE].max = 4096;
	l->lim[RLIMIT_MEMLOCK].cur = l->lim[RLIMIT_MEMLOCK].max = 8ull << 20;
	l->lim[RLIMIT_SIGPENDING].cur = l->lim[RLIMIT_SIGPENDING].max = max_tasks;
	l->lim[RLIMIT_MSGQUEUE].cur = l->lim[RLIMIT_MSGQUEUE].max = 819200;
	l->lim[RLIMIT_NICE].cur = l->lim[RLIMIT_NICE].max = 0;
	l->lim[RLIMIT_RTPRIO].cur = l->lim[RLIMIT_RTPRIO].max = 0;
}

static int
rlimit_change(struct process *p, u32 resource, const struct linux_rlimit64 *new,
	      struct linux_rlimit64 *old)
{
	int r = 0;
	unsigned long flags = spin_lock_irqsave(&p->lock);

	old->rlim_cur = p->limits.lim[resource].cur;
	old->rlim_max = p->limits.lim[resource].max;
	if (new) {
		if (new->rlim_max > old->rlim_max && !capable(CAP_SYS_RESOURCE)) {
			r = -EPERM;
		} else {
			WRITE_ONCE(p->limits.lim[resource].max, new->rlim_max);
			WRITE_ONCE(p->limits.lim[resource].cur, new->rlim_cur);
			if (resource == RLIMIT_CPU)
				cpu_timers_changed(p);
		}
	}
	spin_unlock_irqrestore(&p->lock, flags);
	return r;
}

static int
rlimit_check(u32 resource, const struct linux_rlimit64 *new)
{
	if (new->rlim_cur > new->rlim_max)
		return -EINVAL;
	if (resource == RLIMIT_NOFILE && new->rlim_max > NR_OPEN_MAX)
		return -EPERM;
	return 0;
}

long
sys_getrlimit(u32 resource, user_ptr limit)
{
	struct linux_rlimit64 old;

	if (resource >= RLIM_NLIMITS)
		return -EINVAL;
	(void)rlimit_change(current->process, resource, NULL, &old);
	return copy_to_user(limit, &old, sizeof(old));
}

long
sys_setrlimit(u32 resource, user_ptr limit)
{
	struct linux_rlimit64 new, old;
	int r = copy_from_user(&new, limit, sizeof(new));

	if (r)
		return r;
	if (resource >= RLIM_NLIMITS)
		return -EINVAL;
	r = rlimit_check(resource, &new);
	return r ? r : rlimit_change(current->process, resource, &new, &old);
}

/* prlimit(2): real, effective and saved ids of the target all equal our real ones, or
 * CAP_SYS_RESOURCE. */
static bool
prlimit_allowed(struct process *p)
{
	const struct cred *me = current_cred();
	bool ok = true;

	if (p == current->process || cred_capable(me, CAP_SYS_RESOURCE))
		return true;
	rcu_read_lock();
	struct task *leader = READ_ONCE(p->leader);
	if (leader) {
		const struct cred *c = rcu_dereference(leader->cred);

		ok = me->uid == c->euid && me->uid == c->suid && me->uid == c->uid &&
		     me->gid == c->egid && me->gid == c->sgid && me->gid == c->gid;
	}
	rcu_read_unlock();
	return ok;
}

long
sys_prlimit64(int pid, u32 resource, user_ptr limit, user_ptr old_limit)
{
	struct linux_rlimit64 new, old;
	struct process *p = current->process;
	int r;

	if (resource >= RLIM_NLIMITS)
		return -EINVAL;
	if (!user_ptr_null(limit)) {
		r = copy_from_user(&new, limit, sizeof(new));
		if (r == 0)
			r = rlimit_check(resource, &new);
		if (r)
			return r;
	}
	if (pid) {
		struct task *t = pid > 0 ? task_find(pid) : NULL;

		if (!t)
			return -ESRCH;
		p = t->process;
		process_get(p);
		task_put(t);
	}
	r = -EPERM;
	if (prlimit_allowed(p))
		r = rlimit_change(p, resource, user_ptr_null(limit) ? NULL : &new, &old);
	if (pid)
		process_put(p);
	if (r == 0 && !user_ptr_null(old_limit))
		r = copy_to_user(old_limit, &old, sizeof(old));
	return r;
}

/* ---- usage ---- */

static void
timeval_set(struct linux_timeval *tv, u64 ns)
{
	tv->tv_sec = (s64)(ns / NSEC_PER_SEC);
	tv->tv_usec = (s64)(ns % NSEC_PER_SEC / NSEC_PER_USEC);
}

static s64
timeval_ticks(const struct linux_timeval *tv)
{
	return tv->tv_sec * USER_HZ + tv->tv_usec / (1000000 / USER_HZ);
}

static void
rusage_add_thread(struct linux_rusage *ru, struct task *t, u64 *utime, u64 *stime)
{
	u64 u, s;

	sched_thread_times(&t->thread, &u, &s);
	*utime += u;
	*stime += s;
	ru->ru_minflt += (s64)t->thread.min_flt;
	ru->ru_majflt += (s64)t->thread.maj_flt;
	ru->ru_nvcsw += (s64)t->thread.nvcsw;
	ru->ru_nivcsw += (s64)t->thread.nivcsw;
}

void
process_rusage(struct process *p, int who, struct linux_rusage *ru)
{
	u64 utime = 0, stime = 0, maxrss = 0;
	unsigned long flags;
	struct task *t;

	memset(ru, 0, sizeof(*ru));
	struct sighand *sh = sighand_lock(p, &flags);
	if (who == RUSAGE_THREAD) {
		rusage_add_thread(ru, current, &utime, &stime);
		maxrss = p->maxrss;
	} else if (who == RUSAGE_CHILDREN) {
		utime = p->child_utime_ns;
		stime = p->child_stime_ns;
		ru->ru_minflt = (s64)p->child_min_flt;
		ru->ru_majflt = (s64)p->child_maj_flt;
		ru->ru_nvcsw = (s64)p->child_nvcsw;
		ru->ru_nivcsw = (s64)p->child_nivcsw;
		maxrss = p->child_maxrss;
	} else {
		utime = p->dead_utime_ns;
		stime = p->dead_stime_ns;
		ru->ru_minflt = (s64)p->dead_min_flt;
		ru->ru_majflt = (s64)p->dead_maj_flt;
		ru->ru_nvcsw = (s64)p->dead_nvcsw;
		ru->ru_nivcsw = (s64)p->dead_nivcsw;
		list_for_each_entry(t, &p->threads, thread_node)
			rusage_add_thread(ru, t, &utime, &stime);
		maxrss = p->maxrss;
	}
	sighand_unlock(sh, flags);

	struct mm *mm = who != RUSAGE_CHILDREN && p == current->process ? current->thread.mm : NULL;
	if (mm) {
		u64 now = (u64)(atomic64_read(&mm->rss_anon) + atomic64_read(&mm->rss_file) +
				atomic64_read(&mm->rss_shmem));

		maxrss = MAX(maxrss, MAX(now, (u64)atomic64_read(&mm->hiwater_rss)));
	}
	ru->ru_maxrss = (s64)(maxrss * (PAGE_SIZE / 1024));
	timeval_set(&ru->ru_utime, utime);
	timeval_set(&ru->ru_stime, stime);
}

/* times(2): in ticks, and the time since boot (modulo what fits) as the result. */
long
sys_times(user_ptr buf)
{
	struct linux_rusage self, children;
	struct linux_tms t;

	if (!user_ptr_null(buf)) {
		process_rusage(current->process, RUSAGE_SELF, &self);
		process_rusage(current->process, RUSAGE_CHILDREN, &children);
		t.tms_utime = timeval_ticks(&self.ru_utime);
		t.tms_stime = timeval_ticks(&self.ru_stime);
		t.tms_cutime = timeval_ticks(&children.ru_utime);
		t.tms_cstime = timeval_ticks(&children.ru_stime);
		int r = copy_to_user(buf, &t, sizeof(t));
		if (r)
			return r;
	}
	return (long)(time_mono_ns() / (NSEC_PER_SEC / USER_HZ));
}

long
sys_getrusage(int who, user_ptr usage)
{
	struct linux_rusage ru;

	if (who != RUSAGE_SELF && who != RUSAGE_CHILDREN && who != RUSAGE_THREAD)
		return -EINVAL;
	process_rusage(current->process, who, &ru);
	return copy_to_user(usage, &ru, sizeof(ru));
}
