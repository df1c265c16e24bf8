/* SPDX-License-Identifier: MIT */
/*
 * signalfd(2): signals taken by read(2).
 *
 * The file holds a mask only: a read takes from the reader's own queues, and readiness is that of
 * whoever asks. Every queued signal wakes the process's signalfd_wait.
 */
#include "uapi/signalfd.h"
#include "fs/vfs/file.h"
#include "fs/vfs/poll.h"
#include "generated/syscalls.h"
#include "lib/format.h"
#include "lib/string.h"
#include "mm/slab.h"
#include "mm/user.h"
#include "task/signal.h"
#include "task/task.h"
#include "uapi/errno.h"
#include "uapi/fcntl.h"
#include "uapi/signal.h"

struct signalfd {
	u64 mask;
};

static const struct file_ops signalfd_file_ops;

static void
info_convert(const struct linux_siginfo *in, struct linux_signalfd_siginfo *out)
{
	memset(out, 0, sizeof(*out));
	out->ssi_signo = (u32)in->si_signo;
	out->ssi_errno = in->si_errno;
	out->ssi_code = in->si_code;
	if (in->si_code == SI_TIMER) {
		out->ssi_tid = (u32)in->timer.tid;
		out->ssi_overrun = (u32)in->timer.overrun;
		out->ssi_ptr = in->timer.value.sival_ptr;
		out->ssi_int = in->timer.value.sival_int;
		return;
	}
	switch (in->si_code > 0 && in->si_code != SI_KERNEL ? in->si_signo : 0) {
	case SIGCHLD:
		out->ssi_status = in->chld.status;
		out->ssi_utime = (u64)in->chld.utime;
		out->ssi_stime = (u64)in->chld.stime;
		break;
	case SIGILL:
	case SIGFPE:
	case SIGSEGV:
	case SIGBUS:
	case SIGTRAP: out->ssi_addr = in->fault.addr; return;
	case SIGPOLL:
		out->ssi_band = (u32)in->poll.band;
		out->ssi_fd = in->poll.fd;
		return;
	case SIGSYS:
		out->ssi_call_addr = in->sys.call_addr;
		out->ssi_syscall = in->sys.syscall;
		out->ssi_arch = in->sys.arch;
		return;
	}
	out->ssi_pid = (u32)in->kill.pid;
	out->ssi_uid = in->kill.uid;
	if (in->si_code < 0 && in->si_code != SI_TKILL) {
		out->ssi_ptr = in->rt.value.sival_ptr;
		out->ssi_int = in->rt.value.sival_int;
	}
}

static ssize_t
signalfd_read(struct file *f, struct iov_iter *it, u64 *pos)
{
	struct signalfd *s = f->private;
	struct linux_signalfd_siginfo out;
	struct linux_siginfo info;
	size_t done = 0;

	if (iter_count(it) < sizeof(out))
		return -EINVAL;
	while (iter_count(it) >= sizeof(out)) {
		int sig = signal_dequeue(current, READ_ONCE(s->mask), &info);

		if (!sig && !done) {
			if (f->flags & O_NONBLOCK)
				return -EAGAIN;
			int r = wait_event_interruptible(
				&current->process->signalfd_wait,
				(sig = signal_dequeue(current, READ_ONCE(s->mask), &info)) != 0);
			if (r)
				return r;
		}
		if (!sig)
			break;
		info_convert(&info, &out);
		if (iter_copy_to(it, &out, sizeof(out)) != sizeof(out))
			return done ? (ssize_t)done : -EFAULT;
		done += sizeof(out);
	}
	return (ssize_t)done;
}

static u32
signalfd_poll(struct file *f, struct poll_table *pt)
{
	struct signalfd *s = f->private;
	struct task *t = current;

	poll_wait(f, &t->process->signalfd_wait, pt);
	return (READ_ONCE(t->pending.mask) | READ_ONCE(t->process->pending.mask)) &
			       READ_ONCE(s->mask)
		       ? EPOLLIN
		       : 0;
}

static void
signalfd_release(struct file *f)
{
	kfree(f->private);
}

static void
signalfd_show_fdinfo(struct file *f, struct strbuf *sb)
{
	struct signalfd *s = f->private;

	strbuf_printf(sb, "sigmask:\t%016lx\n", s->mask);
}

long
sys_signalfd4(int fd, user_ptr set, size_t set_size, int flags)
{
	struct signalfd *s;
	struct file *f;
	u64 mask;
	int r;

	if (flags & ~(SFD_CLOEXEC | SFD_NONBLOCK))
		return -EINVAL;
	r = signal_mask_from_user(set, set_size, &mask);
	if (r)
		return r;
	if (fd != -1) {
		struct fd_ref old = fd_lookup(fd);

		if (!old.file)
			return -EBADF;
		r = old.file->ops == &signalfd_file_ops ? fd : -EINVAL;
		if (r >= 0) {
			s = old.file->private;
			WRITE_ONCE(s->mask, mask);
			wake_up_all(&current->process->signalfd_wait);
		}
		fd_release(old);
		return r;
	}
	s = kmalloc(sizeof(*s), GFP_KERNEL);
	if (!s)
		return -ENOMEM;
	s->mask = mask;
	r = file_create_anon("[signalfd]", &signalfd_file_ops, s,
			     O_RDWR | ((u32)flags & SFD_NONBLOCK), FMODE_READ | FMODE_WRITE, &f);
	if (r) {
		kfree(s);
		return r;
	}
	return fd_add(f, flags & SFD_CLOEXEC);
}

long
sys_signalfd(int fd, user_ptr set, size_t set_size)
{
	return sys_signalfd4(fd, set, set_size, 0);
}

static const struct file_ops signalfd_file_ops = {
	.release = signalfd_release,
	.read = signalfd_read,
	.poll = signalfd_poll,
	.show_fdinfo = signalfd_show_fdinfo,
};
