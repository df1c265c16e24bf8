/* SPDX-License-Identifier: MIT */
/* Sleeping locks. Owners are threads; ranked in debug builds. Uncontended: one compare-and-swap
 * each way. Waiters spin while the owner runs. */
#ifndef SCHED_MUTEX_H
#define SCHED_MUTEX_H

#include "core/lock_rank.h"
#include "core/lock_stat.h"
#include "core/spinlock.h"
#include "lib/atomic.h"
#include "lib/list.h"

struct mutex {
	struct atomic64 owner; /* struct thread * | waiter bit */
	struct spinlock wait_lock;
	struct list waiters;
	u16 rank;
	struct lock_holder stat;
};

#define MUTEX_INIT(name, r)                                                                        \
	{                                                                                          \
		.wait_lock = SPINLOCK_INIT(RANK_WAIT_QUEUE), .waiters = LIST_INIT((name).waiters), \
		.rank = (r)                                                                        \
	}
void mutex_init(struct mutex *m, enum lock_rank rank);
void mutex_lock(struct mutex *m);
void
mutex_lock_nested(struct mutex *m); /* same rank held: see the caller's comment for the order */
int __must_check mutex_lock_interruptible(struct mutex *m); /* 0 or -EINTR */
int __must_check mutex_lock_killable(struct mutex *m);
bool mutex_trylock(struct mutex *m);
void mutex_unlock(struct mutex *m);
bool mutex_is_locked(const struct mutex *m);
void mutex_assert_held(const struct mutex *m);

/* Reader-writer: writers are not starved; a waiting writer holds back new readers. */
struct rwsem {
	struct atomic64 state;
	struct spinlock wait_lock;
	struct list waiters;
	struct thread *owner; /* writer */
	u16 rank;
	struct lock_holder stat; /* the writer */
};

#define RWSEM_INIT(name, r)                                                                        \
	{                                                                                          \
		.wait_lock = SPINLOCK_INIT(RANK_WAIT_QUEUE), .waiters = LIST_INIT((name).waiters), \
		.rank = (r)                                                                        \
	}
void rwsem_init(struct rwsem *s, enum lock_rank rank);
void rwsem_read_lock(struct rwsem *s);
int __must_check rwsem_read_lock_killable(struct rwsem *s);
bool rwsem_try_read_lock(struct rwsem *s);
void rwsem_read_unlock(struct rwsem *s);
void rwsem_write_lock(struct rwsem *s);
void rwsem_write_lock_nested(struct rwsem *s);
int __must_check rwsem_write_lock_killable(struct rwsem *s);
bool rwsem_try_write_lock(struct rwsem *s);
void rwsem_write_unlock(struct rwsem *s);
void rwsem_downgrade(struct rwsem *s);
void rwsem_assert_held(const struct rwsem *s);

/*
 * For what is held like a lock without being one (an open journal handle), so that its order is
 * checked with the others'.
 */
#ifdef KEVLAR_DEBUG
void sleep_lock_acquire(u32 rank, bool nested, bool try);
void sleep_lock_release(u32 rank);
#else
static inline void
sleep_lock_acquire(u32 rank, bool nested, bool try)
{
}
static inline void
sleep_lock_release(u32 rank)
{
}
#endif

#endif
