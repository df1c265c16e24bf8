# SPDX-License-Identifier: MIT
OBJS-net/tcp := segopt.o rtt.o rack.o congestion.o cubic.o secret.o
DEPS-net/tcp := lib arch core sched mm task fs/vfs fs/proc net/core net/socket
