/* SPDX-License-Identifier: MIT */
/*
 * overlayfs: one tree out of several, of which only the top one is written. Linux's
 * Documentation/filesystems/overlayfs.rst says what it does; the layers are in its format, so that
 * either kernel goes on where the other stopped.
 *
 *	mount -t overlay overlay -o lowerdir=TOP:..:BOTTOM[,upperdir=U,workdir=W] /merged
 *
 * inode.c: attributes, and which real inode stands behind one. namei.c, rename.c: names. copy_up.c:
 * from a lower layer to the upper one. readdir.c, file.c: open ones. Layers are reached through
 * mounts of our own, so theirs may be unmounted meanwhile; and as the user who mounted, after the
 * caller's permission was checked on the overlay.
 *
 * Options that ask for what is not here are refused: redirect_dir=on, index=on, metacopy=on,
 * nfs_export=on, xino=on, userxattr. So, as on a Linux built without them, directories of lower
 * layers are not renamed, names of a lower hard link part when one is written, and the inode number
 * of a copied file changes once it is looked up anew.
 */
#include "core/log.h"
#include "fs/overlayfs/overlayfs.h"
#include "lib/format.h"
#include "overlayfs_internal.h"
#include "uapi/magic.h"
#include "uapi/mount.h"
#include "uapi/statfs.h"

#define DEPTH_MAX 2u /* an overlay's layers may be overlays, whose may not */

static const struct super_ops ovl_super_ops;

/* --- options --- */

static int
take_text(char **to, const char *value)
{
	if (!value || !*value)
		return -EINVAL;
	kfree(*to);
	*to = kstrdup(value, GFP_KERNEL);
	return *to ? 0 : -ENOMEM;
}

/* What may be said as long as it is off. */
static bool
is_switch_off(const char *name, const char *value)
{
	static const struct {
		const char *name, *values[4];
	} known[] = {
		{ "redirect_dir", { "off", "nofollow", "follow" } },
		{ "index", { "off" } },
		{ "metacopy", { "off" } },
		{ "nfs_export", { "off" } },
		{ "xino", { "off", "auto" } },
		{ "uuid", { "on", "off", "null", "auto" } },
	};

	for (u32 k = 0; value && k < ARRAY_SIZE(known); k++)
		for (u32 v = 0; !strcmp(name, known[k].name) && v < 4 && known[k].values[v]; v++)
			if (!strcmp(value, known[k].values[v]))
				return true;
	return false;
}

static int
parse_option(struct ovl_mount *m, const char *name, const char *value)
{
	if (!strcmp(name, "lowerdir"))
		return take_text(&m->lower_text, value);
	if (!strcmp(name, "upperdir"))
		return take_text(&m->upper_text, value);
	if (!strcmp(name, "workdir"))
		return take_text(&m->work_text, value);
	if (!strcmp(name, "volatile") && !value) {
		m->is_volatile = true;
		return 0;
	}
	if ((!strcmp(name, "default_permissions") && !value) || is_switch_off(name, value))
		return 0;
	log_err("overlayfs: unrecognized mount option \"%s%s%s\" or missing value\n", name,
		value ? "=" : "", value ? value : "");
	return -EINVAL;
}

/* Cuts at commas, but for those behind a backslash, which go; so do other backslashes there. */
static char *
next_option(char **rest)
{
	char *start = *rest, *from, *to;

	if (!start)
		return NULL;
	for (from = to = start; *from && *from != ','; *to++ = *from++)
		if (from[0] == '\\' && from[1] == ',')
			from++;
	*rest = *from ? from + 1 : NULL;
	*to = '\0';
	return start;
}

static int
parse_options(struct ovl_mount *m, const char *data)
{
	char *copy = kstrdup(data ? data : "", GFP_KERNEL), *rest = copy, *option;
	int err = copy ? 0 : -ENOMEM;

	while (!err && (option = next_option(&rest))) {
		char *value = strchr(option, '=');

		if (!*option)
			continue;
		if (value)
			*value++ = '\0';
		err = parse_option(m, option, value);
	}
	kfree(copy);
	if (err)
		return err;
	if (!m->lower_text) {
		log_err("overlayfs: missing 'lowerdir'\n");
		return -EINVAL;
	}
	if (m->upper_text && !m->work_text) {
		log_err("overlayfs: missing 'workdir'\n");
		return -EINVAL;
	}
	if (m->work_text && !m->upper_text) {
		log_info("overlayfs: option \"workdir=%s\" is useless in a non-upper mount, "
			 "ignore\n",
			 m->work_text);
		kfree(m->work_text);
		m->work_text = NULL;
	}
	return 0;
}

static void
ovl_show_options(struct super *s, struct strbuf *sb)
{
	const struct ovl_mount *m = ovl_mount_of(s);

	strbuf_printf(sb, ",lowerdir=%s", m->lower_text);
	if (m->upper_text)
		strbuf_printf(sb, ",upperdir=%s,workdir=%s", m->upper_text, m->work_text);
	if (m->is_volatile)
		strbuf_puts(sb, ",volatile");
}

/* --- layers --- */

static int
find_dir(const char *name, struct path *out)
{
	int err = path_lookup(AT_FDCWD, name, WALK_FOLLOW, out);

	if (err) {
		log_err("overlayfs: failed to resolve '%s': %i\n", name, err);
		return err;
	}
	if (!S_ISDIR(out->dentry->inode->mode)) {
		log_err("overlayfs: '%s' not a directory\n", name);
		path_put(out);
		return -EINVAL;
	}
	return 0;
}

static int
check_depth(struct ovl_mount *m, const struct super *s)
{
	if (s->ops != &ovl_super_ops)
		return 0;
	if (ovl_mount_of(s)->depth + 1 >= DEPTH_MAX) {
		log_err("overlayfs: maximum fs stacking depth exceeded\n");
		return -EINVAL;
	}
	m->depth = ovl_mount_of(s)->depth + 1;
	return 0;
}

static bool
is_within(const struct dentry *d, const struct dentry *top)
{
	for (; d != top; d = d->parent)
		if (d == d->parent)
			return false;
	return true;
}

/* The next of names that are divided by colons; a backslash takes the meaning from the next byte.
 */
static char *
next_lower(char **rest)
{
	char *start = *rest, *from, *to;

	if (!start)
		return NULL;
	for (from = to = start; *from && *from != ':'; *to++ = *from++)
		if (*from == '\\' && from[1])
			from++;
	*rest = *from ? from + 1 : NULL;
	*to = '\0';
	return start;
}

static u32
count_lowers(const char *text)
{
	u32 n = 1;

	for (; *text; text++) {
		if (*text == '\\' && text[1])
			text++;
		else if (*text == ':')
			n++;
	}
	return n;
}

/* A device number for its files, the same for all layers of one file system. */
static devnum_t
layer_dev(const struct ovl_mount *m, u32 index)
{
	const struct super *s = m->lowers[index].mnt->super;

	for (u32 k = 0; k < index; k++)
		if (m->lowers[k].mnt->super == s)
			return m->lowers[k].dev;
	if (m->upper.mnt && m->upper.mnt->super == s)
		return s->dev;
	return super_next_dev();
}

static int
add_lower(struct ovl_mount *m, const char *name, struct ovl_lower *roots)
{
	struct path p;
	int err = *name ? find_dir(name, &p) : -EINVAL;

	if (err)
		return err;
	err = check_depth(m, p.dentry->super);
	for (u32 k = 0; k < m->nr_lowers && !err; k++) {
		if (is_within(p.dentry, roots[k].dentry) || is_within(roots[k].dentry, p.dentry)) {
			log_err("overlayfs: overlapping lowerdir path\n");
			err = -ELOOP;
		}
	}
	if (!err && m->upper.mnt &&
	    (is_within(p.dentry, m->upper.dentry) || is_within(p.dentry, m->work.dentry))) {
		log_err("overlayfs: overlapping lowerdir path\n");
		err = -ELOOP;
	}
	if (!err) {
		struct mount *mnt = mount_clone(p.mnt, p.dentry);

		if (mnt) {
			mnt->flags |= MS_RDONLY | MS_NOATIME;
			m->lowers[m->nr_lowers].mnt = mnt;
			dentry_get(p.dentry);
			roots[m->nr_lowers] = (struct ovl_lower){ p.dentry, m->nr_lowers };
			m->nr_lowers++;
		} else {
			err = -ENOMEM;
		}
	}
	path_put(&p);
	return err;
}

static int
find_lowers(struct ovl_mount *m, struct ovl_lower **out)
{
	u32 count = count_lowers(m->lower_text);
	char *copy = kstrdup(m->lower_text, GFP_KERNEL), *rest = copy, *name;
	struct ovl_lower *roots = NULL;
	int err = copy ? 0 : -ENOMEM;

	if (!err && count > OVL_LAYERS_MAX) {
		log_err("overlayfs: too many lower directories, limit is %u\n", OVL_LAYERS_MAX);
		err = -EINVAL;
	}
	if (!err && !m->upper.mnt && count == 1) {
		log_err("overlayfs: at least 2 lowerdir are needed while upperdir nonexistent\n");
		err = -EINVAL;
	}
	if (!err) {
		m->lowers = kzalloc(count * sizeof(*m->lowers), GFP_KERNEL);
		*out = roots = kzalloc(count * sizeof(*roots), GFP_KERNEL);
		if (!m->lowers || !roots)
			err = -ENOMEM;
	}
	while (!err && (name = next_lower(&rest)))
		err = add_lower(m, name, roots);
	kfree(copy);
	if (err)
		return err;
	m->same_fs = true;
	for (u32 k = 0; k < m->nr_lowers; k++) {
		const struct mount *top = m->upper.mnt ? m->upper.mnt : m->lowers[0].mnt;

		m->lowers[k].dev = layer_dev(m, k);
		if (m->lowers[k].mnt->super != top->super)
			m->same_fs = false;
	}
	return 0;
}

/* --- upper and work --- */

/* What an earlier mount left behind: one level, and whiteouts below. */
static int
clean_one(void *ctx, const char *name, u32 len, u64 ino, u8 type)
{
	(void)ovl_remove_temp(ctx, name);
	return 0;
}

/* WORKDIR/work, empty. */
static int
make_work(struct ovl_mount *m, const struct path *dir)
{
	struct path_create pc;
	int err = path_create_at(dir, "work", &pc);

	if (!err) {
		err = vfs_mkdir(&pc, 0);
		if (!err) {
			m->work.dentry = pc.dentry;
			dentry_get(pc.dentry);
		}
		path_create_done(&pc);
	} else if (err == -EEXIST) {
		err = ovl_child(dir->dentry, "work", 4, &m->work.dentry);
		if (!err && (!m->work.dentry->inode || !S_ISDIR(m->work.dentry->inode->mode))) {
			dentry_put(m->work.dentry);
			m->work.dentry = NULL;
			err = -ENOTDIR;
		}
	}
	if (err) {
		m->work.dentry = NULL;
		log_err("overlayfs: failed to create directory %s/work (errno: %i)\n", m->work_text,
			-err);
		return err;
	}
	m->work.mnt = m->upper.mnt;
	return ovl_for_each_name(&m->work, clean_one, m);
}

static int
find_upper(struct ovl_mount *m)
{
	struct path upper, work;
	int err = find_dir(m->upper_text, &upper);

	if (err)
		return err;
	err = find_dir(m->work_text, &work);
	if (err)
		goto out_upper;
	err = -EINVAL;
	if ((upper.mnt->flags | upper.mnt->super->flags) & MS_RDONLY) {
		log_err("overlayfs: upper fs is r/o, try multi-lower layers mount\n");
		goto out;
	}
	if (upper.dentry->super->ops == &ovl_super_ops) {
		log_err("overlayfs: filesystem on '%s' not supported as upperdir\n", m->upper_text);
		goto out;
	}
	if (upper.mnt != work.mnt) {
		log_err("overlayfs: workdir and upperdir must reside under the same mount\n");
		goto out;
	}
	if (is_within(upper.dentry, work.dentry) || is_within(work.dentry, upper.dentry)) {
		log_err("overlayfs: workdir and upperdir must be separate subtrees\n");
		goto out;
	}
	err = -ENOMEM;
	m->upper.mnt = mount_clone(upper.mnt, upper.dentry);
	if (!m->upper.mnt)
		goto out;
	m->upper.dentry = upper.dentry;
	dentry_get(upper.dentry);
	work.mnt = m->upper.mnt; /* under the same mount: ours will do */
	mount_get(work.mnt);
	err = make_work(m, &work);
	mount_put(work.mnt);
	work.mnt = upper.mnt;
out:
	path_put(&work);
out_upper:
	path_put(&upper);
	return err;
}

/* --- super blocks --- */

static int
ovl_statfs(struct super *s, struct linux_statfs *st)
{
	const struct path p = ovl_real_path(s->root->inode);
	struct super *real = p.dentry->super;
	int err;

	st->f_type = (s64)real->magic;
	st->f_bsize = real->block_size;
	err = real->ops->statfs ? real->ops->statfs(real, st) : 0;
	st->f_type = OVERLAYFS_SUPER_MAGIC;
	return err;
}

static int
ovl_remount(struct super *s, u32 flags, const char *options)
{
	const struct ovl_mount *m = ovl_mount_of(s);

	return !(flags & MS_RDONLY) && !m->upper.mnt ? -EROFS : 0;
}

static int
ovl_sync(struct super *s, bool wait)
{
	const struct ovl_mount *m = ovl_mount_of(s);

	return m->upper.mnt && !m->is_volatile ? super_sync(m->upper.mnt->super, wait) : 0;
}

static void
mount_destroy(struct ovl_mount *m)
{
	if (!m)
		return;
	for (u32 k = 0; k < m->nr_lowers; k++)
		mount_put(m->lowers[k].mnt);
	kfree(m->lowers);
	if (m->work.dentry)
		dentry_put(m->work.dentry);
	if (m->upper.dentry)
		dentry_put(m->upper.dentry);
	if (m->upper.mnt)
		mount_put(m->upper.mnt);
	if (m->cred)
		cred_put(m->cred);
	kfree(m->lower_text);
	kfree(m->upper_text);
	kfree(m->work_text);
	kfree(m);
}

static void
ovl_put(struct super *s)
{
	mount_destroy(ovl_mount_of(s));
}

/* The root: all layers merged. Takes roots over. */
static int
make_root(struct super *s, struct ovl_lower *roots)
{
	struct ovl_mount *m = ovl_mount_of(s);
	struct dentry *upper = m->upper.dentry;
	struct inode *root;
	int err;

	if (upper)
		dentry_get(upper);
	err = ovl_inode_get(s, upper, roots, m->nr_lowers, &root);
	if (err)
		return err;
	s->root = dentry_create_root(s, root);
	if (!s->root) {
		inode_put(root);
		return -ENOMEM;
	}
	return 0;
}

static int
make_super(const struct fs_type *type, struct ovl_mount *m, struct ovl_lower *roots, u32 flags,
	   struct super **out)
{
	struct super *s = super_create(type, &ovl_super_ops, type->magic);
	const struct super *top;
	int err;

	if (!s)
		return -ENOMEM;
	top = (m->upper.mnt ? m->upper.mnt : m->lowers[0].mnt)->super;
	mutex_init(&s->rename_lock, RANK_OVERLAY_RENAME + (m->depth ? 0 : 4));
	s->private = m;
	s->flags = flags & ~MS_SILENT;
	if (!m->upper.mnt)
		s->flags |= MS_RDONLY;
	s->max_bytes = top->max_bytes;
	s->time_gran_ns = top->time_gran_ns;
	s->block_size = top->block_size;
	strscpy(s->id, "overlay", sizeof(s->id));
	err = make_root(s, roots);
	if (err) {
		s->ops = NULL; /* m is the caller's */
		super_put(s);
		return err;
	}
	*out = s;
	return 0;
}

static int
ovl_mount(const struct fs_type *type, const char *source, u32 flags, const char *data,
	  struct super **out)
{
	struct ovl_mount *m = kzalloc(sizeof(*m), GFP_KERNEL);
	struct ovl_lower *roots = NULL;
	bool taken = false;
	int err;

	if (!m)
		return -ENOMEM;
	spin_init(&m->lock, RANK_FS);
	m->cred = cred_get((struct cred *)(uintptr_t)current_cred());
	err = parse_options(m, data);
	if (!err && m->upper_text)
		err = find_upper(m);
	if (!err)
		err = find_lowers(m, &roots);
	if (!err) {
		taken = true;
		err = make_super(type, m, roots, flags, out);
	}
	if (!err)
		return 0;
	for (u32 k = 0; roots && !taken && k < m->nr_lowers; k++)
		dentry_put(roots[k].dentry);
	if (!taken)
		kfree(roots);
	mount_destroy(m);
	return err;
}

static const struct super_ops ovl_super_ops = {
	.evict = ovl_evict,
	.sync = ovl_sync,
	.statfs = ovl_statfs,
	.remount = ovl_remount,
	.show_options = ovl_show_options,
	.put = ovl_put,
};

static struct fs_type ovl_type = {
	.name = "overlay",
	.magic = OVERLAYFS_SUPER_MAGIC,
	.mount = ovl_mount,
};

void
overlayfs_register(void)
{
	fs_register(&ovl_type);
}
