/* SPDX-License-Identifier: MIT */
/* Output processing, flow control, draining and flushing. */
#include "pty.h"

static void
put(const char *s)
{
	must(write(ps, s, strlen(s)) == (ssize_t)strlen(s) ? 0 : -1);
}

int
main(void)
{
	struct termios t;
	char buf[100];
	int n;
	pid_t pid;

	pty_open();
	pty_flags(0, 0, 0, 0, ECHO, 0);
	put("a\n");
	is_screen("a\r\n", "ONLCR");
	pty_flags(0, 0, ONLCR, 0, 0, 0);
	put("a\n");
	is_screen("a\n", "without");
	pty_flags(0, 0, 0, OCRNL, 0, 0);
	put("a\r");
	is_screen("a\n", "OCRNL");
	pty_flags(0, 0, OCRNL, 0, 0, 0);
	put("\r");
	screen(1);
	pty_flags(0, 0, 0, ONOCR, 0, 0);
	put("\r");
	is_screen("", "ONOCR: no return at column 0");
	put("x\r");
	is_screen("x\r", "elsewhere it is sent");
	pty_flags(0, 0, ONOCR, OLCUC, 0, 0);
	put("abc");
	is_screen("ABC", "OLCUC");
	pty_flags(0, 0, OLCUC, TAB3, 0, 0);
	put("\r\tx");
	is_screen("\r        x", "tabs as spaces");
	put("\ty");
	is_screen("       y", "to the next stop");
	pty_flags(0, 0, TAB3, ONLCR, 0, 0);
	pty_flags(0, 0, OPOST, 0, 0, 0);
	put("a\n\t\r");
	is_screen("a\n\t\r", "without OPOST all passes unchanged");
	pty_flags(0, 0, 0, OPOST, 0, 0);

	/* IXON: the keyboard stops and starts output */
	pty_flags(0, IXON, 0, 0, 0, 0);
	type("\023");
	sleep_ms(50);
	must(fcntl(ps, F_SETFL, O_NONBLOCK));
	n = write(ps, "held", 4);
	ok(n == -1 && errno == EAGAIN, "stopped by VSTOP: EAGAIN");
	must(fcntl(ps, F_SETFL, 0));
	if ((pid = fork()) == 0)
		_exit(write(ps, "held", 4) == 4 ? 0 : 1);
	wait_state(pid, 'S');
	ok(nothing(pm), "a writer waits");
	type("\021");
	is_exit(pid, 0, "VSTART lets it go");
	is_screen("held", "its output comes");
	type("\023\021");
	ok(nothing(ps), "they are not input");
	pty_flags(0, IXANY, 0, 0, ICANON, 0);
	type("\023");
	sleep_ms(50);
	if ((pid = fork()) == 0)
		_exit(write(ps, "any", 3) == 3 ? 0 : 1);
	wait_state(pid, 'S');
	type("k");
	is_exit(pid, 0, "IXANY: any key starts it");
	is_screen("any", "its output comes");
	readable(ps, 1000);
	is_int(read(ps, buf, 10), 1, "and the key is input");
	pty_flags(IXON | IXANY, 0, 0, 0, 0, ICANON);
	type("\023x\n");
	is_str(line(), "\023x\n", "without IXON it is input");
	sys_ok(tcflow(ps, TCOOFF), "TCOOFF");
	if ((pid = fork()) == 0)
		_exit(write(ps, "flow", 4) == 4 ? 0 : 1);
	wait_state(pid, 'S');
	ok(nothing(pm), "suspends output");
	sys_ok(tcflow(ps, TCOON), "TCOON");
	is_exit(pid, 0, "resumes it");
	is_screen("flow", "its output comes");

	/* attributes with draining and flushing */
	must(tcgetattr(ps, &t));
	type("pending\n");
	readable(ps, 2000);
	sys_ok(tcsetattr(ps, TCSADRAIN, &t), "TCSADRAIN");
	is_str(line(), "pending\n", "keeps input");
	type("gone\n");
	readable(ps, 2000);
	sys_ok(tcsetattr(ps, TCSAFLUSH, &t), "TCSAFLUSH");
	ok(nothing(ps), "throws input away");
	put("out");
	sys_ok(tcdrain(ps), "tcdrain");
	is_screen("out", "all is out");
	put("flushed");
	sys_ok(tcflush(ps, TCOFLUSH), "TCOFLUSH");
	sys_ok(tcflush(ps, TCIOFLUSH), "TCIOFLUSH");
	sys_err(tcflush(ps, 99), EINVAL, "unknown queue");
	sys_err(tcflow(ps, 99), EINVAL, "unknown flow action");
	screen(0);
	sys_ok(tcsendbreak(ps, 0), "tcsendbreak");
	ok(ioctl(ps, TIOCOUTQ, &n) == 0 && n == 0, "TIOCOUTQ");

	/* a full screen holds the writer back */
	must(fcntl(ps, F_SETFL, O_NONBLOCK));
	static char big[4096];
	memset(big, 'b', sizeof(big));
	int total = 0, got = 0;
	for (int still = 0;
	     still < 3 && total < 10000000;) { /* it may drain into the master at first */
		n = write(ps, big, sizeof(big));
		still = n > 0 ? 0 : still + 1;
		total += n > 0 ? n : 0;
		if (n < 0)
			sleep_ms(20);
	}
	ok(n == -1 && errno == EAGAIN && total >= 4096,
	   "nobody reads: EAGAIN after some kilobytes");
	struct pollfd pf = { ps, POLLOUT, 0 };
	is_int(poll(&pf, 1, 0), 0, "not writable for poll");
	while (readable(pm, 200) && (n = read(pm, big, sizeof(big))) > 0)
		got += n;
	is_int(got, total, "every byte arrives");
	is_int(poll(&pf, 1, 1000), 1, "writable again");
	return done();
}
