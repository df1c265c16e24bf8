/* SPDX-License-Identifier: MIT */
/*
 * ip(7), ipv6(7), tcp(7), udp(7), raw(7). Addresses and ports are in network byte order.
 */
#ifndef UAPI_IN_H
#define UAPI_IN_H

#include "lib/types.h"
#include "uapi/socket.h"

#define IPPROTO_IP	 0
#define IPPROTO_ICMP	 1
#define IPPROTO_IGMP	 2
#define IPPROTO_TCP	 6
#define IPPROTO_UDP	 17
#define IPPROTO_IPV6	 41
#define IPPROTO_ICMPV6	 58
#define IPPROTO_UDPLITE	 136
#define IPPROTO_RAW	 255
#define IPPROTO_HOPOPTS	 0
#define IPPROTO_ROUTING	 43
#define IPPROTO_FRAGMENT 44
#define IPPROTO_NONE	 59
#define IPPROTO_DSTOPTS	 60

#define INADDR_ANY	 0x00000000u
#define INADDR_BROADCAST 0xffffffffu
#define INADDR_LOOPBACK	 0x7f000001u

struct linux_in_addr {
	u32 s_addr;
};

struct linux_in6_addr {
	u8 bytes[16];
};

struct linux_sockaddr_in {
	u16 sin_family;
	u16 sin_port;
	struct linux_in_addr sin_addr;
	u8 pad[8];
};

struct linux_sockaddr_in6 {
	u16 sin6_family;
	u16 sin6_port;
	u32 sin6_flowinfo;
	struct linux_in6_addr sin6_addr;
	u32 sin6_scope_id;
};

struct linux_ip_mreqn {
	struct linux_in_addr imr_multiaddr;
	struct linux_in_addr imr_address;
	s32 imr_ifindex;
};

struct linux_in_pktinfo {
	s32 ipi_ifindex;
	struct linux_in_addr ipi_spec_dst;
	struct linux_in_addr ipi_addr;
};

struct linux_ipv6_mreq {
	struct linux_in6_addr ipv6mr_multiaddr;
	s32 ipv6mr_ifindex;
};

struct linux_in6_pktinfo {
	struct linux_in6_addr ipi6_addr;
	s32 ipi6_ifindex;
};

/* ip(7) */
#define IP_TOS			1
#define IP_TTL			2
#define IP_HDRINCL		3
#define IP_OPTIONS		4
#define IP_RECVOPTS		6
#define IP_RETOPTS		7
#define IP_PKTINFO		8
#define IP_MTU_DISCOVER		10
#define IP_RECVERR		11
#define IP_RECVTTL		12
#define IP_RECVTOS		13
#define IP_MTU			14
#define IP_FREEBIND		15
#define IP_TRANSPARENT		19
#define IP_BIND_ADDRESS_NO_PORT 24
#define IP_MULTICAST_IF		32
#define IP_MULTICAST_TTL	33
#define IP_MULTICAST_LOOP	34
#define IP_ADD_MEMBERSHIP	35
#define IP_DROP_MEMBERSHIP	36
#define IP_MULTICAST_ALL	49
#define IP_PMTUDISC_DONT	0
#define IP_PMTUDISC_WANT	1
#define IP_PMTUDISC_DO		2
#define IP_PMTUDISC_PROBE	3

/* ipv6(7) */
#define IPV6_UNICAST_HOPS    16
#define IPV6_MULTICAST_IF    17
#define IPV6_MULTICAST_HOPS  18
#define IPV6_MULTICAST_LOOP  19
#define IPV6_ADD_MEMBERSHIP  20
#define IPV6_DROP_MEMBERSHIP 21
#define IPV6_CHECKSUM	     7
#define IPV6_MTU_DISCOVER    23
#define IPV6_MTU	     24
#define IPV6_RECVERR	     25
#define IPV6_V6ONLY	     26
#define IPV6_RECVPKTINFO     49
#define IPV6_PKTINFO	     50
#define IPV6_RECVHOPLIMIT    51
#define IPV6_HOPLIMIT	     52
#define IPV6_RECVTCLASS	     66
#define IPV6_TCLASS	     67
#define ICMPV6_FILTER	     1

/* tcp(7) */
#define TCP_NODELAY	  1
#define TCP_MAXSEG	  2
#define TCP_CORK	  3
#define TCP_KEEPIDLE	  4
#define TCP_KEEPINTVL	  5
#define TCP_KEEPCNT	  6
#define TCP_SYNCNT	  7
#define TCP_LINGER2	  8
#define TCP_DEFER_ACCEPT  9
#define TCP_WINDOW_CLAMP  10
#define TCP_INFO	  11
#define TCP_QUICKACK	  12
#define TCP_CONGESTION	  13
#define TCP_USER_TIMEOUT  18
#define TCP_FASTOPEN	  23
#define TCP_TIMESTAMP	  24
#define TCP_NOTSENT_LOWAT 25

/* tcp_info's state and /proc/net/tcp's */
#define TCP_ESTABLISHED 1
#define TCP_SYN_SENT	2
#define TCP_SYN_RECV	3
#define TCP_FIN_WAIT1	4
#define TCP_FIN_WAIT2	5
#define TCP_TIME_WAIT	6
#define TCP_CLOSE	7
#define TCP_CLOSE_WAIT	8
#define TCP_LAST_ACK	9
#define TCP_LISTEN	10
#define TCP_CLOSING	11

/* udp(7) */
#define UDP_CORK 1

/* IP_RECVERR's message */
struct linux_sock_extended_err {
	u32 ee_errno;
	u8 ee_origin;
	u8 ee_type;
	u8 ee_code;
	u8 ee_pad;
	u32 ee_info;
	u32 ee_data;
};

#define SO_EE_ORIGIN_NONE  0
#define SO_EE_ORIGIN_LOCAL 1
#define SO_EE_ORIGIN_ICMP  2
#define SO_EE_ORIGIN_ICMP6 3

#endif /* UAPI_IN_H */
