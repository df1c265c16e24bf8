/* SPDX-License-Identifier: MIT */
/*
 * User memory. User addresses are `user_ptr`, a one-field struct, so that a stray dereference does
 * not compile. Every access is length-checked and goes through the exception table. Copies may
 * sleep; inside user_fault_disable() they fail instead.
 */
#ifndef MM_USER_H
#define MM_USER_H

#include "lib/types.h"
#include "lib/user_ptr.h" /* typedef struct { u64 addr; } user_ptr */
#include "uapi/errno.h"

static inline user_ptr
user_ptr_of(u64 addr)
{
	return (user_ptr){ addr };
}
static inline user_ptr
user_ptr_add(user_ptr p, u64 off)
{
	return (user_ptr){ p.addr + off };
}
static inline bool
user_ptr_null(user_ptr p)
{
	return p.addr == 0;
}
bool user_range_ok(user_ptr p, size_t len);

int __must_check copy_from_user(void *dst, user_ptr src, size_t len); /* 0 or -EFAULT */
int __must_check copy_to_user(user_ptr dst, const void *src, size_t len);
/* Partial forms: bytes NOT copied. */
size_t copy_from_user_partial(void *dst, user_ptr src, size_t len);
size_t copy_to_user_partial(user_ptr dst, const void *src, size_t len);
int __must_check clear_user(user_ptr dst, size_t len);
/* Length without NUL; -EFAULT; -ENAMETOOLONG if no NUL within max (max includes the NUL). */
ssize_t __must_check strncpy_from_user(char *dst, user_ptr src, size_t max);
/*
 * kmalloc'd copy of a string of at most max bytes with its NUL. 0, -EFAULT, -ENAMETOOLONG (as
 * `toolong`), -ENOMEM.
 */
int __must_check strdup_user(user_ptr src, size_t max, char **out);

/* Single values by type: int get_user(T *var, user_ptr p), int put_user(user_ptr p, T value). */
#define get_user(var, p) copy_from_user_fixed((var), (p), sizeof(*(var)))
#define put_user(p, value)                                \
	({                                                \
		__typeof__(value) v_ = (value);           \
		copy_to_user_fixed((p), &v_, sizeof(v_)); \
	})
int copy_from_user_fixed(void *dst, user_ptr src, size_t size); /* 1, 2, 4, 8 */
int put_user8(user_ptr dst, u64 value);
int put_user16(user_ptr dst, u64 value);
int put_user32(user_ptr dst, u64 value);
int put_user64(user_ptr dst, u64 value);

/* src is a variable of the caller, whose size and value the compiler sees. */
static __always_inline int
copy_to_user_fixed(user_ptr dst, const void *src, size_t size)
{
	switch (size) {
	case 1: return put_user8(dst, *(const u8 *)src);
	case 2: return put_user16(dst, *(const u16 *)src);
	case 4: return put_user32(dst, *(const u32 *)src);
	default: return put_user64(dst, *(const u64 *)src);
	}
}

/*
 * Copy in a structure whose size the caller gives (openat2, clone3, sched_setattr): bytes beyond
 * `known` must be zero (else -E2BIG), missing ones are zeroed. 0, -EFAULT, -E2BIG.
 */
int __must_check copy_struct_from_user(void *dst, size_t known, user_ptr src, size_t usize);
/* getsockopt-like results: copy min(len, *ulen) and store the true length. */

void user_fault_disable(void);
void user_fault_enable(void);

/*
 * Access to another task's memory (ptrace, /proc/PID/mem, process_vm_readv): bytes done or
 * -EFAULT/-EIO.
 */
struct mm;
ssize_t mm_access_remote(struct mm *mm, u64 addr, void *buf, size_t len, bool write, bool force);

#endif
