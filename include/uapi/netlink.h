/* SPDX-License-Identifier: MIT */
/*
 * netlink(7): addresses, message headers and attributes.
 */
#ifndef UAPI_NETLINK_H
#define UAPI_NETLINK_H

#include "lib/types.h"

#define NETLINK_ROUTE	       0
#define NETLINK_USERSOCK       2
#define NETLINK_SOCK_DIAG      4
#define NETLINK_NETFILTER      12
#define NETLINK_KOBJECT_UEVENT 15
#define NETLINK_GENERIC	       16
#define NETLINK_AUDIT	       9

struct linux_sockaddr_nl {
	u16 nl_family;
	u16 pad;
	u32 nl_pid;
	u32 nl_groups;
};

struct linux_nlmsghdr {
	u32 nlmsg_len; /* with this header */
	u16 nlmsg_type;
	u16 nlmsg_flags;
	u32 nlmsg_seq;
	u32 nlmsg_pid;
};

#define NLMSG_ALIGNTO	 4u
#define NLMSG_ALIGN(len) (((len) + NLMSG_ALIGNTO - 1) & ~(NLMSG_ALIGNTO - 1))
#define NLMSG_HDRLEN	 16

#define NLMSG_NOOP     0x1
#define NLMSG_ERROR    0x2
#define NLMSG_DONE     0x3
#define NLMSG_OVERRUN  0x4
#define NLMSG_MIN_TYPE 0x10

#define NLM_F_REQUEST	0x01
#define NLM_F_MULTI	0x02
#define NLM_F_ACK	0x04
#define NLM_F_ECHO	0x08
#define NLM_F_DUMP_INTR 0x10
#define NLM_F_ROOT	0x100
#define NLM_F_MATCH	0x200
#define NLM_F_ATOMIC	0x400
#define NLM_F_DUMP	(NLM_F_ROOT | NLM_F_MATCH)
#define NLM_F_REPLACE	0x100
#define NLM_F_EXCL	0x200
#define NLM_F_CREATE	0x400
#define NLM_F_APPEND	0x800
#define NLM_F_CAPPED	0x100
#define NLM_F_ACK_TLVS	0x200

struct linux_nlmsgerr {
	s32 error;
	struct linux_nlmsghdr msg;
};

/* NLMSG_ERROR with NETLINK_EXT_ACK */
#define NLMSGERR_ATTR_MSG  1
#define NLMSGERR_ATTR_OFFS 2

struct linux_nlattr {
	u16 nla_len; /* with this header */
	u16 nla_type;
};

#define NLA_F_NESTED	    (1 << 15)
#define NLA_F_NET_BYTEORDER (1 << 14)
#define NLA_TYPE_MASK	    (~(NLA_F_NESTED | NLA_F_NET_BYTEORDER))
#define NLA_ALIGNTO	    4
#define NLA_HDRLEN	    4

/* SOL_NETLINK options */
#define NETLINK_ADD_MEMBERSHIP	 1
#define NETLINK_DROP_MEMBERSHIP	 2
#define NETLINK_PKTINFO		 3
#define NETLINK_BROADCAST_ERROR	 4
#define NETLINK_NO_ENOBUFS	 5
#define NETLINK_LISTEN_ALL_NSID	 8
#define NETLINK_LIST_MEMBERSHIPS 9
#define NETLINK_CAP_ACK		 10
#define NETLINK_EXT_ACK		 11
#define NETLINK_GET_STRICT_CHK	 12

#endif /* UAPI_NETLINK_H */
