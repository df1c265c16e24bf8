# SPDX-License-Identifier: MIT
OBJS-drivers/tty := tty.o ldisc.o ioctl.o job.o pty.o
DEPS-drivers/tty := lib arch core sched mm task fs/vfs fs/devpts
