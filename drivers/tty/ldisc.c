/* SPDX-License-Identifier: MIT */
/*
 * The line discipline: what termios(3) says happens to each byte.
 *
 * 1. Input. Bytes come from the driver's ring, by the worker. In canonical mode they are edited in
 *    the ring `buf` between canon_head (end of the last complete line) and head; a line end moves
 *    canon_head up and sets its bit in line_ends. End-of-file is a line end whose byte, 0, is not
 *    handed out. In raw mode canon_head is not used: everything between tail and head may be read.
 *    So it is under EXTPROC, where the other side of the line edits.
 *
 *    Data fills the buffer up to its last place but one. What does not fit stays with the driver
 *    until a reader makes room; but nobody can read a line without an end, so of one that fills
 *    the buffer alone the rest is taken and thrown away, and the last place is its end's.
 *
 * 2. Echo goes into a small ring of its own, emptied to the driver as there is room, before any
 *    program's output, so that neither a program that writes much nor a slow line can delay or
 *    reorder it, and the worker never waits.
 *
 * 3. Output. With OPOST newlines become CR NL, tabs spaces, and the column is tracked, which
 *    erasing a tab needs.
 *
 * Signals are not sent here, nor writers woken (that takes locks which come before ours): struct
 * input_effect tells the caller.
 */
#include "lib/atomic.h"
#include "lib/bitmap.h"
#include "lib/string.h"
#include "task/signal.h"
#include "tty_internal.h"
#include "uapi/ioctl.h"

#define AT(t, i) ((t)->buf[(i) & (TTY_BUF - 1)])

static bool
flag_i(const struct tty *t, u32 f)
{
	return t->termios.c_iflag & f;
}

static bool
flag_l(const struct tty *t, u32 f)
{
	return t->termios.c_lflag & f;
}

/* Are lines edited here? */
static bool
canonical(const struct tty *t)
{
	return flag_l(t, ICANON) && !flag_l(t, EXTPROC);
}

/* Is c the control character `which`? 0 disables one. */
static bool
is_cc(const struct tty *t, u32 which, u8 c)
{
	return t->termios.c_cc[which] && t->termios.c_cc[which] == c;
}

static bool
is_control(u8 c)
{
	return c < 32 || c == 127;
}

static bool
is_continuation(const struct tty *t, u8 c)
{
	return flag_i(t, IUTF8) && (c & 0xc0) == 0x80;
}

static bool
is_word(u8 c)
{
	return (c >= '0' && c <= '9') || ((c | 32) >= 'a' && (c | 32) <= 'z') || c == '_' ||
	       c >= 128;
}

static void
line_end_set(struct tty *t, u32 at)
{
	t->line_ends[(at & (TTY_BUF - 1)) / 64] |= 1ul << (at & 63);
}

static bool
line_end_test(const struct tty *t, u32 at)
{
	return t->line_ends[(at & (TTY_BUF - 1)) / 64] & (1ul << (at & 63));
}

static void
line_end_clear(struct tty *t, u32 at)
{
	t->line_ends[(at & (TTY_BUF - 1)) / 64] &= ~(1ul << (at & 63));
}

/* ---- output ---- */

/* One byte through OPOST: false when there is no room for all that it becomes. */
static bool
output_char(struct tty *t, u8 c)
{
	u32 oflag = t->termios.c_oflag, n = 1;
	u8 out[8] = { c };

	switch (c) {
	case '\n':
		if (oflag & ONLRET)
			t->column = 0;
		if (oflag & ONLCR) {
			out[0] = '\r';
			out[1] = '\n';
			n = 2;
		}
		break;
	case '\r':
		if ((oflag & ONOCR) && t->column == 0)
			return true;
		if (oflag & OCRNL)
			out[0] = '\n';
		break;
	case '\t':
		if ((oflag & TABDLY) == XTABS) {
			n = 8 - (t->column & 7);
			memset(out, ' ', n);
		}
		break;
	default:
		if ((oflag & OLCUC) && c >= 'a' && c <= 'z')
			out[0] = c - 32;
	}
	if (t->driver->write_room(t) < n)
		return false;
	t->driver->write(t, out, n);

	switch (c) {
	case '\n':
		if (oflag & ONLCR)
			t->column = 0;
		t->canon_column = t->column;
		break;
	case '\r':
		if (!(oflag & OCRNL) || (oflag & ONLRET))
			t->column = 0;
		t->canon_column = t->column;
		break;
	case '\t': t->column += 8 - (t->column & 7); break;
	case '\b':
		if (t->column)
			t->column--;
		break;
	default:
		if (!is_control(c) && !is_continuation(t, c))
			t->column++;
	}
	return true;
}

/* Bytes that OPOST leaves alone and that move the column by one each. */
static u32
plain_run(const struct tty *t, const u8 *data, u32 len)
{
	u32 n = 0;

	if (t->termios.c_oflag & OLCUC)
		return 0;
	while (n < len && data[n] >= 32 && data[n] < 127)
		n++;
	return n;
}

void
ldisc_flush_echo(struct tty *t)
{
	if (t->stopped)
		return;
	while (t->echo_tail != t->echo_head) {
		u8 c = t->echo[t->echo_tail % sizeof(t->echo)];

		if (t->termios.c_oflag & OPOST) {
			if (!output_char(t, c))
				return;
		} else if (!t->driver->write(t, &c, 1)) {
			return;
		}
		t->echo_tail++;
	}
}

u32
ldisc_output(struct tty *t, const u8 *data, u32 len)
{
	u32 done = 0;

	if (t->stopped)
		return 0;
	ldisc_flush_echo(t);
	if (t->echo_tail != t->echo_head)
		return 0;
	if (!(t->termios.c_oflag & OPOST))
		return t->driver->write(t, data, len);
	while (done < len) {
		u32 run = plain_run(t, data + done, len - done);

		if (run) {
			u32 n = t->driver->write(t, data + done, run);

			t->column += n;
			done += n;
			if (n < run)
				break;
		} else if (output_char(t, data[done])) {
			done++;
		} else {
			break;
		}
	}
	return done;
}

/* ---- echo ---- */

static void
echo_raw(struct tty *t, u8 c)
{
	if (t->echo_head - t->echo_tail == sizeof(t->echo))
		t->echo_tail++; /* the line is stuck: the oldest echo is what nobody will miss */
	t->echo[t->echo_head++ % sizeof(t->echo)] = c;
}

static void
echo_char(struct tty *t, u8 c)
{
	if (is_control(c) && flag_l(t, ECHOCTL) && c != '\t') {
		echo_raw(t, '^');
		echo_raw(t, c ^ 0x40);
	} else {
		echo_raw(t, c);
	}
}

/* An input byte is echoed: note where on the screen the line began. */
static void
echo_input(struct tty *t, u8 c)
{
	if (!flag_l(t, ECHO))
		return;
	if (t->erasing) {
		echo_raw(t, '/');
		t->erasing = false;
	}
	if (t->head == t->canon_head) {
		ldisc_flush_echo(t);
		t->canon_column = t->column;
	}
	echo_char(t, c);
}

/* ---- editing ---- */

/* How many cells the last tab took: it began behind what follows the tab before it, or the line's
 * start. */
static void
erase_echo_tab(struct tty *t)
{
	u32 col = 0, at = t->head;
	u8 c = 0;

	while (at != t->canon_head) {
		c = AT(t, --at);
		if (c == '\t')
			break;
		if (is_control(c))
			col += flag_l(t, ECHOCTL) ? 2 : 0;
		else if (!is_continuation(t, c))
			col++;
	}
	if (c != '\t')
		col += t->canon_column;
	for (u32 n = 8 - (col & 7); n; n--)
		echo_raw(t, '\b');
}

static void
erase_echo(struct tty *t, u8 c, bool single)
{
	if (!flag_l(t, ECHO))
		return;
	if (flag_l(t, ECHOPRT)) {
		if (!t->erasing) {
			echo_raw(t, '\\');
			t->erasing = true;
		}
		echo_char(t, c);
	} else if (single && !flag_l(t, ECHOE)) {
		echo_char(t, t->termios.c_cc[VERASE]);
	} else if (c == '\t') {
		erase_echo_tab(t);
	} else {
		u32 cells = is_control(c) ? (flag_l(t, ECHOCTL) ? 2 : 0) : 1;

		for (; cells; cells--) {
			echo_raw(t, '\b');
			echo_raw(t, ' ');
			echo_raw(t, '\b');
		}
	}
}

/* Remove the last character, all bytes of it. False: it has no beginning, and stays. */
static bool
erase_one(struct tty *t, bool single)
{
	u32 at = t->head;
	u8 c;

	do {
		c = AT(t, --at);
	} while (is_continuation(t, c) && at != t->canon_head);
	if (is_continuation(t, c))
		return false;
	t->head = at;
	erase_echo(t, c, single);
	return true;
}

static void
erase_word(struct tty *t)
{
	bool seen = false;

	while (t->head != t->canon_head) {
		bool word = is_word(AT(t, t->head - 1));

		if (seen && !word)
			break;
		seen |= word;
		if (!erase_one(t, false))
			break;
	}
}

static void
erase_line(struct tty *t)
{
	if (flag_l(t, ECHO) && flag_l(t, ECHOK) && flag_l(t, ECHOKE) && flag_l(t, ECHOE)) {
		while (t->head != t->canon_head && erase_one(t, false))
			;
		return;
	}
	t->head = t->canon_head;
	if (flag_l(t, ECHO)) {
		t->erasing = false;
		echo_char(t, t->termios.c_cc[VKILL]);
		if (flag_l(t, ECHOK))
			echo_raw(t, '\n');
	}
}

static void
reprint_line(struct tty *t)
{
	echo_char(t, t->termios.c_cc[VREPRINT]);
	echo_raw(t, '\n');
	for (u32 i = t->canon_head; i != t->head; i++)
		echo_char(t, AT(t, i));
}

/* ---- input ---- */

static void
put(struct tty *t, u8 c)
{
	AT(t, t->head) = c;
	line_end_clear(t, t->head);
	t->head++;
}

static void
end_line(struct tty *t, u8 c)
{
	put(t, c);
	line_end_set(t, t->head - 1);
	t->canon_head = t->head;
}

/* Is there room for n bytes of data? */
static bool
fits(const struct tty *t, u32 n)
{
	return t->head - t->tail + n < TTY_BUF;
}

/* A byte of data; under PARMRK 0xff comes twice, to differ from a mark. */
static void
put_data(struct tty *t, u8 c)
{
	u32 n = c == 0xff && flag_i(t, PARMRK) ? 2 : 1;

	if (!fits(t, n))
		return;
	while (n--)
		put(t, c);
}

/* May c be taken from the driver now? */
static bool
input_fits(const struct tty *t, u8 c)
{
	return fits(t, c == 0xff && flag_i(t, PARMRK) ? 2 : 1) ||
	       (canonical(t) && t->canon_head == t->tail);
}

static void
tell(struct tty *t, u8 packet_bits)
{
	if (t->driver->status)
		t->driver->status(t, packet_bits);
}

void
tty_stop_locked(struct tty *t)
{
	if (t->stopped)
		return;
	t->stopped = true;
	tell(t, TIOCPKT_STOP);
}

bool
tty_start_locked(struct tty *t)
{
	if (!t->stopped || t->held)
		return false;
	t->stopped = false;
	tell(t, TIOCPKT_START);
	ldisc_flush_echo(t);
	return true;
}

/* A key or a break that signals: what was typed or written before it is void. */
static void
input_signal(struct tty *t, int sig, struct input_effect *effect)
{
	effect->signals |= 1u << sig;
	if (flag_l(t, NOFLSH))
		return;
	ldisc_flush_input(t);
	ldisc_flush_output(t);
	effect->writable = true;
}

/* Characters that act in every mode. True: used up. */
static bool
input_special(struct tty *t, u8 c, struct input_effect *effect)
{
	int sig = 0;

	if (flag_i(t, IXON)) {
		if (is_cc(t, VSTART, c)) {
			effect->writable |= tty_start_locked(t);
			return true;
		}
		if (is_cc(t, VSTOP, c)) {
			tty_stop_locked(t);
			return true;
		}
	}
	if (!flag_l(t, ISIG))
		return false;
	if (is_cc(t, VINTR, c))
		sig = SIGINT;
	else if (is_cc(t, VQUIT, c))
		sig = SIGQUIT;
	else if (is_cc(t, VSUSP, c))
		sig = SIGTSTP;
	if (!sig)
		return false;
	input_signal(t, sig, effect);
	if (flag_i(t, IXON))
		effect->writable |= tty_start_locked(t);
	if (flag_l(t, ECHO))
		echo_char(t, c);
	return true;
}

/* Canonical editing characters. True: used up. */
static bool
input_edit(struct tty *t, u8 c)
{
	bool extended = flag_l(t, IEXTEN);

	if (is_cc(t, VERASE, c) || is_cc(t, VKILL, c) || (extended && is_cc(t, VWERASE, c))) {
		if (t->head == t->canon_head)
			return true;
		if (is_cc(t, VERASE, c))
			(void)erase_one(t, true);
		else if (is_cc(t, VKILL, c))
			erase_line(t);
		else
			erase_word(t);
		if (t->head == t->canon_head && t->erasing) {
			echo_raw(t, '/');
			t->erasing = false;
		}
		return true;
	}
	if (extended && is_cc(t, VLNEXT, c)) {
		t->literal_next = true;
		if (flag_l(t, ECHO) && flag_l(t, ECHOCTL)) {
			echo_raw(t, '^');
			echo_raw(t, '\b');
		}
		return true;
	}
	if (extended && is_cc(t, VREPRINT, c) && flag_l(t, ECHO)) {
		reprint_line(t);
		return true;
	}
	if (c == '\n') {
		if (flag_l(t, ECHO) || flag_l(t, ECHONL))
			echo_raw(t, '\n');
		end_line(t, c);
		return true;
	}
	if (is_cc(t, VEOF, c)) {
		end_line(t, 0);
		return true;
	}
	if (is_cc(t, VEOL, c) || (extended && is_cc(t, VEOL2, c))) {
		echo_input(t, c);
		end_line(t, c);
		return true;
	}
	return false;
}

static void
input_char(struct tty *t, u8 c, struct input_effect *effect)
{
	if (flag_i(t, ISTRIP))
		c &= 0x7f;
	if (flag_i(t, IUCLC) && flag_l(t, IEXTEN) && c >= 'A' && c <= 'Z')
		c += 32;
	if (flag_l(t, EXTPROC)) {
		put_data(t, c);
		return;
	}
	if (t->literal_next) {
		t->literal_next = false;
		echo_input(t, c);
		put_data(t, c);
		return;
	}
	if (input_special(t, c, effect))
		return;
	if (flag_i(t, IXON) && flag_i(t, IXANY))
		effect->writable |= tty_start_locked(t);
	if (c == '\r') {
		if (flag_i(t, IGNCR))
			return;
		if (flag_i(t, ICRNL))
			c = '\n';
	} else if (c == '\n' && flag_i(t, INLCR)) {
		c = '\r';
	}
	if (flag_l(t, ICANON) && input_edit(t, c))
		return;
	echo_input(t, c);
	put_data(t, c);
}

u32
ldisc_input(struct tty *t, const u8 *data, u32 len, struct input_effect *effect)
{
	u32 n;

	for (n = 0; n < len && input_fits(t, data[n]); n++)
		input_char(t, data[n], effect);
	ldisc_flush_echo(t);
	return n;
}

/* A break is a signal, a mark or a zero byte. */
void
ldisc_break(struct tty *t, struct input_effect *effect)
{
	if (flag_i(t, IGNBRK))
		return;
	if (flag_i(t, BRKINT)) {
		input_signal(t, SIGINT, effect);
		return;
	}
	if (!fits(t, 3))
		return;
	if (flag_i(t, PARMRK)) {
		put(t, 0xff);
		put(t, 0);
	}
	put(t, 0);
}

void
ldisc_flush_input(struct tty *t)
{
	t->tail = t->canon_head = t->head;
	t->literal_next = t->erasing = false;
	tell(t, TIOCPKT_FLUSHREAD);
}

void
ldisc_flush_output(struct tty *t)
{
	t->echo_tail = t->echo_head;
	if (t->driver->discard_output)
		t->driver->discard_output(t);
	tell(t, TIOCPKT_FLUSHWRITE);
}

/* ---- reading ---- */

bool
ldisc_readable(struct tty *t, u32 min)
{
	if (canonical(t))
		return t->canon_head != t->tail;
	return t->head - t->tail >= MAX(min, 1u);
}

u32
ldisc_pending(struct tty *t)
{
	u32 n;

	if (!canonical(t))
		return t->head - t->tail;
	n = t->canon_head - t->tail;
	for (u32 i = t->tail; i != t->canon_head; i++) {
		if (line_end_test(t, i) && AT(t, i) == 0)
			n--;
	}
	return n;
}

u32
ldisc_take(struct tty *t, u8 *out, u32 len, bool *line_done)
{
	u32 n = 0;
	bool canon = canonical(t);
	u32 end = canon ? t->canon_head : t->head;

	*line_done = false;
	while (t->tail != end && n < len) {
		u8 c = AT(t, t->tail);
		bool last = canon && line_end_test(t, t->tail);

		t->tail++;
		if (last)
			line_end_clear(t, t->tail - 1);
		if (!last || c != 0)
			out[n++] = c;
		if (last) {
			*line_done = true;
			break;
		}
	}
	/* A read that took all of a line but its end-of-file mark takes the mark too: else the next
	 * one would see end of file. */
	if (canon && !*line_done && n && n == len && t->tail != end && line_end_test(t, t->tail) &&
	    AT(t, t->tail) == 0) {
		line_end_clear(t, t->tail);
		t->tail++;
		*line_done = true;
	}
	/* Under EXTPROC nobody but the reader knows an end of file: the byte alone is one. */
	if (flag_l(t, EXTPROC) && flag_l(t, ICANON) && n == 1 && t->tail == end &&
	    out[0] == t->termios.c_cc[VEOF]) {
		*line_done = true;
		n = 0;
	}
	return n;
}

static bool
flow_is_usual(const struct linux_termios2 *tio)
{
	return (tio->c_iflag & IXON) && tio->c_cc[VSTOP] == 19 && tio->c_cc[VSTART] == 17;
}

/* Switching ICANON: what was typed so far becomes readable as it is, or the unread bytes one line.
 */
void
ldisc_termios_changed(struct tty *t, const struct linux_termios2 *old)
{
	if ((old->c_lflag ^ t->termios.c_lflag) & (ICANON | EXTPROC)) {
		memset(t->line_ends, 0, sizeof(t->line_ends));
		t->literal_next = t->erasing = false;
		if (flag_l(t, ICANON) && t->head != t->tail) {
			line_end_set(t, t->head - 1);
			t->canon_head = t->head;
		} else {
			t->canon_head = t->tail;
		}
	}
	if (!flag_i(t, IXON) && (old->c_iflag & IXON))
		tty_start_locked(t);
	/* Packet mode tells whether ^S and ^Q are the terminal's business, and what an editor at
	 * the other side must know. */
	bool was = flow_is_usual(old), is = flow_is_usual(&t->termios);
	if (was != is)
		tell(t, is ? TIOCPKT_DOSTOP : TIOCPKT_NOSTOP);
	if ((old->c_lflag | t->termios.c_lflag) & EXTPROC)
		tell(t, TIOCPKT_IOCTL);
}
