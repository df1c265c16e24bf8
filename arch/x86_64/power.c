/* SPDX-License-Identifier: MIT */
/* Reset and power-off. Each way is tried in turn; a machine that has none of them halts. */
#include "arch/power.h"
#include "arch/io.h"

#include "acpi.h"
#include "arch/cpu.h"
#include "arch/smp.h"
#include "core/log.h"
#include "core/time.h"
#include "x86.h"

#define PM1_SCI_ENABLE	     BIT(0)
#define PM1_SLEEP_ENABLE     BIT(13)
#define PM1_SLEEP_TYPE_SHIFT 10
#define SLEEP_ENABLE	     BIT(5)
#define SLEEP_TYPE_SHIFT     2
#define KEYBOARD_STATUS	     0x64
#define KEYBOARD_INPUT_FULL  BIT(1)

void
arch_reboot(void)
{
	struct {
		u16 limit;
		u64 base;
	} __packed none = { 0, 0 };

	arch_irq_disable();
	arch_smp_stop_others();
	if (acpi_fixed.reset_supported && acpi_fixed.reset.address) {
		acpi_write(&acpi_fixed.reset, acpi_fixed.reset_value);
		udelay(10000);
	}
	for (u32 i = 0; i < 100 && arch_in8(KEYBOARD_STATUS) & KEYBOARD_INPUT_FULL; i++)
		udelay(10);
	arch_out8(KEYBOARD_STATUS, 0xfe);
	udelay(10000);
	/* No interrupt table, then an interrupt: the CPU shuts down and the board resets it. */
	__asm__ volatile("lidt %0; int3" ::"m"(none));
	arch_cpu_halt();
}

/* Machines whose firmware still holds the power registers give them up when asked so. */
static void
acpi_mode_enter(void)
{
	if (!acpi_fixed.smi_command || !acpi_fixed.acpi_enable ||
	    arch_in16(acpi_fixed.pm1a_control) & PM1_SCI_ENABLE)
		return;
	arch_out8(acpi_fixed.smi_command, acpi_fixed.acpi_enable);
	for (u32 i = 0; i < 1000 && !(arch_in16(acpi_fixed.pm1a_control) & PM1_SCI_ENABLE); i++)
		udelay(100);
}

void
arch_power_off(void)
{
	const struct acpi_fixed *f = &acpi_fixed;

	arch_irq_disable();
	arch_smp_stop_others();
	if (f->has_s5 && f->pm1a_control) {
		acpi_mode_enter();
		arch_out16(f->pm1a_control,
			   (u16)(f->s5_type_a << PM1_SLEEP_TYPE_SHIFT | PM1_SLEEP_ENABLE));
		if (f->pm1b_control)
			arch_out16(f->pm1b_control,
				   (u16)(f->s5_type_b << PM1_SLEEP_TYPE_SHIFT | PM1_SLEEP_ENABLE));
	} else if (f->has_s5 && f->sleep_control.address) {
		acpi_write(&f->sleep_control,
			   (u8)(f->s5_type_a << SLEEP_TYPE_SHIFT | SLEEP_ENABLE));
	}
	udelay(100000);
	/* Firecracker and machines like it end when the guest resets, and know no other way. */
	if (cpu_has(CPU_HYPERVISOR))
		arch_reboot();
	log_emerg("power: this machine cannot be switched off by software\n");
	arch_cpu_halt();
}
