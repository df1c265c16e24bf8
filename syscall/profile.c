/* SPDX-License-Identifier: MIT */
/*
 * A sampling profiler.
 *
 * With profile=HZ a timer of each CPU looks, HZ times a second, at what it has interrupted: user
 *mode, or a chain of calls in the kernel. Equal chains of equally named threads are counted
 *together, in a table per CPU. /proc/profile shows them folded, a chain a line, as flame-graph
 *tools read it:
 *
 *	name;outermost;...;innermost count
 *
 * Idle CPUs are left out. What runs with interrupts off is seen where it turns them on again. A
 *full table counts what it cannot take in as "(lost)".
 *
 * Locking: none. A CPU alone writes its table, with interrupts off, and makes an entry visible by
 *its count; readers may be behind by a few samples.
 */
#include "syscall/profile.h"

#include "arch/regs.h"
#include "core/cpumask.h"
#include "core/irq.h"
#include "core/log.h"
#include "core/panic.h"
#include "core/percpu.h"
#include "core/time.h"
#include "core/timer.h"
#include "fs/proc/proc.h"
#include "fs/vfs/pseudo.h"
#include "lib/format.h"
#include "lib/hash.h"
#include "lib/string.h"
#include "mm/vmalloc.h"
#include "sched/thread.h"
#include "uapi/stat.h"

#define CHAINS_MAX 2048 /* of a CPU; a power of two */
#define DEPTH_MAX  24

struct chain {
	u32 count; /* 0: free */
	u32 depth; /* 0: user mode */
	char comm[16];
	uintptr_t addresses[DEPTH_MAX]; /* innermost first */
};

struct profile {
	struct timer timer;
	u32 lost;
	struct chain chains[CHAINS_MAX];
};

static struct profile *profiles[MAX_CPUS];
static u64 period_ns;

/* By function, not by instruction: the start of the function that address lies in. */
static uintptr_t
function_of(uintptr_t address)
{
	const char *name;
	size_t offset;

	return symbol_find(address, &name, &offset) ? address - offset : address;
}

static bool
chain_equal(const struct chain *a, const struct chain *b)
{
	return a->depth == b->depth && memcmp(a->comm, b->comm, sizeof(a->comm)) == 0 &&
	       memcmp(a->addresses, b->addresses, a->depth * sizeof(a->addresses[0])) == 0;
}

static void
profile_count(struct profile *p, const struct chain *found)
{
	u64 hash = found->depth;

	for (u32 i = 0; i < found->depth; i++)
		hash = hash_mix(hash, found->addresses[i]);
	for (u32 i = 0; i < sizeof(found->comm); i += 8) {
		u64 part;

		memcpy(&part, found->comm + i, 8);
		hash = hash_mix(hash, part);
	}
	for (u32 probe = 0; probe < 16; probe++) {
		struct chain *c = &p->chains[(hash + probe) % CHAINS_MAX];

		if (!c->count) {
			u32 one = found->count;

			memcpy(&c->depth, &found->depth,
			       sizeof(*c) - offsetof(struct chain, depth));
			smp_store_release(&c->count, one);
			return;
		}
		if (chain_equal(c, found)) {
			WRITE_ONCE(c->count, c->count + 1);
			return;
		}
	}
	WRITE_ONCE(p->lost, p->lost + 1);
}

static void
profile_sample(struct timer *timer)
{
	struct profile *p = container_of(timer, struct profile, timer);
	const struct thread *t = thread_current();
	const struct regs *regs = irq_regs();
	struct chain c = { .count = 1 };

	timer_start(timer, time_mono_ns() + period_ns);
	if (!regs || t->is_idle)
		return;
	memcpy(c.comm, t->comm, sizeof(c.comm));
	if (!regs_user(regs)) {
		c.addresses[0] = regs_ip(regs);
		c.depth = 1 + backtrace_take(regs_fp(regs), c.addresses + 1, DEPTH_MAX - 1);
		for (u32 i = 0; i < c.depth;
		     i++) /* a call's return address may lie behind its function */
			c.addresses[i] = function_of(c.addresses[i] - (i > 0));
	}
	profile_count(p, &c);
}

/* On the CPU itself, for a timer is armed where it is started. */
static void
profile_thread(void *argument)
{
	struct profile *p = argument;

	timer_init(&p->timer, profile_sample);
	timer_start(&p->timer, time_mono_ns() + period_ns);
}

static void
show_chain(struct strbuf *sb, const struct chain *c, u32 count)
{
	strbuf_write(sb, c->comm, strnlen(c->comm, sizeof(c->comm)));
	if (!c->depth)
		strbuf_puts(sb, ";(user)");
	for (u32 i = c->depth; i-- > 0;) {
		const char *name = "?";
		size_t offset;

		(void)symbol_find(c->addresses[i], &name, &offset);
		strbuf_putc(sb, ';');
		strbuf_puts(sb, name);
	}
	strbuf_printf(sb, " %u\n", count);
}

static int
show_profile(struct strbuf *sb, void *ctx)
{
	u32 lost = 0;

	for (u32 cpu = 0; cpu < MAX_CPUS; cpu++) {
		const struct profile *p = profiles[cpu];

		if (!p)
			continue;
		lost += READ_ONCE(p->lost);
		for (u32 i = 0; i < CHAINS_MAX && !sb->overflow; i++) {
			u32 count = smp_load_acquire(&p->chains[i].count);

			if (count)
				show_chain(sb, &p->chains[i], count);
		}
	}
	if (lost)
		strbuf_printf(sb, "(lost) %u\n", lost);
	return 0;
}

static const struct pseudo_entry entries[] = {
	{ .name = "profile", .mode = S_IFREG | 0400, .show = show_profile },
	{ .name = NULL },
};

void
profile_start(u32 hz)
{
	u32 cpu;

	period_ns = NSEC_PER_SEC / hz;
	cpumask_for_each(cpu, &cpu_online)
	{
		struct profile *p = vmalloc(sizeof(*p), GFP_KERNEL | GFP_ZERO);
		struct thread *t = p ? thread_create(profile_thread, p, "profile/%u", cpu) : NULL;

		if (!t) {
			if (p)
				vfree(p);
			log_warn("profile: no memory for CPU %u\n", cpu);
			continue;
		}
		profiles[cpu] = p;
		thread_bind(t, cpu);
		thread_wake(t);
	}
	if (pseudo_extend(&proc_fs_type, "", entries, NULL))
		log_warn("profile: no /proc/profile\n");
}
