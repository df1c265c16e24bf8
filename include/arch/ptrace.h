/* SPDX-License-Identifier: MIT */
/*
 * Registers of a stopped thread, for ptrace(2). The caller has made sure that it is off its CPU
 * (thread_wait_inactive) and stays so. `t` begins with its flags; `regs` is arch_thread_regs of its
 * kernel stack.
 */
#ifndef ARCH_PTRACE_H
#define ARCH_PTRACE_H

#include "lib/types.h"

struct thread;
struct arch_thread;
struct regs;

/* struct user of <sys/user.h> by offset, in words: -EIO outside of it or misaligned. */
int arch_ptrace_peek_user(struct arch_thread *at, const struct regs *regs, u64 offset, u64 *out);
int arch_ptrace_poke_user(struct thread *t, struct arch_thread *at, struct regs *regs, u64 offset,
			  u64 value);

/* NT_PRSTATUS, NT_PRFPREG, NT_X86_XSTATE: size in bytes, 0 if there is no such set. */
size_t arch_regset_size(u32 type);
/* buf holds arch_regset_size(type) bytes. */
void arch_regset_get(struct arch_thread *at, const struct regs *regs, u32 type, void *buf);
/* The first `size` bytes of the set (at most its size); the rest stays. 0, -EINVAL, -EIO. */
int arch_regset_set(struct thread *t, struct arch_thread *at, struct regs *regs, u32 type,
		    const void *buf, size_t size);

/* PTRACE_SINGLESTEP: trap after the next instruction of user mode. */
void arch_single_step(struct thread *t, struct regs *regs, bool on);

#endif
