/* SPDX-License-Identifier: MIT */
/*
 * rtnetlink(7): which request goes where, and the network's events as messages.
 *
 * Handlers run with the namespace's config_lock held, so a dump is one moment's picture.
 */
#include "mm/slab.h"
#include "net/inet/address.h"
#include "netlink_internal.h"
#include "task/cred.h"
#include "uapi/capability.h"

#define EVENT_MAX 2048u

static const struct {
	u16 type; /* RTM_GET*; RTM_NEW* and RTM_DEL* are two and one before it */
	nl_handler *get, *dump, *add, *set, *delete;
} nouns[] = {
	{ RTM_GETLINK, link_get, link_dump, link_new, link_set, link_delete },
	{ RTM_GETADDR, NULL, addr_dump, addr_new, NULL, addr_delete },
	{ RTM_GETROUTE, rtroute_get, rtroute_dump, rtroute_new, NULL, rtroute_delete },
	{ RTM_GETNEIGH, neigh_get, neigh_dump, neigh_new, NULL, neigh_delete },
	{ RTM_GETRULE, NULL, rule_dump, rule_new, NULL, rule_delete },
};

int
rtnetlink_request(const struct nl_request *rq)
{
	u16 type = rq->h->nlmsg_type;
	bool get = (type & 3) == 2, dump = get && (rq->h->nlmsg_flags & NLM_F_DUMP) == NLM_F_DUMP;
	nl_handler *handler = NULL;

	if (!rq->len)
		return 0;
	for (u32 i = 0; i < ARRAY_SIZE(nouns); i++) {
		if (nouns[i].type >> 2 != type >> 2)
			continue;
		switch (type & 3) {
		case 0: handler = nouns[i].add; break;
		case 1: handler = nouns[i].delete; break;
		case 2: handler = dump ? nouns[i].dump : nouns[i].get; break;
		case 3: handler = nouns[i].set; break;
		}
	}
	if (!get && !capable(CAP_NET_ADMIN))
		return -EPERM;
	if (!handler)
		return -EOPNOTSUPP;
	net_config_lock(rq->net);
	int r = handler(rq);
	net_config_unlock(rq->net);
	return dump && !r ? -EINTR : r;
}

void
rtnetlink_event(struct net_ns *net, u32 group, nl_filler *fill, const void *arg, u16 type)
{
	struct linux_nlmsghdr h = { .nlmsg_type = type };
	struct nl_request rq = { .net = net, .h = &h };
	struct nl_writer w;

	if (!netlink_has_listeners(net, NETLINK_ROUTE, group))
		return;
	void *buf = kmalloc(EVENT_MAX, GFP_ATOMIC);
	if (!buf)
		return;
	nl_writer_init(&w, buf, EVENT_MAX);
	fill(&w, &rq, 0, arg);
	if (!w.full)
		netlink_multicast(net, NETLINK_ROUTE, group, buf, w.len);
	kfree(buf);
}

static void
network_event(struct net_listener *l, struct net_ns *net, enum net_event ev, void *arg)
{
	switch (ev) {
	case NET_DEV_REGISTER:
	case NET_DEV_UP:
	case NET_DEV_DOWN:
	case NET_DEV_CHANGE: link_notify(net, arg, RTM_NEWLINK); break;
	case NET_DEV_UNREGISTER: link_notify(net, arg, RTM_DELLINK); break;
	case NET_DEV_GOING_DOWN: break;
	case NET_ADDR_ADD: addr_notify(net, arg, RTM_NEWADDR); break;
	case NET_ADDR_DEL: addr_notify(net, arg, RTM_DELADDR); break;
	case NET_ROUTE_ADD: rtroute_notify(net, arg, RTM_NEWROUTE); break;
	case NET_ROUTE_DEL: rtroute_notify(net, arg, RTM_DELROUTE); break;
	case NET_NEIGH_CHANGE: neigh_notify(net, arg); break;
	}
}

static struct net_listener listener = { .event = network_event };

void
rtnetlink_init(void)
{
	net_listener_add(&listener);
}
