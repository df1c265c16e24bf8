/* SPDX-License-Identifier: MIT */
/* TEST: timeout=40 */
/*
 * A file's pages: stores through mappings, write, read and direct reads agree; sync_file_range,
 * posix_fadvise, readahead. With DISK=PATH in the environment PATH is used, a block device or a
 * file on a disk of SIZE_MB MiB at least, and what only a disk shows is checked as well.
 */
#include "../tap.h"
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#define THREADS 4
#define ROUNDS	60
#define REGION	(512 << 10)

static const char *path;
static bool on_disk;
static size_t size;
static int fd;

static unsigned
pattern(size_t offset, unsigned seed)
{
	return (unsigned)(offset * 2654435761u) ^ seed;
}

static void
fill(unsigned *words, size_t offset, size_t len, unsigned seed)
{
	for (size_t i = 0; i < len / 4; i++)
		words[i] = pattern(offset + i * 4, seed);
}

static bool
verify(const unsigned *words, size_t offset, size_t len, unsigned seed)
{
	for (size_t i = 0; i < len / 4; i++) {
		if (words[i] != pattern(offset + i * 4, seed)) {
			diag("offset %zu: 0x%x, not 0x%x", offset + i * 4, words[i],
			     pattern(offset + i * 4, seed));
			return false;
		}
	}
	return true;
}

/* What the medium has: past the cache, if the file system can. */
static bool
verify_direct(size_t offset, size_t len, unsigned seed)
{
	int direct = open(path, O_RDONLY | O_DIRECT);
	bool good = true;
	void *buf;

	if (direct < 0)
		return errno == EINVAL;
	if (posix_memalign(&buf, 4096, 65536))
		return false;
	for (size_t at = offset; good && at < offset + len; at += 65536) {
		ssize_t n = pread(direct, buf, 65536, (off_t)at);

		good = n == 65536 && verify(buf, at, 65536, seed);
		if (n != 65536)
			diag("direct read at %zu: %zd, errno %d", at, n, errno);
	}
	free(buf);
	close(direct);
	return good;
}

static size_t
resident(void *map, size_t len)
{
	unsigned char vec[4096];
	size_t n = 0;

	for (size_t at = 0; at < len; at += sizeof(vec) * 4096) {
		size_t part = len - at < sizeof(vec) * 4096 ? len - at : sizeof(vec) * 4096;

		if (mincore((char *)map + at, part, vec))
			return 0;
		for (size_t i = 0; i < part / 4096; i++)
			n += vec[i] & 1;
	}
	return n;
}

static void
write_all(unsigned seed)
{
	static unsigned buf[65536 / 4];
	bool good = true;

	for (size_t at = 0; at < size; at += sizeof(buf)) {
		fill(buf, at, sizeof(buf), seed);
		good = good && pwrite(fd, buf, sizeof(buf), (off_t)at) == sizeof(buf);
	}
	ok(good, "all of it is written");
}

static void
syncing(void)
{
	int pipe_fds[2];

	must(pipe(pipe_fds));
	sys_ok(sync_file_range(fd, 0, 65536, SYNC_FILE_RANGE_WRITE), "sync_file_range starts");
	sys_ok(sync_file_range(fd, 0, 0,
			       SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE |
				       SYNC_FILE_RANGE_WAIT_AFTER),
	       "sync_file_range to the end, with all flags");
	sys_ok(sync_file_range(fd, 0, 4096, 0), "sync_file_range without flags");
	sys_err(sync_file_range(fd, 0, 4096, 8), EINVAL, "sync_file_range: unknown flag");
	sys_err(sync_file_range(fd, -1, 4096, 0), EINVAL, "sync_file_range: negative offset");
	sys_err(sync_file_range(fd, 0, -1, 0), EINVAL, "sync_file_range: negative length");
	sys_err(sync_file_range(pipe_fds[0], 0, 0, 0), ESPIPE, "sync_file_range of a pipe");
	sys_err(sync_file_range(-1, 0, 0, 0), EBADF, "sync_file_range of nothing");
	sys_ok(fdatasync(fd), "fdatasync");
	sys_ok(fsync(fd), "fsync");
	sys_ok(syncfs(fd), "syncfs");
	sys_err(fsync(pipe_fds[0]), EINVAL, "fsync of a pipe");
	close(pipe_fds[0]);
	close(pipe_fds[1]);
}

static void
advice(void)
{
	void *map = (void *)must(mmap(NULL, size, PROT_READ, MAP_SHARED, fd, 0));
	size_t pages = size / 4096, before, after;

	is_int(posix_fadvise(fd, 0, 0, POSIX_FADV_RANDOM), 0, "random");
	is_int(posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL), 0, "sequential");
	is_int(posix_fadvise(fd, 0, 0, POSIX_FADV_NOREUSE), 0, "noreuse");
	is_int(posix_fadvise(fd, 0, 0, POSIX_FADV_NORMAL), 0, "normal");
	is_int(posix_fadvise(fd, 0, 0, 77), EINVAL, "unknown advice");
	is_int(posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED), 0, "not needed");
	if (on_disk) {
		before = resident(map, size);
		/* A few may be on lists that hold references. */
		ok(before < pages / 8, "pages that are not needed are dropped");
		is_int(posix_fadvise(fd, 0, 1 << 20, POSIX_FADV_WILLNEED), 0, "will be needed");
		for (int i = 0; i < 100 && resident(map, 1 << 20) < 256; i++)
			usleep(20000);
		is_int(resident(map, 1 << 20), 256, "pages that will be needed are read");
		sys_ok(readahead(fd, 1 << 20, 1 << 20), "readahead");
		for (int i = 0; i < 100 && resident((char *)map + (1 << 20), 1 << 20) < 256; i++)
			usleep(20000);
		is_int(resident((char *)map + (1 << 20), 1 << 20), 256, "readahead reads");
		posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
		sys_ok(madvise(map, 1 << 20, MADV_WILLNEED), "madvise: will be needed");
		for (int i = 0; i < 100 && resident(map, 1 << 20) < 256; i++)
			usleep(20000);
		is_int(resident(map, 1 << 20), 256, "madvise reads");
		posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
		after = resident(map, size);
		for (int i = 0; i < 8; i++) {
			static char buf[4096];

			must(pread(fd, buf, sizeof(buf), i * 4096));
		}
		usleep(100000);
		ok(resident(map, size) > after + 8, "a stream is read ahead");
	}
	munmap(map, size);
}

static void
shared_stores(void)
{
	unsigned *map = (void *)must(mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0));
	static unsigned buf[65536 / 4];

	fill(map, 0, size, 2);
	must(pread(fd, buf, sizeof(buf), 65536));
	ok(verify(buf, 65536, sizeof(buf), 2), "read sees what was stored");
	sys_ok(msync(map, size, MS_ASYNC), "msync, asynchronous");
	sys_ok(msync(map, size, MS_SYNC), "msync");
	ok(verify_direct(0, size, 2), "the medium has what msync wrote");
	fill(map, 0, 1 << 20, 3);
	sys_ok(msync(map, size, MS_SYNC), "msync again");
	ok(verify_direct(0, 1 << 20, 3), "stores after a msync are seen by the next");
	fill(map, 0, 1 << 20, 4);
	sys_ok(fdatasync(fd), "fdatasync");
	ok(verify_direct(0, 1 << 20, 4), "and by fdatasync");
	fill(buf, 1 << 20, sizeof(buf), 5);
	must(pwrite(fd, buf, sizeof(buf), 1 << 20));
	ok(verify(map + (1 << 20) / 4, 1 << 20, sizeof(buf), 5), "a mapping sees what was written");
	munmap(map, size);
	must(fsync(fd));
	ok(verify_direct(1 << 20, sizeof(buf), 5), "what was written is on the medium");
}

/* Each thread in a region of its own, by all ways at once; the kernel writes and drops meanwhile.
 */
static atomic_int stop, wrong;

static void *
region_run(void *arg)
{
	size_t start = (size_t)(long)arg * REGION;
	unsigned *map = mmap(NULL, REGION, PROT_READ | PROT_WRITE, MAP_SHARED, fd, (off_t)start);
	unsigned *buf = malloc(REGION);

	if (map == MAP_FAILED || !buf) {
		wrong++;
		return NULL;
	}
	for (unsigned round = 1; round <= ROUNDS; round++) {
		unsigned seed = (unsigned)start + round;

		if (round & 1) {
			fill(map, start, REGION, seed);
		} else {
			fill(buf, start, REGION, seed);
			if (pwrite(fd, buf, REGION, (off_t)start) != REGION)
				wrong++;
		}
		if (round % 8 == 0 && msync(map, REGION, MS_SYNC))
			wrong++;
		memset(buf, 0, REGION);
		if (pread(fd, buf, REGION, (off_t)start) != REGION ||
		    !verify(buf, start, REGION, seed) || !verify(map, start, REGION, seed))
			wrong++;
	}
	munmap(map, REGION);
	free(buf);
	return NULL;
}

static void *
disturb(void *arg)
{
	(void)arg;
	while (!stop) {
		sync_file_range(fd, 0, 0, SYNC_FILE_RANGE_WRITE);
		posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
		usleep(1000);
	}
	return NULL;
}

static void
all_at_once(void)
{
	pthread_t threads[THREADS], other;
	bool good = true;

	must(pthread_create(&other, NULL, disturb, NULL));
	for (long i = 0; i < THREADS; i++)
		must(pthread_create(&threads[i], NULL, region_run, (void *)i));
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	stop = 1;
	pthread_join(other, NULL);
	is_int(wrong, 0, "nothing is lost between stores, writes and writeback");
	must(fsync(fd));
	for (size_t i = 0; i < THREADS; i++)
		good = good && verify_direct(i * REGION, REGION, (unsigned)(i * REGION) + ROUNDS);
	ok(good, "and nothing on the way to the medium");
}

int
main(void)
{
	const char *mb = getenv("SIZE_MB");

	path = getenv("DISK");
	on_disk = path;
	size = (size_t)(mb ? atoi(mb) : 4) << 20;
	if (!on_disk)
		path = "file";
	fd = must(open(path, O_RDWR | O_CREAT, 0644));
	write_all(1);
	syncing();
	ok(verify_direct(0, size, 1), "what fsync wrote is on the medium");
	advice();
	shared_stores();
	all_at_once();
	return done();
}
