/* SPDX-License-Identifier: MIT */
/*
 * ACPI tables: found through the root pointer that the loader hands over or that lies in the BIOS
 * area.
 *
 * Tables are input: each is read only within the length that it claims, that length is bounded, and
 * the bytes must sum to zero. AML is not executed; two kinds of objects of the DSDT are looked for
 * by their bytes: \_S5, because power-off needs two numbers out of it (ACPI 6.4, 7.4.2 and 20.2.5),
 * and the fixed resources of a device of a given id (6.4.3.4, 6.4.3.6).
 */
#include "acpi.h"

#include "arch/firmware.h"
#include "arch/io.h"
#include "core/bootinfo.h"
#include "core/irq.h"
#include "core/log.h"
#include "lib/string.h"
#include "x86.h"

#define TABLES_MAX     64
#define TABLE_SIZE_MAX (1u << 20)
#define BIOS_START     0xe0000
#define BIOS_END       0x100000

#define FADT_DSDT	   40
#define FADT_SMI_COMMAND   48
#define FADT_ACPI_ENABLE   52
#define FADT_PM1A_CONTROL  64
#define FADT_PM1B_CONTROL  68
#define FADT_PM_TIMER	   76
#define FADT_CENTURY	   108
#define FADT_FLAGS	   112
#define FADT_RESET	   116
#define FADT_RESET_VALUE   128
#define FADT_X_DSDT	   140
#define FADT_SLEEP_CONTROL 244
#define FADT_MIN	   116
#define FLAG_RESET	   BIT(10)
#define FLAG_REDUCED	   BIT(20)

#define AML_ZERO    0x00
#define AML_ONE	    0x01
#define AML_BYTE    0x0a
#define AML_NAME    0x08
#define AML_PACKAGE 0x12

/* Resource descriptors: tag, length, and where the fields are. */
#define RESOURCE_MEMORY32  0x86
#define RESOURCE_INTERRUPT 0x89
#define RESOURCES_SPAN	   128 /* a device's _CRS begins and ends within this of its _HID */

struct acpi_root {
	char signature[8];
	u8 checksum;
	char oem[6];
	u8 revision;
	u32 rsdt;
	u32 length;
	u64 xsdt;
	u8 extended_checksum, reserved[3];
} __packed;

struct acpi_fixed acpi_fixed;

static const struct acpi_header *tables[TABLES_MAX];
static u32 table_count;
static const struct acpi_header *dsdt;

static struct {
	u64 address;
	volatile u8 *mapped;
} memory_registers[2];

static bool
sum_is_zero(const void *data, size_t len)
{
	const u8 *bytes = data;
	u8 sum = 0;

	for (size_t i = 0; i < len; i++)
		sum = (u8)(sum + bytes[i]);
	return sum == 0;
}

static const struct acpi_header *
table_map(paddr_t pa)
{
	const struct acpi_header *h = mmu_map_firmware(pa, sizeof(*h));

	if (!h || h->length < sizeof(*h) || h->length > TABLE_SIZE_MAX)
		return NULL;
	h = mmu_map_firmware(pa, h->length);
	return h && sum_is_zero(h, h->length) ? h : NULL;
}

static const struct acpi_root *
root_check(const struct acpi_root *root)
{
	if (!root || memcmp(root->signature, "RSD PTR ", 8) || !sum_is_zero(root, 20))
		return NULL;
	return root;
}

static const struct acpi_root *
root_find(void)
{
	const struct acpi_root *root = NULL;

	if (boot_info.rsdp)
		root = root_check(mmu_map_firmware(boot_info.rsdp, sizeof(*root)));
	for (paddr_t pa = BIOS_START; !root && pa < BIOS_END; pa += 16)
		root = root_check(phys_to_virt(pa));
	return root;
}

static void
tables_list(const struct acpi_root *root)
{
	bool wide = root->revision >= 2 && root->xsdt;
	size_t entry = wide ? 8 : 4;
	const struct acpi_header *h = table_map(wide ? root->xsdt : root->rsdt);
	const u8 *p;

	if (!h) {
		log_warn("acpi: the root table is damaged\n");
		return;
	}
	p = (const u8 *)(h + 1);
	for (u32 i = 0; i < (h->length - sizeof(*h)) / entry && table_count < TABLES_MAX;
	     i++, p += entry) {
		u64 pa = 0;
		const struct acpi_header *table;

		memcpy(&pa, p, entry);
		table = table_map(pa);
		if (table)
			tables[table_count++] = table;
		else
			log_warn("acpi: table at %lx is damaged\n", pa);
	}
}

const struct acpi_header *
acpi_find(const char *signature, size_t min)
{
	for (u32 i = 0; i < table_count; i++)
		if (memcmp(tables[i]->signature, signature, 4) == 0 && tables[i]->length >= min)
			return tables[i];
	return NULL;
}

static u64
field(const struct acpi_header *h, size_t offset, size_t size)
{
	u64 value = 0;

	if (offset + size <= h->length)
		memcpy(&value, (const u8 *)h + offset, size);
	return value;
}

static struct acpi_address
address_field(const struct acpi_header *h, size_t offset)
{
	struct acpi_address a = { 0 };

	if (offset + sizeof(a) <= h->length)
		memcpy(&a, (const u8 *)h + offset, sizeof(a));
	return a;
}

/* One small integer of a package; returns the bytes used, 0 if it is something else. */
static size_t
aml_integer(const u8 *p, const u8 *end, u8 *out)
{
	if (p < end && (*p == AML_ZERO || *p == AML_ONE)) {
		*out = *p;
		return 1;
	}
	if (end - p >= 2 && *p == AML_BYTE) {
		*out = p[1];
		return 2;
	}
	return 0;
}

/* Name(_S5_, Package() { a, b, ... }) */
static void
s5_find(void)
{
	const u8 *p = (const u8 *)(dsdt + 1), *end = (const u8 *)dsdt + dsdt->length;

	for (; end - p > 8; p++) {
		const u8 *q = p + 4;
		size_t used;

		if (memcmp(p, "_S5_", 4) || *q != AML_PACKAGE ||
		    (p[-1] != AML_NAME && p[-1] != '\\'))
			continue;
		q += 1 + (q[1] >> 6) + 1 + 1; /* opcode, package length, element count */
		used = aml_integer(q, end, &acpi_fixed.s5_type_a);
		if (!used)
			continue;
		if (!aml_integer(q + used, end, &acpi_fixed.s5_type_b))
			acpi_fixed.s5_type_b = 0;
		acpi_fixed.has_s5 = true;
		return;
	}
}

static void
fixed_read(void)
{
	const struct acpi_header *fadt = acpi_find("FACP", FADT_MIN);
	struct acpi_fixed *f = &acpi_fixed;
	u64 pa, flags;

	if (!fadt)
		return;
	flags = field(fadt, FADT_FLAGS, 4);
	f->reduced = flags & FLAG_REDUCED;
	f->reset_supported = flags & FLAG_RESET;
	f->reset = address_field(fadt, FADT_RESET);
	f->reset_value = (u8)field(fadt, FADT_RESET_VALUE, 1);
	f->sleep_control = address_field(fadt, FADT_SLEEP_CONTROL);
	f->century = (u8)field(fadt, FADT_CENTURY, 1);
	if (!f->reduced) {
		f->pm1a_control = (u16)field(fadt, FADT_PM1A_CONTROL, 4);
		f->pm1b_control = (u16)field(fadt, FADT_PM1B_CONTROL, 4);
		f->pm_timer = (u16)field(fadt, FADT_PM_TIMER, 4);
		f->smi_command = (u16)field(fadt, FADT_SMI_COMMAND, 4);
		f->acpi_enable = (u8)field(fadt, FADT_ACPI_ENABLE, 1);
	}
	pa = field(fadt, FADT_X_DSDT, 8);
	if (!pa)
		pa = field(fadt, FADT_DSDT, 4);
	dsdt = table_map(pa);
	if (dsdt)
		s5_find();

	const struct acpi_address *registers[] = { &f->reset, &f->sleep_control };

	for (u32 i = 0; i < ARRAY_SIZE(registers); i++)
		if (registers[i]->space == 0 && registers[i]->address) {
			memory_registers[i].address = registers[i]->address;
			memory_registers[i].mapped = mmu_map_device(registers[i]->address, 1);
		}
}

/* The memory and the interrupt that [p, end) names; false: not both. */
static bool
resources_read(const u8 *p, const u8 *end, struct arch_firmware_device *out)
{
	bool memory = false, interrupt = false;

	for (; end - p >= 12 && !(memory && interrupt); p++) {
		u32 word[2];

		if (!memory && p[0] == RESOURCE_MEMORY32 && p[1] == 9 && p[2] == 0) {
			memcpy(word, p + 4, sizeof(word));
			out->base = word[0];
			out->size = word[1];
			memory = true;
			p += 11;
		} else if (p[0] == RESOURCE_INTERRUPT && p[1] == 6 && p[2] == 0 && p[4] == 1) {
			memcpy(word, p + 5, sizeof(word[0]));
			out->irq = word[0];
			out->irq_flags = (p[3] & BIT(1) ? 0 : IRQ_LEVEL) |
					 (p[3] & BIT(2) ? IRQ_ACTIVE_LOW : 0);
			interrupt = true;
			p += 8;
		}
	}
	return memory && interrupt;
}

bool
arch_firmware_device(const char *id, u32 index, struct arch_firmware_device *out)
{
	const u8 *p, *end;
	size_t len = strlen(id) + 1;

	if (!dsdt)
		return false;
	p = (const u8 *)(dsdt + 1);
	end = (const u8 *)dsdt + dsdt->length;
	for (; (size_t)(end - p) > len; p++) {
		const u8 *next;

		if (memcmp(p, id, len))
			continue;
		if (index--)
			continue;
		for (next = p + 1; next < end && next - p < RESOURCES_SPAN; next++)
			if ((size_t)(end - next) > len && !memcmp(next, id, len))
				break;
		return resources_read(p, next, out);
	}
	return false;
}

void
acpi_write(const struct acpi_address *address, u8 value)
{
	if (address->space == 1)
		arch_out8((u16)address->address, value);
	for (u32 i = 0; address->space == 0 && i < ARRAY_SIZE(memory_registers); i++)
		if (memory_registers[i].mapped && memory_registers[i].address == address->address)
			*memory_registers[i].mapped = value;
}

void
acpi_init(void)
{
	const struct acpi_root *root = root_find();

	if (!root) {
		log_warn("acpi: no tables\n");
		return;
	}
	tables_list(root);
	fixed_read();
}
