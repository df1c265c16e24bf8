# SPDX-License-Identifier: MIT
OBJS-net/tcp := input.o ack.o recovery.o receive.o output.o timer.o listen.o timewait.o hash.o socket.o \
	send.o recv.o option.o proc.o segopt.o rtt.o rack.o congestion.o cubic.o secret.o
DEPS-net/tcp := lib arch core sched mm task fs/vfs fs/proc net/core net/inet net/socket
