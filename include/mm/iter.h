/* SPDX-License-Identifier: MIT */
/*
 * struct iov_iter: where the bytes of a read or write come from or go to: user segments or kernel
 * segments, consumed as copied. The common single-segment case needs no allocation and no loop.
 */
#ifndef MM_ITER_H
#define MM_ITER_H

#include "mm/user.h"

struct page;

struct iov_seg {  /* same layout as struct iovec */
	u64 base; /* user address or kernel pointer */
	u64 len;
};

struct iov_iter {
	bool kernel;   /* segments are kernel memory */
	bool to_iter;  /* data flows into the iterator (read) */
	u32 nr_segs;   /* left, including the current one */
	size_t offset; /* in the current segment */
	size_t count;  /* bytes left in all */
	const struct iov_seg *segs;
	struct iov_seg one; /* storage of the single-segment case */
	/* RWF_* of preadv2 and pwritev2, for the file's read and write; else 0 */
	u32 rw_flags;
};

#define IOV_MAX 1024

void iter_init_user(struct iov_iter *it, bool to_iter, user_ptr buf, size_t len);
void iter_init_kernel(struct iov_iter *it, bool to_iter, void *buf, size_t len);
/*
 * Import a user iovec array: checks count <= IOV_MAX (-EINVAL), lengths (-EINVAL if negative or sum
 * > SSIZE_MAX; truncated to MAX_RW_COUNT). `fast` is room for 8 segments on the caller's stack;
 * *heap must be kfree'd by the caller afterwards (NULL if fast sufficed).
 */
int __must_check iter_import(struct iov_iter *it, bool to_iter, user_ptr iov, u64 nr,
			     struct iov_seg fast[8], struct iov_seg **heap);

#define MAX_RW_COUNT (0x7ffff000ul)

/* Bytes copied: less than len only on a fault or at the end of the iterator. May sleep. */
size_t iter_copy_to(struct iov_iter *it, const void *src, size_t len); /* kernel -> iterator */
size_t iter_copy_from(struct iov_iter *it, void *dst, size_t len);     /* iterator -> kernel */
size_t iter_zero(struct iov_iter *it, size_t len);
void iter_advance(struct iov_iter *it, size_t len);
void iter_revert(struct iov_iter *it, size_t len);
/*
 * Touch the first len bytes of a user source so that a copy with faults disabled will probably
 * succeed. -EFAULT if none.
 */
int iter_fault_in(struct iov_iter *it, size_t len);

static inline size_t
iter_count(const struct iov_iter *it)
{
	return it->count;
}
static inline void
iter_truncate(struct iov_iter *it, size_t n)
{
	if (it->count > n)
		it->count = n;
}

#endif
