/* SPDX-License-Identifier: MIT */
/*
 * Mount options: ext4(5). Those that would need something that is not there (quotas, data=journal,
 * dax) are refused; hints for mechanisms that work differently here are taken.
 */
#include "ext4_internal.h"
#include "lib/format.h"
#include "uapi/mount.h"

enum kind {
	SET,	/* flag on */
	CLEAR,	/* flag off */
	NUMBER, /* value to a field */
	IGNORE, /* with or without a value */
};

static const struct option {
	const char *name;
	enum kind kind;
	u32 flag;
	size_t field;
} table[] = {
#define FIELD(f) __builtin_offsetof(struct ext4_options, f)
	{ "noload", SET, OPT_NOLOAD, 0 },
	{ "norecovery", SET, OPT_NOLOAD, 0 },
	{ "discard", SET, OPT_DISCARD, 0 },
	{ "nodiscard", CLEAR, OPT_DISCARD, 0 },
	{ "nobarrier", SET, OPT_NOBARRIER, 0 },
	{ "user_xattr", SET, OPT_XATTR_USER, 0 },
	{ "nouser_xattr", CLEAR, OPT_XATTR_USER, 0 },
	{ "acl", SET, OPT_ACL, 0 },
	{ "noacl", CLEAR, OPT_ACL, 0 },
	{ "delalloc", CLEAR, OPT_NODELALLOC, 0 },
	{ "nodelalloc", SET, OPT_NODELALLOC, 0 },
	{ "grpid", SET, OPT_GRPID, 0 },
	{ "bsdgroups", SET, OPT_GRPID, 0 },
	{ "nogrpid", CLEAR, OPT_GRPID, 0 },
	{ "sysvgroups", CLEAR, OPT_GRPID, 0 },
	{ "minixdf", SET, OPT_MINIXDF, 0 },
	{ "bsddf", CLEAR, OPT_MINIXDF, 0 },
	{ "i_version", SET, OPT_IVERSION, 0 },
	{ "lazytime", SET, OPT_LAZYTIME, 0 },
	{ "nolazytime", CLEAR, OPT_LAZYTIME, 0 },
	{ "resuid", NUMBER, 0, FIELD(resuid) },
	{ "resgid", NUMBER, 0, FIELD(resgid) },
	{ "commit", NUMBER, OPT_COMMIT_SET, FIELD(commit) },
	{ "stripe", NUMBER, 0, FIELD(stripe) },
	{ "max_batch_time", NUMBER, 0, FIELD(max_batch) },
	{ "min_batch_time", NUMBER, 0, FIELD(min_batch) },
	{ "inode_readahead_blks", NUMBER, 0, FIELD(inode_readahead) },
#undef FIELD
	{ "init_itable", IGNORE, 0, 0 },
	{ "noinit_itable", IGNORE, 0, 0 },
	{ "auto_da_alloc", IGNORE, 0, 0 },
	{ "noauto_da_alloc", IGNORE, 0, 0 },
	{ "block_validity", IGNORE, 0, 0 },
	{ "noblock_validity", IGNORE, 0, 0 },
	{ "journal_checksum", IGNORE, 0, 0 },
	{ "nojournal_checksum", IGNORE, 0, 0 },
	{ "journal_async_commit", IGNORE, 0, 0 },
	{ "journal_ioprio", IGNORE, 0, 0 },
	{ "dioread_lock", IGNORE, 0, 0 },
	{ "dioread_nolock", IGNORE, 0, 0 },
	{ "nodioread_nolock", IGNORE, 0, 0 },
	{ "data_err", IGNORE, 0, 0 },
	{ "oldalloc", IGNORE, 0, 0 },
	{ "orlov", IGNORE, 0, 0 },
	{ "nobh", IGNORE, 0, 0 },
	{ "bh", IGNORE, 0, 0 },
	{ "debug", IGNORE, 0, 0 },
	{ "mblk_io_submit", IGNORE, 0, 0 },
	{ "nomblk_io_submit", IGNORE, 0, 0 },
	{ "noquota", IGNORE, 0, 0 },
	{ "check", IGNORE, 0, 0 },
	{ "nocheck", IGNORE, 0, 0 },
	{ "prefetch_block_bitmaps", IGNORE, 0, 0 },
	{ "no_prefetch_block_bitmaps", IGNORE, 0, 0 },
	{ "mb_optimize_scan", IGNORE, 0, 0 },
	{ "max_dir_size_kb", IGNORE, 0, 0 },
};

static int
parse_number(const char *value, u64 *out)
{
	if (!value || parse_u64(value, 10, out) || *out > UINT32_MAX)
		return -EINVAL;
	return 0;
}

/* Options whose value is a word. */
static int
parse_word(struct ext4_options *o, const char *name, const char *value, bool remount)
{
	u64 n;

	if (!strcmp(name, "errors")) {
		if (!strcmp(value, "continue"))
			o->errors = ERRORS_CONTINUE;
		else if (!strcmp(value, "remount-ro"))
			o->errors = ERRORS_RO;
		else if (!strcmp(value, "panic"))
			o->errors = ERRORS_PANIC;
		else
			return -EINVAL;
		o->flags |= OPT_ERRORS_SET;
		return 0;
	}
	if (!strcmp(name, "data")) {
		if (!strcmp(value, "writeback"))
			o->flags |= OPT_WRITEBACK;
		else if (!strcmp(value, "ordered"))
			o->flags &= ~(u32)OPT_WRITEBACK;
		else
			return -EINVAL;
		return 0;
	}
	if (!strcmp(name, "barrier")) {
		if (parse_number(value, &n))
			return -EINVAL;
		o->flags = n ? o->flags & ~(u32)OPT_NOBARRIER : o->flags | OPT_NOBARRIER;
		return 0;
	}
	if (!strcmp(name, "sb") && !remount)
		return parse_number(value, &o->sb_block);
	return -EINVAL;
}

static int
parse_one(struct ext4_options *o, const char *name, const char *value, bool remount)
{
	u64 n;

	if (!strcmp(name, "barrier") && !value) {
		o->flags &= ~(u32)OPT_NOBARRIER;
		return 0;
	}
	for (u32 i = 0; i < ARRAY_SIZE(table); i++) {
		const struct option *t = &table[i];

		if (strcmp(name, t->name))
			continue;
		switch (t->kind) {
		case IGNORE: return 0;
		case SET:
		case CLEAR:
			if (value)
				return -EINVAL;
			o->flags = t->kind == SET ? o->flags | t->flag : o->flags & ~t->flag;
			return 0;
		case NUMBER:
			if (parse_number(value, &n))
				return -EINVAL;
			*(u32 *)((u8 *)o + t->field) = (u32)n;
			o->flags |= t->flag;
			return 0;
		}
	}
	return value ? parse_word(o, name, value, remount) : -EINVAL;
}

int
ext4_options_parse(struct ext4_options *o, const char *text, bool remount)
{
	char *copy, *rest, *option;
	int err = 0;

	if (!text || !*text)
		return 0;
	copy = rest = kstrdup(text, GFP_KERNEL);
	if (!copy)
		return -ENOMEM;
	while (!err && (option = str_token(&rest, ","))) {
		char *value = strchr(option, '=');

		if (!*option)
			continue;
		if (value)
			*value++ = '\0';
		err = parse_one(o, option, value, remount);
		if (err)
			log_err("EXT4-fs: Unrecognized mount option \"%s%s%s\" or missing value\n",
				option, value ? "=" : "", value ? value : "");
	}
	kfree(copy);
	return err;
}

void
ext4_options_show(struct super *s, struct strbuf *sb)
{
	const struct ext4_fs *fs = ext4_fs_of(s);
	const struct ext4_options *o = &fs->options;
	u32 f = o->flags;

	/* What differs from the defaults, in Linux's order. */
	if (o->sb_block != 1)
		strbuf_printf(sb, ",sb=%lu", (unsigned long)o->sb_block);
	if (f & OPT_NOLOAD)
		strbuf_puts(sb, ",norecovery");
	if (f & OPT_DISCARD)
		strbuf_puts(sb, ",discard");
	if (f & OPT_NOBARRIER)
		strbuf_puts(sb, ",nobarrier");
	if (!(f & OPT_XATTR_USER))
		strbuf_puts(sb, ",nouser_xattr");
	if (!(f & OPT_ACL))
		strbuf_puts(sb, ",noacl");
	if (f & OPT_NODELALLOC)
		strbuf_puts(sb, ",nodelalloc");
	if (f & OPT_GRPID)
		strbuf_puts(sb, ",grpid");
	if (f & OPT_MINIXDF)
		strbuf_puts(sb, ",minixdf");
	if (o->resuid)
		strbuf_printf(sb, ",resuid=%u", o->resuid);
	if (o->resgid)
		strbuf_printf(sb, ",resgid=%u", o->resgid);
	if (o->errors != fs->es->s_errors && o->errors)
		strbuf_printf(sb, ",errors=%s",
			      o->errors == ERRORS_RO	  ? "remount-ro"
			      : o->errors == ERRORS_PANIC ? "panic"
							  : "continue");
	if (f & OPT_COMMIT_SET && o->commit != 5)
		strbuf_printf(sb, ",commit=%u", o->commit);
	if (o->stripe)
		strbuf_printf(sb, ",stripe=%u", o->stripe);
	if (f & OPT_WRITEBACK)
		strbuf_puts(sb, ",data=writeback");
}
