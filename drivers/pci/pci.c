/* SPDX-License-Identifier: MIT */
/*
 * Finding what is on the bus: every function below bus 0 and, through the bridges that firmware
 * has numbered, behind it; the sizes of their address registers; the driver that knows them.
 *
 * Addresses are firmware's. A register that it left at zero is taken for not there. Devices do not
 * come and go: the list is fixed once pci_init is done.
 */
#include "drivers/pci/pci.h"

#include "core/log.h"
#include "lib/format.h"
#include "mm/slab.h"
#include "mm/vmalloc.h"
#include "pci_internal.h"
#include "uapi/errno.h"

#define SLOTS	     32
#define FUNCTIONS    8
#define BRIDGE_DEPTH 8

#define HEADER_MULTI  0x80
#define HEADER_BRIDGE 0x01
#define BAR_IO	      BIT(0)
#define BAR_WIDE      BIT(2)
#define BAR_PREFETCH  BIT(3)

static LIST_HEAD(devices); /* [I] after pci_init */

/* One register, or two that make a 64-bit one; returns how many. Decoding is off meanwhile. */
static u32
bar_read(struct pci_device *d, u32 n, u32 count)
{
	u32 offset = PCI_BAR0 + 4 * n, low = pci_read32(d, offset), mask;
	struct pci_bar *bar = &d->bars[n];
	u64 base, size;

	bar->io = low & BAR_IO;
	bar->wide = !bar->io && (low & BAR_WIDE) && n + 1 < count;
	bar->prefetch = !bar->io && (low & BAR_PREFETCH);
	mask = bar->io ? ~3u : ~15u;
	base = low & mask;
	pci_write32(d, offset, ~0u);
	size = pci_read32(d, offset) & mask;
	pci_write32(d, offset, low);
	if (bar->wide) {
		u32 high = pci_read32(d, offset + 4);

		base |= (u64)high << 32;
		pci_write32(d, offset + 4, ~0u);
		size |= (u64)pci_read32(d, offset + 4) << 32;
		pci_write32(d, offset + 4, high);
	} else if (size) {
		size |= bar->io ? ~(u64)0xffff : ~(u64)UINT32_MAX;
	}
	if (size && base) {
		bar->base = base;
		bar->len = ~size + 1;
		if (bar->io)
			bar->len &= 0xffff;
	}
	return bar->wide ? 2 : 1;
}

static void
bars_read(struct pci_device *d)
{
	u16 command = pci_read16(d, PCI_COMMAND);
	u32 count = d->header == HEADER_BRIDGE ? 2 : 6;

	pci_write16(d, PCI_COMMAND, command & ~(PCI_COMMAND_IO | PCI_COMMAND_MEMORY));
	for (u32 n = 0; n < count;)
		n += bar_read(d, n, count);
	pci_write16(d, PCI_COMMAND, command);
}

static struct pci_device *
function_add(u8 bus, u8 slot, u8 function, u32 ids)
{
	struct pci_device *d = kzalloc(sizeof(*d), GFP_KERNEL);

	if (!d) {
		log_err("pci: no memory for %02x:%02x.%u\n", bus, slot, function);
		return NULL;
	}
	d->bus = bus;
	d->slot = slot;
	d->function = function;
	d->vendor = (u16)ids;
	d->device = (u16)(ids >> 16);
	d->class_code = pci_read32(d, PCI_REVISION) >> 8;
	d->revision = pci_read8(d, PCI_REVISION);
	d->header = pci_read8(d, PCI_HEADER_TYPE) & 0x7f;
	d->line = pci_read8(d, PCI_INTERRUPT_LINE);
	d->pin = pci_read8(d, PCI_INTERRUPT_PIN);
	if (d->header == 0) {
		u32 subsystem = pci_read32(d, PCI_SUBSYSTEM);

		d->subsystem_vendor = (u16)subsystem;
		d->subsystem = (u16)(subsystem >> 16);
	}
	if (d->header <= HEADER_BRIDGE)
		bars_read(d);
	snprintf(d->name, sizeof(d->name), "%04x:%02x:%02x.%u", d->segment, bus, slot, function);
	list_add_tail(&d->node, &devices);
	return d;
}

static void bus_scan(u8 bus, u32 depth);

static void
slot_scan(u8 bus, u8 slot, u32 depth)
{
	u32 count = 1;

	for (u8 function = 0; function < count; function++) {
		u32 ids = config_read(bus, slot, function, PCI_VENDOR_ID, 4);
		struct pci_device *d;

		if ((u16)ids == 0xffff || (u16)ids == 0)
			continue;
		if (function == 0 && (config_read(bus, slot, 0, PCI_HEADER_TYPE, 1) & HEADER_MULTI))
			count = FUNCTIONS;
		d = function_add(bus, slot, function, ids);
		if (d && d->header == HEADER_BRIDGE) {
			u8 secondary = pci_read8(d, PCI_SECONDARY_BUS);

			/* Numbers grow downwards, so damaged ones cannot make a loop. */
			if (secondary > bus && secondary <= config_last_bus())
				bus_scan(secondary, depth + 1);
		}
	}
}

static void
bus_scan(u8 bus, u32 depth)
{
	if (depth > BRIDGE_DEPTH || !config_open_bus(bus))
		return;
	for (u8 slot = 0; slot < SLOTS; slot++)
		slot_scan(bus, slot, depth);
}

static bool
id_matches(const struct pci_id *id, const struct pci_device *d)
{
	return (id->vendor == PCI_ANY || id->vendor == d->vendor) &&
	       (id->device == PCI_ANY || id->device == d->device) &&
	       (d->class_code & id->class_mask) == (id->class_code & id->class_mask);
}

static void
driver_find(struct pci_device *d, const struct pci_driver *const *drivers, u32 count)
{
	for (u32 i = 0; i < count; i++)
		for (const struct pci_id *id = drivers[i]->ids; id->vendor; id++) {
			int err;

			if (!id_matches(id, d))
				continue;
			err = drivers[i]->probe(d);
			if (!err) {
				d->driver = drivers[i];
				return;
			}
			log_warn("pci %s: %s: error %d\n", d->name, drivers[i]->name, -err);
			break;
		}
}

void
pci_enable(struct pci_device *d)
{
	u16 command = pci_read16(d, PCI_COMMAND);

	pci_write16(d, PCI_COMMAND, command | PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
}

volatile void *
pci_map(struct pci_device *d, u32 bar, u64 offset, u64 len)
{
	const struct pci_bar *b;

	if (bar >= ARRAY_SIZE(d->bars))
		return NULL;
	b = &d->bars[bar];
	if (!b->base || b->io || offset >= b->len)
		return NULL;
	if (!len)
		len = b->len - offset;
	if (len > b->len - offset)
		return NULL;
	/* Whole pages are mapped; the offset within the first one is ours to add. */
	u64 skip = (b->base + offset) & ~PAGE_MASK;
	volatile u8 *p = ioremap(b->base + offset - skip, len + skip);

	return p ? p + skip : NULL;
}

void
pci_init(const struct pci_driver *const *drivers, u32 count)
{
	struct pci_device *d;

	if (!config_init())
		return;
	bus_scan(0, 0);
	list_for_each_entry(d, &devices, node) driver_find(d, drivers, count);
}
