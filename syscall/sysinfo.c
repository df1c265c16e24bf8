/* SPDX-License-Identifier: MIT */
/* sysinfo(2): memory, load and uptime at a glance. Units of a byte: nothing we run on needs larger
 * ones. */
#include "uapi/sysinfo.h"
#include "core/time.h"
#include "generated/syscalls.h"
#include "lib/string.h"
#include "mm/page.h"
#include "mm/user.h"
#include "sched/sched.h"
#include "task/task.h"

#define LOAD_FRACTION_BITS 11 /* sched_load_average's */

long
sys_sysinfo(user_ptr out)
{
	struct linux_sysinfo info;
	struct mem_stats m;
	u64 load[3];

	memset(&info, 0, sizeof(info));
	mem_stats(&m);
	sched_load_average(load);
	info.uptime = (s64)DIV_ROUND_UP(time_boot_ns(), NSEC_PER_SEC);
	for (u32 i = 0; i < 3; i++)
		info.loads[i] = load[i] << (SI_LOAD_SHIFT - LOAD_FRACTION_BITS);
	info.totalram = m.total * PAGE_SIZE;
	info.freeram = m.free * PAGE_SIZE;
	info.sharedram = m.shmem * PAGE_SIZE;
	info.bufferram = m.buffers * PAGE_SIZE;
	info.totalswap = m.swap_total * PAGE_SIZE;
	info.freeswap = m.swap_free * PAGE_SIZE;
	u32 threads = (u32)(atomic_read(&task_count) + atomic_read(&sched_kernel_threads));
	info.procs = (u16)MIN(threads, (u32)UINT16_MAX);
	info.mem_unit = 1;
	return copy_to_user(out, &info, sizeof(info));
}
