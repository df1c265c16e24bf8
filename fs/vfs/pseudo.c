/* SPDX-License-Identifier: MIT */
/*
 * Pseudo files: trees described by tables (fs/vfs/pseudo.h). proc, sys and cgroup are made of
 * these.
 *
 * An inode remembers its entry (inode->entry) and the context its callbacks get (inode->private). A
 * directory finds a name in its table, then in tables that were added to it at run time, then by
 * its dynamic lookup. Contexts are counted by the tree's pseudo_ctx_ops: every inode of the tree
 * holds one count, except those of added tables, whose context is for ever.
 *
 * Names that come and go (pids) are volatile: they are looked up again at each use, and everything
 * below them follows the owner that this look-up tells, for a process may change its ids. Missing
 * names are never cached.
 *
 * A text is made as a whole when it is read from position 0, so one reader sees one moment; it is
 * kept with the open file.
 */
#include "fs/vfs/pseudo.h"
#include "core/panic.h"
#include "fs/vfs/poll.h"
#include "lib/format.h"
#include "lib/hash.h"
#include "uapi/dirent.h"
#include "uapi/epoll.h"
#include "vfs_internal.h"

#define TEXT_FIRST    1024
#define TEXT_MAX      (64ul << 20)
#define STORE_MAX     (64ul << 10)
#define DYNAMIC_FIRST 4096 /* positions of dynamic names begin here */

struct pseudo_super {
	const struct pseudo_ctx_ops *cops;
};

/* A table added to the directory of an entry. Only ever grows: read without a lock. */
struct extension {
	const struct pseudo_entry *dir, *table;
	void *ctx;
	struct extension *next;
};

struct declared {
	const struct fs_type *type;
	const struct pseudo_entry *root;
	struct declared *next;
};

static struct mutex tables_lock = MUTEX_INIT(tables_lock, RANK_SLEEP_LEAF);
static struct extension *extensions;
static struct declared *declared_types;

static const struct inode_ops dir_ops, dir_permission_ops, plain_ops, permission_ops;
static const struct inode_ops link_ops, magic_link_ops;
static const struct file_ops dir_file_ops, text_file_ops;
static const struct super_ops pseudo_super_ops;

static const struct pseudo_ctx_ops *
cops_of(const struct super *s)
{
	return ((struct pseudo_super *)s->private)->cops;
}

static void
ctx_get(const struct super *s, void *ctx)
{
	if (ctx && cops_of(s) && cops_of(s)->get)
		cops_of(s)->get(ctx);
}

static void
ctx_put(const struct super *s, void *ctx)
{
	if (ctx && cops_of(s) && cops_of(s)->put)
		cops_of(s)->put(ctx);
}

/* --- tables --- */

static const struct pseudo_entry *
table_find(const struct pseudo_entry *e, const char *name, size_t len)
{
	for (; e && e->name; e++)
		if (strlen(e->name) == len && !memcmp(e->name, name, len))
			return e;
	return NULL;
}

static struct extension *
extension_next(struct extension *x, const struct pseudo_entry *dir)
{
	while (x && x->dir != dir)
		x = smp_load_acquire(&x->next);
	return x;
}

#define extension_for_each(x, of_dir)                                          \
	for ((x) = extension_next(smp_load_acquire(&extensions), of_dir); (x); \
	     (x) = extension_next(smp_load_acquire(&(x)->next), of_dir))

static const struct pseudo_entry *
child_find(const struct pseudo_entry *dir, const char *name, size_t len, struct extension **from)
{
	const struct pseudo_entry *e = table_find(dir->children, name, len);
	struct extension *x;

	*from = NULL;
	if (e)
		return e;
	extension_for_each(x, dir)
	{
		e = table_find(x->table, name, len);
		if (e) {
			*from = x;
			return e;
		}
	}
	return NULL;
}

int
pseudo_declare(const struct fs_type *type, const struct pseudo_entry *root)
{
	struct declared *k;
	int err = 0;

	mutex_lock(&tables_lock);
	for (k = declared_types; k && k->type != type; k = k->next)
		;
	if (!k) {
		k = kmalloc(sizeof(*k), GFP_KERNEL);
		if (k) {
			*k = (struct declared){ type, root, declared_types };
			declared_types = k;
		} else {
			err = -ENOMEM;
		}
	}
	mutex_unlock(&tables_lock);
	return err;
}

int
pseudo_extend(const struct fs_type *type, const char *path, const struct pseudo_entry *table,
	      void *ctx)
{
	const struct pseudo_entry *dir = NULL;
	struct extension *x = kmalloc(sizeof(*x), GFP_KERNEL), *from;

	if (!x)
		return -ENOMEM;
	mutex_lock(&tables_lock);
	for (struct declared *k = declared_types; k; k = k->next)
		if (k->type == type)
			dir = k->root;
	while (dir && *path) {
		size_t len = (size_t)(strchrnul(path, '/') - path);

		dir = child_find(dir, path, len, &from);
		path += len;
		while (*path == '/')
			path++;
	}
	if (dir) {
		*x = (struct extension){ dir, table, ctx, extensions };
		smp_store_release(&extensions, x);
	}
	mutex_unlock(&tables_lock);
	if (!dir)
		kfree(x);
	return dir ? 0 : -ENOENT;
}

/* --- inodes --- */

/* The same in readdir and stat, as long as the entry and its context are the same. */
static u64
number_of(const struct pseudo_entry *e, const void *ctx)
{
	return (hash_mix((u64)(uintptr_t)e, (u64)(uintptr_t)ctx) & 0x7fffffff) | 0x10000;
}

/* Takes over the count of node->ctx, also on failure. */
static struct inode *
make_inode(struct super *s, const struct pseudo_node *node)
{
	const struct pseudo_entry *e = node->entry;
	const struct inode_ops *ops = e->permission ? &permission_ops : &plain_ops;
	const struct file_ops *fops = e->fops ? e->fops : &text_file_ops;
	struct inode *i;

	if (S_ISDIR(e->mode)) {
		ops = e->permission ? &dir_permission_ops : &dir_ops;
		fops = e->fops ? e->fops : &dir_file_ops;
	} else if (S_ISLNK(e->mode)) {
		ops = e->follow ? &magic_link_ops : &link_ops;
		fops = NULL;
	}
	i = inode_create(s, ops, fops, e->mode, node->ino ? node->ino : number_of(e, node->ctx));
	if (!i) {
		if (!node->static_ctx)
			ctx_put(s, node->ctx);
		return NULL;
	}
	i->entry = e;
	i->private = node->ctx;
	i->uid = node->uid;
	i->gid = node->gid;
	if (S_ISDIR(e->mode)) {
		i->nlink = 2;
		for (const struct pseudo_entry *c = e->children; c && c->name; c++)
			i->nlink += S_ISDIR(c->mode) ? 1 : 0;
	}
	return i;
}

static void
pseudo_evict(struct inode *i)
{
	if (!(i->flags & INODE_STATIC_CTX))
		ctx_put(i->super, i->private);
}

/* --- directories --- */

static int
pseudo_lookup(struct inode *dir, struct dentry *d)
{
	const struct pseudo_entry *parent = dir->entry;
	struct pseudo_node node = { .uid = dir->uid, .gid = dir->gid };
	struct extension *from;
	struct inode *i;
	int err = -ENOENT;

	node.entry = child_find(parent, d->name, d->name_len, &from);
	if (node.entry) {
		node.ctx = from ? from->ctx : dir->private;
		if (!from && !(dir->flags & INODE_STATIC_CTX))
			ctx_get(dir->super, node.ctx);
		err = 0;
	} else if (parent->lookup_dynamic) {
		err = parent->lookup_dynamic(dir->private, d->name, d->name_len, &node);
	}
	if (err) {
		d->flags |= DENTRY_REVALIDATE | DENTRY_NO_CACHE;
		if (err == -ENOENT && !(dir->super->type->flags & FS_NO_NEW_NAMES))
			err = 0;
		return err;
	}
	i = make_inode(dir->super, &node);
	if (!i)
		return -ENOMEM;
	if (from || node.static_ctx ||
	    ((dir->flags & INODE_STATIC_CTX) && node.ctx == dir->private))
		i->flags |= INODE_STATIC_CTX;
	if (node.volatile_name || (dir->flags & INODE_VOLATILE)) {
		i->flags |= INODE_VOLATILE;
		d->flags |= DENTRY_REVALIDATE | DENTRY_NO_CACHE;
	}
	dentry_add(d, i);
	return 0;
}

static int
pseudo_revalidate(struct inode *dir, struct dentry *d)
{
	struct inode *i = d->inode;
	struct pseudo_node node = { .uid = dir->uid, .gid = dir->gid };
	struct extension *from;
	int err;

	if (!i)
		return 0;
	if (child_find(dir->entry, d->name, d->name_len, &from)) {
		i->uid = dir->uid;
		i->gid = dir->gid;
		return 1;
	}
	if (!dir->entry->lookup_dynamic)
		return 0;
	err = dir->entry->lookup_dynamic(dir->private, d->name, d->name_len, &node);
	if (err)
		return err == -ENOENT ? 0 : err;
	if (!node.static_ctx)
		ctx_put(dir->super, node.ctx);
	if (node.entry != i->entry || node.ctx != i->private)
		return 0;
	i->uid = node.uid;
	i->gid = node.gid;
	return 1;
}

/* Entries of one table, whose first has position `first`. False: the reader's buffer is full. */
static bool
emit_table(struct dir_context *ctx, const struct pseudo_entry *table, const void *entry_ctx,
	   u64 first, u64 *end)
{
	u64 pos = first;

	for (const struct pseudo_entry *e = table; e && e->name; e++, pos++) {
		if (ctx->pos > pos)
			continue;
		if (!ctx->emit(ctx, e->name, strlen(e->name), number_of(e, entry_ctx),
			       DT_OF_MODE(e->mode), pos + 1))
			return false;
		ctx->pos = pos + 1;
	}
	*end = pos;
	return true;
}

static int
pseudo_readdir(struct file *f, struct dir_context *ctx)
{
	struct inode *dir = f->inode;
	const struct pseudo_entry *e = dir->entry;
	struct extension *x;
	u64 pos;

	if (ctx->pos == 0) {
		if (!ctx->emit(ctx, ".", 1, dir->ino, DT_DIR, 1))
			return 0;
		ctx->pos = 1;
	}
	if (ctx->pos == 1) {
		struct dentry *parent = dentry_get_parent(f->path.dentry);
		bool more = ctx->emit(ctx, "..", 2, parent->inode->ino, DT_DIR, 2);

		dentry_put(parent);
		if (!more)
			return 0;
		ctx->pos = 2;
	}
	if (!emit_table(ctx, e->children, dir->private, 2, &pos))
		return 0;
	extension_for_each(x, e) if (!emit_table(ctx, x->table, x->ctx, pos, &pos)) return 0;
	if (!e->readdir_dynamic)
		return 0;
	ctx->pos = MAX(ctx->pos, (u64)DYNAMIC_FIRST);
	return e->readdir_dynamic(dir->private, ctx, DYNAMIC_FIRST);
}

/* --- attributes and links --- */

static int
pseudo_permission(struct inode *i, int mask)
{
	return i->entry->permission(i->private, mask);
}

static int
pseudo_setattr(struct inode *i, const struct attr_change *c)
{
	struct attr_change rest = *c;

	if ((c->valid & ATTR_MODE) && (i->flags & INODE_VOLATILE))
		return -EPERM;
	rest.valid &= ~ATTR_SIZE; /* O_TRUNC before a write: nothing to cut */
	return setattr_generic(i, &rest);
}

static int
pseudo_get_link(struct inode *i, char *buf, size_t size)
{
	return i->entry->link ? i->entry->link(buf, size, i->private) : -EINVAL;
}

static int
pseudo_follow_link(struct inode *i, struct path *out)
{
	return i->entry->follow(i->private, out);
}

/* --- texts --- */

struct text {
	struct mutex lock;
	char *buf;
	size_t len, size;
};

static int
text_open(struct file *f)
{
	const struct pseudo_entry *e = f->inode->entry;
	struct text *t;

	if ((f->mode & FMODE_READ) && !e->show && !e->store)
		return -EACCES;
	t = kzalloc(sizeof(*t), GFP_KERNEL);
	if (!t)
		return -ENOMEM;
	mutex_init(&t->lock, RANK_PSEUDO_TEXT);
	if (e->changes) {
		struct wait_queue *woken;

		f->version = e->changes(f->inode->private, &woken);
	}
	f->private = t;
	f->mode |= FMODE_NO_SYNC;
	return 0;
}

static void
text_release(struct file *f)
{
	struct text *t = f->private;

	kvfree(t->buf);
	kfree(t);
}

/* t->lock held. Who brings a page expects as much: the text need not be made twice. */
static int
text_make(struct text *t, struct inode *i, size_t wanted)
{
	size_t size = t->size ? t->size : wanted < PAGE_SIZE ? TEXT_FIRST : PAGE_SIZE;

	t->len = 0;
	for (;;) {
		struct strbuf sb;
		int err;

		if (t->size < size) {
			kvfree(t->buf);
			t->size = 0;
			t->buf = kvmalloc(size, GFP_KERNEL);
			if (!t->buf)
				return -ENOMEM;
			t->size = size;
		}
		strbuf_init(&sb, t->buf, t->size);
		err = i->entry->show(&sb, i->private);
		if (err)
			return err;
		if (!sb.overflow) {
			t->len = sb.len;
			return 0;
		}
		if (size >= TEXT_MAX)
			return -ENOMEM;
		size *= 4;
	}
}

static ssize_t
text_read(struct file *f, struct iov_iter *it, u64 *pos)
{
	struct text *t = f->private;
	ssize_t done = 0;

	if (!f->inode->entry->show)
		return -EINVAL;
	mutex_lock(&t->lock);
	if (*pos == 0 || !t->buf)
		done = text_make(t, f->inode, iter_count(it));
	if (!done && *pos < t->len && iter_count(it)) {
		size_t n = MIN(iter_count(it), t->len - *pos);

		done = (ssize_t)iter_copy_to(it, t->buf + *pos, n);
		*pos += (u64)done;
		if (!done)
			done = -EFAULT;
	}
	mutex_unlock(&t->lock);
	return done;
}

static ssize_t
text_write(struct file *f, struct iov_iter *it, u64 *pos)
{
	const struct pseudo_entry *e = f->inode->entry;
	size_t len = iter_count(it);
	ssize_t ret;
	char *text;

	if (!e->store && !e->store_by)
		return -EIO;
	if (len > STORE_MAX)
		return -E2BIG;
	text = kvmalloc(len + 1, GFP_KERNEL);
	if (!text)
		return -ENOMEM;
	if (iter_copy_from(it, text, len) != len) {
		ret = -EFAULT;
	} else {
		text[len] = '\0';
		ret = e->store_by ? e->store_by(f->inode->private, f->cred, text, len)
				  : e->store(f->inode->private, text, len);
		if (ret > 0)
			*pos += (u64)ret;
	}
	kvfree(text);
	return ret;
}

/* --- super blocks --- */

static void
pseudo_put(struct super *s)
{
	kfree(s->private);
}

int
pseudo_super_create(const struct fs_type *type, u64 magic, const struct pseudo_entry *root,
		    void *ctx, const struct pseudo_ctx_ops *cops, struct super **out)
{
	struct pseudo_node node = { .entry = root, .ctx = ctx, .ino = 1 };
	struct pseudo_super *ps;
	struct super *s;
	struct inode *i;
	int err = pseudo_declare(type, root);

	if (err)
		return err;
	ps = kmalloc(sizeof(*ps), GFP_KERNEL);
	if (!ps)
		return -ENOMEM;
	ps->cops = cops;
	s = super_create(type, &pseudo_super_ops, magic);
	if (!s) {
		kfree(ps);
		return -ENOMEM;
	}
	s->private = ps;
	s->block_size = 1024;
	ctx_get(s, ctx);
	i = make_inode(s, &node);
	if (i) {
		s->root = dentry_create_root(s, i);
		if (!s->root)
			inode_put(i);
	}
	if (!s->root) {
		super_put(s);
		return -ENOMEM;
	}
	*out = s;
	return 0;
}

static const struct super_ops pseudo_super_ops = {
	.evict = pseudo_evict,
	.revalidate = pseudo_revalidate,
	.put = pseudo_put,
};

static const struct inode_ops dir_ops = {
	.lookup = pseudo_lookup,
	.setattr = pseudo_setattr,
};

static const struct inode_ops dir_permission_ops = {
	.lookup = pseudo_lookup,
	.setattr = pseudo_setattr,
	.permission = pseudo_permission,
};

static const struct inode_ops plain_ops = {
	.setattr = pseudo_setattr,
};

static const struct inode_ops permission_ops = {
	.setattr = pseudo_setattr,
	.permission = pseudo_permission,
};

static const struct inode_ops link_ops = {
	.get_link = pseudo_get_link,
	.setattr = pseudo_setattr,
};

static const struct inode_ops magic_link_ops = {
	.get_link = pseudo_get_link,
	.follow_link = pseudo_follow_link,
	.setattr = pseudo_setattr,
};

static const struct file_ops dir_file_ops = {
	.readdir = pseudo_readdir,
	.seek = file_seek_pos,
};

/* Always ready, and said so: epoll takes a file only if it can be asked. */
static u32
text_poll(struct file *f, struct poll_table *pt)
{
	const struct pseudo_entry *e = f->inode->entry;
	u32 mask = EPOLLIN | EPOLLOUT | EPOLLRDNORM | EPOLLWRNORM;
	struct wait_queue *woken;

	if (!e->changes)
		return mask;
	(void)e->changes(f->inode->private, &woken);
	poll_wait(f, woken, pt);
	u64 now = e->changes(f->inode->private, &woken);
	if (now != __atomic_exchange_n(&f->version, now, __ATOMIC_RELAXED))
		mask |= EPOLLERR | EPOLLPRI;
	return mask & ~(u32)(EPOLLOUT | EPOLLWRNORM);
}

static const struct file_ops text_file_ops = {
	.poll = text_poll,
	.open = text_open,
	.release = text_release,
	.read = text_read,
	.write = text_write,
	.seek = file_seek_pos,
};
