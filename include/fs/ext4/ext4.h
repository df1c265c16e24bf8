/* SPDX-License-Identifier: MIT */
/* ext2, ext3 and ext4: one implementation under three names. */
#ifndef FS_EXT4_EXT4_H
#define FS_EXT4_EXT4_H

void ext4_register(void); /* fs/filesystems.c */

#endif
