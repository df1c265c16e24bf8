/* SPDX-License-Identifier: MIT */
/*
 * readv(2), preadv2(2), process_vm_readv(2).
 */
#ifndef UAPI_UIO_H
#define UAPI_UIO_H

#include "lib/types.h"

struct linux_iovec {
	u64 iov_base;
	u64 iov_len;
};

#define UIO_FASTIOV 8
#define UIO_MAXIOV  1024

#define RWF_HIPRI     0x00000001
#define RWF_DSYNC     0x00000002
#define RWF_SYNC      0x00000004
#define RWF_NOWAIT    0x00000008
#define RWF_APPEND    0x00000010
#define RWF_SUPPORTED 0x0000001f

#endif /* UAPI_UIO_H */
