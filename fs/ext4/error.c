/* SPDX-License-Identifier: MIT */
/*
 * What happens when the file system turns out to be damaged.
 *
 * Whoever finds it reports where, and gives up what he was doing with EUCLEAN (or EBADMSG for a
 * checksum). The report is logged, at most a few times in a while; the superblock gets a note (by a
 * work item: the finder may be anywhere inside a transaction); and errors= says whether the mount
 * goes on, becomes read-only, or stops the machine.
 */
#include <stdarg.h>

#include "core/panic.h"
#include "core/time.h"
#include "ext4_internal.h"
#include "lib/format.h"
#include "uapi/mount.h"

#define WINDOW_NS  (5 * NSEC_PER_SEC)
#define WINDOW_MAX 10u

static u32
seconds_now(void)
{
	return (u32)(time_coarse_real_ns() / NSEC_PER_SEC);
}

void
ext4_make_readonly(struct ext4_fs *fs)
{
	if (fs->super->flags & MS_RDONLY)
		return;
	fs->super->flags |= MS_RDONLY;
	log_err("EXT4-fs (%s): Remounting filesystem read-only\n", fs->dev->name);
}

void
ext4_journal_aborted(void *ctx, int error)
{
	struct ext4_fs *fs = ctx;

	log_err("EXT4-fs error (device %s): journal has aborted: error %d\n", fs->dev->name, error);
	fs->aborted = true;
	ext4_make_readonly(fs);
}

/* Worth a line in the log? */
static bool
may_log(struct ext4_fs *fs)
{
	u64 now = time_coarse_real_ns();

	if (now - fs->log_window > WINDOW_NS) {
		fs->log_window = now;
		fs->log_count = 0;
	}
	return fs->log_count++ < WINDOW_MAX;
}

int
ext4_report(struct ext4_fs *fs, int err, u32 ino, u64 block, const char *func, int line,
	    const char *fmt, ...)
{
	char text[160];
	va_list args;
	bool log;

	va_start(args, fmt);
	vscnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	spin_lock(&fs->error_lock);
	log = may_log(fs);
	if (!fs->error.count)
		fs->error.first_time = seconds_now();
	fs->error.count++;
	fs->error.ino = ino;
	fs->error.block = block;
	fs->error.line = (u32)line;
	fs->error.errno_value = (u32)-err;
	strscpy(fs->error.func, func, sizeof(fs->error.func));
	spin_unlock(&fs->error_lock);
	if (log)
		log_err("EXT4-fs error (device %s): %s:%d: inode #%u: block %lu: %s\n",
			fs->dev->name, func, line, ino, (unsigned long)block, text);
	switch (fs->options.errors) {
	case ERRORS_PANIC:
		if (!(fs->super->flags & MS_RDONLY))
			panic("EXT4-fs (device %s): panic forced after error", fs->dev->name);
		break;
	case ERRORS_RO:
		if (!(fs->super->flags & MS_RDONLY)) {
			fs->aborted = true;
			if (fs->journal)
				journal_abort(fs->journal, err);
			ext4_make_readonly(fs);
		}
		break;
	default: break;
	}
	(void)work_queue(&fs->error_work);
	return err;
}

/* The superblock's note of the errors since the last one. */
static void
note_errors(struct ext4_fs *fs, struct ext4_super_block *es)
{
	static const u8 codes[][2] = {
		{ EIO, 2 }, { ENOMEM, 3 }, { EBADMSG, 4 }, { EUCLEAN, 5 }, { ENOSPC, 6 },
	};
	struct ext4_error e;

	spin_lock(&fs->error_lock);
	e = fs->error;
	fs->error.count = 0;
	spin_unlock(&fs->error_lock);
	es->s_state |= EXT4_ERROR_FS;
	es->s_state &= (u16)~EXT4_VALID_FS;
	if (e.count) {
		u8 code = 1;

		for (u32 i = 0; i < ARRAY_SIZE(codes); i++)
			if (codes[i][0] == e.errno_value)
				code = codes[i][1];
		if (!es->s_error_count) {
			es->s_first_error_time = e.first_time;
			es->s_first_error_ino = e.ino;
			es->s_first_error_block = e.block;
			es->s_first_error_line = e.line;
			es->s_first_error_errcode = code;
			memcpy(es->s_first_error_func, e.func, sizeof(e.func));
		}
		es->s_error_count += e.count;
		es->s_last_error_time = seconds_now();
		es->s_last_error_ino = e.ino;
		es->s_last_error_block = e.block;
		es->s_last_error_line = e.line;
		es->s_last_error_errcode = code;
		memcpy(es->s_last_error_func, e.func, sizeof(e.func));
	}
	if (fs->has_csum)
		es->s_checksum = ext4_super_csum(es);
}

/*
 * With a working journal it is a change like others. Once it has aborted nothing else writes the
 * superblock, and it goes to its place directly.
 */
static void
write_errors(struct ext4_fs *fs)
{
	struct journal_handle *h;
	struct ext4_super_block *copy;

	if (block_device_bytes(fs->dev) == 0 || fs->dev->read_only)
		return;
	if (fs->journal && !journal_error(fs->journal)) {
		if (ext4_start_internal(fs, 1, &h))
			return;
		if (!ext4_access(h, fs->super_buffer)) {
			note_errors(fs, fs->es);
			(void)ext4_dirty(h, fs->super_buffer);
		}
		(void)ext4_stop(h);
		return;
	}
	copy = kmemdup(fs->es, sizeof(*copy), GFP_NOFS);
	if (!copy)
		return;
	note_errors(fs, copy);
	(void)block_rw(fs->dev, BIO_WRITE, EXT4_SUPER_OFFSET / SECTOR_SIZE, copy, sizeof(*copy));
	fs->es->s_state = copy->s_state;
	kfree(copy);
}

static void
error_work(struct work *w)
{
	write_errors(container_of(w, struct ext4_fs, error_work));
}

void
ext4_error_init(struct ext4_fs *fs)
{
	spin_init(&fs->error_lock, RANK_FS);
	work_init(&fs->error_work, error_work);
}

/* Before unmounting. */
void
ext4_errors_flush(struct ext4_fs *fs)
{
	work_flush(&fs->error_work);
}
