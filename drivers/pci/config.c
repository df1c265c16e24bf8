/* SPDX-License-Identifier: MIT */
/*
 * Configuration space: through a memory window a bus at a time, mapped when the bus is first looked
 * at, or through the port's own mechanism. Segment 0 only.
 */
#include "arch/pci.h"
#include "core/log.h"
#include "core/spinlock.h"
#include "mm/vmalloc.h"
#include "pci_internal.h"

#define BUS_SPAN      (1u << 20)
#define FUNCTION_SPAN 4096u

static struct arch_pci_window window;
static bool has_window;
static volatile u8 *buses[256]; /* [I] once opened at boot */
static struct spinlock config_lock = SPINLOCK_INIT(RANK_DEVICE);

bool
config_init(void)
{
	for (u32 i = 0; !has_window && arch_pci_window(i, &window); i++)
		has_window = window.segment == 0;
	return has_window || arch_pci_present();
}

bool
config_has_windows(void)
{
	return has_window;
}

u32
config_last_bus(void)
{
	return has_window ? window.last_bus : 255;
}

bool
config_open_bus(u8 bus)
{
	if (!has_window || buses[bus])
		return true;
	if (bus < window.first_bus || bus > window.last_bus)
		return false;
	buses[bus] = ioremap(window.base + (u64)(bus - window.first_bus) * BUS_SPAN, BUS_SPAN);
	return buses[bus] != NULL;
}

static volatile u8 *
function_at(u8 bus, u8 slot, u8 function)
{
	return buses[bus] + (slot << 3 | function) * FUNCTION_SPAN;
}

u32
config_read(u8 bus, u8 slot, u8 function, u32 offset, u32 size)
{
	unsigned long irq;
	u32 value;

	if (buses[bus]) {
		volatile u8 *p = function_at(bus, slot, function) + offset;

		if (size == 1)
			return *p;
		return size == 2 ? *(volatile u16 *)p : *(volatile u32 *)p;
	}
	if (has_window || offset >= 256)
		return UINT32_MAX;
	irq = spin_lock_irqsave(&config_lock);
	value = arch_pci_read(bus, (u8)(slot << 3 | function), offset, size);
	spin_unlock_irqrestore(&config_lock, irq);
	return value;
}

static void
config_write(const struct pci_device *d, u32 offset, u32 size, u32 value)
{
	unsigned long irq;

	if (buses[d->bus]) {
		volatile u8 *p = function_at(d->bus, d->slot, d->function) + offset;

		if (size == 1)
			*p = (u8)value;
		else if (size == 2)
			*(volatile u16 *)p = (u16)value;
		else
			*(volatile u32 *)p = value;
		return;
	}
	if (has_window || offset >= 256)
		return;
	irq = spin_lock_irqsave(&config_lock);
	arch_pci_write(d->bus, (u8)(d->slot << 3 | d->function), offset, size, value);
	spin_unlock_irqrestore(&config_lock, irq);
}

u8
pci_read8(const struct pci_device *d, u32 offset)
{
	return (u8)config_read(d->bus, d->slot, d->function, offset, 1);
}

u16
pci_read16(const struct pci_device *d, u32 offset)
{
	return (u16)config_read(d->bus, d->slot, d->function, offset, 2);
}

u32
pci_read32(const struct pci_device *d, u32 offset)
{
	return config_read(d->bus, d->slot, d->function, offset, 4);
}

void
pci_write16(const struct pci_device *d, u32 offset, u16 value)
{
	config_write(d, offset, 2, value);
}

void
pci_write32(const struct pci_device *d, u32 offset, u32 value)
{
	config_write(d, offset, 4, value);
}

u32
pci_find_capability(const struct pci_device *d, u8 id, u32 after)
{
	u32 offset;

	if (!(pci_read16(d, PCI_STATUS) & PCI_STATUS_CAP_LIST))
		return 0;
	offset = pci_read8(d, after ? after + 1 : PCI_CAPABILITIES) & 0xfc;
	/* The list is the device's: it may be a ring. */
	for (u32 i = 0; offset >= 0x40 && i < 48; i++) {
		if (pci_read8(d, offset) == id)
			return offset;
		offset = pci_read8(d, offset + 1) & 0xfc;
	}
	return 0;
}
