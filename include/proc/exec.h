/* SPDX-License-Identifier: MIT */
/* Starting programs and processes, as boot sees it. */
#ifndef PROC_EXEC_H
#define PROC_EXEC_H

/*
 * Run in a fresh kernel thread by boot: makes pid 1, which opens /dev/console as 0, 1, 2 (warns if
 * it is missing), then executes the first of the paths that works (rdinit=/init= or the default
 * list) with argv (argv[0] is replaced by the path) and envp. Panics, naming each path tried and
 * its error, when none does. The three arrays must stay.
 */
void init_process_start(const char *const *paths, const char *const *argv, const char *const *envp);
void proc_init(void);
#endif
