/* SPDX-License-Identifier: MIT */
/* Rows of files: the character devices that show what a call costs, then files and names on tmpfs.
 */
#include "bench.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

static char buffer[1 << 16];

static int
open_device(const char *path)
{
	return must(open(path, O_RDWR), path);
}

/* A file of that size on tmpfs. */
static int
open_file(size_t size)
{
	int fd = must(open("/tmp/bench.file", O_RDWR | O_CREAT | O_TRUNC, 0644), "open");

	for (size_t done = 0; done < size; done += sizeof(buffer))
		must(write(fd, buffer, size - done < sizeof(buffer) ? size - done : sizeof(buffer)),
		     "write");
	return fd;
}

#define DEVICE_ROW(name, path, operation)           \
	static void run_##name(struct bench *bench) \
	{                                           \
		int fd = open_device(path);         \
                                                    \
		BENCH_LOOP(bench)                   \
		bench_use(operation);               \
		close(fd);                          \
	}

static struct iovec one_byte = { buffer, 1 };
static struct stat status;

DEVICE_ROW(read_null, "/dev/null", read(fd, buffer, 1))
DEVICE_ROW(write_null, "/dev/null", write(fd, buffer, 1))
DEVICE_ROW(read_zero, "/dev/zero", read(fd, buffer, 4096))
DEVICE_ROW(read_urandom, "/dev/urandom", read(fd, buffer, 256))
DEVICE_ROW(pread, "/dev/null", pread(fd, buffer, 1, 0))
DEVICE_ROW(writev, "/dev/null", writev(fd, &one_byte, 1))
DEVICE_ROW(fstat, "/dev/null", fstat(fd, &status))
DEVICE_ROW(lseek, "/dev/null", lseek(fd, 0, SEEK_CUR))
DEVICE_ROW(fcntl_getfl, "/dev/null", fcntl(fd, F_GETFL))
DEVICE_ROW(dup_close, "/dev/null", close(dup(fd)))

#define FILE_ROW(name, size, operation)             \
	static void run_##name(struct bench *bench) \
	{                                           \
		int fd = open_file(size);           \
                                                    \
		BENCH_LOOP(bench)                   \
		bench_use(operation);               \
		close(fd);                          \
	}

FILE_ROW(pread_1, 4096, pread(fd, buffer, 1, 0))
FILE_ROW(pread_4k, 4096, pread(fd, buffer, 4096, 0))
FILE_ROW(pread_64k, 65536, pread(fd, buffer, 65536, 0))
FILE_ROW(pwrite_1, 4096, pwrite(fd, buffer, 1, 0))
FILE_ROW(pwrite_4k, 4096, pwrite(fd, buffer, 4096, 0))
FILE_ROW(pwrite_64k, 65536, pwrite(fd, buffer, 65536, 0))

/* Pages that the file did not have: grown by 1 MiB, and emptied again. */
static void
run_append_4k(struct bench *bench)
{
	int fd = open_file(0);

	bench->per = 256;
	BENCH_LOOP(bench)
	{
		lseek(fd, 0, SEEK_SET);
		for (int i = 0; i < 256; i++)
			must(write(fd, buffer, 4096), "write");
		must(ftruncate(fd, 0), "ftruncate");
	}
	close(fd);
}

static void
run_sendfile_64k(struct bench *bench)
{
	int fd = open_file(65536);
	int null = open_device("/dev/null");

	BENCH_LOOP(bench)
	{
		off_t at = 0;
		must(sendfile(null, fd, &at, 65536), "sendfile");
	}
	close(null);
	close(fd);
}

static void
run_open_close(struct bench *bench)
{
	close(open_file(1));
	BENCH_LOOP(bench)
	close(open("/tmp/bench.file", O_RDONLY));
}

static void
run_open_read_close(struct bench *bench)
{
	close(open_file(4096));
	BENCH_LOOP(bench)
	{
		int fd = open("/tmp/bench.file", O_RDONLY);
		bench_use(read(fd, buffer, 4096));
		close(fd);
	}
}

static void
run_open_absent(struct bench *bench)
{
	BENCH_LOOP(bench)
	bench_use(open("/tmp/no such file", O_RDONLY));
}

static void
run_stat(struct bench *bench)
{
	BENCH_LOOP(bench)
	stat("/tmp", &status);
}

static void
run_stat_deep(struct bench *bench)
{
	mkdir("/tmp/a", 0755);
	mkdir("/tmp/a/b", 0755);
	mkdir("/tmp/a/b/c", 0755);
	mkdir("/tmp/a/b/c/d", 0755);
	BENCH_LOOP(bench)
	must(stat("/tmp/a/b/c/d", &status), "stat");
}

static void
run_statx(struct bench *bench)
{
	char result[256];

	BENCH_LOOP(bench)
	must(syscall(SYS_statx, AT_FDCWD, "/tmp", 0, 0x7ff, result), "statx");
}

static void
run_access(struct bench *bench)
{
	BENCH_LOOP(bench)
	bench_use(access("/tmp", F_OK));
}

static void
run_readlink(struct bench *bench)
{
	unlink("/tmp/bench.link");
	must(symlink("/tmp/bench.file", "/tmp/bench.link"), "symlink");
	BENCH_LOOP(bench)
	bench_use(readlink("/tmp/bench.link", buffer, 256));
}

static void
run_getcwd(struct bench *bench)
{
	BENCH_LOOP(bench)
	syscall(SYS_getcwd, buffer, 256);
}

static void
run_getdents64(struct bench *bench)
{
	BENCH_LOOP(bench)
	{
		int fd = open("/tmp", O_RDONLY | O_DIRECTORY);
		syscall(SYS_getdents64, fd, buffer, 1024);
		close(fd);
	}
}

/* An entry of a directory of 1,000, with getdents64 as a C library calls it. */
static void
run_list_1000(struct bench *bench)
{
	char path[64];

	mkdir("/tmp/list", 0755);
	for (int i = 0; i < 1000; i++) {
		snprintf(path, sizeof(path), "/tmp/list/entry%d", i);
		close(must(open(path, O_WRONLY | O_CREAT, 0644), path));
	}
	int fd = must(open("/tmp/list", O_RDONLY | O_DIRECTORY), "open");
	bench->per = 1000;
	BENCH_LOOP(bench)
	{
		lseek(fd, 0, SEEK_SET);
		while (must(syscall(SYS_getdents64, fd, buffer, 2048), "getdents64") > 0)
			;
	}
	close(fd);
}

static void
run_fcntl_lock(struct bench *bench)
{
	int fd = open_file(1);

	BENCH_LOOP(bench)
	{
		struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_len = 1 };
		must(fcntl(fd, F_SETLK, &lock), "F_SETLK");
		lock.l_type = F_UNLCK;
		must(fcntl(fd, F_SETLK, &lock), "F_SETLK");
	}
	close(fd);
}

static void
run_flock(struct bench *bench)
{
	int fd = open_file(1);

	BENCH_LOOP(bench)
	{
		must(flock(fd, LOCK_EX), "flock");
		must(flock(fd, LOCK_UN), "flock");
	}
	close(fd);
}

static void
run_create_unlink(struct bench *bench)
{
	BENCH_LOOP(bench)
	{
		close(must(open("/tmp/bench.new", O_WRONLY | O_CREAT | O_EXCL, 0644), "open"));
		must(unlink("/tmp/bench.new"), "unlink");
	}
}

static void
run_mkdir_rmdir(struct bench *bench)
{
	BENCH_LOOP(bench)
	{
		must(mkdir("/tmp/bench.dir", 0755), "mkdir");
		must(rmdir("/tmp/bench.dir"), "rmdir");
	}
}

static void
run_rename(struct bench *bench)
{
	close(open_file(1));
	BENCH_LOOP(bench)
	{
		must(rename("/tmp/bench.file", "/tmp/bench.renamed"), "rename");
		must(rename("/tmp/bench.renamed", "/tmp/bench.file"), "rename");
	}
}

static void
run_link_unlink(struct bench *bench)
{
	close(open_file(1));
	BENCH_LOOP(bench)
	{
		must(link("/tmp/bench.file", "/tmp/bench.hard"), "link");
		must(unlink("/tmp/bench.hard"), "unlink");
	}
}

static void
run_chmod(struct bench *bench)
{
	close(open_file(1));
	BENCH_LOOP(bench)
	must(chmod("/tmp/bench.file", 0644), "chmod");
}

static void
run_file_tree(struct bench *bench)
{
	char path[64];

	BENCH_LOOP(bench)
	{
		must(mkdir("/tmp/tree", 0755), "mkdir");
		must(mkdir("/tmp/tree/sub", 0755), "mkdir");
		for (int i = 0; i < 10; i++) {
			snprintf(path, sizeof(path), "/tmp/tree/sub/%d", i);
			int fd = must(open(path, O_WRONLY | O_CREAT, 0644), path);
			must(write(fd, "x", 1), path);
			close(fd);
		}
		int fd = must(open("/tmp/tree/sub", O_RDONLY | O_DIRECTORY), "open");
		while (syscall(SYS_getdents64, fd, buffer, 4096) > 0)
			;
		close(fd);
		for (int i = 0; i < 10; i++) {
			snprintf(path, sizeof(path), "/tmp/tree/sub/%d", i);
			must(unlink(path), path);
		}
		must(rmdir("/tmp/tree/sub"), "rmdir");
		must(rmdir("/tmp/tree"), "rmdir");
	}
}

static void
run_proc_self_stat(struct bench *bench)
{
	BENCH_LOOP(bench)
	{
		int fd = must(open("/proc/self/stat", O_RDONLY), "open");
		must(read(fd, buffer, 1024), "read");
		close(fd);
	}
}

static void
run_proc_maps(struct bench *bench)
{
	BENCH_LOOP(bench)
	{
		int fd = must(open("/proc/self/maps", O_RDONLY), "open");
		while (must(read(fd, buffer, 4096), "read") > 0)
			;
		close(fd);
	}
}

const struct row file_rows[] = {
	{ "read_null", run_read_null, 20000 },
	{ "write_null", run_write_null, 20000 },
	{ "read_zero", run_read_zero, 5000 },
	{ "read_urandom", run_read_urandom, 1000 },
	{ "pread", run_pread, 20000 },
	{ "writev", run_writev, 20000 },
	{ "fstat", run_fstat, 10000 },
	{ "lseek", run_lseek, 20000 },
	{ "fcntl_getfl", run_fcntl_getfl, 20000 },
	{ "dup_close", run_dup_close, 10000 },
	{ "open_close", run_open_close, 3000 },
	{ "open_read_close", run_open_read_close, 2000 },
	{ "open_absent", run_open_absent, 5000 },
	{ "stat", run_stat, 5000 },
	{ "stat_deep", run_stat_deep, 5000 },
	{ "statx", run_statx, 5000 },
	{ "access", run_access, 5000 },
	{ "readlink", run_readlink, 5000 },
	{ "getcwd", run_getcwd, 5000 },
	{ "getdents64", run_getdents64, 2000 },
	{ "list_1000", run_list_1000, 10 },
	{ "fcntl_lock", run_fcntl_lock, 3000 },
	{ "flock", run_flock, 3000 },
	{ "pread_1", run_pread_1, 10000 },
	{ "pread_4k", run_pread_4k, 5000 },
	{ "pread_64k", run_pread_64k, 500 },
	{ "pwrite_1", run_pwrite_1, 5000 },
	{ "pwrite_4k", run_pwrite_4k, 5000 },
	{ "pwrite_64k", run_pwrite_64k, 500 },
	{ "append_4k", run_append_4k, 10 },
	{ "sendfile_64k", run_sendfile_64k, 500 },
	{ "create_unlink", run_create_unlink, 1000 },
	{ "mkdir_rmdir", run_mkdir_rmdir, 1000 },
	{ "rename", run_rename, 1000 },
	{ "link_unlink", run_link_unlink, 1000 },
	{ "chmod", run_chmod, 3000 },
	{ "file_tree", run_file_tree, 50 },
	{ "proc_self_stat", run_proc_self_stat, 500 },
	{ "proc_maps", run_proc_maps, 300 },
	{ 0 },
};
