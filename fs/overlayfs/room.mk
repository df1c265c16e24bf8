# SPDX-License-Identifier: MIT
OBJS-fs/overlayfs := copy_up.o file.o inode.o namei.o readdir.o rename.o super.o util.o
DEPS-fs/overlayfs := lib core sched mm task fs/vfs
