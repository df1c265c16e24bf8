/* SPDX-License-Identifier: MIT */
/*
 * Exceptions and the interrupt table.
 *
 * From user mode an exception becomes a signal with Linux's si_code; from the kernel it is either
 * an expected fault of a user copy (exception table) or the end. Page faults go to mm first.
 */
#include "traps.h"
#include "arch/cpu.h"
#include "arch/io.h"
#include "arch/regs.h"
#include "arch/thread.h"
#include "asm.h"
#include "core/arch_upcalls.h"
#include "core/irq.h"
#include "core/log.h"
#include "core/panic.h"
#include "core/preempt.h"
#include "core/rcu.h"
#include "fpu.h"
#include "lib/atomic.h"
#include "lib/string.h"
#include "uapi/siginfo.h"
#include "uapi/signal.h"
#include "x86.h"

STATIC_ASSERT(offsetof(struct regs, ax) == AX && offsetof(struct regs, orig_ax) == ORIG_AX);
STATIC_ASSERT(offsetof(struct regs, ss) == SS && sizeof(struct regs) == REGS_SIZE);

#define PF_PRESENT  BIT(0)
#define PF_WRITE    BIT(1)
#define PF_USER	    BIT(2)
#define PF_RESERVED BIT(3)
#define PF_EXEC	    BIT(4)

#define DR6_STEP  BIT(14)
#define DR6_WATCH 0xful
#define DR6_INIT  0xffff0ff0ul

struct gate {
	u16 offset_low, selector;
	u8 ist, type;
	u16 offset_middle;
	u32 offset_high, reserved;
};

struct exception_entry {
	u32 insn, fixup; /* from KERNEL_BASE */
};

extern const struct exception_entry exception_table_start[], exception_table_end[];
extern char interrupt_stubs[];

static DEFINE_PERCPU(const struct regs *, interrupted);

static struct gate idt[256] __aligned(4096) __section(".bss.page_aligned");

static void
gate_set(u32 vector, const void *handler, u32 ist, u32 dpl)
{
	u64 address = (u64)handler;

	idt[vector] = (struct gate){
		.offset_low = (u16)address,
		.selector = KERNEL_CS,
		.ist = (u8)ist,
		.type = (u8)(0x8e | dpl << 5),
		.offset_middle = (u16)(address >> 16),
		.offset_high = (u32)(address >> 32),
	};
}

/* The boot code has its own descriptor tables until cpu_setup; its code selector is the same. */
void
traps_init(void)
{
	static const struct {
		u8 vector, dpl;
		void (*entry)(void);
	} gates[] = {
		{ 0, 0, entry_divide },	     { 3, 3, entry_breakpoint },
		{ 4, 3, entry_overflow },    { 5, 0, entry_bounds },
		{ 6, 0, entry_opcode },	     { 7, 0, entry_no_fpu },
		{ 9, 0, entry_unexpected },  { 10, 0, entry_tss },
		{ 11, 0, entry_segment },    { 12, 0, entry_stack },
		{ 13, 0, entry_protection }, { 14, 0, entry_page_fault },
		{ 15, 0, entry_unexpected }, { 16, 0, entry_x87 },
		{ 17, 0, entry_alignment },  { 19, 0, entry_simd },
		{ 20, 0, entry_unexpected }, { 21, 0, entry_protection },
	};

	for (u32 i = 0; i < ARRAY_SIZE(gates); i++)
		gate_set(gates[i].vector, (const void *)gates[i].entry, 0, gates[i].dpl);
	for (u32 vector = 0x20; vector < 256; vector++)
		gate_set(vector, interrupt_stubs + (vector - 0x20) * 16, 0, 0);
	for (size_t i = 1; i < IMAGE_ENTRIES(exception_table_start, exception_table_end); i++)
		ASSERT(exception_table_start[i - 1].insn < exception_table_start[i].insn);
	traps_load_idt();
}

/* Exception stacks exist from cpu_setup on. */
void
traps_load_idt(void)
{
	struct {
		u16 limit;
		u64 base;
	} __packed pointer = { sizeof(idt) - 1, (u64)idt };

	if (mmu_ready) {
		gate_set(1, (const void *)entry_debug, 1, 0);
		gate_set(2, (const void *)entry_nmi, 2, 0);
		gate_set(8, (const void *)entry_double_fault, 3, 0);
		gate_set(18, (const void *)entry_machine_check, 4, 0);
	}
	__asm__ volatile("lidt %0" ::"m"(pointer));
}

/* Only uaccess.S makes entries, in the order of their addresses. */
static bool
exception_fixup_find(const struct regs *regs, uintptr_t *fixup)
{
	u32 insn = (u32)(regs->ip - KERNEL_BASE);
	size_t low = 0, high = IMAGE_ENTRIES(exception_table_start, exception_table_end);

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct exception_entry *e = &exception_table_start[middle];

		if (e->insn == insn) {
			*fixup = KERNEL_BASE + e->fixup;
			return true;
		}
		if (e->insn < insn)
			low = middle + 1;
		else
			high = middle;
	}
	return false;
}

void
arch_regs_print(const struct regs *regs)
{
	log_emerg("rip %02lx:%016lx flags %08lx rsp %02lx:%016lx\n", regs->cs, regs->ip,
		  regs->flags, regs->ss, regs->sp);
	log_emerg("rax %016lx rbx %016lx rcx %016lx rdx %016lx\n", regs->ax, regs->bx, regs->cx,
		  regs->dx);
	log_emerg("rsi %016lx rdi %016lx rbp %016lx r8  %016lx\n", regs->si, regs->di, regs->bp,
		  regs->r8);
	log_emerg("r9  %016lx r10 %016lx r11 %016lx r12 %016lx\n", regs->r9, regs->r10, regs->r11,
		  regs->r12);
	log_emerg("r13 %016lx r14 %016lx r15 %016lx cr2 %016lx cr3 %lx\n", regs->r13, regs->r14,
		  regs->r15, read_cr2(), read_cr3());
}

/* A fault that is no page fault: a signal, a failed user copy (non-canonical address), or the end.
 */
static void
trap(struct regs *regs, u64 error, int trapno, int sig, int code, u64 addr, const char *what)
{
	uintptr_t fixup;

	if (regs_user(regs)) {
		arch_irq_enable();
		task_exception(regs, sig, code, addr, trapno, error);
	} else if (exception_fixup_find(regs, &fixup)) {
		regs->ip = fixup;
	} else {
		panic_oops(regs, what, regs->ip);
	}
}

void
trap_divide(struct regs *regs, u64 error)
{
	trap(regs, 0, 0, SIGFPE, FPE_INTDIV, regs->ip, "division error");
}

void
trap_breakpoint(struct regs *regs, u64 error)
{
	trap(regs, 0, 3, SIGTRAP, SI_KERNEL, 0, "breakpoint");
}

void
trap_overflow(struct regs *regs, u64 error)
{
	trap(regs, 0, 4, SIGSEGV, SI_KERNEL, 0, "overflow");
}

void
trap_bounds(struct regs *regs, u64 error)
{
	trap(regs, 0, 5, SIGSEGV, SI_KERNEL, 0, "bound range exceeded");
}

void
trap_opcode(struct regs *regs, u64 error)
{
	trap(regs, 0, 6, SIGILL, ILL_ILLOPN, regs->ip, "invalid instruction");
}

void
trap_no_fpu(struct regs *regs, u64 error)
{
	trap(regs, 0, 7, SIGFPE, SI_KERNEL, 0, "FPU instruction in the kernel");
}

void
trap_tss(struct regs *regs, u64 error)
{
	trap(regs, error, 10, SIGSEGV, SI_KERNEL, 0, "invalid TSS");
}

void
trap_segment(struct regs *regs, u64 error)
{
	trap(regs, error, 11, SIGBUS, SI_KERNEL, 0, "segment not present");
}

void
trap_stack(struct regs *regs, u64 error)
{
	trap(regs, error, 12, SIGBUS, SI_KERNEL, 0, "stack segment fault");
}

void
trap_protection(struct regs *regs, u64 error)
{
	trap(regs, error, 13, SIGSEGV, SI_KERNEL, 0, "general protection fault");
}

void
trap_alignment(struct regs *regs, u64 error)
{
	trap(regs, error, 17, SIGBUS, BUS_ADRALN, 0, "alignment check");
}

static void
trap_fpu(struct regs *regs, int trapno)
{
	int code = 0;

	if (regs_user(regs) && !fpu_fault(trapno == 19, &code))
		return;
	trap(regs, 0, trapno, SIGFPE, code, regs->ip, "floating point exception in the kernel");
}

void
trap_x87(struct regs *regs, u64 error)
{
	trap_fpu(regs, 16);
}

void
trap_simd(struct regs *regs, u64 error)
{
	trap_fpu(regs, 19);
}

void
trap_unexpected(struct regs *regs, u64 error)
{
	if (!regs_user(regs))
		panic_oops(regs, "unexpected exception", regs->ip);
}

static const char *
page_fault_kind(uintptr_t address, u64 error)
{
	if (error & PF_RESERVED)
		return "damaged page table";
	if (error & PF_EXEC)
		return "execution of data";
	if (address < PAGE_SIZE)
		return "null pointer";
	if (address < USER_END)
		return "stray access to user memory";
	return error & PF_PRESENT ? "protection violation" : "bad pointer";
}

/*
 * The kernel touches programs' memory only where the exception table says so. What user mode does
 * is never the kernel's fault, also where the access was made with the kernel's rights: processors
 * do that for descriptors only, but emulators also for the stack of an iret or a far return, which
 * SMAP then forbids; no page that mm could bring would help.
 */
void
trap_page_fault(struct regs *regs, u64 error)
{
	uintptr_t address = read_cr2(), fixup = 0;
	bool user = regs_user(regs), resolved = false;

	if (error & PF_RESERVED || (!user && !exception_fixup_find(regs, &fixup)))
		panic_oops(regs, page_fault_kind(address, error), address);
	if (regs->flags & FLAGS_IF)
		arch_irq_enable();
	if (user && !(error & PF_USER) && (error & PF_PRESENT || address >= USER_END))
		task_exception(regs, SIGSEGV, SEGV_ACCERR, address, 14, error);
	else if (user || address < USER_END)
		resolved = mm_fault(regs, address, error & PF_WRITE, error & PF_EXEC, user);
	arch_irq_disable();
	if (!user && !resolved)
		regs->ip = fixup;
}

void
trap_debug(struct regs *regs, u64 error)
{
	u64 status;

	__asm__ volatile("mov %%dr6, %0" : "=r"(status));
	__asm__ volatile("mov %0, %%dr6" ::"r"(DR6_INIT));
	status ^= DR6_INIT;
	if (regs_user(regs)) {
		int code = status & DR6_STEP	? TRAP_TRACE
			   : status & DR6_WATCH ? TRAP_HWBKPT
						: TRAP_BRKPT;

		arch_irq_enable();
		arch_thread_debug_status(status);
		task_exception(regs, SIGTRAP, code, regs->ip, 1, 0);
		arch_irq_disable();
		return;
	}
	/* A program's watchpoint or single step that took effect on the way in. */
	regs->flags &= ~FLAGS_TF;
}

/* An NMI comes between any two instructions, also of the code that it would call. */
void
trap_nmi(struct regs *regs, u64 error)
{
	if (smp_stopping())
		arch_cpu_halt();
	if (log_is_free())
		log_warn("non-maskable interrupt, reason %02x, on CPU %u\n", arch_in8(0x61),
			 cpu_id());
}

void
trap_double_fault(struct regs *regs, u64 error)
{
	uintptr_t address = read_cr2();

	panic_oops(regs,
		   address - regs->sp + PAGE_SIZE < 2 * PAGE_SIZE ? "kernel stack overflow"
								  : "double fault",
		   address);
}

void
trap_machine_check(struct regs *regs, u64 error)
{
	panic_oops(regs, "machine check", regs->ip);
}

/*
 * The way back to user mode, long form. Called and left with interrupts off; loops until nothing is
 * left to do. The flags of arch are handled last: what they promise holds only until the next
 * switch.
 */
static void
exit_work(struct regs *regs, long syscall_nr)
{
	struct atomic32 *flags = (struct atomic32 *)this_cpu_read(current_thread);

	for (;;) {
		u32 work = (u32)atomic_read(flags);

		if (work & TF_ARCH_RESCHED || this_cpu_read(preempt_count) != PREEMPT_NO_RESCHED) {
			if (this_cpu_read(preempt_count) & ~PREEMPT_NO_RESCHED)
				panic("preemption count %x on the way to user mode",
				      this_cpu_read(preempt_count));
			arch_irq_enable();
			sched_preempt();
			arch_irq_disable();
		} else if (work & TF_ARCH_USER_WORK) {
			arch_irq_enable();
			task_return_work(regs, syscall_nr);
			arch_irq_disable();
			syscall_nr = -1;
		} else if (work & TF_ARCH_REGS) {
			atomic_and(flags, (int)~TF_ARCH_REGS);
			if (regs->ip < USER_END)
				continue;
			/* Linux finds this at iret. */
			arch_irq_enable();
			task_exception(regs, SIGSEGV, SI_KERNEL, 0, 13, 0);
			arch_irq_disable();
		} else if (work & TF_ARCH_FPU) {
			fpu_load(this_cpu_read(arch_current));
			atomic_and(flags, (int)~TF_ARCH_FPU);
		} else {
			return;
		}
	}
}

void
exception_exit_work(struct regs *regs)
{
	exit_work(regs, -1);
}

/* True if sysret gives the program exactly what the frame says. */
bool
syscall_exit_work(struct regs *regs)
{
	const struct atomic32 *flags = (const struct atomic32 *)this_cpu_read(current_thread);
	long nr = regs_syscall_nr(regs);

	if (atomic_read(flags) & ENTRY_WORK) {
		arch_irq_enable();
		syscall_trace_exit(regs);
		arch_irq_disable();
	}
	exit_work(regs, nr);
	return regs->cx == regs->ip && regs->r11 == regs->flags && regs->ip < USER_END &&
	       !(regs->flags & (FLAGS_RF | FLAGS_TF)) && regs->cs == USER_CS && regs->ss == USER_DS;
}

/* A tracer may change any register while the call waits, so the way out must load them all. */
long
syscall_enter_work(struct regs *regs)
{
	long nr;

	atomic_or((struct atomic32 *)this_cpu_read(current_thread), TF_ARCH_REGS);
	nr = syscall_trace_enter(regs, (s32)regs->orig_ax);
	return nr;
}

void
interrupt_handle(struct regs *regs, u32 vector)
{
	const struct regs *outer = this_cpu_read(interrupted);

	rcu_irq_enter();
	this_cpu_add(preempt_count, PREEMPT_IRQ_OFFSET);
	this_cpu_write(interrupted, regs);
	irq_dispatch_arch(regs, vector);
	this_cpu_write(interrupted, outer);
	this_cpu_sub(preempt_count, PREEMPT_IRQ_OFFSET);
	if (unlikely(this_cpu_read(irq_after_pending))) {
		this_cpu_write(irq_after_pending, false);
		irq_after(regs_user(regs));
	}
	if (!regs_user(regs))
		sched_irq_exit();
}

const struct regs *
irq_regs(void)
{
	return this_cpu_read(interrupted);
}

bool
irq_from_user(void)
{
	const struct regs *regs = irq_regs();

	return regs && regs_user(regs);
}
