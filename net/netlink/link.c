/* SPDX-License-Identifier: MIT */
/* rtnetlink(7): network devices. RTM_NEWLINK, RTM_DELLINK, RTM_GETLINK, RTM_SETLINK. */
#include "lib/string.h"
#include "net/core/kind.h"
#include "netlink_internal.h"

#define IFLA_IFALIAS	  20
#define IFLA_GSO_MAX_SIZE 41
#define IFLA_PERM_ADDRESS 54
#define IFLA_TOP	  IFLA_PERM_ADDRESS

static void
stats_fill(struct nl_writer *w, const struct net_device *dev)
{
	struct linux_rtnl_link_stats64 s64 = { 0 };
	struct linux_rtnl_link_stats s32 = { 0 };
	struct net_stats s;

	net_device_stats(dev, &s);
#define COPY(field) s32.field = (u32)(s64.field = s.field)
	COPY(rx_packets);
	COPY(tx_packets);
	COPY(rx_bytes);
	COPY(tx_bytes);
	COPY(rx_errors);
	COPY(tx_errors);
	COPY(rx_dropped);
	COPY(tx_dropped);
	COPY(multicast);
	COPY(collisions);
	COPY(rx_length_errors);
	COPY(rx_crc_errors);
	COPY(rx_frame_errors);
	COPY(rx_fifo_errors);
	COPY(tx_carrier_errors);
	COPY(tx_fifo_errors);
#undef COPY
	nl_put(w, IFLA_STATS64, &s64, sizeof(s64));
	nl_put(w, IFLA_STATS, &s32, sizeof(s32));
}

static void
link_fill(struct nl_writer *w, const struct nl_request *rq, u16 flags, const void *arg)
{
	const struct net_device *dev = arg;
	u16 type = rq->h->nlmsg_type == RTM_DELLINK ? RTM_DELLINK : RTM_NEWLINK;
	struct linux_ifmap map = { 0 };
	struct linux_ifinfomsg *m;
	void *body;
	u32 start = nl_begin(w, type, flags, rq->h->nlmsg_seq, rq->port, sizeof(*m), &body);

	m = body;
	m->ifi_type = dev->type;
	m->ifi_index = (s32)dev->ifindex;
	m->ifi_flags = net_device_user_flags(dev);
	/* An event does not say what changed: all bits, as for a new device. */
	m->ifi_change = rq->from ? 0 : ~0u;
	nl_put_text(w, IFLA_IFNAME, dev->name);
	nl_put_u32(w, IFLA_TXQLEN, dev->queue_limit);
	nl_put_u8(w, IFLA_OPERSTATE, dev->operstate);
	nl_put_u8(w, IFLA_LINKMODE, 0);
	nl_put_u32(w, IFLA_MTU, dev->mtu);
	nl_put_u32(w, IFLA_MIN_MTU, dev->min_mtu);
	nl_put_u32(w, IFLA_MAX_MTU, dev->max_mtu);
	nl_put_u32(w, IFLA_GROUP, dev->group);
	nl_put_u32(w, IFLA_PROMISCUITY, dev->promisc);
	nl_put_u32(w, IFLA_NUM_TX_QUEUES, dev->nr_queues);
	nl_put_u32(w, IFLA_NUM_RX_QUEUES, dev->nr_queues);
	nl_put_u32(w, IFLA_GSO_MAX_SIZE, dev->gso_max);
	nl_put_u8(w, IFLA_CARRIER, dev->carrier);
	nl_put_text(w, IFLA_QDISC, dev->features & NETIF_LOCKLESS ? "noqueue" : "pfifo");
	nl_put(w, IFLA_MAP, &map, sizeof(map));
	if (dev->addr_len) {
		nl_put(w, IFLA_ADDRESS, dev->addr, dev->addr_len);
		nl_put(w, IFLA_BROADCAST, dev->broadcast, dev->addr_len);
		if (dev->type != ARPHRD_LOOPBACK)
			nl_put(w, IFLA_PERM_ADDRESS, dev->perm_addr, dev->addr_len);
	}
	if (dev->alias[0])
		nl_put_text(w, IFLA_IFALIAS, dev->alias);
	if (dev->link)
		nl_put_u32(w, IFLA_LINK, dev->link);
	if (dev->kind) {
		u32 info = nl_nest_begin(w, IFLA_LINKINFO);

		nl_put_text(w, IFLA_INFO_KIND, dev->kind->name);
		nl_nest_end(w, info);
	}
	stats_fill(w, dev);
	nl_end(w, start);
}

void
link_notify(struct net_ns *net, struct net_device *dev, u16 type)
{
	rtnetlink_event(net, RTNLGRP_LINK, link_fill, dev, type);
}

struct link_request {
	struct linux_ifinfomsg m;
	struct nl_attr attrs[IFLA_TOP + 1];
	struct net_device *dev;
	bool unnamed; /* neither a number nor a name was given */
};

/* What a request says, and the device that it names by number or by name. 0, -ENODEV, -EINVAL (it
 * names none, or is malformed). */
static int
link_read(const struct nl_request *rq, struct link_request *l)
{
	char name[IFNAMSIZ] = "";

	l->unnamed = false;
	nl_request_body(rq, &l->m, sizeof(l->m));
	int r = nl_request_attrs(rq, sizeof(l->m), l->attrs, IFLA_TOP);
	if (!r)
		r = nl_get_text(l->attrs, IFLA_IFNAME, name, sizeof(name));
	if (r)
		return r;
	l->unnamed = !l->m.ifi_index && !name[0];
	if (l->m.ifi_index > 0)
		l->dev = net_device_peek_by_index(rq->net, (u32)l->m.ifi_index);
	else if (l->m.ifi_index < 0 || !name[0])
		return -EINVAL;
	else
		l->dev = net_device_peek_by_name(rq->net, name);
	return l->dev ? 0 : -ENODEV;
}

int
link_get(const struct nl_request *rq)
{
	struct link_request l;
	int r = link_read(rq, &l);

	return r ? r : nl_reply(rq, link_fill, l.dev);
}

int
link_dump(const struct nl_request *rq)
{
	struct net_device *dev;
	struct nl_dump d;
	int r = nl_dump_begin(&d, rq);

	if (r)
		return r;
	list_for_each_entry(dev, &rq->net->devices, node)
	{
		if (!nl_dump_message(&d, link_fill, dev))
			break;
	}
	return nl_dump_end(&d);
}

static int
link_change(const struct link_request *l)
{
	const struct linux_ifinfomsg *m = &l->m;
	const struct nl_attr *attrs = l->attrs;
	struct net_device *dev = l->dev;
	char text[64] = "";
	u32 v = 0;
	int r = 0;

	if (nl_has(attrs, IFLA_NET_NS_PID) || nl_has(attrs, IFLA_NET_NS_FD))
		return -EINVAL; /* there is one network only */
	if (nl_has(attrs, IFLA_ADDRESS)) {
		if (attrs[IFLA_ADDRESS].len < dev->addr_len)
			return -EINVAL;
		r = net_device_set_mac(dev, attrs[IFLA_ADDRESS].data);
	}
	if (!r && nl_has(attrs, IFLA_MTU)) {
		r = nl_get_u32(attrs, IFLA_MTU, &v);
		if (!r)
			r = net_device_set_mtu(dev, v);
	}
	if (!r && m->ifi_index > 0 && nl_has(attrs, IFLA_IFNAME)) {
		r = nl_get_text(attrs, IFLA_IFNAME, text, IFNAMSIZ);
		if (!r && text[0] && strcmp(text, dev->name) != 0)
			r = net_device_rename(dev, text);
	}
	if (!r)
		r = nl_get_u32(attrs, IFLA_GROUP, &dev->group);
	if (!r && nl_has(attrs, IFLA_TXQLEN)) {
		r = nl_get_u32(attrs, IFLA_TXQLEN, &v);
		if (!r)
			WRITE_ONCE(dev->queue_limit, v);
	}
	if (!r)
		r = nl_get_text(attrs, IFLA_IFALIAS, dev->alias, sizeof(dev->alias));
	if (!r && (m->ifi_flags || m->ifi_change)) {
		u32 mask = m->ifi_change ? m->ifi_change : ~0u;

		r = net_device_set_flags(dev, (m->ifi_flags & mask) | (dev->flags & ~mask));
	}
	return r;
}

int
link_set(const struct nl_request *rq)
{
	struct link_request l;
	int r = link_read(rq, &l);

	return r ? r : link_change(&l);
}

/* The other end of a pair, as the kind's data describe it. */
static int
peer_read(const struct nl_attr *data, struct net_device_wish *wish)
{
	struct nl_attr outer[VETH_INFO_PEER + 1], attrs[IFLA_TOP + 1];
	int r = nl_parse(data->data, data->len, outer, VETH_INFO_PEER);

	if (r || !nl_has(outer, VETH_INFO_PEER))
		return r;
	if (outer[VETH_INFO_PEER].len < sizeof(struct linux_ifinfomsg))
		return -EINVAL;
	r = nl_parse(outer[VETH_INFO_PEER].data + sizeof(struct linux_ifinfomsg),
		     outer[VETH_INFO_PEER].len - (u32)sizeof(struct linux_ifinfomsg), attrs,
		     IFLA_TOP);
	if (!r && (nl_has(attrs, IFLA_NET_NS_PID) || nl_has(attrs, IFLA_NET_NS_FD)))
		r = -EINVAL;
	if (!r)
		r = nl_get_text(attrs, IFLA_IFNAME, wish->peer_name, sizeof(wish->peer_name));
	if (!r)
		r = nl_get_u32(attrs, IFLA_MTU, &wish->peer_mtu);
	if (!r && nl_has(attrs, IFLA_ADDRESS)) {
		if (attrs[IFLA_ADDRESS].len < ETH_ALEN)
			return -EINVAL;
		wish->peer_addr = attrs[IFLA_ADDRESS].data;
	}
	return r;
}

/* A device of the kind that is asked for, then set up like one that was there. */
static int
link_make(const struct nl_request *rq, struct link_request *l)
{
	struct nl_attr info[IFLA_INFO_DATA + 1];
	const struct net_device_kind *kind;
	struct net_device_wish wish = { .ifindex = (u32)l->m.ifi_index };
	char text[16] = "";
	int r = nl_get_text(l->attrs, IFLA_IFNAME, wish.name, sizeof(wish.name));

	if (r)
		return r;
	if (!nl_has(l->attrs, IFLA_LINKINFO))
		return -EOPNOTSUPP;
	r = nl_parse(l->attrs[IFLA_LINKINFO].data, l->attrs[IFLA_LINKINFO].len, info,
		     IFLA_INFO_DATA);
	if (!r && nl_get_text(info, IFLA_INFO_KIND, text, sizeof(text)))
		r = -EOPNOTSUPP; /* longer than all that are known */
	if (r)
		return r;
	kind = net_device_kind_find(text);
	if (!kind)
		return -EOPNOTSUPP;
	if (nl_has(info, IFLA_INFO_DATA))
		r = peer_read(&info[IFLA_INFO_DATA], &wish);
	if (!r)
		r = kind->create(rq->net, &wish, &l->dev);
	if (r)
		return r;
	r = link_change(l);
	if (r)
		kind->destroy(l->dev);
	return r;
}

int
link_new(const struct nl_request *rq)
{
	struct link_request l;
	int r = link_read(rq, &l);

	if (r == -ENODEV || l.unnamed)
		return rq->h->nlmsg_flags & NLM_F_CREATE ? link_make(rq, &l) : -ENODEV;
	if (!r && (rq->h->nlmsg_flags & NLM_F_EXCL))
		return -EEXIST;
	if (!r && (rq->h->nlmsg_flags & NLM_F_REPLACE))
		return -EOPNOTSUPP;
	return r ? r : link_change(&l);
}

int
link_delete(const struct nl_request *rq)
{
	struct link_request l;
	int r = link_read(rq, &l);

	if (r)
		return r;
	if (!l.dev->kind)
		return -EOPNOTSUPP; /* hardware stays */
	l.dev->kind->destroy(l.dev);
	return 0;
}
