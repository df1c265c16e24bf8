/* SPDX-License-Identifier: MIT */
/* /proc/sys/net/ipv4/conf: "all", "default" and each device have their values, within bounds. */
#include "net.h"

#define CONF "/proc/sys/net/ipv4/conf/"

static int
get(const char *file)
{
	char path[128], text[32] = "";
	int fd;

	snprintf(path, sizeof(path), CONF "%s", file);
	fd = must(open(path, O_RDONLY));
	must(read(fd, text, sizeof(text) - 1));
	close(fd);
	return atoi(text);
}

/* The errno of writing, or 0. */
static int
set(const char *file, const char *text)
{
	char path[128];
	int fd, r;

	snprintf(path, sizeof(path), CONF "%s", file);
	fd = must(open(path, O_WRONLY));
	r = write(fd, text, strlen(text)) < 0 ? errno : 0;
	close(fd);
	return r;
}

static int
listed(const char *name)
{
	DIR *d = opendir(CONF);
	struct dirent *e;
	int n = 0;

	while (d && (e = readdir(d)))
		n += !strcmp(e->d_name, name);
	closedir(d);
	return n;
}

int
main(void)
{
	int forward;

	lo_up();
	ok(listed("all") == 1 && listed("default") == 1 && listed("lo") == 1,
	   "each is listed once");
	ok(access(CONF "nosuch", F_OK) < 0 && errno == ENOENT, "a device that is not there");

	is_int(set("lo/rp_filter", "1\n"), 0, "a device's own");
	is_int(get("lo/rp_filter"), 1, "is kept");
	is_int(set("default/rp_filter", "2\n"), 0, "default");
	ok(get("default/rp_filter") == 2 && get("lo/rp_filter") == 1,
	   "does not change a device that was set");
	is_int(set("default/arp_ignore", "1\n"), 0, "default of another");
	is_int(get("lo/arp_ignore"), 0, "does not change a device that has an address");
	set("default/arp_ignore", "0\n");
	is_int(set("all/rp_filter", "0\n"), 0, "all");
	is_int(get("lo/rp_filter"), 1, "leaves the device's own as it is");
	is_int(set("lo/rp_filter", "x\n"), EINVAL, "no number");

	forward = get("all/forwarding");
	is_int(set("all/forwarding", "1\n"), 0, "forwarding of all");
	ok(get("lo/forwarding") == 1 && get("default/forwarding") == 1, "is copied to each");
	is_int(get("../ip_forward"), 1, "and is ip_forward");
	is_int(set("lo/forwarding", "0\n"), 0, "one device without");
	ok(get("lo/forwarding") == 0 && get("all/forwarding") == 1, "leaves the rest");
	is_int(set("../ip_forward", "0\n"), 0, "ip_forward");
	ok(get("all/forwarding") == 0 && get("default/forwarding") == 0, "is forwarding of all");
	set("all/forwarding", forward ? "1\n" : "0\n");
	return done();
}
