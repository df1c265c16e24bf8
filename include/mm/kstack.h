/* SPDX-License-Identifier: MIT */
/*
 * Kernel stacks: KSTACK_SIZE bytes with an unmapped guard page below; recently freed ones are kept
 * per CPU.
 */
#ifndef MM_KSTACK_H
#define MM_KSTACK_H
#include "arch/thread.h"

void *kstack_alloc(void);      /* lowest address, or NULL */
void kstack_free(void *stack); /* preemption may be off */
/* For oops messages: is addr in the guard page of some stack? */
bool kstack_guard_hit(uintptr_t addr);
#endif
