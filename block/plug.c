/* SPDX-License-Identifier: MIT */
/*
 * Plugs: bios that a thread submits in a row are gathered on its stack, put in the order of their
 * sectors and handed over at once, so that neighbours become one request and the device is told
 * once. The scheduler sends them when the thread goes to sleep: what it waits for may be among
 * them.
 */
#include "block_internal.h"
#include "core/preempt.h"

#define PLUG_MAX 128

static bool
before(const struct bio *a, const struct bio *b)
{
	if (a->dev->disk != b->dev->disk)
		return (uintptr_t)a->dev->disk < (uintptr_t)b->dev->disk;
	return a->disk_sector < b->disk_sector;
}

/* Merges two sorted lists; of equals the first one's come first. */
static struct bio *
merge(struct bio *a, struct bio *b)
{
	struct bio *head = NULL, **link = &head;

	while (a && b) {
		struct bio **from = before(b, a) ? &b : &a;

		*link = *from;
		link = &(*from)->next;
		*from = *link;
	}
	*link = a ? a : b;
	return head;
}

static struct bio *
sort(struct bio *list)
{
	struct bio *runs[16] = { NULL }; /* runs[i] has 2^i bios, or none */
	u32 i;

	while (list) {
		struct bio *one = list;

		list = list->next;
		one->next = NULL;
		for (i = 0; i < ARRAY_SIZE(runs) - 1 && runs[i]; i++) {
			one = merge(runs[i], one);
			runs[i] = NULL;
		}
		runs[i] = runs[i] ? merge(runs[i], one) : one;
	}
	for (i = 0; i < ARRAY_SIZE(runs); i++)
		list = merge(runs[i], list);
	return list;
}

static void
plug_flush(struct thread_plug *base)
{
	struct block_plug *plug = container_of(base, struct block_plug, base);
	struct bio *head = plug->head;

	if (!head)
		return;
	if (!plug->sorted)
		head = sort(head);
	plug->head = plug->tail = NULL;
	plug->count = 0;
	plug->sorted = true;
	while (head) {
		struct bio *first = head, *last = head;

		while (last->next && last->next->dev->disk == first->dev->disk)
			last = last->next;
		head = last->next;
		last->next = NULL;
		queue_bios(first->dev->disk, first, last);
	}
}

bool
plug_add(struct bio *bio)
{
	struct thread_plug *base = thread_current()->plug;
	struct block_plug *plug;

	if (!base || base->flush != plug_flush || (bio->flags & BIO_SYNC) || in_irq())
		return false;
	plug = container_of(base, struct block_plug, base);
	if (plug->tail) {
		plug->sorted = plug->sorted && before(plug->tail, bio);
		plug->tail->next = bio;
	} else {
		plug->head = bio;
	}
	plug->tail = bio;
	if (++plug->count >= PLUG_MAX)
		plug_flush(base);
	return true;
}

void
block_plug_start(struct block_plug *plug)
{
	struct thread *t = thread_current();

	*plug = (struct block_plug){ .base.flush = plug_flush, .sorted = true };
	if (!t->plug)
		t->plug = &plug->base;
}

void
block_plug_finish(struct block_plug *plug)
{
	struct thread *t = thread_current();

	if (t->plug != &plug->base)
		return;
	plug_flush(&plug->base);
	t->plug = NULL;
}
