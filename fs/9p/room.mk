# SPDX-License-Identifier: MIT
OBJS-fs/9p := calls.o client.o dir.o file.o inode.o super.o xattr.o
DEPS-fs/9p := lib core sched mm task fs/vfs
