/* SPDX-License-Identifier: MIT */
/*
 * compat.h - the parts of the Linux interface that a C library's headers may lack.
 *
 * musl-gcc sees no kernel headers, so what the tests need beyond libc is written here, from the
 * man pages. Every definition yields to the library's own.
 */
#ifndef COMPAT_H
#define COMPAT_H

#include "tap.h"

#include <sched.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>

#ifndef SYS_openat2
#define SYS_openat2 437
#endif
#ifndef SYS_pidfd_getfd
#define SYS_pidfd_getfd 438
#endif
#ifndef SYS_faccessat2
#define SYS_faccessat2 439
#endif
#ifndef SYS_close_range
#define SYS_close_range 436
#endif
#ifndef SYS_clone3
#define SYS_clone3 435
#endif
#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434
#endif
#ifndef SYS_pidfd_send_signal
#define SYS_pidfd_send_signal 424
#endif
#ifndef SYS_epoll_pwait2
#define SYS_epoll_pwait2 441
#endif
#ifndef SYS_futex_waitv
#define SYS_futex_waitv 449
#endif
#ifndef SYS_rseq
#define SYS_rseq 334
#endif
#ifndef SYS_memfd_create
#define SYS_memfd_create 319
#endif
#ifndef SYS_membarrier
#define SYS_membarrier 324
#endif

#ifndef CLONE_PIDFD
#define CLONE_PIDFD 0x00001000
#endif
#ifndef CLONE_CLEAR_SIGHAND
#define CLONE_CLEAR_SIGHAND 0x100000000ULL
#endif
#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x00000080
#endif

struct kt_clone_args {
	uint64_t flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls;
	uint64_t set_tid, set_tid_size, cgroup;
};

struct kt_open_how {
	uint64_t flags, mode, resolve;
};
#define KT_RESOLVE_NO_XDEV	 0x01
#define KT_RESOLVE_NO_MAGICLINKS 0x02
#define KT_RESOLVE_NO_SYMLINKS	 0x04
#define KT_RESOLVE_BENEATH	 0x08
#define KT_RESOLVE_IN_ROOT	 0x10
#define KT_RESOLVE_CACHED	 0x20

#ifndef FUTEX_WAIT
#define FUTEX_WAIT	      0
#define FUTEX_WAKE	      1
#define FUTEX_REQUEUE	      3
#define FUTEX_CMP_REQUEUE     4
#define FUTEX_WAKE_OP	      5
#define FUTEX_LOCK_PI	      6
#define FUTEX_UNLOCK_PI	      7
#define FUTEX_TRYLOCK_PI      8
#define FUTEX_WAIT_BITSET     9
#define FUTEX_WAKE_BITSET     10
#define FUTEX_WAIT_REQUEUE_PI 11
#define FUTEX_CMP_REQUEUE_PI  12
#define FUTEX_LOCK_PI2	      13
#define FUTEX_PRIVATE_FLAG    128
#define FUTEX_CLOCK_REALTIME  256
#define FUTEX_WAITERS	      0x80000000u
#define FUTEX_OWNER_DIED      0x40000000u
#define FUTEX_TID_MASK	      0x3fffffffu
#define FUTEX_OP_SET	      0
#define FUTEX_OP_ADD	      1
#define FUTEX_OP_OR	      2
#define FUTEX_OP_ANDN	      3
#define FUTEX_OP_XOR	      4
#define FUTEX_OP_CMP_EQ	      0
#define FUTEX_OP_CMP_NE	      1
#define FUTEX_OP_CMP_LT	      2
#define FUTEX_OP_CMP_LE	      3
#define FUTEX_OP_CMP_GT	      4
#define FUTEX_OP_CMP_GE	      5
#define FUTEX_OP(op, oparg, cmp, cmparg) \
	((((op)&0xfu) << 28) | (((cmp)&0xfu) << 24) | (((oparg)&0xfffu) << 12) | ((cmparg)&0xfffu))
#endif

struct kt_robust_list {
	struct kt_robust_list *next;
};
struct kt_robust_list_head {
	struct kt_robust_list list;
	long futex_offset;
	struct kt_robust_list *list_op_pending;
};

struct kt_cap_header {
	uint32_t version;
	int pid;
};
struct kt_cap_data {
	uint32_t effective, permitted, inheritable;
};
#define KT_CAP_V3	    0x20080522
#define KT_CAP_CHOWN	    0
#define KT_CAP_DAC_OVERRIDE 1
#define KT_CAP_FOWNER	    3
#define KT_CAP_KILL	    5
#define KT_CAP_SETGID	    6
#define KT_CAP_SETUID	    7
#define KT_CAP_SETPCAP	    8
#define KT_CAP_SYS_CHROOT   18
#define KT_CAP_SYS_ADMIN    21
#define KT_CAP_SYS_NICE	    23
#define KT_CAP_SYS_RESOURCE 24

struct kt_dirent64 {
	uint64_t d_ino;
	int64_t d_off;
	uint16_t d_reclen;
	uint8_t d_type;
	char d_name[];
};

#ifndef RENAME_NOREPLACE
#define RENAME_NOREPLACE 1
#endif
#ifndef RENAME_EXCHANGE
#define RENAME_EXCHANGE 2
#endif
#ifndef RENAME_WHITEOUT
#define RENAME_WHITEOUT 4
#endif
#ifndef RWF_HIPRI
#define RWF_HIPRI 1
#endif
#ifndef RWF_DSYNC
#define RWF_DSYNC 2
#endif
#ifndef RWF_NOWAIT
#define RWF_NOWAIT 8
#endif
#ifndef RWF_APPEND
#define RWF_APPEND 16
#endif
#ifndef SEEK_DATA
#define SEEK_DATA 3
#define SEEK_HOLE 4
#endif
#ifndef F_SETPIPE_SZ
#define F_SETPIPE_SZ 1031
#define F_GETPIPE_SZ 1032
#endif
#ifndef F_ADD_SEALS
#define F_ADD_SEALS   1033
#define F_GET_SEALS   1034
#define F_SEAL_SEAL   1
#define F_SEAL_SHRINK 2
#define F_SEAL_GROW   4
#define F_SEAL_WRITE  8
#endif
#ifndef F_SEAL_FUTURE_WRITE
#define F_SEAL_FUTURE_WRITE 16
#endif
#ifndef MFD_CLOEXEC
#define MFD_CLOEXEC	  1
#define MFD_ALLOW_SEALING 2
#endif
#ifndef F_OFD_GETLK
#define F_OFD_GETLK  36
#define F_OFD_SETLK  37
#define F_OFD_SETLKW 38
#endif
#ifndef F_SETSIG
#define F_SETSIG 10
#define F_GETSIG 11
#endif
#ifndef F_SETOWN_EX
#define F_SETOWN_EX 15
#define F_GETOWN_EX 16
#endif
struct kt_owner_ex {
	int type;
	int pid;
};
#define KT_OWNER_TID  0
#define KT_OWNER_PID  1
#define KT_OWNER_PGRP 2

#ifndef CLOSE_RANGE_UNSHARE
#define CLOSE_RANGE_UNSHARE 2
#endif
#ifndef CLOSE_RANGE_CLOEXEC
#define CLOSE_RANGE_CLOEXEC 4
#endif
#ifndef FALLOC_FL_KEEP_SIZE
#define FALLOC_FL_KEEP_SIZE  1
#define FALLOC_FL_PUNCH_HOLE 2
#endif
#ifndef FALLOC_FL_COLLAPSE_RANGE
#define FALLOC_FL_COLLAPSE_RANGE 8
#endif
#ifndef FALLOC_FL_ZERO_RANGE
#define FALLOC_FL_ZERO_RANGE 16
#endif
#ifndef FALLOC_FL_INSERT_RANGE
#define FALLOC_FL_INSERT_RANGE 32
#endif

#ifndef MAP_FIXED_NOREPLACE
#define MAP_FIXED_NOREPLACE 0x100000
#endif
#ifndef MAP_SHARED_VALIDATE
#define MAP_SHARED_VALIDATE 3
#endif
#ifndef MAP_SYNC
#define MAP_SYNC 0x80000
#endif
#ifndef MREMAP_DONTUNMAP
#define MREMAP_DONTUNMAP 4
#endif
#ifndef MADV_FREE
#define MADV_FREE 8
#endif
#ifndef MADV_WIPEONFORK
#define MADV_WIPEONFORK 18
#define MADV_KEEPONFORK 19
#endif
#ifndef MADV_COLD
#define MADV_COLD    20
#define MADV_PAGEOUT 21
#endif
#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ  22
#define MADV_POPULATE_WRITE 23
#endif
#ifndef MLOCK_ONFAULT
#define MLOCK_ONFAULT 1
#endif
#ifndef MCL_ONFAULT
#define MCL_ONFAULT 4
#endif

#ifndef P_PIDFD
#define P_PIDFD 3
#endif
#ifndef __WALL
#define __WALL 0x40000000
#endif
#ifndef __WCLONE
#define __WCLONE 0x80000000
#endif
#ifndef __WNOTHREAD
#define __WNOTHREAD 0x20000000
#endif
#ifndef SEGV_MAPERR
#define SEGV_MAPERR 1
#define SEGV_ACCERR 2
#endif
#ifndef TRAP_BRKPT
#define TRAP_BRKPT 1
#define TRAP_TRACE 2
#endif
#ifndef SI_TKILL
#define SI_TKILL (-6)
#endif
#ifndef SI_KERNEL
#define SI_KERNEL 128
#endif
#ifndef SIGEV_THREAD_ID
#define SIGEV_THREAD_ID 4
#endif
#ifndef sigev_notify_thread_id
#if defined(__GLIBC__)
#define sigev_notify_thread_id _sigev_un._tid
#else
#define sigev_notify_thread_id __sev_fields.sigev_notify_thread_id
#endif
#endif

#define KT_EPOLLEXCLUSIVE (1u << 28)
#ifndef SCHED_RESET_ON_FORK
#define SCHED_RESET_ON_FORK 0x40000000
#endif
#ifndef SCHED_BATCH
#define SCHED_BATCH 3
#endif
#ifndef SCHED_IDLE
#define SCHED_IDLE 5
#endif
#ifndef SCHED_DEADLINE
#define SCHED_DEADLINE 6
#endif
#ifndef AT_EMPTY_PATH
#define AT_EMPTY_PATH 0x1000
#endif
#ifndef AT_NO_AUTOMOUNT
#define AT_NO_AUTOMOUNT 0x800
#endif
#ifndef O_TMPFILE
#define O_TMPFILE (020000000 | O_DIRECTORY)
#endif
#ifndef TIOCPKT
#define TIOCPKT 0x5420
#endif
#ifndef TIOCPKT_DATA
#define TIOCPKT_DATA	   0
#define TIOCPKT_FLUSHREAD  1
#define TIOCPKT_FLUSHWRITE 2
#define TIOCPKT_STOP	   4
#define TIOCPKT_START	   8
#define TIOCPKT_NOSTOP	   16
#define TIOCPKT_DOSTOP	   32
#endif
#ifndef TIOCGPTPEER
#define TIOCGPTPEER 0x5441
#endif
#ifndef GRND_INSECURE
#define GRND_INSECURE 4
#endif

/* The library may wrap fork with handlers and caches; these are the calls themselves. */
static inline __attribute__((unused)) int
kt_gettid(void)
{
	return (int)syscall(SYS_gettid);
}

static inline __attribute__((unused)) long
kt_futex(void *addr, int op, uint32_t val, const void *timeout, void *addr2, uint32_t val3)
{
	return syscall(SYS_futex, addr, op, val, timeout, addr2, val3);
}

#endif
