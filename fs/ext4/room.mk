# SPDX-License-Identifier: MIT
OBJS-fs/ext4 := acl.o balloc.o checksum.o dir.o error.o extent.o extent_edit.o fallocate.o file.o \
	group.o hash.o htree.o ialloc.o indirect.o inline.o inode.o ioctl.o log.o map.o namei.o \
	options.o orphan.o pages.o super.o transaction.o xattr.o
DEPS-fs/ext4 := lib arch core sched mm task fs/vfs block fs/journal
