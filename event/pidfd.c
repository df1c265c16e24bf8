/* SPDX-License-Identifier: MIT */
/*
 * Process descriptors: pidfd_open(2), pidfd_send_signal(2), pidfd_getfd(2).
 *
 * A pidfd holds a struct pid, which outlives its process and is never reused, so it never comes to
 * name another one. It is readable when the process has ended (its last thread is gone), reaped or
 * not: exit.c wakes pid->pidfd_wait then.
 */
#include "event/pidfd.h"

#include "core/rcu.h"
#include "fs/vfs/file.h"
#include "fs/vfs/poll.h"
#include "generated/syscalls.h"
#include "lib/format.h"
#include "mm/user.h"
#include "task/access.h"
#include "task/task.h"
#include "uapi/epoll.h"
#include "uapi/errno.h"
#include "uapi/fcntl.h"
#include "uapi/pidfd.h"

static const struct file_ops pidfd_file_ops;

struct pid *(*pidfd_proc_pid)(struct file *f);

int
pidfd_create(struct pid *pid, u32 flags, struct file **out)
{
	int r = file_create_anon("[pidfd]", &pidfd_file_ops, pid, O_RDWR | flags,
				 FMODE_READ | FMODE_WRITE | FMODE_STREAM, out);

	if (r == 0)
		pid_get(pid);
	return r;
}

struct pid *
pidfd_pid(struct file *f)
{
	return f->ops == &pidfd_file_ops ? f->private : NULL;
}

static void
pidfd_release(struct file *f)
{
	pid_put(f->private);
}

/* The process of a pid, referenced, or NULL when it has been reaped. */
static struct process *
pidfd_process(struct pid *pid)
{
	struct process *p;

	rcu_read_lock();
	p = rcu_dereference(pid->process);
	if (p && !ref_try_get(&p->ref))
		p = NULL;
	rcu_read_unlock();
	return p;
}

static u32
pidfd_poll(struct file *f, struct poll_table *pt)
{
	struct pid *pid = f->private;
	struct process *p;
	bool ended;

	poll_wait(f, &pid->pidfd_wait, pt);
	p = pidfd_process(pid);
	ended = !p || (READ_ONCE(p->flags) & PROC_ZOMBIE);
	if (p)
		process_put(p);
	return ended ? EPOLLIN | EPOLLRDNORM : 0;
}

static void
pidfd_show_fdinfo(struct file *f, struct strbuf *sb)
{
	struct pid *pid = f->private;
	bool alive = READ_ONCE(pid->process);

	strbuf_printf(sb, "Pid:\t%d\n", alive ? pid_nr(pid, current_pid_ns()) : -1);
}

long
sys_pidfd_open(int nr, unsigned int flags)
{
	struct file *f;
	struct pid *pid;
	int r;

	if ((flags & ~(unsigned int)PIDFD_NONBLOCK) || nr <= 0)
		return -EINVAL;
	pid = pid_find(current_pid_ns(), nr);
	if (!pid)
		return -ESRCH;
	/* Threads that are not leaders have none. */
	r = READ_ONCE(pid->process) ? pidfd_create(pid, flags & PIDFD_NONBLOCK ? O_NONBLOCK : 0, &f)
	    : READ_ONCE(pid->task)  ? -EINVAL
				    : -ESRCH;
	pid_put(pid);
	return r ? r : fd_add(f, true);
}

/* Whoever has no number in the sender's namespace cannot be addressed from there. */
static int
pidfd_signal(struct pid *pid, int sig, user_ptr uinfo)
{
	struct linux_siginfo info;
	struct process *p;
	struct task *leader;
	int r = 0;

	/* A number that is gone is not one of another namespace. */
	if (sig < 0 || sig > SIGRTMAX ||
	    (READ_ONCE(pid->process) && !pid_nr(pid, current_pid_ns())))
		return -EINVAL;
	if (user_ptr_null(uinfo)) {
		siginfo_from_current(&info, sig, SI_USER);
	} else {
		r = copy_from_user(&info, uinfo, sizeof(info));
		if (r)
			return r;
		if (info.si_signo != sig)
			return -EINVAL;
		if ((info.si_code >= 0 || info.si_code == SI_TKILL) && pid != current->process->pid)
			return -EPERM;
	}
	p = pidfd_process(pid);
	if (!p)
		return -ESRCH;
	rcu_read_lock();
	leader = READ_ONCE(p->leader);
	r = leader ? signal_may_send(leader, sig) : -ESRCH;
	rcu_read_unlock();
	if (r == 0 && sig)
		r = signal_send_process(p, sig, &info);
	process_put(p);
	return r;
}

long
sys_pidfd_send_signal(int fd, int sig, user_ptr info, unsigned int flags)
{
	struct fd_ref ref;
	struct pid *pid;
	long r = -EBADF;

	if (flags)
		return -EINVAL;
	ref = fd_lookup(fd);
	if (!ref.file)
		return -EBADF;
	pid = pidfd_pid(ref.file);
	if (!pid && pidfd_proc_pid)
		pid = pidfd_proc_pid(ref.file);
	if (pid)
		r = pidfd_signal(pid, sig, info);
	fd_release(ref);
	return r;
}

static int
pidfd_take_file(struct pid *pid, int fd, struct file **out)
{
	struct process *p = pidfd_process(pid);
	struct fd_table *files = NULL;
	struct task *leader = NULL;
	int r = -ESRCH;

	if (!p)
		return r;
	rcu_read_lock();
	leader = READ_ONCE(p->leader);
	if (leader && !ref_try_get(&leader->thread.ref))
		leader = NULL;
	rcu_read_unlock();
	process_put(p);
	if (!leader)
		return r;
	*out = NULL;
	unsigned long flags = spin_lock_irqsave(&leader->lock);

	if (leader->files)
		files = fd_table_get(leader->files);
	spin_unlock_irqrestore(&leader->lock, flags);
	if (files) {
		*out = fd < 0 ? NULL : fd_table_find(files, fd);
		fd_table_put(files);
		r = *out ? 0 : -EBADF;
	}
	/* After the look: what a set-id program opens that it executes now is not for us. */
	int denied = task_may_access(leader, true);

	if (denied && *out)
		file_put(*out);
	r = denied ? denied : r;
	task_put(leader);
	return r;
}

long
sys_pidfd_getfd(int pidfd, int fd, unsigned int flags)
{
	struct fd_ref ref;
	struct pid *pid;
	struct file *f = NULL;
	int r = -EBADF;

	if (flags)
		return -EINVAL;
	ref = fd_lookup(pidfd);
	if (!ref.file)
		return -EBADF;
	pid = pidfd_pid(ref.file);
	if (pid)
		r = pidfd_take_file(pid, fd, &f);
	fd_release(ref);
	return r ? r : fd_add(f, true);
}

static const struct file_ops pidfd_file_ops = {
	.release = pidfd_release,
	.poll = pidfd_poll,
	.show_fdinfo = pidfd_show_fdinfo,
};
