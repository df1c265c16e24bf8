/* SPDX-License-Identifier: MIT */
/* /proc/meminfo, vmstat and slabinfo. */
#include "block/buffer.h"
#include "lib/string.h"
#include "mm/page.h"
#include "mm/slab.h"
#include "proc_internal.h"

static void
put_kb(struct strbuf *sb, const char *name, u64 pages)
{
	strbuf_printf(sb, "%s:%*lu kB\n", name, (int)(23 - strlen(name)),
		      pages * (PAGE_SIZE / 1024));
}

int
proc_show_meminfo(struct strbuf *sb, void *ctx)
{
	struct mem_stats m;

	mem_stats(&m);
	const struct {
		const char *name;
		u64 pages;
	} rows[] = {
		{ "MemTotal", m.total },
		{ "MemFree", m.free },
		{ "MemAvailable", m.available },
		{ "Buffers", m.buffers + buffers_pages() },
		{ "Cached", m.cached },
		{ "SwapCached", m.swap_cached },
		{ "Active", m.active_anon + m.active_file },
		{ "Inactive", m.inactive_anon + m.inactive_file },
		{ "Active(anon)", m.active_anon },
		{ "Inactive(anon)", m.inactive_anon },
		{ "Active(file)", m.active_file },
		{ "Inactive(file)", m.inactive_file },
		{ "Unevictable", m.mlocked },
		{ "Mlocked", m.mlocked },
		{ "SwapTotal", m.swap_total },
		{ "SwapFree", m.swap_free },
		{ "Dirty", m.dirty },
		{ "Writeback", m.writeback },
		{ "AnonPages", m.anon },
		{ "Mapped", m.mapped },
		{ "Shmem", m.shmem },
		{ "KReclaimable", m.slab_reclaimable },
		{ "Slab", m.slab_reclaimable + m.slab_unreclaimable },
		{ "SReclaimable", m.slab_reclaimable },
		{ "SUnreclaim", m.slab_unreclaimable },
		{ "KernelStack", m.kernel_stack },
		{ "PageTables", m.page_tables },
		{ "CommitLimit", m.commit_limit },
		{ "Committed_AS", m.committed },
		{ "VmallocUsed", m.vmalloc_used },
		{ "AnonHugePages", m.huge_anon },
	};

	for (u32 i = 0; i < ARRAY_SIZE(rows); i++)
		put_kb(sb, rows[i].name, rows[i].pages);
	strbuf_puts(sb, "HugePages_Total:       0\nHugePages_Free:        0\nHugePages_Rsvd:       "
			" 0\nHugePages_Surp:        0\nHugepagesize:       2048 kB\n");
	return 0;
}

int
proc_show_vmstat(struct strbuf *sb, void *ctx)
{
	struct mem_stats m;

	mem_stats(&m);
	strbuf_printf(sb,
		      "nr_free_pages %lu\nnr_inactive_anon %lu\nnr_active_anon "
		      "%lu\nnr_inactive_file %lu\nnr_active_file %lu\nnr_mlock %lu\n"
		      "nr_anon_pages %lu\nnr_mapped %lu\nnr_file_pages %lu\nnr_dirty "
		      "%lu\nnr_writeback %lu\nnr_shmem %lu\n"
		      "nr_slab_reclaimable %lu\nnr_slab_unreclaimable %lu\nnr_page_table_pages "
		      "%lu\nnr_kernel_stack %lu\n"
		      "nr_dirtied %lu\nnr_written %lu\n"
		      "nr_dirty_threshold %lu\nnr_dirty_background_threshold %lu\n"
		      "pgpgin %lu\npgpgout %lu\npswpin %lu\npswpout %lu\n"
		      "pgalloc_normal %lu\npgfree %lu\npgfault %lu\npgmajfault %lu\n"
		      "pgsteal_kswapd %lu\npgsteal_direct %lu\npgscan_kswapd %lu\npgscan_direct "
		      "%lu\nbalance_dirty_throttled %lu\n",
		      m.free, m.inactive_anon, m.active_anon, m.inactive_file, m.active_file,
		      m.mlocked, m.anon, m.mapped, m.cached, m.dirty, m.writeback, m.shmem,
		      m.slab_reclaimable, m.slab_unreclaimable, m.page_tables,
		      m.kernel_stack * (PAGE_SIZE / 1024), m.dirtied, m.written, m.dirty_limit,
		      m.dirty_background, m.pgpgin * (PAGE_SIZE / 1024),
		      m.written * (PAGE_SIZE / 1024), m.pswpin, m.pswpout, m.pgalloc, m.pgfree,
		      m.pgfault, m.pgmajfault, m.pgsteal_background, m.pgsteal, m.pgscan_background,
		      m.pgscan, m.throttled);
	return 0;
}

int
proc_show_slabinfo(struct strbuf *sb, void *ctx)
{
	struct slab_info s;

	strbuf_puts(sb, "slabinfo - version: 2.1\n# name            <active_objs> <num_objs> "
			"<objsize> <objperslab> <pagesperslab> : tunables "
			"<limit> <batchcount> <sharedfactor> : slabdata <active_slabs> <num_slabs> "
			"<sharedavail>\n");
	for (u32 i = 0; slab_info(i, &s); i++)
		strbuf_printf(sb,
			      "%-17s %6lu %6lu %6lu %4lu %4lu : tunables    0    0    0 : slabdata "
			      "%6lu %6lu      0\n",
			      s.name, s.active, s.total, s.object_size, s.per_slab,
			      s.pages_per_slab, s.slabs, s.slabs);
	return 0;
}
