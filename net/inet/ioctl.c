/* SPDX-License-Identifier: MIT */
/*
 * The ioctls of netdevice(7), arp(7) and routing, on any socket: what ifconfig, route, arp and DHCP
 * clients use.
 *
 * An interface name may carry a label ("eth0:1"): the address of that label is meant.
 */
#include "uapi/ioctl.h"
#include "inet_internal.h"
#include "lib/format.h"
#include "mm/slab.h"
#include "mm/user.h"
#include "task/cred.h"
#include "uapi/errno.h"

#define SIOCGIFSLAVE	   0x8929
#define SIOCGIFPFLAGS	   0x8935
#define SIOCGIFMEM	   0x891f
#define SIOCGIFVLAN	   0x8982
#define SIOCSIFHWBROADCAST 0x8937

static void
name_device(char *device, const char *name)
{
	char *colon;

	strscpy(device, name, IFNAMSIZ);
	colon = strchr(device, ':');
	if (colon)
		*colon = 0;
}

/* The address that a name means: that of the label, or the device's first. config_lock held. */
static struct inet_addr *
name_address(struct net_device *dev, const char *name)
{
	struct inet_device *in = dev->inet;
	struct inet_addr *a, *first = NULL;

	if (!in)
		return NULL;
	list_for_each_entry(a, &in->addrs, node)
	{
		if (a->family != AF_INET)
			continue;
		if (!strncmp(a->label, name, IFNAMSIZ))
			return a;
		if (!first)
			first = a;
	}
	return strchr(name, ':') ? NULL : first;
}

static void
put_address(struct linux_ifreq *r, u32 a)
{
	struct linux_sockaddr_in s = { .sin_family = AF_INET, .sin_addr = { a } };

	memcpy(&r->ifr.addr, &s, sizeof(s));
}

static u32
get_address(const struct linux_ifreq *r)
{
	struct linux_sockaddr_in s;

	memcpy(&s, &r->ifr.addr, sizeof(s));
	return s.sin_addr.s_addr;
}

static u8
mask_length(u32 mask_be)
{
	u32 m = ntohl(mask_be);

	return m ? (u8)(32 - __builtin_ctz(m)) : 0;
}

static u32
mask_make(u8 len)
{
	return len ? htonl(~0u << (32 - len)) : 0;
}

/* The class of the address gives the mask when none was said. */
static u8
class_length(u32 a)
{
	u8 top = (u8)a;

	return !a ? 0 : top < 128 ? 8 : top < 192 ? 16 : top < 224 ? 24 : 32;
}

/* Take `old` away (if any) and add `fresh`. */
static int
address_replace(struct net_device *dev, const struct inet_addr *old, struct inet_addr *fresh)
{
	struct inet_addr key;

	if (old) {
		key = *old;
		(void)inet_address_del(dev, &key);
	}
	return inet_address_add(dev, fresh, false);
}

static int
address_set(struct net_device *dev, const char *name, u32 cmd, const struct linux_ifreq *req)
{
	struct inet_addr *old = name_address(dev, name), a;
	u32 value = get_address(req);

	memset(&a, 0, sizeof(a));
	if (cmd == SIOCSIFADDR) {
		if (req->ifr.addr.sa_family != AF_INET && req->ifr.addr.sa_family != AF_UNSPEC)
			return -EINVAL;
		if (old && strncmp(old->label, name, IFNAMSIZ))
			old = NULL;
		if (!value || old) {
			if (old) {
				struct inet_addr key = *old;

				(void)inet_address_del(dev, &key);
			}
			if (!value)
				return 0;
		}
		a.family = AF_INET;
		a.local = a.peer = ip_addr4(value);
		a.broadcast = ip_addr4(0);
		a.prefix_len = dev->flags & IFF_POINTOPOINT ? 32 : class_length(value);
		if (dev->flags & IFF_BROADCAST && a.prefix_len < 31)
			a.broadcast = ip_addr4(value | ~mask_make(a.prefix_len));
		a.scope = ipv4_is_loopback(value) ? RT_SCOPE_HOST : RT_SCOPE_UNIVERSE;
		strscpy(a.label, name, sizeof(a.label));
		return inet_address_add(dev, &a, false);
	}
	if (!old)
		return -EADDRNOTAVAIL;
	a = *old;
	switch (cmd) {
	case SIOCSIFBRDADDR: a.broadcast = ip_addr4(value); break;
	case SIOCSIFDSTADDR: a.peer = ip_addr4(value); break;
	case SIOCSIFNETMASK: {
		u32 host = ~ntohl(value);

		if (host & (host + 1)) /* holes */
			return -EINVAL;
		/* The broadcast address follows, if it was the old mask's. */
		if (dev->flags & IFF_BROADCAST && a.prefix_len < 31 &&
		    ip_addr_get4(&a.broadcast) ==
			    (ip_addr_get4(&a.local) | ~mask_make(a.prefix_len)))
			a.broadcast = ip_addr4(ip_addr_get4(&a.local) | ~value);
		a.prefix_len = mask_length(value);
		break;
	}
	}
	a.flags &= ~(u32)IFA_F_SECONDARY;
	return address_replace(dev, old, &a);
}

/* ---- SIOCGIFCONF ---- */

struct conf_state {
	user_ptr buf;
	s32 room, done;
	int error;
};

static bool
conf_one(const struct inet_addr *a, void *ctx)
{
	struct conf_state *s = ctx;
	struct linux_ifreq r;

	if (!user_ptr_null(s->buf)) {
		if (s->room - s->done < (s32)sizeof(r))
			return true;
		memset(&r, 0, sizeof(r));
		memcpy(r.ifr_name, a->label, IFNAMSIZ);
		put_address(&r, ip_addr_get4(&a->local));
		s->error = copy_to_user(user_ptr_add(s->buf, (u64)s->done), &r, sizeof(r));
	}
	s->done += (s32)sizeof(r);
	return s->error != 0;
}

static long
get_conf(struct net_ns *net, u64 arg)
{
	struct linux_ifconf c;
	struct conf_state s = { 0 };

	if (copy_from_user(&c, user_ptr_of(arg), sizeof(c)))
		return -EFAULT;
	s.buf = user_ptr_of(c.ifc_buf);
	s.room = c.ifc_len;
	net_config_lock(net);
	inet_address_for_each(net, NULL, AF_INET, conf_one, &s);
	net_config_unlock(net);
	c.ifc_len = s.done;
	if (s.error || copy_to_user(user_ptr_of(arg), &c, sizeof(c)))
		return -EFAULT;
	return 0;
}

/* ---- one interface ---- */

static int
interface_get(struct net_device *dev, u32 cmd, struct linux_ifreq *r)
{
	struct inet_addr *a;

	switch (cmd) {
	case SIOCGIFFLAGS: r->ifr.flags = (s16)net_device_user_flags(dev); return 0;
	case SIOCGIFMETRIC: r->ifr.value = 0; return 0;
	case SIOCGIFMTU: r->ifr.value = (s32)dev->mtu; return 0;
	case SIOCGIFINDEX: r->ifr.value = (s32)dev->ifindex; return 0;
	case SIOCGIFTXQLEN: r->ifr.value = (s32)dev->queue_limit; return 0;
	case SIOCGIFMAP: memset(&r->ifr.map, 0, sizeof(r->ifr.map)); return 0;
	case SIOCGIFHWADDR:
		memset(&r->ifr.addr, 0, sizeof(r->ifr.addr));
		r->ifr.addr.sa_family = dev->type;
		memcpy(r->ifr.addr.sa_data, dev->addr, MIN(dev->addr_len, (u8)14));
		return 0;
	}
	a = name_address(dev, r->ifr_name);
	if (!a)
		return -EADDRNOTAVAIL;
	switch (cmd) {
	case SIOCGIFADDR: put_address(r, ip_addr_get4(&a->local)); return 0;
	case SIOCGIFDSTADDR: put_address(r, ip_addr_get4(&a->peer)); return 0;
	case SIOCGIFBRDADDR: put_address(r, ip_addr_get4(&a->broadcast)); return 0;
	case SIOCGIFNETMASK: put_address(r, mask_make(a->prefix_len)); return 0;
	}
	return -ENOTTY;
}

static int
interface_set(struct net_device *dev, u32 cmd, struct linux_ifreq *r)
{
	char name[IFNAMSIZ];

	switch (cmd) {
	case SIOCSIFFLAGS:
		/* ifconfig eth0:1 down: the labelled address goes. */
		if (strchr(r->ifr_name, ':')) {
			struct inet_addr *a = name_address(dev, r->ifr_name), key;

			if (!a)
				return -EADDRNOTAVAIL;
			if (r->ifr.flags & IFF_UP)
				return 0;
			key = *a;
			return inet_address_del(dev, &key);
		}
		return net_device_set_flags(dev, (u16)r->ifr.flags);
	case SIOCSIFMTU:
		return r->ifr.value < 0 ? -EINVAL : net_device_set_mtu(dev, (u32)r->ifr.value);
	case SIOCSIFMETRIC: return -EOPNOTSUPP;
	case SIOCSIFTXQLEN:
		if (r->ifr.value < 0)
			return -EINVAL;
		dev->queue_limit = (u32)r->ifr.value;
		return 0;
	case SIOCSIFHWADDR:
		if (r->ifr.addr.sa_family != dev->type)
			return -EINVAL;
		return net_device_set_mac(dev, (const u8 *)r->ifr.addr.sa_data);
	case SIOCSIFNAME:
		memcpy(name, r->ifr.newname, sizeof(name));
		name[IFNAMSIZ - 1] = 0;
		return net_device_rename(dev, name);
	case SIOCADDMULTI: return net_device_mc_add(dev, (const u8 *)r->ifr.addr.sa_data);
	case SIOCDELMULTI: net_device_mc_del(dev, (const u8 *)r->ifr.addr.sa_data); return 0;
	case SIOCSIFADDR:
	case SIOCSIFBRDADDR:
	case SIOCSIFDSTADDR:
	case SIOCSIFNETMASK: return address_set(dev, r->ifr_name, cmd, r);
	}
	return -ENOTTY;
}

static long
interface_ioctl(struct net_ns *net, u32 cmd, u64 arg, bool set)
{
	struct net_device *dev;
	struct linux_ifreq r;
	char name[IFNAMSIZ];
	long e;

	if (copy_from_user(&r, user_ptr_of(arg), sizeof(r)))
		return -EFAULT;
	r.ifr_name[IFNAMSIZ - 1] = 0;
	if (set && !capable(CAP_NET_ADMIN))
		return -EPERM;
	name_device(name, r.ifr_name);
	net_config_lock(net);
	rcu_read_lock();
	dev = net_device_peek_by_name(net, name); /* stays while the lock is held */
	rcu_read_unlock();
	e = !dev ? -ENODEV : set ? interface_set(dev, cmd, &r) : interface_get(dev, cmd, &r);
	net_config_unlock(net);
	if (!e && !set && copy_to_user(user_ptr_of(arg), &r, sizeof(r)))
		e = -EFAULT;
	return e;
}

static long
get_name(struct net_ns *net, u64 arg)
{
	struct net_device *dev;
	struct linux_ifreq r;

	if (copy_from_user(&r, user_ptr_of(arg), sizeof(r)))
		return -EFAULT;
	dev = net_device_find_by_index(net, (u32)r.ifr.value);
	if (!dev)
		return -ENODEV;
	memcpy(r.ifr_name, dev->name, IFNAMSIZ);
	net_device_put(dev);
	return copy_to_user(user_ptr_of(arg), &r, sizeof(r));
}

/* ---- routes ---- */

static int
sockaddr4(const struct linux_sockaddr *a, u32 *out)
{
	struct linux_sockaddr_in s;

	memcpy(&s, a, sizeof(s));
	*out = s.sin_addr.s_addr;
	return s.sin_family == AF_INET || (s.sin_family == AF_UNSPEC && !s.sin_addr.s_addr)
		       ? 0
		       : -EAFNOSUPPORT;
}

static long
route_ioctl(struct net_ns *net, u32 cmd, u64 arg)
{
	struct route_entry e = { .type = RTN_UNICAST,
				 .protocol = RTPROT_BOOT,
				 .table_id = RT_TABLE_MAIN,
				 .source = ip_addr4(0) };
	struct linux_rtentry rt;
	char name[IFNAMSIZ] = "";
	u32 dst, mask = 0, gateway = 0, host;
	long r;

	if (!capable(CAP_NET_ADMIN))
		return -EPERM;
	if (copy_from_user(&rt, user_ptr_of(arg), sizeof(rt)))
		return -EFAULT;
	if (rt.rt_dev) {
		r = strncpy_from_user(name, user_ptr_of(rt.rt_dev), sizeof(name));
		if (r < 0 && r != -ENAMETOOLONG)
			return r;
		name[IFNAMSIZ - 1] = 0;
	}
	if (sockaddr4(&rt.rt_dst, &dst))
		return -EAFNOSUPPORT;
	if (rt.rt_flags & RTF_HOST) {
		mask = ~0u;
	} else {
		if (sockaddr4(&rt.rt_genmask, &mask) && rt.rt_genmask.sa_family)
			return -EAFNOSUPPORT;
		host = ~ntohl(mask);
		if (host & (host + 1) || dst & ~mask)
			return -EINVAL;
	}
	e.dst = ip_addr4(dst);
	e.prefix_len = mask_length(mask);
	e.priority = rt.rt_metric > 0 ? (u32)rt.rt_metric - 1 : 0;
	if (rt.rt_flags & RTF_REJECT)
		e.type = RTN_UNREACHABLE;
	if (rt.rt_flags & 0x0040) /* RTF_MSS */
		e.metrics.advmss = (u32)rt.rt_mtu > 40 ? (u32)rt.rt_mtu - 40 : 0;
	if (rt.rt_gateway.sa_family == AF_INET && (rt.rt_flags & RTF_GATEWAY || cmd == SIOCDELRT))
		(void)sockaddr4(&rt.rt_gateway, &gateway);
	if (rt.rt_flags & RTF_GATEWAY && !gateway && cmd == SIOCADDRT)
		return -EINVAL;
	net_config_lock(net);
	r = 0;
	if (name[0]) {
		char device[IFNAMSIZ];

		name_device(device, name);
		rcu_read_lock();
		e.hops[0].dev = net_device_peek_by_name(net, device);
		rcu_read_unlock();
		if (!e.hops[0].dev)
			r = -ENODEV;
	}
	if (gateway) {
		e.hops[0].has_gateway = true;
		e.hops[0].gateway = ip_addr4(gateway);
	}
	e.nr_hops = e.type == RTN_UNICAST && (name[0] || gateway);
	e.scope = gateway || cmd == SIOCDELRT ? RT_SCOPE_UNIVERSE : RT_SCOPE_LINK;
	if (cmd == SIOCDELRT) {
		e.scope = RT_SCOPE_NOWHERE;
		e.protocol = 0;
		e.type = rt.rt_flags & RTF_REJECT ? RTN_UNREACHABLE : 0;
	}
	if (!r)
		r = cmd == SIOCADDRT ? route_add(net, AF_INET, &e, ROUTE_CREATE | ROUTE_APPEND)
				     : route_del(net, AF_INET, &e);
	net_config_unlock(net);
	return r;
}

/* ---- ARP ---- */

static long
arp_ioctl(struct net_ns *net, u32 cmd, u64 arg)
{
	struct neighbour_table *t = &net->inet->arp;
	struct linux_arpreq req;
	struct net_device *dev = NULL;
	struct neighbour *n;
	long r = 0;
	u32 ip;

	if (cmd != SIOCGARP && !capable(CAP_NET_ADMIN))
		return -EPERM;
	if (copy_from_user(&req, user_ptr_of(arg), sizeof(req)))
		return -EFAULT;
	if (req.arp_pa.sa_family != AF_INET)
		return -EPFNOSUPPORT;
	(void)sockaddr4(&req.arp_pa, &ip);
	req.arp_dev[15] = 0;
	net_config_lock(net);
	net_begin();
	if (req.arp_dev[0]) {
		dev = net_device_peek_by_name(net, req.arp_dev);
		r = dev ? 0 : -ENODEV;
	} else {
		struct flow f = { .dst = ip_addr4(ip), .src = ip_addr4(0) };
		struct route route;

		r = inet_route_output(net, &f, &route);
		dev = r ? NULL : route.dev;
		if (!r && dev->flags & (IFF_NOARP | IFF_LOOPBACK))
			r = cmd == SIOCGARP ? -ENXIO : -EINVAL;
	}
	if (r)
		goto out;
	switch (cmd) {
	case SIOCGARP:
		n = neighbour_peek(t, &ip, dev);
		r = n && n->state & NUD_VALID ? 0 : -ENXIO;
		if (!r) {
			req.arp_flags = n->state & NUD_PERMANENT ? ATF_PERM | ATF_COM : ATF_COM;
			req.arp_ha.sa_family = dev->type;
			memcpy(req.arp_ha.sa_data, n->addr, MIN(dev->addr_len, (u8)14));
			strscpy(req.arp_dev, dev->name, sizeof(req.arp_dev));
		}
		break;
	case SIOCSARP:
		if (req.arp_ha.sa_family != dev->type && req.arp_ha.sa_family) {
			r = -EINVAL;
			break;
		}
		n = neighbour_peek_or_create(t, &ip, dev);
		r = n ? neighbour_update(n, (const u8 *)req.arp_ha.sa_data,
					 req.arp_flags & ATF_PERM ? NUD_PERMANENT : NUD_STALE,
					 NEIGH_UPDATE_ADMIN)
		      : -ENOBUFS;
		break;
	case SIOCDARP: r = neighbour_delete(t, &ip, dev) ? -ENXIO : 0; break;
	}
out:
	net_end();
	net_config_unlock(net);
	if (!r && cmd == SIOCGARP && copy_to_user(user_ptr_of(arg), &req, sizeof(req)))
		r = -EFAULT;
	return r;
}

/* ---- ethtool: what ifplugd, NetworkManager and ip look at ---- */

#define ETHTOOL_GDRVINFO 0x03
#define ETHTOOL_GLINK	 0x0a

static long
ethtool_ioctl(struct net_ns *net, u64 arg)
{
	struct linux_ifreq r;
	struct net_device *dev;
	u32 cmd, value[2];
	long e = -EOPNOTSUPP;

	if (copy_from_user(&r, user_ptr_of(arg), sizeof(r)))
		return -EFAULT;
	r.ifr_name[IFNAMSIZ - 1] = 0;
	if (get_user(&cmd, user_ptr_of(r.ifr.data)))
		return -EFAULT;
	dev = net_device_find_by_name(net, r.ifr_name);
	if (!dev)
		return -ENODEV;
	if (cmd == ETHTOOL_GLINK) {
		value[0] = cmd;
		value[1] = dev->carrier && dev->flags & IFF_UP;
		e = copy_to_user(user_ptr_of(r.ifr.data), value, sizeof(value));
	}
	net_device_put(dev);
	return e;
}

static long
device_ioctl(u32 cmd, u64 arg)
{
	struct net_ns *net = net_current();

	switch (cmd) {
	case SIOCGIFCONF: return get_conf(net, arg);
	case SIOCGIFNAME: return get_name(net, arg);
	case SIOCGIFFLAGS:
	case SIOCGIFADDR:
	case SIOCGIFDSTADDR:
	case SIOCGIFBRDADDR:
	case SIOCGIFNETMASK:
	case SIOCGIFMETRIC:
	case SIOCGIFMTU:
	case SIOCGIFHWADDR:
	case SIOCGIFINDEX:
	case SIOCGIFTXQLEN:
	case SIOCGIFMAP: return interface_ioctl(net, cmd, arg, false);
	case SIOCSIFFLAGS:
	case SIOCSIFADDR:
	case SIOCSIFDSTADDR:
	case SIOCSIFBRDADDR:
	case SIOCSIFNETMASK:
	case SIOCSIFMETRIC:
	case SIOCSIFMTU:
	case SIOCSIFNAME:
	case SIOCSIFHWADDR:
	case SIOCADDMULTI:
	case SIOCDELMULTI:
	case SIOCSIFTXQLEN: return interface_ioctl(net, cmd, arg, true);
	case SIOCADDRT:
	case SIOCDELRT: return route_ioctl(net, cmd, arg);
	case SIOCDARP:
	case SIOCGARP:
	case SIOCSARP: return arp_ioctl(net, cmd, arg);
	case SIOCETHTOOL: return ethtool_ioctl(net, arg);
	}
	return -ENOTTY;
}

/* All of them are every socket's: socket_device_ioctl. */
long
inet_ioctl(struct socket *s, u32 cmd, u64 arg)
{
	return -ENOTTY;
}

void
inet_ioctl_init(void)
{
	socket_device_ioctl = device_ioctl;
}
