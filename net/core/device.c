/* SPDX-License-Identifier: MIT */
/*
 * Network devices: registration, configuration, statistics (net/core/device.h).
 *
 * Lists and hashes of a namespace are changed under its config_lock and read under RCU. A device
 * that is unregistered first goes down, then leaves the lists, is announced, and after a grace
 * period nothing but references can reach it.
 */
#include "core/cpumask.h"
#include "core/log.h"
#include "core/random.h"
#include "lib/format.h"
#include "mm/slab.h"
#include "net_core_internal.h"
#include "sched/work.h"
#include "uapi/errno.h"

/* What ioctl and rtnetlink may set. */
#define FLAGS_SETTABLE                                                                   \
	(IFF_UP | IFF_DEBUG | IFF_NOTRAILERS | IFF_NOARP | IFF_DYNAMIC | IFF_MULTICAST | \
	 IFF_PORTSEL | IFF_AUTOMEDIA | IFF_PROMISC | IFF_ALLMULTI)

static struct hlist_head *
index_bucket(struct net_ns *net, u32 ifindex)
{
	return &net->dev_by_index[ifindex % NET_DEVICE_HASH];
}

static struct hlist_head *
name_bucket(struct net_ns *net, const char *name)
{
	return &net->dev_by_name[hash_bytes32(name, strnlen(name, IFNAMSIZ), 0) % NET_DEVICE_HASH];
}

struct net_device *
net_device_peek_by_index(struct net_ns *net, u32 ifindex)
{
	struct net_device *dev;

	hlist_for_each_entry_rcu(dev, index_bucket(net, ifindex), by_index)
	{
		if (dev->ifindex == ifindex)
			return dev;
	}
	return NULL;
}

struct net_device *
net_device_peek_by_name(struct net_ns *net, const char *name)
{
	struct net_device *dev;

	hlist_for_each_entry_rcu(dev, name_bucket(net, name), by_name)
	{
		if (!strncmp(dev->name, name, IFNAMSIZ))
			return dev;
	}
	return NULL;
}

static struct net_device *
reference(struct net_device *dev)
{
	return dev && ref_try_get(&dev->ref) ? dev : NULL;
}

struct net_device *
net_device_find_by_index(struct net_ns *net, u32 ifindex)
{
	struct net_device *dev;

	rcu_read_lock();
	dev = reference(net_device_peek_by_index(net, ifindex));
	rcu_read_unlock();
	return dev;
}

struct net_device *
net_device_find_by_name(struct net_ns *net, const char *name)
{
	struct net_device *dev;

	rcu_read_lock();
	dev = reference(net_device_peek_by_name(net, name));
	rcu_read_unlock();
	return dev;
}

static void
device_free(struct rcu_head *head)
{
	struct net_device *dev = container_of(head, struct net_device, rcu);

	kfree(dev->queues);
	kfree(dev->stats);
	dev->queues = NULL;
	dev->stats = NULL;
	if (dev->ops->release)
		dev->ops->release(dev);
}

void
net_device_put(struct net_device *dev)
{
	if (dev && ref_put(&dev->ref))
		rcu_call(&dev->rcu, device_free);
}

/* ---- names ---- */

static bool
name_valid(const char *name)
{
	size_t len = strnlen(name, IFNAMSIZ);

	if (!len || len >= IFNAMSIZ || !strcmp(name, ".") || !strcmp(name, ".."))
		return false;
	for (; *name; name++)
		if (*name == '/' || *name == ':' || (u8)*name <= ' ')
			return false;
	return true;
}

/* "eth%d": the lowest number that is free. config_lock held. */
static int
name_choose(struct net_ns *net, char *name)
{
	char *percent = strchr(name, '%'), pattern[IFNAMSIZ], full[IFNAMSIZ + 12];

	if (!percent)
		return !name_valid(name)		    ? -EINVAL
		       : net_device_peek_by_name(net, name) ? -EEXIST
							    : 0;
	if (percent[1] != 'd' || percent[2])
		return -EINVAL;
	*percent = 0;
	memcpy(pattern, name, sizeof(pattern));
	for (u32 i = 0; i < 32768; i++) {
		snprintf(full, sizeof(full), "%s%u", pattern, i);
		if (!name_valid(full))
			return -EINVAL;
		if (!net_device_peek_by_name(net, full)) {
			strscpy(name, full, IFNAMSIZ);
			return 0;
		}
	}
	return -ENFILE;
}

int
net_device_rename(struct net_device *dev, const char *name)
{
	char fresh[IFNAMSIZ];
	int r;

	strscpy(fresh, name, sizeof(fresh));
	if (!strncmp(fresh, dev->name, IFNAMSIZ))
		return 0;
	if (dev->flags & IFF_UP)
		return -EBUSY;
	r = name_choose(dev->net, fresh);
	if (r)
		return r;
	hlist_del_rcu(&dev->by_name);
	rcu_synchronize(); /* the node moves to another chain */
	memcpy(dev->name, fresh, sizeof(dev->name));
	hlist_add_head_rcu(&dev->by_name, name_bucket(dev->net, dev->name));
	dev->net->dev_generation++;
	net_notify(dev->net, NET_DEV_CHANGE, dev);
	return 0;
}

/* ---- registration ---- */

/* Numbers are not used again at once: config_lock held. */
static u32
index_choose(struct net_ns *net)
{
	do {
		net->next_ifindex = net->next_ifindex < INT32_MAX ? net->next_ifindex + 1 : 1;
	} while (net_device_peek_by_index(net, net->next_ifindex));
	return net->next_ifindex;
}

int
net_device_register_locked(struct net_device *dev, struct net_ns *net)
{
	struct net_device *other;
	struct list *before;
	int r = -ENOMEM;

	if (!dev->nr_queues)
		dev->nr_queues = 1;
	if (!dev->queue_limit)
		dev->queue_limit = 1000;
	if (!dev->gso_max)
		dev->gso_max = 65536;
	dev->queues = kzalloc(sizeof(*dev->queues) * dev->nr_queues, GFP_KERNEL);
	dev->stats = kzalloc(sizeof(*dev->stats) * cpu_count, GFP_KERNEL);
	if (!dev->queues || !dev->stats)
		goto out_free;
	for (u32 i = 0; i < dev->nr_queues; i++) {
		spin_init(&dev->queues[i].lock, RANK_NET_QUEUE);
		packet_queue_init(&dev->queues[i].waiting);
	}
	ref_init(&dev->ref);
	list_init(&dev->multicast);
	list_init(&dev->taps);
	spin_init(&dev->mc_lock, RANK_NET_QUEUE);
	dev->net = net;
	dev->operstate = IF_OPER_DOWN;

	r = name_choose(net, dev->name);
	if (r)
		goto out_free;
	if (!dev->ifindex || net_device_peek_by_index(net, dev->ifindex))
		dev->ifindex = index_choose(net);
	before = &net->devices;
	list_for_each_entry(other, &net->devices, node)
	{
		if (other->ifindex > dev->ifindex) {
			before = &other->node;
			break;
		}
	}
	list_add_tail_rcu(&dev->node, before);
	hlist_add_head_rcu(&dev->by_index, index_bucket(net, dev->ifindex));
	hlist_add_head_rcu(&dev->by_name, name_bucket(net, dev->name));
	dev->registered = true;
	net->dev_generation++;
	net_notify(net, NET_DEV_REGISTER, dev);
	return 0;

out_free:
	kfree(dev->queues);
	kfree(dev->stats);
	dev->queues = NULL;
	dev->stats = NULL;
	return r;
}

int
net_device_register(struct net_device *dev, struct net_ns *net)
{
	net_config_lock(net);
	int r = net_device_register_locked(dev, net);
	net_config_unlock(net);
	return r;
}

void
net_device_unregister_locked(struct net_device *dev)
{
	struct net_ns *net = dev->net;

	if (!dev->registered)
		return;
	(void)net_device_set_flags(dev, dev->flags & ~(u32)IFF_UP);
	dev->registered = false;
	net_notify(net, NET_DEV_UNREGISTER, dev);
	list_del_rcu(&dev->node);
	hlist_del_rcu(&dev->by_index);
	hlist_del_rcu(&dev->by_name);
	net->dev_generation++;
	net_route_changed(net);
	net_taps_detach(dev);
	rcu_synchronize();
	net_backlog_flush();
	while (!list_empty(&dev->multicast)) {
		struct net_mc_addr *m = list_first_entry(&dev->multicast, struct net_mc_addr, node);

		list_del(&m->node);
		kfree(m);
	}
	net_device_put(dev);
}

void
net_device_unregister(struct net_device *dev)
{
	struct net_ns *net = dev->net;

	net_config_lock(net);
	net_device_unregister_locked(dev);
	net_config_unlock(net);
}

/* ---- configuration ---- */

u32
net_device_user_flags(const struct net_device *dev)
{
	u32 f = READ_ONCE(dev->flags) & ~(u32)(IFF_RUNNING | IFF_LOWER_UP | IFF_DORMANT);

	if ((f & IFF_UP) && dev->carrier)
		f |= IFF_RUNNING | IFF_LOWER_UP;
	return f;
}

static void
operstate_update(struct net_device *dev)
{
	dev->operstate = !(dev->flags & IFF_UP)	     ? IF_OPER_DOWN
			 : dev->flags & IFF_LOOPBACK ? IF_OPER_UNKNOWN
			 : dev->carrier		     ? IF_OPER_UP
						     : IF_OPER_DOWN;
}

static int
device_open(struct net_device *dev)
{
	int r = dev->ops->open ? dev->ops->open(dev) : 0;

	if (r)
		return r;
	WRITE_ONCE(dev->flags, dev->flags | IFF_UP);
	operstate_update(dev);
	if (dev->ops->set_rx_mode)
		dev->ops->set_rx_mode(dev);
	net_route_changed(dev->net);
	net_notify(dev->net, NET_DEV_UP, dev);
	return 0;
}

static void
device_close(struct net_device *dev)
{
	net_notify(dev->net, NET_DEV_GOING_DOWN, dev);
	WRITE_ONCE(dev->flags, dev->flags & ~(u32)IFF_UP);
	operstate_update(dev);
	net_route_changed(dev->net);
	/* Senders look at IFF_UP in a section: after this nobody is in ops->transmit. */
	rcu_synchronize();
	if (dev->ops->stop)
		dev->ops->stop(dev);
	net_queue_drain(dev);
	net_notify(dev->net, NET_DEV_DOWN, dev);
}

int
net_device_set_flags(struct net_device *dev, u32 flags)
{
	u32 old = dev->flags, changed = (old ^ flags) & FLAGS_SETTABLE;
	int r = 0;

	WRITE_ONCE(dev->flags,
		   (old & ~(FLAGS_SETTABLE & ~(u32)(IFF_UP | IFF_PROMISC | IFF_ALLMULTI))) |
			   (flags & FLAGS_SETTABLE & ~(u32)(IFF_UP | IFF_PROMISC | IFF_ALLMULTI)));
	if (changed & IFF_UP) {
		if (flags & IFF_UP)
			r = device_open(dev);
		else
			device_close(dev);
	}
	if (changed & IFF_PROMISC)
		net_device_promisc(dev, flags & IFF_PROMISC ? 1 : -1);
	if (changed & IFF_ALLMULTI)
		net_device_allmulti(dev, flags & IFF_ALLMULTI ? 1 : -1);
	if (changed & ~(u32)IFF_UP)
		net_notify(dev->net, NET_DEV_CHANGE, dev);
	return r;
}

int
net_device_set_mtu(struct net_device *dev, u32 mtu)
{
	int r;

	if (mtu == dev->mtu)
		return 0;
	if (mtu < dev->min_mtu || (dev->max_mtu && mtu > dev->max_mtu))
		return -EINVAL;
	r = dev->ops->set_mtu ? dev->ops->set_mtu(dev, mtu) : 0;
	if (r)
		return r;
	dev->mtu = mtu;
	net_route_changed(dev->net);
	net_notify(dev->net, NET_DEV_CHANGE, dev);
	return 0;
}

int
net_device_set_mac(struct net_device *dev, const u8 *addr)
{
	int r;

	if (!dev->ops->set_mac)
		return -EOPNOTSUPP;
	r = dev->ops->set_mac(dev, addr);
	if (r)
		return r;
	memcpy(dev->addr, addr, dev->addr_len);
	net_route_changed(dev->net);
	net_notify(dev->net, NET_DEV_CHANGE, dev);
	return 0;
}

static void
count_change(struct net_device *dev, u32 *count, u32 flag, int delta)
{
	if (delta < 0 && *count < (u32)-delta)
		return;
	*count += (u32)delta;
	WRITE_ONCE(dev->flags, *count ? dev->flags | flag : dev->flags & ~flag);
	if (dev->ops->set_rx_mode && (dev->flags & IFF_UP))
		dev->ops->set_rx_mode(dev);
}

void
net_device_promisc(struct net_device *dev, int delta)
{
	bool was = dev->promisc;

	count_change(dev, &dev->promisc, IFF_PROMISC, delta);
	if (was != !!dev->promisc)
		log_info("device %s %s promiscuous mode\n", dev->name, was ? "left" : "entered");
}

void
net_device_allmulti(struct net_device *dev, int delta)
{
	count_change(dev, &dev->allmulti, IFF_ALLMULTI, delta);
}

static struct net_mc_addr *
mc_find(struct net_device *dev, const u8 *addr)
{
	struct net_mc_addr *m;

	list_for_each_entry(m, &dev->multicast, node)
	{
		if (!memcmp(m->addr, addr, dev->addr_len))
			return m;
	}
	return NULL;
}

int
net_device_mc_add(struct net_device *dev, const u8 *addr)
{
	struct net_mc_addr *fresh = kzalloc(sizeof(*fresh), GFP_ATOMIC), *m;

	if (!fresh)
		return -ENOMEM;
	spin_lock(&dev->mc_lock);
	m = mc_find(dev, addr);
	if (m) {
		m->users++;
	} else {
		memcpy(fresh->addr, addr, dev->addr_len);
		fresh->users = 1;
		list_add_tail(&fresh->node, &dev->multicast);
		fresh = NULL;
	}
	spin_unlock(&dev->mc_lock);
	if (!fresh && dev->ops->set_rx_mode && (dev->flags & IFF_UP) && !net_in_section())
		dev->ops->set_rx_mode(dev);
	kfree(fresh);
	return 0;
}

void
net_device_mc_del(struct net_device *dev, const u8 *addr)
{
	struct net_mc_addr *m;

	spin_lock(&dev->mc_lock);
	m = mc_find(dev, addr);
	if (m && --m->users == 0)
		list_del(&m->node);
	else
		m = NULL;
	spin_unlock(&dev->mc_lock);
	if (m && dev->ops->set_rx_mode && (dev->flags & IFF_UP) && !net_in_section())
		dev->ops->set_rx_mode(dev);
	kfree(m);
}

/* ---- carrier: drivers tell from anywhere, listeners hear it from a work item ---- */

static void carrier_announce(struct work *w);
static struct work carrier_work;
static bool carrier_ready;

static void
carrier_announce(struct work *w)
{
	struct net_ns *net = &net_init_ns;
	struct net_device *dev;

	net_config_lock(net);
	list_for_each_entry(dev, &net->devices, node)
	{
		u8 old = dev->operstate;

		operstate_update(dev);
		if (old != dev->operstate) {
			net_route_changed(net);
			net_notify(net, NET_DEV_CHANGE, dev);
		}
	}
	net_config_unlock(net);
}

void
net_device_carrier(struct net_device *dev, bool on)
{
	if (READ_ONCE(dev->carrier) == on)
		return;
	WRITE_ONCE(dev->carrier, on);
	if (dev->registered && carrier_ready)
		work_queue(&carrier_work);
}

void
net_device_stats(const struct net_device *dev, struct net_stats *sum)
{
	*sum = (struct net_stats){ 0 };
	for (u32 cpu = 0; dev->stats && cpu < cpu_count; cpu++) {
		const u64 *from = (const u64 *)&dev->stats[cpu];
		u64 *to = (u64 *)sum;

		for (size_t i = 0; i < sizeof(*sum) / sizeof(u64); i++)
			to[i] += READ_ONCE(from[i]);
	}
}

/* ---- the namespace and its listeners ---- */

struct net_ns net_init_ns = {
	.ref = REF_INIT,
	.inum = 0xf0000000 - 8,
	.config_lock = MUTEX_INIT(net_init_ns.config_lock, RANK_NET_CONFIG),
	.devices = LIST_INIT(net_init_ns.devices),
	.route_generation = 1,
};
static LIST_HEAD(listeners);

void
net_config_lock(struct net_ns *net)
{
	mutex_lock(&net->config_lock);
}

void
net_config_unlock(struct net_ns *net)
{
	mutex_unlock(&net->config_lock);
}

void
net_listener_add(struct net_listener *l)
{
	list_add_tail_rcu(&l->node, &listeners);
}

void
net_notify(struct net_ns *net, enum net_event ev, void *arg)
{
	struct net_listener *l;

	list_for_each_entry(l, &listeners, node) l->event(l, net, ev, arg);
}

void
net_core_init(void)
{
	packet_init();
	work_init(&carrier_work, carrier_announce);
	carrier_ready = true;
	random_bytes(&net_init_ns.hash_key, sizeof(net_init_ns.hash_key));
	work_init_net();
	route_init(&net_init_ns);
	loopback_init(&net_init_ns);
}
