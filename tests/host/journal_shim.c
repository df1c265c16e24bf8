/* SPDX-License-Identifier: MIT */
/*
 * What the buffer cache and the journal need of the rooms around them, on the host: threads that
 * run one at a time and change over where kernel threads sleep; memory from an arena, so that page
 * and address can be told from each other; a disk that carries out what is submitted to it in any
 * order, later, and notes what a power cut could leave of it.
 */
#include "journal_shim.h"

#include <pthread.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/log.h"
#include "core/panic.h"
#include "core/rcu.h"
#include "core/time.h"
#include "lib/xarray.h"
#include "mm/mapping.h"
#include "mm/reclaim.h"
#include "mm/slab.h"
#include "sched/mutex.h"
#include "sched/wait.h"
#include "sched/work.h"
#include "uapi/errno.h"

#define ARENA_PAGES 32768u

uintptr_t host_arena, host_page_array;
u32 preempt_count = PREEMPT_NO_RESCHED, cpu_number, cpu_count = 1;
uintptr_t percpu_offset[MAX_CPUS];
struct thread *current_thread;
u32 shim_log_lines;
bool shim_log_show;

static pthread_mutex_t giant = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t woken = PTHREAD_COND_INITIALIZER;
static struct thread main_thread;

/* --- threads --- */

static void
giant_leave(struct thread **me)
{
	*me = current_thread;
	pthread_mutex_unlock(&giant);
}

static void
giant_enter(struct thread *me)
{
	pthread_mutex_lock(&giant);
	current_thread = me;
}

void
shim_yield(void)
{
	struct thread *me;

	giant_leave(&me);
	sched_yield();
	giant_enter(me);
}

void
sched_preempt(void)
{
}

struct started {
	struct thread thread;
	void (*fn)(void *);
	void *arg;
	pthread_t id;
	bool helper;
	struct started *next;
};
static struct started *helpers;

static void *
thread_main(void *arg)
{
	struct started *s = arg;

	giant_enter(&s->thread);
	s->fn(s->arg);
	pthread_cond_broadcast(&woken);
	pthread_mutex_unlock(&giant);
	if (!s->helper)
		free(s);
	return NULL;
}

struct thread *
thread_create(void (*fn)(void *), void *arg, const char *name_fmt, ...)
{
	struct started *s = calloc(1, sizeof(*s));

	s->fn = fn;
	s->arg = arg;
	return &s->thread;
}

bool
thread_wake(struct thread *t)
{
	struct started *s = container_of(t, struct started, thread);
	pthread_t id;

	pthread_create(&id, NULL, thread_main, s);
	pthread_detach(id);
	return true;
}

void
shim_thread(void (*fn)(void *), void *arg)
{
	struct started *s = calloc(1, sizeof(*s));

	s->fn = fn;
	s->arg = arg;
	s->helper = true;
	s->next = helpers;
	helpers = s;
	pthread_create(&s->id, NULL, thread_main, s);
}

void
shim_join(void)
{
	while (helpers) {
		struct started *s = helpers;
		struct thread *me;

		helpers = s->next;
		giant_leave(&me);
		pthread_join(s->id, NULL);
		giant_enter(me);
		free(s);
	}
}

void
wait_queue_init(struct wait_queue *wq)
{
	list_init(&wq->waiters);
}

/* Every wake-up wakes all that sleep, and they look again. */
void
wait_entry_init(struct wait_entry *we, u32 flags)
{
	list_init(&we->node);
}

int
wait_prepare(struct wait_queue *wq, struct wait_entry *we, u32 state)
{
	if (list_empty(&we->node))
		list_add(&we->node, &wq->waiters);
	return 0;
}

void
wait_finish(struct wait_queue *wq, struct wait_entry *we)
{
	list_del_init(&we->node);
}

int
schedule_until(u64 deadline_ns)
{
	struct thread *me = current_thread;
	struct timespec at;
	int err;

	clock_gettime(CLOCK_REALTIME, &at);
	at.tv_nsec += 20 * 1000 * 1000;
	if (at.tv_nsec >= 1000000000) {
		at.tv_sec++;
		at.tv_nsec -= 1000000000;
	}
	err = pthread_cond_timedwait(&woken, &giant, &at);
	current_thread = me;
	(void)err;
	return deadline_ns != TIME_NEVER && time_mono_ns() >= deadline_ns ? 0 : 1;
}

bool
wake_up_key(struct wait_queue *wq, u32 states, int nr_exclusive, u32 key)
{
	pthread_cond_broadcast(&woken);
	return true;
}

void
sleep_ns(u64 ns)
{
	shim_yield();
}

void
mutex_init(struct mutex *m, enum lock_rank rank)
{
	atomic64_set(&m->owner, 0);
}

void
mutex_lock(struct mutex *m)
{
	while (!mutex_trylock(m))
		schedule_until(TIME_NEVER);
}

bool
mutex_trylock(struct mutex *m)
{
	if (atomic64_read(&m->owner))
		return false;
	atomic64_set(&m->owner, (s64)(uintptr_t)current_thread);
	return true;
}

void
mutex_unlock(struct mutex *m)
{
	if (atomic64_read(&m->owner) != (s64)(uintptr_t)current_thread)
		panic("mutex is not the caller's");
	atomic64_set(&m->owner, 0);
	pthread_cond_broadcast(&woken);
}

void
spin_lock_contended(struct spinlock *lock)
{
	panic("spinlock taken twice, or held while sleeping");
}

void
rcu_call(struct rcu_head *head, void (*func)(struct rcu_head *head))
{
	func(head);
}

void
rcu_synchronize(void)
{
	shim_yield();
}

/* --- core --- */

void
warn_at(const char *file, int line, const char *expr)
{
	panic("warning at %s:%d: %s", file, line, expr);
}

void
log_printf(enum log_level level, const char *fmt, ...)
{
	va_list args;

	shim_log_lines++;
	if (!shim_log_show)
		return;
	printf("# ");
	va_start(args, fmt);
	vprintf(fmt, args);
	va_end(args);
}

static u64
clock_ns(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return (u64)ts.tv_sec * NSEC_PER_SEC + (u64)ts.tv_nsec;
}

u64
time_mono_ns(void)
{
	return clock_ns(CLOCK_MONOTONIC);
}

u64
time_coarse_mono_ns(void)
{
	return clock_ns(CLOCK_MONOTONIC);
}

u64
time_real_ns(void)
{
	return clock_ns(CLOCK_REALTIME);
}

/* Nothing is written in the background but what the test asks for. */
void
delayed_work_init(struct delayed_work *dw, void (*func)(struct work *w))
{
}

bool
delayed_work_queue(struct delayed_work *dw, u64 delay_ns)
{
	return true;
}

void
delayed_work_cancel_sync(struct delayed_work *dw)
{
}

/* --- memory --- */

static u32 free_pages[ARENA_PAGES], nr_free;

static void
arena_create(void)
{
	if (host_arena)
		return;
	host_arena = (uintptr_t)aligned_alloc(PAGE_SIZE, (size_t)ARENA_PAGES * PAGE_SIZE);
	host_page_array = (uintptr_t)calloc(ARENA_PAGES, sizeof(struct page));
	for (u32 i = 0; i < ARENA_PAGES; i++)
		free_pages[nr_free++] = ARENA_PAGES - 1 - i;
}

u32
shim_pages_used(void)
{
	return ARENA_PAGES - nr_free;
}

struct page *
page_alloc(u32 order, u32 gfp)
{
	struct page *page;

	if (!nr_free || order)
		panic("arena");
	page = pfn_to_page(free_pages[--nr_free]);
	memset(page_to_virt(page), gfp & GFP_ZERO ? 0 : 0xa5, PAGE_SIZE);
	return page;
}

void
page_free(struct page *page, u32 order)
{
	memset(page_to_virt(page), 0x5a, PAGE_SIZE);
	free_pages[nr_free++] = (u32)page_to_pfn(page);
}

void *
pages_alloc(u32 order, u32 gfp)
{
	return page_to_virt(page_alloc(order, gfp));
}

void
pages_free(void *va, u32 order)
{
	page_free(virt_to_page(va), order);
}

static bool
in_arena(const void *p)
{
	return (uintptr_t)p - host_arena < (uintptr_t)ARENA_PAGES * PAGE_SIZE;
}

void *
kmalloc(size_t size, u32 gfp)
{
	/* Blocks: they are told to the disk by page. */
	if (size == 1024 || size == 2048 || size == 4096)
		return pages_alloc(0, gfp);
	return malloc(size);
}

void *
kzalloc(size_t size, u32 gfp)
{
	return calloc(1, size);
}

void *
krealloc(void *p, size_t size, u32 gfp)
{
	return realloc(p, size);
}

void *
kvmalloc(size_t size, u32 gfp)
{
	return malloc(size);
}

void
kfree(const void *p)
{
	if (in_arena(p))
		pages_free((void *)(uintptr_t)p, 0);
	else
		free((void *)(uintptr_t)p);
}

void
kvfree(const void *p)
{
	free((void *)(uintptr_t)p);
}

struct kmem_cache {
	size_t size;
};

struct kmem_cache *
kmem_cache_create(const char *name, size_t size, size_t align, u32 flags, void (*ctor)(void *))
{
	static struct kmem_cache cache;

	cache.size = size;
	return &cache;
}

void *
kmem_cache_zalloc(struct kmem_cache *c, u32 gfp)
{
	return calloc(1, c->size);
}

void
kmem_cache_free(struct kmem_cache *c, void *obj)
{
	free(obj);
}

struct xa_node *
xa_node_alloc(void)
{
	return malloc(sizeof(struct xa_node));
}

void
xa_node_free_rcu(struct xa_node *node)
{
	free(node);
}

void
shrinker_register(struct shrinker *s)
{
}

u64
mapping_invalidate(struct mapping *m, u64 first, u64 last)
{
	return 0;
}

/* --- the disk --- */

static struct bio *pending;
static u32 nr_pending;
static bool disk_stop, disk_gone;
static u64 disk_seed = 7;

static u64
disk_random(u64 n)
{
	disk_seed ^= disk_seed << 13;
	disk_seed ^= disk_seed >> 7;
	disk_seed ^= disk_seed << 17;
	return disk_seed % n;
}

static void
disk_note(struct fake_disk *d, bool flush, bool fua, u64 sector, const void *data, u32 bytes)
{
	struct disk_event *e;

	if (!d->record)
		return;
	if (d->nr_events == d->room) {
		d->room = d->room ? d->room * 2 : 1024;
		d->events = realloc(d->events, d->room * sizeof(*d->events));
	}
	e = &d->events[d->nr_events++];
	*e = (struct disk_event){ .flush = flush, .fua = fua, .sector = sector, .bytes = bytes };
	if (data)
		e->data = memcpy(malloc(bytes), data, bytes);
}

static void
disk_execute(struct bio *bio)
{
	struct fake_disk *d = container_of(bio->dev, struct fake_disk, dev);
	u64 sector = bio->sector;

	bio->status = 0;
	if ((sector << SECTOR_SHIFT) + bio->bytes > d->bytes)
		bio->status = -EIO;
	if (bio->op == BIO_WRITE && d->fail_writes && --d->fail_writes <= 0) {
		d->fail_writes = 1;
		bio->status = -EIO;
	}
	if (!bio->status && (bio->op == BIO_FLUSH || bio->flags & BIO_PREFLUSH))
		disk_note(d, true, false, 0, NULL, 0);
	for (u32 i = 0; i < bio->nr_vecs && !bio->status; i++) {
		u8 *memory = (u8 *)page_to_virt(bio->vecs[i].page) + bio->vecs[i].offset;
		u32 len = bio->vecs[i].len;

		if (bio->op == BIO_READ) {
			memcpy(memory, d->image + (sector << SECTOR_SHIFT), len);
		} else {
			memcpy(d->image + (sector << SECTOR_SHIFT), memory, len);
			for (u32 at = 0; at < len; at += d->unit)
				disk_note(d, false, bio->flags & BIO_FUA,
					  sector + (at >> SECTOR_SHIFT), memory + at, d->unit);
		}
		sector += len >> SECTOR_SHIFT;
	}
	bio->done(bio);
}

static void
disk_thread(void *arg)
{
	while (!disk_stop) {
		struct bio **at = &pending, *bio;

		if (!pending || !disk_random(4)) {
			if (!pending)
				schedule_until(TIME_NEVER);
			else
				shim_yield();
			continue;
		}
		for (u64 n = disk_random(nr_pending); n; n--)
			at = &(*at)->next;
		bio = *at;
		*at = bio->next;
		nr_pending--;
		disk_execute(bio);
		pthread_cond_broadcast(&woken);
	}
	disk_gone = true;
}

void
bio_submit(struct bio *bio)
{
	bio->next = pending;
	pending = bio;
	nr_pending++;
	pthread_cond_broadcast(&woken);
}

void
bio_init(struct bio *bio, struct block_device *dev, enum bio_op op, u64 sector,
	 struct bio_vec *vecs, u32 max_vecs)
{
	memset(bio, 0, sizeof(*bio));
	bio->dev = dev;
	bio->op = (u8)op;
	bio->sector = sector;
	bio->vecs = vecs ? vecs : bio->inline_vecs;
	bio->max_vecs = (u16)(vecs ? max_vecs : BIO_INLINE_VECS);
}

struct bio *
bio_alloc(struct block_device *dev, enum bio_op op, u64 sector, u32 nr_vecs, u32 gfp)
{
	struct bio *bio = malloc(sizeof(*bio) + nr_vecs * sizeof(struct bio_vec));

	bio_init(bio, dev, op, sector, (struct bio_vec *)(bio + 1), nr_vecs);
	return bio;
}

void
bio_put(struct bio *bio)
{
	free(bio);
}

bool
bio_add_page(struct bio *bio, struct page *page, u32 offset, u32 len)
{
	if (bio->nr_vecs == bio->max_vecs)
		return false;
	bio->vecs[bio->nr_vecs++] = (struct bio_vec){ page, offset, len };
	bio->bytes += len;
	return true;
}

static void
wait_done(struct bio *bio)
{
	bio->private = NULL;
	pthread_cond_broadcast(&woken);
}

int
bio_submit_wait(struct bio *bio)
{
	bio->done = wait_done;
	bio->private = bio;
	bio_submit(bio);
	while (bio->private)
		schedule_until(TIME_NEVER);
	return bio->status;
}

int
block_rw(struct block_device *dev, enum bio_op op, u64 sector, void *buf, u32 bytes)
{
	struct fake_disk *d = container_of(dev, struct fake_disk, dev);

	if ((sector << SECTOR_SHIFT) + bytes > d->bytes)
		return -EIO;
	if (op == BIO_READ)
		memcpy(buf, d->image + (sector << SECTOR_SHIFT), bytes);
	else
		panic("block_rw writes");
	return 0;
}

int
block_flush(struct block_device *dev)
{
	struct bio bio;

	bio_init(&bio, dev, BIO_FLUSH, 0, NULL, 0);
	return bio_submit_wait(&bio);
}

void
block_plug_start(struct block_plug *plug)
{
}

void
block_plug_finish(struct block_plug *plug)
{
}

u32
block_device_logical_size(const struct block_device *dev)
{
	return 512;
}

void
disk_create_fake(struct fake_disk *d, u64 bytes, u32 unit)
{
	memset(d, 0, sizeof(*d));
	d->bytes = bytes;
	d->unit = unit;
	d->image = calloc(1, bytes);
	d->dev.sectors = bytes >> SECTOR_SHIFT;
	strcpy(d->dev.name, "fake");
}

void
disk_destroy_fake(struct fake_disk *d)
{
	for (u32 i = 0; i < d->nr_events; i++)
		free(d->events[i].data);
	free(d->events);
	free(d->image);
}

void
shim_start(void)
{
	struct thread *disk;

	arena_create();
	giant_enter(&main_thread);
	disk_stop = disk_gone = false;
	disk = thread_create(disk_thread, NULL, "disk");
	thread_wake(disk);
}

void
shim_stop(void)
{
	disk_stop = true;
	while (!disk_gone)
		schedule_until(TIME_NEVER);
	pthread_mutex_unlock(&giant);
}
