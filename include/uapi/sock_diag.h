/* SPDX-License-Identifier: MIT */
/*
 * sock_diag(7): NETLINK_SOCK_DIAG's requests and answers for Internet and AF_UNIX sockets.
 */
#ifndef UAPI_SOCK_DIAG_H
#define UAPI_SOCK_DIAG_H

#include "lib/types.h"

#define SOCK_DIAG_BY_FAMILY 20
#define SOCK_DESTROY	    21

struct linux_sock_diag_req {
	u8 sdiag_family;
	u8 sdiag_protocol;
};

/* The numbers of *_MEMINFO and SKMEMINFO */
#define SK_MEMINFO_RMEM_ALLOC  0
#define SK_MEMINFO_RCVBUF      1
#define SK_MEMINFO_WMEM_ALLOC  2
#define SK_MEMINFO_SNDBUF      3
#define SK_MEMINFO_FWD_ALLOC   4
#define SK_MEMINFO_WMEM_QUEUED 5
#define SK_MEMINFO_OPTMEM      6
#define SK_MEMINFO_BACKLOG     7
#define SK_MEMINFO_DROPS       8
#define SK_MEMINFO_VARS	       9

/* ---- Internet ---- */

struct linux_inet_diag_sockid {
	u16 idiag_sport, idiag_dport; /* network byte order, as the addresses */
	u32 idiag_src[4], idiag_dst[4];
	u32 idiag_if;
	u32 idiag_cookie[2];
};
#define INET_DIAG_NOCOOKIE 0xffffffffu

struct linux_inet_diag_req_v2 {
	u8 sdiag_family;
	u8 sdiag_protocol;
	u8 idiag_ext; /* bit n - 1: answer with attribute n */
	u8 pad;
	u32 idiag_states; /* bit n: sockets in state n */
	struct linux_inet_diag_sockid id;
};

struct linux_inet_diag_msg {
	u8 idiag_family;
	u8 idiag_state;
	u8 idiag_timer;
	u8 idiag_retrans;
	struct linux_inet_diag_sockid id;
	u32 idiag_expires;
	u32 idiag_rqueue;
	u32 idiag_wqueue;
	u32 idiag_uid;
	u32 idiag_inode;
};

/* attributes of a request */
#define INET_DIAG_REQ_BYTECODE 1
#define INET_DIAG_REQ_PROTOCOL 3

/* a filter: each operation jumps forward, to `yes` or to `no` */
struct linux_inet_diag_bc_op {
	u8 code;
	u8 yes;
	u16 no;
};
#define INET_DIAG_BC_NOP       0
#define INET_DIAG_BC_JMP       1
#define INET_DIAG_BC_S_GE      2
#define INET_DIAG_BC_S_LE      3
#define INET_DIAG_BC_D_GE      4
#define INET_DIAG_BC_D_LE      5
#define INET_DIAG_BC_AUTO      6
#define INET_DIAG_BC_S_COND    7
#define INET_DIAG_BC_D_COND    8
#define INET_DIAG_BC_DEV_COND  9
#define INET_DIAG_BC_MARK_COND 10
#define INET_DIAG_BC_S_EQ      11
#define INET_DIAG_BC_D_EQ      12

struct linux_inet_diag_hostcond {
	u8 family;
	u8 prefix_len;
	s32 port;
	u32 addr[];
};
struct linux_inet_diag_markcond {
	u32 mark;
	u32 mask;
};

/* attributes of an answer */
#define INET_DIAG_MEMINFO   1
#define INET_DIAG_INFO	    2
#define INET_DIAG_CONG	    4
#define INET_DIAG_TOS	    5
#define INET_DIAG_TCLASS    6
#define INET_DIAG_SKMEMINFO 7
#define INET_DIAG_SHUTDOWN  8
#define INET_DIAG_SKV6ONLY  11
#define INET_DIAG_MARK	    15

struct linux_inet_diag_meminfo {
	u32 idiag_rmem, idiag_wmem, idiag_fmem, idiag_tmem;
};

/* ---- AF_UNIX ---- */

struct linux_unix_diag_req {
	u8 sdiag_family;
	u8 sdiag_protocol;
	u16 pad;
	u32 udiag_states;
	u32 udiag_ino; /* 0: all */
	u32 udiag_show;
	u32 udiag_cookie[2];
};
#define UDIAG_SHOW_NAME	   0x01
#define UDIAG_SHOW_VFS	   0x02
#define UDIAG_SHOW_PEER	   0x04
#define UDIAG_SHOW_ICONS   0x08
#define UDIAG_SHOW_RQLEN   0x10
#define UDIAG_SHOW_MEMINFO 0x20
#define UDIAG_SHOW_UID	   0x40

struct linux_unix_diag_msg {
	u8 udiag_family;
	u8 udiag_type;
	u8 udiag_state;
	u8 pad;
	u32 udiag_ino;
	u32 udiag_cookie[2];
};

#define UNIX_DIAG_NAME	   0
#define UNIX_DIAG_VFS	   1
#define UNIX_DIAG_PEER	   2
#define UNIX_DIAG_ICONS	   3
#define UNIX_DIAG_RQLEN	   4
#define UNIX_DIAG_MEMINFO  5
#define UNIX_DIAG_SHUTDOWN 6
#define UNIX_DIAG_UID	   7

struct linux_unix_diag_vfs {
	u32 udiag_vfs_ino;
	u32 udiag_vfs_dev;
};
struct linux_unix_diag_rqlen {
	u32 udiag_rqueue;
	u32 udiag_wqueue;
};

#endif /* UAPI_SOCK_DIAG_H */
