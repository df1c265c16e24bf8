/* SPDX-License-Identifier: MIT */
/* Slow calls: EINTR without SA_RESTART, restarted with it. */
#include "../compat.h"
#include "../tap.h"
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/un.h>

static volatile int ran;
static int in[2], full[2], sock[2], lst, lockfd;
static unsigned *word;
static pid_t kid, holder;
static sigset_t empty;

static void
on(int s)
{
	(void)s;
	ran++;
}

static void
feed_pipe(void)
{
	if (write(in[1], "p", 1) != 1)
		_exit(9);
}
static void
drain_pipe(void)
{
	char b[65536];
	if (read(full[0], b, sizeof(b)) <= 0)
		_exit(9);
}
static void
feed_sock(void)
{
	if (write(sock[1], "s", 1) != 1)
		_exit(9);
}
static void
end_kid(void)
{
	kill(kid, SIGTERM);
}
static void
wake_word(void)
{
	*word = 1;
	kt_futex(word, FUTEX_WAKE, 10, NULL, NULL, 0);
}
static void
end_holder(void)
{
	kill(holder, SIGTERM);
}
static void
open_fifo(void)
{
	if (open("fifo", O_WRONLY) < 0)
		_exit(9);
	sleep_ms(200);
}
static void
connect_lst(void)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX, .sun_path = "sock" };

	if (connect(socket(AF_UNIX, SOCK_STREAM, 0), (void *)&a, sizeof(a)))
		_exit(9);
	sleep_ms(200);
}

static long
call_pipe(void)
{
	char c;
	return read(in[0], &c, 1);
}
static long
call_full(void)
{
	char b[4096] = { 0 };
	return write(full[1], b, sizeof(b));
}
static long
call_recv(void)
{
	char c;
	return recv(sock[0], &c, 1, 0);
}
static long
call_wait(void)
{
	return waitpid(kid, NULL, 0) == kid ? 1 : -1;
}
static long
call_waitid(void)
{
	siginfo_t si;
	return waitid(P_PID, kid, &si, WEXITED);
}
static long
call_futex(void)
{
	return kt_futex(word, FUTEX_WAIT, 0, NULL, NULL, 0);
}
static long
call_flock(void)
{
	return flock(lockfd, LOCK_EX);
}
static long
call_setlkw(void)
{
	struct flock fl = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

	return fcntl(lockfd, F_SETLKW, &fl);
}
static long
call_fifo(void)
{
	int fd = open("fifo", O_RDONLY);
	if (fd >= 0)
		close(fd);
	return fd < 0 ? -1 : 1;
}
static long
call_accept(void)
{
	int fd = accept(lst, NULL, NULL);
	if (fd >= 0)
		close(fd);
	return fd < 0 ? -1 : 1;
}

static void
start_kid(void)
{
	if ((kid = must(fork())) == 0) {
		handle(SIGTERM, SIG_DFL, 0);
		for (;;)
			pause();
	}
}

static void
start_holder(void)
{
	int p[2];
	char c;

	must(pipe(p));
	if ((holder = must(fork())) == 0) {
		struct flock fl = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
		int fd = open("lock", O_RDWR);

		if (flock(fd, LOCK_EX) || fcntl(fd, F_SETLK, &fl) || write(p[1], "x", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	must(read(p[0], &c, 1));
	close(p[0]), close(p[1]);
}

static void
check(const char *name, long (*call)(void), void (*end)(void), void (*prepare)(void), long want)
{
	pid_t pid;
	long r;

	for (int restart = 0; restart < 2; restart++) {
		if (prepare)
			prepare();
		handle(SIGUSR1, on, restart ? SA_RESTART : 0);
		ran = 0;
		if (word)
			*word = 0;
		pid = poke(SIGUSR1, end);
		r = call();
		if (!restart) {
			sys_err(r, EINTR, "%s without SA_RESTART", name);
		} else {
			is_int(r, want, "%s with SA_RESTART", name);
		}
		is_int(ran, 1, "%s: the handler ran %s", name,
		       restart ? "and the call went on" : "and ended the call");
		unpoke(pid);
		if (kid > 0) {
			kill(kid, SIGKILL);
			waitpid(kid, NULL, 0);
			kid = 0;
		}
		if (holder > 0) {
			kill(holder, SIGKILL);
			reap(holder);
			holder = 0;
		}
	}
}

int
main(void)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX, .sun_path = "sock" };
	char fill[4096] = { 0 };

	scratch();
	sigemptyset(&empty);
	must(pipe(in));
	must(pipe(full));
	must(fcntl(full[1], F_SETFL, O_NONBLOCK));
	while (write(full[1], fill, sizeof(fill)) > 0)
		;
	must(fcntl(full[1], F_SETFL, 0));
	must(socketpair(AF_UNIX, SOCK_STREAM, 0, sock));
	lst = must(socket(AF_UNIX, SOCK_STREAM, 0));
	must(bind(lst, (void *)&a, sizeof(a)));
	must(listen(lst, 5));
	must(mkfifo("fifo", 0600));
	put_file("lock", "x", 1);
	lockfd = must(open("lock", O_RDWR));
	word = shared_alloc(4096);

	check("read of a pipe", call_pipe, feed_pipe, NULL, 1);
	check("write to a full pipe", call_full, drain_pipe, NULL, 4096);
	check("recv", call_recv, feed_sock, NULL, 1);
	check("accept", call_accept, connect_lst, NULL, 1);
	check("open of a fifo", call_fifo, open_fifo, NULL, 1);
	check("waitpid", call_wait, end_kid, start_kid, 1);
	check("waitid", call_waitid, end_kid, start_kid, 0);
	check("futex wait", call_futex, wake_word, NULL, 0);
	check("flock", call_flock, end_holder, start_holder, 0);
	must(flock(lockfd, LOCK_UN));
	check("fcntl F_SETLKW", call_setlkw, end_holder, start_holder, 0);
	return done();
}
