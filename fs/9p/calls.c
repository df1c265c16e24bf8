/* SPDX-License-Identifier: MIT */
/* The messages of 9P2000.L that are sent, each a function: fields in, fields out. */
#include "fs/vfs/device.h"
#include "lib/string.h"
#include "p9_internal.h"
#include "uapi/fcntl.h"
#include "uapi/statfs.h"

#define NO_FID	      0xffffffffu
#define GETATTR_BASIC 0x7ffu
#define READ_HEADER   11u /* size, type, tag, count */
#define AT_REMOVE_DIR 0x200u

static void
get_qid(struct p9_request *r, struct p9_qid *q)
{
	q->type = p9_get8(r);
	q->version = p9_get32(r);
	q->path = p9_get64(r);
}

static void
put_name(struct p9_request *r, const struct dentry *d)
{
	p9_put_bytes(r, d->name, d->name_len);
}

/* A call whose answer says nothing, or nothing of interest. */
static int
simple(struct p9_request *r)
{
	return p9_end(r, p9_call(r));
}

static struct p9_request *
begin_at(struct p9_fid *f, enum p9_type type)
{
	struct p9_request *r = p9_begin(f->client, type);

	p9_put32(r, f->number);
	return r;
}

/* The server knows the fid now, or it does not. */
static int
fid_made(struct p9_fid *f, int err, struct p9_fid **out)
{
	if (err)
		p9_fid_forget(f);
	else
		*out = f;
	return err;
}

int
p9_attach(struct p9_client *c, const char *user, const char *tree, u32 uid, struct p9_fid **out)
{
	struct p9_fid *f = p9_fid_create(c);
	struct p9_request *r;

	if (!f)
		return -ENOMEM;
	r = begin_at(f, P9_ATTACH);
	p9_put32(r, NO_FID);
	p9_put_string(r, user);
	p9_put_string(r, tree);
	p9_put32(r, uid);
	return fid_made(f, simple(r), out);
}

int
p9_walk(struct p9_fid *from, const char *name, u32 len, struct p9_qid *qid, struct p9_fid **out)
{
	struct p9_fid *f = p9_fid_create(from->client);
	struct p9_request *r;
	int err;

	if (!f)
		return -ENOMEM;
	r = begin_at(from, P9_WALK);
	p9_put32(r, f->number);
	p9_put16(r, name ? 1 : 0);
	if (name)
		p9_put_bytes(r, name, len);
	err = p9_call(r);
	if (!err) {
		u16 n = p9_get16(r);

		if (n != (name ? 1 : 0))
			err = -ENOENT;
		else if (name && qid)
			get_qid(r, qid);
	}
	return fid_made(f, p9_end(r, err), out);
}

static s64
get_time(struct p9_request *r)
{
	u64 sec = p9_get64(r), nsec = p9_get64(r);

	return (s64)(sec * NSEC_PER_SEC + nsec % NSEC_PER_SEC);
}

int
p9_getattr(struct p9_fid *f, struct p9_attr *a)
{
	struct p9_request *r = begin_at(f, P9_GETATTR);
	int err;

	p9_put64(r, GETATTR_BASIC);
	err = p9_call(r);
	if (!err) {
		(void)p9_get64(r); /* what is valid: the basic ones always are */
		get_qid(r, &a->qid);
		a->mode = p9_get32(r);
		a->uid = p9_get32(r);
		a->gid = p9_get32(r);
		a->nlink = p9_get64(r);
		a->rdev = p9_get64(r);
		a->size = p9_get64(r);
		(void)p9_get64(r); /* block size */
		a->blocks = p9_get64(r);
		a->times.atime = get_time(r);
		a->times.mtime = get_time(r);
		a->times.ctime = get_time(r);
		a->times.btime = get_time(r);
		if (a->size > INT64_MAX)
			err = -EIO;
	}
	return p9_end(r, err);
}

static void
put_time(struct p9_request *r, s64 ns)
{
	s64 sec = ns / (s64)NSEC_PER_SEC, rest = ns % (s64)NSEC_PER_SEC;

	if (rest < 0) {
		sec--;
		rest += (s64)NSEC_PER_SEC;
	}
	p9_put64(r, (u64)sec);
	p9_put64(r, (u64)rest);
}

int
p9_setattr(struct p9_fid *f, u32 valid, const struct attr_change *c)
{
	struct p9_request *r = begin_at(f, P9_SETATTR);

	p9_put32(r, valid);
	p9_put32(r, c->mode);
	p9_put32(r, c->uid);
	p9_put32(r, c->gid);
	p9_put64(r, c->size);
	put_time(r, c->atime);
	put_time(r, c->mtime);
	return simple(r);
}

int
p9_lopen(struct p9_fid *f, u32 flags)
{
	struct p9_request *r = begin_at(f, P9_LOPEN);
	int err;

	p9_put32(r, flags);
	err = simple(r);
	if (!err) {
		f->readable = (flags & O_ACCMODE) != O_WRONLY;
		f->writable = (flags & O_ACCMODE) != O_RDONLY;
	}
	return err;
}

int
p9_lcreate(struct p9_fid *f, const struct dentry *d, u32 flags, u32 mode, u32 gid)
{
	struct p9_request *r = begin_at(f, P9_LCREATE);
	int err;

	put_name(r, d);
	p9_put32(r, flags);
	p9_put32(r, mode);
	p9_put32(r, gid);
	err = simple(r);
	if (!err)
		f->readable = f->writable = true;
	return err;
}

int
p9_mkdir(struct p9_fid *dir, const struct dentry *d, u32 mode, u32 gid)
{
	struct p9_request *r = begin_at(dir, P9_MKDIR);

	put_name(r, d);
	p9_put32(r, mode);
	p9_put32(r, gid);
	return simple(r);
}

int
p9_mknod(struct p9_fid *dir, const struct dentry *d, u32 mode, devnum_t dev, u32 gid)
{
	struct p9_request *r = begin_at(dir, P9_MKNOD);

	put_name(r, d);
	p9_put32(r, mode);
	p9_put32(r, DEV_MAJOR(dev));
	p9_put32(r, DEV_MINOR(dev));
	p9_put32(r, gid);
	return simple(r);
}

int
p9_symlink(struct p9_fid *dir, const struct dentry *d, const char *target, u32 gid)
{
	struct p9_request *r = begin_at(dir, P9_SYMLINK);

	put_name(r, d);
	p9_put_string(r, target);
	p9_put32(r, gid);
	return simple(r);
}

int
p9_link(struct p9_fid *dir, struct p9_fid *old, const struct dentry *d)
{
	struct p9_request *r = begin_at(dir, P9_LINK);

	p9_put32(r, old->number);
	put_name(r, d);
	return simple(r);
}

int
p9_unlinkat(struct p9_fid *dir, const struct dentry *d, bool directory)
{
	struct p9_request *r = begin_at(dir, P9_UNLINKAT);

	put_name(r, d);
	p9_put32(r, directory ? AT_REMOVE_DIR : 0);
	return simple(r);
}

int
p9_renameat(struct p9_fid *from, const struct dentry *o, struct p9_fid *to, const struct dentry *n)
{
	struct p9_request *r = begin_at(from, P9_RENAMEAT);

	put_name(r, o);
	p9_put32(r, to->number);
	put_name(r, n);
	return simple(r);
}

int
p9_readlink(struct p9_fid *f, char *buf, size_t size)
{
	struct p9_request *r = begin_at(f, P9_READLINK);
	int err = p9_call(r);
	u32 len = 0;

	if (!err) {
		const char *text = p9_get_bytes(r, &len);

		len = (u32)MIN((size_t)len, size);
		memcpy(buf, text, len);
	}
	err = p9_end(r, err);
	return err ? err : (int)len;
}

int
p9_statfs(struct p9_fid *f, struct linux_statfs *st)
{
	struct p9_request *r = begin_at(f, P9_STATFS);
	int err = p9_call(r);

	if (!err) {
		u64 id;

		(void)p9_get32(r); /* the type there */
		st->f_bsize = p9_get32(r);
		st->f_blocks = p9_get64(r);
		st->f_bfree = p9_get64(r);
		st->f_bavail = p9_get64(r);
		st->f_files = p9_get64(r);
		st->f_ffree = p9_get64(r);
		id = p9_get64(r);
		st->f_fsid.val[0] = (s32)(u32)id;
		st->f_fsid.val[1] = (s32)(u32)(id >> 32);
		st->f_namelen = p9_get32(r);
	}
	return p9_end(r, err);
}

int
p9_fsync(struct p9_fid *f, bool datasync)
{
	struct p9_request *r = begin_at(f, P9_FSYNC);

	p9_put32(r, datasync);
	return simple(r);
}

int
p9_readdir(struct p9_fid *f, u64 from, struct page **pages, u32 len)
{
	struct p9_request *r = begin_at(f, P9_READDIR);
	u32 got = 0;
	int err;

	p9_put64(r, from);
	p9_put32(r, len);
	p9_put_pages(r, pages, 0, len, false, READ_HEADER);
	err = p9_call(r);
	if (!err) {
		got = p9_get32(r);
		if (got > len || r->written < READ_HEADER + got)
			err = -EIO;
	}
	err = p9_end(r, err);
	return err ? err : (int)got;
}

/* One message. */
static int
transfer_chunk(struct p9_fid *f, u64 pos, struct page **pages, u32 offset, u32 len, bool write)
{
	struct p9_request *r = begin_at(f, write ? P9_WRITE : P9_READ);
	u32 done = 0;
	int err;

	p9_put64(r, pos);
	p9_put32(r, len);
	p9_put_pages(r, pages, offset, len, write, READ_HEADER);
	err = p9_call(r);
	if (!err) {
		done = p9_get32(r);
		if (done > len || (!write && r->written < READ_HEADER + done))
			err = -EIO;
	}
	err = p9_end(r, err);
	return err ? err : (int)done;
}

ssize_t
p9_transfer(struct p9_fid *f, u64 pos, struct page **pages, size_t len, bool write)
{
	size_t done = 0;

	while (done < len) {
		u32 n = (u32)MIN(len - done, (size_t)f->client->chunk);
		int got = transfer_chunk(f, pos + done, pages + (done >> PAGE_SHIFT),
					 done & (PAGE_SIZE - 1), n, write);

		if (got < 0)
			return done ? (ssize_t)done : got;
		done += (u32)got;
		if (!got || (write && (u32)got < n))
			break;
	}
	return (ssize_t)done;
}

int
p9_xattrwalk(struct p9_fid *f, const char *name, struct p9_fid **out, u64 *size)
{
	struct p9_fid *x = p9_fid_create(f->client);
	struct p9_request *r;
	int err;

	if (!x)
		return -ENOMEM;
	r = begin_at(f, P9_XATTRWALK);
	p9_put32(r, x->number);
	p9_put_string(r, name);
	err = p9_call(r);
	if (!err)
		*size = p9_get64(r);
	return fid_made(x, p9_end(r, err), out);
}

int
p9_xattrcreate(struct p9_fid *f, const char *name, u64 size, u32 flags)
{
	struct p9_request *r = begin_at(f, P9_XATTRCREATE);

	p9_put_string(r, name);
	p9_put64(r, size);
	p9_put32(r, flags);
	return simple(r);
}
