/* SPDX-License-Identifier: MIT */
/*
 * What locks cost: how often each place in the code takes one, how long it waits, how long it
 * holds. Only in a kernel built for it, `make LOCKSTAT=1`; elsewhere a lock has no field and the
 * calls are empty.
 */
#ifndef CORE_LOCK_STAT_H
#define CORE_LOCK_STAT_H

#include "lib/types.h"

enum lock_kind { LOCK_SPIN, LOCK_MUTEX, LOCK_READ, LOCK_WRITE, LOCK_KINDS };

/* A place that takes locks. Times are cycles of arch_cycles(). */
struct lock_place {
	uintptr_t address; /* behind the call; 0: free */
	enum lock_kind kind;
	u64 taken, waited, wait_total, wait_max;
	u64 held_total, held_max; /* readers: not measured, for many hold at once */
};

#ifdef KEVLAR_LOCKSTAT

#include "arch/cpu.h"

/* What is to have the place of its caller. */
#define LOCK_STAT_INLINE static __always_inline

/* In each lock that sleeps; what spinlocks a CPU holds, it keeps itself. */
struct lock_holder {
	struct lock_place *place;
	u64 since;
};

static inline u64
lock_stat_clock(void)
{
	return arch_cycles();
}

/* Taken just now; asked: when waiting began, 0 if it was free. */
void lock_stat_taken(struct lock_holder *holder, enum lock_kind kind, u64 asked, uintptr_t place);
void lock_stat_release(struct lock_holder *holder);
/* The place is the caller's. Preemption is off. */
void lock_stat_spin_taken(const void *lock, u64 asked);
void lock_stat_spin_release(const void *lock);

#define LOCK_PLACES 4096
/* The n-th place, or NULL. */
const struct lock_place *lock_stat_place(u32 n);
void lock_stat_reset(void);

#else

#define LOCK_STAT_INLINE static inline

struct lock_holder {
};

static inline u64
lock_stat_clock(void)
{
	return 0;
}
static inline void
lock_stat_taken(struct lock_holder *holder, enum lock_kind kind, u64 asked, uintptr_t place)
{
}
static inline void
lock_stat_release(struct lock_holder *holder)
{
}
static inline void
lock_stat_spin_taken(const void *lock, u64 asked)
{
}
static inline void
lock_stat_spin_release(const void *lock)
{
}

#endif

/* For functions that are a lock's only way in: the place is who called them. */
#define LOCK_STAT_CALLER ((uintptr_t)__builtin_return_address(0))

#endif
