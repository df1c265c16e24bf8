/* SPDX-License-Identifier: MIT */
/*
 * Who is connected, and who listens.
 *
 * The table of connections is hashed by the four names. A bucket has two chains, full socks and
 * small objects (requests, TIME-WAIT), read under RCU, changed under the bucket's lock. A reader
 * who finds nothing while something moved from one chain to the other looks again: `moves` counts
 * that.
 *
 * Listeners are hashed by port. The best match wins (address and device over wild cards); among
 * equals (SO_REUSEPORT) the hash of the flow chooses, so a flow stays with its listener.
 *
 * A freed sock lives to the end of the net section that found it; whoever locks it must see whether
 * it is still in the table (input.c does, by its state).
 */
#include "core/panic.h"
#include "lib/math.h"
#include "mm/page.h"
#include "mm/slab.h"
#include "tcp_internal.h"

struct bucket {
	struct hlist_head socks, minis;
	struct spinlock lock; /* RANK_INET_HASH */
	u32 moves;
};

#define LISTEN_BITS 8

static struct bucket *table;
static u32 table_bits;
static struct {
	struct hlist_head head;
	struct spinlock lock;
} listeners[1u << LISTEN_BITS];

void
tcp_hash_init(void)
{
	struct mem_stats ms;

	/* A bucket for each 128 KiB of memory: 8 MiB of table on 32 GiB. */
	mem_stats(&ms);
	table_bits = CLAMP(ilog2(ms.total / 32 + 1), 8u, 18u);
	table = kvmalloc(sizeof(struct bucket) << table_bits, GFP_KERNEL);
	if (!table)
		panic("tcp: no memory for the table of connections");
	for (u32 i = 0; i < 1u << table_bits; i++) {
		hlist_init(&table[i].socks);
		hlist_init(&table[i].minis);
		spin_init(&table[i].lock, RANK_INET_HASH);
		table[i].moves = 0;
	}
	for (u32 i = 0; i < ARRAY_SIZE(listeners); i++) {
		hlist_init(&listeners[i].head);
		spin_init(&listeners[i].lock, RANK_INET_HASH);
	}
}

static struct bucket *
bucket_of(u32 hash)
{
	return &table[hash & ((1u << table_bits) - 1)];
}

static bool
sock_matches(const struct inet_sock *sk, u32 hash, const struct ip_addr *local, u16 local_port,
	     const struct ip_addr *remote, u16 remote_port, u32 ifindex)
{
	return sk->hash == hash && sk->local_port == local_port && sk->remote_port == remote_port &&
	       ip_addr_equal(&sk->remote, remote) && ip_addr_equal(&sk->local, local) &&
	       (!sk->bound_ifindex || !ifindex || sk->bound_ifindex == ifindex);
}

static bool
mini_matches(const struct tcp_mini *m, u32 hash, const struct ip_addr *local, u16 local_port,
	     const struct ip_addr *remote, u16 remote_port, u32 ifindex)
{
	return m->hash == hash && m->local_port == local_port && m->remote_port == remote_port &&
	       ip_addr_equal(&m->remote, remote) && ip_addr_equal(&m->local, local) &&
	       (!m->ifindex || !ifindex || m->ifindex == ifindex);
}

struct tcp_sock *
tcp_hash_peek(struct net_ns *net, const struct inet_cb *c, u16 local_port, u16 remote_port,
	      u32 ifindex, struct tcp_mini **mini)
{
	u32 hash = inet_flow_hash(net, &c->dst, local_port, &c->src, remote_port);
	struct bucket *b = bucket_of(hash);
	struct hlist_node *n;
	u32 moves;

	*mini = NULL;
	do {
		moves = smp_load_acquire(&b->moves);
		for (n = rcu_dereference(b->socks.first); n; n = rcu_dereference(n->next)) {
			struct inet_sock *sk = hlist_entry(n, struct inet_sock, hash_node);

			if (sock_matches(sk, hash, &c->dst, local_port, &c->src, remote_port,
					 ifindex))
				return tcp_sock(sk);
		}
		for (n = rcu_dereference(b->minis.first); n; n = rcu_dereference(n->next)) {
			struct tcp_mini *m = hlist_entry(n, struct tcp_mini, node);

			if (mini_matches(m, hash, &c->dst, local_port, &c->src, remote_port,
					 ifindex) &&
			    ref_try_get(&m->ref)) {
				*mini = m;
				return NULL;
			}
		}
		smp_rmb();
	} while (unlikely(READ_ONCE(b->moves) != moves));
	return NULL;
}

static struct inet_sock *
sock_same(struct bucket *b, const struct inet_sock *like, u16 local_port, u32 hash)
{
	struct inet_sock *sk;

	hlist_for_each_entry(sk, &b->socks, hash_node)
	{
		if (sk != like && sock_matches(sk, hash, &like->local, local_port, &like->remote,
					       like->remote_port, like->bound_ifindex))
			return sk;
	}
	return NULL;
}

static struct tcp_mini *
mini_same(struct bucket *b, const struct inet_sock *like, u16 local_port, u32 hash)
{
	struct tcp_mini *m;

	hlist_for_each_entry(m, &b->minis, node)
	{
		if (mini_matches(m, hash, &like->local, local_port, &like->remote,
				 like->remote_port, like->bound_ifindex))
			return m;
	}
	return NULL;
}

static u32
sock_hash(const struct inet_sock *sk, u16 local_port)
{
	return inet_flow_hash(sk->net, &sk->local, local_port, &sk->remote, sk->remote_port);
}

static void
sock_insert(struct bucket *b, struct inet_sock *sk, u32 hash)
{
	sk->hash = hash;
	inet_sock_get(sk);
	hlist_add_head_rcu(&sk->hash_node, &b->socks);
}

bool
tcp_hash_add(struct tcp_sock *tp)
{
	u32 hash = sock_hash(&tp->inet, tp->inet.local_port);
	struct bucket *b = bucket_of(hash);

	spin_lock(&b->lock);
	bool free = !sock_same(b, &tp->inet, tp->inet.local_port, hash) &&
		    !mini_same(b, &tp->inet, tp->inet.local_port, hash);
	if (free)
		sock_insert(b, &tp->inet, hash);
	spin_unlock(&b->lock);
	return free;
}

void
tcp_hash_remove(struct tcp_sock *tp)
{
	struct bucket *b = bucket_of(tp->inet.hash);

	if (hlist_unhashed(&tp->inet.hash_node))
		return;
	spin_lock(&b->lock);
	hlist_del_init_rcu(&tp->inet.hash_node);
	spin_unlock(&b->lock);
	inet_sock_put(&tp->inet);
}

static void
mini_free(struct rcu_head *head)
{
	kfree(container_of(head, struct tcp_mini, rcu));
}

void
tcp_mini_put(struct tcp_mini *m)
{
	if (ref_put(&m->ref))
		rcu_call(&m->rcu, mini_free);
}

void
tcp_hash_add_mini(struct tcp_mini *m)
{
	struct bucket *b = bucket_of(m->hash);

	spin_lock(&b->lock);
	hlist_add_head_rcu(&m->node, &b->minis);
	spin_unlock(&b->lock);
}

bool
tcp_hash_remove_mini(struct tcp_mini *m)
{
	struct bucket *b = bucket_of(m->hash);

	spin_lock(&b->lock);
	bool was_in = !hlist_unhashed(&m->node);
	if (was_in)
		hlist_del_init_rcu(&m->node);
	spin_unlock(&b->lock);
	if (was_in)
		tcp_mini_put(m);
	return was_in;
}

bool
tcp_hash_request_to_sock(struct tcp_mini *m, struct tcp_sock *tp)
{
	struct bucket *b = bucket_of(m->hash);

	spin_lock(&b->lock);
	bool mine = !hlist_unhashed(&m->node) &&
		    !sock_same(b, &tp->inet, tp->inet.local_port, m->hash);
	if (mine) {
		sock_insert(b, &tp->inet, m->hash);
		hlist_del_init_rcu(&m->node);
		smp_store_release(&b->moves, b->moves + 1);
	}
	spin_unlock(&b->lock);
	if (mine)
		tcp_mini_put(m);
	return mine;
}

void
tcp_hash_sock_to_mini(struct tcp_sock *tp, struct tcp_mini *m)
{
	struct bucket *b = bucket_of(tp->inet.hash);

	m->hash = tp->inet.hash;
	spin_lock(&b->lock);
	hlist_add_head_rcu(&m->node, &b->minis);
	bool was_in = !hlist_unhashed(&tp->inet.hash_node);
	if (was_in)
		hlist_del_init_rcu(&tp->inet.hash_node);
	smp_store_release(&b->moves, b->moves + 1);
	spin_unlock(&b->lock);
	if (was_in)
		inet_sock_put(&tp->inet);
}

/*
 * A TIME-WAIT in the way may be reused at once when timestamps keep the two connections' segments
 * apart (RFC 6191): our clock has gone on since its last one. The new connection's sequence numbers
 * begin beyond the old one's.
 */
static bool
timewait_reusable(struct tcp_sock *tp, const struct tcp_timewait *tw)
{
	const struct tcp_net *net = tp->inet.net->tcp;
	u64 now = time_mono_ns();

	if (tw->state != TCP_TIME_WAIT || !tw->ts_on || !net->tw_reuse)
		return false;
	if (net->tw_reuse == 2 &&
	    !(ip_addr_is4(&tp->inet.remote) && ipv4_is_loopback(ip_addr_get4(&tp->inet.remote))))
		return false;
	if (now - tw->ts_recent_ns <= NSEC_PER_SEC)
		return false;
	tp->write_seq = tw->snd_nxt + 65535 + 2;
	if (!tp->write_seq)
		tp->write_seq = 1;
	tp->ts_recent = tw->ts_recent;
	tp->ts_recent_ns = tw->ts_recent_ns;
	return true;
}

bool
tcp_hash_unique(struct inet_sock *sk, u16 port)
{
	u32 hash = sock_hash(sk, port);
	struct bucket *b = bucket_of(hash);
	struct tcp_timewait *tw = NULL;
	bool free = false;

	/* The port table's lock is held, of the same rank: that one first, always. */
	spin_lock_nested(&b->lock);
	struct tcp_mini *m = mini_same(b, sk, port, hash);
	if (m && m->kind == TCP_MINI_TIMEWAIT && !sock_same(b, sk, port, hash)) {
		tw = container_of(m, struct tcp_timewait, mini);
		free = timewait_reusable(tcp_sock(sk), tw);
		if (free)
			ref_get(&m->ref);
		else
			tw = NULL;
	} else if (!m) {
		free = !sock_same(b, sk, port, hash);
	}
	if (free) {
		/* In the table from now on: nobody else gets these four names. */
		if (tw)
			hlist_del_init_rcu(&m->node);
		sk->local_port = port;
		sock_insert(b, sk, hash);
	}
	spin_unlock(&b->lock);
	if (tw) {
		tcp_mini_put(m);
		tcp_timewait_kill(tw);
		tcp_mini_put(m);
	}
	return free;
}

void
tcp_hash_for_each(bool (*sock)(struct tcp_sock *tp, void *ctx),
		  bool (*mini)(struct tcp_mini *m, void *ctx), void *ctx)
{
	bool stop = false;

	for (u32 i = 0; i < 1u << table_bits && !stop; i++) {
		struct hlist_node *n;

		rcu_read_lock();
		for (n = rcu_dereference(table[i].socks.first); n && !stop;
		     n = rcu_dereference(n->next))
			stop = sock(tcp_sock(hlist_entry(n, struct inet_sock, hash_node)), ctx);
		for (n = rcu_dereference(table[i].minis.first); n && !stop;
		     n = rcu_dereference(n->next))
			stop = mini(hlist_entry(n, struct tcp_mini, node), ctx);
		rcu_read_unlock();
	}
}

/* ---- listeners ---- */

static u32
listen_bucket(u16 port)
{
	return port & (ARRAY_SIZE(listeners) - 1);
}

void
tcp_listen_add(struct tcp_sock *tp)
{
	u32 i = listen_bucket(tp->inet.local_port);

	inet_sock_get(&tp->inet);
	spin_lock(&listeners[i].lock);
	hlist_add_head_rcu(&tp->listen_node, &listeners[i].head);
	spin_unlock(&listeners[i].lock);
}

void
tcp_listen_remove(struct tcp_sock *tp)
{
	u32 i = listen_bucket(tp->inet.local_port);

	if (hlist_unhashed(&tp->listen_node))
		return;
	spin_lock(&listeners[i].lock);
	hlist_del_init_rcu(&tp->listen_node);
	spin_unlock(&listeners[i].lock);
	inet_sock_put(&tp->inet);
}

struct tcp_sock *
tcp_listen_peek(struct net_ns *net, const struct inet_cb *c, u16 local_port, u16 remote_port,
		u32 ifindex)
{
	struct hlist_head *head = &listeners[listen_bucket(local_port)].head;
	struct tcp_sock *best = NULL;
	int best_score = -1;
	u32 equals = 0, hash = 0;

	for (struct hlist_node *n = rcu_dereference(head->first); n; n = rcu_dereference(n->next)) {
		struct tcp_sock *tp = hlist_entry(n, struct tcp_sock, listen_node);

		if (tp->inet.local_port != local_port || tp->inet.net != net)
			continue;
		int score = inet_match_score(&tp->inet, &c->src, remote_port, &c->dst, ifindex);
		if (score > best_score) {
			best = tp;
			best_score = score;
			equals = 1;
		} else if (score == best_score && best) {
			/* The n-th of equals takes over with probability 1/n, by the flow's hash.
			 */
			if (equals++ == 1)
				hash = inet_flow_hash(net, &c->dst, local_port, &c->src,
						      remote_port);
			hash = hash * 1664525u + 1013904223u;
			if (((u64)hash * equals) >> 32 == 0)
				best = tp;
		}
	}
	return best;
}

void
tcp_listen_for_each(bool (*fn)(struct tcp_sock *tp, void *ctx), void *ctx)
{
	bool stop = false;

	for (u32 i = 0; i < ARRAY_SIZE(listeners) && !stop; i++) {
		rcu_read_lock();
		for (struct hlist_node *n = rcu_dereference(listeners[i].head.first); n && !stop;
		     n = rcu_dereference(n->next))
			stop = fn(hlist_entry(n, struct tcp_sock, listen_node), ctx);
		rcu_read_unlock();
	}
}
