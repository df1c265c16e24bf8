/* SPDX-License-Identifier: MIT */
/* Ancillary data: SCM_RIGHTS with all its edges, SCM_CREDENTIALS, SO_PEERCRED. */
#include "../compat.h"
#include "../tap.h"
#include <sys/socket.h>
#include <sys/uio.h>

struct kt_ucred {
	pid_t pid;
	uid_t uid;
	gid_t gid;
};
#ifndef SCM_CREDENTIALS
#define SCM_CREDENTIALS 2
#endif

static union {
	char buf[4096];
	struct cmsghdr align;
} c;
static int last_flags;

static long
send_fds(int s, const int *fds, int n, const char *text)
{
	struct iovec iov = { (void *)text, strlen(text) };
	struct msghdr m = { .msg_iov = &iov,
			    .msg_iovlen = 1,
			    .msg_control = c.buf,
			    .msg_controllen = CMSG_SPACE(n * 4) };
	struct cmsghdr *h;

	memset(&c, 0, sizeof(c));
	h = CMSG_FIRSTHDR(&m);
	h->cmsg_level = SOL_SOCKET;
	h->cmsg_type = SCM_RIGHTS;
	h->cmsg_len = CMSG_LEN(n * 4);
	memcpy(CMSG_DATA(h), fds, n * 4);
	return syscall(SYS_sendmsg, s, &m, 0);
}

/* Returns the number of descriptors that came along, -1 on error. */
static int
recv_fds(int s, int *fds, int room, int flags, char *text)
{
	struct iovec iov = { text, 100 };
	struct msghdr m = { .msg_iov = &iov,
			    .msg_iovlen = 1,
			    .msg_control = room ? c.buf : NULL,
			    .msg_controllen = room ? CMSG_LEN(room * 4) : 0 };
	struct cmsghdr *h;
	ssize_t n = syscall(SYS_recvmsg, s, &m, flags);

	if (n < 0)
		return -1;
	text[n] = 0;
	last_flags = m.msg_flags;
	h = room ? CMSG_FIRSTHDR(&m) : NULL;
	if (!h || h->cmsg_type != SCM_RIGHTS)
		return 0;
	n = (h->cmsg_len - CMSG_LEN(0)) / 4;
	memcpy(fds, CMSG_DATA(h), n * 4);
	return n;
}

static int
count_fds(void)
{
	DIR *d = opendir("/proc/self/fd");
	int n = 0;

	while (readdir(d))
		n++;
	closedir(d);
	return n;
}

int
main(void)
{
	struct kt_ucred cr;
	socklen_t len = sizeof(cr);
	int s[2], t[2], fds[300], got[300], p[2], i, before, one = 1, n;
	char text[200], b[8];
	struct iovec iov = { text, 100 };
	struct msghdr m;
	struct cmsghdr *h;
	pid_t pid;

	scratch();
	must(socketpair(AF_UNIX, SOCK_STREAM, 0, s));
	put_file("f", "passed along", 12);
	fds[0] = must(open("f", O_RDONLY));
	is_int(send_fds(s[0], fds, 1, "take"), 4, "send a descriptor");
	close(fds[0]);
	is_int(recv_fds(s[1], got, 10, 0, text), 1, "receive it");
	is_str(text, "take", "with its data");
	ok(fcntl(got[0], F_GETFD) == 0, "not close-on-exec");
	is_int(read(got[0], text, 100), 12, "it reads the file after the sender closed");
	close(got[0]);
	must(pipe(p));
	send_fds(s[0], p, 2, "two");
	is_int(recv_fds(s[1], got, 10, MSG_CMSG_CLOEXEC, text), 2, "two at once");
	ok(fcntl(got[0], F_GETFD) == FD_CLOEXEC && fcntl(got[1], F_GETFD) == FD_CLOEXEC,
	   "MSG_CMSG_CLOEXEC");
	must(write(got[1], "x", 1));
	is_int(read(p[0], b, 1), 1, "they are the same pipe");
	close(got[0]), close(got[1]);

	/* the same open file: offset shared */
	fds[0] = must(open("f", O_RDONLY));
	send_fds(s[0], fds, 1, "x");
	recv_fds(s[1], got, 1, 0, text);
	must(read(got[0], text, 5));
	is_int(lseek(fds[0], 0, SEEK_CUR), 5, "the offset is shared");
	close(got[0]);

	/* too little room: what does not fit is closed */
	before = count_fds();
	fds[1] = fds[2] = fds[0];
	send_fds(s[0], fds, 3, "three");
	is_int(recv_fds(s[1], got, 1, 0, text), 1, "room for one of three");
	is_int(last_flags & MSG_CTRUNC, MSG_CTRUNC, "MSG_CTRUNC");
	close(got[0]);
	is_int(count_fds(), before, "the others are closed");
	send_fds(s[0], fds, 1, "none");
	is_int(recv_fds(s[1], got, 0, 0, text), 0, "no room at all");
	is_int(last_flags & MSG_CTRUNC, MSG_CTRUNC, "MSG_CTRUNC again");
	send_fds(s[0], fds, 1, "read");
	is_int(read(s[1], text, 100), 4, "plain read");
	is_int(count_fds(), before, "drops them");

	/* streams do not merge data across descriptors */
	send_fds(s[0], fds, 1, "aa");
	send_fds(s[0], fds, 1, "bb");
	is_int(recv_fds(s[1], got, 10, 0, text), 1, "a receive stops at the next descriptors");
	is_str(text, "aa", "with the data before");
	close(got[0]);
	recv_fds(s[1], got, 10, 0, text);
	is_str(text, "bb", "the rest comes next");
	close(got[0]);
	send_fds(s[0], fds, 1, "pk");
	is_int(recv_fds(s[1], got, 10, MSG_PEEK, text), 1, "MSG_PEEK gives descriptors too");
	close(got[0]);
	is_int(recv_fds(s[1], got, 10, 0, text), 1, "and leaves them");
	close(got[0]);
	for (i = 0; i < 253; i++)
		fds[i] = fds[0];
	is_int(send_fds(s[0], fds, 253, "many"), 4, "253 descriptors");
	is_int(recv_fds(s[1], got, 253, 0, text), 253, "arrive");
	for (i = 0; i < 253; i++)
		close(got[i]);
	for (i = 253; i < 300; i++)
		fds[i] = fds[0];
	sys_err(send_fds(s[0], fds, 254, "x"), EINVAL, "254 are too many");
	fds[1] = 999;
	sys_err(send_fds(s[0], fds, 2, "x"), EBADF, "a bad descriptor among them");

	/* in flight when both ends close: nothing may leak, also in cycles */
	before = count_fds();
	for (i = 0; i < 200; i++) {
		must(socketpair(AF_UNIX, SOCK_STREAM, 0, t));
		send_fds(t[0], &t[1], 1, "self");
		send_fds(t[1], &t[0], 1, "self");
		close(t[0]), close(t[1]);
	}
	must(pipe(t));
	fds[1] = t[1];
	must(socketpair(AF_UNIX, SOCK_DGRAM, 0, got));
	send_fds(got[0], &t[1], 1, "w");
	close(t[1]);
	close(got[0]), close(got[1]);
	is_int(read(t[0], b, 1), 0, "a descriptor in flight dies with its socket");
	close(t[0]);
	is_int(count_fds(), before, "200 sockets sent through themselves leave nothing here");

	/* credentials */
	sys_ok(getsockopt(s[0], SOL_SOCKET, SO_PEERCRED, &cr, &len), "SO_PEERCRED");
	ok(len == 12 && cr.pid == getpid() && cr.uid == getuid() && cr.gid == getgid(),
	   "who made the pair");
	must(setsockopt(s[1], SOL_SOCKET, SO_PASSCRED, &one, sizeof(one)));
	if ((pid = fork()) == 0) {
		must(setresgid(500, 500, 500));
		must(setresuid(600, 600, 600));
		_exit(write(s[0], "hi", 2) == 2 ? 0 : 1);
	}
	is_exit(pid, 0, "a child writes");
	m = (struct msghdr){
		.msg_iov = &iov, .msg_iovlen = 1, .msg_control = c.buf, .msg_controllen = sizeof(c)
	};
	is_int(syscall(SYS_recvmsg, s[1], &m, 0), 2, "SO_PASSCRED");
	h = CMSG_FIRSTHDR(&m);
	ok(h && h->cmsg_level == SOL_SOCKET && h->cmsg_type == SCM_CREDENTIALS &&
		   h->cmsg_len == CMSG_LEN(12),
	   "a credentials record");
	memcpy(&cr, CMSG_DATA(h), sizeof(cr));
	ok(cr.pid == pid && cr.uid == 600 && cr.gid == 500, "names the writer");
	/* explicit ones: root may claim anything that exists, a user only itself */
	memset(&c, 0, sizeof(c));
	iov.iov_len = 1;
	m = (struct msghdr){ .msg_iov = &iov,
			     .msg_iovlen = 1,
			     .msg_control = c.buf,
			     .msg_controllen = CMSG_SPACE(12) };
	h = CMSG_FIRSTHDR(&m);
	h->cmsg_level = SOL_SOCKET, h->cmsg_type = SCM_CREDENTIALS, h->cmsg_len = CMSG_LEN(12);
	cr = (struct kt_ucred){ getpid(), 77, 78 };
	memcpy(CMSG_DATA(h), &cr, 12);
	is_int(syscall(SYS_sendmsg, s[0], &m, 0), 1, "root sends other ids");
	if ((pid = fork()) == 0) {
		must(setresgid(500, 500, 500));
		must(setresuid(600, 600, 600));
		n = syscall(SYS_sendmsg, s[0], &m, 0) == -1 && errno == EPERM;
		cr = (struct kt_ucred){ getpid(), 600, 500 };
		memcpy(CMSG_DATA(h), &cr, 12);
		_exit(n && syscall(SYS_sendmsg, s[0], &m, 0) == 1 ? 0 : 1);
	}
	is_exit(pid, 0, "a user only its own: EPERM");
	while (recv(s[1], text, sizeof(text), MSG_DONTWAIT) > 0)
		continue;
	one = 0;
	must(setsockopt(s[1], SOL_SOCKET, SO_PASSCRED, &one, sizeof(one)));
	m.msg_controllen = 2 * CMSG_SPACE(4);
	for (i = 0; i < 2; i++) {
		memset(&c, 0, sizeof(c));
		for (n = 0; n < 2; n++) {
			h = (void *)(c.buf + n * CMSG_SPACE(4));
			h->cmsg_level = SOL_SOCKET, h->cmsg_type = SCM_RIGHTS;
			h->cmsg_len = CMSG_LEN(4);
			*(int *)CMSG_DATA(h) = n && i ? 12345 : n;
		}
		if (i) {
			sys_err(syscall(SYS_sendmsg, s[0], &m, 0), EBADF, "the second is bad");
			continue;
		}
		is_int(syscall(SYS_sendmsg, s[0], &m, 0), 1, "two messages of descriptors");
		is_int(recv_fds(s[1], got, 4, 0, text), 2, "come as one");
		close(got[0]), close(got[1]);
	}
	h = CMSG_FIRSTHDR(&m);
	h->cmsg_type = 99;
	sys_err(syscall(SYS_sendmsg, s[0], &m, 0), EINVAL, "unknown control type");
	h->cmsg_type = SCM_RIGHTS, h->cmsg_len = 4;
	sys_err(syscall(SYS_sendmsg, s[0], &m, 0), EINVAL, "a control length below its header");
	h->cmsg_len = 4000;
	sys_err(syscall(SYS_sendmsg, s[0], &m, 0), EINVAL, "beyond its buffer");
	m.msg_control = at(8);
	sys_err(syscall(SYS_sendmsg, s[0], &m, 0), EFAULT, "bad control pointer");
	return done();
}
