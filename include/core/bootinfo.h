/* SPDX-License-Identifier: MIT */
/* What the loader handed over, in one neutral form; filled by arch's entry, read by boot/ and mm/.
 */
#ifndef CORE_BOOTINFO_H
#define CORE_BOOTINFO_H

#include "lib/types.h"

enum boot_mem_type {
	BOOT_MEM_RAM = 1,
	BOOT_MEM_RESERVED = 2,
	BOOT_MEM_ACPI = 3,
	BOOT_MEM_NVS = 4,
	BOOT_MEM_BAD = 5
};

struct boot_mem {
	u64 start, len;
	u32 type;
};

struct boot_info {
	char cmdline[4096];
	struct boot_mem mem[128]; /* sorted, as the firmware tells */
	u32 mem_count;
	u64 initrd_start, initrd_len; /* physical; 0 if none */
	u64 kernel_start, kernel_end; /* physical, of the image with bss */
	u64 rsdp;		      /* physical; 0 if none */
	u64 early_end;		      /* memory used by early page tables ends here (physical) */
};

extern struct boot_info boot_info;

#endif
