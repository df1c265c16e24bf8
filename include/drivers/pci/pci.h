/* SPDX-License-Identifier: MIT */
/*
 * PCI and PCI Express: functions found at boot, their configuration space, base address registers
 * and interrupts. Drivers are matched by the inventory in drivers/drivers.c. PCI Local Bus 3.0, PCI
 * Express 5.0.
 */
#ifndef DRIVERS_PCI_PCI_H
#define DRIVERS_PCI_PCI_H

#include "arch/mmu.h"
#include "core/irq.h"
#include "lib/list.h"
#include "lib/types.h"

struct pci_driver;

#define PCI_VENDOR_ID	   0x00
#define PCI_DEVICE_ID	   0x02
#define PCI_COMMAND	   0x04
#define PCI_STATUS	   0x06
#define PCI_REVISION	   0x08
#define PCI_CLASS	   0x09 /* interface, subclass, class */
#define PCI_HEADER_TYPE	   0x0e
#define PCI_BAR0	   0x10
#define PCI_SECONDARY_BUS  0x19
#define PCI_SUBSYSTEM	   0x2c
#define PCI_CAPABILITIES   0x34
#define PCI_INTERRUPT_LINE 0x3c
#define PCI_INTERRUPT_PIN  0x3d

#define PCI_COMMAND_IO	    BIT(0)
#define PCI_COMMAND_MEMORY  BIT(1)
#define PCI_COMMAND_MASTER  BIT(2)
#define PCI_COMMAND_NO_INTX BIT(10)
#define PCI_STATUS_CAP_LIST BIT(4)

#define PCI_CAP_MSI    0x05
#define PCI_CAP_VENDOR 0x09
#define PCI_CAP_PCIE   0x10
#define PCI_CAP_MSIX   0x11

struct pci_bar {
	paddr_t base; /* physical, or a port; 0: not there or not assigned */
	u64 len;
	bool io, wide, prefetch;
};

struct pci_device {
	u16 segment;
	u8 bus, slot, function;		 /* [I] */
	u16 vendor, device;		 /* [I] */
	u16 subsystem_vendor, subsystem; /* [I] */
	u32 class_code;			 /* [I] class << 16 | subclass << 8 | interface */
	u8 revision, header, line, pin;	 /* [I] */
	struct pci_bar bars[6];		 /* [I] */
	const struct pci_driver *driver;
	void *private; /* the driver's */
	char name[16]; /* "0000:00:03.0" */
	/* MSI-X */
	u32 msix_count;
	volatile u32 *msix_table;
	struct list node;
};

struct pci_id {
	u16 vendor, device;	    /* 0xffff: any */
	u32 class_code, class_mask; /* mask 0: any class */
};
#define PCI_ANY 0xffff

struct pci_driver {
	const char *name;
	const struct pci_id *ids; /* ends with vendor 0 */
	/* May sleep. 0, or an error: the device stays without a driver. */
	int (*probe)(struct pci_device *dev);
};

u8 pci_read8(const struct pci_device *dev, u32 offset);
u16 pci_read16(const struct pci_device *dev, u32 offset);
u32 pci_read32(const struct pci_device *dev, u32 offset);
void pci_write16(const struct pci_device *dev, u32 offset, u16 value);
void pci_write32(const struct pci_device *dev, u32 offset, u32 value);

/* Offset of the next capability of that kind behind `after` (0: the first), or 0. */
u32 pci_find_capability(const struct pci_device *dev, u8 id, u32 after);
/* Memory decoding and bus mastering on. */
void pci_enable(struct pci_device *dev);
/* Maps [offset, offset + len) of a memory BAR (len 0: to its end). NULL: it is not there, or too
 * short. */
volatile void *pci_map(struct pci_device *dev, u32 bar, u64 offset, u64 len);

/*
 * Interrupts. pci_irq_enable switches MSI-X on and returns the number of vectors there are (at most
 * `wanted`), or 1 for a single MSI or INTx. Each is then requested for a CPU. 0: none works.
 */
u32 pci_irq_enable(struct pci_device *dev, u32 wanted);
int pci_irq_request(struct pci_device *dev, u32 vector, u32 cpu, irq_handler *handler, void *arg,
		    const char *name);
void pci_irq_free(struct pci_device *dev, u32 vector, irq_handler *handler, void *arg);
/* Is it MSI-X? Then devices that know vectors by number (virtio) use them. */
bool pci_irq_is_msix(const struct pci_device *dev);

/* Finds all functions and offers them to the drivers. May sleep. */
void pci_init(const struct pci_driver *const *drivers, u32 count);

#endif
