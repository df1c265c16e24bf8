/* SPDX-License-Identifier: MIT */
/* poll(2) and ppoll(2). */
#include "fs/vfs/poll.h"
#include "core/time.h"
#include "event_internal.h"
#include "fs/vfs/file.h"
#include "generated/syscalls.h"
#include "mm/slab.h"
#include "mm/user.h"
#include "poll_set.h"
#include "task/clock.h"
#include "task/rlimit.h"
#include "task/task.h"
#include "uapi/errno.h"
#include "uapi/poll.h"

#define POLL_STACK_FDS 16

/* What one descriptor has to say. */
static u16
poll_one(struct poll_set *set, const struct linux_pollfd *p)
{
	u32 want = (u16)p->events | EPOLLERR | EPOLLHUP;

	if (p->fd < 0)
		return 0;
	struct fd_ref f = fd_lookup(p->fd);
	if (!f.file)
		return POLLNVAL;
	u32 got = vfs_poll(f.file, poll_set_table(set, want)) & want;
	fd_release(f);
	return (u16)got;
}

static long
poll_loop(struct linux_pollfd *fds, u32 n, u64 deadline)
{
	struct poll_set set;
	bool in_time = deadline != 0;
	long count;

	poll_set_init(&set);
	set.registered = !in_time; /* a mere question leaves nothing behind */
	for (;;) {
		count = 0;
		for (u32 i = 0; i < n; i++) {
			fds[i].revents = (s16)poll_one(&set, &fds[i]);
			if (fds[i].revents) {
				count++;
				set.registered = true; /* no sleep will follow */
			}
		}
		if (count || !in_time)
			break;
		count = set.error;
		if (!count && thread_signal_pending(thread_current()))
			count = -EINTR;
		if (count)
			break;
		in_time = poll_set_sleep(&set, deadline);
	}
	poll_set_fini(&set);
	return count;
}

/* deadline: 0 = do not wait, TIME_NEVER = for ever, else monotonic ns. */
static long
poll_user(user_ptr ufds, u32 n, u64 deadline)
{
	struct linux_pollfd small[POLL_STACK_FDS], *fds = small;
	long r;

	if (n > rlimit_current(RLIMIT_NOFILE))
		return -EINVAL;
	if (n > POLL_STACK_FDS) {
		fds = kvmalloc(n * sizeof(*fds), GFP_KERNEL);
		if (!fds)
			return -ENOMEM;
	}
	r = copy_from_user(fds, ufds, n * sizeof(*fds));
	if (r)
		goto out_free;
	r = poll_loop(fds, n, deadline);
	if (r >= 0) {
		for (u32 i = 0; i < n; i++) {
			u64 at = i * sizeof(*fds) + offsetof(struct linux_pollfd, revents);

			if (put_user(user_ptr_add(ufds, at), fds[i].revents)) {
				r = -EFAULT;
				break;
			}
		}
	}
out_free:
	if (fds != small)
		kvfree(fds);
	return r;
}

static long
poll_restart(struct restart_block *rb)
{
	long r = poll_user(user_ptr_of(rb->args[0]), (u32)rb->args[1], rb->args[2]);

	if (r == -EINTR) {
		rb->func = poll_restart;
		r = -ERESTART_RESTARTBLOCK;
	}
	return r;
}

long
sys_poll(user_ptr fds, u32 n, int timeout_ms)
{
	u64 deadline = timeout_ms < 0	 ? TIME_NEVER
		       : timeout_ms == 0 ? 0
					 : time_mono_ns() + (u64)timeout_ms * NSEC_PER_MSEC;
	long r = poll_user(fds, n, deadline);

	if (r == -EINTR) {
		struct restart_block *rb = &current->restart;

		rb->func = poll_restart;
		rb->args[0] = fds.addr;
		rb->args[1] = n;
		rb->args[2] = deadline;
		r = -ERESTART_RESTARTBLOCK;
	}
	return r;
}

int
poll_deadline_read(user_ptr timeout, u64 *deadline)
{
	u64 ns;

	*deadline = TIME_NEVER;
	if (user_ptr_null(timeout))
		return 0;
	int r = timespec_read_user(timeout, &ns);
	if (r == 0) {
		u64 now = time_mono_ns();

		*deadline = ns == 0 ? 0 : ns < TIME_NEVER - now ? now + ns : TIME_NEVER;
	}
	return r;
}

u64
poll_time_left(u64 deadline)
{
	u64 now = deadline ? time_mono_ns() : 0;

	return deadline > now ? deadline - now : 0;
}

long
poll_end_masked(long r, bool masked)
{
	if (r == -EINTR)
		return -ERESTARTNOHAND; /* the mask is put back once the handler has been chosen */
	if (masked)
		signal_restore_temporary_mask();
	return r;
}

long
sys_ppoll(user_ptr fds, u32 n, user_ptr timeout, user_ptr set, size_t set_size)
{
	bool masked = !user_ptr_null(set);
	u64 deadline, mask;
	long r = poll_deadline_read(timeout, &deadline);

	if (r)
		return r;
	if (masked) {
		r = signal_mask_from_user(set, set_size, &mask);
		if (r)
			return r;
		signal_use_temporary_mask(mask);
	}
	r = poll_user(fds, n, deadline);
	/* Linux's ppoll tells what is left; a time that cannot be written is not an error. */
	if (!user_ptr_null(timeout))
		(void)timespec_write_user(timeout, poll_time_left(deadline));
	return poll_end_masked(r, masked);
}
