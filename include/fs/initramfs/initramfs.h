/* SPDX-License-Identifier: MIT */
/* The initial file system, unpacked into the root before init runs. */
#ifndef FS_INITRAMFS_H
#define FS_INITRAMFS_H

#include "lib/types.h"

/*
 * Unpack the archives (newc cpio, plain or gzip, one after another) at the root of the first mount
 * namespace. 0; or -EINVAL, -ENOMEM, -ENOSPC ... after a message that says what is wrong, where,
 * and at which member. What was unpacked before stays.
 */
int initramfs_unpack(const void *data, size_t len);

#endif
