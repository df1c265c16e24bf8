/* SPDX-License-Identifier: MIT */
/* The ioctls of terminals: ioctl_tty(2). */
#include "uapi/ioctl.h"
#include "fs/vfs/file.h"
#include "lib/string.h"
#include "mm/user.h"
#include "task/task.h"
#include "tty_internal.h"
#include "uapi/errno.h"

static const struct {
	u32 code, baud;
} speeds[] = {
	{ B0, 0 },	     { B50, 50 },	  { B75, 75 },	       { B110, 110 },
	{ B134, 134 },	     { B150, 150 },	  { B200, 200 },       { B300, 300 },
	{ B600, 600 },	     { B1200, 1200 },	  { B1800, 1800 },     { B2400, 2400 },
	{ B4800, 4800 },     { B9600, 9600 },	  { B19200, 19200 },   { B38400, 38400 },
	{ B57600, 57600 },   { B115200, 115200 }, { B230400, 230400 }, { B460800, 460800 },
	{ B500000, 500000 }, { B576000, 576000 }, { B921600, 921600 }, { B1000000, 1000000 },
};

static u32
speed_of(u32 code, u32 other)
{
	if (code == BOTHER)
		return other;
	for (u32 i = 0; i < ARRAY_SIZE(speeds); i++) {
		if (speeds[i].code == code)
			return speeds[i].baud;
	}
	return 0;
}

u32
tty_speed_code(u32 baud)
{
	for (u32 i = 1; i < ARRAY_SIZE(speeds); i++) {
		if (speeds[i].baud == baud)
			return speeds[i].code;
	}
	return BOTHER;
}

/* c_cflag's codes decide, except BOTHER: then the numbers do. */
static void
speeds_settle(struct linux_termios2 *tio)
{
	u32 in = (tio->c_cflag & CIBAUD) >> IBSHIFT;

	tio->c_ospeed = speed_of(tio->c_cflag & CBAUD, tio->c_ospeed);
	tio->c_ispeed = in == B0 ? tio->c_ospeed : speed_of(in, tio->c_ispeed);
}

/* Wait until everything written has gone out: tcdrain(3). */
static int
tty_drain(struct tty *t)
{
	if (!t->driver->unsent)
		return 0;
	return wait_event_interruptible(&t->write_wait,
					t->driver->unsent(t) == 0 || READ_ONCE(t->closed_other));
}

enum when { NOW, DRAIN, FLUSH };

static long
termios_set(struct tty *t, struct linux_termios2 *new, enum when when)
{
	struct linux_termios2 old;
	int r = tty_check_change(t, SIGTTOU);

	if (r)
		return r;
	if (when != NOW) {
		r = tty_drain(t);
		if (r)
			return r;
	}
	speeds_settle(new);
	spin_lock(&t->lock);
	if (when == FLUSH)
		ldisc_flush_input(t);
	old = t->termios;
	t->termios = *new;
	ldisc_termios_changed(t, &old);
	spin_unlock(&t->lock);
	if (when == FLUSH)
		tty_receive_kick(t);
	if (t->driver->set_termios)
		t->driver->set_termios(t);
	wake_up_all(&t->read_wait);
	tty_write_wakeup(t);
	return 0;
}

static void
termios_get(struct tty *t, struct linux_termios2 *out)
{
	spin_lock(&t->lock);
	*out = t->termios;
	spin_unlock(&t->lock);
}

/* TCGETS and TCSETS carry the structure without speeds, TCGETS2 and TCSETS2 all of it. */
static long
termios_ioctl(struct tty *t, u32 cmd, user_ptr arg)
{
	struct linux_termios2 tio;
	struct linux_termio old;
	int r;

	termios_get(t, &tio);
	switch (cmd) {
	case TCGETS: return copy_to_user(arg, &tio, sizeof(struct linux_termios));
	case TCGETS2: return copy_to_user(arg, &tio, sizeof(tio));
	case TCGETA:
		memset(&old, 0, sizeof(old));
		old.c_iflag = (u16)tio.c_iflag;
		old.c_oflag = (u16)tio.c_oflag;
		old.c_cflag = (u16)tio.c_cflag;
		old.c_lflag = (u16)tio.c_lflag;
		old.c_line = tio.c_line;
		memcpy(old.c_cc, tio.c_cc, sizeof(old.c_cc));
		return copy_to_user(arg, &old, sizeof(old));
	case TCSETS:
	case TCSETSW:
	case TCSETSF:
		r = copy_from_user(&tio, arg, sizeof(struct linux_termios));
		return r ? r : termios_set(t, &tio, cmd - TCSETS);
	case TCSETS2:
	case TCSETSW2:
	case TCSETSF2:
		r = copy_from_user(&tio, arg, sizeof(tio));
		return r ? r : termios_set(t, &tio, cmd - TCSETS2);
	default: /* TCSETA, TCSETAW, TCSETAF */
		r = copy_from_user(&old, arg, sizeof(old));
		if (r)
			return r;
		tio.c_iflag = (tio.c_iflag & 0xffff0000u) | old.c_iflag;
		tio.c_oflag = (tio.c_oflag & 0xffff0000u) | old.c_oflag;
		tio.c_cflag = (tio.c_cflag & 0xffff0000u) | old.c_cflag;
		tio.c_lflag = (tio.c_lflag & 0xffff0000u) | old.c_lflag;
		memcpy(tio.c_cc, old.c_cc, sizeof(old.c_cc));
		return termios_set(t, &tio, cmd - TCSETA);
	}
}

static long
flush(struct tty *t, u64 which)
{
	int r = tty_check_change(t, SIGTTOU);

	if (r)
		return r;
	if (which != TCIFLUSH && which != TCOFLUSH && which != TCIOFLUSH)
		return -EINVAL;
	if (which != TCOFLUSH) {
		u8 drop[128];

		mutex_lock(&t->rx_lock);
		while (ringbuf_read(&t->raw, drop, sizeof(drop)))
			;
		mutex_unlock(&t->rx_lock);
	}
	spin_lock(&t->lock);
	if (which != TCOFLUSH)
		ldisc_flush_input(t);
	if (which != TCIFLUSH)
		ldisc_flush_output(t);
	spin_unlock(&t->lock);
	if (t->driver->input_drained)
		t->driver->input_drained(t);
	tty_receive_kick(t);
	tty_write_wakeup(t);
	return 0;
}

static long
flow(struct tty *t, u64 what)
{
	int r = tty_check_change(t, SIGTTOU);
	u8 c = 0;

	if (r)
		return r;
	if (what > TCION)
		return -EINVAL;
	spin_lock(&t->lock);
	switch (what) {
	case TCOOFF:
		tty_stop_locked(t);
		t->held = true;
		break;
	case TCOON:
		if (t->held) {
			t->held = false;
			tty_start_locked(t);
		}
		break;
	default: c = t->termios.c_cc[what == TCIOFF ? VSTOP : VSTART];
	}
	if (c && t->driver->send_urgent)
		t->driver->send_urgent(t, c);
	else if (c)
		t->driver->write(t, &c, 1);
	spin_unlock(&t->lock);
	tty_write_wakeup(t);
	return 0;
}

static long
window_set(struct tty *t, user_ptr arg)
{
	struct linux_winsize ws;
	int r = copy_from_user(&ws, arg, sizeof(ws));

	if (r)
		return r;
	spin_lock(&t->lock);
	bool same = memcmp(&ws, &t->winsize, sizeof(ws)) == 0;
	t->winsize = ws;
	spin_unlock(&t->lock);
	if (!same)
		tty_signal_pgrp(t, SIGWINCH);
	return 0;
}

static long
window_get(struct tty *t, user_ptr arg)
{
	spin_lock(&t->lock);
	struct linux_winsize ws = t->winsize;
	spin_unlock(&t->lock);
	return copy_to_user(arg, &ws, sizeof(ws));
}

/* TIOCSTI: as if typed. Through one's own terminal, or with privilege. */
static long
simulate_input(struct tty *t, user_ptr arg)
{
	struct tty *mine = tty_of_session();
	u8 c;

	if (mine)
		tty_put(mine);
	if (mine != t && !capable(CAP_SYS_ADMIN))
		return -EPERM;
	if (get_user(&c, arg))
		return -EFAULT;
	struct input_effect effect = { 0 };
	spin_lock(&t->lock);
	ldisc_input(t, &c, 1, &effect);
	spin_unlock(&t->lock);
	tty_input_done(t, &effect);
	return 0;
}

static long
modem(struct tty *t, u32 cmd, user_ptr arg)
{
	u32 bits = 0, set = 0, clear = 0, now = 0;

	if (!t->driver->modem)
		return -ENOTTY;
	if (cmd != TIOCMGET) {
		if (get_user(&bits, arg))
			return -EFAULT;
		set = cmd == TIOCMBIC ? 0 : bits;
		clear = cmd == TIOCMBIS ? 0 : cmd == TIOCMBIC ? bits : ~bits;
	}
	int r = t->driver->modem(t, set, clear, &now);
	if (r || cmd != TIOCMGET)
		return r;
	return put_user(arg, now);
}

static long
send_break(struct tty *t, struct file *f, u64 duration_ns)
{
	int r = tty_check_change(t, SIGTTOU);

	if (!r)
		r = tty_drain(t);
	if (r || !duration_ns || !t->driver->send_break)
		return r;
	r = t->driver->send_break(t, true);
	if (r)
		return r;
	/* Nothing wakes this but the time, a signal or the end of the line. */
	r = wait_event_interruptible_timeout(&t->write_wait, tty_file_dead(f),
					     time_mono_ns() + duration_ns);
	(void)t->driver->send_break(t, false);
	return r == -ETIMEDOUT ? 0 : r ? -EINTR : -EIO;
}

static long
set_break(struct tty *t, bool on)
{
	int r = tty_check_change(t, SIGTTOU);

	if (!r && on)
		r = tty_drain(t);
	return r || !t->driver->send_break ? r : t->driver->send_break(t, on);
}

long
tty_ioctl_common(struct tty *t, struct file *f, u32 cmd, u64 arg)
{
	user_ptr p = user_ptr_of(arg);
	u32 n;

	switch (cmd) {
	case TCGETS:
	case TCSETS:
	case TCSETSW:
	case TCSETSF:
	case TCGETS2:
	case TCSETS2:
	case TCSETSW2:
	case TCSETSF2:
	case TCGETA:
	case TCSETA:
	case TCSETAW:
	case TCSETAF: return termios_ioctl(t, cmd, p);
	case TCSBRK: return send_break(t, f, arg ? 0 : 250 * NSEC_PER_MSEC);
	case TCSBRKP:
		/* In tenths of a second; the number is an int to user space. */
		return send_break(t, f, (arg ? (u32)arg * 100ull : 250) * NSEC_PER_MSEC);
	case TCXONC: return flow(t, arg);
	case TCFLSH: return flush(t, arg);
	case TIOCGWINSZ: return window_get(t, p);
	case TIOCSWINSZ: return window_set(t, p);
	case TIOCSTI: return simulate_input(t, p);
	case TIOCOUTQ: n = t->driver->unsent ? t->driver->unsent(t) : 0; return put_user(p, n);
	case FIONREAD:
		spin_lock(&t->lock);
		n = ldisc_pending(t);
		spin_unlock(&t->lock);
		return put_user(p, n);
	case TIOCEXCL: t->exclusive = true; return 0;
	case TIOCNXCL: t->exclusive = false; return 0;
	case TIOCGEXCL: return put_user(p, (s32)t->exclusive);
	case TIOCGETD: return put_user(p, (s32)0);
	case TIOCSETD:
		if (get_user(&n, p))
			return -EFAULT;
		return n ? -EINVAL : 0; /* the one discipline there is: N_TTY */
	case TIOCGDEV: return put_user(p, (u32)tty_number(t));
	case TIOCMGET:
	case TIOCMSET:
	case TIOCMBIS:
	case TIOCMBIC: return modem(t, cmd, p);
	case TIOCGSOFTCAR: return put_user(p, (s32) !!(t->termios.c_cflag & CLOCAL));
	case TIOCSBRK:
	case TIOCCBRK: return set_break(t, cmd == TIOCSBRK);
	case TIOCCONS: return tty_console_take(f);
	case TIOCVHANGUP:
		if (!capable(CAP_SYS_ADMIN))
			return -EPERM;
		tty_hangup(t, false);
		return 0;
	}
	return tty_job_ioctl(t, f, cmd, arg);
}

long
tty_ioctl(struct file *f, u32 cmd, u64 arg)
{
	if (tty_file_dead(f))
		return cmd == TIOCSPGRP ? -ENOTTY : -EIO;
	return tty_ioctl_common(f->private, f, cmd, arg);
}
