/* SPDX-License-Identifier: MIT */
/*
 * Path walk: from a name to a place, a (mount, dentry) pair. path_resolution(7), openat2(2),
 * symlink(7).
 *
 * 1. Two modes, one algorithm. Every walk first goes in RCU mode: it takes no reference, no lock,
 * writes nothing that others read, and ends inside the RCU section with the place and its inode in
 * hand. Whatever RCU mode cannot decide (a name not in the cache, a file system that wants to be
 * asked, a change under its feet) makes it give up with -ECHILD, and the walk starts again in ref
 * mode, which holds references on where it stands and may sleep. Ref mode is complete; RCU mode is
 * the same walk on the cached part.
 *
 * 2. Why RCU mode is right. Dentries, inodes, mounts and link texts are freed after a grace period,
 * so every pointer met is good to read. For every dentry stepped on the walk reads its sequence
 * first, then parent, name and inode, and checks the sequence of the child after reading the child,
 * then that of the parent: at that moment the parent really had this child. Steps across mounts are
 * checked once, at the end, by the sequence of the mount tree; so are errors. Thus the walk, if it
 * is accepted, equals a walk in which each step was true at some moment, in order: exactly what ref
 * mode guarantees.
 *
 * 3. One walk is a loop of two phases. walk_parent goes as far as the last component and leaves it
 * in w->last, which is what creat, unlink and rename need. walk_last resolves it. If that finds a
 * symbolic link to be followed, the link's body becomes the name, and the loop goes on. Links
 * inside the path push what is left of the current name on a stack and walk the body first; a link
 * that ends a body replaces it (no stack growth). 40 links in all, then ELOOP.
 *
 * 4. A name with trailing slashes wants a directory and follows a final link, whatever the flags
 * say.
 *
 * 5. ".." stops at the root of the walk (the task's, or the start directory with RESOLVE_BENEATH
 * and RESOLVE_IN_ROOT), climbs from a mount's root to its mount point, and enters what is mounted
 * on the directory it arrives at. With a scoped root, a rename or mount that happened meanwhile
 * could have carried us out: such walks check both sequences after each ".." and say EAGAIN, as
 * openat2(2) has it.
 *
 * 6. Magic links (/proc/PID/fd/N) jump to a place instead of having a body. RCU mode leaves them to
 * ref mode.
 *
 * Order of errors in one component, as Linux has it: search permission of the directory (EACCES),
 * length (ENAMETOOLONG), existence (ENOENT), directory where one is needed (ENOTDIR).
 */
#include "uapi/mount.h"
#include "vfs_internal.h"

/* What link bodies in use live in, and what is left of the names around them. */
struct walk_links {
	const char *rest[MAX_SYMLINKS];
	struct inode *inodes[MAX_SYMLINKS]; /* bodies in inode->link */
	char *bodies[MAX_SYMLINKS];	    /* bodies made by get_link */
	u32 count;
};

/* --- names from user space --- */

int
path_name_get(struct path_name *n, user_ptr path, bool may_be_empty)
{
	ssize_t len = strncpy_from_user(n->small, path, sizeof(n->small));

	n->text = n->small;
	if (unlikely(len == -ENAMETOOLONG)) {
		n->text = kmalloc(PATH_MAX, GFP_KERNEL);
		if (!n->text)
			return -ENOMEM;
		len = strncpy_from_user(n->text, path, PATH_MAX);
		if (len < 0)
			kfree(n->text);
	}
	if (unlikely(len < 0))
		return (int)len;
	if (unlikely(len == 0) && !may_be_empty)
		return -ENOENT;
	return 0;
}

void
path_name_put(struct path_name *n)
{
	if (unlikely(n->text != n->small))
		kfree(n->text);
}

/* --- begin and end --- */

static inline bool
scoped(const struct walk *w)
{
	return w->flags & (WALK_BENEATH | WALK_IN_ROOT);
}

static int
begin_at_fd(struct walk *w, int dirfd, const char *name)
{
	w->dir = fd_lookup_path(dirfd);
	if (!w->dir.file)
		return -EBADF;
	if (*name && !S_ISDIR(w->dir.file->inode->mode))
		return -ENOTDIR;
	w->at = w->dir.file->path;
	return 0;
}

/* RCU mode: copy root and, if wanted, cwd as they were together. */
static void
begin_paths_rcu(struct walk *w, bool cwd)
{
	struct fs_context *fs = current_fs();
	u32 seq;

	do {
		seq = seq_read_begin(&fs->seq);
		w->root = fs->root;
		if (cwd)
			w->at = fs->cwd;
	} while (seq_read_retry(&fs->seq, seq));
}

int
walk_begin(struct walk *w, int dirfd, const char *name, u32 flags, bool rcu)
{
	bool absolute = name[0] == '/', use_cwd;
	int err = 0;

	w->flags = flags;
	w->rcu = rcu;
	w->trailing_slash = false;
	w->dir = (struct fd_ref){ NULL, false };
	w->name = name;
	w->links = w->depth = 0;
	w->held = NULL;
	w->at = w->root = (struct path){ NULL, NULL };
	if (unlikely(scoped(w))) {
		if (absolute && (flags & WALK_BENEATH))
			err = -EXDEV;
		absolute = false;
	}
	use_cwd = !absolute && dirfd == AT_FDCWD;
	if (!err && !absolute && !use_cwd)
		err = begin_at_fd(w, dirfd, name);

	if (rcu) {
		rcu_read_lock();
		w->mount_seq = seq_read_begin(&mount_seq);
		begin_paths_rcu(w, use_cwd);
		if (absolute)
			w->at = w->root;
	} else {
		w->mount_seq = seq_read_begin(&mount_seq);
		w->rename_seq = seq_read_begin(&rename_seq);
		if (w->at.mnt)
			path_get(&w->at);
		fs_context_paths(current_fs(), &w->root, use_cwd ? &w->at : NULL);
		if (absolute) {
			w->at = w->root;
			path_get(&w->at);
		}
	}
	if (err)
		return err;
	if (unlikely(scoped(w))) {
		if (!rcu) {
			path_put(&w->root);
			path_get(&w->at);
		}
		w->root = w->at;
	}
	w->seq = dentry_seq(w->at.dentry);
	w->inode = READ_ONCE(w->at.dentry->inode);
	if (rcu && (!w->inode || dentry_seq_changed(w->at.dentry, w->seq)))
		return -ECHILD;
	return 0;
}

static void
links_free(struct walk_links *l)
{
	for (u32 i = 0; i < l->count; i++) {
		if (l->inodes[i])
			inode_put(l->inodes[i]);
		kfree(l->bodies[i]);
	}
	kfree(l);
}

void
walk_end(struct walk *w)
{
	if (w->rcu) {
		rcu_read_unlock();
	} else {
		if (w->at.mnt)
			path_put(&w->at);
		if (w->root.mnt)
			path_put(&w->root);
		if (w->held)
			links_free(w->held);
	}
	fd_release(w->dir);
}

/* --- symbolic links --- */

/* An absolute body starts at the root; returns what is left of it, "" if nothing. */
static int
link_start(struct walk *w, const char *body)
{
	w->name = body;
	if (body[0] != '/')
		return body[0] ? 1 : -ENOENT;
	if (unlikely(w->flags & WALK_BENEATH))
		return -EXDEV;
	if (unlikely(w->flags & WALK_NO_XDEV) && w->root.mnt != w->at.mnt)
		return -EXDEV;
	if (!w->rcu) {
		path_get(&w->root);
		path_put(&w->at);
	}
	w->at = w->root;
	w->seq = dentry_seq(w->at.dentry);
	w->inode = READ_ONCE(w->at.dentry->inode);
	if (w->rcu && dentry_seq_changed(w->at.dentry, w->seq))
		return -ECHILD;
	while (*w->name == '/')
		w->name++;
	return *w->name ? 1 : 0;
}

static int
link_allowed(struct walk *w, const struct mount *m)
{
	if (unlikely(w->flags & WALK_NO_SYMLINKS) || ++w->links > MAX_SYMLINKS ||
	    (m->flags & MS_NOSYMFOLLOW))
		return -ELOOP;
	return 0;
}

static int
link_follow_rcu(struct walk *w, const struct path *link, struct inode *i)
{
	const char *body = READ_ONCE(i->link);
	int err;

	if (!body || inode_atime_due(link->mnt, i))
		return -ECHILD;
	err = link_allowed(w, link->mnt);
	return err ? err : link_start(w, body);
}

static int
link_jump(struct walk *w, struct inode *i)
{
	struct path target;
	int err;

	if (w->flags & WALK_NO_MAGIC)
		return -ELOOP;
	err = i->ops->follow_link(i, &target);
	if (err)
		return err;
	if (scoped(w) || ((w->flags & WALK_NO_XDEV) && target.mnt != w->at.mnt)) {
		path_put(&target);
		return -EXDEV;
	}
	path_put(&w->at);
	w->at = target;
	w->inode = target.dentry->inode;
	return 0;
}

/* The caller holds the link's dentry. */
static int
link_follow(struct walk *w, const struct path *link, struct inode *i)
{
	struct walk_links *l = w->held;
	const char *body;
	int err = link_allowed(w, link->mnt);

	if (err)
		return err;
	inode_touch_atime(link->mnt, i);
	if (i->ops->follow_link)
		return link_jump(w, i);
	if (!l) {
		l = w->held = kmalloc(sizeof(*l), GFP_KERNEL);
		if (!l)
			return -ENOMEM;
		l->count = 0;
	}
	body = i->link;
	l->inodes[l->count] = NULL;
	l->bodies[l->count] = NULL;
	if (body) {
		inode_get(i);
		l->inodes[l->count] = i;
	} else {
		char *made;
		int len;

		if (!i->ops->get_link)
			return -EINVAL;
		made = kmalloc(PATH_MAX, GFP_KERNEL);
		if (!made)
			return -ENOMEM;
		len = i->ops->get_link(i, made, PATH_MAX - 1);
		if (len < 0) {
			kfree(made);
			return len;
		}
		made[len] = '\0';
		l->bodies[l->count] = made;
		body = made;
	}
	l->count++;
	return link_start(w, body);
}

/* --- steps --- */

/* 1: a link to be followed, its body is in w->name; 0: w stands on the child. */
static int
step_rcu(struct walk *w, const struct qname *n, bool follow)
{
	struct path p = { w->at.mnt, NULL };
	struct inode *i;
	u32 seq;

	p.dentry = dentry_find_rcu(w->at.dentry, n, &seq);
	if (unlikely(!p.dentry) ||
	    unlikely(READ_ONCE(p.dentry->flags) & (DENTRY_LOOKUP | DENTRY_REVALIDATE)))
		return -ECHILD;
	i = READ_ONCE(p.dentry->inode);
	if (unlikely(dentry_seq_changed(p.dentry, seq)) ||
	    unlikely(dentry_seq_changed(w->at.dentry, w->seq)))
		return -ECHILD;
	if (unlikely(!i))
		return -ENOENT;
	while (unlikely(READ_ONCE(p.dentry->flags) & DENTRY_MOUNTED)) {
		struct mount *m = mount_find_rcu(p.mnt, p.dentry);

		if (!m)
			break;
		if (w->flags & WALK_NO_XDEV)
			return -EXDEV;
		p = (struct path){ m, m->root };
		seq = dentry_seq(p.dentry);
		i = READ_ONCE(p.dentry->inode);
		if (!i || dentry_seq_changed(p.dentry, seq))
			return -ECHILD;
	}
	if (S_ISLNK(i->mode) && follow) {
		int more = link_follow_rcu(w, &p, i);

		/* The body was read; was it still this link's? */
		return dentry_seq_changed(p.dentry, seq) ? -ECHILD : more;
	}
	w->at = p;
	w->inode = i;
	w->seq = seq;
	return 0;
}

int
walk_into(struct walk *w, struct dentry *d, bool follow)
{
	struct path p = { w->at.mnt, d };
	struct inode *i = READ_ONCE(d->inode);

	if (!i) {
		dentry_put(d);
		return -ENOENT;
	}
	if (unlikely(READ_ONCE(d->flags) & DENTRY_MOUNTED)) {
		mount_get(p.mnt);
		path_down_mounts(&p);
		if (p.mnt == w->at.mnt) {
			mount_put(p.mnt); /* mounted in some other namespace */
		} else if (w->flags & WALK_NO_XDEV) {
			path_put(&p);
			return -EXDEV;
		}
		i = p.dentry->inode;
	}
	if (S_ISLNK(i->mode) && follow) {
		int more = link_follow(w, &p, i);

		dentry_put(p.dentry);
		return more;
	}
	if (p.mnt != w->at.mnt)
		mount_put(w->at.mnt);
	dentry_put(w->at.dentry);
	w->at = p;
	w->inode = i;
	return 0;
}

static int
step_ref(struct walk *w, const struct qname *n, bool follow)
{
	struct dentry *d = dentry_find(w->at.dentry, n);

	if (!d || (READ_ONCE(d->flags) & (DENTRY_LOOKUP | DENTRY_REVALIDATE))) {
		int err;

		if (d)
			dentry_put(d);
		rwsem_read_lock(&w->inode->lock);
		err = dentry_lookup_locked(w->at.dentry, n, &d);
		rwsem_read_unlock(&w->inode->lock);
		if (err)
			return err;
	}
	return walk_into(w, d, follow);
}

static inline bool
at_root(const struct walk *w)
{
	return w->at.dentry == w->root.dentry && w->at.mnt == w->root.mnt;
}

/* A directory moved out of what its (bind) mount shows has no way up. */
static bool
connected(const struct path *p)
{
	return p->mnt->root == p->mnt->super->root || dentry_is_ancestor(p->mnt->root, p->dentry);
}

static int
step_up_rcu(struct walk *w)
{
	struct path p = w->at;
	u32 seq = w->seq;

	if (scoped(w))
		return -ECHILD;
	for (;;) {
		if (p.dentry == w->root.dentry && p.mnt == w->root.mnt)
			break;
		if (p.dentry != p.mnt->root) {
			struct dentry *parent = READ_ONCE(p.dentry->parent);
			u32 parent_seq = dentry_seq(parent);

			if (dentry_seq_changed(p.dentry, seq))
				return -ECHILD;
			p.dentry = parent;
			seq = parent_seq;
			if (!connected(&p))
				return -ENOENT;
			break;
		}
		if (p.mnt->parent == p.mnt)
			break;
		if (w->flags & WALK_NO_XDEV)
			return -EXDEV;
		p = (struct path){ READ_ONCE(p.mnt->parent), READ_ONCE(p.mnt->point) };
		/* Unmounted this instant. */
		if (unlikely(!p.dentry))
			return -ECHILD;
		seq = dentry_seq(p.dentry);
	}
	while (READ_ONCE(p.dentry->flags) & DENTRY_MOUNTED) {
		struct mount *m = mount_find_rcu(p.mnt, p.dentry);

		if (!m)
			break;
		if (w->flags & WALK_NO_XDEV)
			return -EXDEV;
		p = (struct path){ m, m->root };
		seq = dentry_seq(p.dentry);
	}
	w->at = p;
	w->seq = seq;
	w->inode = READ_ONCE(p.dentry->inode);
	return !w->inode || dentry_seq_changed(p.dentry, seq) ? -ECHILD : 0;
}

static int
step_up(struct walk *w)
{
	struct mount *from = w->at.mnt;

	for (;;) {
		struct dentry *parent;

		if (at_root(w)) {
			if (w->flags & WALK_BENEATH)
				return -EXDEV;
			break;
		}
		if (w->at.dentry != w->at.mnt->root) {
			parent = dentry_get_parent(w->at.dentry);
			dentry_put(w->at.dentry);
			w->at.dentry = parent;
			if (!connected(&w->at))
				return -ENOENT;
			break;
		}
		if (w->flags & WALK_NO_XDEV)
			return -EXDEV;
		if (!path_up_mount(&w->at))
			break;
	}
	path_down_mounts(&w->at);
	if ((w->flags & WALK_NO_XDEV) && w->at.mnt != from)
		return -EXDEV;
	w->inode = w->at.dentry->inode;
	if (scoped(w) && (seq_read_retry(&rename_seq, w->rename_seq) ||
			  seq_read_retry(&mount_seq, w->mount_seq)))
		return -EAGAIN;
	return 0;
}

static inline int
step(struct walk *w, const struct qname *n, enum last_type type, bool follow)
{
	if (unlikely(type != LAST_NORMAL)) {
		if (type == LAST_DOTDOT)
			return w->rcu ? step_up_rcu(w) : step_up(w);
		return 0;
	}
	if (unlikely(n->len > NAME_MAX))
		return -ENAMETOOLONG;
	return w->rcu ? step_rcu(w, n, follow) : step_ref(w, n, follow);
}

static inline int
may_search(const struct walk *w)
{
	struct inode *i = w->inode;

	if (likely(!i->ops->permission)) {
		if (likely((i->mode & S_IXUGO) == S_IXUGO))
			return 0;
		return inode_permission_generic(i, MAY_EXEC);
	}
	return w->rcu ? -ECHILD : inode_permission(i, MAY_EXEC);
}

/* --- the walk --- */

static int
push_rest(struct walk *w, const char *rest)
{
	if (w->rcu) {
		if (w->depth >= WALK_RCU_LINKS)
			return -ECHILD;
		w->rest_rcu[w->depth++] = rest;
	} else {
		w->held->rest[w->depth++] = rest;
	}
	return 0;
}

/* One component of the name: text, length and hash; returns what follows it. Hash as in qname_init,
 * but in one pass with the search. */
static const char *
next_component(const char *s, struct qname *n, enum last_type *type)
{
	const char *e = s;

	while (*e && *e != '/')
		e++;
	qname_init(n, s, (u32)(e - s));
	*type = LAST_NORMAL;
	if (unlikely(s[0] == '.')) {
		if (n->len == 1)
			*type = LAST_DOT;
		else if (n->len == 2 && s[1] == '.')
			*type = LAST_DOTDOT;
	}
	return e;
}

int
walk_parent(struct walk *w)
{
	const char *s = w->name;
	enum last_type type;
	struct qname n;
	int err;

	w->last_type = LAST_ROOT;
	while (*s == '/')
		s++;
	if (unlikely(!*s))
		return 0;
	for (;;) {
		const char *end;

		err = may_search(w);
		if (unlikely(err))
			return err;
		s = end = next_component(s, &n, &type);
		while (*s == '/')
			s++;
		if (!*s) {
			if (w->depth == 0) {
				w->trailing_slash |= s != end;
				w->last = n;
				w->last_type = type;
				return 0;
			}
			w->depth--;
			s = w->rcu ? w->rest_rcu[w->depth] : w->held->rest[w->depth];
		}
		err = step(w, &n, type, true);
		if (unlikely(err)) {
			if (err < 0)
				return err;
			err = push_rest(w, s);
			if (err)
				return err;
			s = w->name;
			continue;
		}
		if (unlikely(!S_ISDIR(w->inode->mode)))
			return -ENOTDIR;
	}
}

int
walk_last(struct walk *w)
{
	int err = step(w, &w->last, w->last_type, (w->flags & WALK_FOLLOW) || w->trailing_slash);

	if (unlikely(err))
		return err;
	if (unlikely(w->trailing_slash || (w->flags & WALK_DIRECTORY)) && !S_ISDIR(w->inode->mode))
		return -ENOTDIR;
	return 0;
}

static inline int
walk_all(struct walk *w)
{
	int err;

	do {
		err = walk_parent(w);
		if (!err)
			err = walk_last(w);
	} while (err == 1);
	return err;
}

bool
walk_rcu_done(struct walk *w)
{
	bool valid = !dentry_seq_changed(w->at.dentry, w->seq) &&
		     !seq_read_retry(&mount_seq, w->mount_seq);

	walk_end(w);
	return valid;
}

int
walk_lookup_rcu(struct walk *w, int dirfd, const char *name, u32 flags)
{
	int err = walk_begin(w, dirfd, name, flags, true);

	if (likely(!err))
		err = walk_all(w);
	if (likely(!err))
		return 0;
	if (seq_read_retry(&mount_seq, w->mount_seq))
		err = -ECHILD;
	walk_end(w);
	return err;
}

bool
walk_rcu_to_path(struct walk *w, struct path *out)
{
	int got_mount;
	bool got_dentry, valid;

	*out = w->at;
	got_mount = mount_legitimize(out->mnt, w->mount_seq);
	got_dentry = dentry_try_get(out->dentry);
	valid = walk_rcu_done(w) && got_mount > 0 && got_dentry;
	if (likely(valid))
		return true;
	if (got_dentry)
		dentry_put(out->dentry);
	if (got_mount)
		mount_put(out->mnt);
	return false;
}

int
walk_lookup_ref(struct walk *w, int dirfd, const char *name, u32 flags)
{
	int err;

	if (flags & WALK_CACHED)
		return -EAGAIN;
	err = walk_begin(w, dirfd, name, flags, false);
	if (!err)
		err = walk_all(w);
	if (err)
		walk_end(w);
	return err;
}

int
path_lookup(int dirfd, const char *path, u32 flags, struct path *out)
{
	struct walk w;
	int err = walk_lookup_rcu(&w, dirfd, path, flags);

	if (likely(!err)) {
		if (likely(walk_rcu_to_path(&w, out)))
			return 0;
	} else if (err != -ECHILD) {
		return err;
	}
	err = walk_lookup_ref(&w, dirfd, path, flags);
	if (err)
		return err;
	*out = w.at;
	path_get(out);
	walk_end(&w);
	return 0;
}

int
path_lookup_user(int dirfd, user_ptr path, u32 flags, struct path *out)
{
	struct path_name n;
	int err = path_name_get(&n, path, flags & WALK_EMPTY);

	if (err)
		return err;
	err = path_lookup(dirfd, n.text, flags, out);
	path_name_put(&n);
	return err;
}

void
path_get(const struct path *p)
{
	mount_get(p->mnt);
	dentry_get(p->dentry);
}

void
path_put(const struct path *p)
{
	dentry_put(p->dentry);
	mount_put(p->mnt);
}
