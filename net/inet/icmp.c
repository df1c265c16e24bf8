/* SPDX-License-Identifier: MIT */
/*
 * ICMP: RFC 792, RFC 1122 3.2.2, RFC 1812 4.3, icmp(7).
 *
 * Errors that we send are limited per destination (icmp_ratelimit for the kinds in icmp_ratemask)
 * and in all (icmp_msgs_per_sec). Errors that we receive are translated and handed to the transport
 * of the packet that they quote.
 */
#include "core/random.h"
#include "core/time.h"
#include "inet_internal.h"
#include "mm/slab.h"
#include "uapi/errno.h"
#include "uapi/packet.h"

#define ICMP_ECHOREPLY	    0
#define ICMP_DEST_UNREACH   3
#define ICMP_SOURCE_QUENCH  4
#define ICMP_REDIRECT	    5
#define ICMP_ECHO	    8
#define ICMP_TIME_EXCEEDED  11
#define ICMP_PARAMETERPROB  12
#define ICMP_TIMESTAMP	    13
#define ICMP_TIMESTAMPREPLY 14

#define QUOTE_MAX 548 /* RFC 1812: 576 bytes in all */

/* Destination unreachable by code: errno and whether it is final. */
static const struct {
	int error;
	bool fatal;
} unreach[16] = {
	{ ENETUNREACH, false },	 { EHOSTUNREACH, false }, { ENOPROTOOPT, true },
	{ ECONNREFUSED, true },	 { EMSGSIZE, false },	  { EOPNOTSUPP, false },
	{ ENETUNREACH, true },	 { EHOSTDOWN, true },	  { ENONET, true },
	{ ENETUNREACH, true },	 { EHOSTUNREACH, true },  { ENETUNREACH, false },
	{ EHOSTUNREACH, false }, { EHOSTUNREACH, true },  { EHOSTUNREACH, true },
	{ EHOSTUNREACH, true },
};

/* ---- limits ---- */

static struct spinlock limit_lock = SPINLOCK_INIT(RANK_ROUTE);
static u64 limit_stamp;
static u32 limit_credit;

/* A bucket of icmp_msgs_burst tokens, filled at icmp_msgs_per_sec. */
bool
icmp_ratelimit_global(void)
{
	const struct inet_net *in = net_init_ns.inet;
	u64 now = time_mono_ns(), fill;
	bool ok;

	spin_lock(&limit_lock);
	fill = (now - limit_stamp) * in->icmp_msgs_per_sec / NSEC_PER_SEC;
	if (fill) {
		limit_credit = (u32)MIN((u64)in->icmp_msgs_burst, limit_credit + fill);
		limit_stamp = now;
	}
	ok = limit_credit > 0;
	if (ok)
		limit_credit--;
	spin_unlock(&limit_lock);
	return ok;
}

/* Per destination: one each icmp_ratelimit, six at once. Slots are shared by hash. */
static struct {
	u64 stamp;
	u32 tokens;
} peers[256];

static bool
peer_allowed(u8 type, u32 dst)
{
	const struct inet_net *in = net_init_ns.inet;
	u64 step = in->icmp_ratelimit_ms * NSEC_PER_MSEC, now = time_mono_ns();
	u32 slot = (u32)(hash_mix(net_init_ns.hash_key.word[0], dst) >> 56);
	bool ok;

	if (type > 31 || !(in->icmp_ratemask & BIT(type)) || !step)
		return true;
	spin_lock(&limit_lock);
	if (now - peers[slot].stamp >= step || !peers[slot].stamp) {
		u64 n = peers[slot].stamp ? (now - peers[slot].stamp) / step : 6;

		peers[slot].tokens = (u32)MIN(6ul, peers[slot].tokens + n);
		peers[slot].stamp = now;
	}
	ok = peers[slot].tokens > 0;
	if (ok)
		peers[slot].tokens--;
	spin_unlock(&limit_lock);
	return ok;
}

/* ---- sending ---- */

static void
count_out(u8 type)
{
	inet_count(IcmpOutMsgs);
	switch (type) {
	case ICMP_ECHOREPLY: inet_count(IcmpOutEchoReps); break;
	case ICMP_DEST_UNREACH: inet_count(IcmpOutDestUnreachs); break;
	case ICMP_TIME_EXCEEDED: inet_count(IcmpOutTimeExcds); break;
	case ICMP_ECHO: inet_count(IcmpOutEchos); break;
	}
}

void
icmp_send(struct packet *in, u8 type, u8 code, u32 info_be)
{
	const struct ipv4_header *h = packet_network(in);
	struct net_ns *net = in->dev->net;
	u32 header, quote, at = in->network_header;
	struct icmp_header *ic;
	struct ip_tx tx = { .protocol = IPPROTO_ICMP, .ttl = -1, .may_fragment = true };
	struct packet *p;
	u32 whole = in->len + packet_headroom(in) - at;
	u16 frag;

	if (packet_headroom(in) < at) /* data stands in front of it */
		whole = in->len - (at - packet_headroom(in));
	/* RFC 1122 3.2.2: never about broadcasts, fragments but the first, or ICMP errors. */
	if (in->pkt_type != PACKET_HOST || whole < 20)
		return;
	header = (h->version_ihl & 15u) * 4;
	frag = ntohs(h->frag_off);
	if ((frag & IPV4_OFFSET) || ipv4_is_multicast(h->dst) || h->dst == INADDR_BROADCAST ||
	    ipv4_is_multicast(h->src) || !h->src || h->src == INADDR_BROADCAST)
		return;
	if (h->protocol == IPPROTO_ICMP) {
		u8 inner;

		/* The type is right behind the header; in a fragment it is as good as not there. */
		if (whole < header + 1 || in->buf->bytes + at + header >= packet_tail(in))
			return;
		inner = *(in->buf->bytes + at + header);
		if (inner != ICMP_ECHO && inner != ICMP_ECHOREPLY && inner != ICMP_TIMESTAMP &&
		    inner != ICMP_TIMESTAMPREPLY)
			return;
	}
	if (!(in->dev->flags & IFF_LOOPBACK) &&
	    (!icmp_ratelimit_global() || !peer_allowed(type, h->src)))
		return;
	quote = MIN(whole, (u32)QUOTE_MAX);
	p = packet_alloc(sizeof(*ic) + quote, GFP_ATOMIC);
	if (!p)
		return;
	ic = packet_put(p, sizeof(*ic));
	packet_set_transport(p);
	*ic = (struct icmp_header){ .type = type, .code = code };
	ic->info = info_be;
	if (packet_headroom(in) >= at) {
		u32 before = MIN(packet_headroom(in) - at, quote);

		memcpy(packet_put(p, before), in->buf->bytes + at, before);
		packet_copy_bits(in, 0, packet_put(p, quote - before), quote - before);
	} else {
		packet_copy_bits(in, at - packet_headroom(in), packet_put(p, quote), quote);
	}
	ic->check = csum_fold(csum_bytes(ic, p->len, 0));
	tx.tos = (h->tos & 0x1e) | 0xc0; /* RFC 1812: internetwork control */
	tx.dst = ip_addr4(h->src);
	tx.src = ip_addr4(h->dst);
	if (!inet_addr_is_local(net, &tx.src))
		tx.src = ip_addr4(0);
	count_out(type);
	(void)inet_send_to(net, NULL, p, &tx);
}

void
inet_icmp_error(struct packet *p, enum inet_unreach kind, u32 info)
{
	static const u8 codes[] = {
		[INET_UNREACH_PORT] = 3, [INET_UNREACH_PROTOCOL] = 2,	 [INET_UNREACH_HOST] = 1,
		[INET_UNREACH_NET] = 0,	 [INET_UNREACH_PROHIBITED] = 13, [INET_TOO_BIG] = 4,
	};

	if (inet_cb(p)->v6) {
		if (inet6_hooks)
			inet6_hooks->icmp_error(p, kind, info);
		return;
	}
	if (kind == INET_TTL_EXCEEDED || kind == INET_FRAG_TIME_EXCEEDED)
		icmp_send(p, ICMP_TIME_EXCEEDED, kind == INET_FRAG_TIME_EXCEEDED, 0);
	else
		icmp_send(p, ICMP_DEST_UNREACH, codes[kind],
			  kind == INET_TOO_BIG ? htonl(info) : 0);
}

/* ---- receiving ---- */

/* Turn the request around in place. */
static void
echo_reply(struct packet *p, u8 type)
{
	struct inet_cb cb = *inet_cb(p);
	struct net_ns *net = p->dev->net;
	struct ip_tx tx = { .src = cb.dst,
			    .dst = cb.src,
			    .protocol = IPPROTO_ICMP,
			    .ttl = -1,
			    .tos = cb.tos,
			    .may_fragment = true };
	struct icmp_header *h;
	u16 old, fresh;

	if (p->pkt_type != PACKET_HOST)
		tx.src = ip_addr4(0);
	/* Raw sockets may hold the bytes still. */
	if (packet_shared(p)) {
		struct packet *c = packet_copy(p, PACKET_HEADROOM, GFP_ATOMIC);

		packet_free(p);
		if (!c)
			return;
		p = c;
	}
	packet_orphan(p);
	p->csum_state = CSUM_NONE;
	p->gso_size = 0;
	p->flags &= (u8)~PACKET_F_LOOPED;
	h = (struct icmp_header *)p->data;
	memcpy(&old, h, 2);
	h->type = type;
	memcpy(&fresh, h, 2);
	csum_replace2(&h->check, old, fresh);
	packet_set_transport(p);
	count_out(type);
	(void)inet_send_to(net, NULL, p, &tx);
}

/* The transport of the quoted packet learns of the error. */
static void
error_deliver(struct packet *p, const struct icmp_header *ic)
{
	struct ip_addr from = inet_cb(p)->src;
	struct inet_error e = {
		.origin = SO_EE_ORIGIN_ICMP, .type = ic->type, .code = ic->code, .offender = from
	};
	struct net_ns *net = p->dev->net;
	const struct ipv4_header *h;
	const struct inet_protocol *t;
	u32 header;
	u16 mtu = ntohs(ic->mtu);

	switch (ic->type) {
	case ICMP_DEST_UNREACH:
		if (ic->code > 15)
			return;
		e.error = unreach[ic->code].error;
		e.fatal = unreach[ic->code].fatal;
		break;
	case ICMP_TIME_EXCEEDED: e.error = EHOSTUNREACH; break;
	case ICMP_PARAMETERPROB:
		e.error = EPROTO;
		e.fatal = true;
		break;
	case ICMP_SOURCE_QUENCH: return; /* RFC 6633 */
	}
	if (!packet_pull(p, sizeof(*ic)) || !packet_may_pull(p, 20))
		return;
	h = (const struct ipv4_header *)p->data;
	header = (h->version_ihl & 15u) * 4;
	if (header < 20 || !packet_may_pull(p, header + 8))
		return;
	h = (const struct ipv4_header *)p->data;
	if (ic->type == ICMP_DEST_UNREACH && e.error == EMSGSIZE) {
		struct ip_addr dst = ip_addr4(h->dst);

		/* RFC 1191 5: routers that give no size; and none may make it tiny. */
		if (!mtu)
			mtu = 576;
		e.info = MAX(mtu, 552);
		if (!net->inet->ip_no_pmtu_disc && e.info < ntohs(h->total_len) + 1u)
			route_pmtu_learn(net, &dst, e.info);
	}
	*inet_cb(p) = (struct inet_cb){ .src = ip_addr4(h->src),
					.dst = ip_addr4(h->dst),
					.header_len = (u16)header,
					.ttl = h->ttl,
					.protocol = h->protocol };
	packet_set_network(p);
	(void)!packet_pull(p, header);
	packet_set_transport(p);
	raw_error(p, h->protocol, &e);
	if (h->protocol == IPPROTO_ICMP) {
		ping_error(p, &e);
		return;
	}
	t = rcu_dereference(inet_protocols[h->protocol]);
	if (t && t->error)
		t->error(p, &e);
}

static int
icmp_receive(struct packet *p)
{
	const struct inet_net *in = p->dev->net->inet;
	struct icmp_header ic;

	if (inet_cb(p)->v6)
		return -ENOPROTOOPT;
	inet_count(IcmpInMsgs);
	if (!packet_csum_valid(p, 0)) {
		inet_count(IcmpInCsumErrors);
		goto error;
	}
	if (!packet_may_pull(p, sizeof(ic)))
		goto error;
	memcpy(&ic, p->data, sizeof(ic));
	switch (ic.type) {
	case ICMP_ECHO:
		inet_count(IcmpInEchos);
		if (in->icmp_echo_ignore_all ||
		    (p->pkt_type != PACKET_HOST && in->icmp_echo_ignore_broadcasts))
			break;
		echo_reply(p, ICMP_ECHOREPLY);
		return 0;
	case ICMP_ECHOREPLY:
		inet_count(IcmpInEchoReps);
		if (!ping_receive(p))
			return 0;
		break;
	case ICMP_DEST_UNREACH:
		inet_count(IcmpInDestUnreachs);
		error_deliver(p, &ic);
		break;
	case ICMP_TIME_EXCEEDED:
		inet_count(IcmpInTimeExcds);
		error_deliver(p, &ic);
		break;
	case ICMP_PARAMETERPROB:
		inet_count(IcmpInParmProbs);
		error_deliver(p, &ic);
		break;
	case ICMP_SOURCE_QUENCH: inet_count(IcmpInSrcQuenchs); break;
	case ICMP_REDIRECT: inet_count(IcmpInRedirects); break; /* not followed: RFC 6274 */
	}
	packet_free(p);
	return 0;
error:
	inet_count(IcmpInErrors);
	packet_free(p);
	return 0;
}

static const struct inet_protocol icmp_protocol = {
	.protocol = IPPROTO_ICMP,
	.receive = icmp_receive,
};

void
icmp_init(void)
{
	inet_protocol_register(&icmp_protocol);
}
