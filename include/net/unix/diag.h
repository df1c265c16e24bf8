/* SPDX-License-Identifier: MIT */
/* What can be told about AF_UNIX sockets: /proc/net/unix and NETLINK_SOCK_DIAG. */
#ifndef NET_UNIX_DIAG_H
#define NET_UNIX_DIAG_H

#include "lib/types.h"
#include "uapi/un.h"

struct unix_diag {
	int type;
	u8 state;    /* as TCP's: established, closed, listening */
	u8 column;   /* the same for /proc/net/unix: SS_* */
	u8 shutdown; /* bit 0: no more reading, 1: no more writing */
	bool named;  /* by a path: node and dev are its inode */
	u64 inum;    /* of the file; 0: not accepted yet, or closed */
	u64 peer;    /* the peer's; 0: none */
	u64 cookie;  /* differs for each socket */
	u64 node, dev;
	u32 rqueue, wqueue; /* bytes; of a listener: connections that wait, and their limit */
	u32 rcvbuf, sndbuf, uid;
	int refs;
	u32 name_len; /* of sun_path */
	u8 name[sizeof(struct linux_sockaddr_un) - sizeof(u16)];
};

/* With the list's lock held: may not sleep. True: enough. */
typedef bool unix_diag_visit(const struct unix_diag *d, void *ctx);
void unix_diag_for_each(unix_diag_visit *visit, void *ctx);

#endif
