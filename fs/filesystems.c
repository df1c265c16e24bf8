/* SPDX-License-Identifier: MIT */
/* The list of all file systems. */
#include "fs/filesystems.h"
#include "fs/9p/9p.h"
#include "fs/devpts/devpts.h"
#include "fs/devtmpfs/devtmpfs.h"
#include "fs/ext4/ext4.h"
#include "fs/overlayfs/overlayfs.h"
#include "fs/proc/proc.h"
#include "fs/sysfs/sysfs.h"
#include "fs/tmpfs/tmpfs.h"
#include "ipc/mqueue.h"

void
filesystems_init(void)
{
	tmpfs_register();
	devtmpfs_register();
	devpts_register();
	proc_fs_register();
	sysfs_register();
	ext4_register();
	p9_register();
	overlayfs_register();
	mqueue_register();
}
