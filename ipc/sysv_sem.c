/* SPDX-License-Identifier: MIT */
/*
 * System V semaphores: semget(2), semop(2), semctl(2).
 *
 * The operations of a call happen all at once or not at all, under the set's lock. Who cannot have
 * them sleeps until the set has changed and tries again; it is listed meanwhile, for GETNCNT and
 * GETZCNT.
 *
 * SEM_UNDO: what to add to each semaphore at exit is a struct undo for each pair of a set and an
 * undo list. It hangs on both: a set that is removed takes its undos out of the lists. A list
 * belongs to the tasks that share it by CLONE_SYSVSEM, and is made at the first need.
 *
 * Locking: the set's lock, then an undo list's.
 */
#include "generated/syscalls.h"
#include "lib/format.h"
#include "lib/list.h"
#include "mm/slab.h"
#include "sysv_internal.h"
#include "task/clock.h"
#include "task/nsset.h"
#include "task/pid.h"
#include "task/signal.h"
#include "task/task.h"
#include "uapi/errno.h"
#include "uapi/sched.h"

#define OPS_ON_STACK 16

struct sem {
	u16 value;
	s32 last; /* pid of who changed it */
};

struct sem_set {
	struct sysv_object base;
	struct list undos, sleepers; /* [P], as all below */
	u64 changes;		     /* of values, and the removal */
	s64 otime, ctime;
	u32 count; /* [I] */
	struct wait_queue wait;
	struct sem sems[];
};

struct sleeper {
	struct list node;
	u32 index;
	bool for_zero;
};

struct undo_list {
	struct ref ref; /* tasks */
	struct spinlock lock;
	struct list undos;
};

struct undo {
	struct list set_node, list_node;
	struct sem_set *set;
	struct undo_list *list;
	s16 adjust[];
};

static struct sem_set *
set_of(const struct sysv_object *o)
{
	return container_of(o, struct sem_set, base);
}

/* The values have changed. Locked. */
static void
changed_locked(struct sem_set *s)
{
	WRITE_ONCE(s->changes, s->changes + 1);
	wake_up_all(&s->wait);
}

/* ---- sets ---- */

static int
set_create(struct ipc_ns *ns, const struct sysv_get *get, struct sysv_object **out)
{
	u32 n = (u32)get->size;
	struct sem_set *s;

	if (!n)
		return -EINVAL;
	if ((u64)atomic64_read(&ns->sems) + n > READ_ONCE(ns->limits.semmns))
		return -ENOSPC;
	s = kvmalloc(sizeof(*s) + n * sizeof(s->sems[0]), GFP_KERNEL | GFP_ZERO);
	if (!s)
		return -ENOMEM;
	sysv_object_init(&s->base, &sem_ops, get);
	list_init(&s->undos);
	list_init(&s->sleepers);
	wait_queue_init(&s->wait);
	s->count = n;
	s->ctime = sysv_now();
	atomic64_add(&ns->sems, n);
	*out = &s->base;
	return 0;
}

static int
set_check(const struct sysv_object *o, const struct sysv_get *get)
{
	return get->size > set_of(o)->count ? -EINVAL : 0;
}

static void
undo_unlink_locked(struct undo *u)
{
	list_del(&u->set_node);
	spin_lock(&u->list->lock);
	list_del(&u->list_node);
	spin_unlock(&u->list->lock);
}

static void
set_removed(struct ipc_ns *ns, struct sysv_object *o)
{
	struct sem_set *s = set_of(o);
	struct undo *u, *next;
	LIST_HEAD(gone);

	spin_lock(&o->lock);
	list_for_each_entry_safe(u, next, &s->undos, set_node)
	{
		undo_unlink_locked(u);
		list_add(&u->set_node, &gone);
	}
	changed_locked(s);
	spin_unlock(&o->lock);
	list_for_each_entry_safe(u, next, &gone, set_node) kvfree(u);
	atomic64_sub(&ns->sems, s->count);
}

static void
set_free(struct sysv_object *o)
{
	kvfree(set_of(o));
}

static void
set_show(struct strbuf *sb, struct sysv_object *o)
{
	const struct sem_set *s = set_of(o);

	strbuf_printf(sb, "%10d %10d  %4o %10u", o->key, o->id, o->mode, s->count);
	sysv_show_perm(sb, o, " %5u %5u %5u %5u");
	strbuf_printf(sb, " %10ld %10ld\n", s->otime, s->ctime);
}

long
sys_semget(int key, int count, int flags)
{
	struct sysv_get get = { .key = key, .size = (u64)count, .flags = flags };

	if (count < 0 || (u32)count > READ_ONCE(ipc_limits_current()->semmsl))
		return -EINVAL;
	return sysv_get(&sem_ops, &get);
}

/* ---- undo ---- */

static int
undo_list_make(struct task *t)
{
	struct undo_list *l;

	if (t->sem_undo)
		return 0;
	l = kzalloc(sizeof(*l), GFP_KERNEL);
	if (!l)
		return -ENOMEM;
	ref_init(&l->ref);
	spin_init(&l->lock, RANK_SYSV_UNDO);
	list_init(&l->undos);
	t->sem_undo = l;
	return 0;
}

static struct undo *
undo_find(struct undo_list *l, const struct sem_set *s)
{
	struct undo *u, *found = NULL;

	spin_lock(&l->lock);
	list_for_each_entry(u, &l->undos, list_node)
	{
		if (u->set == s) {
			found = u;
			break;
		}
	}
	spin_unlock(&l->lock);
	return found;
}

/* The current task has an undo for the set now, or the set is gone: -EIDRM. */
static int
undo_prepare(struct sem_set *s)
{
	struct undo *fresh;
	int r = undo_list_make(current);

	if (r)
		return r;
	struct undo_list *l = current->sem_undo;
	spin_lock(&s->base.lock);
	bool have = undo_find(l, s) != NULL;
	spin_unlock(&s->base.lock);
	if (have)
		return 0;
	fresh = kvmalloc(sizeof(*fresh) + s->count * sizeof(fresh->adjust[0]),
			 GFP_KERNEL | GFP_ZERO);
	if (!fresh)
		return -ENOMEM;
	fresh->set = s;
	fresh->list = l;
	spin_lock(&s->base.lock);
	if (s->base.removed) {
		r = -EIDRM;
	} else if (!undo_find(l, s)) {
		list_add(&fresh->set_node, &s->undos);
		spin_lock(&l->lock);
		list_add(&fresh->list_node, &l->undos);
		spin_unlock(&l->lock);
		fresh = NULL;
	}
	spin_unlock(&s->base.lock);
	kvfree(fresh);
	return r;
}

static void
undo_apply_locked(struct sem_set *s, const struct undo *u)
{
	bool changed = false;

	for (u32 i = 0; i < s->count; i++) {
		if (!u->adjust[i])
			continue;
		s->sems[i].value = (u16)CLAMP(s->sems[i].value + u->adjust[i], 0, SEMVMX);
		changed = true;
	}
	if (changed) {
		s->otime = sysv_now();
		changed_locked(s);
	}
}

/* The set of some undo on the list, referenced; NULL: there is none left. */
static struct sem_set *
undo_first(struct undo_list *l)
{
	struct sem_set *s;

	rcu_read_lock();
	do {
		spin_lock(&l->lock);
		struct undo *u = list_first_entry_or_null(&l->undos, struct undo, list_node);
		s = u ? u->set : NULL;
		spin_unlock(&l->lock);
		/* Unreferenced, it has been removed, which took the undo away: look again. */
	} while (s && !ref_try_get(&s->base.ref));
	rcu_read_unlock();
	return s;
}

void
sem_exit(struct task *t)
{
	struct undo_list *l = t->sem_undo;
	struct sem_set *s;

	t->sem_undo = NULL;
	if (!l || !ref_put(&l->ref))
		return;
	while ((s = undo_first(l)) != NULL) {
		spin_lock(&s->base.lock);
		struct undo *u = undo_find(l, s);
		if (u) {
			undo_unlink_locked(u);
			undo_apply_locked(s, u);
		}
		spin_unlock(&s->base.lock);
		kvfree(u);
		sysv_put(&s->base);
	}
	kfree(l);
}

int
sem_fork(struct task *child, u64 flags)
{
	child->sem_undo = NULL;
	if (!(flags & CLONE_SYSVSEM))
		return 0;
	int r = undo_list_make(current);
	if (r)
		return r;
	ref_get(&current->sem_undo->ref);
	child->sem_undo = current->sem_undo;
	return 0;
}

/* ---- semop(2) ---- */

/*
 * All operations, or none: 0; -EAGAIN: *blocked cannot be done now; -ERANGE. Locked. Values wander
 * below zero or too far only for as long as it takes to undo them.
 */
static int
perform_locked(struct sem_set *s, const struct linux_sembuf *ops, u32 n, struct undo *u,
	       const struct linux_sembuf **blocked)
{
	int r = 0;
	u32 i;

	for (i = 0; i < n && !r; i++) {
		const struct linux_sembuf *op = &ops[i];
		struct sem *sem = &s->sems[op->sem_num];
		int value = sem->value + op->sem_op;

		*blocked = op;
		if ((op->sem_op == 0 && sem->value) || value < 0) {
			r = -EAGAIN;
		} else if (value > SEMVMX) {
			r = -ERANGE;
		} else {
			int adjust = op->sem_flg & SEM_UNDO ? u->adjust[op->sem_num] - op->sem_op
							    : 0;
			if (adjust < -SEMVMX - 1 || adjust > SEMVMX) {
				r = -ERANGE;
				continue;
			}
			if (op->sem_flg & SEM_UNDO)
				u->adjust[op->sem_num] = (s16)adjust;
			sem->value = (u16)value;
		}
	}
	if (!r)
		return 0;
	for (i--; i-- > 0;) { /* the last one was not done */
		s->sems[ops[i].sem_num].value = (u16)(s->sems[ops[i].sem_num].value -
						      ops[i].sem_op);
		if (ops[i].sem_flg & SEM_UNDO)
			u->adjust[ops[i].sem_num] = (s16)(u->adjust[ops[i].sem_num] +
							  ops[i].sem_op);
	}
	return r;
}

/* Who did it is remembered. Locked. */
static void
performed_locked(struct sem_set *s, const struct linux_sembuf *ops, u32 n, bool alter)
{
	s32 me = sysv_pid();

	for (u32 i = 0; i < n; i++)
		s->sems[ops[i].sem_num].last = me;
	s->otime = sysv_now();
	if (alter)
		changed_locked(s);
}

static int
set_operate(struct sem_set *s, const struct linux_sembuf *ops, u32 n, bool alter, bool undo,
	    u64 deadline)
{
	for (;;) {
		const struct linux_sembuf *blocked = ops;
		struct sleeper me;
		struct undo *u = NULL;
		int r;

		spin_lock(&s->base.lock);
		u64 seen = s->changes;
		r = s->base.removed ? -EIDRM : 0;
		if (!r && undo) {
			u = undo_find(current->sem_undo, s);
			r = u ? 0 : -EIDRM;
		}
		if (!r)
			r = perform_locked(s, ops, n, u, &blocked);
		if (r == 0)
			performed_locked(s, ops, n, alter);
		bool sleep = r == -EAGAIN && !(blocked->sem_flg & IPC_NOWAIT);
		if (sleep) {
			me.index = blocked->sem_num;
			me.for_zero = blocked->sem_op == 0;
			list_add_tail(&me.node, &s->sleepers);
		}
		spin_unlock(&s->base.lock);
		if (!sleep)
			return r;
		r = wait_event_interruptible_timeout(&s->wait, READ_ONCE(s->changes) != seen,
						     deadline);
		spin_lock(&s->base.lock);
		list_del(&me.node);
		spin_unlock(&s->base.lock);
		if (r)
			return r == -ETIMEDOUT ? -EAGAIN : -EINTR;
	}
}

/* What the operations are about. -EFBIG: no such semaphore. */
static int
ops_look(const struct sem_set *s, const struct linux_sembuf *ops, u32 n, bool *alter, bool *undo)
{
	*alter = *undo = false;
	for (u32 i = 0; i < n; i++) {
		if (ops[i].sem_num >= s->count)
			return -EFBIG;
		*alter |= ops[i].sem_op != 0;
		*undo |= (ops[i].sem_flg & SEM_UNDO) && ops[i].sem_op != 0;
	}
	return 0;
}

static long
operate(int id, const struct linux_sembuf *ops, u32 n, u64 deadline)
{
	struct sysv_object *o;
	bool alter, undo;
	int r = sysv_find(&sem_ops, id, &o);

	if (r)
		return r;
	struct sem_set *s = set_of(o);
	r = ops_look(s, ops, n, &alter, &undo);
	if (!r) {
		spin_lock(&o->lock);
		r = sysv_permission(o, alter ? 0222 : 0444);
		spin_unlock(&o->lock);
	}
	if (!r && undo)
		r = undo_prepare(s);
	if (!r)
		r = set_operate(s, ops, n, alter, undo, deadline);
	sysv_put(o);
	return r;
}

long
sys_semtimedop(int id, user_ptr ops_user, unsigned int count, user_ptr timeout)
{
	struct linux_sembuf few[OPS_ON_STACK], *ops = few;
	u64 deadline = TIME_NEVER, ns;
	long r;

	if (!user_ptr_null(timeout)) {
		r = timespec_read_user(timeout, &ns);
		if (r)
			return r;
		u64 now = time_mono_ns();
		deadline = now + ns < now ? TIME_NEVER : now + ns;
	}
	if (count < 1 || id < 0)
		return -EINVAL;
	if (count > READ_ONCE(ipc_limits_current()->semopm))
		return -E2BIG;
	if (count > OPS_ON_STACK)
		ops = kvmalloc(count * sizeof(*ops), GFP_KERNEL);
	if (!ops)
		return -ENOMEM;
	r = copy_from_user(ops, ops_user, count * sizeof(*ops));
	if (!r)
		r = operate(id, ops, count, deadline);
	if (ops != few)
		kvfree(ops);
	return r;
}

long
sys_semop(int id, user_ptr ops, unsigned int count)
{
	return sys_semtimedop(id, ops, count, user_ptr_of(0));
}

/* ---- semctl(2) ---- */

static long
sem_info(int command, user_ptr buf)
{
	const struct ipc_ns *ns = ipc_ns_current();
	const struct ipc_limits *l = &ns->limits;
	struct linux_seminfo info = {
		.semmap = (s32)l->semmns,
		.semmni = (s32)l->semmni,
		.semmns = (s32)l->semmns,
		.semmnu = (s32)l->semmns,
		.semmsl = (s32)l->semmsl,
		.semopm = (s32)l->semopm,
		.semume = (s32)l->semopm,
		.semusz = 20,
		.semvmx = SEMVMX,
		.semaem = SEMVMX,
	};
	u32 count;
	int highest = sysv_highest(&sem_ops, &count);

	if (command == SEM_INFO) {
		info.semusz = (s32)count;
		info.semaem = (s32)atomic64_read(&ns->sems);
	}
	return copy_to_user(buf, &info, sizeof(info)) ? -EFAULT : highest;
}

static long
sem_stat(int id, int command, user_ptr buf)
{
	struct linux_semid_ds ds = { 0 };
	struct sysv_stat st = { .by_index = command != IPC_STAT,
				.anybody = command == SEM_STAT_ANY };
	int r = sysv_stat_begin(&sem_ops, id, &st, &ds.sem_perm);

	if (r)
		return r;
	struct sem_set *s = set_of(st.object);
	ds.sem_otime = s->otime;
	ds.sem_ctime = s->ctime;
	ds.sem_nsems = s->count;
	return sysv_stat_end(&st, buf, &ds, sizeof(ds));
}

static long
get_all(struct sem_set *s, user_ptr out)
{
	u16 *values = kvmalloc(s->count * sizeof(*values), GFP_KERNEL);
	int r;

	if (!values)
		return -ENOMEM;
	spin_lock(&s->base.lock);
	r = s->base.removed ? -EIDRM : sysv_permission(&s->base, 0444);
	for (u32 i = 0; i < s->count; i++)
		values[i] = s->sems[i].value;
	spin_unlock(&s->base.lock);
	if (!r && copy_to_user(out, values, s->count * sizeof(*values)))
		r = -EFAULT;
	kvfree(values);
	return r;
}

/* Semaphores [first, first + n) get their values; what was to be undone is void. */
static int
set_values(struct sem_set *s, u32 first, u32 n, const u16 *values)
{
	struct undo *u;
	int r;

	spin_lock(&s->base.lock);
	r = s->base.removed ? -EIDRM : sysv_permission(&s->base, 0222);
	for (u32 i = 0; i < n && !r; i++) {
		s->sems[first + i].last = sysv_pid();
		s->sems[first + i].value = values[i];
		list_for_each_entry(u, &s->undos, set_node) u->adjust[first + i] = 0;
	}
	if (!r) {
		s->ctime = sysv_now();
		changed_locked(s);
	}
	spin_unlock(&s->base.lock);
	return r;
}

static long
set_all(struct sem_set *s, user_ptr from)
{
	u16 *values = kvmalloc(s->count * sizeof(*values), GFP_KERNEL);
	int r;

	if (!values)
		return -ENOMEM;
	r = copy_from_user(values, from, s->count * sizeof(*values));
	for (u32 i = 0; i < s->count && !r; i++)
		r = values[i] > SEMVMX ? -ERANGE : 0;
	if (!r)
		r = set_values(s, 0, s->count, values);
	kvfree(values);
	return r;
}

static u32
count_sleepers(const struct sem_set *s, u32 index, bool for_zero)
{
	struct sleeper *w;
	u32 n = 0;

	list_for_each_entry(w, &s->sleepers, node)
		n += w->index == index && w->for_zero == for_zero;
	return n;
}

/* GETVAL and its like. */
static long
get_one(struct sem_set *s, u32 index, int command)
{
	long r;

	if (index >= s->count)
		return -EINVAL;
	spin_lock(&s->base.lock);
	r = s->base.removed ? -EIDRM : sysv_permission(&s->base, 0444);
	if (!r) {
		switch (command) {
		case GETVAL: r = s->sems[index].value; break;
		case GETPID: r = s->sems[index].last; break;
		default: r = count_sleepers(s, index, command == GETZCNT);
		}
	}
	spin_unlock(&s->base.lock);
	return r;
}

static long
set_one(struct sem_set *s, u32 index, int value)
{
	u16 v = (u16)value;

	if (value < 0 || value > SEMVMX)
		return -ERANGE;
	return index < s->count ? set_values(s, index, 1, &v) : -EINVAL;
}

static long
change(struct sysv_object *o, int command, const struct linux_semid_ds *ds)
{
	spin_lock(&o->lock);
	int r = o->removed ? -EIDRM : sysv_may_change(o);
	if (!r && command == IPC_SET) {
		sysv_set(o, &ds->sem_perm);
		set_of(o)->ctime = sysv_now();
	}
	spin_unlock(&o->lock);
	if (!r && command == IPC_RMID)
		r = sysv_remove(ipc_ns_current(), o) ? 0 : -EIDRM;
	return r;
}

long
sys_semctl(int id, int index, int command, unsigned long arg)
{
	user_ptr p = user_ptr_of(arg);
	struct linux_semid_ds ds;
	struct sysv_object *o;
	long r;

	if (id < 0)
		return -EINVAL;
	switch (command) {
	case IPC_INFO:
	case SEM_INFO: return sem_info(command, p);
	case IPC_STAT:
	case SEM_STAT:
	case SEM_STAT_ANY: return sem_stat(id, command, p);
	case IPC_SET:
		if (copy_from_user(&ds, p, sizeof(ds)))
			return -EFAULT;
		break;
	case GETALL:
	case GETVAL:
	case GETPID:
	case GETNCNT:
	case GETZCNT:
	case SETVAL:
	case SETALL:
	case IPC_RMID: break;
	default: return -EINVAL;
	}
	r = sysv_find(&sem_ops, id, &o);
	if (r)
		return r;
	switch (command) {
	case IPC_SET:
	case IPC_RMID: r = change(o, command, &ds); break;
	case GETALL: r = get_all(set_of(o), p); break;
	case SETALL: r = set_all(set_of(o), p); break;
	case SETVAL: r = set_one(set_of(o), (u32)index, (int)arg); break;
	default: r = get_one(set_of(o), (u32)index, command);
	}
	sysv_put(o);
	return r;
}

const struct sysv_ops sem_ops = {
	.kind = SYSV_SEM,
	.create = set_create,
	.check = set_check,
	.removed = set_removed,
	.free = set_free,
	.show = set_show,
};
