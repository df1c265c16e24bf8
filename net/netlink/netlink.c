/* SPDX-License-Identifier: MIT */
/*
 * Netlink sockets: netlink(7).
 *
 * A socket has an address, its port number, unique for its protocol, and the groups it belongs to.
 * A datagram to port 0 is a list of requests to the kernel, carried out before sendmsg returns;
 * answers are queued to the sender. One to another port goes to that socket; one to a group to all
 * its members.
 *
 * Locking: table_lock guards the list of sockets, which is read under RCU; sock->lock the queue.
 * Messages are copied for each receiver: events are rare and small.
 *
 * Limits: a receiver whose queue holds more than SO_RCVBUF loses datagrams and reads ENOBUFS once.
 * Dumps are made at once, not as they are read; one at a time for each socket, until it has been
 * read to its end (EBUSY), so that no program can pile them up.
 */
#include "net/netlink/netlink.h"
#include "core/log.h"
#include "core/random.h"
#include "fs/proc/proc.h"
#include "fs/vfs/file.h"
#include "fs/vfs/poll.h"
#include "fs/vfs/pseudo.h"
#include "fs/vfs/uevent.h"
#include "ipc/mqueue.h"
#include "lib/format.h"
#include "lib/string.h"
#include "mm/slab.h"
#include "mm/user.h"
#include "net/socket/socket.h"
#include "netlink_internal.h"
#include "task/cred.h"
#include "task/task.h"
#include "uapi/capability.h"
#include "uapi/fcntl.h"

#define PROTOCOLS   32
#define GROUPS	    64
#define SEND_MAX    (1u << 20)
#define KERNEL_PORT 0u

struct nl_message {
	struct list node;
	struct linux_ucred cred;
	u32 port, group; /* where it comes from */
	bool dump_end;
	u32 len;
	u8 data[];
};

struct netlink_sock {
	struct list node; /* table_lock, RCU */
	struct ref ref;
	struct rcu_head rcu;
	struct net_ns *net;
	struct wait_queue wait;
	u32 protocol;  /* [I] */
	u32 port;      /* table_lock; 0: not bound */
	u64 groups;    /* table_lock */
	u32 peer_port; /* connect(2) */
	u64 peer_groups;
	bool pktinfo, ext_ack, cap_ack, no_enobufs, broadcast_error, strict;
	struct spinlock lock;  /* all below */
	struct socket *socket; /* NULL: closed */
	struct list queue;
	u32 queued; /* bytes */
	bool overrun, dump_pending, dump_next_is_end;
};

static struct list socks = LIST_INIT(socks);
static struct spinlock table_lock = SPINLOCK_INIT(RANK_NETLINK);
static const struct socket_ops netlink_ops;

static struct netlink_sock *
of(const struct socket *s)
{
	return s->private;
}

static void
sock_free(struct rcu_head *head)
{
	kfree(container_of(head, struct netlink_sock, rcu));
}

static void
sock_put(struct netlink_sock *nl)
{
	struct nl_message *m, *next;

	if (!ref_put(&nl->ref))
		return;
	list_for_each_entry_safe(m, next, &nl->queue, node) kfree(m);
	rcu_call(&nl->rcu, sock_free);
}

/* What the kernel does with a request; NULL: nobody listens there. -EINTR: a dump, which has its
 * own end. */
static nl_handler *
handler_of(u32 protocol)
{
	switch (protocol) {
	case NETLINK_ROUTE: return rtnetlink_request;
	case NETLINK_SOCK_DIAG: return diag_request;
	case NETLINK_GENERIC: return generic_request;
	}
	return NULL;
}

static bool
protocol_known(u32 protocol)
{
	return handler_of(protocol) || protocol == NETLINK_USERSOCK ||
	       protocol == NETLINK_KOBJECT_UEVENT;
}

static int
netlink_create(struct socket *s, int type, int protocol)
{
	if (type != SOCK_RAW && type != SOCK_DGRAM)
		return -ESOCKTNOSUPPORT;
	if (protocol < 0 || protocol >= PROTOCOLS || !protocol_known((u32)protocol))
		return -EPROTONOSUPPORT;
	struct netlink_sock *nl = kzalloc(sizeof(*nl), GFP_KERNEL);
	if (!nl)
		return -ENOMEM;
	ref_init(&nl->ref);
	nl->net = net_current();
	nl->socket = s;
	nl->protocol = (u32)protocol;
	wait_queue_init(&nl->wait);
	spin_init(&nl->lock, RANK_PACKET_QUEUE);
	list_init(&nl->queue);
	s->ops = &netlink_ops;
	s->private = nl;
	spin_lock(&table_lock);
	list_add_tail_rcu(&nl->node, &socks);
	spin_unlock(&table_lock);
	return 0;
}

static void
netlink_release(struct socket *s)
{
	struct netlink_sock *nl = of(s);

	spin_lock(&table_lock);
	list_del_rcu(&nl->node);
	spin_unlock(&table_lock);
	spin_lock(&nl->lock);
	nl->socket = NULL;
	spin_unlock(&nl->lock);
	sock_put(nl);
}

/* ---- addresses ---- */

static struct netlink_sock *
peek_port(u32 protocol, u32 port)
{
	struct netlink_sock *nl;

	list_for_each_entry_rcu(nl, &socks, node)
	{
		if (nl->protocol == protocol && READ_ONCE(nl->port) == port)
			return nl;
	}
	return NULL;
}

/* 0 or -EADDRINUSE; port 0: the process's number, or else a random one. */
static int
take_port(struct netlink_sock *nl, u32 port)
{
	int r = 0;

	spin_lock(&table_lock);
	if (nl->port) {
		r = port && port != nl->port ? -EINVAL : 0;
	} else if (port) {
		r = peek_port(nl->protocol, port) ? -EADDRINUSE : 0;
	} else {
		port = (u32)current_pid();
		while (!port || peek_port(nl->protocol, port))
			port = 0x80000000u | (u32)random_u64();
	}
	if (!r && !nl->port)
		WRITE_ONCE(nl->port, port);
	spin_unlock(&table_lock);
	return r;
}

static int
address_read(const u8 *addr, u32 len, struct linux_sockaddr_nl *a)
{
	if (len < sizeof(*a))
		return -EINVAL;
	memcpy(a, addr, sizeof(*a));
	return a->nl_family == AF_NETLINK ? 0 : -EINVAL;
}

/* Who may listen: everybody to the kernel's own, root to what programs say. */
static bool
may_listen(const struct netlink_sock *nl)
{
	return nl->protocol != NETLINK_USERSOCK || capable(CAP_NET_ADMIN);
}

static int
netlink_bind(struct socket *s, const u8 *addr, u32 len)
{
	struct netlink_sock *nl = of(s);
	struct linux_sockaddr_nl a;
	int r = address_read(addr, len, &a);

	if (!r && a.nl_groups && !may_listen(nl))
		r = -EPERM;
	if (!r)
		r = take_port(nl, a.nl_pid);
	if (!r) {
		spin_lock(&table_lock);
		WRITE_ONCE(nl->groups, (nl->groups & ~0xffffffffull) | a.nl_groups);
		spin_unlock(&table_lock);
	}
	return r;
}

static int
netlink_connect(struct socket *s, const u8 *addr, u32 len, u32 file_flags)
{
	struct netlink_sock *nl = of(s);
	struct linux_sockaddr_nl a;
	u16 family;

	if (len < sizeof(family))
		return -EINVAL;
	memcpy(&family, addr, sizeof(family));
	if (family == AF_UNSPEC) {
		nl->peer_port = 0;
		nl->peer_groups = 0;
		return 0;
	}
	int r = address_read(addr, len, &a);
	if (!r && (a.nl_groups || a.nl_pid) && nl->protocol != NETLINK_USERSOCK &&
	    !capable(CAP_NET_ADMIN))
		r = -EPERM;
	if (!r && !nl->port)
		r = take_port(nl, 0);
	if (!r) {
		nl->peer_port = a.nl_pid;
		nl->peer_groups = a.nl_groups;
	}
	return r;
}

static int
netlink_getname(struct socket *s, u8 *addr, u32 *len, bool peer)
{
	struct netlink_sock *nl = of(s);
	struct linux_sockaddr_nl a = { .nl_family = AF_NETLINK,
				       .nl_pid = peer ? nl->peer_port : nl->port,
				       .nl_groups = (u32)(peer ? nl->peer_groups : nl->groups) };

	memcpy(addr, &a, sizeof(a));
	*len = sizeof(a);
	return 0;
}

/* ---- queues ---- */

static int
enqueue(struct netlink_sock *to, const void *data, u32 len, u32 port, u32 group,
	const struct linux_ucred *cred, u32 gfp)
{
	struct nl_message *m = kmalloc(sizeof(*m) + len, gfp);
	bool room, queued = false;

	spin_lock(&to->lock);
	room = to->socket && to->queued + len <= READ_ONCE(to->socket->rcvbuf);
	if (m && room) {
		*m = (struct nl_message){ .port = port,
					  .group = group,
					  .cred = *cred,
					  .len = len,
					  .dump_end = port == KERNEL_PORT && to->dump_next_is_end };
		memcpy(m->data, data, len);
		to->queued += len;
		list_add_tail(&m->node, &to->queue);
		queued = true;
	} else {
		to->overrun |= !to->no_enobufs;
	}
	if (port == KERNEL_PORT && to->dump_next_is_end) {
		to->dump_next_is_end = false;
		to->dump_pending = queued;
	}
	spin_unlock(&to->lock);
	wake_up_poll(&to->wait, queued ? EPOLLIN | EPOLLRDNORM : EPOLLERR);
	if (queued)
		return 0;
	kfree(m);
	return room ? -ENOMEM : -ENOBUFS;
}

static const struct linux_ucred kernel_cred;

int
netlink_deliver(struct netlink_sock *to, const void *data, u32 len)
{
	return enqueue(to, data, len, KERNEL_PORT, 0, &kernel_cred, GFP_ATOMIC);
}

/* For mq_notify(2). */
static ssize_t
send_to_file(struct file *f, const void *data, u32 len)
{
	struct socket *s = socket_of(f);

	if (!s)
		return -ENOTSOCK;
	if (s->family != AF_NETLINK)
		return -EINVAL;
	return len ? netlink_deliver(s->private, data, len) : 0;
}

int
netlink_dump_start(struct netlink_sock *from)
{
	spin_lock(&from->lock);
	int r = from->dump_pending ? -EBUSY : 0;
	spin_unlock(&from->lock);
	return r;
}

/* The next datagram of the kernel's is the dump's last. */
void
netlink_dump_queued(struct netlink_sock *from)
{
	spin_lock(&from->lock);
	from->dump_next_is_end = true;
	spin_unlock(&from->lock);
}

static bool
in_group(const struct netlink_sock *nl, u32 protocol, u32 group)
{
	return nl->protocol == protocol && (READ_ONCE(nl->groups) >> (group - 1) & 1);
}

bool
netlink_has_listeners(struct net_ns *net, u32 protocol, u32 group)
{
	struct netlink_sock *nl;
	bool any = false;

	rcu_read_lock();
	list_for_each_entry_rcu(nl, &socks, node)
		any |= nl->net == net && in_group(nl, protocol, group);
	rcu_read_unlock();
	return any;
}

static int
multicast(struct net_ns *net, u32 protocol, u32 group, const void *data, u32 len,
	  struct netlink_sock *from, const struct linux_ucred *cred)
{
	struct netlink_sock *nl;
	int r = -ESRCH;

	rcu_read_lock();
	list_for_each_entry_rcu(nl, &socks, node)
	{
		if (nl->net != net || (from && nl == from) || !in_group(nl, protocol, group) ||
		    !ref_try_get(&nl->ref))
			continue;
		(void)enqueue(nl, data, len, from ? from->port : KERNEL_PORT, group, cred,
			      GFP_ATOMIC);
		sock_put(nl);
		r = 0;
	}
	rcu_read_unlock();
	return r;
}

void
netlink_multicast(struct net_ns *net, u32 protocol, u32 group, const void *data, u32 len)
{
	(void)multicast(net, protocol, group, data, len, NULL, &kernel_cred);
}

/* ---- sending ---- */

/* NLMSG_ERROR: the result of a request, with the request itself if it failed. */
static void
acknowledge(struct netlink_sock *nl, const struct linux_nlmsghdr *h, int error)
{
	u32 payload = error && !nl->cap_ack ? h->nlmsg_len - NLMSG_HDRLEN : 0;
	u32 room = NLMSG_HDRLEN + sizeof(struct linux_nlmsgerr) + NLMSG_ALIGN(payload);
	u16 flags = error && !payload && h->nlmsg_len > NLMSG_HDRLEN ? NLM_F_CAPPED : 0;
	struct nl_writer w;
	void *body, *buf = kmalloc(room, GFP_KERNEL);

	if (!buf) {
		spin_lock(&nl->lock);
		nl->overrun = true;
		spin_unlock(&nl->lock);
		return;
	}
	if (!error)
		flags = NLM_F_CAPPED;
	nl_writer_init(&w, buf, room);
	u32 start = nl_begin(&w, NLMSG_ERROR, flags, h->nlmsg_seq, nl->port,
			     sizeof(struct linux_nlmsgerr) + payload, &body);
	struct linux_nlmsgerr *e = body;
	e->error = error;
	memcpy(&e->msg, h, sizeof(e->msg) + payload);
	nl_end(&w, start);
	(void)netlink_deliver(nl, buf, w.len);
	kfree(buf);
}

/* A datagram to the kernel: one or more requests. */
static void
requests(struct netlink_sock *nl, nl_handler *handle, const u8 *data, u32 len)
{
	while (len >= NLMSG_HDRLEN) {
		const struct linux_nlmsghdr *h = (const void *)data;
		int r = 0;

		if (h->nlmsg_len < NLMSG_HDRLEN || h->nlmsg_len > len)
			return;
		if (!(h->nlmsg_flags & NLM_F_REQUEST))
			goto next;
		if (h->nlmsg_type >= NLMSG_MIN_TYPE) {
			struct nl_request rq = { .net = nl->net,
						 .from = nl,
						 .h = h,
						 .body = data + NLMSG_HDRLEN,
						 .len = h->nlmsg_len - NLMSG_HDRLEN,
						 .port = nl->port,
						 .strict = nl->strict };

			r = handle(&rq);
			if (r == -EINTR)
				goto next;
		}
		if (r || (h->nlmsg_flags & NLM_F_ACK))
			acknowledge(nl, h, r);
next:;
		u32 step = MIN(NLMSG_ALIGN(h->nlmsg_len), len);
		data += step;
		len -= step;
	}
}

static ssize_t
netlink_sendmsg(struct socket *s, struct socket_msg *m)
{
	struct netlink_sock *nl = of(s), *to;
	struct linux_sockaddr_nl a = { .nl_pid = nl->peer_port, .nl_groups = (u32)nl->peer_groups };
	size_t len = iter_count(m->iter);
	int r = 0;

	if (m->flags & MSG_OOB)
		return -EOPNOTSUPP;
	if (m->addr && m->addr_len) {
		r = address_read(m->addr, m->addr_len, &a);
		if (!r && (a.nl_groups || a.nl_pid) && nl->protocol != NETLINK_USERSOCK &&
		    !capable(CAP_NET_ADMIN))
			r = -EPERM;
	}
	if (!r && !nl->port)
		r = take_port(nl, 0);
	if (r)
		return r;
	if (!len)
		return -ENODATA;
	if (len > s->sndbuf - 32 || len > SEND_MAX)
		return -EMSGSIZE;
	u8 *data = kvmalloc(len, GFP_KERNEL);
	if (!data)
		return -ENOBUFS;
	if (iter_copy_from(m->iter, data, len) != len) {
		kvfree(data);
		return -EFAULT;
	}
	const struct cred *me = current_cred();
	struct linux_ucred cred = { .pid = current_pid(), .uid = me->uid, .gid = me->gid };
	if (a.nl_groups) {
		u32 group = (u32)__builtin_ctz(a.nl_groups) + 1;

		r = multicast(nl->net, nl->protocol, group, data, (u32)len, nl, &cred);
		if (r == -ESRCH)
			r = a.nl_pid ? 0 : nl->broadcast_error ? -ESRCH : 0;
	}
	if (!r && a.nl_pid) {
		rcu_read_lock();
		to = peek_port(nl->protocol, a.nl_pid);
		if (to && !ref_try_get(&to->ref))
			to = NULL;
		rcu_read_unlock();
		r = -ECONNREFUSED;
		if (to) {
			r = enqueue(to, data, (u32)len, nl->port, 0, &cred, GFP_KERNEL);
			if (r == -ENOBUFS)
				r = -EAGAIN;
			sock_put(to);
		}
	} else if (!r && !a.nl_groups) {
		nl_handler *handle = handler_of(nl->protocol);

		if (handle)
			requests(nl, handle, data, (u32)len);
		else
			r = -ECONNREFUSED;
	}
	kvfree(data);
	return r ? r : (ssize_t)len;
}

/* ---- receiving ---- */

static bool
readable(struct netlink_sock *nl)
{
	return !list_empty(&nl->queue) || READ_ONCE(nl->overrun);
}

/* The first message: taken off, or with `peek` a copy of it. 0, -EAGAIN, -ENOBUFS, -ENOMEM. */
static int
take(struct netlink_sock *nl, bool peek, struct nl_message **out)
{
	struct nl_message *m, *copy = NULL;
	u32 room = 0;

	for (;;) {
		spin_lock(&nl->lock);
		if (nl->overrun) {
			nl->overrun = false;
			spin_unlock(&nl->lock);
			kfree(copy);
			return -ENOBUFS;
		}
		m = list_first_entry_or_null(&nl->queue, struct nl_message, node);
		if (!m || !peek || m->len <= room)
			break;
		room = m->len;
		spin_unlock(&nl->lock);
		kfree(copy);
		copy = kmalloc(sizeof(*copy) + room, GFP_KERNEL);
		if (!copy)
			return -ENOMEM;
	}
	if (m && peek) {
		memcpy(copy, m, sizeof(*m) + m->len);
	} else if (m) {
		list_del(&m->node);
		nl->queued -= m->len;
		if (m->dump_end)
			nl->dump_pending = false;
	}
	spin_unlock(&nl->lock);
	if (m && peek)
		m = copy;
	else
		kfree(copy);
	*out = m;
	return m ? 0 : -EAGAIN;
}

static ssize_t
netlink_recvmsg(struct socket *s, struct socket_msg *msg)
{
	struct netlink_sock *nl = of(s);
	u64 deadline = socket_deadline(s, false, msg->flags & MSG_DONTWAIT);
	struct nl_message *m = NULL;
	ssize_t r;

	if (msg->flags & MSG_OOB)
		return -EOPNOTSUPP;
	while ((r = take(nl, msg->flags & MSG_PEEK, &m)) == -EAGAIN && deadline) {
		r = wait_event_interruptible_timeout(&nl->wait, readable(nl), deadline);
		if (r == -ETIMEDOUT)
			return -EAGAIN;
		if (r)
			return deadline != TIME_NEVER ? -EINTR : r;
	}
	if (r)
		return r;
	u32 n = (u32)MIN((size_t)m->len, iter_count(msg->iter));
	r = msg->flags & MSG_TRUNC ? (ssize_t)m->len : (ssize_t)n;
	if (n < m->len)
		msg->out_flags |= MSG_TRUNC;
	if (n && iter_copy_to(msg->iter, m->data, n) != n)
		r = -EFAULT;
	if (msg->addr) {
		struct linux_sockaddr_nl a = { .nl_family = AF_NETLINK,
					       .nl_pid = m->port,
					       .nl_groups = m->group && m->group <= 32
								    ? 1u << (m->group - 1)
								    : 0 };

		memcpy(msg->addr, &a, sizeof(a));
		msg->addr_len = sizeof(a);
	}
	int e = 0;
	if (nl->pktinfo)
		e = socket_put_cmsg(msg, SOL_NETLINK, NETLINK_PKTINFO, &m->group, sizeof(m->group));
	if (!e && (s->opts & SOCKOPT_PASSCRED))
		e = socket_put_cmsg(msg, SOL_SOCKET, SCM_CREDENTIALS, &m->cred, sizeof(m->cred));
	kfree(m);
	return r >= 0 && e ? e : r;
}

static u32
netlink_poll(struct socket *s, struct file *f, struct poll_table *pt)
{
	struct netlink_sock *nl = of(s);
	u32 mask = EPOLLOUT | EPOLLWRNORM | EPOLLWRBAND;

	poll_wait(f, &nl->wait, pt);
	spin_lock(&nl->lock);
	if (!list_empty(&nl->queue))
		mask |= EPOLLIN | EPOLLRDNORM;
	if (nl->overrun)
		mask |= EPOLLERR;
	spin_unlock(&nl->lock);
	return mask;
}

/* ---- options ---- */

static bool *
flag_of(struct netlink_sock *nl, int name)
{
	switch (name) {
	case NETLINK_PKTINFO: return &nl->pktinfo;
	case NETLINK_BROADCAST_ERROR: return &nl->broadcast_error;
	case NETLINK_NO_ENOBUFS: return &nl->no_enobufs;
	case NETLINK_CAP_ACK: return &nl->cap_ack;
	case NETLINK_EXT_ACK: return &nl->ext_ack;
	case NETLINK_GET_STRICT_CHK: return &nl->strict;
	}
	return NULL;
}

static int
netlink_setsockopt(struct socket *s, int level, int name, const void *val, u32 len)
{
	struct netlink_sock *nl = of(s);
	bool *flag = flag_of(nl, name);
	u32 v;

	if (level != SOL_NETLINK)
		return -ENOPROTOOPT;
	if (len < sizeof(v))
		return -EINVAL;
	memcpy(&v, val, sizeof(v));
	if (flag) {
		*flag = v;
		return 0;
	}
	if (name != NETLINK_ADD_MEMBERSHIP && name != NETLINK_DROP_MEMBERSHIP)
		return -ENOPROTOOPT;
	if (!v || v > GROUPS)
		return -EINVAL;
	if (!may_listen(nl))
		return -EPERM;
	spin_lock(&table_lock);
	if (name == NETLINK_ADD_MEMBERSHIP)
		WRITE_ONCE(nl->groups, nl->groups | 1ull << (v - 1));
	else
		WRITE_ONCE(nl->groups, nl->groups & ~(1ull << (v - 1)));
	spin_unlock(&table_lock);
	return 0;
}

static int
netlink_getsockopt(struct socket *s, int level, int name, void *val, u32 *len)
{
	struct netlink_sock *nl = of(s);
	bool *flag = flag_of(nl, name);
	u32 v;

	if (level != SOL_NETLINK)
		return -ENOPROTOOPT;
	if (name == NETLINK_LIST_MEMBERSHIPS) {
		u64 groups = READ_ONCE(nl->groups);

		memcpy(val, &groups, sizeof(groups));
		*len = sizeof(groups);
		return 0;
	}
	if (!flag)
		return -ENOPROTOOPT;
	v = *flag;
	memcpy(val, &v, sizeof(v));
	*len = sizeof(v);
	return 0;
}

/* ---- /proc/net/netlink ---- */

static int
show_netlink(struct strbuf *sb, void *ctx)
{
	struct netlink_sock *nl;

	strbuf_puts(
		sb,
		"sk               Eth Pid        Groups   Rmem     Wmem     Dump  Locks    Drops"
		"    Inode\n");
	rcu_read_lock();
	list_for_each_entry_rcu(nl, &socks, node)
	{
		const struct socket *s = READ_ONCE(nl->socket); /* freed after a grace period */

		/* Addresses of the kernel are nobody's business. */
		strbuf_printf(sb, "%016x %-3u %-10u %08x %-8u %-8u %-5u %-8d %-8u %-8lu\n", 0,
			      nl->protocol, READ_ONCE(nl->port), (u32)READ_ONCE(nl->groups),
			      READ_ONCE(nl->queued), 0u, (u32)READ_ONCE(nl->dump_pending),
			      ref_read(&nl->ref) + 1, 0u, s ? READ_ONCE(s->inum) : 0);
	}
	rcu_read_unlock();
	return 0;
}

static const struct pseudo_entry netlink_entry = {
	.name = "netlink",
	.mode = S_IFREG | 0444,
	.show = show_netlink,
};

/* Device events are the first namespace's; the group is the first and only one. */
static void
broadcast_uevent(const char *text, u32 len)
{
	netlink_multicast(&net_init_ns, NETLINK_KOBJECT_UEVENT, 1, text, len);
}

static struct socket_family netlink_family = { .family = AF_NETLINK, .create = netlink_create };

void
netlink_init(void)
{
	socket_family_register(&netlink_family);
	proc_net_add(&netlink_entry);
	uevent_broadcast = broadcast_uevent;
	rtnetlink_init();
	mqueue_netlink_send = send_to_file;
}

static const struct socket_ops netlink_ops = {
	.family = AF_NETLINK,
	.bind = netlink_bind,
	.connect = netlink_connect,
	.getname = netlink_getname,
	.sendmsg = netlink_sendmsg,
	.recvmsg = netlink_recvmsg,
	.poll = netlink_poll,
	.setsockopt = netlink_setsockopt,
	.getsockopt = netlink_getsockopt,
	.release = netlink_release,
};
