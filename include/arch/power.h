/* SPDX-License-Identifier: MIT */
/* Reset and power. */
#ifndef ARCH_POWER_H
#define ARCH_POWER_H
#include "lib/types.h"

void arch_reboot(void) __noreturn; /* ACPI reset register, keyboard controller, triple fault */
void arch_power_off(void)
	__noreturn; /* ACPI S5 (pc, q35), reduced-hardware sleep register (microvm), then halt */
#endif
