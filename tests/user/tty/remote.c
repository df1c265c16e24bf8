/* SPDX-License-Identifier: MIT */
/* An editor at the other side (EXTPROC), output held by tcflow, and the console on a pty
 * (TIOCCONS). */
#include "pty.h"

#ifndef EXTPROC
#define EXTPROC 0200000
#endif

static char buf[64];

static void
edited_elsewhere(void)
{
	int n;

	pty_flags(0, 0, 0, 0, 0, EXTPROC);
	type("de\177\003\r");
	is_int(readable(ps, 2000) ? read(ps, buf, sizeof(buf)) : -1, 5,
	       "EXTPROC: no line need end");
	is_mem(buf, "de\177\003\r", 5, "nothing is edited, mapped or a signal");
	ok(nothing(pm), "nor echoed");
	type("\004");
	is_int(readable(ps, 2000) ? read(ps, buf, sizeof(buf)) : -1, 0,
	       "VEOF alone is an end of file");
	type("\004a");
	sleep_ms(30);
	ok(ioctl(ps, FIONREAD, &n) == 0 && n == 2, "FIONREAD counts bytes");
	is_int(read(ps, buf, sizeof(buf)), 2, "VEOF with others is not");
	n = 1;
	must(ioctl(pm, TIOCPKT, &n));
	pty_flags(0, 0, 0, 0, ECHOE, 0);
	is_int(read(pm, buf, sizeof(buf)), 1, "packet mode tells of changed settings");
	is_int(buf[0] & 0xff, TIOCPKT_IOCTL, "as such");
	n = 0;
	must(ioctl(pm, TIOCPKT, &n));
	pty_flags(0, 0, 0, 0, EXTPROC, 0);
}

static int
writable(void)
{
	struct pollfd pf = { ps, POLLOUT, 0 };

	return poll(&pf, 1, 0) == 1 && write(ps, "z", 1) == 1;
}

static void
held_output(void)
{
	must(fcntl(ps, F_SETFL, O_NONBLOCK));
	pty_flags(0, IXON | IXANY, 0, 0, ECHO, 0);
	must(tcflow(ps, TCOOFF));
	sys_err(write(ps, "z", 1), EAGAIN, "TCOOFF holds output");
	type("\021a");
	sleep_ms(30);
	sys_err(write(ps, "z", 1), EAGAIN, "no key lets it go on");
	must(tcflow(ps, TCOON));
	ok(writable(), "TCOON does");
	type("\023");
	sleep_ms(30);
	must(tcflow(ps, TCOON));
	sys_err(write(ps, "z", 1), EAGAIN, "but not what ^S stopped");
	type("\021");
	sleep_ms(30);
	ok(writable(), "which ^Q does");
	must(fcntl(ps, F_SETFL, 0));
	is_screen("zz", "what was written comes");
}

/* Our own output may be the console's: nothing is said until it is given back. */
static void
console_on_a_pty(void)
{
	int con = open("/dev/console", O_WRONLY | O_NOCTTY), twice, back, again, renewed;

	if (con < 0 || geteuid() != 0 || ioctl(ps, TIOCCONS, 0)) {
		skip("no console to take", "TIOCCONS takes the console over");
		return;
	}
	must(write(con, "mine", 4));
	twice = ioctl(ps, TIOCCONS, 0) ? errno : 0;
	back = ioctl(con, TIOCCONS, 0);
	is_screen("mine", "TIOCCONS takes the console over");
	is_int(twice, EBUSY, "once");
	is_int(back, 0, "the console takes itself back");
	again = ioctl(ps, TIOCCONS, 0);
	close(ps);
	close(pm);
	pty_open();
	renewed = ioctl(ps, TIOCCONS, 0);
	must(ioctl(con, TIOCCONS, 0));
	is_int(again, 0, "it can be taken again");
	is_int(renewed, 0, "a hang-up gives it back");
	close(con);
}

int
main(void)
{
	pty_open();
	edited_elsewhere();
	held_output();
	console_on_a_pty();
	return done();
}
