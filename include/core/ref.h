/* SPDX-License-Identifier: MIT */
/*
 * Embedded reference count. Born with one reference owned by the creator. Saturates and warns
 * instead of wrapping, checked in release builds as well.
 */
#ifndef CORE_REF_H
#define CORE_REF_H

#include "lib/atomic.h"

struct ref {
	struct atomic32 count;
};

#define REF_INIT          \
	{                 \
		{         \
			1 \
		}         \
	}

void ref_saturated(struct ref *ref); /* core/ref.c: logs once, pins the object for ever */

static inline void
ref_init(struct ref *ref)
{
	atomic_set(&ref->count, 1);
}

static inline void
ref_get(struct ref *ref)
{
	if (unlikely(atomic_add_return(&ref->count, 1) <= 1))
		ref_saturated(ref);
}

/* For objects found under RCU: false when the object is already dying. */
static inline bool __must_check
ref_try_get(struct ref *ref)
{
	return atomic_inc_not_zero(&ref->count);
}

/* True when that was the last reference: the caller frees. */
static inline bool __must_check
ref_put(struct ref *ref)
{
	return atomic_dec_and_test(&ref->count);
}

/* Put it unless it is the last one: true when it is gone. */
static inline bool __must_check
ref_put_unless_last(struct ref *ref)
{
	int count = atomic_read(&ref->count);

	while (count > 1) {
		if (atomic_try_cmpxchg(&ref->count, &count, count - 1))
			return true;
	}
	return false;
}

static inline int
ref_read(const struct ref *ref)
{
	return atomic_read(&ref->count);
}

#endif
