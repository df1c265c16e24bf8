/* SPDX-License-Identifier: MIT */
/* What futex.c and futex_pi.c share. */
#ifndef IPC_FUTEX_INTERNAL_H
#define IPC_FUTEX_INTERNAL_H

#include "core/spinlock.h"
#include "lib/atomic.h"
#include "lib/list.h"
#include "mm/mm.h"
#include "mm/user.h"

struct task;
struct futex_pi;

/* Letters: [B] lock of the bucket the waiter is in, [P] pi_lock, [I] fixed while queued. */

struct futex_bucket {
	struct spinlock lock;
	struct atomic32
		count;	     /* waiters here or about to come: a wake-up of nobody skips the lock */
	struct list waiters; /* [B] real-time ones by priority, then in order of arrival */
} __aligned(64);

struct futex_waiter {
	struct list node;	     /* [B] */
	struct futex_bucket *bucket; /* [B] where it is queued; NULL: woken, may be gone */
	struct futex_key key;	     /* [B] */
	struct task *task;	     /* [I] */
	u32 bitset;		     /* [I] */
	u8 priority;		     /* [P] real-time priority, 0: none */
	bool realtime;		     /* [I] its deadline is on CLOCK_REALTIME */

	const struct futex_key *requeue_key; /* [I] WAIT_REQUEUE_PI: where it may be moved */
	struct futex_pi *pi;		     /* [B, P] it waits for a PI futex */
	struct list pi_node;		     /* [P] in pi->waiters */
	bool granted;			     /* [P] the PI futex is its own now */
};

struct futex_timeout {
	bool set, realtime;
	u64 deadline; /* absolute, on its clock */
};

/* futex.c */
int futex_key_get(user_ptr uaddr, bool shared, bool write, struct futex_key *key);
bool futex_key_equal(const struct futex_key *a, const struct futex_key *b);
struct futex_bucket *futex_bucket_of(const struct futex_key *key);
void futex_lock_two(struct futex_bucket *a, struct futex_bucket *b);
void futex_unlock_two(struct futex_bucket *a, struct futex_bucket *b);
struct futex_waiter *futex_find(struct futex_bucket *b, const struct futex_key *key);
void futex_waiter_init(struct futex_waiter *w, u32 bitset, const struct futex_timeout *timeout);
void futex_queue_locked(struct futex_bucket *b, struct futex_waiter *w);
void futex_dequeue_locked(struct futex_bucket *b, struct futex_waiter *w);
void
futex_move_locked(struct futex_waiter *w, struct futex_bucket *to, const struct futex_key *key);
void futex_wake_waiter(struct futex_waiter *w);
/* The bucket the waiter is in, locked; NULL: it has been woken. */
struct futex_bucket *futex_waiter_lock(struct futex_waiter *w);
/* Queue w on uaddr if the word is still `expected`. 0, -EAGAIN, -EFAULT, -EINVAL. The key is held
 * after 0. */
int futex_queue_if(struct futex_waiter *w, user_ptr uaddr, bool shared, u32 expected);
/* Sleep until woken or granted: 0, -ETIMEDOUT, -EINTR. */
int futex_sleep(struct futex_waiter *w, const struct futex_timeout *timeout);

/* The word, without sleeping: 0 or -EFAULT. */
int futex_read_nofault(user_ptr uaddr, u32 *value);
/* 0, -EFAULT, or -EAGAIN when the word was not `expected`. Does not sleep. */
int futex_cmpxchg_nofault(user_ptr uaddr, u32 expected, u32 value);
/* Make the page present and writable; may sleep. 0 or -EFAULT. */
int futex_fault_in(user_ptr uaddr);

/* futex_pi.c */
void futex_pi_init(void);
void futex_pi_exit(struct task *t);
void futex_pi_exec(struct task *t);
long futex_lock_pi(user_ptr uaddr, bool shared, const struct futex_timeout *timeout, bool try);
long futex_unlock_pi(user_ptr uaddr, bool shared);
long futex_wait_requeue_pi(user_ptr uaddr, bool shared, u32 val,
			   const struct futex_timeout *timeout, user_ptr uaddr2);
long futex_cmp_requeue_pi(user_ptr uaddr, bool shared, user_ptr uaddr2, int nr_wake, int nr_requeue,
			  u32 cmpval);

#endif
