/* SPDX-License-Identifier: MIT */
/* An epoll set, and a descriptor with O_ASYNC, that outlive the process whose signals they watch.
 */
#include "../tap.h"
#include <sys/epoll.h>
#include <sys/signalfd.h>

#define CHILDREN 40

/* A child makes the set watch its own signals through the shared signalfd, and dies. */
static void
watch_and_die(int set, int sfd)
{
	struct epoll_event ev = { .events = EPOLLIN };
	pid_t pid = must(fork());

	if (!pid) {
		if (epoll_ctl(set, EPOLL_CTL_ADD, sfd, &ev))
			_exit(1);
		fcntl(sfd, F_SETOWN, getpid());
		fcntl(sfd, F_SETFL, fcntl(sfd, F_GETFL) | O_ASYNC);
		kill(getpid(), SIGUSR1);
		_exit(epoll_wait(set, &ev, 1, 0) == 1 ? 0 : 2);
	}
	is_exit(pid, 0, "a child hears of its own signal");
}

int
main(void)
{
	int sets[CHILDREN], fds[CHILDREN];
	sigset_t mask;

	sigemptyset(&mask);
	sigaddset(&mask, SIGUSR1);
	must(sigprocmask(SIG_BLOCK, &mask, NULL));
	for (int i = 0; i < CHILDREN; i++) {
		sets[i] = must(epoll_create1(0));
		fds[i] = must(signalfd(-1, &mask, SFD_NONBLOCK));
		watch_and_die(sets[i], fds[i]);
	}
	/* Let the memory of the dead be used anew. */
	for (int i = 0; i < 200; i++) {
		pid_t pid = must(fork());

		if (!pid)
			_exit(0);
		must(waitpid(pid, NULL, 0));
	}
	for (int i = 0; i < CHILDREN; i++) {
		fcntl(fds[i], F_SETFL, 0);
		close(i & 1 ? sets[i] : fds[i]);
		close(i & 1 ? fds[i] : sets[i]);
	}
	ok(1, "sets and descriptors go");
	return done();
}
