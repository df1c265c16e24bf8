/* SPDX-License-Identifier: MIT */
/* FPU state, as thread.c, signal.c and ptrace support use it. */
#ifndef ARCH_X86_64_FPU_H
#define ARCH_X86_64_FPU_H

#include "arch/thread.h"
#include "lib/types.h"
#include "uapi/arch_x86_64.h"

struct thread;

size_t fpu_state_size(void);
size_t fpu_area_size(void);
u64 fpu_features(void);
void fpu_state_reset(void *area);
void fpu_switch_out(struct arch_thread *at);
void fpu_switch_in(struct arch_thread *at, struct thread *thread);
void fpu_load(struct arch_thread *at);
void fpu_sync(struct arch_thread *at);
void fpu_state_changed(struct arch_thread *at, struct thread *thread);
void fpu_state_complete(void *area);
void fpu_forget(struct arch_thread *at);
bool fpu_state_sanitize(void *area);
/* The si_code of a floating point exception of the running program; false if none is unmasked any
 * more. */
bool fpu_fault(bool simd, int *code);

#endif
