# SPDX-License-Identifier: MIT
OBJS-fs/vfs := anon.o attr.o cached.o cwd.o dentry.o device.o fadvise.o fasync.o dnotify.o fcntl.o fdtable.o file.o inode.o ioctl.o \
	lock_range.o locks.o mmap.o mount.o mount_bdev.o mount_ns.o mount_show.o namei.o open.o path.o path_text.o poll.o posix_acl.o \
	propagate.o pseudo.o readdir.o rw.o \
	stat.o statfs.o super.o sync.o uevent.o writeback.o xattr.o
DEPS-fs/vfs := lib arch core sched mm task
