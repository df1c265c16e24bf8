/* SPDX-License-Identifier: MIT */
/*
 * All AF_UNIX sockets, for /proc/net/unix and NETLINK_SOCK_DIAG: in buckets with a lock each, so
 * that making and closing sockets on many CPUs seldom meets.
 */
#include "fs/proc/proc.h"
#include "fs/vfs/file.h"
#include "fs/vfs/inode.h"
#include "fs/vfs/pseudo.h"
#include "lib/format.h"
#include "lib/hash.h"
#include "lib/string.h"
#include "net/unix/diag.h"
#include "uapi/in.h"
#include "unix_internal.h"

#define BUCKETS 64

/* Columns as Linux numbers them. */
#define FLAG_LISTENS	  0x10000
#define STATE_UNCONNECTED 1
#define STATE_CONNECTING  2
#define STATE_CONNECTED	  3

static struct bucket {
	struct spinlock lock;
	struct list sockets;
} __aligned(64) buckets[BUCKETS];

static struct bucket *
bucket_of(const struct unix_sock *u)
{
	return &buckets[hash_mix((u64)(uintptr_t)u, 0) % BUCKETS];
}

void
unix_list_add(struct unix_sock *u)
{
	struct bucket *b = bucket_of(u);

	spin_lock(&b->lock);
	list_add_tail(&u->all_node, &b->sockets);
	spin_unlock(&b->lock);
}

void
unix_list_remove(struct unix_sock *u)
{
	struct bucket *b = bucket_of(u);

	spin_lock(&b->lock);
	list_del(&u->all_node);
	spin_unlock(&b->lock);
}

static u64
inum_of(const struct unix_sock *u)
{
	struct socket *s = READ_ONCE(u->sock); /* freed after a grace period */

	return s ? socket_inum(s) : 0;
}

static void
fill(struct unix_diag *d, struct unix_sock *u)
{
	u32 len;

	*d = (struct unix_diag){ .type = u->type, .cookie = hash_mix((u64)(uintptr_t)u, 0) };
	rcu_read_lock();
	spin_lock(&u->lock);
	d->state = u->state == UNIX_LISTENING	? TCP_LISTEN
		   : u->state == UNIX_CONNECTED ? TCP_ESTABLISHED
						: TCP_CLOSE;
	d->inum = inum_of(u);
	if (u->sock) {
		d->column = u->state == UNIX_CONNECTED ? STATE_CONNECTED : STATE_UNCONNECTED;
		d->rcvbuf = u->sock->rcvbuf;
		d->sndbuf = u->sock->sndbuf;
	} else {
		d->column = STATE_CONNECTING;
	}
	d->shutdown = (u8)u->shut;
	d->peer = u->peer ? inum_of(u->peer) : 0;
	d->rqueue = u->state == UNIX_LISTENING ? u->pending_count : u->queued_bytes;
	d->wqueue = u->state == UNIX_LISTENING ? u->backlog
		    : u->peer		       ? READ_ONCE(u->peer->queued_bytes)
					       : 0;
	spin_unlock(&u->lock);
	rcu_read_unlock();
	d->uid = u->cred.uid;
	d->refs = ref_read(&u->ref);
	/* A name is set once, and its length last. */
	len = smp_load_acquire(&u->addr_len);
	if (len > sizeof(u16)) {
		d->name_len = len - (u32)sizeof(u16);
		memcpy(d->name, u->addr + sizeof(u16), d->name_len);
		d->named = unix_path_inode(u, &d->node, &d->dev);
	}
}

void
unix_diag_for_each(unix_diag_visit *visit, void *ctx)
{
	bool enough = false;

	for (u32 i = 0; i < BUCKETS && !enough; i++) {
		struct unix_sock *u;

		spin_lock(&buckets[i].lock);
		list_for_each_entry(u, &buckets[i].sockets, all_node)
		{
			struct unix_diag d;

			if (READ_ONCE(u->state) == UNIX_DEAD)
				continue; /* held by its peer or by what it sent */
			fill(&d, u);
			enough = visit(&d, ctx);
			if (enough)
				break;
		}
		spin_unlock(&buckets[i].lock);
	}
}

static bool
show_socket(const struct unix_diag *d, void *ctx)
{
	struct strbuf *sb = ctx;
	u32 len = d->name_len;

	/* Addresses of the kernel are nobody's business. */
	strbuf_printf(sb, "%016x: %08X %08X %08X %04X %02X %5lu", 0, d->refs, 0,
		      d->state == TCP_LISTEN ? FLAG_LISTENS : 0, (u32)d->type, d->column, d->inum);
	if (len) {
		strbuf_putc(sb, ' ');
		if (d->name[0] && !d->name[len - 1])
			len--; /* the end of a path */
		for (u32 i = 0; i < len; i++)
			strbuf_putc(sb, d->name[i] ? (char)d->name[i] : '@');
	}
	strbuf_putc(sb, '\n');
	return sb->overflow;
}

static int
show_unix(struct strbuf *sb, void *ctx)
{
	strbuf_puts(sb, "Num       RefCount Protocol Flags    Type St Inode Path\n");
	unix_diag_for_each(show_socket, sb);
	return 0;
}

static const struct pseudo_entry unix_entry = {
	.name = "unix",
	.mode = S_IFREG | 0444,
	.show = show_unix,
};

void
unix_list_init(void)
{
	for (u32 i = 0; i < BUCKETS; i++) {
		spin_init(&buckets[i].lock, RANK_INODE_HASH);
		list_init(&buckets[i].sockets);
	}
	proc_net_add(&unix_entry);
}
