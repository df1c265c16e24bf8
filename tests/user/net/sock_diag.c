/* SPDX-License-Identifier: MIT */
/* NETLINK_SOCK_DIAG: listeners, connections, UDP and AF_UNIX sockets are found, and filters obeyed.
 */
#include "net.h"
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <linux/tcp.h>
#include <linux/unix_diag.h>
#include <sys/un.h>

#define STATE(n)    (1u << (n))
#define ESTABLISHED 1
#define LISTENING   10
#define BOUND_UDP   7

static union {
	struct nlmsghdr h;
	char bytes[32768];
} in;

/* One request, `extra` bytes of attributes behind it. Returns 0, or what the kernel's error says.
 */
static int
ask(int nl, int flags, const void *body, size_t len, const void *extra, size_t extra_len)
{
	char buf[512] = { 0 };
	struct nlmsghdr *h = (void *)buf;
	struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };

	h->nlmsg_len = (uint32_t)(NLMSG_HDRLEN + len + extra_len);
	h->nlmsg_type = SOCK_DIAG_BY_FAMILY;
	h->nlmsg_flags = (uint16_t)(NLM_F_REQUEST | flags);
	h->nlmsg_seq = 7;
	memcpy(NLMSG_DATA(h), body, len);
	if (extra)
		memcpy((char *)NLMSG_DATA(h) + len, extra, extra_len);
	return (int)sendto(nl, buf, h->nlmsg_len, 0, (void *)&kernel, sizeof(kernel));
}

/* The next message of an answer, or NULL at its end; *error is that of NLMSG_ERROR. */
static struct nlmsghdr *
next(int nl, struct nlmsghdr *last, int *left, int *error)
{
	struct nlmsghdr *h = last ? NLMSG_NEXT(last, *left) : NULL;

	*error = 0;
	if (!h || !NLMSG_OK(h, (unsigned)*left)) {
		*left = (int)must(recv(nl, &in, sizeof(in), 0));
		h = &in.h;
	}
	if (h->nlmsg_type == NLMSG_ERROR)
		*error = -((struct nlmsgerr *)NLMSG_DATA(h))->error;
	if (h->nlmsg_type == NLMSG_DONE)
		*error = -*(int *)NLMSG_DATA(h);
	return h->nlmsg_type == NLMSG_DONE || h->nlmsg_type == NLMSG_ERROR ? NULL : h;
}

static const void *
attribute(const struct nlmsghdr *h, size_t fixed, int type, int *len)
{
	const struct nlattr *a = (const void *)((const char *)NLMSG_DATA(h) + NLMSG_ALIGN(fixed));
	const char *end = (const char *)h + h->nlmsg_len;

	for (; (const char *)(a + 1) <= end && a->nla_len >= 4;
	     a = (const void *)((const char *)a + NLMSG_ALIGN(a->nla_len)))
		if (a->nla_type == type) {
			*len = a->nla_len - 4;
			return a + 1;
		}
	return NULL;
}

struct seen {
	int count, ours, error;
	uint32_t inode, uid, rqueue, wqueue;
	int has_info, info_state, has_cong;
};

/* Dumps and counts; "ours" have that local port. */
static struct seen
dump(int nl, int family, int protocol, uint32_t states, int port, const void *extra, size_t len)
{
	struct inet_diag_req_v2 q = { .sdiag_family = (uint8_t)family,
				      .sdiag_protocol = (uint8_t)protocol,
				      .idiag_ext = 1 << (INET_DIAG_INFO - 1) |
						   1 << (INET_DIAG_CONG - 1),
				      .idiag_states = states };
	struct seen s = { 0 };
	struct nlmsghdr *h = NULL;
	int left = 0, n;

	must(ask(nl, NLM_F_DUMP, &q, sizeof(q), extra, len));
	while ((h = next(nl, h, &left, &s.error))) {
		const struct inet_diag_msg *m = NLMSG_DATA(h);
		const struct tcp_info *info;

		s.count++;
		if (ntohs(m->id.idiag_sport) != port)
			continue;
		s.ours++;
		s.inode = m->idiag_inode;
		s.uid = m->idiag_uid;
		s.rqueue = m->idiag_rqueue;
		s.wqueue = m->idiag_wqueue;
		info = attribute(h, sizeof(*m), INET_DIAG_INFO, &n);
		s.has_info = info != NULL;
		s.info_state = info ? info->tcpi_state : 0;
		s.has_cong = attribute(h, sizeof(*m), INET_DIAG_CONG, &n) != NULL;
	}
	return s;
}

static uint32_t
inode_of(int fd)
{
	struct stat st;

	must(fstat(fd, &st));
	return (uint32_t)st.st_ino;
}

static void
tcp(int nl)
{
	int l = must(socket(AF_INET, SOCK_STREAM, 0)), port = bind4(l, "127.0.0.1");
	int c = must(socket(AF_INET, SOCK_STREAM, 0)), a;
	struct sockaddr_in to = in4("127.0.0.1", port), self;
	socklen_t len = sizeof(self);
	struct seen s;

	must(listen(l, 5));
	must(connect(c, (void *)&to, sizeof(to)));
	s = dump(nl, AF_INET, IPPROTO_TCP, STATE(LISTENING), port, NULL, 0);
	ok(s.ours == 1 && !s.error, "the listener is there once");
	is_int(s.inode, inode_of(l), "by its inode");
	ok(s.rqueue == 1 && s.wqueue == 5, "one connection of five waits");
	a = must(accept(l, NULL, NULL));
	must(write(c, "hello", 5));
	ok(readable(a), "data is there");
	s = dump(nl, AF_INET, IPPROTO_TCP, STATE(ESTABLISHED), port, NULL, 0);
	ok(s.ours == 1 && s.inode == inode_of(a), "the accepted end");
	is_int(s.rqueue, 5, "with its unread bytes");
	ok(s.has_info && s.info_state == ESTABLISHED && s.has_cong, "TCP_INFO and the algorithm");
	must(getsockname(c, (void *)&self, &len));
	s = dump(nl, AF_INET, IPPROTO_TCP, STATE(ESTABLISHED), ntohs(self.sin_port), NULL, 0);
	ok(s.ours == 1 && s.inode == inode_of(c), "the connecting end");
	s = dump(nl, AF_INET6, IPPROTO_TCP, ~0u, port, NULL, 0);
	is_int(s.ours, 0, "none in the other family");
	is_int(dump(nl, AF_INET, 200, ~0u, 0, NULL, 0).error, ENOENT, "another protocol");

	/* source port = port, as "ss sport = :N" asks */
	struct {
		struct nlattr a;
		struct inet_diag_bc_op op[2];
	} eq = { { 12, INET_DIAG_REQ_BYTECODE },
		 { { INET_DIAG_BC_S_EQ, 8, 12 }, { 0, 0, (uint16_t)port } } };
	s = dump(nl, AF_INET, IPPROTO_TCP, ~0u, port, &eq, sizeof(eq));
	ok(s.count == s.ours && s.ours == 2, "a filter for the port leaves its two sockets");
	struct {
		struct nlattr a;
		struct inet_diag_bc_op op;
		struct inet_diag_hostcond c;
		uint32_t addr;
	} host = { { 20, INET_DIAG_REQ_BYTECODE },
		   { INET_DIAG_BC_D_COND, 16, 20 },
		   { .family = AF_INET, .prefix_len = 32, .port = port },
		   htonl(INADDR_LOOPBACK) };
	s = dump(nl, AF_INET, IPPROTO_TCP, STATE(ESTABLISHED), ntohs(self.sin_port), &host,
		 sizeof(host));
	ok(s.count == 1 && s.ours == 1, "one for the peer's address and port");
	host.c.prefix_len = 33;
	is_int(dump(nl, AF_INET, IPPROTO_TCP, ~0u, 0, &host, sizeof(host)).error, EINVAL,
	       "a prefix that is too long");
	eq.op[0].yes = 4;
	is_int(dump(nl, AF_INET, IPPROTO_TCP, ~0u, 0, &eq, sizeof(eq)).error, EINVAL,
	       "code that jumps into an operand");
	eq.op[0].yes = 0;
	is_int(dump(nl, AF_INET, IPPROTO_TCP, ~0u, 0, &eq, sizeof(eq)).error, EINVAL,
	       "code that does not move on");

	/* one socket */
	struct inet_diag_req_v2 q = { .sdiag_family = AF_INET,
				      .sdiag_protocol = IPPROTO_TCP,
				      .idiag_states = ~0u,
				      .id = { .idiag_sport = self.sin_port,
					      .idiag_dport = htons((uint16_t)port),
					      .idiag_src = { htonl(INADDR_LOOPBACK) },
					      .idiag_dst = { htonl(INADDR_LOOPBACK) },
					      .idiag_cookie = { ~0u, ~0u } } };
	struct nlmsghdr *h;
	int left = 0, error;
	must(ask(nl, 0, &q, sizeof(q), NULL, 0));
	h = next(nl, NULL, &left, &error);
	ok(h && ((struct inet_diag_msg *)NLMSG_DATA(h))->idiag_inode == inode_of(c),
	   "one connection by its addresses");
	q.id.idiag_cookie[0] = 1;
	must(ask(nl, 0, &q, sizeof(q), NULL, 0));
	h = next(nl, NULL, &left, &error);
	ok(!h && error == ENOENT, "with another cookie there is none");
	close(a);
	close(c);
	close(l);
}

static void
udp(int nl)
{
	int u = must(socket(AF_INET, SOCK_DGRAM, 0)), port = bind4(u, "127.0.0.1");
	struct seen s = dump(nl, AF_INET, IPPROTO_UDP, STATE(BOUND_UDP), port, NULL, 0);

	ok(s.ours == 1 && s.inode == inode_of(u), "a UDP socket");
	s = dump(nl, AF_INET, IPPROTO_UDP, STATE(ESTABLISHED), port, NULL, 0);
	is_int(s.ours, 0, "which is not connected");
	close(u);
}

static void
local(int nl)
{
	struct sockaddr_un name = { .sun_family = AF_UNIX, .sun_path = "diag.sock" };
	int pair[2], l = must(socket(AF_UNIX, SOCK_STREAM, 0)), left = 0, error, n;
	struct unix_diag_req q = { .sdiag_family = AF_UNIX,
				   .udiag_states = ~0u,
				   .udiag_show = UDIAG_SHOW_NAME | UDIAG_SHOW_PEER |
						 UDIAG_SHOW_RQLEN | UDIAG_SHOW_VFS };
	int listener = 0, peers = 0, named = 0;
	struct nlmsghdr *h = NULL;
	struct stat st;

	must(bind(l, (void *)&name, sizeof(name)));
	must(listen(l, 3));
	must(stat("diag.sock", &st));
	must(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair));
	must(ask(nl, NLM_F_DUMP, &q, sizeof(q), NULL, 0));
	while ((h = next(nl, h, &left, &error))) {
		const struct unix_diag_msg *m = NLMSG_DATA(h);

		if (m->udiag_ino == inode_of(l)) {
			const char *text = attribute(h, sizeof(*m), UNIX_DIAG_NAME, &n);
			const struct unix_diag_vfs *vfs;
			const struct unix_diag_rqlen *rq;

			named = text && n >= 9 && !memcmp(text, "diag.sock", 9);
			vfs = attribute(h, sizeof(*m), UNIX_DIAG_VFS, &n);
			named += vfs && vfs->udiag_vfs_ino == (uint32_t)st.st_ino;
			rq = attribute(h, sizeof(*m), UNIX_DIAG_RQLEN, &n);
			listener = m->udiag_state == LISTENING && m->udiag_type == SOCK_STREAM &&
				   rq && rq->udiag_rqueue == 0 && rq->udiag_wqueue == 3;
		} else if (m->udiag_ino == inode_of(pair[0])) {
			const uint32_t *peer = attribute(h, sizeof(*m), UNIX_DIAG_PEER, &n);

			peers = m->udiag_state == ESTABLISHED && m->udiag_type == SOCK_SEQPACKET &&
				peer && *peer == inode_of(pair[1]);
		}
	}
	ok(listener, "an AF_UNIX listener and its backlog");
	is_int(named, 2, "its name, and the inode of that");
	ok(peers, "a connected one and its peer");
	q.udiag_ino = inode_of(l);
	must(ask(nl, 0, &q, sizeof(q), NULL, 0));
	ok(!next(nl, NULL, &left, &error) && error == ESTALE, "one by its inode, another cookie");
	q.udiag_cookie[0] = q.udiag_cookie[1] = ~0u;
	must(ask(nl, 0, &q, sizeof(q), NULL, 0));
	h = next(nl, NULL, &left, &error);
	ok(h && ((struct unix_diag_msg *)NLMSG_DATA(h))->udiag_ino == inode_of(l),
	   "one by its inode");
	close(pair[0]);
	close(pair[1]);
	close(l);
}

int
main(void)
{
	int nl = must(socket(AF_NETLINK, SOCK_DGRAM, NETLINK_SOCK_DIAG)), left = 0, error;
	struct unix_diag_req q = { .sdiag_family = 77 };

	lo_up();
	tcp(nl);
	udp(nl);
	local(nl);
	must(ask(nl, NLM_F_DUMP, &q, sizeof(q), NULL, 0));
	ok(!next(nl, NULL, &left, &error) && (error == ENOENT || error == EINVAL),
	   "a family without sockets");
	must(ask(nl, NLM_F_DUMP, &q, 1, NULL, 0));
	ok(!next(nl, NULL, &left, &error) && error == EINVAL, "a request that is too short");
	return done();
}
