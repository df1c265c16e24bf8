/* SPDX-License-Identifier: MIT */
/*
 * A random tree: thousands of files of all kinds, made, rewritten, renamed, linked, truncated and
 * removed by parallel processes in directories that they share. Each has a model of its own files.
 *
 * Arguments: [-check] DIR PROCESSES FILES SEED. Makes the tree and compares; status 0: all is as it
 * should. With -check the model only is made. That is for after a remount, or for another system
 * that looks at the same disk: bytes, sizes, types, links, modes, owners, times, attributes.
 *
 * In the environment: SECONDS, times are compared by 32 bits of seconds (all that mke2fs -d
 * copies); BYTES, contents and sizes only are (all that rdump of debugfs does well).
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
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#define DIRS	 12
#define MAX_SIZE 60000

struct node {
	mode_t mode; /* with the type */
	int links;
	uid_t uid;
	gid_t gid;
	uint32_t seed, kept, size; /* bytes below kept are of the seed, the others zeroes */
	int64_t mtime;
	uint32_t nsec;
	int attr_size[2];
	dev_t rdev;
};

struct name {
	int node; /* -1: there is none */
	int dir;
	unsigned serial;
};

static struct node *nodes;
static struct name *names;
static int count, process, dry;
static unsigned serials;
static uint64_t state;
static char text[PATH_MAX];

static uint64_t
rnd(uint64_t n)
{
	uint64_t z = state += 0x9e3779b97f4a7c15ull;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ z >> 27) * 0x94d049bb133111ebull;
	return (z ^ z >> 31) % n;
}

static const char *
path_of(const struct name *n)
{
	snprintf(text, sizeof(text), "d%d/p%d_%u%s", n->dir, process, n->serial,
		 n->serial % 5 ? "" : "_with_a_longer_name_than_the_others_have");
	return text;
}

static void
fail(const char *what, const struct name *n)
{
	int err = errno;

	printf("FAIL process %d: %s %s: %s\n", process, what, path_of(n), strerror(err));
	exit(1);
}

static void
fill(unsigned char *to, uint32_t seed, uint32_t kept, uint32_t size)
{
	for (uint32_t i = 0; i < kept; i++)
		to[i] = (unsigned char)((seed + i * 2654435761u) >> 23);
	memset(to + kept, 0, size - kept);
}

/* "short/" over and over: a target of n bytes. */
static const char *
target_of(uint32_t n)
{
	static char target[1024];

	for (uint32_t i = 0; i < n; i++)
		target[i] = "short/"[i % 6];
	target[n] = 0;
	return target;
}

static void
write_contents(struct name *n, int flags)
{
	static unsigned char buffer[MAX_SIZE];
	struct node *node = &nodes[n->node];
	int fd;

	if (dry)
		return;
	fill(buffer, node->seed, node->kept, node->size);
	fd = open(path_of(n), flags, 0600);
	if (fd < 0 || write(fd, buffer, node->size) != (ssize_t)node->size || close(fd))
		fail("write", n);
}

static void
set_attr(struct name *n, int which)
{
	static unsigned char value[4000];
	struct node *node = &nodes[n->node];

	/* Most fit into the inode, some take a block, and of these many are the same. */
	node->attr_size[which] = which ? 300 : 1 + (int)rnd(40);
	if (dry)
		return;
	fill(value, which ? 7 : node->seed, (uint32_t)node->attr_size[which],
	     (uint32_t)node->attr_size[which]);
	if (setxattr(path_of(n), which ? "user.large" : "user.small", value,
		     (size_t)node->attr_size[which], 0))
		fail("setxattr", n);
}

static void
create(struct name *n, int number)
{
	static const mode_t kinds[] = { S_IFDIR, S_IFLNK, S_IFIFO, S_IFCHR, S_IFBLK, S_IFSOCK };
	struct node *node = &nodes[number];
	uint64_t kind = rnd(30);

	memset(node, 0, sizeof(*node));
	n->node = number;
	n->dir = (int)rnd(DIRS);
	n->serial = serials++;
	node->links = 1;
	node->mode = (kind < 6 ? kinds[kind] : S_IFREG) | 0600;
	node->seed = (uint32_t)rnd(1u << 31);
	if (S_ISREG(node->mode)) {
		node->size = node->kept = (uint32_t)rnd(rnd(8) ? 6000 : MAX_SIZE);
		write_contents(n, O_CREAT | O_EXCL | O_WRONLY);
	} else if (S_ISLNK(node->mode)) {
		node->mode = S_IFLNK | 0777;
		node->size = 1 + (uint32_t)rnd(rnd(2) ? 59 : 900);
		if (!dry && symlink(target_of(node->size), path_of(n)))
			fail("symlink", n);
	} else if (S_ISDIR(node->mode)) {
		if (!dry && mkdir(path_of(n), 0600))
			fail("mkdir", n);
	} else {
		if (S_ISCHR(node->mode) || S_ISBLK(node->mode))
			node->rdev = makedev(rnd(4000), rnd(rnd(2) ? 256 : 1 << 20));
		if (!dry && mknod(path_of(n), node->mode, node->rdev))
			fail("mknod", n);
	}
}

static void
remove_name(struct name *n)
{
	struct node *node = &nodes[n->node];

	if (!dry && (S_ISDIR(node->mode) ? rmdir(path_of(n)) : unlink(path_of(n))))
		fail("remove", n);
	node->links--;
	n->node = -1;
}

/* To a new name, or over another one that is there. */
static void
rename_it(struct name *n)
{
	struct name old = *n, *over = &names[rnd((uint64_t)count)];
	char from[PATH_MAX];
	int replaces = rnd(3) == 0 && over->node >= 0 && over->node != n->node &&
		       S_ISDIR(nodes[over->node].mode) == S_ISDIR(nodes[n->node].mode);

	strcpy(from, path_of(&old));
	if (replaces) {
		n->dir = over->dir;
		n->serial = over->serial;
		nodes[over->node].links--;
		over->node = -1;
	} else {
		n->dir = (int)rnd(DIRS);
		n->serial = serials++;
	}
	if (!dry && rename(from, path_of(n)))
		fail("rename to", n);
}

static void
link_it(struct name *n, struct name *to)
{
	char from[PATH_MAX];

	strcpy(from, path_of(n));
	to->node = n->node;
	to->dir = (int)rnd(DIRS);
	to->serial = serials++;
	nodes[n->node].links++;
	if (!dry && link(from, path_of(to)))
		fail("link", to);
}

static void
change_contents(struct name *n)
{
	struct node *node = &nodes[n->node];
	uint32_t size = (uint32_t)rnd(rnd(6) ? node->size + 1 : MAX_SIZE);
	int fd;

	switch (rnd(4)) {
	case 0: /* anew */
	case 1: /* over the old */
		node->seed = (uint32_t)rnd(1u << 31);
		if (size < node->size && rnd(2))
			size = node->size;
		node->size = node->kept = size;
		write_contents(n, O_WRONLY | O_TRUNC);
		break;
	case 2: /* truncate */
		node->size = size;
		if (node->kept > size)
			node->kept = size;
		if (!dry && truncate(path_of(n), size))
			fail("truncate", n);
		break;
	case 3: /* a hole to the end */
		if (size >= node->size)
			break;
		if (node->kept > size)
			node->kept = size;
		if (dry)
			break;
		fd = open(path_of(n), O_WRONLY);
		if (fd < 0 ||
		    fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, size,
			      node->size - size) ||
		    close(fd))
			fail("punch", n);
		break;
	}
}

static void
change_attributes(struct name *n)
{
	struct node *node = &nodes[n->node];

	switch (S_ISREG(node->mode) || S_ISDIR(node->mode) ? rnd(4) : 0) {
	case 0:
		node->uid = (uid_t)rnd(rnd(2) ? 1000 : 1u << 31);
		node->gid = (gid_t)rnd(rnd(2) ? 1000 : 1u << 31);
		if (!S_ISDIR(node->mode) && !S_ISLNK(node->mode)) /* chown(2) takes these */
			node->mode &= node->mode & S_IXGRP ? ~06000u : ~04000u;
		if (!dry && lchown(path_of(n), node->uid, node->gid))
			fail("chown", n);
		break;
	case 1:
		node->mode = (node->mode & S_IFMT) | 0400 | (mode_t)rnd(010000);
		if (!dry && chmod(path_of(n), node->mode & 07777))
			fail("chmod", n);
		break;
	case 2: set_attr(n, 0); break;
	case 3: set_attr(n, 1); break;
	}
}

/* The last thing: everything gets a time. ext4 has 1901 to 2446; e2fsck takes those from 2310 on
 * for an old bug. */
static void
set_times(struct name *n)
{
	struct node *node = &nodes[n->node];
	struct timespec t[2];

	node->mtime = (int64_t)rnd(3ull << 32) - (1ll << 31);
	node->nsec = (uint32_t)rnd(1000000000);
	t[0] = t[1] = (struct timespec){ .tv_sec = node->mtime, .tv_nsec = node->nsec };
	if (!dry && utimensat(AT_FDCWD, path_of(n), t, AT_SYMLINK_NOFOLLOW))
		fail("utimensat", n);
}

static void
check_attr(struct name *n, int which)
{
	static unsigned char want[4000], found[4000];
	struct node *node = &nodes[n->node];
	int size = node->attr_size[which];
	ssize_t got = lgetxattr(path_of(n), which ? "user.large" : "user.small", found,
				sizeof(found));

	if (got < 0 && !size && (errno == ENODATA || !S_ISREG(node->mode)))
		return;
	fill(want, which ? 7 : node->seed, (uint32_t)size, (uint32_t)size);
	/* The seed of a file that was rewritten is another than its attribute's. */
	if (got != size || (which && memcmp(want, found, (size_t)size)))
		fail("attribute", n);
}

static void
check(struct name *n)
{
	static unsigned char want[MAX_SIZE], found[MAX_SIZE + 1];
	struct node *node = &nodes[n->node];
	int bytes = getenv("BYTES") != NULL, fd;
	struct stat st;

	errno = 0;
	if (lstat(path_of(n), &st)) {
		if (bytes && (S_ISSOCK(node->mode) || S_ISFIFO(node->mode) || S_ISCHR(node->mode) ||
			      S_ISBLK(node->mode)))
			return; /* rdump leaves them out */
		fail("stat", n);
	}
	if ((st.st_mode & S_IFMT) != (node->mode & S_IFMT))
		fail("type", n);
	if (!bytes) {
		if (st.st_mode != node->mode) {
			printf("%o, not %o\n", st.st_mode, node->mode);
			fail("mode", n);
		}
		if (!S_ISDIR(node->mode) && (int)st.st_nlink != node->links)
			fail("links", n);
		if (st.st_uid != node->uid || st.st_gid != node->gid)
			fail("owner", n);
		if (st.st_rdev != node->rdev)
			fail("device", n);
		if (getenv("SECONDS") ? (int32_t)st.st_mtim.tv_sec != (int32_t)node->mtime
				      : st.st_mtim.tv_sec != node->mtime ||
						st.st_mtim.tv_nsec != node->nsec) {
			printf("%lld.%09ld, not %lld.%09u\n", (long long)st.st_mtim.tv_sec,
			       st.st_mtim.tv_nsec, (long long)node->mtime, node->nsec);
			fail("time", n);
		}
		check_attr(n, 0);
		check_attr(n, 1);
	}
	if (S_ISLNK(node->mode)) {
		ssize_t got = readlink(path_of(n), (char *)found, sizeof(found));

		if (got != (ssize_t)node->size || memcmp(found, target_of(node->size), node->size))
			fail("target", n);
	}
	if (!S_ISREG(node->mode))
		return;
	if (st.st_size != node->size)
		fail("size", n);
	fd = open(path_of(n), O_RDONLY);
	if (fd < 0 || read(fd, found, sizeof(found)) != (ssize_t)node->size || close(fd))
		fail("read", n);
	fill(want, node->seed, node->kept, node->size);
	if (memcmp(want, found, node->size))
		fail("contents", n);
}

/* The directories have this process's names and no others of it. */
static int
names_found(void)
{
	char prefix[20], dir[20];
	int found = 0;

	snprintf(prefix, sizeof(prefix), "p%d_", process);
	for (int i = 0; i < DIRS; i++) {
		struct dirent *e;
		DIR *d;

		snprintf(dir, sizeof(dir), "d%d", i);
		d = opendir(dir);
		while (d && (e = readdir(d)))
			found += !strncmp(e->d_name, prefix, strlen(prefix));
		if (d)
			closedir(d);
	}
	return found;
}

static void
run(int files, uint64_t seed)
{
	int free_node = 0, have = 0, *timed;

	state = seed * 1000 + (uint64_t)process;
	count = files + files / 4;
	names = calloc((size_t)count, sizeof(*names));
	nodes = calloc((size_t)count + 1, sizeof(*nodes));
	timed = calloc((size_t)count + 1, sizeof(*timed));
	for (int i = 0; i < count; i++)
		names[i].node = -1;
	for (int i = 0; i < 4 * files; i++) {
		struct name *n = &names[rnd((uint64_t)count)];
		uint64_t what = rnd(20);

		if (n->node < 0) {
			while (nodes[free_node].links)
				free_node = (free_node + 1) % (count + 1);
			create(n, free_node);
		} else if (what < 2) {
			remove_name(n);
		} else if (what < 6) {
			rename_it(n);
		} else if (what < 9 && S_ISREG(nodes[n->node].mode)) {
			struct name *to = &names[rnd((uint64_t)count)];

			if (to->node < 0)
				link_it(n, to);
		} else if (what < 14 && S_ISREG(nodes[n->node].mode)) {
			change_contents(n);
		} else {
			change_attributes(n);
		}
	}
	for (int i = 0; i < count; i++) {
		if (names[i].node < 0)
			continue;
		have++;
		if (!timed[names[i].node]++)
			set_times(&names[i]);
	}
	for (int i = 0; i < count; i++)
		if (names[i].node >= 0)
			check(&names[i]);
	if (!getenv("BYTES") && names_found() != have) {
		printf("FAIL process %d: %d names, not %d\n", process, names_found(), have);
		exit(1);
	}
	exit(0);
}

int
main(int argc, char **argv)
{
	int bad = 0, status;

	dry = argc > 1 && !strcmp(argv[1], "-check");
	argv += dry;
	argc -= dry;
	if (argc != 5 || chdir(argv[1]))
		return 2;
	umask(0);
	for (int i = 0; i < DIRS && !dry; i++) {
		snprintf(text, sizeof(text), "d%d", i);
		if (mkdir(text, 0755))
			return 2;
	}
	for (process = 0; process < atoi(argv[2]); process++)
		if (!fork())
			run(atoi(argv[3]) / atoi(argv[2]), strtoull(argv[4], NULL, 0));
	while (wait(&status) > 0)
		bad |= status != 0;
	printf(bad ? "BAD\n" : "GOOD\n");
	return bad;
}
