/* SPDX-License-Identifier: MIT */
/* /proc/PID: the table of a process's directory, and its small files. proc(5). */
#include "core/panic.h"
#include "core/time.h"
#include "event/pidfd.h"
#include "fs/proc/proc.h"
#include "fs/vfs/mount.h"
#include "fs/vfs/path.h"
#include "lib/string.h"
#include "mm/mm.h"
#include "mm/slab.h"
#include "mm/user.h"
#include "proc_internal.h"
#include "sched/sched.h"
#include "task/nsset.h"
#include "task/task.h"
#include "task/user_ns.h"
#include "uapi/dirent.h"
#include "uapi/errno.h"

/* ---- text in the process's memory ---- */

static int
show_memory(struct strbuf *sb, struct mm *mm, u64 start, u64 end)
{
	u8 buf[256];

	/* Bounded by what a program may pass to exec. */
	end = MIN(end, start + (1u << 20));
	while (start < end && !sb->overflow) {
		ssize_t n = mm_access_remote(mm, start, buf, MIN(end - start, sizeof(buf)), false,
					     true);

		if (n <= 0)
			break;
		strbuf_write(sb, buf, (size_t)n);
		start += (u64)n;
	}
	return 0;
}

static int
show_cmdline(struct strbuf *sb, void *ctx)
{
	struct proc_ref *r = ctx;
	struct mm *mm;

	if (!proc_ref_alive(r))
		return -ESRCH;
	mm = task_get_mm(r->task);
	if (!mm)
		return 0;
	u64 start = mm->arg_start, end = mm->arg_end;
	show_memory(sb, mm, start, end);
	/* A program that overwrote its arguments beyond their end (setproctitle) goes on in the
	 * environment's space. */
	if (!sb->overflow && sb->len && sb->buf[sb->len - 1] != 0 && end == mm->env_start) {
		size_t seen = strnlen(sb->buf, sb->len);

		if (seen == sb->len) {
			show_memory(sb, mm, mm->env_start, mm->env_end);
			seen = strnlen(sb->buf, sb->len);
		}
		sb->len = seen;
	}
	mm_users_put(mm);
	return 0;
}

static int
show_environ(struct strbuf *sb, void *ctx)
{
	struct mm *mm;
	int err = proc_ref_mm(ctx, &mm);

	if (err || !mm)
		return err;
	err = show_memory(sb, mm, mm->env_start, mm->env_end);
	mm_users_put(mm);
	return err;
}

static int
show_auxv(struct strbuf *sb, void *ctx)
{
	struct mm *mm;
	int err = proc_ref_mm(ctx, &mm);

	if (err || !mm)
		return err;
	strbuf_write(sb, mm->auxv, mm->auxv_len);
	mm_users_put(mm);
	return 0;
}

static int
show_comm(struct strbuf *sb, void *ctx)
{
	struct proc_ref *r = ctx;
	char comm[16];

	if (!proc_ref_alive(r))
		return -ESRCH;
	task_get_comm(r->task, comm);
	strbuf_printf(sb, "%s\n", comm);
	return 0;
}

/* Threads of one process may name each other. */
static ssize_t
store_comm(void *ctx, const char *text, size_t len)
{
	struct proc_ref *r = ctx;
	char name[16];

	if (!proc_ref_alive(r))
		return -ESRCH;
	if (r->task->process != current->process)
		return -EINVAL;
	strscpy(name, text, sizeof(name));
	name[strcspn(name, "\n")] = 0;
	task_set_comm(r->task, name);
	return (ssize_t)len;
}

/* ---- places ---- */

static int
follow_exe(void *ctx, struct path *out)
{
	struct mm *mm;
	int err = proc_ref_mm(ctx, &mm);

	if (err)
		return err;
	if (!mm)
		return -ENOENT;
	struct file *exe = mm->exe;
	err = -ENOENT;
	if (exe) {
		*out = exe->path;
		path_get(out);
		err = 0;
	}
	mm_users_put(mm);
	return err;
}

static int
follow_fs(struct proc_ref *r, bool root, struct path *out)
{
	int err = proc_ref_access(r);
	struct fs_context *fs;

	if (err)
		return err;
	unsigned long flags = spin_lock_irqsave(&r->task->lock);
	fs = r->task->fs ? fs_context_get(r->task->fs) : NULL;
	spin_unlock_irqrestore(&r->task->lock, flags);
	if (!fs)
		return -ENOENT;
	fs_context_paths(fs, root ? out : NULL, root ? NULL : out);
	fs_context_put(fs);
	return 0;
}

static int
follow_cwd(void *ctx, struct path *out)
{
	return follow_fs(ctx, false, out);
}

static int
follow_root(void *ctx, struct path *out)
{
	return follow_fs(ctx, true, out);
}

/* ---- mounts ---- */

static int
show_mounts(struct proc_ref *r, int style, struct strbuf *sb)
{
	struct path root;
	struct nsset *ns;

	if (!proc_ref_alive(r))
		return -ESRCH;
	unsigned long flags = spin_lock_irqsave(&r->task->lock);
	ns = r->task->ns ? nsset_get(r->task->ns) : NULL;
	struct fs_context *fs = r->task->fs ? fs_context_get(r->task->fs) : NULL;
	spin_unlock_irqrestore(&r->task->lock, flags);
	if (ns && fs) {
		fs_context_paths(fs, &root, NULL);
		mount_show(ns->mnt, &root, style, sb);
		path_put(&root);
	}
	if (fs)
		fs_context_put(fs);
	if (ns)
		nsset_put(ns);
	return ns && fs ? 0 : -EINVAL;
}

/* The number of the task's namespace of mounts; a task that is gone sees no change. */
static u64
mounts_changes(void *ctx, struct wait_queue **woken)
{
	struct proc_ref *r = ctx;
	u64 event = 0;

	*woken = &mounts_wait;
	if (proc_ref_alive(r)) {
		unsigned long flags = spin_lock_irqsave(&r->task->lock);
		if (r->task->ns)
			event = mount_ns_event(r->task->ns->mnt);
		spin_unlock_irqrestore(&r->task->lock, flags);
	}
	return event;
}

static int
show_mounts_table(struct strbuf *sb, void *ctx)
{
	return show_mounts(ctx, 0, sb);
}

static int
show_mountinfo(struct strbuf *sb, void *ctx)
{
	return show_mounts(ctx, 1, sb);
}

static int
show_mountstats(struct strbuf *sb, void *ctx)
{
	return show_mounts(ctx, 2, sb);
}

/* ---- small values ---- */

static int
show_cgroup(struct strbuf *sb, void *ctx)
{
	strbuf_puts(sb, "0::/\n"); /* the root of a hierarchy without controllers */
	return 0;
}

/* ---- user_namespaces(7) ---- */

static struct user_ns *
user_ns_of(const struct proc_ref *r)
{
	struct cred *c = task_get_cred(r->task);
	struct user_ns *ns = user_ns_get(c->user_ns);

	cred_put(c);
	return ns;
}

static int
show_id_map(struct strbuf *sb, void *ctx, bool gids)
{
	struct user_ns *ns = user_ns_of(ctx);

	user_ns_show_map(ns, gids, sb);
	user_ns_put(ns);
	return 0;
}

static ssize_t
store_id_map(void *ctx, const struct cred *opener, const char *text, size_t len, bool gids)
{
	struct user_ns *ns = user_ns_of(ctx);
	int r = user_ns_write_map(ns, gids, opener, text);

	user_ns_put(ns);
	return r ? r : (ssize_t)len;
}

static int
show_uid_map(struct strbuf *sb, void *ctx)
{
	return show_id_map(sb, ctx, false);
}

static ssize_t
store_uid_map(void *ctx, const struct cred *opener, const char *text, size_t len)
{
	return store_id_map(ctx, opener, text, len, false);
}

static int
show_gid_map(struct strbuf *sb, void *ctx)
{
	return show_id_map(sb, ctx, true);
}

static ssize_t
store_gid_map(void *ctx, const struct cred *opener, const char *text, size_t len)
{
	return store_id_map(ctx, opener, text, len, true);
}

static int
show_setgroups(struct strbuf *sb, void *ctx)
{
	struct user_ns *ns = user_ns_of(ctx);

	strbuf_puts(sb, READ_ONCE(ns->setgroups_denied) ? "deny\n" : "allow\n");
	user_ns_put(ns);
	return 0;
}

static ssize_t
store_setgroups(void *ctx, const struct cred *opener, const char *text, size_t len)
{
	struct user_ns *ns = user_ns_of(ctx);
	size_t word = len && text[len - 1] == '\n' ? len - 1 : len;
	int r = -EINVAL;

	if (!cred_ns_capable(opener, ns, CAP_SYS_ADMIN))
		r = -EPERM;
	else if (word == 5 && memcmp(text, "allow", word) == 0)
		r = user_ns_set_setgroups(ns, true);
	else if (word == 4 && memcmp(text, "deny", word) == 0)
		r = user_ns_set_setgroups(ns, false);
	user_ns_put(ns);
	return r ? r : (ssize_t)len;
}

static int
show_oom_score_adj(struct strbuf *sb, void *ctx)
{
	struct proc_ref *r = ctx;

	strbuf_printf(sb, "%d\n", READ_ONCE(r->task->process->oom_score_adj));
	return 0;
}

static ssize_t
store_oom_score_adj(void *ctx, const char *text, size_t len)
{
	struct proc_ref *r = ctx;
	s64 v;
	int err = parse_s64(text, 10, &v);

	if (err || v < -1000 || v > 1000)
		return -EINVAL;
	if (v < READ_ONCE(r->task->process->oom_score_adj) && !capable(CAP_SYS_RESOURCE))
		return -EACCES;
	WRITE_ONCE(r->task->process->oom_score_adj, (int)v);
	return (ssize_t)len;
}

/* Share of memory in thousandths of what there is, plus the adjustment: what the OOM killer
 * compares. */
static int
show_oom_score(struct strbuf *sb, void *ctx)
{
	struct proc_ref *r = ctx;
	struct mm *mm = task_get_mm(r->task);
	struct mem_stats st;
	s64 score = 0;

	mem_stats(&st);
	if (mm) {
		score = (s64)(mm_rss(mm) * 1000 / MAX(st.total, 1ul)) +
			r->task->process->oom_score_adj;
		mm_users_put(mm);
	}
	strbuf_printf(sb, "%ld\n", score < 0 ? 0 : score);
	return 0;
}

static int
show_io(struct strbuf *sb, void *ctx)
{
	struct proc_ref *r = ctx;
	int err = proc_ref_access(r);
	u64 rc = 0, wc = 0, sr = 0, sw = 0;

	if (err)
		return err;
	if (r->thread) {
		rc = r->task->io_rchar;
		wc = r->task->io_wchar;
		sr = r->task->io_syscr;
		sw = r->task->io_syscw;
	} else {
		unsigned long flags;
		struct sighand *sh = sighand_lock(r->task->process, &flags);
		struct task *t;

		list_for_each_entry(t, &r->task->process->threads, thread_node)
		{
			rc += t->io_rchar;
			wc += t->io_wchar;
			sr += t->io_syscr;
			sw += t->io_syscw;
		}
		sighand_unlock(sh, flags);
	}
	strbuf_printf(sb,
		      "rchar: %lu\nwchar: %lu\nsyscr: %lu\nsyscw: %lu\nread_bytes: 0\nwrite_bytes: "
		      "0\ncancelled_write_bytes: 0\n",
		      rc, wc, sr, sw);
	return 0;
}

static int
show_wchan(struct strbuf *sb, void *ctx)
{
	strbuf_puts(sb, "0");
	return 0;
}

static int
show_personality(struct strbuf *sb, void *ctx)
{
	struct proc_ref *r = ctx;

	strbuf_printf(sb, "%08x\n", r->task->personality);
	return 0;
}

static int
show_timerslack(struct strbuf *sb, void *ctx)
{
	struct proc_ref *r = ctx;

	strbuf_printf(sb, "%lu\n", r->task->timer_slack_ns);
	return 0;
}

static int
show_schedstat(struct strbuf *sb, void *ctx)
{
	struct proc_ref *r = ctx;

	strbuf_printf(sb, "%lu 0 %lu\n", sched_thread_runtime_ns(&r->task->thread),
		      r->task->thread.nvcsw + r->task->thread.nivcsw);
	return 0;
}

static int
show_children(struct strbuf *sb, void *ctx)
{
	struct proc_ref *r = ctx;
	struct process *c;
	unsigned long flags = spin_lock_irqsave(&tasklist_lock);

	list_for_each_entry(c, &r->task->process->children, sibling)
		strbuf_printf(sb, "%d ", process_pid(c));
	spin_unlock_irqrestore(&tasklist_lock, flags);
	return 0;
}

/* ---- /proc/PID/mem ---- */

/*
 * The address space is that of the moment of opening: who opened it and then executes another
 * program, or is one with more privileges that inherited the descriptor, reaches nothing new.
 */

#define MEM_CHUNK 1024

static ssize_t
mem_transfer(struct file *f, struct iov_iter *it, u64 *pos, bool write)
{
	struct mm *mm = f->private;
	u8 *buf;
	ssize_t done = 0;

	if (!mm || !mm_users_try_get(mm))
		return 0;
	buf = kmalloc(MEM_CHUNK, GFP_KERNEL);
	if (!buf) {
		mm_users_put(mm);
		return -ENOMEM;
	}
	while (iter_count(it)) {
		size_t want = MIN(iter_count(it), (size_t)MEM_CHUNK);

		if (write && iter_copy_from(it, buf, want) != want) {
			done = done ? done : -EFAULT;
			break;
		}
		ssize_t n = mm_access_remote(mm, *pos, buf, want, write, true);
		if (n <= 0) {
			done = done ? done : -EIO;
			break;
		}
		if (!write && iter_copy_to(it, buf, (size_t)n) != (size_t)n) {
			done = done ? done : -EFAULT;
			break;
		}
		*pos += (u64)n;
		done += n;
		if ((size_t)n < want || thread_signal_pending(thread_current()))
			break;
	}
	kfree(buf);
	mm_users_put(mm);
	return done;
}

static ssize_t
mem_read(struct file *f, struct iov_iter *it, u64 *pos)
{
	return mem_transfer(f, it, pos, false);
}

static ssize_t
mem_write(struct file *f, struct iov_iter *it, u64 *pos)
{
	return mem_transfer(f, it, pos, true);
}

static int
mem_open(struct file *f)
{
	struct mm *mm;
	int err = proc_ref_mm(f->inode->private, &mm);

	if (err || !mm)
		return err;
	mm_get(mm);
	mm_users_put(mm);
	f->private = mm;
	return 0;
}

static void
mem_release(struct file *f)
{
	if (f->private)
		mm_put(f->private);
}

static const struct file_ops mem_file_ops = {
	.open = mem_open,
	.release = mem_release,
	.read = mem_read,
	.write = mem_write,
	.seek = file_seek_pos,
};

/* ---- threads ---- */

static int
task_lookup(void *ctx, const char *name, size_t len, struct pseudo_node *out)
{
	struct proc_ref *r = ctx;
	int nr = proc_number(name, len), err = -ENOENT;
	struct task *t = nr > 0 ? task_find(nr) : NULL;

	if (!t)
		return -ENOENT;
	if (t->process == r->task->process) {
		struct proc_ref *n = proc_ref_create(t, -1, true);

		err = -ENOMEM;
		if (n) {
			*out = (struct pseudo_node){ .entry = &thread_dir,
						     .ctx = n,
						     .volatile_name = true };
			rcu_read_lock();
			out->uid = rcu_dereference(t->cred)->euid;
			out->gid = rcu_dereference(t->cred)->egid;
			rcu_read_unlock();
			err = 0;
		}
	}
	task_put(t);
	return err;
}

static int
task_readdir(void *ctx, struct dir_context *dc, u64 first)
{
	struct proc_ref *r = ctx;
	int tid = (int)(dc->pos - first);
	struct task *t;
	char name[12];

	for (; (t = process_next_thread(r->task->process, &tid)) != NULL; tid++) {
		size_t len = format_u64(name, (u64)tid);

		task_put(t);
		if (!dc->emit(dc, name, len, 0x20000 + (u64)tid, DT_DIR, first + (u64)tid + 1))
			return 0;
		dc->pos = first + (u64)tid + 1;
	}
	return 0;
}

/* ---- /proc/PID/net ---- */

/* The same for all, as there is one network. A name is set last: readers take no lock. */
static struct pseudo_entry net_entries[64];

void
proc_net_add(const struct pseudo_entry *entry)
{
	static u32 n;

	ASSERT(n < ARRAY_SIZE(net_entries) - 1);
	struct pseudo_entry *e = &net_entries[n++], unnamed = *entry;

	unnamed.name = NULL;
	*e = unnamed;
	smp_store_release(&e->name, entry->name);
}

#define MOUNTS_FILE(n, f)                                                                \
	{                                                                                \
		.name = n, .mode = S_IFREG | 0444, .show = f, .changes = mounts_changes, \
	}

#define COMMON_ENTRIES                                                                            \
	PROC_FILE("stat", 0444, proc_show_stat), PROC_FILE("statm", 0444, proc_show_statm),       \
		PROC_FILE("status", 0444, proc_show_status),                                      \
		PROC_FILE("cmdline", 0444, show_cmdline),                                         \
		PROC_FILE("environ", 0400, show_environ), PROC_FILE("auxv", 0400, show_auxv),     \
		PROC_FILE("maps", 0444, proc_show_maps),                                          \
		PROC_FILE("smaps", 0444, proc_show_smaps),                                        \
		PROC_FILE("smaps_rollup", 0444, proc_show_smaps_rollup),                          \
		PROC_FILE("limits", 0444, proc_show_limits),                                      \
		PROC_FILE("cgroup", 0444, show_cgroup), MOUNTS_FILE("mounts", show_mounts_table), \
		MOUNTS_FILE("mountinfo", show_mountinfo), PROC_FILE("io", 0400, show_io),         \
		PROC_FILE("wchan", 0444, show_wchan),                                             \
		PROC_FILE("personality", 0400, show_personality),                                 \
		PROC_FILE("oom_score", 0444, show_oom_score),                                     \
		PROC_FILE("schedstat", 0444, show_schedstat),                                     \
		PROC_FILE("children", 0444, show_children),                                       \
		{ .name = "comm",                                                                 \
		  .mode = S_IFREG | 0644,                                                         \
		  .show = show_comm,                                                              \
		  .store = store_comm },                                                          \
		{ .name = "uid_map",                                                              \
		  .mode = S_IFREG | 0644,                                                         \
		  .show = show_uid_map,                                                           \
		  .store_by = store_uid_map },                                                    \
		{ .name = "gid_map",                                                              \
		  .mode = S_IFREG | 0644,                                                         \
		  .show = show_gid_map,                                                           \
		  .store_by = store_gid_map },                                                    \
		{ .name = "setgroups",                                                            \
		  .mode = S_IFREG | 0644,                                                         \
		  .show = show_setgroups,                                                         \
		  .store_by = store_setgroups },                                                  \
		{ .name = "oom_score_adj",                                                        \
		  .mode = S_IFREG | 0644,                                                         \
		  .show = show_oom_score_adj,                                                     \
		  .store = store_oom_score_adj },                                                 \
		{ .name = "mem", .mode = S_IFREG | 0600, .fops = &mem_file_ops },                 \
		{ .name = "exe", .mode = S_IFLNK | 0777, .follow = follow_exe },                  \
		{ .name = "cwd", .mode = S_IFLNK | 0777, .follow = follow_cwd },                  \
		{ .name = "root", .mode = S_IFLNK | 0777, .follow = follow_root },                \
	{                                                                                         \
		.name = "net", .mode = S_IFDIR | 0555, .children = net_entries                    \
	}

static const struct pseudo_entry task_dir_children[] = {
	COMMON_ENTRIES,
	{ .name = NULL },
};

static struct pseudo_entry thread_entries[ARRAY_SIZE(task_dir_children) + 4];
static struct pseudo_entry pid_entries[ARRAY_SIZE(task_dir_children) + 8];

static const struct pseudo_entry task_dir = {
	.name = "task",
	.mode = S_IFDIR | 0555,
	.lookup_dynamic = task_lookup,
	.readdir_dynamic = task_readdir,
};

static const struct pseudo_entry process_only[] = {
	PROC_FILE("mountstats", 0400, show_mountstats),
	PROC_FILE("timerslack_ns", 0644, show_timerslack),
};

const struct pseudo_entry pid_dir = { .name = "pid",
				      .mode = S_IFDIR | 0555,
				      .children = pid_entries };
const struct pseudo_entry thread_dir = { .name = "tid",
					 .mode = S_IFDIR | 0555,
					 .children = thread_entries };

/* The process that an open /proc/PID is about, for pidfd_send_signal(2). */
static struct pid *
dir_pid(struct file *f)
{
	const struct proc_ref *r = f->inode->private;

	return f->inode->entry == &pid_dir && S_ISDIR(f->inode->mode) ? r->task->process->pid
								      : NULL;
}

/* A thread's directory has what a process's has, but for task and the process-wide files. */
void
proc_pid_tables_init(void)
{
	u32 n = 0, m = 0;

	pidfd_proc_pid = dir_pid;
	for (; task_dir_children[n].name; n++)
		pid_entries[n] = thread_entries[n] = task_dir_children[n];
	m = n;
	pid_entries[n++] = thread_entries[m++] = fd_dir;
	pid_entries[n++] = thread_entries[m++] = fdinfo_dir;
	pid_entries[n++] = thread_entries[m++] = ns_dir;
	pid_entries[n++] = task_dir;
	for (u32 i = 0; i < ARRAY_SIZE(process_only); i++)
		pid_entries[n++] = process_only[i];
}
