/* SPDX-License-Identifier: MIT */
/* AF_NETLINK: programs ask the network about itself and change it, and hear of events. netlink(7).
 */
#ifndef NET_NETLINK_NETLINK_H
#define NET_NETLINK_NETLINK_H

#include "lib/types.h"

struct net_ns;

void netlink_init(void); /* boot: after net_core_init and inet_init */

/*
 * An event of the kernel's devices for NETLINK_KOBJECT_UEVENT: `text` is len bytes of
 * zero-terminated words, "add@/devices/...", "ACTION=add" ... Any context but interrupts.
 */
void netlink_uevent(struct net_ns *net, const char *text, u32 len);

#endif
