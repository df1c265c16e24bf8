/* SPDX-License-Identifier: MIT */
/*
 * NVM Express controllers: brought up with an admin queue that is polled, then each namespace
 * becomes a disk (nvme0n1, ...) with queue pairs of its own, one for each CPU as far as the
 * controller has them, each with an MSI-X vector on that CPU.
 */
#include "core/cpumask.h"
#include "core/log.h"
#include "core/time.h"
#include "lib/format.h"
#include "lib/string.h"
#include "mm/slab.h"
#include "nvme_internal.h"
#include "uapi/errno.h"

#define CLASS_NVME 0x010802

/* Registers, by 32-bit words. */
#define REG_CAP_LOW  0
#define REG_CAP_HIGH 1
#define REG_CC	     5
#define REG_CSTS     7
#define REG_AQA	     9
#define REG_ASQ	     10
#define REG_ACQ	     12
#define REGS_BYTES   0x1000

#define CC_ENABLE  BIT(0)
#define CC_ENTRIES (6u << 16 | 4u << 20) /* 64 and 16 bytes */
#define CSTS_READY BIT(0)
#define CSTS_FATAL BIT(1)

#define IDENTIFY_NAMESPACE  0
#define IDENTIFY_CONTROLLER 1
#define IDENTIFY_LIST	    2
#define FEATURE_QUEUES	    7
#define NAMESPACES_MAX	    16
#define QUEUES_MAX	    64
#define BLOCKS_MAX	    65536u /* of one command */

#define ONCS_DATASET BIT(2)
#define ONCS_ZEROES  BIT(3)

static struct atomic32 next_index = ATOMIC_INIT(0);

static u32
read_le(const void *page, u32 offset, u32 size)
{
	u32 value = 0;

	memcpy(&value, (const u8 *)page + offset, size);
	return value;
}

/* ---- the controller ---- */

static int
wait_ready(struct nvme *nvme, bool ready)
{
	u64 end = time_mono_ns() + nvme->timeout_ns;

	for (;;) {
		u32 status = nvme->regs[REG_CSTS];

		if (status & CSTS_FATAL)
			return -EIO;
		if (!!(status & CSTS_READY) == ready)
			return 0;
		if (time_mono_ns() > end)
			return -ETIMEDOUT;
		sleep_ns(100 * NSEC_PER_USEC);
	}
}

void
nvme_stop(struct nvme *nvme)
{
	nvme->regs[REG_CC] = 0;
	(void)wait_ready(nvme, false);
}

static void
write64(struct nvme *nvme, u32 reg, u64 value)
{
	nvme->regs[reg] = (u32)value;
	nvme->regs[reg + 1] = (u32)(value >> 32);
}

static int
controller_start(struct nvme *nvme)
{
	struct nvme_queue *admin = &nvme->admin;
	int err;

	nvme->regs[REG_CC] = 0;
	err = wait_ready(nvme, false);
	if (!err)
		err = nvme_queue_init(admin, nvme, 0, ADMIN_DEPTH);
	if (err)
		return err;
	nvme->regs[REG_AQA] = (ADMIN_DEPTH - 1) << 16 | (ADMIN_DEPTH - 1);
	write64(nvme, REG_ASQ, virt_to_phys(admin->sq));
	write64(nvme, REG_ACQ, virt_to_phys((void *)(uintptr_t)admin->cq));
	nvme->regs[REG_CC] = CC_ENTRIES | (u32)CC_ENABLE;
	return wait_ready(nvme, true);
}

/* One admin command at a time, at start-up only. 0, -EIO, -ETIMEDOUT. */
static int
admin_command(struct nvme *nvme, struct nvme_command *c, u32 *result)
{
	u64 end = time_mono_ns() + nvme->timeout_ns;
	struct nvme_completion answer;

	nvme_submit(&nvme->admin, c);
	nvme_ring(&nvme->admin);
	while (!nvme_poll(&nvme->admin, &answer)) {
		if (time_mono_ns() > end)
			return -ETIMEDOUT;
		udelay(1);
	}
	*nvme->admin.cq_doorbell = nvme->admin.head;
	if (result)
		*result = answer.result;
	return answer.status & 0x7ff ? -EIO : 0;
}

static int
identify(struct nvme *nvme, u32 what, u32 nsid)
{
	struct nvme_command c = {
		.opcode_cid = ADMIN_IDENTIFY,
		.nsid = nsid,
		.prp1 = virt_to_phys(nvme->page),
		.cdw10 = what,
	};

	return admin_command(nvme, &c, NULL);
}

/* Fields of text are padded with blanks. */
static void
copy_text(char *to, const void *page, u32 offset, u32 len)
{
	memcpy(to, (const char *)page + offset, len);
	while (len && (to[len - 1] == ' ' || !to[len - 1]))
		len--;
	to[len] = '\0';
}

static int
controller_identify(struct nvme *nvme)
{
	u32 oncs, mdts, count = 0;
	struct nvme_command c = {
		.opcode_cid = ADMIN_SET_FEATURES,
		.cdw10 = FEATURE_QUEUES,
		.cdw11 = (QUEUES_MAX - 1) << 16 | (QUEUES_MAX - 1),
	};
	int err = identify(nvme, IDENTIFY_CONTROLLER, 0);

	if (err)
		return err;
	copy_text(nvme->serial, nvme->page, 4, 20);
	copy_text(nvme->model, nvme->page, 24, 40);
	mdts = read_le(nvme->page, 77, 1);
	nvme->max_bytes = MAX_BYTES;
	if (mdts && mdts < 8)
		nvme->max_bytes = MIN(nvme->max_bytes, (u32)PAGE_SIZE << mdts);
	oncs = read_le(nvme->page, 520, 2);
	nvme->discard = oncs & ONCS_DATASET;
	nvme->zeroes = oncs & ONCS_ZEROES;
	nvme->cache = read_le(nvme->page, 525, 1) & 1;
	err = admin_command(nvme, &c, &count);
	nvme->max_queues = MIN(MIN(count & 0xffff, count >> 16) + 1, (u32)QUEUES_MAX);
	return err;
}

/* ---- namespaces ---- */

static int
pair_create(struct nvme_queue *q)
{
	struct nvme_command cq = {
		.opcode_cid = ADMIN_CREATE_CQ,
		.prp1 = virt_to_phys((void *)(uintptr_t)q->cq),
		.cdw10 = (q->depth - 1) << 16 | q->id,
		.cdw11 = q->vector << 16 | 3, /* interrupts, contiguous */
	};
	struct nvme_command sq = {
		.opcode_cid = ADMIN_CREATE_SQ,
		.prp1 = virt_to_phys(q->sq),
		.cdw10 = (q->depth - 1) << 16 | q->id,
		.cdw11 = q->id << 16 | 1,
	};
	int err = admin_command(q->nvme, &cq, NULL);

	return err ? err : admin_command(q->nvme, &sq, NULL);
}

/* Vector 0 is the admin queue's, which is polled; pair i has vector i. */
static int
pair_start(struct nvme_disk *nd, u32 n)
{
	struct nvme *nvme = nd->nvme;
	struct nvme_queue *q = &nd->queues[n];
	/* One more than the requests, for a full ring looks like an empty one. */
	int err = nvme_queue_init(q, nvme, nvme->next_queue, MIN(IO_DEPTH + 1u, nvme->max_depth));

	if (err)
		return err;
	q->owner = nd;
	q->queue = &nd->disk->queues[n];
	q->queue->private = q;
	q->vector = q->id < nvme->vectors ? q->id : 0;
	snprintf(q->name, sizeof(q->name), "nvme%uq%u", nvme->index, q->id);
	err = pci_irq_request(nvme->pci, q->vector, n % cpu_count, nvme_interrupt, q, q->name);
	if (err)
		return err;
	err = pair_create(q);
	if (err)
		pci_irq_free(nvme->pci, q->vector, nvme_interrupt, q);
	else
		nvme->next_queue++;
	return err;
}

static void
disk_broken(struct work *w)
{
	struct nvme_disk *nd = container_of(w, struct nvme_disk, broken);

	log_err("%s: the controller answers what was not asked; stopped\n", nd->disk->name);
	disk_kill(nd->disk);
	nvme_stop(nd->nvme);
	for (u32 i = 0; i < nd->nr_queues; i++) {
		struct nvme_queue *q = &nd->queues[i];
		struct request_batch done = { NULL, NULL };
		unsigned long flags = spin_lock_irqsave(&q->queue->lock);

		q->broken = true;
		for (u32 tag = 0; tag < IO_DEPTH; tag++)
			if (q->busy[tag]) {
				request_done(&done, q->busy[tag], -EIO);
				q->busy[tag] = NULL;
			}
		spin_unlock_irqrestore(&q->queue->lock, flags);
		request_batch_end(&done);
	}
}

static void
limits_fill(struct nvme_disk *nd)
{
	const struct nvme *nvme = nd->nvme;
	struct disk_limits *l = &nd->disk->limits;
	u32 sectors = BLOCKS_MAX << (nd->block_shift - SECTOR_SHIFT);

	l->logical_size = l->physical_size = l->io_min = 1u << nd->block_shift;
	l->max_segments = PRP_ENTRIES;
	l->max_bytes = nvme->max_bytes;
	l->whole_pages = true;
	l->write_cache = nvme->cache;
	l->fua = nvme->cache;
	l->max_discard_sectors = nvme->discard ? UINT32_MAX >> SECTOR_SHIFT : 0;
	l->discard_granularity = nvme->discard ? l->logical_size : 0;
	l->max_zeroes_sectors = nvme->zeroes ? MIN(sectors, UINT32_MAX >> SECTOR_SHIFT) : 0;
}

/* The page has what identify said of the namespace. */
static int
namespace_add(struct nvme *nvme, u32 nsid)
{
	u64 blocks = read_le(nvme->page, 0, 4) | (u64)read_le(nvme->page, 4, 4) << 32;
	u32 format = read_le(nvme->page, 26, 1) & 15,
	    lbaf = read_le(nvme->page, 128 + 4 * format, 4);
	u32 shift = lbaf >> 16 & 0xff, left = nvme->max_queues + 1 - nvme->next_queue;
	u32 wanted = MIN(cpu_count, left), i;
	struct nvme_disk *nd;
	int err = -ENOMEM;

	/* Metadata between the blocks is not handled. */
	if (!blocks || shift < SECTOR_SHIFT || shift > PAGE_SHIFT || (lbaf & 0xffff) || !left)
		return -EOPNOTSUPP;
	nd = kzalloc(sizeof(*nd), GFP_KERNEL);
	if (!nd)
		return err;
	nd->nvme = nvme;
	nd->nsid = nsid;
	nd->block_shift = shift;
	work_init(&nd->broken, disk_broken);
	nd->queues = kvmalloc(wanted * sizeof(*nd->queues), GFP_KERNEL | GFP_ZERO);
	nd->disk = disk_create(wanted, MIN((u32)IO_DEPTH, nvme->max_depth - 1), 0);
	if (!nd->queues || !nd->disk)
		goto out_free;
	nd->disk->ops = &nvme_disk_ops;
	nd->disk->private = nd;
	nd->disk->sectors = blocks << (shift - SECTOR_SHIFT);
	limits_fill(nd);
	snprintf(nd->disk->name, sizeof(nd->disk->name), "nvme%un%u", nvme->index, nsid);
	strscpy(nd->disk->serial, nvme->serial, sizeof(nd->disk->serial));
	for (i = 0; i < wanted; i++) {
		err = pair_start(nd, i);
		if (err)
			break;
	}
	/* With fewer pairs than wanted, CPUs share them. */
	nd->nr_queues = nd->disk->nr_queues = i;
	if (i)
		err = disk_register(nd->disk);
	if (err)
		goto out_free;
	log_info("%s: %s, %lu sectors, %u queue%s\n", nd->disk->name, nvme->model,
		 nd->disk->sectors, i, i > 1 ? "s" : "");
	return 0;
out_free:
	/* Queues that the controller knows keep their memory. */
	if (!nd->nr_queues) {
		if (nd->disk)
			disk_put(nd->disk);
		kvfree(nd->queues);
		kfree(nd);
	}
	return err;
}

static int
namespaces_find(struct nvme *nvme)
{
	u32 ids[NAMESPACES_MAX];
	int err = identify(nvme, IDENTIFY_LIST, 0);

	if (err)
		return err;
	memcpy(ids, nvme->page, sizeof(ids));
	for (u32 i = 0; i < NAMESPACES_MAX && ids[i]; i++) {
		err = identify(nvme, IDENTIFY_NAMESPACE, ids[i]);
		if (!err)
			err = namespace_add(nvme, ids[i]);
		if (err)
			log_warn("nvme%u: namespace %u: error %d\n", nvme->index, ids[i], -err);
	}
	return 0;
}

static int
probe(struct pci_device *pci)
{
	struct nvme *nvme = kzalloc(sizeof(*nvme), GFP_KERNEL);
	u32 low, high;
	int err = -ENOMEM;

	if (!nvme)
		return err;
	nvme->pci = pci;
	nvme->page = pages_alloc(0, GFP_KERNEL);
	if (!nvme->page)
		goto out_free;
	pci_enable(pci);
	nvme->regs = pci_map(pci, 0, 0, 0);
	err = -ENODEV;
	if (!nvme->regs)
		goto out_page;
	low = nvme->regs[REG_CAP_LOW];
	high = nvme->regs[REG_CAP_HIGH];
	if (high >> 16 & 15) /* pages smaller than its smallest */
		goto out_page;
	nvme->doorbell_stride = 4u << (high & 15);
	nvme->max_depth = MAX((low & 0xffff) + 1, 2u);
	nvme->timeout_ns = MAX(low >> 24, 1u) * 500 * NSEC_PER_MSEC;
	nvme->index = (u32)atomic_fetch_add(&next_index, 1);
	nvme->next_queue = 1;
	/* Doorbells of all queues that may be made must be in what is mapped. */
	if (REGS_BYTES + 2 * (QUEUES_MAX + 1) * nvme->doorbell_stride > pci->bars[0].len)
		goto out_page;
	err = controller_start(nvme);
	if (!err)
		err = controller_identify(nvme);
	if (err)
		goto out_stop;
	nvme->vectors = pci_irq_enable(pci, MIN(nvme->max_queues, cpu_count * NAMESPACES_MAX) + 1);
	err = nvme->vectors ? namespaces_find(nvme) : -ENOSPC;
	if (err)
		goto out_stop;
	pci->private = nvme;
	return 0;
out_stop:
	nvme_stop(nvme);
	nvme_queue_fini(&nvme->admin);
out_page:
	pages_free(nvme->page, 0);
out_free:
	kfree(nvme);
	return err;
}

static const struct pci_id ids[] = {
	{ .vendor = PCI_ANY, .device = PCI_ANY, .class_code = CLASS_NVME, .class_mask = 0xffffff },
	{ 0 },
};

const struct pci_driver nvme_pci_driver = {
	.name = "nvme",
	.ids = ids,
	.probe = probe,
};
