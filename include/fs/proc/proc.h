/* SPDX-License-Identifier: MIT */
/* procfs: proc(5). */
#ifndef FS_PROC_H
#define FS_PROC_H

struct fs_type;
struct pseudo_entry;
/* For rooms above that add files with pseudo_extend. */
extern struct fs_type proc_fs_type;

/* A protocol's file below /proc/net; at boot. Its ctx is not for use. */
void proc_net_add(const struct pseudo_entry *entry);

void proc_fs_register(void); /* fs/filesystems.c */

#endif
