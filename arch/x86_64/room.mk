# SPDX-License-Identifier: MIT
OBJS-arch/x86_64 := boot.o start.o console.o mmu.o tlb.o cpu.o cpuinfo.o entry.o traps.o irq.o apic.o acpi.o \
	clock.o rtc.o smp.o trampoline.o thread.o arch_prctl.o crc.o switch.o fpu.o signal.o ptrace.o uaccess.o pci.o power.o vdso/image.o
DEPS-arch/x86_64 := lib core
