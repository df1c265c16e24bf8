/* SPDX-License-Identifier: MIT */
/*
 * Kernel virtual areas: virtually contiguous memory, device registers, guarded kernel stacks. May
 * sleep.
 */
#ifndef MM_VMALLOC_H
#define MM_VMALLOC_H
#include "mm/page.h"

void *vmalloc(size_t size, u32 gfp);
void vfree(const void *p);
bool is_vmalloc(const void *p);
void *ioremap(paddr_t pa, size_t len); /* uncached */
void iounmap(void *p);
#endif
