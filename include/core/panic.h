/* SPDX-License-Identifier: MIT */
/* Panic, assertions and warnings. A kernel bug asserts; user data never does. */
#ifndef CORE_PANIC_H
#define CORE_PANIC_H

#include "lib/types.h"

struct regs;

/* Stop the machine: other CPUs halted, message, registers of this CPU, symbolised backtrace, then
 * as panic= says. */
void panic(const char *fmt, ...) __printf(1, 2) __noreturn;
/* A trap in the kernel that cannot be handled: prints regs and backtrace, then panics. */
void panic_oops(struct regs *regs, const char *what, uintptr_t addr) __noreturn;
void warn_at(const char *file, int line, const char *expr);
void backtrace_print(uintptr_t frame_pointer);
/* The return addresses of the frames from there up, innermost first; their number. */
u32 backtrace_take(uintptr_t frame_pointer, uintptr_t *addresses, u32 max);
/* Symbol and offset of a kernel address, false if it is none of ours. */
bool symbol_find(uintptr_t addr, const char **name, size_t *offset);
/* The nth, in the order of addresses; false: there are not so many. */
bool symbol_at(u32 n, uintptr_t *addr, const char **name);
extern int panic_timeout; /* panic=: seconds before reboot, 0 = halt for ever, <0 = at once */

#define ASSERT(cond)                                                                       \
	do {                                                                               \
		if (unlikely(!(cond)))                                                     \
			panic("assertion failed at %s:%d: %s", __FILE__, __LINE__, #cond); \
	} while (0)

#define WARN_ONCE(cond)                                     \
	({                                                  \
		static bool warned_;                        \
		bool c_ = (cond);                           \
		if (unlikely(c_ && !warned_)) {             \
			warned_ = true;                     \
			warn_at(__FILE__, __LINE__, #cond); \
		}                                           \
		c_;                                         \
	})

#ifdef KEVLAR_DEBUG
#define DEBUG_ASSERT(cond) ASSERT(cond)
#else
#define DEBUG_ASSERT(cond) ((void)0)
#endif

#endif
