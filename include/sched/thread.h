/* SPDX-License-Identifier: MIT */
/*
 * A thread: what the scheduler runs. User tasks embed one as the first field of struct task
 * (task/); kernel threads are threads alone. This room knows nothing of processes, files or
 * signals: only flags that say "there is work before user mode".
 *
 * Letters: [I] fixed after creation, [R] run-queue lock of thread->cpu, [O] only the thread itself,
 * [A] atomic.
 */
#ifndef SCHED_THREAD_H
#define SCHED_THREAD_H

#include "arch/thread.h"
#include "core/cpumask.h"
#include "core/percpu.h"
#include "core/rcu.h"
#include "core/ref.h"
#include "lib/atomic.h"
#include "lib/list.h"
#include "sched/entity.h"

/* thread->state. The sleeper sets it, then checks its condition, then calls schedule(). */
enum thread_state {
	THREAD_RUNNABLE = 0,	    /* running or queued */
	THREAD_INTERRUPTIBLE = 1,   /* sleeps; wake-ups and signals end it */
	THREAD_UNINTERRUPTIBLE = 2, /* sleeps; only a wake-up ends it */
	THREAD_KILLABLE = 4,	    /* sleeps; wake-ups and fatal signals end it */
	THREAD_STOPPED = 8,	    /* job control stop; SIGCONT, SIGKILL */
	THREAD_TRACED = 16,	    /* ptrace stop */
	THREAD_DEAD = 32,	    /* has called thread_exit */
	THREAD_NEW = 64,	    /* was never woken */
	THREAD_FROZEN = 128,	    /* ptrace stop in use by the tracer: not even SIGKILL */
};

#define THREAD_NORMAL (THREAD_INTERRUPTIBLE | THREAD_UNINTERRUPTIBLE | THREAD_KILLABLE)

/* thread->flags: work before returning to user mode; tested by arch's exit path as one word against
 * zero. */
#define TF_SIGPENDING	BIT(0) /* a signal may be deliverable: task/ sets it under sighand->lock */
#define TF_RESCHED	BIT(1) /* mirrors need-resched for the exit path */
#define TF_NOTIFY	BIT(2) /* task work queued, rseq to fix, restart block ... */
#define TF_SINGLESTEP	BIT(3)
#define TF_RESTORE_MASK BIT(4) /* sigsuspend and friends: saved mask to restore */
#define TF_EXIT_WORK	(TF_SIGPENDING | TF_RESCHED | TF_NOTIFY | TF_RESTORE_MASK)
/* entry work: tested by the system call entry */
#define TF_SYSCALL_TRACE   BIT(8) /* ptrace syscall stops, trace= */
#define TF_SECCOMP	   BIT(9)
#define TF_SYSCALL_PROFILE BIT(10) /* profile=calls */
#define TF_ENTRY_WORK	   (TF_SYSCALL_TRACE | TF_SECCOMP | TF_SYSCALL_PROFILE)

extern u32 thread_first_flags; /* what threads of programs begin with: set before the first */

enum sched_policy { SCHED_P_FAIR, SCHED_P_FIFO, SCHED_P_RR, SCHED_P_BATCH, SCHED_P_IDLE };

struct journal_handle;
struct mm;

/* thread->on_rq */
enum thread_on_rq {
	OFF_RQ = 0,
	ON_RQ = 1,     /* runnable on the queue of thread->cpu, perhaps running */
	MOVING_RQ = 2, /* runnable, on its way to the queue of thread->cpu: whoever moves it will
			  insert it */
};

/*
 * What a thread has gathered and must send off before it sleeps (block/plug.c): flush is called by
 * schedule with interrupts on, and may not sleep.
 */
struct thread_plug {
	void (*flush)(struct thread_plug *plug);
};

struct thread {
	struct atomic32 flags; /* [A] TF_*; first: arch's entry code knows the offset */
	u32 state;    /* enum thread_state: set by itself, and to RUNNABLE by wakers under R */
	void *kstack; /* [I] lowest address of the kernel stack */
	struct arch_thread arch; /* [O] */

	u8 on_rq;	/* [R] enum thread_on_rq */
	bool on_cpu;	/* [R] its registers are, or may still be, in a CPU */
	bool is_kernel; /* [I] no user mode; thread alone, not a task */
	bool is_idle;	/* [I] */
	u32 cpu;	/* [R] run queue it belongs to; changed under the lock of the old one */

	u8 policy;	    /* [R] enum sched_policy */
	s8 nice;	    /* [R] -20..19 */
	u8 rt_priority;	    /* [R] 1..99, 0 for the fair policies */
	u8 boost_priority;  /* [R] priority inheritance: lower bound of the effective priority */
	u8 effective_rt;    /* [R] max(rt_priority, boost_priority): 0 = queued in the fair class */
	bool reset_on_fork; /* [R] */
	bool rseq;	    /* [O] has an rseq area: TF_NOTIFY is set when it leaves its CPU */
	bool wake_sync;	    /* [O] the wake-up in progress is by a waker who will sleep soon */
	struct sched_entity se;	 /* [R] */
	struct list rt_node;	 /* [R] */
	u32 rt_slice_left;	 /* [R] round robin, ns */
	u64 exec_start;		 /* [R] charged up to here; while running */
	u64 sum_exec_ns;	 /* [R] CPU time used */
	u64 burst_start;	 /* [R] sum_exec_ns at its last wake-up */
	u64 queued_at;		 /* [R] when it last became runnable or was moved */
	u64 tick_exec_ns;	 /* [O] sum_exec_ns when the tick last charged it */
	struct thread *waker;	 /* who woke it last: compared, never followed */
	bool fork_pending;	 /* [O] has forked and not slept since; balance.c */
	u8 fork_waits;		 /* [O] how often in a row it slept soon after it had forked */
	u64 forked_at;		 /* [O] when it did */
	struct cpumask affinity; /* [R] */

	struct mm *mm;		  /* [O] address space of user mode; NULL for kernel threads */
	struct arch_space *space; /* [O] &mm->space, or NULL: keep whichever is loaded (lazy) */

	u64 utime_ns, stime_ns;	    /* [O] sampled by the tick; sched_thread_times scales them to
				       sum_exec_ns */
	u64 utime_told, stime_told; /* [R] what sched_thread_times has said */
	u64 nvcsw, nivcsw;	    /* [R] context switches, voluntary and not */
	u64 min_flt, maj_flt;	    /* [O] page faults */
	struct thread_plug *plug;   /* [O] NULL: nothing */
	u64 call_began;		    /* [O] profile=calls: when its system call began; 0: in none */
	u32 fault_disabled; /* [O] > 0: page faults in user copies fail instead of sleeping */
	u32 nofs;	    /* [O] > 0: allocations do not enter file systems; mm/reclaim.h */
	struct journal_handle *journal; /* [O] its open handle: fs/journal */
	bool reclaiming; /* [O] in mm/reclaim.c: allocations take from the reserve and do not
			    reclaim */

	struct ref ref; /* the scheduler holds one while the thread is alive */
	struct rcu_head rcu;
	/* [I] Called a grace period after the last reference went (so a pointer found under RCU
	 * stays readable); may not sleep. The kernel stack and the arch side are gone by then: the
	 * scheduler frees both when the thread has left its CPU for the last time. */
	void (*release)(struct thread *t);
	char comm[16]; /* name; task->lock for tasks */
#ifdef KEVLAR_DEBUG
	u8 held_count; /* [O] sleeping locks held, by rank; sched/lock_debug.c */
	u8 held_rank[16];
#endif
};

DECLARE_PERCPU(struct thread *, current_thread);

static inline struct thread *
thread_current(void)
{
	return arch_this_cpu_read_stable(current_thread);
}

static inline bool
thread_flag_test(const struct thread *t, u32 flag)
{
	return atomic_read(&t->flags) & flag;
}

static inline void
thread_flag_set(struct thread *t, u32 flag)
{
	atomic_or(&t->flags, flag);
}

static inline void
thread_flag_clear(struct thread *t, u32 flag)
{
	atomic_and(&t->flags, ~flag);
}

/* A kernel thread, started by thread_wake (born THREAD_NEW, not queued). fn may return: the thread
 * then ends. NULL: no memory. */
struct thread *
thread_create(void (*fn)(void *), void *arg, const char *name_fmt, ...) __printf(3, 4);
/* Bind to one CPU before its first run. */
void thread_bind(struct thread *t, u32 cpu);

/*
 * For task/: initialise the scheduling side of an embedded thread as a copy of `parent` (the
 * caller): class, nice, affinity, comm; gives it a kernel stack. The arch side is set up by the
 * caller with arch_thread_fork or arch_thread_init_kernel. -ENOMEM.
 */
int thread_init_fork(struct thread *t, struct thread *parent, void (*release)(struct thread *t));
/* Undo thread_init_fork for a thread that never ran (and arch_thread_fork, if that was done):
 * t->release is not called. */
void thread_abort_fork(struct thread *t);
/* First wake-up of a new thread: chooses a CPU and queues it. */
void thread_wake_new(struct thread *t);
/* The same by a parent who waits for the child at once (vfork): it starts on this CPU. */
void thread_wake_new_sync(struct thread *t);

/* The running thread ends here: never returns. Its stack is freed by the thread that runs next,
 * then the reference is put. */
void thread_exit(void) __noreturn;
void thread_get(struct thread *t);
void thread_put(struct thread *t);

/* Give up the CPU. With state != RUNNABLE set before, sleeps (unless a signal is pending and the
 * state admits it). */
void schedule(void);
/* Sleep until woken or `deadline` (monotonic ns, TIME_NEVER = none). Returns 0 when the deadline
 * passed, 1 if woken before. State set before. */
int schedule_until(u64 deadline_ns);

static inline void
thread_set_state(u32 state)
{
	/* Full barrier: the state must be visible before the condition is read; pairs with
	 * thread_wake. */
	struct thread *t = thread_current();
	__atomic_store_n(&t->state, state, __ATOMIC_SEQ_CST);
}

/* Make it runnable if it sleeps in one of the `states`. True if this call woke it. Any context. */
bool thread_wake_state(struct thread *t, u32 states);
bool thread_wake(struct thread *t); /* THREAD_NORMAL, or new */
/* The same by a waker who is about to sleep itself (pipe, socket): the woken one stays on this CPU
 * if that is allowed. */
bool thread_wake_sync(struct thread *t);
/* A signal was made pending for t: wake it if interruptible; kick it out of user mode on another
 * CPU if it runs there. */
void thread_wake_signal(struct thread *t, bool fatal, u32 extra_states);
/* Wait until t is off its CPU (it has been made to stop, or is dead). */
void thread_wait_inactive(struct thread *t);
/*
 * t, if it sleeps in THREAD_TRACED and has left its CPU, sleeps in THREAD_FROZEN from now on; and
 * back. The caller keeps those away who wake either state. False: it does not.
 */
bool thread_freeze(struct thread *t);
void thread_thaw(struct thread *t);

/* Is a fatal signal pending for t? Set by task/. Called with a run-queue lock held: may take no
 * lock. */
extern bool (*thread_fatal_pending)(const struct thread *t);
static inline bool
thread_signal_pending(const struct thread *t)
{
	return thread_flag_test(t, TF_SIGPENDING);
}

#endif
