/* SPDX-License-Identifier: MIT */
/* TCP's start, its files in /proc/net and its settings in /proc/sys/net/ipv4: tcp(7). */
#include "fs/proc/proc.h"
#include "fs/vfs/inode.h"
#include "fs/vfs/pseudo.h"
#include "lib/format.h"
#include "lib/string.h"
#include "mm/page.h"
#include "net/tcp/tcp.h"
#include "tcp_internal.h"
#include "uapi/errno.h"
#include "uapi/stat.h"

struct tcp_net tcp_init_net = {
	.rmem = { 4096, 131072, 6291456 },
	.wmem = { 4096, 16384, 4194304 },
	.syn_retries = 6,
	.synack_retries = 5,
	.retries1 = 3,
	.retries2 = 15,
	.keepalive_time_s = 7200,
	.keepalive_intvl_s = 75,
	.keepalive_probes = 9,
	.fin_timeout_s = 60,
	.max_syn_backlog = 512,
	.max_tw_buckets = 32768,
	.max_orphans = 32768,
	.notsent_lowat = UINT32_MAX,
	.challenge_ack_limit = 1000,
	.invalid_ratelimit_ms = 500,
	.syncookies = 1,
	.tw_reuse = 2,
	.timestamps = true,
	.sack = true,
	.window_scaling = true,
	.moderate_rcvbuf = true,
	.slow_start_after_idle = true,
	.dsack = true,
	.congestion = &tcp_cubic_ops,
};

/* ---- connections, for /proc/net/tcp and NETLINK_SOCK_DIAG ---- */

struct walk {
	inet_diag_visit *visit;
	void *ctx;
};

static bool
walk_sock(struct tcp_sock *tp, void *ctx)
{
	struct walk *w = ctx;
	u64 now = time_mono_ns(), deadline = TIME_NEVER;
	struct inet_diag d;

	inet_diag_fill(&d, &tp->inet);
	bool listening = d.state == TCP_LISTEN;
	if (net_timer_pending(&tp->rtx_timer)) {
		d.timer = tp->timer_mode == TCP_TIMER_PROBE ? 4 : 1;
		deadline = tp->rtx_timer.deadline;
	} else if (net_timer_pending(&tp->keep_timer) && !listening) {
		d.timer = 2;
		deadline = tp->keep_timer.deadline;
	}
	if (d.timer && deadline > now)
		d.timer_ns = deadline - now;
	d.wqueue = listening ? 0 : tp->write_seq - tp->snd_una;
	d.rqueue = listening ? tp->accept_len : tcp_readable(tp);
	d.backlog = listening ? tp->backlog : 0;
	d.retransmits = tp->retransmits;
	d.probes = tp->probes_out;
	return w->visit(&d, w->ctx);
}

static bool
walk_mini(struct tcp_mini *m, void *ctx)
{
	struct walk *w = ctx;
	u64 now = time_mono_ns(), expires;
	struct inet_diag d = { .cookie = inet_sock_cookie(&net_init_ns, m),
			       .family = m->family,
			       .protocol = IPPROTO_TCP,
			       .local = m->local,
			       .remote = m->remote,
			       .local_port = m->local_port,
			       .remote_port = m->remote_port,
			       .ifindex = m->ifindex };

	if (m->kind == TCP_MINI_REQUEST) {
		const struct tcp_request *r = container_of(m, struct tcp_request, mini);

		d.state = TCP_SYN_RECV;
		d.timer = 1;
		d.retransmits = r->retries;
		expires = r->expires;
	} else {
		const struct tcp_timewait *tw = container_of(m, struct tcp_timewait, mini);

		d.state = tw->state;
		d.timer = 3;
		d.refs = ref_read(&m->ref);
		expires = tw->expires;
	}
	d.timer_ns = expires > now ? expires - now : 0;
	return w->visit(&d, w->ctx);
}

void
tcp_diag_for_each(bool listening, bool others, inet_diag_visit *visit, void *ctx)
{
	struct walk w = { .visit = visit, .ctx = ctx };

	if (listening)
		tcp_listen_for_each(walk_sock, &w);
	if (others)
		tcp_hash_for_each(walk_sock, walk_mini, &w);
}

/* ---- /proc/net/tcp, tcp6 ---- */

struct lines {
	struct strbuf *sb;
	int family;
	u32 slot;
};

static bool
show_line(const struct inet_diag *d, void *ctx)
{
	struct lines *l = ctx;

	if (d->family != l->family)
		return false;
	inet_diag_line(l->sb, l->slot++, d);
	strbuf_putc(l->sb, '\n');
	return l->sb->overflow;
}

static int
show(struct strbuf *sb, bool v6)
{
	struct lines l = { .sb = sb, .family = v6 ? AF_INET6 : AF_INET };

	strbuf_puts(sb, v6 ? "  sl  local_address                         remote_address"
			     "                        st tx_queue rx_queue tr tm->when retrnsmt"
			     "   uid  timeout inode\n"
			   : "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when "
			     "retrnsmt   uid  timeout inode\n");
	tcp_diag_for_each(true, true, show_line, &l);
	return 0;
}

static int
show_tcp(struct strbuf *sb, void *ctx)
{
	return show(sb, false);
}

static int
show_tcp6(struct strbuf *sb, void *ctx)
{
	return show(sb, true);
}

static const struct pseudo_entry tcp_entry = {
	.name = "tcp",
	.mode = S_IFREG | 0444,
	.show = show_tcp,
};
static const struct pseudo_entry tcp6_entry = {
	.name = "tcp6",
	.mode = S_IFREG | 0444,
	.show = show_tcp6,
};

/* ---- /proc/sys/net/ipv4/tcp_* ---- */

static ssize_t
store_u32(u32 *to, const char *text, size_t len, u32 min, u32 max)
{
	u64 v;
	int r = parse_u64(text, 0, &v);

	if (r)
		return r;
	if (v < min || v > max)
		return -EINVAL;
	WRITE_ONCE(*to, (u32)v);
	return (ssize_t)len;
}

/* A number, or a switch: two functions that name the field. */
#define NUMBER(field, min, max)                                                 \
	static int show_##field(struct strbuf *sb, void *ctx)                   \
	{                                                                       \
		strbuf_printf(sb, "%u\n", (u32)tcp_init_net.field);             \
		return 0;                                                       \
	}                                                                       \
	static ssize_t store_##field(void *ctx, const char *text, size_t len)   \
	{                                                                       \
		u32 v;                                                          \
		ssize_t r = store_u32(&v, text, len, min, max);                 \
                                                                                \
		if (r > 0)                                                      \
			tcp_init_net.field = (__typeof__(tcp_init_net.field))v; \
		return r;                                                       \
	}

NUMBER(syn_retries, 1, 127)
NUMBER(synack_retries, 0, 255)
NUMBER(retries1, 0, 255)
NUMBER(retries2, 0, 255)
NUMBER(orphan_retries, 0, 255)
NUMBER(keepalive_time_s, 1, 32767 * 1000)
NUMBER(keepalive_intvl_s, 1, 32767)
NUMBER(keepalive_probes, 1, 127)
NUMBER(fin_timeout_s, 1, 3600)
NUMBER(max_syn_backlog, 0, INT32_MAX)
NUMBER(max_tw_buckets, 0, INT32_MAX)
NUMBER(max_orphans, 0, INT32_MAX)
NUMBER(notsent_lowat, 0, UINT32_MAX)
NUMBER(challenge_ack_limit, 0, INT32_MAX)
NUMBER(invalid_ratelimit_ms, 0, INT32_MAX)
NUMBER(syncookies, 0, 2)
NUMBER(tw_reuse, 0, 2)
NUMBER(timestamps, 0, 2)
NUMBER(sack, 0, 1)
NUMBER(window_scaling, 0, 1)
NUMBER(abort_on_overflow, 0, 1)
NUMBER(moderate_rcvbuf, 0, 1)
NUMBER(slow_start_after_idle, 0, 1)
NUMBER(rfc1337, 0, 1)
NUMBER(dsack, 0, 1)
NUMBER(stdurg, 0, 1)

static int
show_three(struct strbuf *sb, const u32 v[3])
{
	strbuf_printf(sb, "%u\t%u\t%u\n", v[0], v[1], v[2]);
	return 0;
}

static ssize_t
store_three(u32 v[3], const char *text, size_t len)
{
	const char *at = text;
	u32 fresh[3];

	for (u32 i = 0; i < 3; i++) {
		u64 n = parse_size(at, &at);

		if (!n || n > INT32_MAX)
			return -EINVAL;
		fresh[i] = (u32)n;
		while (*at == ' ' || *at == '\t' || *at == '\n')
			at++;
	}
	memcpy(v, fresh, sizeof(fresh));
	return (ssize_t)len;
}

static int
show_rmem(struct strbuf *sb, void *ctx)
{
	return show_three(sb, tcp_init_net.rmem);
}

static ssize_t
store_rmem(void *ctx, const char *text, size_t len)
{
	return store_three(tcp_init_net.rmem, text, len);
}

static int
show_wmem(struct strbuf *sb, void *ctx)
{
	return show_three(sb, tcp_init_net.wmem);
}

static ssize_t
store_wmem(void *ctx, const char *text, size_t len)
{
	return store_three(tcp_init_net.wmem, text, len);
}

static int
show_congestion(struct strbuf *sb, void *ctx)
{
	strbuf_printf(sb, "%s\n", tcp_init_net.congestion->name);
	return 0;
}

static ssize_t
store_congestion(void *ctx, const char *text, size_t len)
{
	char name[TCP_CONG_NAME_MAX];
	const struct congestion_ops *ops;

	if (strscpy(name, text, sizeof(name)) < 0)
		return -ENOENT;
	for (char *c = name; *c; c++) {
		if (*c == '\n')
			*c = 0;
	}
	ops = congestion_find(name);
	if (!ops)
		return -ENOENT;
	WRITE_ONCE(tcp_init_net.congestion, ops);
	return (ssize_t)len;
}

static int
show_available(struct strbuf *sb, void *ctx)
{
	char names[64];

	congestion_names(names, sizeof(names));
	strbuf_printf(sb, "%s\n", names);
	return 0;
}

#define RW S_IFREG | 0644
#define ENTRY(label, field)                                                             \
	{                                                                               \
		.name = label, .mode = RW, .show = show_##field, .store = store_##field \
	}

static const struct pseudo_entry sysctls[] = {
	ENTRY("tcp_abort_on_overflow", abort_on_overflow),
	ENTRY("tcp_challenge_ack_limit", challenge_ack_limit),
	ENTRY("tcp_congestion_control", congestion),
	ENTRY("tcp_dsack", dsack),
	ENTRY("tcp_fin_timeout", fin_timeout_s),
	ENTRY("tcp_invalid_ratelimit", invalid_ratelimit_ms),
	ENTRY("tcp_keepalive_intvl", keepalive_intvl_s),
	ENTRY("tcp_keepalive_probes", keepalive_probes),
	ENTRY("tcp_keepalive_time", keepalive_time_s),
	ENTRY("tcp_max_orphans", max_orphans),
	ENTRY("tcp_max_syn_backlog", max_syn_backlog),
	ENTRY("tcp_max_tw_buckets", max_tw_buckets),
	ENTRY("tcp_moderate_rcvbuf", moderate_rcvbuf),
	ENTRY("tcp_notsent_lowat", notsent_lowat),
	ENTRY("tcp_orphan_retries", orphan_retries),
	ENTRY("tcp_retries1", retries1),
	ENTRY("tcp_retries2", retries2),
	ENTRY("tcp_rfc1337", rfc1337),
	ENTRY("tcp_rmem", rmem),
	ENTRY("tcp_sack", sack),
	ENTRY("tcp_slow_start_after_idle", slow_start_after_idle),
	ENTRY("tcp_stdurg", stdurg),
	ENTRY("tcp_syn_retries", syn_retries),
	ENTRY("tcp_synack_retries", synack_retries),
	ENTRY("tcp_syncookies", syncookies),
	ENTRY("tcp_timestamps", timestamps),
	ENTRY("tcp_tw_reuse", tw_reuse),
	ENTRY("tcp_window_scaling", window_scaling),
	ENTRY("tcp_wmem", wmem),
	{ .name = "tcp_available_congestion_control",
	  .mode = S_IFREG | 0444,
	  .show = show_available },
	{ .name = "tcp_allowed_congestion_control",
	  .mode = S_IFREG | 0444,
	  .show = show_available },
	{ .name = NULL },
};

static void
counts(const struct net_ns *net, u32 *orphans, u32 *timewaits)
{
	*orphans = (u32)atomic_read(&net->tcp->orphans);
	*timewaits = tcp_timewait_count();
}

void
tcp_proc_init(void)
{
	inet_tcp_counts = counts;
	proc_net_add(&tcp_entry);
	proc_net_add(&tcp6_entry);
	(void)pseudo_extend(&proc_fs_type, "sys/net/ipv4", sysctls, NULL);
}

/* ---- start ---- */

static const struct inet_protocol tcp_protocol = {
	.protocol = IPPROTO_TCP,
	.receive = tcp_receive,
	.error = tcp_error,
};

static struct inet_socket_type tcp_type = {
	.type = SOCK_STREAM,
	.protocol = IPPROTO_TCP,
	.is_default = true,
	.sock_size = sizeof(struct tcp_sock),
	.ops = &tcp_socket_ops,
	.init = tcp_init_sock,
	.destroy = tcp_destroy_sock,
	.backlog = tcp_backlog,
	.deferred = tcp_deferred,
};

void
tcp_init(void)
{
	struct tcp_net *net = &tcp_init_net;
	struct mem_stats ms;

	/* By memory, as Linux: a sixteenth of the pages as orphans, less than 6 MiB a window on
	 * small machines. */
	mem_stats(&ms);
	net->max_orphans = net->max_tw_buckets = (u32)CLAMP(ms.total / 16, 1024ul, 262144ul);
	net->max_syn_backlog = (u32)CLAMP(ms.total / 512, 128ul, 4096ul);
	net->rmem[2] = (u32)CLAMP(ms.total * PAGE_SIZE / 128, 262144ul, 6291456ul);
	net->wmem[2] = (u32)CLAMP(ms.total * PAGE_SIZE / 128, 131072ul, 4194304ul);
	net_init_ns.tcp = net;
	tcp_secret_init();
	tcp_hash_init();
	tcp_timewait_init();
	port_table_init(&tcp_ports, "tcp", 12);
	inet_protocol_register(&tcp_protocol);
	inet_socket_type_register(&tcp_type);
	tcp_proc_init();
}
