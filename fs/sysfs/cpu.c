/* SPDX-License-Identifier: MIT */
/*
 * /sys/devices/system/cpu. CPUs do not come and go: "online" of each is there to be read only. The
 * context below cpuN is N + 1.
 */
#include "core/cpumask.h"
#include "lib/format.h"
#include "sysfs_internal.h"
#include "uapi/dirent.h"
#include "uapi/errno.h"

/* "0-3,5" */
static void
put_list(struct strbuf *sb, const struct cpumask *m)
{
	const char *comma = "";

	for (u32 cpu = 0; cpu < cpu_count; cpu++) {
		u32 last = cpu;

		if (!cpumask_test(m, cpu))
			continue;
		while (last + 1 < cpu_count && cpumask_test(m, last + 1))
			last++;
		strbuf_printf(sb, last > cpu ? "%s%u-%u" : "%s%u", comma, cpu, last);
		comma = ",";
		cpu = last;
	}
	strbuf_putc(sb, '\n');
}

static int
show_online(struct strbuf *sb, void *ctx)
{
	put_list(sb, &cpu_online);
	return 0;
}

static int
show_possible(struct strbuf *sb, void *ctx)
{
	put_list(sb, &cpu_possible);
	return 0;
}

static int
show_offline(struct strbuf *sb, void *ctx)
{
	struct cpumask off;

	cpumask_zero(&off);
	for (u32 cpu = 0; cpu < cpu_count; cpu++)
		if (cpumask_test(&cpu_possible, cpu) && !cpumask_test(&cpu_online, cpu))
			cpumask_set(&off, cpu);
	put_list(sb, &off);
	return 0;
}

static int
show_kernel_max(struct strbuf *sb, void *ctx)
{
	strbuf_printf(sb, "%u\n", MAX_CPUS - 1);
	return 0;
}

static int
show_one_online(struct strbuf *sb, void *ctx)
{
	u32 cpu = (u32)((uintptr_t)ctx - 1);

	strbuf_printf(sb, "%u\n", cpumask_test(&cpu_online, cpu) ? 1 : 0);
	return 0;
}

static const struct pseudo_entry one_cpu_entries[] = {
	SYS_FILE("online", 0444, show_one_online),
	{ .name = NULL },
};

static const struct pseudo_entry one_cpu = SYS_DIR("cpu", one_cpu_entries);

int
cpu_lookup(void *ctx, const char *name, size_t len, struct pseudo_node *out)
{
	u32 cpu = 0;

	if (len < 4 || len > 7 || name[0] != 'c' || name[1] != 'p' || name[2] != 'u' ||
	    (name[3] == '0' && len > 4))
		return -ENOENT;
	for (size_t i = 3; i < len; i++) {
		if (name[i] < '0' || name[i] > '9')
			return -ENOENT;
		cpu = cpu * 10 + (u32)(name[i] - '0');
	}
	if (cpu >= cpu_count || !cpumask_test(&cpu_possible, cpu))
		return -ENOENT;
	out->entry = &one_cpu;
	out->ctx = (void *)((uintptr_t)cpu + 1);
	out->ino = SYS_CPU_INO + cpu;
	return 0;
}

int
cpu_readdir(void *ctx, struct dir_context *dc, u64 first)
{
	for (u64 cpu = dc->pos - first; cpu < cpu_count; cpu++) {
		char name[12];
		size_t len = scnprintf(name, sizeof(name), "cpu%u", (u32)cpu);

		if (!cpumask_test(&cpu_possible, (u32)cpu))
			continue;
		if (!dc->emit(dc, name, len, SYS_CPU_INO + cpu, DT_DIR, first + cpu + 1))
			return 0;
		dc->pos = first + cpu + 1;
	}
	return 0;
}

const struct pseudo_entry cpu_entries[] = {
	SYS_FILE("online", 0444, show_online),	       SYS_FILE("offline", 0444, show_offline),
	SYS_FILE("possible", 0444, show_possible),     SYS_FILE("present", 0444, show_possible),
	SYS_FILE("kernel_max", 0444, show_kernel_max), { .name = NULL },
};
