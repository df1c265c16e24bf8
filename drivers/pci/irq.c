/* SPDX-License-Identifier: MIT */
/*
 * A function's interrupts: MSI-X with a vector for each purpose and CPU; else one MSI; else its
 * line, where the line's number can be told without running firmware's code: on machines of the old
 * kind (no memory-mapped configuration), where firmware has written the ISA interrupt.
 */
#include "arch/irq.h"
#include "core/log.h"
#include "pci_internal.h"
#include "uapi/errno.h"

#define MSIX_CONTROL   2
#define MSIX_TABLE     4
#define MSIX_ENABLE    BIT(15)
#define MSIX_MASK_ALL  BIT(14)
#define MSIX_SIZE_MASK 0x7ffu
#define ENTRY_WORDS    4
#define ENTRY_MASKED   1u

#define MSI_CONTROL 2
#define MSI_ADDRESS 4
#define MSI_ENABLE  BIT(0)
#define MSI_MULTI   (7u << 4)
#define MSI_WIDE    BIT(7)

static bool
msix_start(struct pci_device *d, u32 wanted)
{
	u32 cap = pci_find_capability(d, PCI_CAP_MSIX, 0), table, size;
	u16 control;

	if (!cap)
		return false;
	control = pci_read16(d, cap + MSIX_CONTROL);
	table = pci_read32(d, cap + MSIX_TABLE);
	size = (control & MSIX_SIZE_MASK) + 1;
	d->msix_table = pci_map(d, table & 7, table & ~7u, size * ENTRY_WORDS * 4ul);
	if (!d->msix_table)
		return false;
	for (u32 i = 0; i < size; i++)
		d->msix_table[i * ENTRY_WORDS + 3] = ENTRY_MASKED;
	pci_write16(d, cap + MSIX_CONTROL, (u16)((control & ~MSIX_MASK_ALL) | MSIX_ENABLE));
	d->msix_count = MIN(size, wanted);
	return true;
}

u32
pci_irq_enable(struct pci_device *d, u32 wanted)
{
	u16 command = pci_read16(d, PCI_COMMAND);

	if (msix_start(d, wanted)) {
		pci_write16(d, PCI_COMMAND, command | PCI_COMMAND_NO_INTX);
		return d->msix_count;
	}
	if (pci_find_capability(d, PCI_CAP_MSI, 0))
		return 1;
	return d->pin && d->line < 16 && !config_has_windows() ? 1 : 0;
}

bool
pci_irq_is_msix(const struct pci_device *d)
{
	return d->msix_table != NULL;
}

static int
msi_request(struct pci_device *d, u32 cap, u32 cpu, irq_handler *handler, void *arg,
	    const char *name)
{
	u16 control = pci_read16(d, cap + MSI_CONTROL);
	u64 address;
	u32 data;
	int err = irq_request_msi(cpu, handler, arg, name, &address, &data);

	if (err)
		return err;
	pci_write32(d, cap + MSI_ADDRESS, (u32)address);
	if (control & MSI_WIDE)
		pci_write32(d, cap + MSI_ADDRESS + 4, (u32)(address >> 32));
	pci_write16(d, cap + (control & MSI_WIDE ? 12 : 8), (u16)data);
	pci_write16(d, PCI_COMMAND, pci_read16(d, PCI_COMMAND) | PCI_COMMAND_NO_INTX);
	pci_write16(d, cap + MSI_CONTROL, (u16)((control & ~MSI_MULTI) | MSI_ENABLE));
	return 0;
}

int
pci_irq_request(struct pci_device *d, u32 vector, u32 cpu, irq_handler *handler, void *arg,
		const char *name)
{
	volatile u32 *entry;
	u64 address;
	u32 data, cap, flags;
	int err;

	if (!d->msix_table) {
		cap = pci_find_capability(d, PCI_CAP_MSI, 0);
		if (cap)
			return msi_request(d, cap, cpu, handler, arg, name);
		data = arch_irq_isa(d->line, &flags);
		return irq_request_gsi(data, flags | IRQ_LEVEL, handler, arg, name);
	}
	if (vector >= d->msix_count)
		return -EINVAL;
	err = irq_request_msi(cpu, handler, arg, name, &address, &data);
	if (err)
		return err;
	entry = d->msix_table + vector * ENTRY_WORDS;
	entry[0] = (u32)address;
	entry[1] = (u32)(address >> 32);
	entry[2] = data;
	entry[3] = 0;
	return 0;
}

void
pci_irq_free(struct pci_device *d, u32 vector, irq_handler *handler, void *arg)
{
	u32 cap, flags;

	if (d->msix_table) {
		if (vector < d->msix_count)
			d->msix_table[vector * ENTRY_WORDS + 3] = ENTRY_MASKED;
		irq_free_msi(handler, arg);
		return;
	}
	cap = pci_find_capability(d, PCI_CAP_MSI, 0);
	if (cap) {
		pci_write16(d, cap + MSI_CONTROL,
			    pci_read16(d, cap + MSI_CONTROL) & (u16)~MSI_ENABLE);
		irq_free_msi(handler, arg);
	} else {
		irq_free_gsi(arch_irq_isa(d->line, &flags), handler, arg);
	}
}
