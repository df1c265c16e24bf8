/* SPDX-License-Identifier: MIT */
/*
 * The x86-64 part of the Linux ABI: what other ports number or lay out differently.
 */
#ifndef UAPI_ARCH_X86_64_H
#define UAPI_ARCH_X86_64_H

#include "lib/types.h"
#include "uapi/timespec.h"

/* open(2): arm64 numbers these four differently. */
#define O_DIRECT    00040000
#define O_LARGEFILE 00100000
#define O_DIRECTORY 00200000
#define O_NOFOLLOW  00400000

/* mmap(2) */
#define MAP_32BIT 0x40

/* sigaction(2) */
#define SA_RESTORER 0x04000000
#define MINSIGSTKSZ 2048
#define SIGSTKSZ    8192

/* epoll_event is packed here, so that 32-bit and 64-bit programs agree on it. */
#define UAPI_EPOLL_PACKED __attribute__((packed))

/* uname(2) and the ELF header */
#define UAPI_MACHINE	 "x86_64"
#define UAPI_ELF_MACHINE 62 /* EM_X86_64 */

/* stat(2), fstat(2), newfstatat(2) */
struct linux_stat {
	u64 st_dev;
	u64 st_ino;
	u64 st_nlink;
	u32 st_mode;
	u32 st_uid;
	u32 st_gid;
	u32 pad0;
	u64 st_rdev;
	s64 st_size;
	s64 st_blksize;
	s64 st_blocks; /* of 512 bytes */
	struct linux_timespec st_atim;
	struct linux_timespec st_mtim;
	struct linux_timespec st_ctim;
	s64 reserved[3];
};

/*
 * Registers in a signal frame. A handler may change any of them; rt_sigreturn(2) loads them back.
 */
struct linux_sigcontext {
	u64 r8, r9, r10, r11, r12, r13, r14, r15;
	u64 rdi, rsi, rbp, rbx, rdx, rax, rcx, rsp;
	u64 rip;
	u64 eflags;
	u16 cs, gs, fs, ss;
	u64 err; /* error code, number and address of the trap behind it */
	u64 trapno;
	u64 oldmask;
	u64 cr2;
	u64 fpstate; /* address of struct linux_fpstate, or 0 */
	u64 reserved1[8];
};

/* In the last 48 bytes of the FXSAVE area: what else follows it. */
struct linux_fpx_sw_bytes {
	u32 magic1;	   /* FP_XSTATE_MAGIC1: an XSAVE area follows */
	u32 extended_size; /* of the whole area with magic2 at its end */
	u64 xfeatures;	   /* XCR0's features that are saved */
	u32 xstate_size;   /* of the XSAVE area alone */
	u32 padding[7];
};

#define FP_XSTATE_MAGIC1      0x46505853
#define FP_XSTATE_MAGIC2      0x46505845
#define FP_XSTATE_MAGIC2_SIZE 4

/* FXSAVE's image, 64-byte aligned in the frame; an XSAVE header follows if sw_reserved says so. */
struct linux_fpstate {
	u16 cwd, swd, twd, fop;
	u64 rip, rdp;
	u32 mxcsr, mxcr_mask;
	u32 st_space[32];
	u32 xmm_space[64];
	u32 reserved2[12];
	struct linux_fpx_sw_bytes sw_reserved;
};

struct linux_xstate_header {
	u64 xfeatures;
	u64 reserved1[2];
	u64 reserved2[5];
};

/* sigaltstack(2) */
struct linux_stack {
	u64 ss_sp;
	s32 ss_flags;
	u32 pad;
	u64 ss_size;
};

/* The third argument of a handler. */
struct linux_ucontext {
	u64 uc_flags;
	u64 uc_link;
	struct linux_stack uc_stack;
	struct linux_sigcontext uc_mcontext;
	u64 uc_sigmask;
};

#define UC_FP_XSTATE	     0x1
#define UC_SIGCONTEXT_SS     0x2
#define UC_STRICT_RESTORE_SS 0x4

/* ptrace(2) PTRACE_GETREGS and NT_PRSTATUS */
struct linux_user_regs {
	u64 r15, r14, r13, r12, bp, bx, r11, r10, r9, r8, ax, cx, dx, si, di;
	u64 orig_ax;
	u64 ip, cs, flags, sp, ss;
	u64 fs_base, gs_base;
	u64 ds, es, fs, gs;
};

/* arch_prctl(2) */
#define ARCH_SET_GS	    0x1001
#define ARCH_SET_FS	    0x1002
#define ARCH_GET_FS	    0x1003
#define ARCH_GET_GS	    0x1004
#define ARCH_GET_CPUID	    0x1011
#define ARCH_SET_CPUID	    0x1012
#define ARCH_GET_XCOMP_SUPP 0x1021
#define ARCH_GET_XCOMP_PERM 0x1022
#define ARCH_REQ_XCOMP_PERM 0x1023

/* seccomp(2), audit */
#define AUDIT_ARCH_X86_64 0xc000003eu
#define UAPI_AUDIT_ARCH	  AUDIT_ARCH_X86_64

#endif /* UAPI_ARCH_X86_64_H */
