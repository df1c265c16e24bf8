/* SPDX-License-Identifier: MIT */
/* The system's files at the top of /proc: CPUs, time, load, tables of the kernel. proc(5). */
#include "arch/cpu.h"
#include "block/block.h"
#include "core/bootinfo.h"
#include "core/cpumask.h"
#include "core/irq.h"
#include "core/log.h"
#include "core/panic.h"
#include "core/time.h"
#include "drivers/tty/tty.h"
#include "fs/vfs/device.h"
#include "fs/vfs/inode.h"
#include "ipc/sysv.h"
#include "lib/string.h"
#include "mm/mm.h"
#include "mm/page.h"
#include "mm/swap.h"
#include "ns/ns.h"
#include "proc_internal.h"
#include "sched/sched.h"
#include "task/cred.h"
#include "task/task.h"

static int
show_version(struct strbuf *sb, void *ctx)
{
	strbuf_printf(sb, "%s version %s %s\n", uts_sysname, uts_release, uts_version);
	return 0;
}

static int
show_cmdline(struct strbuf *sb, void *ctx)
{
	strbuf_printf(sb, "%s\n", boot_info.cmdline);
	return 0;
}

static int
show_cpuinfo(struct strbuf *sb, void *ctx)
{
	u32 cpu;

	cpumask_for_each(cpu, &cpu_online) arch_cpuinfo(sb, cpu);
	return 0;
}

static void
put_seconds(struct strbuf *sb, u64 ns)
{
	strbuf_printf(sb, "%lu.%02lu", ns / NSEC_PER_SEC, ns % NSEC_PER_SEC / 10000000);
}

static int
show_uptime(struct strbuf *sb, void *ctx)
{
	u64 idle = 0;
	u32 cpu;

	cpumask_for_each(cpu, &cpu_online)
	{
		struct sched_cpu_stats st;

		sched_cpu_stats(cpu, &st);
		idle += st.idle_ns;
	}
	put_seconds(sb, time_boot_ns());
	strbuf_putc(sb, ' ');
	put_seconds(sb, idle);
	strbuf_putc(sb, '\n');
	return 0;
}

static int
show_loadavg(struct strbuf *sb, void *ctx)
{
	u64 avg[3];

	sched_load_average(avg);
	for (u32 i = 0; i < 3; i++) {
		u64 v = avg[i] + (1 << 11) / 200; /* rounded to hundredths */

		strbuf_printf(sb, "%lu.%02lu ", v >> 11, ((v & 2047) * 100) >> 11);
	}
	strbuf_printf(sb, "%u/%d %u\n", sched_nr_running(),
		      atomic_read(&task_count) + atomic_read(&sched_kernel_threads),
		      READ_ONCE(current_pid_ns()->last));
	return 0;
}

static void
put_cpu_line(struct strbuf *sb, const struct sched_cpu_stats *s)
{
	strbuf_printf(sb, " %lu %lu %lu %lu %lu %lu %lu %lu 0 0\n", ns_to_ticks(s->user_ns),
		      ns_to_ticks(s->nice_ns), ns_to_ticks(s->system_ns), ns_to_ticks(s->idle_ns),
		      ns_to_ticks(s->iowait_ns), ns_to_ticks(s->irq_ns), ns_to_ticks(s->softirq_ns),
		      ns_to_ticks(s->steal_ns));
}

static int
show_stat(struct strbuf *sb, void *ctx)
{
	struct sched_cpu_stats sum = { 0 }, s;
	u64 irqs = 0;
	u32 cpu;

	cpumask_for_each(cpu, &cpu_online)
	{
		sched_cpu_stats(cpu, &s);
		sum.user_ns += s.user_ns;
		sum.nice_ns += s.nice_ns;
		sum.system_ns += s.system_ns;
		sum.idle_ns += s.idle_ns;
		sum.iowait_ns += s.iowait_ns;
		sum.irq_ns += s.irq_ns;
		sum.softirq_ns += s.softirq_ns;
		sum.steal_ns += s.steal_ns;
		sum.switches += s.switches;
		irqs += irq_count_cpu(cpu);
	}
	strbuf_puts(sb, "cpu ");
	put_cpu_line(sb, &sum);
	cpumask_for_each(cpu, &cpu_online)
	{
		sched_cpu_stats(cpu, &s);
		strbuf_printf(sb, "cpu%u", cpu);
		put_cpu_line(sb, &s);
	}
	strbuf_printf(sb,
		      "intr %lu\nctxt %lu\nbtime %lu\nprocesses %ld\nprocs_running "
		      "%u\nprocs_blocked %u\n",
		      irqs, sum.switches, (time_real_ns() - time_boot_ns()) / NSEC_PER_SEC,
		      atomic64_read(&sched_forks), sched_nr_running(), sched_nr_uninterruptible());
	/* Nothing here runs as a soft interrupt: the sum and Linux's ten kinds. */
	strbuf_puts(sb, "softirq 0 0 0 0 0 0 0 0 0 0 0\n");
	return 0;
}

static void
put_irq(void *ctx, u32 line, const char *name, const u32 *counts)
{
	struct strbuf *sb = ctx;

	if (line == IRQ_LINE_ARCH)
		strbuf_printf(sb, "%3.3s: ", name);
	else
		strbuf_printf(sb, "%3u: ", line);
	for (u32 cpu = 0; cpu < cpu_count; cpu++)
		strbuf_printf(sb, "%10u ", counts[cpu]);
	strbuf_printf(sb, "  %s\n", line == IRQ_LINE_ARCH ? name + 4 : name);
}

static int
show_interrupts(struct strbuf *sb, void *ctx)
{
	strbuf_puts(sb, "     ");
	for (u32 cpu = 0; cpu < cpu_count; cpu++)
		strbuf_printf(sb, "      CPU%-2u", cpu);
	strbuf_puts(sb, "\n");
	irq_for_each(put_irq, sb);
	return 0;
}

static int
show_locks(struct strbuf *sb, void *ctx)
{
	locks_show(sb);
	return 0;
}

static int
show_filesystems(struct strbuf *sb, void *ctx)
{
	fs_list(sb);
	return 0;
}

static int
show_devices(struct strbuf *sb, void *ctx)
{
	device_list_majors(sb);
	return 0;
}

static int
show_partitions(struct strbuf *sb, void *ctx)
{
	block_show_partitions(sb);
	return 0;
}

static int
show_diskstats(struct strbuf *sb, void *ctx)
{
	block_show_stats(sb);
	return 0;
}

static int
show_swaps(struct strbuf *sb, void *ctx)
{
	struct swap_info s;

	strbuf_puts(sb, "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n");
	for (u32 i = 0; swap_info(i, &s); i++) {
		u64 size = s.pages * (PAGE_SIZE / 1024), used = s.used * (PAGE_SIZE / 1024);
		int pad = 40 - (int)strlen(s.name);

		strbuf_printf(sb, "%s%*s%s\t%lu\t%s%lu\t%s%d\n", s.name, MAX(pad, 1), " ",
			      s.file ? "file\t" : "partition", size, size < 10000000 ? "\t" : "",
			      used, used < 10000000 ? "\t" : "", s.priority);
	}
	return 0;
}

/* ---- consoles, terminals, miscellaneous devices ---- */

struct named {
	const char *name;
	devnum_t dev;
};

static bool
number_of_name(void *ctx, struct device *d)
{
	struct named *n = ctx;

	if (strcmp(d->name, n->name))
		return true;
	n->dev = d->dev;
	return false;
}

/* The last one is /dev/console's. Each printed what was logged before it came. */
static int
show_consoles(struct strbuf *sb, void *ctx)
{
	struct named n = { .name = log_console_name(0) };

	for (u32 i = 1; n.name; i++) {
		const char *next = log_console_name(i);

		n.dev = 0;
		device_for_each(number_of_name, &n);
		strbuf_printf(sb, "%-20s -W- (E%c p  ) %4u:%u\n", n.name, next ? ' ' : 'C',
			      DEV_MAJOR(n.dev), DEV_MINOR(n.dev));
		n.name = next;
	}
	return 0;
}

static int
show_tty_drivers(struct strbuf *sb, void *ctx)
{
	tty_list_drivers(sb);
	return 0;
}

static bool
put_misc(void *ctx, struct device *d)
{
	if (!strcmp(d->class_name, "misc"))
		strbuf_printf(ctx, "%3u %s\n", DEV_MINOR(d->dev), d->name);
	return true;
}

static int
show_misc(struct strbuf *sb, void *ctx)
{
	device_for_each(put_misc, sb);
	return 0;
}

/* ---- the kernel's memory and symbols ---- */

static int
show_buddyinfo(struct strbuf *sb, void *ctx)
{
	u64 blocks[PAGE_ORDERS];

	page_count_free_blocks(blocks);
	strbuf_puts(sb, "Node 0, zone   Normal ");
	for (u32 order = 0; order < PAGE_ORDERS; order++)
		strbuf_printf(sb, "%6lu ", blocks[order]);
	strbuf_putc(sb, '\n');
	return 0;
}

/* Where the kernel lies is for those who may read its log. */
static int
show_kallsyms(struct strbuf *sb, void *ctx)
{
	bool privileged = capable(CAP_SYSLOG);
	const char *name;
	uintptr_t addr;

	for (u32 i = 0; !sb->overflow && symbol_at(i, &addr, &name); i++)
		strbuf_printf(sb, "%016lx t %s\n", privileged ? addr : 0, name);
	return 0;
}

static const struct pseudo_entry tty_entries[] = {
	PROC_FILE("drivers", 0444, show_tty_drivers),
	{ .name = NULL },
};

/* Nothing of the kind is there: no loadable modules, no disks yet. */
static int
show_empty(struct strbuf *sb, void *ctx)
{
	return 0;
}

static int
show_sysv_sem(struct strbuf *sb, void *ctx)
{
	sysv_show(SYSV_SEM, sb);
	return 0;
}

static int
show_sysv_msg(struct strbuf *sb, void *ctx)
{
	sysv_show(SYSV_MSG, sb);
	return 0;
}

static int
show_sysv_shm(struct strbuf *sb, void *ctx)
{
	sysv_show(SYSV_SHM, sb);
	return 0;
}

static const struct pseudo_entry sysvipc_entries[] = {
	PROC_FILE("msg", 0444, show_sysv_msg),
	PROC_FILE("sem", 0444, show_sysv_sem),
	PROC_FILE("shm", 0444, show_sysv_shm),
	{ .name = NULL },
};

const struct pseudo_entry system_entries[] = {
	{ .name = "sysvipc", .mode = S_IFDIR | 0555, .children = sysvipc_entries },
	PROC_FILE("version", 0444, show_version),
	PROC_FILE("cmdline", 0444, show_cmdline),
	PROC_FILE("cpuinfo", 0444, show_cpuinfo),
	PROC_FILE("uptime", 0444, show_uptime),
	PROC_FILE("loadavg", 0444, show_loadavg),
	PROC_FILE("stat", 0444, show_stat),
	PROC_FILE("interrupts", 0444, show_interrupts),
	PROC_FILE("filesystems", 0444, show_filesystems),
	PROC_FILE("locks", 0444, show_locks),
	PROC_FILE("devices", 0444, show_devices),
	PROC_FILE("partitions", 0444, show_partitions),
	PROC_FILE("diskstats", 0444, show_diskstats),
	PROC_FILE("modules", 0444, show_empty),
	PROC_FILE("swaps", 0444, show_swaps),
	PROC_FILE("consoles", 0444, show_consoles),
	PROC_FILE("misc", 0444, show_misc),
	PROC_FILE("buddyinfo", 0444, show_buddyinfo),
	PROC_FILE("kallsyms", 0444, show_kallsyms),
	{ .name = "tty", .mode = S_IFDIR | 0555, .children = tty_entries },
	PROC_FILE("meminfo", 0444, proc_show_meminfo),
	PROC_FILE("vmstat", 0444, proc_show_vmstat),
	PROC_FILE("slabinfo", 0400, proc_show_slabinfo),
	{ .name = NULL },
};
