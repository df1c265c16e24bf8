# SPDX-License-Identifier: MIT
OBJS-block := buffer.o
DEPS-block := lib arch core sched mm task fs/vfs
