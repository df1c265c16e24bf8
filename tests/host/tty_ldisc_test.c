/* SPDX-License-Identifier: MIT */
/*
 * SOURCES: drivers/tty/ldisc.c lib/ringbuf.c lib/string.c
 */
/*
 * The line discipline without a terminal: a driver that keeps what is written, as far as it has
 * room. Random input is compared with a model that has lines of any length.
 */
#include <stdio.h>
#include <string.h>

#include "../../drivers/tty/tty_internal.h"
#include "test.h"
#include "uapi/ioctl.h"

enum { LINE = TTY_BUF - 1, SIGNAL_INT = 2, ERASE = 127, KILL = 21, END = 4, INTERRUPT = 3 };

static struct tty t;
static struct input_effect effect;
static u8 shown[1 << 16];
static u32 shown_len, room;
static u8 packet;

static u32
screen_write(struct tty *tty, const u8 *data, u32 len)
{
	u32 n = MIN(len, room);

	memcpy(shown + shown_len, data, n);
	shown_len += n;
	room -= n;
	return n;
}

static u32
screen_room(struct tty *tty)
{
	return room;
}

static void
screen_discard(struct tty *tty)
{
	shown_len = 0;
}

static void
screen_status(struct tty *tty, u8 bits)
{
	packet |= bits;
}

static const struct tty_driver screen = {
	.name = "screen",
	.write = screen_write,
	.write_room = screen_room,
	.discard_output = screen_discard,
	.status = screen_status,
};

static void
screen_clear(void)
{
	shown_len = 0;
	room = sizeof(shown) / 2;
}

static void
start(u32 iflag, u32 oflag, u32 lflag)
{
	memset(&t, 0, sizeof(t));
	memset(&effect, 0, sizeof(effect));
	t.driver = &screen;
	t.termios.c_iflag = iflag;
	t.termios.c_oflag = oflag;
	t.termios.c_lflag = lflag;
	t.termios.c_cc[VINTR] = INTERRUPT;
	t.termios.c_cc[VERASE] = ERASE;
	t.termios.c_cc[VKILL] = KILL;
	t.termios.c_cc[VEOF] = END;
	t.termios.c_cc[VSTART] = 17;
	t.termios.c_cc[VSTOP] = 19;
	t.termios.c_cc[VLNEXT] = 22;
	t.termios.c_cc[VWERASE] = 23;
	packet = 0;
	screen_clear();
}

static u32
type(const char *text)
{
	return ldisc_input(&t, (const u8 *)text, (u32)strlen(text), &effect);
}

/* n times c: how many were taken. */
static u32
type_many(u8 c, u32 n)
{
	u32 taken = 0;

	while (n-- && ldisc_input(&t, &c, 1, &effect))
		taken++;
	return taken;
}

static u8 got[2 * TTY_BUF];

/* One read of at most len bytes, as the terminal's file does it; -1: it would wait. */
static int
take(u32 len)
{
	bool done;

	if (!ldisc_readable(&t, 1))
		return -1;
	return (int)ldisc_take(&t, got, len, &done);
}

static bool
takes(const char *want)
{
	int n = take(sizeof(got));

	return n == (int)strlen(want) && memcmp(got, want, (size_t)n) == 0;
}

static bool
shows(const char *want)
{
	bool same = shown_len == strlen(want) && memcmp(shown, want, shown_len) == 0;

	screen_clear();
	return same;
}

/* What must hold whatever happens. */
static bool
sound(void)
{
	bool lines = (t.termios.c_lflag & (ICANON | EXTPROC)) == ICANON;

	return t.head - t.tail <= TTY_BUF && (!lines || t.canon_head - t.tail <= t.head - t.tail) &&
	       t.echo_head - t.echo_tail <= sizeof(t.echo) && ldisc_pending(&t) <= TTY_BUF;
}

static void
a_line_comes_when_it_ends(void)
{
	start(0, 0, ICANON);
	EXPECT(type("one") == 3);
	EXPECT(take(10) == -1);
	type("\ntwo\n");
	EXPECT(takes("one\n"));
	EXPECT(take(2) == 2 && got[0] == 't');
	EXPECT(takes("o\n"));
	EXPECT(take(10) == -1);
}

static void
an_end_of_file_is_read_once(void)
{
	start(0, 0, ICANON);
	type("ab\004\004c\n");
	EXPECT(take(2) == 2);
	EXPECT(takes(""));
	EXPECT(takes("c\n"));
	type("ab\004");
	EXPECT(ldisc_pending(&t) == 2);
	EXPECT(take(1) == 1);
	EXPECT(take(1) == 1);
	EXPECT(take(1) == -1);
}

static void
a_full_line_takes_nothing_but_its_end(void)
{
	static const u8 ends[] = { '\n', END };

	for (u32 i = 0; i < ARRAY_SIZE(ends); i++) {
		start(0, 0, ICANON);
		EXPECT(type_many('a', LINE + 100) == LINE + 100);
		EXPECT(take(10) == -1 && sound());
		EXPECT(type_many(ends[i], 50) == 1);
		EXPECT(type("b") == 0 && sound());
		EXPECT(take(sizeof(got)) == (int)(LINE + (ends[i] == '\n')));
		EXPECT(got[0] == 'a' && got[LINE - 1] == 'a');
		EXPECT(take(10) == -1);
		EXPECT(type("b\n") == 2 && takes("b\n"));
	}
}

static void
a_full_line_can_be_edited(void)
{
	start(0, 0, ICANON);
	type_many('a', LINE);
	type("b\177\177c\n");
	EXPECT(take(sizeof(got)) == LINE && got[LINE - 3] == 'a' && got[LINE - 2] == 'c');
	type_many('a', LINE + 5);
	type("\025x\n");
	EXPECT(takes("x\n"));
}

static void
what_does_not_fit_is_not_taken(void)
{
	start(0, 0, 0);
	EXPECT(type_many('a', 2 * TTY_BUF) == LINE);
	EXPECT(take(10) == 10);
	EXPECT(type_many('b', 100) == 10 && sound());
	start(0, 0, ICANON);
	type("x\n");
	EXPECT(type_many('a', 2 * TTY_BUF) == LINE - 2);
	EXPECT(takes("x\n"));
	EXPECT(type_many('a', 2 * TTY_BUF) == 2 * TTY_BUF);
}

static void
a_doubled_byte_needs_two_places(void)
{
	start(PARMRK, 0, 0);
	EXPECT(type_many(0xff, TTY_BUF) == LINE / 2);
	EXPECT(type("a") == 1 && type("a") == 0);
	EXPECT(take(sizeof(got)) == LINE);
	start(PARMRK, 0, ICANON);
	type_many('a', LINE - 1);
	EXPECT(type("\377\n") == 2);
	EXPECT(take(sizeof(got)) == LINE && got[LINE - 1] == '\n' && got[LINE - 2] == 'a');
}

static void
a_break_is_a_signal_a_mark_or_a_zero(void)
{
	start(0, 0, 0);
	ldisc_break(&t, &effect);
	EXPECT(take(10) == 1 && got[0] == 0);
	start(PARMRK, 0, 0);
	ldisc_break(&t, &effect);
	EXPECT(take(10) == 3 && memcmp(got, "\377\0\0", 3) == 0);
	start(BRKINT, 0, 0);
	type("x");
	ldisc_break(&t, &effect);
	EXPECT(effect.signals == 1u << SIGNAL_INT && take(10) == -1);
	start(BRKINT | IGNBRK, 0, 0);
	ldisc_break(&t, &effect);
	EXPECT(!effect.signals);
}

static void
a_signal_voids_what_came_before(void)
{
	start(0, 0, ICANON | ISIG);
	type("lost\nlost\003kept\n");
	EXPECT(effect.signals == 1u << SIGNAL_INT && effect.writable);
	EXPECT(takes("kept\n") && take(1) == -1);
	EXPECT((packet & (TIOCPKT_FLUSHREAD | TIOCPKT_FLUSHWRITE)) ==
	       (TIOCPKT_FLUSHREAD | TIOCPKT_FLUSHWRITE));
	start(0, 0, ICANON | ISIG | NOFLSH);
	type("kept\n\003");
	EXPECT(effect.signals && !effect.writable && takes("kept\n"));
}

static void
erasing_clears_what_was_shown(void)
{
	start(0, OPOST | ONLCR, ICANON | ECHO | ECHOE | ECHOK | ECHOKE | ECHOCTL | IEXTEN);
	type("ab\177");
	EXPECT(shows("ab\b \b"));
	type("\026\001");
	EXPECT(shows("^\b^A"));
	type("\177");
	EXPECT(shows("\b \b\b \b"));
	type("\t");
	EXPECT(shows("\t"));
	type("\177");
	EXPECT(shows("\b\b\b\b\b\b\b"));
	type("\025");
	EXPECT(shows("\b \b"));
	type("x\n");
	EXPECT(shows("x\r\n") && takes("x\n"));
}

static void
half_a_character_stays(void)
{
	start(IUTF8, 0, ICANON | ECHO | ECHOE | ECHOK | ECHOKE | IEXTEN);
	type("\x80\x80");
	type("\177");
	type("\027");
	type("\025");
	type("\n");
	EXPECT(takes("\x80\x80\n"));
	type("a\xc3\xa4\x80\177\n");
	EXPECT(takes("a\n"));
}

static void
held_output_goes_on_by_its_own_key(void)
{
	start(IXON, 0, 0);
	type("\023");
	EXPECT(t.stopped && ldisc_output(&t, (const u8 *)"x", 1) == 0);
	type("\021");
	EXPECT(effect.writable && ldisc_output(&t, (const u8 *)"x", 1) == 1);
	tty_stop_locked(&t);
	t.held = true;
	effect.writable = false;
	type("\021");
	EXPECT(t.stopped && !effect.writable);
}

static void
another_editor_gets_every_byte(void)
{
	start(ICRNL | IXON, 0, ICANON | ISIG | ECHO | EXTPROC);
	type("a\177\003\r");
	EXPECT(takes("a\177\003\r") && shows(""));
	type("\004");
	EXPECT(takes(""));
	type("\004x");
	EXPECT(takes("\004x"));
}

static void
leaving_canonical_mode_shows_all(void)
{
	struct linux_termios2 old;

	start(0, 0, ICANON);
	type("a\nb");
	old = t.termios;
	t.termios.c_lflag = 0;
	ldisc_termios_changed(&t, &old);
	EXPECT(takes("a\nb"));
	type("cd");
	old = t.termios;
	t.termios.c_lflag = ICANON;
	ldisc_termios_changed(&t, &old);
	EXPECT(takes("cd") && take(1) == -1);
}

/* Lines of any length, with erase and kill, read in pieces of any size. */
static void
random_lines_are_the_models(void)
{
	static u8 line[64], model[1 << 16];
	static bool ends[1 << 16];
	u32 len = 0, in = 0, out = 0;

	start(0, 0, ICANON);
	for (u32 step = 0; step < 2000000; step++) {
		u32 what = test_random_below(16);

		if (what < 12 && in - out < 2000) {
			u8 c = what == 0 ? '\n' : what == 1 ? ERASE : what == 2 ? KILL : 'a' + what;

			if (what > 2 && len == sizeof(line))
				c = '\n';
			if (what == 2 && test_random_below(8))
				continue;
			EXPECT(ldisc_input(&t, &c, 1, &effect) == 1);
			if (c == ERASE) {
				len -= len > 0;
			} else if (c == KILL) {
				len = 0;
			} else if (c == '\n') {
				for (u32 i = 0; i < len; i++, in++) {
					model[in & 0xffff] = line[i];
					ends[in & 0xffff] = false;
				}
				model[in & 0xffff] = '\n';
				ends[in++ & 0xffff] = true;
				len = 0;
			} else {
				line[len++] = c;
			}
		} else {
			u32 want = 1 + (u32)test_random_below(80), i = 0;
			int n = take(want);

			EXPECT((n == -1) == (in == out));
			for (; n > 0 && i < (u32)n; i++, out++) {
				EXPECT(out != in && got[i] == model[out & 0xffff]);
				EXPECT(!ends[out & 0xffff] || i == (u32)n - 1);
			}
			EXPECT(n == -1 || (u32)n == want || got[n - 1] == '\n');
		}
		EXPECT(sound());
	}
}

/* Any bytes under any settings: nothing leaves its bounds, nothing is read that was not typed. */
static void
random_settings_keep_the_bounds(void)
{
	static u8 bytes[300];

	start(0, 0, 0);
	for (u32 step = 0; step < 300000; step++) {
		struct linux_termios2 old = t.termios;
		u32 n = (u32)test_random_below(sizeof(bytes));
		bool done;

		switch (test_random_below(8)) {
		case 0:
			t.termios.c_iflag = (u32)test_random_below(1u << 15);
			t.termios.c_oflag = (u32)test_random_below(1u << 13);
			t.termios.c_lflag = (u32)test_random_below(1u << 17);
			ldisc_termios_changed(&t, &old);
			break;
		case 1: room = (u32)test_random_below(600); break;
		case 2: shown_len = 0; break;
		case 3: (void)ldisc_take(&t, got, n, &done); break;
		case 4: (void)ldisc_output(&t, bytes, MIN(n, 100u)); break;
		case 5: ldisc_break(&t, &effect); break;
		default:
			for (u32 i = 0; i < n; i++)
				bytes[i] = (u8)(test_random_below(4) ? test_random_below(32)
								     : test_random_below(256));
			EXPECT(ldisc_input(&t, bytes, n, &effect) <= n);
		}
		if (shown_len > sizeof(shown) / 2)
			shown_len = 0;
		EXPECT(sound());
	}
}

int
main(void)
{
	TEST(a_line_comes_when_it_ends);
	TEST(an_end_of_file_is_read_once);
	TEST(a_full_line_takes_nothing_but_its_end);
	TEST(a_full_line_can_be_edited);
	TEST(what_does_not_fit_is_not_taken);
	TEST(a_doubled_byte_needs_two_places);
	TEST(a_break_is_a_signal_a_mark_or_a_zero);
	TEST(a_signal_voids_what_came_before);
	TEST(erasing_clears_what_was_shown);
	TEST(half_a_character_stays);
	TEST(held_output_goes_on_by_its_own_key);
	TEST(another_editor_gets_every_byte);
	TEST(leaving_canonical_mode_shows_all);
	TEST(random_lines_are_the_models);
	TEST(random_settings_keep_the_bounds);
	return test_done();
}
