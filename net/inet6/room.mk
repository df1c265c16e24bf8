# SPDX-License-Identifier: MIT
OBJS-net/inet6 := address.o route.o output.o input.o icmp.o nd.o sysctl.o
DEPS-net/inet6 := lib arch core sched mm task fs/vfs fs/proc net/core net/socket net/inet
