/* SPDX-License-Identifier: MIT */
/* TEST: timeout=60 */
/*
 * Every system call number from 0 to 460 with bad pointers, edge values and random arguments.
 *
 * Each number gets a sacrificial child, in process group, directory and mount, host-name and IPC
 * namespaces of its own, as a plain user and once more as root. The child may die in any way; the
 * machine and this program may not. Left out is what ends or changes the machine by design, and
 * what could reach processes outside the child's group. The arguments follow from a seed, so that
 * a failure can be repeated: SWEEP_SEED=n SWEEP_CALL=n SWEEP_STEPS=n in the environment.
 */
#include "../compat.h"
#include "../tap.h"
#include <sys/mount.h>
#include <sys/prctl.h>

#define CALLS 461

static unsigned long rng;
static char *area; /* readable and writable, the page behind is not mapped */
/* No name of anything that outlives the scratch directory: root children chmod and unlink at will.
 */
static const char *const paths[] = { ".",	   "f",	   "d",	     "link",
				     "fifo",	   "null", "zero",   "/proc/self/maps",
				     "/proc/self", "",	   "missing" };

/* What ends the machine, changes its clock, loads code, or reaches others. */
static const short skipped[] = {
	SYS_reboot,
	SYS_kexec_load,
	320 /* kexec_file_load */,
	SYS_init_module,
	SYS_delete_module,
	313 /* finit_module */,
	SYS_swapon,
	SYS_swapoff,
	SYS_settimeofday,
	SYS_clock_settime,
	SYS_adjtimex,
	SYS_clock_adjtime,
	SYS_iopl,
	SYS_ioperm,
	SYS_syslog,
	SYS_acct,
	SYS_quotactl,
	443 /* quotactl_fd */,
	SYS_vhangup,
	SYS_setsid,
	SYS_sync,
	SYS_ptrace,
	SYS_process_vm_writev,
	SYS_setpriority,
	SYS_sched_setscheduler,
	SYS_sched_setparam,
	314 /* sched_setattr */,
	SYS_sched_setaffinity,
	SYS_prlimit64,
	SYS_ioprio_set,
	SYS_migrate_pages,
	SYS_move_pages,
	SYS_nfsservctl,
	SYS_vfork,
	SYS_bpf,
	SYS_perf_event_open,
	SYS_fanotify_init,
};

static unsigned long
next(void)
{
	rng ^= rng << 13;
	rng ^= rng >> 7;
	rng ^= rng << 17;
	return rng;
}

static unsigned long
argument(void)
{
	switch (next() % 16) {
	case 0: return 0;
	case 1: return 1;
	case 2: return -1UL;
	case 3: return next() % 16;				 /* descriptors and small counts */
	case 4: return (unsigned long)area + next() % 64 * 8;	 /* a good pointer */
	case 5: return (unsigned long)area + 4096 - next() % 16; /* that runs out of its page */
	case 6: return (unsigned long)area + 4096;		 /* unmapped */
	case 7: return 0xffffffff80000000UL + next() % 4096;	 /* the kernel */
	case 8: return 0x7ffffffff000UL + next() % 4096;	 /* the top of user space */
	case 9: return 0x8000000000000000UL >> next() % 64;	 /* one bit */
	case 10: return (unsigned long)paths[next() % ARRAY_LEN(paths)];
	case 11: return next() & 0xffff;
	case 12: return (unsigned long)(int)next();
	case 13: return 0x800000000000UL + next() % 4096; /* not canonical */
	case 14: return 4096UL << next() % 30;
	default: return next();
	}
}

static int
skip_call(int nr)
{
	for (unsigned i = 0; i < ARRAY_LEN(skipped); i++)
		if (skipped[i] == nr)
			return 1;
	return 0;
}

/* Arguments that would reach the parent or other groups, or keep the child for ever. */
static int
unsafe(int nr, unsigned long *a)
{
	switch (nr) {
	case SYS_kill:
	case SYS_rt_sigqueueinfo:
	case SYS_tkill: return (int)a[0] != 0 && (int)a[0] != getpid();
	case SYS_tgkill:
	case 297 /* rt_tgsigqueueinfo */: return (int)a[0] != getpid();
	case SYS_exit:
	case SYS_exit_group:
	case SYS_rt_sigreturn: return next() % 8;
	case SYS_fork:
	case SYS_clone:
	case SYS_clone3: return 1; /* children are made below, with care */
	case SYS_pause:
	case SYS_rt_sigsuspend: return next() % 8;
	case SYS_chroot:
	case SYS_pivot_root: return next() % 4;
	case SYS_write:
	case SYS_writev:
	case SYS_pwrite64: return (int)a[0] == 1 || (int)a[0] == 2; /* the report */
	case SYS_fcntl: return a[1] == F_SETOWN || a[1] == 15 /* F_SETOWN_EX */;
	case SYS_ioctl: return a[1] == FIONREAD + 0x10000;
	case SYS_setrlimit: return next() % 2;
	}
	return 0;
}

static void
child(int nr, unsigned long seed, int steps, int root)
{
	struct rlimit as = { 512UL << 20, 512UL << 20 }, np = { 64, 64 }, fs = { 1 << 20, 1 << 20 };
	unsigned long a[6];
	int null;

	setpgid(0, 0);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (unshare(CLONE_NEWNS) || unshare(CLONE_NEWUTS) ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL))
		_exit(99); /* nowhere to play */
	unshare(CLONE_NEWIPC);
	/* our own node: root children fchmod and fchown their descriptors */
	syscall(SYS_close_range, 3, ~0U, 0);
	null = open("null", O_RDWR);
	dup2(null, 0), dup2(null, 1), dup2(null, 2);
	for (int i = 3; i < 8; i++)
		dup2(null, i);
	dup2(open("f", O_RDWR), 8);
	dup2(open("d", O_RDONLY), 9);
	if (pipe((int *)area) == 0)
		dup2(((int *)area)[0], 10), dup2(((int *)area)[1], 11);
	fcntl(10, F_SETFL, O_NONBLOCK);
	fcntl(11, F_SETFL, O_NONBLOCK);
	setrlimit(RLIMIT_AS, &as);
	setrlimit(RLIMIT_FSIZE, &fs);
	if (!root) {
		setrlimit(RLIMIT_NPROC, &np);
		if (setresgid(1234, 1234, 1234) || setresuid(1234, 1234, 1234))
			_exit(1);
	}
	rng = seed;
	for (int i = 0; i < steps; i++) {
		struct itimerval it = { { 0, 5000 }, { 0, 5000 } };

		for (int k = 0; k < 6; k++)
			a[k] = argument();
		if (unsafe(nr, a))
			continue;
		memset(area, (int)next(), 256);
		/* a call that sleeps is woken by the timer; SIGALRM ends the child at worst */
		if (i % 16 == 0)
			syscall(SYS_setitimer, ITIMER_REAL, &it, NULL);
		syscall(nr, a[0], a[1], a[2], a[3], a[4], a[5]);
	}
	_exit(0);
}

static void
wake(int s)
{
	(void)s;
}

static int
run(int nr, unsigned long seed, int steps, int root)
{
	long long end = now_ms() + 1500;
	int st = 0;
	pid_t pid = fork();

	if (pid == 0) {
		handle(SIGALRM, wake, 0);
		child(nr, seed, steps, root);
	}
	if (pid < 0)
		return -1;
	while (waitpid(pid, &st, WNOHANG) == 0) {
		if (now_ms() > end) {
			kill(-pid, SIGKILL);
			kill(pid, SIGKILL);
			reap(pid);
			return 1; /* ended by force: it slept or stopped */
		}
		sleep_ms(1);
	}
	kill(-pid, SIGKILL);
	return WIFEXITED(st) && WEXITSTATUS(st) == 99 ? -1 : 0;
}

static long
setting(const char *name, long fallback)
{
	const char *s = getenv(name);

	return s ? atol(s) : fallback;
}

int
main(void)
{
	unsigned long seed = setting("SWEEP_SEED", 20240607);
	int steps = setting("SWEEP_STEPS", 60), only = setting("SWEEP_CALL", -1);
	int failed = 0, slow = 0, calls = 0;

	scratch();
	must(chmod(".", 0777));
	must(prctl(PR_SET_CHILD_SUBREAPER, 1));
	area = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	must(munmap(area + 4096, 4096));
	for (int nr = 0; nr < CALLS; nr++) {
		if (skip_call(nr) || (only >= 0 && nr != only))
			continue;
		must(chdir(tap_dir));
		if (access("f", F_OK)) {
			put_file("f", "some data", 9);
			chmod("f", 0666);
		}
		mkdir("d", 0777);
		mknod("null", S_IFCHR | 0666, 0x103);
		mknod("zero", S_IFCHR | 0666, 0x105);
		mkfifo("fifo", 0666);
		if (symlink("f", "link") && errno != EEXIST)
			failed++;
		for (int root = 0; root < 2; root++) {
			int r = run(nr, seed * 2654435761u + nr * 40503u + root + 1, steps, root);

			failed += r < 0;
			slow += r > 0;
		}
		calls++;
		while (waitpid(-1, NULL, WNOHANG) > 0)
			;
	}
	diag("%d calls swept, %d steps each as user and as root, %d children ended by force", calls,
	     steps, slow);
	is_int(failed, 0, "the sweep goes through all calls");
	ok(calls > 400 || only >= 0, "more than 400 of them");

	/* what must still work afterwards */
	pid_t pid = fork();

	if (pid == 0)
		_exit(7);
	is_exit(pid, 7, "processes can be made");
	put_file("after", "still here", 10);
	is_str(get_file("after"), "still here", "files work");
	ok(get_file("/proc/self/stat") != NULL, "proc works");
	int p[2];
	char c = 0;

	must(pipe(p));
	ok(write(p[1], "x", 1) == 1 && read(p[0], &c, 1) == 1 && c == 'x', "pipes work");
	return done();
}
