# SPDX-License-Identifier: MIT
OBJS-drivers := drivers.o
DEPS-drivers := lib drivers/pci drivers/virtio
