/* SPDX-License-Identifier: MIT */
/* TEST: timeout=30 */
/* Devices that are made and deleted: veth pairs, what goes over the wire, ARP and rp_filter there.
 */
#include "net.h"
#include <linux/if_packet.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <net/ethernet.h>
#include <sched.h>

#define INFO_KIND 1
#define INFO_DATA 2

static struct {
	struct nlmsghdr h;
	struct ifinfomsg m;
	char attrs[512];
} rq;

static struct rtattr *
attr(int type, const void *data, size_t len)
{
	struct rtattr *a = (void *)((char *)&rq + NLMSG_ALIGN(rq.h.nlmsg_len));

	a->rta_type = (uint16_t)type;
	a->rta_len = (uint16_t)RTA_LENGTH(len);
	if (len)
		memcpy(RTA_DATA(a), data, len);
	rq.h.nlmsg_len = NLMSG_ALIGN(rq.h.nlmsg_len) + (uint32_t)RTA_ALIGN(a->rta_len);
	return a;
}

static void
attr_end(struct rtattr *a)
{
	a->rta_len = (uint16_t)((char *)&rq + rq.h.nlmsg_len - (char *)a);
}

static void
begin(int type, int flags)
{
	memset(&rq, 0, sizeof(rq));
	rq.h.nlmsg_len = NLMSG_LENGTH(sizeof(rq.m));
	rq.h.nlmsg_type = (uint16_t)type;
	rq.h.nlmsg_flags = (uint16_t)(NLM_F_REQUEST | NLM_F_ACK | flags);
}

/* The errno of the answer. */
static int
ask(int nl)
{
	struct {
		struct nlmsghdr h;
		struct nlmsgerr e;
		char rest[4096];
	} reply;

	must(send(nl, &rq, rq.h.nlmsg_len, 0));
	must(recv(nl, &reply, sizeof(reply), 0));
	return reply.h.nlmsg_type == NLMSG_ERROR ? -reply.e.error : -1;
}

static int
link_add(int nl, const char *kind, const char *name, const char *peer)
{
	struct ifinfomsg none = { 0 };

	begin(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL);
	attr(IFLA_IFNAME, name, strlen(name) + 1);
	struct rtattr *info = attr(IFLA_LINKINFO, NULL, 0);
	attr(INFO_KIND, kind, strlen(kind));
	if (peer) {
		struct rtattr *data = attr(INFO_DATA, NULL, 0);
		struct rtattr *other = attr(VETH_INFO_PEER, &none, sizeof(none));

		attr(IFLA_IFNAME, peer, strlen(peer) + 1);
		attr_end(other);
		attr_end(data);
	}
	attr_end(info);
	return ask(nl);
}

static int
link_delete(int nl, const char *name)
{
	begin(RTM_DELLINK, 0);
	attr(IFLA_IFNAME, name, strlen(name) + 1);
	return ask(nl);
}

/* Linux looks at links once a second. */
static int
link_becomes(const char *name, int running)
{
	struct ifreq r = { 0 };
	int s = must(socket(AF_INET, SOCK_DGRAM, 0));

	strcpy(r.ifr_name, name);
	for (int i = 0; i < 50; i++) {
		must(ioctl(s, SIOCGIFFLAGS, &r));
		if ((r.ifr_flags & IFF_RUNNING) == running)
			break;
		usleep(100000);
	}
	close(s);
	return (r.ifr_flags & IFF_RUNNING) == running;
}

static void
up(const char *name)
{
	struct ifreq r = { 0 };
	int s = must(socket(AF_INET, SOCK_DGRAM, 0));

	strcpy(r.ifr_name, name);
	must(ioctl(s, SIOCGIFFLAGS, &r));
	r.ifr_flags |= IFF_UP;
	must(ioctl(s, SIOCSIFFLAGS, &r));
	close(s);
}

static void
address(const char *name, const char *ip)
{
	struct ifreq r = { 0 };
	struct sockaddr_in a = in4(ip, 0);
	int s = must(socket(AF_INET, SOCK_DGRAM, 0));

	strcpy(r.ifr_name, name);
	memcpy(&r.ifr_addr, &a, sizeof(a));
	must(ioctl(s, SIOCSIFADDR, &r));
	close(s);
}

static void
mac_of(const char *name, uint8_t *mac)
{
	struct ifreq r = { 0 };
	int s = must(socket(AF_INET, SOCK_DGRAM, 0));

	strcpy(r.ifr_name, name);
	must(ioctl(s, SIOCGIFHWADDR, &r));
	memcpy(mac, r.ifr_hwaddr.sa_data, 6);
	close(s);
}

static void
conf(const char *file, const char *value)
{
	char path[128];
	int fd;

	snprintf(path, sizeof(path), "/proc/sys/net/ipv4/conf/%s", file);
	fd = must(open(path, O_WRONLY));
	must(write(fd, value, 1));
	close(fd);
}

static int
packet_socket(const char *name, int protocol)
{
	struct sockaddr_ll a = { .sll_family = AF_PACKET,
				 .sll_protocol = htons((uint16_t)protocol),
				 .sll_ifindex = (int)if_nametoindex(name) };
	int s = must(socket(AF_PACKET, SOCK_RAW, 0));

	must(bind(s, (void *)&a, sizeof(a)));
	return s;
}

static int
comes(int fd, int ms)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	return poll(&p, 1, ms) == 1 && (p.revents & POLLIN);
}

static uint8_t frame[1514], got[2048];
static uint8_t mac_a[6], mac_b[6];

/* What a host 10.99.0.77 at the end tva would ask: who has 10.99.0.1? */
static int
arp_answered(int s)
{
	uint8_t *p = frame;

	memset(p, 0xff, 6);
	memcpy(p + 6, mac_a, 6);
	memcpy(p + 12, "\x08\x06\0\1\x08\0\6\4\0\1", 10);
	memcpy(p + 22, mac_a, 6);
	memcpy(p + 28, "\x0a\x63\0\x4d\0\0\0\0\0\0\x0a\x63\0\1", 14);
	must(send(s, p, 42, 0));
	while (comes(s, 300)) {
		ssize_t n = must(recv(s, got, sizeof(got), 0));

		if (n >= 42 && got[21] == 2 && !memcmp(got + 28, "\x0a\x63\0\1", 4))
			return !memcmp(got + 22, mac_b, 6);
	}
	return 0;
}

static void
checksum(uint8_t *h)
{
	uint32_t sum = 0;

	h[10] = h[11] = 0;
	for (int i = 0; i < 20; i += 2)
		sum += (uint32_t)h[i] << 8 | h[i + 1];
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	h[10] = (uint8_t)(~sum >> 8);
	h[11] = (uint8_t)~sum;
}

/* A UDP datagram of one byte from `source` to 10.99.0.1, put on the wire at tva. Does it arrive? */
static int
datagram_arrives(int s, int udp, int port, const char *source, int options)
{
	uint8_t *ip = frame + 14, *u;
	struct in_addr from;
	int header = 20 + options;

	inet_pton(AF_INET, source, &from);
	memset(frame, 0, sizeof(frame));
	memcpy(frame, mac_b, 6);
	memcpy(frame + 6, mac_a, 6);
	frame[12] = 8;
	ip[0] = (uint8_t)(0x40 | header / 4);
	ip[3] = (uint8_t)(header + 9);
	ip[8] = 64;
	ip[9] = IPPROTO_UDP;
	memcpy(ip + 12, &from, 4);
	memcpy(ip + 16, "\x0a\x63\0\1", 4);
	u = ip + header;
	u[1] = 9;
	u[2] = (uint8_t)(port >> 8);
	u[3] = (uint8_t)port;
	u[5] = 9;
	u[8] = 'x';
	if (options) { /* a loose source route that has been travelled */
		uint32_t sum = 0;

		memcpy(ip + 20, "\x83\x07\x08\x0a\x63\0\1\0", 8);
		ip[10] = ip[11] = 0;
		for (int i = 0; i < header; i += 2)
			sum += (uint32_t)ip[i] << 8 | ip[i + 1];
		while (sum >> 16)
			sum = (sum & 0xffff) + (sum >> 16);
		ip[10] = (uint8_t)(~sum >> 8);
		ip[11] = (uint8_t)~sum;
	} else {
		checksum(ip);
	}
	must(send(s, frame, (size_t)(14 + header + 9), 0));
	return comes(udp, 300) && recv(udp, got, sizeof(got), 0) == 1;
}

static void
wire(int nl)
{
	int a, b, udp, port;

	is_int(link_add(nl, "veth", "tva", "tvb"), 0, "a veth pair");
	ok(if_nametoindex("tva") && if_nametoindex("tvb"), "has two ends");
	is_int(link_add(nl, "veth", "tva", "tvc"), EEXIST, "a name that is taken");
	ok(!if_nametoindex("tvc"), "leaves nothing behind");
	up("tva");
	ok(link_becomes("tva", 0), "one end up: no link");
	up("tvb");
	ok(link_becomes("tva", IFF_RUNNING) && link_becomes("tvb", IFF_RUNNING), "both: a link");
	mac_of("tva", mac_a);
	mac_of("tvb", mac_b);
	ok(!(mac_a[0] & 1) && memcmp(mac_a, mac_b, 6) != 0, "each has an address of its own");

	a = packet_socket("tva", ETH_P_ALL);
	b = packet_socket("tvb", 0x88b5);
	memcpy(frame, mac_b, 6);
	memcpy(frame + 6, mac_a, 6);
	memcpy(frame + 12, "\x88\xb5", 2);
	for (int i = 14; i < 1514; i++)
		frame[i] = (uint8_t)(i * 7);
	is_int(send(a, frame, 1514, 0), 1514, "a frame goes in");
	ok(comes(b, 3000) && recv(b, got, sizeof(got), 0) == 1514 && !memcmp(got, frame, 1514),
	   "and comes out at the other end as it was");

	address("tvb", "10.99.0.1");
	conf("all/rp_filter", "0");
	conf("tvb/rp_filter", "0");
	conf("tvb/arp_ignore", "0");
	ok(arp_answered(a), "ARP for the address of an end");
	conf("tvb/arp_ignore", "8");
	ok(!arp_answered(a), "arp_ignore 8: no answer");
	conf("tvb/arp_ignore", "1");
	ok(arp_answered(a), "arp_ignore 1: it is the end's own");

	udp = must(socket(AF_INET, SOCK_DGRAM, 0));
	port = bind4(udp, "10.99.0.1");
	ok(datagram_arrives(a, udp, port, "10.99.0.77", 0), "a datagram from the network arrives");
	ok(datagram_arrives(a, udp, port, "127.0.0.1", 0) == 0, "one from 127.0.0.1 does not");
	ok(datagram_arrives(a, udp, port, "10.99.0.1", 0) == 0, "nor one from ourselves");
	conf("tvb/accept_local", "1");
	ok(datagram_arrives(a, udp, port, "10.99.0.1", 0), "unless accept_local says so");
	conf("tvb/rp_filter", "1");
	ok(datagram_arrives(a, udp, port, "10.99.0.77", 0),
	   "strict rp_filter: a source on this wire");
	ok(datagram_arrives(a, udp, port, "192.0.2.5", 0) == 0, "not one without a way back");
	conf("tvb/rp_filter", "2");
	ok(datagram_arrives(a, udp, port, "192.0.2.5", 0) == 0, "nor if loose");
	conf("all/accept_source_route", "0");
	ok(datagram_arrives(a, udp, port, "10.99.0.77", 8) == 0, "a source-routed one does not");

	is_int(link_delete(nl, "tva"), 0, "one end is deleted");
	ok(!if_nametoindex("tva") && !if_nametoindex("tvb"), "and both are gone");
	sys_err(recv(b, got, sizeof(got), MSG_DONTWAIT), ENETDOWN,
		"who listened there hears ENETDOWN");
	sys_err(recv(b, got, sizeof(got), MSG_DONTWAIT), EAGAIN, "once");
	close(a);
	close(b);
	close(udp);
}

int
main(void)
{
	struct sockaddr_in far = in4("10.98.0.9", 9);
	int nl, r, s, good = 0;

	/* Where there are namespaces, not in that of the machine. */
	ok(unshare(CLONE_NEWNET) == 0 || errno == EINVAL, "a network of our own, or everybody's");
	nl = must(socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE));
	lo_up();
	wire(nl);
	is_int(link_add(nl, "nosuch", "tva", NULL), EOPNOTSUPP, "an unknown kind");
	begin(RTM_NEWLINK, 0);
	is_int(ask(nl), ENODEV, "a change of nothing, as iproute2 asks to see what can be asked");
	is_int(link_delete(nl, "nosuch"), ENODEV, "deleting what is not there");
	is_int(link_delete(nl, "lo"), EOPNOTSUPP, "deleting lo");

	/* With addresses, routes, neighbours, connected sockets and packets that wait for ARP. */
	for (int i = 0; i < 20; i++) {
		if (link_add(nl, "veth", "tva", "tvb"))
			break;
		up("tva");
		up("tvb");
		address("tva", "10.98.0.1");
		s = must(socket(AF_INET, SOCK_DGRAM, 0));
		must(connect(s, (void *)&far, sizeof(far)));
		must(send(s, "x", 1, 0));
		good += link_delete(nl, "tvb") == 0 && send(s, "x", 1, 0) < 0;
		close(s);
	}
	is_int(good, 20, "made, used and deleted again and again");

	/* A Linux need not have it. */
	r = link_add(nl, "dummy", "tdum", NULL);
	ok(r == EOPNOTSUPP || (r == 0 && if_nametoindex("tdum") && !link_delete(nl, "tdum")),
	   "a dummy device");
	return done();
}
