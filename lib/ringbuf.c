/* SPDX-License-Identifier: MIT */
/*
 * ringbuf: the copies in and out, which may go around the end once.
 */
#include "lib/ringbuf.h"
#include "lib/string.h"

u32
ringbuf_write(struct ringbuf *rb, const void *data, u32 size)
{
	u32 tail = rb->tail, at = tail & (rb->size - 1), first;

	size = MIN(size, ringbuf_space(rb));
	first = MIN(size, rb->size - at);
	memcpy(rb->data + at, data, first);
	memcpy(rb->data, (const u8 *)data + first, size - first);
	/* The consumer sees the bytes before it sees that they are there. */
	smp_store_release(&rb->tail, tail + size);
	return size;
}

u32
ringbuf_peek(const struct ringbuf *rb, u32 offset, void *data, u32 size)
{
	u32 used = ringbuf_used(rb), at = (rb->head + offset) & (rb->size - 1), first;

	if (offset >= used)
		return 0;
	size = MIN(size, used - offset);
	first = MIN(size, rb->size - at);
	memcpy(data, rb->data + at, first);
	memcpy((u8 *)data + first, rb->data, size - first);
	return size;
}

u32
ringbuf_skip(struct ringbuf *rb, u32 size)
{
	size = MIN(size, ringbuf_used(rb));
	/* The producer may overwrite the bytes only after they have been read. */
	smp_store_release(&rb->head, rb->head + size);
	return size;
}

u32
ringbuf_read(struct ringbuf *rb, void *data, u32 size)
{
	return ringbuf_skip(rb, ringbuf_peek(rb, 0, data, size));
}
