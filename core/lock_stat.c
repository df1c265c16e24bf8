/* SPDX-License-Identifier: MIT */
/*
 * Statistics of locks, by the place that takes them: see the header.
 *
 * A table of places, hashed by address; a place is entered by a compare-and-swap of its address and
 * never leaves. When the table is full, further places are not counted.
 *
 * Locking: none, for locks of all kinds call it, in interrupts too. Counters are atomic; a holder
 * belongs to who holds the lock: it lies in a lock that sleeps, and beside the CPU for a spinlock,
 * which has to stay small. (A switch hands the run queue's over to
 * another thread, but on the same CPU.) The counters' shared lines make what is measured somewhat
 * longer than in a kernel without them.
 */
#include "core/lock_stat.h"

#include "core/percpu.h"
#include "lib/atomic.h"
#include "lib/hash.h"

#define HELD_MAX 24

/* The spinlocks that a CPU holds. An interrupt may push and pop, but leaves it as it was. */
struct held_spins {
	u32 count;
	struct {
		const void *lock;
		struct lock_holder holder;
	} held[HELD_MAX];
};

static DEFINE_PERCPU(struct held_spins, held_spins);
static struct lock_place places[LOCK_PLACES];

static struct lock_place *
place_find(uintptr_t address, enum lock_kind kind)
{
	u64 hash = hash_mix(kind, address);

	for (u32 probe = 0; probe < 32; probe++) {
		struct lock_place *p = &places[(hash + probe) % LOCK_PLACES];
		uintptr_t there = READ_ONCE(p->address);

		if (!there && try_cmpxchg(&p->address, &there, address)) {
			WRITE_ONCE(p->kind, kind);
			return p;
		}
		if (there == address)
			return p;
	}
	return NULL;
}

static void
add(u64 *counter, u64 value)
{
	__atomic_fetch_add(counter, value, __ATOMIC_RELAXED);
}

static void
raise(u64 *maximum, u64 value)
{
	u64 old = READ_ONCE(*maximum);

	while (old < value && !try_cmpxchg(maximum, &old, value))
		;
}

void
lock_stat_taken(struct lock_holder *holder, enum lock_kind kind, u64 asked, uintptr_t place)
{
	u64 now = lock_stat_clock();
	struct lock_place *p = place_find(place, kind);

	if (kind != LOCK_READ) {
		holder->place = p;
		holder->since = now;
	}
	if (!p)
		return;
	add(&p->taken, 1);
	if (!asked)
		return;
	add(&p->waited, 1);
	add(&p->wait_total, now - asked);
	raise(&p->wait_max, now - asked);
}

void
lock_stat_release(struct lock_holder *holder)
{
	struct lock_place *p = holder->place;
	u64 held = lock_stat_clock() - holder->since;

	holder->place = NULL;
	if (!p)
		return;
	add(&p->held_total, held);
	raise(&p->held_max, held);
}

void
lock_stat_spin_taken(const void *lock, u64 asked)
{
	unsigned long flags = arch_irq_save();
	struct held_spins *spins = this_cpu_ptr(held_spins);

	if (spins->count < HELD_MAX) {
		spins->held[spins->count].lock = lock;
		lock_stat_taken(&spins->held[spins->count++].holder, LOCK_SPIN, asked,
				LOCK_STAT_CALLER);
	}
	arch_irq_restore(flags);
}

void
lock_stat_spin_release(const void *lock)
{
	unsigned long flags = arch_irq_save();
	struct held_spins *spins = this_cpu_ptr(held_spins);

	for (u32 i = spins->count; i-- > 0;) {
		if (spins->held[i].lock != lock)
			continue;
		lock_stat_release(&spins->held[i].holder);
		for (spins->count--; i < spins->count; i++)
			spins->held[i] = spins->held[i + 1];
		break;
	}
	arch_irq_restore(flags);
}

const struct lock_place *
lock_stat_place(u32 n)
{
	return READ_ONCE(places[n].address) ? &places[n] : NULL;
}

void
lock_stat_reset(void)
{
	for (u32 n = 0; n < LOCK_PLACES; n++) {
		struct lock_place *p = &places[n];
		u64 *const counters[] = { &p->taken,	&p->waited,	&p->wait_total,
					  &p->wait_max, &p->held_total, &p->held_max };

		for (u32 i = 0; i < ARRAY_SIZE(counters); i++)
			WRITE_ONCE(*counters[i], 0);
	}
}
