/* SPDX-License-Identifier: MIT */
/*
 * user_ptr: an address in the calling program's memory.
 *
 * A structure of one field, so that dereferencing it, or passing a kernel pointer in its place,
 * does not compile. In registers it is the plain word that user space passed. Reaching what it
 * points at is the business of mm/user.h.
 */
#pragma once

#include "lib/types.h"

typedef struct {
	u64 addr;
} user_ptr;

static inline user_ptr
user_ptr_make(u64 addr)
{
	return (user_ptr){ .addr = addr };
}

static inline user_ptr
user_ptr_add(user_ptr base, u64 bytes)
{
	return (user_ptr){ .addr = base.addr + bytes };
}

static inline int
user_ptr_is_null(user_ptr pointer)
{
	return pointer.addr == 0;
}
