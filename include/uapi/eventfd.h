/* SPDX-License-Identifier: MIT */
/*
 * eventfd(2).
 */
#ifndef UAPI_EVENTFD_H
#define UAPI_EVENTFD_H

#define EFD_SEMAPHORE (1 << 0)
#define EFD_CLOEXEC   02000000
#define EFD_NONBLOCK  00004000

#endif /* UAPI_EVENTFD_H */
