/* SPDX-License-Identifier: MIT */
/* What a memory fault tells: si_signo, si_code, si_addr; EFAULT instead when the kernel faults. */
#include "../compat.h"
#include "../probe.h"
#include <sys/uio.h>

#define RW (PROT_READ | PROT_WRITE)

int
main(void)
{
	unsigned char *p = anon(3, RW);
	char buf[8192];
	struct iovec iov[2];
	int fd, pp[2];
	pid_t pid;

	scratch();
	must(mprotect(p + PAGE, PAGE, PROT_NONE));
	is_int(probe_read((void *)0), SIGSEGV, "NULL read");
	ok(probe_code == SEGV_MAPERR && probe_addr == NULL, "NULL read: MAPERR at 0");
	is_int(probe_write(at(8), 1), SIGSEGV, "NULL page write");
	ok(probe_code == SEGV_MAPERR && probe_addr == at(8), "NULL page write: MAPERR at 8");
	is_int(probe_exec((void *)0x10), SIGSEGV, "jump to the NULL page");
	ok(probe_code == SEGV_MAPERR && probe_addr == (void *)0x10, "jump: MAPERR at the target");
	is_int(probe_read(at(0xffffffff80000000UL)), SIGSEGV, "kernel address read");
	ok(probe_code == SEGV_MAPERR && probe_addr == at(0xffffffff80000000UL),
	   "kernel address: MAPERR at the address");
	is_int(probe_read((void *)0x800000000000UL), SIGSEGV, "non-canonical read");
	ok(probe_code == SI_KERNEL && probe_addr == NULL,
	   "non-canonical: SI_KERNEL without address");
	is_int(probe_read(p + PAGE + 77), SIGSEGV, "PROT_NONE read");
	ok(probe_code == SEGV_ACCERR && probe_addr == p + PAGE + 77,
	   "PROT_NONE: ACCERR at the byte");
	is_int(probe_write((void *)(uintptr_t)main, 1), SIGSEGV, "write to program text");
	ok(probe_code == SEGV_ACCERR && probe_addr == (void *)(uintptr_t)main,
	   "text: ACCERR at the byte");

	must(pipe(pp));
	fd = must(open("/dev/zero", O_RDWR));
	sys_err(read(fd, p + PAGE, 10), EFAULT, "read into PROT_NONE");
	sys_err(read(fd, at(8), 10), EFAULT, "read into the NULL page");
	sys_err(read(fd, at(0xffffffff80000000UL), 10), EFAULT, "read into kernel memory");
	sys_err(read(fd, at(0x7fffffffffffUL), 1UL << 40), EFAULT,
		"read of a huge length at the top");
	sys_err(write(pp[1], at(8), 10), EFAULT, "write from the NULL page");
	sys_err(read(fd, (void *)(uintptr_t)main, 10), EFAULT, "read into program text");
	is_int(read(fd, p + PAGE - 100, 200), 100, "a read that runs into PROT_NONE is short");
	memset(p, 'a', PAGE);
	sys_err(pipe((int *)(p + PAGE)), EFAULT, "pipe to PROT_NONE");
	sys_err(open((char *)p + PAGE, O_RDONLY), EFAULT, "path in PROT_NONE");
	sys_err(open((char *)p + PAGE - 5, O_RDONLY), EFAULT, "path that runs into PROT_NONE");
	p[PAGE - 1] = 0;
	sys_err(open((char *)p + PAGE - 5, O_RDONLY), ENOENT, "path that ends right before it");
	iov[0] = (struct iovec){ buf, 10 };
	iov[1] = (struct iovec){ at(8), 10 };
	is_int(readv(fd, iov, 2), 10, "readv stops before the bad vector");
	sys_err(readv(fd, at(8), 2), EFAULT, "readv with a bad vector array");
	sys_err(syscall(SYS_rt_sigaction, SIGUSR1, at(8), NULL, 8), EFAULT,
		"sigaction from the NULL page");
	sys_err(syscall(SYS_clock_gettime, CLOCK_MONOTONIC, at(8)), EFAULT,
		"clock_gettime to the NULL page");
	sys_err(syscall(SYS_stat, ".", at(8)), EFAULT, "stat to the NULL page");
	sys_err(syscall(SYS_getcwd, at(8), 100), EFAULT, "getcwd to the NULL page");

	if ((pid = fork()) == 0) {
		signal(SIGSEGV, SIG_DFL);
		*(volatile char *)at(8) = 1;
		_exit(0);
	}
	is_killed(pid, SIGSEGV, "the default action kills with SIGSEGV");
	if ((pid = fork()) == 0) {
		signal(SIGSEGV, SIG_IGN);
		*(volatile char *)at(8) = 1;
		_exit(0);
	}
	is_killed(pid, SIGSEGV, "ignoring a fault does not help");
	if ((pid = fork()) == 0) {
		handle_info(SIGSEGV, probe_handler, 0);
		block(SIGSEGV);
		*(volatile char *)at(8) = 1;
		_exit(0);
	}
	is_killed(pid, SIGSEGV, "nor does blocking it");
	return done();
}
