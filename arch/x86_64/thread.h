/* SPDX-License-Identifier: MIT */
/* Segment registers of the running program (thread.c). Interrupts off. */
#ifndef ARCH_X86_64_THREAD_H
#define ARCH_X86_64_THREAD_H

struct arch_thread;

void segments_read(struct arch_thread *at);
void segments_load(const struct arch_thread *at);

#endif
