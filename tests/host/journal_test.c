/* SPDX-License-Identifier: MIT */
/* SOURCES: block/buffer.c fs/journal/journal.c fs/journal/replay.c fs/journal/transaction.c
   fs/journal/revoke.c fs/journal/commit.c fs/journal/checkpoint.c fs/journal/ordered.c lib/xarray.c
   lib/crc.c tests/host/core_shim.c tests/host/journal_shim.c */
/*
 * The journal and the buffer cache on a disk that loses power.
 *
 * Several threads run a small model of a file system: a map block says of each other block whether
 * it is metadata, data or free, and with what stamp it was last written. Every operation changes
 * the map and one to four blocks in one handle. Whatever moment the power goes, with whatever
 * subset of the writes since the last flush on the medium: after replay every block has what the
 * map says, and the map is not older than the last operation that was said to be durable.
 *
 * With e2fsprogs at hand: e2fsck replays a log that was written here, and a log that debugfs wrote
 * is replayed here.
 */
#include "../../fs/journal/journal_internal.h"
#include "journal_shim.h"
#include "mm/page.h"
#include "test.h"
#include "uapi/errno.h"
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define LOG_BLOCKS 1024u
#define LOG_AT	   16u /* where the log lies, in two halves that have changed places */
#define MAP_BLOCK  2u
#define POOL_AT	   (LOG_AT + LOG_BLOCKS + 16)
#define POOL	   80u
#define FS_BLOCKS  (POOL_AT + POOL + 8)
#define THREADS	   3

enum kind { K_FREE, K_META, K_DATA, K_LEAVING };

struct map_entry {
	u32 kind;
	u32 stamp;
};

struct map {
	u32 magic; /* that of the journal: the map is always escaped in the log */
	u32 op;
	struct map_entry entries[POOL];
};

static struct fake_disk disk;
static struct buffer_cache *cache;
static struct journal *journal;
static u32 block_size;
static u32 errors;

/* The model's state beyond the map. */
static u32 next_op, durable_op;
static bool busy[POOL];	     /* an operation is at it */
static u32 data_stamp[POOL]; /* to be written before the commit */
static struct journal_inode inode;
static struct {
	u32 event, op;
} * durable; /* from this event on that operation must not be lost */
static u32 nr_durable;

#define CHECK(condition)                                                     \
	do {                                                                 \
		if (!test_expect(condition, __FILE__, __LINE__, #condition)) \
			errors++;                                            \
	} while (0)

/* --- the file system's side --- */

static int
map_log(void *ctx, u32 logical, u64 *out, u32 *run)
{
	u32 half = LOG_BLOCKS / 2;

	*out = LOG_AT + (logical < half ? logical + half : logical - half);
	*run = half - logical % half;
	return 0;
}

static void
data_fill(u8 *to, u32 stamp)
{
	memset(to, 0, block_size);
	for (u32 i = 0; i < block_size; i += 16)
		memcpy(to + i, &stamp, 4);
}

static bool
data_is(const u8 *at, u32 stamp)
{
	for (u32 i = 0; i < block_size; i += 16)
		if (memcmp(at + i, &stamp, 4) != 0)
			return false;
	return true;
}

static int
write_data(void *ctx, struct journal_inode *ji, u64 start, u64 end)
{
	int err = 0;

	for (u32 i = 0; i < POOL && !err; i++) {
		struct page *page;
		struct bio bio;
		u32 stamp = data_stamp[i];
		bool ok;

		if (!stamp)
			continue;
		page = page_alloc(0, 0);
		data_fill(page_to_virt(page), stamp);
		bio_init(&bio, &disk.dev, BIO_WRITE, (u64)(POOL_AT + i) * (block_size / 512), NULL,
			 0);
		ok = bio_add_page(&bio, page, 0, block_size);
		err = ok ? bio_submit_wait(&bio) : -EIO;
		if (data_stamp[i] == stamp)
			data_stamp[i] = 0;
		page_free(page, 0);
	}
	return err;
}

static int
wait_data(void *ctx, struct journal_inode *ji, u64 start, u64 end)
{
	return 0;
}

static u32 aborts;
static void
aborted(void *ctx, int error)
{
	aborts++;
}

static int
open_journal(u32 fs_blocks, bool checksums, bool wide)
{
	struct journal_config config = { .fs_blocks = fs_blocks,
					 .log_blocks = LOG_BLOCKS,
					 .commit_seconds = 1,
					 .want_checksums = checksums,
					 .want_64bit = wide,
					 .map = map_log,
					 .aborted = aborted,
					 .write_data = write_data,
					 .wait_data = wait_data };
	int err = buffer_cache_create(&disk.dev, block_size, &cache);

	if (err)
		return err;
	config.cache = cache;
	err = journal_open(&config, &journal);
	if (err)
		buffer_cache_destroy(cache);
	return err;
}

static u8 *
image_block(u64 block)
{
	return disk.image + block * block_size;
}

static u8 *
image_log(u32 logical)
{
	u64 at;
	u32 run;

	map_log(NULL, logical, &at, &run);
	return image_block(at);
}

static void
format(u32 size, u32 unit)
{
	struct log_superblock *sb;
	struct map *map;

	block_size = size;
	disk_create_fake(&disk, (u64)FS_BLOCKS * size, unit);
	memset(disk.image, 0xee, disk.bytes);
	for (u32 i = 0; i < LOG_BLOCKS; i++)
		memset(image_log(i), 0, size);
	sb = (struct log_superblock *)image_log(0);
	sb->header = (struct log_header){ be32(JOURNAL_MAGIC), be32(LOG_SUPERBLOCK_V2), 0 };
	sb->block_size = be32(size);
	sb->max_len = be32(LOG_BLOCKS);
	sb->first = be32(1);
	sb->sequence = be32(0xfffffff0u); /* wraps soon */
	sb->nr_users = be32(1);
	map = (struct map *)image_block(MAP_BLOCK);
	memset(map, 0, size);
	map->magic = be32(JOURNAL_MAGIC);
}

/* --- the model's operations --- */

struct freeing {
	struct journal_callback cb;
	u32 index;
};

static void
freed(struct journal_callback *cb, int error)
{
	struct freeing *f = container_of(cb, struct freeing, cb);

	busy[f->index] = false;
	free(f);
}

static void
metadata_write(struct journal_handle *h, u32 index, u32 stamp, bool create)
{
	struct buffer *b;
	int err = create ? buffer_get(cache, POOL_AT + index, &b)
			 : buffer_read(cache, POOL_AT + index, &b);

	CHECK(!err);
	if (err)
		return;
	err = create ? journal_get_create_access(h, b) : journal_get_write_access(h, b);
	CHECK(!err || err == -EROFS);
	if (!err) {
		data_fill(b->data, stamp);
		buffer_set_uptodate(b);
		err = journal_dirty_metadata(h, b);
		CHECK(!err || err == -EROFS);
	}
	buffer_put(b);
}

/* One handle; returns its operation's number, and the tid. */
static int
operation(u32 *op, u32 *tid)
{
	struct journal_handle *h;
	struct buffer *mb;
	struct map *map;
	u32 mine[4], n = 0;
	int err = journal_start(journal, 12, &h);

	if (err)
		return err;
	for (u32 i = 0; i < 4; i++) {
		u32 index = (u32)test_random_below(POOL);

		if (!busy[index]) {
			busy[index] = true;
			mine[n++] = index;
		}
	}
	if (test_random_below(4) == 0)
		shim_yield();
	err = buffer_read(cache, MAP_BLOCK, &mb);
	CHECK(!err);
	if (err) {
		journal_stop(h);
		return err;
	}
	err = journal_get_write_access(h, mb);
	if (err) {
		buffer_put(mb);
		journal_stop(h);
		return err;
	}
	/* From here to the end of the handle's changes of the map no other thread runs. */
	map = (struct map *)mb->data;
	*op = ++next_op;
	map->op = *op;
	*tid = journal_handle_tid(h);
	err = journal_dirty_metadata(h, mb);
	CHECK(!err || err == -EROFS);
	for (u32 i = 0; i < n; i++) {
		struct map_entry *e = &map->entries[mine[i]];
		u32 was = e->kind, index = mine[i];

		if (was == K_FREE && test_random_below(3)) {
			e->kind = K_META;
			e->stamp = *op;
		} else if (was == K_FREE) {
			e->kind = K_DATA;
			e->stamp = *op;
			data_stamp[index] = *op;
			journal_add_ordered(h, &inode, index, index);
		} else if (test_random_below(3) == 0) {
			struct freeing *f = malloc(sizeof(*f));

			e->kind = K_FREE;
			e->stamp = 0;
			f->index = index;
			if (was == K_META) {
				err = journal_revoke(h, POOL_AT + index);
				CHECK(!err || err == -EROFS);
			} else {
				/* An earlier transaction may count on what is to be dropped. */
				err = journal_truncate_ordered(journal, &inode, index);
				CHECK(!err || disk.fail_writes);
				data_stamp[index] = 0;
			}
			journal_add_callback(h, &f->cb, freed);
			continue;
		} else if (was == K_META) {
			e->stamp = *op;
		}
		mine[i] |= was << 16;
	}
	for (u32 i = 0; i < n; i++) {
		u32 index = mine[i] & 0xffff, was = mine[i] >> 16;
		struct map_entry e = ((struct map *)mb->data)->entries[index];

		if (e.kind == K_FREE || e.stamp != *op)
			continue;
		if (e.kind == K_META)
			metadata_write(h, index, *op, was == K_FREE);
	}
	for (u32 i = 0; i < n; i++) {
		u32 index = mine[i] & 0xffff;

		/* The map's entry is stable while it is busy. */
		if (((struct map *)mb->data)->entries[index].kind != K_FREE)
			busy[index] = false;
	}
	buffer_put(mb);
	if (test_random_below(16) == 0)
		err = journal_restart(h, 8); /* and nothing is done with it */
	journal_stop(h);
	return 0;
}

static u32 operations_left;

static void
durable_note(u32 op)
{
	if (op <= durable_op)
		return;
	durable_op = op;
	durable = realloc(durable, (nr_durable + 1) * sizeof(*durable));
	durable[nr_durable].event = disk.nr_events;
	durable[nr_durable++].op = op;
}

static void
worker(void *arg)
{
	while (operations_left) {
		u32 op, tid;
		int err;

		operations_left--;
		err = operation(&op, &tid);
		if (err) {
			CHECK(err == -EROFS);
			return;
		}
		switch (test_random_below(12)) {
		case 0:
		case 1:
			if (!journal_commit_wait(journal, tid))
				durable_note(op);
			break;
		case 2: buffers_sync(cache); break;
		case 3: buffers_invalidate(cache); break;
		case 4:
			if (test_random_below(20) == 0 && !journal_flush(journal))
				durable_note(op);
			break;
		case 5: shim_yield(); break;
		}
	}
}

static void
workload(u32 operations)
{
	next_op = durable_op = nr_durable = 0;
	memset(busy, 0, sizeof(busy));
	memset(data_stamp, 0, sizeof(data_stamp));
	journal_inode_init(&inode);
	operations_left = operations;
	for (u32 i = 0; i < THREADS; i++)
		shim_thread(worker, NULL);
	shim_join();
}

/* --- checking an image --- */

/* What the map says is there; the number of its operation, or 0. */
static u32
image_check(void)
{
	struct map *map = (struct map *)image_block(MAP_BLOCK);

	if (map->magic != be32(JOURNAL_MAGIC)) {
		printf("# map: %08x\n", map->magic);
		return 0;
	}
	for (u32 i = 0; i < POOL; i++) {
		struct map_entry *e = &map->entries[i];

		if (e->kind != K_FREE && !data_is(image_block(POOL_AT + i), e->stamp)) {
			u32 there;

			memcpy(&there, image_block(POOL_AT + i), 4);
			printf("# op %u: block %u of kind %u has %u instead of %u\n", map->op, i,
			       e->kind, there, e->stamp);
			return 0;
		}
	}
	return map->op + 1;
}

static void
event_apply(u8 *image, const struct disk_event *e)
{
	memcpy(image + (e->sector << SECTOR_SHIFT), e->data, e->bytes);
}

/* A power cut after each of many events; base: the image when recording began. */
static void
crash_everywhere(u8 *base, u32 every)
{
	struct fake_disk all = disk;
	u8 *medium = base; /* what is there for sure */
	u32 flushed = 0, crashes = 0, d = 0, must = 0;

	for (u32 at = 0; at <= all.nr_events && errors < 3; at++) {
		while (d < nr_durable && durable[d].event <= at)
			must = durable[d++].op;
		if (test_random_below(every) == 0 || at == all.nr_events) {
			u32 mode = (u32)test_random_below(4), op;
			int err;

			disk_create_fake(&disk, all.bytes, all.unit);
			memcpy(disk.image, medium, all.bytes);
			for (u32 i = flushed; i < at; i++) {
				/* all, none, half of them, nearly all */
				bool lost = mode == 1 || (mode == 2 && test_random_below(2)) ||
					    (mode == 3 && !test_random_below(8));

				if (!all.events[i].flush && (!lost || all.events[i].fua))
					event_apply(disk.image, &all.events[i]);
			}
			err = open_journal(FS_BLOCKS, false, false);
			CHECK(!err);
			if (!err) {
				err = journal_replay(journal);
				CHECK(!err);
				journal_discard(journal);
				buffer_cache_destroy(cache);
				op = image_check();
				CHECK(op);
				CHECK(!op || op - 1 >= must);
				if (!op || op - 1 < must)
					printf("# crash after event %u of %u, mode %u: op %u, "
					       "must be %u\n",
					       at, all.nr_events, mode, op - 1, must);
			}
			disk_destroy_fake(&disk);
			crashes++;
		}
		if (at < all.nr_events && all.events[at].flush) {
			for (; flushed < at; flushed++)
				if (!all.events[flushed].flush)
					event_apply(medium, &all.events[flushed]);
		}
	}
	disk = all;
	printf("# %u events, %u crashes, %u operations, %u durable marks\n", all.nr_events, crashes,
	       next_op, nr_durable);
}

static void
power_cuts(u32 size, u32 unit, bool checksums, bool wide, u32 operations, u32 every)
{
	u8 *base;
	u32 pages;

	errors = aborts = 0;
	shim_start();
	pages = shim_pages_used();
	format(size, unit);
	base = malloc(disk.bytes);
	memcpy(base, disk.image, disk.bytes);
	disk.record = true;
	CHECK(!open_journal(FS_BLOCKS, checksums, wide));
	CHECK(!journal_run(journal));
	workload(operations);
	CHECK(!journal_close(journal));
	buffer_cache_destroy(cache);
	CHECK(image_check() == next_op + 1);
	CHECK(!aborts);
	crash_everywhere(base, every);
	CHECK(shim_pages_used() == pages);
	disk_destroy_fake(&disk);
	shim_stop();
	free(base);
	free(durable);
	durable = NULL;
}

static void
power_cuts_with_checksums_leave_whole_transactions(void)
{
	power_cuts(1024, 512, true, false, 1200, 16);
	EXPECT(!errors);
}

static void
power_cuts_with_64_bit_block_numbers(void)
{
	power_cuts(1024, 512, true, true, 800, 16);
	EXPECT(!errors);
}

static void
power_cuts_without_checksums_leave_whole_transactions(void)
{
	power_cuts(1024, 1024, false, false, 1200, 16);
	EXPECT(!errors);
}

static void
power_cuts_with_4k_blocks(void)
{
	power_cuts(4096, 4096, true, false, 400, 16);
	EXPECT(!errors);
}

/* --- errors --- */

static void
a_write_error_aborts_and_is_remembered(void)
{
	u32 pages;
	int err;

	errors = aborts = 0;
	shim_start();
	pages = shim_pages_used();
	for (u32 round = 0; round < 12; round++) {
		format(1024, 1024);
		CHECK(!open_journal(FS_BLOCKS, true, false));
		CHECK(!journal_run(journal));
		disk.fail_writes = 1 + (s64)(round * round * 3);
		aborts = 0;
		workload(300);
		CHECK(aborts == 1);
		CHECK(journal_error(journal) == -EIO);
		CHECK(journal_close(journal) == -EIO);
		buffer_cache_destroy(cache);
		disk.fail_writes = 0;
		err = open_journal(FS_BLOCKS, true, false);
		CHECK(!err);
		if (!err) {
			CHECK(!journal_replay(journal));
			journal_discard(journal);
			buffer_cache_destroy(cache);
			CHECK(image_check());
		}
		disk_destroy_fake(&disk);
	}
	CHECK(shim_pages_used() == pages);
	shim_stop();
	free(durable);
	durable = NULL;
	EXPECT(!errors);
}

static void
handles_have_limits(void)
{
	struct journal_handle *h, *inner;

	errors = 0;
	shim_start();
	format(1024, 1024);
	EXPECT(!open_journal(FS_BLOCKS, true, false));
	EXPECT(!journal_run(journal));
	EXPECT(journal_start(journal, LOG_BLOCKS, &h) == -ENOSPC);
	EXPECT(!journal_start(journal, 10, &h));
	EXPECT(!journal_start(journal, 10, &inner));
	EXPECT(inner == h && journal_current(journal) == h);
	EXPECT(!journal_stop(inner));
	EXPECT(journal_ensure(h, 30) && h->credits == 30);
	EXPECT(journal_extend(h, journal_max_credits(journal)) == -ENOSPC);
	EXPECT(!journal_restart(h, journal_max_credits(journal)));
	h->sync = true;
	u32 tid = journal_handle_tid(h);
	EXPECT(journal_commit_will_flush(journal, tid));
	EXPECT(!journal_tid_committed(journal, tid));
	EXPECT(!journal_stop(h));
	EXPECT(journal_tid_committed(journal, tid));
	EXPECT(!journal_commit_will_flush(journal, tid));
	journal_abort(journal, -EIO);
	EXPECT(journal_start(journal, 1, &h) == -EROFS);
	journal_close(journal);
	buffer_cache_destroy(cache);
	EXPECT(!open_journal(FS_BLOCKS, true, false));
	EXPECT(journal_old_error(journal) == -EIO);
	EXPECT(!journal_clear_error(journal));
	journal_discard(journal);
	buffer_cache_destroy(cache);
	disk_destroy_fake(&disk);
	shim_stop();
}

/* --- hostile logs --- */

/* A log in use, as if the power had gone. */
static u8 *
used_log(u32 size, bool checksums)
{
	u8 *saved;

	format(size, size);
	CHECK(!open_journal(FS_BLOCKS, checksums, false));
	CHECK(!journal_run(journal));
	workload(150);
	CHECK(!journal_force_commit(journal));
	saved = malloc(disk.bytes);
	memcpy(saved, disk.image, disk.bytes);
	journal_close(journal);
	buffer_cache_destroy(cache);
	return saved;
}

static void
damages_of_the_log_never_hurt(void)
{
	u32 opened = 0, replayed = 0, pages;

	errors = 0;
	shim_start();
	pages = shim_pages_used();
	for (u32 kind = 0; kind < 2; kind++) {
		u8 *saved = used_log(1024, kind);

		for (u32 round = 0; round < 600; round++) {
			u32 n = 1 + (u32)test_random_below(8);
			int err;

			memcpy(disk.image, saved, disk.bytes);
			while (n--) {
				/* Near the front of structures of the first blocks, mostly. */
				u32 block = (u32)test_random_below(test_random_below(2) ? 24 : 700);
				u8 *at = image_log(block) +
					 test_random_below(test_random_below(3) ? 96 : 1024);

				if (test_random_below(2))
					*at ^= (u8)(1u << test_random_below(8));
				else
					*at = (u8)test_random_below(256);
			}
			if (kind && test_random_below(2)) { /* a superblock with a good checksum */
				struct log_superblock *sb = (struct log_superblock *)image_log(0);

				sb->checksum = 0;
				sb->checksum = be32(crc32c(~0u, sb, sizeof(*sb)));
			}
			err = open_journal(FS_BLOCKS, false, false);
			if (err)
				continue;
			opened++;
			replayed += !journal_replay(journal);
			journal_discard(journal);
			buffer_cache_destroy(cache);
		}
		free(saved);
		disk_destroy_fake(&disk);
	}
	printf("# %u of 1200 opened, %u replayed\n", opened, replayed);
	CHECK(shim_pages_used() == pages);
	shim_stop();
	free(durable);
	durable = NULL;
	EXPECT(!errors);
	EXPECT(opened > 300 && replayed > 100);
}

/* Descriptors without a commit, all of the same transaction, around the whole ring. */
static void
a_ring_of_descriptors_ends(void)
{
	errors = 0;
	shim_start();
	format(1024, 1024);
	for (u32 i = 1; i < LOG_BLOCKS; i++) {
		u32 *d = (u32 *)image_log(i);

		d[0] = be32(JOURNAL_MAGIC);
		d[1] = be32(LOG_DESCRIPTOR);
		d[2] = be32(7);
		d[3] = be32(POOL_AT);
		d[4] = be32(TAG_LAST | TAG_SAME_UUID);
	}
	((struct log_superblock *)image_log(0))->sequence = be32(7);
	((struct log_superblock *)image_log(0))->start = be32(1);
	EXPECT(!open_journal(FS_BLOCKS, false, false));
	EXPECT(!journal_replay(journal));
	journal_discard(journal);
	buffer_cache_destroy(cache);
	disk_destroy_fake(&disk);
	shim_stop();
}

/* --- e2fsprogs --- */

static char directory[] = "/tmp/kevlar-journal-XXXXXX";
static u64 journal_runs[64][3]; /* logical, disk, count */
static u32 nr_journal_runs;

__printf(1, 2) static int run(const char *format, ...)
{
	char command[1024];
	va_list args;

	va_start(args, format);
	vsnprintf(command, sizeof(command), format, args);
	va_end(args);
	return system(command);
}

static int
map_image(void *ctx, u32 logical, u64 *out, u32 *run)
{
	for (u32 i = 0; i < nr_journal_runs; i++) {
		u64 *r = journal_runs[i];

		if (logical >= r[0] && logical - r[0] < r[2]) {
			*out = r[1] + (logical - r[0]);
			*run = (u32)(r[2] - (logical - r[0]));
			return 0;
		}
	}
	return -EUCLEAN;
}

/* The image's journal inode and the blocks of /file, as debugfs tells. */
static u32
image_ask(const char *what, u64 (*runs)[3])
{
	char line[512];
	u32 n = 0;
	FILE *f;

	snprintf(line, sizeof(line), "debugfs -R 'dump_extents -l %s' %s/img 2>/dev/null", what,
		 directory);
	f = popen(line, "r");
	while (f && fgets(line, sizeof(line), f)) {
		unsigned long a, b, from, to;

		/* level/depth i/n first - last physical - physical length */
		if (sscanf(line, " %*d/ %*d %*d/ %*d %lu - %lu %lu - %lu", &a, &b, &from, &to) ==
			    4 &&
		    n < 64) {
			runs[n][0] = a;
			runs[n][1] = from;
			runs[n++][2] = b - a + 1;
		}
	}
	if (f)
		pclose(f);
	return n;
}

static bool
image_make(const char *options)
{
	return !run("cd %s && dd if=/dev/zero bs=4096 count=64 2>/dev/null | tr '\\0' x >file && "
		    "rm -rf tree && mkdir tree && cp file tree/ && rm -f img && "
		    "mke2fs -q -F -t ext4 %s -d tree img 32M >/dev/null 2>&1",
		    directory, options);
}

static bool
image_load(u32 size)
{
	char path[64];
	struct stat st;
	int fd;
	bool ok;

	block_size = size;
	snprintf(path, sizeof(path), "%s/img", directory);
	fd = open(path, O_RDONLY);
	if (fd < 0)
		return false;
	fstat(fd, &st);
	disk_create_fake(&disk, (u64)st.st_size, 1024);
	ok = pread(fd, disk.image, disk.bytes, 0) == (ssize_t)disk.bytes;
	close(fd);
	return ok;
}

static bool
image_save(void)
{
	char path[64];
	int fd;
	bool ok;

	snprintf(path, sizeof(path), "%s/img", directory);
	fd = open(path, O_WRONLY);
	ok = fd >= 0 && pwrite(fd, disk.image, disk.bytes, 0) == (ssize_t)disk.bytes;
	close(fd);
	return ok;
}

static int
open_image_journal(bool checksums, bool wide)
{
	struct journal_config config = { .fs_blocks = disk.bytes / block_size,
					 .want_checksums = checksums,
					 .want_64bit = wide,
					 .map = map_image };
	int err = buffer_cache_create(&disk.dev, block_size, &cache);

	nr_journal_runs = image_ask("<8>", journal_runs);
	for (u32 i = 0; i < nr_journal_runs; i++)
		config.log_blocks += (u32)journal_runs[i][2];
	config.cache = cache;
	return err ? err : journal_open(&config, &journal);
}

static void
e2fsck_replays(const char *options, u32 size, bool checksums, bool wide)
{
	u64 runs[64][3];
	u32 n, escaped = 0, wrong = 0;

	if (!image_make(options) || !image_load(size)) {
		CHECK(false);
		return;
	}
	n = image_ask("/file", runs);
	CHECK(n > 0);
	CHECK(!open_image_journal(checksums, wide));
	CHECK(!journal_run(journal));
	/* The contents of /file as if it were metadata; some blocks look like the log's. */
	for (u32 round = 0; round < 3; round++) {
		struct journal_handle *h;
		u32 total = 0;

		CHECK(!journal_start(journal, 200, &h));
		for (u32 r = 0; r < n; r++) {
			for (u64 i = 0; i < runs[r][2] && total < 150; i++, total++) {
				struct buffer *b;

				CHECK(!buffer_read(cache, runs[r][1] + i, &b));
				CHECK(!journal_get_write_access(h, b));
				memset(b->data, (int)('0' + round), size);
				if (i % 5 == 0) {
					*(u32 *)(void *)b->data = be32(JOURNAL_MAGIC);
					escaped++;
				}
				CHECK(!journal_dirty_metadata(h, b));
				buffer_put(b);
			}
		}
		if (round == 0) /* nothing that must not be replayed: a block of nobody's */
			CHECK(!journal_revoke(h, 1));
		h->sync = true;
		CHECK(!journal_stop(h));
	}
	/* The power goes: the file system's superblock says that the log is to be replayed. */
	disk.image[1024 + 0x60] |= 4;
	if (disk.image[1024 + 0x65] & 4) { /* metadata_csum */
		u32 checksum = crc32c(~0u, disk.image + 1024, 1020);

		memcpy(disk.image + 1024 + 1020, &checksum, 4);
	}
	CHECK(image_save());
	journal_close(journal);
	buffer_cache_destroy(cache);
	CHECK(!run("debugfs -R 'logdump -a' %s/img >%s/dump 2>&1 && grep -q 'commit block' %s/dump",
		   directory, directory, directory));
	/* 1: something was corrected: the journal was replayed. */
	CHECK(run("e2fsck -fy %s/img >%s/fsck 2>&1; test $? -le 1", directory, directory) == 0);
	CHECK(!run("e2fsck -fn %s/img >>%s/fsck 2>&1", directory, directory));
	disk_destroy_fake(&disk);
	CHECK(image_load(size));
	for (u32 r = 0, total = 0; r < n; r++)
		for (u64 i = 0; i < runs[r][2] && total < 150; i++, total++) {
			u8 *b = image_block(runs[r][1] + i);

			wrong += b[100] != '2' || b[size - 1] != '2';
			wrong += (i % 5 == 0) != (*(u32 *)(void *)b == be32(JOURNAL_MAGIC));
		}
	CHECK(!wrong);
	if (errors)
		run("tail -n 30 %s/fsck %s/dump | sed 's/^/# /'", directory, directory);
	disk_destroy_fake(&disk);
	CHECK(escaped);
}

static bool
have_e2fsprogs(void)
{
	static int have = -1;

	if (have < 0)
		have = !run("PATH=$PATH:/sbin:/usr/sbin; which mke2fs debugfs e2fsck >/dev/null "
			    "2>&1") &&
		       mkdtemp(directory);
	if (!have)
		printf("# no e2fsprogs here: skipped\n");
	return have;
}

static void
e2fsck_replays_what_was_written_here(void)
{
	if (!have_e2fsprogs())
		return;
	errors = 0;
	shim_start();
	e2fsck_replays("-b 1024", 1024, true, true);
	e2fsck_replays("-b 4096 -O ^64bit", 4096, true, false);
	e2fsck_replays("-b 1024 -O ^64bit,^metadata_csum", 1024, false, false);
	e2fsck_replays("-b 4096 -O ^metadata_csum,64bit", 4096, false, true);
	shim_stop();
	EXPECT(!errors);
}

static void
debugfs_writes(const char *options, const char *features, u32 size)
{
	u64 runs[64][3];
	u32 n;
	int err;

	if (!image_make(options)) {
		CHECK(false);
		return;
	}
	n = image_ask("/file", runs);
	CHECK(n > 0);
	if (!n)
		return;
	CHECK(!run("cd %s && tr x y <file >new && { echo journal_open %s; "
		   "echo journal_write -b %lu-%lu new; echo journal_write -r %lu; "
		   "echo journal_close; } | debugfs -w img >dump 2>&1 && ! grep -q rror dump",
		   directory, features, runs[0][1], runs[0][1] + runs[0][2] - 1,
		   runs[0][1] + runs[0][2] - 1));
	CHECK(image_load(size));
	err = open_image_journal(false, false);
	CHECK(!err);
	if (!err) {
		CHECK(journal_needs_replay(journal));
		CHECK(!journal_replay(journal));
		CHECK(!journal_run(journal));
		CHECK(!journal_close(journal));
		buffer_cache_destroy(cache);
	}
	for (u64 i = 0; i < runs[0][2]; i++)
		CHECK(*image_block(runs[0][1] + i) == (i + 1 < runs[0][2] ? 'y' : 'x'));
	CHECK(image_save());
	CHECK(run("e2fsck -fy %s/img >%s/fsck 2>&1; test $? -le 1", directory, directory) == 0);
	disk_destroy_fake(&disk);
}

static void
a_log_of_debugfs_is_replayed(void)
{
	if (!have_e2fsprogs())
		return;
	errors = 0;
	shim_start();
	debugfs_writes("-b 4096", "-c -v 3", 4096);
	debugfs_writes("-b 1024", "-c -v 2", 1024);
	debugfs_writes("-b 1024 -O ^64bit,^metadata_csum", "", 1024);
	debugfs_writes("-b 4096 -O 64bit,^metadata_csum", "", 4096);
	shim_stop();
	if (errors)
		run("tail -n 30 %s/fsck %s/dump | sed 's/^/# /'", directory, directory);
	EXPECT(!errors);
}

int
main(void)
{
	TEST(handles_have_limits);
	TEST(power_cuts_with_checksums_leave_whole_transactions);
	TEST(power_cuts_with_64_bit_block_numbers);
	TEST(power_cuts_without_checksums_leave_whole_transactions);
	TEST(power_cuts_with_4k_blocks);
	TEST(a_write_error_aborts_and_is_remembered);
	TEST(damages_of_the_log_never_hurt);
	TEST(a_ring_of_descriptors_ends);
	TEST(e2fsck_replays_what_was_written_here);
	TEST(a_log_of_debugfs_is_replayed);
	if (have_e2fsprogs())
		run("rm -rf %s", directory);
	return test_done();
}
