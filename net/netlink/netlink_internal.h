/* SPDX-License-Identifier: MIT */
/* Between the sockets (netlink.c), the messages (message.c) and rtnetlink's nouns. */
#ifndef NETLINK_INTERNAL_H
#define NETLINK_INTERNAL_H

#include "net/core/device.h"
#include "net/core/route.h"
#include "uapi/errno.h"
#include "uapi/netlink.h"
#include "uapi/rtnetlink.h"

/* Linux's: a datagram that fits into a page with its bookkeeping. musl reads with 8 KiB. */
#define NETLINK_CHUNK 3776u

struct netlink_sock;

/* ---- messages being written: message.c ---- */

/* Into memory of the owner's. What does not fit sets `full` and leaves the rest as it was. */
struct nl_writer {
	u8 *buf;
	u32 len, room;
	bool full;
};

void nl_writer_init(struct nl_writer *w, void *buf, u32 room);
/* A header and a zeroed body; *body is valid until the next write. Returns where the message
 * begins, for nl_end. */
u32
nl_begin(struct nl_writer *w, u16 type, u16 flags, u32 seq, u32 port, u32 body_len, void **body);
void nl_end(struct nl_writer *w, u32 start);
void nl_put(struct nl_writer *w, u16 type, const void *data, u32 len);
void nl_put_u8(struct nl_writer *w, u16 type, u8 v);
void nl_put_u32(struct nl_writer *w, u16 type, u32 v);
void nl_put_text(struct nl_writer *w, u16 type, const char *s);
/* An address: 4 bytes for AF_INET, else 16. */
void nl_put_addr(struct nl_writer *w, u16 type, int family, const struct ip_addr *a);
u32 nl_nest_begin(struct nl_writer *w, u16 type);
void nl_nest_end(struct nl_writer *w, u32 start);

/* ---- messages being read ---- */

struct nl_attr {
	const u8 *data;
	u32 len;
};
/* attrs[1 .. max] from len bytes: the last of each type counts, unknown ones are passed over.
 * -EINVAL: a length that does not fit. */
int nl_parse(const u8 *data, u32 len, struct nl_attr *attrs, u32 max);
/* Those of a message behind its fixed body. */
#define nl_has(attrs, type) ((attrs)[type].data != NULL)
/* 0 or -EINVAL / -ERANGE: too short. Missing: *out stays as it is. */
int nl_get_u8(const struct nl_attr *attrs, u32 type, u8 *out);
int nl_get_u32(const struct nl_attr *attrs, u32 type, u32 *out);
int nl_get_addr(const struct nl_attr *attrs, u32 type, int family, struct ip_addr *out);
/* A zero-terminated copy; -EINVAL if longer than size - 1. */
int nl_get_text(const struct nl_attr *attrs, u32 type, char *out, size_t size);

/* ---- a request ---- */

struct nl_request {
	struct net_ns *net;
	struct netlink_sock *from;
	const struct linux_nlmsghdr *h;
	const u8 *body; /* behind the header */
	u32 len;	/* bytes of body */
	u32 port;	/* where answers go */
	bool strict;	/* NETLINK_GET_STRICT_CHK: the body of a dump request is a filter */
};

typedef int nl_handler(const struct nl_request *rq);

/* The fixed part of a request; zeroes behind what was sent when `len` is shorter (old programs send
 * one byte, the family). */
void nl_request_body(const struct nl_request *rq, void *out, u32 size);
/* The attributes behind a fixed part of `size` bytes. 0 or -EINVAL. */
int nl_request_attrs(const struct nl_request *rq, u32 size, struct nl_attr *attrs, u32 max);

/*
 * Writes one whole message about `arg`, of rq's sequence number and port: an answer, a part of a
 * dump (flags NLM_F_MULTI), or an event (rq->from NULL).
 */
typedef void
nl_filler(struct nl_writer *w, const struct nl_request *rq, u16 flags, const void *arg);
/* Sends one as a datagram to the asker. 0, -ENOMEM, -ENOBUFS. Does not sleep. */
int nl_reply(const struct nl_request *rq, nl_filler *fill, const void *arg);

/* The answer to a dump: messages, gathered into datagrams. */
struct nl_dump {
	const struct nl_request *rq;
	struct nl_writer w;
	u8 *buf;
	int error;
	int result; /* what NLMSG_DONE says */
};
int nl_dump_begin(struct nl_dump *d, const struct nl_request *rq);
/* Adds a message; fill is called again on an empty datagram when it did not fit. False: an error,
 * stop. Does not sleep. */
bool nl_dump_message(struct nl_dump *d, nl_filler *fill, const void *arg);
/* The end: NLMSG_DONE. Returns d->error. */
int nl_dump_end(struct nl_dump *d);

/* ---- netlink.c ---- */

/* To every member of a group; copies. Atomic allocations; any context but interrupts. */
void netlink_multicast(struct net_ns *net, u32 protocol, u32 group, const void *data, u32 len);
bool netlink_has_listeners(struct net_ns *net, u32 protocol, u32 group);
/* One datagram of the kernel's to a socket. 0, -ENOMEM, -ENOBUFS. */
int netlink_deliver(struct netlink_sock *to, const void *data, u32 len);
/* For the length of a dump: -EBUSY while the last one has not been read to its end. */
int netlink_dump_start(struct netlink_sock *from);
void netlink_dump_queued(struct netlink_sock *from);

/* ---- rtnetlink: rtnetlink.c and a file for each noun ---- */

/* A noun's: config_lock held. 0 or -errno. */
void rtnetlink_init(void);
int rtnetlink_request(const struct nl_request *rq);

/* generic.c */
int generic_request(const struct nl_request *rq);
/* diag.c */
int diag_request(const struct nl_request *rq);

nl_handler link_get, link_dump, link_set, link_new, link_delete;
nl_handler addr_dump, addr_new, addr_delete;
nl_handler rtroute_get, rtroute_dump, rtroute_new, rtroute_delete;
nl_handler neigh_get, neigh_dump, neigh_new, neigh_delete;
nl_handler rule_dump, rule_new, rule_delete;

struct inet_addr;
void link_notify(struct net_ns *net, struct net_device *dev, u16 type);
void addr_notify(struct net_ns *net, const struct inet_addr *a, u16 type);
void rtroute_notify(struct net_ns *net, const struct route_change *c, u16 type);
void neigh_notify(struct net_ns *net, struct neighbour *n);
/* Build one message and send it to a group. */
void rtnetlink_event(struct net_ns *net, u32 group, nl_filler *fill, const void *arg, u16 type);

#endif
