/* SPDX-License-Identifier: MIT */
/*
 * eventfd(2).
 */
#pragma once

#define EFD_SEMAPHORE		(1 << 0)
#define EFD_CLOEXEC		02000000
#define EFD_NONBLOCK		00004000
