/* SPDX-License-Identifier: MIT */
/* TCP: MSG_* flags, vectors, queue lengths, Nagle and the cork, urgent data. */
#include "tcp.h"
#include <sys/sendfile.h>
#include <sys/uio.h>

#ifndef SIOCOUTQ
#define SIOCOUTQ 0x5411
#endif

static void
flags(void)
{
	char buf[20];
	int p[2], n;

	tcp_pair(p);
	must(write(p[1], "abcdef", 6));
	must(poll_for(p[0], POLLIN, POLLIN));
	is_int(recv(p[0], buf, 3, MSG_PEEK), 3, "MSG_PEEK");
	is_int(recv(p[0], buf, 20, MSG_PEEK), 6, "takes nothing");
	is_mem(buf, "abcdef", 6, "the same bytes");
	is_int(recv(p[0], buf, 2, MSG_TRUNC), 2, "MSG_TRUNC throws away");
	is_int(recv(p[0], buf, 20, 0), 4, "what follows");
	is_mem(buf, "cdef", 4, "is the rest");
	must(write(p[1], "12", 2));
	pid_t pid = fork();
	if (pid == 0) {
		sleep_ms(50);
		_exit(write(p[1], "34", 2) != 2);
	}
	is_int(recv(p[0], buf, 4, MSG_WAITALL), 4, "MSG_WAITALL waits");
	is_mem(buf, "1234", 4, "for all");
	is_exit(pid, 0, "the writer");
	must(write(p[1], "12", 2));
	must(poll_for(p[0], POLLIN, POLLIN));
	is_int(recv(p[0], buf, 4, MSG_WAITALL | MSG_DONTWAIT), 2, "but not with MSG_DONTWAIT");
	must(write(p[1], "z", 1));
	must(shutdown(p[1], SHUT_WR));
	is_int(recv(p[0], buf, 4, MSG_WAITALL), 1, "nor beyond the end");
	must(ioctl(p[0], SIOCOUTQ, &n));
	is_int(n, 0, "SIOCOUTQ");
	close(p[0]);
	close(p[1]);
}

static void
vectors(void)
{
	char a[3], b[4], c[20];
	struct iovec out[] = { { "one", 3 }, { "", 0 }, { "three", 5 } };
	struct iovec in[] = { { a, 3 }, { b, 4 }, { c, 20 } };
	struct sockaddr_in from;
	struct msghdr m = {
		.msg_iov = in, .msg_iovlen = 3, .msg_name = &from, .msg_namelen = sizeof(from)
	};
	int p[2];

	tcp_pair(p);
	is_int(writev(p[0], out, 3), 8, "writev");
	must(poll_for(p[1], POLLIN, POLLIN));
	is_int(recvmsg(p[1], &m, 0), 8, "recvmsg into three");
	is_mem(a, "one", 3, "the first");
	is_mem(b, "thre", 4, "the second");
	is_mem(c, "e", 1, "the third");
	is_int(m.msg_namelen, 0, "a stream's message has no name");
	is_int(m.msg_flags, 0, "nor flags");
	close(p[0]);
	close(p[1]);
}

static void
bad_memory(void)
{
	char *page = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char buf[100];
	int p[2];

	must(mprotect(page + 4096, 4096, PROT_NONE));
	tcp_pair(p);
	sys_err(write(p[0], page + 4096, 10), EFAULT, "write from nowhere");
	memset(page, 'k', 4096);
	is_int(write(p[0], page + 4090, 6), 6, "the connection is as before");
	is_int(recv(p[1], buf, 100, 0), 6, "and carries that");
	must(write(p[0], "data", 4));
	must(poll_for(p[1], POLLIN, POLLIN));
	sys_err(read(p[1], page + 4096, 4), EFAULT, "read into nowhere");
	is_int(recv(p[1], buf, 100, 0), 4, "loses nothing");
	close(p[0]);
	close(p[1]);
}

/* What is held back goes by itself after a fifth of a second, which a busy machine may take for the
 * calls in between: then there is nothing to see. */
static void
held_back(int s, long long since, const char *what)
{
	char buf[4];
	ssize_t n = recv(s, buf, 4, MSG_DONTWAIT | MSG_PEEK);

	ok((n == -1 && errno == EAGAIN) || now_ms() - since > 150, "%s", what);
}

static void
cork(void)
{
	char buf[100];
	int p[2];

	tcp_pair(p);
	set_int(p[0], IPPROTO_TCP, TCP_CORK, 1);
	long long begin = now_ms();
	must(write(p[0], "ab", 2));
	must(write(p[0], "cd", 2));
	sleep_ms(20);
	held_back(p[1], begin, "corked");
	set_int(p[0], IPPROTO_TCP, TCP_CORK, 0);
	is_int(recv(p[1], buf, 4, MSG_WAITALL), 4, "uncorked");
	begin = now_ms();
	must(send(p[0], "ab", 2, MSG_MORE));
	sleep_ms(20);
	held_back(p[1], begin, "MSG_MORE holds back");
	must(send(p[0], "cd", 2, 0));
	is_int(recv(p[1], buf, 4, MSG_WAITALL), 4, "until there is no more");
	set_int(p[0], IPPROTO_TCP, TCP_CORK, 1);
	must(write(p[0], "late", 4));
	is_int(recv(p[1], buf, 4, MSG_WAITALL), 4, "a cork gives way in the end");
	close(p[0]);
	close(p[1]);
}

static volatile int urgents;
static void
on_urgent(int sig)
{
	(void)sig;
	urgents++;
}

static int
at_mark(int s)
{
	int v = -1;

	must(ioctl(s, SIOCATMARK, &v));
	return v;
}

static void
urgent(void)
{
	char buf[20];
	int p[2];

	handle(SIGURG, on_urgent, 0);
	tcp_pair(p);
	must(fcntl(p[1], F_SETOWN, getpid()));
	sys_err(recv(p[1], buf, 1, MSG_OOB), EINVAL, "no urgent data");
	must(write(p[0], "abc", 3));
	is_int(send(p[0], "XY", 2, MSG_OOB), 2, "send with MSG_OOB");
	must(write(p[0], "def", 3));
	ok(poll_for(p[1], POLLPRI | POLLIN, POLLPRI) & POLLPRI, "POLLPRI");
	for (int i = 0; i < 500 && !urgents; i++)
		sleep_ms(2);
	ok(urgents > 0, "SIGURG");
	is_int(at_mark(p[1]), 0, "not at the mark");
	is_int(recv(p[1], buf, 20, 0), 4, "a read ends at the mark");
	is_mem(buf, "abcX", 4, "the last byte only is urgent");
	is_int(at_mark(p[1]), 1, "at the mark");
	is_int(recv(p[1], buf, 1, MSG_OOB), 1, "MSG_OOB");
	is_int(buf[0], 'Y', "the urgent byte");
	sys_err(recv(p[1], buf, 1, MSG_OOB), EINVAL, "it is read once");
	is_int(recv(p[1], buf, 20, 0), 3, "behind the mark");
	is_mem(buf, "def", 3, "the urgent byte is not in the stream");
	set_int(p[1], SOL_SOCKET, SO_OOBINLINE, 1);
	must(write(p[0], "12", 2));
	must(send(p[0], "3", 1, MSG_OOB));
	must(write(p[0], "45", 2));
	ok(poll_for(p[1], POLLPRI | POLLIN, POLLPRI) & POLLPRI, "POLLPRI");
	is_int(recv(p[1], buf, 20, 0), 2, "SO_OOBINLINE: to the mark");
	sys_err(recv(p[1], buf, 1, MSG_OOB), EINVAL, "MSG_OOB has nothing to say");
	sleep_ms(20);
	is_int(recv(p[1], buf, 20, 0), 3, "then on");
	is_mem(buf, "345", 3, "with the urgent byte");
	close(p[0]);
	close(p[1]);
}

static void
send_file(void)
{
	static char buf[100000], got[100000];
	int p[2], fd;
	size_t n = 0;
	off_t at = 0;

	scratch();
	for (size_t i = 0; i < sizeof(buf); i++)
		buf[i] = (char)(i * 31 + i / 1000);
	put_file("f", buf, sizeof(buf));
	tcp_pair(p);
	fd = must(open("f", O_RDONLY));
	pid_t pid = fork();
	if (pid == 0) {
		while (at < (off_t)sizeof(buf))
			if (sendfile(p[0], fd, &at, sizeof(buf) - (size_t)at) <= 0)
				_exit(1);
		_exit(0);
	}
	while (n < sizeof(got)) {
		ssize_t r = read(p[1], got + n, sizeof(got) - n);

		if (r <= 0)
			break;
		n += (size_t)r;
	}
	is_exit(pid, 0, "sendfile");
	is_mem(got, buf, sizeof(buf), "arrives as it was");
	close(p[0]);
	close(p[1]);
}

int
main(void)
{
	loopback_up();
	signal(SIGPIPE, SIG_IGN);
	flags();
	vectors();
	bad_memory();
	cork();
	urgent();
	send_file();
	return done();
}
