/* SPDX-License-Identifier: MIT */
/*
 * Types and small language helpers, included by everything.
 *
 * The fixed-width names are the ones of <stdint.h>; u64 is "unsigned long" on every machine the
 * kernel supports, so %lu prints it. MIN and MAX evaluate each argument once and refuse to mix
 * signed with unsigned, unless one side is a constant that is not negative.
 */
#ifndef LIB_TYPES_H
#define LIB_TYPES_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef int8_t s8;
typedef int16_t s16;
typedef int32_t s32;
typedef int64_t s64;

typedef long ssize_t;
typedef s64 loff_t;
typedef u32 umode_t;
typedef u64 devnum_t;

/* A host C library may define some of these; ours mean the same. */
#undef MIN
#undef MAX
#undef __always_inline
#undef __packed
#undef __used
#undef __section
#undef __aligned
#undef __printf

#define likely(x)   __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)

#define __must_check	      __attribute__((warn_unused_result))
#define __packed	      __attribute__((packed))
#define __aligned(n)	      __attribute__((aligned(n)))
#define __noreturn	      __attribute__((noreturn))
#define __printf(text, first) __attribute__((format(printf, text, first)))
#define __always_inline	      inline __attribute__((always_inline))
#define __noinline	      __attribute__((noinline))
#define __used		      __attribute__((used))
#define __unused	      __attribute__((unused))
#define __cold		      __attribute__((cold))
#define __weak		      __attribute__((weak))
#define __section(name)	      __attribute__((section(name)))
#define __fallthrough	      __attribute__((fallthrough))

#define STATIC_ASSERT(condition, ...) _Static_assert(condition, "" __VA_ARGS__)

/* Accesses that the compiler may neither repeat, merge, split nor invent. */
#define READ_ONCE(x)	 (*(const volatile __typeof__(x) *)&(x))
#define WRITE_ONCE(x, v) ((void)(*(volatile __typeof__(x) *)&(x) = (v)))
#define barrier()	 __asm__ volatile("" ::: "memory")

/* Makes the optimiser forget what it knows about a variable. */
#define OPTIMIZER_HIDE(variable) __asm__("" : "+r"(variable))

#define __SAME_TYPE(a, b) __builtin_types_compatible_p(__typeof__(a), __typeof__(b))

/* A member as an unevaluated operand, for its type and size; nothing is read. */
#define __MEMBER(type, member) (((type *)sizeof(type))->member)

#define container_of(pointer, type, member)                                      \
	({                                                                       \
		STATIC_ASSERT(__SAME_TYPE(*(pointer), __MEMBER(type, member)) || \
				      __SAME_TYPE(*(pointer), void),             \
			      "container_of: wrong member type");                \
		(type *)((char *)(uintptr_t)(pointer)-offsetof(type, member));   \
	})

/* The added zero is an error when the argument is a pointer and not an array. */
#define ARRAY_SIZE(array)                     \
	(sizeof(array) / sizeof((array)[0]) + \
	 0 * sizeof(struct { int : __SAME_TYPE(array, &(array)[0]) ? -1 : 1; }))

#define sizeof_field(type, member) sizeof(__MEMBER(type, member))

/* The comparison in the dead branch makes the compiler look at the signs of the operands. */
#define __PICK(a, op, b)                                            \
	({                                                          \
		__typeof__((a) + (b)) pick_a_ = (a), pick_b_ = (b); \
		if (0)                                              \
			(void)((a)op(b));                           \
		pick_a_ op pick_b_ ? pick_a_ : pick_b_;             \
	})
#define MIN(a, b)	    __PICK(a, <, b)
#define MAX(a, b)	    __PICK(a, >, b)
#define CLAMP(x, low, high) MIN(MAX(x, low), high)

#define MIN_T(type, a, b)                                    \
	({                                                   \
		type min_a_ = (type)(a), min_b_ = (type)(b); \
		min_a_ < min_b_ ? min_a_ : min_b_;           \
	})
#define MAX_T(type, a, b)                                    \
	({                                                   \
		type max_a_ = (type)(a), max_b_ = (type)(b); \
		max_a_ > max_b_ ? max_a_ : max_b_;           \
	})

/* For array sizes and other places that want a constant expression. */
#define MIN_CONST(a, b) ((a) < (b) ? (a) : (b))
#define MAX_CONST(a, b) ((a) > (b) ? (a) : (b))

#define SWAP(a, b)                         \
	do {                               \
		__typeof__(a) swap_ = (a); \
		(a) = (b);                 \
		(b) = swap_;               \
	} while (0)

/* The alignment is a power of two. Integers only; the result has the type of x. */
#define ALIGN_DOWN(x, a) ((x) & ~((__typeof__(x))(a)-1))
#define ALIGN_UP(x, a)	 (((x) + ((__typeof__(x))(a)-1)) & ~((__typeof__(x))(a)-1))
#define IS_ALIGNED(x, a) (((x) & ((__typeof__(x))(a)-1)) == 0)

#define DIV_ROUND_UP(n, d) (((n) + (d)-1) / (d))
#define BIT(n)		   (1UL << (n))
#define BITS_PER_LONG	   64

#endif
