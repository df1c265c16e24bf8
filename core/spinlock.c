/* SPDX-License-Identifier: MIT */
/*
 * Spinlocks under contention, and their checks.
 *
 * Idea: the word holds a byte "locked" and, above it, the tail of a queue of waiting CPUs. A CPU
 * that finds the lock taken queues a node of its own and spins on that, so the lock's cache line is
 * touched by the holder and the first in the queue only, and waiters are served in order (an MCS
 * queue).
 *
 *	bits 0-7	locked
 *	bits 16-31	tail: (CPU + 1) * 4 + nesting level; 0 = nobody waits
 *
 * A CPU may wait for one lock in a thread, another in an interrupt, a third in an NMI: a node each.
 *
 * In a virtual machine the host may stop the CPU whose turn it is while others, which run, must
 * wait for it. There the queue is not used and the lock goes to whoever comes first.
 *
 * Checks (debug builds): a per-CPU stack of held locks. An interrupt's locks lie on top of those of
 * the thread that it interrupted, and rank above them, for such a lock is never held with
 * interrupts on.
 */
#include "core/spinlock.h"

#include "core/cpumask.h"
#include "core/panic.h"

#define LOCKED	    1u
#define LOCKED_MASK 0xffu
#define TAIL_SHIFT  16
#define NEST_MAX    4

struct spin_node {
	struct spin_node *next;
	u32 granted;
};

bool spin_unfair;

static DEFINE_PERCPU(struct spin_node, spin_nodes[NEST_MAX]);
static DEFINE_PERCPU(u32, spin_nesting);

static struct spin_node *
tail_node(u32 tail)
{
	return percpu_ptr(spin_nodes[0], tail / NEST_MAX - 1) + tail % NEST_MAX;
}

static void
lock_unfair(struct spinlock *lock)
{
	u32 free;

	do {
		while (READ_ONCE(lock->word))
			arch_cpu_relax();
		free = 0;
	} while (!__atomic_compare_exchange_n(&lock->word, &free, LOCKED, false, __ATOMIC_ACQUIRE,
					      __ATOMIC_RELAXED));
}

static void
lock_queued(struct spinlock *lock)
{
	u32 level = this_cpu_read(spin_nesting);
	u32 tail = (cpu_id() + 1) * NEST_MAX + level, old = READ_ONCE(lock->word);
	struct spin_node *node, *next;

	this_cpu_inc(spin_nesting);
	node = tail_node(tail);
	node->next = NULL;
	node->granted = 0;
	/* The node is complete before others can find it: the exchange releases. */
	while (!try_cmpxchg(&lock->word, &old, (old & LOCKED_MASK) | tail << TAIL_SHIFT))
		arch_cpu_relax();
	if (old >> TAIL_SHIFT) {
		WRITE_ONCE(tail_node(old >> TAIL_SHIFT)->next, node);
		while (!smp_load_acquire(&node->granted))
			arch_cpu_relax();
	}

	/* First in the queue: nobody else may set the locked byte, for the word is not zero. */
	while ((old = smp_load_acquire(&lock->word)) & LOCKED_MASK)
		arch_cpu_relax();
	if (old != tail << TAIL_SHIFT || !try_cmpxchg(&lock->word, &old, LOCKED)) {
		__atomic_store_n(&lock->locked, LOCKED, __ATOMIC_RELAXED);
		while (!(next = READ_ONCE(node->next)))
			arch_cpu_relax();
		smp_store_release(&next->granted, 1);
	}
	this_cpu_dec(spin_nesting);
}

void
spin_lock_contended(struct spinlock *lock)
{
	if (READ_ONCE(spin_unfair) || this_cpu_read(spin_nesting) == NEST_MAX)
		lock_unfair(lock);
	else
		lock_queued(lock);
}

#ifdef KEVLAR_DEBUG

#define HELD_MAX 24

struct held_locks {
	u32 count;
	struct spinlock *lock[HELD_MAX];
};

static DEFINE_PERCPU(struct held_locks, spin_held);

/* Preemption is off; an interrupt may push and pop, but leaves the stack as it found it. */
void
spin_debug_acquire(struct spinlock *lock, bool nested, bool try)
{
	struct held_locks *held = this_cpu_ptr(spin_held);
	u32 top = 0;

	for (u32 i = 0; i < held->count; i++) {
		if (held->lock[i] == lock && !try)
			panic("lock %p (rank %u) taken twice by CPU %u", lock, lock->rank,
			      cpu_id());
		top = MAX_T(u32, top, held->lock[i]->rank);
	}
	if (!lock->rank)
		panic("lock %p was never initialised", lock);
	if (!try && (nested ? lock->rank < top : lock->rank <= top))
		panic("lock %p of rank %u taken while holding rank %u", lock, lock->rank, top);
	if (lock->rank >= RANK_TASKLIST && arch_irqs_enabled())
		panic("lock %p of rank %u taken with interrupts on", lock, lock->rank);
	if (lock->rank < RANK_TASKLIST && in_irq())
		panic("lock %p of rank %u taken in an interrupt", lock, lock->rank);
}

void
spin_debug_acquired(struct spinlock *lock)
{
	unsigned long flags = arch_irq_save();
	struct held_locks *held = this_cpu_ptr(spin_held);

	ASSERT(held->count < HELD_MAX);
	held->lock[held->count++] = lock;
	lock->holder = (u16)(cpu_id() + 1);
	arch_irq_restore(flags);
}

void
spin_debug_release(struct spinlock *lock)
{
	unsigned long flags = arch_irq_save();
	struct held_locks *held = this_cpu_ptr(spin_held);
	u32 i = held->count;

	if (lock->holder != cpu_id() + 1)
		panic("lock %p of rank %u released by CPU %u, held by CPU %d", lock, lock->rank,
		      cpu_id(), lock->holder - 1);
	while (i-- > 0)
		if (held->lock[i] == lock)
			break;
	ASSERT(i < held->count);
	for (held->count--; i < held->count; i++)
		held->lock[i] = held->lock[i + 1];
	lock->holder = 0;
	arch_irq_restore(flags);
}

void
spin_assert_held(const struct spinlock *lock)
{
	if (lock->holder != cpu_id() + 1)
		panic("lock %p of rank %u should be held here", lock, lock->rank);
}

#endif
