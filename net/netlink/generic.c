/* SPDX-License-Identifier: MIT */
/*
 * NETLINK_GENERIC: families that are found by name. Only the controller is there, which answers who
 * is: itself. Programs ask it for nl80211, ethtool, taskstats ... and hear ENOENT, as on a Linux
 * without them.
 */
#include "lib/string.h"
#include "netlink_internal.h"

#define CONTROLLER_ID	   0x10
#define CONTROLLER_NAME	   "nlctrl"
#define CONTROLLER_VERSION 2

#define CMD_NEW_FAMILY 1
#define CMD_GET_FAMILY 3

#define ATTR_FAMILY_ID	 1
#define ATTR_FAMILY_NAME 2
#define ATTR_VERSION	 3
#define ATTR_HEADER_SIZE 4
#define ATTR_MAX_ATTR	 5
#define ATTR_OPS	 6
#define ATTR_TOP	 10
#define OP_ID		 1
#define OP_FLAGS	 2
#define OP_CAN_DO	 0x02
#define OP_CAN_DUMP	 0x04
#define OP_HAS_POLICY	 0x08

struct generic_header {
	u8 command, version;
	u16 reserved;
};

static void
controller_fill(struct nl_writer *w, const struct nl_request *rq, u16 flags, const void *arg)
{
	struct generic_header *h;
	void *body;
	u32 start = nl_begin(w, CONTROLLER_ID, flags, rq->h->nlmsg_seq, rq->port, sizeof(*h),
			     &body);
	u16 id = CONTROLLER_ID;

	h = body;
	h->command = CMD_NEW_FAMILY;
	h->version = CONTROLLER_VERSION;
	nl_put_text(w, ATTR_FAMILY_NAME, CONTROLLER_NAME);
	nl_put(w, ATTR_FAMILY_ID, &id, sizeof(id));
	nl_put_u32(w, ATTR_VERSION, CONTROLLER_VERSION);
	nl_put_u32(w, ATTR_HEADER_SIZE, 0);
	nl_put_u32(w, ATTR_MAX_ATTR, ATTR_TOP);
	u32 ops = nl_nest_begin(w, ATTR_OPS), op = nl_nest_begin(w, 1);
	nl_put_u32(w, OP_ID, CMD_GET_FAMILY);
	nl_put_u32(w, OP_FLAGS, OP_CAN_DO | OP_CAN_DUMP | OP_HAS_POLICY);
	nl_nest_end(w, op);
	nl_nest_end(w, ops);
	nl_end(w, start);
}

static int
families_dump(const struct nl_request *rq)
{
	struct nl_dump d;
	int r = nl_dump_begin(&d, rq);

	if (r)
		return r;
	(void)nl_dump_message(&d, controller_fill, NULL);
	r = nl_dump_end(&d);
	return r ? r : -EINTR;
}

/* As rtnetlink_request. */
int
generic_request(const struct nl_request *rq)
{
	struct nl_attr attrs[ATTR_TOP + 1];
	struct generic_header h;
	char name[16] = "";
	u16 id = 0;

	if (rq->h->nlmsg_type != CONTROLLER_ID)
		return -ENOENT;
	if (rq->len < sizeof(h))
		return -EINVAL;
	nl_request_body(rq, &h, sizeof(h));
	if (h.command != CMD_GET_FAMILY)
		return -EOPNOTSUPP;
	if ((rq->h->nlmsg_flags & NLM_F_DUMP) == NLM_F_DUMP)
		return families_dump(rq);
	int r = nl_request_attrs(rq, sizeof(h), attrs, ATTR_TOP);
	if (!r)
		r = nl_get_text(attrs, ATTR_FAMILY_NAME, name, sizeof(name));
	if (r)
		return r;
	if (nl_has(attrs, ATTR_FAMILY_ID)) {
		if (attrs[ATTR_FAMILY_ID].len < sizeof(id))
			return -EINVAL;
		memcpy(&id, attrs[ATTR_FAMILY_ID].data, sizeof(id));
	} else if (!name[0]) {
		return -EINVAL;
	}
	if (id != CONTROLLER_ID && strcmp(name, CONTROLLER_NAME) != 0)
		return -ENOENT;
	return nl_reply(rq, controller_fill, NULL);
}
