/* SPDX-License-Identifier: MIT */
/* sysfs: sysfs(5). */
#ifndef FS_SYSFS_SYSFS_H
#define FS_SYSFS_SYSFS_H

struct fs_type;
/* For rooms that add files with pseudo_extend. */
extern struct fs_type sysfs_fs_type;

void sysfs_register(void); /* fs/filesystems.c */

#endif
