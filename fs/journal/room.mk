# SPDX-License-Identifier: MIT
OBJS-fs/journal := journal.o replay.o transaction.o revoke.o commit.o checkpoint.o ordered.o
DEPS-fs/journal := lib core arch sched mm block uapi
