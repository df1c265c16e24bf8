/* SPDX-License-Identifier: MIT */
/*
 * 9p: a directory of the host, shared by the protocol 9P2000.L over virtio.
 *
 *	mount -t 9p -o trans=virtio,version=9p2000.L[,msize=N,cache=C,...] TAG /mnt
 *
 * client.c has the session, calls.c the messages, inode.c, dir.c and file.c the tree. Options:
 *
 *	trans=virtio	must be given: there is no other way to a server
 *	version=	9p2000.L, which is the default; others are refused
 *	msize=		the longest message, 4096 at least (128 KiB)
 *	cache=		none, mmap, loose (p9_internal.h)
 *	access=		user, client, any: all the same here, permission is checked by this kernel,
 *and the server is asked as the user who mounts uname=, aname=, dfltuid=, dfltgid=	what the
 *server is told when attaching
 *
 * As on Linux unknown options are passed over.
 */
#include "core/log.h"
#include "lib/format.h"
#include "lib/string.h"
#include "mm/reclaim.h"
#include "p9_internal.h"
#include "task/cred.h"
#include "uapi/magic.h"
#include "uapi/mount.h"
#include "uapi/statfs.h"

#define MSIZE_DEFAULT (128u * 1024)
#define MSIZE_MIN     4096u
#define NOBODY	      65534u

static const char *const cache_names[] = { "none", "mmap", "loose" };

/* --- options --- */

static int
parse_number(const char *value, u64 min, u64 max, u32 *out)
{
	u64 n;

	if (!value || parse_u64(value, 10, &n) || n < min || n > max)
		return -EINVAL;
	*out = (u32)n;
	return 0;
}

static int
parse_text(const char *value, char **out)
{
	kfree(*out);
	*out = kstrdup(value ? value : "", GFP_KERNEL);
	return *out ? 0 : -ENOMEM;
}

static int
parse_cache(const char *value, enum p9_cache *out)
{
	for (u32 k = 0; value && k < ARRAY_SIZE(cache_names); k++) {
		if (!strcmp(value, cache_names[k])) {
			*out = (enum p9_cache)k;
			return 0;
		}
	}
	return -EINVAL;
}

static int
parse_option(struct p9_mount *m, const char *name, const char *value, bool *virtio)
{
	if (!strcmp(name, "trans")) {
		*virtio = value && !strcmp(value, "virtio");
		return *virtio ? 0 : -EINVAL;
	}
	if (!strcmp(name, "version"))
		return value && !strcasecmp(value, "9p2000.L") ? 0 : -EINVAL;
	if (!strcmp(name, "msize"))
		return parse_number(value, MSIZE_MIN, UINT32_MAX, &m->msize);
	if (!strcmp(name, "cache"))
		return parse_cache(value, &m->cache);
	if (!strcmp(name, "loose")) {
		m->cache = CACHE_LOOSE;
		return 0;
	}
	if (!strcmp(name, "access")) {
		if (!value ||
		    (strcmp(value, "user") && strcmp(value, "client") && strcmp(value, "any")))
			return -EINVAL;
		return parse_text(value, &m->access);
	}
	if (!strcmp(name, "uname"))
		return parse_text(value, &m->user);
	if (!strcmp(name, "aname"))
		return parse_text(value, &m->tree);
	if (!strcmp(name, "dfltuid"))
		return parse_number(value, 0, UINT32_MAX - 1, &m->uid);
	if (!strcmp(name, "dfltgid"))
		return parse_number(value, 0, UINT32_MAX - 1, &m->gid);
	return 0;
}

static int
parse_options(struct p9_mount *m, const char *data)
{
	char *copy = kstrdup(data ? data : "", GFP_KERNEL), *rest = copy, *option;
	bool virtio = false;
	int err = copy ? 0 : -ENOMEM;

	while (!err && (option = str_token(&rest, ","))) {
		char *value = strchr(option, '=');

		if (value)
			*value++ = '\0';
		err = parse_option(m, option, value, &virtio);
		if (err == -EINVAL)
			log_err("9p: bad option %s%s%s\n", option, value ? "=" : "",
				value ? value : "");
	}
	kfree(copy);
	if (!err && !virtio) {
		log_err("9p: there is no transport but trans=virtio\n");
		err = -EINVAL;
	}
	return err;
}

static void
p9_show_options(struct super *s, struct strbuf *sb)
{
	const struct p9_mount *m = p9_mount_of(s);

	if (m->uid != NOBODY)
		strbuf_printf(sb, ",dfltuid=%u", m->uid);
	if (m->gid != NOBODY)
		strbuf_printf(sb, ",dfltgid=%u", m->gid);
	if (strcmp(m->user, "nobody"))
		strbuf_printf(sb, ",uname=%s", m->user);
	if (m->tree[0])
		strbuf_printf(sb, ",aname=%s", m->tree);
	if (m->cache != CACHE_NONE)
		strbuf_printf(sb, ",cache=%s", cache_names[m->cache]);
	strbuf_printf(sb, ",access=%s", m->access);
	if (m->msize != MSIZE_DEFAULT)
		strbuf_printf(sb, ",msize=%u", m->msize);
	strbuf_puts(sb, ",trans=virtio");
}

/* --- super blocks --- */

static int
p9_statfs_op(struct super *s, struct linux_statfs *st)
{
	int err = p9_statfs(p9_mount_of(s)->root, st);

	st->f_type = (s64)s->magic;
	return err;
}

static void
mount_destroy(struct p9_mount *m)
{
	if (m->client) {
		p9_fid_put(m->root);
		p9_client_destroy(m->client);
	}
	kfree(m->user);
	kfree(m->tree);
	kfree(m->access);
	kfree(m);
}

static void
p9_put(struct super *s)
{
	struct p9_mount *m = p9_mount_of(s);

	backing_fini(&m->backing);
	mount_destroy(m);
}

static const struct super_ops p9_super_ops = {
	.evict = p9_evict,
	.statfs = p9_statfs_op,
	.show_options = p9_show_options,
	.revalidate = p9_revalidate,
	.put = p9_put,
};

static int
connect(struct p9_mount *m, const char *tag)
{
	int err = p9_client_create(tag, m->msize, &m->client);

	if (err) {
		if (err == -ENOENT)
			log_err("9p: no shared directory has the tag %s\n", tag);
		return err;
	}
	return p9_attach(m->client, m->user, m->tree, current_cred()->fsuid, &m->root);
}

static int
make_super(const struct fs_type *type, struct p9_mount *m, const char *tag, u32 flags,
	   struct super **out)
{
	static struct atomic32 count;
	struct super *s = super_create(type, NULL, type->magic);
	struct inode *root;
	int err;

	if (!s)
		return -ENOMEM;
	snprintf(m->name, sizeof(m->name), "9p-%u", (u32)atomic_inc_return(&count));
	err = backing_init(&m->backing, m->name);
	if (err)
		goto out_super;
	s->private = m;
	s->backing = &m->backing;
	strscpy(s->id, tag, sizeof(s->id));
	s->flags = (flags & ~MS_SILENT) | MS_DIRSYNC;
	if (m->cache == CACHE_NONE)
		s->flags |= MS_SYNCHRONOUS;
	p9_fid_get(m->root);
	err = p9_inode_of_fid(s, m->root, &root);
	if (err)
		goto out_backing;
	err = -ENOTDIR;
	if (S_ISDIR(root->mode)) {
		s->root = dentry_create_root(s, root);
		err = s->root ? 0 : -ENOMEM;
	}
	if (err)
		goto out_root;
	s->ops = &p9_super_ops;
	*out = s;
	return 0;
out_root:
	s->ops = &p9_super_ops; /* for evicting; then it is taken off again */
	s->dying = true;
	inode_put(root);
	s->ops = NULL;
out_backing:
	s->backing = NULL;
	backing_fini(&m->backing);
out_super:
	super_put(s);
	return err;
}

static int
p9_mount(const struct fs_type *type, const char *source, u32 flags, const char *data,
	 struct super **out)
{
	struct p9_mount *m = kzalloc(sizeof(*m), GFP_KERNEL);
	int err;

	if (!m)
		return -ENOMEM;
	if (!source)
		source = "";
	m->msize = MSIZE_DEFAULT;
	m->uid = m->gid = NOBODY;
	m->user = kstrdup("nobody", GFP_KERNEL);
	m->tree = kstrdup("", GFP_KERNEL);
	m->access = kstrdup("client", GFP_KERNEL);
	err = m->user && m->tree && m->access ? parse_options(m, data) : -ENOMEM;
	if (!err)
		err = connect(m, source);
	if (!err)
		err = make_super(type, m, source, flags, out);
	if (err)
		mount_destroy(m);
	return err;
}

static struct fs_type p9_type = {
	.name = "9p",
	.magic = V9FS_MAGIC,
	.mount = p9_mount,
};

void
p9_register(void)
{
	p9_node_cache = kmem_cache_create("9p_inode", sizeof(struct p9_node), 0, SLAB_RECLAIMABLE,
					  NULL);
	fs_register(&p9_type);
}
