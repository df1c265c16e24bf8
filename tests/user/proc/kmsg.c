/* SPDX-License-Identifier: MIT */
/*
 * /proc/kmsg: the position of all its readers is one, with syslog(2)'s. Reading takes records away
 * from everybody, so that is tried only on a machine that was booted for the tests.
 */
#include "../tap.h"
#include <poll.h>
#include <sys/klog.h>

int
main(void)
{
	static char buf[65536];
	struct pollfd p = { .events = POLLIN };
	struct stat st;
	ssize_t n, r;
	pid_t pid;
	int fd, log;

	must(stat("/proc/kmsg", &st));
	is_int(st.st_mode, S_IFREG | 0400, "for root only");
	if ((pid = fork()) == 0) {
		if (setgid(1000) || setuid(1000))
			_exit(1);
		_exit(open("/proc/kmsg", O_RDONLY) == -1 && errno == EACCES ? 0 : 2);
	}
	is_exit(pid, 0, "not for users");
	if (access("/tests/list", F_OK))
		return done();
	p.fd = fd = must(open("/proc/kmsg", O_RDONLY | O_NONBLOCK));
	log = must(open("/dev/kmsg", O_WRONLY));
	while (read(fd, buf, sizeof(buf)) > 0)
		;
	is_int(poll(&p, 1, 0), 0, "all read: not readable");
	sys_err(read(fd, buf, sizeof(buf)), EAGAIN, "and nothing to read");
	sys_err(read(fd, buf, 0), EAGAIN, "not even nothing");
	is_int(klogctl(9, NULL, 0), 0, "syslog has nothing unread either");
	must(write(log, "<14>proc/kmsg test line", 23));
	is_int(poll(&p, 1, 1000), 1, "a record makes it readable");
	ok(klogctl(9, NULL, 0) > 0, "syslog sees the same");
	is_int(read(fd, buf, 0), 0, "reading nothing");
	for (n = 0; n < (ssize_t)sizeof(buf) - 1 && (r = read(fd, buf + n, 7)) > 0; n += r)
		;
	buf[n] = 0;
	ok(buf[0] == '<' && strstr(buf, "proc/kmsg test line\n"), "a line in small parts");
	sys_err(read(fd, buf, 1), EAGAIN, "is read once");
	if ((pid = fork()) == 0) {
		sleep_ms(50);
		_exit(write(log, "<14>wake up", 11) == 11 ? 0 : 1);
	}
	must(fcntl(fd, F_SETFL, 0));
	ok(read(fd, buf, sizeof(buf)) > 0, "a reader waits for the next");
	is_exit(pid, 0, "which comes");
	must(write(log, "<14>again", 9));
	sys_err(read(fd, at(8), 100), EFAULT, "bad pointer");
	return done();
}
