/* SPDX-License-Identifier: MIT */
/* rtnetlink(7): routes. RTM_NEWROUTE, RTM_DELROUTE, RTM_GETROUTE. */
#include "core/time.h"
#include "lib/string.h"
#include "mm/slab.h"
#include "net/inet/inet.h"
#include "netlink_internal.h"

#define RTA_UID	 25
#define RTA_TOP	 RTA_UID
#define RTAX_TOP 17
#define HOPS_MAX ARRAY_SIZE(((struct route_entry *)0)->hops)
#define USER_HZ	 100

struct rtnexthop { /* rtnetlink(7): RTA_MULTIPATH */
	u16 len;
	u8 flags, hops;
	s32 ifindex;
};

/* RTAX_* by place in struct route_metrics; 0: no such field. */
static const struct {
	u16 type, offset;
} metrics_map[] = {
#define METRIC(n, field)                                 \
	{                                                \
		n, offsetof(struct route_metrics, field) \
	}
	METRIC(2, mtu),	      METRIC(3, window),    METRIC(4, rtt),	  METRIC(5, rttvar),
	METRIC(6, ssthresh),  METRIC(7, cwnd),	    METRIC(8, advmss),	  METRIC(9, reordering),
	METRIC(10, hoplimit), METRIC(11, initcwnd), METRIC(12, features), METRIC(13, rto_min),
	METRIC(14, initrwnd), METRIC(15, quickack),
#undef METRIC
};

static int
family_of(const struct ip_addr *a)
{
	return ip_addr_is4(a) ? AF_INET : AF_INET6;
}

/* ---- answers ---- */

static void
metrics_fill(struct nl_writer *w, const struct route_metrics *m)
{
	u32 nest = 0;
	bool any = false;

	for (u32 i = 0; i < ARRAY_SIZE(metrics_map); i++) {
		u32 v = *(const u32 *)((const u8 *)m + metrics_map[i].offset);

		if (!v)
			continue;
		if (!any)
			nest = nl_nest_begin(w, RTA_METRICS);
		any = true;
		nl_put_u32(w, metrics_map[i].type, v);
	}
	if (any)
		nl_nest_end(w, nest);
}

static u8
hop_flags(const struct route_hop *h)
{
	return (h->onlink && h->has_gateway ? RTNH_F_ONLINK : 0) | (h->dead ? RTNH_F_DEAD : 0) |
	       (h->dev && !h->dev->carrier ? RTNH_F_LINKDOWN : 0);
}

static void
hops_fill(struct nl_writer *w, int family, const struct route_entry *e)
{
	u32 nest = nl_nest_begin(w, RTA_MULTIPATH);

	for (u32 i = 0; i < e->nr_hops; i++) {
		const struct route_hop *h = &e->hops[i];
		u32 start = w->len;

		/* A hop has a header of its own in place of an attribute's. */
		nl_put(w, 0, &(u32){ h->dev ? h->dev->ifindex : 0 }, 4);
		if (h->has_gateway)
			nl_put_addr(w, RTA_GATEWAY, family, &h->gateway);
		if (w->full)
			return;
		struct rtnexthop *n = (void *)(w->buf + start);
		n->len = (u16)(w->len - start);
		n->flags = hop_flags(h);
		n->hops = h->weight ? h->weight - 1 : 0;
	}
	nl_nest_end(w, nest);
}

static void
route_fill(struct nl_writer *w, const struct nl_request *rq, u16 flags, const void *arg)
{
	const struct route_entry *e = arg;
	int family = family_of(&e->dst);
	u16 type = rq->h->nlmsg_type == RTM_DELROUTE ? RTM_DELROUTE : RTM_NEWROUTE;
	struct linux_rtmsg *m;
	void *body;
	u32 start = nl_begin(w, type, flags, rq->h->nlmsg_seq, rq->port, sizeof(*m), &body);

	m = body;
	m->rtm_family = (u8)family;
	m->rtm_dst_len = e->prefix_len;
	m->rtm_tos = e->tos;
	m->rtm_table = (u8)(e->table_id < 256 ? e->table_id : RT_TABLE_COMPAT);
	m->rtm_protocol = e->protocol;
	m->rtm_scope = e->scope;
	m->rtm_type = e->type;
	if (e->nr_hops == 1)
		m->rtm_flags = hop_flags(&e->hops[0]);
	nl_put_u32(w, RTA_TABLE, e->table_id);
	if (e->prefix_len)
		nl_put_addr(w, RTA_DST, family, &e->dst);
	if (e->priority)
		nl_put_u32(w, RTA_PRIORITY, e->priority);
	if (!ip_addr_is_any(&e->source))
		nl_put_addr(w, RTA_PREFSRC, family, &e->source);
	metrics_fill(w, &e->metrics);
	if (e->nr_hops > 1) {
		hops_fill(w, family, e);
	} else if (e->nr_hops) {
		if (e->hops[0].has_gateway)
			nl_put_addr(w, RTA_GATEWAY, family, &e->hops[0].gateway);
		if (e->hops[0].dev)
			nl_put_u32(w, RTA_OIF, e->hops[0].dev->ifindex);
	}
	if (family == AF_INET6) {
		struct linux_rta_cacheinfo ci = { 0 };
		u64 now = time_mono_ns();

		if (e->expires > now)
			ci.rta_expires = (s32)((e->expires - now) / (NSEC_PER_SEC / USER_HZ));
		nl_put(w, RTA_CACHEINFO, &ci, sizeof(ci));
		nl_put_u8(w, RTA_PREF, 0);
	}
	nl_end(w, start);
}

void
rtroute_notify(struct net_ns *net, const struct route_change *c, u16 type)
{
	rtnetlink_event(net, c->family == AF_INET ? RTNLGRP_IPV4_ROUTE : RTNLGRP_IPV6_ROUTE,
			route_fill, c->entry, type);
}

struct dump {
	struct nl_dump d;
	u32 table; /* 0: all */
	u32 oif;
	u8 protocol, type;
};

static bool
dump_one(const struct route_entry *e, void *ctx)
{
	struct dump *dump = ctx;

	if ((dump->table && e->table_id != dump->table) ||
	    (dump->protocol && e->protocol != dump->protocol) ||
	    (dump->type && e->type != dump->type) ||
	    (dump->oif && (!e->nr_hops || !e->hops[0].dev || e->hops[0].dev->ifindex != dump->oif)))
		return false;
	return !nl_dump_message(&dump->d, route_fill, e);
}

int
rtroute_dump(const struct nl_request *rq)
{
	struct nl_attr attrs[RTA_TOP + 1];
	struct dump dump = { 0 };
	struct linux_rtmsg m;

	nl_request_body(rq, &m, sizeof(m));
	if (rq->strict) {
		int r = nl_request_attrs(rq, sizeof(m), attrs, RTA_TOP);

		dump.table = m.rtm_table;
		dump.protocol = m.rtm_protocol;
		dump.type = m.rtm_type;
		if (!r)
			r = nl_get_u32(attrs, RTA_TABLE, &dump.table);
		if (!r)
			r = nl_get_u32(attrs, RTA_OIF, &dump.oif);
		if (r)
			return r;
	}
	int r = nl_dump_begin(&dump.d, rq);
	if (r)
		return r;
	static const int families[] = { AF_INET, AF_INET6 };
	for (u32 i = 0; i < ARRAY_SIZE(families); i++) {
		if (!m.rtm_family || m.rtm_family == families[i])
			route_for_each(rq->net, families[i], dump.table, dump_one, &dump);
	}
	return nl_dump_end(&dump.d);
}

/* ---- one route: ip route get ---- */

struct lookup {
	int family;
	struct flow flow;
	struct route route;
	u32 uid;
};

static void
lookup_fill(struct nl_writer *w, const struct nl_request *rq, u16 flags, const void *arg)
{
	const struct lookup *l = arg;
	const struct route *r = &l->route;
	struct linux_rta_cacheinfo ci = { 0 };
	struct linux_rtmsg *m;
	void *body;
	u32 start = nl_begin(w, RTM_NEWROUTE, flags, rq->h->nlmsg_seq, rq->port, sizeof(*m), &body);

	m = body;
	m->rtm_family = (u8)l->family;
	m->rtm_dst_len = l->family == AF_INET ? 32 : 128;
	m->rtm_tos = l->flow.tos;
	m->rtm_table = r->table_id ? r->table_id : RT_TABLE_MAIN;
	m->rtm_type = r->type;
	m->rtm_flags = RTM_F_CLONED;
	nl_put_u32(w, RTA_TABLE, m->rtm_table);
	nl_put_addr(w, RTA_DST, l->family, &l->flow.dst);
	nl_put_u32(w, RTA_OIF, r->dev->ifindex);
	if (r->has_gateway)
		nl_put_addr(w, RTA_GATEWAY, l->family, &r->gateway);
	if (!ip_addr_is_any(&r->source))
		nl_put_addr(w, RTA_PREFSRC, l->family, &r->source);
	if (r->metrics)
		metrics_fill(w, r->metrics);
	if (l->flow.mark)
		nl_put_u32(w, RTA_MARK, l->flow.mark);
	nl_put_u32(w, RTA_UID, l->uid);
	nl_put(w, RTA_CACHEINFO, &ci, sizeof(ci));
	nl_end(w, start);
}

int
rtroute_get(const struct nl_request *rq)
{
	struct nl_attr attrs[RTA_TOP + 1];
	struct linux_rtmsg m;
	struct lookup l = { 0 };

	nl_request_body(rq, &m, sizeof(m));
	int r = nl_request_attrs(rq, sizeof(m), attrs, RTA_TOP);
	if (r)
		return r;
	if (m.rtm_family != AF_INET && m.rtm_family != AF_INET6)
		return -EOPNOTSUPP;
	l.family = m.rtm_family;
	l.flow.dst = l.flow.src = l.family == AF_INET ? ip_addr4(0) : IP_ADDR_ANY6;
	l.flow.tos = m.rtm_tos;
	r = nl_get_addr(attrs, RTA_DST, l.family, &l.flow.dst);
	if (!r)
		r = nl_get_addr(attrs, RTA_SRC, l.family, &l.flow.src);
	if (!r)
		r = nl_get_u32(attrs, RTA_OIF, &l.flow.oif);
	if (!r)
		r = nl_get_u32(attrs, RTA_MARK, &l.flow.mark);
	if (!r)
		r = nl_get_u32(attrs, RTA_UID, &l.uid);
	if (!r && nl_has(attrs, RTA_IIF))
		r = -EOPNOTSUPP; /* as if a packet had come in: not there */
	if (r)
		return r;
	l.flow.uid = l.uid;
	net_begin();
	r = inet_route_output(rq->net, &l.flow, &l.route);
	/* config_lock keeps the device. */
	net_end();
	return r ? r : nl_reply(rq, lookup_fill, &l);
}

/* ---- changes ---- */

static int
hop_read(const struct nl_request *rq, int family, u32 oif, const struct nl_attr *attrs, u8 flags,
	 struct route_hop *h)
{
	int r = 0;

	if (oif) {
		h->dev = net_device_peek_by_index(rq->net, oif);
		if (!h->dev)
			return -ENODEV;
	}
	h->gateway = family == AF_INET ? ip_addr4(0) : IP_ADDR_ANY6;
	if (nl_has(attrs, RTA_GATEWAY)) {
		r = nl_get_addr(attrs, RTA_GATEWAY, family, &h->gateway);
		h->has_gateway = !ip_addr_is_any(&h->gateway);
	}
	h->onlink = flags & RTNH_F_ONLINK;
	if (!h->weight)
		h->weight = 1;
	return r;
}

static int
hops_read(const struct nl_request *rq, int family, const struct nl_attr *list,
	  struct route_entry *e)
{
	const u8 *p = list->data;
	u32 left = list->len;

	while (left >= sizeof(struct rtnexthop)) {
		struct nl_attr attrs[RTA_TOP + 1];
		struct rtnexthop n;

		memcpy(&n, p, sizeof(n));
		if (n.len < sizeof(n) || n.len > left || e->nr_hops == HOPS_MAX)
			return -EINVAL;
		int r = nl_parse(p + sizeof(n), n.len - (u32)sizeof(n), attrs, RTA_TOP);
		struct route_hop *h = &e->hops[e->nr_hops];
		h->weight = (u8)(n.hops == 0xff ? n.hops : n.hops + 1);
		if (!r)
			r = hop_read(rq, family, (u32)n.ifindex, attrs, n.flags, h);
		if (r)
			return r;
		e->nr_hops++;
		u32 step = MIN(NLMSG_ALIGN((u32)n.len), left);
		p += step;
		left -= step;
	}
	return e->nr_hops ? 0 : -EINVAL;
}

static int
metrics_read(const struct nl_attr *list, struct route_metrics *m)
{
	struct nl_attr attrs[RTAX_TOP + 1];
	int r = nl_parse(list->data, list->len, attrs, RTAX_TOP);

	for (u32 i = 0; i < ARRAY_SIZE(metrics_map) && !r; i++)
		r = nl_get_u32(attrs, metrics_map[i].type,
			       (u32 *)((u8 *)m + metrics_map[i].offset));
	return r;
}

/* The template that a request describes. */
static int
route_read(const struct nl_request *rq, int *family, struct route_entry *e)
{
	struct nl_attr attrs[RTA_TOP + 1];
	struct linux_rtmsg m;
	u32 oif = 0;

	nl_request_body(rq, &m, sizeof(m));
	int r = nl_request_attrs(rq, sizeof(m), attrs, RTA_TOP);
	if (r)
		return r;
	if (m.rtm_family != AF_INET && m.rtm_family != AF_INET6)
		return -EAFNOSUPPORT;
	*family = m.rtm_family;
	if (m.rtm_dst_len > (*family == AF_INET ? 32 : 128) || m.rtm_src_len)
		return -EINVAL;
	e->prefix_len = m.rtm_dst_len;
	e->type = m.rtm_type;
	e->scope = m.rtm_scope;
	e->protocol = m.rtm_protocol;
	e->tos = m.rtm_tos;
	e->flags = m.rtm_flags;
	e->table_id = m.rtm_table;
	e->dst = e->source = *family == AF_INET ? ip_addr4(0) : IP_ADDR_ANY6;
	r = nl_get_addr(attrs, RTA_DST, *family, &e->dst);
	if (!r)
		r = nl_get_u32(attrs, RTA_TABLE, &e->table_id);
	if (!r)
		r = nl_get_u32(attrs, RTA_PRIORITY, &e->priority);
	if (!r)
		r = nl_get_addr(attrs, RTA_PREFSRC, *family, &e->source);
	if (!r)
		r = nl_get_u32(attrs, RTA_OIF, &oif);
	if (!r && nl_has(attrs, RTA_METRICS))
		r = metrics_read(&attrs[RTA_METRICS], &e->metrics);
	if (r)
		return r;
	if (!e->table_id)
		e->table_id = RT_TABLE_MAIN;
	e->table = (u8)e->table_id;
	if (nl_has(attrs, RTA_MULTIPATH))
		return hops_read(rq, *family, &attrs[RTA_MULTIPATH], e);
	if (oif || nl_has(attrs, RTA_GATEWAY)) {
		e->nr_hops = 1;
		return hop_read(rq, *family, oif, attrs, (u8)m.rtm_flags, &e->hops[0]);
	}
	return 0;
}

int
rtroute_new(const struct nl_request *rq)
{
	struct route_entry *e = kzalloc(sizeof(*e), GFP_KERNEL);
	u32 f = rq->h->nlmsg_flags, flags = 0;
	int family, r;

	if (!e)
		return -ENOMEM;
	r = route_read(rq, &family, e);
	flags |= f & NLM_F_CREATE ? ROUTE_CREATE : 0;
	flags |= f & NLM_F_EXCL ? ROUTE_EXCL : 0;
	flags |= f & NLM_F_REPLACE ? ROUTE_REPLACE : 0;
	flags |= f & NLM_F_APPEND ? ROUTE_APPEND : 0;
	if (!r && !e->type)
		r = -EINVAL;
	if (!r && !e->nr_hops && (e->type == RTN_UNICAST || e->type == RTN_LOCAL))
		r = -ENODEV;
	if (!r)
		r = route_add(rq->net, family, e, flags);
	kfree(e);
	return r;
}

int
rtroute_delete(const struct nl_request *rq)
{
	struct route_entry *e = kzalloc(sizeof(*e), GFP_KERNEL);
	int family, r;

	if (!e)
		return -ENOMEM;
	r = route_read(rq, &family, e);
	if (!r)
		r = route_del(rq->net, family, e);
	kfree(e);
	return r;
}
