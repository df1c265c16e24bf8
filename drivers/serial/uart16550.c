/* SPDX-License-Identifier: MIT */
/*
 * 16550 UARTs at the four standard ports, as terminals ttyS0 to ttyS3 and as console of the log.
 *
 * Transmit: bytes wait in a ring; the port's interrupt moves up to 16 at a time, the depth of its
 * FIFO, when it is empty. A write that finds the FIFO empty fills it at once, so that short texts
 * need no interrupt. Receive: the interrupt empties the FIFO into the terminal's ring and has the
 * worker look at it.
 *
 * Locking: port->lock (taken in interrupts) guards the registers and the transmit ring. The log's
 * console writes poll, and in a panic do so without it.
 */
#include "drivers/serial/serial.h"

#include "arch/cpu.h"
#include "arch/io.h"
#include "core/irq.h"
#include "core/log.h"
#include "core/spinlock.h"
#include "drivers/tty/tty.h"
#include "fs/vfs/device.h"
#include "lib/format.h"
#include "uapi/errno.h"
#include "uapi/ioctl.h"
#include "uapi/major.h"

#define DATA	     0
#define IRQ_ENABLE   1
#define IRQ_ID	     2 /* read; FIFO control when written */
#define LINE	     3
#define MODEM	     4
#define STATUS	     5
#define MODEM_STATUS 6
#define SCRATCH	     7

#define IER_RX	     0x01
#define IER_TX	     0x02
#define IER_LINE     0x04
#define IIR_NONE     0x01
#define LINE_DIVISOR 0x80
#define LINE_BREAK   0x40
#define MODEM_DTR    0x01
#define MODEM_RTS    0x02
#define MODEM_OUT2   0x08 /* gates the interrupt */
#define STATUS_READY 0x01
#define STATUS_BREAK 0x10
#define STATUS_EMPTY 0x20
#define STATUS_BAD   0xff /* nothing answers */

#define FIFO	16
#define TX_RING 4096

struct port {
	struct tty tty;
	struct spinlock lock;
	u16 base;
	u8 irq_enable;
	u8 modem;
	struct ringbuf tx;
	u8 tx_bytes[TX_RING];
	struct log_console console;
};

static struct port ports[4];
static const struct {
	u16 base;
	u8 irq;
} standard[4] = { { 0x3f8, 4 }, { 0x2f8, 3 }, { 0x3e8, 4 }, { 0x2e8, 3 } };

static void
irq_enable_set(struct port *p, u8 bits)
{
	if (p->irq_enable != bits) {
		p->irq_enable = bits;
		arch_out8(p->base + IRQ_ENABLE, bits);
	}
}

/* FIFO empty: fill it. port->lock held. */
static void
transmit(struct port *p)
{
	u8 chunk[FIFO];
	u32 n = ringbuf_read(&p->tx, chunk, sizeof(chunk));

	for (u32 i = 0; i < n; i++)
		arch_out8(p->base + DATA, chunk[i]);
	irq_enable_set(p, IER_RX | IER_LINE | (ringbuf_empty(&p->tx) ? 0 : IER_TX));
}

static u32
uart_write(struct tty *t, const u8 *data, u32 len)
{
	struct port *p = t->private;
	unsigned long flags = spin_lock_irqsave(&p->lock);
	u32 n = ringbuf_write(&p->tx, data, len);

	while (!ringbuf_empty(&p->tx) && (arch_in8(p->base + STATUS) & STATUS_EMPTY))
		transmit(p);
	if (!ringbuf_empty(&p->tx))
		irq_enable_set(p, IER_RX | IER_LINE | IER_TX);
	spin_unlock_irqrestore(&p->lock, flags);
	return n;
}

static u32
uart_write_room(struct tty *t)
{
	struct port *p = t->private;

	return ringbuf_space(&p->tx);
}

static u32
uart_unsent(struct tty *t)
{
	struct port *p = t->private;

	return ringbuf_used(&p->tx);
}

static void
uart_discard_output(struct tty *t)
{
	struct port *p = t->private;
	unsigned long flags = spin_lock_irqsave(&p->lock);

	ringbuf_skip(&p->tx, ringbuf_used(&p->tx));
	spin_unlock_irqrestore(&p->lock, flags);
}

static void
uart_interrupt(void *arg)
{
	struct port *p = arg;
	bool received = false, sent = false, breaks = false;
	unsigned long flags = spin_lock_irqsave(&p->lock);

	/* Bounded: a line that never stops asking must not hold the CPU. */
	for (u32 rounds = 0; rounds < 64 && !(arch_in8(p->base + IRQ_ID) & IIR_NONE); rounds++) {
		u8 status = arch_in8(p->base + STATUS);

		for (u32 i = 0; i < 256 && (status & STATUS_READY); i++) {
			u8 c = arch_in8(p->base + DATA);

			if (status & STATUS_BREAK)
				breaks = true;
			else if (tty_receive(&p->tty, &c, 1))
				received = true;
			status = arch_in8(p->base + STATUS);
		}
		(void)arch_in8(p->base + MODEM_STATUS);
		if ((p->irq_enable & IER_TX) && (status & STATUS_EMPTY)) {
			transmit(p);
			sent = true;
		}
	}
	bool room = sent && ringbuf_space(&p->tx) >= TX_RING / 2;
	spin_unlock_irqrestore(&p->lock, flags);
	if (received)
		tty_receive_kick(&p->tty);
	if (breaks)
		tty_receive_break(&p->tty);
	if (room)
		tty_write_wakeup(&p->tty);
}

static void
uart_set_termios(struct tty *t)
{
	struct port *p = t->private;
	u32 cflag = t->termios.c_cflag, speed = t->termios.c_ospeed;
	u8 line = (u8)((cflag & CSIZE) >> 4);

	if (!speed)
		return;
	u32 divisor = 115200 / speed;
	if (!divisor)
		divisor = 1;
	if (cflag & CSTOPB)
		line |= 0x04;
	if (cflag & PARENB)
		line |= cflag & PARODD ? 0x08 : 0x18;
	unsigned long flags = spin_lock_irqsave(&p->lock);
	arch_out8(p->base + LINE, line | LINE_DIVISOR);
	arch_out8(p->base + DATA, (u8)divisor);
	arch_out8(p->base + IRQ_ENABLE, (u8)(divisor >> 8));
	arch_out8(p->base + LINE, line);
	spin_unlock_irqrestore(&p->lock, flags);
}

static int
uart_modem(struct tty *t, u32 set, u32 clear, u32 *out)
{
	struct port *p = t->private;
	unsigned long flags = spin_lock_irqsave(&p->lock);

	if (set | clear) {
		u8 m = p->modem;

		m = (set & TIOCM_DTR ? m | MODEM_DTR : clear & TIOCM_DTR ? m & ~MODEM_DTR : m);
		m = (set & TIOCM_RTS ? m | MODEM_RTS : clear & TIOCM_RTS ? m & ~MODEM_RTS : m);
		p->modem = m;
		arch_out8(p->base + MODEM, m);
	}
	u8 status = arch_in8(p->base + MODEM_STATUS);
	*out = (p->modem & MODEM_DTR ? TIOCM_DTR : 0u) | (p->modem & MODEM_RTS ? TIOCM_RTS : 0u) |
	       (status & 0x80 ? TIOCM_CAR : 0u) | (status & 0x40 ? TIOCM_RNG : 0u) |
	       (status & 0x20 ? TIOCM_DSR : 0u) | (status & 0x10 ? TIOCM_CTS : 0u);
	spin_unlock_irqrestore(&p->lock, flags);
	return 0;
}

static int
uart_send_break(struct tty *t, bool on)
{
	struct port *p = t->private;
	unsigned long flags = spin_lock_irqsave(&p->lock);
	u8 line = arch_in8(p->base + LINE);

	arch_out8(p->base + LINE, on ? line | LINE_BREAK : line & ~LINE_BREAK);
	spin_unlock_irqrestore(&p->lock, flags);
	return 0;
}

/* ---- console of the log ---- */

static void
console_put(struct port *p, const char *text, size_t len)
{
	u32 room = 0;

	for (size_t i = 0; i < len; i++) {
		/* A port that does not drain must not stop the kernel. */
		for (u32 spin = 0; room < 2 && spin < 100000; spin++) {
			if (arch_in8(p->base + STATUS) & STATUS_EMPTY)
				room = FIFO;
			else
				arch_cpu_relax();
		}
		if (room < 2)
			return;
		if (text[i] == '\n') {
			arch_out8(p->base + DATA, '\r');
			room--;
		}
		arch_out8(p->base + DATA, (u8)text[i]);
		room--;
	}
}

static void
console_write(struct log_console *con, const char *text, size_t len)
{
	struct port *p = container_of(con, struct port, console);
	unsigned long flags = arch_irq_save();
	bool locked = false;

	/* The holder may be the very CPU that panics: wait a bounded time, then write all the same.
	 */
	for (u32 i = 0; i < 1000000 && !(locked = spin_trylock(&p->lock)); i++)
		arch_cpu_relax();
	console_put(p, text, len);
	if (locked)
		spin_unlock(&p->lock);
	arch_irq_restore(flags);
}

/* ---- probing ---- */

static const struct tty_driver uart_tty_driver;

static bool
uart_exists(u16 base)
{
	if (arch_in8(base + STATUS) == STATUS_BAD)
		return false;
	arch_out8(base + SCRATCH, 0x5a);
	return arch_in8(base + SCRATCH) == 0x5a;
}

static void
uart_start(struct port *p, u32 index)
{
	char name[8];

	snprintf(name, sizeof(name), "ttyS%u", index);
	p->base = standard[index].base;
	spin_init(&p->lock, RANK_CONSOLE);
	ringbuf_init(&p->tx, p->tx_bytes, sizeof(p->tx_bytes));
	tty_init_common(&p->tty, &uart_tty_driver, p, name, DEV_MAKE(TTY_MAJOR, 64 + index));
	p->tty.termios.c_cflag = B115200 | CS8 | CREAD | HUPCL | CLOCAL;
	p->tty.termios.c_ispeed = p->tty.termios.c_ospeed = 115200;
	p->modem = MODEM_DTR | MODEM_RTS | MODEM_OUT2;
	arch_out8(p->base + IRQ_ENABLE, 0);
	uart_set_termios(&p->tty);
	arch_out8(p->base + IRQ_ENABLE, 0);
	arch_out8(p->base + IRQ_ID, 0x01); /* FIFO on */
	arch_out8(p->base + MODEM, p->modem);
	if (irq_request_gsi(standard[index].irq, 0, uart_interrupt, p, p->tty.name)) {
		log_warn("%s: no interrupt %u\n", p->tty.name, standard[index].irq);
		return;
	}
	irq_enable_set(p, IER_RX | IER_LINE);
	(void)tty_register(&p->tty);
	p->console = (struct log_console){ .name = p->tty.name, .write = console_write };
}

void
serial_init(void)
{
	for (u32 i = 0; i < ARRAY_SIZE(standard); i++) {
		if (uart_exists(standard[i].base))
			uart_start(&ports[i], i);
	}
	if (ports[0].base)
		log_register_console(&ports[0].console);
}

static const struct tty_driver uart_tty_driver = {
	.name = "serial",
	.write = uart_write,
	.write_room = uart_write_room,
	.unsent = uart_unsent,
	.discard_output = uart_discard_output,
	.set_termios = uart_set_termios,
	.modem = uart_modem,
	.send_break = uart_send_break,
};
