/* SPDX-License-Identifier: MIT */
/*
 * The first process. Boot calls init_process_start in a kernel thread, which is no task; it makes
 * one by hand that starts in the kernel, and this one becomes pid 1, opens the console and executes
 * the first program that works.
 */
#include "arch/cpu.h"
#include "arch/regs.h"
#include "arch/thread.h"
#include "core/log.h"
#include "core/panic.h"
#include "core/time.h"
#include "fs/vfs/file.h"
#include "fs/vfs/path.h"
#include "lib/format.h"
#include "lib/string.h"
#include "ns/ns.h"
#include "proc/exec.h"
#include "proc_internal.h"
#include "task/nsset.h"
#include "task/task.h"
#include "uapi/errno.h"
#include "uapi/fcntl.h"

struct init_request {
	const char *const *paths, *const *argv, *const *envp;
};

static void
console_open(void)
{
	struct file *f;
	int r = file_open(AT_FDCWD, "/dev/console", O_RDWR, 0, &f);

	if (r) {
		log_warn("/dev/console cannot be opened (error %d): init starts without input and "
			 "output\n",
			 -r);
		return;
	}
	for (int i = 0; i < 3; i++) {
		file_get(f);
		if (fd_add(f, false) < 0)
			break;
	}
	file_put(f);
}

/* argv[0] is the program that is tried. */
static int
init_execute(const struct init_request *rq, const char *path)
{
	const char *argv[64] = { path };

	for (u32 i = 1; i < ARRAY_SIZE(argv) - 1 && rq->argv[0] && rq->argv[i]; i++)
		argv[i] = rq->argv[i];
	log_info("run %s as init\n", path);
	return exec_kernel(path, argv, rq->envp);
}

static void
init_main(void *arg)
{
	struct init_request rq = *(struct init_request *)arg;
	char tried[512];
	struct strbuf sb;

	strbuf_init(&sb, tried, sizeof(tried));
	console_open();
	for (const char *const *path = rq.paths; *path; path++) {
		int r = init_execute(&rq, *path);

		if (r == 0)
			arch_enter_user(arch_thread_regs(current->thread.kstack));
		strbuf_printf(&sb, "%s%s: error %d%s", sb.len ? ", " : "", *path, r,
			      r == -ENOENT    ? " (not found)"
			      : r == -EACCES  ? " (no permission to execute)"
			      : r == -ENOEXEC ? " (not an executable of this machine)"
			      : r == -ENOMEM  ? " (out of memory)"
					      : "");
		if (signal_fatal_pending(current))
			break;
	}
	panic("No working init found. Tried %s. The initramfs or root file system must hold one, "
	      "or init= name it",
	      tried);
}

static struct task *
init_create(void)
{
	struct task *t = task_alloc();
	struct process *p = process_alloc();

	if (!t || !p || thread_init_fork(&t->thread, thread_current(), task_release))
		return NULL;
	t->process = p;
	t->cred = cred_get(&init_cred);
	user_count_processes(init_cred.user, 1, RLIM_INFINITY);
	atomic_inc(&task_count);
	p->sighand = t->sighand = sighand_create();
	t->files = fd_table_create();
	t->ns = nsset_get(&root_nsset);
	if (!p->sighand || !t->files || fs_context_dup(&root_fs_context, &t->fs) ||
	    pid_alloc(&root_pid_ns, NULL, 0, &t->pid))
		return NULL;
	t->exit_signal = SIGCHLD;
	t->start_time_ns = time_boot_ns();
	t->syscall_nr = -1;
	rlimit_defaults(&p->limits, task_count_max / 2);
	p->leader = t;
	p->nr_threads = 1;
	p->flags = PROC_UNKILLABLE;
	list_add(&t->thread_node, &p->threads);
	return t;
}

static void
init_link(struct task *t)
{
	struct process *p = t->process;

	spin_lock_irq(&tasklist_lock);
	pid_get(t->pid);
	p->pid = t->pid;
	process_get(p);
	task_get(t);
	process_set_pgrp(p, t->pid);
	process_set_session(p, t->pid);
	root_pid_ns.reaper = p;
	init_process = p;
	rcu_assign_pointer(t->pid->process, p);
	rcu_assign_pointer(t->pid->task, t);
	spin_unlock_irq(&tasklist_lock);
}

void
init_process_start(const char *const *paths, const char *const *argv, const char *const *envp)
{
	static struct init_request rq;
	struct task *t = init_create();

	if (!t)
		panic("no memory for the first process");
	rq = (struct init_request){ paths, argv, envp };
	strscpy(t->thread.comm, "init", sizeof(t->thread.comm));
	arch_thread_init_kernel(&t->thread.arch, t->thread.kstack, init_main, &rq);
	init_link(t);
	if (task_tid(t) != 1 && t->pid->numbers[0].nr != 1)
		panic("the first process got pid %d", t->pid->numbers[0].nr);
	thread_wake_new(&t->thread);
}

void
proc_init(void)
{
	ns_init();
	fork_init();
	exec_init();
}
