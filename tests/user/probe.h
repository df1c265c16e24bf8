/* SPDX-License-Identifier: MIT */
/*
 * probe.h - touch an address and say which signal that gave.
 *
 * probe_read/write/exec return 0 or the signal; probe_code and probe_addr then hold si_code and
 * si_addr. Not for use by two threads at a time.
 */
#ifndef PROBE_H
#define PROBE_H

#include "tap.h"
#include <setjmp.h>

static sigjmp_buf probe_env;
static volatile int probe_sig, probe_code;
static void *volatile probe_addr;

static void
probe_handler(int sig, siginfo_t *si, void *uc)
{
	(void)uc;
	probe_sig = sig;
	probe_code = si->si_code;
	probe_addr = si->si_addr;
	siglongjmp(probe_env, 1);
}

static TAP_UNUSED void
probe_begin(void)
{
	probe_sig = probe_code = 0;
	probe_addr = NULL;
	handle_info(SIGSEGV, probe_handler, 0);
	handle_info(SIGBUS, probe_handler, 0);
}

static TAP_UNUSED int
probe_read(const volatile void *p)
{
	probe_begin();
	if (sigsetjmp(probe_env, 1) == 0)
		(void)*(const volatile unsigned char *)p;
	return probe_sig;
}

static TAP_UNUSED int
probe_write(volatile void *p, unsigned char v)
{
	probe_begin();
	if (sigsetjmp(probe_env, 1) == 0)
		*(volatile unsigned char *)p = v;
	return probe_sig;
}

static TAP_UNUSED int
probe_exec(const void *p)
{
	probe_begin();
	if (sigsetjmp(probe_env, 1) == 0)
		((void (*)(void))(uintptr_t)p)();
	return probe_sig;
}

/* All bytes of a range equal v? */
static TAP_UNUSED int
all_bytes(const void *p, unsigned char v, size_t len)
{
	const unsigned char *c = p;

	for (size_t i = 0; i < len; i++)
		if (c[i] != v)
			return 0;
	return 1;
}

#define PAGE 4096UL

static TAP_UNUSED unsigned char *
anon(size_t pages, int prot)
{
	void *p = mmap(NULL, pages * PAGE, prot, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	must(p == MAP_FAILED ? -1 : 0);
	return p;
}

#endif
