/* SPDX-License-Identifier: MIT */
/* What the files of net/inet share. */
#ifndef INET_INTERNAL_H
#define INET_INTERNAL_H

#include "net/inet/address.h"
#include "net/inet/inet.h"

/* ---- device configuration: address.c ---- */

struct inet_device {
	struct net_device *dev;
	struct list addrs;	    /* struct inet_addr; config_lock, RCU */
	struct list groups;	    /* struct inet_group; group_lock, RCU */
	struct spinlock group_lock; /* RANK_ROUTE */
	bool forwarding, accept_redirects, rp_filter;
	struct rcu_head rcu;
};
struct inet_group { /* a group that sockets of this host have joined on a device */
	struct list node;
	struct ip_addr addr;
	u32 users;
	u64 report_at; /* IGMP: when to report, 0: not due */
	struct rcu_head rcu;
};
static inline struct inet_device *
inet_device_of(const struct net_device *dev)
{
	return rcu_dereference(dev->inet);
}
void address_init(void);

/* ---- options of the IP header ---- */

struct inet_options {
	struct rcu_head rcu;
	u8 len; /* a multiple of four, at most 40 */
	u8 bytes[40];
};

/* ---- input and output ---- */

extern const struct inet_protocol *inet_protocols[256];
void ip_receive(struct packet *p);
/* A whole datagram for us: data at the transport header. Takes over p. */
void ip_deliver(struct packet *p);
void inet_deliver(struct packet *p, u8 protocol);
int ip_forward(struct packet *p, const struct route *r);
/* p: network header at data, complete. Takes over p. */
int ip_finish(struct net_ns *net, struct packet *p, const struct route *route, bool may_fragment,
	      const struct inet_sock *sk);
int ip_fragment(struct packet *p, const struct route *route);
int ip_link_output(struct packet *p, const struct route *route);
struct packet *ip_reassemble(struct packet *p); /* NULL: kept or dropped */

/* Reassembly for both families: fragment.c. */
struct fragment_key {
	struct ip_addr src, dst;
	u32 id, ifindex;
	u8 protocol;
	bool v6;
};
/* A fragment whose payload, from data on, belongs at `offset`; header bytes stay in front of data
 * from network_header on. Takes over p. The whole datagram once it is complete: the first
 * fragment's header, then all payload, data at the network header; NULL: not yet, or dropped. */
struct packet *fragment_add(struct net_ns *net, const struct fragment_key *key, struct packet *p,
			    u32 offset, bool more);
void fragment_init(void);
extern struct atomic32 fragment_memory; /* bytes in reassembly queues */
extern u32 fragment_count;
void inet_route_input(struct net_ns *net, const struct flow *f, struct route *out, int *error);
void icmp_init(void);
void icmp_send(struct packet *p, u8 type, u8 code, u32 info_be);
bool icmp_ratelimit_global(void);
void arp_init(struct net_ns *net);
void igmp_report(struct net_device *dev, const struct ip_addr *group, bool leave);

/* What net/inet6 adds; NULL without it. */
struct inet6_hooks {
	int (*route_output)(struct net_ns *net, const struct flow *f, struct route *out);
	int (*send)(struct inet_sock *sk, struct packet *p, const struct ip_tx *tx,
		    const struct route *route);
	void (*icmp_error)(struct packet *p, enum inet_unreach kind, u32 info);
	u8 (*addr_type)(struct net_ns *net, const struct ip_addr *a, u32 ifindex);
};
extern const struct inet6_hooks *inet6_hooks;

/* ---- sockets ---- */

void udp_init(void);
void raw_init(void);
void ping_init(void);
int ping_receive(struct packet *p); /* an echo reply: 0 when a ping socket took it */
void ping_error(struct packet *p, const struct inet_error *e);
/* Raw sockets get their copies; true if there was one. */
bool raw_receive(struct packet *p, u8 protocol);
void raw_error(struct packet *p, u8 protocol, const struct inet_error *e);
/* A datagram for sk: filter, room, queue, wake. Takes over p. */
bool inet_queue_receive(struct inet_sock *sk, struct packet *p);
/* The common part of recvmsg for datagrams: waits for and takes or peeks the first packet. */
int inet_recv_packet(struct inet_sock *sk, u32 flags, struct packet **out, bool *peeked, u32 *skip);

/* What control messages and options ask of one sendmsg. */
struct inet_send {
	struct ip_tx tx;
	u16 port;
	u32 scope;
	bool has_source;
	u16 gso_size;
	struct inet_options *options; /* of a control message; owned */
	bool dontroute, confirm;
};
/* Start from the sock's settings, add m's destination and control messages. 0 or -errno. */
int inet_send_prepare(struct inet_sock *sk, struct socket_msg *m, struct inet_send *s);
int inet_send_cmsgs(struct inet_sock *sk, struct socket_msg *m, struct inet_send *s);
/* The route for s: cached for a connected sock. In a net section. */
int inet_send_route(struct inet_sock *sk, struct inet_send *s, struct route *r);
int inet_options_parse(const void *val, u32 len, struct inet_options **out);

/* multicast.c: does sk want a packet to this group that came by this device? */
bool inet_mc_wanted(const struct inet_sock *sk, const struct ip_addr *group,
		    const struct ip_addr *src, u32 ifindex);
int inet_mc_option(struct inet_sock *sk, int level, int name, const void *val, u32 len);
void inet_mc_leave_all(struct inet_sock *sk);
bool inet_group_joined(const struct net_device *dev, const struct ip_addr *group);
void inet_mc_init(void);
int inet_group_join(struct net_device *dev, const struct ip_addr *group);
void inet_group_leave(struct net_device *dev, const struct ip_addr *group);

/* The flags of sk->cmsg_flags. */
#define INET_CMSG_PKTINFO  BIT(0)
#define INET_CMSG_TTL	   BIT(1)
#define INET_CMSG_TOS	   BIT(2)
#define INET_CMSG_OPTS	   BIT(3)
#define INET_CMSG_PKTINFO6 BIT(4)
#define INET_CMSG_HOPLIMIT BIT(5)
#define INET_CMSG_TCLASS   BIT(6)
#define INET_CMSG_ORIGDST  BIT(7)

void inet_proc_init(void);
void inet_sysctl_init(void);
void inet_sysfs_init(void);
extern struct port_table udp_ports;
/* For /proc/net: socks in use by protocol (IPPROTO_RAW: all raw ones), and lists of them. */
extern struct atomic32 inet_sock_count[256];
void udp_show(struct strbuf *sb, int family);
void raw_show(struct strbuf *sb, int family);
void inet_ioctl_init(void);

#endif
