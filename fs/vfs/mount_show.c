/* SPDX-License-Identifier: MIT */
/*
 * The table of mounts as text: /proc/PID/mounts, mountinfo, mountstats. proc(5).
 *
 * White space and backslashes in names are written in octal, so that fields stay fields. A mount
 * that the reader's root cannot reach is left out.
 */
#include "fs/vfs/device.h"
#include "lib/format.h"
#include "mount_internal.h"

static void
put_escaped(struct strbuf *sb, const char *s)
{
	for (; *s; s++) {
		if (*s == ' ' || *s == '\t' || *s == '\n' || *s == '\\' || *s == '#')
			strbuf_printf(sb, "\\%03o", (u8)*s);
		else
			strbuf_putc(sb, *s);
	}
}

struct option {
	u32 flag;
	const char *text;
};

static void
put_options(struct strbuf *sb, u32 flags, const struct option *o)
{
	for (; o->text; o++)
		if (flags & o->flag)
			strbuf_puts(sb, o->text);
}

static const struct option mount_options[] = {
	{ MS_NOSUID, ",nosuid" },	    { MS_NODEV, ",nodev" },
	{ MS_NOEXEC, ",noexec" },	    { MS_NOATIME, ",noatime" },
	{ MS_NODIRATIME, ",nodiratime" },   { MS_RELATIME, ",relatime" },
	{ MS_NOSYMFOLLOW, ",nosymfollow" }, { 0, NULL },
};

static const struct option super_options[] = {
	{ MS_SYNCHRONOUS, ",sync" },
	{ MS_DIRSYNC, ",dirsync" },
	{ MS_MANDLOCK, ",mand" },
	{ MS_LAZYTIME, ",lazytime" },
	{ 0, NULL },
};

static void
put_fs_options(struct strbuf *sb, struct super *s)
{
	if (s->ops && s->ops->show_options)
		s->ops->show_options(s, sb);
}

static void
show_mounts(struct strbuf *sb, struct mount *m, const char *where)
{
	put_escaped(sb, m->source);
	strbuf_putc(sb, ' ');
	put_escaped(sb, where);
	strbuf_printf(sb, " %s %s", m->super->type->name,
		      (m->flags | m->super->flags) & MS_RDONLY ? "ro" : "rw");
	put_options(sb, m->super->flags, super_options);
	put_options(sb, m->flags, mount_options);
	put_fs_options(sb, m->super);
	strbuf_puts(sb, " 0 0\n");
}

static void
show_mountinfo(struct strbuf *sb, struct mount *m, const char *where, const struct path *root,
	       char *buf)
{
	struct path top = { m, m->root };
	struct super *s = m->super;

	strbuf_printf(sb, "%u %u %u:%u ", m->id, m->parent->id, DEV_MAJOR(s->dev),
		      DEV_MINOR(s->dev));
	/* The root of the mount inside its file system. */
	if (m->root == s->root) {
		strbuf_putc(sb, '/');
	} else {
		char *inside = dentry_text(top.dentry, buf, PATH_MAX);

		put_escaped(sb, inside ? inside : "/");
	}
	strbuf_putc(sb, ' ');
	put_escaped(sb, where);
	strbuf_puts(sb, m->flags & MS_RDONLY ? " ro" : " rw");
	put_options(sb, m->flags, mount_options);
	if (m->peer_group)
		strbuf_printf(sb, " shared:%u", m->peer_group);
	if (m->master) {
		u32 from = propagate_dominating_group(m, root);

		strbuf_printf(sb, " master:%u", m->master->peer_group);
		if (from && from != m->master->peer_group)
			strbuf_printf(sb, " propagate_from:%u", from);
	}
	if (m->flags & MS_UNBINDABLE)
		strbuf_puts(sb, " unbindable");
	strbuf_printf(sb, " - %s ", s->type->name);
	put_escaped(sb, m->source);
	strbuf_puts(sb, s->flags & MS_RDONLY ? " ro" : " rw");
	put_options(sb, s->flags, super_options);
	put_fs_options(sb, s);
	strbuf_putc(sb, '\n');
}

void
mount_show(struct mount_ns *ns, const struct path *root, int style, struct strbuf *sb)
{
	char *buf = kmalloc(2 * PATH_MAX, GFP_KERNEL);
	struct mount *m;

	if (!buf)
		return;
	rwsem_read_lock(&mounts_lock);
	list_for_each_entry(m, &ns->mounts, ns_node)
	{
		struct path p = { m, m->root };
		bool reached;
		char *where = path_text_reach(&p, root, buf, PATH_MAX, &reached);

		if (!where || !reached)
			continue;
		if (style == 0) {
			show_mounts(sb, m, where);
		} else if (style == 1) {
			show_mountinfo(sb, m, where, root, buf + PATH_MAX);
		} else {
			strbuf_puts(sb, "device ");
			put_escaped(sb, m->source);
			strbuf_puts(sb, " mounted on ");
			put_escaped(sb, where);
			strbuf_printf(sb, " with fstype %s\n", m->super->type->name);
		}
	}
	rwsem_read_unlock(&mounts_lock);
	kfree(buf);
}
