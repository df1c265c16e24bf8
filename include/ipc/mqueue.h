/* SPDX-License-Identifier: MIT */
/* POSIX message queues, mq_overview(7), and the file system "mqueue" that shows them. */
#ifndef IPC_MQUEUE_H
#define IPC_MQUEUE_H

void mqueue_register(void); /* fs/filesystems.c */

#endif
