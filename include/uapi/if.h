/* SPDX-License-Identifier: MIT */
/*
 * netdevice(7), packet(7), arp(7).
 */
#ifndef UAPI_IF_H
#define UAPI_IF_H

#include "lib/types.h"
#include "uapi/socket.h"

#define IFNAMSIZ 16

#define IFF_UP		0x1
#define IFF_BROADCAST	0x2
#define IFF_DEBUG	0x4
#define IFF_LOOPBACK	0x8
#define IFF_POINTOPOINT 0x10
#define IFF_NOTRAILERS	0x20
#define IFF_RUNNING	0x40
#define IFF_NOARP	0x80
#define IFF_PROMISC	0x100
#define IFF_ALLMULTI	0x200
#define IFF_MASTER	0x400
#define IFF_SLAVE	0x800
#define IFF_MULTICAST	0x1000
#define IFF_PORTSEL	0x2000
#define IFF_AUTOMEDIA	0x4000
#define IFF_DYNAMIC	0x8000
#define IFF_LOWER_UP	0x10000
#define IFF_DORMANT	0x20000
#define IFF_ECHO	0x40000

/* IFLA_OPERSTATE, RFC 2863 */
#define IF_OPER_UNKNOWN	       0
#define IF_OPER_NOTPRESENT     1
#define IF_OPER_DOWN	       2
#define IF_OPER_LOWERLAYERDOWN 3
#define IF_OPER_TESTING	       4
#define IF_OPER_DORMANT	       5
#define IF_OPER_UP	       6

struct linux_ifmap {
	u64 mem_start;
	u64 mem_end;
	u16 base_addr;
	u8 irq;
	u8 dma;
	u8 port;
	u8 pad[3];
};

struct linux_ifreq {
	char ifr_name[IFNAMSIZ];
	union {
		struct linux_sockaddr addr; /* address, destination, broadcast, mask, hardware */
		s16 flags;
		s32 value; /* index, metric, mtu, queue length */
		struct linux_ifmap map;
		char newname[IFNAMSIZ];
		u64 data;
	} ifr;
};

struct linux_ifconf {
	s32 ifc_len;
	u32 pad;
	u64 ifc_buf;
};

/* SIOCADDRT */
struct linux_rtentry {
	u64 pad1;
	struct linux_sockaddr rt_dst;
	struct linux_sockaddr rt_gateway;
	struct linux_sockaddr rt_genmask;
	u16 rt_flags;
	s16 pad2;
	u64 pad3;
	u64 pad4;
	s16 rt_metric;
	u64 rt_dev;
	u64 rt_mtu;
	u64 rt_window;
	u16 rt_irtt;
};

#define RTF_UP	    0x0001
#define RTF_GATEWAY 0x0002
#define RTF_HOST    0x0004
#define RTF_REJECT  0x0200

#define ARPHRD_ETHER	1
#define ARPHRD_LOOPBACK 772
#define ARPHRD_NONE	0xfffe

struct linux_arpreq {
	struct linux_sockaddr arp_pa;
	struct linux_sockaddr arp_ha;
	s32 arp_flags;
	struct linux_sockaddr arp_netmask;
	char arp_dev[16];
};

#define ATF_COM	 0x02
#define ATF_PERM 0x04

#define ETH_ALEN      6
#define ETH_HLEN      14
#define ETH_DATA_LEN  1500
#define ETH_FRAME_LEN 1514
#define ETH_P_ALL     0x0003
#define ETH_P_IP      0x0800
#define ETH_P_ARP     0x0806
#define ETH_P_8021Q   0x8100
#define ETH_P_IPV6    0x86dd

#endif /* UAPI_IF_H */
