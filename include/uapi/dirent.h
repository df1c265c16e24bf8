/* SPDX-License-Identifier: MIT */
/*
 * getdents(2), getdents64(2).
 */
#ifndef UAPI_DIRENT_H
#define UAPI_DIRENT_H

#include "lib/types.h"

#define DT_UNKNOWN 0
#define DT_FIFO	   1
#define DT_CHR	   2
#define DT_DIR	   4
#define DT_BLK	   6
#define DT_REG	   8
#define DT_LNK	   10
#define DT_SOCK	   12
#define DT_WHT	   14

/* The type of an inode's mode. */
#define DT_OF_MODE(mode) (((mode)&0170000) >> 12)

struct linux_dirent64 {
	u64 d_ino;
	s64 d_off;
	u16 d_reclen;
	u8 d_type;
	char d_name[];
};

/* The old call's: the type is the last byte of the record. */
struct linux_dirent {
	u64 d_ino;
	u64 d_off;
	u16 d_reclen;
	char d_name[];
};

#endif /* UAPI_DIRENT_H */
