/* SPDX-License-Identifier: MIT */
/*
 * From the loader's memory map to the page allocator.
 *
 * 1. Usable memory = RAM of the map, minus everything the map calls otherwise, the first 64 KiB
 *    (firmware data, start code of other CPUs), the kernel image with its early tables, the initrd.
 * 2. The page array is mapped at PAGE_ARRAY_BASE for each 4 MiB region that holds RAM, with memory
 *    taken from the top of the usable ranges; address space in between stays unmapped, so the cost
 *    follows the RAM and not the highest address (1/64 of RAM).
 * 3. What is left goes to the buddy. Frames in mapped regions that are not ours are PG_RESERVED.
 */
#include "arch/mmu.h"
#include "core/bootinfo.h"
#include "core/log.h"
#include "lib/string.h"
#include "mm_internal.h"
#include "pagetable.h"

#define LOW_RESERVED (64ul << 10)
#define MIN_MEMORY   (12ul << 20) /* below this not even a shell can start */
#define MAX_RANGES   192

struct range {
	u64 start, end; /* page frame numbers */
};

static struct range usable[MAX_RANGES];
static u32 usable_count;
static struct range regions[MAX_RANGES]; /* with a mapped page array */
static u32 region_count;
static bool boot_done;

static void
usable_add(u64 start, u64 end)
{
	u32 at = usable_count;

	if (start >= end || usable_count == MAX_RANGES)
		return;
	while (at && usable[at - 1].start > start) {
		usable[at] = usable[at - 1];
		at--;
	}
	usable[at] = (struct range){ start, end };
	usable_count++;
}

static void
usable_remove(u64 start, u64 end)
{
	for (u32 i = 0; i < usable_count; i++) {
		struct range *r = &usable[i];
		u64 tail_end = r->end;

		if (end <= r->start || start >= r->end)
			continue;
		if (start > r->start) {
			r->end = start;
			if (end < tail_end)
				usable_add(end, tail_end);
		} else {
			r->start = MIN(end, r->end);
		}
	}
}

static void
usable_remove_bytes(u64 start, u64 end)
{
	if (start < end)
		usable_remove(start >> PAGE_SHIFT, DIV_ROUND_UP(end, PAGE_SIZE));
}

/* Overlapping RAM entries would hand out a frame twice. */
static void
usable_merge(void)
{
	for (u32 i = 0; i + 1 < usable_count; i++) {
		if (usable[i + 1].start < usable[i].end)
			usable[i + 1].start = MIN(usable[i].end, usable[i + 1].end);
	}
}

/*
 * count pages, aligned to count pages (a power of two), zeroed, from the highest range that has
 * room.
 */
static void *
boot_pages_try(u64 count)
{
	for (u32 i = usable_count; i-- > 0;) {
		struct range *r = &usable[i];
		u64 start;

		if (r->end - r->start < count)
			continue;
		start = ALIGN_DOWN(r->end - count, count);
		if (start < r->start)
			continue;
		if (start + count < r->end)
			usable_add(start + count, r->end);
		/* usable_add moved only what lies above: r still is this range. */
		r->end = start;
		memset(phys_to_virt(start << PAGE_SHIFT), 0, count << PAGE_SHIFT);
		return phys_to_virt(start << PAGE_SHIFT);
	}
	return NULL;
}

void *
boot_pages_alloc(u64 count)
{
	void *va = boot_pages_try(count);

	if (!va)
		panic("not enough memory: the page array does not fit");
	return va;
}

static void *
table_alloc(void)
{
	return boot_pages_alloc(1);
}

/* Map the struct pages of frames [start, end), both multiples of 4 MiB. */
static void
region_map(u64 start, u64 end)
{
	uintptr_t va = (uintptr_t)pfn_to_page(start), va_end = (uintptr_t)pfn_to_page(end);
	u32 prot = PTE_P_READ | PTE_P_WRITE | PTE_P_GLOBAL | PTE_P_DIRTY | PTE_P_YOUNG;

	while (va < va_end) {
		void *chunk = NULL;

		if (IS_ALIGNED(va, HUGE_SIZE) && va_end - va >= HUGE_SIZE)
			chunk = boot_pages_try(HUGE_SIZE / PAGE_SIZE);
		if (chunk) {
			pte_set(kernel_pte_create(va, 1, table_alloc),
				pte_make(virt_to_phys(chunk), prot | PTE_P_HUGE));
			va += HUGE_SIZE;
		} else {
			pte_set(kernel_pte_create(va, 0, table_alloc),
				pte_make(virt_to_phys(boot_pages_alloc(1)), prot));
			va += PAGE_SIZE;
		}
	}
}

static void
regions_map(void)
{
	/* Mapping takes memory from `usable`: work from a copy. */
	for (u32 i = 0; i < usable_count; i++) {
		u64 start = ALIGN_DOWN(usable[i].start, BUDDY_MAX_PAGES),
		    end = ALIGN_UP(usable[i].end, BUDDY_MAX_PAGES);
		struct range *last = region_count ? &regions[region_count - 1] : NULL;

		if (usable[i].start >= usable[i].end)
			continue;
		if (last && start <= last->end)
			last->end = MAX(last->end, end);
		else
			regions[region_count++] = (struct range){ start, end };
	}
}

static void
mark_reserved(u64 start, u64 end)
{
	for (u64 pfn = start; pfn < end; pfn++) {
		/* One reference that nobody drops: parts of the kernel image are mapped by
		 * programs. */
		atomic_set(&pfn_to_page(pfn)->flags, PG_RESERVED);
		atomic64_set(&pfn_to_page(pfn)->ref_and_map, 1);
	}
}

static void
region_mark(const struct range *region)
{
	u64 at = region->start;

	for (u32 i = 0; i < usable_count; i++) {
		const struct range *r = &usable[i];

		if (r->start >= r->end || r->end <= region->start || r->start >= region->end)
			continue;
		mark_reserved(at, r->start);
		at = r->end;
	}
	mark_reserved(at, region->end);
}

bool
pfn_valid(u64 pfn)
{
	for (u32 i = 0; i < region_count; i++) {
		if (pfn >= regions[i].start && pfn < regions[i].end)
			return true;
	}
	return false;
}

void
mm_init(void)
{
	u64 ram = 0, left = 0;

	arch_early_alloc_close();
	for (u32 i = 0; i < boot_info.mem_count; i++) {
		const struct boot_mem *m = &boot_info.mem[i];

		if (m->type == BOOT_MEM_RAM)
			usable_add(DIV_ROUND_UP(m->start, PAGE_SIZE),
				   (m->start + m->len) >> PAGE_SHIFT);
	}
	usable_merge();
	for (u32 i = 0; i < boot_info.mem_count; i++) {
		const struct boot_mem *m = &boot_info.mem[i];

		if (m->type != BOOT_MEM_RAM)
			usable_remove_bytes(m->start, m->start + m->len);
	}
	for (u32 i = 0; i < usable_count; i++)
		ram += usable[i].end - usable[i].start;
	if (ram << PAGE_SHIFT < MIN_MEMORY)
		panic("not enough memory: the loader reports %lu KiB of RAM, at least %lu MiB are "
		      "needed",
		      ram << (PAGE_SHIFT - 10), MIN_MEMORY >> 20);

	regions_map();
	usable_remove_bytes(0, LOW_RESERVED);
	usable_remove_bytes(boot_info.kernel_start, MAX(boot_info.kernel_end, boot_info.early_end));
	usable_remove_bytes(boot_info.initrd_start, boot_info.initrd_start + boot_info.initrd_len);

	for (u32 i = 0; i < region_count; i++)
		region_map(regions[i].start, regions[i].end);
	kernel_tables_init(table_alloc);
	for (u32 i = 0; i < usable_count; i++)
		left += usable[i].end - usable[i].start;
	if (left << PAGE_SHIFT < MIN_MEMORY / 2)
		panic("not enough memory: of %lu KiB of RAM, kernel and initrd (%lu KiB) leave %lu "
		      "KiB",
		      ram << (PAGE_SHIFT - 10), boot_info.initrd_len >> 10,
		      left << (PAGE_SHIFT - 10));

	for (u32 i = 0; i < region_count; i++)
		region_mark(&regions[i]);
	buddy_init(&page_buddy);
	for (u32 i = 0; i < usable_count; i++)
		buddy_add_range(&page_buddy, usable[i].start, usable[i].end - usable[i].start);
	page_alloc_init(left);
	boot_done = true;
	log_info("memory: %lu KiB free of %lu KiB (%lu KiB page array)", left << (PAGE_SHIFT - 10),
		 ram << (PAGE_SHIFT - 10), ram * sizeof(struct page) >> 10);
	slab_init();
	page_queues_init();
	mm_caches_init();
}

void
mm_release_boot(paddr_t start, paddr_t end)
{
	u64 first = DIV_ROUND_UP(start, PAGE_SIZE), last = end >> PAGE_SHIFT;
	u64 run = first;

	if (!boot_done)
		return;
	/*
	 * Runs of frames that boot kept for itself; anything else in the range is not ours to free.
	 */
	for (u64 pfn = first; pfn <= last; pfn++) {
		bool ours = pfn < last && pfn_valid(pfn) &&
			    page_flag(pfn_to_page(pfn), PG_RESERVED);

		if (ours) {
			atomic_set(&pfn_to_page(pfn)->flags, 0);
			atomic64_set(&pfn_to_page(pfn)->ref_and_map, 0);
			continue;
		}
		if (pfn > run)
			page_add_range(run, pfn - run);
		run = pfn + 1;
	}
}
