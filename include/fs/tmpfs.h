/* SPDX-License-Identifier: MIT */
/* tmpfs, ramfs and rootfs. */
#ifndef FS_TMPFS_H
#define FS_TMPFS_H

void tmpfs_register(void); /* fs/filesystems.c */

#endif
