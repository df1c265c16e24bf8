/* SPDX-License-Identifier: MIT */
/* What the shims of all rooms need of core/ on the host: a panic ends the test. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/panic.h"
#include "core/ref.h"

void
panic(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vprintf(fmt, args);
	va_end(args);
	putchar('\n');
	abort();
}

void
ref_saturated(struct ref *ref)
{
	panic("reference count");
}
