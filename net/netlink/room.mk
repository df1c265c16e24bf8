# SPDX-License-Identifier: MIT
OBJS-net/netlink := netlink.o message.o rtnetlink.o link.o addr.o generic.o rtroute.o neigh.o rule.o diag.o
DEPS-net/netlink := lib arch core sched mm task fs/vfs fs/proc ipc net/core net/inet net/socket net/tcp net/unix
