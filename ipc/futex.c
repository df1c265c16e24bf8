/* SPDX-License-Identifier: MIT */
/*
 * Futexes: sleeping on a word of user memory. futex(2), futex_waitv(2), get_robust_list(2).
 *
 * The word is user space's; the kernel keeps only who sleeps on it, in a hash table of buckets by
 * the word's key: address space and address for private words, backing object and offset for shared
 * ones (mm_futex_key). Waiters live on the stacks of the sleepers; nothing is allocated.
 *
 *	waiter				waker
 *	count++ (full barrier)		change the word
 *	lock the bucket			full barrier
 *	read the word: as expected?	count zero? then nobody waits
 *	queue, unlock, sleep		lock the bucket, wake
 *
 * The word is read under the bucket's lock, so a wake-up after a change cannot fall between the
 * look and the sleep. User memory is touched under the lock only with page faults off; if that
 * fails the locks are dropped, the page is brought in, and everything starts again.
 *
 * A waker unlinks the waiter, stores NULL in waiter->bucket and wakes the thread; after that store
 * the waiter's stack frame may be gone, but the thread's memory is not: preemption is off (RCU).
 *
 * Locking: one spinlock a bucket, two of them in order of address; nothing global. PI futexes:
 * futex_pi.c.
 *
 * Linux behaviour kept: FUTEX_WAKE of 0 wakes one; FUTEX_WAIT takes no FUTEX_CLOCK_REALTIME
 * (ENOSYS); a requeued waiter is counted like a woken one.
 */
#include "ipc/futex.h"

#include "arch/cpu.h"
#include "arch/uaccess.h"
#include "core/cpumask.h"
#include "core/panic.h"
#include "core/time.h"
#include "futex_internal.h"
#include "generated/syscalls.h"
#include "lib/hash.h"
#include "lib/math.h"
#include "mm/page.h"
#include "mm/slab.h"
#include "sched/sched.h"
#include "task/signal.h"
#include "task/task.h"
#include "uapi/errno.h"
#include "uapi/futex.h"
#include "uapi/time.h"

#define BUCKETS_PER_CPU 256

static struct futex_bucket *buckets;
static u32 bucket_bits;

/* ---- keys and buckets ---- */

int
futex_key_get(user_ptr uaddr, bool shared, bool write, struct futex_key *key)
{
	if (uaddr.addr % sizeof(u32))
		return -EINVAL;
	if (!user_range_ok(uaddr, sizeof(u32)))
		return -EFAULT;
	return mm_futex_key(current->thread.mm, uaddr.addr, shared, write, key);
}

bool
futex_key_equal(const struct futex_key *a, const struct futex_key *b)
{
	return a->a == b->a && a->b == b->b && a->offset == b->offset;
}

struct futex_bucket *
futex_bucket_of(const struct futex_key *key)
{
	u64 hash = hash_mix(hash_mix(key->a, key->b), key->offset);

	return &buckets[hash_u64(hash, bucket_bits)];
}

void
futex_lock_two(struct futex_bucket *a, struct futex_bucket *b)
{
	if (a > b)
		SWAP(a, b);
	spin_lock(&a->lock);
	if (a != b)
		spin_lock_nested(&b->lock); /* lower address first */
}

void
futex_unlock_two(struct futex_bucket *a, struct futex_bucket *b)
{
	spin_unlock(&a->lock);
	if (a != b)
		spin_unlock(&b->lock);
}

struct futex_waiter *
futex_find(struct futex_bucket *b, const struct futex_key *key)
{
	struct futex_waiter *w;

	list_for_each_entry(w, &b->waiters, node) if (futex_key_equal(&w->key, key)) return w;
	return NULL;
}

/* ---- user words ---- */

int
futex_read_nofault(user_ptr uaddr, u32 *value)
{
	bool fault = false;

	user_fault_disable();
	*value = (u32)arch_get_user((const void *)uaddr.addr, sizeof(*value), &fault);
	user_fault_enable();
	return fault ? -EFAULT : 0;
}

int
futex_cmpxchg_nofault(user_ptr uaddr, u32 expected, u32 value)
{
	u32 seen;
	bool done;

	user_fault_disable();
	done = arch_user_cmpxchg32((u32 *)uaddr.addr, expected, value, &seen);
	user_fault_enable();
	if (!done)
		return -EFAULT;
	return seen == expected ? 0 : -EAGAIN;
}

int
futex_fault_in(user_ptr uaddr)
{
	u32 old;

	/* An atomic OR of nothing is a write that changes nothing. */
	return arch_user_fetch_or32((u32 *)uaddr.addr, 0, &old) ? 0 : -EFAULT;
}

/* ---- waiters ---- */

void
futex_waiter_init(struct futex_waiter *w, u32 bitset, const struct futex_timeout *timeout)
{
	*w = (struct futex_waiter){
		.task = current,
		.bitset = bitset,
		.priority = READ_ONCE(current->thread.effective_rt),
		.realtime = timeout && timeout->set && timeout->realtime,
	};
}

static void
waiter_insert(struct futex_bucket *b, struct futex_waiter *w)
{
	struct futex_waiter *other;

	if (unlikely(w->priority)) {
		list_for_each_entry(other, &b->waiters, node)
		{
			if (other->priority < w->priority) {
				list_add_tail(&w->node, &other->node);
				return;
			}
		}
	}
	list_add_tail(&w->node, &b->waiters);
}

/* The caller has counted it already. */
void
futex_queue_locked(struct futex_bucket *b, struct futex_waiter *w)
{
	waiter_insert(b, w);
	WRITE_ONCE(w->bucket, b);
}

void
futex_dequeue_locked(struct futex_bucket *b, struct futex_waiter *w)
{
	list_del(&w->node);
	atomic_dec(&b->count);
}

/* Both buckets locked. The new key's page gets a reference for the waiter, the old one loses its.
 */
void
futex_move_locked(struct futex_waiter *w, struct futex_bucket *to, const struct futex_key *key)
{
	struct futex_key old = w->key;

	if (key->page)
		page_get(key->page);
	w->key = *key;
	if (w->bucket != to) {
		futex_dequeue_locked(w->bucket, w);
		atomic_inc(&to->count);
		futex_queue_locked(to, w);
	}
	mm_futex_key_put(&old);
}

void
futex_wake_waiter(struct futex_waiter *w)
{
	struct task *t = w->task;

	futex_dequeue_locked(w->bucket, w);
	smp_store_release(&w->bucket, NULL);
	thread_wake(&t->thread);
}

struct futex_bucket *
futex_waiter_lock(struct futex_waiter *w)
{
	struct futex_bucket *b;

	while ((b = smp_load_acquire(&w->bucket))) {
		spin_lock(&b->lock);
		if (likely(b == READ_ONCE(w->bucket)))
			return b;
		spin_unlock(&b->lock); /* requeued meanwhile */
	}
	return NULL;
}

/* True if this took it off the queue; false if it had been woken. */
static bool
waiter_unqueue(struct futex_waiter *w)
{
	struct futex_bucket *b = futex_waiter_lock(w);

	if (b) {
		futex_dequeue_locked(b, w);
		spin_unlock(&b->lock);
	}
	mm_futex_key_put(&w->key);
	return b;
}

int
futex_queue_if(struct futex_waiter *w, user_ptr uaddr, bool shared, u32 expected)
{
	struct futex_bucket *b;
	u32 value;
	int r;

retry:
	r = futex_key_get(uaddr, shared, false, &w->key);
	if (r)
		return r;
	b = futex_bucket_of(&w->key);
	(void)atomic_add_return(&b->count, 1); /* a full barrier, before the word is read */
	spin_lock(&b->lock);
	r = futex_read_nofault(uaddr, &value);
	if (r == 0 && value == expected) {
		futex_queue_locked(b, w);
		spin_unlock(&b->lock);
		return 0;
	}
	spin_unlock(&b->lock);
	atomic_dec(&b->count);
	mm_futex_key_put(&w->key);
	if (r == 0)
		return -EAGAIN;
	if (get_user(&value, uaddr))
		return -EFAULT;
	goto retry;
}

static u64
timeout_mono(const struct futex_timeout *timeout)
{
	s64 mono;

	if (!timeout || !timeout->set)
		return TIME_NEVER;
	if (!timeout->realtime)
		return timeout->deadline;
	if (__builtin_sub_overflow((s64)timeout->deadline, time_real_offset_ns(), &mono))
		return TIME_NEVER;
	return mono > 0 ? (u64)mono : 0;
}

int
futex_sleep(struct futex_waiter *w, const struct futex_timeout *timeout)
{
	int r = 0;

	for (;;) {
		thread_set_state(THREAD_INTERRUPTIBLE);
		if (!smp_load_acquire(&w->bucket) || smp_load_acquire(&w->granted))
			break;
		if (thread_signal_pending(&w->task->thread)) {
			r = -EINTR;
			break;
		}
		/* The offset of CLOCK_REALTIME may have changed: it is asked again after every
		 * wake-up. */
		if (!schedule_until(timeout_mono(timeout))) {
			r = -ETIMEDOUT;
			break;
		}
	}
	thread_set_state(THREAD_RUNNABLE);
	return r;
}

/* CLOCK_REALTIME was set: those who wait for a time on it compute anew when it comes. */
static void
futex_clock_stepped(void)
{
	struct futex_waiter *w;

	for (u32 i = 0; i < 1u << bucket_bits; i++) {
		struct futex_bucket *b = &buckets[i];

		if (!atomic_read(&b->count))
			continue;
		spin_lock(&b->lock);
		list_for_each_entry(w, &b->waiters, node) if (w->realtime)
			thread_wake(&w->task->thread);
		spin_unlock(&b->lock);
	}
}

/* ---- WAIT ---- */

static long futex_wait_restart(struct restart_block *rb);

static long
futex_wait(user_ptr uaddr, bool shared, u32 val, const struct futex_timeout *timeout, u32 bitset)
{
	struct restart_block *rb = &current->restart;
	struct futex_waiter w;
	int r;

	if (!bitset)
		return -EINVAL;
	futex_waiter_init(&w, bitset, timeout);
	r = futex_queue_if(&w, uaddr, shared, val);
	if (r)
		return r;
	r = futex_sleep(&w, timeout);
	if (!waiter_unqueue(&w))
		return 0;
	if (r != -EINTR)
		return r;
	if (!timeout->set)
		return -ERESTARTSYS;
	rb->func = futex_wait_restart;
	rb->args[0] = uaddr.addr;
	rb->args[1] = val;
	rb->args[2] = bitset;
	rb->args[3] = timeout->deadline;
	rb->args[4] = shared | timeout->realtime << 1;
	return -ERESTART_RESTARTBLOCK;
}

static long
futex_wait_restart(struct restart_block *rb)
{
	struct futex_timeout timeout = { true, rb->args[4] & 2, rb->args[3] };

	return futex_wait(user_ptr_of(rb->args[0]), rb->args[4] & 1, (u32)rb->args[1], &timeout,
			  (u32)rb->args[2]);
}

/* ---- WAKE ---- */

/* With the bucket locked. The number woken, or -EINVAL for a waiter that only a PI operation may
 * touch. */
static int
wake_locked(struct futex_bucket *b, const struct futex_key *key, int nr, u32 bitset)
{
	struct futex_waiter *w, *next;
	int woken = 0;

	list_for_each_entry_safe(w, next, &b->waiters, node)
	{
		if (!futex_key_equal(&w->key, key))
			continue;
		if (w->pi || w->requeue_key)
			return -EINVAL;
		if (!(w->bitset & bitset))
			continue;
		futex_wake_waiter(w);
		if (++woken >= nr)
			break;
	}
	return woken;
}

static int
futex_wake(user_ptr uaddr, bool shared, int nr, u32 bitset)
{
	struct futex_bucket *b;
	struct futex_key key;
	int r;

	if (!bitset)
		return -EINVAL;
	r = futex_key_get(uaddr, shared, false, &key);
	if (r)
		return r;
	b = futex_bucket_of(&key);
	smp_mb(); /* the caller's change of the word before the count: see the head */
	if (atomic_read(&b->count)) {
		spin_lock(&b->lock);
		r = wake_locked(b, &key, nr, bitset);
		spin_unlock(&b->lock);
	}
	mm_futex_key_put(&key);
	return r;
}

int
futex_wake_user(user_ptr word, int nr)
{
	return futex_wake(word, true, nr, FUTEX_BITSET_MATCH_ANY);
}

/* ---- WAKE_OP ---- */

/* Apply the operation to the word: 0 and whether the comparison held, -EFAULT, -ENOSYS. Does not
 * sleep. */
static int
wake_op_apply(user_ptr uaddr, u32 code, bool *holds)
{
	u32 op = code >> 28 & 7, cmp = code >> 24 & 15;
	s32 op_arg = (s32)(code << 8) >> 20, cmp_arg = (s32)(code << 20) >> 20;
	u32 *word = (u32 *)uaddr.addr, old;
	bool done;

	if (code >> 28 & FUTEX_OP_OPARG_SHIFT)
		op_arg = (s32)(1u << (op_arg & 31));
	user_fault_disable();
	switch (op) {
	case FUTEX_OP_SET: done = arch_user_xchg32(word, (u32)op_arg, &old); break;
	case FUTEX_OP_ADD: done = arch_user_fetch_add32(word, (u32)op_arg, &old); break;
	case FUTEX_OP_OR: done = arch_user_fetch_or32(word, (u32)op_arg, &old); break;
	case FUTEX_OP_ANDN: done = arch_user_fetch_and32(word, ~(u32)op_arg, &old); break;
	case FUTEX_OP_XOR: done = arch_user_fetch_xor32(word, (u32)op_arg, &old); break;
	default: user_fault_enable(); return -ENOSYS;
	}
	user_fault_enable();
	if (!done)
		return -EFAULT;
	switch (cmp) {
	case FUTEX_OP_CMP_EQ: *holds = (s32)old == cmp_arg; return 0;
	case FUTEX_OP_CMP_NE: *holds = (s32)old != cmp_arg; return 0;
	case FUTEX_OP_CMP_LT: *holds = (s32)old < cmp_arg; return 0;
	case FUTEX_OP_CMP_GE: *holds = (s32)old >= cmp_arg; return 0;
	case FUTEX_OP_CMP_LE: *holds = (s32)old <= cmp_arg; return 0;
	case FUTEX_OP_CMP_GT: *holds = (s32)old > cmp_arg; return 0;
	}
	return -ENOSYS;
}

/* Two keys, the second perhaps to be written through. */
static int
keys_get(user_ptr uaddr, user_ptr uaddr2, bool shared, bool write2, struct futex_key *key,
	 struct futex_key *key2)
{
	int r = futex_key_get(uaddr, shared, false, key);

	if (r)
		return r;
	r = futex_key_get(uaddr2, shared, write2, key2);
	if (r)
		mm_futex_key_put(key);
	return r;
}

static long
futex_wake_op(user_ptr uaddr, bool shared, user_ptr uaddr2, int nr, int nr2, u32 code)
{
	struct futex_key key, key2;
	struct futex_bucket *b, *b2;
	bool holds = false;
	int r, woken;

	for (;;) {
		r = keys_get(uaddr, uaddr2, shared, true, &key, &key2);
		if (r)
			return r;
		b = futex_bucket_of(&key);
		b2 = futex_bucket_of(&key2);
		futex_lock_two(b, b2);
		r = wake_op_apply(uaddr2, code, &holds);
		if (r != -EFAULT)
			break;
		futex_unlock_two(b, b2);
		mm_futex_key_put(&key2);
		mm_futex_key_put(&key);
		r = futex_fault_in(uaddr2);
		if (r)
			return r;
	}
	if (r == 0)
		r = wake_locked(b, &key, nr, FUTEX_BITSET_MATCH_ANY);
	if (r >= 0 && holds) {
		woken = wake_locked(b2, &key2, nr2, FUTEX_BITSET_MATCH_ANY);
		r = woken < 0 ? woken : r + woken;
	}
	futex_unlock_two(b, b2);
	mm_futex_key_put(&key2);
	mm_futex_key_put(&key);
	return r;
}

/* ---- REQUEUE ---- */

/* Both locked: wake nr_wake, move nr_requeue more. How many in all, or -EINVAL. */
static int
requeue_locked(struct futex_bucket *b, const struct futex_key *key, struct futex_bucket *b2,
	       const struct futex_key *key2, int nr_wake, int nr_requeue)
{
	struct futex_waiter *w, *next;
	int done = 0;

	list_for_each_entry_safe(w, next, &b->waiters, node)
	{
		if (done - nr_wake >= nr_requeue)
			break;
		if (!futex_key_equal(&w->key, key))
			continue;
		if (w->pi || w->requeue_key)
			return -EINVAL;
		if (++done <= nr_wake)
			futex_wake_waiter(w);
		else
			futex_move_locked(w, b2, key2);
	}
	return done;
}

static long
futex_requeue(user_ptr uaddr, bool shared, user_ptr uaddr2, int nr_wake, int nr_requeue,
	      const u32 *expected)
{
	struct futex_key key, key2;
	struct futex_bucket *b, *b2;
	u32 value;
	int r;

	if (nr_wake < 0 || nr_requeue < 0)
		return -EINVAL;
	for (;;) {
		r = keys_get(uaddr, uaddr2, shared, false, &key, &key2);
		if (r)
			return r;
		b = futex_bucket_of(&key);
		b2 = futex_bucket_of(&key2);
		/* Waiters are about to come to b2: a waker there must not skip the lock. */
		(void)atomic_add_return(&b2->count, 1);
		futex_lock_two(b, b2);
		r = expected ? futex_read_nofault(uaddr, &value) : 0;
		if (r == 0)
			r = expected && value != *expected
				    ? -EAGAIN
				    : requeue_locked(b, &key, b2, &key2, nr_wake, nr_requeue);
		futex_unlock_two(b, b2);
		atomic_dec(&b2->count);
		mm_futex_key_put(&key2);
		mm_futex_key_put(&key);
		if (r != -EFAULT)
			return r;
		if (get_user(&value, uaddr))
			return -EFAULT;
	}
}

/* ---- futex_waitv(2) ---- */

/* Off all queues: the index of one that had been woken, or -1. */
static int
waitv_unqueue(struct futex_waiter *w, u32 count)
{
	int woken = -1;

	for (u32 i = 0; i < count; i++)
		if (!waiter_unqueue(&w[i]))
			woken = (int)i;
	return woken;
}

static bool
waitv_woken(struct futex_waiter *w, u32 count)
{
	for (u32 i = 0; i < count; i++)
		if (!smp_load_acquire(&w[i].bucket))
			return true;
	return false;
}

static int
waitv_sleep(struct futex_waiter *w, u32 count, const struct futex_timeout *timeout)
{
	int r = 0;

	for (;;) {
		thread_set_state(THREAD_INTERRUPTIBLE);
		if (waitv_woken(w, count))
			break;
		if (thread_signal_pending(thread_current())) {
			r = -ERESTARTSYS;
			break;
		}
		if (!schedule_until(timeout_mono(timeout))) {
			r = -ETIMEDOUT;
			break;
		}
	}
	thread_set_state(THREAD_RUNNABLE);
	return r;
}

static int
timeout_from_user(user_ptr uaddr, bool realtime, bool relative, struct futex_timeout *out)
{
	struct linux_timespec ts;
	u64 ns;

	*out = (struct futex_timeout){ .realtime = realtime };
	if (user_ptr_null(uaddr))
		return 0;
	if (copy_from_user(&ts, uaddr, sizeof(ts)))
		return -EFAULT;
	if (ts.tv_sec < 0 || ts.tv_nsec < 0 || ts.tv_nsec >= (s64)NSEC_PER_SEC)
		return -EINVAL;
	ns = add_u64_sat(mul_u64_sat((u64)ts.tv_sec, NSEC_PER_SEC), (u64)ts.tv_nsec);
	if (relative)
		ns = add_u64_sat(ns, time_mono_ns());
	out->set = true;
	out->deadline = MIN(ns, (u64)INT64_MAX);
	return 0;
}

static long
waitv(struct futex_waiter *w, const struct linux_futex_waitv *want, u32 count,
      const struct futex_timeout *timeout)
{
	int r, woken;

	for (u32 i = 0; i < count; i++) {
		futex_waiter_init(&w[i], FUTEX_BITSET_MATCH_ANY, timeout);
		r = futex_queue_if(&w[i], user_ptr_of(want[i].uaddr),
				   !(want[i].flags & FUTEX_PRIVATE_FLAG), (u32)want[i].val);
		if (r) {
			woken = waitv_unqueue(w, i);
			return woken >= 0 ? woken : r;
		}
	}
	r = waitv_sleep(w, count, timeout);
	woken = waitv_unqueue(w, count);
	return woken >= 0 ? woken : r;
}

long
sys_futex_waitv(user_ptr waiters, unsigned int count, unsigned int flags, user_ptr timeout,
		int clock)
{
	struct linux_futex_waitv *want;
	struct futex_timeout until = { false };
	struct futex_waiter *w;
	long r;

	if (flags || !count || count > FUTEX_WAITV_MAX || user_ptr_null(waiters))
		return -EINVAL;
	if (!user_ptr_null(timeout)) {
		if (clock != CLOCK_REALTIME && clock != CLOCK_MONOTONIC)
			return -EINVAL;
		r = timeout_from_user(timeout, clock == CLOCK_REALTIME, false, &until);
		if (r)
			return r;
	}
	want = kmalloc_array(count, sizeof(*want), GFP_KERNEL);
	w = kmalloc_array(count, sizeof(*w), GFP_KERNEL);
	r = -ENOMEM;
	if (!want || !w)
		goto out_free;
	r = copy_from_user(want, waiters, count * sizeof(*want));
	if (r)
		goto out_free;
	r = -EINVAL;
	for (u32 i = 0; i < count; i++)
		if ((want[i].flags & ~FUTEX_PRIVATE_FLAG) != FUTEX_32 || want[i].reserved)
			goto out_free;
	r = waitv(w, want, count, &until);
out_free:
	kfree(w);
	kfree(want);
	return r;
}

/* ---- robust lists ---- */

long
sys_set_robust_list(user_ptr head, size_t length)
{
	if (length != sizeof(struct linux_robust_list_head))
		return -EINVAL;
	current->robust_list = head;
	return 0;
}

long
sys_get_robust_list(int pid, user_ptr head, user_ptr length)
{
	struct task *t = current;
	user_ptr list;
	bool allowed;

	if (pid) {
		const struct cred *me = current_cred();

		t = pid > 0 ? task_find(pid) : NULL;
		if (!t)
			return -ESRCH;
		rcu_read_lock();
		allowed = t->process == current->process || cred_capable(me, CAP_SYS_PTRACE) ||
			  me->uid == rcu_dereference(t->cred)->euid;
		rcu_read_unlock();
		list = t->robust_list;
		task_put(t);
		if (!allowed)
			return -EPERM;
	} else {
		list = t->robust_list;
	}
	if (put_user(length, (u64)sizeof(struct linux_robust_list_head)))
		return -EFAULT;
	return put_user(head, list.addr);
}

/* The holder of this word dies. Nonzero: the list is not worth following any further. */
static int
robust_word_died(user_ptr uaddr, bool pi, bool pending)
{
	u32 tid = (u32)task_tid(current), value;
	int r;

	if (uaddr.addr % sizeof(u32) || !user_range_ok(uaddr, sizeof(u32)))
		return -EFAULT;
	do {
		if (get_user(&value, uaddr))
			return -EFAULT;
		/* Died between unlocking and the wake-up that it owed. */
		if (pending && !pi && !value) {
			futex_wake(uaddr, true, 1, FUTEX_BITSET_MATCH_ANY);
			return 0;
		}
		if ((value & FUTEX_TID_MASK) != tid)
			return 0;
		r = futex_cmpxchg_nofault(uaddr, value, (value & FUTEX_WAITERS) | FUTEX_OWNER_DIED);
		if (r == -EFAULT && futex_fault_in(uaddr))
			return -EFAULT;
	} while (r);
	if (!pi && (value & FUTEX_WAITERS))
		futex_wake(uaddr, true, 1, FUTEX_BITSET_MATCH_ANY);
	return 0;
}

static void
robust_list_walk(user_ptr head)
{
	struct linux_robust_list_head list;
	u64 entry, next;

	if (copy_from_user(&list, head, sizeof(list)))
		return;
	entry = list.list.next;
	for (u32 left = ROBUST_LIST_LIMIT; (entry & ~1ull) != head.addr && left; left--) {
		bool pi = entry & 1, last;

		entry &= ~1ull;
		/* The next one first: once the word says "died" another thread may take the entry
		 * out. */
		last = get_user(&next, user_ptr_of(entry));
		if (entry != (list.list_op_pending & ~1ull) &&
		    robust_word_died(user_ptr_of(entry + (u64)list.futex_offset), pi, false))
			return;
		if (last)
			return;
		entry = next;
		sched_cond_resched();
	}
	if (list.list_op_pending & ~1ull)
		robust_word_died(
			user_ptr_of((list.list_op_pending & ~1ull) + (u64)list.futex_offset),
			list.list_op_pending & 1, true);
}

static void
futex_leave(void)
{
	struct task *t = current;

	if (!user_ptr_null(t->robust_list)) {
		robust_list_walk(t->robust_list);
		t->robust_list = user_ptr_of(0);
	}
	futex_pi_exit(t);
}

void
futex_exit(void)
{
	futex_leave();
}

void
futex_exec(void)
{
	futex_leave();
	futex_pi_exec(current);
}

/* ---- the system call ---- */

void
futex_init(void)
{
	static struct time_step_hook hook = { .stepped = futex_clock_stepped };

	bucket_bits = ilog2_up((u64)BUCKETS_PER_CPU * cpu_count);
	buckets = kvmalloc(sizeof(*buckets) << bucket_bits, GFP_KERNEL);
	if (!buckets)
		panic("no memory for %u futex buckets", 1u << bucket_bits);
	for (u32 i = 0; i < 1u << bucket_bits; i++) {
		spin_init(&buckets[i].lock, RANK_FUTEX);
		atomic_set(&buckets[i].count, 0);
		list_init(&buckets[i].waiters);
	}
	futex_pi_init();
	time_add_step_hook(&hook);
}

long
sys_futex(user_ptr word, int op, u32 val, user_ptr timeout, user_ptr word2, u32 val3)
{
	int command = op & FUTEX_CMD_MASK, nr2 = (int)timeout.addr;
	bool shared = !(op & FUTEX_PRIVATE_FLAG), realtime = op & FUTEX_CLOCK_REALTIME;
	struct futex_timeout until = { false };
	int r = 0;

	if (realtime && command != FUTEX_WAIT_BITSET && command != FUTEX_WAIT_REQUEUE_PI &&
	    command != FUTEX_LOCK_PI2)
		return -ENOSYS;
	switch (command) {
	case FUTEX_WAIT:
	case FUTEX_LOCK_PI:
	case FUTEX_LOCK_PI2:
	case FUTEX_WAIT_BITSET:
	case FUTEX_WAIT_REQUEUE_PI:
		r = timeout_from_user(timeout, realtime || command == FUTEX_LOCK_PI,
				      command == FUTEX_WAIT, &until);
		if (r)
			return r;
	}
	switch (command) {
	case FUTEX_WAIT: return futex_wait(word, shared, val, &until, FUTEX_BITSET_MATCH_ANY);
	case FUTEX_WAIT_BITSET: return futex_wait(word, shared, val, &until, val3);
	case FUTEX_WAKE: return futex_wake(word, shared, (int)val, FUTEX_BITSET_MATCH_ANY);
	case FUTEX_WAKE_BITSET: return futex_wake(word, shared, (int)val, val3);
	case FUTEX_REQUEUE: return futex_requeue(word, shared, word2, (int)val, nr2, NULL);
	case FUTEX_CMP_REQUEUE: return futex_requeue(word, shared, word2, (int)val, nr2, &val3);
	case FUTEX_WAKE_OP: return futex_wake_op(word, shared, word2, (int)val, nr2, val3);
	case FUTEX_LOCK_PI:
	case FUTEX_LOCK_PI2: return futex_lock_pi(word, shared, &until, false);
	case FUTEX_TRYLOCK_PI: return futex_lock_pi(word, shared, &until, true);
	case FUTEX_UNLOCK_PI: return futex_unlock_pi(word, shared);
	case FUTEX_WAIT_REQUEUE_PI: return futex_wait_requeue_pi(word, shared, val, &until, word2);
	case FUTEX_CMP_REQUEUE_PI:
		return futex_cmp_requeue_pi(word, shared, word2, (int)val, nr2, val3);
	}
	return -ENOSYS;
}
