/* SPDX-License-Identifier: MIT */
/*
 * First C code: the loader's hand-over (PVH start info) becomes struct boot_info, and this CPU gets
 * what everything else takes for granted: per-CPU base, descriptor tables, page tables.
 *
 * Nothing here trusts the loader beyond what it must: counts are cut to what boot_info holds.
 */
#include "arch/cpu.h"
#include "arch/percpu.h"
#include "core/arch_upcalls.h"
#include "core/bootinfo.h"
#include "core/panic.h"
#include "core/preempt.h"
#include "lib/string.h"
#include "x86.h"

/* The BIOS keeps data in the first pages, and smp.c needs one for other CPUs to start in. */
#define LOW_RESERVED 0x10000ul
#define START_MAGIC  0x336ec578u

struct pvh_start_info {
	u32 magic, version, flags, module_count;
	u64 modules, cmdline, rsdp;
	u64 memory_map; /* version 1 */
	u32 memory_map_count, reserved;
};

struct pvh_module {
	u64 start, size, cmdline, reserved;
};

struct pvh_memory {
	u64 start, size;
	u32 type, reserved;
};

const char arch_machine_name[] = "x86_64";

void arch_start(paddr_t start_info) __noreturn;
void console_early_init(void);

/* The boot tables map the first 4 GiB. */
static const void *
low_memory(paddr_t pa)
{
	return pa && pa < (4ul << 30) ? phys_to_virt(pa) : NULL;
}

/* Insertion keeps the map sorted; firmware nearly always delivers it so. */
static void
memory_add(u64 start, u64 len, u32 type)
{
	u32 i = boot_info.mem_count;

	if (type == BOOT_MEM_RAM && start < LOW_RESERVED) {
		u64 cut = MIN(len, LOW_RESERVED - start);

		start += cut;
		len -= cut;
	}
	if (!len || start + len < start || i == ARRAY_SIZE(boot_info.mem))
		return;
	for (; i > 0 && boot_info.mem[i - 1].start > start; i--)
		boot_info.mem[i] = boot_info.mem[i - 1];
	boot_info.mem[i] = (struct boot_mem){ .start = start, .len = len, .type = type };
	boot_info.mem_count++;
}

static void
pvh_read(paddr_t pa)
{
	const struct pvh_start_info *info = low_memory(pa);
	const struct pvh_memory *memory;
	const struct pvh_module *module;
	const char *cmdline;

	if (!info || info->magic != START_MAGIC)
		panic("the loader did not hand over a PVH start structure");
	cmdline = low_memory(info->cmdline);
	if (cmdline)
		strscpy(boot_info.cmdline, cmdline, sizeof(boot_info.cmdline));
	boot_info.rsdp = info->rsdp;
	module = low_memory(info->modules);
	if (module && info->module_count) {
		boot_info.initrd_start = module->start;
		boot_info.initrd_len = module->size;
	}
	memory = info->version >= 1 ? low_memory(info->memory_map) : NULL;
	for (u32 i = 0; memory && i < info->memory_map_count; i++)
		memory_add(memory[i].start, memory[i].size, memory[i].type);
	if (!boot_info.mem_count)
		panic("the loader did not hand over a memory map");
}

void
arch_start(paddr_t start_info)
{
	boot_cycles = arch_cycles();
	memcpy(percpu_template, percpu_start, image_bytes(percpu_start, percpu_end));
	arch_percpu_set_base(0);
	traps_init();
	pvh_read(start_info);
	boot_info.kernel_start = arch_image_to_phys(kernel_start);
	boot_info.kernel_end = arch_image_to_phys(kernel_end);
	boot_info.early_end = boot_info.kernel_end;
	cpu_detect_features();
	crc_detect();
	console_early_init();
	cpu_patch_code();
	mmu_init();
	fpu_init();
	cpu_setup(0);
	kernel_main();
}
