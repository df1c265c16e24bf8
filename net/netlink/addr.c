/* SPDX-License-Identifier: MIT */
/* rtnetlink(7): addresses of devices. RTM_NEWADDR, RTM_DELADDR, RTM_GETADDR. */
#include "core/time.h"
#include "lib/string.h"
#include "net/inet/address.h"
#include "netlink_internal.h"

#define IFA_RT_PRIORITY 9
#define IFA_PROTO	11
#define IFA_TOP		IFA_PROTO
#define FOREVER		0xffffffffu

static u32
seconds_until(u64 when, u64 now)
{
	if (when == TIME_NEVER)
		return FOREVER;
	return when <= now ? 0 : (u32)((when - now) / NSEC_PER_SEC);
}

static u64
time_in_seconds(u32 seconds, u64 now)
{
	return seconds == FOREVER ? TIME_NEVER : now + (u64)seconds * NSEC_PER_SEC;
}

/* IPv6 addresses have their scope in themselves (RFC 4007). */
static u8
scope_of(const struct inet_addr *a)
{
	const u8 *b = a->local.b;

	if (a->family == AF_INET)
		return a->scope;
	if (ipv6_is_linklocal(&a->local))
		return RT_SCOPE_LINK;
	if (b[0] == 0xfe && (b[1] & 0xc0) == 0xc0)
		return RT_SCOPE_SITE;
	return !a->local.q[0] && a->local.w[2] == 0 && a->local.w[3] == htonl(1)
		       ? RT_SCOPE_HOST
		       : RT_SCOPE_UNIVERSE;
}

static void
addr_fill(struct nl_writer *w, const struct nl_request *rq, u16 flags, const void *arg)
{
	const struct inet_addr *a = arg;
	u16 type = rq->h->nlmsg_type == RTM_DELADDR ? RTM_DELADDR : RTM_NEWADDR;
	u64 now = time_mono_ns();
	struct linux_ifaddrmsg *m;
	void *body;
	u32 start = nl_begin(w, type, flags, rq->h->nlmsg_seq, rq->port, sizeof(*m), &body);
	u32 ifa_flags = a->flags | (a->valid_until == TIME_NEVER ? IFA_F_PERMANENT : 0);
	struct linux_ifa_cacheinfo ci = {
		.ifa_prefered = seconds_until(a->preferred_until, now),
		.ifa_valid = seconds_until(a->valid_until, now),
		.cstamp = (u32)(a->created / (NSEC_PER_SEC / 100)),
		.tstamp = (u32)(a->updated / (NSEC_PER_SEC / 100)),
	};

	m = body;
	m->ifa_family = (u8)a->family;
	m->ifa_prefixlen = a->prefix_len;
	m->ifa_flags = (u8)ifa_flags;
	m->ifa_scope = scope_of(a);
	m->ifa_index = a->dev->ifindex;
	if (a->family == AF_INET) {
		nl_put_addr(w, IFA_ADDRESS, AF_INET, &a->peer);
		nl_put_addr(w, IFA_LOCAL, AF_INET, &a->local);
		if (!ip_addr_is_any(&a->broadcast))
			nl_put_addr(w, IFA_BROADCAST, AF_INET, &a->broadcast);
		if (a->label[0])
			nl_put_text(w, IFA_LABEL, a->label);
	} else {
		if (!ip_addr_equal(&a->peer, &a->local)) {
			nl_put_addr(w, IFA_LOCAL, AF_INET6, &a->local);
			nl_put_addr(w, IFA_ADDRESS, AF_INET6, &a->peer);
		} else {
			nl_put_addr(w, IFA_ADDRESS, AF_INET6, &a->local);
		}
	}
	nl_put_u32(w, IFA_FLAGS, ifa_flags);
	nl_put(w, IFA_CACHEINFO, &ci, sizeof(ci));
	if (a->protocol)
		nl_put_u8(w, IFA_PROTO, a->protocol);
	nl_end(w, start);
}

void
addr_notify(struct net_ns *net, const struct inet_addr *a, u16 type)
{
	rtnetlink_event(net, a->family == AF_INET ? RTNLGRP_IPV4_IFADDR : RTNLGRP_IPV6_IFADDR,
			addr_fill, a, type);
}

static bool
dump_one(const struct inet_addr *a, void *ctx)
{
	return !nl_dump_message(ctx, addr_fill, a);
}

int
addr_dump(const struct nl_request *rq)
{
	struct linux_ifaddrmsg m;
	struct net_device *only = NULL, *dev;
	struct nl_dump d;

	nl_request_body(rq, &m, sizeof(m));
	if (rq->strict && m.ifa_index) {
		only = net_device_peek_by_index(rq->net, m.ifa_index);
		if (!only)
			return -ENODEV;
	}
	int r = nl_dump_begin(&d, rq);
	if (r)
		return r;
	static const int families[] = { AF_INET, AF_INET6 };
	for (u32 i = 0; i < ARRAY_SIZE(families); i++) {
		if (m.ifa_family && m.ifa_family != families[i])
			continue;
		list_for_each_entry(dev, &rq->net->devices, node)
		{
			if (!only || dev == only)
				inet_address_for_each(rq->net, dev, families[i], dump_one, &d);
		}
	}
	return nl_dump_end(&d);
}

/* What a request says, as a template. 0, -EINVAL, -ENODEV, -EAFNOSUPPORT. */
static int
addr_read(const struct nl_request *rq, struct inet_addr *a, struct net_device **dev)
{
	struct nl_attr attrs[IFA_TOP + 1];
	struct linux_ifaddrmsg m;
	u64 now = time_mono_ns();
	u32 flags;

	nl_request_body(rq, &m, sizeof(m));
	int r = nl_request_attrs(rq, sizeof(m), attrs, IFA_TOP);
	if (r)
		return r;
	if (m.ifa_family != AF_INET && m.ifa_family != AF_INET6)
		return -EAFNOSUPPORT;
	if (m.ifa_prefixlen > (m.ifa_family == AF_INET ? 32 : 128))
		return -EINVAL;
	*dev = net_device_peek_by_index(rq->net, m.ifa_index);
	if (!*dev)
		return -ENODEV;
	memset(a, 0, sizeof(*a));
	a->family = m.ifa_family;
	a->prefix_len = m.ifa_prefixlen;
	a->scope = m.ifa_scope;
	a->dev = *dev;
	a->broadcast = a->family == AF_INET ? ip_addr4(0) : IP_ADDR_ANY6;
	flags = m.ifa_flags;
	if (!nl_has(attrs, IFA_LOCAL) && !nl_has(attrs, IFA_ADDRESS))
		return -EINVAL;
	u32 local = nl_has(attrs, IFA_LOCAL) ? IFA_LOCAL : IFA_ADDRESS;
	u32 peer = nl_has(attrs, IFA_ADDRESS) ? IFA_ADDRESS : IFA_LOCAL;
	r = nl_get_addr(attrs, local, a->family, &a->local);
	if (!r)
		r = nl_get_addr(attrs, peer, a->family, &a->peer);
	if (!r)
		r = nl_get_addr(attrs, IFA_BROADCAST, a->family, &a->broadcast);
	if (!r)
		r = nl_get_u32(attrs, IFA_FLAGS, &flags);
	if (!r)
		r = nl_get_text(attrs, IFA_LABEL, a->label, sizeof(a->label));
	if (!r)
		r = nl_get_u8(attrs, IFA_PROTO, &a->protocol);
	if (r)
		return r;
	a->flags = flags &
		   (IFA_F_NODAD | IFA_F_HOMEADDRESS | IFA_F_MANAGETEMPADDR | IFA_F_NOPREFIXROUTE);
	a->created = a->updated = now;
	a->valid_until = a->preferred_until = TIME_NEVER;
	if (nl_has(attrs, IFA_CACHEINFO)) {
		struct linux_ifa_cacheinfo ci;

		if (attrs[IFA_CACHEINFO].len < sizeof(ci))
			return -EINVAL;
		memcpy(&ci, attrs[IFA_CACHEINFO].data, sizeof(ci));
		if (!ci.ifa_valid || ci.ifa_prefered > ci.ifa_valid)
			return -EINVAL;
		a->valid_until = time_in_seconds(ci.ifa_valid, now);
		a->preferred_until = time_in_seconds(ci.ifa_prefered, now);
	}
	return 0;
}

int
addr_new(const struct nl_request *rq)
{
	struct net_device *dev;
	struct inet_addr a;
	int r = addr_read(rq, &a, &dev);

	if (r)
		return r;
	if (a.family == AF_INET && !a.label[0])
		strscpy(a.label, dev->name, sizeof(a.label));
	return inet_address_add(dev, &a, rq->h->nlmsg_flags & NLM_F_REPLACE);
}

int
addr_delete(const struct nl_request *rq)
{
	struct net_device *dev;
	struct inet_addr a;
	int r = addr_read(rq, &a, &dev);

	return r ? r : inet_address_del(dev, &a);
}
