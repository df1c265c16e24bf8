/* SPDX-License-Identifier: MIT */
/* IPv6: RFC 8200. Sockets are net/inet's: this room is the network layer below them. */
#ifndef NET_INET6_H
#define NET_INET6_H

struct net_ns;
struct neighbour_table;

/* boot: after inet_init */
void inet6_init(void);

#endif
