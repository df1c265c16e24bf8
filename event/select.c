/* SPDX-License-Identifier: MIT */
/* select(2) and pselect6(2). Sets are read and written as whole 64-bit words. */
#include "core/time.h"
#include "event_internal.h"
#include "fs/vfs/file.h"
#include "fs/vfs/poll.h"
#include "generated/syscalls.h"
#include "lib/string.h"
#include "mm/slab.h"
#include "mm/user.h"
#include "poll_set.h"
#include "sched/sched.h"
#include "task/clock.h"
#include "task/rlimit.h"
#include "task/task.h"
#include "uapi/errno.h"
#include "uapi/poll.h"

#define SELECT_IN   (EPOLLRDNORM | EPOLLRDBAND | EPOLLIN | EPOLLHUP | EPOLLERR)
#define SELECT_OUT  (EPOLLWRBAND | EPOLLWRNORM | EPOLLOUT | EPOLLERR)
#define SELECT_EX   EPOLLPRI
#define STACK_WORDS 16

/* Three asked sets, three answers, each `words` long. */
struct select_sets {
	u64 *in, *out, *ex, *got_in, *got_out, *got_ex;
	u32 words;
};

static long
select_word(struct poll_set *set, struct select_sets *s, u32 w)
{
	u64 all = s->in[w] | s->out[w] | s->ex[w];
	long count = 0;

	s->got_in[w] = s->got_out[w] = s->got_ex[w] = 0;
	for (; all; all &= all - 1) {
		u32 bit = (u32)__builtin_ctzll(all);
		u64 m = 1ull << bit;
		u32 want = (s->in[w] & m ? SELECT_IN : 0) | (s->out[w] & m ? SELECT_OUT : 0) |
			   (s->ex[w] & m ? SELECT_EX : 0);
		struct fd_ref f = fd_lookup((int)(w * 64 + bit));

		if (!f.file)
			return -EBADF;
		u32 got = vfs_poll(f.file, poll_set_table(set, want));
		fd_release(f);
		if ((s->in[w] & m) && (got & SELECT_IN)) {
			s->got_in[w] |= m;
			count++;
		}
		if ((s->out[w] & m) && (got & SELECT_OUT)) {
			s->got_out[w] |= m;
			count++;
		}
		if ((s->ex[w] & m) && (got & SELECT_EX)) {
			s->got_ex[w] |= m;
			count++;
		}
		if (count)
			set->registered = true;
	}
	return count;
}

static long
select_loop(struct select_sets *s, u64 deadline)
{
	struct poll_set set;
	bool in_time = deadline != 0;
	long count;

	poll_set_init(&set);
	set.registered = !in_time;
	for (;;) {
		count = 0;
		for (u32 w = 0; w < s->words; w++) {
			long n = select_word(&set, s, w);

			if (n < 0) {
				count = n;
				break;
			}
			count += n;
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

static int
set_read(u64 *to, user_ptr from, int n)
{
	u32 words = DIV_ROUND_UP((u32)n, 64);

	memset(to, 0, words * sizeof(*to));
	if (user_ptr_null(from))
		return 0;
	int r = copy_from_user(to, from, words * sizeof(*to));
	if (r == 0 && (n & 63))
		to[words - 1] &= (1ull << (n & 63)) - 1; /* bits beyond n do not count */
	return r;
}

static int
set_write(user_ptr to, const u64 *from, u32 words)
{
	return user_ptr_null(to) ? 0 : copy_to_user(to, from, words * sizeof(*from));
}

static long
select_user(int n, user_ptr uin, user_ptr uout, user_ptr uex, u64 deadline)
{
	u64 small[6 * STACK_WORDS], *mem = small;
	long r;

	if (n < 0)
		return -EINVAL;
	n = MIN(n, (int)MIN(rlimit_current(RLIMIT_NOFILE), (u64)INT32_MAX));
	u32 words = DIV_ROUND_UP((u32)n, 64);
	if (words > STACK_WORDS) {
		mem = kvmalloc(6ul * words * sizeof(*mem), GFP_KERNEL);
		if (!mem)
			return -ENOMEM;
	}
	struct select_sets s = { mem,
				 mem + words,
				 mem + 2 * words,
				 mem + 3 * words,
				 mem + 4 * words,
				 mem + 5 * words,
				 words };

	r = set_read(s.in, uin, n);
	if (!r)
		r = set_read(s.out, uout, n);
	if (!r)
		r = set_read(s.ex, uex, n);
	if (r)
		goto out_free;
	r = select_loop(&s, deadline);
	if (r >= 0 && (set_write(uin, s.got_in, words) || set_write(uout, s.got_out, words) ||
		       set_write(uex, s.got_ex, words)))
		r = -EFAULT;
out_free:
	if (mem != small)
		kvfree(mem);
	return r;
}

long
sys_select(int n, user_ptr in, user_ptr out, user_ptr ex, user_ptr timeout)
{
	struct linux_timeval tv;
	u64 deadline = TIME_NEVER;
	long r;

	if (!user_ptr_null(timeout)) {
		r = copy_from_user(&tv, timeout, sizeof(tv));
		if (r)
			return r;
		/* Microseconds may exceed a second: Linux carries them over. */
		if (tv.tv_sec < 0 || tv.tv_usec < 0)
			return -EINVAL;
		u64 sec = (u64)tv.tv_sec + (u64)tv.tv_usec / 1000000;
		u64 ns = sec > TIME_NEVER / NSEC_PER_SEC / 2
				 ? TIME_NEVER / 2
				 : sec * NSEC_PER_SEC + (u64)tv.tv_usec % 1000000 * 1000;

		deadline = ns ? time_mono_ns() + ns : 0;
	}
	r = select_user(n, in, out, ex, deadline);
	if (!user_ptr_null(timeout)) {
		u64 left = poll_time_left(deadline);

		tv.tv_sec = (s64)(left / NSEC_PER_SEC);
		tv.tv_usec = (s64)(left % NSEC_PER_SEC / 1000);
		if (copy_to_user(timeout, &tv, sizeof(tv)) && r == -EINTR)
			return -EINTR;
	}
	return r == -EINTR ? -ERESTARTNOHAND : r;
}

long
sys_pselect6(int n, user_ptr in, user_ptr out, user_ptr ex, user_ptr timeout, user_ptr pack)
{
	struct linux_sigset_argpack p = { 0 };
	bool masked = false;
	u64 deadline, mask;
	long r;

	if (!user_ptr_null(pack)) {
		r = copy_from_user(&p, pack, sizeof(p));
		if (r)
			return r;
		masked = p.sigset != 0;
	}
	r = poll_deadline_read(timeout, &deadline);
	if (r)
		return r;
	if (masked) {
		r = signal_mask_from_user(user_ptr_of(p.sigset), p.size, &mask);
		if (r)
			return r;
		signal_use_temporary_mask(mask);
	}
	r = select_user(n, in, out, ex, deadline);
	if (!user_ptr_null(timeout))
		(void)timespec_write_user(timeout, poll_time_left(deadline));
	return poll_end_masked(r, masked);
}
