/* SPDX-License-Identifier: MIT */
/* /proc/PID/maps, smaps and smaps_rollup: the mappings, and what they have in memory. proc(5). */
#include "lib/string.h"
#include "mm/mm.h"
#include "mm/usage.h"
#include "proc_internal.h"
#include "uapi/errno.h"
#include "uapi/major.h"

#define NAME_COLUMN 73

/* Written digit by digit: programs read maps of thousands of lines. */
static char *
put_hex(char *to, u64 value, unsigned int digits, char end)
{
	to += format_hex(to, value, digits);
	*to = end;
	return to + 1;
}

static void
show_vma(struct strbuf *sb, struct mm *mm, struct vma *v)
{
	char name[512], line[128], *to = line;
	struct strbuf path;
	u64 dev = 0, ino = 0;
	size_t start = sb->len;

	strbuf_init(&path, name, sizeof(name));
	if (v->ops && v->ops->describe)
		v->ops->describe(v, &path, &dev, &ino);
	else if (v->start <= mm->brk && v->end > mm->start_brk && mm->start_brk && !v->mapping)
		strbuf_puts(&path, "[heap]");
	else if (v->start <= mm->start_stack && v->end > mm->start_stack)
		strbuf_puts(&path, "[stack]");
	to = put_hex(to, v->start, 8, '-');
	to = put_hex(to, v->end, 8, ' ');
	*to++ = v->flags & VM_READ ? 'r' : '-';
	*to++ = v->flags & VM_WRITE ? 'w' : '-';
	*to++ = v->flags & VM_EXEC ? 'x' : '-';
	*to++ = v->flags & VM_SHARED ? 's' : 'p';
	*to++ = ' ';
	to = put_hex(to, v->mapping ? v->pgoff << PAGE_SHIFT : 0, 8, ' ');
	to = put_hex(to, dev_major(dev), 2, ':');
	to = put_hex(to, dev_minor(dev), 2, ' ');
	to += format_u64(to, ino);
	strbuf_write(sb, line, (size_t)(to - line));
	if (path.len) {
		size_t used = sb->len - start;

		strbuf_pad(sb, ' ', used < NAME_COLUMN ? NAME_COLUMN - used : 1);
		strbuf_write(sb, name, path.len);
	} else {
		strbuf_putc(sb, ' ');
	}
	strbuf_putc(sb, '\n');
}

static void
put_kb(struct strbuf *sb, const char *name, u64 bytes)
{
	strbuf_printf(sb, "%-16s%8lu kB\n", name, bytes >> 10);
}

static void
put_share(struct strbuf *sb, const char *name, u64 share)
{
	put_kb(sb, name, share >> USAGE_SHARE_SHIFT);
}

static void
show_usage(struct strbuf *sb, const struct mem_usage *u, bool rollup)
{
	put_kb(sb, "Rss:", u->resident);
	put_share(sb, "Pss:", u->share);
	put_share(sb, "Pss_Dirty:", u->share_dirty);
	if (rollup) {
		put_share(sb, "Pss_Anon:", u->share_anon);
		put_share(sb, "Pss_File:", u->share_file);
		put_share(sb, "Pss_Shmem:", u->share_shmem);
	}
	put_kb(sb, "Shared_Clean:", u->shared_clean);
	put_kb(sb, "Shared_Dirty:", u->shared_dirty);
	put_kb(sb, "Private_Clean:", u->private_clean);
	put_kb(sb, "Private_Dirty:", u->private_dirty);
	put_kb(sb, "Referenced:", u->referenced);
	put_kb(sb, "Anonymous:", u->anonymous);
	put_kb(sb, "LazyFree:", 0); /* MADV_FREE frees at once; no hugetlbfs */
	put_kb(sb, "AnonHugePages:", u->anon_huge);
	put_kb(sb, "ShmemPmdMapped:", 0);
	put_kb(sb, "FilePmdMapped:", 0);
	put_kb(sb, "Shared_Hugetlb:", 0);
	strbuf_puts(sb, "Private_Hugetlb:       0 kB\n");
	put_kb(sb, "Swap:", u->swap);
	put_share(sb, "SwapPss:", u->share_swap);
	put_share(sb, "Locked:", u->share_locked);
}

static void
show_flags(struct strbuf *sb, const struct vma *v)
{
	static const struct {
		u32 flag;
		char name[3];
	} names[] = {
		{ VM_READ, "rd" },	{ VM_WRITE, "wr" },	 { VM_EXEC, "ex" },
		{ VM_SHARED, "sh" },	{ VM_MAYREAD, "mr" },	 { VM_MAYWRITE, "mw" },
		{ VM_MAYEXEC, "me" },	{ VM_SHARED, "ms" },	 { VM_GROWSDOWN, "gd" },
		{ VM_LOCKED, "lo" },	{ VM_IO, "io" },	 { VM_SEQ_READ, "sr" },
		{ VM_RAND_READ, "rr" }, { VM_DONTCOPY, "dc" },	 { VM_ACCOUNT, "ac" },
		{ VM_NORESERVE, "nr" }, { VM_WIPEONFORK, "wf" }, { VM_DONTDUMP, "dd" },
		{ VM_HUGEPAGE, "hg" },	{ VM_NOHUGEPAGE, "nh" },
	};

	strbuf_puts(sb, "VmFlags: ");
	for (u32 i = 0; i < ARRAY_SIZE(names); i++)
		if (v->flags & names[i].flag)
			strbuf_printf(sb, "%s ", names[i].name);
	strbuf_putc(sb, '\n');
}

static void
show_detail(struct strbuf *sb, struct mm *mm, struct vma *v)
{
	struct mem_usage u = { 0 };

	show_vma(sb, mm, v);
	vma_usage_add(v, &u);
	put_kb(sb, "Size:", v->end - v->start);
	put_kb(sb, "KernelPageSize:", PAGE_SIZE);
	put_kb(sb, "MMUPageSize:", PAGE_SIZE);
	show_usage(sb, &u, false);
	strbuf_printf(sb, "THPeligible:    %d\n", vma_huge_eligible(v));
	show_flags(sb, v);
}

static int
show_each(struct strbuf *sb, void *ctx,
	  void (*show)(struct strbuf *sb, struct mm *mm, struct vma *v))
{
	struct mm *mm;
	int err = proc_ref_mm(ctx, &mm);

	if (err || !mm)
		return err;
	err = rwsem_read_lock_killable(&mm->mmap_lock);
	if (!err) {
		for (struct vma *v = vma_first(mm); v && !sb->overflow; v = vma_next(v))
			show(sb, mm, v);
		rwsem_read_unlock(&mm->mmap_lock);
	}
	mm_users_put(mm);
	return err;
}

int
proc_show_maps(struct strbuf *sb, void *ctx)
{
	return show_each(sb, ctx, show_vma);
}

int
proc_show_smaps(struct strbuf *sb, void *ctx)
{
	return show_each(sb, ctx, show_detail);
}

/* The sum over all mappings. */
int
proc_show_smaps_rollup(struct strbuf *sb, void *ctx)
{
	struct mem_usage u = { 0 };
	u64 start = 0, end = 0;
	struct mm *mm;
	int err = proc_ref_mm(ctx, &mm);

	if (err)
		return err;
	if (!mm)
		return -ESRCH;
	err = rwsem_read_lock_killable(&mm->mmap_lock);
	if (!err) {
		for (struct vma *v = vma_first(mm); v; v = vma_next(v)) {
			start = end ? start : v->start;
			end = v->end;
			vma_usage_add(v, &u);
		}
		rwsem_read_unlock(&mm->mmap_lock);
		size_t used = sb->len;
		strbuf_printf(sb, "%08lx-%08lx ---p 00000000 00:00 0", start, end);
		used = sb->len - used;
		strbuf_pad(sb, ' ', used < NAME_COLUMN ? NAME_COLUMN - used : 1);
		strbuf_puts(sb, "[rollup]\n");
		show_usage(sb, &u, true);
	}
	mm_users_put(mm);
	return err;
}
