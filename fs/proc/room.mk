# SPDX-License-Identifier: MIT
OBJS-fs/proc := root.o pid.o status.o maps.o fd.o ns_links.o system.o memory.o sysctl.o
DEPS-fs/proc := lib arch core sched mm task fs/vfs block ns ipc event drivers/tty
