/* SPDX-License-Identifier: MIT */
/*
 * Atomic integers, memory barriers and atomic bits.
 *
 * Everything is a compiler builtin, so the file serves every architecture. Ordering: operations
 * that return nothing are relaxed; operations that return a value are sequentially consistent,
 * except the plain reads; a compare-and-exchange that fails orders nothing. Where a void operation
 * must be ordered against its neighbours, write the barrier beside it and say why.
 *
 * Bits live in arrays of unsigned long: bit n is bit n % 64 of word n / 64.
 */
#ifndef LIB_ATOMIC_H
#define LIB_ATOMIC_H

#include "lib/types.h"

struct atomic32 {
	volatile int value;
};

struct atomic64 {
	volatile s64 value;
};

#define ATOMIC_INIT(v) \
	{              \
		(v)    \
	}

/* Order all earlier accesses (loads, stores) before all later ones, as other CPUs see them. */
#define smp_mb()  __atomic_thread_fence(__ATOMIC_SEQ_CST)
#define smp_rmb() __atomic_thread_fence(__ATOMIC_ACQUIRE)
#define smp_wmb() __atomic_thread_fence(__ATOMIC_RELEASE)

#define smp_load_acquire(p)	__atomic_load_n(p, __ATOMIC_ACQUIRE)
#define smp_store_release(p, v) __atomic_store_n(p, v, __ATOMIC_RELEASE)
#define smp_store_mb(p, v)           \
	do {                         \
		WRITE_ONCE(*(p), v); \
		smp_mb();            \
	} while (0)

/* The same on plain variables of any integer or pointer type. */
#define xchg(p, v) __atomic_exchange_n(p, v, __ATOMIC_SEQ_CST)
#define cmpxchg(p, old, new)                                                                \
	({                                                                                  \
		__typeof__(*(p)) cmpxchg_old_ = (old);                                      \
		__atomic_compare_exchange_n(p, &cmpxchg_old_, new, false, __ATOMIC_SEQ_CST, \
					    __ATOMIC_RELAXED);                              \
		cmpxchg_old_;                                                               \
	})
#define try_cmpxchg(p, old, new) \
	__atomic_compare_exchange_n(p, old, new, false, __ATOMIC_SEQ_CST, __ATOMIC_RELAXED)

/* 32 bits */

static __always_inline int
atomic_read(const struct atomic32 *a)
{
	return __atomic_load_n(&a->value, __ATOMIC_RELAXED);
}

static __always_inline void
atomic_set(struct atomic32 *a, int v)
{
	__atomic_store_n(&a->value, v, __ATOMIC_RELAXED);
}

static __always_inline int
atomic_read_acquire(const struct atomic32 *a)
{
	return __atomic_load_n(&a->value, __ATOMIC_ACQUIRE);
}

static __always_inline void
atomic_set_release(struct atomic32 *a, int v)
{
	__atomic_store_n(&a->value, v, __ATOMIC_RELEASE);
}

static __always_inline void
atomic_add(struct atomic32 *a, int v)
{
	__atomic_fetch_add(&a->value, v, __ATOMIC_RELAXED);
}

static __always_inline void
atomic_sub(struct atomic32 *a, int v)
{
	__atomic_fetch_sub(&a->value, v, __ATOMIC_RELAXED);
}

static __always_inline void
atomic_or(struct atomic32 *a, int v)
{
	__atomic_fetch_or(&a->value, v, __ATOMIC_RELAXED);
}

static __always_inline void
atomic_and(struct atomic32 *a, int v)
{
	__atomic_fetch_and(&a->value, v, __ATOMIC_RELAXED);
}

static __always_inline void
atomic_inc(struct atomic32 *a)
{
	__atomic_fetch_add(&a->value, 1, __ATOMIC_RELAXED);
}

static __always_inline void
atomic_dec(struct atomic32 *a)
{
	__atomic_fetch_sub(&a->value, 1, __ATOMIC_RELAXED);
}

static __always_inline int
atomic_add_return(struct atomic32 *a, int v)
{
	return __atomic_add_fetch(&a->value, v, __ATOMIC_SEQ_CST);
}

static __always_inline int
atomic_sub_return(struct atomic32 *a, int v)
{
	return __atomic_sub_fetch(&a->value, v, __ATOMIC_SEQ_CST);
}

static __always_inline int
atomic_inc_return(struct atomic32 *a)
{
	return __atomic_add_fetch(&a->value, 1, __ATOMIC_SEQ_CST);
}

static __always_inline int
atomic_dec_return(struct atomic32 *a)
{
	return __atomic_sub_fetch(&a->value, 1, __ATOMIC_SEQ_CST);
}

static __always_inline int
atomic_fetch_add(struct atomic32 *a, int v)
{
	return __atomic_fetch_add(&a->value, v, __ATOMIC_SEQ_CST);
}

static __always_inline int
atomic_fetch_sub(struct atomic32 *a, int v)
{
	return __atomic_fetch_sub(&a->value, v, __ATOMIC_SEQ_CST);
}

static __always_inline int
atomic_fetch_or(struct atomic32 *a, int v)
{
	return __atomic_fetch_or(&a->value, v, __ATOMIC_SEQ_CST);
}

static __always_inline int
atomic_fetch_and(struct atomic32 *a, int v)
{
	return __atomic_fetch_and(&a->value, v, __ATOMIC_SEQ_CST);
}

static __always_inline bool
atomic_dec_and_test(struct atomic32 *a)
{
	return __atomic_sub_fetch(&a->value, 1, __ATOMIC_SEQ_CST) == 0;
}

static __always_inline bool
atomic_sub_and_test(struct atomic32 *a, int v)
{
	return __atomic_sub_fetch(&a->value, v, __ATOMIC_SEQ_CST) == 0;
}

static __always_inline int
atomic_xchg(struct atomic32 *a, int v)
{
	return __atomic_exchange_n(&a->value, v, __ATOMIC_SEQ_CST);
}

/* Returns what was there: the exchange happened if that equals old. */
static __always_inline int
atomic_cmpxchg(struct atomic32 *a, int old, int new)
{
	__atomic_compare_exchange_n(&a->value, &old, new, false, __ATOMIC_SEQ_CST,
				    __ATOMIC_RELAXED);
	return old;
}

/* On failure *old becomes what was there, ready for the next try. */
static __always_inline bool
atomic_try_cmpxchg(struct atomic32 *a, int *old, int new)
{
	return __atomic_compare_exchange_n(&a->value, old, new, false, __ATOMIC_SEQ_CST,
					   __ATOMIC_RELAXED);
}

static __always_inline bool
atomic_add_unless(struct atomic32 *a, int v, int unless)
{
	int old = atomic_read(a);

	do {
		if (old == unless)
			return false;
	} while (!atomic_try_cmpxchg(a, &old, old + v));
	return true;
}

/* Takes a reference on an object whose last one may be going: false means it has gone. */
static __always_inline bool
atomic_inc_not_zero(struct atomic32 *a)
{
	return atomic_add_unless(a, 1, 0);
}

/* 64 bits */

static __always_inline s64
atomic64_read(const struct atomic64 *a)
{
	return __atomic_load_n(&a->value, __ATOMIC_RELAXED);
}

static __always_inline void
atomic64_set(struct atomic64 *a, s64 v)
{
	__atomic_store_n(&a->value, v, __ATOMIC_RELAXED);
}

static __always_inline s64
atomic64_read_acquire(const struct atomic64 *a)
{
	return __atomic_load_n(&a->value, __ATOMIC_ACQUIRE);
}

static __always_inline void
atomic64_set_release(struct atomic64 *a, s64 v)
{
	__atomic_store_n(&a->value, v, __ATOMIC_RELEASE);
}

static __always_inline void
atomic64_add(struct atomic64 *a, s64 v)
{
	__atomic_fetch_add(&a->value, v, __ATOMIC_RELAXED);
}

static __always_inline void
atomic64_sub(struct atomic64 *a, s64 v)
{
	__atomic_fetch_sub(&a->value, v, __ATOMIC_RELAXED);
}

static __always_inline void
atomic64_or(struct atomic64 *a, s64 v)
{
	__atomic_fetch_or(&a->value, v, __ATOMIC_RELAXED);
}

static __always_inline void
atomic64_and(struct atomic64 *a, s64 v)
{
	__atomic_fetch_and(&a->value, v, __ATOMIC_RELAXED);
}

static __always_inline void
atomic64_inc(struct atomic64 *a)
{
	__atomic_fetch_add(&a->value, 1, __ATOMIC_RELAXED);
}

static __always_inline void
atomic64_dec(struct atomic64 *a)
{
	__atomic_fetch_sub(&a->value, 1, __ATOMIC_RELAXED);
}

static __always_inline s64
atomic64_add_return(struct atomic64 *a, s64 v)
{
	return __atomic_add_fetch(&a->value, v, __ATOMIC_SEQ_CST);
}

static __always_inline s64
atomic64_sub_return(struct atomic64 *a, s64 v)
{
	return __atomic_sub_fetch(&a->value, v, __ATOMIC_SEQ_CST);
}

static __always_inline s64
atomic64_inc_return(struct atomic64 *a)
{
	return __atomic_add_fetch(&a->value, 1, __ATOMIC_SEQ_CST);
}

static __always_inline s64
atomic64_dec_return(struct atomic64 *a)
{
	return __atomic_sub_fetch(&a->value, 1, __ATOMIC_SEQ_CST);
}

static __always_inline s64
atomic64_fetch_add(struct atomic64 *a, s64 v)
{
	return __atomic_fetch_add(&a->value, v, __ATOMIC_SEQ_CST);
}

static __always_inline s64
atomic64_fetch_sub(struct atomic64 *a, s64 v)
{
	return __atomic_fetch_sub(&a->value, v, __ATOMIC_SEQ_CST);
}

static __always_inline s64
atomic64_fetch_or(struct atomic64 *a, s64 v)
{
	return __atomic_fetch_or(&a->value, v, __ATOMIC_SEQ_CST);
}

static __always_inline s64
atomic64_fetch_and(struct atomic64 *a, s64 v)
{
	return __atomic_fetch_and(&a->value, v, __ATOMIC_SEQ_CST);
}

static __always_inline bool
atomic64_dec_and_test(struct atomic64 *a)
{
	return __atomic_sub_fetch(&a->value, 1, __ATOMIC_SEQ_CST) == 0;
}

static __always_inline bool
atomic64_sub_and_test(struct atomic64 *a, s64 v)
{
	return __atomic_sub_fetch(&a->value, v, __ATOMIC_SEQ_CST) == 0;
}

static __always_inline s64
atomic64_xchg(struct atomic64 *a, s64 v)
{
	return __atomic_exchange_n(&a->value, v, __ATOMIC_SEQ_CST);
}

/* Returns what was there: the exchange happened if that equals old. */
static __always_inline s64
atomic64_cmpxchg(struct atomic64 *a, s64 old, s64 new)
{
	__atomic_compare_exchange_n(&a->value, &old, new, false, __ATOMIC_SEQ_CST,
				    __ATOMIC_RELAXED);
	return old;
}

/* On failure *old becomes what was there, ready for the next try. */
static __always_inline bool
atomic64_try_cmpxchg(struct atomic64 *a, s64 *old, s64 new)
{
	return __atomic_compare_exchange_n(&a->value, old, new, false, __ATOMIC_SEQ_CST,
					   __ATOMIC_RELAXED);
}

static __always_inline bool
atomic64_add_unless(struct atomic64 *a, s64 v, s64 unless)
{
	s64 old = atomic64_read(a);

	do {
		if (old == unless)
			return false;
	} while (!atomic64_try_cmpxchg(a, &old, old + v));
	return true;
}

/* Takes a reference on an object whose last one may be going: false means it has gone. */
static __always_inline bool
atomic64_inc_not_zero(struct atomic64 *a)
{
	return atomic64_add_unless(a, 1, 0);
}

static __always_inline bool
test_bit(unsigned long n, const unsigned long *words)
{
	return (READ_ONCE(words[n / BITS_PER_LONG]) >> (n % BITS_PER_LONG)) & 1;
}

static __always_inline void
set_bit(unsigned long n, unsigned long *words)
{
	__atomic_fetch_or(&words[n / BITS_PER_LONG], BIT(n % BITS_PER_LONG), __ATOMIC_RELAXED);
}

static __always_inline void
clear_bit(unsigned long n, unsigned long *words)
{
	__atomic_fetch_and(&words[n / BITS_PER_LONG], ~BIT(n % BITS_PER_LONG), __ATOMIC_RELAXED);
}

static __always_inline bool
test_and_set_bit(unsigned long n, unsigned long *words)
{
	unsigned long bit = BIT(n % BITS_PER_LONG);

	return __atomic_fetch_or(&words[n / BITS_PER_LONG], bit, __ATOMIC_SEQ_CST) & bit;
}

static __always_inline bool
test_and_clear_bit(unsigned long n, unsigned long *words)
{
	unsigned long bit = BIT(n % BITS_PER_LONG);

	return __atomic_fetch_and(&words[n / BITS_PER_LONG], ~bit, __ATOMIC_SEQ_CST) & bit;
}

/* The pair for a bit used as a lock: what was done while holding it is seen by the next holder. */
static __always_inline bool
test_and_set_bit_lock(unsigned long n, unsigned long *words)
{
	unsigned long bit = BIT(n % BITS_PER_LONG);

	return __atomic_fetch_or(&words[n / BITS_PER_LONG], bit, __ATOMIC_ACQUIRE) & bit;
}

static __always_inline void
clear_bit_unlock(unsigned long n, unsigned long *words)
{
	__atomic_fetch_and(&words[n / BITS_PER_LONG], ~BIT(n % BITS_PER_LONG), __ATOMIC_RELEASE);
}

#endif
