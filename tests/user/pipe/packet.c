/* SPDX-License-Identifier: MIT */
/* O_DIRECT pipes: one write is one packet, one read takes one. */
#include "../tap.h"

int
main(void)
{
	static char buf[10000], big[10000];
	int p[2];

	must(pipe2(p, O_DIRECT | O_NONBLOCK));
	ok(fcntl(p[1], F_GETFL) & O_DIRECT, "F_GETFL shows O_DIRECT");
	must(write(p[1], "one", 3));
	must(write(p[1], "second", 6));
	is_int(read(p[0], buf, 100), 3, "a read takes one packet");
	is_int(read(p[0], buf, 3), 3, "a short one takes its head");
	is_mem(buf, "sec", 3, "the head");
	sys_err(read(p[0], buf, 100), EAGAIN, "the rest is dropped");
	memset(big, 5, sizeof(big));
	is_int(write(p[1], big, 10000), 10000, "a large write");
	is_int(read(p[0], buf, 10000), 4096, "is cut into packets of PIPE_BUF");
	is_int(read(p[0], buf, 10000), 4096, "the second");
	is_int(read(p[0], buf, 10000), 10000 - 8192, "the last");
	for (int i = 0; i < 16; i++)
		must(write(p[1], "x", 1));
	sys_err(write(p[1], "x", 1), EAGAIN, "sixteen packets fill it, however small");
	for (int i = 0; i < 16; i++)
		must(read(p[0], buf, 1));
	must(fcntl(p[1], F_SETFL, O_NONBLOCK));
	must(write(p[1], "a", 1));
	must(write(p[1], "b", 1));
	is_int(read(p[0], buf, 10), 2, "without O_DIRECT writes run together");
	must(fcntl(p[1], F_SETFL, O_NONBLOCK | O_DIRECT));
	must(write(p[1], "a", 1));
	must(write(p[1], "b", 1));
	is_int(read(p[0], buf, 10), 1, "F_SETFL sets it again");
	return done();
}
