/* SPDX-License-Identifier: MIT */
/*
 * The out-of-memory killer: when nothing else gives memory back, the process that frees most is
 * killed.
 *
 * Badness is Linux's: resident pages, those in swap and page tables, plus oom_score_adj thousandths
 * of memory; -1000 protects. The first process is never chosen. While a victim has not left yet,
 * nobody else is killed, for a while: it may be asleep in the kernel and need time.
 *
 * Locking: the walk holds tasklist_lock, and each task's lock for a look at its address space.
 */
#include "core/log.h"
#include "core/time.h"
#include "mm/mm.h"
#include "mm/page.h"
#include "task/task.h"
#include "task_internal.h"
#include "uapi/signal.h"

#define PATIENCE_NS (2 * NSEC_PER_SEC)

static struct spinlock victim_lock = SPINLOCK_INIT(RANK_LEAF);
static u64 victim_since; /* [victim_lock] 0: none */

struct usage {
	u64 total_vm, anon, file, shmem, tables, swap; /* pages */
	char comm[16];
};

/* tasklist_lock held. What p's address space holds; false: it has none (any more). */
static bool
usage_read(struct process *p, struct usage *u)
{
	struct task *t;

	list_for_each_entry(t, &p->threads, thread_node)
	{
		unsigned long flags = spin_lock_irqsave(&t->lock);
		const struct mm *mm = t->thread.mm;

		if (mm) {
			*u = (struct usage){
				.total_vm = READ_ONCE(mm->total_vm),
				.anon = (u64)MAX(atomic64_read(&mm->rss_anon), 0l),
				.file = (u64)MAX(atomic64_read(&mm->rss_file), 0l),
				.shmem = (u64)MAX(atomic64_read(&mm->rss_shmem), 0l),
				.tables = (u64)MAX(atomic64_read(&mm->page_tables), 0l),
				.swap = (u64)MAX(atomic64_read(&mm->swap), 0l),
			};
		}
		spin_unlock_irqrestore(&t->lock, flags);
		if (mm)
			return true;
	}
	return false;
}

/* The next process of the tree in preorder. */
static struct process *
tree_next(struct process *p)
{
	if (!list_empty(&p->children))
		return list_first_entry(&p->children, struct process, sibling);
	while (p != init_process) {
		if (!list_is_last(&p->sibling, &p->parent->children))
			return list_entry(p->sibling.next, struct process, sibling);
		p = p->parent;
	}
	return NULL;
}

/* The worst one, referenced, or NULL. *dying: one is on its way out already. */
static struct process *
victim_choose(u64 total, struct usage *usage, bool *dying)
{
	unsigned long flags = spin_lock_irqsave(&tasklist_lock);
	struct process *worst = NULL;
	s64 worst_points = 0;

	*dying = false;
	for (struct process *p = tree_next(init_process); p; p = tree_next(p)) {
		int adj = READ_ONCE(p->oom_score_adj);
		struct usage u;
		s64 points;

		if (!usage_read(p, &u))
			continue;
		if (READ_ONCE(p->flags) & PROC_GROUP_EXIT) {
			*dying = true;
			continue;
		}
		if (adj == -1000)
			continue;
		points = (s64)(u.anon + u.file + u.shmem + u.tables + u.swap) +
			 adj * (s64)(total / 1000);
		if (!worst || points > worst_points) {
			worst = p;
			worst_points = points;
			*usage = u;
		}
	}
	if (worst) {
		task_get_comm(worst->leader, usage->comm);
		process_get(worst);
	}
	spin_unlock_irqrestore(&tasklist_lock, flags);
	return worst;
}

/* May another one be killed, seeing that `dying` one is about to leave? */
static bool
patience_over(bool dying)
{
	unsigned long flags = spin_lock_irqsave(&victim_lock);
	u64 now = time_mono_ns();
	bool over = !dying || !victim_since || now - victim_since > PATIENCE_NS;

	if (over)
		victim_since = now;
	spin_unlock_irqrestore(&victim_lock, flags);
	return over;
}

/* Where memory is: why there was none left. */
static void
explain(const char *why, const struct mem_stats *m)
{
	log_warn("%s: out of memory: %lu kB in all, free %lu, anonymous %lu, files active %lu "
		 "inactive %lu (mapped %lu, dirty %lu, writeback %lu), shmem %lu, mlocked %lu, "
		 "swap free %lu of %lu, cached %lu\n",
		 why, m->total * 4, m->free * 4, m->anon * 4, m->active_file * 4,
		 m->inactive_file * 4, m->mapped * 4, m->dirty * 4, m->writeback * 4, m->shmem * 4,
		 m->mlocked * 4, m->swap_free * 4, m->swap_total * 4, m->swap_cached * 4);
	log_warn("%s: slab reclaimable %lu, other %lu, kernel stacks %lu, page tables %lu, vmalloc "
		 "%lu kB; reclaim looked at %lu pages and freed %lu\n",
		 why, m->slab_reclaimable * 4, m->slab_unreclaimable * 4, m->kernel_stack * 4,
		 m->page_tables * 4, m->vmalloc_used * 4, m->pgscan + m->pgscan_background,
		 m->pgsteal + m->pgsteal_background);
}

static bool
oom_kill(const char *why)
{
	struct mem_stats stats;
	struct usage u;
	struct process *p;
	bool dying;

	mem_stats(&stats);
	p = victim_choose(stats.total, &u, &dying);
	if (!p)
		return dying;
	if (patience_over(dying)) {
		explain(why, &stats);
		log_err("Out of memory (%s): Killed process %d (%s) total-vm:%lukB, "
			"anon-rss:%lukB, "
			"file-rss:%lukB, shmem-rss:%lukB, pgtables:%lukB oom_score_adj:%d\n",
			why, pid_nr(p->pid, &root_pid_ns), u.comm, u.total_vm * 4, u.anon * 4,
			u.file * 4, u.shmem * 4, u.tables * 4, p->oom_score_adj);
		(void)signal_send_process(p, SIGKILL, NULL);
	}
	process_put(p);
	return true;
}

void
oom_init(void)
{
	mm_oom_kill = oom_kill;
}
