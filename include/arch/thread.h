/* SPDX-License-Identifier: MIT */
/*
 * struct arch_thread: what a context switch saves beside the kernel stack: the stack pointer, the
 * FPU state, segment bases, debug registers. Embedded in struct thread.
 *
 * struct arch_space: the hardware side of an address space: root table, count of shoot-downs, the
 * CPUs that have it loaded. Embedded in struct mm.
 */
#ifndef ARCH_THREAD_H
#define ARCH_THREAD_H
#include "arch_impl/thread.h"
#include "lib/types.h"

struct thread;
struct regs;

#define KSTACK_SIZE 16384

/*
 * arch's own bits of thread->flags (the rest: sched/thread.h), work for the way back to user mode
 * like the others. REGS: the user frame was changed by more than a result; whoever does that
 * (ptrace) sets it on the thread it changed.
 */
#define TF_ARCH_FPU  BIT(16)
#define TF_ARCH_REGS BIT(17)

/* Set up `t` (kernel stack given) so that its first switch runs sched_thread_start(prev), then
 * fn(arg). For kernel threads. */
void arch_thread_init_kernel(struct arch_thread *at, void *kstack, void (*fn)(void *), void *arg);
/*
 * The same for the child of fork: its first switch runs sched_thread_start(prev), then returns to
 * user mode with *regs (copied to the top of the child's stack). FPU state, fs/gs base copied from
 * `parent` (the running thread). -ENOMEM if XSAVE area cannot be had.
 */
int arch_thread_fork(struct arch_thread *child, void *kstack, const struct arch_thread *parent,
		     const struct regs *regs);
/* TLS pointer of CLONE_SETTLS. -EPERM for a non-canonical one. */
int arch_thread_set_tls(struct arch_thread *at, u64 tls);
/* exec: reset FPU, segments, debug registers; *regs becomes the start state of a new program. Of
 * the current thread. */
void arch_thread_exec(struct arch_thread *at, struct regs *regs, u64 ip, u64 sp);
void arch_thread_fini(struct arch_thread *at);
/* Register frame of a thread's user mode: top of its kernel stack. */
struct regs *arch_thread_regs(void *kstack);

/*
 * Switch stacks and registers from `prev` to `next`, interrupts off; per-CPU kernel stack pointer
 * and FPU ownership follow. Returns, on prev's stack again much later, the thread that ran before.
 */
struct thread *arch_switch(struct thread *prev, struct thread *next, struct arch_thread *prev_at,
			   struct arch_thread *next_at, void *next_kstack);

/* Use of SSE etc. inside the kernel: not allowed. The user's FPU registers stay live in the CPU
 * until the switch. */

/* Jump to user mode with the frame at the top of this kernel stack (first return of init). */
void arch_enter_user(struct regs *regs) __noreturn;

/* arch_prctl(2) and friends of this architecture (ARCH_SET_FS ...): handler sys_arch_prctl lives in
 * arch. */
#endif
