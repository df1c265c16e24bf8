/* SPDX-License-Identifier: MIT */
/*
 * rtnetlink(7): links, addresses, routes, neighbours and rules.
 */
#ifndef UAPI_RTNETLINK_H
#define UAPI_RTNETLINK_H

#include "lib/types.h"
#include "uapi/netlink.h"

#define RTM_NEWLINK  16
#define RTM_DELLINK  17
#define RTM_GETLINK  18
#define RTM_SETLINK  19
#define RTM_NEWADDR  20
#define RTM_DELADDR  21
#define RTM_GETADDR  22
#define RTM_NEWROUTE 24
#define RTM_DELROUTE 25
#define RTM_GETROUTE 26
#define RTM_NEWNEIGH 28
#define RTM_DELNEIGH 29
#define RTM_GETNEIGH 30
#define RTM_NEWRULE  32
#define RTM_DELRULE  33
#define RTM_GETRULE  34
#define RTM_GETSTATS 94

#define RTMGRP_LINK	    1
#define RTMGRP_NEIGH	    4
#define RTMGRP_IPV4_IFADDR  0x10
#define RTMGRP_IPV4_ROUTE   0x40
#define RTMGRP_IPV6_IFADDR  0x100
#define RTMGRP_IPV6_ROUTE   0x400
#define RTNLGRP_LINK	    1
#define RTNLGRP_NEIGH	    3
#define RTNLGRP_IPV4_IFADDR 5
#define RTNLGRP_IPV4_ROUTE  7
#define RTNLGRP_IPV6_IFADDR 9
#define RTNLGRP_IPV6_ROUTE  11

struct linux_rtgenmsg {
	u8 rtgen_family;
};

struct linux_ifinfomsg {
	u8 ifi_family;
	u8 pad;
	u16 ifi_type;
	s32 ifi_index;
	u32 ifi_flags;
	u32 ifi_change;
};

struct linux_ifaddrmsg {
	u8 ifa_family;
	u8 ifa_prefixlen;
	u8 ifa_flags;
	u8 ifa_scope;
	u32 ifa_index;
};

struct linux_ifa_cacheinfo {
	u32 ifa_prefered;
	u32 ifa_valid;
	u32 cstamp;
	u32 tstamp;
};

struct linux_rtmsg {
	u8 rtm_family;
	u8 rtm_dst_len;
	u8 rtm_src_len;
	u8 rtm_tos;
	u8 rtm_table;
	u8 rtm_protocol;
	u8 rtm_scope;
	u8 rtm_type;
	u32 rtm_flags;
};

struct linux_ndmsg {
	u8 ndm_family;
	u8 pad1;
	u16 pad2;
	s32 ndm_ifindex;
	u16 ndm_state;
	u8 ndm_flags;
	u8 ndm_type;
};

struct linux_nda_cacheinfo {
	u32 ndm_confirmed;
	u32 ndm_used;
	u32 ndm_updated;
	u32 ndm_refcnt;
};

struct linux_rta_cacheinfo {
	u32 rta_clntref;
	u32 rta_lastuse;
	s32 rta_expires;
	u32 rta_error;
	u32 rta_used;
	u32 rta_id;
	u32 rta_ts;
	u32 rta_tsage;
};

/* RTM_NEWLINK */
#define IFLA_ADDRESS		 1
#define IFLA_BROADCAST		 2
#define IFLA_IFNAME		 3
#define IFLA_MTU		 4
#define IFLA_LINK		 5
#define IFLA_QDISC		 6
#define IFLA_STATS		 7
#define IFLA_MASTER		 10
#define IFLA_TXQLEN		 13
#define IFLA_MAP		 14
#define IFLA_OPERSTATE		 16
#define IFLA_LINKMODE		 17
#define IFLA_LINKINFO		 18
#define IFLA_NET_NS_PID		 19
#define IFLA_STATS64		 23
#define IFLA_AF_SPEC		 26
#define IFLA_GROUP		 27
#define IFLA_NET_NS_FD		 28
#define IFLA_EXT_MASK		 29
#define IFLA_PROMISCUITY	 30
#define IFLA_NUM_TX_QUEUES	 31
#define IFLA_NUM_RX_QUEUES	 32
#define IFLA_CARRIER		 33
#define IFLA_CARRIER_CHANGES	 35
#define IFLA_MIN_MTU		 50
#define IFLA_MAX_MTU		 51
#define IFLA_ALT_IFNAME		 53
#define IFLA_INFO_KIND		 1
#define IFLA_INFO_DATA		 2
#define IFLA_INET6_FLAGS	 1
#define IFLA_INET6_ADDR_GEN_MODE 8
#define VETH_INFO_PEER		 1

struct linux_rtnl_link_stats {
	u32 rx_packets;
	u32 tx_packets;
	u32 rx_bytes;
	u32 tx_bytes;
	u32 rx_errors;
	u32 tx_errors;
	u32 rx_dropped;
	u32 tx_dropped;
	u32 multicast;
	u32 collisions;
	u32 rx_length_errors;
	u32 rx_over_errors;
	u32 rx_crc_errors;
	u32 rx_frame_errors;
	u32 rx_fifo_errors;
	u32 rx_missed_errors;
	u32 tx_aborted_errors;
	u32 tx_carrier_errors;
	u32 tx_fifo_errors;
	u32 tx_heartbeat_errors;
	u32 tx_window_errors;
	u32 rx_compressed;
	u32 tx_compressed;
	u32 rx_nohandler;
};

struct linux_rtnl_link_stats64 {
	u64 rx_packets;
	u64 tx_packets;
	u64 rx_bytes;
	u64 tx_bytes;
	u64 rx_errors;
	u64 tx_errors;
	u64 rx_dropped;
	u64 tx_dropped;
	u64 multicast;
	u64 collisions;
	u64 rx_length_errors;
	u64 rx_over_errors;
	u64 rx_crc_errors;
	u64 rx_frame_errors;
	u64 rx_fifo_errors;
	u64 rx_missed_errors;
	u64 tx_aborted_errors;
	u64 tx_carrier_errors;
	u64 tx_fifo_errors;
	u64 tx_heartbeat_errors;
	u64 tx_window_errors;
	u64 rx_compressed;
	u64 tx_compressed;
	u64 rx_nohandler;
	u64 rx_otherhost_dropped;
};

/* RTM_NEWADDR */
#define IFA_ADDRESS	     1
#define IFA_LOCAL	     2
#define IFA_LABEL	     3
#define IFA_BROADCAST	     4
#define IFA_CACHEINFO	     6
#define IFA_FLAGS	     8
#define IFA_F_SECONDARY	     0x01
#define IFA_F_NODAD	     0x02
#define IFA_F_OPTIMISTIC     0x04
#define IFA_F_DADFAILED	     0x08
#define IFA_F_HOMEADDRESS    0x10
#define IFA_F_DEPRECATED     0x20
#define IFA_F_TENTATIVE	     0x40
#define IFA_F_PERMANENT	     0x80
#define IFA_F_MANAGETEMPADDR 0x100
#define IFA_F_NOPREFIXROUTE  0x200

/* RTM_NEWROUTE */
#define RTA_DST	      1
#define RTA_SRC	      2
#define RTA_IIF	      3
#define RTA_OIF	      4
#define RTA_GATEWAY   5
#define RTA_PRIORITY  6
#define RTA_PREFSRC   7
#define RTA_METRICS   8
#define RTA_MULTIPATH 9
#define RTA_CACHEINFO 12
#define RTA_TABLE     15
#define RTA_MARK      16
#define RTA_PREF      20

#define RT_TABLE_UNSPEC	 0
#define RT_TABLE_COMPAT	 252
#define RT_TABLE_DEFAULT 253
#define RT_TABLE_MAIN	 254
#define RT_TABLE_LOCAL	 255

#define RTPROT_UNSPEC	0
#define RTPROT_REDIRECT 1
#define RTPROT_KERNEL	2
#define RTPROT_BOOT	3
#define RTPROT_STATIC	4
#define RTPROT_RA	9
#define RTPROT_DHCP	16

#define RT_SCOPE_UNIVERSE 0
#define RT_SCOPE_SITE	  200
#define RT_SCOPE_LINK	  253
#define RT_SCOPE_HOST	  254
#define RT_SCOPE_NOWHERE  255

#define RTN_UNSPEC	0
#define RTN_UNICAST	1
#define RTN_LOCAL	2
#define RTN_BROADCAST	3
#define RTN_ANYCAST	4
#define RTN_MULTICAST	5
#define RTN_BLACKHOLE	6
#define RTN_UNREACHABLE 7
#define RTN_PROHIBIT	8
#define RTN_THROW	9

#define RTM_F_CLONED	   0x200
#define RTM_F_LOOKUP_TABLE 0x1000
#define RTM_F_FIB_MATCH	   0x2000
#define RTNH_F_DEAD	   1
#define RTNH_F_ONLINK	   4
#define RTNH_F_LINKDOWN	   16

/* RTM_NEWNEIGH */
#define NDA_DST	       1
#define NDA_LLADDR     2
#define NDA_CACHEINFO  3
#define NDA_PROBES     4
#define NUD_INCOMPLETE 0x01
#define NUD_REACHABLE  0x02
#define NUD_STALE      0x04
#define NUD_DELAY      0x08
#define NUD_PROBE      0x10
#define NUD_FAILED     0x20
#define NUD_NOARP      0x40
#define NUD_PERMANENT  0x80
#define NUD_NONE       0x00
#define NTF_ROUTER     0x80

/* IFLA_EXT_MASK */
#define RTEXT_FILTER_VF		(1 << 0)
#define RTEXT_FILTER_SKIP_STATS (1 << 3)

#endif /* UAPI_RTNETLINK_H */
