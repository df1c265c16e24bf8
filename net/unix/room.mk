# SPDX-License-Identifier: MIT
OBJS-net/unix := unix.o address.o rights.o list.o garbage.o
DEPS-net/unix := lib arch core sched mm task fs/vfs fs/proc net/socket
