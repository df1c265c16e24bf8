/* SPDX-License-Identifier: MIT */
/* poll, ppoll, select, pselect: readiness, time, masks, bad descriptors. */
#include "../compat.h"
#include "../tap.h"
#include <sys/select.h>

static volatile int hits;

static void
on(int s)
{
	(void)s;
	hits++;
}

int
main(void)
{
	struct pollfd pf[3];
	struct timespec ts = { 0, 40000000 }, bad = { 0, 1000000000 };
	struct timeval tv;
	fd_set r, w, e;
	sigset_t none;
	long long t0;
	int p[2], null, file;
	pid_t pid;

	scratch();
	must(pipe(p));
	null = must(open("/dev/null", O_RDWR));
	file = must(open("f", O_CREAT | O_RDWR, 0600));
	pf[0] = (struct pollfd){ p[0], POLLIN, 0 };
	is_int(poll(pf, 1, 0), 0, "an empty pipe");
	t0 = now_ms();
	is_int(poll(pf, 1, 40), 0, "a timeout");
	ok(now_ms() - t0 >= 40, "not before its time");
	pf[1] = (struct pollfd){ p[1], POLLOUT, 0 };
	pf[2] = (struct pollfd){ null, POLLIN | POLLOUT, 0 };
	is_int(poll(pf, 3, -1), 2, "two of three are ready");
	ok(pf[0].revents == 0 && pf[1].revents == POLLOUT && pf[2].revents == (POLLIN | POLLOUT),
	   "which");
	pf[0] = (struct pollfd){ file, POLLIN | POLLOUT | POLLPRI, 0 };
	is_int(poll(pf, 1, 0), 1, "a file");
	is_int(pf[0].revents, POLLIN | POLLOUT, "is always ready");
	pf[0] = (struct pollfd){ 999, POLLIN, 0 };
	is_int(poll(pf, 1, -1), 1, "a descriptor that is not open");
	is_int(pf[0].revents, POLLNVAL, "POLLNVAL");
	pf[0] = (struct pollfd){ -1, POLLIN, 77 };
	is_int(poll(pf, 1, 0), 0, "a negative one is skipped");
	is_int(pf[0].revents, 0, "its revents are 0");
	pf[0] = (struct pollfd){ p[0], 0, 0 };
	must(write(p[1], "x", 1));
	is_int(poll(pf, 1, 0), 0, "nothing asked for, nothing told");
	pf[0].events = POLLIN | POLLRDNORM;
	is_int(poll(pf, 1, 0), 1, "readable");
	is_int(pf[0].revents, POLLIN | POLLRDNORM, "POLLRDNORM goes with POLLIN");
	is_int(poll(NULL, 0, 10), 0, "no descriptors: a sleep");
	struct rlimit rl;
	getrlimit(RLIMIT_NOFILE, &rl);
	sys_err(syscall(SYS_poll, pf, rl.rlim_cur + 1, 0), EINVAL, "more than RLIMIT_NOFILE");
	sys_err(syscall(SYS_poll, at(8), 1, 0), EFAULT, "bad pointer");
	t0 = now_ms();
	pf[0] = (struct pollfd){ -1, 0, 0 };
	is_int(ppoll(pf, 1, &ts, NULL), 0, "ppoll timeout");
	ok(now_ms() - t0 >= 40, "not before its time");
	sys_err(ppoll(pf, 1, &bad, NULL), EINVAL, "bad nanoseconds");

	/* the mask of ppoll is in force only inside */
	handle(SIGUSR1, on, 0);
	block(SIGUSR1);
	raise(SIGUSR1);
	sigemptyset(&none);
	sys_err(ppoll(pf, 1, NULL, &none), EINTR, "ppoll with a mask that opens a pending signal");
	is_int(hits, 1, "the handler ran");
	raise(SIGUSR1);
	is_int(hits, 1, "and it is blocked again");
	sys_err(pselect(0, NULL, NULL, NULL, NULL, &none), EINTR, "pselect too");
	is_int(hits, 2, "the handler ran");
	if ((pid = fork()) == 0) {
		wait_state(getppid(), 'S');
		must(write(p[1], "y", 1));
		_exit(0);
	}
	must(read(p[0], &ts, 1));
	pf[0] = (struct pollfd){ p[0], POLLIN, 0 };
	is_int(poll(pf, 1, -1), 1, "poll is woken by data");
	reap(pid);

	FD_ZERO(&r);
	FD_ZERO(&w);
	FD_ZERO(&e);
	FD_SET(p[0], &r);
	FD_SET(null, &r);
	FD_SET(p[1], &w);
	FD_SET(p[0], &e);
	is_int(select(null + 1, &r, &w, &e, NULL), 3, "select counts bits");
	ok(FD_ISSET(p[0], &r) && FD_ISSET(null, &r) && FD_ISSET(p[1], &w) && !FD_ISSET(p[0], &e),
	   "which");
	must(read(p[0], &ts, 1));
	FD_ZERO(&r);
	FD_SET(p[0], &r);
	tv = (struct timeval){ 0, 30000 };
	t0 = now_ms();
	is_int(select(p[0] + 1, &r, NULL, NULL, &tv), 0, "select timeout");
	ok(now_ms() - t0 >= 30 && !FD_ISSET(p[0], &r), "not before its time, sets cleared");
	FD_SET(40, &r);
	sys_err(select(41, &r, NULL, NULL, NULL), EBADF, "a descriptor that is not open");
	sys_err(syscall(SYS_select, -1, NULL, NULL, NULL, NULL), EINVAL, "negative count");
	tv = (struct timeval){ 0, -1 };
	sys_err(syscall(SYS_select, 0, NULL, NULL, NULL, &tv), EINVAL, "negative time");
	sys_err(syscall(SYS_select, 1, at(8), NULL, NULL, NULL), EFAULT, "bad pointer of select");
	close(p[1]);
	FD_ZERO(&r);
	FD_SET(p[0], &r);
	is_int(select(p[0] + 1, &r, NULL, NULL, NULL), 1, "end of file is readable");
	return done();
}
