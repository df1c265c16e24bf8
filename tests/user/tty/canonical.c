/* SPDX-License-Identifier: MIT */
/* Canonical input: lines, editing characters, end of file, input mapping, limits. */
#include "pty.h"

int
main(void)
{
	static char big[6000];
	struct termios t;
	char buf[100];
	int n;

	pty_open();
	pty_flags(0, 0, 0, 0, ECHO, 0);
	type("hello");
	ok(nothing(ps), "an unfinished line is not readable");
	type("\n");
	is_str(line(), "hello\n", "a line");
	type("one\ntwo\n");
	is_str(line(), "one\n", "a read takes one line");
	is_str(line(), "two\n", "then the next");
	type("abcdef\n");
	is_int(read(ps, buf, 3), 3, "a short read");
	is_mem(buf, "abc", 3, "takes the head");
	is_str(line(), "def\n", "the rest stays");
	type("cr\r");
	is_str(line(), "cr\n", "ICRNL: return ends a line");
	pty_flags(ICRNL, IGNCR, 0, 0, 0, 0);
	type("a\rb\n");
	is_str(line(), "ab\n", "IGNCR drops returns");
	pty_flags(IGNCR, INLCR, 0, 0, 0, 0);
	type("x\n");
	ok(nothing(ps), "INLCR: a newline becomes a return, no line ends");
	pty_flags(INLCR, 0, 0, 0, 0, 0);
	type("y\n");
	is_str(line(), "x\ry\n", "without mapping a return is data");
	pty_flags(0, ICRNL | ISTRIP, 0, 0, 0, 0);
	type("\xe1\n");
	is_str(line(), "a\n", "ISTRIP drops the eighth bit");
	pty_flags(ISTRIP, IUCLC, 0, 0, 0, IEXTEN);
	type("ABC\n");
	is_str(line(), "abc\n", "IUCLC maps to lower case");
	pty_flags(IUCLC, 0, 0, 0, 0, 0);

	type("abc\177\177X\n");
	is_str(line(), "aX\n", "VERASE");
	type("\177\177a\n");
	is_str(line(), "a\n", "at the start of a line it does nothing");
	type("wrong\025right\n");
	is_str(line(), "right\n", "VKILL");
	type("one two  \027three\n");
	is_str(line(), "one three\n", "VWERASE takes the word and the blanks behind it");
	type("a\026\177b\n");
	is_str(line(), "a\177b\n", "VLNEXT takes the next one as it is");
	type("part\004");
	is_str(line(), "part", "VEOF gives a line without newline");
	type("\004");
	is_int(readable(ps, 2000), 1, "VEOF alone is readable");
	is_int(read(ps, buf, 10), 0, "as end of file");
	type("more\n");
	is_str(line(), "more\n", "which is not the end for ever");
	type("ab\n\004");
	is_str(line(), "ab\n", "a line, then");
	is_int(readable(ps, 2000) ? read(ps, buf, 10) : -1, 0, "end of file");
	must(tcgetattr(ps, &t));
	t.c_cc[VEOL] = ';';
	t.c_cc[VERASE] = '#';
	must(tcsetattr(ps, TCSANOW, &t));
	type("a;b##");
	is_str(line(), "a;", "VEOL ends a line and is kept");
	type("c\n");
	is_str(line(), "c\n", "a changed VERASE does not cross the line's start");
	t.c_cc[VERASE] = 0;
	t.c_cc[VEOL] = 0;
	must(tcsetattr(ps, TCSANOW, &t));
	type("a\177b\n");
	is_str(line(), "a\177b\n", "a character set to 0 is off");
	t.c_cc[VERASE] = 0177;
	must(tcsetattr(ps, TCSANOW, &t));

	pty_flags(0, IUTF8, 0, 0, 0, 0);
	type("a\xc3\xa4\177b\n");
	is_str(line(), "ab\n", "IUTF8: erase takes a whole character");
	pty_flags(0, 0, 0, 0, 0, ECHO);
	type("\x80\025\027\177\n");
	is_str(line(), "\x80\n", "half a character cannot be erased, nor killed");
	pty_flags(0, 0, 0, 0, ECHO, 0);
	(void)screen(5);
	pty_flags(IUTF8, 0, 0, 0, 0, 0);
	type("a\xc3\xa4\177b\n");
	is_str(line(),
	       "a\xc3"
	       "b\n",
	       "without it one byte");

	type("12345\nab");
	readable(ps, 2000);
	ok(ioctl(ps, FIONREAD, &n) == 0 && n == 6, "FIONREAD counts finished lines");
	must(tcflush(ps, TCIFLUSH));
	ok(nothing(ps), "tcflush throws input away");
	type("c\n");
	is_str(line(), "c\n", "the unfinished part too");
	type("half");
	sleep_ms(20);
	pty_flags(0, 0, 0, 0, ICANON, 0);
	is_int(readable(ps, 2000), 1, "leaving canonical mode makes the unfinished line readable");
	is_int(read(ps, buf, 100), 4, "all of it");
	pty_flags(0, 0, 0, 0, 0, ICANON);
	must(fcntl(ps, F_SETFL, O_NONBLOCK));
	sys_err(read(ps, buf, 1), EAGAIN, "O_NONBLOCK: EAGAIN");
	must(fcntl(ps, F_SETFL, 0));

	/* the longest line: 4095 bytes and its newline, more is dropped */
	memset(big, 'z', 5000);
	must(fcntl(pm, F_SETFL, O_NONBLOCK));
	for (int off = 0, w; off < 5000; off += w) {
		w = write(pm, big + off, 5000 - off);
		if (w < 0) {
			sleep_ms(1);
			w = 0;
		}
	}
	must(fcntl(pm, F_SETFL, 0));
	type("\n");
	n = readable(ps, 2000) ? read(ps, big, sizeof(big)) : -1;
	is_int(n, 4096, "a line holds 4095 bytes and the newline");
	is_int(big[4095], '\n', "which always fits");
	return done();
}
