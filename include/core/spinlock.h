/* SPDX-License-Identifier: MIT */
/*
 * Spinlocks: fair, small (8 bytes in release builds), ranked in debug builds. Holding one disables
 * preemption. A lock that interrupts take is always taken with the _irqsave or _irq form.
 * Debug builds check the rank, recursion and the holder at every acquire and release.
 */
#ifndef CORE_SPINLOCK_H
#define CORE_SPINLOCK_H

#include "core/lock_rank.h"
#include "lib/types.h"

struct spinlock {
	u32 ticket;		/* low half: now serving; high half: next ticket (core/spinlock.c owns the format) */
	u16 rank;
	u16 holder;		/* CPU + 1; debug builds */
};

#define SPINLOCK_INIT(r) { .ticket = 0, .rank = (r) }

static inline void
spin_init(struct spinlock *lock, enum lock_rank rank)
{
	*lock = (struct spinlock)SPINLOCK_INIT(rank);
}

void spin_lock(struct spinlock *lock);
void spin_unlock(struct spinlock *lock);
bool spin_trylock(struct spinlock *lock);
/* Same rank as a lock already held: the caller's comment says which order rules. */
void spin_lock_nested(struct spinlock *lock);

/* flags = spin_lock_irqsave(lock): interrupts off until spin_unlock_irqrestore. */
unsigned long spin_lock_irqsave(struct spinlock *lock);
void spin_unlock_irqrestore(struct spinlock *lock, unsigned long flags);
/* For callers who know that interrupts are on. */
void spin_lock_irq(struct spinlock *lock);
void spin_unlock_irq(struct spinlock *lock);

bool spin_is_locked(const struct spinlock *lock);
/* Debug builds: panic unless this CPU holds it. */
void spin_assert_held(const struct spinlock *lock);

/*
 * Sequence lock: readers retry, writers (who hold a spinlock of their own) exclude nobody but readers' luck.
 *	do { s = seq_read_begin(&q); ... } while (seq_read_retry(&q, s));
 */
struct seqcount {
	u32 seq;
};

u32 seq_read_begin(const struct seqcount *q);
bool seq_read_retry(const struct seqcount *q, u32 start);
void seq_write_begin(struct seqcount *q);
void seq_write_end(struct seqcount *q);

#endif
