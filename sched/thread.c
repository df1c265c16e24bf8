/* SPDX-License-Identifier: MIT */
/*
 * Birth and death of threads.
 *
 * A thread is born THREAD_NEW, on no queue, and put on one by its first wake-up. It dies in
 * thread_exit: it leaves the queue, and the thread that runs next on the CPU frees the stack that
 * it cannot free itself, and drops the scheduler's reference. The structure goes with the last
 * reference, a grace period later: those who find threads under RCU, or watch the owner of a mutex,
 * need none.
 */
#include "sched_internal.h"

#include "core/arch_upcalls.h"
#include "core/panic.h"
#include "lib/format.h"
#include "lib/string.h"
#include "mm/kstack.h"
#include "mm/slab.h"
#include "uapi/errno.h"

/* What every thread has, from nothing: on no queue, nice 0, any CPU. */
static void
thread_init(struct thread *t)
{
	t->state = THREAD_NEW;
	t->on_rq = OFF_RQ;
	t->policy = SCHED_P_FAIR;
	fair_entity_init(&t->se, FAIR_WEIGHT_NICE0);
	t->rt_slice_left = RT_RR_SLICE_NS;
	for (u32 i = 0; i < ARRAY_SIZE(t->affinity.bits); i++)
		t->affinity.bits[i] = ~0ul;
	ref_init(&t->ref);
}

/* ---- kernel threads ---- */

struct atomic32 sched_kernel_threads;

struct kernel_thread {
	struct thread thread;
	void (*fn)(void *arg);
	void *arg;
};

static void
kernel_thread_main(void *arg)
{
	struct kernel_thread *kt = arg;

	kt->fn(kt->arg);
	thread_exit();
}

static void
kernel_thread_release(struct thread *t)
{
	atomic_dec(&sched_kernel_threads);
	kfree(container_of(t, struct kernel_thread, thread));
}

struct thread *
thread_create(void (*fn)(void *), void *arg, const char *name_fmt, ...)
{
	struct kernel_thread *kt = kzalloc(sizeof(*kt), GFP_KERNEL);
	struct thread *t;
	va_list ap;

	if (!kt)
		return NULL;
	kt->fn = fn;
	kt->arg = arg;
	t = &kt->thread;
	t->kstack = kstack_alloc();
	if (!t->kstack) {
		kfree(kt);
		return NULL;
	}
	thread_init(t);
	t->is_kernel = true;
	t->release = kernel_thread_release;
	va_start(ap, name_fmt);
	vsnprintf(t->comm, sizeof(t->comm), name_fmt, ap);
	va_end(ap);
	arch_thread_init_kernel(&t->arch, t->kstack, kernel_thread_main, kt);
	atomic_inc(&sched_kernel_threads);
	return t;
}

void
thread_bind(struct thread *t, u32 cpu)
{
	DEBUG_ASSERT(t->state == THREAD_NEW);
	cpumask_zero(&t->affinity);
	cpumask_set(&t->affinity, cpu);
	t->cpu = cpu;
}

/* ---- user threads; the structure is zeroed and lies in a struct task ---- */

u32 thread_first_flags;

int
thread_init_fork(struct thread *t, struct thread *parent, void (*release)(struct thread *t))
{
	t->kstack = kstack_alloc();
	if (!t->kstack)
		return -ENOMEM;
	thread_init(t);
	atomic_set(&t->flags, thread_first_flags);
	t->release = release;
	t->cpu = READ_ONCE(parent->cpu);
	t->affinity = parent->affinity;
	memcpy(t->comm, parent->comm, sizeof(t->comm));
	t->policy = parent->policy;
	t->nice = parent->nice;
	t->rt_priority = parent->rt_priority;
	if (parent->reset_on_fork) {
		/* sched(7): no real-time policy and no negative nice value for the child */
		if (t->policy == SCHED_P_FIFO || t->policy == SCHED_P_RR) {
			t->policy = SCHED_P_FAIR;
			t->rt_priority = 0;
			t->nice = 0;
		} else if (t->nice < 0) {
			t->nice = 0;
		}
	}
	t->effective_rt = t->rt_priority;
	fair_entity_init(&t->se, thread_weight(t));
	t->se.slice = parent->se.slice;
	return 0;
}

void
thread_abort_fork(struct thread *t)
{
	arch_thread_fini(&t->arch);
	kstack_free(t->kstack);
	t->kstack = NULL;
}

/* ---- idle threads: never on a queue ---- */

void
thread_setup_idle(struct thread *t, u32 cpu, void *kstack)
{
	thread_init(t);
	t->state = THREAD_RUNNABLE;
	t->is_kernel = t->is_idle = true;
	t->on_cpu = true;
	t->cpu = cpu;
	t->kstack = kstack;
	cpumask_zero(&t->affinity);
	cpumask_set(&t->affinity, cpu);
	snprintf(t->comm, sizeof(t->comm), "idle/%u", cpu);
}

/* ---- death ---- */

void
thread_exit(void)
{
	preempt_disable();
	WRITE_ONCE(thread_current()->state, THREAD_DEAD);
	sched_switch(false);
	panic("a dead thread runs");
}

void
thread_bury(struct thread *t)
{
	arch_thread_fini(&t->arch);
	kstack_free(t->kstack);
	t->kstack = NULL;
	thread_put(t);
}

static void
thread_release_rcu(struct rcu_head *head)
{
	struct thread *t = container_of(head, struct thread, rcu);

	t->release(t);
}

void
thread_get(struct thread *t)
{
	ref_get(&t->ref);
}

void
thread_put(struct thread *t)
{
	if (ref_put(&t->ref))
		rcu_call(&t->rcu, thread_release_rcu);
}
