# SPDX-License-Identifier: MIT
OBJS-drivers/virtio := virtio.o virtqueue.o packed.o pci.o mmio.o blk.o net.o rng.o console.o
DEPS-drivers/virtio := lib arch core sched mm task fs/vfs block net/core drivers/pci drivers/tty
