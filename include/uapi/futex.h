/* SPDX-License-Identifier: MIT */
/*
 * futex(2), futex_waitv(2), get_robust_list(2).
 */
#ifndef UAPI_FUTEX_H
#define UAPI_FUTEX_H

#include "lib/types.h"

#define FUTEX_WAIT	      0
#define FUTEX_WAKE	      1
#define FUTEX_FD	      2
#define FUTEX_REQUEUE	      3
#define FUTEX_CMP_REQUEUE     4
#define FUTEX_WAKE_OP	      5
#define FUTEX_LOCK_PI	      6
#define FUTEX_UNLOCK_PI	      7
#define FUTEX_TRYLOCK_PI      8
#define FUTEX_WAIT_BITSET     9
#define FUTEX_WAKE_BITSET     10
#define FUTEX_WAIT_REQUEUE_PI 11
#define FUTEX_CMP_REQUEUE_PI  12
#define FUTEX_LOCK_PI2	      13

#define FUTEX_PRIVATE_FLAG   128
#define FUTEX_CLOCK_REALTIME 256
#define FUTEX_CMD_MASK	     (~(FUTEX_PRIVATE_FLAG | FUTEX_CLOCK_REALTIME))

#define FUTEX_BITSET_MATCH_ANY 0xffffffffu

/* The word of a robust or PI futex. */
#define FUTEX_WAITERS	 0x80000000u
#define FUTEX_OWNER_DIED 0x40000000u
#define FUTEX_TID_MASK	 0x3fffffffu

/* FUTEX_WAKE_OP: operation and comparison are packed into val3. */
#define FUTEX_OP_SET	     0
#define FUTEX_OP_ADD	     1
#define FUTEX_OP_OR	     2
#define FUTEX_OP_ANDN	     3
#define FUTEX_OP_XOR	     4
#define FUTEX_OP_OPARG_SHIFT 8
#define FUTEX_OP_CMP_EQ	     0
#define FUTEX_OP_CMP_NE	     1
#define FUTEX_OP_CMP_LT	     2
#define FUTEX_OP_CMP_LE	     3
#define FUTEX_OP_CMP_GT	     4
#define FUTEX_OP_CMP_GE	     5

/* futex_waitv(2) */
#define FUTEX_32	2
#define FUTEX_WAITV_MAX 128

struct linux_futex_waitv {
	u64 val;
	u64 uaddr;
	u32 flags;
	u32 reserved;
};

/* A circular list in user memory of the robust futexes that a thread holds. */
struct linux_robust_list {
	u64 next;
};

struct linux_robust_list_head {
	struct linux_robust_list list;
	s64 futex_offset; /* from a list entry to its futex word */
	u64 list_op_pending;
};

#define ROBUST_LIST_LIMIT 2048

#endif /* UAPI_FUTEX_H */
