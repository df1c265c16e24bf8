/* SPDX-License-Identifier: MIT */
/* The signal frame: registers survive a handler, edits take effect, the red zone is safe. */
#include "../tap.h"
#include <ucontext.h>

static volatile int mode, ran;
static volatile unsigned long saved[23], entry_rsp, entry_flags;
static unsigned long uc_link_nonzero;

static void
on(int sig, siginfo_t *si, void *ucv)
{
	ucontext_t *uc = ucv;
	unsigned long fl;

	(void)sig, (void)si;
	__asm__ volatile("pushfq; popq %0" : "=r"(fl));
	entry_flags = fl;
	ran++;
	uc_link_nonzero |= (uintptr_t)uc->uc_link;
	for (int i = 0; i < 17; i++)
		saved[i] = uc->uc_mcontext.gregs[i];
	switch (mode) {
	case 1: /* skip the two bytes of ud2 */
		uc->uc_mcontext.gregs[REG_RIP] += 2;
		uc->uc_mcontext.gregs[REG_RAX] = 0x1122334455667788;
		uc->uc_mcontext.gregs[REG_R15] = 0x99aabbccddeeff00;
		break;
	case 2: /* clobber everything a handler may */
		__asm__ volatile("pcmpeqd %%xmm0,%%xmm0; movdqa %%xmm0,%%xmm7; movdqa "
				 "%%xmm0,%%xmm15; std; cld" ::
					 : "xmm0", "xmm7", "xmm15", "cc");
		__asm__ volatile("fninit; fldz; fldz" ::: "st");
		break;
	case 3: /* carry flag seen by the interrupted code */
		uc->uc_mcontext.gregs[REG_RIP] += 2;
		uc->uc_mcontext.gregs[REG_EFL] |= 1;
		break;
	case 4: /* an xmm register changed through the frame */
		uc->uc_mcontext.gregs[REG_RIP] += 2;
		((unsigned char *)uc->uc_mcontext.fpregs)[160 + 3 * 16] = 0x5a;
		break;
	}
}

static __attribute__((naked, used)) void
naked_handler(void)
{
	__asm__ volatile("mov %rsp, entry_rsp(%rip); ret");
}

int
main(void)
{
	struct sigaction sa = { .sa_handler = (void (*)(int))(uintptr_t)naked_handler };
	unsigned long rax, r15, r[14], fl;
	unsigned char x[16], y[16], z[16];
	double st0;
	int red;

	handle_info(SIGILL, on, 0);
	handle_info(SIGUSR1, on, 0);
	mode = 1;
	__asm__ volatile("ud2" : "=a"(rax));
	__asm__ volatile("movq $1,%%r15; ud2; movq %%r15,%1"
			 : "=a"(rax), "=r"(r15)::"r15", "memory");
	ok(rax == 0x1122334455667788, "the handler changed rax");
	ok(r15 == 0x99aabbccddeeff00, "the handler changed r15");
	is_int(ran, 2, "rip moved past each instruction");
	ok(saved[REG_R15] == 1, "the handler saw r15");

	/* all general registers across a kill() to oneself */
	mode = 0;
	__asm__ volatile(
		"movq $0x101,%%rbx; movq $0x102,%%rdx; movq $0x103,%%r8; movq $0x104,%%r9; movq "
		"$0x105,%%r10;"
		"movq $0x106,%%r12; movq $0x107,%%r13; movq $0x108,%%r14; movq $0x109,%%r15;"
		"syscall;"
		"movq %%rax,0(%[o]); movq %%rbx,8(%[o]); movq %%rdx,16(%[o]); movq %%r8,24(%[o]); "
		"movq %%r9,32(%[o]);"
		"movq %%r10,40(%[o]); movq %%r12,48(%[o]); movq %%r13,56(%[o]); movq "
		"%%r14,64(%[o]); movq %%r15,72(%[o]);"
		"movq %%rdi,80(%[o]); movq %%rsi,88(%[o])"
		: "+a"((unsigned long){ SYS_kill })
		: "D"((long)getpid()), "S"((long)SIGUSR1), [o] "r"(r)
		: "rbx", "rdx", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15", "rcx",
		  "memory", "cc");
	is_int(r[0], 0, "kill returns 0 through the handler");
	ok(r[1] == 0x101 && r[2] == 0x102 && r[3] == 0x103 && r[4] == 0x104 && r[5] == 0x105 &&
		   r[6] == 0x106 && r[7] == 0x107 && r[8] == 0x108 && r[9] == 0x109,
	   "all general registers survive");
	ok(r[10] == (unsigned long)getpid() && r[11] == SIGUSR1, "argument registers survive");
	ok(saved[REG_RBX] == 0x101 && saved[REG_R12] == 0x106 && saved[REG_R8] == 0x103,
	   "and are in the frame");
	is_int(saved[REG_RAX], 0, "rax in the frame is the call's result");

	/* vector and x87 state across a clobbering handler */
	mode = 2;
	st0 = 0;
	__asm__ volatile("movq $0x77,%%rcx; movq %%rcx,%%xmm0; movq %%rcx,%%xmm7; movq "
			 "%%rcx,%%xmm15; fldpi; syscall;"
			 "movdqu %%xmm0,%1; movdqu %%xmm7,%2; movdqu %%xmm15,%3; fstpl %4"
			 : "+a"((unsigned long){ SYS_kill }), "=m"(x), "=m"(y), "=m"(z), "=m"(st0)
			 : "D"((long)getpid()), "S"((long)SIGUSR1)
			 : "rcx", "r11", "xmm0", "xmm7", "xmm15", "memory", "cc");
	ok(x[0] == 0x77 && y[0] == 0x77 && z[0] == 0x77 && x[1] == 0 && z[15] == 0,
	   "xmm registers survive");
	ok(st0 > 3.14159 && st0 < 3.1416, "the x87 stack survives");

	mode = 3;
	__asm__ volatile("clc; ud2; pushfq; popq %0" : "=r"(fl)::"memory", "cc");
	is_int(fl & 1, 1, "an edited carry flag is restored");
	mode = 4;
	__asm__ volatile("pxor %%xmm3,%%xmm3; ud2; movdqu %%xmm3,%0" : "=m"(x)::"xmm3", "memory");
	is_int(x[0], 0x5a, "an edited xmm register is restored");

	/* direction flag set at the interruption: cleared in the handler, set again after */
	mode = 3;
	__asm__ volatile("std; ud2; pushfq; cld; popq %0" : "=r"(fl)::"memory", "cc");
	is_int(entry_flags & 0x400, 0, "the direction flag is clear in the handler");
	is_int(fl & 0x400, 0x400, "and set again behind it");

	/* 128 bytes below the stack pointer belong to the program */
	mode = 3;
	__asm__ volatile("movl $0x600d,-4(%%rsp); movl $0x600d,-124(%%rsp); ud2; movl "
			 "-4(%%rsp),%0; addl -124(%%rsp),%0"
			 : "=r"(red)::"memory", "cc");
	is_int(red, 2 * 0x600d, "the red zone is untouched");

	sigaction(SIGUSR2, &sa, NULL);
	kill(getpid(), SIGUSR2);
	is_int(entry_rsp & 15, 8, "stack alignment at the handler's entry is that of a call");
	ok(uc_link_nonzero == 0, "uc_link is NULL");
	return done();
}
