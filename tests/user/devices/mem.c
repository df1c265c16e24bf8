/* SPDX-License-Identifier: MIT */
/* /dev/null, zero, full, random, urandom, and the standard links and numbers of /dev. */
#include "../compat.h"
#include "../tap.h"
#include <sys/sysmacros.h>
#include <sys/uio.h>

static int
number(const char *path, int major, int minor)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISCHR(st.st_mode) && st.st_rdev == makedev(major, minor);
}

int
main(void)
{
	static unsigned char buf[70000], b2[4096];
	struct iovec iov[2] = { { buf, 10 }, { b2, 20 } };
	struct pollfd pf;
	int null, zero, full, rnd, urnd, i, n;
	char *p;

	ok(number("/dev/null", 1, 3), "/dev/null is 1:3");
	ok(number("/dev/zero", 1, 5), "/dev/zero is 1:5");
	ok(number("/dev/full", 1, 7), "/dev/full is 1:7");
	ok(number("/dev/random", 1, 8), "/dev/random is 1:8");
	ok(number("/dev/urandom", 1, 9), "/dev/urandom is 1:9");
	ok(number("/dev/kmsg", 1, 11), "/dev/kmsg is 1:11");
	ok(number("/dev/tty", 5, 0), "/dev/tty is 5:0");
	ok(number("/dev/console", 5, 1), "/dev/console is 5:1");
	ok(number("/dev/ptmx", 5, 2), "/dev/ptmx is 5:2");
	null = must(open("/dev/null", O_RDWR));
	zero = must(open("/dev/zero", O_RDWR));
	full = must(open("/dev/full", O_RDWR));
	rnd = must(open("/dev/random", O_RDWR));
	urnd = must(open("/dev/urandom", O_RDWR));

	is_int(read(null, buf, 100), 0, "null: end of file");
	is_int(write(null, buf, 70000), 70000, "null: takes everything");
	is_int(writev(null, iov, 2), 30, "null: vectors");
	is_int(lseek(null, 1000, SEEK_SET), 0, "null: no position");
	sys_err(ftruncate(null, 0), EINVAL, "null: cannot be truncated");
	pf = (struct pollfd){ null, POLLIN | POLLOUT, 0 };
	is_int(poll(&pf, 1, 0), 1, "null: always ready");
	is_int(pf.revents, POLLIN | POLLOUT, "to read and write");
	sys_err(ioctl(null, TCGETS, buf), ENOTTY, "null: no terminal");
	p = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, null, 0);
	ok(p == MAP_FAILED && errno == ENODEV, "null: cannot be mapped");

	memset(buf, 1, sizeof(buf));
	is_int(read(zero, buf, 70000), 70000, "zero: reads whole");
	for (i = n = 0; i < 70000; i++)
		n += buf[i] != 0;
	is_int(n, 0, "zeros");
	is_int(write(zero, buf, 5000), 5000, "zero: swallows");
	is_int(pread(zero, buf, 10, 1UL << 40), 10, "zero: at any offset");

	memset(buf, 1, 100);
	is_int(read(full, buf, 100), 100, "full: reads zeros");
	is_int(buf[0] | buf[99], 0, "indeed");
	sys_err(write(full, buf, 1), ENOSPC, "full: no space");
	is_int(lseek(full, 1000, SEEK_SET), 0, "full: no position");

	memset(buf, 0, 256);
	is_int(read(urnd, buf, 4096), 4096, "urandom: reads whole");
	is_int(read(urnd, b2, 4096), 4096, "again");
	ok(memcmp(buf, b2, 4096) != 0, "and differently");
	for (i = n = 0; i < 4096 * 8; i++)
		n += buf[i / 8] >> (i % 8) & 1;
	ok(n > 15500 && n < 17300, "half of the bits are set");
	is_int(read(rnd, buf, 256), 256, "random: reads whole once seeded");
	is_int(write(urnd, "seed", 4), 4, "urandom: takes more entropy");
	pf = (struct pollfd){ rnd, POLLIN, 0 };
	is_int(poll(&pf, 1, 0), 1, "random: ready");
	ok(ioctl(rnd, _IOR('R', 0, int), &n) == 0 && n > 0, "random: RNDGETENTCNT");

	is_int(syscall(SYS_getrandom, buf, 256, 0), 256, "getrandom");
	is_int(syscall(SYS_getrandom, b2, 256, 1), 256, "GRND_NONBLOCK");
	ok(memcmp(buf, b2, 256) != 0, "differently");
	is_int(syscall(SYS_getrandom, buf, 70000, 0), 70000, "a large request");
	is_int(syscall(SYS_getrandom, buf, 16, 2), 16, "GRND_RANDOM");
	is_int(syscall(SYS_getrandom, buf, 16, GRND_INSECURE), 16, "GRND_INSECURE");
	is_int(syscall(SYS_getrandom, buf, 0, 0), 0, "nothing");
	sys_err(syscall(SYS_getrandom, buf, 16, 2 | GRND_INSECURE), EINVAL, "RANDOM with INSECURE");
	sys_err(syscall(SYS_getrandom, buf, 16, 0x80), EINVAL, "unknown flag");
	sys_err(syscall(SYS_getrandom, at(8), 16, 0), EFAULT, "bad pointer");
	return done();
}
