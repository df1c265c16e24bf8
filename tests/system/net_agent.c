/* SPDX-License-Identifier: MIT */
/*
 * net_agent.c - the guest's hands in the network tests: an init that does what its console says.
 *
 * A line is a command: a verb and its words (the table at the end). The answer is one line,
 * "= N WORDS": what the system call returned, or a negative errno; `show` puts the lines of a file,
 * each behind "| ", before it. Descriptors are plain numbers. "spawn VERB ..." does it in a process
 * of its own, whose answer nobody sees.
 *
 * Streams carry a pattern of PATTERN bytes again and again, which tools/kevlar_lib/frames.py knows
 * too: each byte that arrives is compared with what must be at its place.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_packet.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#define WORDS	   12
#define PATTERN	   (8u * 131071)
#define BLOCK	   65536
#define PATIENCE   120000 /* ms without progress after which a stream is given up */
#define CHURN_MAX  64
#define ECHO_FILES 4096

static unsigned char pattern[PATTERN + BLOCK];
static unsigned char data[1 << 20];

static long long
now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000ll + ts.tv_nsec / 1000000;
}

static void __attribute__((format(printf, 2, 3))) answer(long value, const char *format, ...)
{
	va_list args;

	printf("= %ld ", value);
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	printf("\n");
	fflush(stdout);
}

static void
result(long value)
{
	answer(value < 0 ? -errno : value, "%s", value < 0 ? strerror(errno) : "");
}

static long
number(const char *word)
{
	return word ? strtol(word, NULL, 0) : 0;
}

static void
pattern_fill(void)
{
	unsigned long long x = 88172645463325252ull;

	for (unsigned i = 0; i < PATTERN; i += 8) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		memcpy(pattern + i, &x, 8);
	}
	memcpy(pattern + PATTERN, pattern, BLOCK);
}

static unsigned
crc32(const unsigned char *p, size_t len)
{
	unsigned crc = ~0u;

	while (len--) {
		crc ^= *p++;
		for (int i = 0; i < 8; i++)
			crc = crc >> 1 ^ (crc & 1 ? 0xedb88320u : 0);
	}
	return ~crc;
}

/* An address and a port, "fe80::1%2" with its link: the length of the sockaddr, or 0. */
static socklen_t
address_of(const char *text, const char *port, struct sockaddr_storage *out)
{
	struct sockaddr_in *a = (void *)out;
	struct sockaddr_in6 *b = (void *)out;
	char host[64];
	const char *link = text ? strchr(text, '%') : NULL;

	memset(out, 0, sizeof(*out));
	if (!text)
		return 0;
	snprintf(host, sizeof(host), "%.*s", link ? (int)(link - text) : 63, text);
	if (inet_pton(AF_INET, host, &a->sin_addr) == 1) {
		a->sin_family = AF_INET;
		a->sin_port = htons((unsigned short)number(port));
		return sizeof(*a);
	}
	if (inet_pton(AF_INET6, host, &b->sin6_addr) != 1)
		return 0;
	b->sin6_family = AF_INET6;
	b->sin6_port = htons((unsigned short)number(port));
	b->sin6_scope_id = link ? (unsigned)number(link + 1) : 0;
	return sizeof(*b);
}

static void
name_of(const struct sockaddr_storage *from, char *out, size_t size)
{
	const struct sockaddr_in *a = (const void *)from;
	const struct sockaddr_in6 *b = (const void *)from;
	char host[64] = "-";

	if (from->ss_family == AF_INET)
		inet_ntop(AF_INET, &a->sin_addr, host, sizeof(host));
	else if (from->ss_family == AF_INET6)
		inet_ntop(AF_INET6, &b->sin6_addr, host, sizeof(host));
	snprintf(out, size, "%s %d", host, ntohs(from->ss_family ? a->sin_port : 0));
}

/* ---- sockets ---- */

static void
do_socket(char **w)
{
	result(socket((int)number(w[1]), (int)number(w[2]), (int)number(w[3])));
}

static void
do_bind(char **w)
{
	struct sockaddr_storage a;
	socklen_t len = address_of(w[2], w[3], &a);

	result(bind((int)number(w[1]), (void *)&a, len));
}

static void
do_connect(char **w)
{
	struct sockaddr_storage a;
	socklen_t len = address_of(w[2], w[3], &a);

	result(connect((int)number(w[1]), (void *)&a, len));
}

static void
do_listen(char **w)
{
	result(listen((int)number(w[1]), (int)number(w[2])));
}

static void
do_accept(char **w)
{
	result(accept4((int)number(w[1]), NULL, NULL, (int)number(w[2])));
}

/* poll FD EVENTS MILLISECONDS: what it reports. */
static void
do_poll(char **w)
{
	struct pollfd p = { .fd = (int)number(w[1]), .events = (short)number(w[2]) };
	int r = poll(&p, 1, (int)number(w[3]));

	result(r < 0 ? r : p.revents);
}

/* send FD BYTES FLAGS [ADDRESS PORT]: of the pattern, from its beginning. */
static void
do_send(char **w)
{
	struct sockaddr_storage a;
	socklen_t len = address_of(w[4], w[5], &a);
	size_t n = (size_t)number(w[2]);

	result(sendto((int)number(w[1]), pattern, n > PATTERN ? PATTERN : n,
		      (int)number(w[3]) | MSG_NOSIGNAL, len ? (void *)&a : NULL, len));
}

/* recv FD BYTES FLAGS: the count, its CRC-32, the sender, the first bytes. */
static void
do_recv(char **w)
{
	struct sockaddr_storage from = { 0 };
	socklen_t len = sizeof(from);
	size_t n = (size_t)number(w[2]);
	char name[80], hex[129] = "";
	ssize_t r = recvfrom((int)number(w[1]), data, n > sizeof(data) ? sizeof(data) : n,
			     (int)number(w[3]), (void *)&from, &len);

	if (r < 0) {
		result(r);
		return;
	}
	name_of(&from, name, sizeof(name));
	for (ssize_t i = 0; i < r && i < 64; i++)
		sprintf(hex + 2 * i, "%02x", data[i]);
	answer(r, "%u %s %s", crc32(data, (size_t)r), name, hex);
}

/* error FD: what the error queue has: errno, origin, type, code, info. */
static void
do_error(char **w)
{
	struct { /* sock_extended_err, without linux/errqueue.h's quarrel with time.h */
		unsigned errno_;
		unsigned char origin, type, code, pad;
		unsigned info, data;
	} * e;
	char control[512];
	struct iovec v = { data, sizeof(data) };
	struct msghdr m = { .msg_iov = &v,
			    .msg_iovlen = 1,
			    .msg_control = control,
			    .msg_controllen = sizeof(control) };

	if (recvmsg((int)number(w[1]), &m, MSG_ERRQUEUE) < 0) {
		result(-1);
		return;
	}
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&m); c; c = CMSG_NXTHDR(&m, c)) {
		e = (void *)CMSG_DATA(c);
		answer(0, "%u %u %u %u %u", e->errno_, e->origin, e->type, e->code, e->info);
		return;
	}
	answer(-ENOMSG, "no report");
}

static size_t
from_hex(const char *text, unsigned char *out, size_t size)
{
	size_t n = 0;
	unsigned byte;

	while (n < size && sscanf(text + 2 * n, "%2x", &byte) == 1)
		out[n++] = (unsigned char)byte;
	return n;
}

/* set FD LEVEL NAME (NUMBER | xHEX) */
static void
do_set(char **w)
{
	unsigned char value[256];
	int v = (int)number(w[4]);
	size_t len = sizeof(v);

	memcpy(value, &v, sizeof(v));
	if (w[4] && w[4][0] == 'x')
		len = from_hex(w[4] + 1, value, sizeof(value));
	result(setsockopt((int)number(w[1]), (int)number(w[2]), (int)number(w[3]), value,
			  (socklen_t)len));
}

/* get FD LEVEL NAME LENGTH: the value in hexadecimal. */
static void
do_get(char **w)
{
	unsigned char value[512];
	char hex[1025] = "";
	socklen_t len = (socklen_t)number(w[4]);
	int r = getsockopt((int)number(w[1]), (int)number(w[2]), (int)number(w[3]), value, &len);

	if (r < 0) {
		result(r);
		return;
	}
	for (socklen_t i = 0; i < len; i++)
		sprintf(hex + 2 * i, "%02x", value[i]);
	answer((long)len, "%s", hex);
}

/* ioctl FD REQUEST: of the kind that fills in one number. */
static void
do_ioctl(char **w)
{
	int v = 0, r = ioctl((int)number(w[1]), (unsigned long)number(w[2]), &v);

	result(r < 0 ? r : v);
}

static void
do_shutdown(char **w)
{
	result(shutdown((int)number(w[1]), (int)number(w[2])));
}

static void
do_close(char **w)
{
	result(close((int)number(w[1])));
}

/* ---- files ---- */

static void
do_put(char **w)
{
	int fd = open(w[1], O_WRONLY | O_CLOEXEC);
	char text[256];
	int n = snprintf(text, sizeof(text), "%s%s%s", w[2], w[3] ? " " : "", w[3] ? w[3] : "");

	result(fd < 0 ? fd : write(fd, text, (size_t)n));
	close(fd);
}

static void
do_show(char **w)
{
	FILE *file = fopen(w[1], "re");
	char line[1024];
	long n = 0;

	while (file && fgets(line, sizeof(line), file)) {
		printf("| %s", line);
		n++;
	}
	result(file ? n : -1);
	if (file)
		fclose(file);
}

/* ---- links, addresses, routes ---- */

struct request {
	struct nlmsghdr head;
	union {
		struct ifaddrmsg address;
		struct rtmsg route;
		struct ifinfomsg link;
		char room[128];
	} u;
};

static void
attribute(struct request *q, int type, const void *value, size_t len)
{
	struct rtattr *a = (void *)((char *)q + NLMSG_ALIGN(q->head.nlmsg_len));

	a->rta_type = (unsigned short)type;
	a->rta_len = (unsigned short)RTA_LENGTH(len);
	memcpy(RTA_DATA(a), value, len);
	q->head.nlmsg_len = NLMSG_ALIGN(q->head.nlmsg_len) + RTA_ALIGN(a->rta_len);
}

static void
request(struct request *q, int type, int flags)
{
	int s = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	struct {
		struct nlmsghdr head;
		struct nlmsgerr error;
		char room[256];
	} reply = { 0 };

	q->head.nlmsg_type = (unsigned short)type;
	q->head.nlmsg_flags = (unsigned short)(NLM_F_REQUEST | NLM_F_ACK | flags);
	if (s < 0 || send(s, q, q->head.nlmsg_len, 0) < 0 ||
	    recv(s, &reply, sizeof(reply), 0) < 0) {
		result(-1);
	} else {
		errno = -reply.error.error;
		result(reply.error.error ? -1 : 0);
	}
	close(s);
}

static size_t
raw_address(const struct sockaddr_storage *a, const void **bytes)
{
	if (a->ss_family == AF_INET) {
		*bytes = &((const struct sockaddr_in *)(const void *)a)->sin_addr;
		return 4;
	}
	*bytes = &((const struct sockaddr_in6 *)(const void *)a)->sin6_addr;
	return 16;
}

/* address DEVICE ADDRESS LENGTH [del] */
static void
do_address(char **w)
{
	struct request q = { .head = { .nlmsg_len = NLMSG_LENGTH(sizeof(q.u.address)) } };
	struct sockaddr_storage a;
	const void *bytes;
	size_t len;

	if (!address_of(w[2], NULL, &a)) {
		answer(-EINVAL, "address");
		return;
	}
	len = raw_address(&a, &bytes);
	q.u.address = (struct ifaddrmsg){ .ifa_family = (unsigned char)a.ss_family,
					  .ifa_prefixlen = (unsigned char)number(w[3]),
					  .ifa_index = if_nametoindex(w[1]) };
	attribute(&q, IFA_LOCAL, bytes, len);
	attribute(&q, IFA_ADDRESS, bytes, len);
	request(&q, w[4] ? RTM_DELADDR : RTM_NEWADDR, w[4] ? 0 : NLM_F_CREATE | NLM_F_EXCL);
}

/* route DESTINATION LENGTH GATEWAY|- DEVICE */
static void
do_route(char **w)
{
	struct request q = { .head = { .nlmsg_len = NLMSG_LENGTH(sizeof(q.u.route)) } };
	struct sockaddr_storage to, via;
	unsigned index = if_nametoindex(w[4]);
	const void *bytes;
	size_t len;

	if (!address_of(w[1], NULL, &to)) {
		answer(-EINVAL, "address");
		return;
	}
	q.u.route = (struct rtmsg){ .rtm_family = (unsigned char)to.ss_family,
				    .rtm_dst_len = (unsigned char)number(w[2]),
				    .rtm_table = RT_TABLE_MAIN,
				    .rtm_protocol = RTPROT_STATIC,
				    .rtm_scope = w[3][0] == '-' ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE,
				    .rtm_type = RTN_UNICAST };
	len = raw_address(&to, &bytes);
	if (q.u.route.rtm_dst_len)
		attribute(&q, RTA_DST, bytes, len);
	if (address_of(w[3], NULL, &via)) {
		len = raw_address(&via, &bytes);
		attribute(&q, RTA_GATEWAY, bytes, len);
	}
	attribute(&q, RTA_OIF, &index, sizeof(index));
	request(&q, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_REPLACE);
}

/* link DEVICE up|down|MTU */
static void
do_link(char **w)
{
	int s = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), r;
	struct ifreq q = { 0 };

	snprintf(q.ifr_name, sizeof(q.ifr_name), "%s", w[1]);
	r = ioctl(s, SIOCGIFFLAGS, &q);
	if (r == 0 && number(w[2])) {
		q.ifr_mtu = (int)number(w[2]);
		r = ioctl(s, SIOCSIFMTU, &q);
	} else if (r == 0) {
		q.ifr_flags = (short)(w[2][0] == 'u' ? q.ifr_flags | IFF_UP
						     : q.ifr_flags & ~IFF_UP);
		r = ioctl(s, SIOCSIFFLAGS, &q);
	}
	result(r);
	close(s);
}

/* ---- streams ---- */

static int
ready(int fd, int events)
{
	struct pollfd p = { .fd = fd, .events = (short)events };

	return poll(&p, 1, PATIENCE) == 1;
}

/* source FD BYTES: sends so many of the pattern; the count and the milliseconds. */
static void
do_source(char **w)
{
	int fd = (int)number(w[1]);
	long long total = strtoll(w[2], NULL, 0), at = 0, begin = now_ms();

	while (at < total) {
		size_t n = total - at < BLOCK ? (size_t)(total - at) : BLOCK;
		ssize_t r = send(fd, pattern + at % PATTERN, n, MSG_NOSIGNAL | MSG_DONTWAIT);

		if (r < 0 && (errno != EAGAIN || !ready(fd, POLLOUT)))
			break;
		at += r > 0 ? r : 0;
	}
	if (at < total)
		answer(-errno, "%lld bytes: %s", at, strerror(errno));
	else
		answer(0, "%lld bytes %lld ms", at, now_ms() - begin);
}

/* sink FD: receives until the end; the count and the milliseconds. */
static void
do_sink(char **w)
{
	int fd = (int)number(w[1]);
	long long at = 0, begin = now_ms();

	for (;;) {
		ssize_t r = recv(fd, data, BLOCK, MSG_DONTWAIT);

		if (r == 0)
			break;
		if (r < 0) {
			if (errno == EAGAIN && ready(fd, POLLIN))
				continue;
			answer(-errno, "%lld bytes: %s", at, strerror(errno));
			return;
		}
		if (memcmp(data, pattern + at % PATTERN, (size_t)r)) {
			answer(-EBADMSG, "damaged after %lld bytes", at);
			return;
		}
		at += r;
	}
	answer(0, "%lld bytes %lld ms", at, now_ms() - begin);
}

struct churner {
	int fd;
	short waits;
};

static int
churn_open(struct churner *c, const struct sockaddr_storage *to, socklen_t len)
{
	c->fd = socket(to->ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	c->waits = POLLOUT;
	if (c->fd < 0)
		return -1;
	return connect(c->fd, (const void *)to, len) < 0 && errno != EINPROGRESS ? -1 : 0;
}

/*
 * churn ADDRESS PORT COUNT PARALLEL: connections to an echo, which all send a byte, get it back and
 * end. Every second one ends first, so that both sides have their share of TIME-WAIT.
 */
static void
do_churn(char **w)
{
	static struct churner list[CHURN_MAX];
	struct pollfd polls[CHURN_MAX];
	struct sockaddr_storage to;
	socklen_t len = address_of(w[1], w[2], &to);
	long count = number(w[3]), started = 0, done = 0;
	long n = number(w[4]) < CHURN_MAX ? number(w[4]) : CHURN_MAX;
	long long begin = now_ms();

	for (long i = 0; i < n; i++)
		list[i].fd = -1;
	while (done < count) {
		for (long i = 0; i < n; i++) {
			if (list[i].fd < 0 && started < count) {
				if (churn_open(&list[i], &to, len))
					goto failed;
				started++;
			}
			polls[i] = (struct pollfd){ .fd = list[i].fd, .events = list[i].waits };
		}
		if (poll(polls, (nfds_t)n, PATIENCE) <= 0) {
			errno = ETIMEDOUT;
			goto failed;
		}
		for (long i = 0; i < n; i++) {
			char c = 'x';
			ssize_t r;

			if (list[i].fd < 0 || !polls[i].revents)
				continue;
			if (list[i].waits == POLLOUT) {
				if (send(list[i].fd, &c, 1, MSG_NOSIGNAL) != 1)
					goto failed;
				list[i].waits = POLLIN;
				continue;
			}
			r = recv(list[i].fd, &c, 1, 0);
			if (r == 1 && (done & 1) && shutdown(list[i].fd, SHUT_WR) == 0)
				continue; /* wait for the other's end */
			if (r < 0)
				goto failed;
			close(list[i].fd);
			list[i].fd = -1;
			done++;
		}
	}
	answer(0, "%ld connections %lld ms", done, now_ms() - begin);
	return;
failed:
	answer(-errno, "after %ld of %ld: %s", done, count, strerror(errno));
	for (long i = 0; i < n; i++)
		if (list[i].fd >= 0)
			close(list[i].fd);
}

static void
echo_serve(int e, int fd)
{
	char block[4096];
	ssize_t r = recv(fd, block, sizeof(block), MSG_DONTWAIT);

	if (r < 0 && errno == EAGAIN)
		return;
	if (r <= 0 || send(fd, block, (size_t)r, MSG_NOSIGNAL | MSG_DONTWAIT) != r) {
		(void)epoll_ctl(e, EPOLL_CTL_DEL, fd, NULL);
		close(fd);
	}
}

/* echo FD: everything that comes to a listener goes back; ends with its process. */
static void
do_echo(char **w)
{
	int listener = (int)number(w[1]), e = epoll_create1(EPOLL_CLOEXEC);
	struct epoll_event ev = { .events = EPOLLIN, .data.fd = listener }, got[64];

	(void)epoll_ctl(e, EPOLL_CTL_ADD, listener, &ev);
	for (;;) {
		int n = epoll_wait(e, got, 64, -1);

		for (int i = 0; i < n; i++) {
			int fd = got[i].data.fd;

			if (fd != listener) {
				echo_serve(e, fd);
				continue;
			}
			fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
			ev.data.fd = fd;
			if (fd >= 0 && epoll_ctl(e, EPOLL_CTL_ADD, fd, &ev) < 0)
				close(fd);
		}
	}
}

/* ---- junk ---- */

static unsigned long long junk_state;

static unsigned
junk(unsigned below)
{
	junk_state ^= junk_state << 13;
	junk_state ^= junk_state >> 7;
	junk_state ^= junk_state << 17;
	return (unsigned)((junk_state >> 16) % below);
}

/* junk DEVICE SEED MILLISECONDS: frames of noise behind headers that are nearly right, from a
 * packet socket. */
static void
do_junk(char **w)
{
	static const unsigned short types[] = { 0x0800, 0x86dd, 0x0806, 0x8100, 0x0003, 0x88cc };
	static const unsigned char protocols[] = { 1, 2, 6, 17, 58, 0, 43, 44, 60, 41, 47, 255 };
	int s = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, htons(0x0003));
	struct sockaddr_ll to = { .sll_family = AF_PACKET,
				  .sll_ifindex = (int)if_nametoindex(w[1]),
				  .sll_halen = 6 };
	long long end = now_ms() + number(w[3]);
	long sent = 0, refused = 0;
	int small = 4096;

	/* What comes back is not read: little of it is kept. */
	(void)setsockopt(s, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
	junk_state = (unsigned long long)number(w[2]) * 2654435761u + 1;
	while (now_ms() < end) {
		unsigned len = junk(4) ? 14 + junk(200) : junk(2000);
		unsigned short type = types[junk(6)];
		unsigned char *ip = data + 14;

		for (unsigned i = 0; i < len + 64; i++)
			data[i] = (unsigned char)junk(256);
		if (junk(8))
			memset(data, 0, 12);
		data[12] = (unsigned char)(type >> 8);
		data[13] = (unsigned char)type;
		if (type == 0x0800 && junk(8)) {
			unsigned total = len > 14 ? len - 14 : 0;

			ip[0] = junk(4) ? 0x45 : (unsigned char)(0x40 | junk(16));
			if (junk(4)) {
				ip[2] = (unsigned char)(total >> 8);
				ip[3] = (unsigned char)total;
			}
			if (junk(2))
				ip[6] = ip[7] = 0;
			ip[9] = protocols[junk(12)];
			memcpy(ip + 12, "\x7f\0\0\1\x7f\0\0\1", 8);
			unsigned sum = 0;
			ip[10] = ip[11] = 0;
			for (unsigned i = 0; i < (ip[0] & 15u) * 4; i += 2)
				sum += (unsigned)ip[i] << 8 | ip[i + 1];
			sum = (sum & 0xffff) + (sum >> 16);
			sum = ~(sum + (sum >> 16));
			ip[10] = (unsigned char)(sum >> 8);
			ip[11] = (unsigned char)sum;
		} else if (type == 0x86dd && junk(8)) {
			ip[0] = 0x60;
			ip[4] = (unsigned char)((len - 54) >> 8);
			ip[5] = (unsigned char)(len - 54);
			ip[6] = protocols[junk(12)];
			memset(ip + 8, 0, 32);
			ip[23] = ip[39] = 1;
		}
		if (sendto(s, data, len, MSG_DONTWAIT, (void *)&to, sizeof(to)) < 0)
			refused++;
		sent++;
	}
	close(s);
	answer(sent, "%ld refused", refused);
}

/* ---- the loop ---- */

static void
do_ping(char **w)
{
	(void)w;
	answer(0, "here");
}

static void
do_sleep(char **w)
{
	usleep((useconds_t)number(w[1]) * 1000);
	answer(0, "%s", "");
}

static void do_spawn(char **w);

static const struct verb {
	const char *name;
	void (*run)(char **words);
} verbs[] = {
	{ "socket", do_socket },     { "bind", do_bind },	{ "connect", do_connect },
	{ "listen", do_listen },     { "accept", do_accept },	{ "poll", do_poll },
	{ "send", do_send },	     { "recv", do_recv },	{ "error", do_error },
	{ "set", do_set },	     { "get", do_get },		{ "ioctl", do_ioctl },
	{ "shutdown", do_shutdown }, { "close", do_close },	{ "put", do_put },
	{ "show", do_show },	     { "address", do_address }, { "route", do_route },
	{ "link", do_link },	     { "source", do_source },	{ "sink", do_sink },
	{ "churn", do_churn },	     { "echo", do_echo },	{ "junk", do_junk },
	{ "ping", do_ping },	     { "sleep", do_sleep },	{ "spawn", do_spawn },
};

static void
run(char **w)
{
	for (size_t i = 0; w[0] && i < sizeof(verbs) / sizeof(verbs[0]); i++) {
		if (strcmp(verbs[i].name, w[0]) == 0) {
			verbs[i].run(w);
			return;
		}
	}
	answer(-ENOSYS, "no such verb");
}

static void
do_spawn(char **w)
{
	pid_t pid = fork();

	if (pid == 0) {
		if (!freopen("/dev/null", "w", stdout))
			_exit(1);
		run(w + 1);
		_exit(0);
	}
	result(pid);
}

int
main(void)
{
	char line[1024];
	struct termios t;

	(void)mount("devtmpfs", "/dev", "devtmpfs", 0, NULL);
	(void)mount("proc", "/proc", "proc", 0, NULL);
	(void)mount("sysfs", "/sys", "sysfs", 0, NULL);
	signal(SIGCHLD, SIG_IGN);
	if (tcgetattr(0, &t) == 0) {
		t.c_lflag &= ~(tcflag_t)ECHO;
		(void)tcsetattr(0, TCSANOW, &t);
	}
	pattern_fill();
	answer(0, "ready");
	while (fgets(line, sizeof(line), stdin)) {
		char *w[WORDS + 1] = { NULL };
		int n = 0;

		for (char *p = strtok(line, " \r\n"); p && n < WORDS; p = strtok(NULL, " \r\n"))
			w[n++] = p;
		run(w);
	}
	sync();
	reboot(RB_POWER_OFF);
	return 1;
}
