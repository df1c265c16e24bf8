/* SPDX-License-Identifier: MIT */
/*
 * Raw access to user memory through the exception table; callers are mm/usercopy.c and the inline
 * helpers of mm/user.h only. Addresses are range-checked by the caller. All return the number of
 * bytes NOT done (0 = success), except where said. Page faults are taken and resolved normally (may
 * sleep) unless page faults are disabled (thread flag, see mm/user.h).
 */
#ifndef ARCH_UACCESS_H
#define ARCH_UACCESS_H
#include "lib/types.h"

size_t arch_copy_from_user(void *dst, const void *src, size_t len);
size_t arch_copy_to_user(void *dst, const void *src, size_t len);
size_t arch_clear_user(void *dst, size_t len);
/* Copies until NUL inclusive or max bytes; returns length without NUL, max if none was found, or
 * -EFAULT. */
ssize_t arch_strncpy_from_user(char *dst, const char *src, size_t max);
/* Single values: *fault set to true on a fault. Sizes 1, 2, 4, 8. */
u64 arch_get_user(const void *src, size_t size, bool *fault);
/* 0 or -EFAULT; one for each size, for most of what is written is of a size the compiler knows. */
int arch_put_user8(void *dst, u64 value);
int arch_put_user16(void *dst, u64 value);
int arch_put_user32(void *dst, u64 value);
int arch_put_user64(void *dst, u64 value);
/* Atomic operations on user words for futexes; true on success, false on a fault. */
bool arch_user_cmpxchg32(u32 *uaddr, u32 expect, u32 desired, u32 *seen);
bool arch_user_xchg32(u32 *uaddr, u32 value, u32 *old);
bool arch_user_fetch_add32(u32 *uaddr, u32 value, u32 *old);
bool arch_user_fetch_or32(u32 *uaddr, u32 value, u32 *old);
bool arch_user_fetch_and32(u32 *uaddr, u32 value, u32 *old);
bool arch_user_fetch_xor32(u32 *uaddr, u32 value, u32 *old);
#endif
