/* SPDX-License-Identifier: MIT */
/* What the files of this room tell each other. */
#ifndef BLOCK_INTERNAL_H
#define BLOCK_INTERNAL_H

#include "block/block.h"

struct file;
struct file_ops;
struct iov_iter;

/* bio.c */
void bio_init_pools(void);
/* Finish a bio outside of all locks: on to the next stage, or done. */
void bio_end(struct bio *bio);
/* bio_end with a status, for one that never went out. */
void bio_fail(struct bio *bio, int err);

/* queue.c */
int queues_create(struct disk *disk, u32 count, u32 depth, u32 payload);
void queues_destroy(struct disk *disk);
/* Checked and translated: to the disk, or on the thread's plug. */
void queue_bio(struct bio *bio);
/* A list, all of one disk. */
void queue_bios(struct disk *disk, struct bio *head, struct bio *tail);
struct block_stats *stats_create(const struct disk *disk);

/* plug.c: true if the thread's plug took it. */
bool plug_add(struct bio *bio);

/* flush.c */
#define STAGE_NONE	0
#define STAGE_PREFLUSH	1 /* waits for a flush, then is written */
#define STAGE_DATA	2 /* is being written, and waits for a flush then */
#define STAGE_POSTFLUSH 3
int flush_create(struct disk *disk);
void flush_destroy(struct disk *disk);
void flush_submit(struct bio *bio);
/* The data of a bio in STAGE_DATA has been written. */
void flush_data_done(struct bio *bio);

/* device.c */
void devices_init(void);
int device_super_create(struct disk *disk);
struct block_device *device_create(struct disk *disk, u32 part_number, u64 start, u64 sectors);
void device_destroy(struct block_device *dev);
int device_publish(struct block_device *dev);
void device_withdraw(struct block_device *dev);

/* partition.c: what the table says. */
struct partition {
	u32 number;
	u64 start, sectors;
	char uuid[40], label[112];
};
#define PARTITIONS_MAX 256
/* Reads the table of a disk through its pages; the number found, or -errno. */
int partitions_read(struct block_device *whole, struct partition *out, u32 max);

/* disk.c; disk->open_lock held */
int partition_add(struct disk *disk, const struct partition *p);
int partition_delete(struct disk *disk, u32 number);
int partition_resize(struct disk *disk, u32 number, u64 sectors);
bool partition_overlaps(struct disk *disk, u64 start, u64 sectors);
int disk_rescan_locked(struct disk *disk);

/* node.c, direct.c, ioctl.c */
int block_zero_range(struct block_device *dev, u64 offset, u64 len, bool unmap);
extern const struct file_ops block_file_ops;
ssize_t block_direct_io(struct mapping *m, u64 pos, struct iov_iter *it, bool write);
long block_ioctl(struct block_device *dev, struct file *f, u32 cmd, u64 arg);

#endif
