/* SPDX-License-Identifier: MIT */
/*
 * process_vm_readv(2), process_vm_writev(2): copy between our memory and another process's. A
 * page-sized buffer in the kernel between the two; what was copied before an error counts.
 */
#include "core/rcu.h"
#include "generated/syscalls.h"
#include "mm/iter.h"
#include "mm/mm.h"
#include "mm/slab.h"
#include "mm/user.h"
#include "task/access.h"
#include "task/task.h"
#include "uapi/errno.h"

static ssize_t
remote_copy(struct mm *mm, struct iov_iter *local, const struct iov_seg *remote, u64 count,
	    bool write)
{
	void *buffer = pages_alloc(0, GFP_KERNEL);
	ssize_t done = 0, r = 0;

	if (!buffer)
		return -ENOMEM;
	for (u64 i = 0; i < count && r >= 0; i++) {
		u64 addr = remote[i].base, left = remote[i].len;

		while (left && iter_count(local)) {
			size_t n = MIN(MIN(left, PAGE_SIZE - (addr & ~PAGE_MASK)),
				       iter_count(local));

			r = -EINTR;
			if (signal_fatal_pending(current))
				break;
			r = -EFAULT;
			if (write) {
				n = iter_copy_from(local, buffer, n);
				if (!n)
					break;
			}
			r = mm_access_remote(mm, addr, buffer, n, write, false);
			if (r <= 0) {
				r = -EFAULT;
				break;
			}
			if (!write) {
				size_t copied = iter_copy_to(local, buffer, (size_t)r);

				if (copied < (size_t)r) {
					done += (ssize_t)copied;
					r = -EFAULT;
					break;
				}
			}
			done += r;
			addr += (u64)r;
			left -= (u64)r;
		}
	}
	pages_free(buffer, 0);
	return done ? done : r < 0 ? r : 0;
}

static long
process_vm(int pid, user_ptr ulocal, unsigned long lcount, user_ptr uremote, unsigned long rcount,
	   unsigned long flags, bool write)
{
	struct iov_seg local_fast[8], remote_fast[8], *local_heap = NULL, *remote_heap = NULL;
	struct iov_iter local, remote;
	struct mm *mm = NULL;
	long r;

	if (flags)
		return -EINVAL;
	r = iter_import(&local, !write, ulocal, lcount, local_fast, &local_heap);
	if (r < 0)
		return r;
	if (!iter_count(&local)) {
		r = 0;
		goto out_free;
	}
	/* The remote side is addresses of another space: of this import only the segments count. */
	r = iter_import(&remote, write, uremote, rcount, remote_fast, &remote_heap);
	if (r < 0 || !iter_count(&remote)) {
		r = r < 0 ? r : 0;
		goto out_free;
	}
	struct task *t = task_find(pid);
	r = -ESRCH;
	if (!t)
		goto out_free;
	r = task_access_mm(t, true, &mm);
	if (r == 0 && !mm)
		r = -ESRCH;
	task_put(t);
	if (mm) {
		r = remote_copy(mm, &local, remote.segs, remote.nr_segs, write);
		mm_users_put(mm);
	}
out_free:
	kfree(local_heap);
	kfree(remote_heap);
	return r;
}

long
sys_process_vm_readv(int pid, user_ptr local, unsigned long lcount, user_ptr remote,
		     unsigned long rcount, unsigned long flags)
{
	return process_vm(pid, local, lcount, remote, rcount, flags, false);
}

long
sys_process_vm_writev(int pid, user_ptr local, unsigned long lcount, user_ptr remote,
		      unsigned long rcount, unsigned long flags)
{
	return process_vm(pid, local, lcount, remote, rcount, flags, true);
}
