/* SPDX-License-Identifier: MIT */
/*
 * Threads of one process do everything to one small window of address space at once, with sizes and
 * places at random: map, unmap, protect, move, advise, lock, fork, read and write through other
 * system calls, cut the file that is mapped. Nothing is known of the outcome of a single call;
 * afterwards the process must still be able to end, the kernel to go on, and memory to be back.
 */
#include "../probe.h"
#include <pthread.h>
#include <setjmp.h>
#include <sys/sysinfo.h>
#include <sys/uio.h>

#define PAGES	1024l /* of the window: four megabytes, so that 2 MiB pages are met too */
#define THREADS 3
#define STEPS	700

static char *window;
static int file;
static pthread_barrier_t gate; /* no stack may be mapped into the holes of the window */
static __thread sigjmp_buf jump;
static __thread volatile int armed;
static __thread unsigned long seed;

static unsigned long
rnd(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed;
}

static void
fault(int sig)
{
	(void)sig;
	if (armed)
		siglongjmp(jump, 1);
	_exit(77);
}

static char *
place(void)
{
	return window + rnd() % PAGES * 4096;
}

static size_t
size(void)
{
	return (rnd() % 8 ? rnd() % 16 + 1 : rnd() % 600 + 1) * 4096;
}

/* Read or write a random byte; a fault is as good an answer as any. */
static void
touch_one(volatile char *p, int write)
{
	armed = 1;
	if (!sigsetjmp(jump, 1)) {
		if (write)
			*p = 1;
		else
			(void)*p;
	}
	armed = 0;
}

static void
touch(int times)
{
	while (times--)
		touch_one(place() + rnd() % 4096, (int)(rnd() & 1));
}

static void
in_child(void)
{
	pid_t pid = fork();

	if (pid == 0) {
		touch(20);
		_exit(0);
	}
	while (pid > 0 && waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
}

static void
through_the_kernel(char *p)
{
	char buf[9000];
	struct iovec local = { buf, sizeof(buf) }, remote = { p, sizeof(buf) };
	ssize_t n;

	n = syscall(SYS_process_vm_readv, getpid(), &local, 1L, &remote, 1L, 0L);
	n = write(file, p, 3000);
	n = pread(file, p, 5000, (off_t)(rnd() % 100000));
	(void)n;
}

static void
step(void)
{
	static const int advice[] = { MADV_NORMAL,     MADV_RANDOM,	MADV_SEQUENTIAL,
				      MADV_WILLNEED,   MADV_DONTNEED,	MADV_FREE,
				      MADV_REMOVE,     MADV_DONTFORK,	MADV_DOFORK,
				      MADV_HUGEPAGE,   MADV_NOHUGEPAGE, MADV_WIPEONFORK,
				      MADV_KEEPONFORK, MADV_COLD };
	int prot = (int)(rnd() % 8);
	unsigned char resident[700];
	char *p = place();
	size_t len = size();

	switch (rnd() % 16) {
	case 0:
	case 1:
		mmap(p, len, prot | PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
		break;
	case 2:
		mmap(p, len, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, file,
		     (off_t)(rnd() % 32 * 4096));
		break;
	case 3:
		mmap(p, len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_FIXED, file,
		     (off_t)(rnd() % 32 * 4096));
		break;
	case 4:
		mmap(p, len, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
		break;
	case 5: munmap(p, len); break;
	case 6: mprotect(p, len, prot); break;
	case 7: mremap(p, len, size(), MREMAP_MAYMOVE | MREMAP_FIXED, place()); break;
	case 8: madvise(p, len, advice[rnd() % ARRAY_LEN(advice)]); break;
	case 9: mlock(p, rnd() % 8 * 4096); break;
	case 10: munlock(p, len); break;
	case 11: msync(p, len, (int)(rnd() % 8)); break;
	case 12: mincore(p, len, resident); break;
	case 13:
		if (rnd() % 8 == 0 && ftruncate(file, (off_t)(rnd() % 64 * 4096 + rnd() % 4096)))
			_exit(78);
		if (rnd() % 16 == 0)
			in_child();
		break;
	case 14: through_the_kernel(p); break;
	case 15:
		if (rnd() % 4 == 0)
			mmap(window, PAGES * 4096, PROT_READ | PROT_WRITE,
			     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
		break;
	}
	touch(6);
}

static void *
thread(void *arg)
{
	seed = (unsigned long)(intptr_t)arg * 7919 + 1234567;
	pthread_barrier_wait(&gate);
	for (int i = 0; i < STEPS; i++)
		step();
	return NULL;
}

static void
play(long round)
{
	struct sigaction sa = { .sa_handler = fault, .sa_flags = SA_NODEFER };
	pthread_t threads[THREADS];
	uintptr_t start;

	sigaction(SIGSEGV, &sa, NULL);
	sigaction(SIGBUS, &sa, NULL);
	file = memfd_create("random", 0);
	if (file < 0 || ftruncate(file, 40 * 4096 + 77))
		_exit(79);
	/* Half a 2 MiB page before the window's first one, so that edges are met. */
	start = (uintptr_t)mmap(NULL, PAGES * 4096 + (8 << 20), PROT_NONE,
				MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	window = (char *)((start + (2 << 20) - 1) / (2 << 20) * (2 << 20) + (1 << 20));
	pthread_barrier_init(&gate, NULL, THREADS);
	for (long i = 0; i < THREADS; i++)
		if (pthread_create(&threads[i], NULL, thread, (void *)(i + 1 + round * 10)))
			_exit(80);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	_exit(0);
}

int
main(void)
{
	struct sysinfo before, after;

	for (long round = 0; round < 3; round++) {
		pid_t pid = must(fork());

		if (pid == 0)
			play(round);
		is_exit(pid, 0, "round %ld ends as it should", round + 1);
		if (round == 0)
			sysinfo(&before);
	}
	sysinfo(&after);
	ok(after.freeram + (8 << 20) > before.freeram ||
		   after.totalram > (4ul << 30) / after.mem_unit,
	   "memory comes back");
	return done();
}
