# SPDX-License-Identifier: MIT
OBJS-ipc := futex.o futex_pi.o pipe.o splice.o mqueue.o sysv.o sysv_msg.o sysv_sem.o sysv_shm.o
DEPS-ipc := lib arch core sched mm task fs/vfs
