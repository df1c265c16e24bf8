/* SPDX-License-Identifier: MIT */
/* What the files of this room tell each other only. */
#ifndef PROC_INTERNAL_H
#define PROC_INTERNAL_H

#include "core/rcu.h"
#include "lib/list.h"
#include "lib/types.h"
#include "lib/user_ptr.h"
#include "uapi/siginfo.h"

struct exec;
struct file;
struct mm;
struct process;
struct regs;
struct task;

/* ---- exit.c ---- */

/* The calling thread ends; `code` is a wait status. */
void task_exit(int code) __noreturn;
/* The whole process ends, with the status of the first who said so. */
void process_exit(int code) __noreturn;
/* The task no longer runs in its address space: robust futexes, the child tid, a vfork parent.
 * Before the space is dropped or replaced. */
void task_leave_mm(struct task *t, bool exiting);
/*
 * tasklist_lock held: the zombie leaves the tree and its numbers become free. The caller puts what
 * process_reap_finish says, without the lock.
 */
struct task *process_reap(struct process *p);
void process_reap_finish(struct process *p, struct task *leader);
/* tasklist_lock held: SIGCHLD about a stop or continuation. why: CLD_STOPPED, CLD_CONTINUED,
 * CLD_TRAPPED. */
void process_notify_stop(struct process *p, int why, int status);
int process_wait_status(const struct process *p);
/* tasklist_lock held: the zombie's tracer, who was another than the parent, is done with it. */
void process_untraced(struct process *p, struct list *dead);
void task_reap_finish(struct task *t);
void process_reap_list(struct list *dead);

/* ---- fork.c ---- */

void fork_init(void);

/* ---- sigdelivery.c ---- */

/* sighand->lock held: one thread fewer is still to stop. True: that was the last, the parent is to
 * be told. */
bool signal_stop_participate(struct task *t);
bool signal_on_altstack(const struct task *t, u64 sp);
void signal_reset_altstack(struct task *t);
/* sighand->lock held: what exec does to the actions. */
void signal_reset_actions(struct task *t, bool also_ignored);

/* ---- sigaction.c ---- */

int altstack_set(struct task *t, u64 user_sp, u64 new_sp, u64 new_size, int new_flags);

/* ---- exec.c, elf.c, script.c ---- */

#define EXEC_HEAD_SIZE 256 /* of the file, that formats are told by */

/*
 * One execve in progress. Strings lie in one buffer in the order that they will have on the new
 * stack: arguments, environment, file name.
 */
struct exec {
	struct file *file; /* to be loaded: the program, or by now a script's interpreter */
	char *filename;	   /* as told to the program (AT_EXECFN); comm is its last component */
	bool in_script;	   /* file is the interpreter of a script */
	bool inaccessible; /* filename is a descriptor that will be closed: no script can be opened
			      by it */
	u8 head[EXEC_HEAD_SIZE]; /* zero padded */

	char *strings;		     /* kvmalloc'ed */
	size_t start, end, capacity; /* used part of it */
	size_t limit;		     /* most bytes of strings */
	u32 argc, envc;

	struct cred *cred;     /* the new credentials */
	bool gains;	       /* they come from the file's set-id bits or capabilities */
	bool secure;	       /* AT_SECURE */
	bool unreadable;       /* the caller may not read the file: no dumps, no /proc/PID/mem */
	u32 clear_personality; /* bits that set-id programs lose */

	/* The result of loading. */
	u64 entry, phdr, phnum, phent, interp_base, program_entry;
	u64 stack_pointer;
};

/* A kernel string before all others (scripts), the first one away. 0, -E2BIG, -ENOMEM. */
int exec_push_front(struct exec *x, const char *s);
void exec_drop_first(struct exec *x);
/* Another file takes the place of x->file: checks, ETXTBSY, head. */
int exec_open_by_name(struct exec *x, const char *path);
/* The point of no return: other threads gone, new address space current. Failures after it kill. */
int exec_commit(struct exec *x);
/* Map the stack and put strings, auxv and pointers on it. Address space of x is current. */
int exec_build_stack(struct exec *x, bool executable);

/* Execute a program from inside the kernel, for the task that becomes init. 0: its registers wait
 * for arch_enter_user. */
int exec_kernel(const char *path, const char *const *argv, const char *const *envp);
void exec_init(void);

/* -ENOEXEC: another format. 1: x->file was replaced by the interpreter, try again. 0: loaded. */
int script_load(struct exec *x);
int elf_load(struct exec *x);
u64 exec_random_offset(u32 bits);

/* ---- seccomp.c ---- */

/* PR_SET_SECCOMP */
long seccomp_prctl(u64 mode, u64 prog);
/* The child gets what current has; both locks of fork_link held. */
void seccomp_fork(struct task *child);
/* t runs no more. */
void seccomp_exit(struct task *t);

/* ---- ptrace.c ---- */

/* Of a traced task; [S] its sighand->lock, freed a grace period after it was taken away. */
struct ptrace_state {
	struct process *tracer; /* [T and S] */
	bool seized;		/* [I] by PTRACE_SEIZE */
	bool may_gain;		/* [I] who made the link had CAP_SYS_PTRACE */
	bool dead;		/* [T] a thread that stays for its tracer to wait for */
	bool report;		/* [S] a stop that the tracer has not waited for */
	bool listening;		/* [S] PTRACE_LISTEN: stopped as if not traced */
	bool has_info;		/* [S] info is that of a signal to be delivered */
	u32 options;		/* [S] PTRACE_O_* */
	int stop_code;		/* [S] signal and event << 8; 0: it runs */
	int resume_signal;	/* [S] to be delivered */
	u64 message;		/* [S] of the event */
	struct linux_siginfo info;
	struct rcu_head rcu;
};

/* A signal is about to be delivered: what the tracer makes of it; 0: nothing. */
int ptrace_signal(struct task *t, int sig, struct linux_siginfo *info);
void ptrace_trap(struct task *t);
void ptrace_group_stop(struct task *t, int sig);
/* Stop if the tracer asked for this event. */
void ptrace_event(int event, u64 message);
/* Does current's tracer ask for that event? */
bool ptrace_event_wanted(int event);
void ptrace_exec(int old_tid);
bool ptrace_tracer_may_gain(const struct task *t);
/* The event of a clone, 0: none; the state a traced child is born with, or NULL; its linking, under
 * both locks. */
int ptrace_fork_event(u64 flags, int exit_signal);
struct ptrace_state *ptrace_fork_alloc(u64 flags, int event);
bool ptrace_fork_link(struct task *child, struct ptrace_state *ps);
/* tasklist_lock held. */
bool ptrace_unlink(struct task *t);
void ptrace_thread_died(struct task *t);
void ptrace_tracer_died(struct process *tracer, struct list *threads, struct list *processes);

/* ---- rseq.c ---- */

void rseq_fork(struct task *child, u64 clone_flags);
void rseq_exec(struct task *t);
/* On the way to user mode after the thread was off its CPU; a critical section that was cut is left
 * for its abort handler. */
void rseq_return(struct task *t, struct regs *regs);
/* A signal frame is about to be built. */
void rseq_signal(struct task *t, struct regs *regs);

#endif
