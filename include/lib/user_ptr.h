/* SPDX-License-Identifier: MIT */
/*
 * user_ptr: an address in the calling program's memory.
 *
 * A structure of one field, so that dereferencing it, or passing a kernel pointer in its place,
 * does not compile. In registers it is the plain word that user space passed. Reaching what it
 * points at is the business of mm/user.h.
 */
#ifndef LIB_USER_PTR_H
#define LIB_USER_PTR_H

#include "lib/types.h"

typedef struct {
	u64 addr;
} user_ptr;

#endif /* LIB_USER_PTR_H */
