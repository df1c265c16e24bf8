# SPDX-License-Identifier: MIT
#
# Kevlar's build.
#
#   make                 build/x86_64/kevlar, the kernel (kevlar.debug: the same with debug information)
#   make run             boot Alpine Linux on it in this terminal (SMP= MEM= APPEND= ROOTFS= ACCEL= NET= PORTS= SHARE=)
#   make debug           the same, stopped at the first instruction, with gdb attached
#   make test            the tests; test-host, test-user, test-system are its parts; test-long: Python's own
#   make check           style and structure; bench: speed; docs: generated documents; clean
#
# Variables: ARCH=x86_64, CC=gcc|clang, DEBUG=1 (lock ranks, assertions, undefined-behaviour traps), LOCKSTAT=1 (/proc/lock_stat).
#
# A room is a directory with a room.mk of two lines, found by itself:
#   OBJS-fs/vfs := path.o mount.o        objects, relative to the room, from .c or .S
#   DEPS-fs/vfs := lib core sched mm     rooms whose headers it may include (tools/check-rooms)
# One object's extra flags, rarely needed: CFLAGS-lib/string.o := -fno-tree-loop-distribute-patterns

MAKEFLAGS += --no-builtin-rules
.DELETE_ON_ERROR:
.DEFAULT_GOAL := all

ARCH   ?= x86_64
ifeq ($(origin CC),default)
CC     := gcc
endif
LD      := ld
NM      := nm
OBJCOPY := objcopy
PYTHON  ?= python3
DEBUG   ?= 0
LOCKSTAT ?= 0

VARIANT := $(ARCH)$(if $(filter 1,$(DEBUG)),-debug)$(if $(filter 1,$(LOCKSTAT)),-lockstat)$(if $(findstring clang,$(CC)),-clang)
BUILD   := build/$(VARIANT)
OBJ     := $(BUILD)/obj
KERNEL  := $(BUILD)/kevlar

# ---- rooms ----------------------------------------------------------------------------------------

ROOM_FILES := $(wildcard */room.mk */*/room.mk */*/*/room.mk)
ROOM_FILES := $(filter-out build/%,$(filter-out arch/%,$(ROOM_FILES)) $(filter arch/$(ARCH)/%,$(ROOM_FILES)))
include $(ROOM_FILES)
ROOMS := $(patsubst %/room.mk,%,$(ROOM_FILES))
$(foreach r,$(ROOMS),$(if $(filter undefined,$(origin OBJS-$(r))),$(error $(r)/room.mk must set OBJS-$(r))))
OBJECTS := $(foreach r,$(ROOMS),$(addprefix $(r)/,$(OBJS-$(r))))

# ---- flags ----------------------------------------------------------------------------------------

COMPILER_INCLUDES := $(shell $(CC) -print-file-name=include)

CFLAGS := -std=gnu17 -g -ffreestanding -nostdinc -isystem $(COMPILER_INCLUDES) \
	-Iinclude -Iarch/$(ARCH)/include -I$(BUILD) \
	-fno-pic -fno-pie -fno-omit-frame-pointer -fno-strict-aliasing -fno-common -fwrapv \
	-fno-delete-null-pointer-checks -fno-stack-protector -fno-asynchronous-unwind-tables \
	-ffunction-sections -fdata-sections \
	-Wall -Wextra -Werror -Wstrict-prototypes -Wmissing-prototypes -Wvla -Wno-unused-parameter \
	-Wframe-larger-than=2048
ASFLAGS := -D__ASSEMBLY__ -g -nostdinc -Iinclude -Iarch/$(ARCH)/include -I$(BUILD) \
	-fno-pic -fno-pie -Wa,--noexecstack
LDFLAGS := -nostdlib -static --gc-sections --build-id=none -z max-page-size=4096 -z noexecstack

ifeq ($(DEBUG),1)
CFLAGS += -O1 -DKEVLAR_DEBUG -fsanitize=shift,bounds,integer-divide-by-zero,unreachable \
	-fsanitize-undefined-trap-on-error
else
CFLAGS += -O2
endif

ifeq ($(LOCKSTAT),1)
CFLAGS += -DKEVLAR_LOCKSTAT
endif

include arch/$(ARCH)/arch.mk
CFLAGS  += $(ARCH_CFLAGS)
ASFLAGS += $(ARCH_ASFLAGS)
LDFLAGS += $(ARCH_LDFLAGS)

# ---- targets --------------------------------------------------------------------------------------

.PHONY: all build run debug test test-host test-user test-system test-long check bench docs clean

all: build

# What tools/gen-syscalls derives from the system call table.
GENERATED := $(addprefix $(BUILD)/generated/,syscalls.h syscall_nr.h syscall_table_$(ARCH).c syscall_names.c)
$(GENERATED) &: syscall/table.tbl tools/gen-syscalls
	@mkdir -p $(@D)
	$(PYTHON) tools/gen-syscalls --arch $(ARCH) --out $(BUILD)/generated syscall/table.tbl
OBJECTS += $(patsubst $(BUILD)/%.c,%.o,$(filter %.c,$(GENERATED)))

OBJECT_FILES := $(addprefix $(OBJ)/,$(OBJECTS))

# Rewritten only when the compile command changes, so that a change of flags rebuilds everything.
FLAGS_STAMP := $(BUILD)/.flags
$(shell mkdir -p $(BUILD); echo '$(CC) $(CFLAGS) $(ASFLAGS)' | cmp -s - $(FLAGS_STAMP) || \
	echo '$(CC) $(CFLAGS) $(ASFLAGS)' > $(FLAGS_STAMP))

$(OBJ)/%.o: %.c $(FLAGS_STAMP) | $(GENERATED)
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(CFLAGS-$*.o) -MMD -MP -c -o $@ $<

$(OBJ)/%.o: %.S $(FLAGS_STAMP) | $(GENERATED)
	@mkdir -p $(@D)
	$(CC) $(ASFLAGS) $(CFLAGS-$*.o) -MMD -MP -c -o $@ $<

$(OBJ)/generated/%.o: $(BUILD)/generated/%.c $(FLAGS_STAMP) | $(GENERATED)
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) -MMD -MP -c -o $@ $<

# The kernel is linked twice: the first link, with an empty symbol table, tells where functions are.
# The table is read-only data and lies behind the code, so the second link does not move them;
# gen-symbols --check proves it.
LINK = $(LD) $(LDFLAGS) -T arch/$(ARCH)/kernel.ld -o $@ $(OBJECT_FILES)
SYMBOLS = $(PYTHON) tools/gen-symbols --base $(ARCH_KERNEL_BASE)

$(BUILD)/symbols0.S: tools/gen-symbols
	$(SYMBOLS) < /dev/null > $@
$(BUILD)/kevlar.pass1: $(OBJECT_FILES) $(BUILD)/symbols0.o arch/$(ARCH)/kernel.ld $(ROOM_FILES)
	$(LINK) $(BUILD)/symbols0.o
$(BUILD)/symbols.S: $(BUILD)/kevlar.pass1 tools/gen-symbols
	$(NM) -n $< | $(SYMBOLS) > $@
$(BUILD)/kevlar.debug: $(BUILD)/symbols.o $(BUILD)/kevlar.pass1
	$(LINK) $(BUILD)/symbols.o
	$(NM) -n $@ | $(SYMBOLS) --check $(BUILD)/symbols.S
$(BUILD)/%.o: $(BUILD)/%.S
	$(CC) $(ASFLAGS) -c -o $@ $<
$(KERNEL): $(BUILD)/kevlar.debug
	$(OBJCOPY) --strip-all $< $@

build: $(KERNEL)

run: build
	$(PYTHON) tools/kevlar run

debug:
	$(MAKE) DEBUG=1 build
	$(PYTHON) tools/kevlar debug

# Parts of the suite: host (and uapi) and user need no kernel, guest and system boot it.
test: build
	$(PYTHON) tools/kevlar test

test-host:
	$(PYTHON) tools/kevlar test --kind host --kind uapi

test-user:
	$(PYTHON) tools/kevlar test --kind user

test-system: build
	$(PYTHON) tools/kevlar test --kind guest --kind system

test-long: build
	$(PYTHON) tools/kevlar test --kind long

# Each build uses all CPUs, unless make was told how many.
JOBS = $(if $(filter -j% --jobserver%,$(MAKEFLAGS)),,-j$(shell nproc))
check:
	$(PYTHON) tools/check-rooms
	$(MAKE) $(JOBS) CC=clang build
	$(MAKE) $(JOBS) CC=gcc build
	$(PYTHON) tools/gen-syscalls --check build/$(ARCH)/kevlar.debug syscall/table.tbl
	tools/check-style

# ROWS=regex measures only those rows; BENCH="--quick" or any other options of tools/kevlar bench.
bench: build
	$(PYTHON) tools/kevlar bench $(if $(ROWS),--rows "$(ROWS)") $(BENCH)

docs:
	$(PYTHON) tools/gen-syscalls --docs docs/syscalls.md syscall/table.tbl

clean:
	rm -rf build

-include $(OBJECT_FILES:.o=.d)
