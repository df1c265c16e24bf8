/* SPDX-License-Identifier: MIT */
/*
 * The first serial port as a console, until drivers/serial takes over under the same name.
 * Sixteen bytes go out for each look at the line status: that is the FIFO of a 16550.
 */
#include "arch/cpu.h"
#include "arch/io.h"
#include "core/bootinfo.h"
#include "core/log.h"
#include "lib/string.h"
#include "x86.h"

#define PORT	       0x3f8
#define REG_DATA       (PORT + 0)
#define REG_IRQ_ENABLE (PORT + 1)
#define REG_FIFO       (PORT + 2)
#define REG_LINE       (PORT + 3)
#define REG_MODEM      (PORT + 4)
#define REG_STATUS     (PORT + 5)
#define REG_SCRATCH    (PORT + 7)
#define STATUS_EMPTY   0x20
#define FIFO_SIZE      16

void console_early_init(void);

/* A port that is slow to drain (flow control, a closed terminal) must not stop the kernel. */
static void
console_wait(void)
{
	for (u32 i = 0; i < 100000 && !(arch_in8(REG_STATUS) & STATUS_EMPTY); i++)
		arch_cpu_relax();
}

static void
console_write(struct log_console *con, const char *text, size_t len)
{
	u32 room = 0;

	for (size_t i = 0; i < len; i++) {
		if (room < 2) {
			console_wait();
			room = FIFO_SIZE;
		}
		if (text[i] == '\n') {
			arch_out8(REG_DATA, '\r');
			room--;
		}
		arch_out8(REG_DATA, (u8)text[i]);
		room--;
	}
}

static struct log_console console = { .name = "ttyS0", .write = console_write };

void
console_early_init(void)
{
	arch_out8(REG_SCRATCH, 0x5a);
	if (arch_in8(REG_SCRATCH) != 0x5a)
		return;
	arch_out8(REG_IRQ_ENABLE, 0);
	arch_out8(REG_LINE, 0x80); /* divisor: 115200 */
	arch_out8(REG_DATA, 1);
	arch_out8(REG_IRQ_ENABLE, 0);
	arch_out8(REG_LINE, 0x03); /* 8n1 */
	arch_out8(REG_FIFO, 0x07); /* on, cleared */
	arch_out8(REG_MODEM, 0x0b);
	/* With another console asked for, this port is not ours to write to. */
	if (!strstr(boot_info.cmdline, "console=") || strstr(boot_info.cmdline, "console=ttyS0"))
		log_register_console(&console);
}
