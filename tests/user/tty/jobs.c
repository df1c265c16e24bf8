/* SPDX-License-Identifier: MIT */
/* Controlling terminals and job control: who may read, write and set; hang-up. */
#include "pty.h"

static int *m;
static char pts[64];

static void
on(int s)
{
	m[s]++;
}

static int
in_session(int (*fn)(void))
{
	pid_t pid = must(fork());
	int st;

	if (pid == 0) {
		setsid();
		if (ioctl(ps, TIOCSCTTY, 0))
			_exit(200);
		_exit(fn());
	}
	st = reap(pid);
	return WIFEXITED(st) ? WEXITSTATUS(st) : 1000 + WTERMSIG(st);
}

/* A child in a group of its own, not in the foreground; returns its stop signal or exit code. */
static int
background(int (*fn)(void))
{
	int st;
	pid_t pid = fork();

	if (pid == 0) {
		setpgid(0, 0);
		_exit(fn());
	}
	setpgid(pid, pid);
	waitpid(pid, &st, WUNTRACED);
	if (WIFSTOPPED(st)) {
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
		return 100 + WSTOPSIG(st);
	}
	return WIFEXITED(st) ? WEXITSTATUS(st) : 200;
}

static int
do_read(void)
{
	char c;
	return read(ps, &c, 1) == -1 && errno == EIO ? 1 : 2;
}
static int
do_read_ign(void)
{
	signal(SIGTTIN, SIG_IGN);
	return do_read();
}
static int
do_read_blk(void)
{
	block(SIGTTIN);
	return do_read();
}
static int
do_write(void)
{
	return write(ps, "w", 1) == 1 ? 1 : 2;
}
static int
do_write_ign(void)
{
	signal(SIGTTOU, SIG_IGN);
	return do_write();
}
static int
do_attr(void)
{
	struct termios t;
	return tcgetattr(ps, &t) || tcsetattr(ps, TCSANOW, &t) ? 2 : 1;
}
static int
do_attr_ign(void)
{
	signal(SIGTTOU, SIG_IGN);
	return do_attr();
}
static int
do_pgrp(void)
{
	return tcsetpgrp(ps, getpgrp()) ? 2 : 1;
}
static int
do_get(void)
{
	struct termios t;
	return tcgetattr(ps, &t) == 0 && tcgetpgrp(ps) == getppid() ? 1 : 2;
}

static int
identity(void)
{
	char *s;
	int fd, r = 0, dev = -1, fg = -1;
	char buf[10];

	r |= tcgetpgrp(ps) != getpid();
	r |= (tcgetsid(ps) != getpid()) << 1;
	fd = open("/dev/tty", O_RDWR);
	r |= (fd < 0 || write(fd, "t", 1) != 1) << 2;
	r |= (read(pm, buf, 10) != 1) << 3;
	s = get_file("/proc/self/stat");
	s = s ? strrchr(s, ')') : NULL;
	if (s)
		sscanf(s + 2, "%*c %*d %*d %*d %d %d", &dev, &fg);
	struct stat st;

	fstat(ps, &st);
	r |= (dev != (int)st.st_rdev || fg != getpid()) << 4;
	if (fork() == 0)
		_exit(open("/dev/tty", O_RDWR) >= 0 && tcgetpgrp(ps) == getppid() ? 0 : 1);
	int w;

	wait(&w);
	r |= (w != 0) << 5;
	return r;
}

static int
setters(void)
{
	pid_t pid = fork(), other;
	int r = 0;

	if (pid == 0) {
		setpgid(0, 0);
		for (;;)
			pause();
	}
	setpgid(pid, pid);
	r |= tcsetpgrp(ps, pid) != 0;
	r |= (tcgetpgrp(ps) != pid) << 1;
	signal(SIGTTOU, SIG_IGN);
	r |= (tcsetpgrp(ps, getpgrp()) != 0) << 2;
	r |= (tcsetpgrp(ps, 0x3ffffff) != -1 || errno != ESRCH) << 3;
	r |= (tcsetpgrp(ps, -1) != -1 || errno != EINVAL) << 4;
	if ((other = fork()) == 0) {
		setsid();
		m[99] = 1;
		for (;;)
			pause();
	}
	while (!m[99])
		sleep_ms(1);
	r |= (tcsetpgrp(ps, other) != -1 || errno != EPERM) << 5;
	kill(pid, SIGKILL);
	kill(other, SIGKILL);
	return r;
}

static int
notty(void)
{
	int r = 0;

	signal(SIGHUP, SIG_IGN);
	r |= ioctl(ps, TIOCNOTTY) != 0;
	r |= (open("/dev/tty", O_RDWR) != -1 || errno != ENXIO) << 1;
	r |= (tcgetpgrp(ps) != -1 || errno != ENOTTY) << 2;
	r |= (ioctl(ps, TIOCNOTTY) != -1 || errno != ENOTTY) << 3;
	r |= (ioctl(ps, TIOCSCTTY, 0) != 0) << 4;
	return r;
}

static int
bg_cases(void)
{
	struct termios t;
	int r = 0;

	r |= background(do_read) != 100 + SIGTTIN;
	r |= (background(do_read_ign) != 1) << 1;
	r |= (background(do_read_blk) != 1) << 2;
	r |= (background(do_write) != 1) << 3;
	r |= (background(do_attr) != 100 + SIGTTOU) << 4;
	r |= (background(do_attr_ign) != 1) << 5;
	r |= (background(do_pgrp) != 100 + SIGTTOU) << 6;
	r |= (background(do_get) != 1) << 7;
	if (r)
		return r;
	tcgetattr(ps, &t);
	t.c_lflag |= TOSTOP;
	tcsetattr(ps, TCSANOW, &t);
	r |= background(do_write) != 100 + SIGTTOU;
	r |= (background(do_write_ign) != 1) << 1;
	t.c_lflag &= ~TOSTOP;
	tcsetattr(ps, TCSANOW, &t);
	return r ? 0x40 | r : 0;
}

static int
steal(void)
{
	pid_t pid = fork();

	if (pid == 0) {
		setsid();
		int r = ioctl(ps, TIOCSCTTY, 0) != -1 || errno != EPERM;

		r |= (ioctl(ps, TIOCSCTTY, 1) != 0) << 1; /* root may take it */
		_exit(r);
	}
	signal(SIGHUP, SIG_IGN);
	int st = reap(pid);

	return WEXITSTATUS(st) | (open("/dev/tty", O_RDWR) != -1 || errno != ENXIO) << 2;
}

int
main(void)
{
	pid_t lead;
	char buf[10];
	int st, fd;

	m = shared_alloc(4096);
	pty_open();
	must(ptsname_r(pm, pts, sizeof(pts)) ? -1 : 0);
	pty_flags(0, 0, 0, 0, ECHO, 0);
	if ((lead = fork()) == 0) {
		setsid();
		int r = open("/dev/tty", O_RDWR) != -1 || errno != ENXIO;

		r |= (tcgetpgrp(ps) != -1 || errno != ENOTTY) << 1;
		fd = open(pts, O_RDWR);
		r |= (fd < 0 || tcgetpgrp(fd) != getpid()) << 2;
		_exit(r);
	}
	is_exit(lead, 0, "a session without a terminal gets the first one it opens");
	close(ps);
	must(ps = open(pts, O_RDWR | O_NOCTTY));
	if ((lead = fork()) == 0) {
		setsid();
		fd = open(pts, O_RDWR | O_NOCTTY);
		_exit(tcgetpgrp(fd) == -1 && errno == ENOTTY ? 0 : 1);
	}
	is_exit(lead, 0, "not with O_NOCTTY");
	is_int(in_session(identity), 0, "TIOCSCTTY: groups, /dev/tty, /proc/self/stat");
	/* the end of a leader hangs the slave up for the others: take a new pair */
	close(pm), close(ps);
	pty_open();
	is_int(in_session(setters), 0, "tcsetpgrp: rules and errors");
	close(pm), close(ps);
	pty_open();
	is_int(in_session(notty), 0, "TIOCNOTTY and TIOCSCTTY again");
	close(pm), close(ps);
	pty_open();
	is_int(in_session(bg_cases), 0, "background: SIGTTIN, SIGTTOU, EIO, TOSTOP");
	close(pm), close(ps);
	pty_open();
	is_int(in_session(steal), 0, "another session's terminal: EPERM, root may steal it");
	close(pm), close(ps);

	/* orphaned background readers get EIO instead of a stop */
	pty_open();
	m[98] = 0;
	if ((lead = fork()) == 0) {
		setsid();
		must(ioctl(ps, TIOCSCTTY, 0));
		pid_t mid = fork();

		if (mid == 0) {
			setpgid(0, 0);
			pid_t p = getpid();

			if (fork() == 0) {
				while (getppid() == p)
					sleep_ms(1);
				m[98] = do_read();
				_exit(0);
			}
			_exit(0);
		}
		reap(mid);
		for (int i = 0; i < 2000 && !m[98]; i++)
			sleep_ms(2);
		_exit(m[98]);
	}
	is_exit(lead, 1, "an orphaned background group reads EIO");
	close(pm), close(ps);

	/* the leader's death: SIGHUP to the foreground group, which loses its terminal */
	pty_open();
	memset(m, 0, 4096);
	if ((lead = fork()) == 0) {
		setsid();
		must(ioctl(ps, TIOCSCTTY, 0));
		pid_t fg = fork();

		if (fg == 0) {
			setpgid(0, 0);
			handle(SIGHUP, on, 0);
			m[97] = 1;
			for (int i = 0; i < 2000 && !m[SIGHUP]; i++)
				sleep_ms(2);
			m[96] = write(ps, "x", 1) == 1 ? 1 : 2;
			m[95] = tcgetpgrp(ps) == -1 && errno == ENOTTY ? 1 : 2;
			m[94] = open("/dev/tty", O_RDWR) == -1 && errno == ENXIO ? 1 : 2;
			m[93] = 1;
			_exit(0);
		}
		setpgid(fg, fg);
		signal(SIGTTOU, SIG_IGN);
		tcsetpgrp(ps, fg);
		while (!m[97])
			sleep_ms(1);
		_exit(0);
	}
	is_exit(lead, 0, "a session leader dies");
	for (int i = 0; i < 2500 && !m[93]; i++)
		sleep_ms(2);
	is_int(m[SIGHUP], 1, "the foreground group gets SIGHUP");
	is_int(m[96], 1, "a pty itself is not hung up");
	is_int(m[95], 1, "but controls nobody any more");
	is_int(m[94], 1, "/dev/tty is gone");
	close(ps);

	/* closing the master hangs up, too */
	close(pm);
	pty_open();
	memset(m, 0, 4096);
	if ((lead = fork()) == 0) {
		close(pm);
		setsid();
		must(ioctl(ps, TIOCSCTTY, 0));
		handle(SIGHUP, on, 0);
		m[97] = 1;
		for (int i = 0; i < 2000 && !m[SIGHUP]; i++)
			sleep_ms(2);
		_exit(m[SIGHUP] == 1 && read(ps, buf, 1) == 0 ? 0 : 1);
	}
	while (!m[97])
		sleep_ms(1);
	close(ps);
	close(pm);
	waitpid(lead, &st, 0);
	is_int(WIFEXITED(st) ? WEXITSTATUS(st) : -1, 0,
	       "the master's close sends SIGHUP to the leader and ends reads");
	return done();
}
