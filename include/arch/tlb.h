/* SPDX-License-Identifier: MIT */
/*
 * Translation caches. Local forms act on this CPU. The shoot-down forms act on every CPU in
 * space->cpus and return when all have dropped the entries. They must be called with interrupts
 * enabled and no spinlock held that is taken with interrupts off elsewhere (leaf page-table locks
 * are fine to hold: they are never taken in interrupts... but better dropped first).
 */
#ifndef ARCH_TLB_H
#define ARCH_TLB_H
#include "lib/types.h"

struct arch_space;

void arch_tlb_flush_local_page(uintptr_t addr);
void arch_tlb_flush_local_all(void); /* non-global entries of the current space */
/* stride = PAGE_SIZE or HUGE_SIZE. Large ranges become a full flush of the space. */
void arch_tlb_shootdown(struct arch_space *space, uintptr_t start, uintptr_t end, size_t stride);
/* Page-table pages are freed after this: also drops paging-structure caches. */
void arch_tlb_shootdown_all(struct arch_space *space);
/* Kernel addresses (vmalloc), every CPU. */
void arch_tlb_flush_kernel(uintptr_t start, uintptr_t end);
#endif
