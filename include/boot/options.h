/* SPDX-License-Identifier: MIT */
/*
 * The kernel command line, taken apart: kernel-parameters of Linux that mean something here. What
 * is not for the kernel goes to init, words as arguments, NAME=VALUE as environment.
 */
#ifndef BOOT_OPTIONS_H
#define BOOT_OPTIONS_H

#include "lib/types.h"

#define BOOT_WORDS_MAX 64

struct boot_options {
	const char *init, *rdinit; /* NULL: not given */
	const char *root, *rootfstype, *rootflags;
	bool read_write;      /* rw; the root is mounted read-only otherwise */
	bool root_wait;	      /* until the device is there */
	u32 root_delay;	      /* seconds */
	const char *console;  /* the last one named: what /dev/console is, "ttyS0" */
	const char *selftest; /* debug builds: tests to run inside the kernel, by comma */
	u32 max_cpus;
	u32 profile_hz;	    /* profile=HZ: samples a second of each CPU, 0 = none */
	bool profile_calls; /* profile=calls: system calls are counted and timed */
	u64 memory_limit;   /* mem=: bytes, 0 = all */
	const char *argv[BOOT_WORDS_MAX + 2],
		*envp[BOOT_WORDS_MAX + 4]; /* for init; NULL-terminated */
};

extern struct boot_options boot_options;

/* Fills boot_options from boot_info.cmdline, and the settings of lower rooms. Call once. */
void cmdline_parse(void);

#endif
