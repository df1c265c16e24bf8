/* SPDX-License-Identifier: MIT */
/*
 * /proc/sys: each value is connected to what it controls; what controls nothing but is read by
 * programs is there read-only, with the truth.
 */
#include "core/log.h"
#include "core/panic.h"
#include "core/random.h"
#include "event/epoll.h"
#include "event/inotify.h"
#include "fs/vfs/file.h"
#include "fs/vfs/inode.h"
#include "ipc/pipe.h"
#include "ipc/sysv.h"
#include "lib/string.h"
#include "mm/mm.h"
#include "mm/reclaim.h"
#include "mm/swap.h"
#include "ns/ns.h"
#include "proc_internal.h"
#include "task/cred.h"
#include "task/nsset.h"
#include "task/task.h"
#include "uapi/errno.h"

#define SHOW(name, fmt, ...)                                 \
	static int show_##name(struct strbuf *sb, void *ctx) \
	{                                                    \
		strbuf_printf(sb, fmt "\n", __VA_ARGS__);    \
		return 0;                                    \
	}

#define STORE_NUMBER(name, min, max, statement)                              \
	static ssize_t store_##name(void *ctx, const char *text, size_t len) \
	{                                                                    \
		s64 v;                                                       \
		int err = parse_s64(text, 10, &v);                           \
		if (err || v < (s64)(min) || v > (s64)(max))                 \
			return -EINVAL;                                      \
		statement;                                                   \
		return (ssize_t)len;                                         \
	}

#define READ_ONLY(n)                                                 \
	{                                                            \
		.name = #n, .mode = S_IFREG | 0444, .show = show_##n \
	}
#define READ_WRITE(n)                                                                    \
	{                                                                                \
		.name = #n, .mode = S_IFREG | 0644, .show = show_##n, .store = store_##n \
	}

/* ---- kernel ---- */

static int
show_name(struct strbuf *sb, bool domain)
{
	char name[65];

	uts_read(current->ns->uts, domain, name);
	strbuf_printf(sb, "%s\n", name);
	return 0;
}

static ssize_t
store_name(const char *text, size_t len, bool domain)
{
	size_t n = strcspn(text, "\n");
	int err = uts_write(current->ns->uts, domain, text, MIN(n, (size_t)64));

	return err ? err : (ssize_t)len;
}

static int
show_hostname(struct strbuf *sb, void *ctx)
{
	return show_name(sb, false);
}

static ssize_t
store_hostname(void *ctx, const char *text, size_t len)
{
	return store_name(text, len, false);
}

static int
show_domainname(struct strbuf *sb, void *ctx)
{
	return show_name(sb, true);
}

static ssize_t
store_domainname(void *ctx, const char *text, size_t len)
{
	return store_name(text, len, true);
}

SHOW(osrelease, "%s", uts_release)
SHOW(ostype, "%s", uts_sysname)
SHOW(version, "%s", uts_version)
SHOW(pid_max, "%u", current_pid_ns()->max)
STORE_NUMBER(pid_max, 301, 4194304, current_pid_ns()->max = (u32)v)
SHOW(threads_max, "%u", task_count_max)
STORE_NUMBER(threads_max, 20, INT32_MAX, task_count_max = (u32)v)
SHOW(cap_last_cap, "%d", CAP_LAST_CAP)
SHOW(overflowuid, "%d", 65534)
SHOW(ngroups_max, "%d", 65536)
SHOW(printk, "%d\t4\t1\t7", log_console_level())
SHOW(panic, "%d", panic_timeout)
STORE_NUMBER(panic, INT32_MIN, INT32_MAX, panic_timeout = (int)v)
SHOW(core_pattern, "%s", "core")
SHOW(randomize_va_space, "%d", 2)

static ssize_t
store_printk(void *ctx, const char *text, size_t len)
{
	if (text[0] < '0' || text[0] > '9')
		return -EINVAL;
	log_set_console_level(text[0] - '0');
	return (ssize_t)len;
}

static void
put_uuid(struct strbuf *sb, const u8 *u)
{
	for (u32 i = 0; i < 16; i++)
		strbuf_printf(sb, "%s%02x", i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "", u[i]);
	strbuf_putc(sb, '\n');
}

static void
uuid_make(u8 u[16])
{
	random_bytes(u, 16);
	u[6] = (u[6] & 0x0f) | 0x40;
	u[8] = (u[8] & 0x3f) | 0x80;
}

static int
show_uuid(struct strbuf *sb, void *ctx)
{
	u8 u[16];

	uuid_make(u);
	put_uuid(sb, u);
	return 0;
}

static int
show_boot_id(struct strbuf *sb, void *ctx)
{
	static u8 id[16];
	static struct atomic32 made;

	if (!atomic_xchg(&made, 1))
		uuid_make(id);
	put_uuid(sb, id);
	return 0;
}

SHOW(entropy_avail, "%d", 256)
SHOW(poolsize, "%d", 256)

static const struct pseudo_entry random_entries[] = {
	READ_ONLY(uuid),     READ_ONLY(boot_id), READ_ONLY(entropy_avail),
	READ_ONLY(poolsize), { .name = NULL },
};

SHOW(shmmax, "%lu", ipc_limits_current()->shmmax)
STORE_NUMBER(shmmax, 0, INT64_MAX, WRITE_ONCE(ipc_limits_current()->shmmax, (u64)v))
SHOW(shmall, "%lu", ipc_limits_current()->shmall)
STORE_NUMBER(shmall, 0, INT64_MAX, WRITE_ONCE(ipc_limits_current()->shmall, (u64)v))
SHOW(shmmni, "%u", ipc_limits_current()->shmmni)
STORE_NUMBER(shmmni, 0, 32768, WRITE_ONCE(ipc_limits_current()->shmmni, (u32)v))
SHOW(msgmax, "%u", ipc_limits_current()->msgmax)
STORE_NUMBER(msgmax, 0, INT32_MAX, WRITE_ONCE(ipc_limits_current()->msgmax, (u32)v))
SHOW(msgmnb, "%u", ipc_limits_current()->msgmnb)
STORE_NUMBER(msgmnb, 0, INT32_MAX, WRITE_ONCE(ipc_limits_current()->msgmnb, (u32)v))
SHOW(msgmni, "%u", ipc_limits_current()->msgmni)
STORE_NUMBER(msgmni, 0, 32768, WRITE_ONCE(ipc_limits_current()->msgmni, (u32)v))
SHOW(sem, "%u\t%u\t%u\t%u", ipc_limits_current()->semmsl, ipc_limits_current()->semmns,
     ipc_limits_current()->semopm, ipc_limits_current()->semmni)

/* "semmsl semmns semopm semmni"; those that are left out stay. */
static ssize_t
store_sem(void *ctx, const char *text, size_t len)
{
	struct ipc_limits *l = ipc_limits_current();
	u32 *const fields[] = { &l->semmsl, &l->semmns, &l->semopm, &l->semmni };
	char copy[64], *rest = copy, *word;
	u64 n;

	if (strscpy(copy, text, sizeof(copy)) < 0)
		return -EINVAL;
	for (u32 i = 0; i < ARRAY_SIZE(fields) && (word = str_token(&rest, " \t\n")) != NULL;) {
		if (!*word)
			continue;
		if (parse_u64(word, 10, &n) || n > (i == 3 ? 32768u : (u32)INT32_MAX))
			return -EINVAL;
		WRITE_ONCE(*fields[i++], (u32)n);
	}
	return (ssize_t)len;
}

static const struct pseudo_entry kernel_entries[] = {
	READ_WRITE(shmmax),
	READ_WRITE(shmall),
	READ_WRITE(shmmni),
	READ_WRITE(msgmax),
	READ_WRITE(msgmnb),
	READ_WRITE(msgmni),
	READ_WRITE(sem),
	READ_WRITE(hostname),
	READ_WRITE(domainname),
	READ_ONLY(osrelease),
	READ_ONLY(ostype),
	READ_ONLY(version),
	READ_WRITE(pid_max),
	{ .name = "threads-max",
	  .mode = S_IFREG | 0644,
	  .show = show_threads_max,
	  .store = store_threads_max },
	READ_ONLY(cap_last_cap),
	READ_ONLY(overflowuid),
	{ .name = "overflowgid", .mode = S_IFREG | 0444, .show = show_overflowuid },
	READ_ONLY(ngroups_max),
	READ_WRITE(printk),
	READ_WRITE(panic),
	READ_ONLY(core_pattern),
	READ_ONLY(randomize_va_space),
	{ .name = "random", .mode = S_IFDIR | 0555, .children = random_entries },
	{ .name = NULL },
};

/* ---- vm ---- */

SHOW(overcommit_memory, "%u", mm_overcommit_mode)
STORE_NUMBER(overcommit_memory, 0, 2, mm_overcommit_mode = (u32)v)
SHOW(overcommit_ratio, "%u", mm_overcommit_ratio)
STORE_NUMBER(overcommit_ratio, 0, 1000000, mm_overcommit_ratio = (u32)v)
SHOW(max_map_count, "%d", 65530)
SHOW(mmap_min_addr, "%d", 65536)

SHOW(dirty_background_ratio, "%u", vm_dirty_background_ratio)
STORE_NUMBER(dirty_background_ratio, 0, 100, vm_dirty_background_ratio = (u32)v)
SHOW(swappiness, "%u", vm_swappiness)
STORE_NUMBER(swappiness, 0, 200, vm_swappiness = (u32)v)
SHOW(dirty_ratio, "%u", vm_dirty_ratio)
STORE_NUMBER(dirty_ratio, 0, 100, vm_dirty_ratio = (u32)v)
SHOW(dirty_writeback_centisecs, "%u", vm_dirty_writeback_centisecs)
STORE_NUMBER(dirty_writeback_centisecs, 0, 1000000, vm_dirty_writeback_centisecs = (u32)v)
SHOW(dirty_expire_centisecs, "%u", vm_dirty_expire_centisecs)
STORE_NUMBER(dirty_expire_centisecs, 0, 1000000, vm_dirty_expire_centisecs = (u32)v)

/* 1: clean pages of files, 2: names and inodes, 3: both. */
static void
drop_caches(u64 what)
{
	if (what & 2)
		(void)reclaim_drop_objects();
	if (what & 1)
		(void)reclaim_drop_pages();
}

STORE_NUMBER(drop_caches, 1, 4, drop_caches((u64)v))

static const struct pseudo_entry vm_entries[] = {
	READ_WRITE(dirty_background_ratio),
	READ_WRITE(dirty_ratio),
	READ_WRITE(dirty_writeback_centisecs),
	READ_WRITE(dirty_expire_centisecs),
	{ .name = "drop_caches", .mode = S_IFREG | 0200, .store = store_drop_caches },
	READ_WRITE(overcommit_memory),
	READ_WRITE(overcommit_ratio),
	READ_WRITE(swappiness),
	READ_ONLY(max_map_count),
	READ_ONLY(mmap_min_addr),
	{ .name = NULL },
};

/* ---- fs ---- */

SHOW(file_nr, "%lu\t0\t9223372036854775807", file_count())
SHOW(file_max, "%s", "9223372036854775807")
SHOW(nr_open, "%d", 1048576)
SHOW(pipe_max_size, "%u", pipe_max_size)
STORE_NUMBER(pipe_max_size, 4096, 1 << 30, pipe_max_size = (u32)v)
SHOW(pipe_user_pages_soft, "%u", pipe_user_pages_soft)
STORE_NUMBER(pipe_user_pages_soft, 0, INT32_MAX, WRITE_ONCE(pipe_user_pages_soft, (u32)v))
SHOW(pipe_user_pages_hard, "%u", pipe_user_pages_hard)
STORE_NUMBER(pipe_user_pages_hard, 0, INT32_MAX, WRITE_ONCE(pipe_user_pages_hard, (u32)v))

SHOW(max_queued_events, "%u", inotify_max_queued_events)
STORE_NUMBER(max_queued_events, 0, INT32_MAX, WRITE_ONCE(inotify_max_queued_events, (u32)v))
SHOW(max_user_instances, "%u", inotify_max_user_instances)
STORE_NUMBER(max_user_instances, 0, INT32_MAX, WRITE_ONCE(inotify_max_user_instances, (u32)v))
SHOW(max_user_watches, "%u", inotify_max_user_watches())
STORE_NUMBER(max_user_watches, 0, INT32_MAX, inotify_set_max_user_watches((u32)v))

static const struct pseudo_entry inotify_entries[] = {
	READ_WRITE(max_queued_events),
	READ_WRITE(max_user_instances),
	READ_WRITE(max_user_watches),
	{ .name = NULL },
};

SHOW(epoll_watches, "%u", epoll_max_user_watches())
STORE_NUMBER(epoll_watches, 0, INT32_MAX - 1, epoll_set_max_user_watches((u32)v))

static const struct pseudo_entry epoll_entries[] = {
	{ .name = "max_user_watches",
	  .mode = S_IFREG | 0644,
	  .show = show_epoll_watches,
	  .store = store_epoll_watches },
	{ .name = NULL },
};

SHOW(queues_max, "%u", ipc_limits_current()->mq_queues_max)
STORE_NUMBER(queues_max, 0, 65536, WRITE_ONCE(ipc_limits_current()->mq_queues_max, (u32)v))
SHOW(msg_max, "%u", ipc_limits_current()->mq_msg_max)
STORE_NUMBER(msg_max, 1, 65536, WRITE_ONCE(ipc_limits_current()->mq_msg_max, (u32)v))
SHOW(msgsize_max, "%u", ipc_limits_current()->mq_msgsize_max)
STORE_NUMBER(msgsize_max, 128, 16777216, WRITE_ONCE(ipc_limits_current()->mq_msgsize_max, (u32)v))
SHOW(msg_default, "%u", ipc_limits_current()->mq_msg_default)
STORE_NUMBER(msg_default, 1, 65536, WRITE_ONCE(ipc_limits_current()->mq_msg_default, (u32)v))
SHOW(msgsize_default, "%u", ipc_limits_current()->mq_msgsize_default)
STORE_NUMBER(msgsize_default, 128, 16777216,
	     WRITE_ONCE(ipc_limits_current()->mq_msgsize_default, (u32)v))

static const struct pseudo_entry mqueue_entries[] = {
	READ_WRITE(queues_max),	 READ_WRITE(msg_max),	      READ_WRITE(msgsize_max),
	READ_WRITE(msg_default), READ_WRITE(msgsize_default), { .name = NULL },
};

static const struct pseudo_entry fs_entries[] = {
	{ .name = "mqueue", .mode = S_IFDIR | 0555, .children = mqueue_entries },
	{ .name = "inotify", .mode = S_IFDIR | 0555, .children = inotify_entries },
	{ .name = "epoll", .mode = S_IFDIR | 0555, .children = epoll_entries },
	{ .name = "file-nr", .mode = S_IFREG | 0444, .show = show_file_nr },
	{ .name = "file-max", .mode = S_IFREG | 0444, .show = show_file_max },
	READ_ONLY(nr_open),
	{ .name = "pipe-max-size",
	  .mode = S_IFREG | 0644,
	  .show = show_pipe_max_size,
	  .store = store_pipe_max_size },
	{ .name = "pipe-user-pages-soft",
	  .mode = S_IFREG | 0644,
	  .show = show_pipe_user_pages_soft,
	  .store = store_pipe_user_pages_soft },
	{ .name = "pipe-user-pages-hard",
	  .mode = S_IFREG | 0644,
	  .show = show_pipe_user_pages_hard,
	  .store = store_pipe_user_pages_hard },
	{ .name = NULL },
};

const struct pseudo_entry sys_entries[] = {
	{ .name = "kernel", .mode = S_IFDIR | 0555, .children = kernel_entries },
	{ .name = "vm", .mode = S_IFDIR | 0555, .children = vm_entries },
	{ .name = "fs", .mode = S_IFDIR | 0555, .children = fs_entries },
	{ .name = NULL },
};
