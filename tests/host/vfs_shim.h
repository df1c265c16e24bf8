/* SPDX-License-Identifier: MIT */
/* See vfs_shim.c. */
#ifndef VFS_SHIM_H
#define VFS_SHIM_H

#include "fs/vfs/dentry.h"

void shim_create(void);
struct dentry *shim_root(bool inner);
struct mount *shim_mount(bool inner);
void shim_mount_on(struct dentry *point);
void shim_grace_period(void);

#endif
