/* SPDX-License-Identifier: MIT */
/* Readiness of a file: poll(2). A file that does not say is always ready. */
#include "fs/vfs/poll.h"

#include "fs/vfs/file.h"
#include "uapi/epoll.h"

u32
vfs_poll(struct file *f, struct poll_table *pt)
{
	if (!f->ops->poll)
		return EPOLLIN | EPOLLOUT | EPOLLRDNORM | EPOLLWRNORM;
	return f->ops->poll(f, pt);
}
