/* SPDX-License-Identifier: MIT */
/* Inline part of arch/regs.h: the frame that entry.S builds, in the order of ptrace's user_regs. */
#ifndef ARCH_IMPL_REGS_H
#define ARCH_IMPL_REGS_H

#include "lib/types.h"

struct regs {
	u64 r15, r14, r13, r12, bp, bx;
	u64 r11, r10, r9, r8, ax, cx, dx, si, di;
	u64 orig_ax; /* system call number; -1, or the exception's error code, after other entries
		      */
	u64 ip, cs, flags, sp, ss;
};

static inline u64
regs_ip(const struct regs *regs)
{
	return regs->ip;
}

static inline void
regs_set_ip(struct regs *regs, u64 ip)
{
	regs->ip = ip;
}

static inline u64
regs_sp(const struct regs *regs)
{
	return regs->sp;
}

static inline void
regs_set_sp(struct regs *regs, u64 sp)
{
	regs->sp = sp;
}

static inline u64
regs_fp(const struct regs *regs)
{
	return regs->bp;
}

static inline long
regs_syscall_nr(const struct regs *regs)
{
	return (long)regs->orig_ax;
}

static inline void
regs_set_syscall_nr(struct regs *regs, long nr)
{
	regs->orig_ax = (u64)nr;
}

static inline u64
regs_arg(const struct regs *regs, u32 n)
{
	switch (n) {
	case 0: return regs->di;
	case 1: return regs->si;
	case 2: return regs->dx;
	case 3: return regs->r10;
	case 4: return regs->r8;
	default: return regs->r9;
	}
}

static inline long
regs_ret(const struct regs *regs)
{
	return (long)regs->ax;
}

static inline void
regs_set_ret(struct regs *regs, long value)
{
	regs->ax = (u64)value;
}

static inline bool
regs_user(const struct regs *regs)
{
	return regs->cs & 3;
}

/* The syscall instruction is two bytes long. */
static inline void
regs_restart_syscall(struct regs *regs)
{
	regs->ax = regs->orig_ax;
	regs->ip -= 2;
}

#define ARCH_TRAP_PAGE_FAULT 14

static inline u64
arch_fault_error(bool present, bool write, bool exec)
{
	return 4 | present | (u64)write << 1 | (u64)exec << 4;
}

#endif
