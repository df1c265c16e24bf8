/* SPDX-License-Identifier: MIT */
/* See journal_shim.c. */
#ifndef JOURNAL_SHIM_H
#define JOURNAL_SHIM_H

#include "block/block.h"

/* One block's or sector's worth that reached the disk's cache, or a flush of it. */
struct disk_event {
	bool flush;
	bool fua;
	u64 sector;
	u32 bytes;
	u8 *data;
};

struct fake_disk {
	struct block_device dev;
	u8 *image; /* what readers see */
	u64 bytes;
	u32 unit;	 /* bytes that are written altogether or not at all */
	bool record;	 /* note events */
	s64 fail_writes; /* > 0: so many more writes succeed, then all fail */
	struct disk_event *events;
	u32 nr_events, room;
};

void shim_start(void); /* the calling thread becomes a kernel thread */
void shim_stop(void);
void shim_yield(void);
/* A thread beside the kernel's own, under the same rule. */
void shim_thread(void (*fn)(void *), void *arg);
void shim_join(void); /* all of shim_thread */
extern u32 shim_log_lines;
extern bool shim_log_show;
u32 shim_pages_used(void);

void disk_create_fake(struct fake_disk *d, u64 bytes, u32 unit);
void disk_destroy_fake(struct fake_disk *d);

#endif
