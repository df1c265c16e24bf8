/* SPDX-License-Identifier: MIT */
/*
 * Addresses of devices, and the routes that come with them (net/inet/address.h).
 *
 * An IPv4 address brings, as on Linux: a local route to itself; for its subnet a link route in the
 * main table and a broadcast route; on lo a local route to the whole subnet. An address in the
 * subnet of an earlier one is secondary: it brings only its local route, and goes with the primary.
 * Routes of a device go when it goes down (but the local ones) and come back with it.
 *
 * Addresses are found by hash under RCU; lists and hash change under config_lock.
 */
#include "net/inet/address.h"

#include "core/time.h"
#include "inet_internal.h"
#include "mm/slab.h"
#include "uapi/errno.h"
#include "uapi/socket.h"

#define HASH_BITS 8

static struct hlist_head by_address[1 << HASH_BITS];

static struct hlist_head *
slot_of(const struct ip_addr *a)
{
	return &by_address[hash_mix(a->q[0], a->q[1]) >> (64 - HASH_BITS)];
}

static u32
mask_of(u8 len)
{
	return len ? htonl(~0u << (32 - len)) : 0;
}

/* ---- routes that follow addresses ---- */

static void
route_change(struct net_device *dev, bool add, u8 type, u32 dst, u8 len, u8 scope, u32 table,
	     const struct ip_addr *source)
{
	struct route_entry e = {
		.dst = ip_addr4(dst & mask_of(len)),
		.prefix_len = len,
		.type = type,
		.scope = scope,
		.protocol = RTPROT_KERNEL,
		.table_id = table,
		.source = *source,
		.nr_hops = 1,
		.hops = { { .dev = dev, .onlink = true } },
	};

	/* Adding again what is there already, or deleting what went with its device, is fine. */
	if (add)
		(void)route_add(dev->net, AF_INET, &e, ROUTE_CREATE | ROUTE_APPEND);
	else
		(void)route_del(dev->net, AF_INET, &e);
}

static void
local_route(const struct inet_addr *a, bool add)
{
	route_change(a->dev, add, RTN_LOCAL, ip_addr_get4(&a->local), 32, RT_SCOPE_HOST,
		     RT_TABLE_LOCAL, &a->local);
}

static void
subnet_routes(const struct inet_addr *a, bool add)
{
	u32 local = ip_addr_get4(&a->local), mask = mask_of(a->prefix_len);
	u32 bcast = ip_addr_get4(&a->broadcast);
	bool lo = a->dev->flags & IFF_LOOPBACK;

	if (a->flags & IFA_F_SECONDARY || !(a->dev->flags & IFF_UP))
		return;
	if (bcast && bcast != INADDR_BROADCAST)
		route_change(a->dev, add, RTN_BROADCAST, bcast, 32, RT_SCOPE_LINK, RT_TABLE_LOCAL,
			     &a->local);
	if (a->prefix_len < 32 && !(a->flags & IFA_F_NOPREFIXROUTE) && local)
		route_change(a->dev, add, lo ? RTN_LOCAL : RTN_UNICAST,
			     ip_addr_get4(&a->peer) & mask, a->prefix_len,
			     lo ? RT_SCOPE_HOST : RT_SCOPE_LINK,
			     lo ? RT_TABLE_LOCAL : RT_TABLE_MAIN, &a->local);
	else if (a->prefix_len == 32 && !ip_addr_equal(&a->peer, &a->local))
		route_change(a->dev, add, RTN_UNICAST, ip_addr_get4(&a->peer), 32, RT_SCOPE_LINK,
			     RT_TABLE_MAIN, &a->local);
	if (a->prefix_len < 31 && bcast != (local | ~mask) && lo)
		route_change(a->dev, add, RTN_BROADCAST, local | ~mask, 32, RT_SCOPE_LINK,
			     RT_TABLE_LOCAL, &a->local);
}

/* ---- devices ---- */

static struct inet_device *
device_make(struct net_device *dev)
{
	struct inet_device *in = dev->inet;

	if (in)
		return in;
	in = kzalloc(sizeof(*in), GFP_KERNEL);
	if (!in)
		return NULL;
	in->dev = dev;
	list_init(&in->addrs);
	list_init(&in->groups);
	spin_init(&in->group_lock, RANK_ROUTE);
	inet_conf_init(in);
	rcu_assign_pointer(dev->inet, in);
	return in;
}

/* ---- addresses ---- */

struct inet_addr *
inet_address_peek(struct net_ns *net, const struct ip_addr *a, const struct net_device *dev)
{
	struct inet_addr *e;

	hlist_for_each_entry_rcu(e, slot_of(a), hash_node)
	{
		if (ip_addr_equal(&e->local, a) && e->dev->net == net && (!dev || e->dev == dev))
			return e;
	}
	return NULL;
}

void
inet_address_for_each(struct net_ns *net, struct net_device *dev, int family,
		      bool (*fn)(const struct inet_addr *a, void *ctx), void *ctx)
{
	struct net_device *d;

	net_device_for_each(d, net)
	{
		struct inet_device *in = inet_device_of(d);
		struct inet_addr *a;

		if (!in || (dev && d != dev))
			continue;
		list_for_each_entry_rcu(a, &in->addrs, node)
		{
			if ((!family || a->family == family) && fn(a, ctx))
				return;
		}
	}
}

static bool
same_subnet(const struct inet_addr *a, u32 ip)
{
	return !((ip_addr_get4(&a->peer) ^ ip) & mask_of(a->prefix_len));
}

struct ip_addr
inet_address_select(const struct net_device *dev, const struct ip_addr *dst, u8 scope)
{
	struct inet_device *in = inet_device_of(dev);
	struct net_device *other;
	struct inet_addr *a;
	struct ip_addr found = ip_addr4(0);

	if (in) {
		list_for_each_entry_rcu(a, &in->addrs, node)
		{
			if (a->family != AF_INET || a->flags & IFA_F_SECONDARY || a->scope > scope)
				continue;
			if (same_subnet(a, ip_addr_get4(dst)))
				return a->local;
			if (!ip_addr_get4(&found))
				found = a->local;
		}
	}
	if (ip_addr_get4(&found))
		return found;
	/* An unnumbered link: an address of another. */
	net_device_for_each(other, dev->net)
	{
		in = inet_device_of(other);
		if (!in || other == dev)
			continue;
		list_for_each_entry_rcu(a, &in->addrs, node)
		{
			if (a->family == AF_INET && a->scope <= scope && a->scope != RT_SCOPE_LINK)
				return a->local;
		}
	}
	return found;
}

static void
address_free(struct inet_addr *a)
{
	kfree_rcu(a, rcu);
}

int
inet_address_add(struct net_device *dev, const struct inet_addr *template, bool replace)
{
	struct inet_device *in = device_make(dev);
	struct list *before = NULL;
	struct inet_addr *a, *o;

	mutex_assert_held(&dev->net->config_lock);
	if (!in)
		return -ENOBUFS;
	if (template->prefix_len > (template->family == AF_INET ? 32 : 128))
		return -EINVAL;
	list_for_each_entry(o, &in->addrs, node)
	{
		if (o->family != template->family || !ip_addr_equal(&o->local, &template->local) ||
		    (o->family == AF_INET && o->prefix_len != template->prefix_len))
			continue;
		if (!replace)
			return -EEXIST;
		o->valid_until = template->valid_until;
		o->preferred_until = template->preferred_until;
		o->updated = time_mono_ns();
		net_notify(dev->net, NET_ADDR_ADD, o);
		return 0;
	}
	a = kmemdup(template, sizeof(*template), GFP_KERNEL);
	if (!a)
		return -ENOBUFS;
	a->dev = dev;
	a->created = a->updated = time_mono_ns();
	if (!a->valid_until)
		a->valid_until = a->preferred_until = TIME_NEVER;
	if (a->valid_until == TIME_NEVER)
		a->flags |= IFA_F_PERMANENT;
	if (!a->label[0])
		memcpy(a->label, dev->name, sizeof(a->label));
	if (a->family == AF_INET) {
		in->conf_own = ~0u; /* in use: its settings no longer follow "default" */
		list_for_each_entry(o, &in->addrs, node)
		{
			if (o->family == AF_INET && o->prefix_len == a->prefix_len &&
			    same_subnet(o, ip_addr_get4(&a->peer)))
				a->flags |= IFA_F_SECONDARY;
			/* Primaries stand by scope, before secondaries. */
			if (!before && o->family == AF_INET && !(a->flags & IFA_F_SECONDARY) &&
			    (o->scope > a->scope || o->flags & IFA_F_SECONDARY))
				before = &o->node;
		}
		if (a->flags & IFA_F_SECONDARY)
			before = NULL;
	}
	list_add_tail_rcu(&a->node, before ? before : &in->addrs);
	hlist_add_head_rcu(&a->hash_node, slot_of(&a->local));
	if (a->family == AF_INET) {
		local_route(a, true);
		subnet_routes(a, true);
	}
	net_route_changed(dev->net);
	net_notify(dev->net, NET_ADDR_ADD, a);
	return 0;
}

static void
address_remove(struct inet_device *in, struct inet_addr *a)
{
	struct net_device *dev = in->dev;

	list_del_rcu(&a->node);
	hlist_del_rcu(&a->hash_node);
	if (a->family == AF_INET) {
		subnet_routes(a, false);
		if (!inet_address_peek(dev->net, &a->local, NULL)) {
			local_route(a, false);
			route_flush_source(dev->net, AF_INET, &a->local, NULL);
		}
	}
	net_route_changed(dev->net);
	net_notify(dev->net, NET_ADDR_DEL, a);
	address_free(a);
}

int
inet_address_del(struct net_device *dev, const struct inet_addr *key)
{
	struct inet_device *in = dev->inet;
	struct inet_addr *a, *next, *found = NULL;
	bool primary;

	mutex_assert_held(&dev->net->config_lock);
	if (!in)
		return -EADDRNOTAVAIL;
	list_for_each_entry(a, &in->addrs, node)
	{
		if (a->family == key->family && ip_addr_equal(&a->local, &key->local) &&
		    (!key->prefix_len || a->prefix_len == key->prefix_len) &&
		    (!key->label[0] || !strncmp(a->label, key->label, IFNAMSIZ))) {
			found = a;
			break;
		}
	}
	if (!found)
		return -EADDRNOTAVAIL;
	primary = found->family == AF_INET && !(found->flags & IFA_F_SECONDARY);
	if (primary) {
		list_for_each_entry_safe(a, next, &in->addrs, node)
		{
			if (a != found && a->family == AF_INET && a->flags & IFA_F_SECONDARY &&
			    a->prefix_len == found->prefix_len &&
			    same_subnet(found, ip_addr_get4(&a->peer)))
				address_remove(in, a);
		}
	}
	address_remove(in, found);
	return 0;
}

/* ---- what happens to devices ---- */

static void
loopback_address(struct net_device *dev)
{
	struct inet_addr a = {
		.family = AF_INET,
		.local = ip_addr4(htonl(INADDR_LOOPBACK)),
		.peer = ip_addr4(htonl(INADDR_LOOPBACK)),
		.broadcast = ip_addr4(0),
		.prefix_len = 8,
		.scope = RT_SCOPE_HOST,
	};
	struct inet_device *in = dev->inet;
	struct inet_addr *o;

	if (in) {
		list_for_each_entry(o, &in->addrs, node)
		{
			if (o->family == AF_INET)
				return;
		}
	}
	(void)inet_address_add(dev, &a, false);
}

static void
device_up(struct net_device *dev)
{
	struct inet_device *in = device_make(dev);
	struct inet_addr *a;

	if (!in)
		return;
	if (dev->flags & IFF_LOOPBACK)
		loopback_address(dev);
	list_for_each_entry(a, &in->addrs, node)
	{
		if (a->family == AF_INET) {
			local_route(a, true);
			subnet_routes(a, true);
		}
	}
}

static void
inet_device_free(struct rcu_head *head)
{
	struct inet_device *in = container_of(head, struct inet_device, rcu);

	kfree(in);
}

static void
device_gone(struct net_device *dev)
{
	struct inet_device *in = dev->inet;

	route_flush_device(dev->net, dev, false);
	neighbour_flush_device(dev, false);
	if (!in)
		return;
	while (!list_empty(&in->addrs))
		address_remove(in, list_first_entry(&in->addrs, struct inet_addr, node));
	rcu_assign_pointer(dev->inet, NULL);
	while (!list_empty(&in->groups)) {
		struct inet_group *g = list_first_entry(&in->groups, struct inet_group, node);

		list_del_rcu(&g->node);
		kfree_rcu(g, rcu);
	}
	rcu_call(&in->rcu, inet_device_free);
}

/* RFC 1112: every host is in 224.0.0.1. */
static const struct ip_addr all_hosts = { { .b = { [10] = 0xff, 0xff, 224, 0, 0, 1 } } };

static void
device_event(struct net_listener *l, struct net_ns *net, enum net_event ev, void *arg)
{
	struct net_device *dev = arg;

	switch (ev) {
	case NET_DEV_REGISTER: (void)device_make(dev); break;
	case NET_DEV_UP:
		device_up(dev);
		if (dev->flags & IFF_MULTICAST)
			(void)inet_group_join(dev, &all_hosts);
		break;
	case NET_DEV_DOWN:
		inet_group_leave(dev, &all_hosts);
		route_flush_device(net, dev, true);
		neighbour_flush_device(dev, true);
		break;
	case NET_DEV_UNREGISTER: device_gone(dev); break;
	default: break;
	}
}

static struct net_listener listener = { .event = device_event };

void
address_init(void)
{
	struct net_device *dev;

	net_listener_add(&listener);
	net_config_lock(&net_init_ns);
	list_for_each_entry(dev, &net_init_ns.devices, node)(void) device_make(dev);
	net_config_unlock(&net_init_ns);
}
