/* SPDX-License-Identifier: MIT */
/* fork: identity, copies, shared file offsets, what a child does not inherit. */
#include "../tap.h"
#include <sys/file.h>
#include <sys/times.h>

int
main(void)
{
	static int value = 1;
	struct itimerval it = { { 0, 0 }, { 100, 0 } }, left;
	struct flock fl = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	struct tms tms;
	char buf[16];
	pid_t me = getpid(), parent = getppid(), *slot = shared_alloc(4096), pid;
	int fd, p[2], bad;

	scratch();
	put_file("f", "0123456789", 10);
	fd = must(open("f", O_RDWR));
	must(fcntl(fd, F_SETLK, &fl));
	must(setitimer(ITIMER_REAL, &it, NULL));
	must(pipe(p));
	pid = fork();
	if (pid == 0) {
		slot[0] = getpid();
		slot[1] = getppid();
		slot[2] = (pid_t)syscall(SYS_gettid);
		value = 2;
		bad = read(fd, buf, 4) != 4;
		bad |= (getitimer(ITIMER_REAL, &left) || left.it_value.tv_sec) << 1;
		bad |= (fcntl(fd, F_SETLK, &fl) == 0) << 2;
		bad |= (alarm(0) != 0) << 3;
		times(&tms);
		bad |= (tms.tms_cutime || tms.tms_cstime) << 4;
		close(p[0]);
		if (write(p[1], "c", 1) != 1)
			bad |= 1 << 5;
		_exit(bad);
	}
	ok(pid > 0, "fork gives the parent a pid");
	bad = reap(pid);
	ok(WIFEXITED(bad), "the child exits");
	bad = WEXITSTATUS(bad);
	is_int(slot[0], pid, "it is the child's getpid");
	is_int(slot[1], me, "the child's getppid is the parent");
	is_int(slot[2], pid, "the child's thread id is its pid");
	ok(getpid() == me && getppid() == parent, "the parent's own are unchanged");
	is_int(value, 1, "memory is copied");
	ok(!(bad & 1) && lseek(fd, 0, SEEK_CUR) == 4, "the file offset is shared");
	ok(!(bad & 2), "interval timers are not inherited");
	ok(!(bad & 4), "POSIX locks are not inherited");
	ok(!(bad & 8), "alarms are not inherited");
	ok(!(bad & 16), "children's times start at 0");
	is_int(read(p[0], buf, 1), 1, "pipes are inherited");
	close(p[1]);
	is_int(read(p[0], buf, 1), 0, "and closed with the child");
	for (bad = 0, pid = 0; pid < 256; pid += 51) {
		pid_t c = fork();

		if (c == 0)
			_exit(pid);
		bad += WEXITSTATUS(reap(c)) != pid;
	}
	is_int(bad, 0, "exit codes 0, 51 ... 255 arrive");
	if ((pid = fork()) == 0)
		_exit(0x1234);
	is_exit(pid, 0x34, "only the low eight bits count");
	if ((pid = fork()) == 0)
		_exit(-1);
	is_exit(pid, 255, "-1 becomes 255");
	return done();
}
