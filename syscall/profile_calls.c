/* SPDX-License-Identifier: MIT */
/*
 * How often each system call is made and how long it takes: profile=calls on the command line.
 *
 * Every program then has the flag that leads its calls through the slow way in and out
 * (syscall/trace.c); without the option nothing is tested that was not tested anyway. The counts
 *lie in a table per CPU. /proc/profile_calls shows a line for each call that was made,
 *
 *	name count total mean longest
 *
 * in nanoseconds, what it slept included. Calls that do not come back (exit) are not in it. Writing
 * anything begins anew.
 */
#include "syscall/profile.h"

#include "core/cpumask.h"
#include "core/log.h"
#include "core/percpu.h"
#include "core/time.h"
#include "fs/proc/proc.h"
#include "fs/vfs/pseudo.h"
#include "lib/format.h"
#include "lib/string.h"
#include "mm/vmalloc.h"
#include "sched/thread.h"
#include "syscall/table.h"
#include "uapi/stat.h"

struct call_count {
	u64 count, total, longest;
};

static struct call_count *tables[MAX_CPUS]; /* [NR_syscalls] each */

void
profile_call_enter(void)
{
	thread_current()->call_began = time_mono_ns();
}

void
profile_call_exit(long nr)
{
	struct thread *t = thread_current();
	u64 took = time_mono_ns() - t->call_began;
	struct call_count *c;

	if (!t->call_began || (unsigned long)nr >= NR_syscalls)
		return;
	t->call_began = 0;
	preempt_disable();
	c = tables[cpu_id()];
	if (c) {
		c += nr;
		WRITE_ONCE(c->count, c->count + 1);
		WRITE_ONCE(c->total, c->total + took);
		if (c->longest < took)
			WRITE_ONCE(c->longest, took);
	}
	preempt_enable();
}

static int
show_calls(struct strbuf *sb, void *ctx)
{
	for (u32 nr = 0; nr < NR_syscalls; nr++) {
		struct call_count all = { 0 };

		for (u32 cpu = 0; cpu < MAX_CPUS; cpu++) {
			const struct call_count *c = tables[cpu] ? &tables[cpu][nr] : NULL;

			if (!c)
				continue;
			all.count += READ_ONCE(c->count);
			all.total += READ_ONCE(c->total);
			all.longest = MAX(all.longest, READ_ONCE(c->longest));
		}
		if (all.count)
			strbuf_printf(sb, "%s %lu %lu %lu %lu\n", syscall_formats[nr].name,
				      all.count, all.total, all.total / all.count, all.longest);
	}
	return 0;
}

static ssize_t
store_calls(void *ctx, const char *text, size_t len)
{
	for (u32 cpu = 0; cpu < MAX_CPUS; cpu++)
		if (tables[cpu])
			memset(tables[cpu], 0, NR_syscalls * sizeof(*tables[cpu]));
	return (ssize_t)len;
}

static const struct pseudo_entry entries[] = {
	{ .name = "profile_calls",
	  .mode = S_IFREG | 0600,
	  .show = show_calls,
	  .store = store_calls },
	{ .name = NULL },
};

void
profile_calls_start(void)
{
	u32 cpu;

	cpumask_for_each(cpu, &cpu_online)
	{
		tables[cpu] = vmalloc(NR_syscalls * sizeof(*tables[cpu]), GFP_KERNEL | GFP_ZERO);
		if (!tables[cpu])
			log_warn("profile: no memory for CPU %u\n", cpu);
	}
	thread_first_flags |= TF_SYSCALL_PROFILE;
	if (pseudo_extend(&proc_fs_type, "", entries, NULL))
		log_warn("profile: no /proc/profile_calls\n");
}
