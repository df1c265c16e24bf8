/* SPDX-License-Identifier: MIT */
/* Text of /proc/partitions, /proc/diskstats and of a device's "stat" in /sys/block. */
#include "block_internal.h"
#include "core/time.h"
#include "lib/format.h"

static bool
show_partition(void *ctx, struct block_device *dev)
{
	u64 sectors = READ_ONCE(dev->sectors);

	if (sectors)
		strbuf_printf(ctx, "%4u  %7u %10lu %s\n", DEV_MAJOR(dev->devnum),
			      DEV_MINOR(dev->devnum), sectors / 2, dev->name);
	return true;
}

void
block_show_partitions(struct strbuf *sb)
{
	strbuf_puts(sb, "major minor  #blocks  name\n\n");
	block_device_for_each(show_partition, sb);
}

/* The queues' sums. Read without their locks: each number is right, not all of the same moment. */
static void
stats_sum(const struct block_device *dev, struct block_stats *out)
{
	u64 now = time_mono_ns();

	*out = (struct block_stats){ .busy_ns = 0 };
	for (u32 q = 0; q < dev->disk->nr_queues; q++) {
		const struct block_stats *s = &dev->stats[q];

		for (u32 i = 0; i < ARRAY_SIZE(out->ios); i++) {
			out->ios[i] += READ_ONCE(s->ios[i]);
			out->merges[i] += READ_ONCE(s->merges[i]);
			out->sectors[i] += READ_ONCE(s->sectors[i]);
			out->ns[i] += READ_ONCE(s->ns[i]);
		}
		out->flushes += READ_ONCE(s->flushes);
		out->flush_ns += READ_ONCE(s->flush_ns);
		out->in_flight += READ_ONCE(s->in_flight);
		out->busy_ns += READ_ONCE(s->busy_ns);
		if (READ_ONCE(s->in_flight))
			out->busy_ns += now - MIN(now, READ_ONCE(s->busy_since));
	}
}

void
block_device_show_stats(struct block_device *dev, struct strbuf *sb, const char *lead)
{
	struct block_stats s;
	u64 total = 0;

	stats_sum(dev, &s);
	for (u32 i = 0; i < 2; i++)
		strbuf_printf(sb, "%s%lu %lu %lu %lu", i ? " " : lead, s.ios[i], s.merges[i],
			      s.sectors[i], s.ns[i] / NSEC_PER_MSEC);
	for (u32 i = 0; i < ARRAY_SIZE(s.ns); i++)
		total += s.ns[i];
	total += s.flush_ns;
	strbuf_printf(sb, " %u %lu %lu", s.in_flight, s.busy_ns / NSEC_PER_MSEC,
		      total / NSEC_PER_MSEC);
	strbuf_printf(sb, " %lu %lu %lu %lu %lu %lu\n", s.ios[2], s.merges[2], s.sectors[2],
		      s.ns[2] / NSEC_PER_MSEC, s.flushes, s.flush_ns / NSEC_PER_MSEC);
}

static bool
show_stats(void *ctx, struct block_device *dev)
{
	strbuf_printf(ctx, "%4u %7u %s ", DEV_MAJOR(dev->devnum), DEV_MINOR(dev->devnum),
		      dev->name);
	block_device_show_stats(dev, ctx, "");
	return true;
}

void
block_show_stats(struct strbuf *sb)
{
	block_device_for_each(show_stats, sb);
}
