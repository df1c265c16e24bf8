/* SPDX-License-Identifier: MIT */
/*
 * The forwarding tables and rules (net/core/route.h).
 *
 * A table is one hash of its entries by (prefix length, masked destination), with a bitmap of the
 * lengths in use: a lookup tries those from the longest down, one probe each. Entries of equal
 * prefix stand in the chain in the order of their priority. Readers run under RCU; when the hash
 * grows, entries move to other chains, and the readers' sequence count makes them look again.
 *
 * Path MTUs that ICMP taught are kept apart, in a small hash that forgets.
 */
#include "net/core/route.h"

#include "core/panic.h"
#include "core/random.h"
#include "core/time.h"
#include "mm/slab.h"
#include "net_core_internal.h"
#include "uapi/errno.h"
#include "uapi/socket.h"

#define TABLE_BITS_MIN 5
#define PMTU_BUCKETS   256
#define PMTU_WAYS      4
#define PMTU_NS	       (600 * NSEC_PER_SEC)

struct route_table {
	struct route_table *next; /* RCU; tables never go */
	u32 id;
	struct hlist_head *buckets; /* RCU */
	u32 bits, count;
	struct seqcount resize;
	u64 lengths[3];	     /* bitmap of the prefix lengths in use */
	u32 per_length[129]; /* entries of each */
};

struct family_routes {
	int family;
	u8 max_len;
	struct route_table *tables, *local, *main, *fallback;
	struct list rules; /* RCU, by priority */
	bool custom_rules;
};

struct pmtu_entry {
	struct ip_addr dst;
	u32 mtu;
	u64 expires;
};
struct pmtu_bucket {
	struct spinlock lock; /* RANK_ROUTE */
	struct pmtu_entry ways[PMTU_WAYS];
};

struct route_tables {
	struct family_routes v4, v6;
	u64 seed;
	struct pmtu_bucket pmtu[PMTU_BUCKETS];
	u32 pmtu_count; /* ever learned; 0: nobody looks */
};

static struct family_routes *
routes_of(struct net_ns *net, int family)
{
	return family == AF_INET6 ? &net->routes->v6 : &net->routes->v4;
}

/* The key's bits: an IPv4 address is the last word of the mapped form. */
static struct ip_addr
mask_addr(const struct ip_addr *a, int family, u32 len)
{
	struct ip_addr m = *a;
	u32 from = family == AF_INET6 ? len : len + 96;

	for (u32 i = 0; i < 4; i++) {
		u32 start = i * 32;

		if (from <= start)
			m.w[i] = 0;
		else if (from < start + 32)
			m.w[i] &= htonl(~0u << (start + 32 - from));
	}
	if (family != AF_INET6) {
		m.q[0] = 0;
		m.w[2] = htonl(0xffff);
	}
	return m;
}

static u32
prefix_hash(u64 seed, const struct ip_addr *masked, u32 len, u32 bits)
{
	u64 h = hash_mix(seed + len, masked->q[0]);

	return (u32)(hash_mix(h, masked->q[1]) >> (64 - bits));
}

static struct route_table *
table_peek(struct family_routes *fr, u32 id)
{
	struct route_table *t = rcu_dereference(fr->tables);

	while (t && t->id != id)
		t = rcu_dereference(t->next);
	return t;
}

static struct route_table *
table_create(struct family_routes *fr, u32 id)
{
	struct route_table *t = table_peek(fr, id);

	if (t)
		return t;
	t = kzalloc(sizeof(*t), GFP_KERNEL);
	if (!t)
		return NULL;
	t->id = id;
	t->bits = TABLE_BITS_MIN;
	t->buckets = kzalloc(sizeof(*t->buckets) << t->bits, GFP_KERNEL);
	if (!t->buckets) {
		kfree(t);
		return NULL;
	}
	t->next = fr->tables;
	rcu_assign_pointer(fr->tables, t);
	return t;
}

/* Link `e` before `at` (NULL: the end of the chain that `link` ends). */
static void
chain_insert(struct hlist_node *e, struct hlist_node **link)
{
	struct hlist_node *at = *link;

	e->next = at;
	e->pprev = link;
	if (at)
		at->pprev = &e->next;
	smp_store_release(link, e);
}

static bool
same_prefix(const struct route_entry *a, const struct route_entry *b)
{
	return a->prefix_len == b->prefix_len && ip_addr_equal(&a->dst, &b->dst);
}

/* Behind entries of its prefix that come first: higher tos, lower priority, older. */
static void
entry_link(struct family_routes *fr, struct route_table *t, struct hlist_head *buckets, u32 bits,
	   u64 seed, struct route_entry *e, bool first_of_equals)
{
	struct hlist_node **link = &buckets[prefix_hash(seed, &e->dst, e->prefix_len, bits)].first;

	for (; *link; link = &(*link)->next) {
		struct route_entry *o = container_of(*link, struct route_entry, hash_node);

		if (!same_prefix(o, e))
			continue;
		if (o->tos < e->tos || (o->tos == e->tos && o->priority > e->priority) ||
		    (first_of_equals && o->tos == e->tos && o->priority == e->priority))
			break;
	}
	chain_insert(&e->hash_node, link);
}

static void
table_grow(struct family_routes *fr, struct route_table *t, u64 seed)
{
	u32 bits = t->bits + 2;
	struct hlist_head *old = t->buckets, *fresh;

	if (t->count < 2u << t->bits || bits > 20)
		return;
	fresh = kvmalloc(sizeof(*fresh) << bits, GFP_KERNEL | GFP_ZERO);
	if (!fresh)
		return;
	memset(fresh, 0, sizeof(*fresh) << bits);
	/* Readers spin on an odd count: no preemption. */
	preempt_disable();
	seq_write_begin(&t->resize);
	for (u32 i = 0; i < 1u << t->bits; i++) {
		struct hlist_node *n = old[i].first, *next;

		for (; n; n = next) {
			next = n->next;
			entry_link(fr, t, fresh, bits, seed,
				   container_of(n, struct route_entry, hash_node), false);
		}
	}
	t->buckets = fresh;
	t->bits = bits;
	seq_write_end(&t->resize);
	preempt_enable();
	rcu_synchronize();
	kvfree(old);
}

/* ---- entries ---- */

static void
entry_free(struct rcu_head *head)
{
	struct route_entry *e = container_of(head, struct route_entry, rcu);

	for (u32 i = 0; i < e->nr_hops; i++)
		net_device_put(e->hops[i].dev);
	kfree(e);
}

static void
entry_unlink(struct net_ns *net, struct family_routes *fr, struct route_table *t,
	     struct route_entry *e)
{
	struct route_change change = { .family = fr->family, .entry = e };

	hlist_del_rcu(&e->hash_node);
	t->count--;
	if (--t->per_length[e->prefix_len] == 0)
		t->lengths[e->prefix_len / 64] &= ~BIT(e->prefix_len % 64);
	net_route_changed(net);
	net_notify(net, NET_ROUTE_DEL, &change);
	rcu_call(&e->rcu, entry_free);
}

/* A gateway must be on a link: reached without another gateway. Names the device if none is given.
 */
static int
hop_check(struct net_ns *net, int family, struct route_hop *h)
{
	const struct route_entry *entry;
	const struct route_hop *hop;
	struct flow f = { .dst = h->gateway, .oif = h->dev ? h->dev->ifindex : 0 };
	int r;

	if (!h->has_gateway)
		return h->dev ? h->dev->flags & IFF_UP ? 0 : -ENETDOWN : -EINVAL;
	if (h->onlink)
		return h->dev ? h->dev->flags & IFF_UP ? 0 : -ENETDOWN : -EINVAL;
	if (family == AF_INET6 && ipv6_is_linklocal(&h->gateway))
		return h->dev ? h->dev->flags & IFF_UP ? 0 : -ENETDOWN : -EINVAL;
	net_begin();
	r = route_lookup_entry(net, family, &f, &entry, &hop);
	if (!r && (entry->type != RTN_UNICAST || hop->has_gateway))
		r = entry->type == RTN_LOCAL ? -EINVAL : -ENETUNREACH;
	if (!r && !h->dev)
		h->dev = hop->dev;
	net_end();
	return r ? (r == -EINVAL ? r : -ENETUNREACH) : 0;
}

static bool
hops_equal(const struct route_entry *a, const struct route_entry *b)
{
	if (a->nr_hops != b->nr_hops)
		return false;
	for (u32 i = 0; i < a->nr_hops; i++)
		if (a->hops[i].dev != b->hops[i].dev ||
		    a->hops[i].has_gateway != b->hops[i].has_gateway ||
		    (a->hops[i].has_gateway &&
		     !ip_addr_equal(&a->hops[i].gateway, &b->hops[i].gateway)))
			return false;
	return true;
}

/* Entries of e's prefix: same tos and priority. */
static struct route_entry *
entry_find_equal(struct route_table *t, u64 seed, const struct route_entry *e, bool exact)
{
	struct route_entry *o;

	hlist_for_each_entry(o, &t->buckets[prefix_hash(seed, &e->dst, e->prefix_len, t->bits)],
			     hash_node)
	{
		if (same_prefix(o, e) && o->tos == e->tos && o->priority == e->priority &&
		    (!exact || (o->type == e->type && o->scope == e->scope && hops_equal(o, e) &&
				ip_addr_equal(&o->source, &e->source))))
			return o;
	}
	return NULL;
}

int
route_add(struct net_ns *net, int family, const struct route_entry *template, u32 flags)
{
	struct family_routes *fr = routes_of(net, family);
	struct route_change change = { .family = family };
	struct route_entry *e, *old;
	u64 seed = net->routes->seed;
	struct route_table *t;
	int r;

	mutex_assert_held(&net->config_lock);
	if (template->prefix_len > fr->max_len)
		return -EINVAL;
	e = kmemdup(template, sizeof(*template), GFP_KERNEL);
	t = table_create(fr, template->table_id ? template->table_id : RT_TABLE_MAIN);
	r = -ENOMEM;
	if (!e || !t)
		goto out_free;
	e->table_id = t->id;
	e->table = t->id < 256 ? (u8)t->id : RT_TABLE_COMPAT;
	e->dst = mask_addr(&template->dst, family, e->prefix_len);
	r = -EINVAL;
	if (!ip_addr_equal(&e->dst, &template->dst) && family == AF_INET && e->prefix_len)
		goto out_free;
	if (e->type == RTN_UNICAST || e->type == RTN_LOCAL || e->type == RTN_BROADCAST ||
	    e->type == RTN_MULTICAST || e->type == RTN_ANYCAST) {
		if (!e->nr_hops)
			goto out_free;
		for (u32 i = 0; i < e->nr_hops; i++) {
			r = hop_check(net, family, &e->hops[i]);
			if (r)
				goto out_free;
		}
	}
	r = -EEXIST;
	old = entry_find_equal(t, seed, e, false);
	if (old && (flags & ROUTE_EXCL))
		goto out_free;
	if (!(flags & ROUTE_REPLACE) && entry_find_equal(t, seed, e, true))
		goto out_free;
	r = -ENOENT;
	if (!old && !(flags & ROUTE_CREATE))
		goto out_free;
	for (u32 i = 0; i < e->nr_hops; i++)
		if (e->hops[i].dev)
			net_device_get(e->hops[i].dev);
	ref_init(&e->ref);
	entry_link(fr, t, t->buckets, t->bits, seed, e, !(flags & ROUTE_APPEND));
	t->count++;
	if (t->per_length[e->prefix_len]++ == 0)
		t->lengths[e->prefix_len / 64] |= BIT(e->prefix_len % 64);
	net_route_changed(net);
	change.entry = e;
	change.replaced = old && (flags & ROUTE_REPLACE);
	net_notify(net, NET_ROUTE_ADD, &change);
	if (old && (flags & ROUTE_REPLACE))
		entry_unlink(net, fr, t, old);
	table_grow(fr, t, seed);
	return 0;

out_free:
	kfree(e);
	return r;
}

static bool
entry_matches(const struct route_entry *o, const struct route_entry *e)
{
	if (!same_prefix(o, e) || (e->tos && o->tos != e->tos) || (e->type && o->type != e->type) ||
	    (e->scope != RT_SCOPE_NOWHERE && o->scope != e->scope) ||
	    (e->priority && o->priority != e->priority) ||
	    (e->protocol && o->protocol != e->protocol) ||
	    (!ip_addr_is_any(&e->source) && !ip_addr_equal(&e->source, &o->source)))
		return false;
	for (u32 i = 0; i < e->nr_hops; i++) {
		const struct route_hop *want = &e->hops[i], *have = &o->hops[i];

		if (i >= o->nr_hops || (want->dev && want->dev != have->dev) ||
		    (want->has_gateway &&
		     (!have->has_gateway || !ip_addr_equal(&want->gateway, &have->gateway))))
			return false;
	}
	return true;
}

int
route_del(struct net_ns *net, int family, const struct route_entry *template)
{
	struct family_routes *fr = routes_of(net, family);
	struct route_table *t = table_peek(fr,
					   template->table_id ? template->table_id : RT_TABLE_MAIN);
	struct route_entry key = *template, *o;

	mutex_assert_held(&net->config_lock);
	if (key.prefix_len > fr->max_len)
		return -EINVAL;
	key.dst = mask_addr(&template->dst, family, key.prefix_len);
	if (!t)
		return -ESRCH;
	hlist_for_each_entry(
		o, &t->buckets[prefix_hash(net->routes->seed, &key.dst, key.prefix_len, t->bits)],
		hash_node)
	{
		if (entry_matches(o, &key)) {
			entry_unlink(net, fr, t, o);
			return 0;
		}
	}
	return -ESRCH;
}

/* Take away all that fn agrees to. */
static void
routes_flush(struct net_ns *net, struct family_routes *fr,
	     bool (*fn)(const struct route_entry *e, const void *ctx), const void *ctx)
{
	for (struct route_table *t = fr->tables; t; t = t->next)
		for (u32 i = 0; i < 1u << t->bits; i++) {
			struct route_entry *e;
			struct hlist_node *next;

			hlist_for_each_entry_safe(e, next, &t->buckets[i], hash_node)
			{
				if (fn(e, ctx))
					entry_unlink(net, fr, t, e);
			}
		}
}

struct age {
	u64 now, next;
};

static bool
is_over(const struct route_entry *e, const void *ctx)
{
	struct age *age = (struct age *)ctx;

	if (!e->expires)
		return false;
	if (e->expires <= age->now)
		return true;
	age->next = MIN(age->next, e->expires);
	return false;
}

u64
route_expire(struct net_ns *net, int family, u64 now)
{
	struct age age = { .now = now, .next = TIME_NEVER };

	mutex_assert_held(&net->config_lock);
	routes_flush(net, routes_of(net, family), is_over, &age);
	return age.next;
}

static bool
uses_device(const struct route_entry *e, const void *dev)
{
	for (u32 i = 0; i < e->nr_hops; i++)
		if (e->hops[i].dev == dev)
			return true;
	return false;
}

static bool
uses_device_but_local(const struct route_entry *e, const void *dev)
{
	return e->type != RTN_LOCAL && uses_device(e, dev);
}

void
route_flush_device(struct net_ns *net, struct net_device *dev, bool keep_local)
{
	bool (*fn)(const struct route_entry *e,
		   const void *ctx) = keep_local ? uses_device_but_local : uses_device;

	routes_flush(net, &net->routes->v4, fn, dev);
	routes_flush(net, &net->routes->v6, fn, dev);
}

struct source_key {
	const struct ip_addr *addr;
	const struct net_device *dev;
};

static bool
uses_source(const struct route_entry *e, const void *ctx)
{
	const struct source_key *k = ctx;

	return ip_addr_equal(&e->source, k->addr) && (!k->dev || uses_device(e, k->dev));
}

void
route_flush_source(struct net_ns *net, int family, const struct ip_addr *a, struct net_device *dev)
{
	struct source_key k = { a, dev };

	routes_flush(net, routes_of(net, family), uses_source, &k);
}

void
route_for_each(struct net_ns *net, int family, u32 table_id,
	       bool (*fn)(const struct route_entry *e, void *ctx), void *ctx)
{
	struct family_routes *fr = routes_of(net, family);

	for (struct route_table *t = rcu_dereference(fr->tables); t; t = rcu_dereference(t->next)) {
		if (table_id && t->id != table_id)
			continue;
		for (int len = 0; len <= fr->max_len; len++) {
			if (!t->per_length[len])
				continue;
			for (u32 i = 0; i < 1u << t->bits; i++) {
				const struct route_entry *e;

				hlist_for_each_entry_rcu(e, &t->buckets[i], hash_node)
				{
					if (e->prefix_len == len && fn(e, ctx))
						return;
				}
			}
		}
	}
}

/* ---- lookup ---- */

static const struct route_hop *
hop_choose(const struct route_entry *e, const struct flow *f)
{
	u32 total = 0, pick;

	if (likely(e->nr_hops == 1)) {
		const struct route_hop *h = &e->hops[0];

		return (!f->oif || !h->dev || h->dev->ifindex == f->oif) &&
				       (e->type == RTN_LOCAL || !h->dev ||
					(READ_ONCE(h->dev->flags) & IFF_UP))
			       ? h
			       : NULL;
	}
	for (u32 i = 0; i < e->nr_hops; i++)
		total += e->hops[i].weight + 1u;
	if (!total)
		return NULL;
	pick = (u32)(hash_mix(hash_mix(f->dst.q[1], f->src.q[1]),
			      (u64)f->src_port << 16 | f->dst_port) %
		     total);
	for (u32 round = 0; round < 2; round++)
		for (u32 i = 0; i < e->nr_hops; i++) {
			const struct route_hop *h = &e->hops[i];
			bool usable = (!f->oif || h->dev->ifindex == f->oif) &&
				      (READ_ONCE(h->dev->flags) & IFF_UP);

			if (usable && (round || pick < h->weight + 1u))
				return h;
			pick -= MIN(pick, h->weight + 1u);
		}
	return NULL;
}

static int
type_error(u8 type)
{
	switch (type) {
	case RTN_BLACKHOLE: return -EINVAL;
	case RTN_UNREACHABLE: return -EHOSTUNREACH;
	case RTN_PROHIBIT: return -EACCES;
	}
	return 0;
}

static const struct route_hop no_hop;

/* 0, -EAGAIN: nothing here (or a throw route), or what an unreachable route says. */
static int
table_lookup(const struct family_routes *fr, const struct route_table *t, u64 seed,
	     const struct flow *f, const struct route_entry **entry, const struct route_hop **hop)
{
	u32 s;

	if (!t)
		return -EAGAIN;
again:
	s = seq_read_begin(&t->resize);
	for (int w = 2; w >= 0; w--) {
		u64 lengths = READ_ONCE(t->lengths[w]);

		while (lengths) {
			u32 bit = 63 - (u32)__builtin_clzl(lengths), len = (u32)w * 64 + bit;
			struct ip_addr key = mask_addr(&f->dst, fr->family, len);
			const struct hlist_head *b =
				&t->buckets[prefix_hash(seed, &key, len, t->bits)];
			struct route_entry *e;

			lengths &= ~BIT(bit);
			hlist_for_each_entry_rcu(e, b, hash_node)
			{
				const struct route_hop *h;
				int r;

				if (e->prefix_len != len || !ip_addr_equal(&e->dst, &key) ||
				    (e->tos && e->tos != f->tos))
					continue;
				if (e->expires && e->expires < time_mono_ns())
					continue;
				if (e->type == RTN_THROW)
					return -EAGAIN;
				*entry = e;
				r = type_error(e->type);
				if (r) {
					*hop = &no_hop;
					return r;
				}
				h = hop_choose(e, f);
				if (h) {
					*hop = h;
					return 0;
				}
			}
		}
	}
	if (seq_read_retry(&t->resize, s))
		goto again;
	return -EAGAIN;
}

static bool
prefix_match(const struct ip_addr *a, const struct ip_addr *prefix, int family, u32 len)
{
	struct ip_addr m = mask_addr(a, family, len);

	return ip_addr_equal(&m, prefix);
}

static bool
rule_matches(struct net_ns *net, int family, const struct route_rule *r, const struct flow *f)
{
	bool match = (!r->dst_len || prefix_match(&f->dst, &r->dst, family, r->dst_len)) &&
		     (!r->src_len || prefix_match(&f->src, &r->src, family, r->src_len)) &&
		     (!r->tos || r->tos == f->tos) && !((r->mark ^ f->mark) & r->mark_mask);

	if (match && r->iif[0]) {
		struct net_device *dev = net_device_peek_by_index(
			net, f->iif ? f->iif : net->loopback->ifindex);

		match = dev && !strncmp(dev->name, r->iif, IFNAMSIZ);
	}
	if (match && r->oif[0]) {
		struct net_device *dev = net_device_peek_by_index(net, f->oif);

		match = dev && !strncmp(dev->name, r->oif, IFNAMSIZ);
	}
	return match != r->invert;
}

int
route_lookup_entry(struct net_ns *net, int family, const struct flow *f,
		   const struct route_entry **entry, const struct route_hop **hop)
{
	struct family_routes *fr = routes_of(net, family);
	u64 seed = net->routes->seed;
	struct route_rule *rule;
	int r;

	if (likely(!READ_ONCE(fr->custom_rules))) {
		r = table_lookup(fr, fr->local, seed, f, entry, hop);
		if (r == -EAGAIN)
			r = table_lookup(fr, fr->main, seed, f, entry, hop);
		if (r == -EAGAIN)
			r = table_lookup(fr, fr->fallback, seed, f, entry, hop);
		return r == -EAGAIN ? -ENETUNREACH : r;
	}
	list_for_each_entry_rcu(rule, &fr->rules, node)
	{
		if (!rule_matches(net, family, rule, f))
			continue;
		switch (rule->action) {
		case 1: break; /* FR_ACT_TO_TBL */
		case 6: return -EINVAL;
		case 7: return -ENETUNREACH;
		case 8: return -EACCES;
		default: continue;
		}
		r = table_lookup(fr, table_peek(fr, rule->table_id), seed, f, entry, hop);
		if (r != -EAGAIN)
			return r;
	}
	return -ENETUNREACH;
}

/* ---- rules ---- */

static bool
rule_equal(const struct route_rule *a, const struct route_rule *b, bool loosely)
{
	if (loosely && !b->priority ? false : a->priority != b->priority)
		return false;
	return (loosely && !b->table_id ? true : a->table_id == b->table_id) &&
	       (loosely && !b->action ? true : a->action == b->action) &&
	       a->src_len == b->src_len && a->dst_len == b->dst_len && a->tos == b->tos &&
	       ip_addr_equal(&a->src, &b->src) && ip_addr_equal(&a->dst, &b->dst) &&
	       a->mark == b->mark && a->mark_mask == b->mark_mask && a->invert == b->invert &&
	       !strncmp(a->iif, b->iif, IFNAMSIZ) && !strncmp(a->oif, b->oif, IFNAMSIZ);
}

static void
rule_link(struct family_routes *fr, struct route_rule *r)
{
	struct route_rule *o;

	list_for_each_entry(o, &fr->rules, node)
	{
		if (o->priority > r->priority)
			break;
	}
	list_add_tail_rcu(&r->node, &o->node);
}

int
route_rule_add(struct net_ns *net, int family, const struct route_rule *template)
{
	struct family_routes *fr = routes_of(net, family);
	struct route_rule *r, *o;

	mutex_assert_held(&net->config_lock);
	r = kmemdup(template, sizeof(*template), GFP_KERNEL);
	if (!r)
		return -ENOMEM;
	if (!r->priority) {
		/* ip-rule(8): just before the first that is not the local table's. */
		r->priority = 32766;
		list_for_each_entry(o, &fr->rules, node)
		{
			if (o->priority) {
				r->priority = o->priority - 1;
				break;
			}
		}
	}
	list_for_each_entry(o, &fr->rules, node)
	{
		if (rule_equal(o, r, false)) {
			kfree(r);
			return -EEXIST;
		}
	}
	rule_link(fr, r);
	WRITE_ONCE(fr->custom_rules, true);
	net_route_changed(net);
	return 0;
}

int
route_rule_del(struct net_ns *net, int family, const struct route_rule *template)
{
	struct family_routes *fr = routes_of(net, family);
	struct route_rule *o;

	mutex_assert_held(&net->config_lock);
	list_for_each_entry(o, &fr->rules, node)
	{
		if (!rule_equal(o, template, true))
			continue;
		WRITE_ONCE(fr->custom_rules, true);
		list_del_rcu(&o->node);
		kfree_rcu(o, rcu);
		net_route_changed(net);
		return 0;
	}
	return -ENOENT;
}

void
route_rule_for_each(struct net_ns *net, int family,
		    bool (*fn)(const struct route_rule *r, void *ctx), void *ctx)
{
	struct family_routes *fr = routes_of(net, family);
	struct route_rule *r;

	rcu_read_lock();
	list_for_each_entry_rcu(r, &fr->rules, node)
	{
		if (fn(r, ctx))
			break;
	}
	rcu_read_unlock();
}

/* ---- path MTU ---- */

static struct pmtu_bucket *
pmtu_bucket(struct net_ns *net, const struct ip_addr *dst)
{
	return &net->routes->pmtu[prefix_hash(net->routes->seed, dst, 0, 8)];
}

void
route_pmtu_learn(struct net_ns *net, const struct ip_addr *dst, u32 mtu)
{
	struct pmtu_bucket *b = pmtu_bucket(net, dst);
	struct pmtu_entry *e = &b->ways[0];

	spin_lock(&b->lock);
	for (u32 i = 0; i < PMTU_WAYS; i++) {
		if (ip_addr_equal(&b->ways[i].dst, dst)) {
			e = &b->ways[i];
			break;
		}
		if (b->ways[i].expires < e->expires)
			e = &b->ways[i];
	}
	*e = (struct pmtu_entry){ *dst, mtu, time_mono_ns() + PMTU_NS };
	spin_unlock(&b->lock);
	WRITE_ONCE(net->routes->pmtu_count, 1);
	net_route_changed(net);
}

u32
route_pmtu_peek(struct net_ns *net, const struct ip_addr *dst, u64 *expires)
{
	struct pmtu_bucket *b = pmtu_bucket(net, dst);
	u32 mtu = 0;

	if (likely(!READ_ONCE(net->routes->pmtu_count)))
		return 0;
	spin_lock(&b->lock);
	for (u32 i = 0; i < PMTU_WAYS; i++)
		if (b->ways[i].mtu && ip_addr_equal(&b->ways[i].dst, dst) &&
		    b->ways[i].expires > time_mono_ns()) {
			mtu = b->ways[i].mtu;
			*expires = b->ways[i].expires;
		}
	spin_unlock(&b->lock);
	return mtu;
}

/* ---- start ---- */

static void
family_init(struct family_routes *fr, int family, u8 max_len)
{
	static const u32 ids[3] = { RT_TABLE_LOCAL, RT_TABLE_MAIN, RT_TABLE_DEFAULT };
	static const u32 priorities[3] = { 0, 32766, 32767 };
	struct route_table *t[3] = { NULL };

	fr->family = family;
	fr->max_len = max_len;
	list_init(&fr->rules);
	for (u32 i = 0; i < (family == AF_INET6 ? 2 : 3); i++) {
		struct route_rule *r = kzalloc(sizeof(*r), GFP_KERNEL | GFP_NOFAIL);

		t[i] = table_create(fr, ids[i]);
		if (!t[i])
			panic("net: no memory for routes");
		r->priority = priorities[i];
		r->table_id = ids[i];
		r->action = 1;
		r->protocol = RTPROT_KERNEL;
		r->src = r->dst = family == AF_INET6 ? IP_ADDR_ANY6 : ip_addr4(0);
		rule_link(fr, r);
	}
	fr->local = t[0];
	fr->main = t[1];
	fr->fallback = family == AF_INET6 ? NULL : t[2];
}

void
route_init(struct net_ns *net)
{
	struct route_tables *rt = kzalloc(sizeof(*rt), GFP_KERNEL | GFP_NOFAIL);

	rt->seed = random_u64();
	for (u32 i = 0; i < PMTU_BUCKETS; i++)
		spin_init(&rt->pmtu[i].lock, RANK_ROUTE);
	net->routes = rt;
	family_init(&rt->v4, AF_INET, 32);
	family_init(&rt->v6, AF_INET6, 128);
}
