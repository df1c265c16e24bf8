/* SPDX-License-Identifier: MIT */
/*
 * Random operations on files by parallel processes, each against a model of its own directory.
 *
 *	ext4_stress DIR PROCESSES OPERATIONS SEED	do them, compare; status 0: all is as it
 *should ext4_stress -check DIR PROCESSES OPERATIONS SEED	do them in the model only, compare
 *
 * The second form runs after a remount: the same seed gives the same model. With NO_FALLOCATE in
 * the environment files are only written, truncated, renamed, linked and removed.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#ifndef FALLOC_FL_COLLAPSE_RANGE /* of <linux/falloc.h> */
#define FALLOC_FL_COLLAPSE_RANGE 0x08
#define FALLOC_FL_ZERO_RANGE	 0x10
#define FALLOC_FL_INSERT_RANGE	 0x20
#endif

#define FILES	 48
#define MAX_SIZE (320 * 1024)

struct file {
	int exists, dir, attr, data; /* data: index of its contents (hard links share) */
	char name[64];
};

struct contents {
	int links;
	size_t size;
	unsigned char bytes[MAX_SIZE];
};

static struct file files[FILES];
static struct contents *contents[FILES];
static uint64_t state;
static int dry;
static char base[PATH_MAX];

static uint64_t
rnd(uint64_t n)
{
	uint64_t z = state += 0x9e3779b97f4a7c15ull;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ z >> 27) * 0x94d049bb133111ebull;
	return (z ^ z >> 31) % n;
}

static void
fail(const char *what, const char *name)
{
	printf("FAIL %s %s/%s: %s\n", what, base, name, strerror(errno));
	exit(1);
}

static void
new_name(struct file *f, int i)
{
	static int serial;
	int long_name = rnd(4) == 0;

	snprintf(f->name, sizeof(f->name), "f%d_%d%s%s", i, serial++, long_name ? "_" : "",
		 long_name ? "a_name_that_is_long_enough_to_fill_leaves" : "");
}

static int
free_contents(void)
{
	for (int i = 0; i < FILES; i++) {
		if (!contents[i])
			contents[i] = calloc(1, sizeof(struct contents));
		if (!contents[i]->links)
			return i;
	}
	abort();
}

static void
do_create(struct file *f, int i)
{
	int fd;

	new_name(f, i);
	f->exists = 1;
	f->attr = 0;
	f->dir = rnd(10) == 0;
	if (f->dir) {
		if (!dry && mkdir(f->name, 0755))
			fail("mkdir", f->name);
		return;
	}
	f->data = free_contents();
	contents[f->data]->links = 1;
	contents[f->data]->size = 0;
	if (dry)
		return;
	fd = open(f->name, O_CREAT | O_EXCL | O_RDWR, 0644);
	if (fd < 0)
		fail("create", f->name);
	close(fd);
}

static void
grow(struct contents *c, size_t size)
{
	if (size > c->size) {
		memset(c->bytes + c->size, 0, size - c->size);
		c->size = size;
	}
}

static void
do_write(struct file *f)
{
	static unsigned char buffer[72 * 1024] __attribute__((aligned(4096)));
	struct contents *c = contents[f->data];
	size_t len = 1 + rnd(rnd(3) ? 5000 : 70000), pos;
	int mapped = rnd(6) == 0, direct = rnd(6) == 0, fd;

	pos = rnd(3) ? c->size : rnd(MAX_SIZE - len);
	if (pos + len > MAX_SIZE)
		pos = MAX_SIZE - len;
	if (direct) { /* whole blocks, now and then only whole sectors */
		size_t unit = rnd(4) ? 4096 : 512;

		len = (len + unit - 1) / unit * unit;
		pos = pos / unit * unit;
		if (pos + len > MAX_SIZE)
			pos = MAX_SIZE - len;
		mapped = 0;
	}
	for (size_t i = 0; i < len; i++)
		buffer[i] = (unsigned char)rnd(256);
	if (mapped && pos + len > c->size)
		mapped = 0;
	grow(c, pos + len);
	memcpy(c->bytes + pos, buffer, len);
	if (dry)
		return;
	fd = open(f->name, O_RDWR | (direct ? O_DIRECT : 0));
	if (fd < 0)
		fail("open", f->name);
	if (mapped) {
		unsigned char *p = mmap(NULL, c->size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

		if (p == MAP_FAILED)
			fail("mmap", f->name);
		memcpy(p + pos, buffer, len);
		munmap(p, c->size);
	} else if (pwrite(fd, buffer, len, (off_t)pos) != (ssize_t)len) {
		fail("write", f->name);
	}
	close(fd);
}

static void
do_truncate(struct file *f)
{
	struct contents *c = contents[f->data];
	size_t size = rnd(2) ? rnd(MAX_SIZE) : rnd(c->size + 1);

	grow(c, size);
	c->size = size;
	if (!dry && truncate(f->name, (off_t)size))
		fail("truncate", f->name);
}

static void
do_fallocate(struct file *f)
{
	struct contents *c = contents[f->data];
	size_t block = 4096, pos, len;
	int mode = 0, fd, kind = (int)rnd(5);

	if (getenv("NO_FALLOCATE"))
		return;
	if (kind >= 3) { /* collapse, insert */
		if (c->size < 4 * block)
			return;
		len = block * (1 + rnd(3));
		pos = block * rnd(c->size / block);
		if (kind == 3) {
			if (pos + len >= c->size)
				return;
			mode = FALLOC_FL_COLLAPSE_RANGE;
			memmove(c->bytes + pos, c->bytes + pos + len, c->size - pos - len);
			c->size -= len;
		} else {
			if (pos >= c->size || c->size + len > MAX_SIZE)
				return;
			mode = FALLOC_FL_INSERT_RANGE;
			memmove(c->bytes + pos + len, c->bytes + pos, c->size - pos);
			memset(c->bytes + pos, 0, len);
			c->size += len;
		}
	} else {
		len = 1 + rnd(60000);
		pos = rnd(MAX_SIZE - len);
		if (kind == 0) {
			grow(c, pos + len);
		} else {
			mode = kind == 1 ? FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE
					 : FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE;
			if (pos < c->size)
				memset(c->bytes + pos, 0,
				       (pos + len > c->size ? c->size : pos + len) - pos);
		}
	}
	if (dry)
		return;
	fd = open(f->name, O_RDWR);
	if (fd < 0 || fallocate(fd, mode, (off_t)pos, (off_t)len))
		fail("fallocate", f->name);
	close(fd);
}

static void
do_remove(struct file *f)
{
	f->exists = 0;
	if (!f->dir)
		contents[f->data]->links--;
	if (!dry && (f->dir ? rmdir(f->name) : unlink(f->name)))
		fail("remove", f->name);
}

static void
do_rename(struct file *f, int i)
{
	char old[64];

	strcpy(old, f->name);
	new_name(f, i);
	if (!dry && rename(old, f->name))
		fail("rename", old);
}

static void
do_link(struct file *f)
{
	int i = (int)rnd(FILES);
	struct file *to = &files[i];

	if (to->exists)
		return;
	new_name(to, i);
	to->exists = 1;
	to->dir = 0;
	to->attr = 0;
	to->data = f->data;
	contents[f->data]->links++;
	if (!dry && link(f->name, to->name))
		fail("link", to->name);
}

static void
check(struct file *f)
{
	static unsigned char buffer[MAX_SIZE + 4096] __attribute__((aligned(4096)));
	struct contents *c = contents[f->data];
	struct stat st;
	ssize_t n;
	int fd;

	errno = 0;
	if (stat(f->name, &st))
		fail("stat", f->name);
	if (f->dir)
		return;
	if ((size_t)st.st_size != c->size || (int)st.st_nlink != c->links)
		fail("size or links", f->name);
	fd = open(f->name, O_RDONLY | (c->size % 3 ? 0 : O_DIRECT));
	n = read(fd, buffer, sizeof(buffer));
	close(fd);
	if (n != (ssize_t)c->size)
		fail("read", f->name);
	for (size_t i = 0; i < c->size; i++) {
		if (buffer[i] != c->bytes[i]) {
			printf("at %zu of %zu: %02x, not %02x\n", i, c->size, buffer[i],
			       c->bytes[i]);
			fail("contents", f->name);
		}
	}
}

static void
check_all(void)
{
	struct dirent *e;
	int want = 0, have = 0;
	DIR *d;

	for (int i = 0; i < FILES; i++) {
		if (files[i].exists) {
			check(&files[i]);
			want++;
		}
	}
	d = opendir(".");
	while ((e = readdir(d)))
		have += e->d_name[0] != '.';
	closedir(d);
	if (want != have) {
		printf("%d names, not %d\n", have, want);
		fail("readdir", ".");
	}
}

static void
run(const char *dir, int number, int operations, uint64_t seed, int check_only)
{
	snprintf(base, sizeof(base), "%s/p%d", dir, number);
	state = seed * 1000 + (uint64_t)number;
	dry = check_only;
	if (!check_only && mkdir(base, 0755))
		fail("mkdir", base);
	if (chdir(base))
		fail("chdir", base);
	for (int i = 0; i < operations; i++) {
		int k = (int)rnd(FILES);
		struct file *f = &files[k];

		if (!f->exists) {
			do_create(f, k);
			continue;
		}
		switch (rnd(f->dir ? 2 : 12)) {
		case 0: do_remove(f); break;
		case 1: do_rename(f, k); break;
		case 2: do_truncate(f); break;
		case 3:
		case 4: do_fallocate(f); break;
		case 5: do_link(f); break;
		case 6:
			if (!dry)
				check(f);
			break;
		default: do_write(f); break;
		}
	}
	check_all();
	exit(0);
}

int
main(int argc, char **argv)
{
	int check_only = argc > 1 && !strcmp(argv[1], "-check"), bad = 0, status;

	argv += check_only;
	argc -= check_only;
	if (argc != 5)
		return 2;
	for (int i = 0; i < atoi(argv[2]); i++) {
		if (!fork())
			run(argv[1], i, atoi(argv[3]), strtoull(argv[4], NULL, 0), check_only);
	}
	while (wait(&status) > 0)
		bad |= status != 0;
	printf(bad ? "BAD\n" : "GOOD\n");
	return bad;
}
