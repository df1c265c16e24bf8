/* SPDX-License-Identifier: MIT */
/* rtnetlink(7), ip-rule(8): which table a packet's way is looked up in. RTM_NEWRULE, RTM_DELRULE,
 * RTM_GETRULE. */
#include "lib/string.h"
#include "netlink_internal.h"

struct rule_header {
	u8 family, dst_len, src_len, tos, table, reserved[2], action;
	u32 flags;
};
#define RULE_INVERT	2
#define FRA_DST		1
#define FRA_SRC		2
#define FRA_IIFNAME	3
#define FRA_PRIORITY	6
#define FRA_FWMARK	10
#define FRA_SUPPRESS	14
#define FRA_TABLE	15
#define FRA_FWMASK	16
#define FRA_OIFNAME	17
#define FRA_PROTOCOL	21
#define FRA_TOP		FRA_PROTOCOL
#define ACTION_TO_TABLE 1

struct shown {
	int family;
	const struct route_rule *rule;
};

static void
rule_fill(struct nl_writer *w, const struct nl_request *rq, u16 flags, const void *arg)
{
	const struct shown *s = arg;
	const struct route_rule *r = s->rule;
	struct rule_header *h;
	void *body;
	u32 start = nl_begin(w, RTM_NEWRULE, flags, rq->h->nlmsg_seq, rq->port, sizeof(*h), &body);

	h = body;
	h->family = (u8)s->family;
	h->dst_len = r->dst_len;
	h->src_len = r->src_len;
	h->tos = r->tos;
	h->table = (u8)(r->table_id < 256 ? r->table_id : RT_TABLE_COMPAT);
	h->action = r->action;
	h->flags = r->invert ? RULE_INVERT : 0;
	nl_put_u32(w, FRA_TABLE, r->table_id);
	nl_put_u32(w, FRA_SUPPRESS, ~0u);
	nl_put_u8(w, FRA_PROTOCOL, r->protocol);
	if (r->priority)
		nl_put_u32(w, FRA_PRIORITY, r->priority);
	if (r->dst_len)
		nl_put_addr(w, FRA_DST, s->family, &r->dst);
	if (r->src_len)
		nl_put_addr(w, FRA_SRC, s->family, &r->src);
	if (r->iif[0])
		nl_put_text(w, FRA_IIFNAME, r->iif);
	if (r->oif[0])
		nl_put_text(w, FRA_OIFNAME, r->oif);
	if (r->mark || r->mark_mask) {
		nl_put_u32(w, FRA_FWMARK, r->mark);
		nl_put_u32(w, FRA_FWMASK, r->mark_mask);
	}
	nl_end(w, start);
}

struct dump {
	struct nl_dump d;
	int family;
};

static bool
dump_one(const struct route_rule *r, void *ctx)
{
	struct dump *dump = ctx;
	struct shown s = { dump->family, r };

	return !nl_dump_message(&dump->d, rule_fill, &s);
}

int
rule_dump(const struct nl_request *rq)
{
	struct rule_header h;
	struct dump dump;
	int r = nl_dump_begin(&dump.d, rq);

	if (r)
		return r;
	nl_request_body(rq, &h, sizeof(h));
	static const int families[] = { AF_INET, AF_INET6 };
	for (u32 i = 0; i < ARRAY_SIZE(families); i++) {
		dump.family = families[i];
		if (!h.family || h.family == families[i])
			route_rule_for_each(rq->net, families[i], dump_one, &dump);
	}
	return nl_dump_end(&dump.d);
}

static int
rule_read(const struct nl_request *rq, int *family, struct route_rule *rule)
{
	struct nl_attr attrs[FRA_TOP + 1];
	struct rule_header h;

	nl_request_body(rq, &h, sizeof(h));
	int r = nl_request_attrs(rq, sizeof(h), attrs, FRA_TOP);
	if (r)
		return r;
	if (h.family != AF_INET && h.family != AF_INET6)
		return -EAFNOSUPPORT;
	*family = h.family;
	u8 most = h.family == AF_INET ? 32 : 128;
	if (h.dst_len > most || h.src_len > most)
		return -EINVAL;
	*rule = (struct route_rule){ .table_id = h.table,
				     .action = h.action,
				     .src_len = h.src_len,
				     .dst_len = h.dst_len,
				     .tos = h.tos,
				     .invert = h.flags & RULE_INVERT };
	rule->src = rule->dst = h.family == AF_INET ? ip_addr4(0) : IP_ADDR_ANY6;
	if ((h.dst_len && !nl_has(attrs, FRA_DST)) || (h.src_len && !nl_has(attrs, FRA_SRC)))
		return -EINVAL;
	r = nl_get_addr(attrs, FRA_DST, h.family, &rule->dst);
	if (!r)
		r = nl_get_addr(attrs, FRA_SRC, h.family, &rule->src);
	if (!r)
		r = nl_get_u32(attrs, FRA_TABLE, &rule->table_id);
	if (!r)
		r = nl_get_u32(attrs, FRA_PRIORITY, &rule->priority);
	if (!r)
		r = nl_get_u32(attrs, FRA_FWMARK, &rule->mark);
	if (nl_has(attrs, FRA_FWMARK))
		rule->mark_mask = ~0u;
	if (!r)
		r = nl_get_u32(attrs, FRA_FWMASK, &rule->mark_mask);
	if (!r)
		r = nl_get_text(attrs, FRA_IIFNAME, rule->iif, sizeof(rule->iif));
	if (!r)
		r = nl_get_text(attrs, FRA_OIFNAME, rule->oif, sizeof(rule->oif));
	if (!r)
		r = nl_get_u8(attrs, FRA_PROTOCOL, &rule->protocol);
	return r;
}

int
rule_new(const struct nl_request *rq)
{
	struct route_rule rule;
	int family, r = rule_read(rq, &family, &rule);

	if (!r && (!rule.action || (rule.action == ACTION_TO_TABLE && !rule.table_id)))
		r = -EINVAL;
	return r ? r : route_rule_add(rq->net, family, &rule);
}

int
rule_delete(const struct nl_request *rq)
{
	struct route_rule rule;
	int family, r = rule_read(rq, &family, &rule);

	return r ? r : route_rule_del(rq->net, family, &rule);
}
