/* SPDX-License-Identifier: MIT */
/* Signals raised by instructions: number, si_code, si_addr and the saved instruction pointer. */
#include "../compat.h"
#include "../tap.h"
#include <setjmp.h>
#include <ucontext.h>

static sigjmp_buf env;
static volatile int sig, code;
static void *volatile addr;
static volatile unsigned long rip, trapno;

static void
on(int s, siginfo_t *si, void *ucv)
{
	ucontext_t *uc = ucv;

	sig = s;
	code = si->si_code;
	addr = si->si_addr;
	rip = uc->uc_mcontext.gregs[REG_RIP];
	trapno = uc->uc_mcontext.gregs[REG_TRAPNO];
	siglongjmp(env, 1);
}

/* QEMU's TCG knows neither SSE exceptions nor alignment checks; no kernel can deliver them there.
 */
static int
emulated(void)
{
	unsigned a = 0x40000000, b, c, d;

	__asm__ volatile("cpuid" : "+a"(a), "=b"(b), "=c"(c), "=d"(d));
	return b == 0x54474354; /* "TCGT" */
}

static void
arm(void)
{
	static const int sigs[] = { SIGFPE, SIGILL, SIGSEGV, SIGBUS, SIGTRAP };

	for (unsigned i = 0; i < ARRAY_LEN(sigs); i++)
		handle_info(sigs[i], on, 0);
	sig = code = 0;
	addr = NULL;
}

/* Each faulting sequence marks its address so that the handler's view can be compared. */
extern char at_div[], at_ud2[], at_int3[], at_hlt[], at_priv[], at_step[], at_align[], at_int81[],
	at_fdiv[];

static void
do_div(void)
{
	__asm__ volatile(
		"xorl %%ecx,%%ecx; movl $1,%%eax; cltd; .globl at_div; at_div: idivl %%ecx" ::
			: "eax", "ecx", "edx", "cc");
}
static void
do_min(void)
{
	__asm__ volatile("movl $0x80000000,%%eax; movl $-1,%%edx; movl $-1,%%ecx; idivl %%ecx" ::
				 : "eax", "ecx", "edx", "cc");
}
static void
do_ud2(void)
{
	__asm__ volatile(".globl at_ud2; at_ud2: ud2");
}
static void
do_int3(void)
{
	__asm__ volatile(".globl at_int3; at_int3: int3");
}
static void
do_hlt(void)
{
	__asm__ volatile(".globl at_hlt; at_hlt: hlt");
}
static void
do_priv(void)
{
	__asm__ volatile("xorl %%eax,%%eax; .globl at_priv; at_priv: mov %%rax,%%cr3" ::: "rax");
}
static void
do_int81(void)
{
	__asm__ volatile(".globl at_int81; at_int81: int $0x81");
}
static void
do_step(void)
{
	__asm__ volatile(
		"pushfq; orl $0x100,(%%rsp); popfq; nop; .globl at_step; at_step: nop; nop" ::
			: "memory", "cc");
}
static void
do_fdiv(void)
{
	unsigned csr = 0x1f80 & ~0x200u;
	double one = 1, zero = 0;

	__asm__ volatile("ldmxcsr %0; .globl at_fdiv; at_fdiv: divsd %2,%1" ::"m"(csr), "x"(one),
			 "x"(zero));
}
static void
do_inval(void)
{
	unsigned csr = 0x1f80 & ~0x80u;
	double neg = -1;

	__asm__ volatile("ldmxcsr %0; sqrtsd %1,%1" ::"m"(csr), "x"(neg));
}
static void
do_x87(void)
{
	unsigned short cw = 0x37f & ~4;
	double one = 1, zero = 0;

	__asm__ volatile("fldcw %0; fldl %1; fldl %2; fdivrp; fwait" ::"m"(cw), "m"(one), "m"(zero)
			 : "st");
}
static void
do_align(void)
{
	static char buf[16] __attribute__((aligned(16)));

	__asm__ volatile("pushfq; orl $0x40000,(%%rsp); popfq; .globl at_align; at_align: movl "
			 "1(%0),%%eax" ::"r"(buf)
			 : "eax", "memory", "cc");
}
static void
do_movaps(void)
{
	static char buf[32] __attribute__((aligned(16)));

	__asm__ volatile("movaps 1(%0),%%xmm0" ::"r"(buf) : "xmm0");
}

static void
try(void (*fn)(void), int want_sig, int want_code, void *want_addr, void *want_rip,
    const char *name)
{
	arm();
	if (sigsetjmp(env, 1) == 0)
		fn();
	/* undo what the sequence left behind */
	__asm__ volatile("pushfq; andl $~0x40100,(%%rsp); popfq" ::: "memory", "cc");
	__asm__ volatile("fninit; ldmxcsr %0" ::"m"((unsigned){ 0x1f80 }));
	is_int(sig, want_sig, "%s: signal", name);
	is_int(code, want_code, "%s: si_code", name);
	if (want_addr != (void *)-1)
		ok(addr == want_addr, "%s: si_addr", name);
	if (want_rip)
		ok(rip == (uintptr_t)want_rip, "%s: saved instruction pointer", name);
}

static void
dies(void (*fn)(void), int want, const char *name)
{
	pid_t pid = fork();

	if (pid == 0) {
		signal(want, SIG_IGN);
		signal(SIGSEGV, SIG_DFL);
		fn();
		_exit(0);
	}
	is_killed(pid, want, "%s: kills even if ignored", name);
}

int
main(void)
{
	struct rlimit none = { 0, 0 };

	must(setrlimit(RLIMIT_CORE, &none));
	try(do_div, SIGFPE, FPE_INTDIV, at_div, at_div, "divide by zero");
	is_int(trapno, 0, "divide by zero: trap number");
	try(do_min, SIGFPE, FPE_INTDIV, (void *)-1, NULL, "INT_MIN / -1");
	if (!emulated()) {
		try(do_fdiv, SIGFPE, FPE_FLTDIV, at_fdiv, at_fdiv, "SSE divide by zero");
		is_int(trapno, 19, "SSE divide by zero: trap number");
		try(do_inval, SIGFPE, FPE_FLTINV, (void *)-1, NULL, "SSE invalid operation");
	}
	try(do_x87, SIGFPE, FPE_FLTDIV, (void *)-1, NULL, "x87 divide by zero");
	is_int(trapno, 16, "x87 divide by zero: trap number");
	try(do_ud2, SIGILL, ILL_ILLOPN, at_ud2, at_ud2, "ud2");
	is_int(trapno, 6, "ud2: trap number");
	try(do_int3, SIGTRAP, SI_KERNEL, NULL, at_int3 + 1, "int3");
	is_int(trapno, 3, "int3: trap number");
	try(do_step, SIGTRAP, TRAP_TRACE, at_step, at_step, "single step");
	is_int(trapno, 1, "single step: trap number");
	try(do_hlt, SIGSEGV, SI_KERNEL, NULL, at_hlt, "hlt");
	is_int(trapno, 13, "hlt: trap number");
	try(do_priv, SIGSEGV, SI_KERNEL, NULL, at_priv, "mov to cr3");
	try(do_int81, SIGSEGV, SI_KERNEL, NULL, at_int81, "int 0x81");
	if (!emulated())
		try(do_align, SIGBUS, BUS_ADRALN, (void *)-1, at_align, "alignment check");
	try(do_movaps, SIGSEGV, SI_KERNEL, NULL, NULL, "unaligned movaps");
	dies(do_div, SIGFPE, "divide by zero");
	dies(do_ud2, SIGILL, "ud2");
	dies(do_int3, SIGTRAP, "int3");
	if (!emulated())
		dies(do_align, SIGBUS, "alignment check");
	return done();
}
