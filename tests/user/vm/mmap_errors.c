/* SPDX-License-Identifier: MIT */
/* Bad arguments of mmap and munmap, with the errno of each. */
#include "../compat.h"
#include "../probe.h"

#define RW   (PROT_READ | PROT_WRITE)
#define ANON (MAP_PRIVATE | MAP_ANONYMOUS)

static long
map(void *a, size_t len, int prot, int flags, int fd, off_t off)
{
	return syscall(SYS_mmap, a, len, prot, flags, fd, off);
}

int
main(void)
{
	int rd, wr, dir, p[2];

	scratch();
	put_file("f", "hello", 5);
	rd = must(open("f", O_RDONLY));
	wr = must(open("f", O_WRONLY));
	dir = must(open(".", O_RDONLY | O_DIRECTORY));
	must(pipe(p));

	sys_err(map(NULL, 0, RW, ANON, -1, 0), EINVAL, "length 0");
	sys_err(map(NULL, PAGE, RW, MAP_ANONYMOUS, -1, 0), EINVAL, "neither shared nor private");
	sys_err(map(NULL, PAGE, RW, ANON, -1, 1), EINVAL, "unaligned offset");
	sys_err(map(NULL, PAGE, RW, MAP_PRIVATE, -1, 0), EBADF, "file map without a file");
	sys_err(map(NULL, PAGE, RW, MAP_PRIVATE, 999, 0), EBADF, "descriptor not open");
	sys_err(map(NULL, PAGE, RW, MAP_SHARED, rd, 0), EACCES,
		"shared writable map of a read-only descriptor");
	ok(map(NULL, PAGE, RW, MAP_PRIVATE, rd, 0) != -1,
	   "private writable map of a read-only descriptor");
	sys_err(map(NULL, PAGE, PROT_READ, MAP_SHARED, wr, 0), EACCES,
		"shared map of a write-only descriptor");
	sys_err(map(NULL, PAGE, PROT_READ, MAP_PRIVATE, wr, 0), EACCES,
		"private map of a write-only descriptor");
	sys_err(map(NULL, PAGE, PROT_READ, MAP_PRIVATE, dir, 0), ENODEV, "map of a directory");
	sys_err(map(NULL, PAGE, PROT_READ, MAP_PRIVATE, p[0], 0), ENODEV, "map of a pipe");
	sys_err(map(NULL, PAGE, PROT_READ, MAP_PRIVATE, open("f", O_PATH), 0), EBADF,
		"map of an O_PATH descriptor");
	sys_err(map(NULL, 1UL << 47, RW, ANON, -1, 0), ENOMEM, "length of the whole address space");
	sys_err(map(NULL, -PAGE, RW, ANON, -1, 0), ENOMEM, "length that wraps");
	sys_err(map(NULL, PAGE, PROT_READ, MAP_PRIVATE, rd, -(off_t)PAGE), EOVERFLOW,
		"offset plus length wraps");
	sys_err(map((void *)1, PAGE, RW, ANON | MAP_FIXED, -1, 0), EINVAL,
		"MAP_FIXED at an unaligned address");
	sys_err(map((void *)(1UL << 47), PAGE, RW, ANON | MAP_FIXED, -1, 0), ENOMEM,
		"MAP_FIXED above user space");
	sys_err(map((void *)((1UL << 47) - PAGE), PAGE, RW, ANON | MAP_FIXED, -1, 0), ENOMEM,
		"MAP_FIXED on the guard page at the top");
	sys_err(map(NULL, PAGE, RW, MAP_SHARED_VALIDATE | MAP_ANONYMOUS, -1, 0), EINVAL,
		"MAP_SHARED_VALIDATE needs a file");
	sys_err(map(NULL, PAGE, PROT_READ, MAP_SHARED_VALIDATE | MAP_SYNC, rd, 0), EOPNOTSUPP,
		"MAP_SYNC without support, validated");
	ok(map((void *)12345, PAGE, RW, ANON, -1, 0) != -1, "an unaligned hint is only a hint");

	sys_err(munmap((void *)1, PAGE), EINVAL, "munmap unaligned address");
	sys_err(munmap(anon(1, RW), 0), EINVAL, "munmap length 0");
	sys_err(munmap((void *)(1UL << 47), PAGE), EINVAL, "munmap above user space");
	sys_err(munmap((void *)PAGE, -PAGE), EINVAL, "munmap length that wraps");
	return done();
}
