# SPDX-License-Identifier: MIT
OBJS-core := bootinfo.o irq.o log.o panic.o percpu.o random.o rcu.o ref.o spinlock.o symbols.o time.o timer.o
DEPS-core := lib arch
