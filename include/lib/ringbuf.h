/* SPDX-License-Identifier: MIT */
/*
 * ringbuf: a ring of bytes between one producer and one consumer, who need no lock.
 *
 * Only the producer writes tail, only the consumer writes head; both run freely and wrap at 2^32,
 * so a full ring differs from an empty one. The memory is the caller's, its size a power of two.
 */
#ifndef LIB_RINGBUF_H
#define LIB_RINGBUF_H

#include "lib/atomic.h"
#include "lib/types.h"

struct ringbuf {
	u8 *data;
	u32 size;
	u32 head; /* next byte to read */
	u32 tail; /* next byte to write */
};

static inline void
ringbuf_init(struct ringbuf *rb, void *memory, u32 size)
{
	rb->data = memory;
	rb->size = size;
	rb->head = 0;
	rb->tail = 0;
}

/* To the consumer at least so much is there; to the producer at most. */
static inline u32
ringbuf_used(const struct ringbuf *rb)
{
	return smp_load_acquire(&rb->tail) - smp_load_acquire(&rb->head);
}

static inline u32
ringbuf_space(const struct ringbuf *rb)
{
	return rb->size - ringbuf_used(rb);
}

static inline bool
ringbuf_empty(const struct ringbuf *rb)
{
	return ringbuf_used(rb) == 0;
}

static inline bool
ringbuf_putc(struct ringbuf *rb, u8 c)
{
	u32 tail = rb->tail;

	if (tail - smp_load_acquire(&rb->head) == rb->size)
		return false;
	rb->data[tail & (rb->size - 1)] = c;
	smp_store_release(&rb->tail, tail + 1);
	return true;
}

/* The byte, or -1. */
static inline int
ringbuf_getc(struct ringbuf *rb)
{
	u32 head = rb->head;
	int c;

	if (smp_load_acquire(&rb->tail) == head)
		return -1;
	c = rb->data[head & (rb->size - 1)];
	smp_store_release(&rb->head, head + 1);
	return c;
}

/* As much as fits, as is there; return how much. peek reads at an offset and takes nothing out. */
u32 ringbuf_write(struct ringbuf *rb, const void *data, u32 size);
u32 ringbuf_read(struct ringbuf *rb, void *data, u32 size);
u32 ringbuf_peek(const struct ringbuf *rb, u32 offset, void *data, u32 size);
u32 ringbuf_skip(struct ringbuf *rb, u32 size);

#endif
