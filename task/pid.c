/* SPDX-License-Identifier: MIT */
/*
 * Process ids.
 *
 * A struct pid is a number per pid-namespace level. It is used as the id of a thread, of a process,
 * of a process group and of a session; the number returns to the pool when the last of these uses
 * ends, while the struct lives on for pidfds.
 *
 * Lookup: the namespace's xarray under RCU. What a pid points at (task, process) is cleared under
 * tasklist_lock before the object loses its last reference, so a finder takes the object's
 * reference with ref_try_get and treats failure as absence.
 *
 * Locking: ns->lock guards allocation in one namespace; tasklist_lock guards the uses.
 */
#include "task/pid.h"

#include "core/panic.h"
#include "core/spinlock.h"
#include "mm/slab.h"
#include "task/task.h"
#include "task/user_ns.h"
#include "uapi/errno.h"

#define PID_RESERVED 300 /* after wrapping, low numbers stay with the early daemons */

struct pid_ns root_pid_ns = {
	.ref = REF_INIT,
	.owner = &root_user_ns,
	.ids = XARRAY_INIT,
	.max = PID_MAX_DEFAULT,
	.lock = SPINLOCK_INIT(RANK_TASK),
	.inum = 0xeffffffcu,
};

static int
pid_number_alloc(struct pid *p, struct pid_ns *ns, int want, struct pid_number *out)
{
	u64 id;
	int r;
	unsigned long flags = spin_lock_irqsave(&ns->lock);

	if (ns->dying) {
		r = -ENOMEM;
	} else if (want) {
		id = (u64)want;
		r = xa_insert(&ns->ids, id, p);
		if (r == -EBUSY)
			r = -EEXIST;
	} else {
		u64 next = ns->last + 1;
		u64 min = ns->last < PID_RESERVED ? 1 : PID_RESERVED;

		if (next >= ns->max)
			next = PID_RESERVED;
		r = xa_alloc_cyclic(&ns->ids, &id, p, min, ns->max - 1, &next);
		if (r == 0)
			ns->last = (u32)id;
		else if (r == -EBUSY)
			r = -EAGAIN;
	}
	spin_unlock_irqrestore(&ns->lock, flags);
	if (r)
		return r;
	out->nr = (int)id;
	out->ns = ns;
	return 0;
}

static void
pid_number_free(struct pid_number *n)
{
	unsigned long flags = spin_lock_irqsave(&n->ns->lock);

	xa_erase(&n->ns->ids, (u64)n->nr);
	spin_unlock_irqrestore(&n->ns->lock, flags);
}

int
pid_alloc(struct pid_ns *ns, const int *want, u32 nr_want, struct pid **out)
{
	struct pid *p = kzalloc(sizeof(*p) + (ns->level + 1) * sizeof(struct pid_number),
				GFP_KERNEL);
	struct pid_ns *at = ns;
	int r;

	if (!p)
		return -ENOMEM;
	ref_init(&p->ref);
	list_init(&p->pgrp_members);
	list_init(&p->session_members);
	wait_queue_init(&p->pidfd_wait);
	p->level = ns->level;
	/* clone3's set_tid lists the innermost number first. */
	for (u32 i = 0; i <= ns->level; i++, at = at->parent) {
		u32 level = ns->level - i;

		r = pid_number_alloc(p, at, i < nr_want ? want[i] : 0, &p->numbers[level]);
		if (r) {
			while (++level <= ns->level)
				pid_number_free(&p->numbers[level]);
			kfree_rcu(p, rcu);
			return r;
		}
	}
	ref_get(&ns->ref);
	*out = p;
	return 0;
}

void
pid_get(struct pid *p)
{
	ref_get(&p->ref);
}

static void
pid_free(struct rcu_head *head)
{
	kfree(container_of(head, struct pid, rcu));
}

void
pid_put(struct pid *p)
{
	if (!p || !ref_put(&p->ref))
		return;
	if (p->numbers[p->level]
		    .nr) { /* never came into use, or its uses ended without tasklist_lock */
		for (u32 i = 0; i <= p->level; i++)
			pid_number_free(&p->numbers[i]);
	}
	struct pid_ns *ns = p->numbers[p->level].ns;
	if (ns != &root_pid_ns && ref_put(&ns->ref))
		pid_ns_free(ns);
	rcu_call(&p->rcu, pid_free);
}

void
pid_release_number(struct pid *p)
{
	if (p->task || p->process || !list_empty(&p->pgrp_members) ||
	    !list_empty(&p->session_members))
		return;
	for (u32 i = 0; i <= p->level; i++) {
		if (p->numbers[i].nr)
			pid_number_free(&p->numbers[i]);
	}
	WRITE_ONCE(p->numbers[p->level].nr, 0);
	for (u32 i = 0; i < p->level; i++)
		WRITE_ONCE(p->numbers[i].nr, 0);
}

struct pid *
pid_peek(struct pid_ns *ns, int nr)
{
	return nr > 0 ? xa_load(&ns->ids, (u64)nr) : NULL;
}

struct pid *
pid_find(struct pid_ns *ns, int nr)
{
	rcu_read_lock();
	struct pid *p = pid_peek(ns, nr);
	if (p && !ref_try_get(&p->ref))
		p = NULL;
	rcu_read_unlock();
	return p;
}

int
pid_nr(const struct pid *p, const struct pid_ns *ns)
{
	if (!p || ns->level > p->level || p->numbers[ns->level].ns != ns)
		return 0;
	return READ_ONCE(p->numbers[ns->level].nr);
}

struct pid_ns *
current_pid_ns(void)
{
	const struct pid *p = thread_is_task(thread_current()) ? current->pid : NULL;

	return p ? p->numbers[p->level].ns : &root_pid_ns;
}

struct pid_ns *
pid_ns_create(struct pid_ns *parent, struct user_ns *owner)
{
	struct pid_ns *ns;

	if (parent->level + 1 >= PID_NS_MAX_LEVEL)
		return NULL;
	ns = kzalloc(sizeof(*ns), GFP_KERNEL);
	if (!ns)
		return NULL;
	ref_init(&ns->ref);
	xa_init(&ns->ids);
	spin_init(&ns->lock, RANK_TASK);
	ns->max = PID_MAX_DEFAULT;
	ns->level = parent->level + 1;
	ref_get(&parent->ref);
	ns->parent = parent;
	ns->owner = user_ns_get(owner);
	ns->inum = ns_next_inum();
	return ns;
}

void
pid_ns_free(struct pid_ns *ns)
{
	/* Ancestors whose last holder this was go too, without recursion. */
	while (ns != &root_pid_ns) {
		struct pid_ns *parent = ns->parent;

		xa_destroy(&ns->ids);
		user_ns_put(ns->owner);
		kfree(ns);
		if (parent == &root_pid_ns || !ref_put(&parent->ref))
			break;
		ns = parent;
	}
}

void
pid_ns_get(struct pid_ns *ns)
{
	ref_get(&ns->ref);
}

void
pid_ns_put(struct pid_ns *ns)
{
	if (ns != &root_pid_ns && ref_put(&ns->ref))
		pid_ns_free(ns);
}

u64
ns_next_inum(void)
{
	static struct atomic64 next = ATOMIC_INIT(0xf0000000);

	return (u64)atomic64_add_return(&next, 1);
}
