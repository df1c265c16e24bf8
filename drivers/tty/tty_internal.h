/* SPDX-License-Identifier: MIT */
/* What the files of this room tell each other. */
#ifndef TTY_INTERNAL_H
#define TTY_INTERNAL_H

#include "drivers/tty/tty.h"
#include "mm/iter.h"

/* What input led to beside bytes to read: see tty_input_done. */
struct input_effect {
	u32 signals;   /* to send to the group in front, by number */
	bool writable; /* output was thrown away or goes on */
};

/* ldisc.c: tty->lock held */
u32 ldisc_input(struct tty *t, const u8 *data, u32 len,
		struct input_effect *effect); /* how many were taken */
void ldisc_break(struct tty *t, struct input_effect *effect);
bool ldisc_readable(struct tty *t, u32 min);
u32 ldisc_take(struct tty *t, u8 *out, u32 len, bool *line_done);
u32 ldisc_pending(struct tty *t); /* FIONREAD */
void ldisc_flush_input(struct tty *t);
void ldisc_flush_output(struct tty *t);
void ldisc_flush_echo(struct tty *t);
u32 ldisc_output(struct tty *t, const u8 *data, u32 len);
void ldisc_termios_changed(struct tty *t, const struct linux_termios2 *old);
void tty_stop_locked(struct tty *t);
bool tty_start_locked(struct tty *t); /* true: it was stopped */

/* tty.c: after input, tty->lock dropped */
void tty_input_done(struct tty *t, const struct input_effect *effect);

/* job.c */
int tty_check_change(struct tty *t, int sig); /* 0, -EIO or -ERESTARTSYS: may the current process
						 read or change the terminal? */
void tty_signal_pgrp(struct tty *t, int sig);
long tty_job_ioctl(struct tty *t, struct file *f, u32 cmd, u64 arg);
struct tty *tty_of_session(void); /* the current process's, referenced, or NULL */
void tty_try_ctty(struct tty *t, struct file *f);
void tty_disassociate(struct tty *t);

void pty_init(void);
bool pty_is_master(const struct file *f); /* its private is the slave, as for any terminal's file */
long tty_console_take(struct file *f);	  /* TIOCCONS */
bool tty_file_dead(const struct file *f);
long tty_ioctl(struct file *f, u32 cmd, u64 arg);

#endif
