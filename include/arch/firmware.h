/* SPDX-License-Identifier: MIT */
/* Devices that only firmware's tables tell of. */
#ifndef ARCH_FIRMWARE_H
#define ARCH_FIRMWARE_H

#include "arch/mmu.h"
#include "lib/types.h"

struct arch_firmware_device {
	paddr_t base; /* its registers */
	u64 size;
	u32 irq;       /* global system interrupt */
	u32 irq_flags; /* IRQ_* of core/irq.h */
};

/* The index-th device with that hardware id ("LNRO0005"); false: there are not so many. */
bool arch_firmware_device(const char *id, u32 index, struct arch_firmware_device *out);

#endif
