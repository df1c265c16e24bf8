/* SPDX-License-Identifier: MIT */
/* poll of /proc/self/mounts and mountinfo: POLLPRI and POLLERR once for each change. */
#include "../compat.h"
#include "../tap.h"
#include <sys/epoll.h>
#include <sys/mount.h>

static int
polled(int fd, int ms)
{
	struct pollfd pf = { fd, POLLPRI, 0 };

	return poll(&pf, 1, ms) == 1 ? pf.revents : 0;
}

int
main(void)
{
	static const char *const names[] = { "/proc/self/mounts", "/proc/self/mountinfo" };
	struct epoll_event ev = { .events = EPOLLPRI };
	int fd[2], ep;
	pid_t pid;

	scratch();
	must(mkdir("m", 0755));
	if (unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL)) {
		skip("may not mount", "poll of mounts");
		return done();
	}
	for (int i = 0; i < 2; i++) {
		struct pollfd pf;

		fd[i] = must(open(names[i], O_RDONLY));
		pf = (struct pollfd){ fd[i], POLLIN | POLLOUT | POLLPRI, 0 };
		must(poll(&pf, 1, 0));
		is_int(pf.revents, POLLIN, "%s is readable only", names[i]);
	}
	must(mount("t", "m", "tmpfs", 0, NULL));
	for (int i = 0; i < 2; i++) {
		is_int(polled(fd[i], 0), POLLPRI | POLLERR, "%s: a mount is told", names[i]);
		is_int(polled(fd[i], 0), 0, "once");
	}
	pid = must(fork());
	if (pid == 0) {
		sleep_ms(50);
		must(umount("m"));
		_exit(0);
	}
	is_int(polled(fd[0], 5000), POLLPRI | POLLERR, "an unmount wakes who waits");
	reap(pid);
	is_int(polled(fd[1], 0), POLLPRI | POLLERR, "and is told to the other");
	ep = must(epoll_create1(0));
	must(epoll_ctl(ep, EPOLL_CTL_ADD, fd[1], &ev));
	is_int(epoll_wait(ep, &ev, 1, 0), 0, "epoll: nothing yet");
	pid = must(fork());
	if (pid == 0) {
		sleep_ms(50);
		must(mount("t", "m", "tmpfs", 0, NULL));
		_exit(0);
	}
	is_int(epoll_wait(ep, &ev, 1, 5000), 1, "epoll hears of a mount");
	is_int(ev.events, EPOLLPRI | EPOLLERR, "as such");
	reap(pid);
	pid = must(fork());
	if (pid == 0) {
		must(unshare(CLONE_NEWNS));
		must(umount("m"));
		_exit(0);
	}
	reap(pid);
	is_int(polled(fd[0], 0), POLLPRI | POLLERR, "the mount before");
	is_int(polled(fd[0], 50), 0, "what happens in another namespace is not told");
	umount("m");
	return done();
}
