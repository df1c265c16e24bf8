/* SPDX-License-Identifier: MIT */
/*
 * What can be told about Internet sockets: the lines of /proc/net/tcp and udp, and the answers of
 * NETLINK_SOCK_DIAG, are made of it.
 */
#ifndef NET_INET_DIAG_H
#define NET_INET_DIAG_H

#include "net/inet/inet.h"

struct inet_diag {
	const struct inet_sock *sk; /* NULL: a handshake's request, or TIME-WAIT */
	u64 cookie;
	u16 family;
	u8 protocol, state;
	struct ip_addr local, remote;
	u16 local_port, remote_port;
	u32 ifindex;
	/* as /proc/net/tcp counts them: 1 retransmission, 2 keep-alive, 3 TIME-WAIT, 4 probes */
	u8 timer;
	u32 retransmits, probes;
	u64 timer_ns; /* until it fires */
	u32 rqueue, wqueue, uid;
	u32 backlog; /* of a listener */
	u64 inum;
	int refs;
};

/* Under RCU: may not sleep. True: enough. */
typedef bool inet_diag_visit(const struct inet_diag *d, void *ctx);

/* The fields that all kinds of socks fill alike. Under RCU. */
void inet_diag_fill(struct inet_diag *d, const struct inet_sock *sk);
u64 inet_sock_cookie(const struct net_ns *net, const void *sk);

/* All of a protocol that are bound or connected. */
void udp_diag_for_each(inet_diag_visit *visit, void *ctx);
void raw_diag_for_each(inet_diag_visit *visit, void *ctx);

/* What /proc/net/sockstat tells of TCP beyond its socks; TCP fills it in. */
extern void (*inet_tcp_counts)(const struct net_ns *net, u32 *orphans, u32 *timewaits);

/* A line of /proc/net/tcp, udp, raw without its end. */
struct strbuf;
void inet_diag_line(struct strbuf *sb, u32 slot, const struct inet_diag *d);

#endif
