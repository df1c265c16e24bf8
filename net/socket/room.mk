# SPDX-License-Identifier: MIT
OBJS-net/socket := socket.o message.o option.o
DEPS-net/socket := lib arch core sched mm task fs/vfs
