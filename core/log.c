/* SPDX-License-Identifier: MIT */
/*
 * The kernel log.
 *
 * Idea: two rings. Descriptors, one a record, are found by sequence number; their text lies in a
 * ring of bytes. Both forget the oldest. A reader needs nothing but the number of the next record
 * it wants. Printing is apart from logging: whoever finds the console free prints everything that
 * is new, so a CPU that logs while another prints does not wait.
 *
 * Locking: log_lock for the rings, held for the copy of one record. Console_busy is a try-lock: the
 * holder looks again after releasing it, so no record is left behind. In a panic both are broken.
 *
 * Limits: the rings are static; a line of the kernel is cut at 512 bytes, one of /dev/kmsg at 1000.
 */
#include "core/log.h"

#include "arch/cpu.h"
#include "core/panic.h"
#include "core/percpu.h"
#include "core/preempt.h"
#include "core/spinlock.h"
#include "core/time.h"
#include "lib/atomic.h"
#include "lib/format.h"
#include "lib/string.h"
#include "uapi/errno.h"

#define TEXT_SIZE (64u * 1024)
#define RECORDS	  1024u
#define LINE_MAX  512

struct descriptor {
	u64 time_us;
	u64 position; /* of the text, counted from boot */
	u16 len;
	u8 level, facility;
};

static char log_text[TEXT_SIZE];
static struct descriptor log_records[RECORDS];
static u64 log_first, log_next; /* sequence numbers: the oldest kept, the next written */
static u64 log_end;		/* position of the next text */
static struct spinlock log_lock = SPINLOCK_INIT(RANK_LOG);

static struct log_console *consoles;
static u64 console_next; /* first record not printed */
static struct atomic32 console_busy;
static int console_level = 7;
static bool panicking;
static bool wake_pending;

void (*log_wake_readers)(void);

static unsigned long
log_enter(void)
{
	if (READ_ONCE(panicking))
		return arch_irq_save();
	return spin_lock_irqsave(&log_lock);
}

static void
log_leave(unsigned long flags)
{
	if (READ_ONCE(panicking))
		arch_irq_restore(flags);
	else
		spin_unlock_irqrestore(&log_lock, flags);
}

static void
text_put(u64 position, const char *text, size_t len)
{
	size_t at = position % TEXT_SIZE, part = MIN(len, TEXT_SIZE - at);

	memcpy(log_text + at, text, part);
	memcpy(log_text, text + part, len - part);
}

static void
text_get(u64 position, char *text, size_t len)
{
	size_t at = position % TEXT_SIZE, part = MIN(len, TEXT_SIZE - at);

	memcpy(text, log_text + at, part);
	memcpy(text + part, log_text, len - part);
}

static void
log_append(u8 level, u8 facility, const char *text, size_t len)
{
	unsigned long flags;
	u64 now = time_log_ns() / NSEC_PER_USEC;
	struct descriptor *d;

	flags = log_enter();
	while (log_next - log_first >= RECORDS ||
	       (log_first < log_next &&
		log_end + len - log_records[log_first % RECORDS].position > TEXT_SIZE))
		log_first++;
	d = &log_records[log_next % RECORDS];
	*d = (struct descriptor){ .time_us = now,
				  .position = log_end,
				  .len = (u16)len,
				  .level = level,
				  .facility = facility };
	text_put(log_end, text, len);
	log_end += len;
	log_next++;
	log_leave(flags);
}

bool
log_is_free(void)
{
	return !spin_is_locked(&log_lock);
}

int
log_read(u64 *seq, struct log_record *out)
{
	unsigned long flags = log_enter();
	const struct descriptor *d;
	int error = 0;

	if (*seq < log_first) {
		*seq = log_first;
		error = -EPIPE;
	} else if (*seq >= log_next) {
		error = -EAGAIN;
	} else {
		d = &log_records[*seq % RECORDS];
		out->seq = *seq;
		out->time_us = d->time_us;
		out->level = d->level;
		out->facility = d->facility;
		out->len = d->len;
		text_get(d->position, out->text, d->len);
	}
	log_leave(flags);
	return error;
}

u64
log_next_seq(void)
{
	return READ_ONCE(log_next);
}

u64
log_oldest_seq(void)
{
	return READ_ONCE(log_first);
}

size_t
log_buffer_size(void)
{
	return TEXT_SIZE;
}

int
log_console_level(void)
{
	return READ_ONCE(console_level);
}

void
log_set_console_level(int level)
{
	WRITE_ONCE(console_level, level);
}

/* One line as dmesg shows it: "[    0.123456] text". Only the holder of console_busy uses the
 * buffer. */
static void
console_print(const struct log_record *record)
{
	static char line[sizeof(record->text) + 32];
	int prefix = scnprintf(line, sizeof(line), "[%5lu.%06lu] ", record->time_us / 1000000,
			       record->time_us % 1000000);

	memcpy(line + prefix, record->text, record->len);
	line[prefix + record->len] = '\n';
	for (struct log_console *con = consoles; con; con = con->next)
		con->write(con, line, (size_t)prefix + record->len + 1);
}

static void
console_flush(void)
{
	static struct log_record record;

	while (READ_ONCE(console_next) < READ_ONCE(log_next) && READ_ONCE(consoles)) {
		if (atomic_xchg(&console_busy, 1) && !READ_ONCE(panicking))
			return;
		for (;;) {
			int error = log_read(&console_next, &record);

			if (error == -EAGAIN)
				break;
			if (error)
				continue;
			WRITE_ONCE(console_next, console_next + 1);
			if (record.level < READ_ONCE(console_level) || READ_ONCE(panicking))
				console_print(&record);
		}
		atomic_xchg(&console_busy, 0);
	}
}

/* Waking takes locks that the caller may hold, unless it holds none: else the next timer interrupt
 * does it. */
static void
readers_wake(void)
{
	void (*wake)(void) = READ_ONCE(log_wake_readers);

	if (!wake || READ_ONCE(panicking))
		return;
	if (arch_irqs_enabled() && !in_atomic())
		wake();
	else
		WRITE_ONCE(wake_pending, true);
}

void
log_wake_deferred(void)
{
	if (likely(!READ_ONCE(wake_pending)))
		return;
	WRITE_ONCE(wake_pending, false);
	log_wake_readers();
}

static void
log_publish(void)
{
	/* The holder of console_busy must not be preempted or interrupted by one who would print
	 * next. */
	unsigned long flags = arch_irq_save();

	console_flush();
	arch_irq_restore(flags);
	readers_wake();
}

void
log_printf(enum log_level level, const char *fmt, ...)
{
	char text[LINE_MAX];
	va_list args;
	int len;

	va_start(args, fmt);
	len = vscnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	while (len > 0 && text[len - 1] == '\n')
		len--;
	log_append((u8)level, 0, text, (size_t)len);
	log_publish();
}

void
log_write_user(u8 level, u8 facility, const char *text, size_t len)
{
	log_append(level, facility, text, MIN(len, sizeof_field(struct log_record, text)));
	log_publish();
}

const char *
log_console_name(u32 n)
{
	const struct log_console *con = READ_ONCE(consoles);

	while (con && n--)
		con = READ_ONCE(con->next);
	return con ? con->name : NULL;
}

/* A console of the same name takes the place of the early one and repeats nothing. */
void
log_register_console(struct log_console *con)
{
	unsigned long flags = arch_irq_save();
	struct log_console **link;

	while (atomic_xchg(&console_busy, 1))
		arch_cpu_relax();
	for (link = &consoles; *link; link = &(*link)->next)
		if (strcmp((*link)->name, con->name) == 0)
			break;
	if (*link)
		con->next = (*link)->next;
	else if (consoles)
		con->next = NULL;
	else
		console_next = 0;
	WRITE_ONCE(*link, con);
	atomic_xchg(&console_busy, 0);
	console_flush();
	arch_irq_restore(flags);
}

void
log_panic_mode(void)
{
	WRITE_ONCE(panicking, true);
	console_level = 15;
	atomic_set(&console_busy, 0);
}
