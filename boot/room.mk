# SPDX-License-Identifier: MIT
OBJS-boot := main.o cmdline.o
DEPS-boot := lib arch core sched mm task fs/vfs proc
