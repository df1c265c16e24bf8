/* SPDX-License-Identifier: MIT */
/*
 * The system call table, as tools/gen-syscalls makes it of syscall/table.tbl.
 *
 * The entry code calls syscall_table[nr] with six words; a handler takes of them what its prototype
 * says (an int is the low half of its word). A number without a handler holds sys_ni_syscall, so
 * the table has no holes, and a number at or past NR_syscalls must not index it.
 */
#ifndef SYSCALL_TABLE_H
#define SYSCALL_TABLE_H

#include "generated/syscall_nr.h"
#include "lib/types.h"

typedef long syscall_fn(long, long, long, long, long, long);

extern syscall_fn *const syscall_table[NR_syscalls];

/* -ENOSYS */
long sys_ni_syscall(void);

/* How a tracer shows an argument. */
enum syscall_arg {
	SYSCALL_ARG_INT,
	SYSCALL_ARG_UINT,
	SYSCALL_ARG_LONG,
	SYSCALL_ARG_ULONG,
	SYSCALL_ARG_SIZE,
	SYSCALL_ARG_OFF,
	SYSCALL_ARG_FD, /* AT_FDCWD is one */
	SYSCALL_ARG_PID,
	SYSCALL_ARG_ID,	  /* user or group, -1 leaves it as it is */
	SYSCALL_ARG_MODE, /* octal */
	SYSCALL_ARG_DEV,
	SYSCALL_ARG_FLAGS, /* hexadecimal */
	SYSCALL_ARG_ADDR,  /* an address that the call does not read or write */
	SYSCALL_ARG_STR,
	SYSCALL_ARG_IN,
	SYSCALL_ARG_OUT,
	SYSCALL_ARG_INOUT,
};

struct syscall_format {
	const char *name; /* NULL: no call has this number */
	u8 arg_count;
	u8 args[6]; /* enum syscall_arg */
};

extern const struct syscall_format syscall_formats[NR_syscalls];

#endif /* SYSCALL_TABLE_H */
