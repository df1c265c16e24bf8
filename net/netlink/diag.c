/* SPDX-License-Identifier: MIT */
/*
 * NETLINK_SOCK_DIAG: which sockets there are, for ss(8); sock_diag(7).
 *
 * A request names a family (and a protocol), states, ports, and for Internet sockets perhaps a
 * filter in the byte code of inet_diag, each operation of which is checked before it runs: jumps
 * go forward, so it ends. What the protocols' walks show is turned into messages at once. Without
 * NLM_F_DUMP the request names one socket by its addresses.
 *
 * Linux behaviour: SOCK_DESTROY is answered as by a Linux built without it; families without a
 * module (AF_NETLINK, AF_PACKET, AF_VSOCK) with ENOENT, on which ss reads /proc/net instead.
 *
 * Limits: the search for one socket walks all.
 */
#include "net/inet/diag.h"
#include "lib/string.h"
#include "net/tcp/tcp.h"
#include "net/unix/diag.h"
#include "netlink_internal.h"
#include "task/cred.h"
#include "uapi/capability.h"
#include "uapi/sock_diag.h"
#include "uapi/tcp.h"

#define WANTS(ext, attr) ((ext)&1u << ((attr)-1))

struct inet_walk {
	struct nl_dump dump;
	const struct linux_inet_diag_req_v2 *q;
	const u8 *code; /* NULL: all */
	u32 code_len;
	/* one is wanted: */
	bool found;
	const struct nl_request *rq;
	int error;
};

static bool
cookie_matches(const u32 wanted[2], u64 cookie)
{
	return (wanted[0] & wanted[1]) == INET_DIAG_NOCOOKIE ||
	       (wanted[0] == (u32)cookie && wanted[1] == (u32)(cookie >> 32));
}

/* ---- filters ---- */

static u32
op_size(u8 code)
{
	const u32 op = sizeof(struct linux_inet_diag_bc_op);

	switch (code) {
	case INET_DIAG_BC_NOP:
	case INET_DIAG_BC_JMP:
	case INET_DIAG_BC_AUTO: return op;
	case INET_DIAG_BC_S_GE:
	case INET_DIAG_BC_S_LE:
	case INET_DIAG_BC_S_EQ:
	case INET_DIAG_BC_D_GE:
	case INET_DIAG_BC_D_LE:
	case INET_DIAG_BC_D_EQ: return 2 * op;
	case INET_DIAG_BC_S_COND:
	case INET_DIAG_BC_D_COND: return op + sizeof(struct linux_inet_diag_hostcond);
	case INET_DIAG_BC_DEV_COND: return op + sizeof(u32);
	case INET_DIAG_BC_MARK_COND: return op + sizeof(struct linux_inet_diag_markcond);
	}
	return 0;
}

static u32
address_words(u8 family)
{
	return family == AF_INET ? 1 : family == AF_INET6 ? 4 : 0;
}

/* The operation at the head of `left` bytes: it is whole, and leads to where code may be. "No" may
 * lead 4 bytes past the end, which is the answer no. */
static bool
op_valid(const struct linux_inet_diag_bc_op *op, u32 left)
{
	u32 size = left >= sizeof(*op) ? op_size(op->code) : 0;

	if (!size || size > left || (op->yes & 3) || op->yes < size || op->yes > left)
		return false;
	if (op->code == INET_DIAG_BC_S_COND || op->code == INET_DIAG_BC_D_COND) {
		const struct linux_inet_diag_hostcond *c = (const void *)(op + 1);
		u32 words = address_words(c->family);

		if ((c->family && !words) || c->prefix_len > 32 * words ||
		    op->yes < size + 4 * words)
			return false;
	}
	return op->code == INET_DIAG_BC_NOP || (!(op->no & 3) && op->no >= 4 && op->no <= left + 4);
}

/* Along "yes", which leads to the next operation. 0, -EINVAL, -EPERM. */
static int
code_check(const u8 *code, u32 len)
{
	u32 at = 0;

	while (at < len) {
		const struct linux_inet_diag_bc_op *op = (const void *)(code + at);

		if (!op_valid(op, len - at))
			return -EINVAL;
		if (op->code == INET_DIAG_BC_MARK_COND && !capable(CAP_NET_ADMIN))
			return -EPERM;
		at += op->yes;
	}
	return 0;
}

static bool
prefix_equal(const struct ip_addr *a, const struct ip_addr *b, u32 bits)
{
	u32 bytes = bits / 8, rest = bits % 8;

	return !memcmp(a->b, b->b, bytes) &&
	       (!rest || !((a->b[bytes] ^ b->b[bytes]) >> (8 - rest)));
}

static bool
host_matches(const struct linux_inet_diag_hostcond *c, const struct inet_diag *d,
	     const struct ip_addr *addr, u16 port)
{
	struct ip_addr want;

	if (c->port != -1 && c->port != port)
		return false;
	if (c->family == AF_INET) {
		want = c->prefix_len ? ip_addr4(c->addr[0]) : ip_addr4(0);
		return prefix_equal(addr, &want, 96 + c->prefix_len);
	}
	if (c->family == AF_INET6 && d->family != AF_INET6)
		return false;
	if (!c->prefix_len)
		return true;
	memcpy(want.w, c->addr, sizeof(want.w));
	return prefix_equal(addr, &want, c->prefix_len);
}

static bool
op_matches(const struct linux_inet_diag_bc_op *op, const struct inet_diag *d)
{
	u16 port = op[1].no; /* of the comparisons */

	switch (op->code) {
	case INET_DIAG_BC_JMP: return false;
	case INET_DIAG_BC_S_GE: return d->local_port >= port;
	case INET_DIAG_BC_S_LE: return d->local_port <= port;
	case INET_DIAG_BC_S_EQ: return d->local_port == port;
	case INET_DIAG_BC_D_GE: return d->remote_port >= port;
	case INET_DIAG_BC_D_LE: return d->remote_port <= port;
	case INET_DIAG_BC_D_EQ: return d->remote_port == port;
	case INET_DIAG_BC_AUTO: return !d->sk || !d->sk->port_locked;
	case INET_DIAG_BC_S_COND:
		return host_matches((const void *)(op + 1), d, &d->local, d->local_port);
	case INET_DIAG_BC_D_COND:
		return host_matches((const void *)(op + 1), d, &d->remote, d->remote_port);
	case INET_DIAG_BC_DEV_COND: return d->ifindex == *(const u32 *)(op + 1);
	case INET_DIAG_BC_MARK_COND: {
		const struct linux_inet_diag_markcond *c = (const void *)(op + 1);

		return d->sk && (d->sk->mark & c->mask) == c->mark;
	}
	}
	return true;
}

static bool
code_matches(const u8 *code, u32 len, const struct inet_diag *d)
{
	u32 at = 0;

	while (at < len) {
		const struct linux_inet_diag_bc_op *op = (const void *)(code + at);

		if (!op_valid(op, len - at))
			return false; /* "no" led into the middle of another */
		at += op_matches(op, d) ? op->yes : op->no;
	}
	return at == len;
}

/* ---- Internet sockets ---- */

static void
address_put(u32 out[4], const struct inet_diag *d, const struct ip_addr *a)
{
	if (d->family == AF_INET)
		out[0] = ip_addr_get4(a);
	else if (!ip_addr_is_any(a))
		memcpy(out, a->w, sizeof(a->w));
}

struct inet_answer {
	const struct inet_diag *d;
	u8 ext;
};

static void
inet_fill(struct nl_writer *w, const struct nl_request *rq, u16 flags, const void *arg)
{
	const struct inet_answer *a = arg;
	const struct inet_diag *d = a->d;
	const struct inet_sock *sk = d->sk;
	struct linux_inet_diag_msg *m;
	void *body;
	u32 start = nl_begin(w, SOCK_DIAG_BY_FAMILY, flags, rq->h->nlmsg_seq, rq->port, sizeof(*m),
			     &body);

	m = body;
	m->idiag_family = (u8)d->family;
	m->idiag_state = d->state;
	m->idiag_timer = d->timer;
	m->idiag_retrans = (u8)(d->timer == 4 ? d->probes : d->retransmits);
	m->id.idiag_sport = htons(d->local_port);
	m->id.idiag_dport = htons(d->remote_port);
	address_put(m->id.idiag_src, d, &d->local);
	address_put(m->id.idiag_dst, d, &d->remote);
	m->id.idiag_if = d->ifindex;
	m->id.idiag_cookie[0] = (u32)d->cookie;
	m->id.idiag_cookie[1] = (u32)(d->cookie >> 32);
	m->idiag_expires = (u32)(d->timer_ns / NSEC_PER_MSEC);
	m->idiag_rqueue = d->rqueue;
	m->idiag_wqueue = d->state == TCP_LISTEN ? d->backlog : d->wqueue;
	m->idiag_uid = d->uid;
	m->idiag_inode = (u32)d->inum;
	if (!sk)
		goto end;
	nl_put_u8(w, INET_DIAG_SHUTDOWN, sk->shutdown);
	if (WANTS(a->ext, INET_DIAG_TOS))
		nl_put_u8(w, INET_DIAG_TOS, sk->tos);
	if (d->family == AF_INET6) {
		if (WANTS(a->ext, INET_DIAG_TCLASS))
			nl_put_u8(w, INET_DIAG_TCLASS, sk->tclass);
		if (d->state == TCP_LISTEN || d->state == TCP_CLOSE)
			nl_put_u8(w, INET_DIAG_SKV6ONLY, sk->v6only);
	}
	if (capable(CAP_NET_ADMIN))
		nl_put_u32(w, INET_DIAG_MARK, sk->mark);
	u32 rmem = (u32)atomic_read(&sk->rmem), wmem = (u32)atomic_read(&sk->wmem);
	if (WANTS(a->ext, INET_DIAG_MEMINFO)) {
		struct linux_inet_diag_meminfo mem = { .idiag_rmem = rmem, .idiag_tmem = wmem };

		nl_put(w, INET_DIAG_MEMINFO, &mem, sizeof(mem));
	}
	if (WANTS(a->ext, INET_DIAG_SKMEMINFO)) {
		const struct socket *s = rcu_dereference(sk->socket);
		u32 mem[SK_MEMINFO_VARS] = {
			[SK_MEMINFO_RMEM_ALLOC] = rmem,
			[SK_MEMINFO_RCVBUF] = s ? s->rcvbuf : 0,
			[SK_MEMINFO_WMEM_ALLOC] = wmem,
			[SK_MEMINFO_SNDBUF] = s ? s->sndbuf : 0,
			[SK_MEMINFO_BACKLOG] = sk->backlog_bytes,
			[SK_MEMINFO_DROPS] = (u32)atomic_read(&sk->drops),
		};

		nl_put(w, INET_DIAG_SKMEMINFO, mem, sizeof(mem));
	}
	if (d->protocol != IPPROTO_TCP)
		goto end;
	if (WANTS(a->ext, INET_DIAG_INFO)) {
		struct linux_tcp_info info;

		tcp_diag_info(sk, &info);
		nl_put(w, INET_DIAG_INFO, &info, sizeof(info));
	}
	if (WANTS(a->ext, INET_DIAG_CONG))
		nl_put_text(w, INET_DIAG_CONG, tcp_diag_congestion(sk));
end:
	nl_end(w, start);
}

static bool
wanted(const struct inet_walk *w, const struct inet_diag *d)
{
	const struct linux_inet_diag_req_v2 *q = w->q;

	return (q->sdiag_family == AF_UNSPEC || q->sdiag_family == d->family) &&
	       (q->idiag_states >> d->state & 1) &&
	       (!q->id.idiag_sport || q->id.idiag_sport == htons(d->local_port)) &&
	       (!q->id.idiag_dport || q->id.idiag_dport == htons(d->remote_port)) &&
	       (!w->code || code_matches(w->code, w->code_len, d));
}

static bool
inet_dump_one(const struct inet_diag *d, void *ctx)
{
	struct inet_walk *w = ctx;
	struct inet_answer a = { .d = d, .ext = w->q->idiag_ext };

	return wanted(w, d) && !nl_dump_message(&w->dump, inet_fill, &a);
}

static bool
inet_get_one(const struct inet_diag *d, void *ctx)
{
	struct inet_walk *w = ctx;
	const struct linux_inet_diag_sockid *id = &w->q->id;
	struct inet_answer a = { .d = d, .ext = w->q->idiag_ext };
	u32 src[4] = { 0 }, dst[4] = { 0 }, words = d->family == AF_INET ? 1 : 4;

	address_put(src, d, &d->local);
	address_put(dst, d, &d->remote);
	if (d->family != w->q->sdiag_family || id->idiag_sport != htons(d->local_port) ||
	    id->idiag_dport != htons(d->remote_port) || memcmp(src, id->idiag_src, 4 * words) ||
	    memcmp(dst, id->idiag_dst, 4 * words))
		return false;
	if (cookie_matches(id->idiag_cookie, d->cookie)) {
		w->found = true;
		w->error = nl_reply(w->rq, inet_fill, &a);
	}
	return true;
}

static int
inet_request(const struct nl_request *rq, bool dump)
{
	struct nl_attr attrs[INET_DIAG_REQ_PROTOCOL + 1];
	struct linux_inet_diag_req_v2 q;
	struct inet_walk w = { .q = &q, .rq = rq };
	inet_diag_visit *visit = dump ? inet_dump_one : inet_get_one;
	u32 protocol;
	int r;

	if (rq->len < sizeof(q))
		return -EINVAL;
	nl_request_body(rq, &q, sizeof(q));
	r = nl_request_attrs(rq, sizeof(q), attrs, INET_DIAG_REQ_PROTOCOL);
	if (r)
		return r;
	protocol = q.sdiag_protocol;
	r = nl_get_u32(attrs, INET_DIAG_REQ_PROTOCOL, &protocol);
	bool known = protocol == IPPROTO_TCP || protocol == IPPROTO_UDP || protocol == IPPROTO_RAW;
	if (!r && !known && !dump)
		r = -ENOENT;
	if (!r && dump && nl_has(attrs, INET_DIAG_REQ_BYTECODE)) {
		w.code = attrs[INET_DIAG_REQ_BYTECODE].data;
		w.code_len = attrs[INET_DIAG_REQ_BYTECODE].len;
		r = code_check(w.code, w.code_len);
	}
	if (!r && dump)
		r = nl_dump_begin(&w.dump, rq);
	if (r)
		return r;
	if (protocol == IPPROTO_TCP) {
		u32 listening = 1u << TCP_LISTEN;

		tcp_diag_for_each(!dump || (q.idiag_states & listening),
				  !dump || (q.idiag_states & ~listening), visit, &w);
	} else if (protocol == IPPROTO_UDP) {
		udp_diag_for_each(visit, &w);
	} else if (protocol == IPPROTO_RAW) {
		raw_diag_for_each(visit, &w);
	} else {
		w.dump.result = -ENOENT;
	}
	if (dump)
		return nl_dump_end(&w.dump);
	return w.found ? w.error : -ENOENT;
}

/* ---- AF_UNIX ---- */

struct unix_walk {
	struct nl_dump dump;
	const struct linux_unix_diag_req *q;
	const struct nl_request *rq; /* one is wanted */
	bool found;
	int error;
};

struct unix_answer {
	const struct unix_diag *d;
	u32 show;
};

static void
unix_fill(struct nl_writer *w, const struct nl_request *rq, u16 flags, const void *arg)
{
	const struct unix_answer *a = arg;
	const struct unix_diag *d = a->d;
	struct linux_unix_diag_msg *m;
	void *body;
	u32 start = nl_begin(w, SOCK_DIAG_BY_FAMILY, flags, rq->h->nlmsg_seq, rq->port, sizeof(*m),
			     &body);

	m = body;
	m->udiag_family = AF_UNIX;
	m->udiag_type = (u8)d->type;
	m->udiag_state = d->state;
	m->udiag_ino = (u32)d->inum;
	m->udiag_cookie[0] = (u32)d->cookie;
	m->udiag_cookie[1] = (u32)(d->cookie >> 32);
	if ((a->show & UDIAG_SHOW_NAME) && d->name_len)
		nl_put(w, UNIX_DIAG_NAME, d->name, d->name_len);
	if ((a->show & UDIAG_SHOW_VFS) && d->named) {
		struct linux_unix_diag_vfs vfs = { (u32)d->node, (u32)d->dev };

		nl_put(w, UNIX_DIAG_VFS, &vfs, sizeof(vfs));
	}
	if ((a->show & UDIAG_SHOW_PEER) && d->peer)
		nl_put_u32(w, UNIX_DIAG_PEER, (u32)d->peer);
	if (a->show & UDIAG_SHOW_RQLEN) {
		struct linux_unix_diag_rqlen queues = { d->rqueue, d->wqueue };

		nl_put(w, UNIX_DIAG_RQLEN, &queues, sizeof(queues));
	}
	if (a->show & UDIAG_SHOW_MEMINFO) {
		u32 mem[SK_MEMINFO_VARS] = {
			[SK_MEMINFO_RCVBUF] = d->rcvbuf,
			[SK_MEMINFO_SNDBUF] = d->sndbuf,
		};

		nl_put(w, UNIX_DIAG_MEMINFO, mem, sizeof(mem));
	}
	nl_put_u8(w, UNIX_DIAG_SHUTDOWN, d->shutdown);
	if (a->show & UDIAG_SHOW_UID)
		nl_put_u32(w, UNIX_DIAG_UID, d->uid);
	nl_end(w, start);
}

static bool
unix_dump_one(const struct unix_diag *d, void *ctx)
{
	struct unix_walk *w = ctx;
	struct unix_answer a = { .d = d, .show = w->q->udiag_show };

	return (w->q->udiag_states >> d->state & 1) && !nl_dump_message(&w->dump, unix_fill, &a);
}

static bool
unix_get_one(const struct unix_diag *d, void *ctx)
{
	struct unix_walk *w = ctx;
	struct unix_answer a = { .d = d, .show = w->q->udiag_show };

	if (d->inum != w->q->udiag_ino)
		return false;
	w->found = true;
	w->error = cookie_matches(w->q->udiag_cookie, d->cookie) ? nl_reply(w->rq, unix_fill, &a)
								 : -ESTALE;
	return true;
}

static int
unix_request(const struct nl_request *rq, bool dump)
{
	struct linux_unix_diag_req q;
	struct unix_walk w = { .q = &q, .rq = rq };

	if (rq->len < sizeof(q))
		return -EINVAL;
	nl_request_body(rq, &q, sizeof(q));
	if (dump) {
		int r = nl_dump_begin(&w.dump, rq);

		if (r)
			return r;
		unix_diag_for_each(unix_dump_one, &w);
		return nl_dump_end(&w.dump);
	}
	if (!q.udiag_ino)
		return -EINVAL;
	unix_diag_for_each(unix_get_one, &w);
	return w.found ? w.error : -ENOENT;
}

int
diag_request(const struct nl_request *rq)
{
	bool dump = (rq->h->nlmsg_flags & NLM_F_DUMP) == NLM_F_DUMP;
	struct linux_sock_diag_req q;
	int r;

	if (rq->h->nlmsg_type != SOCK_DIAG_BY_FAMILY)
		return rq->h->nlmsg_type == SOCK_DESTROY ? -EOPNOTSUPP : -EINVAL;
	if (rq->len < sizeof(q))
		return -EINVAL;
	memcpy(&q, rq->body, sizeof(q));
	switch (q.sdiag_family) {
	case AF_INET:
	case AF_INET6: r = inet_request(rq, dump); break;
	case AF_UNIX: r = unix_request(rq, dump); break;
	default: return -ENOENT;
	}
	return dump && !r ? -EINTR : r;
}
