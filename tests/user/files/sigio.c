/* SPDX-License-Identifier: MIT */
/* O_ASYNC: F_SETOWN, F_SETOWN_EX, F_SETSIG and what SIGIO tells. */
#include "../compat.h"
#include "../tap.h"
#include <sys/socket.h>

static volatile int count, sig, code, band, sfd;

static void
on(int s, siginfo_t *si, void *uc)
{
	(void)uc;
	sig = s;
	code = si->si_code;
	band = si->si_band;
	sfd = si->si_fd;
	count++;
}

static int
wait_count(int n)
{
	for (int i = 0; i < 1000 && count < n; i++)
		sleep_ms(2);
	return count;
}

int
main(void)
{
	struct kt_owner_ex ox = { KT_OWNER_TID, 0 }, oy;
	int s[2], p[2];
	char buf[8];

	setpgid(0, 0); /* the group is signalled below */
	handle_info(SIGIO, on, 0);
	handle_info(SIGRTMIN + 1, on, 0);
	must(socketpair(AF_UNIX, SOCK_STREAM, 0, s));
	is_int(fcntl(s[0], F_GETOWN), 0, "no owner at first");
	sys_ok(fcntl(s[0], F_SETOWN, getpid()), "F_SETOWN");
	is_int(fcntl(s[0], F_GETOWN), getpid(), "F_GETOWN");
	must(write(s[1], "x", 1));
	sleep_ms(10);
	is_int(count, 0, "no signal without O_ASYNC");
	must(read(s[0], buf, 8));
	sys_ok(fcntl(s[0], F_SETFL, O_ASYNC), "O_ASYNC");
	ok(fcntl(s[0], F_GETFL) & O_ASYNC, "is shown");
	must(write(s[1], "x", 1));
	is_int(wait_count(1), 1, "one signal for data");
	is_int(sig, SIGIO, "SIGIO");
	must(read(s[0], buf, 8));
	count = 0;
	is_int(fcntl(s[0], F_GETSIG), 0, "F_GETSIG: 0 means SIGIO");
	sys_ok(fcntl(s[0], F_SETSIG, SIGRTMIN + 1), "F_SETSIG");
	is_int(fcntl(s[0], F_GETSIG), SIGRTMIN + 1, "reads back");
	must(write(s[1], "x", 1));
	wait_count(1);
	is_int(sig, SIGRTMIN + 1, "that signal is sent");
	is_int(code, POLL_IN, "si_code POLL_IN");
	ok(band & POLLIN, "si_band has POLLIN");
	is_int(sfd, s[0], "si_fd is the descriptor");
	sys_err(fcntl(s[0], F_SETSIG, 65), EINVAL, "a bad signal");
	ox.pid = kt_gettid();
	sys_ok(fcntl(s[0], F_SETOWN_EX, &ox), "F_SETOWN_EX");
	sys_ok(fcntl(s[0], F_GETOWN_EX, &oy), "F_GETOWN_EX");
	ok(oy.type == KT_OWNER_TID && oy.pid == ox.pid, "reads back");
	ox.type = 9;
	sys_err(fcntl(s[0], F_SETOWN_EX, &ox), EINVAL, "a bad type");
	ox = (struct kt_owner_ex){ KT_OWNER_PID, 0x3fffffff };
	sys_err(fcntl(s[0], F_SETOWN_EX, &ox), ESRCH, "an owner that does not exist");
	sys_ok(fcntl(s[0], F_SETOWN, -getpgrp()), "a group as owner");
	is_int(fcntl(s[0], F_GETOWN), -getpgrp(), "is negative");
	must(fcntl(s[0], F_SETOWN, 0));
	must(pipe(p));
	must(fcntl(p[0], F_SETOWN, getpid()));
	must(fcntl(p[0], F_SETFL, O_ASYNC));
	count = 0;
	must(write(p[1], "x", 1));
	is_int(wait_count(1), 1, "a pipe signals too");
	is_int(sig, SIGIO, "with SIGIO");
	must(fcntl(p[0], F_SETFL, 0));
	must(read(p[0], buf, 1));
	count = 0;
	must(write(p[1], "x", 1));
	sleep_ms(10);
	is_int(count, 0, "not after O_ASYNC is taken away");
	return done();
}
