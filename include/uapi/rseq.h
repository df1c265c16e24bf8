/* SPDX-License-Identifier: MIT */
/*
 * rseq(2): the area that a thread shares with the scheduler.
 */
#ifndef UAPI_RSEQ_H
#define UAPI_RSEQ_H

#include "lib/types.h"

#define RSEQ_CPU_ID_UNINITIALIZED	(-1)
#define RSEQ_CPU_ID_REGISTRATION_FAILED (-2)
#define RSEQ_FLAG_UNREGISTER		(1 << 0)

#define RSEQ_CS_FLAG_NO_RESTART_ON_PREEMPT (1u << 0)
#define RSEQ_CS_FLAG_NO_RESTART_ON_SIGNAL  (1u << 1)
#define RSEQ_CS_FLAG_NO_RESTART_ON_MIGRATE (1u << 2)

/* One critical section. The 4 bytes before abort_ip hold the signature given at registration. */
struct linux_rseq_cs {
	u32 version;
	u32 flags;
	u64 start_ip;
	u64 post_commit_offset;
	u64 abort_ip;
} __attribute__((aligned(32)));

struct linux_rseq {
	u32 cpu_id_start;
	u32 cpu_id;
	u64 rseq_cs; /* address of a struct linux_rseq_cs, or 0 */
	u32 flags;
} __attribute__((aligned(32)));

#endif /* UAPI_RSEQ_H */
