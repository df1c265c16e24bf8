/* SPDX-License-Identifier: MIT */
/*
 * The network's frame: where its code runs, its timers, and the namespace everything hangs off.
 *
 * Net sections. Packets are received, and network timers fire, in a net section: preemption off,
 * interrupts on, at most one deep per CPU for received work. A sender opens one as well
 * (net_begin ... net_end), so a section is also an RCU reader and a stable CPU. Work that an
 * interrupt handler or a sender leaves behind (net_poll_schedule, net_receive_later, timers) is
 * marked pending on its CPU and run
 *	1. by the outermost net_end of the section that it was raised in: loopback is a function
 *call;
 *	2. right after the interrupt, with interrupts on, when that hit user mode or idle (so the
 *	   stack is empty);
 *	3. else, or when the budget of a round is used up, by the CPU's thread "net/N".
 * Because every network lock is a spinlock (preemption off) and work never runs on top of code with
 * preemption off, no network lock is ever taken in an interrupt: none needs irqsave, except those
 * that a driver's interrupt handler itself takes.
 *
 * Inside a section nothing sleeps and allocations are GFP_ATOMIC.
 */
#ifndef NET_CORE_NET_H
#define NET_CORE_NET_H

#include "core/preempt.h"
#include "core/rcu.h"
#include "core/ref.h"
#include "core/spinlock.h"
#include "core/time.h"
#include "core/timer.h"
#include "lib/hash.h"
#include "lib/list.h"
#include "sched/mutex.h"

struct net_device;
struct packet;
struct route_tables;
struct neighbour_table;

/* ---- sections ---- */

DECLARE_PERCPU(u32, net_depth);	     /* sections this CPU is in */
DECLARE_PERCPU(bool, net_in_sender); /* the work is done in the sender's call */
DECLARE_PERCPU(u32, net_work_bits);  /* pending work: net/core/work.c */

static inline void
net_begin(void)
{
	preempt_disable();
	this_cpu_inc(net_depth);
	barrier();
}

void net_end_work(void); /* the slow half of net_end */

static inline void
net_end(void)
{
	barrier();
	this_cpu_dec(net_depth);
	if (unlikely(this_cpu_read(net_work_bits)))
		net_end_work();
	preempt_enable();
}

static inline bool
net_in_section(void)
{
	return this_cpu_read(net_depth) != 0;
}

/* ---- receive work ---- */

/*
 * A source of received packets: a device queue. Its interrupt handler silences the device and calls
 * net_poll_schedule; poll then takes at most `budget` packets (net_receive each) and returns how
 * many. Less than budget means it has called net_poll_complete and the device's interrupt is on
 * again.
 */
struct net_poll {
	struct list node;
	int (*poll)(struct net_poll *np, int budget);
	unsigned long state; /* net/core/work.c */
	struct net_device *dev;
};
void net_poll_init(struct net_poll *np, struct net_device *dev,
		   int (*poll)(struct net_poll *np, int budget));
/* Any context, interrupts on or off: polled on this CPU soon. False: it was pending already. */
bool net_poll_schedule(struct net_poll *np);
/* From poll: no more packets. False when an interrupt came in between: poll will be called again,
 * the interrupt stays silenced. */
bool net_poll_complete(struct net_poll *np);
/* From now on nothing is polled; waits for a running poll. Sleeps. net_poll_init revives it. */
void net_poll_disable(struct net_poll *np);

/* Deliver p through this CPU's backlog queue instead of at once: loopback, tunnels. Takes over p.
 * False: the backlog was full (net.core.netdev_max_backlog) and p was dropped. Any context. */
bool net_receive_later(struct packet *p);

/* ---- timers that fire in a net section ---- */

/*
 * Made for timers that move at every packet: net_timer_start of a timer whose tree entry is not
 * later than the new deadline is one store; when the entry fires early, net_timer_fired re-arms it.
 * All calls, and net_timer_fired from func, are made under the owner's lock. func is called without
 * it and may run once more after net_timer_stop: the owner holds a reference for an armed timer,
 * taken when net_timer_start returns true, dropped by func unless net_timer_fired returned
 * NET_TIMER_REARMED:
 *
 *	func(t): lock(owner);
 *		 switch (net_timer_fired(t)) { case NET_TIMER_DUE: work; ... }
 *		 unlock(owner); if (not REARMED) put(owner);
 */
struct net_timer {
	struct timer timer;
	u64 deadline; /* TIME_NEVER: stopped */
	bool armed;   /* in the tree, or fired and not yet asked */
	struct net_timer *next_fired;
	void (*func)(struct net_timer *t);
};
enum net_timer_result { NET_TIMER_DUE, NET_TIMER_IDLE, NET_TIMER_REARMED };
void net_timer_init(struct net_timer *t, void (*func)(struct net_timer *t));
/* True: it became armed (the caller takes the reference). Deadline: monotonic ns. */
bool net_timer_start(struct net_timer *t, u64 deadline);
/* Lazy: the entry stays in the tree and fires idle. */
static inline void
net_timer_stop(struct net_timer *t)
{
	t->deadline = TIME_NEVER;
}
/* Stop and take it out of the tree; true: it was armed and will not fire, drop the reference. */
bool __must_check net_timer_cancel(struct net_timer *t);
enum net_timer_result net_timer_fired(struct net_timer *t);
static inline bool
net_timer_pending(const struct net_timer *t)
{
	return t->armed && t->deadline != TIME_NEVER;
}

/* ---- the namespace ---- */

#define NET_DEVICE_HASH 64

struct inet_net;
struct tcp_net;
struct netlink_net;
struct packet_net;

struct net_ns {
	struct ref ref;
	u64 inum;
	struct mutex config_lock; /* RANK_NET_CONFIG, "rtnl": devices, addresses, routes change */
	/* devices: written under config_lock, read under RCU */
	struct list devices; /* in order of ifindex */
	struct hlist_head dev_by_index[NET_DEVICE_HASH], dev_by_name[NET_DEVICE_HASH];
	u32 next_ifindex;
	u32 dev_generation;
	struct net_device *loopback;
	struct route_tables *routes;
	/* Cached routes (net/core/route.h) of another number are stale. Bumped by every change of
	 * devices, addresses, routes, path MTUs and by every neighbour entry that dies. */
	u32 route_generation;
	struct siphash_key hash_key; /* for hashes whose keys come from the network */
	/* of the protocols */
	struct inet_net *inet;
	struct tcp_net *tcp;
	struct netlink_net *netlink;
	struct packet_net *packet;
};

extern struct net_ns net_init_ns; /* the first namespace, and so far the only one */
/* That of the calling program. */
static inline struct net_ns *
net_current(void)
{
	return &net_init_ns;
}

void net_config_lock(struct net_ns *net);
void net_config_unlock(struct net_ns *net);

static inline void
net_route_changed(struct net_ns *net)
{
	__atomic_fetch_add(&net->route_generation, 1, __ATOMIC_RELEASE);
}

/* ---- events ---- */

enum net_event {
	NET_DEV_REGISTER,   /* arg: struct net_device */
	NET_DEV_UNREGISTER, /* going: protocols let go of it */
	NET_DEV_UP,
	NET_DEV_GOING_DOWN,
	NET_DEV_DOWN,
	NET_DEV_CHANGE, /* flags, carrier, mtu, address, name */
	NET_ADDR_ADD,	/* arg: struct inet_addr (net/inet/address.h) */
	NET_ADDR_DEL,
	NET_ROUTE_ADD, /* arg: struct route_change */
	NET_ROUTE_DEL,
	NET_NEIGH_CHANGE, /* arg: struct neighbour; in a net section or with config_lock held */
};
struct net_listener {
	struct list node;
	void (*event)(struct net_listener *l, struct net_ns *net, enum net_event ev, void *arg);
};
/* Called with config_lock held (but for NET_NEIGH_CHANGE): may sleep otherwise. At boot. */
void net_listener_add(struct net_listener *l);
void net_notify(struct net_ns *net, enum net_event ev, void *arg);

/* boot: after socket_init */
void net_core_init(void);

#endif
