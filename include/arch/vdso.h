/* SPDX-License-Identifier: MIT */
/*
 * vDSO: arch builds a small ELF shared object (arch/<arch>/vdso/) with __vdso_clock_gettime,
 * __vdso_gettimeofday, __vdso_time, __vdso_getcpu,
 * __vdso_clock_getres (x86-64; version LINUX_2.6) and embeds its image. core/time.c fills the data
 * page.
 */
#ifndef ARCH_VDSO_H
#define ARCH_VDSO_H
#include "lib/types.h"

struct vdso_data {	 /* one page, mapped read-only in front of the code */
	u32 seq;	 /* odd while being written */
	u32 use_counter; /* counter readable from user mode */
	u64 last_count;
	u32 mult, shift;
	u64 mono_sec, mono_nsec; /* at last_count; nsec shifted left by shift for precision:
				    core/time.c and vdso agree */
	u64 real_sec, real_nsec;
	u64 boot_offset_ns;
	u64 coarse_mono_sec, coarse_mono_nsec, coarse_real_sec, coarse_real_nsec;
	u64 coarse_res_ns;
};
extern struct vdso_data *vdso_data; /* page-aligned, in the kernel image */
extern const u8 arch_vdso_image[];  /* page-aligned, whole pages */
extern const size_t arch_vdso_size;
#endif
