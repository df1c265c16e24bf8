# SPDX-License-Identifier: MIT
OBJS-fs/sysfs := root.o devices.o cpu.o block.o
DEPS-fs/sysfs := lib arch core sched mm task fs/vfs block
