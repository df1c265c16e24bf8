/* SPDX-License-Identifier: MIT */
/*
 * Inline part of arch/thread.h.
 *
 * The XSAVE area of a user thread lies at the very top of its kernel stack, above the register
 * frame: it needs no allocation, cannot fail and is freed with the stack (fpu.c).
 */
#ifndef ARCH_IMPL_THREAD_H
#define ARCH_IMPL_THREAD_H

#include "core/cpumask.h"
#include "lib/types.h"

struct arch_debug_regs {
	u64 address[4]; /* DR0-3 */
	u64 status;	/* DR6 as the program's tracer sees it */
	u64 control;	/* DR7; 0: none in use */
};

/* [P] written by the thread itself, or while it does not run. */
struct arch_thread {
	u64 sp;	     /* [P] kernel stack pointer while not running */
	void *fpu;   /* [P] XSAVE area; NULL for kernel threads */
	u32 fpu_cpu; /* [P] CPU whose FPU registers hold this state, if that CPU's fpu_owner says so
			too */
	u32 segment_cpu;    /* [P] the same for the segment registers and their bases (thread.c) */
	u16 ds, es, fs, gs; /* [P] selectors a program loaded itself; 0 in practice */
	u64 fs_base, gs_base;	      /* [P] */
	struct arch_debug_regs debug; /* [P] */
};

struct arch_space {
	u64 root;	    /* physical address of the root table */
	u64 id;		    /* never used again: names the space in each CPU's PCID slots */
	u64 tlb_generation; /* counts shoot-downs; a CPU's PCID slot is stale when it knows fewer */
	struct cpumask cpus; /* CPUs that have it loaded now, lazily included */
};

#endif
