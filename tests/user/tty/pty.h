/* SPDX-License-Identifier: MIT */
/*
 * pty.h - a pseudo-terminal pair for the terminal tests.
 *
 * The program plays the keyboard and the screen at `pm` (master) and the reader at `ps` (slave).
 * What goes through the line discipline may take a moment, so every read has a time limit; that
 * nothing comes is checked with a short one.
 */
#ifndef PTY_H
#define PTY_H

#include "../compat.h"
#include "../tap.h"
#include <termios.h>

static int pm = -1, ps = -1;

static TAP_UNUSED void
pty_open(void)
{
	char name[64];

	pm = must(posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC));
	must(grantpt(pm));
	must(unlockpt(pm));
	must(ptsname_r(pm, name, sizeof(name)) ? -1 : 0);
	ps = must(open(name, O_RDWR | O_NOCTTY | O_CLOEXEC));
}

/* Change flags of the slave: cleared first, then set. */
static TAP_UNUSED void
pty_flags(tcflag_t i_off, tcflag_t i_on, tcflag_t o_off, tcflag_t o_on, tcflag_t l_off,
	  tcflag_t l_on)
{
	struct termios t;

	must(tcgetattr(ps, &t));
	t.c_iflag = (t.c_iflag & ~i_off) | i_on;
	t.c_oflag = (t.c_oflag & ~o_off) | o_on;
	t.c_lflag = (t.c_lflag & ~l_off) | l_on;
	must(tcsetattr(ps, TCSANOW, &t));
}

static TAP_UNUSED void
pty_raw(int vmin, int vtime)
{
	struct termios t;

	must(tcgetattr(ps, &t));
	cfmakeraw(&t);
	t.c_cc[VMIN] = vmin;
	t.c_cc[VTIME] = vtime;
	must(tcsetattr(ps, TCSANOW, &t));
}

static TAP_UNUSED int
readable(int fd, int ms)
{
	struct pollfd pf = { fd, POLLIN, 0 };

	return poll(&pf, 1, ms) == 1 && (pf.revents & POLLIN);
}

static TAP_UNUSED void
type(const char *s)
{
	must(write(pm, s, strlen(s)) == (ssize_t)strlen(s) ? 0 : -1);
}

/* One read of the slave, as a string; "" if nothing comes. */
static TAP_UNUSED const char *
line(void)
{
	static char buf[8192];
	ssize_t n = readable(ps, 2000) ? read(ps, buf, sizeof(buf) - 1) : 0;

	buf[n > 0 ? n : 0] = 0;
	return buf;
}

static TAP_UNUSED int
nothing(int fd)
{
	return !readable(fd, 30);
}

/* What the screen shows: read until as much as wanted has come, then see that no more does. */
static TAP_UNUSED const char *
screen(size_t want)
{
	static char buf[8192];
	size_t len = 0;
	ssize_t n;

	while (len < sizeof(buf) - 1 && readable(pm, len < want ? 2000 : 30)) {
		n = read(pm, buf + len, sizeof(buf) - 1 - len);
		if (n <= 0)
			break;
		len += n;
	}
	buf[len] = 0;
	return buf;
}

static TAP_UNUSED void
is_screen(const char *want, const char *name)
{
	const char *got = screen(strlen(want));
	char a[200] = "", b[200] = "";

	if (!ok(strcmp(got, want) == 0, "%s", name)) {
		for (int i = 0; got[i] && i < 30; i++)
			sprintf(a + strlen(a), "%02x ", (unsigned char)got[i]);
		for (int i = 0; want[i] && i < 30; i++)
			sprintf(b + strlen(b), "%02x ", (unsigned char)want[i]);
		diag("got  %s", a);
		diag("want %s", b);
	}
}

#endif
