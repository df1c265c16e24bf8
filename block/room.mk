# SPDX-License-Identifier: MIT
OBJS-block := bio.o plug.o queue.o flush.o disk.o device.o partition.o ident.o node.o direct.o ioctl.o show.o loop.o buffer.o swap.o
DEPS-block := lib arch core sched mm task fs/vfs
