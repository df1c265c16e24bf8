/* SPDX-License-Identifier: MIT */
/*
 * stat(2), statx(2) and inode(7). struct linux_stat is the port's.
 */
#ifndef UAPI_STAT_H
#define UAPI_STAT_H

#include "lib/types.h"
#include "uapi/arch.h"

/* st_mode */
#define S_IFMT	 00170000
#define S_IFSOCK 0140000
#define S_IFLNK	 0120000
#define S_IFREG	 0100000
#define S_IFBLK	 0060000
#define S_IFDIR	 0040000
#define S_IFCHR	 0020000
#define S_IFIFO	 0010000
#define S_ISUID	 0004000
#define S_ISGID	 0002000
#define S_ISVTX	 0001000
#define S_IRWXU	 00700
#define S_IRUSR	 00400
#define S_IWUSR	 00200
#define S_IXUSR	 00100
#define S_IRWXG	 00070
#define S_IRGRP	 00040
#define S_IWGRP	 00020
#define S_IXGRP	 00010
#define S_IRWXO	 00007
#define S_IROTH	 00004
#define S_IWOTH	 00002
#define S_IXOTH	 00001

#define S_ISLNK(mode)  (((mode)&S_IFMT) == S_IFLNK)
#define S_ISREG(mode)  (((mode)&S_IFMT) == S_IFREG)
#define S_ISDIR(mode)  (((mode)&S_IFMT) == S_IFDIR)
#define S_ISCHR(mode)  (((mode)&S_IFMT) == S_IFCHR)
#define S_ISBLK(mode)  (((mode)&S_IFMT) == S_IFBLK)
#define S_ISFIFO(mode) (((mode)&S_IFMT) == S_IFIFO)
#define S_ISSOCK(mode) (((mode)&S_IFMT) == S_IFSOCK)

/* Every permission bit with set-id and sticky; reading, writing, executing for all three. */
#define S_IALLUGO 07777
#define S_IRWXUGO 00777
#define S_IRUGO	  00444
#define S_IWUGO	  00222
#define S_IXUGO	  00111

/* utimensat(2): tv_nsec */
#define UTIME_NOW  0x3fffffff
#define UTIME_OMIT 0x3ffffffe

/* utime(2) */
struct linux_utimbuf {
	s64 actime;
	s64 modtime;
};

/* statx(2) */
struct linux_statx_timestamp {
	s64 tv_sec;
	u32 tv_nsec;
	s32 reserved;
};

struct linux_statx {
	u32 stx_mask;
	u32 stx_blksize;
	u64 stx_attributes;
	u32 stx_nlink;
	u32 stx_uid;
	u32 stx_gid;
	u16 stx_mode;
	u16 pad0;
	u64 stx_ino;
	u64 stx_size;
	u64 stx_blocks;
	u64 stx_attributes_mask;
	struct linux_statx_timestamp stx_atime;
	struct linux_statx_timestamp stx_btime;
	struct linux_statx_timestamp stx_ctime;
	struct linux_statx_timestamp stx_mtime;
	u32 stx_rdev_major;
	u32 stx_rdev_minor;
	u32 stx_dev_major;
	u32 stx_dev_minor;
	u64 stx_mnt_id;
	u32 stx_dio_mem_align;
	u32 stx_dio_offset_align;
	u64 pad1[12];
};

#define STATX_TYPE	  0x00000001
#define STATX_MODE	  0x00000002
#define STATX_NLINK	  0x00000004
#define STATX_UID	  0x00000008
#define STATX_GID	  0x00000010
#define STATX_ATIME	  0x00000020
#define STATX_MTIME	  0x00000040
#define STATX_CTIME	  0x00000080
#define STATX_INO	  0x00000100
#define STATX_SIZE	  0x00000200
#define STATX_BLOCKS	  0x00000400
#define STATX_BASIC_STATS 0x000007ff
#define STATX_BTIME	  0x00000800
#define STATX_MNT_ID	  0x00001000
#define STATX_DIOALIGN	  0x00002000
#define STATX__RESERVED	  0x80000000

#define STATX_ATTR_COMPRESSED 0x00000004
#define STATX_ATTR_IMMUTABLE  0x00000010
#define STATX_ATTR_APPEND     0x00000020
#define STATX_ATTR_NODUMP     0x00000040
#define STATX_ATTR_ENCRYPTED  0x00000800
#define STATX_ATTR_AUTOMOUNT  0x00001000
#define STATX_ATTR_MOUNT_ROOT 0x00002000
#define STATX_ATTR_VERITY     0x00100000
#define STATX_ATTR_DAX	      0x00200000

#endif /* UAPI_STAT_H */
