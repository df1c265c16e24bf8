/* SPDX-License-Identifier: MIT */
/*
 * Signal-driven I/O: fcntl(2) F_SETOWN, F_SETSIG, and the O_ASYNC flag.
 *
 * A file with O_ASYNC hangs entries on the wait queues that its poll names, as epoll does, so every
 * file that can be polled can signal and no driver knows of it. A wake-up comes with the queue's
 * lock held, often from an interrupt: it only queues work, which asks poll what is ready and sends
 * the signal.
 *
 * The owner struct is made at the first of these calls and lives until the file goes.
 */
#include "fs/vfs/poll.h"
#include "sched/work.h"
#include "uapi/epoll.h"
#include "uapi/siginfo.h"
#include "vfs_internal.h"

#define MAX_QUEUES 2

struct fasync_entry {
	struct wait_entry wait;
	struct wait_queue *wq;
	struct file_owner *owner;
};

struct file_owner {
	struct spinlock lock; /* pid, type, ids, signal */
	struct mutex enable_lock;
	struct pid *pid;
	int type;      /* F_OWNER_* */
	int signal;    /* 0: SIGIO without siginfo */
	int fd;	       /* as O_ASYNC was set: si_fd */
	u32 uid, euid; /* of who called F_SETOWN: may they signal? */
	struct file *file;
	struct work work;
	bool urgent; /* SIGURG is due */
	u32 nr_entries;
	struct fasync_entry entries[MAX_QUEUES];
};

struct fasync_table {
	struct poll_table pt;
	struct file_owner *owner;
};

/* --- sending --- */

static void
send_to(struct file_owner *o, struct task *t, const struct linux_siginfo *info, int sig, u32 uid,
	u32 euid)
{
	struct cred *c = task_get_cred(t);
	bool allowed = euid == 0 || euid == c->suid || euid == c->uid || uid == c->suid ||
		       uid == c->uid;

	cred_put(c);
	if (!allowed)
		return;
	if (o->type == F_OWNER_TID)
		(void)signal_send_task(t, sig, info);
	else
		(void)signal_send_process(t->process, sig, info);
}

/* Those of the group that may be signalled. */
static void
deliver_pgrp(struct file_owner *o, struct pid *pid, int sig, const struct linux_siginfo *info,
	     u32 uid, u32 euid)
{
	struct process *p;
	unsigned long flags = spin_lock_irqsave(&tasklist_lock);

	list_for_each_entry(p, &pid->pgrp_members, pgrp_node)
		send_to(o, p->leader, info, sig, uid, euid);
	spin_unlock_irqrestore(&tasklist_lock, flags);
}

static void
deliver(struct file_owner *o, struct pid *pid, int type, int sig, struct linux_siginfo *info,
	u32 uid, u32 euid)
{
	struct task *t;

	if (type == F_OWNER_PGRP) {
		deliver_pgrp(o, pid, sig, info, uid, euid);
		return;
	}
	rcu_read_lock();
	t = READ_ONCE(pid->task);
	if (t)
		task_get(t);
	rcu_read_unlock();
	if (!t)
		return;
	send_to(o, t, info, sig, uid, euid);
	task_put(t);
}

/* What the owner is told, of descriptor fd; code 0: nothing but what is urgent. */
static void
signal_owner(struct file_owner *o, int fd, int code, u32 band, bool urgent)
{
	struct linux_siginfo info = { 0 };
	int signal, type;
	struct pid *pid;
	u32 uid, euid;

	spin_lock(&o->lock);
	pid = o->pid;
	if (pid)
		pid_get(pid);
	signal = o->signal;
	type = o->type;
	uid = o->uid;
	euid = o->euid;
	spin_unlock(&o->lock);
	if (!pid)
		return;
	if (urgent)
		deliver(o, pid, type, SIGURG, NULL, uid, euid);
	if (code) {
		info.si_signo = signal ? signal : SIGIO;
		info.si_code = code;
		info.poll.band = band;
		info.poll.fd = fd;
		deliver(o, pid, type, info.si_signo, signal ? &info : NULL, uid, euid);
	}
	pid_put(pid);
}

static void
send_work(struct work *work)
{
	struct file_owner *o = container_of(work, struct file_owner, work);
	struct file *f = o->file;
	u32 events = f->ops->poll ? f->ops->poll(f, NULL) : 0;
	int code = events & EPOLLIN    ? POLL_IN
		   : events & EPOLLHUP ? POLL_HUP
		   : events & EPOLLERR ? POLL_ERR
		   : events & EPOLLOUT ? POLL_OUT
		   : events & EPOLLPRI ? POLL_PRI
				       : 0;

	signal_owner(o, o->fd, o->nr_entries ? code : 0, events, xchg(&o->urgent, false));
}

void
file_signal_owner(struct file *f, int fd, int code, u32 band)
{
	struct file_owner *o = READ_ONCE(f->owner);

	if (o)
		signal_owner(o, fd, code, band, false);
}

static bool
wake_work(struct wait_entry *we, u32 key)
{
	struct fasync_entry *e = container_of(we, struct fasync_entry, wait);

	if (unlikely(key & WAKE_QUEUE_GONE)) {
		list_del_init(&we->node);
		smp_store_release(&e->wq, NULL);
		return false;
	}
	work_queue(&e->owner->work);
	return false;
}

void
file_signal_urgent(struct file *f)
{
	struct file_owner *o = READ_ONCE(f->owner);

	if (!o)
		return;
	WRITE_ONCE(o->urgent, true);
	work_queue(&o->work);
}

/* --- owner --- */

static struct file_owner *
owner_of(struct file *f)
{
	struct file_owner *o = READ_ONCE(f->owner), *old = NULL;

	if (o)
		return o;
	o = kzalloc(sizeof(*o), GFP_KERNEL);
	if (!o)
		return NULL;
	spin_init(&o->lock, RANK_INODE_SPIN);
	mutex_init(&o->enable_lock, RANK_EPOLL);
	work_init(&o->work, send_work);
	o->type = F_OWNER_PID;
	o->file = f;
	if (try_cmpxchg(&f->owner, &old, o))
		return o;
	kfree(o);
	return old;
}

static void
disable(struct file_owner *o)
{
	for (u32 i = 0; i < o->nr_entries; i++) {
		rcu_read_lock();
		struct wait_queue *wq = smp_load_acquire(&o->entries[i].wq);
		if (wq)
			wait_remove(wq, &o->entries[i].wait);
		rcu_read_unlock();
	}
	o->nr_entries = 0;
	work_cancel_sync(&o->work);
}

static void
queue_entry(struct poll_table *pt, struct file *f, struct wait_queue *wq)
{
	struct file_owner *o = container_of(pt, struct fasync_table, pt)->owner;
	struct fasync_entry *e;

	if (o->nr_entries == MAX_QUEUES)
		return;
	e = &o->entries[o->nr_entries++];
	wait_entry_init(&e->wait, 0);
	e->wait.func = wake_work;
	e->wq = wq;
	e->owner = o;
	wait_add(wq, &e->wait);
}

int
fasync_enable(int fd, struct file *f, bool on)
{
	struct fasync_table table = { .pt = { .queue = queue_entry, .events = ~0u } };
	struct file_owner *o;

	if (!f->ops->poll || S_ISREG(f->inode->mode) || S_ISDIR(f->inode->mode))
		return 0; /* always ready: never a signal */
	o = owner_of(f);
	if (!o)
		return -ENOMEM;
	mutex_lock(&o->enable_lock);
	disable(o);
	if (on) {
		o->fd = fd;
		table.owner = o;
		f->ops->poll(f, &table.pt);
	}
	mutex_unlock(&o->enable_lock);
	return 0;
}

void
fasync_release(struct file *f)
{
	struct file_owner *o = f->owner;

	WRITE_ONCE(f->owner, NULL);
	/* Sockets signal urgent data from net sections, which are RCU readers. */
	if (S_ISSOCK(f->inode->mode))
		rcu_synchronize();
	disable(o);
	if (o->pid)
		pid_put(o->pid);
	kfree(o);
}

/* --- fcntl(2) --- */

/* Takes over the reference. 0 or -ENOMEM. */
static int
set_owner_pid(struct file *f, int type, struct pid *pid, bool force)
{
	struct file_owner *o = owner_of(f);
	struct pid *old = pid;

	if (!o) {
		pid_put(pid);
		return -ENOMEM;
	}
	spin_lock(&o->lock);
	if (force || !o->pid) {
		old = o->pid;
		o->pid = pid;
		o->type = type;
		o->uid = current_cred()->uid;
		o->euid = current_cred()->euid;
	}
	spin_unlock(&o->lock);
	pid_put(old);
	return 0;
}

int
file_own(struct file *f)
{
	struct pid *me = current->process->pid;

	pid_get(me);
	return set_owner_pid(f, F_OWNER_PID, me, false);
}

static long
set_owner(struct file *f, int type, int id)
{
	struct pid *pid = NULL;

	if (id < 0)
		return -EINVAL;
	if (id) {
		pid = pid_find(current_pid_ns(), id);
		if (!pid)
			return -ESRCH;
	}
	return set_owner_pid(f, type, pid, true);
}

static void
get_owner(struct file *f, struct linux_f_owner_ex *ex)
{
	struct file_owner *o = READ_ONCE(f->owner);

	*ex = (struct linux_f_owner_ex){ .type = F_OWNER_PID };
	if (!o)
		return;
	spin_lock(&o->lock);
	ex->type = o->type;
	ex->pid = o->pid ? pid_nr(o->pid, current_pid_ns()) : 0;
	spin_unlock(&o->lock);
}

long
fasync_fcntl(struct file *f, u32 cmd, unsigned long arg)
{
	struct linux_f_owner_ex ex;
	struct file_owner *o;
	u32 ids[2] = { 0, 0 };
	int id = (int)arg;

	switch (cmd) {
	case F_SETOWN:
		if (id == INT32_MIN)
			return -EINVAL;
		return id < 0 ? set_owner(f, F_OWNER_PGRP, -id) : set_owner(f, F_OWNER_PID, id);
	case F_GETOWN: get_owner(f, &ex); return ex.type == F_OWNER_PGRP ? -ex.pid : ex.pid;
	case F_SETOWN_EX:
		if (copy_from_user(&ex, user_ptr_of(arg), sizeof(ex)))
			return -EFAULT;
		if (ex.type != F_OWNER_TID && ex.type != F_OWNER_PID && ex.type != F_OWNER_PGRP)
			return -EINVAL;
		return set_owner(f, ex.type, ex.pid);
	case F_GETOWN_EX: get_owner(f, &ex); return copy_to_user(user_ptr_of(arg), &ex, sizeof(ex));
	case F_SETSIG:
		if (arg > LINUX_NSIG)
			return -EINVAL;
		o = owner_of(f);
		if (!o)
			return -ENOMEM;
		o->signal = id;
		return 0;
	case F_GETSIG: o = READ_ONCE(f->owner); return o ? o->signal : 0;
	default: /* F_GETOWNER_UIDS */
		o = READ_ONCE(f->owner);
		if (o) {
			ids[0] = o->uid;
			ids[1] = o->euid;
		}
		return copy_to_user(user_ptr_of(arg), ids, sizeof(ids));
	}
}
