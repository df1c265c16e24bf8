/* SPDX-License-Identifier: MIT */
/*
 * Virtio over memory-mapped registers, virtio 1.2 section 4.2: where machines without PCI (microvm,
 * Firecracker) have their devices. Firmware's tables say where, or the command line, one word for
 * each: virtio_mmio.device=SIZE@ADDRESS:IRQ[:ID].
 */
#include "arch/firmware.h"
#include "core/bootinfo.h"
#include "core/irq.h"
#include "core/log.h"
#include "lib/format.h"
#include "lib/string.h"
#include "mm/slab.h"
#include "mm/vmalloc.h"
#include "uapi/errno.h"
#include "virtio_internal.h"

#define WORD	"virtio_mmio.device="
#define ACPI_ID "LNRO0005"

#define MAGIC		    0x00
#define VERSION		    0x04
#define DEVICE_ID	    0x08
#define DEVICE_FEATURES	    0x10
#define DEVICE_FEATURES_SEL 0x14
#define DRIVER_FEATURES	    0x20
#define DRIVER_FEATURES_SEL 0x24
#define QUEUE_SEL	    0x30
#define QUEUE_SIZE_MAX	    0x34
#define QUEUE_SIZE	    0x38
#define QUEUE_READY	    0x44
#define QUEUE_NOTIFY	    0x50
#define INTERRUPT_STATUS    0x60
#define INTERRUPT_ACK	    0x64
#define STATUS		    0x70
#define QUEUE_DESC	    0x80
#define QUEUE_DRIVER	    0x90
#define QUEUE_DEVICE	    0xa0
#define GENERATION	    0xfc
#define CONFIG		    0x100

#define MAGIC_VALUE   0x74726976
#define VERSION_VALUE 2

struct virtio_mmio {
	struct virtio_device dev;
	volatile u8 *regs;
	u64 size;
	u32 irq, irq_flags;
	bool requested;
};

static struct virtio_mmio *
to_mmio(struct virtio_device *dev)
{
	return container_of(dev, struct virtio_mmio, dev);
}

static u32
reg_read(const struct virtio_mmio *vm, u32 offset)
{
	return *(volatile u32 *)(vm->regs + offset);
}

static void
reg_write(const struct virtio_mmio *vm, u32 offset, u32 value)
{
	*(volatile u32 *)(vm->regs + offset) = value;
}

static u8
get_status(struct virtio_device *dev)
{
	return (u8)reg_read(to_mmio(dev), STATUS);
}

static void
set_status(struct virtio_device *dev, u8 status)
{
	reg_write(to_mmio(dev), STATUS, status);
}

static u64
get_features(struct virtio_device *dev)
{
	struct virtio_mmio *vm = to_mmio(dev);
	u64 low;

	reg_write(vm, DEVICE_FEATURES_SEL, 0);
	low = reg_read(vm, DEVICE_FEATURES);
	reg_write(vm, DEVICE_FEATURES_SEL, 1);
	return low | (u64)reg_read(vm, DEVICE_FEATURES) << 32;
}

static void
set_features(struct virtio_device *dev, u64 features)
{
	struct virtio_mmio *vm = to_mmio(dev);

	reg_write(vm, DRIVER_FEATURES_SEL, 0);
	reg_write(vm, DRIVER_FEATURES, (u32)features);
	reg_write(vm, DRIVER_FEATURES_SEL, 1);
	reg_write(vm, DRIVER_FEATURES, (u32)(features >> 32));
}

static u32
generation(struct virtio_device *dev)
{
	return reg_read(to_mmio(dev), GENERATION);
}

static u32
config_read(struct virtio_device *dev, u32 offset, u32 size)
{
	struct virtio_mmio *vm = to_mmio(dev);
	volatile u8 *p = vm->regs + CONFIG + offset;

	if (CONFIG + offset + size > vm->size)
		return 0;
	return register_read(p, size);
}

static void
notify(struct virtqueue *vq)
{
	*(volatile u32 *)vq->doorbell = vq->index;
}

static void
interrupt(void *arg)
{
	struct virtio_mmio *vm = arg;
	u32 status = reg_read(vm, INTERRUPT_STATUS);

	reg_write(vm, INTERRUPT_ACK, status);
	if (status & 2)
		virtio_config_interrupt(&vm->dev);
	for (u32 i = 0; (status & 1) && i < vm->dev.nr_vqs; i++)
		if (vm->dev.vqs[i])
			virtqueue_interrupt(vm->dev.vqs[i]);
}

static void
address_write(const struct virtio_mmio *vm, u32 offset, paddr_t addr)
{
	reg_write(vm, offset, (u32)addr);
	reg_write(vm, offset + 4, (u32)(addr >> 32));
}

static int
queue_make(struct virtio_mmio *vm, u32 index, const struct virtqueue_setup *setup)
{
	struct virtqueue *vq;
	u32 size;

	reg_write(vm, QUEUE_SEL, index);
	size = virtqueue_choose_size(reg_read(vm, QUEUE_SIZE_MAX), setup);
	if (!size)
		return -ENOENT;
	vq = virtqueue_create(&vm->dev, index, size, setup);
	if (!vq)
		return -ENOMEM;
	vm->dev.vqs[index] = vq;
	vq->notify = notify;
	vq->doorbell = vm->regs + QUEUE_NOTIFY;
	reg_write(vm, QUEUE_SIZE, size);
	address_write(vm, QUEUE_DESC, virtqueue_desc_addr(vq));
	address_write(vm, QUEUE_DRIVER, virtqueue_avail_addr(vq));
	address_write(vm, QUEUE_DEVICE, virtqueue_used_addr(vq));
	return 0;
}

static int
queues_find(struct virtio_device *dev, u32 count, const struct virtqueue_setup *setup)
{
	struct virtio_mmio *vm = to_mmio(dev);
	int err = 0;

	for (u32 i = 0; !err && i < count; i++)
		err = queue_make(vm, i, &setup[i]);
	if (!err) {
		err = irq_request_gsi(vm->irq, vm->irq_flags, interrupt, vm, dev->name);
		vm->requested = !err;
	}
	for (u32 i = 0; !err && i < count; i++) {
		reg_write(vm, QUEUE_SEL, i);
		reg_write(vm, QUEUE_READY, 1);
	}
	return err;
}

static void
queues_delete(struct virtio_device *dev)
{
	struct virtio_mmio *vm = to_mmio(dev);

	if (vm->requested)
		irq_free_gsi(vm->irq, interrupt, vm);
	vm->requested = false;
}

static const struct virtio_transport mmio_transport;

static void
device_try(u64 size, u64 address, u32 irq, u32 irq_flags)
{
	struct virtio_mmio *vm;

	if (size < CONFIG || (address & 3))
		return;
	vm = kzalloc(sizeof(*vm), GFP_KERNEL);
	if (!vm)
		return;
	vm->size = size;
	vm->irq = irq;
	vm->irq_flags = irq_flags;
	u64 skip = address & ~PAGE_MASK;
	volatile u8 *page = ioremap(address - skip, size + skip);

	vm->regs = page ? page + skip : NULL;
	if (!page || reg_read(vm, MAGIC) != MAGIC_VALUE)
		goto out_none;
	if (!reg_read(vm, DEVICE_ID))
		goto out_none; /* a place without a device */
	if (reg_read(vm, VERSION) != VERSION_VALUE) {
		log_warn("virtio-mmio: a legacy device at %lx\n", address);
		goto out_none;
	}
	vm->dev.id = reg_read(vm, DEVICE_ID);
	vm->dev.transport = &mmio_transport;
	snprintf(vm->dev.bus_path, sizeof(vm->dev.bus_path), "platform/%lx.virtio_mmio", address);
	virtio_device_found(&vm->dev);
	return;
out_none:
	if (page)
		iounmap((void *)(uintptr_t)page);
	kfree(vm);
}

void
virtio_mmio_init(void)
{
	struct arch_firmware_device found;

	for (u32 i = 0; arch_firmware_device(ACPI_ID, i, &found); i++)
		device_try(found.size, found.base, found.irq, found.irq_flags);
	for (const char *p = boot_info.cmdline; (p = strstr(p, WORD)); p += sizeof(WORD) - 1) {
		const char *end, *at = p + sizeof(WORD) - 1;
		u64 size = parse_size(at, &end), address, irq;

		if (p != boot_info.cmdline && p[-1] != ' ')
			continue;
		if (end == at || *end != '@' || str_to_u64(end + 1, &end, 0, &address) ||
		    *end != ':' || str_to_u64(end + 1, &end, 0, &irq) || irq > UINT16_MAX)
			log_err("command line: %.40s makes no sense and is ignored\n", p);
		else
			/* The device holds its line while an interrupt is not acknowledged. */
			device_try(size, address, (u32)irq, IRQ_LEVEL);
	}
}

static const struct virtio_transport mmio_transport = {
	.get_status = get_status,
	.set_status = set_status,
	.get_features = get_features,
	.set_features = set_features,
	.generation = generation,
	.read = config_read,
	.find = queues_find,
	.delete = queues_delete,
};
