/* SPDX-License-Identifier: MIT */
/*
 * What is on a device: file systems by their magic numbers, with identifier and label, in the form
 * in which blkid(8) prints them. For root=UUID= and LABEL=, and for a root whose type is not named.
 */
#include "block_internal.h"
#include "lib/format.h"
#include "lib/string.h"
#include "mm/slab.h"
#include "uapi/errno.h"

#define AREA_SIZE 4096u /* read at a time; every probe lies within one of these */

struct probe {
	const char *type;
	u64 area;   /* where it lies on the device: a multiple of AREA_SIZE */
	u32 offset; /* of the magic number in the area */
	const char *magic;
	u32 magic_len;
	void (*fill)(const u8 *area, struct block_ident *out);
};

static void
uuid_copy(char *out, const u8 *u)
{
	static const u8 none[16];

	if (!memcmp(u, none, sizeof(none)))
		return;
	snprintf(out, sizeof_field(struct block_ident, uuid),
		 "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", u[0], u[1],
		 u[2], u[3], u[4], u[5], u[6], u[7], u[8], u[9], u[10], u[11], u[12], u[13], u[14],
		 u[15]);
}

/* Ends at a NUL; trailing blanks are padding. */
static void
label_copy(char *out, const u8 *from, size_t len)
{
	size_t n = strnlen((const char *)from, len);

	while (n && from[n - 1] == ' ')
		n--;
	memcpy(out, from, n);
	out[n] = '\0';
}

static u32
le32(const u8 *p)
{
	u32 v;

	memcpy(&v, p, sizeof(v));
	return v;
}

#define EXT_SUPER	1024
#define EXT_COMPAT	(EXT_SUPER + 0x5c)
#define EXT_INCOMPAT	(EXT_SUPER + 0x60)
#define EXT_RO_COMPAT	(EXT_SUPER + 0x64)
#define EXT_UUID	(EXT_SUPER + 0x68)
#define EXT_LABEL	(EXT_SUPER + 0x78)
#define EXT_HAS_JOURNAL 0x4u
#define EXT2_INCOMPAT	0x12u /* filetype, meta_bg */
#define EXT3_INCOMPAT	0x16u /* and recover */
#define EXT3_RO_COMPAT	0x7u  /* sparse_super, large_file, btree_dir */
#define EXT_JOURNAL_DEV 0x8u

static void
ext_fill(const u8 *area, struct block_ident *out)
{
	u32 compat = le32(area + EXT_COMPAT), incompat = le32(area + EXT_INCOMPAT);
	bool old = !(le32(area + EXT_RO_COMPAT) & ~EXT3_RO_COMPAT);

	if (incompat & EXT_JOURNAL_DEV)
		strscpy(out->type, "jbd", sizeof(out->type));
	else if (old && !(compat & EXT_HAS_JOURNAL) && !(incompat & ~EXT2_INCOMPAT))
		strscpy(out->type, "ext2", sizeof(out->type));
	else if (old && (compat & EXT_HAS_JOURNAL) && !(incompat & ~EXT3_INCOMPAT))
		strscpy(out->type, "ext3", sizeof(out->type));
	uuid_copy(out->uuid, area + EXT_UUID);
	label_copy(out->label, area + EXT_LABEL, 16);
}

static void
fat_serial(const u8 *p, struct block_ident *out)
{
	snprintf(out->uuid, sizeof(out->uuid), "%02X%02X-%02X%02X", p[3], p[2], p[1], p[0]);
}

static void
fat_label(const u8 *p, struct block_ident *out)
{
	if (memcmp(p, "NO NAME    ", 11))
		label_copy(out->label, p, 11);
}

static void
fat32_fill(const u8 *area, struct block_ident *out)
{
	fat_serial(area + 67, out);
	fat_label(area + 71, out);
}

static void
fat16_fill(const u8 *area, struct block_ident *out)
{
	fat_serial(area + 39, out);
	fat_label(area + 43, out);
}

static void
swap_fill(const u8 *area, struct block_ident *out)
{
	uuid_copy(out->uuid, area + 1036);
	label_copy(out->label, area + 1052, 16);
}

#define ISO_LABEL    40
#define ISO_MODIFIED 830

static void
iso_fill(const u8 *area, struct block_ident *out)
{
	const char *d = (const char *)area + ISO_MODIFIED;

	label_copy(out->label, area + ISO_LABEL, 32);
	if (d[0] >= '0' && d[0] <= '9')
		snprintf(out->uuid, sizeof(out->uuid), "%.4s-%.2s-%.2s-%.2s-%.2s-%.2s-%.2s", d,
			 d + 4, d + 6, d + 8, d + 10, d + 12, d + 14);
}

static void
nothing_fill(const u8 *area, struct block_ident *out)
{
}

static const struct probe probes[] = {
	{ "ext4", 0, EXT_SUPER + 0x38, "\x53\xef", 2, ext_fill },
	{ "squashfs", 0, 0, "hsqs", 4, nothing_fill },
	{ "erofs", 0, 1024, "\xe2\xe1\xf5\xe0", 4, nothing_fill },
	{ "swap", 0, 4086, "SWAPSPACE2", 10, swap_fill },
	{ "vfat", 0, 82, "FAT32   ", 8, fat32_fill },
	{ "vfat", 0, 54, "FAT16   ", 8, fat16_fill },
	{ "vfat", 0, 54, "FAT12   ", 8, fat16_fill },
	{ "iso9660", 32768, 0,
	  "\x01"
	  "CD001",
	  6, iso_fill },
};

int
block_identify(struct block_device *dev, struct block_ident *out)
{
	u8 *area = kmalloc(AREA_SIZE, GFP_KERNEL);
	u64 have = UINT64_MAX;
	int err = -ENODATA;

	memset(out, 0, sizeof(*out));
	if (!area)
		return -ENOMEM;
	for (u32 i = 0; i < ARRAY_SIZE(probes); i++) {
		const struct probe *p = &probes[i];

		if (have != p->area) {
			if (p->area + AREA_SIZE > block_device_bytes(dev) ||
			    block_rw(dev, BIO_READ, p->area >> SECTOR_SHIFT, area, AREA_SIZE))
				continue;
			have = p->area;
		}
		if (memcmp(area + p->offset, p->magic, p->magic_len))
			continue;
		strscpy(out->type, p->type, sizeof(out->type));
		p->fill(area, out);
		err = 0;
		break;
	}
	kfree(area);
	return err;
}
