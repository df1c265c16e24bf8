# SPDX-License-Identifier: MIT
OBJS-fs/tmpfs := acl.o dir.o file.o memfd.o super.o xattr.o
DEPS-fs/tmpfs := lib core sched mm task fs/vfs
