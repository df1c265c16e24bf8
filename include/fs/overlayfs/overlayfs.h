/* SPDX-License-Identifier: MIT */
#ifndef FS_OVERLAYFS_OVERLAYFS_H
#define FS_OVERLAYFS_OVERLAYFS_H

void overlayfs_register(void);

#endif
