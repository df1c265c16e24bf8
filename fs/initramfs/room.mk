# SPDX-License-Identifier: MIT
OBJS-fs/initramfs := initramfs.o
DEPS-fs/initramfs := lib core sched mm task fs/vfs
