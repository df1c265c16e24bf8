/* SPDX-License-Identifier: MIT */
/* Reference counts gone wrong: the object is kept for ever, which leaks it but frees nothing twice.
 */
#include "core/ref.h"

#include "core/log.h"
#include "core/panic.h"

void
ref_saturated(struct ref *ref)
{
	atomic_set(&ref->count, 0x40000000);
	WARN_ONCE(true);
}
