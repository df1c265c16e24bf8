# SPDX-License-Identifier: MIT
#
# What the compiler and linker must know about this machine. The kernel lives in the top 2 GiB of the
# address space, keeps no red zone (interrupts share its stack) and leaves FPU registers to programs.
# Without SSE an 8-byte aligned stack is enough, and entry code need not care.

ARCH_KERNEL_BASE := 0xffffffff80000000
ARCH_CFLAGS := -m64 -mcmodel=kernel -mno-red-zone -mgeneral-regs-only -msoft-float -mno-mmx \
	-mno-sse -mno-sse2 -mno-80387 -fcf-protection=none -Iarch/x86_64/include \
	$(if $(findstring clang,$(CC)),-mstack-alignment=8,-mpreferred-stack-boundary=3)
ARCH_ASFLAGS := -m64 -Iarch/x86_64/include
ARCH_LDFLAGS := -m elf_x86_64

# The vDSO is a small shared object for programs, so it is compiled unlike the kernel. vdso/image.S, a
# source of the room like others, embeds it: .incbin "vdso.so".
VDSO_SOURCES := $(wildcard arch/x86_64/vdso/*.c)
$(BUILD)/vdso.so: $(VDSO_SOURCES) arch/x86_64/vdso/vdso.ld $(wildcard include/arch/vdso.h arch/x86_64/vdso/*.h)
	$(CC) -std=gnu17 -O2 -fPIC -shared -ffreestanding -nostdinc -isystem $(COMPILER_INCLUDES) -nostdlib \
		-fno-stack-protector -fno-asynchronous-unwind-tables -Wall -Wextra -Werror -Wno-unused-parameter -Iinclude \
		-Wl,-T,arch/x86_64/vdso/vdso.ld,-soname=linux-vdso.so.1,--hash-style=both,--build-id=none \
		-Wl,-z,max-page-size=4096,-z,noexecstack -o $@ $(VDSO_SOURCES)
	$(OBJCOPY) --strip-all $@
$(OBJ)/arch/x86_64/vdso/image.o: $(BUILD)/vdso.so
ARCH_ASFLAGS += -Wa,-I$(BUILD)
