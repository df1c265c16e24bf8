/* SPDX-License-Identifier: MIT */
/* A thread by the raw call: sharing, TLS register, tid words, set_tid_address, arch_prctl. */
#include "../compat.h"
#include "../tap.h"
#define ARCH_SET_GS 0x1001
#define ARCH_SET_FS 0x1002
#define ARCH_GET_FS 0x1003
#define ARCH_GET_GS 0x1004

static char stack[65536] __attribute__((aligned(16)));
static volatile int store, child_tid_seen, child_pid_seen, ctid, ptid;
static volatile unsigned long fs_seen;
static unsigned long tls_block[64] __attribute__((aligned(64)));

/* No libc in here: the thread has no TLS of its own library. */
static int
body(void)
{
	unsigned long r;

	__asm__ volatile("syscall" : "=a"(r) : "0"((long)SYS_gettid) : "rcx", "r11", "memory");
	child_tid_seen = r;
	__asm__ volatile("syscall" : "=a"(r) : "0"((long)SYS_getpid) : "rcx", "r11", "memory");
	child_pid_seen = r;
	__asm__ volatile("movq %%fs:0,%0" : "=r"(r));
	fs_seen = r;
	store = 5;
	return 0;
}

static __attribute__((noinline, optimize("no-stack-protector"))) long
spawn(unsigned long flags)
{
	long r;

	register long ctidr __asm__("r10") = (long)&ctid;
	register long tlsr __asm__("r8") = (long)tls_block;
	__asm__ volatile("syscall; testq %%rax,%%rax; jnz 1f; xorl %%ebp,%%ebp; call *%[fn]; movl "
			 "$60,%%eax; "
			 "xorl %%edi,%%edi; syscall; 1:"
			 : "=a"(r)
			 : "0"((long)SYS_clone), "D"(flags), "S"(stack + sizeof(stack) - 64),
			   "d"(&ptid), "r"(ctidr), "r"(tlsr), [fn] "r"(body)
			 : "rcx", "r11", "memory", "cc");
	return r;
}

int
main(void)
{
	unsigned long v = 0, keep;
	long tid;

	tls_block[0] = 0xfeedface;
	ctid = -1;
	tid = spawn(CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD |
		    CLONE_SYSVSEM | CLONE_SETTLS | CLONE_PARENT_SETTID | CLONE_CHILD_SETTID |
		    CLONE_CHILD_CLEARTID);
	ok(tid > 0, "clone");
	while (ctid != 0)
		kt_futex((void *)&ctid, FUTEX_WAIT, ctid, NULL, NULL, 0);
	is_int(ctid, 0, "CLEARTID: zero and a wake at exit");
	is_int(ptid, tid, "PARENT_SETTID");
	is_int(child_tid_seen, tid, "the thread's gettid");
	is_int(child_pid_seen, getpid(), "its getpid");
	is_int(fs_seen, 0xfeedface, "SETTLS loads the FS base");
	is_int(store, 5, "memory is shared");
	sys_err(waitpid(tid, NULL, __WALL), ECHILD, "a thread is not a child");
	/* Its address space goes before its number does. */
	for (int i = 0; i < 1000 && syscall(SYS_tgkill, getpid(), tid, 0) == 0; i++)
		sleep_ms(1);
	sys_err(syscall(SYS_tgkill, getpid(), tid, 0), ESRCH, "it is gone");

	is_int(syscall(SYS_set_tid_address, &ctid), kt_gettid(), "set_tid_address returns the tid");
	is_int(syscall(SYS_arch_prctl, ARCH_GET_FS, &keep), 0, "ARCH_GET_FS");
	__asm__ volatile("movq %%fs:0,%0" : "=r"(v));
	ok(v == keep, "is the thread pointer that libc keeps at its start");
	is_int(syscall(SYS_arch_prctl, ARCH_SET_GS, tls_block), 0, "ARCH_SET_GS");
	__asm__ volatile("movq %%gs:0,%0" : "=r"(v));
	is_int(v, 0xfeedface, "loads the GS base");
	sched_yield();
	sleep_ms(2);
	__asm__ volatile("movq %%gs:0,%0" : "=r"(v));
	is_int(v, 0xfeedface, "which survives a switch");
	is_int(syscall(SYS_arch_prctl, ARCH_GET_GS, &v), 0, "ARCH_GET_GS");
	ok(v == (uintptr_t)tls_block, "reads it back");
	pid_t pid = fork();
	if (pid == 0) {
		__asm__ volatile("movq %%gs:0,%0" : "=r"(v));
		_exit(v == 0xfeedface ? 0 : 1);
	}
	is_exit(pid, 0, "and fork");
	sys_err(syscall(SYS_arch_prctl, ARCH_SET_GS, 1UL << 47), EPERM,
		"a base outside user space");
	sys_err(syscall(SYS_arch_prctl, 0x9999, 0), EINVAL, "unknown code");
	sys_err(syscall(SYS_arch_prctl, ARCH_GET_GS, at(8)), EFAULT, "bad pointer");
	return done();
}
