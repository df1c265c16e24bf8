/* SPDX-License-Identifier: MIT */
/* devtmpfs: the device nodes that the kernel itself makes. */
#ifndef FS_DEVTMPFS_H
#define FS_DEVTMPFS_H

void devtmpfs_register(void); /* fs/filesystems.c */
/* Boot, after vfs_init and before any device: makes the tree. */
void devtmpfs_init(void);

#endif
