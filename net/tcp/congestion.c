/* SPDX-License-Identifier: MIT */
/* Congestion control: the list of algorithms, what they share, and NewReno (RFC 5681). */
#include "congestion.h"

#include "lib/format.h"
#include "lib/string.h"

static const struct congestion_ops *const algorithms[] = { &tcp_cubic_ops, &tcp_reno_ops };

const struct congestion_ops *
congestion_find(const char *name)
{
	for (u32 i = 0; i < ARRAY_SIZE(algorithms); i++) {
		if (strcmp(algorithms[i]->name, name) == 0)
			return algorithms[i];
	}
	return NULL;
}

void
congestion_names(char *buf, size_t size)
{
	size_t n = 0;

	buf[0] = 0;
	for (u32 i = 0; i < ARRAY_SIZE(algorithms); i++)
		n += (size_t)scnprintf(buf + n, size - n, "%s%s", i ? " " : "",
				       algorithms[i]->name);
}

void
congestion_init(struct tcp_cong *c, const struct congestion_ops *ops)
{
	memset(c->private, 0, sizeof(c->private));
	c->ops = ops;
	if (ops->init)
		ops->init(c);
}

u32
congestion_slow_start(struct tcp_cong *c, u32 acked)
{
	u32 room = c->ssthresh - c->cwnd, take = MIN(acked, room);

	c->cwnd = MIN(c->cwnd + take, c->cwnd_clamp);
	return acked - take;
}

void
congestion_grow(struct tcp_cong *c, u32 per, u32 acked)
{
	per = MAX(per, 1u);
	/* per may have fallen since the count was made. */
	if (c->cwnd_count >= per) {
		c->cwnd_count = 0;
		c->cwnd++;
	}
	c->cwnd_count += acked;
	if (c->cwnd_count >= per) {
		u32 more = c->cwnd_count / per;

		c->cwnd_count -= more * per;
		c->cwnd += more;
	}
	c->cwnd = MIN(c->cwnd, c->cwnd_clamp);
}

static u32
reno_ssthresh(struct tcp_cong *c)
{
	return MAX(c->cwnd / 2, 2u);
}

static void
reno_acked(struct tcp_cong *c, u32 acked, u64 now_ns)
{
	if (congestion_in_slow_start(c))
		acked = congestion_slow_start(c, acked);
	if (acked)
		congestion_grow(c, c->cwnd, acked);
}

const struct congestion_ops tcp_reno_ops = {
	.name = "reno",
	.ssthresh = reno_ssthresh,
	.acked = reno_acked,
};
