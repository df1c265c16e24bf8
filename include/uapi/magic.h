/* SPDX-License-Identifier: MIT */
/*
 * statfs(2): file-system magic numbers.
 */
#ifndef UAPI_MAGIC_H
#define UAPI_MAGIC_H

#define EXT4_SUPER_MAGIC      0xef53
#define TMPFS_MAGIC	      0x01021994
#define RAMFS_MAGIC	      0x858458f6
#define PROC_SUPER_MAGIC      0x9fa0
#define SYSFS_MAGIC	      0x62656572
#define DEVPTS_SUPER_MAGIC    0x1cd1
#define CGROUP_SUPER_MAGIC    0x27e0eb
#define CGROUP2_SUPER_MAGIC   0x63677270
#define OVERLAYFS_SUPER_MAGIC 0x794c7630
#define SECURITYFS_MAGIC      0x73636673
#define DEBUGFS_MAGIC	      0x64626720
#define TRACEFS_MAGIC	      0x74726163
#define BPF_FS_MAGIC	      0xcafe4a11
#define HUGETLBFS_MAGIC	      0x958458f6
#define PIPEFS_MAGIC	      0x50495045
#define SOCKFS_MAGIC	      0x534f434b
#define ANON_INODE_FS_MAGIC   0x09041934
#define NSFS_MAGIC	      0x6e736673
#define BDEVFS_MAGIC	      0x62646576
#define BINFMTFS_MAGIC	      0x42494e4d
#define MSDOS_SUPER_MAGIC     0x4d44
#define ISOFS_SUPER_MAGIC     0x9660
#define SQUASHFS_MAGIC	      0x73717368
#define XFS_SUPER_MAGIC	      0x58465342
#define BTRFS_SUPER_MAGIC     0x9123683e
#define FUSE_SUPER_MAGIC      0x65735546
#define NFS_SUPER_MAGIC	      0x6969
#define MQUEUE_MAGIC	      0x19800202
#define V9FS_MAGIC	      0x01021997
#define PSTOREFS_MAGIC	      0x6165676c
#define EFIVARFS_MAGIC	      0xde5e81e4

#endif /* UAPI_MAGIC_H */
