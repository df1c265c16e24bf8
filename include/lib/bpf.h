/* SPDX-License-Identifier: MIT */
/*
 * Classic BPF: programs that look at a packet (socket(7), SO_ATTACH_FILTER) or at a system call
 * (seccomp(2)) and return a number.
 *
 * A program is checked once: every code is known, jumps go forward and stay inside, divisors are
 * not a constant zero, scratch words exist, the last instruction returns. So the interpreter needs
 * no bound but that of the data, where a load that fails ends the program with 0.
 */
#ifndef LIB_BPF_H
#define LIB_BPF_H

#include "lib/types.h"
#include "uapi/filter.h"

#define BPF_ANCILLARY_MAX 64 /* offsets from SKF_AD_OFF that may be asked for */

/*
 * The value of 1, 2 or 4 bytes at `offset`, which is negative (as s32) for what SKF_* name. False:
 * there is none.
 */
typedef bool bpf_load(const void *data, u32 offset, u32 size, u32 *out);

bool bpf_check(const struct linux_sock_filter *code, u32 len);
/* code has been checked; `len` is what BPF_LEN gives. */
u32 bpf_run(const struct linux_sock_filter *code, const void *data, u32 len, bpf_load *load);

#endif
