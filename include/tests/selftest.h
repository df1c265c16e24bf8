/* SPDX-License-Identifier: MIT */
/* Tests that run inside the kernel: debug builds, named by selftest= on the command line. */
#ifndef TESTS_SELFTEST_H
#define TESTS_SELFTEST_H

/* The tests of these names, separated by commas. One that fails panics. */
void selftest_run(const char *names);

void selftest_sched(void);
void selftest_journal(void); /* overwrites the disk vda */

#endif
