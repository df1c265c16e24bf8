# SPDX-License-Identifier: MIT
OBJS-drivers/pci := pci.o config.o irq.o
DEPS-drivers/pci := lib arch core sched mm
