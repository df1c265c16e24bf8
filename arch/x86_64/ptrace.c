/* SPDX-License-Identifier: MIT */
/*
 * Registers for ptrace(2): struct user by offset, and register sets.
 *
 * What a tracer writes is made safe here: selectors of code and stack cannot change, only the flags
 * that programs may change do, bases are user addresses (EIO otherwise, as Linux says), watchpoints
 * lie in user memory. An instruction pointer of any value is allowed; the way back to user mode
 * checks it.
 */
#include "arch/ptrace.h"

#include "arch/regs.h"
#include "arch/thread.h"
#include "fpu.h"
#include "lib/atomic.h"
#include "lib/string.h"
#include "traps.h"
#include "uapi/arch.h"
#include "uapi/elf.h"
#include "uapi/errno.h"
#include "x86.h"

#define USER_DEBUG_OFFSET 848 /* u_debugreg in struct user */
#define USER_SIZE	  912
#define DR7_RESERVED	  0xffffffff0000dc00ul
#define DR7_RESERVED_ONE  0x400ul
#define DR7_ENABLES	  0xfful
#define XSTATE_FEATURES_OFFSET                                            \
	464 /* in the XSAVE image, where gdb and core files look for XCR0 \
	     */

static void
user_regs_fill(struct linux_user_regs *u, const struct arch_thread *at, const struct regs *regs)
{
	/* struct regs is the head of Linux's structure. */
	memcpy(u, regs, sizeof(*regs));
	u->fs_base = at->fs_base;
	u->gs_base = at->gs_base;
	u->ds = at->ds;
	u->es = at->es;
	u->fs = at->fs;
	u->gs = at->gs;
}

static int
user_regs_apply(struct thread *t, struct arch_thread *at, struct regs *regs,
		const struct linux_user_regs *u)
{
	u64 flags = (regs->flags & ~FLAGS_USER) | (u->flags & FLAGS_USER);

	if (u->fs_base >= USER_END || u->gs_base >= USER_END)
		return -EIO;
	memcpy(regs, u, sizeof(*regs));
	regs->flags = flags;
	regs->cs = USER_CS;
	regs->ss = USER_DS;
	at->fs_base = u->fs_base;
	at->gs_base = u->gs_base;
	at->segment_cpu = MAX_CPUS;
	atomic_or((struct atomic32 *)t, TF_ARCH_REGS);
	return 0;
}

static bool
watchpoints_valid(const struct arch_debug_regs *d, u64 control)
{
	for (u32 n = 0; n < 4; n++)
		if (control >> (2 * n) & 3 && d->address[n] >= USER_END)
			return false;
	return true;
}

static int
debug_poke(struct arch_thread *at, u32 n, u64 value)
{
	struct arch_debug_regs *d = &at->debug;

	if (n < 4) {
		if (value >= USER_END)
			return -EINVAL;
		d->address[n] = value;
	} else if (n == 6) {
		d->status = value & 0xffff;
	} else if (n == 7) {
		value &= ~DR7_RESERVED;
		if (!watchpoints_valid(d, value))
			return -EINVAL;
		d->control = value & DR7_ENABLES ? value | DR7_RESERVED_ONE : 0;
	} else {
		return -EIO;
	}
	return 0;
}

int
arch_ptrace_peek_user(struct arch_thread *at, const struct regs *regs, u64 offset, u64 *out)
{
	struct linux_user_regs u;
	const struct arch_debug_regs *d = &at->debug;
	u64 n;

	if (offset % sizeof(u64) || offset >= USER_SIZE)
		return -EIO;
	*out = 0;
	if (offset < sizeof(u)) {
		user_regs_fill(&u, at, regs);
		memcpy(out, (const char *)&u + offset, sizeof(*out));
	} else if (offset >= USER_DEBUG_OFFSET) {
		n = (offset - USER_DEBUG_OFFSET) / sizeof(u64);
		*out = n < 4 ? d->address[n] : n == 6 ? d->status : n == 7 ? d->control : 0;
	}
	return 0;
}

int
arch_ptrace_poke_user(struct thread *t, struct arch_thread *at, struct regs *regs, u64 offset,
		      u64 value)
{
	struct linux_user_regs u;

	if (offset % sizeof(u64) || offset >= USER_SIZE)
		return -EIO;
	if (offset >= USER_DEBUG_OFFSET)
		return debug_poke(at, (u32)((offset - USER_DEBUG_OFFSET) / sizeof(u64)), value);
	if (offset >= sizeof(u))
		return -EIO;
	user_regs_fill(&u, at, regs);
	memcpy((char *)&u + offset, &value, sizeof(value));
	return user_regs_apply(t, at, regs, &u);
}

size_t
arch_regset_size(u32 type)
{
	switch (type) {
	case NT_PRSTATUS: return sizeof(struct linux_user_regs);
	case NT_PRFPREG: return sizeof(struct linux_fpstate);
	case NT_X86_XSTATE: return fpu_features() ? fpu_state_size() : 0;
	default: return 0;
	}
}

void
arch_regset_get(struct arch_thread *at, const struct regs *regs, u32 type, void *buf)
{
	u64 features = fpu_features();

	if (type == NT_PRSTATUS) {
		user_regs_fill(buf, at, regs);
		return;
	}
	fpu_state_complete(at->fpu);
	memcpy(buf, at->fpu, arch_regset_size(type));
	if (type == NT_X86_XSTATE)
		memcpy((char *)buf + XSTATE_FEATURES_OFFSET, &features, sizeof(features));
}

int
arch_regset_set(struct thread *t, struct arch_thread *at, struct regs *regs, u32 type,
		const void *buf, size_t size)
{
	struct linux_user_regs u;

	if (size > arch_regset_size(type) || size % sizeof(u64))
		return -EINVAL;
	if (type == NT_PRSTATUS) {
		user_regs_fill(&u, at, regs);
		memcpy(&u, buf, size);
		return user_regs_apply(t, at, regs, &u);
	}
	fpu_state_complete(at->fpu);
	fpu_forget(at);
	memcpy(at->fpu, buf, size);
	if (!fpu_state_sanitize(at->fpu)) {
		fpu_state_reset(at->fpu);
		return -EINVAL;
	}
	return 0;
}

void
arch_single_step(struct thread *t, struct regs *regs, bool on)
{
	if (on)
		regs->flags |= FLAGS_TF;
	else
		regs->flags &= ~FLAGS_TF;
	atomic_or((struct atomic32 *)t, TF_ARCH_REGS);
}
