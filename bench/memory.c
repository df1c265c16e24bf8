/* SPDX-License-Identifier: MIT */
/*
 * Rows of memory: mapping, first touch, touching again. mmap_fault takes what the kernel gives,
 * which may be huge pages; the rows named _small forbid them.
 */
#include "bench.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define PAGE  4096
#define PAGES 256
#define MANY  4096

static char *
map(size_t size)
{
	char *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (memory == MAP_FAILED)
		bench_fail("mmap");
	return memory;
}

static void
touch(volatile char *memory, size_t pages)
{
	for (size_t page = 0; page < pages; page++)
		memory[page * PAGE] = 1;
}

static void
look(volatile char *memory, size_t pages)
{
	for (size_t page = 0; page < pages; page++)
		bench_use(memory[page * PAGE]);
}

static void
run_mmap_fault(struct bench *bench)
{
	bench->per = MANY;
	BENCH_LOOP(bench)
	{
		char *memory = map(MANY * PAGE);
		touch(memory, MANY);
		munmap(memory, MANY * PAGE);
	}
}

/* First touch alone: the clock stops before the mapping goes. */
static void
run_fault_small(struct bench *bench)
{
	char *memory = map(PAGES * PAGE);

	madvise(memory, PAGES * PAGE, MADV_NOHUGEPAGE);
	bench->per = PAGES;
	BENCH_LOOP(bench)
	{
		touch(memory, PAGES);
		madvise(memory, PAGES * PAGE, MADV_DONTNEED);
	}
	munmap(memory, PAGES * PAGE);
}

static void
run_fault_read_small(struct bench *bench)
{
	char *memory = map(PAGES * PAGE);

	madvise(memory, PAGES * PAGE, MADV_NOHUGEPAGE);
	bench->per = PAGES;
	BENCH_LOOP(bench)
	{
		look(memory, PAGES);
		madvise(memory, PAGES * PAGE, MADV_DONTNEED);
	}
	munmap(memory, PAGES * PAGE);
}

static int
open_file(void)
{
	static char block[1 << 16];
	int fd = must(open("/tmp/bench.map", O_RDWR | O_CREAT | O_TRUNC, 0644), "open");

	for (size_t done = 0; done < PAGES * PAGE; done += sizeof(block))
		must(write(fd, block, sizeof(block)), "write");
	return fd;
}

static void
map_file(struct bench *bench, int flags, int protection, void (*use)(volatile char *, size_t))
{
	int fd = open_file();

	bench->per = PAGES;
	BENCH_LOOP(bench)
	{
		char *memory = mmap(NULL, PAGES * PAGE, protection, flags, fd, 0);
		if (memory == MAP_FAILED)
			bench_fail("mmap");
		use(memory, PAGES);
		munmap(memory, PAGES * PAGE);
	}
	close(fd);
}

static void
run_file_fault_read(struct bench *bench)
{
	map_file(bench, MAP_PRIVATE, PROT_READ, look);
}

static void
run_file_fault_shared(struct bench *bench)
{
	map_file(bench, MAP_SHARED, PROT_READ | PROT_WRITE, touch);
}

static void
run_file_fault_private(struct bench *bench)
{
	map_file(bench, MAP_PRIVATE, PROT_READ | PROT_WRITE, touch);
}

static void
run_mmap_munmap(struct bench *bench)
{
	BENCH_LOOP(bench)
	munmap(map(PAGE), PAGE);
}

static void
run_mmap_touch_munmap(struct bench *bench)
{
	BENCH_LOOP(bench)
	{
		char *memory = map(PAGE);
		touch(memory, 1);
		munmap(memory, PAGE);
	}
}

static void
run_mprotect(struct bench *bench)
{
	char *memory = map(PAGE);

	touch(memory, 1);
	BENCH_LOOP(bench)
	{
		must(mprotect(memory, PAGE, PROT_READ), "mprotect");
		must(mprotect(memory, PAGE, PROT_READ | PROT_WRITE), "mprotect");
	}
	munmap(memory, PAGE);
}

/* The middle page of three: mappings are split and joined again. */
static void
run_mprotect_split(struct bench *bench)
{
	char *memory = map(3 * PAGE);

	touch(memory, 3);
	BENCH_LOOP(bench)
	{
		must(mprotect(memory + PAGE, PAGE, PROT_READ), "mprotect");
		must(mprotect(memory + PAGE, PAGE, PROT_READ | PROT_WRITE), "mprotect");
	}
	munmap(memory, 3 * PAGE);
}

static void
run_brk(struct bench *bench)
{
	uintptr_t base = syscall(SYS_brk, 0);

	BENCH_LOOP(bench)
	{
		syscall(SYS_brk, base + PAGE);
		syscall(SYS_brk, base);
	}
}

static void
run_mremap(struct bench *bench)
{
	char *memory = map(16 * PAGE);

	touch(memory, 16);
	BENCH_LOOP(bench)
	{
		memory = mremap(memory, 16 * PAGE, 32 * PAGE, MREMAP_MAYMOVE);
		memory = mremap(memory, 32 * PAGE, 16 * PAGE, MREMAP_MAYMOVE);
	}
	munmap(memory, 16 * PAGE);
}

static void
run_madvise_dontneed(struct bench *bench)
{
	char *memory = map(16 * PAGE);

	bench->per = 16;
	BENCH_LOOP(bench)
	{
		touch(memory, 16);
		madvise(memory, 16 * PAGE, MADV_DONTNEED);
	}
	munmap(memory, 16 * PAGE);
}

/* A process with 1,000 mappings maps one more. */
static void
run_mmap_among_1000(struct bench *bench)
{
	char *area = map(2002 * PAGE);

	for (int i = 0; i < 1000; i++)
		must(mprotect(area + (2 * i + 1) * PAGE, PAGE, PROT_READ), "mprotect");
	BENCH_LOOP(bench)
	munmap(map(PAGE), PAGE);
	munmap(area, 2002 * PAGE);
}

const struct row memory_rows[] = {
	{ "mmap_fault", run_mmap_fault, 4 },
	{ "fault_small", run_fault_small, 20 },
	{ "fault_read_small", run_fault_read_small, 20 },
	{ "file_fault_read", run_file_fault_read, 40 },
	{ "file_fault_shared", run_file_fault_shared, 20 },
	{ "file_fault_private", run_file_fault_private, 20 },
	{ "mmap_munmap", run_mmap_munmap, 3000 },
	{ "mmap_touch_munmap", run_mmap_touch_munmap, 2000 },
	{ "mmap_among_1000", run_mmap_among_1000, 3000 },
	{ "mprotect", run_mprotect, 3000 },
	{ "mprotect_split", run_mprotect_split, 2000 },
	{ "brk", run_brk, 3000 },
	{ "mremap", run_mremap, 1000 },
	{ "madvise_dontneed", run_madvise_dontneed, 200 },
	{ 0 },
};
