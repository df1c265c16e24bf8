/* SPDX-License-Identifier: MIT */
/* Futexes: what other rooms need of them. futex(2) itself is ipc/futex.c. */
#ifndef IPC_FUTEX_H
#define IPC_FUTEX_H

#include "lib/user_ptr.h"

struct task;

void futex_init(void); /* boot, after mm */

/* Wake up to nr waiters on a word of the current address space (clear_child_tid). The number woken,
 * or -EFAULT/-EINVAL. */
int futex_wake_user(user_ptr word, int nr);

/*
 * The current task leaves its address space (exit, and exec before the old space goes): robust
 * futexes that it holds get FUTEX_OWNER_DIED and their waiters wake, PI futexes pass to their next
 * waiter. May sleep. After futex_exit nobody can wait for the task any more; futex_exec lets it
 * start again.
 */
void futex_exit(void);
void futex_exec(void);

#endif
