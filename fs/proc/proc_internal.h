/* SPDX-License-Identifier: MIT */
/* What the files of this room tell each other. */
#ifndef PROC_FS_INTERNAL_H
#define PROC_FS_INTERNAL_H

#include "core/ref.h"
#include "fs/vfs/pseudo.h"
#include "lib/format.h"
#include "lib/types.h"

struct task;
struct mm;

/*
 * What a file below /proc/PID is about: a task, for descriptors also a number. Files hold counts; a
 * task that is gone leaves its files answering -ESRCH.
 */
struct proc_ref {
	struct ref ref;
	struct task *task; /* referenced */
	int fd;
	bool thread; /* below /proc/PID/task: one thread's view, not the process's */
};

/* NULL: no memory. */
struct proc_ref *proc_ref_create(struct task *t, int fd, bool thread);
void proc_ref_put(struct proc_ref *r);
/* The task has not been reaped. */
bool proc_ref_alive(const struct proc_ref *r);
/* Its address space, referenced, if the caller may look into it: 0, -EACCES, -ESRCH; *mm NULL for
 * kernel threads and zombies. */
int proc_ref_mm(const struct proc_ref *r, struct mm **mm);
/* -EACCES unless the caller may ptrace it. */
int proc_ref_access(const struct proc_ref *r);

/* Decimal without sign or leading zeros, or -1. */
int proc_number(const char *name, size_t len);

extern const struct pseudo_entry pid_dir, thread_dir;
extern const struct pseudo_entry fd_dir, fdinfo_dir, ns_dir, sys_entries[];

int proc_show_stat(struct strbuf *sb, void *ctx);
int proc_show_statm(struct strbuf *sb, void *ctx);
int proc_show_status(struct strbuf *sb, void *ctx);
int proc_show_maps(struct strbuf *sb, void *ctx);
int proc_show_smaps(struct strbuf *sb, void *ctx);
int proc_show_smaps_rollup(struct strbuf *sb, void *ctx);
int proc_show_limits(struct strbuf *sb, void *ctx);

int proc_show_meminfo(struct strbuf *sb, void *ctx);
int proc_show_vmstat(struct strbuf *sb, void *ctx);
int proc_show_slabinfo(struct strbuf *sb, void *ctx);

void proc_pid_tables_init(void);
extern const struct pseudo_entry system_entries[];
#define PROC_FILE(n, m, f)                                  \
	{                                                   \
		.name = n, .mode = S_IFREG | (m), .show = f \
	}

static inline u64
ns_to_ticks(u64 ns)
{
	return ns / 10000000;
}

#endif
