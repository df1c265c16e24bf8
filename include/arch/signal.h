/* SPDX-License-Identifier: MIT */
/* The signal frame on the user stack. */
#ifndef ARCH_SIGNAL_H
#define ARCH_SIGNAL_H
#include "lib/types.h"

struct regs;
struct linux_siginfo;

struct signal_frame_request {
	int sig;
	u64 handler, restorer, flags; /* sa_handler, sa_restorer, sa_flags */
	u64 mask;		      /* to be saved in uc_sigmask */
	u64 stack_sp; /* top to build below: the interrupted sp or the top of the alternate stack
			 (red zone skipped by arch if not alternate) */
	bool on_altstack; /* stack_sp is an alternate stack's top */
	u64 alt_sp, alt_size;
	int alt_flags; /* for uc_stack */
	const struct linux_siginfo *info;
	int trapno;
	u64 error, fault_addr;
};
/* Build the frame with siginfo, ucontext and FPU state, and point regs at the handler. -EFAULT:
 * stack unusable. */
int arch_signal_setup(struct regs *regs, const struct signal_frame_request *rq);
/* rt_sigreturn: restore regs and FPU from the frame at regs' sp; returns the saved mask and
 * alternate stack. -EFAULT on a bad frame. */
struct signal_frame_restored {
	u64 mask;
	u64 alt_sp, alt_size;
	int alt_flags;
};
int arch_signal_restore(struct regs *regs, struct signal_frame_restored *out);
#endif
