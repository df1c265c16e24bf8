/* SPDX-License-Identifier: MIT */
/*
 * pidfd_open(2), pidfd_send_signal(2), kcmp(2).
 */
#ifndef UAPI_PIDFD_H
#define UAPI_PIDFD_H

#define PIDFD_NONBLOCK 00004000

/* kcmp(2) */
#define KCMP_FILE      0
#define KCMP_VM	       1
#define KCMP_FILES     2
#define KCMP_FS	       3
#define KCMP_SIGHAND   4
#define KCMP_IO	       5
#define KCMP_SYSVSEM   6
#define KCMP_EPOLL_TFD 7

#endif /* UAPI_PIDFD_H */
