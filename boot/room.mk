# SPDX-License-Identifier: MIT
OBJS-boot := main.o cmdline.o root.o
DEPS-boot := tests/kernel lib arch core sched mm task block fs fs/vfs fs/initramfs fs/devtmpfs ipc proc net/core net/inet net/inet6 net/netlink net/packet net/socket net/tcp net/unix drivers drivers/mem drivers/random drivers/rtc drivers/serial drivers/tty syscall
