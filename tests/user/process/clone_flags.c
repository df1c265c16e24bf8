/* SPDX-License-Identifier: MIT */
/* clone: every flag by its effect, and the combinations that are refused. */
#include "../compat.h"
#include "../tap.h"

static volatile int *mem;
static volatile int plain;
static char stack[65536] __attribute__((aligned(16)));
static int fd0, ptid, ctid, pidfd = -1;

static void
noop(int s)
{
	(void)s;
}

static int
child(void *arg)
{
	switch ((long)arg) {
	case 1: plain = 5; break;
	case 2: close(fd0); break;
	case 3:
		if (chdir("/"))
			return 1;
		umask(077);
		break;
	case 4: signal(SIGUSR1, SIG_IGN); break;
	case 5: mem[0] = getppid(); break;
	case 6:
		mem[1] = ctid;
		mem[2] = ptid;
		break;
	case 7:
		for (;;)
			pause();
	}
	return 0;
}

static pid_t
go(long what, int flags)
{
	return clone(child, stack + sizeof(stack), flags, (void *)what, &ptid, NULL, &ctid);
}

static long
raw(unsigned long flags)
{
	return syscall(SYS_clone, flags, NULL, NULL, NULL, NULL);
}

int
main(void)
{
	struct sigaction sa;
	char cwd[256];
	mode_t um = umask(022);
	int st;
	pid_t pid;

	(void)um;
	scratch();
	mem = shared_alloc(4096);
	plain = 1;
	pid = go(1, SIGCHLD);
	is_exit(pid, 0, "no flag");
	is_int(plain, 1, "memory is copied without CLONE_VM");
	is_exit(go(1, CLONE_VM | SIGCHLD), 0, "CLONE_VM");
	is_int(plain, 5, "memory is shared with CLONE_VM");

	fd0 = must(dup(1));
	is_exit(go(2, SIGCHLD), 0, "a child closes a descriptor");
	sys_ok(fcntl(fd0, F_GETFD), "the table is copied without CLONE_FILES");
	is_exit(go(2, CLONE_FILES | SIGCHLD), 0, "CLONE_FILES");
	sys_err(fcntl(fd0, F_GETFD), EBADF, "the table is shared with it");

	is_exit(go(3, SIGCHLD), 0, "a child changes directory and umask");
	ok(strcmp(getcwd(cwd, sizeof(cwd)), "/") != 0, "copied without CLONE_FS");
	is_exit(go(3, CLONE_FS | SIGCHLD), 0, "CLONE_FS");
	is_str(getcwd(cwd, sizeof(cwd)), "/", "the directory is shared with it");
	is_int(umask(022), 077, "so is the umask");
	must(chdir(tap_dir));

	handle(SIGUSR1, noop, 0);
	is_exit(go(4, SIGCHLD), 0, "a child ignores a signal");
	sigaction(SIGUSR1, NULL, &sa);
	ok(sa.sa_handler == noop, "actions are copied without CLONE_SIGHAND");
	is_exit(go(4, CLONE_VM | CLONE_SIGHAND | SIGCHLD), 0, "CLONE_SIGHAND");
	sigaction(SIGUSR1, NULL, &sa);
	ok(sa.sa_handler == SIG_IGN, "actions are shared with it");
	handle(SIGUSR1, noop, 0);
	is_exit(go(4, CLONE_VM | CLONE_CLEAR_SIGHAND * 0 | SIGCHLD), 0, "CLONE_VM alone");
	sigaction(SIGUSR1, NULL, &sa);
	ok(sa.sa_handler == noop, "does not share actions");

	is_exit(go(5, SIGCHLD), 0, "parent of a child");
	is_int(mem[0], getpid(), "is the caller");
	if ((pid = fork()) == 0) {
		pid = go(5, CLONE_PARENT | SIGCHLD);
		mem[3] = pid;
		_exit(waitpid(pid, NULL, 0) == -1 && errno == ECHILD ? 0 : 1);
	}
	is_exit(pid, 0, "CLONE_PARENT: the caller cannot wait for it");
	is_exit(mem[3], 0, "the caller's parent can");
	is_int(mem[0], getpid(), "it is the sibling's getppid");

	ptid = ctid = 0;
	pid = go(6, CLONE_PARENT_SETTID | CLONE_CHILD_SETTID | SIGCHLD);
	is_exit(pid, 0, "CLONE_PARENT_SETTID and CLONE_CHILD_SETTID");
	is_int(ptid, pid, "the parent's word holds the tid");
	is_int(mem[1], pid, "the child's word holds it in the child");
	is_int(ctid, 0, "and not in the parent");
	ctid = 99;
	pid = go(0, CLONE_VM | CLONE_CHILD_CLEARTID | SIGCHLD);
	is_exit(pid, 0, "CLONE_CHILD_CLEARTID");
	is_int(ctid, 0, "the word is zero after exit");

	handle(SIGUSR2, noop, 0);
	pid = go(0, SIGUSR2);
	ok(pid > 0, "an exit signal other than SIGCHLD");
	wait_state(pid, 'Z');
	sys_err(waitpid(pid, &st, WNOHANG), ECHILD, "plain wait does not see such a child");
	is_int(waitpid(pid, &st, __WCLONE), pid, "__WCLONE does");
	pid = go(0, 0);
	is_int(waitpid(pid, &st, __WALL), pid, "__WALL sees a child without exit signal");
	pid = go(0, SIGCHLD);
	sys_err(waitpid(pid, &st, __WCLONE), ECHILD, "__WCLONE does not see an ordinary child");
	reap(pid);

	plain = 1;
	pid = go(1, CLONE_VM | CLONE_VFORK | SIGCHLD);
	is_int(plain, 5, "CLONE_VFORK: the child has run when clone returns");
	reap(pid);
	pid = clone(child, stack + sizeof(stack), CLONE_PIDFD | SIGCHLD, (void *)7, &pidfd);
	ok(pid > 0 && pidfd >= 0, "CLONE_PIDFD gives a descriptor");
	ok(fcntl(pidfd, F_GETFD) == FD_CLOEXEC, "close-on-exec");
	sys_ok(syscall(SYS_pidfd_send_signal, pidfd, SIGTERM, NULL, 0),
	       "that can signal the child");
	is_killed(pid, SIGTERM, "and ended it");
	is_exit(go(0, CLONE_SYSVSEM | CLONE_IO | CLONE_UNTRACED | SIGCHLD), 0,
		"SYSVSEM, IO, UNTRACED are accepted");

	sys_err(raw(CLONE_SIGHAND | SIGCHLD), EINVAL, "SIGHAND without VM");
	sys_err(raw(CLONE_THREAD | CLONE_VM | SIGCHLD), EINVAL, "THREAD without SIGHAND");
	sys_err(raw(CLONE_FS | CLONE_NEWNS | SIGCHLD), EINVAL, "FS with NEWNS");
	sys_err(raw(CLONE_THREAD | CLONE_SIGHAND | CLONE_VM | CLONE_NEWPID), EINVAL,
		"THREAD with NEWPID");
	sys_err(raw(CLONE_PIDFD | CLONE_PARENT_SETTID | SIGCHLD), EINVAL,
		"PIDFD with PARENT_SETTID");
	sys_err(raw(CLONE_PIDFD | CLONE_DETACHED | SIGCHLD), EINVAL, "PIDFD with DETACHED");
	return done();
}
