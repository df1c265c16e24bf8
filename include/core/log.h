/* SPDX-License-Identifier: MIT */
/*
 * The kernel log: a ring of records with level and time, read by /dev/kmsg and syslog(2), printed
 * on the console up to the console's level. Callable from every context, interrupts and panics
 * included.
 */
#ifndef CORE_LOG_H
#define CORE_LOG_H

#include <stdarg.h>

#include "lib/types.h"

enum log_level {
	LOG_EMERG,
	LOG_ALERT,
	LOG_CRIT,
	LOG_ERR,
	LOG_WARNING,
	LOG_NOTICE,
	LOG_INFO,
	LOG_DEBUG,
};

void log_printf(enum log_level level, const char *fmt, ...) __printf(2, 3);

#define log_emerg(...)	log_printf(LOG_EMERG, __VA_ARGS__)
#define log_err(...)	log_printf(LOG_ERR, __VA_ARGS__)
#define log_warn(...)	log_printf(LOG_WARNING, __VA_ARGS__)
#define log_notice(...) log_printf(LOG_NOTICE, __VA_ARGS__)
#define log_info(...)	log_printf(LOG_INFO, __VA_ARGS__)
#define log_debug(...)	log_printf(LOG_DEBUG, __VA_ARGS__)

/* For NMIs, which may hit the holder of the log's lock: may they write to the log now? */
bool log_is_free(void);

/* One record as readers see it. */
struct log_record {
	u64 seq;
	u64 time_us; /* since boot */
	u8 level;
	u8 facility; /* 0 kernel, 1 user (written through /dev/kmsg) */
	u16 len;
	char text[1024 - 24];
};

/* Copy the first record with seq >= *seq. 0, -EAGAIN when there is none yet, -EPIPE when it was
 * overwritten
 * (*seq then is the oldest there is). */
int log_read(u64 *seq, struct log_record *out);
u64 log_next_seq(void);
u64 log_oldest_seq(void);
void log_write_user(u8 level, u8 facility, const char *text, size_t len);
size_t log_buffer_size(void);

/* Console level: records with level < this are printed (7 normally, 4 with "quiet"). */
int log_console_level(void);
void log_set_console_level(int level);

/* Consoles: drivers/serial registers one; write must work with interrupts off and in a panic,
 * under any lock: it takes none but try-locks. */
struct log_console {
	const char *name; /* "ttyS0" */
	void (*write)(struct log_console *con, const char *text, size_t len);
	struct log_console *next;
};
/* The first one prints what was logged before; one named like another takes its place. */
void log_register_console(struct log_console *con);
/* The names of the registered ones, in that order; NULL: no more. */
const char *log_console_name(u32 n);

/* The machine is about to stop: break locks, print everything. panic.c only. */
void log_panic_mode(void);

/* Called when records were added, with no lock held or from the timer interrupt: sched hooks the
 * /dev/kmsg wait queue in here. */
extern void (*log_wake_readers)(void);
/* The timer interrupt: wakes them if a record was added where that could not be done. */
void log_wake_deferred(void);

#endif
