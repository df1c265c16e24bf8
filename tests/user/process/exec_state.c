/* SPDX-License-Identifier: MIT */
/* What exec keeps and drops: pid, cwd, umask, descriptors, comm, timers, suid and sgid bits. */
#include "../compat.h"
#include "../tap.h"
#include <sys/auxv.h>
#include <sys/mount.h>
#include <sys/prctl.h>

static int
child(char **argv)
{
	char buf[256];
	struct itimerval it;
	mode_t m = umask(022);

	if (!strcmp(argv[1], "state")) {
		int bad = 0;

		bad |= getpid() != atoi(argv[2]);
		bad |= (m != 027) << 1;
		bad |= (fcntl(100, F_GETFD) != -1 || errno != EBADF) << 2;
		bad |= (fcntl(101, F_GETFD) != 0) << 3;
		prctl(PR_GET_NAME, buf);
		bad |= (strcmp(buf, "a-long-program-") != 0) << 4;
		bad |= (getcwd(buf, sizeof(buf)) == NULL || strcmp(buf, argv[3])) << 5;
		getitimer(ITIMER_REAL, &it);
		bad |= (it.it_value.tv_sec < 50) << 6;
		bad |= (getpriority(PRIO_PROCESS, 0) != 7) << 7;
		return bad;
	}
	if (!strcmp(argv[1], "ids")) /* euid egid secure dumpable-free */
		return (geteuid() == 0) | (getegid() == 0) << 1 | (getauxval(AT_SECURE) != 0) << 2 |
		       (getuid() == 1000) << 3 | (getgid() == 1000) << 4;
	return 99;
}

static int
ids(const char *prog, int nnp)
{
	int st;
	pid_t pid = must(fork());

	if (pid == 0) {
		if (nnp)
			prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
		if (setgid(1000) || setuid(1000))
			_exit(100);
		execl(prog, "ids", "ids", NULL);
		_exit(101);
	}
	st = reap(pid);
	return WIFEXITED(st) ? WEXITSTATUS(st) : -1;
}

int
main(int argc, char **argv)
{
	struct itimerval it = { { 0, 0 }, { 100, 0 } };
	char num[16], name[] = "a-long-program-name";
	pid_t pid;
	int bad;

	if (argc > 1)
		return child(argv);
	scratch();
	copy_self(name, 0755);
	if ((pid = fork()) == 0) {
		sprintf(num, "%d", getpid());
		umask(027);
		fcntl(1, F_DUPFD_CLOEXEC, 100);
		dup2(1, 101);
		prctl(PR_SET_NAME, "renamed");
		setitimer(ITIMER_REAL, &it, NULL);
		setpriority(PRIO_PROCESS, 0, 7);
		execl(name, "x", "state", num, tap_dir, NULL);
		_exit(255);
	}
	bad = reap(pid);
	ok(WIFEXITED(bad) && WEXITSTATUS(bad) != 255, "exec worked");
	bad = WEXITSTATUS(bad);
	ok(!(bad & 1), "the pid stays");
	ok(!(bad & 2), "the umask stays");
	ok(!(bad & 4), "a close-on-exec descriptor is closed");
	ok(!(bad & 8), "another stays open");
	ok(!(bad & 16), "the name is the file's, 15 bytes");
	ok(!(bad & 32), "the directory stays");
	ok(!(bad & 64), "an interval timer goes on");
	ok(!(bad & 128), "the nice value stays");

	is_int(ids(name, 0), 8 | 16, "a plain program keeps a user's ids");
	must(chmod(name, 04755));
	is_int(ids(name, 0), 1 | 4 | 8 | 16, "set-user-id gives euid 0 and AT_SECURE");
	is_int(ids(name, 1), 8 | 16, "not with no_new_privs");
	must(chmod(name, 02755));
	is_int(ids(name, 0), 2 | 4 | 8 | 16, "set-group-id gives egid 0 and AT_SECURE");
	must(chmod(name, 02745));
	is_int(ids(name, 0), 8 | 16, "set-group-id without group x is not one");
	must(chmod(name, 06755));
	is_int(ids(name, 0), 1 | 2 | 4 | 8 | 16, "both bits");
	must(unshare(CLONE_NEWNS));
	must(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
	must(mkdir("m", 0755));
	must(mount("none", "m", "tmpfs", MS_NOSUID, NULL));
	copy_self("m/prog", 06755);
	is_int(ids("m/prog", 0), 8 | 16, "a nosuid mount ignores them");
	must(mount("none", "m", NULL, MS_REMOUNT | MS_NOEXEC, NULL));
	if ((pid = fork()) == 0) {
		execl("m/prog", "x", NULL);
		_exit(errno == EACCES ? 0 : 1);
	}
	is_exit(pid, 0, "a noexec mount refuses with EACCES");
	must(umount("m"));
	return done();
}
