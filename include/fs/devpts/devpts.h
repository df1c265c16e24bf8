/* SPDX-License-Identifier: MIT */
/*
 * devpts: the directory of pseudo-terminals, one instance a mount. A node exists as long as its
 * terminal's master is open.
 */
#ifndef FS_DEVPTS_H
#define FS_DEVPTS_H

#include "lib/types.h"

struct dentry;
struct file;
struct inode;
struct super;

void devpts_register(void); /* fs/filesystems.c */

/* The instance that an open of ptmx means: the one that f's inode lies on, or what is mounted at
 * /dev/pts. *out referenced. 0 or -ENODEV. */
int devpts_instance(struct file *f, struct super **out);
/*
 * The lowest free number, and its node with `private` in its inode. 0, -ENOSPC, -ENOMEM. The dentry
 * is referenced until devpts_remove.
 */
int devpts_add(struct super *s, void *private, u32 *index, struct dentry **node);
/* The node goes; later opens of it through old descriptors find no private. */
void devpts_remove(struct super *s, u32 index, struct dentry *node);
/* What a slave's inode is of; NULL if it is none of ours or its terminal is gone. Under
 * rcu_read_lock. */
void *devpts_private(struct inode *i);

#endif
