# SPDX-License-Identifier: MIT
OBJS-ipc := futex.o futex_pi.o pipe.o splice.o
DEPS-ipc := lib arch core sched mm task fs/vfs
