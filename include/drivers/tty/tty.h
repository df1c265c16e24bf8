/* SPDX-License-Identifier: MIT */
/*
 * Terminals. A driver (serial line, pseudo-terminal slave) makes a struct tty and feeds what it
 * receives; the line discipline, job control and the system calls' side are common. termios(3),
 * ioctl_tty(2).
 */
#ifndef DRIVERS_TTY_H
#define DRIVERS_TTY_H

#include "core/ref.h"
#include "core/spinlock.h"
#include "lib/ringbuf.h"
#include "sched/mutex.h"
#include "sched/wait.h"
#include "sched/work.h"
#include "uapi/termios.h"

struct file;
struct pid;
struct process;
struct tty;

/* NULL slots: nothing to do. tty->lock is held (a spinlock) where said. */
struct tty_driver {
	const char *name;
	bool pseudo; /* survives its session leader: only signals are sent then; a hang-up resets
			its settings */
	/* First open and last close. May sleep. */
	int (*open)(struct tty *t);
	void (*close)(struct tty *t);
	/* Take up to len bytes for the other side; how many. Never NULL. tty->lock held. */
	u32 (*write)(struct tty *t, const u8 *data, u32 len);
	u32 (*write_room)(struct tty *t); /* never NULL; tty->lock held */
	u32 (*unsent)(struct tty *t);	  /* bytes accepted and not yet gone: TIOCOUTQ, drain */
	void (*send_urgent)(struct tty *t, u8 c);      /* before all that waits. NULL: write it */
	void (*discard_output)(struct tty *t);	       /* TCOFLUSH; tty->lock held */
	void (*set_termios)(struct tty *t);	       /* speed and format changed; may sleep */
	void (*status)(struct tty *t, u8 packet_bits); /* TIOCPKT_* happened; tty->lock held */
	void (*input_drained)(struct tty *t);	       /* there is room for input again */
	int (*modem)(struct tty *t, u32 set, u32 clear,
		     u32 *out); /* TIOCMGET and friends. NULL: -ENOTTY */
	int (*send_break)(struct tty *t, bool on);
	void (*release)(struct tty *t); /* last reference gone: free it. NULL: static */
};

#define TTY_BUF 4096

struct tty {
	struct ref ref;
	const struct tty_driver *driver; /* [I] */
	void *private;			 /* [I] driver's */
	char name[16];			 /* [I] below /dev */
	u64 dev;			 /* [I] devnum_t */
	u32 opens;			 /* [O] open_lock */
	struct mutex open_lock;
	u32 hangups;	   /* a file opened before the last one is dead */
	bool closed_other; /* pty: the master is gone */

	struct spinlock lock;	       /* L: everything of the line discipline below */
	struct linux_termios2 termios; /* [L] */
	struct linux_winsize winsize;  /* [L] */
	bool exclusive;
	bool stopped; /* [L] output waits: ^S, TCXONC */
	bool held;    /* [L] by TCXONC, which alone lets it go on */

	/* input: raw bytes from the driver, edited by the worker into buf */
	struct ringbuf raw; /* one producer (the driver), one consumer (the worker, rx_lock) */
	bool broken;	    /* a break came, not yet looked at */
	u8 raw_bytes[TTY_BUF];
	struct work rx_work;
	struct mutex rx_lock;		       /* one worker at a time */
	u8 buf[TTY_BUF];		       /* [L] ring */
	unsigned long line_ends[TTY_BUF / 64]; /* [L] positions that end a line */
	u32 head, canon_head, tail;	       /* [L] free-running */
	bool literal_next, erasing;	       /* [L] */
	u32 column, canon_column;	       /* [L] */

	u8 echo[1024]; /* [L] ring of echoed bytes that wait for room */
	u32 echo_head, echo_tail;

	struct mutex read_lock, write_lock; /* one reader, one writer at a time */
	struct wait_queue read_wait, write_wait;

	/* job control */
	struct pid *session, *pgrp; /* [T] tasklist_lock; referenced */
};

void tty_init_common(struct tty *t, const struct tty_driver *driver, void *private,
		     const char *name, u64 dev);
/* A driver's input: bytes into the ring (any context; one producer). How many fitted. Then
 * tty_receive_kick. */
static inline u32
tty_receive(struct tty *t, const void *data, u32 len)
{
	return ringbuf_write(&t->raw, data, len);
}
void tty_receive_kick(struct tty *t);
/* A break condition on the line, behind what was received so far. Any context. */
void tty_receive_break(struct tty *t);
/* There is room for output again. Any context. */
void tty_write_wakeup(struct tty *t);
/* The line is gone: files become dead, SIGHUP and SIGCONT go to the session's leader; or to the
 * group in front, when the hang-up comes of the leader's exit. May sleep. */
void tty_hangup(struct tty *t, bool leader_exits);
static inline void
tty_get(struct tty *t)
{
	ref_get(&t->ref);
}
void tty_put(struct tty *t);

/* Makes f a file of the terminal; takes the caller's reference over, on failure too. */
int tty_open_file(struct file *f, struct tty *t);
/* The code in c_cflag for a speed; BOTHER if it has none. */
u32 tty_speed_code(u32 baud);
/* Ioctls and the like that a pty master has in common with its slave. */
long tty_ioctl_common(struct tty *t, struct file *f, u32 cmd, u64 arg);

/* Serial lines by minor of major 4; /dev/console opens the one that console= named. */
int tty_register(struct tty *t);
void tty_set_console(const char *name);
void tty_devices_init(void);
/* /proc/tty/drivers */
struct strbuf;
void tty_list_drivers(struct strbuf *sb);

/* 34816-style number of the terminal for /proc/PID/stat; 0: none. tasklist_lock held. */
u64 tty_number(const struct tty *t);
/* The session's leader exits: proc/exit. */
void tty_session_exit(struct process *leader);

#endif
