/* SPDX-License-Identifier: MIT */
/*
 * Neighbours: who on the link has which network address. ARP (net/inet/arp.c) and neighbour
 * discovery (net/inet6/) each have a table; the state machine is RFC 4861's, for both.
 *
 * Found under RCU by (device, address). An entry lives by references; the table holds one. A dying
 * entry bumps net->route_generation, so routes cached in sockets point to no dead one.
 */
#ifndef NET_CORE_NEIGHBOUR_H
#define NET_CORE_NEIGHBOUR_H

#include "net/core/device.h"
#include "uapi/rtnetlink.h"

/* Sets of the states NUD_* of uapi/rtnetlink.h. */
#define NUD_VALID     (NUD_REACHABLE | NUD_STALE | NUD_DELAY | NUD_PROBE | NUD_NOARP | NUD_PERMANENT)
#define NUD_CONNECTED (NUD_REACHABLE | NUD_NOARP | NUD_PERMANENT)

#define NEIGH_F_ROUTER BIT(7)
#define NEIGH_F_PROXY  BIT(3)

struct neighbour_table;

struct neighbour {
	struct hlist_node hash_node;
	struct neighbour_table *table;
	struct net_device *dev; /* one reference */
	u8 key[16];		/* IPv4: the first four bytes */
	struct ref ref;
	struct rcu_head rcu;

	struct seqcount seq;  /* addr and header, for readers without lock */
	struct spinlock lock; /* RANK_NEIGHBOUR: all below */
	u8 state;	      /* NUD_* */
	u8 flags;	      /* NEIGH_F_* */
	bool dead;
	u8 probes;
	u8 addr[NET_ADDR_LEN];
	u64 confirmed, used, updated; /* monotonic ns */
	struct packet_queue pending;  /* waiting for the address; at most unres_qlen of them */
	struct net_timer timer;
};

struct neighbour_params { /* nanoseconds; /proc/sys/net/ipv[46]/neigh */
	u64 base_reachable_ns, retrans_ns, delay_probe_ns, gc_stale_ns;
	u32 app_probes, ucast_probes, mcast_probes, unres_qlen;
	u32 gc_thresh1, gc_thresh2, gc_thresh3;
};

struct neighbour_table {
	int family;
	u8 key_len;
	u16 protocol; /* of the packets: ETH_P_IP */
	struct neighbour_params params;
	/* Ask for n: `p` (may be NULL) is a packet that waits. In a net section, no lock held. */
	void (*solicit)(struct neighbour *n, struct packet *p);
	/* New entry: fill addr and state for keys that need no asking (multicast, broadcast,
	 * NOARP devices). */
	void (*construct)(struct neighbour *n);
	/* p got no answer: ICMP unreachable. Takes over p. */
	void (*error)(struct neighbour *n, struct packet *p);
	/* the core's */
	struct net_ns *net;
	struct hlist_head *buckets;
	u32 bucket_bits;
	struct spinlock lock; /* RANK_NEIGHBOUR_TABLE: writers */
	u32 count;
	u32 seed;
	struct neighbour_table *next;
};

/* Boot; sets the params that both families begin with (RFC 4861, section 10). */
void neighbour_table_init(struct neighbour_table *t, struct net_ns *net);
struct neighbour_table *neighbour_table_of(struct net_ns *net, int family);

/* peek: in a net section. NULL: none. */
struct neighbour *
neighbour_peek(struct neighbour_table *t, const void *key, struct net_device *dev);
/* The same, made if missing; NULL: no memory or table full. In a net section, not referenced. */
struct neighbour *
neighbour_peek_or_create(struct neighbour_table *t, const void *key, struct net_device *dev);
void neighbour_put(struct neighbour *n);

/* Send p (network header at data) to n: header pushed and net_transmit, or queued while the address
 * is asked for. Takes over p. In a net section. 0 or -errno of net_transmit. */
int neighbour_output(struct neighbour *n, struct packet *p);
/* A transport saw an answer from there: reachable without asking (TCP ACK, MSG_CONFIRM). */
static inline void
neighbour_confirm(struct neighbour *n, u64 now)
{
	if (READ_ONCE(n->confirmed) != now)
		WRITE_ONCE(n->confirmed, now);
}

/* What a solicitation, an advertisement or an administrator says. addr NULL: as known. */
#define NEIGH_UPDATE_OVERRIDE  BIT(0) /* replace a different address */
#define NEIGH_UPDATE_ROUTER    BIT(1) /* the router flag is given by ... */
#define NEIGH_UPDATE_IS_ROUTER BIT(2)
#define NEIGH_UPDATE_ADMIN     BIT(3) /* set whatever it was */
int neighbour_update(struct neighbour *n, const u8 *addr, u8 state, u32 flags);
int neighbour_delete(struct neighbour_table *t, const void *key, struct net_device *dev);
/* Device down or changed its address: entries go (but permanent ones, if keep_permanent). */
void neighbour_flush_device(struct net_device *dev, bool keep_permanent);
/* Walk for /proc/net/arp and dumps; fn under RCU. Return true to stop. */
void neighbour_for_each(struct neighbour_table *t, bool (*fn)(struct neighbour *n, void *ctx),
			void *ctx);

#endif
