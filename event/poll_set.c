/* SPDX-License-Identifier: MIT */
/*
 * The wait of poll(2) and select(2).
 *
 * The first look at each file puts an entry on its queues; the first few entries are in the set
 *itself (on the caller's stack), more come in chunks of a page. A call from a queue sets
 *`triggered` and wakes the thread; the thread clears it before it looks again:
 *
 *	sleeper: triggered = false; look at files; state = INTERRUPTIBLE; if (!triggered) sleep
 *	waker:   make the file ready;              triggered = true; wake
 *
 * Entries hold a reference on their file, since the queue is part of it.
 */
#include "poll_set.h"

#include "fs/vfs/file.h"
#include "mm/page.h"
#include "mm/slab.h"

struct poll_chunk {
	struct poll_chunk *next;
	u32 used;
	struct poll_entry entries[];
};
#define CHUNK_ENTRIES ((PAGE_SIZE - sizeof(struct poll_chunk)) / sizeof(struct poll_entry))

static bool
poll_wake(struct wait_entry *we, u32 key)
{
	struct poll_entry *e = container_of(we, struct poll_entry, wait);

	if (key && !(key & e->events))
		return false;
	WRITE_ONCE(e->set->triggered, true);
	return thread_wake(e->set->thread);
}

static struct poll_entry *
entry_new(struct poll_set *set)
{
	if (set->used < POLL_INLINE)
		return &set->entries[set->used++];
	if (!set->chunks || set->chunks->used == CHUNK_ENTRIES) {
		struct poll_chunk *c = pages_alloc(0, GFP_KERNEL);

		if (!c)
			return NULL;
		c->used = 0;
		c->next = set->chunks;
		set->chunks = c;
	}
	return &set->chunks->entries[set->chunks->used++];
}

static void
poll_set_queue(struct poll_table *pt, struct file *f, struct wait_queue *wq)
{
	struct poll_set *set = container_of(pt, struct poll_set, table);
	struct poll_entry *e = entry_new(set);

	if (!e) {
		set->error = -ENOMEM;
		return;
	}
	file_get(f);
	e->file = f;
	e->set = set;
	e->wq = wq;
	e->events = pt->events;
	wait_entry_init(&e->wait, 0);
	e->wait.func = poll_wake;
	wait_add(wq, &e->wait);
}

void
poll_set_init(struct poll_set *set)
{
	set->table.queue = poll_set_queue;
	set->thread = thread_current();
	set->registered = false;
	set->triggered = false;
	set->error = 0;
	set->used = 0;
	set->chunks = NULL;
}

struct poll_table *
poll_set_table(struct poll_set *set, u32 events)
{
	if (set->registered)
		return NULL;
	set->table.events = events | EPOLLERR | EPOLLHUP;
	return &set->table;
}

bool
poll_set_sleep(struct poll_set *set, u64 deadline)
{
	bool in_time = true;

	set->registered = true;
	thread_set_state(THREAD_INTERRUPTIBLE);
	if (!READ_ONCE(set->triggered))
		in_time = schedule_until(deadline);
	thread_set_state(THREAD_RUNNABLE);
	smp_store_mb(&set->triggered, false);
	return in_time;
}

static void
entries_drop(struct poll_entry *e, u32 count)
{
	for (u32 i = 0; i < count; i++) {
		wait_remove(e[i].wq, &e[i].wait);
		file_put(e[i].file);
	}
}

void
poll_set_fini(struct poll_set *set)
{
	entries_drop(set->entries, set->used);
	while (set->chunks) {
		struct poll_chunk *c = set->chunks;

		set->chunks = c->next;
		entries_drop(c->entries, c->used);
		pages_free(c, 0);
	}
}
