# SPDX-License-Identifier: MIT
OBJS-drivers/nvme := nvme.o queue.o
DEPS-drivers/nvme := lib arch core sched mm task fs/vfs block drivers/pci
