/* SPDX-License-Identifier: MIT */
/*
 * Block devices: disks, their partitions, and the requests that file systems send to them.
 *
 * A driver registers a struct disk with hardware queues. User space and file systems see struct
 * block_device: the whole disk, and one for each partition. Data moves by struct bio: one
 * operation on a run of sectors, with its memory as a list of page pieces. Sectors have 512
 * bytes everywhere, whatever the medium's own blocks are.
 *
 *	bio_init / bio_alloc, bio_add_page ..., bio_submit	-> bio->done(bio)
 *	bio_init, bio_add_page, bio_submit_wait			-> 0 or -errno
 *
 * Order: nothing is promised between bios in flight. What must come later is submitted when the
 * earlier one is done. A finished write may still be in the disk's volatile cache: it is on the
 * medium once a BIO_FLUSH (or a bio with BIO_PREFLUSH) that was submitted afterwards is done, or at
 * once if it had BIO_FUA. The block room does with flushes what the disk cannot do itself.
 *
 * Letters: [I] fixed, [A] atomic, [O] disk->open_lock, [Q] the queue's lock.
 */
#ifndef BLOCK_BLOCK_H
#define BLOCK_BLOCK_H

#include "core/ref.h"
#include "core/spinlock.h"
#include "fs/vfs/device.h"
#include "lib/atomic.h"
#include "lib/list.h"
#include "lib/types.h"
#include "mm/backing.h"
#include "sched/mutex.h"
#include "sched/thread.h"

struct bio;
struct block_device;
struct disk;
struct disk_queue;
struct file;
struct inode;
struct mapping;
struct page;
struct request;
struct strbuf;
struct super;

#define SECTOR_SHIFT 9
#define SECTOR_SIZE  512u

/* ---- bio ---- */

enum bio_op {
	BIO_READ,
	BIO_WRITE,
	BIO_FLUSH,	  /* no data: what was done before is on the medium afterwards */
	BIO_DISCARD,	  /* no pages: `bytes` says how much. -EOPNOTSUPP if the disk cannot */
	BIO_WRITE_ZEROES, /* likewise; block_zero does it with pages if the disk cannot */
};

/* bio->flags: the submitter's */
#define BIO_FUA	     BIT(0) /* a write is on the medium when it is done */
#define BIO_PREFLUSH BIT(1) /* flush first, then write */
#define BIO_SYNC     BIT(2) /* somebody waits for it: not held back by a plug */
#define BIO_NO_UNMAP BIT(3) /* write zeroes: keep the blocks allocated */

struct bio_vec {
	struct page *page;
	u32 offset, len; /* within the page or compound page; multiples of 512 */
};

#define BIO_MAX_VECS	256
#define BIO_INLINE_VECS 4

struct bio {
	struct block_device *dev;
	u64 sector; /* on dev */
	u32 bytes;  /* in all */
	u16 flags;  /* BIO_* */
	u8 op;	    /* enum bio_op */
	u8 stage;   /* block/flush.c */
	u16 nr_vecs, max_vecs;
	s32 status; /* when done: 0 or -errno */
	struct bio_vec *vecs;
	/*
	 * Called once, in the submitter's context or in an interrupt: may not sleep. The bio is the
	 * owner's again: it may be freed or submitted anew.
	 */
	void (*done)(struct bio *bio);
	void *private;
	/* the block room's */
	struct bio *next;
	struct atomic32 parts; /* pieces in flight, and one while they are being made */
	u32 dispatched;	       /* bytes that requests have been made for */
	u32 pool;	       /* where bio_put brings it */
	u64 disk_sector;       /* on the disk */
	struct bio_vec inline_vecs[BIO_INLINE_VECS];
};

/* In memory of the caller's. vecs NULL: the bio's own BIO_INLINE_VECS. */
void bio_init(struct bio *bio, struct block_device *dev, enum bio_op op, u64 sector,
	      struct bio_vec *vecs, u32 max_vecs);
/*
 * From a pool, with room for nr_vecs (at most BIO_MAX_VECS) pieces. GFP_ATOMIC: NULL if there is
 * none now. Otherwise it may wait and does not fail: some bios are kept for when memory is short,
 * and those in flight come back. Whoever waits for one may not sit on others that are not
 * submitted.
 */
struct bio *bio_alloc(struct block_device *dev, enum bio_op op, u64 sector, u32 nr_vecs, u32 gfp);
void bio_put(struct bio *bio); /* of bio_alloc; any context */
/* False: there is no room for another piece. Adjacent pieces are joined. */
bool __must_check bio_add_page(struct bio *bio, struct page *page, u32 offset, u32 len);
static inline u64
bio_end_sector(const struct bio *bio)
{
	return bio->sector + (bio->bytes >> SECTOR_SHIFT);
}
/* Never sleeps, never fails: errors come by done (beyond the end or read-only: before it returns).
 */
void bio_submit(struct bio *bio);
/* Submits, sleeps, returns the status. Uses done and private. */
int bio_submit_wait(struct bio *bio);

/*
 * Gathers the bios that this thread submits, so that neighbours become one request and the device
 * is told once: sent by block_plug_finish, when there are many, or when the thread goes to sleep.
 * Plugs nest: the outermost counts.
 */
struct block_plug {
	struct thread_plug base;
	struct bio *head, *tail;
	u32 count;
	bool sorted;
};
void block_plug_start(struct block_plug *plug);
void block_plug_finish(struct block_plug *plug);

/* ---- devices ---- */

struct block_stats {				  /* one a queue: [Q] of that queue */
	u64 ios[3], merges[3], sectors[3], ns[3]; /* reads, writes, discards */
	u64 flushes, flush_ns;
	u64 busy_ns, busy_since; /* with requests in flight */
	u32 in_flight;
};

struct block_device {
	struct ref ref;
	devnum_t devnum;	    /* [I] */
	char name[32];		    /* [I] below /dev: "vda1" */
	struct disk *disk;	    /* [I] */
	struct block_device *whole; /* [I] the disk's own; itself if it is */
	u32 part_number;	    /* [I] 0: the whole disk */
	u64 start, sectors; /* [O] in sectors of 512 bytes, on the disk; read with READ_ONCE */
	bool read_only;	    /* [O] */
	bool gone;	    /* [O] deleted: I/O fails */
	u32 block_size; /* [O] BLKBSZGET: 512 to the page size; what the mounted file system uses */
	u32 opens;	/* [O] */
	void *holder;	/* [O] exclusive opener: a super block, O_EXCL; of the disk: see claims */
	u32 holders;	/* [O] opens by holder */
	u32 part_claims; /* [O] exclusive openers of its partitions */
	/* [I] Its bytes as pages (the page cache of the device node); host is this inode. */
	struct inode *inode;
	struct mapping *mapping;
	struct block_stats *stats; /* [I] one for each of the disk's queues */
	char part_uuid[40];	   /* [I] PARTUUID= in lower case; "" */
	char part_label[112];	   /* [I] PARTLABEL=, UTF-8 */
	struct list node;	   /* all devices, in the order in which they came */
	struct list sibling;	   /* [O] disk->parts */
	struct device entry;	   /* in the registry of names */
};

/* How a device is opened. */
#define BLOCK_READ  BIT(0)
#define BLOCK_WRITE BIT(1)

/*
 * Open for I/O; with a holder (any address that names the owner: struct super *, struct file *)
 * exclusively: -EBUSY when another one holds it, its disk or one of its partitions. 0, -ENXIO,
 * -EBUSY. A read-only device may be opened for writing: it is the writes that fail (-EROFS).
 */
int block_device_open(struct block_device *dev, u32 mode, void *holder);
/* The same by number. */
int block_device_open_number(devnum_t number, u32 mode, void *holder, struct block_device **out);
/* Undoes any of the opens. The last one writes its pages back and drops them. Sleeps. */
void block_device_close(struct block_device *dev, u32 mode, void *holder);

/* Referenced; NULL: no such device. */
struct block_device *block_device_find_number(devnum_t number);
/*
 * What root= may say: "/dev/vda1", "vda1", "254:1", "fe01" (hexadecimal), "PARTUUID=...",
 * "PARTLABEL=...", "UUID=...", "LABEL=...". Referenced. 0 or -ENODEV.
 */
int block_device_find(const char *spec, struct block_device **out);
void block_device_get(struct block_device *dev);
void block_device_put(struct block_device *dev);
/* fn is called with a reference held and no lock, in the order in which they came; false stops. */
void block_device_for_each(bool (*fn)(void *ctx, struct block_device *dev), void *ctx);

static inline u64
block_device_bytes(const struct block_device *dev)
{
	return READ_ONCE(dev->sectors) << SECTOR_SHIFT;
}
u32 block_device_logical_size(const struct block_device *dev);

/* Waits until what was written is on the medium. 0 or -EIO. */
int block_flush(struct block_device *dev);
/* Writes back the pages of the device's own mapping, then flushes. */
int block_device_sync(struct block_device *dev);
/* -EOPNOTSUPP: the disk cannot. Ranges in sectors. */
int block_discard(struct block_device *dev, u64 sector, u64 sectors);
int block_zero(struct block_device *dev, u64 sector, u64 sectors, bool unmap);
/* Reads into or writes from kernel memory (direct map), through no cache. */
int block_rw(struct block_device *dev, enum bio_op op, u64 sector, void *buf, u32 bytes);

/*
 * Direct I/O of a file system: the next len bytes of the iterator, to or from the device at pos.
 * Whoever calls has asked block_direct_aligned, and holds nothing that a page fault may need.
 * Bytes that were moved, as far as the iterator went, or -EFAULT, -EIO ...
 */
struct iov_iter;
bool block_direct_aligned(const struct block_device *dev, const struct iov_iter *it, u64 pos);
ssize_t block_direct_transfer(struct block_device *dev, u64 pos, struct iov_iter *it, size_t len,
			      bool write);

/* What is on a device: block/ident.c. "" where unknown. */
struct block_ident {
	char type[16]; /* "ext4", "vfat", "swap", "squashfs", "iso9660", ... */
	char uuid[40];
	char label[112];
};
int block_identify(struct block_device *dev, struct block_ident *out);

/* ---- for drivers ---- */

/*
 * A run of sectors that a driver carries out: whole bios that lie next to each other, or a part of
 * one. Made by the block room in memory that the queue owns; `disk->payload` bytes of the driver's
 * own follow it.
 */
struct request {
	struct disk_queue *queue; /* [I] */
	u32 tag;		  /* [I] below queue->depth */
	u8 op;			  /* enum bio_op */
	bool fua;
	bool no_unmap;
	u16 segments; /* pieces of memory */
	u32 bytes;
	u64 sector;		  /* on the disk */
	struct bio *first, *last; /* linked by bio->next */
	u32 offset;		  /* of the first byte in `first` */
	u32 merged;		  /* bios that came to the first */
	u64 started_ns;
	s32 status;
	struct request *next;
};

static inline void *
request_payload(struct request *rq)
{
	return rq + 1;
}

/* The pieces of a request's memory: request_iter_init, then request_next_vec until it is false. */
struct request_iter {
	struct bio *bio;
	u32 vec, offset; /* in bio->vecs, and in that piece */
	u32 left;	 /* bytes */
	u32 max;	 /* bytes a piece; 0: any */
};
void request_iter_init(struct request_iter *it, const struct request *rq);
bool request_next_vec(struct request_iter *it, struct bio_vec *out);

struct disk_ops {
	/*
	 * Start a request: queue->lock held, interrupts off. 0; -EBUSY: no room, it is offered
	 * again after a completion; another error ends it.
	 */
	int (*queue)(struct disk_queue *q, struct request *rq);
	/* A batch has been queued: tell the device. queue->lock held. NULL: nothing to do. */
	void (*commit)(struct disk_queue *q);
	/* Undo what private is, when the last reference to the disk goes. NULL: nothing. */
	void (*release)(struct disk *disk);
	/* First open and last close of the disk or any partition. May sleep. NULL: nothing. */
	int (*open)(struct disk *disk, u32 mode);
	void (*close)(struct disk *disk);
	/* Requests that the block room does not know. NULL: -ENOTTY. */
	long (*ioctl)(struct block_device *dev, struct file *f, u32 cmd, u64 arg);
};

struct disk_limits {
	u32 logical_size, physical_size; /* bytes; powers of two, 512 to the page size */
	u32 io_min, io_opt;		 /* bytes; io_opt 0: unknown */
	u32 alignment_offset;
	u32 max_segments;			      /* pieces a request */
	u32 max_segment_size;			      /* bytes a piece; 0: any */
	u32 max_bytes;				      /* a request; 0: any */
	u32 max_discard_sectors, discard_granularity; /* 0: cannot */
	u32 max_zeroes_sectors;			      /* 0: cannot */
	bool write_cache;			      /* finished writes need a flush */
	bool fua;				      /* the disk knows FUA */
	bool rotational;
	bool whole_pages; /* pieces but the first start, and but the last end, at page boundaries */
	bool zeroes_unmap;
};

struct disk_queue {	      /* one cache line's worth of what the hot path needs, then the rest */
	struct spinlock lock; /* Q: also the driver's lock for its own ring */
	u32 index;	      /* [I] */
	struct disk *disk;    /* [I] */
	void *private;	      /* [I] driver's */
	struct request *free; /* [Q] */
	struct request *stalled;   /* [Q] the driver had no room for it: to be offered first */
	struct bio *head, *tail;   /* [Q] bios that wait for a request */
	u32 in_flight;		   /* [Q] requests that the driver has */
	u32 depth;		   /* [I] */
	bool dead;		   /* [Q] nothing is started any more */
	struct request **requests; /* [I] all of them */
};

struct disk {
	const struct disk_ops *ops; /* [I] */
	void *private;		    /* [I] driver's */
	char name[16];		    /* [I] "vda" */
	/* [I] major 0: the next extended number */
	u32 major, first_minor, minors; /* [I] minors: how many partitions get adjacent numbers */
	u32 payload;			/* [I] bytes of the driver's in each request */
	struct disk_limits limits;	/* [I] once registered */
	u32 nr_queues, depth;		/* [I] */
	struct disk_queue *queues;	/* [I] */
	u64 sectors;			/* capacity */
	bool read_only, removable, no_partitions;
	char serial[24];

	struct ref ref;
	struct block_device *device; /* [I] the whole disk */
	struct mutex open_lock;	     /* opens, partition table */
	u32 open_count;		     /* open_lock */
	struct list parts;	     /* [O] partitions */
	struct disk_flush *flush;    /* block/flush.c */
	struct backing backing;	     /* of the pages of all its devices and their file systems */
	char backing_name[16];
	struct super *super; /* [I] of the inodes of its devices */
	bool live;	     /* open_lock: registered and not taken away */
};

/*
 * A disk with its queues: the driver fills the rest, sets each queue's private and registers it.
 * NULL: no memory.
 */
struct disk *disk_create(u32 nr_queues, u32 depth, u32 payload);
/* Makes it visible, and reads its partition table. May sleep; I/O must work. */
int disk_register(struct disk *disk);
/* Takes it away: I/O that has not ended fails with -EIO. Then disk_put drops the driver's
 * reference. */
void disk_unregister(struct disk *disk);
void disk_get(struct disk *disk);
void disk_put(struct disk *disk);
/* "vd", 27 -> "vdab" */
void disk_name(char *buf, size_t size, const char *prefix, u32 index);
/* The capacity changed. May sleep. */
void disk_set_capacity(struct disk *disk, u64 sectors);
/* Reads the partition table again. -EBUSY: a partition is open. */
int disk_rescan(struct disk *disk);
/* The device broke: requests that the driver still has are its business to end; no new ones come.
 */
void disk_kill(struct disk *disk);

/*
 * The driver's completion, in its interrupt: collects under the queue's lock, ends outside.
 *
 *	struct request_batch done = { 0 };
 *	flags = spin_lock_irqsave(&q->lock);
 *	while ((rq = ...)) request_done(&done, rq, error);
 *	disk_queue_run(q, &done);
 *	spin_unlock_irqrestore(&q->lock, flags);
 *	request_batch_end(&done);
 */
struct request_batch {
	struct bio *head, *tail;
};
void request_done(struct request_batch *batch, struct request *rq, int error);
/* Starts what waits, as far as there is room; what fails at once goes to the batch. */
void disk_queue_run(struct disk_queue *q, struct request_batch *batch);
void request_batch_end(struct request_batch *batch);

/* Boot: the devices' numbers, node operations. */
void block_init(void);

/* /proc/partitions, /proc/diskstats */
void block_show_partitions(struct strbuf *sb);
void block_show_stats(struct strbuf *sb);
/* One line of numbers, after `lead`. */
void block_device_show_stats(struct block_device *dev, struct strbuf *sb, const char *lead);

#endif
