/* SPDX-License-Identifier: MIT */
/*
 * Executing programs: execve(2), execveat(2).
 *
 * In order:
 *
 *  1. Open the file (execute permission, no noexec mount, no writers: ETXTBSY) and read its head.
 * Copy all strings into one kernel buffer, which bounds them once and for all: what the caller's
 * other threads change later does not matter.
 *  2. Formats look at the head: a script puts its interpreter in the file's place and goes round
 * again; ELF checks all headers, its interpreter's too. Up to here every failure is an error to the
 * caller.
 *  3. exec_commit, the point of no return. Compute the new credentials; under process->exec_lock
 * kill the other threads and wait until they are gone, make the new address space and the
 * credentials current; replace what exec resets. From here on failures kill with SIGSEGV.
 *  4. The format maps the program; exec_build_stack lays out the stack; the registers are set; the
 * caller returns into the new program.
 *
 * De-threading. PROC_EXEC_IN_PROGRESS with exec_task = us is set under sighand->lock, if no group
 * exit and no other exec came first (EAGAIN, and the thread that lost dies of the winner's
 * SIGKILL). Every other thread gets a SIGKILL of its own and leaves by process_exit, which lets
 * only itself go while the mark stands. Each that leaves process->threads wakes us. A fatal signal
 * to the process ends the wait, and us. If we are not the leader, the leader is by now a zombie in
 * front of us: under tasklist_lock we swap struct pids with it and take its place, so the pid of
 * the process stays and our old tid becomes free.
 *
 * Sharing with other processes ends: sighand (CLONE_SIGHAND) and descriptors (CLONE_FILES) are
 * copied. A shared fs context (CLONE_FS) stays shared, and set-id bits are then ignored.
 *
 * The file is denied to writers while it is executed: by the struct file, which mm->exe keeps.
 *
 * exec_lock ranks above the locks of path walk: no file is opened under it.
 */
#include "proc/exec.h"

#include "arch/cpu.h"
#include "arch/mmu.h"
#include "arch/regs.h"
#include "arch/thread.h"
#include "core/random.h"
#include "core/time.h"
#include "fs/vfs/file.h"
#include "fs/vfs/inode.h"
#include "fs/vfs/mount.h"
#include "fs/vfs/path.h"
#include "generated/syscalls.h"
#include "ipc/futex.h"
#include "lib/format.h"
#include "lib/string.h"
#include "mm/mm.h"
#include "mm/slab.h"
#include "mm/user.h"
#include "proc_internal.h"
#include "sched/sched.h"
#include "task/cred.h"
#include "task/task.h"
#include "task/timers.h"
#include "task/user_ns.h"
#include "uapi/elf.h"
#include "uapi/errno.h"
#include "uapi/fcntl.h"
#include "uapi/mman.h"
#include "uapi/mount.h"
#include "uapi/personality.h"
#include "uapi/resource.h"

#define EXEC_PATH_MAX	 4096
#define EXEC_STRING_MAX	 (32 * PAGE_SIZE) /* MAX_ARG_STRLEN */
#define EXEC_STRINGS_MAX (6ul << 20)	  /* three quarters of the default stack limit */
#define EXEC_STRINGS_MIN \
	(32 * PAGE_SIZE) /* POSIX's ARG_MAX as Linux keeps it, whatever the stack limit */
#define EXEC_SCRIPTS_MAX 5
#define PERSONALITY_CLEAR_ON_SETID \
	(READ_IMPLIES_EXEC | ADDR_NO_RANDOMIZE | ADDR_COMPAT_LAYOUT | MMAP_PAGE_ZERO)

/* ---- strings ---- */

/* Room for `more` bytes at the end of the buffer. */
static int
strings_reserve(struct exec *x, size_t more)
{
	size_t capacity = x->capacity ? x->capacity : PAGE_SIZE;
	char *bigger;

	if (x->end + more <= x->capacity)
		return 0;
	while (capacity < x->end + more)
		capacity *= 2;
	bigger = kvmalloc(capacity, GFP_KERNEL);
	if (!bigger)
		return -ENOMEM;
	if (x->end)
		memcpy(bigger, x->strings, x->end);
	kvfree(x->strings);
	x->strings = bigger;
	x->capacity = capacity;
	return 0;
}

static int
strings_check_limit(const struct exec *x)
{
	return x->end - x->start > x->limit ? -E2BIG : 0;
}

static int
exec_push_back(struct exec *x, const char *s)
{
	size_t n = strlen(s) + 1;
	int r = strings_reserve(x, n);

	if (r)
		return r;
	memcpy(x->strings + x->end, s, n);
	x->end += n;
	return strings_check_limit(x);
}

int
exec_push_front(struct exec *x, const char *s)
{
	size_t n = strlen(s) + 1;

	if (x->start < n) {
		size_t shift = n - x->start;
		int r = strings_reserve(x, shift);

		if (r)
			return r;
		memmove(x->strings + n, x->strings + x->start, x->end - x->start);
		x->start += shift;
		x->end += shift;
	}
	x->start -= n;
	memcpy(x->strings + x->start, s, n);
	x->argc++;
	return strings_check_limit(x);
}

void
exec_drop_first(struct exec *x)
{
	x->start += strlen(x->strings + x->start) + 1;
	x->argc--;
}

/* One string from user memory to the end of the buffer; mostly the room at hand is enough. */
static int
exec_copy_string(struct exec *x, user_ptr s)
{
	size_t room = MAX(x->capacity - x->end, (size_t)256);

	for (;;) {
		int r = strings_reserve(x, room);
		if (r)
			return r;
		room = MIN(x->capacity - x->end, EXEC_STRING_MAX);
		ssize_t n = strncpy_from_user(x->strings + x->end, s, room);
		if (n >= 0) {
			x->end += (size_t)n + 1;
			return strings_check_limit(x);
		}
		if (n != -ENAMETOOLONG)
			return (int)n;
		if (room >= EXEC_STRING_MAX || x->end - x->start + room > x->limit)
			return -E2BIG;
		room *= 2;
	}
}

/* A NULL-terminated array of strings. NULL itself stands for an empty array, as on Linux. */
static int
exec_copy_strings(struct exec *x, user_ptr array, u32 *count)
{
	u64 s;

	for (*count = 0; !user_ptr_null(array); ++*count) {
		int r = get_user(&s, user_ptr_add(array, (u64)*count * sizeof(u64)));
		if (r)
			return r;
		if (!s)
			break;
		/* The pointers count too. */
		if (x->limit <= sizeof(u64))
			return -E2BIG;
		x->limit -= sizeof(u64);
		r = exec_copy_string(x, user_ptr_of(s));
		if (r)
			return r;
		if ((*count & 63) == 63) {
			if (signal_fatal_pending(current))
				return -EINTR;
			sched_cond_resched();
		}
	}
	return 0;
}

static void
exec_limit_strings(struct exec *x)
{
	x->limit = MAX(MIN(rlimit_current(RLIMIT_STACK) / 4, EXEC_STRINGS_MAX), EXEC_STRINGS_MIN);
}

/* ---- files ---- */

static int
exec_open_path(struct exec *x, const struct path *path)
{
	struct file *f;
	int r = file_open_exec(path, &f);

	if (r)
		return r;
	memset(x->head, 0, sizeof(x->head));
	ssize_t n = file_read_kernel(f, x->head, sizeof(x->head), 0);
	if (n < 0) {
		file_put(f);
		return (int)n;
	}
	if (x->file)
		file_put(x->file);
	x->file = f;
	return 0;
}

int
exec_open_by_name(struct exec *x, const char *name)
{
	struct path path;
	int r = path_lookup(AT_FDCWD, name, WALK_FOLLOW, &path);

	if (r)
		return r;
	r = exec_open_path(x, &path);
	path_put(&path);
	return r;
}

/* execveat(2): by path relative to a directory, or the descriptor itself. */
static int
exec_open_at(struct exec *x, int dirfd, const char *name, int flags)
{
	u32 walk = (flags & AT_SYMLINK_NOFOLLOW ? 0 : WALK_FOLLOW) |
		   (flags & AT_EMPTY_PATH ? WALK_EMPTY : 0);
	struct path path;
	int r = path_lookup(dirfd, name, walk, &path);

	if (r)
		return r;
	if (inode_is_link(path.dentry->inode))
		r = -ELOOP;
	else
		r = exec_open_path(x, &path);
	path_put(&path);
	return r;
}

/* What the program is told about a file that was not named by an absolute path: a name that works
 * while the descriptor is open. */
static int
exec_name(struct exec *x, int dirfd, const char *name)
{
	size_t size = strlen(name) + 32;

	x->filename = kmalloc(size, GFP_KERNEL);
	if (!x->filename)
		return -ENOMEM;
	if (dirfd == AT_FDCWD || name[0] == '/')
		snprintf(x->filename, size, "%s", name);
	else if (name[0])
		snprintf(x->filename, size, "/dev/fd/%d/%s", dirfd, name);
	else
		snprintf(x->filename, size, "/dev/fd/%d", dirfd);
	/* Such a name leads nowhere once the descriptor is closed. */
	if (dirfd != AT_FDCWD && name[0] != '/')
		x->inaccessible = fd_table_cloexec(current->files, dirfd);
	return 0;
}

/* ---- credentials ---- */

/* security.capability, capabilities(7). 1: the file has capabilities. */
static int
file_capabilities(struct inode *inode, u64 *permitted, u64 *inheritable, bool *effective)
{
	struct linux_vfs_ns_cap_data caps;

	if (!inode->ops->getxattr)
		return 0;
	ssize_t n = inode->ops->getxattr(inode, "security.capability", &caps, sizeof(caps));
	if (n < (ssize_t)sizeof(u32))
		return 0;
	size_t words;
	switch (caps.magic_etc & VFS_CAP_REVISION_MASK) {
	case VFS_CAP_REVISION_1: words = 1; break;
	case VFS_CAP_REVISION_2: words = 2; break;
	case VFS_CAP_REVISION_3:
		words = 2;
		if ((size_t)n == sizeof(caps) && caps.rootid != 0)
			return 0; /* for another user namespace's root */
		break;
	default: return -EINVAL;
	}
	if ((size_t)n < sizeof(u32) + words * 8)
		return -EINVAL;
	*permitted = caps.data[0].permitted;
	*inheritable = caps.data[0].inheritable;
	if (words == 2) {
		*permitted |= (u64)caps.data[1].permitted << 32;
		*inheritable |= (u64)caps.data[1].inheritable << 32;
	}
	*effective = caps.magic_etc & VFS_CAP_FLAGS_EFFECTIVE;
	return 1;
}

/* Somebody outside our process could change root or cwd under a set-id program. */
static bool
fs_context_shared_outside(struct task *me)
{
	struct task *t;
	int inside = 0;
	unsigned long flags;
	struct sighand *sh = sighand_lock(me->process, &flags);

	list_for_each_entry(t, &me->process->threads, thread_node) inside += t->fs == me->fs;
	sighand_unlock(sh, flags);
	return ref_read(&me->fs->ref) > inside;
}

/* What a set-id program gains must not fall to others who have a hand in it. */
static bool
exec_may_gain(void)
{
	return !fs_context_shared_outside(current) && ptrace_tracer_may_gain(current);
}

static int
exec_credentials(struct exec *x, bool may_gain)
{
	struct inode *inode = x->file->inode;
	umode_t mode = READ_ONCE(inode->mode);
	bool nosuid = x->file->path.mnt->flags & MS_NOSUID;
	bool setuid = !nosuid && (mode & S_ISUID);
	bool setgid = !nosuid && (mode & (S_ISGID | S_IXGRP)) == (S_ISGID | S_IXGRP);
	u64 permitted = 0, inheritable = 0;
	bool effective = false;
	int has_caps = nosuid ? 0 : file_capabilities(inode, &permitted, &inheritable, &effective);

	if (has_caps < 0)
		return has_caps;
	x->gains = setuid || setgid || has_caps;
	if (x->gains && !may_gain) {
		setuid = setgid = x->gains = false;
		has_caps = 0;
	}
	if (x->cred)
		cred_put(x->cred);
	x->clear_personality = 0;
	x->cred = cred_dup(current->cred);
	if (!x->cred)
		return -ENOMEM;
	int r = cred_for_exec(x->cred, setuid, inode->uid, setgid, inode->gid, has_caps, permitted,
			      inheritable, effective, &x->secure);
	if (r)
		return r;
	if (x->secure)
		x->clear_personality = PERSONALITY_CLEAR_ON_SETID;
	x->unreadable |= inode_permission(inode, MAY_READ) != 0;
	return 0;
}

/* ---- de-threading ---- */

static bool
only_thread(const struct process *p)
{
	return p->threads.next == p->threads.prev;
}

/* sighand->lock held. */
static void
kill_other_threads(struct process *p)
{
	struct task *t;

	p->flags &= ~(PROC_STOPPED | PROC_STOP_PENDING | PROC_STOP_REPORT | PROC_NOTIFY_STOPPED |
		      PROC_NOTIFY_CONTINUED);
	p->stop_count = 0;
	list_for_each_entry(t, &p->threads, thread_node)
	{
		t->must_stop = false;
		t->stop_dequeued = false;
		if (t == current)
			continue;
		t->pending.mask |= SIGMASK(SIGKILL);
		thread_flag_set(&t->thread, TF_SIGPENDING);
		thread_wake_signal(&t->thread, true, THREAD_STOPPED | THREAD_TRACED);
	}
}

/* tasklist_lock held. The leader is dead, its number and its place become ours. */
static struct task *
take_over_leader(struct task *me)
{
	struct process *p = me->process;
	struct task *leader = p->leader;
	struct pid *ours = me->pid;

	me->pid = leader->pid;
	leader->pid = ours;
	WRITE_ONCE(ours->task, NULL);
	rcu_assign_pointer(me->pid->task, me);
	pid_release_number(ours);
	WRITE_ONCE(p->leader, me);
	me->start_time_ns = leader->start_time_ns;
	leader->exit_signal = -1;
	if (leader->ptrace)
		(void)ptrace_unlink(leader);
	return leader;
}

static int
dethread(struct task *me)
{
	struct process *p = me->process;
	struct sighand *sh = p->sighand;
	struct task *old_leader = NULL;
	int r = 0;

	spin_lock_irq(&sh->lock);
	if (p->flags & (PROC_GROUP_EXIT | PROC_EXEC_IN_PROGRESS)) {
		spin_unlock_irq(&sh->lock);
		return -EAGAIN;
	}
	if (likely(only_thread(p) && p->leader == me)) {
		me->exit_signal = SIGCHLD;
		spin_unlock_irq(&sh->lock);
		return 0;
	}
	p->flags |= PROC_EXEC_IN_PROGRESS;
	p->exec_task = me;
	kill_other_threads(p);
	while (!only_thread(p)) {
		thread_set_state(THREAD_KILLABLE);
		if (signal_fatal_pending(me)) {
			r = -EAGAIN;
			break;
		}
		spin_unlock_irq(&sh->lock);
		schedule();
		spin_lock_irq(&sh->lock);
	}
	thread_set_state(THREAD_RUNNABLE);
	p->flags &= ~PROC_EXEC_IN_PROGRESS;
	p->exec_task = NULL;
	spin_unlock_irq(&sh->lock);
	if (r)
		return r;

	spin_lock_irq(&tasklist_lock);
	if (p->leader != me)
		old_leader = take_over_leader(me);
	me->exit_signal = SIGCHLD;
	spin_unlock_irq(&tasklist_lock);
	if (old_leader)
		task_reap_finish(old_leader);
	return 0;
}

/* ---- the point of no return ---- */

static int
unshare_sighand(struct task *me)
{
	struct process *p = me->process;
	struct sighand *old = p->sighand, *new;

	if (likely(ref_read(&old->ref) == 1))
		return 0;
	new = sighand_create();
	if (!new)
		return -ENOMEM;
	spin_lock_irq(&tasklist_lock);
	spin_lock(&old->lock);
	memcpy(new->action, old->action, sizeof(new->action));
	WRITE_ONCE(p->sighand, new);
	me->sighand = new;
	spin_unlock(&old->lock);
	spin_unlock_irq(&tasklist_lock);
	sighand_put(old);
	return 0;
}

static void
switch_mm(struct task *me, struct mm *mm)
{
	struct process *p = me->process;

	task_leave_mm(me, false);
	spin_lock_irq(&me->lock);
	struct mm *old = mm_switch_current(mm);
	spin_unlock_irq(&me->lock);
	if (old) {
		u64 rss = (u64)(atomic64_read(&old->rss_anon) + atomic64_read(&old->rss_file) +
				atomic64_read(&old->rss_shmem));

		p->maxrss = MAX(p->maxrss, MAX(rss, (u64)atomic64_read(&old->hiwater_rss)));
		mm_users_put(old);
	}
}

/* Names, masks and the like: what a new program does not inherit. */
static void
reset_task(struct exec *x)
{
	struct task *me = current;
	struct process *p = me->process;
	const char *slash = strrchr(x->filename, '/');

	task_set_comm(me, slash ? slash + 1 : x->filename);
	signal_reset_altstack(me);
	rseq_exec(me);
	me->personality &= ~x->clear_personality;
	me->restart.func = NULL;
	process_timers_exec(p);
	spin_lock_irq(&p->sighand->lock);
	signal_reset_actions(me, false);
	p->flags |= PROC_EXECED;
	WRITE_ONCE(p->execs, p->execs + 1);
	spin_unlock_irq(&p->sighand->lock);
	/* Last: who waits for a descriptor to close finds a program that has been executed. */
	fd_table_close_on_exec(me->files);
}

static void
commit_credentials(struct exec *x)
{
	struct task *me = current;
	struct cred *new = x->cred;
	bool plain = new->euid == new->uid &&new->egid == new->gid && !x->secure && !x->unreadable;

	x->cred = NULL;
	if (x->secure)
		me->pdeath_signal = 0;
	cred_commit(new);
	smp_store_release(&me->thread.mm->dumpable, plain); /* task_access_mm reads it first */
}

/* Whose namespace's privilege opens the new space: that of the program, and of a file that it may
 * not read, one in which its owner is known. */
static struct user_ns *
exec_user_ns(const struct exec *x)
{
	const struct inode *i = x->file->inode;
	struct user_ns *ns = x->cred->user_ns;

	while (x->unreadable && ns->parent &&
	       (uid_to_user(ns, i->uid) == ID_NONE || gid_to_user(ns, i->gid) == ID_NONE))
		ns = ns->parent;
	return user_ns_get(ns);
}

static void
exec_place_mmap_base(struct exec *x, struct mm *mm)
{
	u64 stack = CLAMP(rlimit_current(RLIMIT_STACK), 128ul << 20, USER_END / 6 * 5);
	u64 spread = 0;

	/* Room for the stack's limit, for its random start and its guard gap; then some bits of our
	 * own. */
	if (!(current->personality & ADDR_NO_RANDOMIZE))
		spread = (16ul << 30) + exec_random_offset(28);
	mm->mmap_base = ALIGN_DOWN(USER_END - stack - spread - (1ul << 20), PAGE_SIZE);
}

int
exec_commit(struct exec *x)
{
	struct task *me = current;
	struct process *p = me->process;
	struct mm *mm;
	int r = exec_credentials(x, exec_may_gain());

	if (r)
		return r;
	mm = mm_create();
	if (!mm)
		return -ENOMEM;
	mm->dumpable = 0; /* until the credentials that go with it are there */
	if (mutex_lock_killable(&p->exec_lock)) {
		mm_users_put(mm);
		return -EINTR;
	}
	r = dethread(me);
	if (r)
		goto out_unlock;
	/* Nobody attaches now, and no other thread shares what is ours. */
	if (x->gains && !exec_may_gain()) {
		r = exec_credentials(x, false);
		if (r)
			goto out_kill;
	}
	r = unshare_sighand(me);
	if (r)
		goto out_kill;
	r = fd_table_unshare();
	if (r)
		goto out_kill;

	file_get(x->file);
	mm->exe = x->file;
	mm->user_ns = exec_user_ns(x);
	switch_mm(me, mm);
	exec_place_mmap_base(x, mm);
	commit_credentials(x);
	mutex_unlock(&p->exec_lock);
	reset_task(x);
	return 0;

out_kill:
	signal_force_fatal(SIGKILL, NULL);
out_unlock:
	mutex_unlock(&p->exec_lock);
	mm_users_put(mm);
	return r;
}

u64
exec_random_offset(u32 bits)
{
	if (current->personality & ADDR_NO_RANDOMIZE)
		return 0;
	return (random_u64() & ((1ul << bits) - 1)) << PAGE_SHIFT;
}

static void
exec_file_put(void *file)
{
	file_put(file);
}

/* ---- the new stack: the System V ABI's "process initialization", and getauxval(3) ---- */

#define AUXV_MAX     28
#define STACK_EXPAND (128ul << 10) /* mapped beyond what is needed at once */

struct stack_image {
	u64 *words; /* argc, argv, NULL, envp, NULL, auxv */
	size_t count;
	u64 strings, random, platform; /* addresses */
};

static void
auxv_add(struct stack_image *image, u64 type, u64 value)
{
	image->words[image->count++] = type;
	image->words[image->count++] = value;
}

static void
auxv_fill(struct exec *x, struct stack_image *image, u64 vdso)
{
	const struct cred *c = current->cred;
	struct mm *mm = current->thread.mm;
	size_t first = image->count;

	if (vdso)
		auxv_add(image, AT_SYSINFO_EHDR, vdso);
	auxv_add(image, AT_MINSIGSTKSZ, arch_min_sigstack());
	auxv_add(image, AT_HWCAP, arch_elf_hwcap());
	auxv_add(image, AT_PAGESZ, PAGE_SIZE);
	auxv_add(image, AT_CLKTCK, USER_HZ);
	auxv_add(image, AT_PHDR, x->phdr);
	auxv_add(image, AT_PHENT, x->phent);
	auxv_add(image, AT_PHNUM, x->phnum);
	auxv_add(image, AT_BASE, x->interp_base);
	auxv_add(image, AT_FLAGS, 0);
	auxv_add(image, AT_ENTRY, x->program_entry);
	auxv_add(image, AT_UID, c->uid);
	auxv_add(image, AT_EUID, c->euid);
	auxv_add(image, AT_GID, c->gid);
	auxv_add(image, AT_EGID, c->egid);
	auxv_add(image, AT_SECURE, x->secure);
	auxv_add(image, AT_RANDOM, image->random);
	auxv_add(image, AT_HWCAP2, arch_elf_hwcap2());
	auxv_add(image, AT_EXECFN,
		 image->strings + (x->end - x->start) - (strlen(x->filename) + 1));
	auxv_add(image, AT_PLATFORM, image->platform);
	auxv_add(image, AT_RSEQ_FEATURE_SIZE, 20); /* of struct rseq in use: up to its flags */
	auxv_add(image, AT_RSEQ_ALIGN, 32);
	auxv_add(image, AT_NULL, 0);

	mm->auxv_len = (u32)MIN((image->count - first) * sizeof(u64), sizeof(mm->auxv));
	memcpy(mm->auxv, image->words + first, mm->auxv_len);
}

/* Pointers to `count` strings that start at offset `at` of the buffer; returns where the next ones
 * start. */
static size_t
pointers_fill(const struct exec *x, struct stack_image *image, size_t at, u32 count)
{
	for (u32 i = 0; i < count; i++) {
		image->words[image->count++] = image->strings + (at - x->start);
		at += strlen(x->strings + at) + 1;
	}
	image->words[image->count++] = 0;
	return at;
}

static int
stack_map(u64 top, u64 needed, bool executable)
{
	u64 room = MAX(MIN(needed + STACK_EXPAND, rlimit_current(RLIMIT_STACK)), needed);
	u64 size = ALIGN_UP(room, PAGE_SIZE);
	struct mm_map_request rq = {
		.addr = top - size,
		.len = size,
		.prot = PROT_READ | PROT_WRITE | (executable ? PROT_EXEC : 0),
		.map_flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE | MAP_GROWSDOWN,
		.vm_extra = VM_STACK,
	};
	long r = mm_map(current->thread.mm, &rq);

	return r < 0 ? (int)r : 0;
}

int
exec_build_stack(struct exec *x, bool executable)
{
	struct mm *mm = current->thread.mm;
	const char *platform = arch_elf_platform();
	size_t strings_size = x->end - x->start, platform_size = strlen(platform) + 1;
	size_t words_size = (1 + x->argc + 1 + x->envc + 1 + 2 * AUXV_MAX) * sizeof(u64);
	u64 top = USER_END - exec_random_offset(22), sp;
	struct stack_image image = { 0 };
	u8 random[16];
	int r;

	image.words = kvmalloc(words_size, GFP_KERNEL);
	if (!image.words)
		return -ENOMEM;

	/* From the top: a zero word, strings, a random gap, platform, random bytes, words. */
	image.strings = top - sizeof(u64) - strings_size;
	sp = image.strings;
	if (!(current->personality & ADDR_NO_RANDOMIZE))
		sp -= random_u64() % 8192;
	sp = ALIGN_DOWN(sp, 16ul);
	image.platform = sp - platform_size;
	image.random = image.platform - sizeof(random);
	sp = ALIGN_DOWN(image.random - words_size, 16ul);

	r = stack_map(top, top - sp, executable);
	if (r)
		goto out_free;
	long vdso = mm_map_vdso(mm);

	image.words[image.count++] = x->argc;
	size_t env = pointers_fill(x, &image, x->start, x->argc);
	size_t name = pointers_fill(x, &image, env, x->envc);
	auxv_fill(x, &image, vdso > 0 ? (u64)vdso : 0);
	sp = ALIGN_DOWN(image.random - image.count * sizeof(u64), 16ul);

	random_bytes(random, sizeof(random));
	r = copy_to_user(user_ptr_of(image.strings), x->strings + x->start, strings_size);
	if (r == 0)
		r = copy_to_user(user_ptr_of(image.platform), platform, platform_size);
	if (r == 0)
		r = copy_to_user(user_ptr_of(image.random), random, sizeof(random));
	if (r == 0)
		r = copy_to_user(user_ptr_of(sp), image.words, image.count * sizeof(u64));
	mm->arg_start = image.strings;
	mm->arg_end = mm->env_start = image.strings + (env - x->start);
	mm->env_end = image.strings + (name - x->start);
	mm->start_stack = sp;
	x->stack_pointer = sp;
out_free:
	kvfree(image.words);
	return r;
}

/* ---- putting it together ---- */

static int
exec_load(struct exec *x)
{
	for (int scripts = 0;; scripts++) {
		int r = script_load(x);

		if (r == -ENOEXEC)
			return elf_load(x);
		if (r < 0)
			return r;
		if (scripts >= EXEC_SCRIPTS_MAX)
			return -ELOOP;
	}
}

static void
exec_fini(struct exec *x)
{
	if (x->file)
		file_put(x->file);
	if (x->cred)
		cred_put(x->cred);
	kvfree(x->strings);
	kfree(x->filename);
	kfree(x);
}

/* With strings and file at hand. The address space tells whether there is still somebody to return
 * an error to. */
static int
exec_run(struct exec *x)
{
	struct task *me = current;
	struct mm *before = me->thread.mm;
	int old_tid = task_tid(me), r = exec_push_back(x, x->filename);

	if (r == 0)
		r = exec_load(x);
	if (r) {
		if (me->thread.mm != before && !signal_fatal_pending(me))
			signal_force_fatal(SIGSEGV, NULL);
		return r;
	}
	arch_thread_exec(&me->thread.arch, arch_thread_regs(me->thread.kstack), x->entry,
			 x->stack_pointer);
	if (unlikely(me->ptrace))
		ptrace_exec(old_tid);
	return 0;
}

static long
exec_user(int dirfd, user_ptr upath, user_ptr uargv, user_ptr uenvp, int flags)
{
	struct exec *x;
	char *name;
	int r = strdup_user(upath, EXEC_PATH_MAX, &name);

	if (r)
		return r;
	/* Programs do not look at what setuid returns: it succeeds, and this fails. */
	r = -EAGAIN;
	if (current->nproc_exceeded &&
	    user_exceeds_processes(current->cred->user, rlimit_current(RLIMIT_NPROC)))
		goto out_free_name;
	current->nproc_exceeded = false;
	r = -ENOENT;
	if (!name[0] && !(flags & AT_EMPTY_PATH))
		goto out_free_name;
	r = -ENOMEM;
	x = kzalloc(sizeof(*x), GFP_KERNEL);
	if (!x)
		goto out_free_name;
	exec_limit_strings(x);
	r = exec_name(x, dirfd, name);
	if (r == 0)
		r = exec_open_at(x, dirfd, name, flags);
	if (r == 0)
		r = exec_copy_strings(x, uargv, &x->argc);
	if (r == 0 && x->argc == 0) {
		/* Programs that trust argv[0] to be there read the environment instead. */
		r = exec_push_back(x, "");
		x->argc = 1;
	}
	if (r == 0)
		r = exec_copy_strings(x, uenvp, &x->envc);
	if (r == 0)
		r = exec_run(x);
	exec_fini(x);
out_free_name:
	kfree(name);
	return r;
}

int
exec_kernel(const char *path, const char *const *argv, const char *const *envp)
{
	struct exec *x = kzalloc(sizeof(*x), GFP_KERNEL);
	int r;

	if (!x)
		return -ENOMEM;
	exec_limit_strings(x);
	r = exec_name(x, AT_FDCWD, path);
	if (r == 0)
		r = exec_open_by_name(x, path);
	for (; r == 0 && argv[x->argc]; x->argc++)
		r = exec_push_back(x, argv[x->argc]);
	for (; r == 0 && envp[x->envc]; x->envc++)
		r = exec_push_back(x, envp[x->envc]);
	if (r == 0)
		r = exec_run(x);
	exec_fini(x);
	return r;
}

long
sys_execve(user_ptr path, user_ptr argv, user_ptr envp)
{
	return exec_user(AT_FDCWD, path, argv, envp, 0);
}

long
sys_execveat(int dirfd, user_ptr path, user_ptr argv, user_ptr envp, int flags)
{
	if (flags & ~(AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW))
		return -EINVAL;
	return exec_user(dirfd, path, argv, envp, flags);
}

void
exec_init(void)
{
	mm_exe_put = exec_file_put;
	mm_user_ns_put = user_ns_put;
}
