# SPDX-License-Identifier: MIT
OBJS-net/packet := packet_socket.o
DEPS-net/packet := lib arch core sched mm task fs/vfs net/core net/socket
