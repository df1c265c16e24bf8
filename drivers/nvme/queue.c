/* SPDX-License-Identifier: MIT */
/*
 * NVMe queue pairs, and the requests of a disk on them.
 *
 * The command identifier is the request's tag, so nothing is allocated and nothing is searched.
 * Memory is told by pages: the first piece may start, and the last end, within one (the block room
 * sees to it); two pages are named in the command, more in the tag's list.
 *
 * Completions carry a phase bit that changes with each round of the ring; one whose identifier is
 * not in flight means that the controller is mad: it is stopped, and all it had ends in EIO.
 *
 * Locking: an I/O queue pair belongs to one queue of one disk, whose lock guards it.
 */
#include "lib/string.h"
#include "mm/slab.h"
#include "nvme_internal.h"
#include "uapi/errno.h"

#define STATUS_INVALID_OPCODE 1

struct dataset_range {
	u32 attributes, blocks;
	u64 start;
};

static u32
ring_order(u32 depth, u32 entry)
{
	u32 order = 0;

	while ((PAGE_SIZE << order) < depth * entry)
		order++;
	return order;
}

int
nvme_queue_init(struct nvme_queue *q, struct nvme *nvme, u32 id, u32 depth)
{
	volatile u8 *doorbells = (volatile u8 *)nvme->regs + 0x1000;

	q->nvme = nvme;
	q->id = id;
	q->depth = depth;
	q->phase = 1;
	q->sq_doorbell = (volatile u32 *)(doorbells + 2 * id * nvme->doorbell_stride);
	q->cq_doorbell = (volatile u32 *)(doorbells + (2 * id + 1) * nvme->doorbell_stride);
	q->sq = pages_alloc(ring_order(depth, sizeof(struct nvme_command)), GFP_KERNEL | GFP_ZERO);
	q->cq = pages_alloc(ring_order(depth, sizeof(struct nvme_completion)),
			    GFP_KERNEL | GFP_ZERO);
	if (!q->sq || !q->cq)
		return -ENOMEM;
	for (u32 i = 0; id && i < depth && i < IO_DEPTH; i++) {
		q->prps[i] = kmalloc(PRP_ENTRIES * sizeof(u64), GFP_KERNEL);
		if (!q->prps[i])
			return -ENOMEM;
	}
	return 0;
}

void
nvme_queue_fini(struct nvme_queue *q)
{
	if (q->sq)
		pages_free(q->sq, ring_order(q->depth, sizeof(struct nvme_command)));
	if (q->cq)
		pages_free((void *)(uintptr_t)q->cq,
			   ring_order(q->depth, sizeof(struct nvme_completion)));
	for (u32 i = 0; i < IO_DEPTH; i++)
		kfree(q->prps[i]);
}

void
nvme_submit(struct nvme_queue *q, const struct nvme_command *c)
{
	q->sq[q->tail] = *c;
	q->tail = q->tail + 1 == q->depth ? 0 : q->tail + 1;
}

void
nvme_ring(struct nvme_queue *q)
{
	smp_wmb(); /* the commands are in memory before the doorbell says so */
	*q->sq_doorbell = q->tail;
}

bool
nvme_poll(struct nvme_queue *q, struct nvme_completion *out)
{
	volatile struct nvme_completion *c = &q->cq[q->head];

	if ((c->status & 1) != q->phase)
		return false;
	smp_rmb(); /* the phase is written last */
	out->result = c->result;
	out->cid = c->cid;
	out->status = c->status >> 1;
	if (++q->head == q->depth) {
		q->head = 0;
		q->phase ^= 1;
	}
	return true;
}

/* ---- requests ---- */

static void
map_memory(struct nvme_queue *q, struct nvme_command *c, const struct request *rq)
{
	u64 *list = q->prps[rq->tag], first = 0;
	struct request_iter it;
	struct bio_vec vec;
	u32 n = 0;

	request_iter_init(&it, rq);
	while (request_next_vec(&it, &vec)) {
		u64 at = page_to_phys(vec.page) + vec.offset, end = at + vec.len;

		if (!c->prp1) {
			c->prp1 = at;
			at = ALIGN_DOWN(at, PAGE_SIZE) + PAGE_SIZE;
		}
		for (; at < end; at += PAGE_SIZE) {
			if (!n)
				first = at;
			list[n++] = at;
		}
	}
	if (n == 1)
		c->prp2 = first;
	else if (n)
		c->prp2 = virt_to_phys(list);
}

static void
command_make(struct nvme_queue *q, struct nvme_command *c, const struct request *rq)
{
	const struct nvme_disk *nd = q->owner;
	u32 shift = nd->block_shift - SECTOR_SHIFT, blocks = rq->bytes >> nd->block_shift;
	u64 start = rq->sector >> shift;
	struct dataset_range *range;
	u32 opcode;

	*c = (struct nvme_command){ .nsid = nd->nsid };
	switch (rq->op) {
	case BIO_READ:
	case BIO_WRITE:
		opcode = rq->op == BIO_READ ? NVM_READ : NVM_WRITE;
		map_memory(q, c, rq);
		c->cdw12 = (blocks - 1) | (rq->fua ? (u32)RW_FUA : 0);
		break;
	case BIO_WRITE_ZEROES:
		opcode = NVM_WRITE_ZEROES;
		c->cdw12 = (blocks - 1) | (rq->no_unmap ? 0 : (u32)ZEROES_DEALLOC);
		break;
	case BIO_DISCARD:
		opcode = NVM_DATASET;
		range = (struct dataset_range *)q->prps[rq->tag];
		*range = (struct dataset_range){ .blocks = blocks, .start = start };
		c->prp1 = virt_to_phys(range);
		c->cdw11 = DATASET_DISCARD;
		break;
	default: opcode = NVM_FLUSH; break;
	}
	if (rq->op != BIO_DISCARD && rq->op != BIO_FLUSH) {
		c->cdw10 = (u32)start;
		c->cdw11 = (u32)(start >> 32);
	}
	c->opcode_cid = opcode | rq->tag << 16;
}

static int
nvme_queue_request(struct disk_queue *dq, struct request *rq)
{
	struct nvme_queue *q = dq->private;
	struct nvme_command c;

	if (q->broken)
		return -EIO;
	command_make(q, &c, rq);
	q->busy[rq->tag] = rq;
	nvme_submit(q, &c);
	return 0;
}

static void
nvme_commit(struct disk_queue *dq)
{
	nvme_ring(dq->private);
}

static int
error_of(u16 status)
{
	if (!(status & 0x7ff))
		return 0;
	return (status & 0x7ff) == STATUS_INVALID_OPCODE ? -EOPNOTSUPP : -EIO;
}

void
nvme_interrupt(void *arg)
{
	struct nvme_queue *q = arg;
	struct request_batch done = { NULL, NULL };
	unsigned long flags = spin_lock_irqsave(&q->queue->lock);
	struct nvme_completion c;
	bool any = false;

	while (!q->broken && nvme_poll(q, &c)) {
		struct request *rq = c.cid < IO_DEPTH ? q->busy[c.cid] : NULL;

		any = true;
		if (!rq) {
			q->broken = true;
			(void)work_queue(&q->owner->broken);
			break;
		}
		q->busy[c.cid] = NULL;
		request_done(&done, rq, error_of(c.status));
	}
	if (any) {
		*q->cq_doorbell = q->head;
		disk_queue_run(q->queue, &done);
	}
	spin_unlock_irqrestore(&q->queue->lock, flags);
	request_batch_end(&done);
}

const struct disk_ops nvme_disk_ops = {
	.queue = nvme_queue_request,
	.commit = nvme_commit,
};
