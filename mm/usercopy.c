/* SPDX-License-Identifier: MIT */
/*
 * Copies to and from user memory. The range check keeps kernel addresses out; what is not mapped or
 * not permitted faults, is resolved by mm_fault if it can be, and otherwise ends the copy through
 * arch's exception table.
 */
#include "arch/uaccess.h"
#include "lib/string.h"
#include "mm/slab.h"
#include "mm/user.h"
#include "mm/vmalloc.h"
#include "mm_internal.h"
#include "sched/thread.h"

bool
user_range_ok(user_ptr p, size_t len)
{
	return len <= USER_END && p.addr <= USER_END - len;
}

static __always_inline void *
raw(user_ptr p)
{
	return (void *)(uintptr_t)p.addr;
}

static __always_inline bool
range_bad(user_ptr p, size_t len)
{
	return unlikely(len > USER_END || p.addr > USER_END - len);
}

int
copy_from_user(void *dst, user_ptr src, size_t len)
{
	if (range_bad(src, len) || unlikely(arch_copy_from_user(dst, raw(src), len)))
		return -EFAULT;
	return 0;
}

int
copy_to_user(user_ptr dst, const void *src, size_t len)
{
	if (range_bad(dst, len) || unlikely(arch_copy_to_user(raw(dst), src, len)))
		return -EFAULT;
	return 0;
}

size_t
copy_from_user_partial(void *dst, user_ptr src, size_t len)
{
	if (range_bad(src, len))
		return len;
	return arch_copy_from_user(dst, raw(src), len);
}

size_t
copy_to_user_partial(user_ptr dst, const void *src, size_t len)
{
	if (range_bad(dst, len))
		return len;
	return arch_copy_to_user(raw(dst), src, len);
}

int
clear_user(user_ptr dst, size_t len)
{
	if (range_bad(dst, len) || unlikely(arch_clear_user(raw(dst), len)))
		return -EFAULT;
	return 0;
}

int
copy_from_user_fixed(void *dst, user_ptr src, size_t size)
{
	bool fault = false;
	u64 value;

	if (range_bad(src, size))
		return -EFAULT;
	value = arch_get_user(raw(src), size, &fault);
	if (unlikely(fault))
		return -EFAULT;
	switch (size) {
	case 1: *(u8 *)dst = (u8)value; break;
	case 2: *(u16 *)dst = (u16)value; break;
	case 4: *(u32 *)dst = (u32)value; break;
	default: *(u64 *)dst = value; break;
	}
	return 0;
}

#define PUT_USER(bits)                                                                    \
	int put_user##bits(user_ptr dst, u64 value)                                       \
	{                                                                                 \
		return range_bad(dst, (bits) / 8) ? -EFAULT                               \
						  : arch_put_user##bits(raw(dst), value); \
	}

PUT_USER(8)
PUT_USER(16)
PUT_USER(32)
PUT_USER(64)

ssize_t
strncpy_from_user(char *dst, user_ptr src, size_t max)
{
	size_t room = max;
	ssize_t len;

	if (src.addr >= USER_END)
		return -EFAULT;
	if (room > USER_END - src.addr)
		room = USER_END - src.addr;
	len = arch_strncpy_from_user(dst, raw(src), room);
	if (unlikely(len < 0))
		return -EFAULT;
	if (unlikely((size_t)len == room))
		return room < max ? -EFAULT : -ENAMETOOLONG;
	return len;
}

int
strdup_user(user_ptr src, size_t max, char **out)
{
	char small[128], *text;
	size_t size = MIN(max, sizeof(small));
	ssize_t len = strncpy_from_user(small, src, size);

	if (len >= 0) {
		text = kmemdup(small, (size_t)len + 1, GFP_KERNEL);
		if (!text)
			return -ENOMEM;
		*out = text;
		return 0;
	}
	while (len == -ENAMETOOLONG && size < max) {
		size = MIN(max, size * 8);
		text = kvmalloc(size, GFP_KERNEL);
		if (!text)
			return -ENOMEM;
		len = strncpy_from_user(text, src, size);
		if (len >= 0 && !is_vmalloc(text)) {
			*out = text;
			return 0;
		}
		/* kfree must do for the result. */
		if (len >= 0) {
			*out = kmemdup(text, (size_t)len + 1, GFP_KERNEL);
			vfree(text);
			return *out ? 0 : -ENOMEM;
		}
		kvfree(text);
	}
	return (int)len;
}

int
copy_struct_from_user(void *dst, size_t known, user_ptr src, size_t usize)
{
	u8 chunk[64];

	if (copy_from_user(dst, src, MIN(known, usize)))
		return -EFAULT;
	if (usize < known)
		memset((char *)dst + usize, 0, known - usize);
	for (size_t at = known; at < usize;) {
		size_t n = MIN(usize - at, sizeof(chunk));

		if (copy_from_user(chunk, user_ptr_add(src, at), n))
			return -EFAULT;
		if (memchr_inv(chunk, 0, n))
			return -E2BIG;
		at += n;
	}
	return 0;
}

void
user_fault_disable(void)
{
	thread_current()->fault_disabled++;
	barrier();
}

void
user_fault_enable(void)
{
	barrier();
	thread_current()->fault_disabled--;
}
