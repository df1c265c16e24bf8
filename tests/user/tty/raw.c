/* SPDX-License-Identifier: MIT */
/* Non-canonical input: VMIN and VTIME in all four combinations. */
#include "pty.h"

static char buf[8192];

/* A child that types text after some ms. */
static pid_t
later(int ms, const char *text)
{
	pid_t pid = must(fork());

	if (pid == 0) {
		sleep_ms(ms);
		type(text);
		_exit(0);
	}
	return pid;
}

int
main(void)
{
	long long t0, took;
	struct pollfd pf;
	pid_t pid;
	int n;

	pty_open();
	pf = (struct pollfd){ ps, POLLIN, 0 };
	pty_raw(1, 0);
	type("\003\032\034\r\n\177\004\021\023\377");
	n = 0;
	while (n < 10 && readable(ps, 2000))
		n += read(ps, buf + n, 100);
	ok(n == 10 && memcmp(buf, "\003\032\034\r\n\177\004\021\023\377", 10) == 0,
	   "raw: every byte comes as it is");

	/* MIN 0, TIME 0: never waits */
	pty_raw(0, 0);
	is_int(read(ps, buf, 10), 0, "MIN 0 TIME 0: nothing there, 0 at once");
	type("ab");
	readable(ps, 2000);
	is_int(read(ps, buf, 10), 2, "what is there");

	/* MIN 0, TIME > 0: the time limit is for the whole read */
	pty_raw(0, 1);
	t0 = now_ms();
	is_int(read(ps, buf, 10), 0, "MIN 0 TIME 1: 0 after a tenth of a second");
	took = now_ms() - t0;
	ok(took >= 95, "not before");
	pty_raw(0, 50);
	pid = later(30, "x");
	t0 = now_ms();
	is_int(read(ps, buf, 10), 1, "MIN 0 TIME 50: one byte ends it");
	ok(now_ms() - t0 < 4000, "before the time is over");
	reap(pid);

	/* MIN > 0, TIME 0: waits for MIN bytes */
	pty_raw(3, 0);
	pid = later(10, "ab");
	sleep_ms(50);
	is_int(poll(&pf, 1, 0), 0, "MIN 3: two bytes are not readable for poll");
	reap(pid);
	pid = later(30, "cd");
	is_int(read(ps, buf, 10), 4, "MIN 3 TIME 0: waits for three, gives what is there");
	reap(pid);
	type("xyz12");
	readable(ps, 2000);
	is_int(read(ps, buf, 2), 2, "a small buffer is enough when it is full");
	is_int(read(ps, buf, 10), 3, "the rest");
	must(fcntl(ps, F_SETFL, O_NONBLOCK));
	sys_err(read(ps, buf, 10), EAGAIN, "O_NONBLOCK: EAGAIN");
	type("q");
	for (n = -1; n < 0;)
		n = read(ps, buf, 10);
	is_int(n, 1, "O_NONBLOCK: does not wait for MIN");
	must(fcntl(ps, F_SETFL, 0));

	/* MIN > 0, TIME > 0: the time runs between bytes, from the first one on */
	pty_raw(5, 2);
	pid = later(300, "ab");
	t0 = now_ms();
	is_int(read(ps, buf, 10), 2, "MIN 5 TIME 2: the first byte starts the time");
	took = now_ms() - t0;
	ok(took >= 490, "300 ms without a byte, then 200 more");
	reap(pid);
	pty_raw(3, 20);
	pid = later(10, "abc");
	t0 = now_ms();
	is_int(read(ps, buf, 10), 3, "MIN reached ends it at once");
	ok(now_ms() - t0 < 1900, "without waiting for the time");
	reap(pid);

	/* large amounts pass without loss */
	pty_raw(1, 0);
	if ((pid = fork()) == 0) {
		for (int i = 0; i < 50000; i += n) {
			char out[500];

			for (int k = 0; k < 500; k++)
				out[k] = (i + k) % 251;
			n = write(pm, out, 50000 - i < 500 ? 50000 - i : 500);
			if (n <= 0)
				_exit(1);
		}
		_exit(0);
	}
	int total = 0, bad = 0;
	while (total < 50000 && (n = readable(ps, 5000) ? read(ps, buf, sizeof(buf)) : 0) > 0)
		for (int i = 0; i < n; i++, total++)
			bad += (unsigned char)buf[i] != total % 251;
	ok(total == 50000 && bad == 0, "50000 bytes arrive in order");
	is_exit(pid, 0, "the writer was held back, not refused");
	return done();
}
