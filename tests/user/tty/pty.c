/* SPDX-License-Identifier: MIT */
/* Pseudo-terminals as such: names, locks, peers, hang-up, packet mode, poll, exclusive use. */
#include "pty.h"
#include <sys/sysmacros.h>

static char pts[64];

static int
state(int fd)
{
	struct pollfd pf = { fd, POLLIN | POLLOUT | POLLPRI, 0 };

	poll(&pf, 1, 0);
	return pf.revents;
}

static int
packet(char *buf)
{
	return readable(pm, 1000) || (state(pm) & POLLPRI) ? (int)read(pm, buf, 100) : -1;
}

int
main(void)
{
	struct stat st;
	char buf[200], link[80];
	int n, fd, peer, lock;
	pid_t pid;

	pm = must(posix_openpt(O_RDWR | O_NOCTTY));
	sys_ok(ioctl(pm, TIOCGPTN, &n), "TIOCGPTN");
	ok(n >= 0, "a number");
	must(ptsname_r(pm, pts, sizeof(pts)) ? -1 : 0);
	sprintf(buf, "/dev/pts/%d", n);
	is_str(pts, buf, "names /dev/pts/N");
	must(stat(pts, &st));
	ok(S_ISCHR(st.st_mode) && (int)major(st.st_rdev) == 136 + n / 256 &&
		   (int)minor(st.st_rdev) == n % 256,
	   "a character device 136:N");
	sys_err(open(pts, O_RDWR | O_NOCTTY), EIO, "locked: EIO");
	ok(ioctl(pm, TIOCGPTLCK, &lock) == 0 && lock == 1, "TIOCGPTLCK");
	must(unlockpt(pm));
	ok(ioctl(pm, TIOCGPTLCK, &lock) == 0 && lock == 0, "unlocked");
	is_int(state(pm) & POLLHUP, 0, "no hang-up before the slave was opened");
	ps = must(open(pts, O_RDWR | O_NOCTTY));
	ok(isatty(ps) && isatty(pm), "both are terminals");
	snprintf(buf, sizeof(buf), "/proc/self/fd/%d", ps);
	link[must(readlink(buf, link, sizeof(link) - 1))] = 0;
	is_str(link, pts, "/proc names the slave");
	is_str(ttyname(ps), pts, "ttyname");
	sys_ok(peer = ioctl(pm, TIOCGPTPEER, O_RDWR | O_NOCTTY), "TIOCGPTPEER opens the slave");
	must(fstat(peer, &st));
	must(fstat(ps, (void *)buf));
	is_int(st.st_rdev, ((struct stat *)buf)->st_rdev, "the same one");
	close(peer);
	sys_err(ioctl(ps, TIOCGPTN, &n), ENOTTY, "a slave has no TIOCGPTN");

	is_int(state(ps), POLLOUT, "slave: writable");
	is_int(state(pm), POLLOUT, "master: writable");
	must(write(ps, "out", 3));
	is_int(state(pm) & POLLIN, readable(pm, 1000) ? POLLIN : 0,
	       "master: readable after output");
	ok(ioctl(pm, FIONREAD, &n) == 0 && n == 3, "FIONREAD of the master");
	is_screen("out", "the output");
	must(fcntl(pm, F_SETFL, O_NONBLOCK));
	sys_err(read(pm, buf, 10), EAGAIN, "master: EAGAIN");
	must(fcntl(pm, F_SETFL, 0));
	/* termios calls on the master act on the slave */
	struct termios t;
	must(tcgetattr(pm, &t));
	t.c_lflag &= ~(ECHO | ICANON);
	must(tcsetattr(pm, TCSANOW, &t));
	must(tcgetattr(ps, &t));
	is_int(t.c_lflag & (ECHO | ICANON), 0, "the master sets the slave's attributes");

	sys_ok(ioctl(ps, TIOCEXCL), "TIOCEXCL");
	if ((pid = fork()) == 0)
		_exit(setuid(1000) || open(pts, O_RDWR | O_NOCTTY) != -1 ||
		      (errno != EBUSY && errno != EACCES));
	is_exit(pid, 0, "no other may open it");
	sys_ok(ioctl(ps, TIOCNXCL), "TIOCNXCL");

	/* the slave's last close hangs the master up; opening it again ends that */
	must(write(ps, "last words", 10));
	close(ps);
	is_int(state(pm) & POLLHUP, POLLHUP, "slave closed: POLLHUP");
	is_int(read(pm, buf, 100), 10, "what it wrote can still be read");
	sys_err(read(pm, buf, 100), EIO, "then EIO");
	ps = must(open(pts, O_RDWR | O_NOCTTY));
	is_int(state(pm) & POLLHUP, 0, "opened again: no POLLHUP");
	must(write(ps, "new", 3));
	is_screen("new", "it works again");

	/* packet mode */
	n = 1;
	sys_ok(ioctl(pm, TIOCPKT, &n), "TIOCPKT");
	must(write(ps, "data", 4));
	is_int(packet(buf), 5, "a data packet");
	ok(buf[0] == TIOCPKT_DATA && memcmp(buf + 1, "data", 4) == 0, "0 and the data");
	must(tcflush(ps, TCIFLUSH));
	is_int(packet(buf), 1, "a control packet");
	is_int(buf[0] & TIOCPKT_FLUSHREAD, TIOCPKT_FLUSHREAD, "FLUSHREAD");
	must(tcflush(ps, TCOFLUSH));
	ok(packet(buf) == 1 && (buf[0] & TIOCPKT_FLUSHWRITE), "FLUSHWRITE");
	must(tcgetattr(ps, &t));
	t.c_iflag ^= IXON;
	must(tcsetattr(ps, TCSANOW, &t));
	ok(packet(buf) == 1 && (buf[0] & (TIOCPKT_DOSTOP | TIOCPKT_NOSTOP)),
	   "DOSTOP or NOSTOP when IXON changes");
	n = 0;
	must(ioctl(pm, TIOCPKT, &n));
	must(write(ps, "plain", 5));
	is_screen("plain", "off again");

	/* the master's close */
	if ((pid = fork()) == 0) {
		close(pm);
		alarm(8);
		n = read(ps, buf, 10);
		_exit(n == 0 || (n == -1 && errno == EIO) ? 0 : 1);
	}
	wait_state(pid, 'S');
	close(pm);
	is_exit(pid, 0, "a slave's read ends when the master closes");
	sys_err(write(ps, "x", 1), EIO, "writing: EIO");
	is_int(read(ps, buf, 10), 0, "reading: end of file");
	is_int(state(ps) & (POLLHUP | POLLERR), POLLHUP | POLLERR, "POLLHUP and POLLERR");
	sys_err(tcgetattr(ps, &t), EIO, "tcgetattr: EIO");
	sys_err(stat(pts, &st), ENOENT, "its name is gone");
	close(ps);
	fd = must(posix_openpt(O_RDWR | O_NOCTTY));
	must(ioctl(fd, TIOCGPTN, &n));
	sprintf(buf, "/dev/pts/%d", n);
	is_str(buf, pts, "the number is used again");
	close(fd);
	for (n = 0; n < 100; n++) {
		fd = must(posix_openpt(O_RDWR | O_NOCTTY));
		close(fd);
	}
	ok(1, "100 pairs made and closed");
	return done();
}
