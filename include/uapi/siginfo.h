/* SPDX-License-Identifier: MIT */
/*
 * sigaction(2): what arrives with a signal; sigevent(7): how to ask for one.
 */
#ifndef UAPI_SIGINFO_H
#define UAPI_SIGINFO_H

#include "lib/types.h"

/* A value that travels with a signal: an int or a pointer, whichever the sender meant. */
union linux_sigval {
	s32 sival_int;
	u64 sival_ptr;
};

/* 128 bytes, of which the part that si_signo and si_code imply is meaningful; the rest is zero. */
struct linux_siginfo {
	s32 si_signo;
	s32 si_errno;
	s32 si_code;
	u32 pad;
	union {
		struct {
			s32 pid;
			u32 uid;
		} kill; /* SI_USER, SI_TKILL */
		struct {
			s32 tid;
			s32 overrun;
			union linux_sigval value;
			s32 sys_private;
		} timer; /* SI_TIMER */
		struct {
			s32 pid;
			u32 uid;
			union linux_sigval value;
		} rt; /* SI_QUEUE, SI_MESGQ */
		struct {
			s32 pid;
			u32 uid;
			s32 status;
			u32 pad;
			s64 utime;
			s64 stime;
		} chld; /* SIGCHLD */
		struct {
			u64 addr;
			union {
				s16 addr_lsb; /* BUS_MCEERR_* */
				struct {
					u64 pad;
					u64 lower;
					u64 upper;
				} bnd; /* SEGV_BNDERR */
				struct {
					u64 pad;
					u32 pkey;
				} pku; /* SEGV_PKUERR */
			};
		} fault; /* SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP */
		struct {
			s64 band;
			s32 fd;
		} poll; /* SIGPOLL */
		struct {
			u64 call_addr;
			s32 syscall;
			u32 arch;
		} sys; /* SIGSYS */
		u64 fields[14];
	};
};

/* si_code of any signal: positive means that the kernel made it */
#define SI_USER	    0
#define SI_KERNEL   0x80
#define SI_QUEUE    (-1)
#define SI_TIMER    (-2)
#define SI_MESGQ    (-3)
#define SI_ASYNCIO  (-4)
#define SI_SIGIO    (-5)
#define SI_TKILL    (-6)
#define SI_DETHREAD (-7)
#define SI_ASYNCNL  (-60)

/* SIGILL */
#define ILL_ILLOPC 1
#define ILL_ILLOPN 2
#define ILL_ILLADR 3
#define ILL_ILLTRP 4
#define ILL_PRVOPC 5
#define ILL_PRVREG 6
#define ILL_COPROC 7
#define ILL_BADSTK 8

/* SIGFPE */
#define FPE_INTDIV 1
#define FPE_INTOVF 2
#define FPE_FLTDIV 3
#define FPE_FLTOVF 4
#define FPE_FLTUND 5
#define FPE_FLTRES 6
#define FPE_FLTINV 7
#define FPE_FLTSUB 8
#define FPE_FLTUNK 14

/* SIGSEGV */
#define SEGV_MAPERR 1
#define SEGV_ACCERR 2
#define SEGV_BNDERR 3
#define SEGV_PKUERR 4

/* SIGBUS */
#define BUS_ADRALN    1
#define BUS_ADRERR    2
#define BUS_OBJERR    3
#define BUS_MCEERR_AR 4
#define BUS_MCEERR_AO 5

/* SIGTRAP */
#define TRAP_BRKPT  1
#define TRAP_TRACE  2
#define TRAP_BRANCH 3
#define TRAP_HWBKPT 4
#define TRAP_UNK    5
#define TRAP_PERF   6

/* SIGCHLD */
#define CLD_EXITED    1
#define CLD_KILLED    2
#define CLD_DUMPED    3
#define CLD_TRAPPED   4
#define CLD_STOPPED   5
#define CLD_CONTINUED 6

/* SIGPOLL */
#define POLL_IN	 1
#define POLL_OUT 2
#define POLL_MSG 3
#define POLL_ERR 4
#define POLL_PRI 5
#define POLL_HUP 6

/* SIGSYS */
#define SYS_SECCOMP	  1
#define SYS_USER_DISPATCH 2

/* sigevent(7) */
#define SIGEV_SIGNAL	0
#define SIGEV_NONE	1
#define SIGEV_THREAD	2 /* libc's business; the kernel treats it as SIGEV_SIGNAL */
#define SIGEV_THREAD_ID 4

struct linux_sigevent {
	union linux_sigval sigev_value;
	s32 sigev_signo;
	s32 sigev_notify;
	union {
		s32 tid; /* SIGEV_THREAD_ID */
		s32 pad[12];
	} sigev_un;
};

#endif /* UAPI_SIGINFO_H */
