/* SPDX-License-Identifier: MIT */
/*
 * Signal frames, in Linux's layout:
 *
 *	higher	the interrupted stack, 128 bytes of red zone untouched, or the alternate stack's top
 *		FPU image, 64-byte aligned; with XSAVE, the words that FXSAVE leaves free tell its
 *		size and components
 *		siginfo
 *		ucontext with the registers
 *	lower	address of the restorer: the handler sees a call's stack, 8 below 16-byte alignment
 *
 * rt_sigreturn trusts nothing in a frame: flags are masked, selectors fixed, the FPU image cleaned.
 */
#include "arch/signal.h"

#include "arch/cpu.h"
#include "arch/regs.h"
#include "arch/uaccess.h"
#include "fpu.h"
#include "lib/atomic.h"
#include "lib/string.h"
#include "traps.h"
#include "uapi/arch.h"
#include "uapi/errno.h"
#include "uapi/siginfo.h"
#include "uapi/signal.h"
#include "x86.h"

#define RED_ZONE 128

struct signal_frame {
	u64 restorer;
	struct linux_ucontext uc;
	struct linux_siginfo info;
};

static bool
user_range_ok(u64 address, size_t size)
{
	return address < USER_END && size <= USER_END - address;
}

static size_t
frame_fpu_size(void)
{
	return fpu_state_size() + (fpu_features() ? FP_XSTATE_MAGIC2_SIZE : 0);
}

size_t
arch_min_sigstack(void)
{
	return sizeof(struct signal_frame) + frame_fpu_size() + 64 + 16 + RED_ZONE;
}

/* The words that FXSAVE does not use say what follows; they are only ever in the copy on the stack.
 */
static int
fpu_write(u64 address)
{
	struct arch_thread *at = this_cpu_read(arch_current);
	struct linux_fpx_sw_bytes sw = { 0 };
	u32 magic2 = FP_XSTATE_MAGIC2;

	fpu_sync(at);
	if (arch_copy_to_user((void *)address, at->fpu, fpu_state_size()))
		return -EFAULT;
	if (fpu_features()) {
		sw.magic1 = FP_XSTATE_MAGIC1;
		sw.extended_size = (u32)frame_fpu_size();
		sw.xfeatures = fpu_features();
		sw.xstate_size = (u32)fpu_state_size();
		if (arch_copy_to_user((char *)address + fpu_state_size(), &magic2, sizeof(magic2)))
			return -EFAULT;
	}
	if (arch_copy_to_user((char *)address + offsetof(struct linux_fpstate, sw_reserved), &sw,
			      sizeof(sw)))
		return -EFAULT;
	return 0;
}

/* 0 address: the program wants its FPU as at the start. A frame without the magic has only FXSAVE's
 * part. */
static int
fpu_read(u64 address)
{
	struct thread *self = this_cpu_read(current_thread);
	struct arch_thread *at = this_cpu_read(arch_current);
	struct linux_fpx_sw_bytes sw;
	size_t size = sizeof(struct linux_fpstate);
	u32 magic2 = 0;
	u64 components = 3;
	int error = 0;

	if (address) {
		if (!user_range_ok(address, size) ||
		    arch_copy_from_user(
			    &sw, (char *)address + offsetof(struct linux_fpstate, sw_reserved),
			    sizeof(sw)))
			return -EFAULT;
		if (fpu_features() && sw.magic1 == FP_XSTATE_MAGIC1 &&
		    sw.xstate_size == fpu_state_size() && sw.extended_size == frame_fpu_size() &&
		    user_range_ok(address, sw.extended_size) &&
		    !arch_copy_from_user(&magic2, (char *)address + sw.xstate_size,
					 sizeof(magic2)) &&
		    magic2 == FP_XSTATE_MAGIC2)
			size = sw.xstate_size;
	}

	/* From here the registers no longer hold the thread's state: the area does. */
	fpu_state_changed(at, self);
	fpu_state_reset(at->fpu);
	if (!address)
		return 0;
	if (arch_copy_from_user(at->fpu, (void *)address, size))
		error = -EFAULT;
	if (size == sizeof(struct linux_fpstate) && fpu_features())
		memcpy((char *)at->fpu + size, &components, sizeof(components));
	if (!error && !fpu_state_sanitize(at->fpu))
		error = -EFAULT;
	if (error)
		fpu_state_reset(at->fpu);
	return error;
}

static void
context_fill(struct linux_sigcontext *c, const struct regs *regs,
	     const struct signal_frame_request *rq)
{
	*c = (struct linux_sigcontext){
		.r8 = regs->r8,
		.r9 = regs->r9,
		.r10 = regs->r10,
		.r11 = regs->r11,
		.r12 = regs->r12,
		.r13 = regs->r13,
		.r14 = regs->r14,
		.r15 = regs->r15,
		.rdi = regs->di,
		.rsi = regs->si,
		.rbp = regs->bp,
		.rbx = regs->bx,
		.rdx = regs->dx,
		.rax = regs->ax,
		.rcx = regs->cx,
		.rsp = regs->sp,
		.rip = regs->ip,
		.eflags = regs->flags,
		.cs = USER_CS,
		.ss = USER_DS,
		.err = rq->error,
		.trapno = (u64)rq->trapno,
		.oldmask = rq->mask,
		.cr2 = rq->fault_addr,
	};
}

int
arch_signal_setup(struct regs *regs, const struct signal_frame_request *rq)
{
	struct signal_frame frame;
	u64 sp = rq->stack_sp, fpu, address;

	if (!rq->on_altstack)
		sp -= RED_ZONE;
	fpu = ALIGN_DOWN(sp - frame_fpu_size(), 64ul);
	address = ALIGN_DOWN(fpu - sizeof(frame), 16ul) - 8;
	if (!user_range_ok(address, sizeof(frame)) || !user_range_ok(fpu, frame_fpu_size()) ||
	    !(rq->flags & SA_RESTORER))
		return -EFAULT;

	memset(&frame, 0, sizeof(frame));
	frame.restorer = rq->restorer;
	frame.uc.uc_flags = UC_SIGCONTEXT_SS | UC_STRICT_RESTORE_SS |
			    (fpu_features() ? UC_FP_XSTATE : 0);
	frame.uc.uc_stack.ss_sp = rq->alt_sp;
	frame.uc.uc_stack.ss_flags = rq->alt_flags;
	frame.uc.uc_stack.ss_size = rq->alt_size;
	context_fill(&frame.uc.uc_mcontext, regs, rq);
	frame.uc.uc_mcontext.fpstate = fpu;
	frame.uc.uc_sigmask = rq->mask;
	if (rq->info)
		frame.info = *rq->info;
	if (fpu_write(fpu) || arch_copy_to_user((void *)address, &frame, sizeof(frame)))
		return -EFAULT;

	regs->ip = rq->handler;
	regs->sp = address;
	regs->di = (u64)rq->sig;
	regs->si = address + offsetof(struct signal_frame, info);
	regs->dx = address + offsetof(struct signal_frame, uc);
	regs->ax = 0;
	regs->flags &= ~(FLAGS_DF | FLAGS_RF | FLAGS_TF);
	regs->orig_ax = (u64)-1;
	regs->cs = USER_CS;
	regs->ss = USER_DS;
	atomic_or((struct atomic32 *)this_cpu_read(current_thread), TF_ARCH_REGS);
	return 0;
}

int
arch_signal_restore(struct regs *regs, struct signal_frame_restored *out)
{
	struct linux_ucontext uc;
	const struct linux_sigcontext *c = &uc.uc_mcontext;
	u64 address = regs->sp - 8; /* the handler's return popped the restorer */
	int error;

	if (!user_range_ok(address, sizeof(struct signal_frame)) ||
	    arch_copy_from_user(&uc, (char *)address + offsetof(struct signal_frame, uc),
				sizeof(uc)))
		return -EFAULT;
	error = fpu_read(c->fpstate);
	if (error)
		return error;
	*regs = (struct regs){
		.r8 = c->r8,
		.r9 = c->r9,
		.r10 = c->r10,
		.r11 = c->r11,
		.r12 = c->r12,
		.r13 = c->r13,
		.r14 = c->r14,
		.r15 = c->r15,
		.di = c->rdi,
		.si = c->rsi,
		.bp = c->rbp,
		.bx = c->rbx,
		.dx = c->rdx,
		.ax = c->rax,
		.cx = c->rcx,
		.sp = c->rsp,
		.ip = c->rip,
		.flags = (c->eflags & FLAGS_USER) | FLAGS_IF | 2,
		.cs = USER_CS,
		.ss = USER_DS,
		.orig_ax = (u64)-1,
	};
	out->mask = uc.uc_sigmask;
	out->alt_sp = uc.uc_stack.ss_sp;
	out->alt_size = uc.uc_stack.ss_size;
	out->alt_flags = uc.uc_stack.ss_flags;
	atomic_or((struct atomic32 *)this_cpu_read(current_thread), TF_ARCH_REGS);
	return 0;
}
