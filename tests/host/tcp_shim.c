/* SPDX-License-Identifier: MIT */
/*
 * What net/tcp needs of the rooms below it, on the host: packets that are linear, a clock that
 * jumps from event to event, and a network with two ends whose faults the test decides. One thread;
 * what would sleep is an error, so tests use MSG_DONTWAIT.
 */
#include "tcp_shim.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/random.h"
#include "fs/proc/proc.h"
#include "fs/vfs/file.h"
#include "fs/vfs/pseudo.h"
#include "mm/page.h"
#include "mm/slab.h"
#include "net/inet/diag.h"
#include "net/tcp/tcp.h"
#include "uapi/errno.h"
#include "uapi/fcntl.h"
#include "uapi/packet.h"
#include "uapi/rtnetlink.h"

#undef memcpy
#undef memset

u32 (*shim_policy)(const struct shim_segment *s, u64 *delay);
bool shim_capture;
struct shim_segment shim_sent[256];
u32 shim_sent_count;
u64 shim_now = 1000000000000ul;
u32 shim_mtu = 1500;
u64 shim_segments;
long shim_packets;

u32 preempt_count = PREEMPT_NO_RESCHED, cpu_number, net_depth, net_work_bits, cpu_count = 1;
uintptr_t percpu_offset[MAX_CPUS];
u64 inet_counters[INET_COUNTER_COUNT];
struct net_ns net_init_ns;
uintptr_t host_arena, host_page_array;
static struct inet_net inet_settings = { .somaxconn = 4096, .default_ttl = 64 };
static struct net_device device = { .net = &net_init_ns, .mtu = 1500 };
static const struct inet_socket_type *kind;

static void
fail(const char *why)
{
	printf("# shim: %s\n", why);
	abort();
}

/* ---- the rooms below ---- */

u64
time_mono_ns(void)
{
	return shim_now;
}

static u64 random_state = 88172645463325252ul;
u64
random_u64(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return random_state;
}

void
random_bytes(void *out, size_t len)
{
	for (size_t i = 0; i < len; i++)
		((u8 *)out)[i] = (u8)random_u64();
}

void *
kmalloc(size_t size, u32 gfp)
{
	return malloc(size);
}
void *
kzalloc(size_t size, u32 gfp)
{
	return calloc(1, size);
}
void *
kvmalloc(size_t size, u32 gfp)
{
	return malloc(size);
}
void
kfree(const void *p)
{
	free((void *)(uintptr_t)p);
}

static struct rcu_head *rcu_pending;
void
rcu_call(struct rcu_head *head, void (*func)(struct rcu_head *head))
{
	head->func = func;
	head->next = rcu_pending;
	rcu_pending = head;
}

static void
grace_period(void)
{
	while (rcu_pending) {
		struct rcu_head *head = rcu_pending;

		rcu_pending = head->next;
		head->func(head);
	}
}

void
mem_stats(struct mem_stats *out)
{
	memset(out, 0, sizeof(*out));
	out->total = 262144;
}

void
panic(const char *fmt, ...)
{
	fail(fmt);
	abort();
}
void
ref_saturated(struct ref *ref)
{
	fail("reference count");
}
void
spin_lock_contended(struct spinlock *lock)
{
	fail("lock taken twice");
}
void
sched_preempt(void)
{
}
void
net_end_work(void)
{
}
void
wait_queue_init(struct wait_queue *wq)
{
	list_init(&wq->waiters);
}
void
wait_entry_init(struct wait_entry *we, u32 flags)
{
	fail("would sleep");
}
int
wait_prepare(struct wait_queue *wq, struct wait_entry *we, u32 state)
{
	return 0;
}
void
wait_finish(struct wait_queue *wq, struct wait_entry *we)
{
}
int
schedule_until(u64 deadline)
{
	return 0;
}
bool
wake_up_key(struct wait_queue *wq, u32 states, int nr, u32 key)
{
	return false;
}
void
file_signal_urgent(struct file *f)
{
}
void
proc_net_add(const struct pseudo_entry *entry)
{
}
/* What tells of sockets: nobody asks. */
void (*inet_tcp_counts)(const struct net_ns *net, u32 *orphans, u32 *timewaits);
void
inet_diag_fill(struct inet_diag *d, const struct inet_sock *sk)
{
}
u64
inet_sock_cookie(const struct net_ns *net, const void *sk)
{
	return 0;
}
void
inet_diag_line(struct strbuf *sb, u32 slot, const struct inet_diag *d)
{
}

struct fs_type proc_fs_type;
int
pseudo_extend(const struct fs_type *type, const char *path, const struct pseudo_entry *table,
	      void *ctx)
{
	return 0;
}
int
put_user32(user_ptr dst, u64 value)
{
	return -EFAULT;
}
int
put_user64(user_ptr dst, u64 value)
{
	return -EFAULT;
}
u64
socket_inum(struct socket *s)
{
	return 0;
}
u64
socket_deadline(const struct socket *s, bool send, bool nonblock)
{
	return nonblock ? 0 : TIME_NEVER;
}
int
socket_put_cmsg(struct socket_msg *m, int level, int type, const void *data, size_t len)
{
	return 0;
}
void
iter_revert(struct iov_iter *it, size_t len)
{
	it->offset -= len;
	it->count += len;
}
size_t
iter_copy_to(struct iov_iter *it, const void *src, size_t len)
{
	memcpy((u8 *)it->segs->base + it->offset, src, len);
	it->offset += len;
	it->count -= len;
	return len;
}

void
page_get(struct page *page)
{
}
void
page_put(struct page *page)
{
}

/* ---- packets: linear, the buffer grows ---- */

struct packet *
packet_alloc(u32 size, u32 gfp)
{
	struct packet *p = calloc(1, sizeof(*p));
	u32 room = PACKET_HEADROOM + size;

	p->buf = calloc(1, sizeof(*p->buf) + room);
	ref_init(&p->buf->ref);
	p->buf->size = room;
	p->data = p->buf->bytes + PACKET_HEADROOM;
	p->truesize = 512 + size;
	shim_packets++;
	return p;
}

void
packet_free(struct packet *p)
{
	if (!p)
		return;
	packet_orphan(p);
	if (ref_put(&p->buf->ref))
		free(p->buf);
	free(p);
	shim_packets--;
}

struct packet *
packet_clone(struct packet *p, u32 gfp)
{
	struct packet *q = malloc(sizeof(*q));

	*q = *p;
	q->next = q->prev = NULL;
	ref_get(&p->buf->ref);
	shim_packets++;
	return q;
}

struct packet *
packet_copy_head(const struct packet *p, u32 headroom, u32 gfp)
{
	struct packet *q = packet_alloc(p->len, gfp);

	memcpy(packet_put(q, p->len), p->data, p->len);
	q->gso_segs = p->gso_segs;
	return q;
}

int
packet_advance(struct packet *p, u32 n)
{
	if (n > p->len)
		fail("packet_advance");
	p->data += n;
	p->len -= n;
	return 0;
}

int
packet_trim(struct packet *p, u32 len)
{
	if (len < p->len)
		p->len = len;
	return 0;
}

bool
packet_add_frag(struct packet *p, struct page *page, u32 offset, u32 len)
{
	return false;
}

int
packet_append_range(struct packet *s, const struct packet *p, u32 offset, u32 len)
{
	packet_copy_bits(p, offset, packet_put(s, len), len);
	return 0;
}

bool
packet_coalesce(struct packet *to, struct packet *from)
{
	if (packet_shared(to) || packet_tailroom(to) < from->len)
		return false;
	memcpy(packet_put(to, from->len), from->data, from->len);
	packet_free(from);
	return true;
}

void
packet_copy_bits(const struct packet *p, u32 offset, void *to, u32 len)
{
	if (offset + len > p->len)
		fail("packet_copy_bits");
	memcpy(to, p->data + offset, len);
}

int
packet_copy_to_iter(const struct packet *p, u32 offset, struct iov_iter *it, u32 len)
{
	if (offset + len > p->len)
		fail("packet_copy_to_iter");
	iter_copy_to(it, p->data + offset, len);
	return 0;
}

int
packet_append_iter(struct packet *p, struct iov_iter *it, u32 len)
{
	if (packet_tailroom(p) < len) {
		u32 head = packet_headroom(p), size = head + p->len + len;

		if (packet_shared(p))
			fail("append to a shared packet");
		p->buf = realloc(p->buf, sizeof(*p->buf) + size);
		p->buf->size = size;
		p->data = p->buf->bytes + head;
		p->truesize += len;
	}
	memcpy(packet_put(p, len), (u8 *)it->segs->base + it->offset, len);
	it->offset += len;
	it->count -= len;
	return 0;
}

bool
packet_pull_tail(struct packet *p, u32 n)
{
	return false;
}
bool
packet_csum_valid(struct packet *p, u32 pseudo)
{
	return true;
}
void
packet_queue_init(struct packet_queue *q)
{
	q->next = q->prev = (struct packet *)q;
	spin_init(&q->lock, RANK_PACKET_QUEUE);
	q->count = 0;
}

/* ---- timers and the wire ---- */

struct event {
	struct event *next;
	u64 at, order;
	struct packet *packet;
	struct net_timer *timer;
};
static struct event *events;
static u64 event_order;

static void
event_add(u64 at, struct packet *p, struct net_timer *t)
{
	struct event *e = malloc(sizeof(*e)), **link = &events;

	*e = (struct event){ .at = at, .order = event_order++, .packet = p, .timer = t };
	while (*link && ((*link)->at < at || ((*link)->at == at && (*link)->order < e->order)))
		link = &(*link)->next;
	e->next = *link;
	*link = e;
}

static bool
event_remove(struct net_timer *t)
{
	for (struct event **link = &events; *link; link = &(*link)->next) {
		struct event *e = *link;

		if (e->timer == t) {
			*link = e->next;
			free(e);
			return true;
		}
	}
	return false;
}

void
net_timer_init(struct net_timer *t, void (*func)(struct net_timer *t))
{
	*t = (struct net_timer){ .deadline = TIME_NEVER, .func = func };
}

bool
net_timer_start(struct net_timer *t, u64 deadline)
{
	t->deadline = deadline;
	if (!t->armed) {
		t->armed = true;
		t->timer.expires = deadline;
		event_add(deadline, NULL, t);
		return true;
	}
	if (deadline < t->timer.expires && event_remove(t)) {
		t->timer.expires = deadline;
		event_add(deadline, NULL, t);
	}
	return false;
}

bool
net_timer_cancel(struct net_timer *t)
{
	t->deadline = TIME_NEVER;
	if (!t->armed || !event_remove(t))
		return false;
	t->armed = false;
	return true;
}

enum net_timer_result
net_timer_fired(struct net_timer *t)
{
	if (t->deadline == TIME_NEVER) {
		t->armed = false;
		return NET_TIMER_IDLE;
	}
	if (t->deadline > shim_now) {
		t->timer.expires = t->deadline;
		event_add(t->deadline, NULL, t);
		return NET_TIMER_REARMED;
	}
	t->armed = false;
	t->deadline = TIME_NEVER;
	return NET_TIMER_DUE;
}

static void
look(const struct packet *p, struct ip_addr src, struct ip_addr dst, struct shim_segment *s)
{
	const struct tcp_header *th = (const struct tcp_header *)p->data;
	u32 header = (u32)(th->offset >> 4) * 4;

	memset(s, 0, offsetof(struct shim_segment, data));
	s->src = ntohl(ip_addr_get4(&src));
	s->dst = ntohl(ip_addr_get4(&dst));
	s->src_port = ntohs(th->src_port);
	s->dst_port = ntohs(th->dst_port);
	s->seq = ntohl(th->seq);
	s->ack = ntohl(th->ack);
	s->window = ntohs(th->window);
	s->flags = th->flags;
	s->len = p->len - header;
	tcp_segopt_parse((const u8 *)(th + 1), header - TCPH_LEN, th->flags & TCPH_SYN, &s->opt);
	memcpy(s->data, p->data + header, MIN(s->len, (u32)sizeof(s->data)));
}

static void
one_segment(struct packet *p, struct ip_addr src, struct ip_addr dst)
{
	struct shim_segment s;
	u64 delay = 10000000;
	u32 copies;

	look(p, src, dst, &s);
	shim_segments++;
	if (shim_capture) {
		if (shim_sent_count < ARRAY_SIZE(shim_sent))
			shim_sent[shim_sent_count++] = s;
		packet_free(p);
		return;
	}
	copies = shim_policy ? shim_policy(&s, &delay) : 1;
	p->csum_state = CSUM_UNNECESSARY;
	*inet_cb(p) = (struct inet_cb){ .src = src, .dst = dst, .protocol = IPPROTO_TCP };
	p->dev = &device;
	p->pkt_type = PACKET_HOST;
	p->gso_size = p->gso_segs = 0;
	while (copies--) {
		struct packet *q = packet_alloc(p->len, 0);

		memcpy(packet_put(q, p->len), p->data, p->len);
		memcpy(q->cb, p->cb, sizeof(q->cb));
		q->csum_state = p->csum_state;
		q->dev = p->dev;
		q->pkt_type = p->pkt_type;
		packet_set_transport(q);
		event_add(shim_now + delay, q, NULL);
		delay += 1000;
	}
	packet_free(p);
}

/* Cut what is larger than a segment, as the device would. */
static int
wire(struct packet *p, struct ip_addr src, struct ip_addr dst)
{
	struct tcp_header th;
	u32 header, mss = p->gso_size ? p->gso_size : p->len;

	memcpy(&th, p->data, sizeof(th));
	header = (u32)(th.offset >> 4) * 4;
	if (p->len - header > mss && !p->gso_size)
		fail("segment too long");
	if (p->gso_size && DIV_ROUND_UP(p->len - header, mss) != p->gso_segs)
		fail("wrong number of segments");
	if (!p->gso_size && p->len + 20 > shim_mtu)
		fail("longer than the path");
	for (u32 at = header;;) {
		u32 n = MIN(mss, p->len - at);
		struct packet *q = packet_alloc(header + n, 0);

		memcpy(packet_put(q, header), p->data, header);
		struct tcp_header *h = (struct tcp_header *)q->data;
		h->seq = htonl(ntohl(th.seq) + at - header);
		if (at + n < p->len)
			h->flags &= (u8) ~(TCPH_FIN | TCPH_PSH);
		memcpy(packet_put(q, n), p->data + at, n);
		packet_set_transport(q);
		one_segment(q, src, dst);
		at += n;
		if (at >= p->len)
			break;
	}
	packet_free(p);
	return 0;
}

int
inet_queue_xmit(struct inet_sock *sk, struct packet *p)
{
	return wire(p, sk->local, sk->remote);
}

int
inet_send_to(struct net_ns *net, struct inet_sock *sk, struct packet *p, const struct ip_tx *tx)
{
	return wire(p, tx->src, tx->dst);
}

void
shim_run(u64 until, bool (*cond)(void))
{
	u64 most = 20000000;

	while (events && events->at <= until && most--) {
		struct event *e = events;

		events = e->next;
		if (e->at > shim_now)
			shim_now = e->at;
		if (e->packet) {
			tcp_receive(e->packet);
		} else {
			e->timer->func(e->timer);
		}
		free(e);
		grace_period();
		if (cond && cond())
			return;
	}
	if (shim_now < until && !cond)
		shim_now = until;
}

void
shim_inject(const struct shim_segment *s)
{
	u8 options[TCP_SEGOPT_MAX];
	u32 n = 0;

	if (s->flags & TCPH_SYN) {
		struct tcp_segopt_syn o = { .mss = s->opt.mss ? s->opt.mss : 1460,
					    .sack_ok = s->opt.has_sack_ok,
					    .has_ts = s->opt.has_ts,
					    .has_wscale = s->opt.has_wscale,
					    .wscale = s->opt.wscale,
					    .ts_val = s->opt.ts_val,
					    .ts_ecr = s->opt.ts_ecr };

		n = tcp_segopt_build_syn(options, &o);
	} else {
		if (s->opt.has_ts)
			n = tcp_segopt_build_ts(options, s->opt.ts_val, s->opt.ts_ecr);
		if (s->opt.nr_sacks)
			n += tcp_segopt_build_sacks(options + n, s->opt.sacks, s->opt.nr_sacks);
	}
	struct packet *p = packet_alloc(TCPH_LEN + n + s->len, 0);
	struct tcp_header *th = packet_put(p, TCPH_LEN + n);
	*th = (struct tcp_header){ .src_port = htons(s->src_port),
				   .dst_port = htons(s->dst_port),
				   .seq = htonl(s->seq),
				   .ack = htonl(s->ack),
				   .offset = (u8)((TCPH_LEN + n) << 2),
				   .flags = s->flags,
				   .window = htons((u16)s->window) };
	memcpy(th + 1, options, n);
	if (s->len)
		memcpy(packet_put(p, s->len), s->data, s->len);
	packet_set_transport(p);
	p->csum_state = CSUM_UNNECESSARY;
	p->dev = &device;
	p->pkt_type = PACKET_HOST;
	*inet_cb(p) = (struct inet_cb){ .src = ip_addr4(htonl(s->src)),
					.dst = ip_addr4(htonl(s->dst)),
					.protocol = IPPROTO_TCP };
	tcp_receive(p);
	grace_period();
}

/* ---- net/inet ---- */

void
inet_protocol_register(const struct inet_protocol *p)
{
}
void
inet_socket_type_register(struct inet_socket_type *t)
{
	kind = t;
}

static void
common_init(struct inet_sock *sk)
{
	hlist_node_init(&sk->hash_node);
	hlist_node_init(&sk->port_node);
	spin_init(&sk->slock, RANK_SOCK);
	wait_queue_init(&sk->lock_wait);
	wait_queue_init(&sk->wait);
	ref_init(&sk->ref);
	packet_queue_init(&sk->receive_queue);
	packet_queue_init(&sk->error_queue);
}

static void
sock_free(struct rcu_head *head)
{
	struct inet_sock *sk = container_of(head, struct inet_sock, rcu);

	kind->destroy(sk);
	free(sk);
}

void
inet_sock_put(struct inet_sock *sk)
{
	if (ref_put(&sk->ref))
		rcu_call(&sk->rcu, sock_free);
}

struct inet_sock *
inet_sock_clone(const struct inet_sock *like)
{
	struct inet_sock *sk = calloc(1, kind->sock_size);

	memcpy(sk, like, sizeof(*sk));
	common_init(sk);
	sk->owned = false;
	sk->deferred = 0;
	sk->socket = NULL;
	sk->backlog_head = NULL;
	sk->port_bucket = NULL;
	sk->port_locked = false;
	sk->shutdown = 0;
	return sk;
}

int
inet_sock_graft(struct inet_sock *sk, const struct socket *listener, struct socket **out)
{
	struct socket *s = calloc(1, sizeof(*s));

	s->ops = listener->ops;
	s->rcvlowat = 1;
	s->opts = listener->opts;
	s->rcv_timeout_ns = s->snd_timeout_ns = TIME_NEVER;
	s->private = sk;
	sk->socket = s;
	*out = s;
	return 0;
}

void
inet_sock_detach(struct inet_sock *sk)
{
	sk->socket = NULL;
}
void
sock_lock_contended(struct inet_sock *sk)
{
	fail("sock locked twice");
}

void
sock_unlock_work(struct inet_sock *sk)
{
	while (sk->backlog_head || sk->deferred) {
		struct packet *p = sk->backlog_head;
		u32 bits = sk->deferred;

		sk->backlog_head = NULL;
		sk->deferred = 0;
		while (p) {
			struct packet *next = p->next;

			p->next = NULL;
			kind->backlog(sk, p);
			p = next;
		}
		if (bits)
			kind->deferred(sk, bits);
	}
}

bool
sock_backlog_add(struct inet_sock *sk, struct packet *p)
{
	struct packet **link = &sk->backlog_head;

	while (*link)
		link = &(*link)->next;
	p->next = NULL;
	*link = p;
	return true;
}

void
inet_sock_readable(struct inet_sock *sk, u32 extra)
{
}
void
inet_sock_writable(struct inet_sock *sk)
{
}
void
inet_sock_state_changed(struct inet_sock *sk)
{
}
void
inet_sock_error(struct inet_sock *sk, int err)
{
	if (sk->socket)
		sk->socket->error = err;
}
int
inet_sock_take_error(struct inet_sock *sk)
{
	int err = sk->socket ? sk->socket->error : 0;

	if (err)
		sk->socket->error = 0;
	return err;
}
u32
inet_sock_rcvbuf(const struct inet_sock *sk)
{
	return sk->socket ? sk->socket->rcvbuf : 0;
}
bool
inet_sock_filter(struct inet_sock *sk, struct packet *p)
{
	return true;
}
u32
inet_pseudo_sum(const struct ip_addr *src, const struct ip_addr *dst, u8 protocol, u32 len)
{
	return 0;
}
u32
inet_sock_header_len(const struct inet_sock *sk)
{
	return 20;
}
u32
inet_sock_mtu(struct inet_sock *sk)
{
	device.mtu = shim_mtu;
	return shim_mtu;
}
u8
inet_addr_type(struct net_ns *net, const struct ip_addr *a, u32 ifindex)
{
	return RTN_LOCAL;
}
void
inet_sock_flow(const struct inet_sock *sk, struct flow *f)
{
	*f = (struct flow){ .dst = sk->remote, .src = sk->local };
}
int
inet_route_output(struct net_ns *net, const struct flow *f, struct route *out)
{
	device.mtu = shim_mtu;
	*out = (struct route){
		.type = RTN_UNICAST, .mtu = shim_mtu, .dev = &device, .source = f->src
	};
	return 0;
}
u32
inet_flow_hash(const struct net_ns *net, const struct ip_addr *local, u16 local_port,
	       const struct ip_addr *remote, u16 remote_port)
{
	return hash_bytes32(local, 16, local_port) ^ hash_bytes32(remote, 16, remote_port) * 31;
}
int
inet_match_score(const struct inet_sock *sk, const struct ip_addr *src, u16 src_port,
		 const struct ip_addr *dst, u32 ifindex)
{
	return ip_addr_equal(&sk->local, dst) ? 4 : ip_addr_is_any(&sk->local) ? 1 : -1;
}

void
port_table_init(struct port_table *t, const char *name, u32 bits)
{
}
int
inet_port_bind(struct port_table *t, struct inet_sock *sk, u16 port)
{
	sk->local_port = port;
	return 0;
}
int
inet_port_connect(struct port_table *t, struct inet_sock *sk,
		  bool (*unique)(struct inet_sock *sk, u16 port))
{
	static u16 next = 40000;

	for (u32 i = 0; i < 20000; i++) {
		if (unique(sk, next++))
			return 0;
	}
	return -EADDRNOTAVAIL;
}
int
inet_port_inherit(struct port_table *t, struct inet_sock *child, const struct inet_sock *parent)
{
	return 0;
}
void
inet_port_release(struct port_table *t, struct inet_sock *sk)
{
}
int
inet_bind_common(struct socket *s, const u8 *addr, u32 len, struct port_table *t)
{
	return -EINVAL;
}
int
inet_addr_parse(const struct inet_sock *sk, const u8 *addr, u32 len, struct ip_addr *a, u16 *port,
		u32 *scope)
{
	struct linux_sockaddr_in in;

	memcpy(&in, addr, sizeof(in));
	*a = ip_addr4(in.sin_addr.s_addr);
	*port = ntohs(in.sin_port);
	*scope = 0;
	return 0;
}
int
inet_getname(struct socket *s, u8 *addr, u32 *len, bool peer)
{
	return -EINVAL;
}
long
inet_ioctl(struct socket *s, u32 cmd, u64 arg)
{
	return -ENOTTY;
}
int
inet_setsockopt(struct socket *s, int level, int name, const void *val, u32 len)
{
	return -ENOPROTOOPT;
}
int
inet_getsockopt(struct socket *s, int level, int name, void *val, u32 *len)
{
	return -ENOPROTOOPT;
}
ssize_t
inet_recv_error(struct inet_sock *sk, struct socket_msg *m)
{
	return -EAGAIN;
}

/* ---- for tests ---- */

void
shim_init(void)
{
	net_init_ns.inet = &inet_settings;
	tcp_init();
}

void
shim_settle(void)
{
	shim_run(shim_now + 600ul * NSEC_PER_SEC, NULL);
	grace_period();
}

struct socket *
shim_socket(u32 address, u16 port)
{
	struct socket *s = calloc(1, sizeof(*s));
	struct inet_sock *sk = calloc(1, kind->sock_size);

	common_init(sk);
	sk->family = AF_INET;
	sk->state = TCP_CLOSE;
	sk->protocol = IPPROTO_TCP;
	sk->net = &net_init_ns;
	sk->kind = kind;
	sk->local = ip_addr4(htonl(address));
	sk->remote = ip_addr4(0);
	sk->local_port = port;
	sk->addr_locked = true;
	sk->port_locked = port;
	sk->socket = s;
	s->private = sk;
	s->ops = kind->ops;
	s->rcvlowat = 1;
	s->rcv_timeout_ns = s->snd_timeout_ns = TIME_NEVER;
	kind->init(sk);
	return s;
}

void
shim_close(struct socket *s)
{
	s->ops->release(s);
	free(s);
	grace_period();
}

int
shim_connect(struct socket *s, u32 address, u16 port)
{
	struct linux_sockaddr_in in = { .sin_family = AF_INET,
					.sin_port = htons(port),
					.sin_addr = { htonl(address) } };

	return s->ops->connect(s, (const u8 *)&in, sizeof(in), O_NONBLOCK);
}

static void
iter_of(struct iov_iter *it, const void *data, size_t len)
{
	memset(it, 0, sizeof(*it));
	it->kernel = true;
	it->one = (struct iov_seg){ (u64)(uintptr_t)data, len };
	it->segs = &it->one;
	it->nr_segs = 1;
	it->count = len;
}

ssize_t
shim_send(struct socket *s, const void *data, size_t len, u32 flags)
{
	struct iov_iter it;
	struct socket_msg m = { .iter = &it, .flags = flags | MSG_DONTWAIT };

	iter_of(&it, data, len);
	return s->ops->sendmsg(s, &m);
}

ssize_t
shim_recv(struct socket *s, void *data, size_t len, u32 flags)
{
	struct iov_iter it;
	struct socket_msg m = { .iter = &it, .flags = flags | MSG_DONTWAIT };

	iter_of(&it, data, len);
	return s->ops->recvmsg(s, &m);
}
