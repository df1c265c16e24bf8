/* SPDX-License-Identifier: MIT */
/* Interfaces as ioctls, /proc/net and /sys tell of them; multicast on lo; socket filters. */
#include "net.h"

struct sock_filter {
	uint16_t code;
	uint8_t jt, jf;
	uint32_t k;
};
struct sock_fprog {
	unsigned short len;
	struct sock_filter *filter;
};

static char buf[4096];

static void
ioctls(void)
{
	int s = must(socket(AF_INET, SOCK_DGRAM, 0)), u = must(socket(AF_UNIX, SOCK_STREAM, 0));
	struct ifreq r = { 0 };
	struct ifconf c = { .ifc_len = sizeof(buf), .ifc_buf = buf };
	int index, found = 0;

	strcpy(r.ifr_name, "lo");
	sys_ok(ioctl(s, SIOCGIFFLAGS, &r), "SIOCGIFFLAGS");
	ok((r.ifr_flags & (IFF_UP | IFF_LOOPBACK | IFF_RUNNING)) ==
		   (IFF_UP | IFF_LOOPBACK | IFF_RUNNING),
	   "up, loopback, running");
	ok(!(r.ifr_flags & (IFF_BROADCAST | IFF_PROMISC)), "no broadcast");
	sys_ok(ioctl(u, SIOCGIFINDEX, &r), "on a socket of another family");
	index = r.ifr_ifindex;
	is_int(index, 1, "lo is the first");
	sys_ok(ioctl(s, SIOCGIFMTU, &r), "SIOCGIFMTU");
	is_int(r.ifr_mtu, 65536, "65536");
	sys_ok(ioctl(s, SIOCGIFADDR, &r), "SIOCGIFADDR");
	ok(((struct sockaddr_in *)&r.ifr_addr)->sin_addr.s_addr == htonl(INADDR_LOOPBACK),
	   "127.0.0.1");
	sys_ok(ioctl(s, SIOCGIFNETMASK, &r), "SIOCGIFNETMASK");
	ok(((struct sockaddr_in *)&r.ifr_addr)->sin_addr.s_addr == htonl(0xff000000), "255.0.0.0");
	sys_ok(ioctl(s, SIOCGIFHWADDR, &r), "SIOCGIFHWADDR");
	is_int(r.ifr_hwaddr.sa_family, 772, "ARPHRD_LOOPBACK");
	memset(&r, 0, sizeof(r));
	r.ifr_ifindex = index;
	ok(ioctl(s, SIOCGIFNAME, &r) == 0 && !strcmp(r.ifr_name, "lo"), "SIOCGIFNAME");
	r.ifr_ifindex = 9999;
	sys_err(ioctl(s, SIOCGIFNAME, &r), ENODEV, "no such index");
	strcpy(r.ifr_name, "none0");
	sys_err(ioctl(s, SIOCGIFMTU, &r), ENODEV, "no such name");
	sys_ok(ioctl(s, SIOCGIFCONF, &c), "SIOCGIFCONF");
	for (char *p = buf; p < buf + c.ifc_len; p += sizeof(r))
		found |= !strcmp(((struct ifreq *)p)->ifr_name, "lo");
	ok(found && c.ifc_len % sizeof(r) == 0, "lists lo");
	c.ifc_buf = NULL;
	ok(ioctl(s, SIOCGIFCONF, &c) == 0 && c.ifc_len >= (int)sizeof(r), "or the room it needs");
	sys_err(ioctl(s, SIOCGIFFLAGS, NULL), EFAULT, "a bad pointer");
	close(s);
	close(u);
}

static int
file_has(const char *path, const char *what)
{
	FILE *f = fopen(path, "r");
	size_t n = f ? fread(buf, 1, sizeof(buf) - 1, f) : 0;

	buf[n] = 0;
	if (f)
		fclose(f);
	return strstr(buf, what) != NULL;
}

static void
files(void)
{
	int s = must(socket(AF_INET, SOCK_DGRAM, 0)), port = bind4(s, "127.0.0.1");
	char text[32];

	ok(file_has("/proc/net/dev", "    lo:"), "/proc/net/dev");
	snprintf(text, sizeof(text), "0100007F:%04X 00000000:0000 07", port);
	ok(file_has("/proc/net/udp", text), "/proc/net/udp has the socket");
	close(s);
	ok(!file_has("/proc/net/udp", text), "until it is closed");
	ok(file_has("/proc/net/snmp", "\nUdp: InDatagrams NoPorts"), "/proc/net/snmp");
	ok(file_has("/proc/net/sockstat", "UDP: inuse"), "/proc/net/sockstat");
	ok(file_has("/proc/net/route", "Iface\tDestination"), "/proc/net/route");
	ok(file_has("/proc/net/arp", "IP address       HW type"), "/proc/net/arp");
	ok(file_has("/sys/class/net/lo/mtu", "65536\n"), "/sys/class/net/lo/mtu");
	ok(file_has("/sys/class/net/lo/address", "00:00:00:00:00:00\n"), "address");
	ok(file_has("/sys/class/net/lo/operstate", "unknown\n"), "operstate");
	ok(file_has("/sys/class/net/lo/type", "772\n"), "type");
	ok(access("/sys/class/net/lo/statistics/rx_bytes", R_OK) == 0, "statistics");
}

static void
multicast(void)
{
	int s = must(socket(AF_INET, SOCK_DGRAM, 0)), r = must(socket(AF_INET, SOCK_DGRAM, 0));
	struct sockaddr_in to = in4("239.1.2.3", bind4(r, "0.0.0.0"));
	struct ip_mreqn m = { .imr_ifindex = 1 };

	m.imr_multiaddr = to.sin_addr;
	sys_ok(setsockopt(r, IPPROTO_IP, IP_ADD_MEMBERSHIP, &m, sizeof(m)), "IP_ADD_MEMBERSHIP");
	sys_err(setsockopt(r, IPPROTO_IP, IP_ADD_MEMBERSHIP, &m, sizeof(m)), EADDRINUSE,
		"only once");
	m.imr_multiaddr = in4("10.1.1.1", 0).sin_addr;
	sys_err(setsockopt(r, IPPROTO_IP, IP_ADD_MEMBERSHIP, &m, sizeof(m)), EINVAL, "no group");
	m.imr_multiaddr = to.sin_addr;
	sys_ok(setsockopt(s, IPPROTO_IP, IP_MULTICAST_IF, &m, sizeof(m)), "IP_MULTICAST_IF");
	is_int(sendto(s, "all", 3, 0, (void *)&to, sizeof(to)), 3, "send to the group");
	ok(readable(r) && recv(r, buf, 10, 0) == 3, "arrives");
	sys_ok(setsockopt(r, IPPROTO_IP, IP_DROP_MEMBERSHIP, &m, sizeof(m)), "IP_DROP_MEMBERSHIP");
	sys_err(setsockopt(r, IPPROTO_IP, IP_DROP_MEMBERSHIP, &m, sizeof(m)), EADDRNOTAVAIL,
		"not twice");
	close(s);
	close(r);
}

static void
filters(void)
{
	/* Accept datagrams whose first payload byte is 'y', whole. The header is 8 bytes. */
	struct sock_filter code[] = {
		{ 0x30, 0, 0, 8 },	    /* ldb [8] */
		{ 0x15, 0, 1, 'y' },	    /* jeq #'y' */
		{ 0x06, 0, 0, 0xffffffff }, /* ret -1 */
		{ 0x06, 0, 0, 0 },	    /* ret 0 */
	};
	struct sock_filter bad[] = { { 0x15, 5, 5, 0 }, { 0x06, 0, 0, 0 } };
	struct sock_fprog f = { 4, code }, b = { 2, bad }, none = { 0, code };
	int s = must(socket(AF_INET, SOCK_DGRAM, 0)), r = must(socket(AF_INET, SOCK_DGRAM, 0));
	struct sockaddr_in to = in4("127.0.0.1", bind4(r, "127.0.0.1"));

	sys_err(setsockopt(r, SOL_SOCKET, SO_ATTACH_FILTER, &b, sizeof(b)), EINVAL,
		"a jump out of the program");
	sys_err(setsockopt(r, SOL_SOCKET, SO_ATTACH_FILTER, &none, sizeof(none)), EINVAL,
		"no program");
	sys_ok(setsockopt(r, SOL_SOCKET, SO_ATTACH_FILTER, &f, sizeof(f)), "SO_ATTACH_FILTER");
	must(sendto(s, "no", 2, 0, (void *)&to, sizeof(to)));
	must(sendto(s, "yes", 3, 0, (void *)&to, sizeof(to)));
	ok(readable(r) && recv(r, buf, 10, 0) == 3, "passes what it likes");
	sys_err(recv(r, buf, 10, MSG_DONTWAIT), EAGAIN, "and nothing else");
	sys_ok(setsockopt(r, SOL_SOCKET, SO_DETACH_FILTER, &f, sizeof(f)), "SO_DETACH_FILTER");
	sys_err(setsockopt(r, SOL_SOCKET, SO_DETACH_FILTER, &f, sizeof(f)), ENOENT, "only once");
	must(sendto(s, "no", 2, 0, (void *)&to, sizeof(to)));
	ok(readable(r) && recv(r, buf, 10, 0) == 2, "everything again");
	close(s);
	close(r);
}

static void
device_binding(void)
{
	int s = must(socket(AF_INET, SOCK_DGRAM, 0));
	char name[32] = "";
	socklen_t len = sizeof(name);

	sys_err(setsockopt(s, SOL_SOCKET, SO_BINDTODEVICE, "none0", 5), ENODEV, "no such device");
	if (setsockopt(s, SOL_SOCKET, SO_BINDTODEVICE, "lo", 2) == 0) {
		sys_ok(getsockopt(s, SOL_SOCKET, SO_BINDTODEVICE, name, &len), "SO_BINDTODEVICE");
		is_str(name, "lo", "reads back");
	}
	close(s);
}

int
main(void)
{
	lo_up();
	ioctls();
	files();
	multicast();
	filters();
	device_binding();
	return done();
}
