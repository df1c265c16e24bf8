/* SPDX-License-Identifier: MIT */
/* memfd_create: a file without a name, and seals. */
#include "../compat.h"
#include "../tap.h"

static int
mfd(const char *name, unsigned flags)
{
	return syscall(SYS_memfd_create, name, flags);
}

int
main(void)
{
	struct stat st;
	char buf[64], longname[300], *p, *q;
	int fd, f2;

	sys_ok(fd = mfd("kevlar", 0), "memfd_create");
	must(fstat(fd, &st));
	ok(S_ISREG(st.st_mode) && st.st_size == 0 && st.st_nlink == 0 &&
		   (st.st_mode & 0777) == 0777,
	   "an empty unnamed file");
	is_int(fcntl(fd, F_GETFD), 0, "inherited by exec");
	is_int(write(fd, "hello", 5), 5, "write");
	is_int(pread(fd, buf, 5, 0), 5, "read");
	sys_ok(ftruncate(fd, 8192), "ftruncate");
	p = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	ok(p != MAP_FAILED && memcmp(p, "hello", 6) == 0, "shared map");
	p[4096] = 9;
	is_int(pread(fd, buf, 1, 4096), 1, "read");
	is_int(buf[0], 9, "sees the store");
	snprintf(buf, sizeof(buf), "/proc/self/fd/%d", fd);
	char link[100];
	ssize_t n = readlink(buf, link, sizeof(link) - 1);
	link[n > 0 ? n : 0] = 0;
	is_str(link, "/memfd:kevlar (deleted)", "its name in /proc");
	sys_ok(f2 = open(buf, O_RDONLY), "reopened through /proc");
	close(f2);
	is_int(fcntl(fd, F_GET_SEALS), F_SEAL_SEAL,
	       "without MFD_ALLOW_SEALING it is sealed against seals");
	sys_err(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE), EPERM, "none can be added");
	munmap(p, 8192);
	close(fd);

	fd = must(mfd("s", MFD_ALLOW_SEALING | MFD_CLOEXEC));
	is_int(fcntl(fd, F_GETFD), FD_CLOEXEC, "MFD_CLOEXEC");
	is_int(fcntl(fd, F_GET_SEALS), 0, "no seal yet");
	must(write(fd, "0123456789", 10));
	sys_ok(fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK), "F_SEAL_SHRINK");
	sys_err(ftruncate(fd, 5), EPERM, "no shrinking");
	sys_ok(ftruncate(fd, 20), "growing goes");
	sys_ok(fcntl(fd, F_ADD_SEALS, F_SEAL_GROW), "F_SEAL_GROW");
	sys_err(ftruncate(fd, 30), EPERM, "no growing");
	sys_err(pwrite(fd, "x", 1, 20), EPERM, "no write behind the end");
	is_int(pwrite(fd, "x", 1, 5), 1, "writing inside goes");
	sys_err(fallocate(fd, 0, 0, 8192), EPERM, "no fallocate behind the end");
	p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	sys_err(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE), EBUSY,
		"F_SEAL_WRITE with a writable shared map");
	munmap(p, 4096);
	q = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	sys_ok(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE), "with a private one it goes");
	sys_err(write(fd, "x", 1), EPERM, "no writing");
	q[0] = 'Q';
	is_int(pread(fd, buf, 1, 0), 1, "read");
	is_int(buf[0], '0', "a private store changes nothing");
	p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	ok(p == MAP_FAILED && errno == EPERM, "no writable shared map");
	p = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, fd, 0);
	ok(p != MAP_FAILED, "a read-only private one goes");
	sys_err(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 4096), EPERM,
		"no hole");
	is_int(fcntl(fd, F_GET_SEALS), F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE, "F_GET_SEALS");
	sys_ok(fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL), "F_SEAL_SEAL");
	sys_err(fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK), EPERM, "ends it");

	fd = must(mfd("fw", MFD_ALLOW_SEALING));
	must(ftruncate(fd, 4096));
	p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	sys_ok(fcntl(fd, F_ADD_SEALS, F_SEAL_FUTURE_WRITE), "F_SEAL_FUTURE_WRITE with a map");
	p[0] = 3;
	sys_err(write(fd, "x", 1), EPERM, "no write from now on");
	is_int(pread(fd, buf, 1, 0), 1, "read");
	is_int(buf[0], 3, "the old map still writes");
	sys_err(fcntl(fd, F_ADD_SEALS, 0x1000), EINVAL, "unknown seal");
	sys_err(mfd("x", 0x8000), EINVAL, "unknown flag");
	memset(longname, 'n', 299);
	longname[249] = 0;
	sys_ok(fd = mfd(longname, 0), "a name of 249 bytes");
	longname[249] = 'n';
	longname[250] = 0;
	sys_err(mfd(longname, 0), EINVAL, "of 250 bytes");
	sys_err(mfd(at(8), 0), EFAULT, "bad pointer");
	scratch();
	f2 = must(open("f", O_CREAT | O_RDWR, 0600));
	is_int(fcntl(f2, F_GET_SEALS), F_SEAL_SEAL, "a tmpfs file is sealed against seals");
	must(pipe((int *)buf));
	sys_err(fcntl(*(int *)buf, F_GET_SEALS), EINVAL, "a pipe has none");
	return done();
}
