/* SPDX-License-Identifier: MIT */
/* The list of all file systems. */
#include "fs/filesystems.h"
#include "fs/devtmpfs.h"
#include "fs/proc.h"
#include "fs/tmpfs.h"

void
filesystems_init(void)
{
	tmpfs_register();
	devtmpfs_register();
	proc_fs_register();
}
