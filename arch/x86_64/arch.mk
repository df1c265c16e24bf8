# SPDX-License-Identifier: MIT
#
# What the compiler and linker must know about this machine. The kernel lives in the top 2 GiB of the
# address space, keeps no red zone (interrupts share its stack) and leaves FPU registers to programs.

ARCH_KERNEL_BASE := 0xffffffff80000000
ARCH_CFLAGS := -m64 -mcmodel=kernel -mno-red-zone -mgeneral-regs-only -msoft-float -mno-mmx \
	-mno-sse -mno-sse2 -mno-80387 -fcf-protection=none
ARCH_ASFLAGS := -m64
ARCH_LDFLAGS := -m elf_x86_64
