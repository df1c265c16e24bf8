/* SPDX-License-Identifier: MIT */
/*
 * Making mappings: mmap(2) without the file descriptor, which fs/vfs/mmap.c has turned into a
 * mapping.
 *
 * Validate, choose the address, check limits, charge; then nothing can fail but memory for the vma.
 * A mapping that continues its neighbour extends it instead.
 */
#include "arch/vdso.h"
#include "lib/format.h"
#include "mm_internal.h"
#include "pagetable.h"
#include "uapi/mman.h"
#include "vma.h"

static bool
range_free(struct mm *mm, u64 addr, u64 len)
{
	struct vma *v = vma_find(mm, addr);
	u64 floor;

	if (!v)
		return true;
	floor = v->start;
	if (v->flags & VM_GROWSDOWN)
		floor = floor > STACK_GUARD_GAP ? floor - STACK_GUARD_GAP : 0;
	return floor >= addr + len;
}

long
mm_choose_address(struct mm *mm, u64 hint, u64 len, enum placement placement)
{
	u64 low = MMAP_MIN_ADDR, high = mm->mmap_base, end = USER_END, addr;

	if (placement == PLACE_LOW_2G) {
		low = 1ul << 30;
		high = end = 1ul << 31;
	}
	if (len > end)
		return -ENOMEM;
	if (hint)
		hint = MAX(hint & PAGE_MASK, MMAP_MIN_ADDR);
	if (hint && hint <= end - len && range_free(mm, hint, len))
		return (long)hint;
	/* Aligned, a large area can have 2 MiB pages throughout. */
	if (placement == PLACE_HUGE && len >= HUGE_SIZE) {
		addr = vma_find_gap(mm, len + HUGE_SIZE - PAGE_SIZE, low, high);
		if (addr)
			return (long)ALIGN_UP(addr, HUGE_SIZE);
	}
	addr = vma_find_gap(mm, len, low, high);
	if (!addr && high < end)
		addr = vma_find_gap(mm, len, high, end);
	return addr ? (long)addr : -ENOMEM;
}

/* Pages of [addr, addr + len) that are mapped already and will be replaced. */
static u64
pages_replaced(struct mm *mm, u64 addr, u64 len)
{
	u64 pages = 0, end = addr + len;

	for (struct vma *v = vma_find(mm, addr); v && v->start < end; v = vma_next(v))
		pages += (MIN(v->end, end) - MAX(v->start, addr)) >> PAGE_SHIFT;
	return pages;
}

static int
check_fixed(struct mm *mm, u64 addr, u64 len, u32 map_flags)
{
	struct mm_limits limits = { 0 };

	if (addr & ~PAGE_MASK)
		return -EINVAL;
	if (addr > USER_END - len)
		return -ENOMEM;
	if (addr < MMAP_MIN_ADDR) {
		if (mm_get_limits)
			mm_get_limits(&limits);
		if (!limits.low_exempt)
			return -EPERM;
	}
	if (map_flags & MAP_FIXED_NOREPLACE) {
		struct vma *v = vma_find(mm, addr);

		if (v && v->start < addr + len)
			return -EEXIST;
	}
	return 0;
}

/* Insert `want` (a template with bounds and all) into free space. */
static int
vma_place(struct mm *mm, struct vma *want)
{
	struct vma *next = vma_find(mm, want->start), *prev = next ? vma_prev(next) : vma_last(mm),
		   *v;

	if (prev && vma_mergeable(prev, want)) {
		vma_set_bounds(mm, prev, prev->start, want->end);
		if (next && vma_mergeable(prev, next))
			vma_merge(mm, prev);
	} else if (next && vma_mergeable(want, next)) {
		vma_set_bounds(mm, next, want->start, next->end);
	} else {
		if (mm->vma_count >= MAX_MAP_COUNT)
			return -ENOMEM;
		v = vma_alloc(mm);
		if (!v)
			return -ENOMEM;
		v->start = want->start;
		v->end = want->end;
		v->flags = want->flags;
		v->pgoff = want->pgoff;
		v->mapping = want->mapping;
		v->owner = want->owner;
		v->ops = want->ops;
		vma_tree_insert(mm, v);
		if (v->mapping) {
			rmap_lock(v->mapping);
			rmap_add_locked(v);
			rmap_unlock(v->mapping);
		}
		return 0;
	}
	/* The reference that came with the request: its neighbour has one of its own. */
	if (want->ops && want->ops->close)
		want->ops->close(want);
	return 0;
}

long
mm_map_locked(struct mm *mm, const struct mm_map_request *request)
{
	struct mm_map_request rq = *request;
	u32 flags = rq.vm_extra | (u32)mm->def_flags |
		    (rq.prot & (PROT_READ | PROT_WRITE | PROT_EXEC));
	u64 len = ALIGN_UP(rq.len, PAGE_SIZE), pages = len >> PAGE_SHIFT, replaced = 0;
	bool shared = (rq.map_flags & MAP_TYPE) != MAP_PRIVATE;
	bool anonymous = !rq.mapping && !(rq.ops && rq.ops->fault), made = false;
	bool fixed = rq.map_flags & (MAP_FIXED | MAP_FIXED_NOREPLACE);
	enum placement placement;
	struct vma want;
	long addr;
	int err;

	if (!rq.len)
		return -EINVAL;
	if (!len || len > USER_END)
		return -ENOMEM;
	if (rq.pgoff + pages < rq.pgoff ||
	    (rq.mapping && rq.pgoff + pages > (u64)INT64_MAX >> PAGE_SHIFT))
		return -EOVERFLOW;
	if (shared)
		flags |= VM_SHARED;
	if (anonymous)
		flags |= VM_MAYREAD | VM_MAYWRITE | VM_MAYEXEC;
	if (rq.map_flags & MAP_GROWSDOWN)
		flags |= VM_GROWSDOWN;
	if (rq.map_flags & MAP_LOCKED)
		flags |= VM_LOCKED;
	if (rq.map_flags & MAP_NORESERVE && mm_overcommit_mode != OVERCOMMIT_NEVER)
		flags |= VM_NORESERVE;
	if (flags & VM_GROWSDOWN && shared)
		return -EINVAL;

	if (fixed) {
		err = check_fixed(mm, rq.addr, len, rq.map_flags);
		if (err)
			return err;
		addr = (long)rq.addr;
		replaced = pages_replaced(mm, rq.addr, len);
	} else {
		placement = rq.map_flags & MAP_32BIT ? PLACE_LOW_2G
			    : anonymous && !(rq.map_flags & (MAP_STACK | MAP_GROWSDOWN))
				    ? PLACE_HUGE
				    : PLACE_ANYWHERE;
		addr = mm_choose_address(mm, rq.addr, len, placement);
		if (addr < 0)
			return addr;
	}
	if (flags & VM_LOCKED) {
		/* The old pages of a replaced range are no credit here, as on Linux. */
		err = mm_limits_check(mm, flags, pages);
		if (err == -EAGAIN)
			return err;
	}
	err = mm_limits_check(mm, flags & ~VM_LOCKED, pages - MIN(pages, replaced));
	if (err)
		return err;

	if (replaced) {
		err = mm_unmap_locked(mm, (u64)addr, len);
		if (err)
			return err;
	}
	/* Private writable memory is charged here, shared anonymous memory by its object. */
	if (!shared && (flags & VM_WRITE) && !(flags & (VM_NORESERVE | VM_SPECIAL)))
		flags |= VM_ACCOUNT;
	if (flags & VM_ACCOUNT) {
		err = commit_charge(pages);
		if (err)
			return err;
	}
	if (shared && anonymous) {
		rq.len = len;
		err = shared_anon_create(&rq);
		if (err)
			goto out_uncharge;
		made = true;
	} else if (anonymous) {
		rq.pgoff = (u64)addr >> PAGE_SHIFT;
	}
	want = (struct vma){
		.start = (u64)addr,
		.end = (u64)addr + len,
		.flags = flags,
		.mm = mm,
		.pgoff = rq.pgoff,
		.mapping = rq.mapping,
		.owner = rq.owner,
		.ops = rq.ops,
	};
	err = vma_place(mm, &want);
	if (err) {
		if (made)
			rq.ops->close(&want);
		goto out_uncharge;
	}
	mm_account(mm, flags, pages, 1);
	return addr;

out_uncharge:
	if (flags & VM_ACCOUNT)
		commit_release(pages);
	return err;
}

long
mm_map(struct mm *mm, const struct mm_map_request *rq)
{
	bool populate;
	long addr;

	if (rwsem_write_lock_killable(&mm->mmap_lock))
		return -EINTR;
	addr = mm_map_locked(mm, rq);
	populate = addr >= 0 && ((mm->def_flags & (VM_LOCKED | VM_LOCKONFAULT)) == VM_LOCKED ||
				 (rq->map_flags & MAP_LOCKED) ||
				 (rq->map_flags & (MAP_POPULATE | MAP_NONBLOCK)) == MAP_POPULATE);
	mm_write_unlock(mm);
	if (populate)
		(void)mm_populate(mm, (u64)addr, ALIGN_UP(rq->len, PAGE_SIZE));
	return addr;
}

/* ---- the vDSO: a data page, then the code ---- */

static int
vdso_fault(struct vma *v, u64 addr, struct page **out)
{
	u64 index = (addr - v->start) >> PAGE_SHIFT;
	const void *va = v->flags & VM_EXEC
				 ? (const void *)(arch_vdso_image + (index << PAGE_SHIFT))
				 : (const void *)vdso_data;

	*out = phys_to_page(arch_image_to_phys(va));
	page_get(*out);
	return 0;
}

static void
vdso_describe(struct vma *v, struct strbuf *path, u64 *dev, u64 *ino)
{
	strbuf_puts(path, v->flags & VM_EXEC ? "[vdso]" : "[vvar]");
	*dev = *ino = 0;
}

static int
vdso_may_protect(struct vma *v, u32 prot)
{
	return prot & PROT_WRITE ? -EACCES : 0;
}

static const struct vma_ops vdso_vma_ops = {
	.fault = vdso_fault,
	.may_protect = vdso_may_protect,
	.describe = vdso_describe,
};

long
mm_map_vdso(struct mm *mm)
{
	u64 code_len = ALIGN_UP(arch_vdso_size, PAGE_SIZE);
	struct mm_map_request rq = {
		.len = PAGE_SIZE,
		.prot = PROT_READ,
		.map_flags = MAP_PRIVATE,
		.vm_extra = VM_SPECIAL | VM_DONTDUMP | VM_MAYREAD,
		.ops = &vdso_vma_ops,
	};
	long data, code;

	if (rwsem_write_lock_killable(&mm->mmap_lock))
		return -EINTR;
	data = mm_choose_address(mm, 0, PAGE_SIZE + code_len, PLACE_ANYWHERE);
	if (data < 0)
		goto out_unlock;
	rq.addr = (u64)data;
	rq.map_flags |= MAP_FIXED_NOREPLACE;
	data = mm_map_locked(mm, &rq);
	if (data < 0)
		goto out_unlock;
	rq.addr += PAGE_SIZE;
	rq.len = code_len;
	rq.prot = PROT_READ | PROT_EXEC;
	rq.vm_extra = VM_SPECIAL | VM_MAYREAD | VM_MAYEXEC;
	code = mm_map_locked(mm, &rq);
	if (code < 0)
		mm_unmap_locked(mm, (u64)data, PAGE_SIZE);
	else
		mm->vdso_base = (u64)code;
	data = code;
out_unlock:
	mm_write_unlock(mm);
	return data;
}
