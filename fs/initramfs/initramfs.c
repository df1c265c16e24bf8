/* SPDX-License-Identifier: MIT */
/*
 * initramfs: unpacks what the loader gave us into the root file system. Buffer format: Linux's
 * early-userspace/buffer-format document.
 *
 * The image is a row of pieces: cpio archives ("newc"), each plain or gzip-compressed, with zero
 * bytes between them. Each piece's bytes go through one cpio_stream, whose callbacks make the
 * members. Names are relative to the root; a leading slash is dropped. A member that exists already
 * is replaced if it is no directory, as Linux does it, so later archives override earlier ones.
 *
 * Hard links: members of the same inode number with more than one link; the first one seen is made,
 * the others linked to it. The data comes with the last of them, the others are empty: data goes to
 * whichever has some.
 *
 * Times are restored: for directories at the end, when nothing is made in them any more.
 */
#include "fs/initramfs/initramfs.h"
#include "core/log.h"
#include "core/time.h"
#include "fs/vfs/device.h"
#include "fs/vfs/inode.h"
#include "fs/vfs/path.h"
#include "lib/cpio.h"
#include "lib/format.h"
#include "lib/hash.h"
#include "lib/inflate.h"
#include "lib/string.h"
#include "mm/slab.h"
#include "uapi/errno.h"

#define LINK_BUCKETS 64

/* A member with several names, or a directory whose times are due. */
struct remembered {
	struct remembered *next;
	u32 ino, dev_major, dev_minor;
	s64 mtime;
	char name[];
};

struct unpack {
	struct cpio_stream stream;
	struct file *file; /* open while its data comes */
	s64 mtime;	   /* of the member at hand */
	u64 written;
	char name[CPIO_NAME_MAX];
	char link[PATH_MAX]; /* body of the symlink at hand: data comes in pieces */
	size_t link_len;
	int err; /* why a callback stopped the stream */
	u64 members;
	struct remembered *links[LINK_BUCKETS];
	struct remembered *dirs;
};

static struct remembered *
remember(const struct cpio_entry *e, const char *name)
{
	size_t len = strlen(name) + 1;
	struct remembered *r = kmalloc(sizeof(*r) + len, GFP_KERNEL);

	if (!r)
		return NULL;
	r->ino = e->ino;
	r->dev_major = e->dev_major;
	r->dev_minor = e->dev_minor;
	r->mtime = (s64)e->mtime * (s64)NSEC_PER_SEC;
	memcpy(r->name, name, len);
	return r;
}

/* The name under which this member's inode was made before; or NULL, and it is remembered. */
static int
find_link(struct unpack *u, const struct cpio_entry *e, const char **first)
{
	struct remembered **bucket = &u->links[hash_u32(e->ino, 6)], *r;

	*first = NULL;
	for (r = *bucket; r; r = r->next)
		if (r->ino == e->ino && r->dev_major == e->dev_major &&
		    r->dev_minor == e->dev_minor) {
			*first = r->name;
			return 0;
		}
	r = remember(e, u->name);
	if (!r)
		return -ENOMEM;
	r->next = *bucket;
	*bucket = r;
	return 0;
}

/* --- making members --- */

static void
set_owner(struct inode *i, const struct cpio_entry *e)
{
	struct attr_change c = {
		.valid = ATTR_UID | ATTR_GID | ATTR_MODE | ATTR_ATIME | ATTR_MTIME |
			 ATTR_ATIME_SET | ATTR_MTIME_SET,
		.mode = e->mode,
		.uid = e->uid,
		.gid = e->gid,
		.atime = (s64)e->mtime * (s64)NSEC_PER_SEC,
		.mtime = (s64)e->mtime * (s64)NSEC_PER_SEC,
	};

	if (S_ISLNK(i->mode))
		c.valid &= ~(u32)ATTR_MODE;
	rwsem_write_lock(&i->lock);
	if (i->ops->setattr)
		(void)i->ops->setattr(i, &c);
	else
		(void)setattr_generic(i, &c);
	rwsem_write_unlock(&i->lock);
}

/* Begin making u->name; what is there and is no directory goes first. */
static int
create_begin(struct unpack *u, bool directory, struct path_create *pc)
{
	int err = strcmp(u->name, ".") ? path_create_begin(AT_FDCWD, u->name, directory, pc)
				       : -EEXIST;

	if (err != -EEXIST)
		return err;
	if (directory) {
		struct path p;

		err = path_lookup(AT_FDCWD, u->name, WALK_DIRECTORY, &p);
		if (!err) {
			path_put(&p);
			return -EEXIST;
		}
	}
	err = vfs_remove_kernel(u->name);
	return err ? err : path_create_begin(AT_FDCWD, u->name, directory, pc);
}

static int
make_dir(struct unpack *u, const struct cpio_entry *e)
{
	struct path_create pc;
	struct remembered *r;
	struct path p;
	int err = create_begin(u, true, &pc);

	if (!err) {
		err = vfs_mkdir(&pc, e->mode);
		path_create_done(&pc);
	} else if (err == -EEXIST) {
		err = 0;
	}
	if (err)
		return err;
	err = path_lookup(AT_FDCWD, u->name, WALK_DIRECTORY, &p);
	if (err)
		return err;
	set_owner(p.dentry->inode, e);
	path_put(&p);
	r = remember(e, u->name);
	if (!r)
		return -ENOMEM;
	r->next = u->dirs;
	u->dirs = r;
	return 0;
}

static int
make_special(struct unpack *u, const struct cpio_entry *e)
{
	struct path_create pc;
	int err = create_begin(u, false, &pc);

	if (err)
		return err;
	err = vfs_mknod(
		&pc, e->mode,
		S_ISCHR(e->mode) || S_ISBLK(e->mode) ? DEV_MAKE(e->rdev_major, e->rdev_minor) : 0);
	if (!err)
		set_owner(pc.dentry->inode, e);
	path_create_done(&pc);
	return err;
}

/* Opens u->file for the data. */
static int
make_file(struct unpack *u, const struct cpio_entry *e)
{
	const char *first = NULL;
	int err = 0;

	if (e->nlink > 1)
		err = find_link(u, e, &first);
	if (err)
		return err;
	if (first && strcmp(first, u->name)) {
		struct path_create pc;

		err = create_begin(u, false, &pc);
		if (err)
			return err;
		err = vfs_link_kernel(first, &pc);
		path_create_done(&pc);
		if (err || !e->size)
			return err;
	} else if (!first) {
		struct path_create pc;

		err = create_begin(u, false, &pc);
		if (err)
			return err;
		err = vfs_mknod(&pc, S_IFREG | (e->mode & S_IALLUGO), 0);
		path_create_done(&pc);
		if (err)
			return err;
	}
	err = file_open(AT_FDCWD, u->name, O_WRONLY | O_NOFOLLOW | (first ? O_TRUNC : 0), 0,
			&u->file);
	if (err)
		return err;
	u->written = 0;
	u->mtime = (s64)e->mtime * (s64)NSEC_PER_SEC;
	set_owner(u->file->inode, e);
	return 0;
}

/* --- callbacks of the stream --- */

static int
stop(struct unpack *u, int err)
{
	u->err = err;
	return err;
}

static int
on_member(void *context, const struct cpio_entry *e)
{
	struct unpack *u = context;
	const char *name = e->name;
	int err = 0;

	while (*name == '/' || (name[0] == '.' && name[1] == '/'))
		name++;
	if (!*name)
		name = ".";
	strscpy(u->name, name, sizeof(u->name));
	u->members++;
	switch (e->mode & S_IFMT) {
	case S_IFREG: err = make_file(u, e); break;
	case S_IFDIR: err = make_dir(u, e); break;
	case S_IFLNK:
		if (e->size >= PATH_MAX)
			err = -ENAMETOOLONG;
		u->link_len = 0;
		break;
	case S_IFCHR:
	case S_IFBLK:
	case S_IFIFO:
	case S_IFSOCK: err = make_special(u, e); break;
	default: err = -EINVAL;
	}
	return stop(u, err);
}

static int
on_data(void *context, const void *data, size_t size)
{
	struct unpack *u = context;
	ssize_t n;

	if (S_ISLNK(u->stream.entry.mode)) {
		memcpy(u->link + u->link_len, data, size);
		u->link_len += size;
		return 0;
	}
	if (!u->file)
		return 0; /* data of a member that has none */
	n = file_write_kernel(u->file, data, size, u->written);
	if (n < 0)
		return stop(u, (int)n);
	if ((size_t)n < size)
		return stop(u, -ENOSPC);
	u->written += size;
	return 0;
}

static int
make_link(struct unpack *u)
{
	struct path_create pc;
	int err;

	u->link[u->link_len] = '\0';
	if (!u->link[0])
		return -EINVAL;
	err = create_begin(u, false, &pc);
	if (err)
		return err;
	err = vfs_symlink(&pc, u->link);
	if (!err)
		set_owner(pc.dentry->inode, &u->stream.entry);
	path_create_done(&pc);
	return err;
}

static int
on_end(void *context)
{
	struct unpack *u = context;

	if (S_ISLNK(u->stream.entry.mode))
		return stop(u, make_link(u));
	if (u->file) {
		struct inode *i = u->file->inode;

		rwsem_write_lock(&i->lock);
		i->times.mtime = u->mtime;
		rwsem_write_unlock(&i->lock);
		file_put(u->file);
		u->file = NULL;
	}
	return 0;
}

/* Inode numbers of another archive are other files. */
static int
on_trailer(void *context)
{
	struct unpack *u = context;

	for (u32 i = 0; i < LINK_BUCKETS; i++) {
		struct remembered *r;

		while ((r = u->links[i])) {
			u->links[i] = r->next;
			kfree(r);
		}
	}
	return 0;
}

static const struct cpio_stream_ops stream_ops = {
	.member = on_member,
	.data = on_data,
	.end = on_end,
	.trailer = on_trailer,
};

/* --- pieces --- */

/* The reason in words, for the log. */
static void
complain(struct unpack *u, const char *what, enum cpio_result result, size_t at)
{
	const char *member = u->name[0] ? u->name : "(none yet)";

	if (result == CPIO_STOPPED)
		log_err("initramfs: cannot make \"%s\": error %d (at byte %zu of the image)\n",
			member, -u->err, at);
	else
		log_err("initramfs: %s (at byte %zu of the image, after member \"%s\")\n", what, at,
			member);
}

struct inflated {
	struct unpack *u;
	enum cpio_result result;
};

static int
on_inflated(void *context, const void *data, size_t size)
{
	struct inflated *z = context;

	z->result = cpio_stream_write(&z->u->stream, data, size);
	return z->result == CPIO_OK ? 0 : -EINVAL;
}

static int
unpack_gzip(struct unpack *u, const u8 *data, size_t len, size_t *used, size_t at)
{
	struct inflate *z = kvmalloc(sizeof(*z), GFP_KERNEL);
	struct inflated out = { u, CPIO_OK };
	enum inflate_result result;

	if (!z)
		return -ENOMEM;
	result = inflate_gzip(z, data, len, used, on_inflated, &out);
	kvfree(z);
	if (result == INFLATE_OK)
		return 0;
	if (result == INFLATE_STOPPED)
		complain(u, cpio_result_name(out.result), out.result, at + *used);
	else
		complain(u, inflate_result_name(result), CPIO_OK, at + *used);
	return -EINVAL;
}

/* One plain archive: its end is found first, for a compressed one may follow at once. */
static int
unpack_plain(struct unpack *u, const u8 *data, size_t len, size_t *used, size_t at)
{
	enum cpio_result result;
	struct cpio_entry e;
	size_t end = 0;

	do
		result = cpio_next(data, len, &end, &e);
	while (result == CPIO_OK);
	if (result != CPIO_END)
		end = len; /* the stream will say what is wrong */
	result = cpio_stream_write(&u->stream, data, end);
	*used = end;
	if (result == CPIO_OK)
		return 0;
	complain(u, cpio_result_name(result), result, at + u->stream.position);
	return -EINVAL;
}

static void
restore_dir_times(struct unpack *u)
{
	struct remembered *r;

	while ((r = u->dirs)) {
		struct path p;

		u->dirs = r->next;
		if (!path_lookup(AT_FDCWD, r->name, 0, &p)) {
			p.dentry->inode->times.mtime = r->mtime;
			path_put(&p);
		}
		kfree(r);
	}
}

int
initramfs_unpack(const void *image, size_t len)
{
	struct unpack *u = kvmalloc(sizeof(*u), GFP_KERNEL | GFP_ZERO);
	const u8 *data = image;
	u64 start = time_mono_ns();
	size_t at = 0, used;
	int err = 0;

	if (!u) {
		log_err("initramfs: no memory to unpack it\n");
		return -ENOMEM;
	}
	cpio_stream_init(&u->stream, &stream_ops, u);
	while (!err && at < len) {
		if (!data[at]) {
			at++; /* padding between archives */
			continue;
		}
		if (inflate_is_gzip(data + at, len - at))
			err = unpack_gzip(u, data + at, len - at, &used, at);
		else
			err = unpack_plain(u, data + at, len - at, &used, at);
		at += used;
	}
	if (!err && cpio_stream_finish(&u->stream) != CPIO_OK) {
		complain(u, cpio_result_name(CPIO_TRUNCATED), CPIO_TRUNCATED, at);
		err = -EINVAL;
	}
	if (u->file)
		file_put(u->file);
	on_trailer(u);
	restore_dir_times(u);
	log_info("initramfs: %lu members in %lu ms\n", u->members,
		 (time_mono_ns() - start) / NSEC_PER_MSEC);
	if (err && u->err)
		err = u->err;
	kvfree(u);
	return err;
}
