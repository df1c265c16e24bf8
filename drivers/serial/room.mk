# SPDX-License-Identifier: MIT
OBJS-drivers/serial := uart16550.o
DEPS-drivers/serial := lib arch core sched mm task fs/vfs drivers/tty
