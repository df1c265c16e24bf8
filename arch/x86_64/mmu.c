/* SPDX-License-Identifier: MIT */
/*
 * The kernel's own address map, and switching between address spaces.
 *
 * Idea: the upper half of every root table is a copy of arch_kernel_root's, and all of its entries
 * are filled at boot, so that the copies never go stale. Built once, by mmu_init:
 *
 *	direct map	all RAM, in pages of 1 GiB or 2 MiB, of 4 KiB over the image; not executable
 *	image		4 KiB pages: text read and execute, rodata read, the rest read and write
 *	fixed slot	exception stacks with guard pages; device registers of before mm's time
 *
 * The image's pages have the same protection in the direct map, so nothing is ever both writable
 * and executable.
 *
 * Early memory comes from the RAM behind the image; boot_info.early_end tells mm how far that went.
 */
#include "arch/mmu.h"

#include "arch/tlb.h"
#include "core/bootinfo.h"
#include "core/log.h"
#include "core/panic.h"
#include "lib/string.h"
#include "x86.h"

#define GIB	       (1ul << 30)
#define DEVICE_BASE    (FIXED_BASE + GIB)
#define STACKS_PER_CPU 4
#define PROT_RW	       (PTE_P_READ | PTE_P_WRITE | PTE_P_GLOBAL | PTE_P_DIRTY)

extern pte_t boot_pml4[PTE_PER_TABLE];
extern char boot_stack_guard[];

pte_t *arch_kernel_root;
bool mmu_ready;

static paddr_t early_next, early_limit;
static uintptr_t device_next = DEVICE_BASE;
static bool early_closed;

paddr_t
arch_image_to_phys(const void *va)
{
	return (uintptr_t)va - KERNEL_BASE;
}

paddr_t
mmu_boot_root(void)
{
	return arch_image_to_phys(boot_pml4);
}

/* The RAM behind the image, up to the initrd if that lies there. */
static void
early_memory_find(void)
{
	for (u32 i = 0; i < boot_info.mem_count; i++) {
		const struct boot_mem *m = &boot_info.mem[i];

		if (m->type == BOOT_MEM_RAM && m->start < boot_info.kernel_end &&
		    m->start + m->len >= boot_info.kernel_end)
			early_limit = m->start + m->len;
	}
	if (boot_info.initrd_len && boot_info.initrd_start >= boot_info.kernel_end)
		early_limit = MIN(early_limit, boot_info.initrd_start);
	early_limit = MIN(early_limit, 4 * GIB);
	early_next = ALIGN_UP(boot_info.kernel_end, PAGE_SIZE);
}

void *
arch_early_alloc(size_t size, size_t align)
{
	paddr_t pa = ALIGN_UP(early_next, align);

	ASSERT(!early_closed);
	if (pa + size > early_limit)
		panic("too little memory: %lu KiB for early tables do not fit", size / 1024);
	early_next = pa + size;
	boot_info.early_end = ALIGN_UP(early_next, PAGE_SIZE);
	return memset(phys_to_virt(pa), 0, size);
}

void
arch_early_alloc_close(void)
{
	early_closed = true;
}

/* The table below an entry, made if there is none. */
static pte_t *
table_below(pte_t *entry)
{
	if (pte_none(*entry))
		pte_set(entry,
			pte_make_table(virt_to_phys(arch_early_alloc(PAGE_SIZE, PAGE_SIZE))));
	return phys_to_virt(pte_paddr(*entry));
}

static pte_t *
entry_of(uintptr_t va, u32 level)
{
	pte_t *table = arch_kernel_root;

	for (u32 l = 3; l > level; l--)
		table = table_below(&table[va >> LEVEL_SHIFT(l) & (PTE_PER_TABLE - 1)]);
	return &table[va >> LEVEL_SHIFT(level) & (PTE_PER_TABLE - 1)];
}

static void
map_page(uintptr_t va, paddr_t pa, u32 prot)
{
	pte_set(entry_of(va, 0), pte_make(pa, prot));
}

/* Protection of a page of the image, in both of its addresses. */
static u32
image_prot(paddr_t pa, bool direct)
{
	uintptr_t va = KERNEL_BASE + pa;

	if (va >= (uintptr_t)text_start && va < (uintptr_t)text_end)
		return PTE_P_READ | PTE_P_GLOBAL | PTE_P_YOUNG | (direct ? 0 : PTE_P_EXEC);
	if (va >= (uintptr_t)rodata_start && va < (uintptr_t)rodata_end)
		return PTE_P_READ | PTE_P_GLOBAL | PTE_P_YOUNG;
	return PROT_RW;
}

/* One piece of the direct map at the largest page size that fits; returns where the next one
 * begins. */
static paddr_t
map_direct_piece(paddr_t pa, paddr_t end)
{
	uintptr_t va = DIRECT_MAP_BASE + pa;
	paddr_t image_start = ALIGN_DOWN(boot_info.kernel_start, HUGE_SIZE);
	paddr_t image_end = ALIGN_UP(boot_info.kernel_end, HUGE_SIZE);
	pte_t *entry;

	if (cpu_has(CPU_1G_PAGES) && IS_ALIGNED(pa, GIB) && pa + GIB <= end && pa >= image_end) {
		entry = entry_of(va, 2);
		if (pte_none(*entry))
			pte_set(entry, pte_make(pa, PROT_RW | PTE_P_HUGE));
		return pa + GIB;
	}
	entry = entry_of(va, 2);
	if (!pte_none(*entry) && pte_leaf(*entry))
		return ALIGN_DOWN(pa, GIB) + GIB;
	if (pa >= image_end || pa + HUGE_SIZE <= image_start) {
		entry = entry_of(va, 1);
		if (pte_none(*entry))
			pte_set(entry, pte_make(pa, PROT_RW | PTE_P_HUGE));
	} else {
		for (paddr_t p = pa; p < pa + HUGE_SIZE; p += PAGE_SIZE)
			map_page(DIRECT_MAP_BASE + p, p, image_prot(p, true));
	}
	return pa + HUGE_SIZE;
}

static void
map_direct(paddr_t start, paddr_t end)
{
	for (paddr_t pa = ALIGN_DOWN(start, HUGE_SIZE); pa < end;)
		pa = map_direct_piece(pa, ALIGN_UP(end, HUGE_SIZE));
}

void
mmu_init(void)
{
	early_memory_find();
	if (!early_limit)
		panic("the memory map has no RAM where the kernel was loaded");
	arch_kernel_root = arch_early_alloc(PAGE_SIZE, PAGE_SIZE);

	map_direct(0, HUGE_SIZE);
	for (u32 i = 0; i < boot_info.mem_count; i++) {
		const struct boot_mem *m = &boot_info.mem[i];

		if (m->type == BOOT_MEM_RAM || m->type == BOOT_MEM_ACPI || m->type == BOOT_MEM_NVS)
			if (m->start + m->len <= DIRECT_MAP_SIZE)
				map_direct(m->start, m->start + m->len);
	}
	for (paddr_t pa = boot_info.kernel_start; pa < boot_info.kernel_end; pa += PAGE_SIZE)
		map_page(KERNEL_BASE + pa, pa, image_prot(pa, false));
	pte_set(entry_of((uintptr_t)boot_stack_guard, 0), (pte_t){ 0 });
	/* Whole slots of the root: every later root table copies them. */
	entry_of(VMALLOC_START, 2);
	entry_of(PAGE_ARRAY_BASE, 2);
	entry_of(FIXED_BASE, 2);

	mmu_cpu_init();
	write_cr3(virt_to_phys(arch_kernel_root));
	/* Other CPUs pass through the boot tables, whose lower half maps memory at its own address.
	 */
	for (u32 i = PTE_PER_TABLE / 2; i < PTE_PER_TABLE; i++)
		boot_pml4[i] = arch_kernel_root[i];
	mmu_ready = true;
	mmu_map_exception_stacks(0);
}

/* NX before the first table that uses it is loaded; global pages keep the kernel's translations. */
void
mmu_cpu_init(void)
{
	if (!cpu_has(CPU_NX))
		panic("this processor cannot protect pages from execution (no NX)");
	wrmsr(MSR_EFER, rdmsr(MSR_EFER) | EFER_NXE);
	/* WB, WC, UC-, UC twice: PWT alone means write-combining. */
	wrmsr(MSR_PAT, 0x0007010600070106ul);
	if (cpu_has(CPU_PGE))
		write_cr4(read_cr4() | CR4_PGE);
}

static uintptr_t
exception_stack_bottom(u32 cpu, u32 n)
{
	return FIXED_BASE + ((uintptr_t)cpu * STACKS_PER_CPU + n) * 2 * PAGE_SIZE + PAGE_SIZE;
}

void *
mmu_exception_stack(u32 cpu, u32 n)
{
	return (void *)(exception_stack_bottom(cpu, n) + PAGE_SIZE);
}

void
mmu_map_exception_stacks(u32 cpu)
{
	for (u32 n = 0; n < STACKS_PER_CPU; n++)
		map_page(exception_stack_bottom(cpu, n),
			 virt_to_phys(arch_early_alloc(PAGE_SIZE, PAGE_SIZE)), PROT_RW);
}

bool
mmu_is_guard(uintptr_t address)
{
	if (ALIGN_DOWN(address, PAGE_SIZE) == (uintptr_t)boot_stack_guard)
		return true;
	return address >= FIXED_BASE && address < DEVICE_BASE;
}

volatile void *
mmu_map_device(paddr_t pa, size_t len)
{
	paddr_t first = ALIGN_DOWN(pa, PAGE_SIZE), end = ALIGN_UP(pa + len, PAGE_SIZE);
	uintptr_t va = device_next;

	for (paddr_t p = first; p < end; p += PAGE_SIZE, device_next += PAGE_SIZE)
		map_page(device_next, p, PROT_RW | PTE_P_UNCACHED);
	return (volatile void *)(va + (pa - first));
}

void *
mmu_map_firmware(paddr_t pa, size_t len)
{
	if (!pa || pa + len < pa || pa + len > DIRECT_MAP_SIZE)
		return NULL;
	if (!early_closed)
		map_direct(pa, pa + len);
	return phys_to_virt(pa);
}

/* The image has had its final permissions since mmu_init; what remains is what only start-up
 * needed. */
void
arch_protect_kernel(void)
{
	memset(boot_pml4, 0, sizeof(boot_pml4));
}
