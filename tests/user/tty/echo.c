/* SPDX-License-Identifier: MIT */
/* What the line discipline echoes. */
#include "pty.h"

int
main(void)
{
	pty_open();
	pty_flags(0, 0, 0, 0, ECHOPRT, ECHO | ECHOE | ECHOK | ECHOCTL | ECHOKE);
	type("hi");
	is_screen("hi", "characters");
	type("\n");
	is_screen("\r\n", "newline as return and newline");
	type("a\r");
	is_screen("a\r\n", "return as its mapping");
	type("ab\177");
	is_screen("ab\b \b", "ECHOE wipes a character");
	type("\177\177");
	is_screen("\b \b", "nothing left, nothing wiped");
	type("\001");
	is_screen("^A", "ECHOCTL shows control characters");
	type("\177");
	is_screen("\b \b\b \b", "and wipes both columns");
	type("abc\025");
	is_screen("abc\b \b\b \b\b \b", "ECHOKE wipes the line");
	type("one two\027");
	is_screen("one two\b \b\b \b\b \b", "VWERASE wipes the word");
	type("\025");
	is_screen("\b \b\b \b\b \b\b \b", "then the rest");
	type("a\tb");
	is_screen("a\tb", "a tab is echoed");
	type("\177\177");
	is_screen("\b \b\b\b\b\b\b\b\b", "and wiped by as many columns as it took");
	type("\025");
	is_screen("\b \b", "the first one");
	type("x\026\003");
	is_screen("x^\b^C", "VLNEXT shows a caret until the next");
	type("\025");
	is_screen("\b \b\b \b\b \b", "all wiped");
	type("re\022");
	is_screen("re^R\r\nre", "VREPRINT shows the line anew");
	type("\025");
	screen(0);
	type("\004");
	is_screen("", "VEOF is not echoed");
	pty_flags(0, 0, 0, 0, ECHOKE, 0);
	type("abc\025");
	is_screen("abc^U\r\n", "ECHOK without ECHOKE: a new line");
	pty_flags(0, 0, 0, 0, ECHOE, 0);
	type("a\177");
	is_screen("a^?", "without ECHOE the erase character itself");
	pty_flags(0, 0, 0, 0, ECHO, ECHOE);
	type("quiet\n");
	is_screen("", "without ECHO nothing");
	pty_flags(0, 0, 0, 0, 0, ECHONL);
	type("q\n");
	is_screen("\r\n", "ECHONL echoes the newline all the same");
	pty_flags(0, 0, 0, 0, ECHOCTL | ECHONL, ECHO);
	type("\002");
	is_screen("\002", "without ECHOCTL control characters go through");
	type("\025");
	screen(0);
	pty_flags(0, 0, 0, 0, ICANON, ECHOCTL);
	type("r\n\001");
	is_screen("r^J^A", "without ICANON a newline is a control character too");
	pty_flags(0, 0, OPOST, 0, 0, ICANON);
	type("r\n");
	is_screen("r\n", "without OPOST the newline is bare");
	return done();
}
