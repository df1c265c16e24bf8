/* SPDX-License-Identifier: MIT */
/* Every file system there is registers itself; boot calls this once, before vfs_init. */
#ifndef FS_FILESYSTEMS_H
#define FS_FILESYSTEMS_H

void filesystems_init(void);

#endif
