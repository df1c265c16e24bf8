/* SPDX-License-Identifier: MIT */
/* System V IPC, sysvipc(7): namespaces with their limits, what fork and exit do, tables for /proc.
 */
#ifndef IPC_SYSV_H
#define IPC_SYSV_H

#include "core/ref.h"
#include "lib/types.h"

struct ipc_ns;
struct user_ns;
struct strbuf;
struct task;

enum sysv_kind { SYSV_SEM, SYSV_MSG, SYSV_SHM, SYSV_KINDS };

/* ipc_namespaces(7) */
struct ipc_ns *ipc_ns_root(void);
struct ipc_ns *ipc_ns_create(struct user_ns *owner); /* NULL: no memory */
struct user_ns *ipc_ns_owner(const struct ipc_ns *ns);
struct ipc_ns *ipc_ns_get(struct ipc_ns *ns);
void ipc_ns_put(struct ipc_ns *ns);
u64 ipc_ns_inum(const struct ipc_ns *ns);

/* /proc/sys/kernel/: plain words, read and written one at a time. */
struct ipc_limits {
	u64 shmmax, shmall; /* bytes, pages */
	u32 shmmni;
	u32 semmsl, semmns, semopm, semmni;
	u32 msgmax, msgmnb, msgmni;
	u32 mq_queues_max, mq_msg_max, mq_msgsize_max, mq_msg_default, mq_msgsize_default;
};
struct ipc_limits *ipc_limits_current(void); /* of the current task's namespace */

/* /proc/sysvipc/ of the current task's namespace. */
void sysv_show(enum sysv_kind kind, struct strbuf *sb);

/* Adjustments of semaphores at exit (SEM_UNDO): shared by CLONE_SYSVSEM. 0 or -ENOMEM. */
int sem_fork(struct task *child, u64 clone_flags);
void sem_exit(struct task *t); /* also unshare(CLONE_SYSVSEM) */

#endif
