/* SPDX-License-Identifier: MIT */
/* See tcp_shim.c. */
#ifndef TCP_SHIM_H
#define TCP_SHIM_H

#include "../../net/tcp/tcp_internal.h"

#define SHIM_A	     0x0a000001u /* host order */
#define SHIM_B	     0x0a000002u
#define SHIM_MTU_MAX 65536u

/* A segment on the wire, for policies and scripts. */
struct shim_segment {
	u32 src, dst; /* host order */
	u16 src_port, dst_port;
	u32 seq, ack, window, len;
	u8 flags;
	struct tcp_segopt opt;
	u8 data[2048]; /* the first bytes */
};

/* What the network does with a segment: copies that arrive (0: lost), each after *delay ns. */
extern u32 (*shim_policy)(const struct shim_segment *s, u64 *delay);
/* Segments go to shim_sent instead of to their receiver. */
extern bool shim_capture;
extern struct shim_segment shim_sent[256];
extern u32 shim_sent_count;
extern u64 shim_now;
extern u32 shim_mtu;
extern u64 shim_segments; /* ever sent */
extern long shim_packets; /* that exist */

void shim_init(void);
/* Until nothing is due before `until`, or cond says so. */
void shim_run(u64 until, bool (*cond)(void));
/* A segment from the peer, handled at once. */
void shim_inject(const struct shim_segment *s);
/* All sockets and packets gone; grace periods over. */
void shim_settle(void);

struct socket *shim_socket(u32 address, u16 port);
void shim_close(struct socket *s);
int shim_connect(struct socket *s, u32 address, u16 port);
ssize_t shim_send(struct socket *s, const void *data, size_t len, u32 flags);
ssize_t shim_recv(struct socket *s, void *data, size_t len, u32 flags);

#endif
