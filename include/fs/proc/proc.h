/* SPDX-License-Identifier: MIT */
/* procfs: proc(5). */
#ifndef FS_PROC_H
#define FS_PROC_H

struct fs_type;
/* For rooms above that add files with pseudo_extend. */
extern struct fs_type proc_fs_type;

void proc_fs_register(void); /* fs/filesystems.c */

#endif
