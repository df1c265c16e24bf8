/* SPDX-License-Identifier: MIT */
/*
 * iov_iter: see mm/iter.h. The first test of each copy is for the case that matters: all of it lies
 * in the current segment.
 */
#include "mm/iter.h"

#include "arch/uaccess.h"
#include "lib/string.h"
#include "mm/slab.h"
#include "mm_internal.h"

enum iter_op { ITER_TO, ITER_FROM, ITER_ZERO };

void
iter_init_user(struct iov_iter *it, bool to_iter, user_ptr buf, size_t len)
{
	it->kernel = false;
	it->to_iter = to_iter;
	it->nr_segs = 1;
	it->offset = 0;
	it->count = len;
	it->one = (struct iov_seg){ buf.addr, len };
	it->segs = &it->one;
	it->rw_flags = 0;
}

void
iter_init_kernel(struct iov_iter *it, bool to_iter, void *buf, size_t len)
{
	iter_init_user(it, to_iter, user_ptr_of((u64)(uintptr_t)buf), len);
	it->kernel = true;
}

int
iter_import(struct iov_iter *it, bool to_iter, user_ptr iov, u64 nr, struct iov_seg fast[8],
	    struct iov_seg **heap)
{
	struct iov_seg *segs = fast;
	size_t total = 0;
	int err;

	*heap = NULL;
	if (nr > IOV_MAX)
		return -EINVAL;
	if (nr > 8) {
		segs = kmalloc_array(nr, sizeof(*segs), GFP_KERNEL);
		if (!segs)
			return -ENOMEM;
	}
	err = -EFAULT;
	if (copy_from_user(segs, iov, nr * sizeof(*segs)))
		goto out_free;
	for (u64 i = 0; i < nr; i++) {
		err = -EINVAL;
		if ((s64)segs[i].len < 0)
			goto out_free;
		err = -EFAULT;
		if (!user_range_ok(user_ptr_of(segs[i].base), segs[i].len))
			goto out_free;
		segs[i].len = MIN(segs[i].len, MAX_RW_COUNT - total);
		total += segs[i].len;
	}
	if (segs != fast)
		*heap = segs;
	it->kernel = false;
	it->to_iter = to_iter;
	it->nr_segs = (u32)nr;
	it->offset = 0;
	it->count = total;
	it->segs = segs;
	it->rw_flags = 0;
	return 0;

out_free:
	if (segs != fast)
		kfree(segs);
	return err;
}

/* One piece within a segment; returns bytes done. */
static __always_inline size_t
piece(enum iter_op op, bool kernel, u64 base, void *buf, size_t len)
{
	if (unlikely(kernel)) {
		void *p = (void *)(uintptr_t)base;

		if (op == ITER_TO)
			memcpy(p, buf, len);
		else if (op == ITER_FROM)
			memcpy(buf, p, len);
		else
			memset(p, 0, len);
		return len;
	}
	if (unlikely(len > USER_END || base > USER_END - len))
		return 0;
	if (op == ITER_TO)
		return len - arch_copy_to_user((void *)(uintptr_t)base, buf, len);
	if (op == ITER_FROM)
		return len - arch_copy_from_user(buf, (void *)(uintptr_t)base, len);
	return len - arch_clear_user((void *)(uintptr_t)base, len);
}

static __noinline size_t
iter_run_many(struct iov_iter *it, enum iter_op op, void *buf, size_t len)
{
	size_t done = 0;

	while (done < len) {
		size_t n = MIN(len - done, it->segs->len - it->offset), got;

		if (!n) {
			it->segs++;
			it->nr_segs--;
			it->offset = 0;
			continue;
		}
		got = piece(op, it->kernel, it->segs->base + it->offset,
			    op == ITER_ZERO ? NULL : (char *)buf + done, n);
		it->offset += got;
		it->count -= got;
		done += got;
		if (got < n)
			break;
	}
	return done;
}

static __always_inline size_t
iter_run(struct iov_iter *it, enum iter_op op, void *buf, size_t len)
{
	size_t done;

	if (len > it->count)
		len = it->count;
	if (unlikely(!len))
		return 0;
	if (unlikely(it->segs->len - it->offset < len))
		return iter_run_many(it, op, buf, len);
	done = piece(op, it->kernel, it->segs->base + it->offset, buf, len);
	it->offset += done;
	it->count -= done;
	return done;
}

size_t
iter_copy_to(struct iov_iter *it, const void *src, size_t len)
{
	return iter_run(it, ITER_TO, (void *)(uintptr_t)src, len);
}

size_t
iter_copy_from(struct iov_iter *it, void *dst, size_t len)
{
	return iter_run(it, ITER_FROM, dst, len);
}

size_t
iter_zero(struct iov_iter *it, size_t len)
{
	return iter_run(it, ITER_ZERO, NULL, len);
}

void
iter_advance(struct iov_iter *it, size_t len)
{
	len = MIN(len, it->count);
	it->count -= len;
	it->offset += len;
	while (it->nr_segs > 1 && it->offset > it->segs->len) {
		it->offset -= it->segs->len;
		it->segs++;
		it->nr_segs--;
	}
}

void
iter_revert(struct iov_iter *it, size_t len)
{
	it->count += len;
	while (len > it->offset) {
		len -= it->offset;
		it->segs--;
		it->nr_segs++;
		it->offset = it->segs->len;
	}
	it->offset -= len;
}

int
iter_fault_in(struct iov_iter *it, size_t len)
{
	const struct iov_seg *seg = it->segs;
	size_t offset = it->offset;
	bool any = false, fault = false;

	if (it->kernel)
		return 0;
	len = MIN(len, it->count);
	while (len) {
		size_t n = MIN(len, seg->len - offset);
		u64 at = seg->base + offset;

		for (u64 end = at + n; at < end; at = (at & PAGE_MASK) + PAGE_SIZE) {
			if (at >= USER_END ||
			    (arch_get_user((void *)(uintptr_t)at, 1, &fault), fault))
				return any ? 0 : -EFAULT;
			any = true;
		}
		len -= n;
		offset = 0;
		seg++;
	}
	return 0;
}
