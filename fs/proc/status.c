/* SPDX-License-Identifier: MIT */
/* /proc/PID/stat, statm, status and limits: what ps and top read. Field by field as proc(5) numbers
 * them. */
#include "core/time.h"
#include "drivers/tty/tty.h"
#include "fs/vfs/file.h"
#include "fs/vfs/path.h"
#include "lib/string.h"
#include "mm/mm.h"
#include "proc_internal.h"
#include "sched/sched.h"
#include "task/task.h"
#include "task/user_ns.h"
#include "uapi/errno.h"
#include "uapi/sched.h"

/* Everything that is read under the process's locks, taken at once. */
struct snapshot {
	char comm[16];
	char state;
	int tid, pid, ppid, pgrp, session, tpgid, tracer;
	u64 tty;
	u32 threads;
	u64 utime, stime, cutime, cstime, minflt, majflt, cminflt, cmajflt, nvcsw, nivcsw;
	u64 pending, group_pending, blocked, ignored, caught, queued, queued_max;
	int exit_code;
	struct sched_params sp;
};

static int
policy_number(u8 policy)
{
	switch (policy) {
	case SCHED_P_FIFO: return SCHED_FIFO;
	case SCHED_P_RR: return SCHED_RR;
	case SCHED_P_BATCH: return SCHED_BATCH;
	case SCHED_P_IDLE: return SCHED_IDLE;
	}
	return SCHED_OTHER;
}

static void
signals_read(struct snapshot *s, struct task *t, struct process *p, const struct sighand *sh)
{
	s->pending = t->pending.mask;
	s->group_pending = p->pending.mask;
	s->blocked = t->blocked;
	for (int sig = 1; sig <= 64; sig++) {
		u64 h = sh->action[sig - 1].handler;

		if (h == SIG_IGN)
			s->ignored |= SIGMASK(sig);
		else if (h != SIG_DFL)
			s->caught |= SIGMASK(sig);
	}
}

static void
times_read(struct snapshot *s, struct task *t, struct process *p, bool thread)
{
	struct task *each;

	s->cutime = p->child_utime_ns;
	s->cstime = p->child_stime_ns;
	s->cminflt = p->child_min_flt;
	s->cmajflt = p->child_maj_flt;
	if (!thread) {
		s->utime = p->dead_utime_ns;
		s->stime = p->dead_stime_ns;
		s->minflt = p->dead_min_flt;
		s->majflt = p->dead_maj_flt;
	}
	list_for_each_entry(each, &p->threads, thread_node)
	{
		u64 u, k;

		if (thread && each != t)
			continue;
		sched_thread_times(&each->thread, &u, &k);
		s->utime += u;
		s->stime += k;
		s->minflt += each->thread.min_flt;
		s->majflt += each->thread.maj_flt;
	}
}

static int
snapshot_take(struct snapshot *s, const struct proc_ref *r)
{
	struct task *t = r->task;
	struct process *p = t->process;
	struct pid_ns *ns = current_pid_ns();
	unsigned long flags;

	memset(s, 0, sizeof(*s));
	if (!proc_ref_alive(r))
		return -ESRCH;
	task_get_comm(t, s->comm);
	s->state = task_state_letter(t);
	s->tid = task_tid(t);

	flags = spin_lock_irqsave(&tasklist_lock);
	s->pid = pid_nr(p->pid, ns);
	s->ppid = p->parent ? pid_nr(p->parent->pid, ns) : 0;
	s->pgrp = p->pgrp ? pid_nr(p->pgrp, ns) : 0;
	s->session = p->session ? pid_nr(p->session, ns) : 0;
	s->tty = tty_number(p->ctty);
	s->tpgid = p->ctty ? (p->ctty->pgrp ? pid_nr(p->ctty->pgrp, ns) : 0) : -1;
	spin_unlock_irqrestore(&tasklist_lock, flags);

	struct sighand *sh = sighand_lock(p, &flags);
	s->threads = p->nr_threads;
	s->exit_code = p->group_exit_code;
	signals_read(s, t, p, sh);
	times_read(s, t, p, r->thread);
	sighand_unlock(sh, flags);

	s->nvcsw = t->thread.nvcsw;
	s->nivcsw = t->thread.nivcsw;
	sched_get_params(&t->thread, &s->sp);
	s->queued_max = READ_ONCE(p->limits.lim[RLIMIT_SIGPENDING].cur);
	rcu_read_lock();
	s->queued = user_sigpending(rcu_dereference(t->cred)->user);
	rcu_read_unlock();
	return 0;
}

/* Numbers, each followed by a blank: dozens of them, and ps reads them of every process. */
static void
put_fields(struct strbuf *sb, const u64 *values, size_t count)
{
	for (; count; count--, values++) {
		strbuf_put_u64(sb, *values);
		strbuf_putc(sb, ' ');
	}
}

static void
put_signed_fields(struct strbuf *sb, const s64 *values, size_t count)
{
	for (; count; count--, values++) {
		strbuf_put_s64(sb, *values);
		strbuf_putc(sb, ' ');
	}
}

/* (The size in plain words: ARRAY_SIZE's check is no constant for clang on such an array.) */
#define FIELDS(sb, ...)                              \
	put_fields(sb, (const u64[]){ __VA_ARGS__ }, \
		   sizeof((const u64[]){ __VA_ARGS__ }) / sizeof(u64))
#define SIGNED_FIELDS(sb, ...)                              \
	put_signed_fields(sb, (const s64[]){ __VA_ARGS__ }, \
			  sizeof((const s64[]){ __VA_ARGS__ }) / sizeof(s64))

int
proc_show_stat(struct strbuf *sb, void *ctx)
{
	struct proc_ref *r = ctx;
	struct task *t = r->task;
	struct snapshot s;
	int err = snapshot_take(&s, r);

	if (err)
		return err;
	struct mm *mm = task_get_mm(t);
	bool open = mm && proc_ref_access(r) == 0;
	u64 code[5] = { 0 }, data[7] = { 0 }; /* zero for those who may not know addresses */
	int prio = s.sp.rt_priority ? -1 - s.sp.rt_priority : 20 + s.sp.nice;

	if (mm && open) {
		code[0] = mm->start_code;
		code[1] = mm->end_code;
		code[2] = mm->start_stack;
		data[0] = mm->start_data;
		data[1] = mm->end_data;
		data[2] = mm->start_brk;
		data[3] = mm->arg_start;
		data[4] = mm->arg_end;
		data[5] = mm->env_start;
		data[6] = mm->env_end;
	}
	strbuf_put_s64(sb, s.tid);
	strbuf_printf(sb, " (%s) %c ", s.comm, s.state);
	SIGNED_FIELDS(sb, s.ppid, s.pgrp, s.session, (int)s.tty, s.tpgid);
	FIELDS(sb, t->thread.is_kernel ? 0x200000u : 0x400000u, s.minflt, s.cminflt, s.majflt,
	       s.cmajflt);
	FIELDS(sb, ns_to_ticks(s.utime), ns_to_ticks(s.stime));
	SIGNED_FIELDS(sb, (s64)ns_to_ticks(s.cutime), (s64)ns_to_ticks(s.cstime), prio, s.sp.nice);
	FIELDS(sb, s.threads, 0, ns_to_ticks(t->start_time_ns));
	FIELDS(sb, mm ? mm->total_vm * PAGE_SIZE : 0, mm ? mm_rss(mm) : 0,
	       READ_ONCE(t->process->limits.lim[RLIMIT_RSS].cur));
	put_fields(sb, code, ARRAY_SIZE(code));
	/* The old signal fields hold 31 signals. */
	FIELDS(sb, (s.pending | s.group_pending) & 0x7fffffff, s.blocked & 0x7fffffff,
	       s.ignored & 0x7fffffff, s.caught & 0x7fffffff, 0, 0, 0);
	SIGNED_FIELDS(sb, t->exit_signal, t->thread.cpu, s.sp.rt_priority,
		      policy_number(s.sp.policy), 0, 0, 0);
	put_fields(sb, data, ARRAY_SIZE(data));
	strbuf_put_s64(sb, open ? s.exit_code : 0);
	strbuf_putc(sb, '\n');
	if (mm)
		mm_users_put(mm);
	return 0;
}

int
proc_show_statm(struct strbuf *sb, void *ctx)
{
	struct proc_ref *r = ctx;
	struct mm *mm;

	if (!proc_ref_alive(r))
		return -ESRCH;
	mm = task_get_mm(r->task);
	if (!mm) {
		strbuf_puts(sb, "0 0 0 0 0 0 0\n");
		return 0;
	}
	strbuf_printf(sb, "%lu %lu %ld %lu 0 %lu 0\n", mm->total_vm, mm_rss(mm),
		      atomic64_read(&mm->rss_file) + atomic64_read(&mm->rss_shmem),
		      (mm->end_code - mm->start_code + PAGE_SIZE - 1) / PAGE_SIZE,
		      mm->data_vm + mm->stack_vm);
	mm_users_put(mm);
	return 0;
}

static const char *
state_name(char c)
{
	switch (c) {
	case 'R': return "R (running)";
	case 'S': return "S (sleeping)";
	case 'D': return "D (disk sleep)";
	case 'T': return "T (stopped)";
	case 't': return "t (tracing stop)";
	case 'Z': return "Z (zombie)";
	}
	return "X (dead)";
}

static void
show_ids(struct strbuf *sb, struct task *t)
{
	struct cred *c = task_get_cred(t);

	strbuf_printf(sb, "Uid:\t%u\t%u\t%u\t%u\nGid:\t%u\t%u\t%u\t%u\n", uid_shown(c->uid),
		      uid_shown(c->euid), uid_shown(c->suid), uid_shown(c->fsuid),
		      gid_shown(c->gid), gid_shown(c->egid), gid_shown(c->sgid),
		      gid_shown(c->fsgid));
	unsigned long flags = spin_lock_irqsave(&t->lock);
	u32 fds = t->files ? fd_table_size(t->files) : 0;
	spin_unlock_irqrestore(&t->lock, flags);
	strbuf_printf(sb, "FDSize:\t%u\nGroups:\t", fds);
	for (u32 i = 0; i < c->groups->count; i++)
		strbuf_printf(sb, "%u ", c->groups->gids[i]);
	strbuf_puts(sb, "\n");
	cred_put(c);
}

static void
show_pid_levels(struct strbuf *sb, const char *label, const struct pid *pid)
{
	const struct pid_ns *ns = current_pid_ns();

	strbuf_puts(sb, label);
	for (u32 i = ns->level; pid && i <= pid->level; i++)
		strbuf_printf(sb, "\t%d", pid->numbers[i].nr);
	strbuf_puts(sb, "\n");
}

static void
show_memory_lines(struct strbuf *sb, struct mm *mm)
{
	u64 kb = PAGE_SIZE / 1024;

	strbuf_printf(sb, "VmPeak:\t%8lu kB\nVmSize:\t%8lu kB\nVmLck:\t%8lu kB\nVmPin:\t%8lu kB\n",
		      mm->total_vm * kb, mm->total_vm * kb, mm->locked_vm * kb, 0ul);
	strbuf_printf(
		sb,
		"VmHWM:\t%8lu kB\nVmRSS:\t%8lu kB\nRssAnon:\t%8ld kB\nRssFile:\t%8ld "
		"kB\nRssShmem:\t%8ld kB\n",
		mm_hiwater_rss(mm) * kb, mm_rss(mm) * kb, atomic64_read(&mm->rss_anon) * (s64)kb,
		atomic64_read(&mm->rss_file) * (s64)kb, atomic64_read(&mm->rss_shmem) * (s64)kb);
	strbuf_printf(sb,
		      "VmData:\t%8lu kB\nVmStk:\t%8lu kB\nVmExe:\t%8lu kB\nVmLib:\t%8lu "
		      "kB\nVmPTE:\t%8ld kB\nVmSwap:\t%8lu kB\n",
		      mm->data_vm * kb, mm->stack_vm * kb,
		      (mm->end_code - mm->start_code + 1023) / 1024,
		      mm->exec_vm * kb > (mm->end_code - mm->start_code) / 1024
			      ? mm->exec_vm * kb - (mm->end_code - mm->start_code) / 1024
			      : 0,
		      atomic64_read(&mm->page_tables) * (s64)kb,
		      (u64)MAX(atomic64_read(&mm->swap), 0l) * kb);
	strbuf_puts(sb, "HugetlbPages:\t       0 kB\nCoreDumping:\t0\nTHP_enabled:\t1\n");
}

int
proc_show_status(struct strbuf *sb, void *ctx)
{
	struct proc_ref *r = ctx;
	struct task *t = r->task;
	struct process *p = t->process;
	struct snapshot s;
	int err = snapshot_take(&s, r);
	u32 umask = 022;

	if (err)
		return err;
	unsigned long flags = spin_lock_irqsave(&t->lock);
	bool has_fs = t->fs;
	if (has_fs)
		umask = t->fs->umask;
	spin_unlock_irqrestore(&t->lock, flags);

	strbuf_puts(sb, "Name:\t");
	for (const char *c = s.comm; *c; c++) {
		if (*c == '\n')
			strbuf_puts(sb, "\\n");
		else if (*c == '\\')
			strbuf_puts(sb, "\\\\");
		else
			strbuf_putc(sb, *c);
	}
	strbuf_puts(sb, "\n");
	if (has_fs)
		strbuf_printf(sb, "Umask:\t%04o\n", umask);
	strbuf_printf(sb, "State:\t%s\nTgid:\t%d\nNgid:\t0\nPid:\t%d\nPPid:\t%d\nTracerPid:\t%d\n",
		      state_name(s.state), s.pid, s.tid, s.ppid, s.tracer);
	show_ids(sb, t);
	rcu_read_lock();
	show_pid_levels(sb, "NStgid:", READ_ONCE(p->pid));
	show_pid_levels(sb, "NSpid:", READ_ONCE(t->pid));
	show_pid_levels(sb, "NSpgid:", READ_ONCE(p->pgrp));
	show_pid_levels(sb, "NSsid:", READ_ONCE(p->session));
	rcu_read_unlock();
	struct mm *mm = task_get_mm(t);
	if (mm) {
		show_memory_lines(sb, mm);
		mm_users_put(mm);
	}
	strbuf_printf(sb,
		      "Threads:\t%u\nSigQ:\t%lu/"
		      "%lu\nSigPnd:\t%016lx\nShdPnd:\t%016lx\nSigBlk:\t%016lx\nSigIgn:\t%"
		      "016lx\nSigCgt:\t%016lx\n",
		      s.threads, s.queued, s.queued_max, s.pending, s.group_pending, s.blocked,
		      s.ignored, s.caught);
	struct cred *c = task_get_cred(t);
	strbuf_printf(sb,
		      "CapInh:\t%016lx\nCapPrm:\t%016lx\nCapEff:\t%016lx\nCapBnd:\t%016lx\nCapAmb:"
		      "\t%016lx\n",
		      c->cap_inheritable, c->cap_permitted, c->cap_effective, c->cap_bounding,
		      c->cap_ambient);
	cred_put(c);
	strbuf_printf(
		sb,
		"NoNewPrivs:\t%d\nSeccomp:\t%d\nSeccomp_filters:\t%u\nSpeculation_Store_Bypass:"
		"\tvulnerable\n",
		t->no_new_privs, t->seccomp_mode, t->seccomp_filters);

	struct cpumask mask;
	sched_get_affinity(&t->thread, &mask);
	strbuf_puts(sb, "Cpus_allowed:\t");
	for (int w = (int)((cpu_count - 1) / 32); w >= 0; w--)
		strbuf_printf(sb, "%0*x%s", cpu_count >= 32 ? 8 : (int)((cpu_count + 3) / 4),
			      (u32)(mask.bits[w / 2] >> (32 * (w & 1))), w ? "," : "\n");
	strbuf_puts(sb, "Cpus_allowed_list:\t");
	bool first = true;
	for (u32 i = cpumask_next(&mask, 0); i < cpu_count; i = cpumask_next(&mask, i + 1)) {
		u32 last = i;

		while (last + 1 < cpu_count && cpumask_test(&mask, last + 1))
			last++;
		strbuf_printf(sb, last > i ? "%s%u-%u" : "%s%u", first ? "" : ",", i, last);
		first = false;
		i = last;
	}
	strbuf_printf(sb,
		      "\nMems_allowed:\t1\nMems_allowed_list:\t0\nvoluntary_ctxt_switches:\t%"
		      "lu\nnonvoluntary_ctxt_switches:\t%lu\n",
		      s.nvcsw, s.nivcsw);
	return 0;
}

int
proc_show_limits(struct strbuf *sb, void *ctx)
{
	static const struct {
		const char *name, *unit;
	} rows[RLIM_NLIMITS] = {
		[RLIMIT_CPU] = { "Max cpu time", "seconds" },
		[RLIMIT_FSIZE] = { "Max file size", "bytes" },
		[RLIMIT_DATA] = { "Max data size", "bytes" },
		[RLIMIT_STACK] = { "Max stack size", "bytes" },
		[RLIMIT_CORE] = { "Max core file size", "bytes" },
		[RLIMIT_RSS] = { "Max resident set", "bytes" },
		[RLIMIT_NPROC] = { "Max processes", "processes" },
		[RLIMIT_NOFILE] = { "Max open files", "files" },
		[RLIMIT_MEMLOCK] = { "Max locked memory", "bytes" },
		[RLIMIT_AS] = { "Max address space", "bytes" },
		[RLIMIT_LOCKS] = { "Max file locks", "locks" },
		[RLIMIT_SIGPENDING] = { "Max pending signals", "signals" },
		[RLIMIT_MSGQUEUE] = { "Max msgqueue size", "bytes" },
		[RLIMIT_NICE] = { "Max nice priority", "" },
		[RLIMIT_RTPRIO] = { "Max realtime priority", "" },
		[RLIMIT_RTTIME] = { "Max realtime timeout", "us" },
	};
	struct proc_ref *r = ctx;
	const struct rlimit_set *l = &r->task->process->limits;

	if (!proc_ref_alive(r))
		return -ESRCH;
	strbuf_printf(sb, "%-25s %-20s %-20s %-10s\n", "Limit", "Soft Limit", "Hard Limit",
		      "Units");
	for (u32 i = 0; i < RLIM_NLIMITS; i++) {
		char soft[24], hard[24];
		u64 cur = READ_ONCE(l->lim[i].cur), max = READ_ONCE(l->lim[i].max);

		snprintf(soft, sizeof(soft), cur == RLIM_INFINITY ? "unlimited" : "%lu", cur);
		snprintf(hard, sizeof(hard), max == RLIM_INFINITY ? "unlimited" : "%lu", max);
		strbuf_printf(sb, "%-25s %-20s %-20s %-10s\n", rows[i].name, soft, hard,
			      rows[i].unit);
	}
	return 0;
}
