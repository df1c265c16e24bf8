/* SPDX-License-Identifier: MIT */
/*
 * Device interrupts: who is called for which vector.
 *
 * A vector serves one line (all drivers that share it) or one message-signalled source, on every
 * CPU the same. Handlers run with interrupts off and find their vector's list without a lock; the
 * list changes under irq_lock, and whoever takes a handler off waits until no CPU is still in it.
 *
 * Limits: 208 vectors and as many handlers, all static.
 */
#include "core/irq.h"

#include "arch/cpu.h"
#include "arch/irq.h"
#include "core/cpumask.h"
#include "core/log.h"
#include "core/percpu.h"
#include "core/spinlock.h"
#include "lib/atomic.h"
#include "lib/string.h"
#include "uapi/errno.h"

#define GSI_NONE    (~0u)
#define ACTIONS_MAX 256

struct irq_action {
	struct irq_action *next;
	irq_handler *handler;
	void *arg;
	const char *name;
	bool used;
};

struct irq_vector {
	struct irq_action *actions; /* written under irq_lock, read in interrupts */
	u32 gsi, flags;
	struct atomic32 running; /* CPUs in its handlers */
	bool used;
};

static struct irq_vector vectors[ARCH_IRQ_VECTORS];
static struct irq_action actions[ACTIONS_MAX];
static struct spinlock irq_lock = SPINLOCK_INIT(RANK_DEVICE);

DEFINE_PERCPU(bool, irq_after_pending);
void (*irq_after)(bool from_user);
static DEFINE_PERCPU(u32, irq_counts[ARCH_IRQ_VECTORS]);

void
irq_count(u32 vector)
{
	(*this_cpu_ptr(irq_counts))[vector]++;
}

u64
irq_count_cpu(u32 cpu)
{
	const u32 *counts = *percpu_ptr(irq_counts, cpu);
	u64 sum = 0;

	for (u32 i = 0; i < ARCH_IRQ_VECTORS; i++)
		sum += counts[i];
	return sum;
}

void
irq_dispatch(u32 number)
{
	struct irq_vector *vector = &vectors[number];
	const struct irq_action *action;

	irq_count(number);
	atomic_inc(&vector->running);
	/* The count must be seen before the list is read: pairs with the wait in action_remove. */
	smp_mb();
	action = smp_load_acquire(&vector->actions);
	if (!action)
		log_warn("irq: vector %02x without a handler\n", number);
	for (; action; action = smp_load_acquire(&action->next))
		action->handler(action->arg);
	smp_mb();
	atomic_dec(&vector->running);
}

/* irq_lock held. */
static struct irq_action *
action_alloc(irq_handler *handler, void *arg, const char *name)
{
	for (u32 i = 0; i < ACTIONS_MAX; i++)
		if (!actions[i].used) {
			actions[i] = (struct irq_action){ NULL, handler, arg, name, true };
			return &actions[i];
		}
	return NULL;
}

static u32
vector_alloc(u32 gsi, u32 flags)
{
	for (u32 i = ARCH_IRQ_FIRST; i <= ARCH_IRQ_LAST; i++)
		if (!vectors[i].used && i != 0x80) {
			vectors[i].used = true;
			vectors[i].gsi = gsi;
			vectors[i].flags = flags;
			return i;
		}
	return 0;
}

static u32
vector_of_gsi(u32 gsi)
{
	for (u32 i = ARCH_IRQ_FIRST; i <= ARCH_IRQ_LAST; i++)
		if (vectors[i].used && vectors[i].gsi == gsi)
			return i;
	return 0;
}

int
irq_request_gsi(u32 gsi, u32 flags, irq_handler *handler, void *arg, const char *name)
{
	unsigned long irq = spin_lock_irqsave(&irq_lock);
	u32 vector = vector_of_gsi(gsi);
	bool shared = vector != 0;
	struct irq_action *action;
	int error = 0;

	if (shared && vectors[vector].flags != flags) {
		error = -EBUSY;
		goto out_unlock;
	}
	action = action_alloc(handler, arg, name);
	if (!vector)
		vector = vector_alloc(gsi, flags);
	if (!action || !vector) {
		error = -ENOSPC;
		goto out_undo;
	}
	action->next = vectors[vector].actions;
	smp_store_release(&vectors[vector].actions, action);
	if (!shared)
		error = arch_irq_route(gsi, flags, 0, vector);
	if (!error)
		goto out_unlock;
	vectors[vector].actions = NULL;
out_undo:
	if (action)
		action->used = false;
	if (vector && !shared)
		vectors[vector].used = false;
out_unlock:
	spin_unlock_irqrestore(&irq_lock, irq);
	return error;
}

int
irq_request_msi(u32 cpu, irq_handler *handler, void *arg, const char *name, u64 *msg_addr,
		u32 *msg_data)
{
	unsigned long irq = spin_lock_irqsave(&irq_lock);
	struct irq_action *action = action_alloc(handler, arg, name);
	u32 vector = action ? vector_alloc(GSI_NONE, 0) : 0;

	if (vector)
		smp_store_release(&vectors[vector].actions, action);
	else if (action)
		action->used = false;
	spin_unlock_irqrestore(&irq_lock, irq);
	if (!vector)
		return -ENOSPC;
	arch_irq_message(cpu, vector, msg_addr, msg_data);
	return 0;
}

/* Takes the handler off its vector and frees the vector if it was the last; then waits for it to
 * end. */
static void
action_remove(u32 first, u32 last, irq_handler *handler, void *arg)
{
	unsigned long irq = spin_lock_irqsave(&irq_lock);
	struct irq_action *action = NULL;
	u32 i;

	for (i = first; i <= last && !action; i++)
		for (struct irq_action **link = &vectors[i].actions; *link; link = &(*link)->next)
			if ((*link)->handler == handler && (*link)->arg == arg) {
				action = *link;
				smp_store_release(link, action->next);
				break;
			}
	if (action && !vectors[--i].actions) {
		if (vectors[i].gsi != GSI_NONE)
			arch_irq_unroute(vectors[i].gsi);
	}
	spin_unlock_irqrestore(&irq_lock, irq);
	if (!action)
		return;
	smp_mb();
	while (atomic_read(&vectors[i].running))
		arch_cpu_relax();
	irq = spin_lock_irqsave(&irq_lock);
	action->used = false;
	if (!vectors[i].actions)
		vectors[i].used = false;
	spin_unlock_irqrestore(&irq_lock, irq);
}

void
irq_free_gsi(u32 gsi, irq_handler *handler, void *arg)
{
	u32 vector = vector_of_gsi(gsi);

	if (vector)
		action_remove(vector, vector, handler, arg);
}

void
irq_free_msi(irq_handler *handler, void *arg)
{
	action_remove(ARCH_IRQ_FIRST, ARCH_IRQ_LAST, handler, arg);
}

void
irq_for_each(void (*fn)(void *ctx, u32 line, const char *name, const u32 *count_by_cpu), void *ctx)
{
	u32 counts[MAX_CPUS];

	for (u32 v = ARCH_IRQ_FIRST; v < ARCH_IRQ_VECTORS; v++) {
		const struct irq_action *action = smp_load_acquire(&vectors[v].actions);
		const char *name = action ? action->name : arch_irq_name(v);
		u32 line = !action			? IRQ_LINE_ARCH
			   : vectors[v].gsi == GSI_NONE ? 256 + v
							: vectors[v].gsi;

		if (!name)
			continue;
		for (u32 cpu = 0; cpu < cpu_count; cpu++)
			counts[cpu] = (*percpu_ptr(irq_counts, cpu))[v];
		fn(ctx, line, name, counts);
	}
}
