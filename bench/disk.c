/* SPDX-License-Identifier: MIT */
/*
 * Rows of files on a disk: ext4 on virtio-blk, below /mnt.
 *
 * What writes ends with fsync or syncfs inside the measurement, so that nobody gains by leaving
 * work for later; what reads begins with the pages of its file thrown out.
 */
#include "bench.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FOLDER "/mnt/bench"
#define FILES  200
#define BLOCK  4096
#define LARGE  (8 << 20)

static char buffer[1 << 16];

static void
enter_disk(void)
{
	if (!bench_has_disk)
		bench_absent("a disk");
	mkdir(FOLDER, 0755);
}

static const char *
file_name(int number)
{
	static char path[64];

	snprintf(path, sizeof(path), FOLDER "/file%d", number);
	return path;
}

static void
make_files(void)
{
	for (int i = 0; i < FILES; i++) {
		int fd = must(open(file_name(i), O_WRONLY | O_CREAT | O_EXCL, 0644), "create");
		must(write(fd, buffer, BLOCK), "write");
		close(fd);
	}
}

static void
remove_files(void)
{
	for (int i = 0; i < FILES; i++)
		must(unlink(file_name(i)), "unlink");
}

static void
sync_disk(void)
{
	int fd = must(open(FOLDER, O_RDONLY | O_DIRECTORY), FOLDER);

	must(syncfs(fd), "syncfs");
	close(fd);
}

static void
run_create(struct bench *bench)
{
	enter_disk();
	bench->per = FILES;
	BENCH_LOOP(bench)
	{
		make_files();
		sync_disk();
		bench_pause(bench);
		remove_files();
		sync_disk();
		bench_resume(bench);
	}
}

static void
run_delete(struct bench *bench)
{
	enter_disk();
	bench->per = FILES;
	BENCH_LOOP(bench)
	{
		bench_pause(bench);
		make_files();
		sync_disk();
		bench_resume(bench);
		remove_files();
		sync_disk();
	}
}

static void
run_open(struct bench *bench)
{
	enter_disk();
	make_files();
	bench->per = FILES;
	BENCH_LOOP(bench)
	for (int i = 0; i < FILES; i++)
		close(must(open(file_name(i), O_RDONLY), "open"));
	remove_files();
}

static void
run_stat(struct bench *bench)
{
	struct stat status;

	enter_disk();
	make_files();
	bench->per = FILES;
	BENCH_LOOP(bench)
	for (int i = 0; i < FILES; i++)
		must(stat(file_name(i), &status), "stat");
	remove_files();
}

/* ---- one large file; per block ---- */

static int
open_large(void)
{
	enter_disk();
	int fd = must(open(FOLDER "/large", O_RDWR | O_CREAT | O_TRUNC, 0644), "open");

	for (size_t done = 0; done < LARGE; done += sizeof(buffer))
		must(write(fd, buffer, sizeof(buffer)), "write");
	must(fsync(fd), "fsync");
	return fd;
}

static void
close_large(int fd)
{
	close(fd);
	unlink(FOLDER "/large");
}

static void
forget_pages(int fd)
{
	must(-posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED), "posix_fadvise");
}

/* Blocks in an order without order, each once in 2048. */
static off_t
some_block(unsigned long step)
{
	return (off_t)(step * 1103 % (LARGE / BLOCK)) * BLOCK;
}

static void
run_write(struct bench *bench)
{
	int fd = open_large();

	bench->per = LARGE / BLOCK;
	BENCH_LOOP(bench)
	{
		bench_pause(bench);
		must(ftruncate(fd, 0), "ftruncate");
		must(lseek(fd, 0, SEEK_SET), "lseek");
		must(fsync(fd), "fsync");
		bench_resume(bench);
		for (size_t done = 0; done < LARGE; done += sizeof(buffer))
			must(write(fd, buffer, sizeof(buffer)), "write");
		must(fsync(fd), "fsync");
	}
	close_large(fd);
}

static void
run_read(struct bench *bench)
{
	int fd = open_large();

	bench->per = LARGE / BLOCK;
	BENCH_LOOP(bench)
	{
		bench_pause(bench);
		forget_pages(fd);
		must(lseek(fd, 0, SEEK_SET), "lseek");
		bench_resume(bench);
		while (must(read(fd, buffer, sizeof(buffer)), "read") > 0)
			;
	}
	close_large(fd);
}

static void
run_read_random(struct bench *bench)
{
	int fd = open_large();

	must(-posix_fadvise(fd, 0, 0, POSIX_FADV_RANDOM), "posix_fadvise");
	bench->per = 256;
	BENCH_LOOP(bench)
	{
		bench_pause(bench);
		forget_pages(fd);
		bench_resume(bench);
		for (unsigned long i = 0; i < 256; i++)
			must(pread(fd, buffer, BLOCK, some_block(bench->left * 256 + i)), "pread");
	}
	close_large(fd);
}

static void
run_write_random(struct bench *bench)
{
	int fd = open_large();

	bench->per = 256;
	BENCH_LOOP(bench)
	{
		for (unsigned long i = 0; i < 256; i++)
			must(pwrite(fd, buffer, BLOCK, some_block(bench->left * 256 + i)),
			     "pwrite");
		must(fsync(fd), "fsync");
	}
	close_large(fd);
}

static void
run_fsync(struct bench *bench)
{
	int fd = open_large();

	BENCH_LOOP(bench)
	{
		must(pwrite(fd, buffer, BLOCK, some_block(bench->left)), "pwrite");
		must(fsync(fd), "fsync");
	}
	close_large(fd);
}

/* A file that grows: every fsync commits the journal. */
static void
run_append_fsync(struct bench *bench)
{
	int fd = open_large();

	must(ftruncate(fd, 0), "ftruncate");
	must(lseek(fd, 0, SEEK_SET), "lseek");
	BENCH_LOOP(bench)
	{
		must(write(fd, buffer, BLOCK), "write");
		must(fsync(fd), "fsync");
	}
	close_large(fd);
}

const struct row disk_rows[] = {
	{ "disk_create", run_create, 4, .waits = true },
	{ "disk_delete", run_delete, 4, .waits = true },
	{ "disk_open", run_open, 10, .waits = true },
	{ "disk_stat", run_stat, 10, .waits = true },
	{ "disk_write", run_write, 4, .waits = true },
	{ "disk_read", run_read, 4, .waits = true },
	{ "disk_write_random", run_write_random, 4, .waits = true },
	{ "disk_read_random", run_read_random, 4, .waits = true },
	{ "disk_fsync", run_fsync, 60, .waits = true },
	{ "disk_append_fsync", run_append_fsync, 60, .waits = true },
	{ 0 },
};
