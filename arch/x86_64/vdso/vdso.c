/* SPDX-License-Identifier: MIT */
/*
 * Time without a system call, vdso(7). core/time.c writes the page in front of this code; what
 * cannot be answered from it is passed on to the kernel.
 */
#include "arch/vdso.h"
#include "uapi/errno.h"
#include "uapi/time.h"

#define NSEC_PER_SEC	 1000000000ul
#define NR_clock_gettime 228
#define NR_clock_getres	 229
#define NR_gettimeofday	 96
#define CPU_SELECTOR	 0x7b

struct timeval {
	s64 tv_sec, tv_usec;
};

/* Not const, though it is read-only here: the compiler would keep what it has read. */
extern struct vdso_data vdso_page __attribute__((visibility("hidden")));

int __vdso_clock_gettime(int clock, struct linux_timespec *ts);
int __vdso_gettimeofday(struct timeval *tv, void *zone);
s64 __vdso_time(s64 *out);
long __vdso_getcpu(u32 *cpu, u32 *node, void *unused);
int __vdso_clock_getres(int clock, struct linux_timespec *res);

static inline long
system_call(long nr, long a, long b)
{
	long result;

	__asm__ volatile("syscall"
			 : "=a"(result)
			 : "a"(nr), "D"(a), "S"(b)
			 : "rcx", "r11", "memory");
	return result;
}

/* lfence: not before what the program did earlier. */
static inline u64
counter_read(void)
{
	u32 low, high;

	__asm__ volatile("lfence; rdtsc" : "=a"(low), "=d"(high)::"memory");
	return (u64)high << 32 | low;
}

static inline u32
read_begin(const struct vdso_data *v)
{
	u32 seq;

	while ((seq = __atomic_load_n(&v->seq, __ATOMIC_ACQUIRE)) & 1)
		__asm__ volatile("pause");
	return seq;
}

static inline int
read_retry(const struct vdso_data *v, u32 seq)
{
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	return __atomic_load_n(&v->seq, __ATOMIC_RELAXED) != seq;
}

/* 0, or -1 if only the kernel can tell. */
static inline int
precise(const struct vdso_data *v, int real, struct linux_timespec *ts)
{
	u64 sec, ns, delta;
	u32 seq;

	do {
		seq = read_begin(v);
		if (!v->use_counter)
			return -1;
		delta = counter_read() - v->last_count;
		/* A counter slightly behind the one that wrote the page. */
		if ((s64)delta < 0)
			delta = 0;
		sec = real ? v->real_sec : v->mono_sec;
		ns = real ? v->real_nsec : v->mono_nsec;
		ns = (u64)(((unsigned __int128)delta * v->mult + ns) >> v->shift);
	} while (read_retry(v, seq));
	if (ns >= NSEC_PER_SEC) {
		sec += ns / NSEC_PER_SEC;
		ns %= NSEC_PER_SEC;
	}
	ts->tv_sec = (s64)sec;
	ts->tv_nsec = (s64)ns;
	return 0;
}

static inline void
coarse(const struct vdso_data *v, int real, struct linux_timespec *ts)
{
	u32 seq;

	do {
		seq = read_begin(v);
		ts->tv_sec = (s64)(real ? v->coarse_real_sec : v->coarse_mono_sec);
		ts->tv_nsec = (s64)(real ? v->coarse_real_nsec : v->coarse_mono_nsec);
	} while (read_retry(v, seq));
}

int
__vdso_clock_gettime(int clock, struct linux_timespec *ts)
{
	const struct vdso_data *v = &vdso_page;

	switch (clock) {
	case CLOCK_REALTIME:
		if (precise(v, 1, ts) == 0)
			return 0;
		break;
	case CLOCK_MONOTONIC:
	case CLOCK_MONOTONIC_RAW:
	case CLOCK_BOOTTIME:
		if (precise(v, 0, ts) == 0)
			return 0;
		break;
	case CLOCK_REALTIME_COARSE: coarse(v, 1, ts); return 0;
	case CLOCK_MONOTONIC_COARSE: coarse(v, 0, ts); return 0;
	default: break;
	}
	return (int)system_call(NR_clock_gettime, clock, (long)ts);
}

int
__vdso_gettimeofday(struct timeval *tv, void *zone)
{
	struct linux_timespec ts;

	if (zone || precise(&vdso_page, 1, &ts))
		return (int)system_call(NR_gettimeofday, (long)tv, (long)zone);
	if (tv) {
		tv->tv_sec = ts.tv_sec;
		tv->tv_usec = ts.tv_nsec / 1000;
	}
	return 0;
}

s64
__vdso_time(s64 *out)
{
	s64 now = (s64)__atomic_load_n(&vdso_page.coarse_real_sec, __ATOMIC_RELAXED);

	if (out)
		*out = now;
	return now;
}

/* The limit of a segment that each CPU's GDT has: the number of the CPU, and the node above bit 12.
 */
long
__vdso_getcpu(u32 *cpu, u32 *node, void *unused)
{
	u32 limit;

	__asm__ volatile("lsl %1, %0" : "=r"(limit) : "r"(CPU_SELECTOR) : "cc");
	if (cpu)
		*cpu = limit & 0xfff;
	if (node)
		*node = limit >> 12;
	return 0;
}

int
__vdso_clock_getres(int clock, struct linux_timespec *res)
{
	s64 ns;

	switch (clock) {
	case CLOCK_REALTIME:
	case CLOCK_MONOTONIC:
	case CLOCK_MONOTONIC_RAW:
	case CLOCK_BOOTTIME: ns = 1; break;
	case CLOCK_REALTIME_COARSE:
	case CLOCK_MONOTONIC_COARSE: ns = (s64)vdso_page.coarse_res_ns; break;
	default: return (int)system_call(NR_clock_getres, clock, (long)res);
	}
	if (res) {
		res->tv_sec = 0;
		res->tv_nsec = ns;
	}
	return 0;
}

#define ALIAS(name, target) extern __typeof__(target) name __attribute__((weak, alias(#target)))
ALIAS(clock_gettime, __vdso_clock_gettime);
ALIAS(gettimeofday, __vdso_gettimeofday);
ALIAS(time, __vdso_time);
ALIAS(getcpu, __vdso_getcpu);
ALIAS(clock_getres, __vdso_clock_getres);
