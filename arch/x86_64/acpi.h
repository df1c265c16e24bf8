/* SPDX-License-Identifier: MIT */
/* Firmware tables, as this port needs them. */
#ifndef ARCH_X86_64_ACPI_H
#define ARCH_X86_64_ACPI_H

#include "lib/types.h"

struct acpi_header {
	char signature[4];
	u32 length;
	u8 revision, checksum;
	char oem[6], oem_table[8];
	u32 oem_revision, creator, creator_revision;
} __packed;

/* Generic address: space 0 is memory, 1 is I/O ports. */
struct acpi_address {
	u8 space, width, offset, access;
	u64 address;
} __packed;

void acpi_init(void);
/* A table of at least `min` bytes whose checksum is right, or NULL. */
const struct acpi_header *acpi_find(const char *signature, size_t min);

/* What power.c and clock.c take from the FADT. */
struct acpi_fixed {
	u16 pm1a_control, pm1b_control; /* ports, 0: none */
	u16 pm_timer;
	u16 smi_command;
	u8 acpi_enable;
	struct acpi_address reset, sleep_control;
	u8 reset_value;
	bool reset_supported, reduced;
	bool has_s5;
	u8 s5_type_a, s5_type_b;
	u8 century; /* CMOS register, 0: none */
};
extern struct acpi_fixed acpi_fixed;

/* Registers that may lie in memory are mapped by acpi_init, for after that no mapping is made. */
void acpi_write(const struct acpi_address *address, u8 value);

#endif
