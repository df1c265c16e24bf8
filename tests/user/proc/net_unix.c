/* SPDX-License-Identifier: MIT */
/* /proc/net/unix: each socket with its type, state, inode and name, as ss and netstat read them. */
#include "../tap.h"
#include <sys/socket.h>
#include <sys/un.h>

/* The line of a descriptor's inode. */
static int
line(int fd, unsigned *flags, unsigned *type, unsigned *state, char *name)
{
	char *s = get_file("/proc/net/unix"), *end;
	unsigned long ino;
	struct stat st;

	must(fstat(fd, &st));
	for (; s && *s; s = end + 1) {
		end = strchr(s, '\n');
		if (!end)
			return 0;
		*end = *name = 0;
		if (sscanf(s, "%*x: %*x %*x %x %x %x %lu %107s", flags, type, state, &ino, name) >=
			    4 &&
		    ino == st.st_ino)
			return 1;
	}
	return 0;
}

int
main(void)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	unsigned flags, type, state;
	char name[108], want[108], *s;
	int l, c, p[2];

	scratch();
	s = get_file("/proc/net/unix");
	ok(s && !strncmp(s, "Num       RefCount Protocol Flags    Type St Inode Path\n", 56),
	   "the heading");
	l = must(socket(AF_UNIX, SOCK_STREAM, 0));
	ok(line(l, &flags, &type, &state, name), "a new socket is listed");
	ok(flags == 0 && type == 1 && state == 1 && !*name, "a stream, not connected, no name");
	snprintf(a.sun_path, sizeof(a.sun_path), "%s/s", tap_dir);
	must(bind(l, (void *)&a, sizeof(a)));
	must(listen(l, 5));
	ok(line(l, &flags, &type, &state, name) && flags == 0x10000 && state == 1, "listening");
	is_str(name, a.sun_path, "under its path");
	c = must(socket(AF_UNIX, SOCK_STREAM, 0));
	must(connect(c, (void *)&a, sizeof(a)));
	ok(line(c, &flags, &type, &state, name) && state == 3 && !*name, "connected");
	must(socketpair(AF_UNIX, SOCK_DGRAM, 0, p));
	ok(line(p[0], &flags, &type, &state, name) && type == 2 && state == 3, "a pair");
	c = must(socket(AF_UNIX, SOCK_DGRAM, 0));
	snprintf(a.sun_path + 1, sizeof(a.sun_path) - 1, "proc-net-unix-%d", getpid());
	a.sun_path[0] = 0;
	must(bind(c, (void *)&a, sizeof(sa_family_t) + 1 + strlen(a.sun_path + 1)));
	snprintf(want, sizeof(want), "@proc-net-unix-%d", getpid());
	ok(line(c, &flags, &type, &state, name), "an abstract name");
	is_str(name, want, "begins with @");
	close(c);
	s = get_file("/proc/net/unix");
	ok(s && !strstr(s, want), "closed: gone");
	return done();
}
