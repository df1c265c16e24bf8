# SPDX-License-Identifier: MIT
OBJS-fs/devtmpfs := devtmpfs.o
DEPS-fs/devtmpfs := lib arch core sched mm task fs/vfs fs/tmpfs
