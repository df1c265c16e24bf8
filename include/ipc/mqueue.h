/* SPDX-License-Identifier: MIT */
/* POSIX message queues, mq_overview(7), and the file system "mqueue" that shows them. */
#ifndef IPC_MQUEUE_H
#define IPC_MQUEUE_H

#include "lib/types.h"

struct file;

void mqueue_register(void); /* fs/filesystems.c */

/* Filled by net/netlink: a datagram of the kernel's to a netlink socket. Nothing sent (len 0) tells
 * whether it is one: -ENOTSOCK, -EINVAL. */
extern ssize_t (*mqueue_netlink_send)(struct file *f, const void *data, u32 len);

#endif
