# SPDX-License-Identifier: MIT
OBJS-drivers := drivers.o
DEPS-drivers := lib drivers/nvme drivers/pci drivers/virtio
