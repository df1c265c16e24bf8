/* SPDX-License-Identifier: MIT */
/*
 * 16550 UARTs at the four standard ports, as terminals ttyS0 to ttyS3 and as console of the log.
 *
 * Transmit: bytes wait in a ring; the port's interrupt moves up to 16 at a time, the depth of its
 * FIFO, when it is empty. A write that finds the FIFO empty fills it at once, so that short texts
 * need no interrupt. Receive: the interrupt empties the FIFO into the terminal's ring and has the
 * worker look at it.
 *
 * Flow control. When the terminal's ring fills, the other side is told to stop: by IXOFF with the
 * character VSTOP, by CRTSCTS with RTS; and to go on when the ring is nearly empty. A full ring
 * leaves the bytes in the FIFO, for as long as that can hold them. Under CRTSCTS nothing is sent
 * while the other side holds CTS back.
 *
 * Locking: port->lock (taken in interrupts) guards the registers and the transmit ring. The log's
 * console writes poll, and in a panic do so without it.
 *
 * Limits: parity and framing errors are taken for data; open does not wait for a carrier.
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
#include "lib/string.h"
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
#define IER_MODEM    0x08
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
#define CTS	     0x10

#define FIFO	16
#define TX_RING 4096
#define PORTS	4

struct port {
	struct tty tty;
	struct spinlock lock; /* P: all below */
	u16 base;	      /* [I] */
	u8 irq_enable;	      /* [P] as in the register */
	u8 modem;	      /* [P] as programs want it */
	bool rts_flow;	      /* [P] CRTSCTS */
	bool cts;	      /* [P] we may send */
	bool throttled;	      /* [P] the other side was told to stop */
	bool rx_full;	      /* [P] bytes wait in the FIFO for room in the ring */
	bool sent;	      /* [P] something left the ring: see port_unlock */
	u8 urgent;	      /* [P] goes out before the ring: ^S, ^Q; 0: none */
	struct ringbuf tx;    /* [P] */
	u8 tx_bytes[TX_RING];
	struct log_console console;
};

static struct port ports[PORTS];
static const struct {
	u16 base;
	u8 irq;
} standard[PORTS] = { { 0x3f8, 4 }, { 0x2f8, 3 }, { 0x3e8, 4 }, { 0x2e8, 3 } };

/* What console= asks of each port, before it is found. */
static struct {
	bool log;
	u32 cflag, speed;
} wanted[PORTS];

/* Who transmitted tells those who wait for room, or for the end. */
static void
port_unlock(struct port *p, unsigned long flags)
{
	bool wake = p->sent && ringbuf_used(&p->tx) <= TX_RING / 2;

	p->sent = false;
	spin_unlock_irqrestore(&p->lock, flags);
	if (wake)
		tty_write_wakeup(&p->tty);
}

/* ---- transmit: port->lock held ---- */

static bool
may_send(const struct port *p)
{
	return p->cts || !p->rts_flow;
}

static bool
wants_to_send(const struct port *p)
{
	return p->urgent || (may_send(p) && !ringbuf_empty(&p->tx));
}

static void
irq_enable_update(struct port *p)
{
	u8 bits = IER_LINE | (p->rx_full ? 0 : IER_RX) | (wants_to_send(p) ? IER_TX : 0) |
		  (p->rts_flow ? IER_MODEM : 0);

	if (p->irq_enable != bits) {
		p->irq_enable = bits;
		arch_out8(p->base + IRQ_ENABLE, bits);
	}
}

/* Fill the FIFO for as long as it takes it. */
static void
transmit(struct port *p)
{
	while (wants_to_send(p) && (arch_in8(p->base + STATUS) & STATUS_EMPTY)) {
		u8 chunk[FIFO];
		u32 n = 0;

		if (p->urgent) {
			arch_out8(p->base + DATA, p->urgent);
			p->urgent = 0;
		} else {
			n = ringbuf_read(&p->tx, chunk, sizeof(chunk));
			p->sent = true;
		}
		for (u32 i = 0; i < n; i++)
			arch_out8(p->base + DATA, chunk[i]);
	}
	irq_enable_update(p);
}

static void
modem_write(struct port *p)
{
	bool stop = p->throttled && p->rts_flow;

	arch_out8(p->base + MODEM, stop ? p->modem & (u8)~MODEM_RTS : p->modem);
}

/* ---- receive: port->lock held ---- */

static void
throttle(struct port *p, bool on)
{
	const struct linux_termios2 *tio = &p->tty.termios;

	if (p->throttled == on)
		return;
	p->throttled = on;
	modem_write(p);
	if (!(tio->c_iflag & IXOFF))
		return;
	/* A ^S that did not yet go out need not be taken back. */
	if (p->urgent)
		p->urgent = 0;
	else
		p->urgent = tio->c_cc[on ? VSTOP : VSTART];
	transmit(p);
}

/* Take what the FIFO holds. True: something came. */
static bool
receive(struct port *p, bool *broke)
{
	bool some = false;

	/* Bounded: a line that never ends must not hold the CPU. */
	for (u32 i = 0; i < 256; i++) {
		u8 status = arch_in8(p->base + STATUS);

		if (!(status & STATUS_READY))
			break;
		p->rx_full = ringbuf_space(&p->tty.raw) == 0;
		if (p->rx_full)
			break;
		u8 c = arch_in8(p->base + DATA);
		if (status & STATUS_BREAK)
			*broke = true;
		else
			some |= tty_receive(&p->tty, &c, 1) == 1;
	}
	if (ringbuf_space(&p->tty.raw) < TTY_BUF / 4)
		throttle(p, true);
	return some;
}

static void
uart_interrupt(void *arg)
{
	struct port *p = arg;
	bool received = false, broke = false;
	unsigned long flags = spin_lock_irqsave(&p->lock);

	for (u32 rounds = 0; rounds < 64 && !(arch_in8(p->base + IRQ_ID) & IIR_NONE); rounds++) {
		received |= receive(p, &broke);
		p->cts = arch_in8(p->base + MODEM_STATUS) & CTS;
		transmit(p);
	}
	port_unlock(p, flags);
	if (broke)
		tty_receive_break(&p->tty);
	else if (received)
		tty_receive_kick(&p->tty);
}

/* ---- the terminal's driver ---- */

static u32
uart_write(struct tty *t, const u8 *data, u32 len)
{
	struct port *p = t->private;
	unsigned long flags = spin_lock_irqsave(&p->lock);
	bool idle = ringbuf_empty(&p->tx);
	u32 n = ringbuf_write(&p->tx, data, len);

	transmit(p);
	if (idle)
		p->sent = false; /* nobody waited */
	port_unlock(p, flags);
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
	unsigned long flags = spin_lock_irqsave(&p->lock);
	u32 n = ringbuf_used(&p->tx);

	spin_unlock_irqrestore(&p->lock, flags);
	return n;
}

static void
uart_send_urgent(struct tty *t, u8 c)
{
	struct port *p = t->private;
	unsigned long flags = spin_lock_irqsave(&p->lock);

	p->urgent = c;
	transmit(p);
	port_unlock(p, flags);
}

static void
uart_discard_output(struct tty *t)
{
	struct port *p = t->private;
	unsigned long flags = spin_lock_irqsave(&p->lock);

	ringbuf_skip(&p->tx, ringbuf_used(&p->tx));
	irq_enable_update(p);
	spin_unlock_irqrestore(&p->lock, flags);
}

static void
uart_input_drained(struct tty *t)
{
	struct port *p = t->private;
	unsigned long flags = spin_lock_irqsave(&p->lock);
	u32 used = ringbuf_used(&t->raw);

	if (used < TTY_BUF) {
		p->rx_full = false; /* the interrupt comes again for what is in the FIFO */
		irq_enable_update(p);
	}
	if (used <= TTY_BUF / 4)
		throttle(p, false);
	port_unlock(p, flags);
}

static void
uart_set_termios(struct tty *t)
{
	struct port *p = t->private;
	unsigned long flags = spin_lock_irqsave(&p->lock);
	u32 cflag = t->termios.c_cflag, speed = t->termios.c_ospeed;
	u8 line = (u8)((cflag & CSIZE) >> 4);

	if (cflag & CSTOPB)
		line |= 0x04;
	if (cflag & PARENB)
		line |= cflag & PARODD ? 0x08 : 0x18;
	if (speed) {
		u32 divisor = CLAMP(115200 / speed, 1u, 0xffffu);

		arch_out8(p->base + LINE, line | LINE_DIVISOR);
		arch_out8(p->base + DATA, (u8)divisor);
		arch_out8(p->base + IRQ_ENABLE, (u8)(divisor >> 8));
	}
	arch_out8(p->base + LINE, line);
	p->rts_flow = cflag & CRTSCTS;
	p->cts = arch_in8(p->base + MODEM_STATUS) & CTS;
	modem_write(p);
	transmit(p);
	port_unlock(p, flags);
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
		modem_write(p);
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
	p->tty.termios.c_cflag = wanted[index].speed ? wanted[index].cflag : B115200 | CS8;
	p->tty.termios.c_cflag |= CREAD | HUPCL | CLOCAL;
	p->tty.termios.c_ospeed = wanted[index].speed ? wanted[index].speed : 115200;
	p->tty.termios.c_ispeed = p->tty.termios.c_ospeed;
	p->modem = MODEM_DTR | MODEM_RTS | MODEM_OUT2;
	arch_out8(p->base + IRQ_ENABLE, 0);
	arch_out8(p->base + IRQ_ID, 0x01); /* FIFO on */
	if (irq_request_gsi(standard[index].irq, 0, uart_interrupt, p, p->tty.name)) {
		log_warn("%s: no interrupt %u\n", p->tty.name, standard[index].irq);
		return;
	}
	uart_set_termios(&p->tty);
	(void)tty_register(&p->tty);
	p->console = (struct log_console){ .name = p->tty.name, .write = console_write };
}

/* "ttyS1,9600n8r": the line that also gets the log, its speed, parity, bits and flow control. */
void
serial_console(const char *value)
{
	u32 index, speed = 0, cflag = CS8;

	if (strncmp(value, "ttyS", 4) != 0 || value[4] < '0' || value[4] >= '0' + PORTS ||
	    (value[5] && value[5] != ','))
		return;
	index = (u32)(value[4] - '0');
	wanted[index].log = true;
	if (!value[5])
		return;
	for (value += 6; *value >= '0' && *value <= '9' && speed < 1000000; value++)
		speed = speed * 10 + (u32)(*value - '0');
	if (*value == 'e' || *value == 'o')
		cflag |= *value == 'e' ? PARENB : PARENB | PARODD;
	if (*value)
		value++;
	if (*value == '7')
		cflag = (cflag & ~(u32)CSIZE) | CS7;
	if (*value && value[1] == 'r')
		cflag |= CRTSCTS;
	wanted[index].speed = speed;
	wanted[index].cflag = cflag | tty_speed_code(speed);
}

void
serial_init(void)
{
	bool logs = false;

	for (u32 i = 0; i < PORTS; i++) {
		if (uart_exists(standard[i].base))
			uart_start(&ports[i], i);
	}
	for (u32 i = 0; i < PORTS; i++) {
		if (wanted[i].log && ports[i].console.write) {
			log_register_console(&ports[i].console);
			logs = true;
		}
	}
	/* None of those that were asked for is here. */
	if (!logs && ports[0].console.write)
		log_register_console(&ports[0].console);
}

static const struct tty_driver uart_tty_driver = {
	.name = "serial",
	.write = uart_write,
	.write_room = uart_write_room,
	.unsent = uart_unsent,
	.send_urgent = uart_send_urgent,
	.discard_output = uart_discard_output,
	.input_drained = uart_input_drained,
	.set_termios = uart_set_termios,
	.modem = uart_modem,
	.send_break = uart_send_break,
};
