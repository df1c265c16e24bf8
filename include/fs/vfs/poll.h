/* SPDX-License-Identifier: MIT */
/* Readiness: file_ops.poll answers now, and registers on wait queues for later. poll, select and
 * epoll each bring a table. */
#ifndef FS_VFS_POLL_H
#define FS_VFS_POLL_H

#include "sched/wait.h"
#include "uapi/epoll.h"

struct file;
struct poll_table {
	/* Hook an entry on wq. NULL: the caller only asks. */
	void (*queue)(struct poll_table *pt, struct file *f, struct wait_queue *wq);
	u32 events; /* the caller's interest: key filter */
};

static inline void
poll_wait(struct file *f, struct wait_queue *wq, struct poll_table *pt)
{
	if (pt && pt->queue)
		pt->queue(pt, f, wq);
}
#endif
