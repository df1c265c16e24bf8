/* SPDX-License-Identifier: MIT */
/*
 * Scheduling system calls: sched(7), sched_setaffinity(2), setpriority(2).
 *
 * Who may change whom: one's own threads, those of a process with the same user id, and with
 * CAP_SYS_NICE everybody. Nice values below, and real-time priorities above, what the thread has
 * are limited by RLIMIT_NICE and RLIMIT_RTPRIO of its process.
 *
 * SCHED_DEADLINE and utilisation clamping do not exist: EINVAL and EOPNOTSUPP.
 */
#include "core/cpumask.h"
#include "generated/syscalls.h"
#include "lib/string.h"
#include "mm/user.h"
#include "sched/sched.h"
#include "task/clock.h"
#include "task/cred.h"
#include "task/pid.h"
#include "task/task.h"
#include "uapi/errno.h"
#include "uapi/resource.h"
#include "uapi/sched.h"

/* ---- policies ---- */

static int
policy_from_user(int policy, u8 *out)
{
	switch (policy) {
	case SCHED_NORMAL: *out = SCHED_P_FAIR; return 0;
	case SCHED_FIFO: *out = SCHED_P_FIFO; return 0;
	case SCHED_RR: *out = SCHED_P_RR; return 0;
	case SCHED_BATCH: *out = SCHED_P_BATCH; return 0;
	case SCHED_IDLE: *out = SCHED_P_IDLE; return 0;
	}
	return -EINVAL;
}

static int
policy_to_user(u8 policy)
{
	static const int number[] = {
		[SCHED_P_FAIR] = SCHED_NORMAL, [SCHED_P_FIFO] = SCHED_FIFO, [SCHED_P_RR] = SCHED_RR,
		[SCHED_P_BATCH] = SCHED_BATCH, [SCHED_P_IDLE] = SCHED_IDLE,
	};

	return number[policy];
}

static bool
policy_is_rt(u8 policy)
{
	return policy == SCHED_P_FIFO || policy == SCHED_P_RR;
}

/* ---- who may ---- */

/* 0: the current task; referenced. */
static struct task *
target_find(int pid)
{
	if (pid)
		return pid > 0 ? task_find(pid) : NULL;
	task_get(current);
	return current;
}

static bool
same_owner(struct task *t)
{
	const struct cred *me = current_cred(), *c;
	bool same;

	rcu_read_lock();
	c = rcu_dereference(t->cred);
	same = me->euid == c->euid || me->euid == c->uid;
	rcu_read_unlock();
	return same;
}

static bool
nice_allowed(struct task *t, int nice)
{
	/* RLIMIT_NICE counts from 1 (nice 19) to 40 (nice -20). */
	return (u64)(20 - nice) <= READ_ONCE(t->process->limits.lim[RLIMIT_NICE].cur) ||
	       capable(CAP_SYS_NICE);
}

static int
params_allowed(struct task *t, const struct sched_params *old, const struct sched_params *new)
{
	u64 rt_limit = READ_ONCE(t->process->limits.lim[RLIMIT_RTPRIO].cur);

	if (capable(CAP_SYS_NICE))
		return 0;
	if (!same_owner(t))
		return -EPERM;
	if (policy_is_rt(new->policy)) {
		if (!rt_limit && new->policy != old->policy)
			return -EPERM;
		if (new->rt_priority > old->rt_priority &&new->rt_priority > rt_limit)
			return -EPERM;
	} else if (new->nice < old->nice && !nice_allowed(t, new->nice)) {
		return -EPERM;
	}
	/* Leaving SCHED_IDLE raises its share as a lower nice value would. */
	if (old->policy == SCHED_P_IDLE && new->policy != SCHED_P_IDLE &&
	    !nice_allowed(t, old->nice))
		return -EPERM;
	if (old->reset_on_fork && !new->reset_on_fork)
		return -EPERM;
	return 0;
}

static int
params_valid(const struct sched_params *p)
{
	if (policy_is_rt(p->policy) ? p->rt_priority < 1 || p->rt_priority > 99
				    : p->rt_priority != 0)
		return -EINVAL;
	return 0;
}

static int
params_set(struct task *t, const struct sched_params *new)
{
	struct sched_params old;
	int r = params_valid(new);

	if (r)
		return r;
	sched_get_params(&t->thread, &old);
	r = params_allowed(t, &old, new);
	return r ? r : sched_set_params(&t->thread, new);
}

/* ---- sched_setscheduler and its family ---- */

/* `policy` -1: keep it. */
static long
scheduler_set(int pid, int policy, user_ptr param)
{
	struct linux_sched_param sp;
	struct sched_params new;
	struct task *t;
	int r = 0;

	if (user_ptr_null(param) || pid < 0)
		return -EINVAL;
	if (copy_from_user(&sp, param, sizeof(sp)))
		return -EFAULT;
	t = target_find(pid);
	if (!t)
		return -ESRCH;
	sched_get_params(&t->thread, &new);
	if (policy != -1) {
		new.reset_on_fork = policy &SCHED_RESET_ON_FORK;
		r = policy_from_user(policy & ~SCHED_RESET_ON_FORK, &new.policy);
	}
	if (r == 0 && (sp.sched_priority < 0 || sp.sched_priority > 99))
		r = -EINVAL;
	if (r == 0) {
		new.rt_priority = (u8)sp.sched_priority;
		r = params_set(t, &new);
	}
	task_put(t);
	return r;
}

long
sys_sched_setscheduler(int pid, int policy, user_ptr param)
{
	return policy < 0 ? -EINVAL : scheduler_set(pid, policy, param);
}

long
sys_sched_setparam(int pid, user_ptr param)
{
	return scheduler_set(pid, -1, param);
}

long
sys_sched_getscheduler(int pid)
{
	struct sched_params p;
	struct task *t;

	if (pid < 0)
		return -EINVAL;
	t = target_find(pid);
	if (!t)
		return -ESRCH;
	sched_get_params(&t->thread, &p);
	task_put(t);
	return policy_to_user(p.policy) | (p.reset_on_fork ? SCHED_RESET_ON_FORK : 0);
}

long
sys_sched_getparam(int pid, user_ptr param)
{
	struct linux_sched_param sp;
	struct sched_params p;
	struct task *t;

	if (user_ptr_null(param) || pid < 0)
		return -EINVAL;
	t = target_find(pid);
	if (!t)
		return -ESRCH;
	sched_get_params(&t->thread, &p);
	task_put(t);
	sp.sched_priority = p.rt_priority;
	return copy_to_user(param, &sp, sizeof(sp));
}

/* What the structure asks for, over what the thread has. */
static int
attr_apply(const struct linux_sched_attr *attr, struct sched_params *p)
{
	int r;

	if (attr->sched_flags & ~(u64)SCHED_FLAG_ALL)
		return -EINVAL;
	if (attr->sched_flags & (SCHED_FLAG_UTIL_CLAMP_MIN | SCHED_FLAG_UTIL_CLAMP_MAX))
		return -EOPNOTSUPP;
	p->reset_on_fork = attr->sched_flags & SCHED_FLAG_RESET_ON_FORK;
	if (!(attr->sched_flags & SCHED_FLAG_KEEP_POLICY)) {
		if ((s32)attr->sched_policy < 0)
			return -EINVAL;
		r = policy_from_user((int)attr->sched_policy, &p->policy);
		if (r)
			return r;
	}
	if (attr->sched_flags & SCHED_FLAG_KEEP_PARAMS)
		return 0;
	if (attr->sched_priority > 99)
		return -EINVAL;
	p->rt_priority = (u8)attr->sched_priority;
	if (!policy_is_rt(p->policy))
		p->nice = (s8)CLAMP(attr->sched_nice, -20, 19);
	return 0;
}

static int
attr_from_user(user_ptr attr, struct linux_sched_attr *out)
{
	u32 size;
	int r;

	if (get_user(&size, attr))
		return -EFAULT;
	if (!size)
		size = SCHED_ATTR_SIZE_VER0;
	r = size < SCHED_ATTR_SIZE_VER0 || size > 4096
		    ? -E2BIG
		    : copy_struct_from_user(out, sizeof(*out), attr, size);
	/* Tell what would have been the right size. */
	if (r == -E2BIG && put_user(attr, (u32)sizeof(*out)))
		return -EFAULT;
	return r;
}

long
sys_sched_setattr(int pid, user_ptr attr, unsigned int flags)
{
	struct linux_sched_attr a;
	struct sched_params new;
	struct task *t;
	int r;

	if (user_ptr_null(attr) || pid < 0 || flags)
		return -EINVAL;
	r = attr_from_user(attr, &a);
	if (r)
		return r;
	t = target_find(pid);
	if (!t)
		return -ESRCH;
	sched_get_params(&t->thread, &new);
	r = attr_apply(&a, &new);
	if (r == 0)
		r = params_set(t, &new);
	task_put(t);
	return r;
}

long
sys_sched_getattr(int pid, user_ptr attr, unsigned int size, unsigned int flags)
{
	struct linux_sched_attr a = { 0 };
	struct sched_params p;
	struct task *t;

	if (user_ptr_null(attr) || pid < 0 || size > 4096 || size < SCHED_ATTR_SIZE_VER0 || flags)
		return -EINVAL;
	t = target_find(pid);
	if (!t)
		return -ESRCH;
	sched_get_params(&t->thread, &p);
	task_put(t);
	a.size = MIN(size, (unsigned int)sizeof(a));
	a.sched_policy = (u32)policy_to_user(p.policy);
	a.sched_flags = p.reset_on_fork ? SCHED_FLAG_RESET_ON_FORK : 0;
	if (policy_is_rt(p.policy))
		a.sched_priority = p.rt_priority;
	else
		a.sched_nice = p.nice;
	return copy_to_user(attr, &a, a.size);
}

long
sys_sched_get_priority_max(int policy)
{
	u8 p;

	if (policy == SCHED_DEADLINE)
		return 0;
	if (policy_from_user(policy, &p))
		return -EINVAL;
	return policy_is_rt(p) ? 99 : 0;
}

long
sys_sched_get_priority_min(int policy)
{
	u8 p;

	if (policy == SCHED_DEADLINE)
		return 0;
	if (policy_from_user(policy, &p))
		return -EINVAL;
	return policy_is_rt(p) ? 1 : 0;
}

long
sys_sched_rr_get_interval(int pid, user_ptr interval)
{
	struct task *t;
	u64 ns;

	if (pid < 0)
		return -EINVAL;
	t = target_find(pid);
	if (!t)
		return -ESRCH;
	ns = sched_rr_interval_ns(&t->thread);
	task_put(t);
	return timespec_write_user(interval, ns);
}

long
sys_sched_yield(void)
{
	sched_yield();
	return 0;
}

/* ---- affinity ---- */

static size_t
mask_bytes(void)
{
	return ALIGN_UP(cpu_count, 64u) / 8;
}

long
sys_sched_setaffinity(int pid, unsigned int length, user_ptr mask)
{
	struct cpumask m;
	struct task *t;
	int r;

	cpumask_zero(&m);
	if (copy_from_user(&m, mask, MIN((size_t)length, mask_bytes())))
		return -EFAULT;
	t = target_find(pid);
	if (!t)
		return -ESRCH;
	r = same_owner(t) || capable(CAP_SYS_NICE) ? sched_set_affinity(&t->thread, &m) : -EPERM;
	task_put(t);
	return r;
}

long
sys_sched_getaffinity(int pid, unsigned int length, user_ptr mask)
{
	size_t bytes = MIN((size_t)length, mask_bytes());
	struct cpumask m;
	struct task *t;

	if ((u64)length * 8 < cpu_count || length % sizeof(u64))
		return -EINVAL;
	t = target_find(pid);
	if (!t)
		return -ESRCH;
	sched_get_affinity(&t->thread, &m);
	task_put(t);
	return copy_to_user(mask, &m, bytes) ? -EFAULT : (long)bytes;
}

long
sys_getcpu(user_ptr cpu, user_ptr node, user_ptr unused)
{
	u32 id = cpu_id();

	if (!user_ptr_null(cpu) && put_user(cpu, id))
		return -EFAULT;
	if (!user_ptr_null(node) && put_user(node, (u32)0))
		return -EFAULT;
	return 0;
}

/* ---- nice values ---- */

/* getpriority and setpriority look at a thread, a process group or all threads of a user. */
struct priority_walk {
	bool set;
	int nice;    /* to set */
	long result; /* get: the best (20 - nice) so far; set: 0 or the last error */
	int count;
};

static void
priority_visit(struct priority_walk *walk, struct task *t)
{
	struct sched_params p;

	sched_get_params(&t->thread, &p);
	walk->count++;
	if (!walk->set) {
		walk->result = MAX(walk->result, 20l - p.nice);
		return;
	}
	/* Same owner: our effective id is its real or effective one. */
	if (!same_owner(t) && !capable(CAP_SYS_NICE))
		walk->result = -EPERM;
	else if (walk->nice < p.nice && !nice_allowed(t, walk->nice))
		walk->result = -EACCES;
	else
		sched_set_nice(&t->thread, walk->nice);
}

static void
priority_visit_process(struct priority_walk *walk, struct process *p, bool by_user, u32 uid)
{
	struct task *t;
	int tid = 0;

	while ((t = process_next_thread(p, &tid))) {
		bool match = true;

		if (by_user) {
			rcu_read_lock();
			match = rcu_dereference(t->cred)->uid == uid;
			rcu_read_unlock();
		}
		if (match)
			priority_visit(walk, t);
		task_put(t);
		tid++;
	}
}

static void
priority_visit_all(struct priority_walk *walk, int which, int who)
{
	struct pid *pgrp = NULL;
	struct process *p;
	struct task *t;
	u32 uid = who ? (u32)who : current_cred()->uid;

	if (which == PRIO_PROCESS) {
		t = target_find(who);
		if (t) {
			priority_visit(walk, t);
			task_put(t);
		}
		return;
	}
	if (which == PRIO_PGRP) {
		if (who < 0)
			return;
		pgrp = who ? pid_find(current_pid_ns(), who) : NULL;
		if (who && !pgrp)
			return;
	}
	for (int nr = 1; (p = process_next(&nr)); nr++) {
		if (which == PRIO_USER ||
		    READ_ONCE(p->pgrp) == (pgrp ? pgrp : READ_ONCE(current->process->pgrp)))
			priority_visit_process(walk, p, which == PRIO_USER, uid);
		process_put(p);
	}
	if (pgrp)
		pid_put(pgrp);
}

long
sys_getpriority(int which, int who)
{
	struct priority_walk walk = { .set = false };

	if (which < PRIO_PROCESS || which > PRIO_USER)
		return -EINVAL;
	priority_visit_all(&walk, which, who);
	return walk.count ? walk.result : -ESRCH;
}

long
sys_setpriority(int which, int who, int nice)
{
	struct priority_walk walk = { .set = true, .nice = CLAMP(nice, -20, 19) };

	if (which < PRIO_PROCESS || which > PRIO_USER)
		return -EINVAL;
	priority_visit_all(&walk, which, who);
	return walk.count ? walk.result : -ESRCH;
}
