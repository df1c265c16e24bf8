/* SPDX-License-Identifier: MIT */
/*
 * virtio-console, virtio 1.2 section 5.3: its first port as the terminal hvc0, and with
 * console=hvc0 as a console of the log.
 *
 * Output goes through a ring, a page of it at a time to the device. Input buffers that the terminal
 * has no room for are kept until there is, so nothing is lost.
 *
 * Locking: port->lock (taken in interrupts) guards the queues and the rings. The log's console
 * writes wait for the device, and in a panic do so without it.
 */
#include "arch/cpu.h"
#include "core/bootinfo.h"
#include "core/log.h"
#include "core/spinlock.h"
#include "core/time.h"
#include "drivers/tty/tty.h"
#include "drivers/virtio/drivers.h"
#include "fs/vfs/device.h"
#include "lib/format.h"
#include "lib/string.h"
#include "mm/page.h"
#include "mm/slab.h"
#include "uapi/errno.h"
#include "uapi/ioctl.h"
#include "uapi/major.h"

#define HVC_MAJOR 229 /* where Linux has its hypervisor consoles */

#define F_SIZE 0

#define RX	   0
#define TX	   1
#define RX_BUFFERS 4
#define RX_SIZE	   1024
#define TX_RING	   4096
#define LOG_WAIT   100000 /* microseconds: a device that does not drain must not stop the kernel */

struct rx_buffer {
	u8 bytes[RX_SIZE];
	u32 len, taken; /* while it waits for room */
};

struct port {
	struct tty tty;
	struct spinlock lock;
	struct virtio_device *dev;
	struct virtqueue *vqs[2];
	struct rx_buffer *rx; /* RX_BUFFERS of them, in the direct map */
	struct rx_buffer *waiting;
	struct ringbuf tx;
	u8 *tx_bytes, *tx_page;
	bool sending; /* tx_page is the device's */
	struct log_console console;
};

static struct port *port; /* the only one: further devices are left alone */

/* ---- output: port->lock held ---- */

static void
transmit(struct port *p)
{
	struct virtq_piece piece = { virt_to_phys(p->tx_page), 0 };

	if (p->sending)
		return;
	piece.len = ringbuf_read(&p->tx, p->tx_page, PAGE_SIZE);
	if (!piece.len || virtqueue_add(p->vqs[TX], &piece, 1, 0, p))
		return;
	p->sending = true;
	virtqueue_kick(p->vqs[TX]);
}

static void
sent_collect(struct port *p)
{
	if (virtqueue_get(p->vqs[TX], NULL))
		p->sending = false;
	transmit(p);
}

static void
tx_interrupt(struct virtqueue *vq)
{
	struct port *p = virtqueue_private(vq);
	unsigned long flags = spin_lock_irqsave(&p->lock);

	do {
		virtqueue_disable_cb(vq);
		sent_collect(p);
	} while (!virtqueue_enable_cb(vq));
	spin_unlock_irqrestore(&p->lock, flags);
	tty_write_wakeup(&p->tty);
}

static u32
hvc_write(struct tty *t, const u8 *data, u32 len)
{
	struct port *p = t->private;
	unsigned long flags = spin_lock_irqsave(&p->lock);
	u32 n = ringbuf_write(&p->tx, data, len);

	transmit(p);
	spin_unlock_irqrestore(&p->lock, flags);
	return n;
}

static u32
hvc_write_room(struct tty *t)
{
	struct port *p = t->private;

	return ringbuf_space(&p->tx);
}

static u32
hvc_unsent(struct tty *t)
{
	struct port *p = t->private;

	return ringbuf_used(&p->tx) + (READ_ONCE(p->sending) ? 1 : 0);
}

static void
hvc_discard_output(struct tty *t)
{
	struct port *p = t->private;
	unsigned long flags = spin_lock_irqsave(&p->lock);

	ringbuf_skip(&p->tx, ringbuf_used(&p->tx));
	spin_unlock_irqrestore(&p->lock, flags);
}

/* ---- input ---- */

static void
rx_offer(struct port *p, struct rx_buffer *b)
{
	struct virtq_piece piece = { virt_to_phys(b->bytes), RX_SIZE };

	if (virtqueue_add(p->vqs[RX], &piece, 0, 1, b) == 0)
		virtqueue_kick(p->vqs[RX]);
}

/* The buffer whose bytes come next. */
static struct rx_buffer *
rx_next(struct port *p)
{
	struct rx_buffer *b = p->waiting;
	u32 len;

	if (!b) {
		b = virtqueue_get(p->vqs[RX], &len);
		if (b) {
			b->len = len;
			b->taken = 0;
		}
	}
	return b;
}

/* What has come, as far as the terminal has room for it: without room there are no more interrupts,
 * until it asks. port->lock held. */
static bool
rx_run(struct port *p)
{
	struct rx_buffer *b;
	bool any = false;

	do {
		virtqueue_disable_cb(p->vqs[RX]);
		while ((b = rx_next(p))) {
			b->taken += tty_receive(&p->tty, b->bytes + b->taken, b->len - b->taken);
			any = true;
			p->waiting = b->taken < b->len ? b : NULL;
			if (p->waiting)
				return any;
			rx_offer(p, b);
		}
	} while (!virtqueue_enable_cb(p->vqs[RX]));
	return any;
}

static void
rx_interrupt(struct virtqueue *vq)
{
	struct port *p = virtqueue_private(vq);
	unsigned long flags = spin_lock_irqsave(&p->lock);
	bool any = rx_run(p);

	spin_unlock_irqrestore(&p->lock, flags);
	if (any)
		tty_receive_kick(&p->tty);
}

static void
hvc_input_drained(struct tty *t)
{
	struct port *p = t->private;
	unsigned long flags;
	bool any;

	if (!READ_ONCE(p->waiting))
		return;
	flags = spin_lock_irqsave(&p->lock);
	any = rx_run(p);
	spin_unlock_irqrestore(&p->lock, flags);
	if (any)
		tty_receive_kick(t);
}

/* ---- console of the log ---- */

static void
wait_for_room(struct port *p, u32 room)
{
	for (u32 i = 0; i < LOG_WAIT && ringbuf_space(&p->tx) < room; i++) {
		sent_collect(p);
		udelay(1);
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
	for (size_t i = 0; i < len; i++) {
		wait_for_room(p, 2);
		if (text[i] == '\n')
			(void)ringbuf_putc(&p->tx, '\r');
		(void)ringbuf_putc(&p->tx, (u8)text[i]);
	}
	transmit(p);
	wait_for_room(p, TX_RING);
	if (locked)
		spin_unlock(&p->lock);
	arch_irq_restore(flags);
}

/* ---- the device ---- */

static void
size_read(struct virtio_device *dev, struct port *p)
{
	if (!virtio_has(dev, F_SIZE))
		return;
	p->tty.winsize.ws_col = virtio_config_read16(dev, 0);
	p->tty.winsize.ws_row = virtio_config_read16(dev, 2);
}

static const struct tty_driver hvc_tty_driver;

static int
console_probe(struct virtio_device *dev)
{
	struct virtqueue_setup setup[2] = {
		{ .name = "hvc0-input", .callback = rx_interrupt, .max_size = 64 },
		{ .name = "hvc0-output", .callback = tx_interrupt, .max_size = 64 },
	};
	unsigned long flags;
	struct port *p;
	int err = -ENOMEM;

	if (port)
		return -EBUSY;
	p = kvmalloc(sizeof(*p), GFP_KERNEL | GFP_ZERO);
	if (!p)
		return err;
	p->dev = dev;
	spin_init(&p->lock, RANK_CONSOLE);
	p->rx = kmalloc_array(RX_BUFFERS, sizeof(*p->rx), GFP_KERNEL);
	p->tx_bytes = kmalloc(TX_RING, GFP_KERNEL);
	p->tx_page = pages_alloc(0, GFP_KERNEL);
	if (!p->rx || !p->tx_bytes || !p->tx_page)
		goto out_free;
	ringbuf_init(&p->tx, p->tx_bytes, TX_RING);
	setup[RX].private = setup[TX].private = p;
	err = virtio_find_vqs(dev, 2, setup, p->vqs);
	if (err)
		goto out_free;
	tty_init_common(&p->tty, &hvc_tty_driver, p, "hvc0", DEV_MAKE(HVC_MAJOR, 0));
	size_read(dev, p);
	port = p;
	dev->private = p;
	virtio_ready(dev);
	flags = spin_lock_irqsave(&p->lock);
	for (u32 i = 0; i < RX_BUFFERS; i++)
		rx_offer(p, &p->rx[i]);
	spin_unlock_irqrestore(&p->lock, flags);
	err = tty_register(&p->tty);
	if (err)
		log_warn("hvc0: no terminal: error %d\n", -err);
	p->console = (struct log_console){ .name = p->tty.name, .write = console_write };
	if (strstr(boot_info.cmdline, "console=hvc0"))
		log_register_console(&p->console);
	return 0;
out_free:
	kfree(p->rx);
	kfree(p->tx_bytes);
	if (p->tx_page)
		pages_free(p->tx_page, 0);
	kvfree(p);
	return err;
}

static const struct tty_driver hvc_tty_driver = {
	.name = "hvc",
	.write = hvc_write,
	.write_room = hvc_write_room,
	.unsent = hvc_unsent,
	.discard_output = hvc_discard_output,
	.input_drained = hvc_input_drained,
};

const struct virtio_driver virtio_console_driver = {
	.name = "virtio-console",
	.id = VIRTIO_ID_CONSOLE,
	.features = BIT(F_SIZE),
	.probe = console_probe,
};
