/* SPDX-License-Identifier: MIT */
/*
 * ptrace(2). The register structures are the port's.
 */
#ifndef UAPI_PTRACE_H
#define UAPI_PTRACE_H

#include "lib/types.h"

#define PTRACE_TRACEME		      0
#define PTRACE_PEEKTEXT		      1
#define PTRACE_PEEKDATA		      2
#define PTRACE_PEEKUSR		      3
#define PTRACE_POKETEXT		      4
#define PTRACE_POKEDATA		      5
#define PTRACE_POKEUSR		      6
#define PTRACE_CONT		      7
#define PTRACE_KILL		      8
#define PTRACE_SINGLESTEP	      9
#define PTRACE_GETREGS		      12
#define PTRACE_SETREGS		      13
#define PTRACE_GETFPREGS	      14
#define PTRACE_SETFPREGS	      15
#define PTRACE_ATTACH		      16
#define PTRACE_DETACH		      17
#define PTRACE_SYSCALL		      24
#define PTRACE_ARCH_PRCTL	      30
#define PTRACE_SYSEMU		      31
#define PTRACE_SYSEMU_SINGLESTEP      32
#define PTRACE_SINGLEBLOCK	      33
#define PTRACE_SETOPTIONS	      0x4200
#define PTRACE_GETEVENTMSG	      0x4201
#define PTRACE_GETSIGINFO	      0x4202
#define PTRACE_SETSIGINFO	      0x4203
#define PTRACE_GETREGSET	      0x4204
#define PTRACE_SETREGSET	      0x4205
#define PTRACE_SEIZE		      0x4206
#define PTRACE_INTERRUPT	      0x4207
#define PTRACE_LISTEN		      0x4208
#define PTRACE_PEEKSIGINFO	      0x4209
#define PTRACE_GETSIGMASK	      0x420a
#define PTRACE_SETSIGMASK	      0x420b
#define PTRACE_SECCOMP_GET_FILTER     0x420c
#define PTRACE_SECCOMP_GET_METADATA   0x420d
#define PTRACE_GET_SYSCALL_INFO	      0x420e
#define PTRACE_GET_RSEQ_CONFIGURATION 0x420f

#define PTRACE_EVENT_FORK	1
#define PTRACE_EVENT_VFORK	2
#define PTRACE_EVENT_CLONE	3
#define PTRACE_EVENT_EXEC	4
#define PTRACE_EVENT_VFORK_DONE 5
#define PTRACE_EVENT_EXIT	6
#define PTRACE_EVENT_SECCOMP	7
#define PTRACE_EVENT_STOP	128

#define PTRACE_O_TRACESYSGOOD	 1
#define PTRACE_O_TRACEFORK	 (1 << PTRACE_EVENT_FORK)
#define PTRACE_O_TRACEVFORK	 (1 << PTRACE_EVENT_VFORK)
#define PTRACE_O_TRACECLONE	 (1 << PTRACE_EVENT_CLONE)
#define PTRACE_O_TRACEEXEC	 (1 << PTRACE_EVENT_EXEC)
#define PTRACE_O_TRACEVFORKDONE	 (1 << PTRACE_EVENT_VFORK_DONE)
#define PTRACE_O_TRACEEXIT	 (1 << PTRACE_EVENT_EXIT)
#define PTRACE_O_TRACESECCOMP	 (1 << PTRACE_EVENT_SECCOMP)
#define PTRACE_O_EXITKILL	 (1 << 20)
#define PTRACE_O_SUSPEND_SECCOMP (1 << 21)
#define PTRACE_O_MASK		 0x3000ff

#define PTRACE_SYSCALL_INFO_NONE    0
#define PTRACE_SYSCALL_INFO_ENTRY   1
#define PTRACE_SYSCALL_INFO_EXIT    2
#define PTRACE_SYSCALL_INFO_SECCOMP 3

struct linux_ptrace_syscall_info {
	u8 op;
	u8 pad[3];
	u32 arch;
	u64 instruction_pointer;
	u64 stack_pointer;
	union {
		struct {
			u64 nr;
			u64 args[6];
		} entry;
		struct {
			s64 rval;
			u8 is_error;
		} exit;
		struct {
			u64 nr;
			u64 args[6];
			u32 ret_data;
		} seccomp;
	};
};

#define PTRACE_PEEKSIGINFO_SHARED (1 << 0)

struct linux_ptrace_peeksiginfo_args {
	u64 off;
	u32 flags;
	s32 nr;
};

struct linux_ptrace_rseq_configuration {
	u64 rseq_abi_pointer;
	u32 rseq_abi_size;
	u32 signature;
	u32 flags;
	u32 pad;
};

#endif /* UAPI_PTRACE_H */
