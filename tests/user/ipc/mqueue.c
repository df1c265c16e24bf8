/* SPDX-License-Identifier: MIT */
/* POSIX message queues: names, priorities, limits, waiting, notices, the file system. */
#include "../compat.h"
#include "../tap.h"
#include <dirent.h>
#include <poll.h>
#include <sys/mount.h>
#include <sys/socket.h>

struct attr {
	long flags, maxmsg, msgsize, curmsgs, reserved[4];
};

static char name[32], buf[9000];
static volatile int noticed, value, code;

static int
mq_open_(const char *n, int flags, int mode, struct attr *a)
{
	return syscall(SYS_mq_open, n, flags, mode, a);
}

static int
snd(int q, const char *text, unsigned prio, struct timespec *limit)
{
	return syscall(SYS_mq_timedsend, q, text, strlen(text), prio, limit);
}

static const char *
rcv(int q, unsigned *prio, struct timespec *limit)
{
	long n = syscall(SYS_mq_timedreceive, q, buf, sizeof(buf) - 1, prio, limit);

	buf[n < 0 ? 0 : n] = 0;
	return n < 0 ? strerror(errno) : buf;
}

static struct timespec
in_ms(int ms)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	ts.tv_nsec += ms * 1000000L;
	ts.tv_sec += ts.tv_nsec / 1000000000;
	ts.tv_nsec %= 1000000000;
	return ts;
}

static void
on_notice(int sig, siginfo_t *si, void *ctx)
{
	(void)sig;
	(void)ctx;
	noticed++;
	value = si->si_value.sival_int;
	code = si->si_code;
}

/* What a C library makes of SIGEV_THREAD: 32 bytes of its own come back on a netlink socket. */
static void
thread_notices(int q)
{
	char cookie[32] = "this is a cookie", got[64];
	int nl = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, 0);
	struct sigevent ev = { .sigev_notify = SIGEV_THREAD, .sigev_signo = nl };

	if (nl < 0) {
		skip("no netlink", "SIGEV_THREAD");
		return;
	}
	while (syscall(SYS_mq_timedreceive, q, buf, 100, NULL, &(struct timespec){ 0 }) >= 0)
		;
	ev.sigev_value.sival_ptr = cookie;
	is_int(syscall(SYS_mq_notify, q, &ev), 0, "SIGEV_THREAD");
	must(snd(q, "message", 1, NULL));
	is_int(recv(nl, got, sizeof(got), MSG_DONTWAIT), 32, "the cookie comes");
	ok(!memcmp(got, cookie, 31) && got[31] == 1, "and says that a message has");
	(void)rcv(q, NULL, NULL);
	must(syscall(SYS_mq_notify, q, &ev));
	must(syscall(SYS_mq_notify, q, NULL));
	is_int(recv(nl, got, sizeof(got), MSG_DONTWAIT), 32, "it comes again");
	ok(!memcmp(got, cookie, 31) && got[31] == 2, "and says that none will");
	ev.sigev_signo = q;
	sys_err(syscall(SYS_mq_notify, q, &ev), ENOTSOCK, "a socket must be given");
	ev.sigev_signo = nl;
	ev.sigev_value.sival_ptr = at(8);
	sys_err(syscall(SYS_mq_notify, q, &ev), EFAULT, "and a cookie");
	close(nl);
	must(snd(q, "a", 1, NULL));
	must(snd(q, "b", 1, NULL));
	must(snd(q, "c", 1, NULL));
}

static void
notices(int q)
{
	struct sigevent ev = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1 };
	struct sigaction sa = { .sa_sigaction = on_notice, .sa_flags = SA_SIGINFO };
	pid_t pid;

	ev.sigev_value.sival_int = 42;
	must(sigaction(SIGUSR1, &sa, NULL));
	is_int(syscall(SYS_mq_notify, q, &ev), 0, "mq_notify");
	sys_err(syscall(SYS_mq_notify, q, &ev), EBUSY, "once at a time");
	pid = must(fork());
	if (pid == 0)
		_exit(snd(q, "wake", 1, NULL) != 0);
	reap(pid);
	ok(noticed == 1 && value == 42 && code == SI_MESGQ, "a message to an empty queue is told");
	must(snd(q, "more", 1, NULL));
	is_int(noticed, 1, "once");
	must(syscall(SYS_mq_notify, q, &ev));
	must(snd(q, "third", 1, NULL));
	is_int(noticed, 1, "not when it was not empty");
	is_int(syscall(SYS_mq_notify, q, NULL), 0, "and no more");
	thread_notices(q);
	for (int i = 0; i < 3; i++)
		(void)rcv(q, NULL, NULL);
	must(snd(q, "x", 1, NULL));
	is_int(noticed, 1, "nobody is told");
	(void)rcv(q, NULL, NULL);
}

static void
file_system(void)
{
	struct dirent *e;
	struct stat st;
	int seen = 0, fd;
	DIR *d;

	scratch();
	must(mkdir("m", 0755));
	if (unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount("q", "m", "mqueue", 0, NULL)) {
		skip("may not mount", "the file system");
		return;
	}
	must(chdir("m"));
	d = opendir(".");
	while (d && (e = readdir(d)))
		seen += strcmp(e->d_name, name) == 0;
	closedir(d);
	is_int(seen, 1, "a queue is listed");
	must(stat(name, &st));
	ok(S_ISREG(st.st_mode) && (st.st_mode & 0777) == 0600 && st.st_size == 80, "as a file");
	fd = must(open(name, O_RDONLY));
	memset(buf, 0, sizeof(buf));
	must(read(fd, buf, 100));
	ok(strncmp(buf, "QSIZE:5 ", 8) == 0, "that tells how much is in it");
	close(fd);
	fd = open("made", O_CREAT | O_RDWR, 0600);
	ok(fd >= 0, "open makes one");
	is_int(snd(fd, "hello", 3, NULL), 0, "that works");
	must(unlink("made"));
	sys_err(mq_open_("made", O_RDWR, 0, NULL), ENOENT, "unlink takes the name away");
	close(fd);
	must(chdir("/"));
}

int
main(void)
{
	struct attr a = { .maxmsg = 4, .msgsize = 64 }, old;
	struct timespec ts;
	unsigned prio;
	struct pollfd pf;
	int q, again;
	pid_t pid;

	snprintf(name, sizeof(name), "kevlar-%d", getpid());
	sys_err(mq_open_(name, O_RDWR, 0, NULL), ENOENT, "no such queue");
	sys_err(mq_open_("a/b", O_RDWR | O_CREAT, 0600, NULL), EACCES, "a slash in the name");
	sys_err(mq_open_("", O_RDWR | O_CREAT, 0600, NULL), ENOENT, "an empty name");
	a.maxmsg = 0;
	sys_err(mq_open_(name, O_RDWR | O_CREAT, 0600, &a), EINVAL, "room for no message");
	a.maxmsg = 4;
	q = mq_open_(name, O_RDWR | O_CREAT | O_EXCL, 0600, &a);
	ok(q >= 0, "a queue");
	is_int(fcntl(q, F_GETFD), FD_CLOEXEC, "closed on exec");
	sys_err(mq_open_(name, O_RDWR | O_CREAT | O_EXCL, 0600, NULL), EEXIST, "O_EXCL");
	again = mq_open_(name, O_RDONLY | O_NONBLOCK, 0, NULL);
	ok(again >= 0, "opened again");
	sys_err(snd(again, "x", 0, NULL), EBADF, "for reading only");
	must(snd(q, "low", 1, NULL));
	must(snd(q, "high", 9, NULL));
	must(snd(q, "high too", 9, NULL));
	must(syscall(SYS_mq_getsetattr, q, NULL, &old));
	ok(old.maxmsg == 4 && old.msgsize == 64 && old.curmsgs == 3 && !old.flags, "mq_getattr");
	is_str(rcv(again, &prio, NULL), "high", "the highest priority first");
	is_int(prio, 9, "told");
	is_str(rcv(q, &prio, NULL), "high too", "in order");
	is_str(rcv(q, &prio, NULL), "low", "then lower ones");
	sys_err(syscall(SYS_mq_timedreceive, again, buf, 100, NULL, NULL), EAGAIN, "O_NONBLOCK");
	sys_err(syscall(SYS_mq_timedreceive, q, buf, 63, NULL, NULL), EMSGSIZE, "a small buffer");
	sys_err(syscall(SYS_mq_timedsend, q, buf, 65, 0, NULL), EMSGSIZE, "too long a message");
	sys_err(snd(q, "x", 32768, NULL), EINVAL, "too high a priority");
	sys_err(snd(0, "x", 0, NULL), EBADF, "not a queue");
	ts = in_ms(50);
	long long t0 = now_ms();
	sys_err(syscall(SYS_mq_timedreceive, q, buf, 100, NULL, &ts), ETIMEDOUT, "a time limit");
	ok(now_ms() - t0 >= 40, "of that long");
	ts.tv_nsec = -1;
	sys_err(syscall(SYS_mq_timedreceive, q, buf, 100, NULL, &ts), EINVAL, "a bad one");
	pid = must(fork());
	if (pid == 0)
		_exit(strcmp(rcv(q, NULL, NULL), "waited"));
	sleep_ms(50);
	must(snd(q, "waited", 0, NULL));
	is_exit(pid, 0, "a receiver waits");
	for (int i = 0; i < 4; i++)
		must(snd(q, "fill", i, NULL));
	pf = (struct pollfd){ q, POLLIN | POLLOUT, 0 };
	must(poll(&pf, 1, 0));
	is_int(pf.revents, POLLIN, "poll: full");
	ts = in_ms(30);
	sys_err(snd(q, "x", 0, &ts), ETIMEDOUT, "no room in time");
	pid = must(fork());
	if (pid == 0)
		_exit(snd(q, "fifth", 0, NULL) != 0);
	sleep_ms(50);
	is_str(rcv(q, &prio, NULL), "fill", "room is made");
	is_exit(pid, 0, "a sender waited for it");
	while (syscall(SYS_mq_timedreceive, again, buf, 100, NULL, NULL) >= 0)
		;
	must(poll(&pf, 1, 0));
	is_int(pf.revents, POLLOUT, "poll: empty");
	a.flags = O_NONBLOCK;
	must(syscall(SYS_mq_getsetattr, q, &a, NULL));
	sys_err(syscall(SYS_mq_timedreceive, q, buf, 100, NULL, NULL), EAGAIN, "mq_setattr");
	a.flags = 0;
	must(syscall(SYS_mq_getsetattr, q, &a, NULL));
	notices(q);
	must(snd(q, "12345", 0, NULL));
	file_system();
	if (geteuid() == 0) {
		pid = must(fork());
		if (pid == 0) {
			if (unshare(CLONE_NEWIPC))
				_exit(errno == EINVAL ? 0 : 1);
			if (mq_open_(name, O_RDWR, 0, NULL) != -1 || errno != ENOENT)
				_exit(2);
			int mine = must(mq_open_("mine", O_RDWR | O_CREAT, 0600, NULL));
			must(snd(mine, "left", 0, NULL));
			_exit(strcmp(rcv(q, NULL, NULL), "12345") || snd(q, "12345", 0, NULL));
		}
		is_exit(pid, 0, "another namespace has its own; what is open stays");
	}
	is_int(syscall(SYS_mq_unlink, name), 0, "mq_unlink");
	sys_err(syscall(SYS_mq_unlink, name), ENOENT, "once");
	is_str(rcv(q, NULL, NULL), "12345", "what is open goes on");
	close(q);
	close(again);
	return done();
}
