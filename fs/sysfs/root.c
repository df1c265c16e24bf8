/* SPDX-License-Identifier: MIT */
/*
 * sysfs: sysfs(5). The tree is tables of the pseudo-file library (fs/vfs/pseudo.h) and, in
 * devices.c, what the registry of devices says. Directories of kinds that are not there (buses,
 * modules, firmware) are empty, as programs expect to be able to list them.
 */
#include "arch/mmu.h"
#include "fs/sysfs/sysfs.h"
#include "lib/format.h"
#include "sysfs_internal.h"
#include "uapi/magic.h"

static int
show_thp_enabled(struct strbuf *sb, void *ctx)
{
	strbuf_puts(sb, "[always] madvise never\n");
	return 0;
}

static int
show_thp_size(struct strbuf *sb, void *ctx)
{
	strbuf_printf(sb, "%lu\n", (unsigned long)HUGE_SIZE);
	return 0;
}

static const struct pseudo_entry empty[] = { { .name = NULL } };

static const struct pseudo_entry thp_entries[] = {
	SYS_FILE("enabled", 0444, show_thp_enabled),
	SYS_FILE("hpage_pmd_size", 0444, show_thp_size),
	{ .name = NULL },
};

static const struct pseudo_entry mm_entries[] = {
	SYS_DIR("transparent_hugepage", thp_entries),
	{ .name = NULL },
};

static int
show_uevent_seqnum(struct strbuf *sb, void *ctx)
{
	strbuf_printf(sb, "%lu\n", uevent_sequence());
	return 0;
}

static const struct pseudo_entry kernel_entries[] = {
	SYS_FILE("uevent_seqnum", 0444, show_uevent_seqnum),
	SYS_DIR("mm", mm_entries),
	{ .name = NULL },
};

/* Where cgroup2 is mounted. */
static const struct pseudo_entry fs_entries[] = {
	SYS_DIR("cgroup", empty),
	{ .name = NULL },
};

static const struct pseudo_entry system_entries[] = {
	{ .name = "cpu",
	  .mode = S_IFDIR | 0755,
	  .children = cpu_entries,
	  .lookup_dynamic = cpu_lookup,
	  .readdir_dynamic = cpu_readdir },
	{ .name = NULL },
};

static const struct pseudo_entry devices_entries[] = {
	SYS_DIR("system", system_entries),
	{ .name = "virtual",
	  .mode = S_IFDIR | 0755,
	  .lookup_dynamic = virtual_lookup,
	  .readdir_dynamic = virtual_readdir },
	{ .name = NULL },
};

static const struct pseudo_entry dev_entries[] = {
	{ .name = "block",
	  .mode = S_IFDIR | 0755,
	  .lookup_dynamic = block_lookup,
	  .readdir_dynamic = block_readdir },
	{ .name = "char",
	  .mode = S_IFDIR | 0755,
	  .lookup_dynamic = char_lookup,
	  .readdir_dynamic = char_readdir },
	{ .name = NULL },
};

static const struct pseudo_entry root_entries[] = {
	{ .name = "block",
	  .mode = S_IFDIR | 0755,
	  .lookup_dynamic = disk_lookup,
	  .readdir_dynamic = disk_readdir },
	SYS_DIR("bus", empty),
	{ .name = "class",
	  .mode = S_IFDIR | 0755,
	  .lookup_dynamic = class_lookup,
	  .readdir_dynamic = class_readdir },
	SYS_DIR("dev", dev_entries),
	SYS_DIR("devices", devices_entries),
	SYS_DIR("firmware", empty),
	SYS_DIR("fs", fs_entries),
	SYS_DIR("kernel", kernel_entries),
	SYS_DIR("module", empty),
	{ .name = NULL },
};

static const struct pseudo_entry root_dir = {
	.name = "",
	.mode = S_IFDIR | 0555,
	.children = root_entries,
};

static int
sysfs_mount(const struct fs_type *type, const char *source, u32 flags, const char *data,
	    struct super **out)
{
	return pseudo_super_create(type, SYSFS_MAGIC, &root_dir, NULL, NULL, out);
}

struct fs_type sysfs_fs_type = {
	.name = "sysfs",
	.magic = SYSFS_MAGIC,
	.mount = sysfs_mount,
};

void
sysfs_register(void)
{
	fs_register(&sysfs_fs_type);
	device_event_init();
	(void)pseudo_declare(&sysfs_fs_type, &root_dir);
}
