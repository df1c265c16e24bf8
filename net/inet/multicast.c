/* SPDX-License-Identifier: MIT */
/*
 * Multicast membership: ip(7) and ipv6(7), reports by IGMPv3 (RFC 3376), or by IGMPv2 (RFC 2236)
 * where a router has asked so.
 *
 * A sock's memberships are a list that changes under sock_lock and is read under RCU. Each counts
 * on the device's group, which the receive path looks up, and on the device's filter of link
 * addresses. Source filters are not kept: IP_ADD_SOURCE_MEMBERSHIP answers ENOPROTOOPT.
 */
#include "core/random.h"
#include "core/time.h"
#include "inet_internal.h"
#include "mm/slab.h"
#include "uapi/errno.h"
#include "uapi/packet.h"

#define IGMP_QUERY     0x11
#define IGMP_V2_REPORT 0x16
#define IGMP_V2_LEAVE  0x17
#define IGMP_V3_REPORT 0x22
#define V2_QUERY_LEN   8
#define V2_NS	       (260 * NSEC_PER_SEC) /* so long after a query of the older version */

enum record {			     /* of a version 3 report */
	      RECORD_EXCLUDES = 2,   /* "we are in it" */
	      RECORD_TO_INCLUDE = 3, /* "we have left" */
	      RECORD_TO_EXCLUDE = 4, /* "we have joined" */
};

struct inet_mc { /* one membership of a sock */
	struct list node;
	struct ip_addr group;
	u32 ifindex;
	struct rcu_head rcu;
};

/* ---- groups of devices ---- */

static void
link_address(const struct ip_addr *group, u8 *mac)
{
	if (ip_addr_is4(group)) {
		mac[0] = 0x01;
		mac[1] = 0x00;
		mac[2] = 0x5e;
		mac[3] = group->b[13] & 0x7f;
		mac[4] = group->b[14];
		mac[5] = group->b[15];
	} else {
		mac[0] = mac[1] = 0x33;
		memcpy(mac + 2, group->b + 12, 4);
	}
}

static struct inet_group *
group_peek(const struct inet_device *in, const struct ip_addr *group)
{
	struct inet_group *g;

	list_for_each_entry_rcu(g, &in->groups, node)
	{
		if (ip_addr_equal(&g->addr, group))
			return g;
	}
	return NULL;
}

static void
group_report(struct net_device *dev, const struct ip_addr *group, bool leave)
{
	if (ip_addr_is4(group))
		igmp_report(dev, group, leave);
	else if (inet6_hooks)
		inet6_hooks->group_report(dev, group, leave);
}

bool
inet_group_joined(const struct net_device *dev, const struct ip_addr *group)
{
	const struct inet_device *in = inet_device_of(dev);

	return in && group_peek(in, group);
}

int
inet_group_join(struct net_device *dev, const struct ip_addr *group)
{
	struct inet_group *fresh = kzalloc(sizeof(*fresh), GFP_ATOMIC), *g;
	struct inet_device *in;
	u8 mac[NET_ADDR_LEN] = { 0 };
	bool first = false;

	if (!fresh)
		return -ENOMEM;
	rcu_read_lock();
	in = inet_device_of(dev);
	if (in) {
		spin_lock(&in->group_lock);
		g = group_peek(in, group);
		if (g) {
			g->users++;
		} else {
			fresh->addr = *group;
			fresh->users = 1;
			list_add_tail_rcu(&fresh->node, &in->groups);
			fresh = NULL;
			first = true;
		}
		spin_unlock(&in->group_lock);
	}
	rcu_read_unlock();
	kfree(fresh);
	if (!in)
		return -ENODEV;
	if (first && dev->addr_len == ETH_ALEN && !(dev->flags & IFF_LOOPBACK)) {
		link_address(group, mac);
		(void)net_device_mc_add(dev, mac);
		group_report(dev, group, false);
	}
	return 0;
}

void
inet_group_leave(struct net_device *dev, const struct ip_addr *group)
{
	struct inet_group *g = NULL;
	struct inet_device *in;
	u8 mac[NET_ADDR_LEN] = { 0 };

	rcu_read_lock();
	in = inet_device_of(dev);
	if (in) {
		spin_lock(&in->group_lock);
		g = group_peek(in, group);
		if (g && --g->users == 0)
			list_del_rcu(&g->node);
		else
			g = NULL;
		spin_unlock(&in->group_lock);
	}
	rcu_read_unlock();
	if (!g)
		return;
	kfree_rcu(g, rcu);
	if (dev->addr_len == ETH_ALEN && !(dev->flags & IFF_LOOPBACK)) {
		link_address(group, mac);
		net_device_mc_del(dev, mac);
		group_report(dev, group, true);
	}
}

/* ---- memberships of socks ---- */

bool
inet_mc_wanted(const struct inet_sock *sk, const struct ip_addr *group, const struct ip_addr *src,
	       u32 ifindex)
{
	const struct inet_mc *m;

	list_for_each_entry_rcu(m, &sk->memberships, node)
	{
		if (ip_addr_equal(&m->group, group) && (!m->ifindex || m->ifindex == ifindex))
			return true;
	}
	/* ip(7), IP_MULTICAST_ALL: what others on this host have joined is delivered as well. */
	return sk->mc_all;
}

/* The device that a request names: by index, by address, or by the route to the group. */
static struct net_device *
request_device(struct inet_sock *sk, const struct ip_addr *group, const struct ip_addr *addr,
	       s32 ifindex, int *error)
{
	struct net_device *dev = NULL;

	*error = -ENODEV;
	if (ifindex) {
		dev = net_device_find_by_index(sk->net, (u32)ifindex);
	} else if (addr && ip_addr_get4(addr)) {
		const struct inet_addr *a;

		rcu_read_lock();
		a = inet_address_peek(sk->net, addr, NULL);
		if (a && ref_try_get(&a->dev->ref))
			dev = a->dev;
		rcu_read_unlock();
	} else {
		struct flow f = { .dst = *group,
				  .src = ip_addr_is4(group) ? ip_addr4(0) : IP_ADDR_ANY6 };
		struct route r;

		net_begin();
		if (!inet_route_output(sk->net, &f, &r) && ref_try_get(&r.dev->ref))
			dev = r.dev;
		net_end();
	}
	return dev;
}

static int
membership(struct inet_sock *sk, const struct ip_addr *group, const struct ip_addr *addr,
	   s32 ifindex, bool join)
{
	struct net_device *dev;
	struct inet_mc *m, *found = NULL;
	u32 count = 0;
	int r;

	if (!ip_addr_is_multicast(group))
		return -EINVAL;
	dev = request_device(sk, group, addr, ifindex, &r);
	if (!dev && join)
		return r;
	sock_lock(sk);
	list_for_each_entry(m, &sk->memberships, node)
	{
		count++;
		if (ip_addr_equal(&m->group, group) && (!dev || m->ifindex == dev->ifindex))
			found = m;
	}
	if (!join) {
		r = -EADDRNOTAVAIL;
		if (found) {
			list_del_rcu(&found->node);
			r = 0;
		}
		goto out_unlock;
	}
	m = kzalloc(sizeof(*m), GFP_KERNEL);
	r = found ? -EADDRINUSE : count >= sk->net->inet->igmp_max_memberships ? -ENOBUFS : 0;
	if (!r && !m)
		r = -ENOMEM;
	if (!r)
		r = inet_group_join(dev, group);
	if (r) {
		kfree(m);
		found = NULL;
		goto out_unlock;
	}
	m->group = *group;
	m->ifindex = dev->ifindex;
	list_add_rcu(&m->node, &sk->memberships);
out_unlock:
	sock_unlock(sk);
	if (!join && found) {
		if (dev)
			inet_group_leave(dev, group);
		kfree_rcu(found, rcu);
	}
	net_device_put(dev);
	return r;
}

void
inet_mc_leave_all(struct inet_sock *sk)
{
	while (!list_empty(&sk->memberships)) {
		struct inet_mc *m = list_first_entry(&sk->memberships, struct inet_mc, node);
		struct net_device *dev = net_device_find_by_index(sk->net, m->ifindex);

		list_del_rcu(&m->node);
		if (dev) {
			inet_group_leave(dev, &m->group);
			net_device_put(dev);
		}
		kfree_rcu(m, rcu);
	}
}

/* IP_ADD_MEMBERSHIP, MCAST_JOIN_GROUP and their like. -ENOPROTOOPT: not one of them. */
#define MCAST_JOIN_GROUP  42
#define MCAST_LEAVE_GROUP 45

struct linux_group_req {
	u32 gr_interface;
	u32 pad;
	struct linux_sockaddr_storage gr_group;
};

int
inet_mc_option(struct inet_sock *sk, int level, int name, const void *val, u32 len)
{
	if (name == MCAST_JOIN_GROUP || name == MCAST_LEAVE_GROUP) {
		struct linux_group_req g;
		struct ip_addr group;

		if (len < sizeof(g))
			return -EINVAL;
		memcpy(&g, val, sizeof(g));
		if (level == SOL_IP && g.gr_group.ss_family == AF_INET)
			group = ip_addr4(
				((struct linux_sockaddr_in *)(void *)&g.gr_group)->sin_addr.s_addr);
		else if (level == SOL_IPV6 && g.gr_group.ss_family == AF_INET6)
			memcpy(&group,
			       &((struct linux_sockaddr_in6 *)(void *)&g.gr_group)->sin6_addr, 16);
		else
			return -EADDRNOTAVAIL;
		return membership(sk, &group, NULL, (s32)g.gr_interface, name == MCAST_JOIN_GROUP);
	}
	if (level == SOL_IP && (name == IP_ADD_MEMBERSHIP || name == IP_DROP_MEMBERSHIP)) {
		struct linux_ip_mreqn m = { 0 };
		struct ip_addr group, addr;

		if (len < 8)
			return -EINVAL;
		memcpy(&m, val, len >= sizeof(m) ? sizeof(m) : 8);
		group = ip_addr4(m.imr_multiaddr.s_addr);
		addr = ip_addr4(m.imr_address.s_addr);
		return membership(sk, &group, &addr, m.imr_ifindex, name == IP_ADD_MEMBERSHIP);
	}
	if (level == SOL_IPV6 && (name == IPV6_ADD_MEMBERSHIP || name == IPV6_DROP_MEMBERSHIP)) {
		struct linux_ipv6_mreq m;
		struct ip_addr group;

		if (len < sizeof(m))
			return -EINVAL;
		memcpy(&m, val, sizeof(m));
		memcpy(&group, &m.ipv6mr_multiaddr, 16);
		return membership(sk, &group, NULL, m.ipv6mr_ifindex, name == IPV6_ADD_MEMBERSHIP);
	}
	return -ENOPROTOOPT;
}

/* ---- IGMP ---- */

struct igmp_header {
	u8 type, max_time;
	u16 check;
	u32 group; /* version 3: reserved, the number of records */
};
struct igmp_record {
	u8 type, aux_len;
	u16 sources;
	u32 group;
};

static void
igmp_send(struct net_device *dev, const struct ip_addr *group, enum record what)
{
	/* Router alert (RFC 2113). */
	static const struct inet_options alert = { .len = 4, .bytes = { 0x94, 4, 0, 0 } };
	struct inet_device *in = inet_device_of(dev);
	struct ip_tx tx = { .protocol = IPPROTO_IGMP,
			    .ttl = 1,
			    .tos = 0xc0,
			    .oif = dev->ifindex,
			    .options = &alert,
			    .may_fragment = true };
	bool old = in && time_mono_ns() < READ_ONCE(in->igmp_v2_until);
	struct igmp_header *h;
	struct packet *p;

	if (!(dev->flags & IFF_UP) || ip_addr_get4(group) == htonl(0xe0000001))
		return;
	p = packet_alloc(sizeof(*h) + sizeof(struct igmp_record), GFP_ATOMIC);
	if (!p)
		return;
	h = packet_put(p, sizeof(*h));
	packet_set_transport(p);
	if (old) {
		bool leave = what == RECORD_TO_INCLUDE;

		*h = (struct igmp_header){ .type = leave ? IGMP_V2_LEAVE : IGMP_V2_REPORT,
					   .group = ip_addr_get4(group) };
		tx.dst = leave ? ip_addr4(htonl(0xe0000002)) : *group;
	} else {
		struct igmp_record *r = packet_put(p, sizeof(*r));

		*h = (struct igmp_header){ .type = IGMP_V3_REPORT, .group = htonl(1) };
		*r = (struct igmp_record){ .type = what, .group = ip_addr_get4(group) };
		tx.dst = ip_addr4(htonl(0xe0000016));
	}
	h->check = csum_fold(csum_bytes(h, p->len, 0));
	tx.src = ip_addr4(0);
	net_begin();
	(void)inet_send_to(dev->net, NULL, p, &tx);
	net_end();
}

void
igmp_report(struct net_device *dev, const struct ip_addr *group, bool leave)
{
	igmp_send(dev, group, leave ? RECORD_TO_INCLUDE : RECORD_TO_EXCLUDE);
}

/* A router asks: report what we are in. (At once: the random delay spares big links only.) */
static int
igmp_receive(struct packet *p)
{
	struct inet_device *in = inet_device_of(p->dev);
	struct inet_group *g;
	struct igmp_header h;

	if (inet_cb(p)->v6)
		return -ENOPROTOOPT;
	if (in && packet_csum_valid(p, 0) && packet_may_pull(p, sizeof(h))) {
		memcpy(&h, p->data, sizeof(h));
		if (h.type == IGMP_QUERY && p->len == V2_QUERY_LEN)
			WRITE_ONCE(in->igmp_v2_until, time_mono_ns() + V2_NS);
		if (h.type == IGMP_QUERY)
			list_for_each_entry_rcu(g, &in->groups, node)
			{
				if (ip_addr_is4(&g->addr) &&
				    (!h.group || h.group == ip_addr_get4(&g->addr)))
					igmp_send(p->dev, &g->addr, RECORD_EXCLUDES);
			}
	}
	packet_free(p);
	return 0;
}

static const struct inet_protocol igmp_protocol = {
	.protocol = IPPROTO_IGMP,
	.receive = igmp_receive,
};

void
inet_mc_init(void)
{
	inet_protocol_register(&igmp_protocol);
}
