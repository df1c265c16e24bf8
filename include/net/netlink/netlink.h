/* SPDX-License-Identifier: MIT */
/* AF_NETLINK: programs ask the network about itself and change it, and hear of events. netlink(7).
 */
#ifndef NET_NETLINK_NETLINK_H
#define NET_NETLINK_NETLINK_H

void netlink_init(void); /* boot: after net_core_init and inet_init */

#endif
