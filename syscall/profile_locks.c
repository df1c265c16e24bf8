/* SPDX-License-Identifier: MIT */
/*
 * /proc/lock_stat of a kernel that is built with LOCKSTAT=1: a line for each place that has taken a
 * lock,
 *
 *	kind taken waited wait-total wait-max held-total held-max function+offset
 *
 * in nanoseconds. Writing anything begins anew.
 */
#include "syscall/profile.h"

#include "core/lock_stat.h"
#include "core/log.h"
#include "core/panic.h"
#include "core/time.h"
#include "fs/proc/proc.h"
#include "fs/vfs/pseudo.h"
#include "lib/format.h"
#include "uapi/stat.h"

static u64 first_cycles, first_ns;

/* By what the two clocks have counted since the start. */
static u64
cycles_ns(u64 cycles)
{
	u64 all = lock_stat_clock() - first_cycles;
	u64 a_microsecond = all / ((time_mono_ns() - first_ns) / NSEC_PER_USEC + 1);

	return a_microsecond ? cycles * NSEC_PER_USEC / a_microsecond : 0;
}

static int
show_locks(struct strbuf *sb, void *ctx)
{
	static const char *const kinds[LOCK_KINDS] = { "spin", "mutex", "read", "write" };

	for (u32 n = 0; n < LOCK_PLACES && !sb->overflow; n++) {
		const struct lock_place *p = lock_stat_place(n);
		const char *name = "?";
		size_t offset = 0;

		if (!p || !READ_ONCE(p->taken))
			continue;
		(void)symbol_find(p->address - 1, &name, &offset);
		strbuf_printf(sb, "%s %lu %lu %lu %lu %lu %lu %s+%zu\n", kinds[p->kind], p->taken,
			      p->waited, cycles_ns(p->wait_total), cycles_ns(p->wait_max),
			      cycles_ns(p->held_total), cycles_ns(p->held_max), name, offset);
	}
	return 0;
}

static ssize_t
store_locks(void *ctx, const char *text, size_t len)
{
	lock_stat_reset();
	return (ssize_t)len;
}

static const struct pseudo_entry entries[] = {
	{ .name = "lock_stat", .mode = S_IFREG | 0600, .show = show_locks, .store = store_locks },
	{ .name = NULL },
};

void
profile_locks_start(void)
{
	first_cycles = lock_stat_clock();
	first_ns = time_mono_ns();
	if (pseudo_extend(&proc_fs_type, "", entries, NULL))
		log_warn("profile: no /proc/lock_stat\n");
}
