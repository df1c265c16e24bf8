/* SPDX-License-Identifier: MIT */
/*
 * All AF_UNIX sockets, for /proc/net/unix: in buckets with a lock each, so that making and closing
 * sockets on many CPUs seldom meets. A socket is listed as long as its memory is there.
 */
#include "fs/proc/proc.h"
#include "fs/vfs/file.h"
#include "fs/vfs/inode.h"
#include "fs/vfs/pseudo.h"
#include "lib/format.h"
#include "lib/hash.h"
#include "unix_internal.h"

#define BUCKETS 64

/* Columns as Linux numbers them. */
#define FLAG_LISTENS	  0x10000
#define STATE_UNCONNECTED 1
#define STATE_CONNECTING  2
#define STATE_CONNECTED	  3
#define STATE_ENDING	  4

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

static void
show_socket(struct strbuf *sb, struct unix_sock *u)
{
	u32 state, flags, len;
	u64 ino = 0;

	spin_lock(&u->lock);
	flags = u->state == UNIX_LISTENING ? FLAG_LISTENS : 0;
	if (u->sock) {
		const struct file *f = READ_ONCE(u->sock->file);

		state = u->state == UNIX_CONNECTED ? STATE_CONNECTED : STATE_UNCONNECTED;
		ino = f ? f->inode->ino : 0;
	} else {
		state = u->state == UNIX_CONNECTED ? STATE_CONNECTING : STATE_ENDING;
	}
	spin_unlock(&u->lock);
	/* Addresses of the kernel are nobody's business. */
	strbuf_printf(sb, "%016x: %08X %08X %08X %04X %02X %5lu", 0, ref_read(&u->ref), 0, flags,
		      (u32)u->type, state, ino);
	/* A name is set once, and its length last. */
	len = smp_load_acquire(&u->addr_len);
	if (len > sizeof(u16)) {
		strbuf_putc(sb, ' ');
		if (u->addr[2] && !u->addr[len - 1])
			len--; /* the end of a path */
		for (u32 i = sizeof(u16); i < len; i++)
			strbuf_putc(sb, u->addr[i] ? (char)u->addr[i] : '@');
	}
	strbuf_putc(sb, '\n');
}

static int
show_unix(struct strbuf *sb, void *ctx)
{
	strbuf_puts(sb, "Num       RefCount Protocol Flags    Type St Inode Path\n");
	for (u32 i = 0; i < BUCKETS && !sb->overflow; i++) {
		struct unix_sock *u;

		spin_lock(&buckets[i].lock);
		list_for_each_entry(u, &buckets[i].sockets, all_node) if (!sb->overflow)
			show_socket(sb, u);
		spin_unlock(&buckets[i].lock);
	}
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
