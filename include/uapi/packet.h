/* SPDX-License-Identifier: MIT */
/*
 * packet(7).
 */
#ifndef UAPI_PACKET_H
#define UAPI_PACKET_H

#include "lib/types.h"

struct linux_sockaddr_ll {
	u16 sll_family;
	u16 sll_protocol; /* network byte order */
	s32 sll_ifindex;
	u16 sll_hatype;
	u8 sll_pkttype;
	u8 sll_halen;
	u8 sll_addr[8];
};

#define PACKET_HOST	 0
#define PACKET_BROADCAST 1
#define PACKET_MULTICAST 2
#define PACKET_OTHERHOST 3
#define PACKET_OUTGOING	 4

#define PACKET_ADD_MEMBERSHIP  1
#define PACKET_DROP_MEMBERSHIP 2
#define PACKET_STATISTICS      6
#define PACKET_AUXDATA	       8
#define PACKET_IGNORE_OUTGOING 23

#define PACKET_MR_MULTICAST 0
#define PACKET_MR_PROMISC   1
#define PACKET_MR_ALLMULTI  2

struct linux_packet_mreq {
	s32 mr_ifindex;
	u16 mr_type;
	u16 mr_alen;
	u8 mr_address[8];
};

struct linux_tpacket_auxdata {
	u32 tp_status;
	u32 tp_len;
	u32 tp_snaplen;
	u16 tp_mac;
	u16 tp_net;
	u16 tp_vlan_tci;
	u16 tp_vlan_tpid;
};

#endif /* UAPI_PACKET_H */
