/* SPDX-License-Identifier: MIT */
/*
 * Partitions one at a time (BLKPG), and the geometry that old programs ask for.
 */
#ifndef UAPI_BLKPG_H
#define UAPI_BLKPG_H

#include "lib/types.h"

#define BLKPG		       0x1269
#define BLKGETDISKSEQ	       0x80081280
#define BLKSECTGET	       0x1267
#define BLKPG_ADD_PARTITION    1
#define BLKPG_DEL_PARTITION    2
#define BLKPG_RESIZE_PARTITION 3

struct linux_blkpg_ioctl_arg {
	s32 op;
	s32 flags;
	s32 datalen;
	u64 data; /* user address of a linux_blkpg_partition */
};

struct linux_blkpg_partition {
	s64 start, length; /* bytes */
	s32 pno;
	char devname[64], volname[64];
};

#define HDIO_GETGEO 0x301

struct linux_hd_geometry {
	u8 heads, sectors;
	u16 cylinders;
	u64 start;
};

#endif /* UAPI_BLKPG_H */
