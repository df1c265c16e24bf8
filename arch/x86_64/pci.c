/* SPDX-License-Identifier: MIT */
/*
 * PCI configuration space: windows by ACPI's MCFG table (PCI Firmware 3.0, 4.1.2), else the two
 * ports of configuration mechanism 1 (PCI 3.0, 3.2.2.3.2).
 */
#include "arch/pci.h"

#include "acpi.h"
#include "arch/io.h"
#include "lib/string.h"

#define PORT_ADDRESS 0xcf8
#define PORT_DATA    0xcfc
#define ENABLE	     BIT(31)

#define MCFG_ENTRIES 44

struct mcfg_entry {
	u64 base;
	u16 segment;
	u8 first_bus, last_bus;
	u32 reserved;
} __packed;

bool
arch_pci_window(u32 index, struct arch_pci_window *out)
{
	const struct acpi_header *h = acpi_find("MCFG", MCFG_ENTRIES);
	struct mcfg_entry e;

	if (!h || index >= (h->length - MCFG_ENTRIES) / sizeof(e))
		return false;
	memcpy(&e, (const u8 *)h + MCFG_ENTRIES + index * sizeof(e), sizeof(e));
	*out = (struct arch_pci_window){ e.base, e.segment, e.first_bus, e.last_bus };
	return e.first_bus <= e.last_bus;
}

static void
address_set(u8 bus, u8 function, u32 offset)
{
	arch_out32(PORT_ADDRESS,
		   (u32)ENABLE | (u32)bus << 16 | (u32)function << 8 | (offset & 0xfc));
}

/* A host bridge keeps what is written to the address port; a machine without one has nothing there.
 */
bool
arch_pci_present(void)
{
	address_set(0, 0, 0);
	return arch_in32(PORT_ADDRESS) == (u32)ENABLE;
}

u32
arch_pci_read(u8 bus, u8 function, u32 offset, u32 size)
{
	u16 port = (u16)(PORT_DATA + (offset & 3));

	address_set(bus, function, offset);
	if (size == 1)
		return arch_in8(port);
	return size == 2 ? arch_in16(port) : arch_in32(port);
}

void
arch_pci_write(u8 bus, u8 function, u32 offset, u32 size, u32 value)
{
	u16 port = (u16)(PORT_DATA + (offset & 3));

	address_set(bus, function, offset);
	if (size == 1)
		arch_out8(port, (u8)value);
	else if (size == 2)
		arch_out16(port, (u16)value);
	else
		arch_out32(port, value);
}
