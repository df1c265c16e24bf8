/* SPDX-License-Identifier: MIT */
/*
 * Job control: which session a terminal controls, which group is in front, who may read.
 * credentials(7), tcsetpgrp(3), setsid(2).
 *
 * tty->session, tty->pgrp and every process's ctty change under tasklist_lock only; a ctty pointer
 * is not a reference: it is cleared in every process of the session before the terminal lets go of
 * it.
 */
#include "core/panic.h"
#include "fs/vfs/file.h"
#include "mm/user.h"
#include "task/task.h"
#include "tty_internal.h"
#include "uapi/errno.h"
#include "uapi/fcntl.h"
#include "uapi/ioctl.h"

static void
pid_swap(struct pid **slot, struct pid *pid)
{
	struct pid *old = *slot;

	if (pid)
		pid_get(pid);
	*slot = pid;
	if (old)
		pid_put(old);
}

/* The group in front, referenced, or NULL. */
static struct pid *
pgrp_find(struct tty *t)
{
	unsigned long flags = spin_lock_irqsave(&tasklist_lock);
	struct pid *p = t->pgrp;

	if (p)
		pid_get(p);
	spin_unlock_irqrestore(&tasklist_lock, flags);
	return p;
}

void
tty_signal_pgrp(struct tty *t, int sig)
{
	struct pid *p = pgrp_find(t);

	if (p) {
		(void)signal_send_pgrp(p, sig, NULL);
		pid_put(p);
	}
}

struct tty *
tty_of_session(void)
{
	unsigned long flags = spin_lock_irqsave(&tasklist_lock);
	struct tty *t = current->process->ctty;

	if (t)
		tty_get(t);
	spin_unlock_irqrestore(&tasklist_lock, flags);
	return t;
}

int
tty_check_change(struct tty *t, int sig)
{
	struct process *p = current->process;
	struct pid *mine;
	int r = 0;
	unsigned long flags = spin_lock_irqsave(&tasklist_lock);

	if (p->ctty != t || !t->pgrp || p->pgrp == t->pgrp) {
		spin_unlock_irqrestore(&tasklist_lock, flags);
		return 0;
	}
	mine = p->pgrp;
	pid_get(mine);
	bool orphaned = pgrp_is_orphaned(mine, NULL);
	spin_unlock_irqrestore(&tasklist_lock, flags);

	unsigned long sflags;
	struct sighand *sh = sighand_lock(p, &sflags);
	bool deaf = (current->blocked & SIGMASK(sig)) || sh->action[sig - 1].handler == SIG_IGN;
	sighand_unlock(sh, sflags);

	/* Writers who will not hear of it go on; readers fail. */
	if (deaf) {
		r = sig == SIGTTIN ? -EIO : 0;
	} else if (orphaned) {
		r = -EIO;
	} else {
		(void)signal_send_pgrp(mine, sig, NULL);
		r = -ERESTARTSYS;
	}
	pid_put(mine);
	return r;
}

/* tasklist_lock held. */
static void
session_forget(struct tty *t)
{
	struct process *p;

	if (t->session) {
		list_for_each_entry(p, &t->session->session_members, session_node)
		{
			if (p->ctty == t)
				p->ctty = NULL;
		}
		t->session->session_tty = NULL;
	}
	pid_swap(&t->session, NULL);
	pid_swap(&t->pgrp, NULL);
}

/* Once hung up a terminal gets no session: nobody would take it away again before it is freed.
 * The hang-up says so first and takes tasklist_lock then. */
static bool
may_adopt(struct tty *t, struct file *f)
{
	return !READ_ONCE(t->closed_other) && !tty_file_dead(f);
}

static void
session_adopt(struct tty *t)
{
	struct process *p = current->process;

	pid_swap(&t->session, p->session);
	pid_swap(&t->pgrp, p->pgrp);
	p->session->session_tty = t;
	p->ctty = t;
}

/* open(2) by a session leader without a terminal takes this one, unless O_NOCTTY. */
void
tty_try_ctty(struct tty *t, struct file *f)
{
	struct process *p = current->process;
	unsigned long flags = spin_lock_irqsave(&tasklist_lock);

	if (p->session == p->pid && !p->ctty && !t->session && (f->mode & FMODE_READ) &&
	    may_adopt(t, f))
		session_adopt(t);
	spin_unlock_irqrestore(&tasklist_lock, flags);
}

/* The terminal lets go of its session: hang-up and last close. Sends nothing. */
void
tty_disassociate(struct tty *t)
{
	unsigned long flags = spin_lock_irqsave(&tasklist_lock);

	session_forget(t);
	spin_unlock_irqrestore(&tasklist_lock, flags);
}

static int
set_ctty(struct tty *t, struct file *f, u64 steal)
{
	struct process *p = current->process;
	int r = -EPERM;
	unsigned long flags = spin_lock_irqsave(&tasklist_lock);

	if (p->session == p->pid && p->ctty == t) {
		r = 0;
	} else if (!may_adopt(t, f)) {
		r = -EIO;
	} else if (p->session == p->pid && !p->ctty) {
		if (!t->session) {
			r = (f->mode & FMODE_READ) || capable(CAP_SYS_ADMIN) ? 0 : -EPERM;
		} else if (steal == 1 && capable(CAP_SYS_ADMIN)) {
			session_forget(t);
			r = 0;
		}
		if (r == 0)
			session_adopt(t);
	}
	spin_unlock_irqrestore(&tasklist_lock, flags);
	return r;
}

/* TIOCNOTTY, and the end of a session leader: the group in front hears SIGHUP and SIGCONT. */
static void
leave_ctty(struct process *p, bool leader, bool cont)
{
	struct pid *front = NULL;
	unsigned long flags = spin_lock_irqsave(&tasklist_lock);
	struct tty *t = p->ctty;

	if (t && leader) {
		front = t->pgrp;
		if (front)
			pid_get(front);
		session_forget(t);
	}
	p->ctty = NULL;
	spin_unlock_irqrestore(&tasklist_lock, flags);
	if (front) {
		(void)signal_send_pgrp(front, SIGHUP, NULL);
		if (cont)
			(void)signal_send_pgrp(front, SIGCONT, NULL);
		pid_put(front);
	}
}

void
tty_session_exit(struct process *leader)
{
	/* A line whose session leader goes is hung up: the others' files on it are dead. */
	unsigned long flags = spin_lock_irqsave(&tasklist_lock);
	struct tty *t = leader->ctty;

	if (t)
		tty_get(t);
	spin_unlock_irqrestore(&tasklist_lock, flags);
	if (!t)
		return;
	if (t->driver->pseudo)
		leave_ctty(leader, true, false);
	else
		tty_hangup(t, true);
	tty_put(t);
}

static long
set_pgrp(struct tty *t, u64 arg)
{
	struct process *p = current->process;
	s32 nr;
	long r = tty_check_change(t, SIGTTOU);

	if (r)
		return r == -EIO ? -ENOTTY : r;
	r = get_user(&nr, user_ptr_of(arg));
	if (r)
		return r;
	if (nr < 0)
		return -EINVAL;
	struct pid *pid = pid_find(current_pid_ns(), nr);

	unsigned long flags = spin_lock_irqsave(&tasklist_lock);
	if (p->ctty != t || t->session != p->session) {
		r = -ENOTTY;
	} else if (!pid) {
		r = -ESRCH;
	} else {
		struct process *member = list_first_entry_or_null(&pid->pgrp_members,
								  struct process, pgrp_node);

		if (!member)
			r = -ESRCH;
		else if (member->session != p->session)
			r = -EPERM;
		else
			pid_swap(&t->pgrp, pid);
	}
	spin_unlock_irqrestore(&tasklist_lock, flags);
	if (pid)
		pid_put(pid);
	return r;
}

static long
get_id(struct tty *t, struct file *f, bool session, u64 arg)
{
	s32 nr = -1;
	unsigned long flags = spin_lock_irqsave(&tasklist_lock);

	/* Through a pty's master anybody may ask; otherwise it must be one's own terminal. */
	bool own = current->process->ctty == t || pty_is_master(f);
	struct pid *pid = session ? t->session : t->pgrp;
	if (own)
		nr = pid ? pid_nr(pid, current_pid_ns()) : 0;
	spin_unlock_irqrestore(&tasklist_lock, flags);
	if (nr < 0 || (session && !nr))
		return -ENOTTY;
	return put_user(user_ptr_of(arg), nr);
}

long
tty_job_ioctl(struct tty *t, struct file *f, u32 cmd, u64 arg)
{
	switch (cmd) {
	case TIOCSCTTY: return set_ctty(t, f, arg);
	case TIOCNOTTY: {
		struct tty *mine = tty_of_session();
		bool own = mine == t;

		if (mine)
			tty_put(mine);
		if (!own)
			return -ENOTTY;
		leave_ctty(current->process, current->process->session == current->process->pid,
			   true);
		return 0;
	}
	case TIOCGPGRP: return get_id(t, f, false, arg);
	case TIOCSPGRP: return set_pgrp(t, arg);
	case TIOCGSID: return get_id(t, f, true, arg);
	}
	return -ENOTTY;
}
