/* SPDX-License-Identifier: MIT */
/* sendfile, splice, tee, vmsplice, copy_file_range: data, offsets, errors. */
#include "../compat.h"
#include "../tap.h"
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/uio.h>

static char data[100000], buf[100000];

static long
cfr(int in, off_t *io, int out, off_t *oo, size_t len, unsigned flags)
{
	return syscall(SYS_copy_file_range, in, io, out, oo, len, flags);
}

int
main(void)
{
	int in, out, p[2], q[2], s[2], ro, dir;
	off_t off, off2;
	struct iovec iov = { data, 1000 };
	long n, total;
	pid_t pid;

	scratch();
	for (unsigned i = 0; i < sizeof(data); i++)
		data[i] = i * 31 + i / 256;
	put_file("in", data, sizeof(data));
	in = must(open("in", O_RDWR));
	out = must(open("out", O_RDWR | O_CREAT, 0600));
	must(pipe(p));
	must(pipe(q));
	must(socketpair(AF_UNIX, SOCK_STREAM, 0, s));

	is_int(sendfile(out, in, NULL, 5000), 5000, "sendfile between files");
	is_int(lseek(in, 0, SEEK_CUR), 5000, "moves the source");
	is_int(lseek(out, 0, SEEK_CUR), 5000, "and the target");
	off = 100;
	is_int(sendfile(out, in, &off, 50), 50, "sendfile with an offset");
	ok(off == 150 && lseek(in, 0, SEEK_CUR) == 5000, "moves the offset instead");
	must(pread(out, buf, 5050, 0));
	ok(!memcmp(buf, data, 5000) && !memcmp(buf + 5000, data + 100, 50), "the data is right");
	off = 99990;
	is_int(sendfile(out, in, &off, 500), 10, "short at the end of the file");
	is_int(sendfile(out, in, &off, 500), 0, "nothing behind it");
	off = 0;
	is_int(sendfile(p[1], in, &off, 4000), 4000, "sendfile to a pipe");
	is_int(read(p[0], buf, 4000), 4000, "arrives");
	is_mem(buf, data, 4000, "unchanged");
	off = 0;
	is_int(sendfile(s[0], in, &off, 3000), 3000, "sendfile to a socket");
	is_int(recv(s[1], buf, 3000, MSG_WAITALL), 3000, "arrives");
	is_mem(buf, data, 3000, "unchanged too");
	sys_err(sendfile(999, in, NULL, 1), EBADF, "bad target");
	sys_err(sendfile(out, 999, NULL, 1), EBADF, "bad source");
	ro = must(open("in", O_RDONLY));
	sys_err(sendfile(ro, in, NULL, 1), EBADF, "read-only target");
	off = -1;
	sys_err(sendfile(out, in, &off, 1), EINVAL, "negative offset");
	dir = must(open(".", O_RDONLY));
	sys_err(sendfile(out, dir, NULL, 1), EINVAL, "a directory as source");

	must(lseek(in, 0, SEEK_SET));
	is_int(splice(in, NULL, p[1], NULL, 1000, 0), 1000, "splice from a file to a pipe");
	is_int(lseek(in, 0, SEEK_CUR), 1000, "moves the file");
	off = 50000;
	is_int(splice(in, &off, p[1], NULL, 2000, 0), 2000, "with an offset");
	is_int(off, 52000, "moves that");
	is_int(tee(p[0], q[1], 1500, 0), 1500, "tee copies between pipes");
	must(ftruncate(out, 0));
	must(lseek(out, 0, SEEK_SET));
	off2 = 10;
	is_int(splice(p[0], NULL, out, &off2, 3000, 0), 3000, "splice from the pipe to a file");
	must(pread(out, buf, 3010, 0));
	ok(!memcmp(buf + 10, data, 1000) && !memcmp(buf + 1010, data + 50000, 2000),
	   "the data is right");
	is_int(read(q[0], buf, 3000), 1500, "what tee copied is still in the other pipe");
	ok(!memcmp(buf, data, 1000) && !memcmp(buf + 1000, data + 50000, 500), "and right");
	must(write(p[1], "abcdef", 6));
	is_int(splice(p[0], NULL, q[1], NULL, 4, 0), 4, "splice between pipes");
	is_int(read(q[0], buf, 10), 4, "moves that much");
	is_int(read(p[0], buf, 10), 2, "and leaves the rest");
	sys_err(splice(p[0], NULL, out, NULL, 10, SPLICE_F_NONBLOCK), EAGAIN,
		"an empty pipe, SPLICE_F_NONBLOCK");
	sys_err(tee(p[0], q[1], 10, SPLICE_F_NONBLOCK), EAGAIN, "tee of an empty pipe");
	sys_err(splice(in, NULL, out, NULL, 10, 0), EINVAL, "splice without a pipe");
	sys_err(splice(p[0], NULL, p[1], NULL, 10, 0), EINVAL, "both ends of one pipe");
	sys_err(tee(p[0], p[1], 10, 0), EINVAL, "tee of both ends of one pipe");
	sys_err(tee(in, q[1], 10, 0), EINVAL, "tee of a file");
	off = 0;
	sys_err(splice(p[0], &off, out, NULL, 10, 0), ESPIPE, "an offset for a pipe");
	sys_err(splice(in, NULL, p[1], NULL, 10, 0x80), EINVAL, "unknown flag");
	sys_err(splice(999, NULL, p[1], NULL, 10, 0), EBADF, "bad source of splice");
	is_int(splice(in, NULL, p[1], NULL, 0, 0), 0, "length 0");
	is_int(vmsplice(p[1], &iov, 1, 0), 1000, "vmsplice");
	is_int(read(p[0], buf, 2000), 1000, "arrives");
	is_mem(buf, data, 1000, "unchanged");
	must(send(s[0], "socket", 6, 0));
	is_int(splice(s[1], NULL, p[1], NULL, 100, 0), 6, "splice from a socket");
	is_int(splice(p[0], NULL, s[0], NULL, 100, 0), 6, "and to a socket");
	is_int(recv(s[1], buf, 10, 0), 6, "round trip");
	if ((pid = fork()) == 0) {
		close(p[0]);
		must(lseek(in, 0, SEEK_SET));
		for (total = 0; total < 100000; total += n)
			if ((n = splice(in, NULL, p[1], NULL, 100000 - total, 0)) <= 0)
				_exit(1);
		_exit(0);
	}
	must(ftruncate(out, 0));
	must(lseek(out, 0, SEEK_SET));
	for (total = 0; total < 100000; total += n)
		if ((n = splice(p[0], NULL, out, NULL, 100000, 0)) <= 0)
			break;
	is_exit(pid, 0, "100000 bytes spliced through a pipe");
	must(pread(out, buf, 100000, 0));
	is_mem(buf, data, 100000, "are all there");

	must(ftruncate(out, 0));
	must(lseek(in, 0, SEEK_SET));
	must(lseek(out, 0, SEEK_SET));
	is_int(cfr(in, NULL, out, NULL, 1000, 0), 1000, "copy_file_range");
	ok(lseek(in, 0, SEEK_CUR) == 1000 && lseek(out, 0, SEEK_CUR) == 1000, "moves both offsets");
	off = 99000, off2 = 5000;
	is_int(cfr(in, &off, out, &off2, 5000, 0), 1000, "with offsets, short at the end");
	ok(off == 100000 && off2 == 6000, "moves those");
	is_int(cfr(in, &off, out, &off2, 100, 0), 0, "nothing behind the end");
	must(pread(out, buf, 6000, 0));
	ok(!memcmp(buf, data, 1000) && buf[3000] == 0 && !memcmp(buf + 5000, data + 99000, 1000),
	   "the data is right");
	is_int(cfr(in, NULL, out, NULL, 0, 0), 0, "length 0");
	off = 0, off2 = 500;
	sys_err(cfr(in, &off, in, &off2, 1000, 0), EINVAL, "overlapping ranges of one file");
	off2 = 50000;
	is_int(cfr(in, &off, in, &off2, 1000, 0), 1000, "separate ranges of one file");
	sys_err(cfr(in, NULL, out, NULL, 10, 1), EINVAL, "a flag");
	sys_err(cfr(in, NULL, p[1], NULL, 10, 0), EINVAL, "a pipe");
	sys_err(cfr(dir, NULL, out, NULL, 10, 0), EISDIR, "a directory");
	sys_err(cfr(in, NULL, ro, NULL, 10, 0), EBADF, "read-only target of copy_file_range");
	sys_err(cfr(in, NULL, open("out", O_WRONLY | O_APPEND), NULL, 10, 0), EBADF,
		"an O_APPEND target");
	sys_err(cfr(999, NULL, out, NULL, 10, 0), EBADF, "bad source of copy_file_range");
	return done();
}
