/* SPDX-License-Identifier: MIT */
/* The kernel log as system calls and /proc/kmsg give it out. */
#ifndef SYSCALL_SYSLOG_H
#define SYSCALL_SYSLOG_H

void syslog_init(void); /* after filesystems_init: /proc/kmsg */

#endif
