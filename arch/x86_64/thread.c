/* SPDX-License-Identifier: MIT */
/*
 * Threads as the machine sees them: stacks, the switch, segment bases, debug registers.
 *
 *	top of the kernel stack	XSAVE area (user threads)
 *				struct regs of user mode
 *				calls of the kernel, downwards
 *	lowest address		(a guard page below, by mm)
 */
#include "arch/thread.h"

#include "arch/cpu.h"
#include "arch/regs.h"
#include "core/arch_upcalls.h"
#include "core/preempt.h"
#include "fpu.h"
#include "lib/atomic.h"
#include "lib/string.h"
#include "thread.h"
#include "traps.h"
#include "uapi/errno.h"
#include "x86.h"

/* What switch_stacks pops for a thread that never ran, lowest address first. */
struct switch_frame {
	u64 r15, r14, r13, r12, bx, bp;
	void (*ip)(void);
};

/* switch.S */
struct thread *switch_stacks(struct thread *prev, struct thread *next, u64 *prev_sp, u64 next_sp);
void kernel_thread_start(void);
void user_thread_start(void);

/* The user thread whose segment registers this CPU holds: the running one, if that is a user
 * thread. */
DEFINE_PERCPU(struct arch_thread *, arch_current);
static DEFINE_PERCPU(bool, debug_loaded);

static uintptr_t
stack_top(void *kstack)
{
	return (uintptr_t)kstack + KSTACK_SIZE - fpu_area_size();
}

struct regs *
arch_thread_regs(void *kstack)
{
	return (struct regs *)stack_top(kstack) - 1;
}

static void
first_switch_frame(struct arch_thread *at, uintptr_t top, void (*start)(void), u64 bx, u64 r12)
{
	struct switch_frame *frame = (struct switch_frame *)top - 1;

	*frame = (struct switch_frame){ .ip = start, .bx = bx, .r12 = r12 };
	at->sp = (u64)frame;
}

/* The space of a user thread's frame is left free: init begins in the kernel and then executes a
 * program. */
void
arch_thread_init_kernel(struct arch_thread *at, void *kstack, void (*fn)(void *), void *arg)
{
	memset(at, 0, sizeof(*at));
	at->fpu_cpu = at->segment_cpu = MAX_CPUS;
	first_switch_frame(at, (uintptr_t)arch_thread_regs(kstack), kernel_thread_start, (u64)fn,
			   (u64)arg);
}

/* What the program may have changed behind our back: selectors, and bases if it has the
 * instructions. */
void
segments_read(struct arch_thread *at)
{
	__asm__ volatile("mov %%ds, %0" : "=r"(at->ds));
	__asm__ volatile("mov %%es, %0" : "=r"(at->es));
	__asm__ volatile("mov %%fs, %0" : "=r"(at->fs));
	__asm__ volatile("mov %%gs, %0" : "=r"(at->gs));
	if (cpu_has(CPU_FSGSBASE)) {
		__asm__ volatile("rdfsbase %0" : "=r"(at->fs_base));
		__asm__ volatile("swapgs; rdgsbase %0; swapgs" : "=r"(at->gs_base));
	}
}

/* Bases after selectors, for loading a selector changes its base. No interrupt may come between
 * swapgs. */
void
segments_load(const struct arch_thread *at)
{
	struct arch_thread now;

	__asm__ volatile("mov %%ds, %0" : "=r"(now.ds));
	__asm__ volatile("mov %%es, %0" : "=r"(now.es));
	__asm__ volatile("mov %%fs, %0" : "=r"(now.fs));
	__asm__ volatile("mov %%gs, %0" : "=r"(now.gs));
	if (unlikely(now.ds | now.es | now.fs | now.gs | at->ds | at->es | at->fs | at->gs)) {
		__asm__ volatile("mov %0, %%ds" ::"r"((u32)at->ds));
		__asm__ volatile("mov %0, %%es" ::"r"((u32)at->es));
		__asm__ volatile("mov %0, %%fs" ::"r"((u32)at->fs));
		__asm__ volatile("swapgs; mov %0, %%gs; mfence; swapgs" ::"r"((u32)at->gs));
	}
	if (cpu_has(CPU_FSGSBASE)) {
		__asm__ volatile("wrfsbase %0" ::"r"(at->fs_base));
		__asm__ volatile("swapgs; wrgsbase %0; swapgs" ::"r"(at->gs_base));
	} else {
		wrmsr(MSR_FS_BASE, at->fs_base);
		wrmsr(MSR_KERNEL_GS_BASE, at->gs_base);
	}
}

static void
debug_load(const struct arch_debug_regs *debug)
{
	__asm__ volatile("mov %0, %%dr7" ::"r"(0ul));
	this_cpu_write(debug_loaded, debug->control != 0);
	if (!debug->control)
		return;
	__asm__ volatile("mov %0, %%dr0" ::"r"(debug->address[0]));
	__asm__ volatile("mov %0, %%dr1" ::"r"(debug->address[1]));
	__asm__ volatile("mov %0, %%dr2" ::"r"(debug->address[2]));
	__asm__ volatile("mov %0, %%dr3" ::"r"(debug->address[3]));
	__asm__ volatile("mov %0, %%dr7" ::"r"(debug->control));
}

static void
user_registers_load(struct arch_thread *at, uintptr_t sp0)
{
	this_cpu_write(cpu_tss.sp[0], sp0);
	if (this_cpu_read(arch_current) != at || at->segment_cpu != cpu_id()) {
		segments_load(at);
		this_cpu_write(arch_current, at);
		at->segment_cpu = cpu_id();
	}
	if (unlikely(at->debug.control || this_cpu_read(debug_loaded)))
		debug_load(&at->debug);
}

/*
 * User registers belong to the last user thread that ran here: a switch to a kernel thread leaves
 * them alone, and the way back to the same thread has nothing to load.
 */
struct thread *
arch_switch(struct thread *prev, struct thread *next, struct arch_thread *prev_at,
	    struct arch_thread *next_at, void *next_kstack)
{
	if (prev_at->fpu) {
		segments_read(prev_at);
		fpu_switch_out(prev_at);
	}
	if (next_at->fpu) {
		user_registers_load(next_at, stack_top(next_kstack));
		fpu_switch_in(next_at, next);
	}
	return switch_stacks(prev, next, &prev_at->sp, next_at->sp);
}

int
arch_thread_fork(struct arch_thread *child, void *kstack, const struct arch_thread *parent,
		 const struct regs *regs)
{
	struct regs *frame = arch_thread_regs(kstack);

	memset(child, 0, sizeof(*child));
	child->fpu_cpu = child->segment_cpu = MAX_CPUS;
	child->fpu = frame + 1;
	if (parent->fpu) {
		struct arch_thread *self = (struct arch_thread *)parent;
		unsigned long flags = arch_irq_save();

		segments_read(self);
		arch_irq_restore(flags);
		fpu_sync(self);
		memcpy(child->fpu, parent->fpu, fpu_state_size());
		child->ds = parent->ds;
		child->es = parent->es;
		child->fs = parent->fs;
		child->gs = parent->gs;
		child->fs_base = parent->fs_base;
		child->gs_base = parent->gs_base;
	} else {
		fpu_state_reset(child->fpu);
	}
	*frame = *regs;
	first_switch_frame(child, (uintptr_t)frame, user_thread_start, 0, 0);
	return 0;
}

int
arch_thread_set_tls(struct arch_thread *at, u64 tls)
{
	if (tls >= USER_END)
		return -EPERM;
	at->fs = 0;
	at->fs_base = tls;
	return 0;
}

/* Of the running thread, which may have been a kernel thread until now. */
void
arch_thread_exec(struct arch_thread *at, struct regs *regs, u64 ip, u64 sp)
{
	struct thread *self = this_cpu_read(current_thread);
	unsigned long flags = arch_irq_save();

	at->fpu = regs + 1;
	at->ds = at->es = at->fs = at->gs = 0;
	at->fs_base = at->gs_base = 0;
	at->segment_cpu = MAX_CPUS;
	memset(&at->debug, 0, sizeof(at->debug));
	user_registers_load(at, (uintptr_t)at->fpu);
	fpu_state_reset(at->fpu);
	fpu_state_changed(at, self);
	arch_irq_restore(flags);

	*regs = (struct regs){
		.ip = ip,
		.sp = sp,
		.cs = USER_CS,
		.ss = USER_DS,
		.flags = FLAGS_IF,
		.orig_ax = regs->orig_ax,
	};
	atomic_or((struct atomic32 *)self, TF_ARCH_REGS);
}

/* Registers that still name this thread must not be taken for those of the next one at its address.
 */
void
arch_thread_fini(struct arch_thread *at)
{
	at->fpu_cpu = at->segment_cpu = MAX_CPUS;
	at->fpu = NULL;
}

void
arch_thread_debug_status(u64 status)
{
	struct arch_thread *at = this_cpu_read(arch_current);

	at->debug.status = status;
}
