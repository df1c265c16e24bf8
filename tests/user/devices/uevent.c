/* SPDX-License-Identifier: MIT */
/* NETLINK_KOBJECT_UEVENT: a write to a device's `uevent` file is heard, in the form that udev
 * reads. */
#include "../compat.h"
#include "../tap.h"
#include <linux/netlink.h>
#include <sys/mount.h>
#include <sys/socket.h>

static char buf[4096];
static ssize_t len;

/* Is this string in the message? */
static int
has(const char *text)
{
	for (ssize_t at = 0; at < len; at += (ssize_t)strlen(buf + at) + 1)
		if (!strcmp(buf + at, text))
			return 1;
	return 0;
}

static const char *
value(const char *key)
{
	for (ssize_t at = 0; at < len; at += (ssize_t)strlen(buf + at) + 1)
		if (!strncmp(buf + at, key, strlen(key)))
			return buf + at + strlen(key);
	return "";
}

/* The errno of writing, or 0. */
static int
put(const char *file, const char *text)
{
	int fd = must(open(file, O_WRONLY)), r;

	r = write(fd, text, strlen(text)) < 0 ? errno : 0;
	close(fd);
	return r;
}

/* The next event about a device whose path ends so. */
static int
heard(int s, const char *end)
{
	struct pollfd p = { .fd = s, .events = POLLIN };

	for (;;) {
		struct sockaddr_nl from;
		socklen_t n = sizeof(from);
		const char *path;

		if (poll(&p, 1, 3000) <= 0)
			return 0;
		len = must(recvfrom(s, buf, sizeof(buf) - 1, 0, (void *)&from, &n));
		buf[len] = 0;
		path = value("DEVPATH=");
		if (strlen(path) >= strlen(end) && !strcmp(path + strlen(path) - strlen(end), end))
			return from.nl_pid == 0 && from.nl_groups == 1;
	}
}

int
main(void)
{
	struct sockaddr_nl a = { .nl_family = AF_NETLINK, .nl_groups = 1 };
	int s = must(socket(AF_NETLINK, SOCK_DGRAM, NETLINK_KOBJECT_UEVENT));
	unsigned long first;

	must(mkdir("sys", 0755));
	must(mount("sysfs", "sys", "sysfs", 0, NULL));
	must(bind(s, (void *)&a, sizeof(a)));

	is_int(put("sys/class/mem/null/uevent", "change\n"), 0, "change");
	ok(heard(s, "/mem/null"), "is heard");
	ok(!strncmp(buf, "change@/devices/virtual/mem/null", 32), "with the action and the path");
	ok(has("ACTION=change") && has("SUBSYSTEM=mem") && has("SYNTH_UUID=0"), "as variables too");
	ok(has("MAJOR=1") && has("MINOR=3") && has("DEVNAME=null"), "and those of the device");
	first = strtoul(value("SEQNUM="), NULL, 10);
	ok(first > 0, "and a number");

	is_int(put("sys/class/tty/tty/uevent",
		   "add 0a1b2c3d-0000-1111-2222-abcdefABCDEF A=1 Bc=2x"),
	       0, "add, with a UUID and arguments");
	ok(heard(s, "/tty/tty"), "is heard");
	ok(has("SYNTH_UUID=0a1b2c3d-0000-1111-2222-abcdefABCDEF") && has("SYNTH_ARG_A=1") &&
		   has("SYNTH_ARG_Bc=2x"),
	   "with them");
	ok(strtoul(value("SEQNUM="), NULL, 10) > first, "with a later number");

	is_int(put("sys/class/mem/null/uevent", "nonsense"), EINVAL, "an unknown action");
	is_int(put("sys/class/mem/null/uevent", "add 1234"), EINVAL, "no UUID");
	umount("sys");
	return done();
}
