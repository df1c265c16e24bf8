/* SPDX-License-Identifier: MIT */
/* tmpfs, ramfs and rootfs. */
#ifndef FS_TMPFS_H
#define FS_TMPFS_H

void tmpfs_register(void); /* fs/filesystems.c */

struct fs_type;
struct super;
/* A new tmpfs tree under another type's name (devtmpfs); data: mount options. 0, -EINVAL, -ENOMEM.
 */
int tmpfs_super_create(const struct fs_type *type, const char *data, struct super **out);

#endif
