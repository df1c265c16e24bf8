/* SPDX-License-Identifier: MIT */
/*
 * Priority-inheritance futexes: FUTEX_LOCK_PI and its family, futex(2).
 *
 * The word holds the owner's tid; user space takes a free lock with a compare-and-swap and comes
 * here only when there is somebody to wait for. Then a struct futex_pi says whose lock it is:
 *
 *	futex_pi.owner ---> task.pi_held: all contended locks it holds
 *	futex_pi.waiters: by priority, the highest first	task.pi_blocked_on ---> waiter
 *
 * The owner runs at least at the priority of the first waiter of each lock it holds. If it waits
 * for another lock itself, that waiter's place and that lock's owner change too, and so on
 * (boost_chain).
 *
 * Unlocking hands the lock over: the kernel stores the first waiter's tid in the word and makes it
 * the owner, so nobody overtakes. A granted waiter keeps its place in the hash bucket until it has
 * left, so that newcomers find the futex_pi there. If the owner dies, the lock is handed over all
 * the same; it is then the new owner that brings the word up to date, for the word may not be
 * reachable from the dying one's address space. In between (`died`) the word says nothing about the
 * owner.
 *
 * A futex_pi lives as long as waiters in the bucket point to it: `refs` counts them, under the
 * bucket's lock. It is allocated before that lock is taken and freed if it was not needed.
 *
 * Locking: bucket lock, then pi_lock. pi_lock guards owners, waiter orders and the two fields of
 * tasks; it is one for all, and taken only when a PI futex is contended.
 */
#include "core/panic.h"
#include "futex_internal.h"
#include "mm/slab.h"
#include "sched/sched.h"
#include "task/signal.h"
#include "task/task.h"
#include "uapi/errno.h"
#include "uapi/futex.h"

#define CHAIN_MAX 1024

struct futex_pi {
	struct task *owner; /* [P] no reference: futex_pi_exit takes the lock away before it goes */
	struct list held_node; /* [P] in owner->pi_held */
	struct list waiters;   /* [P] */
	u32 refs;	       /* [B] */
	bool died;	       /* [B, P] the word is yet to be given the new owner's tid */
};

static struct spinlock pi_lock = SPINLOCK_INIT(RANK_THREAD);
static struct kmem_cache *pi_cache;

void
futex_pi_init(void)
{
	pi_cache = kmem_cache_create("futex_pi", sizeof(struct futex_pi), 8, 0, NULL);
}

/* ---- priorities; pi_lock held ---- */

static struct futex_waiter *
first_waiter(struct futex_pi *pi)
{
	return list_first_entry_or_null(&pi->waiters, struct futex_waiter, pi_node);
}

static void
waiters_insert(struct futex_pi *pi, struct futex_waiter *w)
{
	struct futex_waiter *other;

	/* From the end: those without real-time priority find their place at once. */
	list_for_each_entry_reverse(other, &pi->waiters, pi_node)
	{
		if (other->priority >= w->priority) {
			list_add(&w->pi_node, &other->pi_node);
			return;
		}
	}
	list_add(&w->pi_node, &pi->waiters);
}

/* The locks that t holds, or their waiters, have changed. */
static void
boost_chain(struct task *t)
{
	for (u32 depth = 0; depth < CHAIN_MAX; depth++) {
		struct futex_waiter *w;
		struct futex_pi *pi;
		u8 priority = 0;

		list_for_each_entry(pi, &t->pi_held, held_node)
		{
			w = first_waiter(pi);
			if (w && w->priority > priority)
				priority = w->priority;
		}
		sched_boost(&t->thread, priority);
		w = t->pi_blocked_on;
		if (!w || w->priority == t->thread.effective_rt)
			return;
		w->priority = t->thread.effective_rt;
		list_del(&w->pi_node);
		waiters_insert(w->pi, w);
		t = w->pi->owner;
	}
}

static bool
would_deadlock(const struct futex_pi *pi, const struct task *waiter)
{
	const struct task *t = pi->owner;

	for (u32 depth = 0; depth < CHAIN_MAX; depth++) {
		const struct futex_waiter *w;

		if (t == waiter)
			return true;
		w = t->pi_blocked_on;
		if (!w)
			return false;
		t = w->pi->owner;
	}
	return true;
}

/* The first waiter becomes the owner. */
static void
pi_grant(struct futex_pi *pi)
{
	struct futex_waiter *w = first_waiter(pi);
	struct task *old = pi->owner, *next = w->task;

	list_del(&w->pi_node);
	next->pi_blocked_on = NULL;
	pi->owner = next;
	list_move_tail(&pi->held_node, &next->pi_held);
	boost_chain(old);
	boost_chain(next);
	smp_store_release(&w->granted, true);
	thread_wake(&next->thread);
}

/* ---- the object; bucket locked ---- */

static void
pi_own(struct futex_pi *pi, struct task *owner)
{
	pi->owner = owner;
	list_init(&pi->waiters);
	pi->refs = 1;
	pi->died = false;
	list_add_tail(&pi->held_node, &owner->pi_held);
}

static void
pi_put(struct futex_pi *pi)
{
	unsigned long flags;

	if (--pi->refs)
		return;
	flags = spin_lock_irqsave(&pi_lock);
	list_del(&pi->held_node);
	if (pi->owner)
		boost_chain(pi->owner);
	spin_unlock_irqrestore(&pi_lock, flags);
	kmem_cache_free(pi_cache, pi);
}

/* An exited task's list has no next: nobody can wait for it any more. */
static bool
pi_task_gone(const struct task *t)
{
	return !t->pi_held.next;
}

/* w will wait for pi; the caller has counted the reference. 0 or -EDEADLK. */
static int
pi_block(struct futex_pi *pi, struct futex_waiter *w)
{
	unsigned long flags = spin_lock_irqsave(&pi_lock);
	int r = -EDEADLK;

	if (!would_deadlock(pi, w->task)) {
		w->pi = pi;
		w->priority = w->task->thread.effective_rt;
		waiters_insert(pi, w);
		w->task->pi_blocked_on = w;
		boost_chain(pi->owner);
		r = 0;
	}
	spin_unlock_irqrestore(&pi_lock, flags);
	return r;
}

/* The owner that the word names does not exist. Perhaps it has just cleaned up: then the word has
 * changed. */
static int
owner_gone(user_ptr uaddr, u32 value)
{
	u32 now;

	if (futex_read_nofault(uaddr, &now))
		return -EFAULT;
	return now != value ? -EAGAIN : -ESRCH;
}

/* An existing futex_pi must agree with the word. */
static int
pi_check(struct futex_pi *pi, u32 value)
{
	unsigned long flags = spin_lock_irqsave(&pi_lock);
	u32 tid = value & FUTEX_TID_MASK;
	/* A dying owner clears its tid first, and then comes to futex_pi_exit. */
	bool agree = pi->died || (u32)task_tid(pi->owner) == tid ||
		     (!tid && (value & FUTEX_OWNER_DIED));

	spin_unlock_irqrestore(&pi_lock, flags);
	return agree ? 0 : -EINVAL;
}

/*
 * Try to take the lock for task. 1: done. 0: it must wait for *out, with a reference. -EFAULT:
 * bring the page in and try again; -EAGAIN: try again. `contended`: others will queue behind.
 * *spare is used up if a futex_pi had to be made.
 */
static int
pi_acquire(user_ptr uaddr, struct futex_bucket *b, const struct futex_key *key, struct task *task,
	   bool contended, struct futex_pi **spare, struct futex_pi **out)
{
	u32 tid = (u32)task_tid(task), value;
	struct futex_waiter *top = futex_find(b, key);
	struct task *owner;
	unsigned long flags;
	int r = futex_read_nofault(uaddr, &value);

	if (r)
		return r;
	if ((value & FUTEX_TID_MASK) == tid)
		return -EDEADLK;
	if (top && !top->pi)
		return -EINVAL;
	if (top) {
		r = pi_check(top->pi, value);
		if (r)
			return r;
	} else if (!(value & FUTEX_TID_MASK)) {
		r = futex_cmpxchg_nofault(uaddr, value,
					  (value & FUTEX_OWNER_DIED) | tid |
						  (contended ? FUTEX_WAITERS : 0));
		return r ? r : 1;
	}
	if (!(value & FUTEX_WAITERS)) {
		r = futex_cmpxchg_nofault(uaddr, value, value | FUTEX_WAITERS);
		if (r)
			return r;
		value |= FUTEX_WAITERS;
	}
	if (top) {
		*out = top->pi;
		(*out)->refs++;
		return 0;
	}
	owner = task_find((int)(value & FUTEX_TID_MASK));
	if (!owner)
		return owner_gone(uaddr, value);
	flags = spin_lock_irqsave(&pi_lock);
	if (pi_task_gone(owner)) {
		r = -ESRCH;
	} else {
		*out = *spare;
		*spare = NULL;
		pi_own(*out, owner);
	}
	spin_unlock_irqrestore(&pi_lock, flags);
	task_put(owner);
	return r ? owner_gone(uaddr, value) : 0;
}

/* The new owner writes itself into the word that its dead predecessor left. Bucket locked, may be
 * dropped in between. */
static int
word_inherit(struct futex_waiter *w, user_ptr uaddr)
{
	struct futex_bucket *b = w->bucket;
	u32 value;
	int r;

	for (;;) {
		r = futex_read_nofault(uaddr, &value);
		if (r == 0)
			r = futex_cmpxchg_nofault(uaddr, value,
						  (u32)task_tid(w->task) | FUTEX_OWNER_DIED |
							  (w->pi->refs > 1 ? FUTEX_WAITERS : 0));
		if (r == 0)
			break;
		spin_unlock(&b->lock);
		if (r == -EFAULT)
			r = futex_fault_in(uaddr);
		else
			r = 0;
		sched_cond_resched();
		spin_lock(&b->lock);
		if (r)
			break;
	}
	w->pi->died = false;
	return r;
}

/* The end of a wait for a PI futex, b locked; unlocks it. `slept`: why the sleep ended. */
static int
pi_leave(struct futex_waiter *w, struct futex_bucket *b, user_ptr uaddr, int slept)
{
	struct futex_pi *pi = w->pi;
	unsigned long flags = spin_lock_irqsave(&pi_lock);
	bool granted = w->granted;
	int r = slept;

	if (!granted) {
		list_del(&w->pi_node);
		w->task->pi_blocked_on = NULL;
		boost_chain(pi->owner);
	}
	spin_unlock_irqrestore(&pi_lock, flags);
	if (granted)
		r = pi->died ? word_inherit(w, uaddr) : 0;
	futex_dequeue_locked(b, w);
	pi_put(pi);
	spin_unlock(&b->lock);
	mm_futex_key_put(&w->key);
	return r;
}

/* ---- operations ---- */

long
futex_lock_pi(user_ptr uaddr, bool shared, const struct futex_timeout *timeout, bool try)
{
	struct futex_pi *spare = kmem_cache_alloc(pi_cache, GFP_KERNEL), *pi;
	struct futex_bucket *b;
	struct futex_waiter w;
	int r;

	if (!spare)
		return -ENOMEM;
	futex_waiter_init(&w, FUTEX_BITSET_MATCH_ANY, timeout);
	for (;;) {
		r = futex_key_get(uaddr, shared, true, &w.key);
		if (r)
			goto out_free;
		b = futex_bucket_of(&w.key);
		(void)atomic_add_return(&b->count, 1);
		spin_lock(&b->lock);
		r = pi_acquire(uaddr, b, &w.key, w.task, false, &spare, &pi);
		if (r >= 0)
			break;
		spin_unlock(&b->lock);
		atomic_dec(&b->count);
		mm_futex_key_put(&w.key);
		if (r == -EFAULT)
			r = futex_fault_in(uaddr);
		else if (r == -EAGAIN)
			r = thread_signal_pending(thread_current()) ? -ERESTARTNOINTR : 0;
		if (r)
			goto out_free;
		sched_cond_resched();
	}
	if (r == 0 && !try)
		r = pi_block(pi, &w);
	else
		r = r ? 0 : -EWOULDBLOCK;
	if (w.pi) {
		futex_queue_locked(b, &w);
		spin_unlock(&b->lock);
		r = futex_sleep(&w, timeout);
		spin_lock(&b->lock);
		r = pi_leave(&w, b, uaddr, r);
		if (r == -EINTR)
			r = -ERESTARTNOINTR;
	} else {
		if (r)
			pi_put(pi);
		spin_unlock(&b->lock);
		atomic_dec(&b->count);
		mm_futex_key_put(&w.key);
	}
out_free:
	if (spare)
		kmem_cache_free(pi_cache, spare);
	return r;
}

/* Hand the lock to the first waiter, or free the word; bucket locked. -EAGAIN: the word changed
 * under us. */
static int
unlock_locked(user_ptr uaddr, struct futex_bucket *b, const struct futex_key *key, u32 value)
{
	struct futex_waiter *top = futex_find(b, key), *next;
	unsigned long flags;
	int r = -EINVAL;

	if (!top)
		return futex_cmpxchg_nofault(uaddr, value, 0);
	if (!top->pi)
		return -EINVAL;
	flags = spin_lock_irqsave(&pi_lock);
	next = first_waiter(top->pi);
	if (top->pi->owner == current && next) {
		r = futex_cmpxchg_nofault(uaddr, value, (u32)task_tid(next->task) | FUTEX_WAITERS);
		if (r == 0)
			pi_grant(top->pi);
	}
	spin_unlock_irqrestore(&pi_lock, flags);
	return r;
}

long
futex_unlock_pi(user_ptr uaddr, bool shared)
{
	u32 tid = (u32)task_tid(current), value;
	struct futex_bucket *b;
	struct futex_key key;
	int r;

	for (;;) {
		if (get_user(&value, uaddr))
			return -EFAULT;
		if ((value & FUTEX_TID_MASK) != tid)
			return -EPERM;
		r = futex_key_get(uaddr, shared, true, &key);
		if (r)
			return r;
		b = futex_bucket_of(&key);
		spin_lock(&b->lock);
		r = unlock_locked(uaddr, b, &key, value);
		spin_unlock(&b->lock);
		mm_futex_key_put(&key);
		if (r == -EFAULT)
			r = futex_fault_in(uaddr);
		else if (r != -EAGAIN)
			return r;
		else
			r = 0;
		if (r)
			return r;
		sched_cond_resched();
	}
}

long
futex_wait_requeue_pi(user_ptr uaddr, bool shared, u32 val, const struct futex_timeout *timeout,
		      user_ptr uaddr2)
{
	struct futex_key key2;
	struct futex_waiter w;
	struct futex_bucket *b;
	int r;

	if (uaddr.addr == uaddr2.addr)
		return -EINVAL;
	r = futex_key_get(uaddr2, shared, true, &key2);
	if (r)
		return r;
	futex_waiter_init(&w, FUTEX_BITSET_MATCH_ANY, timeout);
	w.requeue_key = &key2;
	r = futex_queue_if(&w, uaddr, shared, val);
	if (r)
		goto out_put;
	r = futex_sleep(&w, timeout);
	b = futex_waiter_lock(&w);
	if (!b) {
		r = 0; /* the requeuer took the lock for us */
		mm_futex_key_put(&w.key);
	} else if (w.pi) {
		r = pi_leave(&w, b, uaddr2, r);
		/* The condition variable is behind us: user space sees that by its word and locks
		 * by itself. */
		if (r == -EINTR)
			r = -EWOULDBLOCK;
	} else {
		futex_dequeue_locked(b, &w);
		spin_unlock(&b->lock);
		mm_futex_key_put(&w.key);
		if (r != -ETIMEDOUT)
			r = r ? -ERESTARTNOINTR : -EWOULDBLOCK;
	}
out_put:
	mm_futex_key_put(&key2);
	return r;
}

/*
 * Both buckets locked. The first waiter gets the lock if it is free; it and nr_requeue more
 * otherwise queue for it. How many were served; -EFAULT and -EAGAIN only when none was.
 */
static int
requeue_pi_locked(struct futex_bucket *b, const struct futex_key *key, user_ptr uaddr2,
		  struct futex_bucket *b2, const struct futex_key *key2, int nr_requeue,
		  struct futex_pi **spare)
{
	struct futex_waiter *w, *next;
	struct task *taken_by = NULL;
	struct futex_pi *pi = NULL;
	int done = 0, r = 0;

	list_for_each_entry_safe(w, next, &b->waiters, node)
	{
		if (!futex_key_equal(&w->key, key))
			continue;
		if (done && done - 1 >= nr_requeue)
			break;
		r = -EINVAL;
		if (!w->requeue_key || w->pi || !futex_key_equal(w->requeue_key, key2))
			break;
		if (!done) {
			r = pi_acquire(uaddr2, b2, key2, w->task, nr_requeue > 0, spare, &pi);
			if (r < 0)
				break;
			if (r == 1) {
				taken_by = w->task;
				futex_wake_waiter(w);
				done++;
				r = 0;
				continue;
			}
		}
		if (!pi) {
			/* The one that took it a moment ago cannot have gone: it needs b2's lock to
			 * give it back. */
			unsigned long flags = spin_lock_irqsave(&pi_lock);

			r = pi_task_gone(taken_by) ? -ESRCH : 0;
			if (r == 0) {
				pi = *spare;
				*spare = NULL;
				pi_own(pi, taken_by);
			}
			spin_unlock_irqrestore(&pi_lock, flags);
			if (r)
				break;
		}
		pi->refs++;
		r = pi_block(pi, w);
		if (r) {
			pi_put(pi);
			break;
		}
		futex_move_locked(w, b2, key2);
		done++;
	}
	if (pi)
		pi_put(pi);
	return done ? done : r;
}

long
futex_cmp_requeue_pi(user_ptr uaddr, bool shared, user_ptr uaddr2, int nr_wake, int nr_requeue,
		     u32 cmpval)
{
	struct futex_key key, key2;
	struct futex_bucket *b, *b2;
	struct futex_pi *spare;
	bool fault2 = false;
	u32 value;
	int r;

	if (uaddr.addr == uaddr2.addr || nr_wake != 1 || nr_requeue < 0)
		return -EINVAL;
	spare = kmem_cache_alloc(pi_cache, GFP_KERNEL);
	if (!spare)
		return -ENOMEM;
	for (;;) {
		r = futex_key_get(uaddr, shared, false, &key);
		if (r)
			break;
		r = futex_key_get(uaddr2, shared, true, &key2);
		if (r) {
			mm_futex_key_put(&key);
			break;
		}
		b = futex_bucket_of(&key);
		b2 = futex_bucket_of(&key2);
		(void)atomic_add_return(&b2->count, 1);
		futex_lock_two(b, b2);
		fault2 = false;
		r = futex_read_nofault(uaddr, &value);
		if (r == 0) {
			if (futex_key_equal(&key, &key2)) {
				r = -EINVAL;
			} else if (value == cmpval) {
				r = requeue_pi_locked(b, &key, uaddr2, b2, &key2, nr_requeue,
						      &spare);
				fault2 = r == -EFAULT;
			}
		}
		futex_unlock_two(b, b2);
		atomic_dec(&b2->count);
		mm_futex_key_put(&key2);
		mm_futex_key_put(&key);
		if (value != cmpval && r == 0) {
			r = -EAGAIN;
			break;
		}
		if (r == -EFAULT)
			r = fault2 ? futex_fault_in(uaddr2) : get_user(&value, uaddr);
		else if (r == -EAGAIN)
			r = 0;
		else
			break;
		if (r)
			break;
		sched_cond_resched();
	}
	if (spare)
		kmem_cache_free(pi_cache, spare);
	return r;
}

/* ---- exit and exec of the current task ---- */

void
futex_pi_exit(struct task *t)
{
	unsigned long flags = spin_lock_irqsave(&pi_lock);
	struct futex_pi *pi;

	while (!pi_task_gone(t) &&
	       (pi = list_first_entry_or_null(&t->pi_held, struct futex_pi, held_node))) {
		if (first_waiter(pi)) {
			pi->died = true;
			pi_grant(pi);
		} else {
			/* The last waiter has given up and is about to free it. */
			list_del_init(&pi->held_node);
			pi->owner = NULL;
		}
	}
	t->pi_held.next = NULL;
	spin_unlock_irqrestore(&pi_lock, flags);
}

void
futex_pi_exec(struct task *t)
{
	unsigned long flags = spin_lock_irqsave(&pi_lock);

	list_init(&t->pi_held);
	spin_unlock_irqrestore(&pi_lock, flags);
}
