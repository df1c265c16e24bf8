/* SPDX-License-Identifier: MIT */
/*
 * Network devices.
 *
 * A driver embeds struct net_device, fills what it knows and calls net_device_register. Readers
 * find devices under RCU (peek) or take a reference (find). Configuration changes hold the
 * namespace's config_lock.
 *
 * Sending: net_transmit(p) with p->dev set and the link header in place (neighbour_output does
 * that) picks a queue by CPU, shows the packet to the taps, does in software what the device's
 * features lack (checksum, segmentation, gathering) and calls ops->transmit under the queue's lock.
 * Receiving: drivers poll (net/core/net.h) and hand over with net_receive.
 */
#ifndef NET_CORE_DEVICE_H
#define NET_CORE_DEVICE_H

#include "net/core/net.h"
#include "net/core/packet.h"
#include "uapi/if.h"

#define NET_ADDR_LEN 32

struct net_device;
struct net_device_kind;

/* Features: what the device does by itself. */
#define NETIF_SG       BIT(0) /* sends page fragments */
#define NETIF_CSUM     BIT(1) /* fills in CSUM_PARTIAL of any protocol */
#define NETIF_TSO4     BIT(2)
#define NETIF_TSO6     BIT(3)
#define NETIF_USO      BIT(4) /* UDP segmentation */
#define NETIF_RXCSUM   BIT(5)
#define NETIF_LRO_HOST BIT(6) /* may deliver GSO packets */
#define NETIF_LOCKLESS BIT(7) /* transmit needs no queue lock: loopback */
#define NETIF_LOOPBACK BIT(8)

/* Each slot may be NULL: then -EOPNOTSUPP, or nothing to do for open, stop and set_rx_mode. All but
 * transmit: config_lock held, may sleep (set_rx_mode: also from a net section never). */
struct net_device_ops {
	int (*open)(struct net_device *dev);  /* IFF_UP is about to be set */
	void (*stop)(struct net_device *dev); /* no transmit runs any more */
	/*
	 * Send p by queue q: 0 = taken over; -EBUSY = ring full, p untouched: the driver calls
	 * net_queue_wake when there is room. Any other failure: free p, count it, return 0. In a
	 * net section, under the queue's lock. `more`: another packet follows at once, the doorbell
	 * can wait.
	 */
	int (*transmit)(struct net_device *dev, u32 q, struct packet *p, bool more);
	int (*set_mac)(struct net_device *dev, const u8 *addr);
	int (*set_mtu)(struct net_device *dev, u32 mtu);
	void (*set_rx_mode)(struct net_device *dev); /* promiscuity or multicast list changed */
	void (*release)(struct net_device *dev);     /* last reference gone: free it */
	/* ethtool's and sysfs's questions */
	int (*link_settings)(struct net_device *dev, u32 *speed_mbit, bool *full_duplex);
	/* Link header for a packet to `to` (NULL: leave it to neighbour's). NULL slot: Ethernet if
	 * type is ARPHRD_ETHER, none otherwise. 0 or -errno. */
	int (*header)(struct net_device *dev, struct packet *p, u16 protocol, const u8 *to,
		      const u8 *from);
};

struct net_stats { /* per CPU */
	u64 rx_packets, rx_bytes, tx_packets, tx_bytes;
	u64 rx_errors, tx_errors, rx_dropped, tx_dropped, multicast, collisions;
	u64 rx_length_errors, rx_crc_errors, rx_frame_errors, rx_fifo_errors, tx_carrier_errors,
		tx_fifo_errors;
};

struct net_queue {	      /* transmit side; one per driver queue */
	struct spinlock lock; /* RANK_NET_QUEUE: transmit, waiting */
	bool stopped;
	struct packet_queue waiting; /* under lock: what the ring had no room for */
} __aligned(64);

struct net_mc_addr { /* a multicast hardware address wanted, counted */
	struct list node;
	u8 addr[NET_ADDR_LEN];
	u32 users;
};

struct net_device {
	/* the driver's, before registration */
	char name[IFNAMSIZ]; /* "eth%d": the lowest free number is filled in */
	u16 type;	     /* ARPHRD_* */
	u8 addr_len;
	u8 header_len; /* of the link header */
	u32 mtu, min_mtu, max_mtu;
	u32 features;
	u32 nr_queues, queue_limit; /* queue_limit: packets waiting each (txqueuelen) */
	u8 addr[NET_ADDR_LEN], broadcast[NET_ADDR_LEN], perm_addr[NET_ADDR_LEN];
	const struct net_device_ops *ops;
	void *driver;		 /* the driver's */
	const char *parent_path; /* of the device in /sys ("devices/pci0000:00/..."), or NULL */
	u32 gso_max;		 /* bytes of the largest GSO packet: 65536 */

	/* the core's */
	u32 ifindex;
	u32 flags;    /* IFF_*: config_lock; read anywhere */
	u8 operstate; /* IF_OPER_* */
	bool carrier;
	bool registered;
	u32 promisc, allmulti;		    /* counts */
	u32 group;			    /* IFLA_GROUP */
	const struct net_device_kind *kind; /* [I] of one that a program made; NULL: hardware, lo */
	u32 link;			    /* ifindex of the device that it stands on; 0: none */
	char alias[64];
	struct net_ns *net;
	struct ref ref;
	struct list node; /* net->devices */
	struct hlist_node by_index, by_name;
	struct net_queue *queues;
	struct net_stats *stats; /* [cpu]: cpu_count of them */
	struct list multicast;	 /* struct net_mc_addr, under mc_lock */
	struct spinlock mc_lock; /* RANK_NET_QUEUE */
	struct list taps;	 /* struct net_tap of this device */
	struct rcu_head rcu;
	void *inet;  /* struct inet_device: IPv4 configuration, RCU */
	void *inet6; /* struct inet6_device */
};

/* ---- registration; sleeps ---- */

/* 0, -EEXIST (name), -ENOMEM, -EINVAL. dev then is alive and down. */
int net_device_register(struct net_device *dev, struct net_ns *net);
/* Down, unlinked, all notified; waits for readers. ops->release is called when the last reference
 * is put, perhaps before this returns. */
void net_device_unregister(struct net_device *dev);
/* The same with config_lock held. */
int net_device_register_locked(struct net_device *dev, struct net_ns *net);
void net_device_unregister_locked(struct net_device *dev);
static inline void
net_device_get(struct net_device *dev)
{
	ref_get(&dev->ref);
}
void net_device_put(struct net_device *dev);

/* peek: in a net section or under RCU. find: referenced. NULL: none. */
struct net_device *net_device_peek_by_index(struct net_ns *net, u32 ifindex);
struct net_device *net_device_peek_by_name(struct net_ns *net, const char *name);
struct net_device *net_device_find_by_index(struct net_ns *net, u32 ifindex);
struct net_device *net_device_find_by_name(struct net_ns *net, const char *name);
#define net_device_for_each(dev, net) list_for_each_entry_rcu(dev, &(net)->devices, node)

/* ---- configuration: config_lock held ---- */

int net_device_set_flags(struct net_device *dev, u32 flags); /* as SIOCSIFFLAGS: up and down too */
int net_device_set_mtu(struct net_device *dev, u32 mtu);
int net_device_set_mac(struct net_device *dev, const u8 *addr);
int net_device_rename(struct net_device *dev, const char *name);
void net_device_promisc(struct net_device *dev, int delta);
void net_device_allmulti(struct net_device *dev, int delta);
int net_device_mc_add(struct net_device *dev, const u8 *addr); /* also from a net section */
void net_device_mc_del(struct net_device *dev, const u8 *addr);
/* The driver: link came or went. Any context: notified from a work item. */
void net_device_carrier(struct net_device *dev, bool on);
/* IFF_* as user space sees them, IFF_RUNNING and IFF_LOWER_UP computed. */
u32 net_device_user_flags(const struct net_device *dev);
void net_device_stats(const struct net_device *dev, struct net_stats *sum);

/* This CPU's counters; in a net section. */
#define net_stat_add(dev, field, n) ((dev)->stats[cpu_id()].field += (n))
#define net_stat_inc(dev, field)    net_stat_add(dev, field, 1)

extern u32 net_max_backlog; /* net.core.netdev_max_backlog */

/* ---- packets ---- */

/* Takes over p. 0, or -ENOBUFS, -ENETDOWN: dropped. Opens a section of its own if there is none. */
int net_transmit(struct packet *p);
/* The driver has room again. Any context but under the queue's lock; from an interrupt the work is
 * left to the poll. */
void net_queue_wake(struct net_device *dev, u32 q);
/* Deliver: p->dev set, data behind the link header, link_header and protocol set (eth_receive does
 * for Ethernet). Takes over p. In a net section. */
void net_receive(struct packet *p);
/* Ethernet: pull the header, set protocol and pkt_type. False: too short. */
bool eth_header_parse(struct packet *p);
/* Push one. 0 or -ENOMEM. */
int eth_header_push(struct packet *p, u16 protocol, const u8 *to, const u8 *from);

struct eth_header {
	u8 to[ETH_ALEN], from[ETH_ALEN];
	u16 protocol; /* network byte order */
} __packed;

/* Protocols by ETH_P_*: receive takes over p, whose data is at the network header. */
struct net_protocol {
	u16 protocol; /* host order */
	void (*receive)(struct packet *p);
	struct net_protocol *next;
};
void net_protocol_register(struct net_protocol *np); /* at boot */

/*
 * Taps see every packet received (before the protocols) and sent (just before the driver), link
 * header included: AF_PACKET. They may not keep or change p: packet_clone. For a tap without device
 * set dev to NULL. protocol: ETH_P_* or ETH_P_ALL (only that one sees what is sent).
 */
struct net_tap {
	struct list node;
	struct net_device *dev;
	u16 protocol;
	void (*packet)(struct net_tap *t, struct packet *p, bool outgoing);
	/* Its device goes: nothing comes any more, dev is NULL. May not remove the tap. NULL:
	 * nothing to do. */
	void (*gone)(struct net_tap *t);
	void *owner;
	bool detached; /* the core's */
};
void net_tap_add(struct net_ns *net, struct net_tap *t);
void net_tap_remove(struct net_tap *t); /* waits for readers: sleeps */

#endif
