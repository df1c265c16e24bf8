/* SPDX-License-Identifier: MIT */
/*
 * Local ports: who has which, and whether another may have it too (net/inet/inet.h).
 *
 * A port in use has a bucket with all its socks. Buckets hang in a hash by port; a lock guards a
 * slice of the hash and the buckets in it. Buckets are only looked at under that lock.
 */
#include "core/random.h"
#include "inet_internal.h"
#include "mm/slab.h"
#include "uapi/errno.h"

#define LOCK_BITS 6

struct port_bucket {
	struct hlist_node node;
	struct hlist_head socks; /* inet_sock->port_node */
	u16 port;
};

void
port_table_init(struct port_table *t, const char *name, u32 bits)
{
	t->name = name;
	t->bits = bits;
	t->buckets = kvmalloc(sizeof(*t->buckets) << bits, GFP_KERNEL | GFP_NOFAIL);
	t->locks = kmalloc(sizeof(*t->locks) << LOCK_BITS, GFP_KERNEL | GFP_NOFAIL);
	for (u32 i = 0; i < 1u << bits; i++)
		hlist_init(&t->buckets[i]);
	for (u32 i = 0; i < 1u << LOCK_BITS; i++)
		spin_init(&t->locks[i], RANK_INET_HASH);
}

static struct spinlock *
port_lock(struct port_table *t, u16 port)
{
	return &t->locks[port & ((1u << LOCK_BITS) - 1)];
}

static struct hlist_head *
port_slot(struct port_table *t, u16 port)
{
	return &t->buckets[port & ((1u << t->bits) - 1)];
}

static struct port_bucket *
bucket_peek(struct port_table *t, u16 port)
{
	struct port_bucket *b;

	hlist_for_each_entry(b, port_slot(t, port), node)
	{
		if (b->port == port)
			return b;
	}
	return NULL;
}

/* ---- conflicts ---- */

static bool
covers4(const struct inet_sock *sk)
{
	return ip_addr_is4(&sk->local) ||
	       (!sk->local.q[0] && !sk->local.q[1] && !READ_ONCE(sk->v6only));
}

static bool
covers6(const struct inet_sock *sk)
{
	return sk->family == AF_INET6 && !ip_addr_is4(&sk->local);
}

bool
inet_bind_overlap(const struct inet_sock *a, const struct inet_sock *b)
{
	bool any_a = ip_addr_is_any(&a->local), any_b = ip_addr_is_any(&b->local);

	if (a->bound_ifindex && b->bound_ifindex && a->bound_ifindex != b->bound_ifindex)
		return false;
	if (!any_a && !any_b)
		return ip_addr_equal(&a->local, &b->local);
	if (any_a && any_b)
		return (covers4(a) && covers4(b)) || (covers6(a) && covers6(b));
	if (any_b)
		SWAP(a, b);
	return ip_addr_is4(&b->local) ? covers4(a) : covers6(a);
}

bool
inet_port_conflict(const struct inet_sock *sk, const struct inet_sock *other)
{
	u32 both = inet_sock_opts(sk) & inet_sock_opts(other);

	if (!inet_bind_overlap(sk, other))
		return false;
	if ((both & SOCKOPT_REUSEPORT) && sk->uid == other->uid)
		return false;
	return !(both & SOCKOPT_REUSEADDR) || other->state == TCP_LISTEN;
}

/* The bucket's lock is held. strict: an automatic port is one that nobody overlaps. */
static bool
bucket_conflict(const struct port_bucket *b, const struct inet_sock *sk, bool strict)
{
	bool (*conflict)(const struct inet_sock *,
			 const struct inet_sock *) = sk->kind->port_conflict
							     ? sk->kind->port_conflict
							     : inet_port_conflict;
	struct inet_sock *o;

	hlist_for_each_entry(o, &b->socks, port_node)
	{
		if (o != sk && (strict ? inet_bind_overlap(sk, o) : conflict(sk, o)))
			return true;
	}
	return false;
}

/* ---- taking ---- */

static int
bucket_join(struct port_table *t, struct port_bucket *b, struct inet_sock *sk, u16 port)
{
	if (!b) {
		b = kmalloc(sizeof(*b), GFP_ATOMIC);
		if (!b)
			return -ENOMEM;
		b->port = port;
		hlist_init(&b->socks);
		hlist_add_head(&b->node, port_slot(t, port));
	}
	hlist_add_head(&sk->port_node, &b->socks);
	sk->port_bucket = b;
	sk->local_port = port;
	return 0;
}

static int
try_port(struct port_table *t, struct inet_sock *sk, u16 port, bool strict)
{
	struct spinlock *lock = port_lock(t, port);
	struct port_bucket *b;
	int r;

	spin_lock(lock);
	b = bucket_peek(t, port);
	r = b && bucket_conflict(b, sk, strict) ? -EADDRINUSE : bucket_join(t, b, sk, port);
	spin_unlock(lock);
	return r;
}

int
inet_port_bind(struct port_table *t, struct inet_sock *sk, u16 port)
{
	u32 min = READ_ONCE(sk->net->inet->port_min), max = READ_ONCE(sk->net->inet->port_max);
	u32 count = max - min + 1, start = (u32)(random_u64() % count);
	int r;

	/* The owner binds again (TCP's listen checks with LISTEN set): where it is already. */
	if (sk->port_bucket && port == sk->local_port) {
		struct spinlock *lock = port_lock(t, port);

		spin_lock(lock);
		r = bucket_conflict(sk->port_bucket, sk, false) ? -EADDRINUSE : 0;
		spin_unlock(lock);
		return r;
	}
	if (port)
		return try_port(t, sk, port, false);
	for (u32 i = 0; i < count; i++) {
		r = try_port(t, sk, (u16)(min + (start + i) % count), true);
		if (r != -EADDRINUSE)
			return r;
	}
	return -EADDRINUSE;
}

int
inet_port_connect(struct port_table *t, struct inet_sock *sk,
		  bool (*unique)(struct inet_sock *sk, u16 port))
{
	u32 min = READ_ONCE(sk->net->inet->port_min), max = READ_ONCE(sk->net->inet->port_max);
	u32 count = max - min + 1;
	u64 words[5] = { sk->local.q[0], sk->local.q[1], sk->remote.q[0], sk->remote.q[1],
			 sk->remote_port };
	u64 h = siphash24_words(&sk->net->hash_key, words, 5);
	static u32 advance[256]; /* RFC 6056, algorithm 4: races only repeat a number */
	u32 *step = &advance[h >> 56];
	u32 start = (u32)h + *step;

	for (u32 i = 0; i < count; i++) {
		u16 port = (u16)(min + (start + i) % count);
		struct spinlock *lock = port_lock(t, port);
		struct port_bucket *b;
		bool taken = false;
		int r;

		spin_lock(lock);
		b = bucket_peek(t, port);
		if (b) {
			/* Ports that a program chose are not for us; others if the 4-tuple is free.
			 */
			struct inet_sock *o;

			hlist_for_each_entry(o, &b->socks, port_node)
			{
				if (o->port_locked) {
					taken = true;
					break;
				}
			}
		}
		if (taken || !unique(sk, port)) {
			spin_unlock(lock);
			continue;
		}
		r = bucket_join(t, b, sk, port);
		spin_unlock(lock);
		WRITE_ONCE(*step, *step + i + 1 + (u32)(random_u64() & 7));
		return r;
	}
	return -EADDRNOTAVAIL;
}

int
inet_port_inherit(struct port_table *t, struct inet_sock *child, const struct inet_sock *parent)
{
	u16 port = parent->local_port;
	struct spinlock *lock = port_lock(t, port);
	int r;

	spin_lock(lock);
	r = bucket_join(t, bucket_peek(t, port), child, port);
	spin_unlock(lock);
	return r;
}

void
inet_port_release(struct port_table *t, struct inet_sock *sk)
{
	struct port_bucket *b = sk->port_bucket;
	struct spinlock *lock;

	if (!b)
		return;
	lock = port_lock(t, b->port);
	spin_lock(lock);
	hlist_del_init(&sk->port_node);
	sk->port_bucket = NULL;
	if (hlist_empty(&b->socks))
		hlist_del(&b->node);
	else
		b = NULL;
	spin_unlock(lock);
	kfree(b);
}

/* ---- demultiplexing ---- */

int
inet_match_score(const struct inet_sock *sk, const struct ip_addr *src, u16 src_port,
		 const struct ip_addr *dst, u32 ifindex)
{
	int score = sk->family == AF_INET ? 1 : 0;

	if (ip_addr_is_any(&sk->local)) {
		if (ip_addr_is4(dst) ? !covers4(sk) : !covers6(sk))
			return -1;
	} else {
		if (!ip_addr_equal(&sk->local, dst))
			return -1;
		score += 4;
	}
	if (sk->remote_port) {
		if (sk->remote_port != src_port || !ip_addr_equal(&sk->remote, src))
			return -1;
		score += 8;
	}
	if (sk->bound_ifindex) {
		if (sk->bound_ifindex != ifindex)
			return -1;
		score += 2;
	}
	return score;
}

u32
inet_flow_hash(const struct net_ns *net, const struct ip_addr *local, u16 local_port,
	       const struct ip_addr *remote, u16 remote_port)
{
	u64 h = net->hash_key.word[0];

	h = hash_mix(h, local->q[1] ^ net->hash_key.word[1]);
	h = hash_mix(h, remote->q[1]);
	if (!ip_addr_is4(remote)) {
		h = hash_mix(h, local->q[0]);
		h = hash_mix(h, remote->q[0]);
	}
	return (u32)(hash_mix(h, (u64)local_port << 16 | remote_port) >> 32);
}
