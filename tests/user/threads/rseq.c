/* SPDX-License-Identifier: MIT */
/* TEST: musl-only (glibc registers its own area) */
/* rseq: registration, the CPU number, abort of a critical section, errors. */
#include "../compat.h"
#include "../tap.h"

#define SIG 0x53053053

struct area {
	uint32_t cpu_id_start, cpu_id;
	uint64_t cs;
	uint32_t flags, pad[3];
} __attribute__((aligned(32)));

struct cs {
	uint32_t version, flags;
	uint64_t start, post_offset, abort_ip;
} __attribute__((aligned(32)));

static struct area a, b;
static volatile int ticks;

static long
rseq(void *p, unsigned len, int flags, unsigned sig)
{
	return syscall(SYS_rseq, p, len, flags, sig);
}

static void
on(int s)
{
	(void)s;
	ticks++;
}

/* Loops inside a critical section until interrupted; returns 1 if the abort code ran. */
static __attribute__((noinline)) int
critical(volatile struct area *ar)
{
	int aborted = 0;

	__asm__ volatile(
		".pushsection .data; .balign 32; 3: .long 0, 0; .quad 1f, 2f - 1f, 4f; .popsection;"
		"leaq 3b(%%rip),%%rax; movq %%rax,%[cs];"
		"1: pause; jmp 1b; 2: jmp 5f;"
		".long 0x53053053; 4: movl $1,%[ab]; 5:"
		: [cs] "=m"(ar->cs), [ab] "+r"(aborted)
		:
		: "rax", "memory", "cc");
	return aborted;
}

int
main(void)
{
	struct itimerval it = { { 0, 0 }, { 0, 20000 } };
	cpu_set_t set;
	pid_t pid;

	a.cpu_id = -1;
	sys_err(rseq(&a, 16, 0, SIG), EINVAL, "bad length");
	sys_err(rseq((char *)&a + 8, 32, 0, SIG), EINVAL, "unaligned area");
	sys_err(rseq(&a, 32, 8, SIG), EINVAL, "unknown flag");
	sys_err(rseq((void *)(1UL << 47), 32, 0, SIG), EFAULT, "area outside user space");
	sys_err(rseq(&a, 32, 1, SIG), EINVAL, "unregister without registration");
	is_int(rseq(&a, 32, 0, SIG), 0, "register");
	ok(a.cpu_id < 4096 && a.cpu_id == a.cpu_id_start, "the CPU number is filled in");
	CPU_ZERO(&set);
	CPU_SET(a.cpu_id, &set);
	must(sched_setaffinity(0, sizeof(set), &set));
	is_int(a.cpu_id, sched_getcpu(), "it is the current CPU");
	sys_err(rseq(&a, 32, 0, SIG), EBUSY, "register again");
	sys_err(rseq(&b, 32, 0, SIG), EINVAL, "another area");
	sys_err(rseq(&a, 32, 0, SIG + 1), EPERM, "another signature");
	handle(SIGALRM, on, 0);
	must(setitimer(ITIMER_REAL, &it, NULL));
	is_int(critical(&a), 1, "an interrupted critical section goes to its abort code");
	for (int i = 0; i < 1000 && !ticks; i++)
		sleep_ms(1);
	is_int(ticks, 1, "the signal was delivered too");
	is_int(a.cs, 0, "the descriptor pointer is cleared");
	if ((pid = fork()) == 0) {
		it.it_value.tv_usec = 20000;
		setitimer(ITIMER_REAL, &it, NULL);
		_exit(critical(&a) == 1 ? 0 : 1);
	}
	is_exit(pid, 0, "the registration survives fork");
	if ((pid = fork()) == 0) {
		struct cs *bad = (void *)at(8);

		a.cs = (uintptr_t)bad;
		sleep_ms(5);
		_exit(0);
	}
	is_killed(pid, SIGSEGV, "a bad descriptor kills");
	is_int(rseq(&a, 32, 1, SIG), 0, "unregister");
	is_int(a.cpu_id, -1U, "the CPU number is reset");
	is_int(rseq(&b, 32, 0, SIG), 0, "another area can be registered now");
	is_int(rseq(&b, 32, 1, SIG), 0, "and unregistered");
	return done();
}
