/* SPDX-License-Identifier: MIT */
/*
 * timerfd_create(2): a timer whose expirations are read as a count.
 *
 * Only the first expiration is waited for; the periods that pass before it is read are counted
 * then, and the timer starts again: a reader that is slow costs nothing. Times on CLOCK_REALTIME
 * and CLOCK_BOOTTIME are turned into monotonic ones, and again when the clock is stepped, which a
 * TFD_TIMER_CANCEL_ON_SET timer reports as ECANCELED.
 *
 * Locking: the queue's lock guards the timer's state (the callback takes it in an interrupt);
 * realtime_lock guards the list of timers that a step of the clock concerns and comes first.
 */
#include "core/time.h"
#include "core/timer.h"
#include "fs/vfs/file.h"
#include "fs/vfs/poll.h"
#include "generated/syscalls.h"
#include "lib/format.h"
#include "mm/slab.h"
#include "mm/user.h"
#include "task/clock.h"
#include "task/task.h"
#include "uapi/errno.h"
#include "uapi/fcntl.h"
#include "uapi/time.h"

struct timerfd {
	struct wait_queue wait;
	struct timer timer;
	int clock;   /* [I] */
	int flags;   /* of the last settime */
	u64 expires; /* on the clock `counts_on`; 0: disarmed */
	u64 interval;
	int counts_on; /* a relative time counts on CLOCK_MONOTONIC (or BOOTTIME) */
	u64 ticks;     /* not yet read */
	bool expired;  /* `expires` has come and periods after it are not counted yet */
	bool cancelled;
	struct list realtime_node;
};

static struct spinlock realtime_lock = SPINLOCK_INIT(RANK_DEVICE);
static LIST_HEAD(realtime_timers);
static const struct file_ops timerfd_file_ops;

static void
start_locked(struct timerfd *t)
{
	timer_start(&t->timer, clock_to_mono(t->counts_on, t->expires));
}

static void
timerfd_expired(struct timer *timer)
{
	struct timerfd *t = container_of(timer, struct timerfd, timer);
	unsigned long flags = spin_lock_irqsave(&t->wait.lock);

	if (t->expires && !t->expired) {
		t->expired = true;
		t->ticks++;
		wake_up_locked_key(&t->wait, THREAD_NORMAL, INT32_MAX, EPOLLIN);
	}
	spin_unlock_irqrestore(&t->wait.lock, flags);
}

/* Count the periods since the expiry and start the next one. wait.lock held. */
static void
catch_up_locked(struct timerfd *t)
{
	u64 now, missed;

	if (!t->expired || !t->interval || clock_read(t->counts_on, &now))
		return;
	t->expired = false;
	missed = now > t->expires ? (now - t->expires) / t->interval : 0;
	t->ticks += missed;
	t->expires += (missed + 1) * t->interval;
	start_locked(t);
}

static void
timerfd_clock_stepped(void)
{
	struct timerfd *t;
	unsigned long flags = spin_lock_irqsave(&realtime_lock);

	list_for_each_entry(t, &realtime_timers, realtime_node)
	{
		spin_lock(&t->wait.lock);
		if (t->flags & TFD_TIMER_CANCEL_ON_SET) {
			t->cancelled = true;
			wake_up_locked_key(&t->wait, THREAD_NORMAL, INT32_MAX, EPOLLIN);
		}
		if (t->expires && !t->expired && t->counts_on == CLOCK_REALTIME)
			start_locked(t);
		spin_unlock(&t->wait.lock);
	}
	spin_unlock_irqrestore(&realtime_lock, flags);
}

/* ---- the file ---- */

/* 1: *value is to be returned; 0: nothing yet; -ECANCELED. */
static int
timerfd_take(struct timerfd *t, u64 *value)
{
	int r = 0;
	unsigned long flags = spin_lock_irqsave(&t->wait.lock);

	if (t->cancelled) {
		t->cancelled = false;
		r = -ECANCELED;
	} else if (t->ticks) {
		catch_up_locked(t);
		*value = t->ticks;
		t->ticks = 0;
		r = 1;
	}
	spin_unlock_irqrestore(&t->wait.lock, flags);
	return r;
}

static ssize_t
timerfd_read(struct file *f, struct iov_iter *it, u64 *pos)
{
	struct timerfd *t = f->private;
	u64 value = 0;
	int r, got;

	if (iter_count(it) < sizeof(value))
		return -EINVAL;
	got = timerfd_take(t, &value);
	if (!got && (f->flags & O_NONBLOCK))
		return -EAGAIN;
	if (!got) {
		r = wait_event_interruptible(&t->wait, (got = timerfd_take(t, &value)) != 0);
		if (r)
			return r;
	}
	if (got < 0)
		return got;
	return iter_copy_to(it, &value, sizeof(value)) == sizeof(value) ? (ssize_t)sizeof(value)
									: -EFAULT;
}

static u32
timerfd_poll(struct file *f, struct poll_table *pt)
{
	struct timerfd *t = f->private;

	poll_wait(f, &t->wait, pt);
	return READ_ONCE(t->ticks) || READ_ONCE(t->cancelled) ? EPOLLIN : 0;
}

static void
timerfd_release(struct file *f)
{
	struct timerfd *t = f->private;

	unsigned long flags = spin_lock_irqsave(&realtime_lock);
	list_del_init(&t->realtime_node);
	spin_unlock_irqrestore(&realtime_lock, flags);
	timer_cancel_sync(&t->timer);
	kfree(t);
}

/* What is left until the next expiry, and the interval. wait.lock held. */
static void
setting_read_locked(struct timerfd *t, struct linux_itimerspec *out)
{
	u64 now = 0, left = 0;

	catch_up_locked(t);
	if (t->expires && !t->expired && !clock_read(t->counts_on, &now))
		left = t->expires > now ? t->expires - now : 1;
	out->it_value = timespec_of_ns(left);
	out->it_interval = timespec_of_ns(t->interval);
}

static void
timerfd_show_fdinfo(struct file *f, struct strbuf *sb)
{
	struct timerfd *t = f->private;
	struct linux_itimerspec s;
	unsigned long flags = spin_lock_irqsave(&t->wait.lock);

	setting_read_locked(t, &s);
	u64 ticks = t->ticks;
	int settime = t->flags;
	spin_unlock_irqrestore(&t->wait.lock, flags);
	strbuf_printf(sb,
		      "clockid: %d\nticks: %lu\nsettime flags: 0%o\nit_value: (%ld, "
		      "%ld)\nit_interval: (%ld, %ld)\n",
		      t->clock, ticks, settime, s.it_value.tv_sec, s.it_value.tv_nsec,
		      s.it_interval.tv_sec, s.it_interval.tv_nsec);
}

/* ---- system calls ---- */

static bool
is_realtime(int clock)
{
	return clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_ALARM;
}

long
sys_timerfd_create(int clock, int flags)
{
	static struct time_step_hook hook = { .stepped = timerfd_clock_stepped };
	static struct atomic32 hooked;
	struct timerfd *t;
	struct file *f;

	if (flags & ~(TFD_CLOEXEC | TFD_NONBLOCK))
		return -EINVAL;
	if (clock != CLOCK_MONOTONIC && clock != CLOCK_BOOTTIME && clock != CLOCK_BOOTTIME_ALARM &&
	    !is_realtime(clock))
		return -EINVAL;
	if ((clock == CLOCK_REALTIME_ALARM || clock == CLOCK_BOOTTIME_ALARM) &&
	    !capable(CAP_WAKE_ALARM))
		return -EPERM;
	t = kzalloc(sizeof(*t), GFP_KERNEL);
	if (!t)
		return -ENOMEM;
	wait_queue_init(&t->wait);
	timer_init(&t->timer, timerfd_expired);
	list_init(&t->realtime_node);
	t->clock = clock;
	int r = file_create_anon("[timerfd]", &timerfd_file_ops, t,
				 O_RDWR | ((u32)flags & TFD_NONBLOCK), FMODE_READ | FMODE_WRITE,
				 &f);
	if (r) {
		kfree(t);
		return r;
	}
	if (is_realtime(clock)) {
		if (!atomic_xchg(&hooked, 1))
			time_add_step_hook(&hook);
		unsigned long irq = spin_lock_irqsave(&realtime_lock);
		list_add_tail(&t->realtime_node, &realtime_timers);
		spin_unlock_irqrestore(&realtime_lock, irq);
	}
	return fd_add(f, flags & TFD_CLOEXEC);
}

static void
timerfd_set(struct timerfd *t, int settime, u64 value, u64 interval, struct linux_itimerspec *old)
{
	u64 now;

	/* The callback takes the lock, so it is waited for without it; then nobody but us starts
	 * the timer. */
	timer_cancel_sync(&t->timer);
	unsigned long flags = spin_lock_irqsave(&t->wait.lock);
	setting_read_locked(t, old);
	timer_cancel(&t->timer);
	t->counts_on = is_realtime(t->clock)
			       ? (settime & TFD_TIMER_ABSTIME ? CLOCK_REALTIME : CLOCK_MONOTONIC)
		       : t->clock == CLOCK_BOOTTIME_ALARM ? CLOCK_BOOTTIME
							  : t->clock;
	t->flags = settime;
	t->ticks = 0;
	t->expired = false;
	t->cancelled = false;
	t->interval = interval;
	t->expires = value;
	if (value && !(settime & TFD_TIMER_ABSTIME) && !clock_read(t->counts_on, &now))
		t->expires = value < UINT64_MAX - now ? now + value : UINT64_MAX;
	if (t->expires)
		start_locked(t);
	spin_unlock_irqrestore(&t->wait.lock, flags);
}

/* A descriptor that must be a timerfd: 0, -EBADF, -EINVAL. */
static int
timerfd_lookup(int fd, struct fd_ref *out)
{
	*out = fd_lookup(fd);
	if (!out->file)
		return -EBADF;
	if (out->file->ops == &timerfd_file_ops)
		return 0;
	fd_release(*out);
	return -EINVAL;
}

long
sys_timerfd_settime(int fd, int flags, user_ptr new, user_ptr old)
{
	struct linux_itimerspec spec, was;
	struct fd_ref f;
	u64 value, interval;
	int r;

	if (copy_from_user(&spec, new, sizeof(spec)))
		return -EFAULT;
	if (flags & ~(TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET))
		return -EINVAL;
	r = timespec_to_ns(&spec.it_value, &value);
	if (!r)
		r = timespec_to_ns(&spec.it_interval, &interval);
	if (r)
		return r;
	r = timerfd_lookup(fd, &f);
	if (r)
		return r;
	/* Only an absolute time on the settable clock can be cancelled. */
	if (!(flags & TFD_TIMER_ABSTIME) ||
	    !is_realtime(((struct timerfd *)f.file->private)->clock))
		flags &= ~TFD_TIMER_CANCEL_ON_SET;
	timerfd_set(f.file->private, flags, value, interval, &was);
	fd_release(f);
	return user_ptr_null(old) ? 0 : copy_to_user(old, &was, sizeof(was));
}

long
sys_timerfd_gettime(int fd, user_ptr out)
{
	struct linux_itimerspec spec;
	struct fd_ref f;
	int r = timerfd_lookup(fd, &f);

	if (r)
		return r;
	struct timerfd *t = f.file->private;
	unsigned long flags = spin_lock_irqsave(&t->wait.lock);
	setting_read_locked(t, &spec);
	spin_unlock_irqrestore(&t->wait.lock, flags);
	fd_release(f);
	return copy_to_user(out, &spec, sizeof(spec));
}

static const struct file_ops timerfd_file_ops = {
	.release = timerfd_release,
	.read = timerfd_read,
	.poll = timerfd_poll,
	.show_fdinfo = timerfd_show_fdinfo,
};
