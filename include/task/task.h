/* SPDX-License-Identifier: MIT */
/*
 * What a task is. A `struct task` is one thread of a user program (it has the tid); a `struct
 * process` is the thread group (it has the pid that getpid returns), with what its threads share by
 * definition: signals for the group, limits, timers, children, session. What threads share by clone
 * flags are objects of their own with reference counts: mm, fd table, fs context, sighand,
 * credentials, namespaces.
 *
 * Letters: [I] fixed after creation, [O] only the task itself, [A] atomic, [T] tasklist_lock, [S]
 * sighand->lock, [L] task->lock, [P] process->lock.
 */
#ifndef TASK_TASK_H
#define TASK_TASK_H

#include "core/rcu.h"
#include "core/ref.h"
#include "core/timer.h"
#include "lib/list.h"
#include "sched/mutex.h"
#include "sched/thread.h"
#include "sched/wait.h"
#include "task/cpu_timer.h"
#include "task/cred.h"
#include "task/pid.h"
#include "task/rlimit.h"
#include "task/signal.h"

struct fd_table;
struct fs_context;
struct nsset;
struct tty;
struct process;
struct posix_timer;

/* Sessions and process groups are struct pid with lists of processes; see task/pid.h. */

struct task {
	struct thread thread; /* first: current_task() is a cast */

	struct process *process; /* [I] (exec from a thread swaps group leadership, not this) */
	struct list thread_node; /* [T, S] process->threads */
	struct pid *pid;	 /* [T] its tid (exec by a non-leader takes over the leader's) */
	struct cred *cred;	 /* [O] written by the task, read by others under RCU */

	struct fd_table *files; /* [L] */
	struct fs_context *fs;	/* [L] */
	struct nsset *ns;	/* [L] */
	struct spinlock
		lock; /* L: comm, files, fs, ns, mm pointers against readers from other tasks */

	/* signals */
	struct sighand *sighand;      /* [I until exit] */
	struct sigqueue_list pending; /* [S] signals for this thread */
	u64 blocked;		      /* [O] written under S */
	u64 saved_mask;		      /* [O] with TF_RESTORE_MASK */
	bool stop_dequeued; /* [S] took a stop signal and has not acted on it; SIGCONT and SIGKILL
			       clear it */
	u64 alt_sp, alt_size;
	int alt_flags;	/* [O] sigaltstack */
	bool must_stop; /* [S] takes part in the group's stop */
	int fault_trapno;
	u64 fault_error, fault_addr; /* [O] of the last exception, for the signal frame */
	struct restart_block {
		long (*func)(struct restart_block *rb); /* for restart_syscall(2); NULL: -EINTR */
		u64 args[6];
	} restart; /* [O] */

	/* birth and death */
	int exit_code;	   /* wait status of this thread */
	int exit_signal;   /* [T] to the parent: SIGCHLD, other, -1 for threads that are not leaders
			    */
	int pdeath_signal; /* [O] */
	user_ptr set_child_tid;	  /* [O] CLONE_CHILD_SETTID: to be written on the first way to user
				     mode */
	user_ptr clear_child_tid; /* [O] */
	user_ptr robust_list;	  /* [O] */
	struct completion *vfork_done; /* [O of the child] completed at exec or exit */
	bool exiting;		       /* [S] */
	struct list pi_held;	       /* futexes held with PI; ipc/futex.c */
	void *pi_blocked_on;

	user_ptr rseq;
	u32 rseq_len, rseq_sig; /* [O] */

	/* identity for /proc */
	u64 start_time_ns;			    /* boot clock */
	u64 io_rchar, io_wchar, io_syscr, io_syscw; /* [O] */
	u64 timer_slack_ns;
	bool no_new_privs;
	bool nproc_exceeded; /* [O] its user had too many processes when it became that user */
	u8 seccomp_mode;     /* [S] SECCOMP_MODE_*; proc/seccomp.c */
	u32 seccomp_filters; /* [S] how many */
	struct seccomp_filter *seccomp; /* [S] the newest; [O] reads without */
	u32 personality;
	struct ptrace_state *ptrace; /* proc/ptrace.c; NULL when not traced */
	u8 ptrace_syscall_op; /* [O] PTRACE_SYSCALL_INFO_*: in which stop of a system call it is */
	bool ptrace_trap;     /* [S] is to stop for its tracer */
	struct list ptraced_node; /* [T] tracer's process->tracees */
	struct list task_work;	  /* [L] callbacks run on return to user mode */
	bool work_closed;	  /* [L] exiting: no more task work */
	struct rcu_head rcu;
	long syscall_nr;		 /* [O] being executed, for /proc/PID/syscall */
	struct undo_list *sem_undo;	 /* [O] SEM_UNDO; ipc/sysv_sem.c */
	bool has_children;		 /* [O] has ever forked: creator of some process */
	struct cpu_timer_set cpu_timers; /* [S] on this thread's CPU time */
};

enum process_flags {
	PROC_GROUP_EXIT = BIT(0), /* exit_group or fatal signal: every thread is to leave */
	PROC_STOPPED = BIT(1),	  /* job control stop completed */
	PROC_STOP_PENDING = BIT(2),
	PROC_CONTINUED = BIT(3),   /* to be reported by WCONTINUED */
	PROC_STOP_REPORT = BIT(4), /* a stop to be reported by WUNTRACED */
	PROC_EXECED = BIT(5),	   /* for setpgid's EACCES */
	PROC_SUBREAPER = BIT(6),
	PROC_UNKILLABLE = BIT(
		7),	      /* init of a pid namespace: ignores unhandled signals from inside */
	PROC_ZOMBIE = BIT(8), /* leader dead and no thread left: waitable */
	PROC_EXEC_IN_PROGRESS = BIT(9), /* de-threading */
	PROC_NOTIFY_CONTINUED = BIT(
		10), /* the next thread on its way to user mode tells the parent CLD_CONTINUED */
	PROC_NOTIFY_STOPPED = BIT(
		11), /* the same for CLD_STOPPED when a stop was cut short by SIGCONT */
};

struct process {
	struct ref ref;
	struct pid *pid;	 /* [I] the leader's: exec by another thread takes it over */
	struct task *leader;	 /* [T] */
	struct list threads;	 /* [T and S to write, either to read] tasks alive, leader first */
	u32 nr_threads;		 /* [T] alive */
	u32 flags;		 /* [S] enum process_flags */
	struct sighand *sighand; /* [I] while alive: same object as the tasks' */

	struct process *parent;	 /* [T] who waits for us; the tracer is separate */
	u32 execs, parent_execs; /* programs executed so far; by the parent when it made us */
	struct task *creator;	 /* [T] the thread of the parent that made us (pdeath, __WNOTHREAD):
				    compared, never followed */
	struct list children;	 /* [T] processes */
	struct list sibling;	 /* [T] in parent->children */
	struct list tracees;	 /* [T] tasks traced by us */
	struct wait_queue child_wait; /* wait4 sleepers of this process */

	struct pid *pgrp, *session;	     /* [T] */
	struct list pgrp_node, session_node; /* [T] in struct pid's lists */
	struct tty *ctty;		     /* [S] controlling terminal */

	struct sigqueue_list pending; /* [S] signals for the group */
	u32 stop_count;		      /* [S] threads still to stop */
	int stop_signal;	      /* [S] */
	int group_exit_code;	      /* [S] wait status once PROC_GROUP_EXIT */
	struct task *exec_task;	      /* [S] thread that execs and waits for the others to leave */
	struct wait_queue signalfd_wait; /* signalfd pollers: woken on each queued signal */
	struct wait_queue pidfd_wait;	 /* woken when the process becomes a zombie */

	struct rlimit_set limits; /* [P] reads are single words */
	struct spinlock lock;	  /* P */
	struct mutex exec_lock;

	/* times and usage of dead threads and waited-for children [S] */
	u64 dead_utime_ns, dead_stime_ns, dead_runtime_ns, dead_min_flt, dead_maj_flt, dead_nvcsw,
		dead_nivcsw;
	u64 child_utime_ns, child_stime_ns, child_min_flt, child_maj_flt, child_nvcsw, child_nivcsw,
		child_maxrss;
	u64 maxrss;

	/* timers [S] */
	struct timer itimer_real;
	u64 itimer_value[3], itimer_interval[3]; /* absolute on its clock, 0: not armed */
	struct list posix_timers;
	u32 posix_timer_next_id;
	struct xarray posix_timer_ids;
	struct cpu_timer_set cpu_timers; /* on the process's CPU time */
	u64 xcpu_next_sec;		 /* RLIMIT_CPU: when SIGXCPU comes next */

	int oom_score_adj;
	struct rcu_head rcu;
};

static inline struct task *
current_task(void)
{
	return (struct task *)thread_current();
}
#define current (current_task())
static inline struct process *
current_process(void)
{
	return current_task()->process;
}
static inline bool
thread_is_task(const struct thread *t)
{
	return !t->is_kernel;
}

/* Guards the process tree, pgrps and sessions for writing; readers may use RCU for pid lookups.
 * Interrupt-safe. */
extern struct spinlock tasklist_lock;

extern struct process *init_process; /* pid 1 */
extern struct atomic32 task_count; /* threads alive, for RLIMIT_NPROC-like checks and threads-max */
extern u32 task_count_max;	   /* /proc/sys/kernel/threads-max */

struct task *task_alloc(void); /* zeroed; thread_init_fork gives it its reference */
/* What thread_init_fork takes as release: drops pid, cred and process references, frees after a
 * grace period. */
void task_release(struct thread *t);
struct process *process_alloc(void);
void process_get(struct process *p);
void process_put(struct process *p);
static inline void
task_get(struct task *t)
{
	thread_get(&t->thread);
}
static inline void
task_put(struct task *t)
{
	thread_put(&t->thread);
}

/* By id as seen from the caller's pid namespace; referenced, or NULL. */
struct task *task_find(int tid);
struct process *process_find(int pid);
/* Under rcu_read_lock or tasklist_lock; no reference. */
struct task *task_peek(int tid);

int task_tid(const struct task *t); /* in the current namespace */
int process_pid(const struct process *p);
static inline int
current_pid(void)
{
	return process_pid(current->process);
}
/* The parent's pid as getppid(2) tells it. */
int process_ppid(const struct process *p);

/* Next process with pid >= *pid in the current namespace, referenced, *pid set; NULL at the end:
 * for /proc readdir. */
struct process *process_next(int *pid);
/* Iterate the threads of a process the same way by tid. */
struct task *process_next_thread(struct process *p, int *tid);

void task_set_comm(struct task *t, const char *name);
void task_get_comm(struct task *t, char out[16]);

/* Run func(work) in t's context on its way to user mode. -ESRCH when it is exiting. */
struct task_work {
	struct list node;
	void (*func)(struct task_work *w);
};
/* tasklist_lock held: membership in groups and sessions; leave: at reaping. */
void process_set_pgrp(struct process *p, struct pid *pgrp);
void process_set_session(struct process *p, struct pid *session);
void process_leave_groups(struct process *p);

int task_work_add(struct task *t, struct task_work *w);
/* Run the current task's work: on the way to user mode, and (close: refuse more) when it exits.
 * Sleeps. */
void task_work_run(bool close);
/* A task that thread_init_fork has not seen, or whose birth was undone. */
void task_free(struct task *t);

/* Another task's shared objects, referenced, or NULL when it has exited. */
struct mm *task_get_mm(struct task *t);

/* state letter of /proc/PID/stat: R S D T t Z X I */
char task_state_letter(struct task *t);
void process_times(struct process *p, u64 *utime_ns, u64 *stime_ns); /* with living threads */
u64 process_runtime_ns(struct process *p);

/* sighand->lock of a process, stable against exec replacing the sighand. Interrupts off until
 * sighand_unlock. */
struct sighand *sighand_lock(struct process *p, unsigned long *flags);
void sighand_unlock(struct sighand *sh, unsigned long flags);
struct sighand *sighand_create(void);
void sighand_put(struct sighand *sh);

/* Times and counters as getrusage(2) reports them. */
struct linux_rusage;
void process_rusage(struct process *p, int who, struct linux_rusage *out);

void task_init(void);
#endif
