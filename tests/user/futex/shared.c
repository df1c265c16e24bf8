/* SPDX-License-Identifier: MIT */
/* Where a futex is: shared between processes by memory, not by address; private by address. */
#include "../compat.h"
#include "../tap.h"

static pid_t
waiter(unsigned *w, int op)
{
	struct timespec ts = { 5, 0 };
	pid_t pid = must(fork());

	if (pid == 0)
		_exit(kt_futex(w, op, 0, &ts, NULL, 0) == 0 ? 0 : errno == ETIMEDOUT ? 1 : 2);
	wait_state(pid, 'S');
	return pid;
}

int
main(void)
{
	unsigned *anon = shared_alloc(8192), *a, *b, *priv;
	int fd;
	pid_t pid;

	scratch();
	pid = waiter(anon, FUTEX_WAIT);
	is_int(kt_futex(anon, FUTEX_WAKE, 1, NULL, NULL, 0), 1, "shared anonymous memory");
	is_exit(pid, 0, "the other process wakes");
	pid = waiter(anon + 1, FUTEX_WAIT);
	is_int(kt_futex(anon, FUTEX_WAKE, 1, NULL, NULL, 0), 0,
	       "another word of the page is another futex");
	is_int(kt_futex(anon + 1024 + 1, FUTEX_WAKE, 1, NULL, NULL, 0), 0,
	       "so is the same offset of another page");
	is_int(kt_futex(anon + 1, FUTEX_WAKE, 1, NULL, NULL, 0), 1, "the right one wakes");
	is_exit(pid, 0, "it is awake");

	put_file("f", "\0\0\0\0\0\0\0\0", 8);
	fd = must(open("f", O_RDWR));
	a = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	b = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	pid = waiter(a, FUTEX_WAIT);
	is_int(kt_futex(b, FUTEX_WAKE, 1, NULL, NULL, 0), 1, "a file mapped at two addresses");
	is_exit(pid, 0, "the waiter at the other address wakes");
	pid = waiter(a, FUTEX_WAIT | FUTEX_PRIVATE_FLAG);
	is_int(kt_futex(a, FUTEX_WAKE, 1, NULL, NULL, 0), 0,
	       "a private wait in another process cannot be reached");
	is_int(kt_futex(a, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, 1, NULL, NULL, 0), 0,
	       "nor by a private wake");
	kill(pid, SIGKILL);
	reap(pid);
	priv = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	pid = waiter(priv, FUTEX_WAIT);
	is_int(kt_futex(priv, FUTEX_WAKE, 1, NULL, NULL, 0), 0,
	       "private memory of two processes is two futexes");
	kill(pid, SIGKILL);
	reap(pid);
	a = mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0);
	pid = waiter(b, FUTEX_WAIT);
	is_int(kt_futex(a, FUTEX_WAKE, 1, NULL, NULL, 0), 1, "a read-only shared map can wake");
	is_exit(pid, 0, "it is awake");
	must(ftruncate(fd, 0));
	sys_err(kt_futex(a, FUTEX_WAKE, 1, NULL, NULL, 0), EFAULT,
		"a page behind the end of its file");

	/* a killed waiter is not counted */
	pid = waiter(anon, FUTEX_WAIT);
	kill(pid, SIGKILL);
	reap(pid);
	is_int(kt_futex(anon, FUTEX_WAKE, 10, NULL, NULL, 0), 0,
	       "a killed waiter has left the queue");
	return done();
}
