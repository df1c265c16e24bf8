/* SPDX-License-Identifier: MIT */
/*
 * ELF programs, elf(5): 64-bit, of this machine; fixed (ET_EXEC), movable with an interpreter,
 * movable without (static PIE).
 *
 * Nothing in a file is trusted. Headers are copied once and checked before the point of no return;
 * sums that could wrap are checked before they are used; what the file says beyond its end simply
 * is not there (SIGBUS, as for any mapping).
 *
 * Where things go: ET_EXEC where it says; a movable program with an interpreter at two thirds of
 * the address space plus up to 2^28 pages; interpreters and static PIEs below mmap_base, as mmap
 * would place them. The break follows the program with a gap of up to 32 MiB; that of a static PIE
 * is moved to where a movable program would be, so that it has room to grow.
 *
 * The first mapping goes into an empty address space and nobody else maps into it, so MAP_FIXED
 * replaces only pages of the same file: where two segments share a page, the later one wins.
 */
#include "uapi/elf.h"
#include "arch/mmu.h"
#include "core/random.h"
#include "fs/vfs/file.h"
#include "fs/vfs/inode.h"
#include "fs/vfs/path.h"
#include "lib/string.h"
#include "mm/mm.h"
#include "mm/slab.h"
#include "mm/user.h"
#include "proc_internal.h"
#include "task/task.h"
#include "uapi/arch.h"
#include "uapi/errno.h"
#include "uapi/fcntl.h"
#include "uapi/mman.h"
#include "uapi/personality.h"

#define ELF_PIE_BASE	ALIGN_DOWN(USER_END / 3 * 2, PAGE_SIZE)
#define ELF_PHDRS_MAX	(65536 / sizeof(struct elf64_phdr))
#define INTERP_PATH_MAX 4096

struct elf_file {
	struct file *file;
	struct elf64_ehdr ehdr;
	struct elf64_phdr *phdrs;
};

/* Where a file came to lie. */
struct elf_image {
	u64 bias;
	u64 end; /* highest address in use, not rounded */
	u64 start_code, end_code, start_data, end_data;
};

static bool
elf_header_ok(const struct elf64_ehdr *h)
{
	return memcmp(h->e_ident, ELFMAG, SELFMAG) == 0 && h->e_ident[EI_CLASS] == ELFCLASS64 &&
	       h->e_ident[EI_DATA] == ELFDATA2LSB &&
	       (h->e_type == ET_EXEC || h->e_type == ET_DYN) && h->e_machine == UAPI_ELF_MACHINE &&
	       h->e_phentsize == sizeof(struct elf64_phdr) && h->e_phnum >= 1 &&
	       h->e_phnum <= ELF_PHDRS_MAX;
}

static int
elf_read(struct file *f, void *buf, size_t size, u64 pos)
{
	if (pos > INT64_MAX - size)
		return -EINVAL;
	ssize_t n = file_read_kernel(f, buf, size, pos);
	if (n < 0)
		return (int)n;
	return (size_t)n == size ? 0 : -EIO;
}

/* Program headers of a file whose header is read. `bad`: the errno for nonsense. */
static int
elf_read_phdrs(struct elf_file *e, int bad)
{
	size_t size;

	if (!elf_header_ok(&e->ehdr))
		return bad;
	size = e->ehdr.e_phnum * sizeof(struct elf64_phdr);
	e->phdrs = kmalloc(size, GFP_KERNEL);
	if (!e->phdrs)
		return -ENOMEM;
	return elf_read(e->file, e->phdrs, size, e->ehdr.e_phoff) ? bad : 0;
}

static const struct elf64_phdr *
elf_find_phdr(const struct elf_file *e, u32 type)
{
	for (u32 i = 0; i < e->ehdr.e_phnum; i++) {
		if (e->phdrs[i].p_type == type)
			return &e->phdrs[i];
	}
	return NULL;
}

/* A PT_LOAD that may be mapped at all, whatever the bias. */
static bool
elf_segment_ok(const struct elf64_phdr *ph)
{
	return ph->p_filesz <= ph->p_memsz && ph->p_memsz <= USER_END &&
	       ph->p_vaddr <= USER_END - ph->p_memsz &&
	       ((ph->p_vaddr - ph->p_offset) & ~PAGE_MASK) == 0 &&
	       ph->p_offset <= INT64_MAX - ph->p_filesz - PAGE_SIZE;
}

/* First address and size of all segments together, and the alignment they ask for. -EINVAL when
 * there is none. */
static int
elf_extent(const struct elf_file *e, u64 *start, u64 *size, u64 *align)
{
	u64 low = UINT64_MAX, high = 0;

	*align = PAGE_SIZE;
	for (u32 i = 0; i < e->ehdr.e_phnum; i++) {
		const struct elf64_phdr *ph = &e->phdrs[i];

		if (ph->p_type != PT_LOAD)
			continue;
		if (!elf_segment_ok(ph))
			return -EINVAL;
		low = MIN(low, ALIGN_DOWN(ph->p_vaddr, PAGE_SIZE));
		high = MAX(high, ph->p_vaddr + ph->p_memsz);
		if ((ph->p_align & (ph->p_align - 1)) == 0 && ph->p_align < USER_END)
			*align = MAX(*align, ph->p_align);
	}
	if (low >= high)
		return -EINVAL;
	*start = low;
	*size = ALIGN_UP(high - low, PAGE_SIZE);
	return 0;
}

static u32
elf_prot(u32 p_flags)
{
	return (p_flags & PF_R ? PROT_READ : 0) | (p_flags & PF_W ? PROT_WRITE : 0) |
	       (p_flags & PF_X ? PROT_EXEC : 0);
}

/* Room for `size` bytes where mmap would put them. */
static long
elf_find_room(struct mm *mm, u64 size, u64 align)
{
	struct mm_map_request rq = { .len = size + align,
				     .prot = PROT_NONE,
				     .map_flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE };

	if (size + align < mm->mmap_base) {
		u64 addr = ALIGN_DOWN(mm->mmap_base - size, align);

		rwsem_read_lock(&mm->mmap_lock);
		struct vma *v = vma_find(mm, addr);
		bool is_free = !v || v->start >= addr + size;
		rwsem_read_unlock(&mm->mmap_lock);
		if (is_free)
			return (long)addr;
	}
	/* Something odd is in the way: let the search find a place, and use it. */
	long addr = mm_map(mm, &rq);
	if (addr < 0)
		return addr;
	int r = mm_unmap(mm, (u64)addr, rq.len);
	return r ? r : (long)ALIGN_UP((u64)addr, align);
}

static int
elf_map_file_part(struct mm *mm, struct file *f, const struct elf64_phdr *ph, u64 addr)
{
	u64 lead = addr & ~PAGE_MASK;
	struct mm_map_request rq = {
		.addr = addr - lead,
		.len = ph->p_filesz + lead,
		.prot = elf_prot(ph->p_flags),
		.map_flags = MAP_PRIVATE | MAP_FIXED,
		.pgoff = (ph->p_offset - lead) >> PAGE_SHIFT,
	};
	long r = file_map(mm, f, &rq);

	return r < 0 ? (int)r : 0;
}

/* What is in memory but not in the file: zeroes. The rest of the file's last page is cleared, whole
 * pages are anonymous. */
static int
elf_map_zero_part(struct mm *mm, const struct elf64_phdr *ph, u64 addr)
{
	u64 start = addr + ph->p_filesz, end = addr + ph->p_memsz,
	    whole = ALIGN_UP(start, PAGE_SIZE);

	if (ph->p_filesz && whole != start && (ph->p_flags & PF_W)) {
		/* To the end of the page: the C library's loader takes what lies behind its data.
		 */
		int r = clear_user(user_ptr_of(start), whole - start);
		if (r)
			return r;
	}
	if (!ph->p_filesz)
		whole = ALIGN_DOWN(start, PAGE_SIZE);
	if (whole >= end)
		return 0;
	struct mm_map_request rq = {
		.addr = whole,
		.len = ALIGN_UP(end, PAGE_SIZE) - whole,
		.prot = PROT_READ | PROT_WRITE | (ph->p_flags & PF_X ? PROT_EXEC : 0),
		.map_flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED,
	};
	long r = mm_map(mm, &rq);

	return r < 0 ? (int)r : 0;
}

static int
elf_map(struct mm *mm, const struct elf_file *e, u64 bias, struct elf_image *image)
{
	*image = (struct elf_image){ .bias = bias, .start_code = UINT64_MAX };
	for (u32 i = 0; i < e->ehdr.e_phnum; i++) {
		const struct elf64_phdr *ph = &e->phdrs[i];
		u64 addr = bias + ph->p_vaddr;
		int r = 0;

		if (ph->p_type != PT_LOAD || !ph->p_memsz)
			continue;
		if (addr > USER_END - ph->p_memsz)
			return -ENOMEM;
		if (ph->p_filesz)
			r = elf_map_file_part(mm, e->file, ph, addr);
		if (r == 0 && ph->p_memsz > ph->p_filesz)
			r = elf_map_zero_part(mm, ph, addr);
		if (r)
			return r;

		u64 file_end = addr + ph->p_filesz;
		image->start_code = MIN(image->start_code, addr);
		image->start_data = MAX(image->start_data, addr);
		if (ph->p_flags & PF_X)
			image->end_code = MAX(image->end_code, file_end);
		image->end_data = MAX(image->end_data, file_end);
		image->end = MAX(image->end, addr + ph->p_memsz);
	}
	return 0;
}

/* ---- the interpreter ---- */

/* Its name, checked; a string of its own. */
static int
interp_read_name(const struct elf_file *e, const struct elf64_phdr *ph, char **out)
{
	if (ph->p_filesz < 2 || ph->p_filesz > INTERP_PATH_MAX)
		return -ENOEXEC;
	char *name = kmalloc(ph->p_filesz, GFP_KERNEL);
	if (!name)
		return -ENOMEM;
	int r = elf_read(e->file, name, ph->p_filesz, ph->p_offset);
	if (r == 0 && name[ph->p_filesz - 1] != '\0')
		r = -ENOEXEC;
	if (r) {
		kfree(name);
		return r;
	}
	*out = name;
	return 0;
}

static int
interp_open(const struct elf_file *program, struct elf_file *interp)
{
	const struct elf64_phdr *ph = elf_find_phdr(program, PT_INTERP);
	char *name;

	if (!ph)
		return 0;
	int r = interp_read_name(program, ph, &name);
	if (r)
		return r;
	struct path path;
	r = path_lookup(AT_FDCWD, name, WALK_FOLLOW, &path);
	kfree(name);
	if (r)
		return r;
	r = file_open_exec(&path, &interp->file);
	path_put(&path);
	if (r)
		return r;
	r = elf_read(interp->file, &interp->ehdr, sizeof(interp->ehdr), 0);
	return r ? r : elf_read_phdrs(interp, -ELIBBAD);
}

static int
interp_map(struct exec *x, struct mm *mm, const struct elf_file *interp)
{
	struct elf_image image;
	u64 start, size, align, bias = 0;
	int r = elf_extent(interp, &start, &size, &align);

	if (r)
		return r;
	if (interp->ehdr.e_type == ET_DYN) {
		long room = elf_find_room(mm, size, align);

		if (room < 0)
			return (int)room;
		bias = (u64)room - start;
	}
	r = elf_map(mm, interp, bias, &image);
	if (r)
		return r;
	x->interp_base = bias;
	x->entry = bias + interp->ehdr.e_entry;
	return x->entry < USER_END ? 0 : -EINVAL;
}

/* ---- the program ---- */

static int
program_choose_bias(struct mm *mm, const struct elf_file *e, bool has_interp, u64 *bias)
{
	u64 start, size, align;
	int r = elf_extent(e, &start, &size, &align);

	*bias = 0;
	if (r || e->ehdr.e_type == ET_EXEC)
		return r;
	if (has_interp) {
		u64 base = ELF_PIE_BASE + exec_random_offset(28);

		*bias = ALIGN_DOWN(ALIGN_DOWN(base, align) - start, PAGE_SIZE);
		return 0;
	}
	long room = elf_find_room(mm, size, align);
	if (room < 0)
		return (int)room;
	*bias = (u64)room - start;
	return 0;
}

/* Where the program finds its own headers: in the segment that contains them. */
static u64
program_phdr_address(const struct elf_file *e, u64 bias)
{
	for (u32 i = 0; i < e->ehdr.e_phnum; i++) {
		const struct elf64_phdr *ph = &e->phdrs[i];

		if (ph->p_type == PT_LOAD && ph->p_offset <= e->ehdr.e_phoff &&
		    e->ehdr.e_phoff - ph->p_offset < ph->p_filesz)
			return bias + ph->p_vaddr + (e->ehdr.e_phoff - ph->p_offset);
	}
	return 0;
}

static void
program_set_brk(struct mm *mm, const struct elf_image *image, bool static_pie)
{
	u64 brk = static_pie ? ELF_PIE_BASE : ALIGN_UP(image->end, PAGE_SIZE);

	mm_set_brk(mm, brk + exec_random_offset(13));
}

static int
program_map(struct exec *x, struct mm *mm, const struct elf_file *e, bool has_interp)
{
	struct elf_image image;
	u64 bias;
	int r = program_choose_bias(mm, e, has_interp, &bias);

	if (r == 0)
		r = elf_map(mm, e, bias, &image);
	if (r)
		return r;
	mm->start_code = image.start_code;
	mm->end_code = image.end_code;
	mm->start_data = image.start_data;
	mm->end_data = image.end_data;
	program_set_brk(mm, &image, e->ehdr.e_type == ET_DYN && !has_interp);
	x->phdr = program_phdr_address(e, bias);
	x->phnum = e->ehdr.e_phnum;
	x->phent = sizeof(struct elf64_phdr);
	x->program_entry = x->entry = bias + e->ehdr.e_entry;
	return x->entry < USER_END ? 0 : -EINVAL;
}

/* personality(2) MMAP_PAGE_ZERO: old programs read through NULL. */
static int
map_page_zero(struct mm *mm)
{
	struct mm_map_request rq = {
		.len = PAGE_SIZE,
		.prot = PROT_READ | PROT_EXEC,
		.map_flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED,
	};
	long r = mm_map(mm, &rq);

	return r < 0 ? (int)r : 0;
}

static int
elf_load_into(struct exec *x, const struct elf_file *program, const struct elf_file *interp)
{
	const struct elf64_phdr *stack = elf_find_phdr(program, PT_GNU_STACK);
	struct mm *mm = current->thread.mm;
	int r = program_map(x, mm, program, interp->file);

	if (r == 0 && interp->file)
		r = interp_map(x, mm, interp);
	if (r == 0 && (current->personality & MMAP_PAGE_ZERO))
		r = map_page_zero(mm);
	if (r == 0)
		r = exec_build_stack(x, stack && (stack->p_flags & PF_X));
	return r;
}

int
elf_load(struct exec *x)
{
	struct elf_file program = { .file = x->file }, interp = { 0 };
	int r;

	memcpy(&program.ehdr, x->head, sizeof(program.ehdr));
	r = elf_read_phdrs(&program, -ENOEXEC);
	if (r == 0)
		r = interp_open(&program, &interp);
	if (r)
		goto out_free;
	/* dumpable(5): what the caller may not read, nobody may dump. */
	if (interp.file && inode_permission(interp.file->inode, MAY_READ))
		x->unreadable = true;
	r = exec_commit(x);
	if (r == 0)
		r = elf_load_into(x, &program, &interp);
out_free:
	if (interp.file) {
		file_allow_write(interp.file);
		file_put(interp.file);
	}
	kfree(interp.phdrs);
	kfree(program.phdrs);
	return r;
}
