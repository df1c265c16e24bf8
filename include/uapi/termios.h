/* SPDX-License-Identifier: MIT */
/*
 * termios(3), ioctl_tty(2): the settings of a terminal.
 */
#ifndef UAPI_TERMIOS_H
#define UAPI_TERMIOS_H

#include "lib/types.h"

#define NCCS 19

/* c_cc */
#define VINTR	 0
#define VQUIT	 1
#define VERASE	 2
#define VKILL	 3
#define VEOF	 4
#define VTIME	 5
#define VMIN	 6
#define VSWTC	 7
#define VSTART	 8
#define VSTOP	 9
#define VSUSP	 10
#define VEOL	 11
#define VREPRINT 12
#define VDISCARD 13
#define VWERASE	 14
#define VLNEXT	 15
#define VEOL2	 16

/* TCGETS; libc's own structure has room for 32 characters and the speeds */
struct linux_termios {
	u32 c_iflag;
	u32 c_oflag;
	u32 c_cflag;
	u32 c_lflag;
	u8 c_line;
	u8 c_cc[NCCS];
};

/* TCGETS2 */
struct linux_termios2 {
	u32 c_iflag;
	u32 c_oflag;
	u32 c_cflag;
	u32 c_lflag;
	u8 c_line;
	u8 c_cc[NCCS];
	u32 c_ispeed;
	u32 c_ospeed;
};

/* TCGETA */
struct linux_termio {
	u16 c_iflag;
	u16 c_oflag;
	u16 c_cflag;
	u16 c_lflag;
	u8 c_line;
	u8 c_cc[8];
};

/* TIOCGWINSZ */
struct linux_winsize {
	u16 ws_row;
	u16 ws_col;
	u16 ws_xpixel;
	u16 ws_ypixel;
};

/* c_iflag */
#define IGNBRK	0x0001
#define BRKINT	0x0002
#define IGNPAR	0x0004
#define PARMRK	0x0008
#define INPCK	0x0010
#define ISTRIP	0x0020
#define INLCR	0x0040
#define IGNCR	0x0080
#define ICRNL	0x0100
#define IUCLC	0x0200
#define IXON	0x0400
#define IXANY	0x0800
#define IXOFF	0x1000
#define IMAXBEL 0x2000
#define IUTF8	0x4000

/* c_oflag */
#define OPOST  0x0001
#define OLCUC  0x0002
#define ONLCR  0x0004
#define OCRNL  0x0008
#define ONOCR  0x0010
#define ONLRET 0x0020
#define OFILL  0x0040
#define OFDEL  0x0080
#define NLDLY  0x0100
#define CRDLY  0x0600
#define TABDLY 0x1800
#define TAB0   0x0000
#define TAB3   0x1800
#define XTABS  0x1800
#define BSDLY  0x2000
#define VTDLY  0x4000
#define FFDLY  0x8000

/* c_cflag */
#define CBAUD	0x0000100f
#define CBAUDEX 0x00001000
#define CIBAUD	0x100f0000
#define IBSHIFT 16
#define CSIZE	0x00000030
#define CS5	0x00000000
#define CS6	0x00000010
#define CS7	0x00000020
#define CS8	0x00000030
#define CSTOPB	0x00000040
#define CREAD	0x00000080
#define PARENB	0x00000100
#define PARODD	0x00000200
#define HUPCL	0x00000400
#define CLOCAL	0x00000800
#define CMSPAR	0x40000000
#define CRTSCTS 0x80000000

#define B0	 0x0000
#define B50	 0x0001
#define B75	 0x0002
#define B110	 0x0003
#define B134	 0x0004
#define B150	 0x0005
#define B200	 0x0006
#define B300	 0x0007
#define B600	 0x0008
#define B1200	 0x0009
#define B1800	 0x000a
#define B2400	 0x000b
#define B4800	 0x000c
#define B9600	 0x000d
#define B19200	 0x000e
#define B38400	 0x000f
#define BOTHER	 0x1000
#define B57600	 0x1001
#define B115200	 0x1002
#define B230400	 0x1003
#define B460800	 0x1004
#define B500000	 0x1005
#define B576000	 0x1006
#define B921600	 0x1007
#define B1000000 0x1008
#define B1152000 0x1009
#define B1500000 0x100a
#define B2000000 0x100b
#define B2500000 0x100c
#define B3000000 0x100d
#define B3500000 0x100e
#define B4000000 0x100f

/* c_lflag */
#define ISIG	0x00001
#define ICANON	0x00002
#define XCASE	0x00004
#define ECHO	0x00008
#define ECHOE	0x00010
#define ECHOK	0x00020
#define ECHONL	0x00040
#define NOFLSH	0x00080
#define TOSTOP	0x00100
#define ECHOCTL 0x00200
#define ECHOPRT 0x00400
#define ECHOKE	0x00800
#define FLUSHO	0x01000
#define PENDIN	0x04000
#define IEXTEN	0x08000
#define EXTPROC 0x10000

/* c_line */
#define N_TTY 0

/* TCFLSH */
#define TCIFLUSH  0
#define TCOFLUSH  1
#define TCIOFLUSH 2

/* TCXONC */
#define TCOOFF 0
#define TCOON  1
#define TCIOFF 2
#define TCION  3

/* TIOCMGET */
#define TIOCM_LE   0x001
#define TIOCM_DTR  0x002
#define TIOCM_RTS  0x004
#define TIOCM_ST   0x008
#define TIOCM_SR   0x010
#define TIOCM_CTS  0x020
#define TIOCM_CAR  0x040
#define TIOCM_CD   TIOCM_CAR
#define TIOCM_RNG  0x080
#define TIOCM_RI   TIOCM_RNG
#define TIOCM_DSR  0x100
#define TIOCM_LOOP 0x8000

/* TIOCPKT: the first byte that a packet-mode pty master reads */
#define TIOCPKT_DATA	   0
#define TIOCPKT_FLUSHREAD  1
#define TIOCPKT_FLUSHWRITE 2
#define TIOCPKT_STOP	   4
#define TIOCPKT_START	   8
#define TIOCPKT_NOSTOP	   16
#define TIOCPKT_DOSTOP	   32
#define TIOCPKT_IOCTL	   64

#endif /* UAPI_TERMIOS_H */
