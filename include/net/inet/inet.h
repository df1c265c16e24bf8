/* SPDX-License-Identifier: MIT */
/*
 * The Internet protocols: what UDP, TCP, raw and ping sockets share, for IPv4 and IPv6 alike.
 *
 * struct inet_sock is the first field of each protocol's socket. Addresses are struct ip_addr, with
 * IPv4 mapped, so that a dual-stack IPv6 socket needs no second set of fields: an AF_INET socket's
 * "any" is ::ffff:0.0.0.0, an AF_INET6 socket's is ::, and both are ip_addr_is_any. Ports are in
 * host order.
 *
 * Lifetime. A sock is born with one reference, its struct socket's. Hash tables, armed timers and
 * packets charged to it (as a count of its own) hold it as well. `socket` becomes NULL at release;
 * a transport that must finish its dialogue keeps the sock as an orphan. Socks are freed after a
 * grace period: lookups run under RCU and use inet_sock_try_get where they keep the sock beyond the
 * net section. A struct socket is freed after a grace period as well, so a net section may read
 * through sk->socket if that is not NULL.
 *
 * Locking. sock_lock is the long form: it may sleep, and its holder may sleep (copy from a
 * program's memory). It is a spinlock (`slock`) around a flag (`owned`). A net section takes slock
 * alone, looks at `owned`, and if it is set leaves the packet in the backlog: the owner handles it
 * in sock_unlock, in a net section, in order.
 *
 *	process				net section
 *	sock_lock(sk);			sock_bh_lock(sk);
 *	... may sleep ...		if (!sk->owned) handle(sk, p);
 *	sock_unlock(sk);		else sock_backlog_add(sk, p);
 *					sock_bh_unlock(sk);
 *
 * Ranks: RANK_SOCK (slock; the new sock of a handshake after its listener: nested) before
 * RANK_INET_HASH (port and demultiplexing buckets) before RANK_PACKET_QUEUE (receive queues). UDP
 * receives without slock: its queue's lock is enough.
 */
#ifndef NET_INET_INET_H
#define NET_INET_INET_H

#include "net/core/filter.h"
#include "net/core/route.h"
#include "net/socket/socket.h"
#include "sched/wait.h"
#include "uapi/in.h"

struct inet_sock;
struct inet_options;

/* ---- headers on the wire ---- */

struct ipv4_header {
	u8 version_ihl; /* 0x45 without options */
	u8 tos;
	u16 total_len;
	u16 id;
	u16 frag_off; /* IPV4_DF, IPV4_MF, offset / 8 */
	u8 ttl, protocol;
	u16 check;
	u32 src, dst;
};
#define IPV4_DF	     0x4000
#define IPV4_MF	     0x2000
#define IPV4_OFFSET  0x1fff
#define IPV4_MIN_MTU 68
#define IPV6_MIN_MTU 1280
struct ipv6_header {
	u32 version_class_flow; /* network byte order */
	u16 payload_len;
	u8 next_header, hop_limit;
	u8 src[16], dst[16];
};
struct udp_header {
	u16 src_port, dst_port, len, check;
};
struct icmp_header {
	u8 type, code;
	u16 check;
	union {
		struct {
			u16 id, seq;
		};
		u32 info; /* gateway, pointer */
		struct {
			u16 unused, mtu;
		};
	};
};

/* ---- what a transport learns about a received packet, and a sent one's needs ---- */

/* Lives in packet->cb from the network layer's input to the socket's recvmsg. */
struct inet_cb {
	struct ip_addr src, dst;
	u16 header_len; /* of the network layer, options and extension headers included */
	u8 ttl, tos;	/* hop limit, traffic class */
	u8 protocol;
	bool v6;
	u16 frag_max; /* largest fragment it came in; 0: whole */
	u32 flow_info;
};
STATIC_ASSERT(sizeof(struct inet_cb) <= 48);
static inline struct inet_cb *
inet_cb(struct packet *p)
{
	return (struct inet_cb *)p->cb;
}

/* An ICMP or ICMPv6 message about one of our packets, translated. */
struct inet_error {
	int error;  /* positive errno for SO_ERROR: ECONNREFUSED, EHOSTUNREACH, EMSGSIZE ... */
	bool fatal; /* a hard error by RFC 1122 4.2.3.9 */
	u8 origin;  /* SO_EE_ORIGIN_ICMP, _ICMP6, _LOCAL */
	u8 type, code;
	u32 info;		 /* new MTU for EMSGSIZE */
	struct ip_addr offender; /* who says so */
};

/*
 * A transport protocol by its number, for IPv4 and IPv6. In a net section.
 * receive: data at the transport header, transport_header and inet_cb set; takes over p. Returns
 * 0, or -ENOPROTOOPT = nobody wants it and p is still the caller's (raw sockets got it before).
 * error: data at the transport header of the packet that came back (at least 8 bytes linear),
 * inet_cb of that packet: src is ours, dst the peer. p stays the caller's.
 */
struct inet_protocol {
	u8 protocol;
	int (*receive)(struct packet *p);
	void (*error)(struct packet *p, const struct inet_error *e);
};
void inet_protocol_register(const struct inet_protocol *p); /* at boot */

/*
 * A kind of socket: AF_INET and AF_INET6 find it by (type, protocol). protocol 0 in the entry is a
 * wild card; `is_default` is what socket(2) with protocol 0 gets for that type.
 */
struct inet_socket_type {
	int type;
	u8 protocol;
	bool is_default;
	u32 sock_size;		      /* of the structure that starts with struct inet_sock */
	const struct socket_ops *ops; /* bind, getname, ioctl and so on may be inet_* */
	/* Initialise what follows struct inet_sock. 0, -EPERM, -ENOMEM ... */
	int (*init)(struct inet_sock *sk);
	/* Free what init made; from RCU: may not sleep. NULL: nothing. */
	void (*destroy)(struct inet_sock *sk);
	/* A packet from the backlog: net section, slock held, owned still set. NULL: no backlog. */
	void (*backlog)(struct inet_sock *sk, struct packet *p);
	/* sock_unlock with bits left in sk->deferred: as backlog, once. */
	void (*deferred)(struct inet_sock *sk, u32 bits);
	/* Is a bind to this port in conflict? NULL: inet_port_conflict. See inet_port_bind. */
	bool (*port_conflict)(const struct inet_sock *sk, const struct inet_sock *other);
	struct inet_socket_type *next;
};
void inet_socket_type_register(struct inet_socket_type *t); /* at boot */

/* ---- the common part of a socket ---- */

struct inet_mc; /* a membership: net/inet/multicast.c */
struct port_bucket;

struct inet_sock {
	/* demultiplexing: first cache line */
	struct hlist_node hash_node;  /* the transport's table: RCU */
	struct ip_addr local, remote; /* remote any: not connected */
	u16 local_port, remote_port;  /* host order; 0: none */
	u16 family;		      /* AF_INET, AF_INET6 */
	u8 protocol, type;	      /* IPPROTO_*, SOCK_* */
	u32 bound_ifindex;	      /* SO_BINDTODEVICE; 0: any */
	u32 hash;
	struct net_ns *net;

	/* the lock */
	struct spinlock slock; /* RANK_SOCK */
	bool owned;
	u32 deferred; /* under slock: what a net section left for the owner (timers), transport's */
	struct packet *backlog_head, *backlog_tail;
	u32 backlog_bytes;
	struct wait_queue lock_wait;

	struct socket *socket;	/* RCU; NULL: orphan */
	struct wait_queue wait; /* readers, writers and pollers: use this, not socket->wait */
	const struct inet_socket_type *kind;
	struct ref ref;
	struct rcu_head rcu;

	struct packet_queue receive_queue;
	struct packet_queue error_queue; /* IP_RECVERR, timestamps */
	struct atomic32 rmem;		 /* bytes charged: packets' truesize */
	struct atomic32 wmem;
	struct atomic32 drops;
	u32 last_opts; /* socket->opts of an orphan */
	u8 shutdown;   /* INET_SHUT_* */
	u8 state;      /* TCP_* of uapi/in.h; UDP: TCP_ESTABLISHED when connected, else TCP_CLOSE */
	int soft_error; /* IP_RECVERR off: reported when nothing else is */

	/* ports: net/inet/port.c */
	struct port_bucket *port_bucket;
	struct hlist_node port_node;
	bool port_locked; /* the program chose the port: bind(2) with one */
	bool addr_locked; /* ... and the address */

	/* route cache: owner of the sock or slock */
	struct route route;
	u32 route_daddr_hash;

	/* options: ip(7), ipv6(7), socket(7) */
	bool v6only, hdrincl, freebind, transparent, recverr, recverr6, mc_loop, mc_all,
		bind_no_port, no_check, nodefrag, broadcast;
	u8 tos, tclass;
	s16 ttl, hops; /* -1: the default */
	u8 mc_ttl;
	s16 mc_hops;
	u8 pmtu_discover, pmtu_discover6; /* IP_PMTUDISC_* */
	u32 mc_ifindex;
	struct ip_addr mc_source; /* IP_MULTICAST_IF by address */
	u32 cmsg_flags;		  /* INET_CMSG_*: what recvmsg reports */
	u32 flow_label;
	bool ts_ns, timestamping, rxq_ovfl; /* SO_TIMESTAMPNS ... */
	u32 timestamping_flags;
	s32 peek_off; /* SO_PEEK_OFF; -1 off */
	u32 dropcount;
	u32 priority, mark;	      /* copies, so that an orphan has them: inet_sock_sync */
	u32 uid;		      /* of the maker, for /proc/net and REUSEPORT */
	u64 inum;		      /* of the file, for /proc/net; 0 once orphaned */
	struct inet_options *options; /* IP_OPTIONS; RCU */
	struct socket_filter *filter; /* SO_ATTACH_FILTER; RCU */
	bool filter_locked;
	struct list memberships; /* struct inet_mc; sock_lock for changes, RCU */
};

#define INET_SHUT_RD   BIT(0)
#define INET_SHUT_WR   BIT(1)
#define INET_SHUT_RDWR (INET_SHUT_RD | INET_SHUT_WR)

static inline struct inet_sock *
inet_sock_of(const struct socket *s)
{
	return s->private;
}
static inline bool
inet_sock_v6(const struct inet_sock *sk)
{
	return sk->family == AF_INET6;
}
static inline void
inet_sock_get(struct inet_sock *sk)
{
	ref_get(&sk->ref);
}
static inline bool __must_check
inet_sock_try_get(struct inet_sock *sk)
{
	return ref_try_get(&sk->ref);
}
void inet_sock_put(struct inet_sock *sk); /* frees after a grace period */
/* A sock without struct socket yet, as `like` (a listener): options copied. NULL: no memory.
 * GFP_ATOMIC. socket_ops.accept gives it one with inet_sock_graft. */
struct inet_sock *inet_sock_clone(const struct inet_sock *like);
/* Make a struct socket for an accepted sock. 0 or -ENOMEM. */
int inet_sock_graft(struct inet_sock *sk, const struct socket *listener, struct socket **out);
/* Release's common part: sk->socket = NULL, memberships left, options freed. The caller puts. */
void inet_sock_detach(struct inet_sock *sk);

/* ---- the lock ---- */

void sock_lock_contended(struct inet_sock *sk);
void sock_unlock_work(struct inet_sock *sk);

static inline void
sock_lock(struct inet_sock *sk)
{
	spin_lock(&sk->slock);
	if (unlikely(sk->owned))
		sock_lock_contended(sk);
	sk->owned = true;
	spin_unlock(&sk->slock);
}
static inline void
sock_unlock(struct inet_sock *sk)
{
	spin_lock(&sk->slock);
	if (unlikely(sk->backlog_head || sk->deferred))
		sock_unlock_work(sk);
	sk->owned = false;
	if (unlikely(wait_queue_active(&sk->lock_wait)))
		wake_up(&sk->lock_wait);
	spin_unlock(&sk->slock);
}
/* Let go for a moment in a long copy, so that the backlog does not grow. */
static inline void
sock_unlock_lock(struct inet_sock *sk)
{
	if (READ_ONCE(sk->backlog_head)) {
		sock_unlock(sk);
		sock_lock(sk);
	}
}
static inline void
sock_bh_lock(struct inet_sock *sk)
{
	spin_lock(&sk->slock);
}
static inline void
sock_bh_lock_nested(struct inet_sock *sk)
{
	spin_lock_nested(&sk->slock);
}
static inline void
sock_bh_unlock(struct inet_sock *sk)
{
	spin_unlock(&sk->slock);
}
/* slock held and owned set. False: more than receive and send buffer together wait already; p was
 * dropped. Takes over p. */
bool sock_backlog_add(struct inet_sock *sk, struct packet *p);
/* Wait for cond with sk unlocked meanwhile: as wait_event_interruptible_timeout; the lock is held
 * again afterwards. cond is read with the lock held. */
#define sock_wait_event(sk, cond, deadline)                                          \
	({                                                                           \
		int sr_ = 0;                                                         \
		u64 sd_ = (deadline);                                                \
		while (!(cond)) {                                                    \
			struct wait_entry se_;                                       \
			if (sd_ == 0) {                                              \
				sr_ = -EAGAIN;                                       \
				break;                                               \
			}                                                            \
			wait_entry_init(&se_, 0);                                    \
			sr_ = wait_prepare(&(sk)->wait, &se_, THREAD_INTERRUPTIBLE); \
			if (!sr_ && !(cond)) {                                       \
				sock_unlock(sk);                                     \
				if (!schedule_until(sd_))                            \
					sr_ = -EAGAIN;                               \
				sock_lock(sk);                                       \
			}                                                            \
			wait_finish(&(sk)->wait, &se_);                              \
			if (sr_) {                                                   \
				if (cond)                                            \
					sr_ = 0;                                     \
				else if (sr_ == -ERESTARTSYS && sd_ != TIME_NEVER)   \
					sr_ = -EINTR;                                \
				break;                                               \
			}                                                            \
		}                                                                    \
		sr_;                                                                 \
	})

/* ---- state changes seen by programs ---- */

/* Wake readers (EPOLLIN | EPOLLRDNORM and extra), writers, everybody with an error. A net section
 * or process context. */
void inet_sock_readable(struct inet_sock *sk, u32 extra);
void inet_sock_writable(struct inet_sock *sk);
void inet_sock_state_changed(struct inet_sock *sk); /* all waiters: connected, closed */
/* SO_ERROR = err (positive) and wake. */
void inet_sock_error(struct inet_sock *sk, int err);
int inet_sock_take_error(struct inet_sock *sk); /* positive, or 0 */
static inline int
inet_sock_peek_error(struct inet_sock *sk)
{
	struct socket *s = rcu_dereference(sk->socket);

	return s ? READ_ONCE(s->error) : 0;
}
/* SOCKOPT_* bits, an orphan's last ones. Under RCU. */
u32 inet_sock_opts(const struct inet_sock *sk);
/* Receive buffer size and timestamp wish of the program; an orphan's are 0. In a net section. */
u32 inet_sock_rcvbuf(const struct inet_sock *sk);

/* ---- memory: packets charged to a sock ---- */

/* Charge p's truesize to the receiver until it is freed: owner and destructor set. */
void packet_charge_receive(struct inet_sock *sk, struct packet *p);
/* To the sender: holds a reference on sk; freeing wakes writers when half the buffer is free. */
void packet_charge_send(struct inet_sock *sk, struct packet *p);
/* Room to send? */
static inline u32
inet_sock_sndbuf(const struct inet_sock *sk)
{
	return READ_ONCE(sk->socket->sndbuf);
}
static inline bool
inet_sock_has_room(const struct inet_sock *sk)
{
	return (u32)atomic_read(&sk->wmem) < inet_sock_sndbuf(sk);
}
/* A packet for sending of `size` bytes, charged; waits for room by SO_SNDTIMEO. 0, -EAGAIN,
 * -ERESTARTSYS/-EINTR, -EPIPE (shut down), -ENOBUFS, or the pending error. Sock not locked. */
int inet_send_alloc(struct inet_sock *sk, u32 size, bool nonblock, struct packet **out);
/* SO_ATTACH_FILTER: false: drop p; may trim it. data at the transport header. */
bool inet_sock_filter(struct inet_sock *sk, struct packet *p);

/* ---- sending ---- */

/* What the packet of a socket, or of nobody, needs beyond its bytes. */
struct ip_tx {
	struct ip_addr src, dst; /* src any: by the route */
	u8 protocol;
	u8 tos;		   /* or traffic class */
	s16 ttl;	   /* -1: default (route's, multicast: 1) */
	bool df;	   /* IPv4: don't fragment, IPv6: never does a router */
	bool may_fragment; /* the sender may */
	u32 oif, mark, priority, flow_label;
	const struct inet_options *options;
	u16 id; /* IPv4 identification; 0: chosen */
};

/* The way for f, source chosen if f->src is any. In a net section. 0, -ENETUNREACH, -EHOSTUNREACH,
 * -EACCES, -EINVAL (source not ours), -ENODEV, -EADDRNOTAVAIL. */
int inet_route_output(struct net_ns *net, const struct flow *f, struct route *out);
/* The sock's cached way to its remote address, looked up anew when stale. Owner or slock, net
 * section. The result is &sk->route. 0 or as above. */
int inet_sock_route(struct inet_sock *sk);
/* Fill a flow from a sock's fields. */
void inet_sock_flow(const struct inet_sock *sk, struct flow *f);

/*
 * Put the network header in front of p (transport header at data, transport_header set, checksum
 * by CSUM_PARTIAL) and send it: fragmented if allowed and needed. Takes over p. 0 or -errno:
 * -EMSGSIZE (too long and may not be fragmented), -ENOBUFS (dropped by the device). In a net
 * section.
 *
 * inet_queue_xmit: connected sock, its route, its addresses and options. For TCP.
 * inet_send: by a route looked up before. sk may be NULL (a reset, a reply).
 */
int inet_queue_xmit(struct inet_sock *sk, struct packet *p);
int inet_send(struct inet_sock *sk, struct packet *p, const struct ip_tx *tx,
	      const struct route *route);
/* The route for tx and inet_send in one. */
int
inet_send_to(struct net_ns *net, struct inet_sock *sk, struct packet *p, const struct ip_tx *tx);
/* Pseudo header's sum for addresses of either family. */
u32 inet_pseudo_sum(const struct ip_addr *src, const struct ip_addr *dst, u8 protocol, u32 len);
/* Bytes of network header that inet_queue_xmit will put in front: 20 or 40 and options. */
u32 inet_sock_header_len(const struct inet_sock *sk);
/* IP MTU of the sock's way; 0 when there is none. Owner or slock, net section. */
u32 inet_sock_mtu(struct inet_sock *sk);
/* Answer p (received; network header intact, inet_cb set) with an ICMP error, rate-limited. p stays
 * the caller's. For IPv6 packets the ICMPv6 equivalent: pass the abstract kind. */
enum inet_unreach {
	INET_UNREACH_PORT,
	INET_UNREACH_PROTOCOL,
	INET_UNREACH_HOST,
	INET_UNREACH_NET,
	INET_UNREACH_PROHIBITED,
	INET_TTL_EXCEEDED,
	INET_FRAG_TIME_EXCEEDED,
	INET_TOO_BIG, /* info: mtu */
};
void inet_icmp_error(struct packet *p, enum inet_unreach kind, u32 info);
/* Is that address one of ours (unicast)? Net section. */
bool inet_addr_is_local(struct net_ns *net, const struct ip_addr *a);
/* RTN_LOCAL, RTN_BROADCAST, RTN_MULTICAST or RTN_UNICAST. Net section. */
u8 inet_addr_type(struct net_ns *net, const struct ip_addr *a, u32 ifindex);

/* ---- ports: net/inet/port.c ---- */

/*
 * The ports of one protocol in use, for bind's conflict rules. A sock is in the bucket of its port
 * from bind (or connect, or first send) until it is closed.
 *
 * Rules as Linux's: two socks conflict when they may receive on the same device and address, unless
 * both have SO_REUSEADDR and (TCP: neither listens), or both have SO_REUSEPORT and the same user.
 */
struct port_table {
	struct hlist_head *buckets; /* struct port_bucket by port */
	struct spinlock *locks;	    /* RANK_INET_HASH, one for several buckets */
	u32 bits;
	const char *name;
};
void port_table_init(struct port_table *t, const char *name, u32 bits); /* at boot */
/* Take `port`, or with 0 a random free one of net.ipv4.ip_local_port_range. sk->local is set
 * before. 0, -EADDRINUSE, -ENOMEM. Sets sk->local_port. sock_lock held. */
int inet_port_bind(struct port_table *t, struct inet_sock *sk, u16 port);
/* connect(2) of an unbound TCP sock: a port such that `unique` (called with the bucket's lock held)
 * agrees that the 4-tuple is free; starts from a secret hash of the addresses (RFC 6056).
 * 0, -EADDRNOTAVAIL. */
int inet_port_connect(struct port_table *t, struct inet_sock *sk,
		      bool (*unique)(struct inet_sock *sk, u16 port));
/* A child of a listener shares its port. */
int
inet_port_inherit(struct port_table *t, struct inet_sock *child, const struct inet_sock *parent);
void inet_port_release(struct port_table *t, struct inet_sock *sk);
/* May sk and other (same port) not both be bound? Both flags as they are now. */
bool inet_port_conflict(const struct inet_sock *sk, const struct inet_sock *other);
/* Do their addresses, families (v6only) and devices overlap? */
bool inet_bind_overlap(const struct inet_sock *a, const struct inet_sock *b);
/* Does a packet to dst (by device ifindex) match sk's local address and device; how well? -1: no;
 * larger: better. Port is compared by the caller. */
int inet_match_score(const struct inet_sock *sk, const struct ip_addr *src, u16 src_port,
		     const struct ip_addr *dst, u32 ifindex);
u32 inet_flow_hash(const struct net_ns *net, const struct ip_addr *local, u16 local_port,
		   const struct ip_addr *remote, u16 remote_port);

/* ---- socket_ops that most kinds use ---- */

int inet_getname(struct socket *s, u8 *addr, u32 *len, bool peer);
/* Check and store the address; then kind's own port table: `t` NULL = no ports (raw). 0, -EINVAL
 * (bound already, length), -EAFNOSUPPORT, -EADDRNOTAVAIL, -EADDRINUSE, -EACCES (port below
 * net.ipv4.ip_unprivileged_port_start). */
int inet_bind_common(struct socket *s, const u8 *addr, u32 len, struct port_table *t);
/* sockaddr to address, port and scope, family checked against sk's: 0, -EINVAL, -EAFNOSUPPORT. */
int inet_addr_parse(const struct inet_sock *sk, const u8 *addr, u32 len, struct ip_addr *a,
		    u16 *port, u32 *scope);
/* The reverse in the form of sk's family; returns the length. */
u32 inet_addr_format(const struct inet_sock *sk, const struct ip_addr *a, u16 port, u32 scope,
		     u8 *addr);
long inet_ioctl(struct socket *s, u32 cmd, u64 arg);
/* SOL_SOCKET leftovers, SOL_IP, SOL_IPV6. -ENOPROTOOPT for other levels. */
int inet_setsockopt(struct socket *s, int level, int name, const void *val, u32 len);
int inet_getsockopt(struct socket *s, int level, int name, void *val, u32 *len);
/* The control messages that the program asked for, of p (inet_cb valid). 0 or -EFAULT. */
int inet_put_cmsgs(struct inet_sock *sk, struct packet *p, struct socket_msg *m);
/* recvmsg with MSG_ERRQUEUE. */
ssize_t inet_recv_error(struct inet_sock *sk, struct socket_msg *m);
/* An ICMP or local error for IP_RECVERR: queued with the payload, which begins at `payload` of p.
 * Takes nothing over. */
void inet_queue_error(struct inet_sock *sk, struct packet *p, const struct inet_error *e, u16 port,
		      u32 payload_offset);
/* Events that all kinds report: errors, error queue, shutdown. */
u32 inet_poll_common(struct inet_sock *sk);

/* ---- counters: /proc/net/snmp and netstat ---- */

/* clang-format off */
#define INET_COUNTERS(X) \
	X(IpInReceives) X(IpInHdrErrors) X(IpInAddrErrors) X(IpForwDatagrams) \
	X(IpInUnknownProtos) X(IpInDiscards) X(IpInDelivers) X(IpOutRequests) \
	X(IpOutDiscards) X(IpOutNoRoutes) X(IpReasmTimeout) X(IpReasmReqds) X(IpReasmOKs) \
	X(IpReasmFails) X(IpFragOKs) X(IpFragFails) X(IpFragCreates) X(IcmpInMsgs) \
	X(IcmpInErrors) X(IcmpInCsumErrors) X(IcmpInDestUnreachs) X(IcmpInTimeExcds) \
	X(IcmpInParmProbs) X(IcmpInSrcQuenchs) X(IcmpInRedirects) X(IcmpInEchos) \
	X(IcmpInEchoReps) X(IcmpOutMsgs) X(IcmpOutErrors) X(IcmpOutDestUnreachs) \
	X(IcmpOutTimeExcds) X(IcmpOutEchos) X(IcmpOutEchoReps) X(TcpActiveOpens) \
	X(TcpPassiveOpens) X(TcpAttemptFails) X(TcpEstabResets) X(TcpInSegs) \
	X(TcpOutSegs) X(TcpRetransSegs) X(TcpInErrs) X(TcpOutRsts) X(TcpInCsumErrors) \
	X(UdpInDatagrams) X(UdpNoPorts) X(UdpInErrors) X(UdpOutDatagrams) \
	X(UdpRcvbufErrors) X(UdpSndbufErrors) X(UdpInCsumErrors) X(UdpIgnoredMulti) \
	X(Ip6InReceives) X(Ip6InHdrErrors) X(Ip6InDelivers) X(Ip6OutRequests) \
	X(Ip6InDiscards) X(Ip6OutNoRoutes) X(Udp6InDatagrams) X(Udp6NoPorts) \
	X(Udp6InErrors) X(Udp6OutDatagrams) X(TcpExtSyncookiesSent) \
	X(TcpExtSyncookiesRecv) X(TcpExtSyncookiesFailed) X(TcpExtListenOverflows) \
	X(TcpExtListenDrops) X(TcpExtTW) X(TcpExtDelayedACKs) X(TcpExtTCPTimeouts) \
	X(TcpExtTCPLossProbes) X(TcpExtTCPSackRecovery) X(TcpExtTCPFastRetrans) \
	X(TcpExtTCPRetransFail) X(TcpExtTCPBacklogDrop) X(TcpExtTCPChallengeACK) \
	X(TcpExtTCPAbortOnData) X(TcpExtTCPAbortOnClose) X(TcpExtTCPAbortOnTimeout) \
	X(TcpExtTCPOFOQueue) X(TcpExtTCPRcvQDrop) X(TcpExtPAWSEstab) \
	X(TcpExtTCPKeepAlive) X(TcpExtTCPSpuriousRTOs)
/* clang-format on */

enum inet_counter {
#define X(name) INET_##name,
	INET_COUNTERS(X)
#undef X
		INET_COUNTER_COUNT
};
DECLARE_PERCPU(u64, inet_counters[INET_COUNTER_COUNT]);
#define inet_count(name)	this_cpu_inc(inet_counters[INET_##name])
#define inet_count_add(name, n) this_cpu_add(inet_counters[INET_##name], n)
u64 inet_counter(enum inet_counter c);

/* ---- settings: /proc/sys/net/ipv4 (and core) ---- */

/* /proc/sys/net/ipv4/conf: net/inet/conf.c, ip-sysctl's names */
enum inet_setting {
	INET_CONF_FORWARDING,
	INET_CONF_RP_FILTER, /* RFC 3704: 1 strict, 2 loose */
	INET_CONF_ACCEPT_LOCAL,
	INET_CONF_ROUTE_LOCALNET,
	INET_CONF_ARP_IGNORE,
	INET_CONF_ARP_ANNOUNCE,
	INET_CONF_ACCEPT_REDIRECTS,
	INET_CONF_SEND_REDIRECTS,
	INET_CONF_ACCEPT_SOURCE_ROUTE,
	INET_CONF_COUNT
};

struct inet_net {
	u16 port_min, port_max; /* ip_local_port_range */
	u16 unprivileged_port_start;
	u8 default_ttl;
	bool forward, ip_no_pmtu_disc, icmp_echo_ignore_all, icmp_echo_ignore_broadcasts;
	bool ip_nonlocal_bind;
	u32 ping_group_min, ping_group_max;
	u32 icmp_ratelimit_ms, icmp_ratemask, icmp_msgs_per_sec, icmp_msgs_burst;
	u32 frag_high, frag_low; /* ipfrag_high_thresh ... bytes */
	u64 frag_time_ns;
	u32 somaxconn; /* net.core */
	u32 igmp_max_memberships;
	u32 conf_all[INET_CONF_COUNT], conf_default[INET_CONF_COUNT]; /* config_lock */
	struct neighbour_table arp;
};

/* boot: after net_core_init. Registers AF_INET, IPv4, ICMP, UDP, raw, ping. */
void inet_init(void);

#endif
