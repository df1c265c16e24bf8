/* SPDX-License-Identifier: MIT */
/*
 * Device numbers, and the words that carry them: makedev(3).
 */
#ifndef UAPI_MAJOR_H
#define UAPI_MAJOR_H

#include "lib/types.h"

#define MEM_MAJOR	       1 /* null 3, zero 5, full 7, random 8, urandom 9, kmsg 11 */
#define PTY_SLAVE_MAJOR	       3
#define TTY_MAJOR	       4 /* tty0.. 0-63, ttyS0.. 64- */
#define TTYAUX_MAJOR	       5 /* tty 0, console 1, ptmx 2 */
#define LOOP_MAJOR	       7
#define SCSI_DISK0_MAJOR       8
#define MISC_MAJOR	       10
#define INPUT_MAJOR	       13
#define FB_MAJOR	       29
#define UNIX98_PTY_SLAVE_MAJOR 136

/*
 * stat(2) and mknod(2) carry a device in a word whose low 8 bits and bits 20-31 are the minor
 * number, and whose bits 8-19 are the major number. libc's wider major numbers do not exist here.
 */
static inline u64
dev_encode(u32 major, u32 minor)
{
	return (minor & 0xff) | (u64)(major & 0xfff) << 8 | (u64)(minor & ~0xffu) << 12;
}

static inline u32
dev_major(u64 word)
{
	return (word >> 8) & 0xfff;
}

static inline u32
dev_minor(u64 word)
{
	return (word & 0xff) | ((word >> 12) & 0xfff00);
}

#endif /* UAPI_MAJOR_H */
