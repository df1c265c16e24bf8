# SPDX-License-Identifier: MIT
OBJS-drivers/virtio := virtio.o virtqueue.o packed.o pci.o mmio.o blk.o net.o rng.o console.o 9p.o
DEPS-drivers/virtio := lib arch core sched mm task fs/vfs fs/9p block net/core drivers/pci drivers/tty
