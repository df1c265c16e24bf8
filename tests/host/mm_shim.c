/* SPDX-License-Identifier: MIT */
/*
 * What mm's files need of the rooms below them, on the host: an arena as physical memory with its
 * page array, locks that check that they are not taken twice, grace periods that end when the test
 * says so.
 */
#include "mm_shim.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/cpumask.h"
#include "core/log.h"
#include "core/panic.h"
#include "core/rcu.h"
#include "core/spinlock.h"
#include "sched/mutex.h"

uintptr_t host_arena, host_page_array;
u64 page_total;
u32 preempt_count = PREEMPT_NO_RESCHED, cpu_number;
struct cpumask cpu_online = { { 1 } };
u32 cpu_count = 1;
uintptr_t percpu_offset[MAX_CPUS];

static struct rcu_head *rcu_pending;

void
shim_arena_create(u64 pages)
{
	size_t align = 4ul << 20;

	host_arena = (uintptr_t)aligned_alloc(align, pages << PAGE_SHIFT);
	host_page_array = (uintptr_t)calloc(pages, sizeof(struct page));
	page_total = pages;
}

void
shim_arena_destroy(void)
{
	free((void *)host_arena);
	free((void *)host_page_array);
}

void
warn_at(const char *file, int line, const char *expr)
{
	printf("# warning at %s:%d: %s\n", file, line, expr);
}

void
log_printf(enum log_level level, const char *fmt, ...)
{
}

void
spin_lock_contended(struct spinlock *lock)
{
	panic("lock taken twice");
}

void
mutex_lock(struct mutex *m)
{
	if (atomic64_read(&m->owner))
		panic("mutex taken twice");
	atomic64_set(&m->owner, 1);
}

bool
mutex_trylock(struct mutex *m)
{
	if (atomic64_read(&m->owner))
		return false;
	mutex_lock(m);
	return true;
}

void
mutex_unlock(struct mutex *m)
{
	atomic64_set(&m->owner, 0);
}

void
sched_preempt(void)
{
}

void
rcu_call(struct rcu_head *head, void (*func)(struct rcu_head *head))
{
	head->func = func;
	head->next = rcu_pending;
	rcu_pending = head;
}

void
shim_grace_period(void)
{
	while (rcu_pending) {
		struct rcu_head *head = rcu_pending;

		rcu_pending = head->next;
		head->func(head);
	}
}
