/* SPDX-License-Identifier: MIT */
/* What the files of this room tell each other. NVM Express Base 2.0, NVM Command Set 1.0. */
#ifndef DRIVERS_NVME_INTERNAL_H
#define DRIVERS_NVME_INTERNAL_H

#include "block/block.h"
#include "drivers/nvme/nvme.h"
#include "mm/page.h"
#include "sched/work.h"

#define ADMIN_CREATE_SQ	   0x01
#define ADMIN_CREATE_CQ	   0x05
#define ADMIN_IDENTIFY	   0x06
#define ADMIN_SET_FEATURES 0x09

#define NVM_FLUSH	 0x00
#define NVM_WRITE	 0x01
#define NVM_READ	 0x02
#define NVM_WRITE_ZEROES 0x08
#define NVM_DATASET	 0x09

#define RW_FUA		BIT(30)
#define ZEROES_DEALLOC	BIT(25)
#define DATASET_DISCARD BIT(2)

#define IO_DEPTH    64
#define ADMIN_DEPTH 16
#define PRP_ENTRIES 128 /* of one list: 1 KiB, so that it never crosses a page */
#define MAX_BYTES   (PRP_ENTRIES * (u32)PAGE_SIZE) /* of a request, wherever it starts in a page */
#define CID_NONE    0xffff

struct nvme_command {
	u32 opcode_cid; /* opcode, flags << 8, cid << 16 */
	u32 nsid;
	u32 cdw2, cdw3;
	u64 metadata, prp1, prp2;
	u32 cdw10, cdw11, cdw12, cdw13, cdw14, cdw15;
};
STATIC_ASSERT(sizeof(struct nvme_command) == 64);

struct nvme_completion {
	u32 result, reserved;
	u16 sq_head, sq_id, cid;
	u16 status; /* bit 0: phase */
};
STATIC_ASSERT(sizeof(struct nvme_completion) == 16);

struct nvme;
struct nvme_disk;

/* A submission queue and its completion queue. */
struct nvme_queue {
	struct nvme *nvme;		     /* [I] */
	struct nvme_disk *owner;	     /* [I] NULL: the admin queue */
	struct disk_queue *queue;	     /* [I] its lock guards the rest */
	u32 id, depth, vector;		     /* [I] */
	struct nvme_command *sq;	     /* [I] one page or more of the ring */
	volatile struct nvme_completion *cq; /* [I] */
	volatile u32 *sq_doorbell, *cq_doorbell;
	u32 tail, head;
	u16 phase;
	bool broken;
	u64 *prps[IO_DEPTH];		/* [I] a list for each tag */
	struct request *busy[IO_DEPTH]; /* by tag: what the controller has */
	char name[16];
};

struct nvme_disk { /* a namespace */
	struct nvme *nvme;
	struct disk *disk;
	u32 nsid, block_shift; /* log2 of its blocks */
	struct work broken;
	u32 nr_queues;
	struct nvme_queue *queues;
};

struct nvme {
	struct pci_device *pci;
	volatile u32 *regs;
	u32 index, doorbell_stride; /* bytes */
	u32 vectors, next_queue, max_queues;
	u32 max_bytes, max_depth;
	u64 timeout_ns;
	bool discard, zeroes, cache;
	char serial[21], model[41];
	struct nvme_queue admin;
	void *page; /* for answers */
};

/* queue.c */
int nvme_queue_init(struct nvme_queue *q, struct nvme *nvme, u32 id, u32 depth);
void nvme_queue_fini(struct nvme_queue *q);
/* Puts a command on the ring; the caller rings. */
void nvme_submit(struct nvme_queue *q, const struct nvme_command *c);
void nvme_ring(struct nvme_queue *q);
/* The next completion: true, and it is taken off. */
bool nvme_poll(struct nvme_queue *q, struct nvme_completion *out);
void nvme_interrupt(void *arg);
extern const struct disk_ops nvme_disk_ops;

/* nvme.c: the controller is beyond belief. */
void nvme_stop(struct nvme *nvme);

#endif
