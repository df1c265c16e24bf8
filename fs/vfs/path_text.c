/* SPDX-License-Identifier: MIT */
/*
 * From a place to its name, as getcwd(2) and the links in /proc/PID/fd tell it. Built backwards in
 * the caller's buffer under RCU, again if a rename or a mount happened meanwhile.
 */
#include "mount_internal.h"

static bool
prepend(char **at, char *buf, const char *text, size_t len)
{
	if ((size_t)(*at - buf) < len)
		return false;
	*at -= len;
	memcpy(*at, text, len);
	return true;
}

static bool
prepend_name(char **at, char *buf, const struct dentry *d)
{
	/* Name and length may change under us: never read past what was found terminated. */
	const char *name = READ_ONCE(d->name);
	size_t len = strnlen(name, NAME_MAX);

	return prepend(at, buf, name, len) && prepend(at, buf, "/", 1);
}

/* One try. False: no room. */
static bool
build(const struct path *p, const struct path *root, char *buf, char **at, bool *reached)
{
	const struct dentry *d = p->dentry;
	const struct mount *m = p->mnt;
	char *end = *at;

	*reached = true;
	while (!root || d != root->dentry || m != root->mnt) {
		if (d == m->root || dentry_is_root(d)) {
			if (d != m->root || m->parent == m) {
				*reached = !root && d == m->root;
				break;
			}
			d = READ_ONCE(m->point);
			m = READ_ONCE(m->parent);
			if (!d)
				break;
			continue;
		}
		if (!prepend_name(at, buf, d))
			return false;
		d = READ_ONCE(d->parent);
	}
	return *at != end || prepend(at, buf, "/", 1);
}

char *
path_text_reach(const struct path *p, const struct path *root, char *buf, size_t size,
		bool *reached)
{
	const struct dentry *d = p->dentry;
	char *end, *at;
	u32 moves, mounts;
	bool fits;

	*reached = true;
	if (size == 0)
		return NULL;
	end = buf + size;
	*--end = '\0';
	if (d->flags & DENTRY_ANON) {
		at = end;
		return prepend(&at, buf, d->name, d->name_len) ? at : NULL;
	}
	if ((READ_ONCE(d->flags) & DENTRY_UNHASHED) && !dentry_is_root(d) &&
	    !prepend(&end, buf, " (deleted)", 10))
		return NULL;
	do {
		moves = seq_read_begin(&rename_seq);
		mounts = seq_read_begin(&mount_seq);
		at = end;
		rcu_read_lock();
		fits = build(p, root, buf, &at, reached);
		rcu_read_unlock();
	} while (seq_read_retry(&rename_seq, moves) || seq_read_retry(&mount_seq, mounts));
	return fits ? at : NULL;
}

char *
path_text(const struct path *p, const struct path *root, char *buf, size_t size)
{
	bool reached;

	return path_text_reach(p, root, buf, size, &reached);
}

/* The path inside the file system. */
char *
dentry_text(const struct dentry *d, char *buf, size_t size)
{
	char *at = buf + size;
	u32 moves;
	bool fits;

	*--at = '\0';
	do {
		char *end = at;

		moves = seq_read_begin(&rename_seq);
		fits = true;
		rcu_read_lock();
		for (const struct dentry *up = d; fits && !dentry_is_root(up);
		     up = READ_ONCE(up->parent))
			fits = prepend_name(&end, buf, up);
		rcu_read_unlock();
		if (!seq_read_retry(&rename_seq, moves))
			return fits ? end : NULL;
	} while (true);
}
