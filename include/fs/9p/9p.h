/* SPDX-License-Identifier: MIT */
/*
 * 9P: the file system, and what it asks of those who carry its messages.
 *
 * A channel is one shared directory of the host, known by its tag. A driver adds it and it stays
 * for ever; a mount has it for itself. The driver moves packets: a message, and room for the
 * answer. Either may have a payload of whole pages behind it, which is not copied.
 */
#ifndef FS_9P_9P_H
#define FS_9P_9P_H

#include "lib/list.h"
#include "lib/types.h"

struct page;

struct p9_packet {
	const void *tx; /* the message, up to a payload that goes out */
	u32 tx_len;
	u32 rx_size; /* room for the answer, up to a payload that comes in: just its header then */
	void *rx;
	struct page **pages; /* the payload: len bytes from `offset` of the first page on */
	u32 offset, len;
	bool pages_out; /* it is written by us, read by the server */
	/* It is over, `written` bytes have come in all; 0: it was lost. Any context, no lock held.
	 */
	void (*done)(struct p9_packet *p, u32 written);
	struct list node; /* the channel's, until done */
};

struct p9_channel {
	const char *tag;
	u32 max_pages; /* of a payload */
	/* Send it, or keep it until there is room; ends with done in any case. Any context. */
	void (*submit)(struct p9_channel *c, struct p9_packet *p);
	void *private;
	bool in_use; /* by a mount */
	struct list node;
};

void p9_channel_add(struct p9_channel *c);

void p9_register(void);

#endif
