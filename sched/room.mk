# SPDX-License-Identifier: MIT
OBJS-sched := sched.o fair.o rt.o balance.o tick.o idle.o thread.o params.o wait.o completion.o sleep.o mutex.o rwsem.o work.o rcu_wait.o lock_debug.o
DEPS-sched := lib arch core
