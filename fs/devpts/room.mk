# SPDX-License-Identifier: MIT
OBJS-fs/devpts := devpts.o
DEPS-fs/devpts := lib arch core sched mm task fs/vfs
