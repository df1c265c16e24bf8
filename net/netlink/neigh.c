/* SPDX-License-Identifier: MIT */
/* rtnetlink(7): neighbours. RTM_NEWNEIGH, RTM_DELNEIGH, RTM_GETNEIGH. */
#include "core/time.h"
#include "lib/string.h"
#include "net/core/neighbour.h"
#include "netlink_internal.h"

#define NDA_IFINDEX 8
#define NDA_TOP	    NDA_IFINDEX

static u32
ticks_since(u64 then, u64 now)
{
	return then && now > then ? (u32)((now - then) / (NSEC_PER_SEC / 100)) : 0;
}

static void
neigh_fill(struct nl_writer *w, const struct nl_request *rq, u16 flags, const void *arg)
{
	const struct neighbour *n = arg;
	const struct neighbour_table *t = n->table;
	u16 type = rq->from || !READ_ONCE(n->dead) ? RTM_NEWNEIGH : RTM_DELNEIGH;
	u64 now = time_mono_ns();
	struct linux_ndmsg *m;
	void *body;
	u32 start = nl_begin(w, type, flags, rq->h->nlmsg_seq, rq->port, sizeof(*m), &body);
	u8 state = READ_ONCE(n->state);
	struct linux_nda_cacheinfo ci = {
		.ndm_confirmed = ticks_since(READ_ONCE(n->confirmed), now),
		.ndm_used = ticks_since(READ_ONCE(n->used), now),
		.ndm_updated = ticks_since(READ_ONCE(n->updated), now),
	};

	m = body;
	m->ndm_family = (u8)t->family;
	m->ndm_ifindex = (s32)n->dev->ifindex;
	m->ndm_state = state;
	m->ndm_flags = n->flags;
	m->ndm_type = RTN_UNICAST;
	nl_put(w, NDA_DST, n->key, t->key_len);
	if (state & NUD_VALID) {
		u8 addr[NET_ADDR_LEN];
		u32 seq;

		do {
			seq = seq_read_begin(&n->seq);
			memcpy(addr, n->addr, sizeof(addr));
		} while (seq_read_retry(&n->seq, seq));
		nl_put(w, NDA_LLADDR, addr, n->dev->addr_len);
	}
	nl_put_u32(w, NDA_PROBES, n->probes);
	nl_put(w, NDA_CACHEINFO, &ci, sizeof(ci));
	nl_end(w, start);
}

void
neigh_notify(struct net_ns *net, struct neighbour *n)
{
	rtnetlink_event(net, RTNLGRP_NEIGH, neigh_fill, n, RTM_NEWNEIGH);
}

struct dump {
	struct nl_dump d;
	u32 ifindex;
	u8 state;
};

static bool
dump_one(struct neighbour *n, void *ctx)
{
	struct dump *dump = ctx;

	if (READ_ONCE(n->dead) || (dump->ifindex && n->dev->ifindex != dump->ifindex))
		return false;
	return !nl_dump_message(&dump->d, neigh_fill, n);
}

int
neigh_dump(const struct nl_request *rq)
{
	struct nl_attr attrs[NDA_TOP + 1];
	struct dump dump = { 0 };
	struct linux_ndmsg m;

	nl_request_body(rq, &m, sizeof(m));
	int r = nl_request_attrs(rq, sizeof(m), attrs, NDA_TOP);
	if (!r)
		r = nl_get_u32(attrs, NDA_IFINDEX, &dump.ifindex);
	if (!r)
		r = nl_dump_begin(&dump.d, rq);
	if (r)
		return r;
	static const int families[] = { AF_INET, AF_INET6 };
	for (u32 i = 0; i < ARRAY_SIZE(families); i++) {
		struct neighbour_table *t = neighbour_table_of(rq->net, families[i]);

		if (t && (!m.ndm_family || m.ndm_family == families[i]))
			neighbour_for_each(t, dump_one, &dump);
	}
	return nl_dump_end(&dump.d);
}

struct key {
	struct neighbour_table *table;
	struct net_device *dev;
	u8 addr[16];
	const u8 *hardware; /* NULL: not given */
	u8 state, flags;
};

static int
neigh_read(const struct nl_request *rq, struct key *k)
{
	struct nl_attr attrs[NDA_TOP + 1];
	struct linux_ndmsg m;

	nl_request_body(rq, &m, sizeof(m));
	int r = nl_request_attrs(rq, sizeof(m), attrs, NDA_TOP);
	if (r)
		return r;
	k->table = neighbour_table_of(rq->net, m.ndm_family);
	if (!k->table)
		return -EAFNOSUPPORT;
	if (!nl_has(attrs, NDA_DST) || attrs[NDA_DST].len < k->table->key_len || !m.ndm_ifindex)
		return -EINVAL;
	k->dev = net_device_peek_by_index(rq->net, (u32)m.ndm_ifindex);
	if (!k->dev)
		return -ENODEV;
	memcpy(k->addr, attrs[NDA_DST].data, k->table->key_len);
	if (nl_has(attrs, NDA_LLADDR)) {
		if (attrs[NDA_LLADDR].len < k->dev->addr_len)
			return -EINVAL;
		k->hardware = attrs[NDA_LLADDR].data;
	}
	k->state = (u8)m.ndm_state;
	k->flags = m.ndm_flags;
	return 0;
}

int
neigh_new(const struct nl_request *rq)
{
	struct key k = { 0 };
	int r = neigh_read(rq, &k);
	u32 f = rq->h->nlmsg_flags;
	struct neighbour *n;

	if (r)
		return r;
	net_begin();
	n = neighbour_peek(k.table, k.addr, k.dev);
	if (n && (f & NLM_F_EXCL)) {
		r = -EEXIST;
	} else if (!n && !(f & NLM_F_CREATE)) {
		r = -ENOENT;
	} else {
		u32 how = NEIGH_UPDATE_ADMIN | NEIGH_UPDATE_OVERRIDE;

		if (n && !(f & NLM_F_REPLACE))
			how &= ~NEIGH_UPDATE_OVERRIDE;
		if (k.flags & NEIGH_F_ROUTER)
			how |= NEIGH_UPDATE_ROUTER | NEIGH_UPDATE_IS_ROUTER;
		if (!n)
			n = neighbour_peek_or_create(k.table, k.addr, k.dev);
		r = n ? neighbour_update(n, k.hardware, k.state, how) : -ENOBUFS;
	}
	net_end();
	return r;
}

int
neigh_delete(const struct nl_request *rq)
{
	struct key k = { 0 };
	int r = neigh_read(rq, &k);

	return r ? r : neighbour_delete(k.table, k.addr, k.dev);
}

int
neigh_get(const struct nl_request *rq)
{
	struct key k = { 0 };
	int r = neigh_read(rq, &k);
	struct neighbour *n;

	if (r)
		return r;
	net_begin();
	n = neighbour_peek(k.table, k.addr, k.dev);
	if (n && !ref_try_get(&n->ref))
		n = NULL;
	net_end();
	if (!n)
		return -ENOENT;
	r = nl_reply(rq, neigh_fill, n);
	neighbour_put(n);
	return r;
}
