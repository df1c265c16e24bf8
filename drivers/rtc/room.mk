# SPDX-License-Identifier: MIT
OBJS-drivers/rtc := rtc.o
DEPS-drivers/rtc := lib arch core sched mm task fs/vfs
