/* SPDX-License-Identifier: MIT */
/*
 * Partition tables: GPT (UEFI 2.9, chapter 5), and the older one in the first sector with its chain
 * of extended partitions. What is on the disk is input: every number is checked before use, damaged
 * checksums are not believed, chains are followed a bounded number of steps.
 */
#include "block_internal.h"
#include "core/log.h"
#include "lib/crc.h"
#include "lib/format.h"
#include "lib/string.h"
#include "mm/mapping.h"
#include "mm/slab.h"
#include "uapi/errno.h"

#define MBR_SIGNATURE  0xaa55
#define MBR_ENTRIES    446
#define MBR_DISK_ID    440
#define TYPE_GPT       0xee
#define TYPE_EXTENDED  0x05
#define TYPE_LBA_EXT   0x0f
#define TYPE_LINUX_EXT 0x85
#define CHAIN_MAX      100

#define GPT_SIGNATURE	0x5452415020494645ul /* "EFI PART" */
#define GPT_HEADER_MIN	92
#define GPT_ENTRY_MIN	128
#define GPT_ENTRIES_MAX 1024

struct mbr_entry {
	u8 status, first_chs[3], type, last_chs[3];
	u32 start, sectors; /* in logical blocks */
} __packed;

struct gpt_header {
	u64 signature;
	u32 revision, size, crc, reserved;
	u64 my_lba, other_lba, first_usable, last_usable;
	u8 guid[16];
	u64 entries_lba;
	u32 entry_count, entry_size, entries_crc;
} __packed;

struct gpt_entry {
	u8 type[16], guid[16];
	u64 first, last, attributes;
	u16 name[36];
} __packed;

/* What the readers share. */
struct table {
	struct block_device *whole;
	u32 scale; /* sectors a logical block */
	struct partition *out;
	u32 count, max;
};

/* Bytes of the disk, through its pages. */
static int
read_bytes(struct block_device *dev, u64 pos, void *to, size_t len)
{
	if (pos > block_device_bytes(dev) || len > block_device_bytes(dev) - pos)
		return -EIO;
	while (len) {
		size_t offset = pos & ~PAGE_MASK, n = MIN(len, PAGE_SIZE - offset);
		struct page *page;
		int err = mapping_read(dev->mapping, pos >> PAGE_SHIFT, &page);

		if (err)
			return err;
		memcpy(to, (char *)page_to_virt(page) + offset, n);
		page_put(page);
		to = (char *)to + n;
		pos += n;
		len -= n;
	}
	return 0;
}

static struct partition *
add(struct table *t, u32 number, u64 start, u64 sectors)
{
	u64 size = t->whole->sectors;
	struct partition *p;

	if (t->count == t->max || start >= size)
		return NULL;
	/* One that ends behind the disk is cut: the disk may have been copied to a smaller one. */
	if (sectors > size - start)
		sectors = size - start;
	p = &t->out[t->count++];
	*p = (struct partition){ .number = number, .start = start, .sectors = sectors };
	return p;
}

/* ---- GPT ---- */

/* The first three fields of a GUID are little endian. */
static void
guid_format(char *out, size_t size, const u8 *g)
{
	snprintf(out, size, "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x",
		 g[3], g[2], g[1], g[0], g[5], g[4], g[7], g[6], g[8], g[9], g[10], g[11], g[12],
		 g[13], g[14], g[15]);
}

static void
name_format(char *out, size_t size, const struct gpt_entry *e)
{
	size_t n = 0;

	for (u32 i = 0; i < ARRAY_SIZE(e->name) && e->name[i] && n + 4 <= size; i++) {
		u32 c = e->name[i];

		if (c < 0x80) {
			out[n++] = (char)c;
		} else if (c < 0x800) {
			out[n++] = (char)(0xc0 | c >> 6);
			out[n++] = (char)(0x80 | (c & 0x3f));
		} else {
			out[n++] = (char)(0xe0 | c >> 12);
			out[n++] = (char)(0x80 | (c >> 6 & 0x3f));
			out[n++] = (char)(0x80 | (c & 0x3f));
		}
	}
	out[n] = '\0';
}

static bool
gpt_header_valid(struct block_device *dev, u64 lba, u32 block, struct gpt_header *h)
{
	u8 *sector = kmalloc(block, GFP_KERNEL);
	bool valid = false;
	u32 crc;

	if (!sector)
		return false;
	if (read_bytes(dev, lba * block, sector, block))
		goto out_free;
	memcpy(h, sector, sizeof(*h));
	if (h->signature != GPT_SIGNATURE || h->size < GPT_HEADER_MIN || h->size > block ||
	    h->my_lba != lba)
		goto out_free;
	crc = h->crc;
	memset(sector + offsetof(struct gpt_header, crc), 0, sizeof(crc));
	valid = crc32(0, sector, h->size) == crc && h->entry_size >= GPT_ENTRY_MIN &&
		h->entry_size <= block && !(h->entry_size & (h->entry_size - 1)) &&
		h->entry_count <= GPT_ENTRIES_MAX && h->first_usable <= h->last_usable;
out_free:
	kfree(sector);
	return valid;
}

static u8 *
gpt_entries_read(struct block_device *dev, u32 block, const struct gpt_header *h)
{
	size_t len = (size_t)h->entry_count * h->entry_size;
	u8 *entries = kvmalloc(len, GFP_KERNEL);

	if (!entries)
		return NULL;
	if (h->entries_lba <= block_device_bytes(dev) / block &&
	    read_bytes(dev, h->entries_lba * block, entries, len) == 0 &&
	    crc32(0, entries, len) == h->entries_crc)
		return entries;
	kvfree(entries);
	return NULL;
}

static int
gpt_read(struct table *t)
{
	struct block_device *dev = t->whole;
	u32 block = t->scale << SECTOR_SHIFT;
	u64 lbas[] = { 1, block_device_bytes(dev) / block - 1 };
	static const u8 none[16];
	struct gpt_header h = { 0 };
	u8 *entries = NULL;

	for (u32 i = 0; i < ARRAY_SIZE(lbas) && !entries; i++) {
		if (!gpt_header_valid(dev, lbas[i], block, &h))
			continue;
		entries = gpt_entries_read(dev, block, &h);
		if (entries && i)
			log_warn("%s: the first partition table is damaged, the second is used\n",
				 dev->name);
	}
	if (!entries)
		return 0;
	for (u32 i = 0; i < h.entry_count; i++) {
		struct gpt_entry e;
		struct partition *p;

		memcpy(&e, entries + (size_t)i * h.entry_size, sizeof(e));
		if (!memcmp(e.type, none, sizeof(none)) || e.first > e.last ||
		    e.last > block_device_bytes(dev) / block)
			continue;
		p = add(t, i + 1, e.first * t->scale, (e.last - e.first + 1) * t->scale);
		if (!p)
			continue;
		guid_format(p->uuid, sizeof(p->uuid), e.guid);
		name_format(p->label, sizeof(p->label), &e);
	}
	kvfree(entries);
	return 1;
}

/* ---- MBR ---- */

static bool
is_extended(u8 type)
{
	return type == TYPE_EXTENDED || type == TYPE_LBA_EXT || type == TYPE_LINUX_EXT;
}

static void
mbr_add(struct table *t, u32 number, u64 start, u64 sectors, u32 disk_id)
{
	struct partition *p = add(t, number, start, sectors);

	if (!p)
		return;
	snprintf(p->uuid, sizeof(p->uuid), "%08x-%02x", disk_id, number);
}

/* Each link of the chain has one partition, counted from the link, and the next link, counted from
 * the extended partition. */
static void
extended_read(struct table *t, u64 base, u64 size, u32 disk_id)
{
	u64 at = base;
	u32 number = 5;

	for (u32 i = 0; i < CHAIN_MAX; i++) {
		struct mbr_entry e[4];
		u8 sector[SECTOR_SIZE];
		u64 next = 0;
		u16 signature;

		if (read_bytes(t->whole, at << SECTOR_SHIFT, sector, sizeof(sector)))
			return;
		memcpy(&signature, sector + 510, sizeof(signature));
		if (signature != MBR_SIGNATURE)
			return;
		memcpy(e, sector + MBR_ENTRIES, sizeof(e));
		for (u32 n = 0; n < 4; n++) {
			u64 start = at + (u64)e[n].start * t->scale;
			u64 sectors = (u64)e[n].sectors * t->scale;

			if (!sectors)
				continue;
			if (is_extended(e[n].type)) {
				if (!next)
					next = base + (u64)e[n].start * t->scale;
				continue;
			}
			/* The third and fourth are sometimes old rubbish: they must lie inside. */
			if (n >= 2 && (start < base || start + sectors > base + size))
				continue;
			mbr_add(t, number++, start, sectors, disk_id);
		}
		if (!next || next == at)
			return;
		at = next;
	}
}

static int
mbr_read(struct table *t, const u8 *sector, const struct mbr_entry *e)
{
	u32 disk_id;

	memcpy(&disk_id, sector + MBR_DISK_ID, sizeof(disk_id));
	/* A file system without a table has its boot code where the entries would be. */
	for (u32 i = 0; i < 4; i++)
		if (e[i].status != 0 && e[i].status != 0x80)
			return 0;
	for (u32 i = 0; i < 4; i++) {
		u64 start = (u64)e[i].start * t->scale, sectors = (u64)e[i].sectors * t->scale;

		if (!sectors)
			continue;
		if (is_extended(e[i].type)) {
			/* It shows as two sectors, enough to put a boot loader there. */
			mbr_add(t, i + 1, start, MIN(sectors, MAX(2ul, (u64)t->scale)), disk_id);
			extended_read(t, start, sectors, disk_id);
		} else {
			mbr_add(t, i + 1, start, sectors, disk_id);
		}
	}
	return 1;
}

int
partitions_read(struct block_device *whole, struct partition *out, u32 max)
{
	struct table t = {
		.whole = whole,
		.scale = whole->disk->limits.logical_size >> SECTOR_SHIFT,
		.out = out,
		.max = max,
	};
	struct mbr_entry e[4];
	u8 sector[SECTOR_SIZE];
	u16 signature;
	int err;

	if (whole->sectors < t.scale * 3)
		return 0;
	err = read_bytes(whole, 0, sector, sizeof(sector));
	if (err)
		return err;
	memcpy(&signature, sector + 510, sizeof(signature));
	if (signature != MBR_SIGNATURE)
		return 0;
	memcpy(e, sector + MBR_ENTRIES, sizeof(e));
	for (u32 i = 0; i < 4; i++)
		if (e[i].type == TYPE_GPT && gpt_read(&t))
			return (int)t.count;
	(void)mbr_read(&t, sector, e);
	return (int)t.count;
}
