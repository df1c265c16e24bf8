/* SPDX-License-Identifier: MIT */
/* PCI configuration space, as firmware or the port says it is reached. */
#ifndef ARCH_PCI_H
#define ARCH_PCI_H

#include "arch/mmu.h"
#include "lib/types.h"

/* Memory-mapped configuration space (ECAM): 4 KiB a function, 1 MiB a bus, from first_bus on. */
struct arch_pci_window {
	paddr_t base;
	u16 segment;
	u8 first_bus, last_bus;
};

/* The windows that firmware tells of, index 0 on; false: there is none of that index. */
bool arch_pci_window(u32 index, struct arch_pci_window *out);

/* Where there is no window: accesses of 1, 2 or 4 bytes to the first 256 of a function (slot << 3 |
 * function). The caller has a lock around each. */
bool arch_pci_present(void);
u32 arch_pci_read(u8 bus, u8 function, u32 offset, u32 size);
void arch_pci_write(u8 bus, u8 function, u32 offset, u32 size, u32 value);

#endif
