/* SPDX-License-Identifier: MIT */
/*
 * FPU, SSE and AVX registers of programs.
 *
 * The kernel does not use them. A user thread's registers are saved when it is switched out, and
 * loaded not when it is switched in but on its way back to user mode, and only if the registers do
 * not hold its state still: a thread that sleeps while the CPU idles or runs kernel threads pays
 * for one save and no load. The state is in the registers of CPU c if fpu_owner of c is this thread
 * and the thread's fpu_cpu is c: either alone may be stale.
 *
 * The area lies at the top of the kernel stack (arch_impl/thread.h). Its size comes from CPUID for
 * the components enabled here: x87, SSE, AVX, AVX-512. Without XSAVE it is FXSAVE's 512 bytes. The
 * standard, not the compacted, format is used, because signal frames and ptrace show it to
 * programs.
 *
 * An x87 or SSE exception pending in the registers cannot fault in the kernel: xrstor and fxrstor
 * raise none.
 */
#include "fpu.h"

#include "arch/cpu.h"
#include "core/log.h"
#include "core/panic.h"
#include "core/preempt.h"
#include "lib/atomic.h"
#include "lib/string.h"
#include "traps.h"
#include "uapi/siginfo.h"
#include "x86.h"

#define XCR0_X87      BIT(0)
#define XCR0_SSE      BIT(1)
#define XCR0_AVX      BIT(2)
#define XCR0_AVX512   (7ul << 5)
#define MXCSR_DEFAULT 0x1f80u
#define FCW_DEFAULT   0x37fu

DEFINE_PERCPU(struct arch_thread *, fpu_owner);

static u64 xcr0;
static size_t area_size = sizeof(struct linux_fpstate);
static u32 mxcsr_mask = 0xffbf;
static struct {
	u32 offset, size;
} component[8]; /* of XCR0, where the standard format has them */

static void
xsetbv(u64 value)
{
	__asm__ volatile("xsetbv" ::"c"(0), "a"((u32)value), "d"((u32)(value >> 32)));
}

void
fpu_setup_cpu(void)
{
	if (xcr0)
		xsetbv(xcr0);
	__asm__ volatile("fninit");
}

/* Once, on the boot CPU, before cpu_setup. */
void
fpu_init(void)
{
	struct linux_fpstate *image;
	u64 supported;

	write_cr0((read_cr0() | CR0_MP | CR0_NE) & ~(CR0_EM | CR0_TS));
	write_cr4(read_cr4() | CR4_OSFXSR | CR4_OSXMMEXCPT);
	image = arch_early_alloc(sizeof(*image), 64);
	__asm__ volatile("fninit; fxsave64 %0" : "=m"(*image));
	if (image->mxcr_mask)
		mxcsr_mask = image->mxcr_mask;

	if (!cpu_has(CPU_XSAVE))
		return;
	write_cr4(read_cr4() | CR4_OSXSAVE);
	supported = cpuid(0xd, 0).a;
	xcr0 = supported & (XCR0_X87 | XCR0_SSE | XCR0_AVX);
	if ((supported & XCR0_AVX512) == XCR0_AVX512 && xcr0 & XCR0_AVX)
		xcr0 |= XCR0_AVX512;
	xsetbv(xcr0);
	area_size = cpuid(0xd, 0).b;
	for (u32 n = 2; n < ARRAY_SIZE(component); n++)
		if (xcr0 >> n & 1) {
			struct cpuid r = cpuid(0xd, n);

			component[n].offset = r.b;
			component[n].size = r.a;
		}
	if (fpu_area_size() > 4096)
		panic("an FPU state of %lu bytes does not fit on the kernel stack", area_size);
}

size_t
fpu_state_size(void)
{
	return area_size;
}

/* What the top of a kernel stack gives up for it. */
size_t
fpu_area_size(void)
{
	return ALIGN_UP(area_size, 64ul);
}

u64
fpu_features(void)
{
	return xcr0;
}

static void
state_save(void *area)
{
	if (cpu_has(CPU_XSAVEOPT))
		__asm__ volatile("xsaveopt64 (%0)" ::"r"(area), "a"((u32)xcr0),
				 "d"((u32)(xcr0 >> 32))
				 : "memory");
	else if (xcr0)
		__asm__ volatile("xsave64 (%0)" ::"r"(area), "a"((u32)xcr0), "d"((u32)(xcr0 >> 32))
				 : "memory");
	else
		__asm__ volatile("fxsave64 (%0)" ::"r"(area) : "memory");
}

static void
state_load(const void *area)
{
	if (xcr0)
		__asm__ volatile("xrstor64 (%0)" ::"r"(area), "a"((u32)xcr0), "d"((u32)(xcr0 >> 32))
				 : "memory");
	else
		__asm__ volatile("fxrstor64 (%0)" ::"r"(area) : "memory");
}

void
fpu_state_reset(void *area)
{
	struct linux_fpstate *image = area;

	memset(area, 0, area_size);
	image->cwd = FCW_DEFAULT;
	image->mxcsr = MXCSR_DEFAULT;
}

static bool
state_is_live(const struct arch_thread *at)
{
	return this_cpu_read(fpu_owner) == at && at->fpu_cpu == cpu_id();
}

/* Switch, interrupts off. */
void
fpu_switch_out(struct arch_thread *at)
{
	if (at->fpu && state_is_live(at))
		state_save(at->fpu);
}

void
fpu_switch_in(struct arch_thread *at, struct thread *thread)
{
	struct atomic32 *flags = (struct atomic32 *)thread;

	if (at->fpu && !state_is_live(at) && !(atomic_read(flags) & TF_ARCH_FPU))
		atomic_or(flags, TF_ARCH_FPU);
}

/* On the way to user mode, interrupts off. */
void
fpu_load(struct arch_thread *at)
{
	if (state_is_live(at))
		return;
	state_load(at->fpu);
	at->fpu_cpu = cpu_id();
	this_cpu_write(fpu_owner, at);
}

/*
 * Saving leaves out components in their initial state and says so in the header; who reads the area
 * itself (signal frames, fork, ptrace) finds them filled in, and x87 and SSE marked as there.
 */
void
fpu_state_complete(void *area)
{
	struct linux_fpstate *image = area;
	struct linux_xstate_header *header = (struct linux_xstate_header *)(image + 1);

	if (!xcr0)
		return;
	if (!(header->xfeatures & XCR0_X87)) {
		image->cwd = FCW_DEFAULT;
		image->swd = image->twd = image->fop = 0;
		image->rip = image->rdp = 0;
		memset(image->st_space, 0, sizeof(image->st_space));
	}
	if (!(header->xfeatures & XCR0_SSE))
		memset(image->xmm_space, 0, sizeof(image->xmm_space));
	for (u32 n = 2; n < ARRAY_SIZE(component); n++)
		if (xcr0 >> n & ~header->xfeatures >> n & 1)
			memset((char *)area + component[n].offset, 0, component[n].size);
	header->xfeatures |= XCR0_X87 | XCR0_SSE;
}

/*
 * The running thread's state, written to its area so that it can be read there. The registers keep
 * it, until the caller says with fpu_state_changed that the area is newer.
 */
void
fpu_sync(struct arch_thread *at)
{
	unsigned long flags = arch_irq_save();

	if (state_is_live(at))
		state_save(at->fpu);
	fpu_state_complete(at->fpu);
	arch_irq_restore(flags);
}

void
fpu_state_changed(struct arch_thread *at, struct thread *thread)
{
	unsigned long flags = arch_irq_save();

	if (this_cpu_read(fpu_owner) == at)
		this_cpu_write(fpu_owner, (struct arch_thread *)NULL);
	at->fpu_cpu = MAX_CPUS;
	atomic_or((struct atomic32 *)thread, TF_ARCH_FPU);
	arch_irq_restore(flags);
}

void
fpu_forget(struct arch_thread *at)
{
	at->fpu_cpu = MAX_CPUS;
}

/* An image that a program wrote: bits that would make xrstor or fxrstor fault are cleared or
 * refused. */
bool
fpu_state_sanitize(void *area)
{
	struct linux_fpstate *image = area;
	struct linux_xstate_header *header = (struct linux_xstate_header *)(image + 1);

	image->mxcsr &= mxcsr_mask;
	memset(&image->sw_reserved, 0, sizeof(image->sw_reserved));
	if (!xcr0)
		return true;
	header->xfeatures &= xcr0;
	/* The header's compaction word and what follows must be zero. */
	return memchr_inv(header->reserved1, 0,
			  sizeof(header->reserved1) + sizeof(header->reserved2)) == NULL;
}

bool
fpu_fault(bool simd, int *code)
{
	u32 mxcsr, raised;
	u16 status, control;

	if (simd) {
		__asm__ volatile("stmxcsr %0" : "=m"(mxcsr));
		raised = mxcsr & ~(mxcsr >> 7) & 0x3f;
	} else {
		__asm__ volatile("fnstsw %0; fnstcw %1" : "=m"(status), "=m"(control));
		raised = status & ~control & 0x3f;
	}
	*code = raised & 0x01	? FPE_FLTINV
		: raised & 0x04 ? FPE_FLTDIV
		: raised & 0x08 ? FPE_FLTOVF
		: raised & 0x12 ? FPE_FLTUND
		: raised & 0x20 ? FPE_FLTRES
				: 0;
	return *code != 0;
}
