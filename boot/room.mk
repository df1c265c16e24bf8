# SPDX-License-Identifier: MIT
OBJS-boot := main.o cmdline.o
DEPS-boot := tests/kernel lib arch core sched mm task fs fs/vfs fs/initramfs fs/devtmpfs block ipc proc net/core net/packet net/socket net/unix drivers drivers/mem drivers/random drivers/serial drivers/tty syscall
