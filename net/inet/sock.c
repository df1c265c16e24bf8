/* SPDX-License-Identifier: MIT */
/*
 * struct inet_sock: making and freeing, the lock with its backlog, memory, and what programs are
 * told (net/inet/inet.h).
 */
#include "core/panic.h"
#include "inet_internal.h"
#include "mm/slab.h"
#include "net/inet/inet.h"
#include "sched/wait.h"
#include "task/task.h"
#include "uapi/errno.h"

static struct inet_socket_type *kinds;
struct atomic32 inet_sock_count[256];

void
inet_socket_type_register(struct inet_socket_type *t)
{
	struct inet_socket_type **link = &kinds;

	/* In the order of registration: UDP before ping, the wild card last. */
	while (*link)
		link = &(*link)->next;
	*link = t;
}

/* ---- life ---- */

static struct atomic32 *
count_of(const struct inet_sock *sk)
{
	return &inet_sock_count[sk->type == SOCK_RAW ? IPPROTO_RAW : sk->protocol];
}

static void
sock_init_common(struct inet_sock *sk)
{
	hlist_node_init(&sk->hash_node);
	hlist_node_init(&sk->port_node);
	spin_init(&sk->slock, RANK_SOCK);
	wait_queue_init(&sk->lock_wait);
	wait_queue_init(&sk->wait);
	ref_init(&sk->ref);
	packet_queue_init(&sk->receive_queue);
	packet_queue_init(&sk->error_queue);
	list_init(&sk->memberships);
}

static struct inet_socket_type *
kind_find(int type, int *protocol, int *error)
{
	struct inet_socket_type *k;

	*error = -ESOCKTNOSUPPORT;
	for (k = kinds; k; k = k->next) {
		if (k->type != type)
			continue;
		if (*protocol == k->protocol ? *protocol != 0 : !k->protocol)
			return k;
		if (!*protocol && k->is_default) {
			*protocol = k->protocol;
			return k;
		}
		*error = -EPROTONOSUPPORT;
	}
	return NULL;
}

static int
create(struct socket *s, int family, int type, int protocol)
{
	struct inet_socket_type *k;
	struct inet_sock *sk;
	int r;

	if (protocol < 0 || protocol >= 256)
		return -EINVAL;
	if (family == AF_INET6 && protocol == IPPROTO_ICMP && type == SOCK_DGRAM)
		return -EPROTONOSUPPORT;
	if (family == AF_INET && protocol == IPPROTO_ICMPV6 && type == SOCK_DGRAM)
		return -EPROTONOSUPPORT;
	k = kind_find(type, &protocol, &r);
	if (!k)
		return r;
	if (type == SOCK_RAW && !capable(CAP_NET_RAW))
		return -EPERM;
	sk = kzalloc(k->sock_size, GFP_KERNEL);
	if (!sk)
		return -ENOBUFS;
	sock_init_common(sk);
	sk->family = (u16)family;
	sk->type = (u8)type;
	sk->protocol = (u8)protocol;
	sk->net = net_current();
	sk->kind = k;
	sk->state = TCP_CLOSE;
	sk->local = sk->remote = family == AF_INET6 ? IP_ADDR_ANY6 : ip_addr4(0);
	sk->ttl = sk->hops = sk->mc_hops = -1;
	sk->mc_ttl = 1;
	sk->mc_loop = sk->mc_all = true;
	sk->mc_source = ip_addr4(0);
	sk->pmtu_discover = sk->pmtu_discover6 = IP_PMTUDISC_WANT;
	sk->peek_off = -1;
	sk->uid = current_cred()->fsuid;
	s->protocol = protocol;
	s->private = sk;
	s->ops = k->ops;
	rcu_assign_pointer(sk->socket, s);
	/* It may give the socket buffers of another size. */
	r = k->init ? k->init(sk) : 0;
	if (r) {
		kfree(sk);
		return r;
	}
	atomic_inc(count_of(sk));
	return 0;
}

static int
create4(struct socket *s, int type, int protocol)
{
	return create(s, AF_INET, type, protocol);
}

static int
create6(struct socket *s, int type, int protocol)
{
	return create(s, AF_INET6, type, protocol);
}

static struct socket_family family4 = { .family = AF_INET, .create = create4 };
static struct socket_family family6 = { .family = AF_INET6, .create = create6 };

static void
sock_free(struct rcu_head *head)
{
	struct inet_sock *sk = container_of(head, struct inet_sock, rcu);

	atomic_dec(count_of(sk));
	if (sk->kind->destroy)
		sk->kind->destroy(sk);
	kfree(sk);
}

void
inet_sock_put(struct inet_sock *sk)
{
	struct packet *p, *next;

	if (!ref_put(&sk->ref))
		return;
	packet_queue_purge(&sk->receive_queue);
	packet_queue_purge(&sk->error_queue);
	for (p = sk->backlog_head; p; p = next) {
		next = p->next;
		packet_free(p);
	}
	sk->backlog_head = NULL;
	if (sk->options)
		kfree_rcu(sk->options, rcu);
	filter_free(sk->filter);
	rcu_call(&sk->rcu, sock_free);
}

struct inet_sock *
inet_sock_clone(const struct inet_sock *like)
{
	struct inet_sock *sk = kmalloc(like->kind->sock_size, GFP_ATOMIC | GFP_NOWARN);

	if (!sk)
		return NULL;
	/* Settings are copied as they are; what is a place or a queue starts anew. The fields
	 * behind struct inet_sock are the protocol's. */
	memset(sk, 0, like->kind->sock_size);
	memcpy(sk, like, sizeof(*sk));
	sock_init_common(sk);
	sk->owned = false;
	sk->deferred = 0;
	sk->backlog_head = sk->backlog_tail = NULL;
	sk->backlog_bytes = 0;
	sk->socket = NULL;
	atomic_set(&sk->rmem, 0);
	atomic_set(&sk->wmem, 0);
	atomic_set(&sk->drops, 0);
	sk->shutdown = 0;
	sk->soft_error = 0;
	sk->port_bucket = NULL;
	sk->port_locked = sk->addr_locked = false;
	sk->route.dev = NULL;
	sk->options = NULL;
	sk->inum = 0;
	sk->filter = NULL;
	sk->last_opts = inet_sock_opts(like);
	if (like->filter) {
		struct socket_filter *f = like->filter;

		sk->filter = kmemdup(f, sizeof(*f) + sizeof(f->code[0]) * f->len, GFP_ATOMIC);
		if (!sk->filter) {
			kfree(sk);
			return NULL;
		}
	}
	atomic_inc(count_of(sk));
	return sk;
}

int
inet_sock_graft(struct inet_sock *sk, const struct socket *listener, struct socket **out)
{
	struct socket *s = kzalloc(sizeof(*s), GFP_KERNEL);

	if (!s)
		return -ENOMEM;
	s->ops = listener->ops;
	s->family = listener->family;
	s->type = listener->type;
	s->protocol = listener->protocol;
	wait_queue_init(&s->wait);
	s->rcv_timeout_ns = listener->rcv_timeout_ns;
	s->snd_timeout_ns = listener->snd_timeout_ns;
	s->rcvbuf = listener->rcvbuf;
	s->sndbuf = listener->sndbuf;
	s->rcvlowat = listener->rcvlowat;
	s->opts = listener->opts;
	s->linger_s = listener->linger_s;
	s->mark = listener->mark;
	s->priority = listener->priority;
	s->private = sk;
	rcu_assign_pointer(sk->socket, s);
	*out = s;
	return 0;
}

void
inet_sock_detach(struct inet_sock *sk)
{
	struct socket *s = sk->socket;

	inet_mc_leave_all(sk);
	if (s) {
		sk->last_opts = s->opts;
		sk->mark = s->mark;
		sk->priority = s->priority;
	}
	sk->inum = 0;
	rcu_assign_pointer(sk->socket, NULL);
}

u32
inet_sock_opts(const struct inet_sock *sk)
{
	struct socket *s = rcu_dereference(sk->socket);

	return s ? READ_ONCE(s->opts) : sk->last_opts;
}

/* ---- the lock ---- */

/* slock is held and owned set; returns in the same way, owned clear. */
void
sock_lock_contended(struct inet_sock *sk)
{
	struct wait_entry we;

	wait_entry_init(&we, WAIT_EXCLUSIVE);
	while (sk->owned) {
		wait_prepare(&sk->lock_wait, &we, THREAD_UNINTERRUPTIBLE);
		spin_unlock(&sk->slock);
		schedule();
		spin_lock(&sk->slock);
	}
	wait_finish(&sk->lock_wait, &we);
}

bool
sock_backlog_add(struct inet_sock *sk, struct packet *p)
{
	u32 limit = inet_sock_rcvbuf(sk);
	struct socket *s = rcu_dereference(sk->socket);

	limit += s ? READ_ONCE(s->sndbuf) : 65536;
	if (sk->backlog_bytes > limit) {
		atomic_inc(&sk->drops);
		packet_free(p);
		return false;
	}
	p->next = NULL;
	p->dev = sk->net->loopback; /* its own may go before the owner looks */
	if (sk->backlog_head)
		sk->backlog_tail->next = p;
	else
		sk->backlog_head = p;
	sk->backlog_tail = p;
	sk->backlog_bytes += p->truesize;
	return true;
}

/*
 * slock is held. The owner works off what came meanwhile, in a net section that ends without the
 * lock: what the packets caused (acknowledgements by loopback) runs there.
 */
void
sock_unlock_work(struct inet_sock *sk)
{
	while (sk->backlog_head || sk->deferred) {
		struct packet *p = sk->backlog_head, *next;
		u32 bits = sk->deferred;

		net_begin();
		sk->backlog_head = sk->backlog_tail = NULL;
		sk->deferred = 0;
		for (; p; p = next) {
			next = p->next;
			p->next = NULL;
			sk->kind->backlog(sk, p);
		}
		sk->backlog_bytes = 0;
		if (bits)
			sk->kind->deferred(sk, bits);
		spin_unlock(&sk->slock);
		net_end();
		spin_lock(&sk->slock);
	}
}

/* ---- news for programs ---- */

static void
sock_wake(struct inet_sock *sk, u32 key)
{
	/* The state that waiters look at changed before: pairs with wait_prepare's barrier. */
	smp_mb();
	if (!wait_queue_active(&sk->wait))
		return;
	if (this_cpu_read(net_in_sender))
		wake_up_sync_poll(&sk->wait, key);
	else
		wake_up_poll(&sk->wait, key);
}

void
inet_sock_readable(struct inet_sock *sk, u32 extra)
{
	sock_wake(sk, EPOLLIN | EPOLLRDNORM | extra);
}

void
inet_sock_writable(struct inet_sock *sk)
{
	sock_wake(sk, EPOLLOUT | EPOLLWRNORM | EPOLLWRBAND);
}

void
inet_sock_state_changed(struct inet_sock *sk)
{
	smp_mb();
	if (wait_queue_active(&sk->wait))
		wake_up_key(&sk->wait, THREAD_NORMAL, 0x7fffffff, 0);
}

void
inet_sock_error(struct inet_sock *sk, int err)
{
	struct socket *s;

	rcu_read_lock();
	s = rcu_dereference(sk->socket);
	if (s)
		WRITE_ONCE(s->error, err);
	rcu_read_unlock();
	smp_mb();
	if (wait_queue_active(&sk->wait))
		wake_up_key(&sk->wait, THREAD_NORMAL, 0x7fffffff, EPOLLERR);
}

int
inet_sock_take_error(struct inet_sock *sk)
{
	struct socket *s = sk->socket;

	return s && READ_ONCE(s->error) ? socket_take_error(s) : 0;
}

u32
inet_sock_rcvbuf(const struct inet_sock *sk)
{
	struct socket *s = rcu_dereference(sk->socket);

	return s ? READ_ONCE(s->rcvbuf) : 0;
}

u32
inet_poll_common(struct inet_sock *sk)
{
	u32 mask = 0;

	if (inet_sock_peek_error(sk) || !packet_queue_empty(&sk->error_queue))
		mask |= EPOLLERR;
	if (sk->shutdown & INET_SHUT_RD)
		mask |= EPOLLRDHUP | EPOLLIN | EPOLLRDNORM;
	if (sk->shutdown == INET_SHUT_RDWR)
		mask |= EPOLLHUP;
	return mask;
}

/* ---- memory ---- */

static void
receive_destroy(struct packet *p)
{
	struct inet_sock *sk = p->owner;

	atomic_sub(&sk->rmem, (int)p->truesize);
}

/* No reference: the queues that hold such packets are emptied before the sock is freed, and a
 * reader that has taken one out holds the file. */
void
packet_charge_receive(struct inet_sock *sk, struct packet *p)
{
	packet_orphan(p);
	p->owner = sk;
	p->destructor = receive_destroy;
	atomic_add(&sk->rmem, (int)p->truesize);
}

static void
send_destroy(struct packet *p)
{
	struct inet_sock *sk = p->owner;
	struct socket *s;
	int left = atomic_add_return(&sk->wmem, -(int)p->truesize);

	rcu_read_lock();
	s = rcu_dereference(sk->socket);
	if (s && (u32)left * 2 <= READ_ONCE(s->sndbuf))
		inet_sock_writable(sk);
	rcu_read_unlock();
	inet_sock_put(sk);
}

void
packet_charge_send(struct inet_sock *sk, struct packet *p)
{
	packet_orphan(p);
	inet_sock_get(sk);
	p->owner = sk;
	p->destructor = send_destroy;
	atomic_add(&sk->wmem, (int)p->truesize);
}

int
inet_send_alloc(struct inet_sock *sk, u32 size, bool nonblock, struct packet **out)
{
	struct packet *p;
	int r;

	if (unlikely(inet_sock_peek_error(sk))) {
		r = inet_sock_take_error(sk);
		if (r)
			return -r;
	}
	if (sk->shutdown & INET_SHUT_WR)
		return -EPIPE;
	if (unlikely(!inet_sock_has_room(sk))) {
		u64 deadline = socket_deadline(sk->socket, true, nonblock);

		if (!deadline)
			return -EAGAIN;
		r = wait_event_interruptible_timeout(&sk->wait,
						     inet_sock_has_room(sk) ||
							     inet_sock_peek_error(sk) ||
							     (sk->shutdown & INET_SHUT_WR),
						     deadline);
		if (r)
			return r == -ETIMEDOUT ? -EAGAIN : deadline == TIME_NEVER ? r : -EINTR;
	}
	p = packet_alloc(size, GFP_KERNEL);
	if (!p)
		return -ENOBUFS;
	*out = p;
	return 0;
}

bool
inet_sock_filter(struct inet_sock *sk, struct packet *p)
{
	struct socket_filter *f = rcu_dereference(sk->filter);
	u32 n;

	if (likely(!f))
		return true;
	n = filter_run(f, p);
	return n && (n >= p->len || !packet_trim(p, n));
}

bool
inet_queue_receive(struct inet_sock *sk, struct packet *p)
{
	struct socket *s = rcu_dereference(sk->socket);
	u32 rcvbuf = s ? READ_ONCE(s->rcvbuf) : 0;

	if (unlikely(!s || !inet_sock_filter(sk, p)))
		goto drop;
	if ((u32)atomic_read(&sk->rmem) + p->truesize > rcvbuf && atomic_read(&sk->rmem)) {
		inet_count(UdpRcvbufErrors);
		goto drop;
	}
	if ((s->opts & SOCKOPT_TIMESTAMP) || sk->ts_ns || sk->timestamping)
		packet_stamp(p);
	packet_charge_receive(sk, p);
	p->dev = NULL;
	packet_queue_tail(&sk->receive_queue, p);
	inet_sock_readable(sk, 0);
	return true;
drop:
	atomic_inc(&sk->drops);
	packet_free(p);
	return false;
}

/* ---- receiving datagrams ---- */

/* MSG_PEEK: a packet is peeked at as a clone, so that nobody can free it under the reader. */
int
inet_recv_packet(struct inet_sock *sk, u32 flags, struct packet **out, bool *peeked, u32 *skip)
{
	struct packet_queue *q = &sk->receive_queue;
	u64 deadline = 0;
	bool waited = false;
	int r;

	*peeked = false;
	*skip = 0;
	for (;;) {
		if (unlikely(inet_sock_peek_error(sk))) {
			r = inet_sock_take_error(sk);
			if (r)
				return -r;
		}
		if (!packet_queue_empty(q)) {
			struct packet *p;

			spin_lock(&q->lock);
			p = packet_queue_peek(q);
			if (p && (flags & MSG_PEEK)) {
				u32 off = sk->peek_off > 0 ? (u32)sk->peek_off : 0;

				while (p && off && off >= p->len) {
					off -= p->len;
					p = packet_queue_next(q, p);
				}
				*skip = off;
				*peeked = true;
				if (p)
					p = packet_clone(p, GFP_ATOMIC);
				spin_unlock(&q->lock);
				if (!p && packet_queue_peek(q))
					return -ENOBUFS;
			} else {
				if (p)
					packet_unlink_locked(q, p);
				spin_unlock(&q->lock);
			}
			if (p) {
				*out = p;
				return 0;
			}
		}
		if (sk->shutdown & INET_SHUT_RD)
			return 1;
		if (!waited) {
			deadline = socket_deadline(sk->socket, false, flags & MSG_DONTWAIT);
			waited = true;
		}
		if (!deadline)
			return -EAGAIN;
		r = WAIT_EVENT_(&sk->wait,
				!packet_queue_empty(q) || inet_sock_peek_error(sk) ||
					(sk->shutdown & INET_SHUT_RD),
				THREAD_INTERRUPTIBLE, deadline, WAIT_EXCLUSIVE);
		if (r)
			return r == -ETIMEDOUT ? -EAGAIN : deadline == TIME_NEVER ? r : -EINTR;
	}
}

/* ---- start ---- */

DEFINE_PERCPU(u64, inet_counters[INET_COUNTER_COUNT]);

static struct inet_net inet_init_net = {
	.port_min = 32768,
	.port_max = 60999,
	.unprivileged_port_start = 1024,
	.default_ttl = 64,
	.icmp_echo_ignore_broadcasts = true,
	.ping_group_min = 1,
	.ping_group_max = 0,
	.icmp_ratelimit_ms = 1000,
	.icmp_ratemask = 6168,
	.icmp_msgs_per_sec = 1000,
	.icmp_msgs_burst = 50,
	.frag_high = 4 << 20,
	.frag_low = 3 << 20,
	.frag_time_ns = 30 * NSEC_PER_SEC,
	.somaxconn = SOMAXCONN,
	.igmp_max_memberships = 20,
};

void
inet_init(void)
{
	net_init_ns.inet = &inet_init_net;
	socket_family_register(&family4);
	socket_family_register(&family6);
	arp_init(&net_init_ns);
	fragment_init();
	icmp_init();
	inet_mc_init();
	udp_init();
	ping_init();
	raw_init();
	address_init();
	inet_ioctl_init();
	inet_proc_init();
	inet_sysctl_init();
	inet_sysfs_init();
}
