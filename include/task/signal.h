/* SPDX-License-Identifier: MIT */
/*
 * Signals: sending and the queues. Delivery (choosing, frames, default actions) is
 * proc/sigdelivery.c.
 *
 * sighand->lock protects the actions, both pending queues of every thread of the group, blocked
 * masks for writing, and stop/continue state. Real-time signals queue one entry each; standard ones
 * coalesce. signal(7), sigqueue(3).
 */
#ifndef TASK_SIGNAL_H
#define TASK_SIGNAL_H

#include "core/ref.h"
#include "core/spinlock.h"
#include "lib/list.h"
#include "uapi/signal.h"

struct task;
struct process;
struct pid;
struct linux_siginfo;
struct user_account;

struct sigaction_kernel {
	u64 handler, flags, restorer, mask;
};

struct sighand {
	struct ref ref;
	struct spinlock lock;
	struct sigaction_kernel action[64]; /* [sig - 1] */
};

struct sigqueue_list {
	u64 mask;	     /* bit sig-1: pending */
	struct list entries; /* struct sigqueue */
};

static inline void
sigqueue_list_init(struct sigqueue_list *l)
{
	l->mask = 0;
	list_init(&l->entries);
}

#define SIGMASK(sig) (1ull << ((sig)-1))

/*
 * Send. info NULL: kernel-generated with si_code SI_KERNEL. These check nothing about permission.
 * Callable from interrupts. 0, -EAGAIN (queue limit for real-time signals with siginfo), -ESRCH
 * (exiting).
 */
int signal_send_task(struct task *t, int sig, const struct linux_siginfo *info);
int signal_send_process(struct process *p, int sig, const struct linux_siginfo *info);
int signal_send_pgrp(struct pid *pgrp, int sig,
		     const struct linux_siginfo *info); /* 0 if any got it, -ESRCH when empty */
/* Synchronous fault: cannot be blocked or ignored (then the default action kills). Of the current
 * task. */
void signal_force(int sig, const struct linux_siginfo *info);
/* The same, and no handler of the program's runs. info NULL: the kernel's own. */
void signal_force_fatal(int sig, const struct linux_siginfo *info);
/* May the current task signal t? 0, -EPERM. */
int signal_may_send(struct task *t, int sig);
/* Fill the common header of a siginfo for kill(2) from the current task. */
void siginfo_from_current(struct linux_siginfo *info, int sig, int code);

/* Preallocated entry for timers: queued at most once; re-queue while queued counts an overrun. */
struct sigqueue {
	struct list node; /* [S] in a pending queue; list_empty when not queued */
	struct linux_siginfo info;
	struct user_account *user; /* charged for it, or NULL */
	bool preallocated;
	/* Called under sighand->lock when the entry is taken for delivery, with the copy that user
	 * space will see (overrun counts). May be NULL. */
	void (*dequeued)(struct sigqueue *q, struct linux_siginfo *info);
	void *owner;
};
struct sigqueue *sigqueue_alloc(void);
/* `p`: the process it is sent to. */
void sigqueue_free(struct sigqueue *q, struct process *p);
/* >0: it was already queued (caller counts an overrun), 0 queued (or ignored: -1). */
int sigqueue_send(struct sigqueue *q, struct task *task_or_null, struct process *process);
struct linux_siginfo *sigqueue_info(struct sigqueue *q);

/* Recompute TF_SIGPENDING of the current task / of t with sighand->lock held. */
void signal_recalc(struct task *t);
/* Take the next signal of `mask`'s complement (deliverable set) from thread then group queue:
 * number or 0. sighand->lock held by the function. */
int signal_dequeue(struct task *t, u64 deliverable, struct linux_siginfo *info);
int signal_dequeue_locked(struct task *t, u64 deliverable, struct linux_siginfo *info);
/* sighand->lock held: every thread is to leave with wait status `code`. */
void signal_start_group_exit(struct process *p, int code);
/* sighand->lock held: t no longer takes these signals (it blocks them, or exits): wake a thread
 * that does. */
void signal_retarget(struct task *t, u64 newly_blocked);
bool signal_fatal_pending(const struct task *t); /* SIGKILL pending or group exit */
void signal_flush(struct sigqueue_list *l);
/* sighand->lock held: these signals are no longer pending for the process or any of its threads. */
void signal_discard(struct process *p, u64 mask);
/* Set current's blocked mask (SIGKILL, SIGSTOP removed) and recalculate. */
void signal_set_blocked(u64 mask);
/* sigsuspend, ppoll, epoll_pwait ...: use `mask` until the call ends; restored by the exit path (or
 * kept for the handler). */
void signal_use_temporary_mask(u64 mask);
void signal_restore_temporary_mask(void); /* the call ended without a signal */
/* Copy in a sigset of `size` bytes: must be 8: -EINVAL, -EFAULT. */
#include "lib/user_ptr.h"
int signal_mask_from_user(user_ptr set, size_t size, u64 *out);

/* Job control: is pgrp orphaned? tasklist_lock held. */
bool pgrp_is_orphaned(struct pid *pgrp, struct process *ignore);

/* Default action classes. */
enum signal_default { SIGDEF_TERM, SIGDEF_CORE, SIGDEF_IGN, SIGDEF_STOP, SIGDEF_CONT };
enum signal_default signal_default_action(int sig);
/* Internal result codes that the exit path turns into EINTR or a restart; never seen by user space.
 */
#define ERESTARTSYS	      512 /* restart if SA_RESTART or no handler */
#define ERESTARTNOINTR	      513 /* always restart */
#define ERESTARTNOHAND	      514 /* restart only if no handler runs */
#define ERESTART_RESTARTBLOCK 516 /* restart by restart_syscall with task->restart */
#endif
