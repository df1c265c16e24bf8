/* SPDX-License-Identifier: MIT */
/* mincore, mlock, mlock2, munlock, mlockall and RLIMIT_MEMLOCK. */
#include "../compat.h"
#include "../probe.h"

#define RW (PROT_READ | PROT_WRITE)

static int
resident(void *p, int pages)
{
	unsigned char vec[64];
	int n = 0;

	if (mincore(p, pages * PAGE, vec))
		return -1;
	for (int i = 0; i < pages; i++)
		n += vec[i] & 1;
	return n;
}

static long
locked_kb(void)
{
	char *s = get_file("/proc/self/status");

	s = s ? strstr(s, "VmLck:") : NULL;
	return s ? atol(s + 6) : -1;
}

static void
as_user(unsigned char *p)
{
	struct rlimit rl = { 4 * PAGE, 4 * PAGE };
	int bad = 0;

	if (setrlimit(RLIMIT_MEMLOCK, &rl) || setgid(1000) || setuid(1000))
		_exit(100);
	bad |= mlock(p, 4 * PAGE) != 0;
	bad |= (mlock(p, 5 * PAGE) == 0 || errno != ENOMEM) << 1;
	bad |= munlock(p, 4 * PAGE) != 0;
	bad |= (mlockall(MCL_CURRENT) == 0 || errno != ENOMEM) << 2;
	rl.rlim_cur = rl.rlim_max = 0;
	bad |= setrlimit(RLIMIT_MEMLOCK, &rl) != 0;
	bad |= (mlock(p, PAGE) == 0 || errno != EPERM) << 3;
	_exit(bad);
}

int
main(void)
{
	unsigned char *p = anon(16, RW), vec[16];
	pid_t pid;

	is_int(resident(p, 16), 0, "fresh mapping has nothing resident");
	p[0] = p[5 * PAGE] = 1;
	is_int(resident(p + PAGE, 4), 0, "untouched pages stay absent");
	is_int(resident(p, 1), 1, "a touched page is resident");
	is_int(resident(p + 5 * PAGE, 1), 1, "another touched page is resident");
	must(madvise(p, 16 * PAGE, MADV_DONTNEED));
	is_int(resident(p, 16), 0, "DONTNEED empties it");
	sys_err(mincore(p + 1, PAGE, vec), EINVAL, "mincore unaligned");
	sys_err(mincore(p, PAGE, (void *)8), EFAULT, "mincore bad vector");
	sys_err(mincore((void *)(1UL << 46), PAGE, vec), ENOMEM, "mincore of nothing");
	sys_ok(mincore(p, 0, vec), "mincore length 0");

	sys_ok(mlock(p, 4 * PAGE), "mlock");
	is_int(resident(p, 4), 4, "mlock brings pages in");
	is_int(locked_kb(), 16, "VmLck counts them");
	sys_ok(mlock(p + 1, 1), "mlock rounds an unaligned range");
	is_int(locked_kb(), 16, "locks do not nest");
	sys_err(madvise(p, PAGE, MADV_DONTNEED), EINVAL, "DONTNEED of a locked page");
	sys_ok(munlock(p, 2 * PAGE), "munlock");
	is_int(locked_kb(), 8, "VmLck goes down");
	sys_ok(syscall(SYS_mlock2, p + 8 * PAGE, 4 * PAGE, MLOCK_ONFAULT), "mlock2 ONFAULT");
	is_int(resident(p + 8 * PAGE, 4), 0, "ONFAULT brings nothing in");
	is_int(locked_kb(), 24, "but is counted");
	sys_err(syscall(SYS_mlock2, p, PAGE, 0x80), EINVAL, "mlock2 unknown flag");
	if ((pid = fork()) == 0)
		_exit(locked_kb() != 0);
	is_exit(pid, 0, "locks are not inherited by fork");
	sys_ok(munlockall(), "munlockall");
	is_int(locked_kb(), 0, "nothing is locked");
	sys_err(mlock((void *)(1UL << 46), PAGE), ENOMEM, "mlock of nothing");
	sys_err(mlockall(0), EINVAL, "mlockall without flags");
	sys_err(mlockall(0x100), EINVAL, "mlockall unknown flag");
	sys_err(mlockall(MCL_ONFAULT), EINVAL, "mlockall ONFAULT alone");
	sys_ok(mlockall(MCL_FUTURE), "mlockall FUTURE");
	p = mmap(NULL, 4 * PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	is_int(resident(p, 4), 4, "later mappings are populated");
	sys_ok(munlockall(), "munlockall ends that");
	p = anon(5, RW);
	is_int(resident(p, 5), 0, "indeed");
	if ((pid = fork()) == 0)
		as_user(p);
	is_exit(pid, 0, "RLIMIT_MEMLOCK binds a user without CAP_IPC_LOCK");
	return done();
}
