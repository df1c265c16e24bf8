/* SPDX-License-Identifier: MIT */
/* What the files of net/inet share. */
#ifndef INET_INTERNAL_H
#define INET_INTERNAL_H

#include "net/inet/family.h"

void address_init(void);

/* ---- options of the IP header ---- */

struct inet_options {
	struct rcu_head rcu;
	u8 len; /* a multiple of four, at most 40 */
	u8 bytes[40];
};

/* ---- input and output ---- */

void ip_receive(struct packet *p);
/* A whole datagram for us: data at the transport header. Takes over p. */
void ip_deliver(struct packet *p);
int ip_forward(struct packet *p, const struct route *r);
/* p: network header at data, complete. Takes over p. */
int ip_finish(struct net_ns *net, struct packet *p, const struct route *route, bool may_fragment,
	      const struct inet_sock *sk);
int ip_fragment(struct packet *p, const struct route *route);
struct packet *ip_reassemble(struct packet *p); /* NULL: kept or dropped */

void fragment_init(void);
extern struct atomic32 fragment_memory; /* bytes in reassembly queues */
extern u32 fragment_count;
void inet_route_input(struct net_ns *net, const struct flow *f, struct route *out, int *error);
void icmp_init(void);
void icmp_send(struct packet *p, u8 type, u8 code, u32 info_be);
void arp_init(struct net_ns *net);
void igmp_report(struct net_device *dev, const struct ip_addr *group, bool leave);

/* ---- sockets ---- */

void udp_init(void);
void raw_init(void);
void ping_init(void);
/* Raw sockets get their copies; true if there was one. */
bool raw_receive(struct packet *p, u8 protocol);
/* A datagram for sk: filter, room, queue, wake. Takes over p. */
bool inet_queue_receive(struct inet_sock *sk, struct packet *p);
/* The common part of recvmsg for datagrams: waits for and takes or peeks the first packet. */
int inet_recv_packet(struct inet_sock *sk, u32 flags, struct packet **out, bool *peeked, u32 *skip);

/* datagram.c: slots that UDP, raw and ping sockets share. */
u32 inet_datagram_poll(struct socket *s, struct file *f, struct poll_table *pt);
int inet_datagram_shutdown(struct socket *s, int how);
/* connect(2) of a socket without ports; AF_UNSPEC undoes it. 0 or as inet_addr_parse,
 * inet_route_output. */
int inet_datagram_connect(struct inet_sock *sk, const u8 *addr, u32 len);
/* recvmsg of packets that are given as they are: bytes copied or -errno; *whole is the packet's
 * length (0: it was no packet). */
ssize_t inet_datagram_receive(struct inet_sock *sk, struct socket_msg *m, u32 *whole);
/* FIONREAD, TIOCOUTQ, or inet_ioctl's; `header` bytes of a packet are not data. */
long inet_datagram_ioctl(struct socket *s, u32 cmd, u64 arg, u32 header);
/* A grace period after the last reference: nobody can queue any more. */
void inet_datagram_destroy(struct inet_sock *sk);

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
void inet_mc_init(void);

/* The flags of sk->cmsg_flags. */
#define INET_CMSG_PKTINFO      BIT(0)
#define INET_CMSG_TTL	       BIT(1)
#define INET_CMSG_TOS	       BIT(2)
#define INET_CMSG_OPTS	       BIT(3)
#define INET_CMSG_PKTINFO6     BIT(4)
#define INET_CMSG_HOPLIMIT     BIT(5)
#define INET_CMSG_TCLASS       BIT(6)
#define INET_CMSG_ORIGDST      BIT(7)
#define INET_CMSG_2292PKTINFO  BIT(8) /* the numbers of RFC 2292 */
#define INET_CMSG_2292HOPLIMIT BIT(9)

void inet_proc_init(void);
void inet_sysctl_init(void);
void inet_conf_proc_init(void);
void inet_conf_init(struct inet_device *in);
/* ip_forward: for all devices, and those to come. */
void inet_forward_set(struct net_ns *net, bool on);
void inet_sysfs_init(void);
extern struct port_table udp_ports;
/* For /proc/net: socks in use by protocol (IPPROTO_RAW: all raw ones). */
extern struct atomic32 inet_sock_count[256];
void inet_ioctl_init(void);

#endif
