/* SPDX-License-Identifier: MIT */
/*
 * The scheduler exercised from inside: switching, wake-ups, sleeping locks, work, RCU, affinity, on
 * all CPUs at once. Debug builds run it with selftest=sched on the command line. A wrong result
 * panics.
 */
#include "tests/selftest.h"

#include "arch/cpu.h"
#include "core/cpumask.h"
#include "core/log.h"
#include "core/panic.h"
#include "core/rcu.h"
#include "core/time.h"
#include "lib/atomic.h"
#include "sched/mutex.h"
#include "sched/sched.h"
#include "sched/wait.h"
#include "sched/work.h"

#define MANY 12

static struct completion all_done;
static struct atomic32 still_running;

/* Runs fn(n) in `count` threads and waits for all. */
static void
run_many(void (*fn)(void *), u32 count, const char *name)
{
	u64 start = time_mono_ns();

	completion_init(&all_done);
	atomic_set(&still_running, (int)count);
	for (u32 i = 0; i < count; i++) {
		struct thread *t = thread_create(fn, (void *)(uintptr_t)i, "%s/%u", name, i);

		ASSERT(t);
		thread_wake(t);
	}
	completion_wait(&all_done);
	log_info("selftest: %s: %lu us\n", name, (time_mono_ns() - start) / 1000);
}

static void
one_done(void)
{
	if (atomic_dec_and_test(&still_running))
		complete(&all_done);
}

/* ---- a token passed around ---- */

#define TOKEN_ROUNDS 20000

static struct wait_queue token_wait[2] = { WAIT_QUEUE_INIT(token_wait[0]),
					   WAIT_QUEUE_INIT(token_wait[1]) };
static u32 token, token_passes;

static void
token_thread(void *arg)
{
	u32 me = (u32)(uintptr_t)arg;

	for (u32 i = 0; i < TOKEN_ROUNDS; i++) {
		wait_event(&token_wait[me], READ_ONCE(token) == me);
		token_passes++;
		WRITE_ONCE(token, !me);
		wake_up(&token_wait[!me]);
	}
	one_done();
}

/* ---- mutex and rwsem ---- */

#define LOCK_ROUNDS 5000

static struct mutex counter_mutex = MUTEX_INIT(counter_mutex, RANK_SLEEP_LEAF);
static struct rwsem counter_rwsem = RWSEM_INIT(counter_rwsem, RANK_SLEEP_LEAF);
static u64 counter, twin;

static void
mutex_thread(void *arg)
{
	for (u32 i = 0; i < LOCK_ROUNDS; i++) {
		mutex_lock(&counter_mutex);
		counter++;
		if (i % 64 == 0)
			sched_yield();
		twin++;
		ASSERT(counter == twin);
		mutex_unlock(&counter_mutex);
	}
	one_done();
}

static void
rwsem_thread(void *arg)
{
	u32 me = (u32)(uintptr_t)arg;

	for (u32 i = 0; i < LOCK_ROUNDS; i++) {
		if ((i + me) % 4) {
			rwsem_read_lock(&counter_rwsem);
			ASSERT(counter == twin);
			if (i % 97 == 0)
				sched_yield();
			ASSERT(counter == twin);
			rwsem_read_unlock(&counter_rwsem);
			continue;
		}
		rwsem_write_lock(&counter_rwsem);
		counter++;
		if (i % 61 == 0)
			sched_yield();
		twin++;
		if (i % 8 == 0) {
			rwsem_downgrade(&counter_rwsem);
			ASSERT(counter == twin);
			rwsem_read_unlock(&counter_rwsem);
		} else {
			rwsem_write_unlock(&counter_rwsem);
		}
	}
	one_done();
}

/* ---- sleeping ---- */

static void
sleep_thread(void *arg)
{
	for (u32 i = 0; i < 20; i++) {
		u64 ns = (1 + ((uintptr_t)arg * 7 + i) % 10) * 300000, start = time_mono_ns();

		sleep_ns(ns);
		ASSERT(time_mono_ns() - start >= ns);
	}
	one_done();
}

/* ---- birth and death ---- */

static void
short_thread(void *arg)
{
	one_done();
}

/* ---- work ---- */

static struct atomic32 work_runs;

static void
work_run(struct work *w)
{
	atomic_inc(&work_runs);
	sleep_ns(200000);
}

static void
work_thread(void *arg)
{
	struct work w;
	struct delayed_work dw;

	work_init(&w, work_run);
	delayed_work_init(&dw, work_run);
	for (u32 i = 0; i < 20; i++) {
		work_queue(&w);
		work_flush(&w);
		delayed_work_queue(&dw, 100000);
		if (i % 2)
			delayed_work_cancel_sync(&dw);
		else
			sleep_ns(1000000);
		work_queue(&w);
		work_cancel_sync(&w);
	}
	delayed_work_cancel_sync(&dw);
	one_done();
}

/* ---- affinity, policies ---- */

static void
move_thread(void *arg)
{
	struct thread *t = thread_current();
	u32 cpu = (u32)(uintptr_t)arg;

	for (u32 i = 0; i < 100; i++) {
		struct cpumask mask;

		cpu = (cpu + 1) % cpu_count;
		cpumask_zero(&mask);
		cpumask_set(&mask, cpu);
		ASSERT(sched_set_affinity(t, &mask) == 0);
		ASSERT(cpu_id() == cpu);
		if (i % 10 == 0)
			sleep_ns(100000);
		ASSERT(cpu_id() == cpu);
	}
	one_done();
}

static void
policy_thread(void *arg)
{
	static const u8 policies[] = { SCHED_P_FAIR, SCHED_P_FIFO, SCHED_P_RR, SCHED_P_BATCH,
				       SCHED_P_IDLE };

	for (u32 i = 0; i < 200; i++) {
		struct sched_params p = { .policy = policies[(i + (uintptr_t)arg) % 5],
					  .nice = (s8)(i % 40) - 20 };

		if (p.policy == SCHED_P_FIFO || p.policy == SCHED_P_RR)
			p.rt_priority = 1 + i % 99;
		ASSERT(sched_set_params(thread_current(), &p) == 0);
		sched_boost(thread_current(), i % 3 ? 0 : 50);
		if (i % 16 == 0)
			sleep_ns(100000);
		else
			sched_yield();
	}
	one_done();
}

/* ---- shares ---- */

#define SHARE_NS (400 * NSEC_PER_MSEC)

static u64 share_used[MANY], share_end;

static void
share_thread(void *arg)
{
	while (time_mono_ns() < share_end)
		arch_cpu_relax();
	share_used[(uintptr_t)arg] = sched_thread_runtime_ns(thread_current());
	one_done();
}

static void
test_shares(void)
{
	u32 count = cpu_count + 1;
	u64 least = ~0ull, most = 0;

	if (count > MANY)
		return;
	share_end = time_mono_ns() + SHARE_NS;
	run_many(share_thread, count, "shares");
	for (u32 i = 0; i < count; i++) {
		least = MIN(least, share_used[i]);
		most = MAX(most, share_used[i]);
	}
	log_info("selftest: %u threads on %u CPUs for %lu ms: %lu to %lu ms each\n", count,
		 cpu_count, (u64)SHARE_NS / 1000000, least / 1000000, most / 1000000);
}

static void
rcu_thread(void *arg)
{
	for (u32 i = 0; i < 5; i++) {
		rcu_synchronize();
		rcu_barrier();
	}
	one_done();
}

void
selftest_sched(void)
{
	run_many(token_thread, 2, "token");
	ASSERT(token_passes == 2 * TOKEN_ROUNDS);
	counter = twin = 0;
	run_many(mutex_thread, MANY, "mutex");
	ASSERT(counter == MANY * LOCK_ROUNDS && !mutex_is_locked(&counter_mutex));
	counter = twin = 0;
	run_many(rwsem_thread, MANY, "rwsem");
	ASSERT(counter == MANY * LOCK_ROUNDS / 4);
	run_many(sleep_thread, MANY, "sleep");
	for (u32 i = 0; i < 20; i++)
		run_many(short_thread, 50, "short");
	run_many(rcu_thread, MANY, "rcu");
	run_many(work_thread, MANY, "work");
	run_many(move_thread, MANY, "move");
	run_many(policy_thread, MANY, "policy");
	test_shares();
	log_notice("selftest: sched passed\n");
}
