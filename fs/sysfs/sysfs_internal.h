/* SPDX-License-Identifier: MIT */
/* What the files of this room tell each other. */
#ifndef FS_SYSFS_INTERNAL_H
#define FS_SYSFS_INTERNAL_H

#include "fs/vfs/device.h"
#include "fs/vfs/pseudo.h"

struct block_device;

#define SYS_FILE(n, m, f)                                   \
	{                                                   \
		.name = n, .mode = S_IFREG | (m), .show = f \
	}
#define SYS_STORE(n, f, s)                                               \
	{                                                                \
		.name = n, .mode = S_IFREG | 0644, .show = f, .store = s \
	}
#define SYS_DIR(n, c)                                            \
	{                                                        \
		.name = n, .mode = S_IFDIR | 0755, .children = c \
	}

/* /sys/devices/system/cpu */
extern const struct pseudo_entry cpu_entries[];
#define SYS_CPU_INO 0x1000

/* /sys/devices/virtual, /sys/class, /sys/dev/char and /sys/dev/block */
int virtual_lookup(void *ctx, const char *name, size_t len, struct pseudo_node *out);
int class_lookup(void *ctx, const char *name, size_t len, struct pseudo_node *out);
int virtual_readdir(void *ctx, struct dir_context *dc, u64 first);
int class_readdir(void *ctx, struct dir_context *dc, u64 first);
int char_lookup(void *ctx, const char *name, size_t len, struct pseudo_node *out);
int char_readdir(void *ctx, struct dir_context *dc, u64 first);
int block_lookup(void *ctx, const char *name, size_t len, struct pseudo_node *out);
int block_readdir(void *ctx, struct dir_context *dc, u64 first);

/* A disk or partition, from /sys/devices (block.c); the context is its key. */
extern const struct pseudo_entry disk_dir, loop_dir, partition_dir;
devnum_t device_key_number(const void *ctx);
int partition_lookup(void *ctx, const char *name, size_t len, struct pseudo_node *out);
int partition_readdir(void *ctx, struct dir_context *dc, u64 first);
/* /sys/block */
int disk_lookup(void *ctx, const char *name, size_t len, struct pseudo_node *out);
int disk_readdir(void *ctx, struct dir_context *dc, u64 first);
/* What every device has. */
int device_show_dev(struct strbuf *sb, void *ctx);
int device_store_uevent(const char *text, size_t len, const struct device *d);
void device_event_init(void);
void block_properties(struct strbuf *sb, const struct block_device *dev);
int device_subsystem_link(char *buf, size_t size, void *ctx);

int cpu_lookup(void *ctx, const char *name, size_t len, struct pseudo_node *out);
int cpu_readdir(void *ctx, struct dir_context *dc, u64 first);

#endif
