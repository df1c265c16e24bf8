/* SPDX-License-Identifier: MIT */
/* What the files of net/core share. */
#ifndef NET_CORE_INTERNAL_H
#define NET_CORE_INTERNAL_H

#include "net/core/device.h"
#include "net/core/kind.h"
#include "net/core/route.h"

void packet_init(void);
void work_init_net(void);
void loopback_init(struct net_ns *net);
void route_init(struct net_ns *net);

/* work.c: what lies in the backlogs now is worked off: the packets of a dying device are dropped.
 * Sleeps. */
void net_backlog_flush(void);
/* transmit.c */
void net_taps_detach(struct net_device *dev); /* a device ends: its taps hear it */
void net_queue_drain(struct net_device *dev); /* a device goes down: waiting packets are freed */
void net_queue_kick(void);		      /* in a net section: queues that were woken */
extern const struct net_device_kind dummy_kind, veth_kind;
/* receive side counters: /proc/net/softnet_stat */
struct net_work_stats {
	u64 processed, dropped, squeezed;
};
DECLARE_PERCPU(struct net_work_stats, net_work_stats);

#endif
