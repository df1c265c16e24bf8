/* SPDX-License-Identifier: MIT */
/* /proc/PID/maps. */
#include "lib/string.h"
#include "mm/mm.h"
#include "proc_internal.h"
#include "uapi/errno.h"
#include "uapi/major.h"

#define NAME_COLUMN 73

static void
show_vma(struct strbuf *sb, struct mm *mm, struct vma *v)
{
	char name[512];
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
	strbuf_printf(sb, "%08lx-%08lx %c%c%c%c %08lx %02x:%02x %lu", v->start, v->end, v->flags & VM_READ ? 'r' : '-', v->flags & VM_WRITE ? 'w' : '-',
		      v->flags & VM_EXEC ? 'x' : '-', v->flags & VM_SHARED ? 's' : 'p', v->mapping ? v->pgoff << PAGE_SHIFT : 0, dev_major(dev),
		      dev_minor(dev), ino);
	if (path.len) {
		size_t used = sb->len - start;

		strbuf_pad(sb, ' ', used < NAME_COLUMN ? NAME_COLUMN - used : 1);
		strbuf_puts(sb, name);
	} else {
		strbuf_putc(sb, ' ');
	}
	strbuf_putc(sb, '\n');
}

int
proc_show_maps(struct strbuf *sb, void *ctx)
{
	struct mm *mm;
	int err = proc_ref_mm(ctx, &mm);

	if (err || !mm)
		return err;
	err = rwsem_read_lock_killable(&mm->mmap_lock);
	if (!err) {
		for (struct vma *v = vma_first(mm); v && !sb->overflow; v = vma_next(v))
			show_vma(sb, mm, v);
		rwsem_read_unlock(&mm->mmap_lock);
	}
	mm_users_put(mm);
	return err;
}
