/* SPDX-License-Identifier: MIT */
/* termios: defaults of a new terminal, speeds, what is kept, ioctls on other files. */
#include "pty.h"

int
main(void)
{
	static const unsigned char cc[] = { 3,	28, 127, 21, 4,	 0,  1,	 0, 17,
					    19, 26, 0,	 18, 15, 23, 22, 0 };
	struct termios t, u;
	char k[64];
	int p[2], n;

	pty_open();
	sys_ok(tcgetattr(ps, &t), "tcgetattr");
	is_int(t.c_iflag, ICRNL | IXON, "default c_iflag");
	is_int(t.c_oflag, OPOST | ONLCR, "default c_oflag");
	is_int(t.c_cflag & ~CBAUD, CS8 | CREAD, "default c_cflag");
	is_int(t.c_lflag, ISIG | ICANON | ECHO | ECHOE | ECHOK | ECHOCTL | ECHOKE | IEXTEN,
	       "default c_lflag");
	ok(memcmp(t.c_cc, cc, sizeof(cc)) == 0, "default control characters");
	is_int(cfgetospeed(&t), B38400, "default speed");
	is_int(t.c_line, 0, "line discipline 0");
	t.c_cc[VINTR] = 1;
	t.c_iflag = BRKINT | PARMRK | INLCR;
	t.c_lflag = 0;
	cfsetospeed(&t, B9600);
	cfsetispeed(&t, B9600);
	sys_ok(tcsetattr(ps, TCSANOW, &t), "tcsetattr");
	must(tcgetattr(ps, &u));
	ok(u.c_cc[VINTR] == 1 && u.c_iflag == t.c_iflag && u.c_lflag == 0, "reads back");
	is_int(cfgetospeed(&u), B9600, "speed too");
	sys_err(tcsetattr(ps, 77, &t), EINVAL, "unknown action");
	sys_err(ioctl(ps, TCGETS, at(8)), EFAULT, "bad pointer");
	sys_err(ioctl(ps, TCSETS, at(8)), EFAULT, "bad pointer to set");
	is_int(ioctl(ps, 0x802c542a, k), 0, "TCGETS2");
	is_int(((unsigned *)k)[9] == 9600 || ((unsigned *)k)[10] == 9600, 1,
	       "with the speed as a number");
	((unsigned *)k)[2] = (((unsigned *)k)[2] & ~0x100f) | 0x1000;
	((unsigned *)k)[9] = ((unsigned *)k)[10] = 12345;
	is_int(ioctl(ps, 0x402c542b, k), 0, "TCSETS2 with BOTHER");
	memset(k, 0, sizeof(k));
	must(ioctl(ps, 0x802c542a, k));
	is_int(((unsigned *)k)[10], 12345, "any speed");

	is_int(ioctl(ps, TIOCGETD, &n), 0, "TIOCGETD");
	is_int(n, 0, "N_TTY");
	sys_err(ioctl(ps, 0x5499, &n), ENOTTY, "unknown ioctl");
	sys_ok(ioctl(ps, TIOCINQ, &n), "TIOCINQ");
	must(pipe(p));
	sys_err(tcgetattr(p[0], &t), ENOTTY, "a pipe");
	sys_err(tcgetattr(0, &t), ENOTTY, "/dev/null");
	ok(!isatty(p[0]) && errno == ENOTTY, "isatty of a pipe");
	sys_err(tcgetattr(999, &t), EBADF, "bad descriptor");
	sys_err(ioctl(p[0], TIOCGWINSZ, k), ENOTTY, "TIOCGWINSZ of a pipe");
	sys_err(lseek(ps, 0, SEEK_SET), ESPIPE, "no offset");
	return done();
}
