# SPDX-License-Identifier: MIT
OBJS-fs := filesystems.o
DEPS-fs := lib fs/tmpfs fs/devtmpfs fs/proc fs/sysfs fs/devpts fs/ext4 fs/9p fs/overlayfs ipc
