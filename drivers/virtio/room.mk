# SPDX-License-Identifier: MIT
OBJS-drivers/virtio := virtio.o virtqueue.o pci.o mmio.o rng.o
DEPS-drivers/virtio := lib arch core sched mm task fs/vfs block drivers/pci drivers/tty
