/* SPDX-License-Identifier: MIT */
/* Full buffers: a line too long, lines that fill the buffer, a screen nobody reads; long breaks. */
#include "pty.h"

static char buf[16384];

static void
pty_renew(void)
{
	close(pm);
	close(ps);
	pty_open();
}

/* Read lines until none comes; how many bytes and, of those, newlines. */
static int
read_lines(int *newlines)
{
	int total = 0, n;

	*newlines = 0;
	while (readable(ps, 300) && (n = read(ps, buf, sizeof(buf))) > 0) {
		total += n;
		for (int i = 0; i < n; i++)
			*newlines += buf[i] == '\n';
	}
	return total;
}

/* Write all from a child: the terminal may hold it back. */
static pid_t
type_all(const char *data, int len)
{
	pid_t pid = must(fork());

	if (pid == 0)
		_exit(write(pm, data, len) != len);
	return pid;
}

static void
full_line(void)
{
	static char a[4300];
	int n, newlines;

	pty_flags(0, 0, 0, 0, ECHO, 0);
	memset(a, 'a', 4095);
	must(write(pm, a, 4095));
	sleep_ms(50);
	memset(a, '\n', 200);
	must(write(pm, a, 200));
	sleep_ms(50);
	n = readable(ps, 2000) ? read(ps, buf, sizeof(buf)) : -1;
	ok(n == 4096 && !memchr(buf, '\n', 4095) && buf[4095] == '\n',
	   "a line of 4095 bytes comes whole, whatever comes behind it");
	n = read_lines(&newlines);
	ok(n == 199 && newlines == 199, "the newlines behind it are lines too: %d of 199", n);

	pty_renew();
	pty_flags(0, 0, 0, 0, ECHO, 0);
	memset(a, 'a', 4095);
	must(write(pm, a, 4095));
	sleep_ms(50);
	memset(a, '\004', 100);
	must(write(pm, a, 100));
	sleep_ms(50);
	n = readable(ps, 2000) ? read(ps, buf, sizeof(buf)) : -1;
	ok(n == 4095 && buf[0] == 'a' && buf[4094] == 'a', "VEOF ends a full line");
	n = 0;
	while (readable(ps, 300) && read(ps, buf, sizeof(buf)) == 0)
		n++;
	is_int(n, 99, "each VEOF behind it is an end of file");
}

static void
overlong_line(void)
{
	int n, newlines;
	pid_t pid;

	/* What does not fit is dropped, erasing takes from what is there, the end fits. */
	pty_renew();
	pty_flags(0, 0, 0, 0, ECHO, 0);
	memset(buf, 'a', 4095);
	memset(buf + 4095, 'b', 905);
	buf[5000] = '\n';
	pid = type_all(buf, 5001);
	is_exit(pid, 0, "a line of 5000 bytes is taken");
	n = read_lines(&newlines);
	ok(n == 4096 && newlines == 1 && !memchr(buf, 'b', 4096), "its first 4095 come");
}

static void
two_long_lines(void)
{
	static char a[8000];
	int n, newlines;

	pty_renew();
	pty_flags(0, 0, 0, 0, ECHO, 0);
	memset(a, 'b', sizeof(a));
	a[4000] = a[7999] = '\n';
	pid_t pid = type_all(a, 8000);
	sleep_ms(50);
	n = read_lines(&newlines);
	is_exit(pid, 0, "two long lines are taken");
	ok(n == 8000 && newlines == 2, "and come: %d of 8000 bytes", n);
}

static void
marked_bytes(void)
{
	static char a[3000];
	int n, total = 0, other = 0;

	pty_renew();
	pty_raw(1, 0);
	pty_flags(0, PARMRK, 0, 0, 0, 0);
	memset(a, '\377', sizeof(a));
	pid_t pid = type_all(a, sizeof(a));
	sleep_ms(50);
	while (readable(ps, 300) && (n = read(ps, buf, sizeof(buf))) > 0) {
		total += n;
		for (int i = 0; i < n; i++)
			other += buf[i] != '\377';
	}
	is_exit(pid, 0, "bytes 0xff under PARMRK are taken");
	ok(total == 6000 && !other, "each comes twice, none is lost: %d of 6000", total);
}

/* A writer who waits for room goes on when ^C, typed or simulated, throws the output away. */
static void
discard_wakes(int simulate)
{
	int p[2], n;
	char c = 'D';

	pty_renew();
	pty_flags(0, 0, OPOST, 0, ECHO, 0);
	if (simulate && ioctl(ps, TIOCSTI, "\003")) {
		skip("TIOCSTI is not allowed here", "a simulated ^C lets a writer go on");
		return;
	}
	must(pipe(p));
	pid_t pid = must(fork());
	if (pid == 0) {
		signal(SIGINT, SIG_IGN);
		for (int i = 0; i < 20; i++)
			(void)!write(ps, buf, 4096);
		(void)!write(p[1], &c, 1);
		_exit(0);
	}
	sleep_ms(100);
	if (simulate)
		must(ioctl(ps, TIOCSTI, "\003"));
	else
		type("\003");
	sleep_ms(50);
	while (readable(pm, 500) && (n = read(pm, buf, sizeof(buf))) > 0)
		;
	ok(readable(p[0], 1000), "%s ^C lets a writer go on", simulate ? "a simulated" : "a typed");
	kill(pid, SIGKILL);
	reap(pid);
	close(p[0]);
	close(p[1]);
}

/* An idle serial line, if there is one. */
static int
serial_open(void)
{
	char name[16];
	int m;

	for (int i = 3; i >= 0; i--) {
		sprintf(name, "/dev/ttyS%d", i);
		int fd = open(name, O_RDWR | O_NOCTTY | O_NONBLOCK);
		if (fd >= 0 && ioctl(fd, TIOCMGET, &m) == 0)
			return fd;
		if (fd >= 0)
			close(fd);
	}
	return -1;
}

static void
break_ends(void)
{
	int fd = serial_open(), st;
	long long t0;
	pid_t pid;

	if (fd < 0) {
		skip("no serial line", "a long break ends with a signal");
		return;
	}
	pid = must(fork());
	if (pid == 0) {
		ioctl(fd, TCSBRKP, 1000);
		_exit(0);
	}
	sleep_ms(100);
	t0 = now_ms();
	kill(pid, SIGKILL);
	must(waitpid(pid, &st, 0));
	ok(now_ms() - t0 < 2000 && WIFSIGNALED(st), "a long break ends with a signal");
	close(fd);
}

int
main(void)
{
	pty_open();
	full_line();
	overlong_line();
	two_long_lines();
	marked_bytes();
	discard_wakes(0);
	discard_wakes(1);
	break_ends();
	return done();
}
