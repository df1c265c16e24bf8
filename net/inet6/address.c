/* SPDX-License-Identifier: MIT */
/*
 * IPv6 addresses: what comes with them, and those that come by themselves: ::1, link-local ones
 * from the hardware address (RFC 4291, appendix A), and RFC 4862's from router advertisements.
 *
 * A new address on a link is tentative until nobody has objected to a probe for a second. One work
 * item, under config_lock, does everything that takes time: probes, router solicitations,
 * lifetimes, and what advertisements said, which arrive in net sections and are queued for it.
 */
#include "core/log.h"
#include "core/time.h"
#include "inet6_internal.h"
#include "mm/slab.h"
#include "sched/work.h"
#include "uapi/errno.h"

#define SOLICITS      3
#define SOLICIT_NS    (4 * NSEC_PER_SEC)
#define NEWS_MAX      16
#define TWO_HOURS     7200u
#define ADDRESSES_MAX 16 /* ip-sysctl: max_addresses; advertisements make no more on a device */

struct inet6_config inet6_config = {
	.accept_ra = true,
	.autoconf = true,
	.hop_limit = 64,
	.dad_transmits = 1,
};

static struct delayed_work upkeep;
static void upkeep_run(struct work *w);

static struct {
	struct spinlock lock; /* RANK_ROUTE */
	struct ra_news news[NEWS_MAX];
	u32 count;
	struct ip_addr conflicts[NEWS_MAX];
	u32 conflict_ifindex[NEWS_MAX], conflict_count;
} inbox = { .lock = SPINLOCK_INIT(RANK_ROUTE) };

static void
upkeep_soon(u64 ns)
{
	if (!ns) {
		(void)work_queue(&upkeep.work);
		return;
	}
	/* The earlier of two wishes counts. */
	if (timer_pending(&upkeep.timer) && upkeep.timer.expires > time_mono_ns() + ns)
		(void)timer_cancel(&upkeep.timer);
	(void)delayed_work_queue(&upkeep, ns);
}

/* ---- routes of addresses ---- */

static void
route_change(struct net_device *dev, bool add, u8 type, const struct ip_addr *dst, u8 len,
	     u32 table, u8 protocol, u32 priority, u64 expires)
{
	struct route_entry e = {
		.dst = *dst,
		.prefix_len = len,
		.type = type,
		.scope = RT_SCOPE_UNIVERSE,
		.protocol = protocol,
		.table_id = table,
		.priority = priority,
		.source = IP_ADDR_ANY6,
		.expires = expires,
		.nr_hops = 1,
		.hops = { { .dev = dev, .onlink = true } },
	};

	if (add)
		(void)route_add(dev->net, AF_INET6, &e,
				ROUTE_CREATE | (expires ? ROUTE_REPLACE : 0));
	else
		(void)route_del(dev->net, AF_INET6, &e);
}

static void
address_routes(const struct inet_addr *a, bool add)
{
	struct net_device *dev = a->dev;

	/* A local route by lo, as long as some device has the address. */
	if (add || !inet_address_peek(dev->net, &a->local, NULL))
		route_change(dev, add, RTN_LOCAL, &a->local, 128, RT_TABLE_LOCAL, RTPROT_KERNEL, 0,
			     0);
	if (!(dev->flags & IFF_UP) || a->prefix_len == 128 || a->flags & IFA_F_NOPREFIXROUTE ||
	    dev->flags & IFF_LOOPBACK)
		return;
	route_change(dev, add, RTN_UNICAST, &a->local, a->prefix_len, RT_TABLE_MAIN, RTPROT_KERNEL,
		     256, 0);
}

/* Every address is tried first, the administrator's too, unless there is nobody to ask. */
static void
address_added(struct inet_addr *a)
{
	struct net_device *dev = a->dev;
	struct inet6_device *in = dev->inet6;
	struct ip_addr group = solicited_node(&a->local);

	if (dev->type == ARPHRD_ETHER && inet6_config.dad_transmits && !(a->flags & IFA_F_NODAD)) {
		a->flags |= IFA_F_TENTATIVE;
		a->dad_probes = inet6_config.dad_transmits;
	}

	address_routes(a, true);
	if (dev->flags & IFF_LOOPBACK || !in)
		return;
	(void)inet_group_join(dev, &group);
	if (a->flags & IFA_F_TENTATIVE)
		upkeep_soon(0);
}

static void
address_removed(struct inet_addr *a)
{
	struct ip_addr group = solicited_node(&a->local);

	address_routes(a, false);
	if (!(a->dev->flags & IFF_LOOPBACK) && a->dev->registered)
		inet_group_leave(a->dev, &group);
}

/* ---- addresses that come by themselves ---- */

/* The lower half of an address from the hardware address: modified EUI-64. */
static void
interface_id(const struct net_device *dev, struct ip_addr *a)
{
	a->b[8] = dev->addr[0] ^ 2;
	a->b[9] = dev->addr[1];
	a->b[10] = dev->addr[2];
	a->b[11] = 0xff;
	a->b[12] = 0xfe;
	memcpy(a->b + 13, dev->addr + 3, 3);
}

static void
address_make(struct net_device *dev, const struct ip_addr *addr, u8 len, u8 scope, u32 flags,
	     u64 valid, u64 preferred)
{
	struct inet_addr a = {
		.family = AF_INET6,
		.local = *addr,
		.peer = *addr,
		.broadcast = IP_ADDR_ANY6,
		.prefix_len = len,
		.scope = scope,
		.flags = flags,
		.valid_until = valid,
		.preferred_until = preferred,
		.dad_probes = inet6_config.dad_transmits,
	};

	(void)inet_address_add(dev, &a, false);
}

static struct inet6_device *
device_make(struct net_device *dev)
{
	struct inet6_device *in = dev->inet6;

	if (in)
		return in;
	in = kzalloc(sizeof(*in), GFP_KERNEL);
	if (!in)
		return NULL;
	in->dev = dev;
	in->disabled = inet6_config.disabled;
	in->accept_ra = inet6_config.accept_ra;
	in->autoconf = inet6_config.autoconf;
	in->hop_limit = inet6_config.hop_limit;
	rcu_assign_pointer(dev->inet6, in);
	return in;
}

/* Again for all addresses that the device has still. */
static void
routes_restore(struct net_device *dev)
{
	struct inet_device *four = dev->inet;
	struct inet_addr *a;

	if (!four)
		return;
	list_for_each_entry(a, &four->addrs, node)
	{
		if (a->family == AF_INET6)
			address_routes(a, true);
	}
}

static void
device_up(struct net_device *dev)
{
	struct inet6_device *in = device_make(dev);
	struct ip_addr a = { .b = { 0xfe, 0x80 } }, multicast = { .b = { 0xff } };

	if (!in || in->disabled)
		return;
	if (dev->flags & IFF_LOOPBACK) {
		if (!inet_address_peek(dev->net, &ip6_loopback, dev))
			address_make(dev, &ip6_loopback, 128, RT_SCOPE_HOST, 0, 0, 0);
		routes_restore(dev);
		return;
	}
	if (dev->mtu < IPV6_MIN_MTU)
		return;
	routes_restore(dev);
	route_change(dev, true, RTN_MULTICAST, &multicast, 8, RT_TABLE_LOCAL, RTPROT_KERNEL, 256,
		     0);
	if (dev->type != ARPHRD_ETHER)
		return;
	(void)inet_group_join(dev, &ip6_all_nodes);
	interface_id(dev, &a);
	if (!inet_address_peek(dev->net, &a, dev))
		address_make(dev, &a, 64, RT_SCOPE_LINK, IFA_F_TENTATIVE, 0, 0);
	in->solicits_left = SOLICITS;
	in->solicit_at = time_mono_ns() + NSEC_PER_SEC;
	upkeep_soon(0);
}

/* The addresses that are not the administrator's go with the link. Those of the family go wholly
 * (as Linux's do): they come back by themselves or are set again. */
static void
device_down(struct net_device *dev)
{
	struct inet_device *four = dev->inet;
	struct inet6_device *in = dev->inet6;
	struct inet_addr *a, *next, key;

	if (!four || !in)
		return;
	in->solicits_left = 0;
	list_for_each_entry_safe(a, next, &four->addrs, node)
	{
		if (a->family == AF_INET6) {
			key = *a;
			(void)inet_address_del(dev, &key);
		}
	}
	if (!(dev->flags & IFF_LOOPBACK))
		inet_group_leave(dev, &ip6_all_nodes);
}

void
address6_set_disabled(struct net_device *dev, bool disabled)
{
	struct inet6_device *in = device_make(dev);

	if (!in || in->disabled == disabled)
		return;
	if (disabled)
		device_down(dev);
	in->disabled = disabled;
	if (!disabled && dev->flags & IFF_UP)
		device_up(dev);
}

/* ---- advertisements ---- */

void
address6_conflict(struct net_device *dev, const struct ip_addr *a)
{
	spin_lock(&inbox.lock);
	if (inbox.conflict_count < NEWS_MAX) {
		inbox.conflicts[inbox.conflict_count] = *a;
		inbox.conflict_ifindex[inbox.conflict_count++] = dev->ifindex;
	}
	spin_unlock(&inbox.lock);
	upkeep_soon(0);
}

void
address6_advertised(const struct ra_news *news)
{
	spin_lock(&inbox.lock);
	if (inbox.count < NEWS_MAX) {
		net_device_get(news->dev);
		inbox.news[inbox.count++] = *news;
	}
	spin_unlock(&inbox.lock);
	upkeep_soon(0);
}

static u64
until(u64 now, u32 seconds)
{
	return seconds == ~0u ? TIME_NEVER : now + seconds * NSEC_PER_SEC;
}

static void
default_route(const struct ra_news *n, u64 now)
{
	struct route_entry e = {
		.dst = IP_ADDR_ANY6,
		.type = RTN_UNICAST,
		.protocol = RTPROT_RA,
		.table_id = RT_TABLE_MAIN,
		.priority = 1024,
		.source = IP_ADDR_ANY6,
		.expires = now + n->router_lifetime * NSEC_PER_SEC,
		.nr_hops = 1,
		.hops = { { .dev = n->dev, .gateway = n->router, .has_gateway = true } },
	};

	if (n->router_lifetime) {
		(void)route_add(n->dev->net, AF_INET6, &e, ROUTE_CREATE | ROUTE_REPLACE);
	} else {
		e.scope = RT_SCOPE_NOWHERE;
		(void)route_del(n->dev->net, AF_INET6, &e);
	}
}

static u32
addresses_of(const struct net_device *dev)
{
	struct inet_device *four = dev->inet;
	const struct inet_addr *a;
	u32 n = 0;

	if (four) {
		list_for_each_entry(a, &four->addrs, node) n += a->family == AF_INET6;
	}
	return n;
}

/* RFC 4862 5.5.3. */
static void
prefix_advertised(const struct ra_news *n, u64 now)
{
	struct ip_addr a = n->prefix;
	struct inet_addr *old;

	if (n->on_link)
		route_change(n->dev, n->valid != 0, RTN_UNICAST, &n->prefix, n->prefix_len,
			     RT_TABLE_MAIN, RTPROT_RA, 256,
			     n->valid == ~0u ? 0 : until(now, n->valid));
	if (!n->autonomous || n->prefix_len != 64 || n->dev->type != ARPHRD_ETHER)
		return;
	interface_id(n->dev, &a);
	old = inet_address_peek(n->dev->net, &a, n->dev);
	if (!old) {
		if (n->valid && addresses_of(n->dev) < ADDRESSES_MAX)
			address_make(n->dev, &a, 64, RT_SCOPE_UNIVERSE,
				     IFA_F_TENTATIVE | IFA_F_NOPREFIXROUTE, until(now, n->valid),
				     until(now, n->preferred));
		return;
	}
	/* Nobody can cut a lifetime below two hours by a forged advertisement. */
	u64 left = old->valid_until == TIME_NEVER ? TIME_NEVER
						  : old->valid_until - MIN(now, old->valid_until);
	if (n->valid > TWO_HOURS || until(now, n->valid) > now + left)
		old->valid_until = until(now, n->valid);
	else if (left > TWO_HOURS * NSEC_PER_SEC)
		old->valid_until = now + TWO_HOURS * NSEC_PER_SEC;
	old->preferred_until = until(now, n->preferred);
	if (n->preferred)
		old->flags &= ~(u32)IFA_F_DEPRECATED;
	if (old->updated == old->created) /* not new any more, for those who listen */
		old->updated++;
	net_notify(n->dev->net, NET_ADDR_ADD, old);
}

static void
inbox_empty(struct net_ns *net, u64 now)
{
	for (;;) {
		struct ra_news n = { 0 };
		bool have;

		spin_lock(&inbox.lock);
		have = inbox.count;
		if (have) {
			n = inbox.news[0];
			memmove(inbox.news, inbox.news + 1, sizeof(n) * --inbox.count);
		}
		spin_unlock(&inbox.lock);
		if (!have)
			break;
		if (n.dev->registered && n.dev->flags & IFF_UP) {
			if (n.has_prefix)
				prefix_advertised(&n, now);
			else
				default_route(&n, now);
		}
		net_device_put(n.dev);
	}
	for (;;) {
		struct inet_addr *a = NULL;
		struct net_device *dev;
		struct ip_addr addr;
		u32 ifindex = 0;

		spin_lock(&inbox.lock);
		if (inbox.conflict_count) {
			addr = inbox.conflicts[--inbox.conflict_count];
			ifindex = inbox.conflict_ifindex[inbox.conflict_count];
		}
		spin_unlock(&inbox.lock);
		if (!ifindex)
			break;
		rcu_read_lock();
		dev = net_device_peek_by_index(net, ifindex);
		if (dev)
			a = inet_address_peek(net, &addr, dev);
		rcu_read_unlock();
		if (a && a->flags & IFA_F_TENTATIVE) {
			log_warn("IPv6: %s: another host has the address we wanted\n", dev->name);
			a->flags |= IFA_F_DADFAILED;
			a->dad_probes = 0;
			net_notify(net, NET_ADDR_ADD, a);
		}
	}
}

/* ---- time ---- */

/* One address: the next probe, the end of doubt, old age. The next time to look. */
static u64
address_age(struct inet_addr *a, u64 now)
{
	struct net_device *dev = a->dev;

	if (a->valid_until <= now) {
		struct inet_addr key = *a;

		(void)inet_address_del(dev, &key);
		return TIME_NEVER;
	}
	if (a->preferred_until <= now && !(a->flags & IFA_F_DEPRECATED)) {
		a->flags |= IFA_F_DEPRECATED;
		net_route_changed(dev->net);
		net_notify(dev->net, NET_ADDR_ADD, a);
	}
	if (a->flags & IFA_F_TENTATIVE && !(a->flags & IFA_F_DADFAILED)) {
		struct ip_addr any = IP_ADDR_ANY6;

		if (!(dev->flags & IFF_UP) || !dev->carrier)
			return TIME_NEVER;
		if (now <
		    a->updated + (a->dad_probes == inet6_config.dad_transmits ? 0 : NSEC_PER_SEC))
			return a->updated + NSEC_PER_SEC;
		if (a->dad_probes) {
			a->dad_probes--;
			a->updated = now;
			net_begin();
			nd_solicit(dev, &a->local, &any, NULL);
			net_end();
			return now + NSEC_PER_SEC;
		}
		a->flags &= ~(u32)IFA_F_TENTATIVE;
		a->updated = now;
		net_route_changed(dev->net);
		net_notify(dev->net, NET_ADDR_ADD, a);
	}
	return MIN(a->valid_until, a->flags & IFA_F_DEPRECATED ? TIME_NEVER : a->preferred_until);
}

static void
upkeep_run(struct work *w)
{
	struct net_ns *net = &net_init_ns;
	u64 now = time_mono_ns(), next = TIME_NEVER;
	struct net_device *dev;

	net_config_lock(net);
	inbox_empty(net, now);
	list_for_each_entry(dev, &net->devices, node)
	{
		struct inet_device *four = dev->inet;
		struct inet6_device *in = dev->inet6;
		struct inet_addr *a, *following;

		if (!four || !in || in->disabled)
			continue;
		list_for_each_entry_safe(a, following, &four->addrs, node)
		{
			if (a->family == AF_INET6)
				next = MIN(next, address_age(a, now));
		}
		if (!in->solicits_left || !in->accept_ra || inet6_config.forwarding ||
		    !(dev->flags & IFF_UP) || !dev->carrier)
			continue;
		if (in->solicit_at <= now) {
			in->solicits_left--;
			in->solicit_at = now + SOLICIT_NS;
			nd_router_solicit(dev);
		}
		if (in->solicits_left)
			next = MIN(next, in->solicit_at);
	}
	next = MIN(next, route_expire(net, AF_INET6, now));
	net_config_unlock(net);
	if (next != TIME_NEVER) {
		now = time_mono_ns();
		upkeep_soon(next > now ? MIN(next - now, 3600 * NSEC_PER_SEC) : NSEC_PER_MSEC);
	}
}

/* ---- events ---- */

static void
device_free(struct rcu_head *head)
{
	kfree(container_of(head, struct inet6_device, rcu));
}

static void
event(struct net_listener *l, struct net_ns *net, enum net_event ev, void *arg)
{
	struct net_device *dev = arg;
	struct inet_addr *a = arg;

	switch (ev) {
	case NET_DEV_REGISTER: (void)device_make(dev); break;
	case NET_DEV_UP: device_up(dev); break;
	case NET_DEV_GOING_DOWN: device_down(dev); break;
	case NET_DEV_CHANGE: /* carrier: go on with probes */
		if (dev->flags & IFF_UP)
			upkeep_soon(0);
		break;
	case NET_DEV_UNREGISTER:
		if (dev->inet6) {
			struct inet6_device *in = dev->inet6;

			rcu_assign_pointer(dev->inet6, NULL);
			rcu_call(&in->rcu, device_free);
		}
		break;
	case NET_ADDR_ADD:
		if (a->family == AF_INET6 && a->created == a->updated)
			address_added(a);
		break;
	case NET_ADDR_DEL:
		if (a->family == AF_INET6)
			address_removed(a);
		break;
	default: break;
	}
}

static struct net_listener listener = { .event = event };

static struct net_protocol ip6_protocol = { .protocol = ETH_P_IPV6, .receive = ip6_receive };

static const struct inet6_hooks hooks = {
	.route_output = ip6_route_output,
	.send = ip6_send,
	.icmp_error = icmp6_error,
	.addr_type = ip6_addr_type,
	.group_report = mld_report,
};

void
inet6_init(void)
{
	struct net_device *dev;

	delayed_work_init(&upkeep, upkeep_run);
	nd_init(&net_init_ns);
	icmp6_init();
	inet6_hooks = &hooks;
	net_protocol_register(&ip6_protocol);
	net_listener_add(&listener);
	net_config_lock(&net_init_ns);
	list_for_each_entry(dev, &net_init_ns.devices, node)(void) device_make(dev);
	net_config_unlock(&net_init_ns);
	sysctl6_init();
}
