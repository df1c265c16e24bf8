/* SPDX-License-Identifier: MIT */
/*
 * Spinlocks: small (8 bytes), ranked. Holding one disables preemption. A lock that interrupts take
 * is always taken with the _irqsave or _irq form. Uncontended: one compare-and-swap, then one
 * store. Debug builds check the rank, recursion, the holder and the interrupt flag at every
 * acquire.
 */
#ifndef CORE_SPINLOCK_H
#define CORE_SPINLOCK_H

#include "arch/cpu.h"
#include "core/lock_rank.h"
#include "core/lock_stat.h"
#include "core/preempt.h"
#include "lib/atomic.h"
#include "lib/types.h"

extern bool spin_unfair; /* first come, first served: set by arch in a virtual machine */

struct spinlock {
	union {
		u32 word; /* 0: free; core/spinlock.c owns the format */
		u8 locked;
	};
	u16 rank;
	u16 holder; /* CPU + 1; debug builds */
};

#define SPINLOCK_INIT(r)               \
	{                              \
		.word = 0, .rank = (r) \
	}

static inline void
spin_init(struct spinlock *lock, enum lock_rank rank)
{
	*lock = (struct spinlock)SPINLOCK_INIT(rank);
}

void spin_lock_contended(struct spinlock *lock);

#ifdef KEVLAR_DEBUG
void spin_debug_acquire(struct spinlock *lock, bool nested, bool try);
void spin_debug_acquired(struct spinlock *lock);
void spin_debug_release(struct spinlock *lock);
#else
static inline void
spin_debug_acquire(struct spinlock *lock, bool nested, bool try)
{
}
static inline void
spin_debug_acquired(struct spinlock *lock)
{
}
static inline void
spin_debug_release(struct spinlock *lock)
{
}
#endif

LOCK_STAT_INLINE void
spin_lock_raw(struct spinlock *lock)
{
	u32 free = 0;
	u64 asked = 0;

	if (unlikely(!__atomic_compare_exchange_n(&lock->word, &free, 1, false, __ATOMIC_ACQUIRE,
						  __ATOMIC_RELAXED))) {
		asked = lock_stat_clock();
		spin_lock_contended(lock);
	}
	lock_stat_spin_taken(lock, asked);
}

static inline void
spin_unlock_raw(struct spinlock *lock)
{
	lock_stat_spin_release(lock);
	__atomic_store_n(&lock->locked, 0, __ATOMIC_RELEASE);
}

LOCK_STAT_INLINE void
spin_lock(struct spinlock *lock)
{
	preempt_disable();
	spin_debug_acquire(lock, false, false);
	spin_lock_raw(lock);
	spin_debug_acquired(lock);
}

/* Same rank as a lock already held: the caller's comment says which order rules. */
LOCK_STAT_INLINE void
spin_lock_nested(struct spinlock *lock)
{
	preempt_disable();
	spin_debug_acquire(lock, true, false);
	spin_lock_raw(lock);
	spin_debug_acquired(lock);
}

/* Never waits, so its rank is not checked against the locks held. */
LOCK_STAT_INLINE bool __must_check
spin_trylock(struct spinlock *lock)
{
	u32 free = 0;

	preempt_disable();
	if (__atomic_compare_exchange_n(&lock->word, &free, 1, false, __ATOMIC_ACQUIRE,
					__ATOMIC_RELAXED)) {
		spin_debug_acquire(lock, true, true);
		spin_debug_acquired(lock);
		lock_stat_spin_taken(lock, 0);
		return true;
	}
	preempt_enable();
	return false;
}

static inline void
spin_unlock(struct spinlock *lock)
{
	spin_debug_release(lock);
	spin_unlock_raw(lock);
	preempt_enable();
}

/* flags = spin_lock_irqsave(lock): interrupts off until spin_unlock_irqrestore. */
LOCK_STAT_INLINE unsigned long __must_check
spin_lock_irqsave(struct spinlock *lock)
{
	unsigned long flags = arch_irq_save();

	spin_lock(lock);
	return flags;
}

/* Interrupts come back first, so that a reschedule that is due can happen in preempt_enable. */
static inline void
spin_unlock_irqrestore(struct spinlock *lock, unsigned long flags)
{
	spin_debug_release(lock);
	spin_unlock_raw(lock);
	arch_irq_restore(flags);
	preempt_enable();
}

/* For callers who know that interrupts are on. */
LOCK_STAT_INLINE void
spin_lock_irq(struct spinlock *lock)
{
	arch_irq_disable();
	spin_lock(lock);
}

static inline void
spin_unlock_irq(struct spinlock *lock)
{
	spin_debug_release(lock);
	spin_unlock_raw(lock);
	arch_irq_enable();
	preempt_enable();
}

static inline bool
spin_is_locked(const struct spinlock *lock)
{
	return READ_ONCE(lock->word) != 0;
}

/* Debug builds: panic unless this CPU holds it. */
#ifdef KEVLAR_DEBUG
void spin_assert_held(const struct spinlock *lock);
#else
static inline void
spin_assert_held(const struct spinlock *lock)
{
}
#endif

/*
 * Sequence lock: readers retry; a writer holds a spinlock of its own against other writers.
 *	do { s = seq_read_begin(&q); ... } while (seq_read_retry(&q, s));
 */
struct seqcount {
	u32 seq; /* odd while a writer is at work */
};

static inline u32
seq_read_begin(const struct seqcount *q)
{
	u32 seq;

	while (unlikely((seq = smp_load_acquire(&q->seq)) & 1))
		arch_cpu_relax();
	return seq;
}

static inline bool
seq_read_retry(const struct seqcount *q, u32 start)
{
	smp_rmb();
	return unlikely(READ_ONCE(q->seq) != start);
}

/* The count must be seen odd before any of the data changes, and even only after all of it has. */
static inline void
seq_write_begin(struct seqcount *q)
{
	WRITE_ONCE(q->seq, q->seq + 1);
	smp_wmb();
}

static inline void
seq_write_end(struct seqcount *q)
{
	smp_store_release(&q->seq, q->seq + 1);
}

#endif
