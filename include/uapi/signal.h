/* SPDX-License-Identifier: MIT */
/*
 * signal(7), sigaction(2), sigaltstack(2). Frames and struct linux_stack are the port's.
 */
#ifndef UAPI_SIGNAL_H
#define UAPI_SIGNAL_H

#include "lib/types.h"
#include "uapi/arch.h"
#include "uapi/siginfo.h"

#define SIGHUP	  1
#define SIGINT	  2
#define SIGQUIT	  3
#define SIGILL	  4
#define SIGTRAP	  5
#define SIGABRT	  6
#define SIGIOT	  SIGABRT
#define SIGBUS	  7
#define SIGFPE	  8
#define SIGKILL	  9
#define SIGUSR1	  10
#define SIGSEGV	  11
#define SIGUSR2	  12
#define SIGPIPE	  13
#define SIGALRM	  14
#define SIGTERM	  15
#define SIGSTKFLT 16
#define SIGCHLD	  17
#define SIGCONT	  18
#define SIGSTOP	  19
#define SIGTSTP	  20
#define SIGTTIN	  21
#define SIGTTOU	  22
#define SIGURG	  23
#define SIGXCPU	  24
#define SIGXFSZ	  25
#define SIGVTALRM 26
#define SIGPROF	  27
#define SIGWINCH  28
#define SIGIO	  29
#define SIGPOLL	  SIGIO
#define SIGPWR	  30
#define SIGSYS	  31
#define SIGRTMIN  32 /* the kernel's; libc keeps the first few to itself */
#define SIGRTMAX  64

#define LINUX_NSIG 64

/* The kernel's set: bit n - 1 is signal n. Calls insist on its size. */
#define LINUX_SIGSET_SIZE 8

#define SIG_DFL 0
#define SIG_IGN 1
#define SIG_ERR (-1)

#define SIG_BLOCK   0
#define SIG_UNBLOCK 1
#define SIG_SETMASK 2

/* rt_sigaction(2) */
struct linux_sigaction {
	u64 sa_handler;
	u64 sa_flags;
	u64 sa_restorer;
	u64 sa_mask;
};

#define SA_NOCLDSTOP	  0x00000001
#define SA_NOCLDWAIT	  0x00000002
#define SA_SIGINFO	  0x00000004
#define SA_UNSUPPORTED	  0x00000400
#define SA_EXPOSE_TAGBITS 0x00000800
#define SA_ONSTACK	  0x08000000
#define SA_RESTART	  0x10000000
#define SA_NODEFER	  0x40000000
#define SA_NOMASK	  SA_NODEFER
#define SA_RESETHAND	  0x80000000
#define SA_ONESHOT	  SA_RESETHAND

/* sigaltstack(2) */
#define SS_ONSTACK    1
#define SS_DISABLE    2
#define SS_AUTODISARM 0x80000000u

#endif /* UAPI_SIGNAL_H */
