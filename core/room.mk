# SPDX-License-Identifier: MIT
OBJS-core := bootinfo.o irq.o log.o $(if $(filter 1,$(LOCKSTAT)),lock_stat.o) panic.o percpu.o random.o rcu.o ref.o spinlock.o symbols.o time.o timer.o
DEPS-core := lib arch
