/* SPDX-License-Identifier: MIT */
/*
 * The neighbour cache: RFC 4861 7.3's state machine, for ARP and ND alike (net/core/neighbour.h).
 *
 *	NONE -> INCOMPLETE (asked, packets wait) -> REACHABLE | FAILED
 *	REACHABLE -(time)-> STALE -(used)-> DELAY -(5 s)-> PROBE -(answer)-> REACHABLE, else FAILED
 *
 * A sender reads state and address without a lock (n->seq); only what changes the state takes
 * n->lock. The hash is read under RCU. An armed timer holds a reference, the table another.
 *
 * Limits: gc_thresh3 entries; beyond that unused ones of no device state go first.
 */
#include "net/core/neighbour.h"

#include "core/random.h"
#include "core/time.h"
#include "mm/slab.h"
#include "net_core_internal.h"
#include "uapi/errno.h"
#include "uapi/socket.h"

static struct neighbour_table *tables;

static u32
key_hash(const struct neighbour_table *t, const void *key, const struct net_device *dev)
{
	u64 h = hash_mix(t->seed, (u64)dev->ifindex);
	u64 words[2] = { 0, 0 };

	memcpy(words, key, t->key_len);
	return (u32)(hash_mix(hash_mix(h, words[0]), words[1]) >> (64 - t->bucket_bits));
}

void
neighbour_table_init(struct neighbour_table *t, struct net_ns *net)
{
	t->net = net;
	t->params = (struct neighbour_params){
		.base_reachable_ns = 30 * NSEC_PER_SEC,
		.retrans_ns = NSEC_PER_SEC,
		.delay_probe_ns = 5 * NSEC_PER_SEC,
		.gc_stale_ns = 60 * NSEC_PER_SEC,
		.ucast_probes = 3,
		.mcast_probes = 3,
		.unres_qlen = 101,
		.gc_thresh1 = 128,
		.gc_thresh2 = 512,
		.gc_thresh3 = 1024,
	};
	t->bucket_bits = 8;
	t->buckets = kzalloc(sizeof(*t->buckets) << t->bucket_bits, GFP_KERNEL | GFP_NOFAIL);
	spin_init(&t->lock, RANK_NEIGHBOUR_TABLE);
	t->seed = (u32)random_u64();
	t->next = tables;
	tables = t;
}

struct neighbour_table *
neighbour_table_of(struct net_ns *net, int family)
{
	struct neighbour_table *t = tables;

	while (t && (t->family != family || t->net != net))
		t = t->next;
	return t;
}

static void
neighbour_free(struct rcu_head *head)
{
	struct neighbour *n = container_of(head, struct neighbour, rcu);

	net_device_put(n->dev);
	kfree(n);
}

void
neighbour_put(struct neighbour *n)
{
	if (ref_put(&n->ref)) {
		packet_queue_purge(&n->pending);
		rcu_call(&n->rcu, neighbour_free);
	}
}

struct neighbour *
neighbour_peek(struct neighbour_table *t, const void *key, struct net_device *dev)
{
	struct neighbour *n;

	hlist_for_each_entry_rcu(n, &t->buckets[key_hash(t, key, dev)], hash_node)
	{
		if (n->dev == dev && !memcmp(n->key, key, t->key_len))
			return n;
	}
	return NULL;
}

/* n->lock held. */
static void
timer_set(struct neighbour *n, u64 deadline)
{
	if (net_timer_start(&n->timer, deadline))
		ref_get(&n->ref);
}

static void
address_set(struct neighbour *n, const u8 *addr)
{
	if (!memcmp(n->addr, addr, n->dev->addr_len))
		return;
	seq_write_begin(&n->seq);
	memcpy(n->addr, addr, n->dev->addr_len);
	seq_write_end(&n->seq);
}

static void
state_set(struct neighbour *n, u8 state)
{
	if (n->state != state) {
		WRITE_ONCE(n->state, state);
		n->updated = time_mono_ns();
	}
}

/* Off the table; the caller has taken it off the hash and puts the table's reference. */
static void
neighbour_kill(struct neighbour *n)
{
	bool put;

	spin_lock(&n->lock);
	n->dead = true;
	state_set(n, NUD_FAILED);
	put = net_timer_cancel(&n->timer);
	spin_unlock(&n->lock);
	packet_queue_purge(&n->pending);
	net_route_changed(n->table->net);
	if (put)
		neighbour_put(n);
	neighbour_put(n);
}

/* t->lock held. Takes off what nobody needs; *dead gathers them by hash_node.next. */
static void
table_shrink(struct neighbour_table *t, struct hlist_head *dead)
{
	u64 now = time_mono_ns();

	for (u32 i = 0; i < 1u << t->bucket_bits; i++) {
		struct neighbour *n;
		struct hlist_node *next;

		hlist_for_each_entry_safe(n, next, &t->buckets[i], hash_node)
		{
			if (n->state & (NUD_PERMANENT | NUD_INCOMPLETE | NUD_DELAY | NUD_PROBE))
				continue;
			if (n->state != NUD_FAILED && t->count <= t->params.gc_thresh3 &&
			    now - READ_ONCE(n->used) < 5 * NSEC_PER_SEC)
				continue;
			hlist_del_init_rcu(&n->hash_node);
			t->count--;
			/* pprev links the dead: next must stay as it is for readers */
			n->hash_node.pprev = (struct hlist_node **)dead->first;
			dead->first = &n->hash_node;
		}
	}
}

static void
dead_put(struct hlist_head *dead)
{
	struct hlist_node *at = dead->first;

	while (at) {
		struct neighbour *n = container_of(at, struct neighbour, hash_node);

		at = (struct hlist_node *)n->hash_node.pprev;
		n->hash_node.pprev = NULL;
		neighbour_kill(n);
	}
}

static void neighbour_timer(struct net_timer *nt);

struct neighbour *
neighbour_peek_or_create(struct neighbour_table *t, const void *key, struct net_device *dev)
{
	struct neighbour *n = neighbour_peek(t, key, dev), *fresh;
	struct hlist_head dead = HLIST_INIT;

	if (likely(n != NULL))
		return n;
	fresh = kzalloc(sizeof(*fresh), GFP_ATOMIC | GFP_NOWARN);
	if (!fresh)
		return NULL;
	fresh->table = t;
	fresh->dev = dev;
	memcpy(fresh->key, key, t->key_len);
	ref_init(&fresh->ref);
	spin_init(&fresh->lock, RANK_NEIGHBOUR);
	packet_queue_init(&fresh->pending);
	net_timer_init(&fresh->timer, neighbour_timer);
	fresh->used = fresh->updated = time_mono_ns();
	fresh->state = NUD_NONE;
	if (dev->flags & (IFF_NOARP | IFF_LOOPBACK))
		fresh->state = NUD_NOARP;
	t->construct(fresh);

	spin_lock(&t->lock);
	n = neighbour_peek(t, key, dev);
	if (!n && t->count >= t->params.gc_thresh2)
		table_shrink(t, &dead);
	if (!n && t->count < t->params.gc_thresh3 && READ_ONCE(dev->registered)) {
		net_device_get(dev);
		hlist_add_head_rcu(&fresh->hash_node, &t->buckets[key_hash(t, key, dev)]);
		t->count++;
		n = fresh;
		fresh = NULL;
	}
	spin_unlock(&t->lock);
	dead_put(&dead);
	kfree(fresh);
	return n;
}

/* ---- output ---- */

static int
header_push(struct neighbour *n, struct packet *p)
{
	struct net_device *dev = n->dev;
	u8 to[NET_ADDR_LEN];
	u32 s;

	do {
		s = seq_read_begin(&n->seq);
		memcpy(to, n->addr, ETH_ALEN);
		if (dev->addr_len > ETH_ALEN)
			memcpy(to, n->addr, NET_ADDR_LEN);
	} while (seq_read_retry(&n->seq, s));
	if (dev->ops->header)
		return dev->ops->header(dev, p, n->table->protocol, to, dev->addr);
	if (!dev->header_len) {
		packet_set_link(p);
		p->protocol = n->table->protocol;
		return 0;
	}
	return eth_header_push(p, n->table->protocol, to, dev->addr);
}

/* Used while STALE: trust it for a while, then ask. */
static void
delay_start(struct neighbour *n, u64 now)
{
	spin_lock(&n->lock);
	if (n->state == NUD_STALE && !n->dead) {
		state_set(n, NUD_DELAY);
		timer_set(n, now + n->table->params.delay_probe_ns);
	}
	spin_unlock(&n->lock);
}

/* No address yet: ask, and queue p. Takes over p. */
static int
pending_add(struct neighbour *n, struct packet *p)
{
	struct neighbour_table *t = n->table;
	struct packet *old = NULL;
	bool ask = false, valid, waits;

	packet_orphan(p);
	spin_lock(&n->lock);
	if (!(n->state & (NUD_VALID | NUD_INCOMPLETE)) && !n->dead) {
		state_set(n, NUD_INCOMPLETE);
		n->probes = 1;
		timer_set(n, time_mono_ns() + t->params.retrans_ns);
		ask = true;
	}
	spin_unlock(&n->lock);
	if (ask)
		t->solicit(n, p);
	spin_lock(&n->lock);
	valid = n->state & NUD_VALID; /* the answer was quicker */
	waits = n->state & NUD_INCOMPLETE && !n->dead;
	if (waits) {
		spin_lock(&n->pending.lock);
		if (n->pending.count >= t->params.unres_qlen)
			old = packet_queue_take_locked(&n->pending);
		packet_queue_tail_locked(&n->pending, p);
		spin_unlock(&n->pending.lock);
	}
	spin_unlock(&n->lock);
	packet_free(old);
	if (waits)
		return 0;
	if (valid)
		return neighbour_output(n, p);
	packet_free(p);
	return -EHOSTUNREACH;
}

int
neighbour_output(struct neighbour *n, struct packet *p)
{
	u8 state = READ_ONCE(n->state);
	int r;

	p->dev = n->dev;
	if (unlikely(!(state & NUD_VALID)))
		return pending_add(n, p);
	if (state & (NUD_STALE | NUD_REACHABLE)) {
		u64 now = time_coarse_mono_ns();

		if (READ_ONCE(n->used) != now)
			WRITE_ONCE(n->used, now);
		if (state == NUD_STALE)
			delay_start(n, time_mono_ns());
	}
	r = header_push(n, p);
	if (unlikely(r)) {
		packet_free(p);
		return r;
	}
	return net_transmit(p);
}

/* Send what waited: the address is known. */
static void
pending_send(struct neighbour *n)
{
	struct packet *p;

	net_begin();
	while ((p = packet_queue_take(&n->pending)))
		(void)neighbour_output(n, p);
	net_end();
}

/* Nobody answers: each packet's sender hears of it. */
static void
pending_fail(struct neighbour *n)
{
	struct packet *p;

	while ((p = packet_queue_take(&n->pending)))
		n->table->error(n, p);
}

/* ---- time ---- */

static u64
reachable_ns(const struct neighbour_table *t)
{
	u64 base = t->params.base_reachable_ns;

	return base / 2 + random_u64() % (base + 1);
}

/* Due: what next? n->lock held. True: ask. *failed: nobody answered. */
static bool
timer_step(struct neighbour *n, u64 now, bool *failed)
{
	struct neighbour_params *pa = &n->table->params;

	switch (n->state) {
	case NUD_REACHABLE:
		if (READ_ONCE(n->confirmed) + pa->base_reachable_ns > now) {
			timer_set(n, n->confirmed + reachable_ns(n->table));
			return false;
		}
		state_set(n, NUD_STALE);
		if (now - READ_ONCE(n->used) < pa->delay_probe_ns) {
			state_set(n, NUD_DELAY);
			timer_set(n, now + pa->delay_probe_ns);
		}
		return false;
	case NUD_DELAY:
		if (READ_ONCE(n->confirmed) + pa->delay_probe_ns > now) {
			state_set(n, NUD_REACHABLE);
			timer_set(n, now + reachable_ns(n->table));
			return false;
		}
		state_set(n, NUD_PROBE);
		n->probes = 0;
		__fallthrough;
	case NUD_PROBE:
	case NUD_INCOMPLETE:
		if (n->probes >= (n->state == NUD_PROBE ? pa->ucast_probes : pa->mcast_probes)) {
			state_set(n, NUD_FAILED);
			*failed = true;
			return false;
		}
		n->probes++;
		timer_set(n, now + pa->retrans_ns);
		return true;
	}
	return false;
}

static void
neighbour_timer(struct net_timer *nt)
{
	struct neighbour *n = container_of(nt, struct neighbour, timer);
	bool ask = false, failed = false, rearmed;
	u8 old;

	spin_lock(&n->lock);
	old = n->state;
	switch (net_timer_fired(nt)) {
	case NET_TIMER_DUE:
		rearmed = false;
		if (!n->dead)
			ask = timer_step(n, time_mono_ns(), &failed);
		break;
	case NET_TIMER_REARMED: rearmed = true; break;
	default: rearmed = false;
	}
	spin_unlock(&n->lock);
	if (failed)
		pending_fail(n);
	if (ask) {
		struct packet *p;

		/* The first waiting packet names the source to ask with. */
		spin_lock(&n->pending.lock);
		p = packet_queue_peek(&n->pending);
		p = p ? packet_clone(p, GFP_ATOMIC) : NULL;
		spin_unlock(&n->pending.lock);
		n->table->solicit(n, p);
		packet_free(p);
	}
	if (old != n->state)
		net_notify(n->table->net, NET_NEIGH_CHANGE, n);
	if (!rearmed)
		neighbour_put(n);
}

/* ---- news ---- */

int
neighbour_update(struct neighbour *n, const u8 *addr, u8 state, u32 flags)
{
	bool send = false, changed, was_valid, notify;
	u64 now = time_mono_ns();
	u8 old;

	spin_lock(&n->lock);
	if (n->dead ||
	    ((n->state & (NUD_PERMANENT | NUD_NOARP)) && !(flags & NEIGH_UPDATE_ADMIN))) {
		spin_unlock(&n->lock);
		return n->dead ? -ENOENT : -EPERM;
	}
	old = n->state;
	was_valid = old & NUD_VALID;
	changed = addr && memcmp(addr, n->addr, n->dev->addr_len);
	if (was_valid && changed && !(flags & (NEIGH_UPDATE_OVERRIDE | NEIGH_UPDATE_ADMIN))) {
		/* RFC 4861 7.2.5: somebody else claims it: doubt, but keep the old. */
		if (old == NUD_REACHABLE)
			state_set(n, NUD_STALE);
		goto out_unlock;
	}
	if (flags & NEIGH_UPDATE_ROUTER)
		n->flags = flags & NEIGH_UPDATE_IS_ROUTER ? n->flags | NEIGH_F_ROUTER
							  : n->flags & ~NEIGH_F_ROUTER;
	if (!addr && !was_valid && (state & NUD_VALID)) {
		spin_unlock(&n->lock);
		return -EINVAL;
	}
	if (addr && changed)
		address_set(n, addr);
	/* An unsolicited word of what we know already does not make it less sure. */
	if (state == NUD_STALE && was_valid && !changed && (old & NUD_CONNECTED) &&
	    !(flags & NEIGH_UPDATE_ADMIN))
		state = old;
	if (state & NUD_CONNECTED)
		n->confirmed = now;
	state_set(n, state);
	n->probes = 0;
	if (state == NUD_REACHABLE)
		timer_set(n, now + reachable_ns(n->table));
	else if (state == NUD_PROBE || state == NUD_INCOMPLETE)
		timer_set(n, now + n->table->params.retrans_ns);
	else if (state == NUD_DELAY)
		timer_set(n, now + n->table->params.delay_probe_ns);
	else
		net_timer_stop(&n->timer);
	send = (state & NUD_VALID) && !packet_queue_empty(&n->pending);
out_unlock:
	notify = old != n->state || changed;
	spin_unlock(&n->lock);
	if (send)
		pending_send(n);
	if (notify)
		net_notify(n->table->net, NET_NEIGH_CHANGE, n);
	return 0;
}

int
neighbour_delete(struct neighbour_table *t, const void *key, struct net_device *dev)
{
	struct neighbour *n;

	net_begin();
	spin_lock(&t->lock);
	n = neighbour_peek(t, key, dev);
	if (n) {
		hlist_del_init_rcu(&n->hash_node);
		t->count--;
	}
	spin_unlock(&t->lock);
	if (n) {
		ref_get(&n->ref);
		neighbour_kill(n);
		net_notify(t->net, NET_NEIGH_CHANGE, n);
		neighbour_put(n);
	}
	net_end();
	return n ? 0 : -ENOENT;
}

void
neighbour_flush_device(struct net_device *dev, bool keep_permanent)
{
	for (struct neighbour_table *t = tables; t; t = t->next) {
		struct hlist_head dead = HLIST_INIT;

		spin_lock(&t->lock);
		for (u32 i = 0; i < 1u << t->bucket_bits; i++) {
			struct neighbour *n;
			struct hlist_node *next;

			hlist_for_each_entry_safe(n, next, &t->buckets[i], hash_node)
			{
				if (n->dev != dev || (keep_permanent && (n->state & NUD_PERMANENT)))
					continue;
				hlist_del_init_rcu(&n->hash_node);
				t->count--;
				n->hash_node.pprev = (struct hlist_node **)dead.first;
				dead.first = &n->hash_node;
			}
		}
		spin_unlock(&t->lock);
		dead_put(&dead);
	}
}

void
neighbour_for_each(struct neighbour_table *t, bool (*fn)(struct neighbour *n, void *ctx), void *ctx)
{
	rcu_read_lock();
	for (u32 i = 0; i < 1u << t->bucket_bits; i++) {
		struct neighbour *n;

		hlist_for_each_entry_rcu(n, &t->buckets[i], hash_node)
		{
			if (fn(n, ctx))
				goto out;
		}
	}
out:
	rcu_read_unlock();
}
