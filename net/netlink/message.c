/* SPDX-License-Identifier: MIT */
/* Netlink messages: headers and attributes, written and read. netlink(7), rtnetlink(3). */
#include "lib/string.h"
#include "mm/slab.h"
#include "netlink_internal.h"

void
nl_writer_init(struct nl_writer *w, void *buf, u32 room)
{
	*w = (struct nl_writer){ .buf = buf, .room = room };
}

/* len bytes, zeroed, and padding behind them. NULL: full. */
static void *
extend(struct nl_writer *w, u32 len)
{
	u32 whole = NLMSG_ALIGN(len);

	if (w->full || whole > w->room - w->len) {
		w->full = true;
		return NULL;
	}
	void *at = w->buf + w->len;
	memset(at, 0, whole);
	w->len += whole;
	return at;
}

u32
nl_begin(struct nl_writer *w, u16 type, u16 flags, u32 seq, u32 port, u32 body_len, void **body)
{
	static u8 nowhere[64]; /* bodies that do not fit are written here and never read */
	u32 start = w->len;
	struct linux_nlmsghdr *h = extend(w, NLMSG_HDRLEN + body_len);

	if (h) {
		h->nlmsg_type = type;
		h->nlmsg_flags = flags;
		h->nlmsg_seq = seq;
		h->nlmsg_pid = port;
	}
	if (body)
		*body = h ? (void *)(h + 1) : nowhere;
	return start;
}

void
nl_end(struct nl_writer *w, u32 start)
{
	if (!w->full)
		((struct linux_nlmsghdr *)(w->buf + start))->nlmsg_len = w->len - start;
}

void
nl_put(struct nl_writer *w, u16 type, const void *data, u32 len)
{
	struct linux_nlattr *a = extend(w, NLA_HDRLEN + len);

	if (!a)
		return;
	a->nla_type = type;
	a->nla_len = (u16)(NLA_HDRLEN + len);
	if (len)
		memcpy(a + 1, data, len);
}

void
nl_put_u8(struct nl_writer *w, u16 type, u8 v)
{
	nl_put(w, type, &v, sizeof(v));
}

void
nl_put_u32(struct nl_writer *w, u16 type, u32 v)
{
	nl_put(w, type, &v, sizeof(v));
}

void
nl_put_text(struct nl_writer *w, u16 type, const char *s)
{
	nl_put(w, type, s, (u32)strlen(s) + 1);
}

void
nl_put_addr(struct nl_writer *w, u16 type, int family, const struct ip_addr *a)
{
	if (family == AF_INET)
		nl_put(w, type, &a->w[3], 4);
	else
		nl_put(w, type, a->b, 16);
}

u32
nl_nest_begin(struct nl_writer *w, u16 type)
{
	u32 start = w->len;

	nl_put(w, type, NULL, 0);
	return start;
}

void
nl_nest_end(struct nl_writer *w, u32 start)
{
	if (!w->full)
		((struct linux_nlattr *)(w->buf + start))->nla_len = (u16)(w->len - start);
}

/* ---- reading ---- */

int
nl_parse(const u8 *data, u32 len, struct nl_attr *attrs, u32 max)
{
	memset(attrs, 0, (max + 1) * sizeof(*attrs));
	while (len >= NLA_HDRLEN) {
		struct linux_nlattr a;

		memcpy(&a, data, sizeof(a));
		if (a.nla_len < NLA_HDRLEN || a.nla_len > len)
			return -EINVAL;
		u32 type = a.nla_type & (u16)NLA_TYPE_MASK;
		if (type <= max) {
			attrs[type].data = data + NLA_HDRLEN;
			attrs[type].len = a.nla_len - NLA_HDRLEN;
		}
		u32 step = MIN(NLMSG_ALIGN((u32)a.nla_len), len);
		data += step;
		len -= step;
	}
	return 0;
}

static int
get(const struct nl_attr *attrs, u32 type, void *out, u32 size)
{
	if (!nl_has(attrs, type))
		return 0;
	if (attrs[type].len < size)
		return -ERANGE;
	memcpy(out, attrs[type].data, size);
	return 0;
}

int
nl_get_u8(const struct nl_attr *attrs, u32 type, u8 *out)
{
	return get(attrs, type, out, sizeof(*out));
}

int
nl_get_u32(const struct nl_attr *attrs, u32 type, u32 *out)
{
	return get(attrs, type, out, sizeof(*out));
}

int
nl_get_addr(const struct nl_attr *attrs, u32 type, int family, struct ip_addr *out)
{
	u32 size = family == AF_INET ? 4 : 16;

	if (!nl_has(attrs, type))
		return 0;
	if (attrs[type].len != size)
		return -EINVAL;
	if (family == AF_INET) {
		u32 be;

		memcpy(&be, attrs[type].data, sizeof(be));
		*out = ip_addr4(be);
	} else {
		memcpy(out->b, attrs[type].data, size);
	}
	return 0;
}

int
nl_get_text(const struct nl_attr *attrs, u32 type, char *out, size_t size)
{
	if (!nl_has(attrs, type))
		return 0;
	size_t len = strnlen((const char *)attrs[type].data, attrs[type].len);
	if (len >= size)
		return -EINVAL;
	memcpy(out, attrs[type].data, len);
	out[len] = 0;
	return 0;
}

void
nl_request_body(const struct nl_request *rq, void *out, u32 size)
{
	u32 n = MIN(rq->len, size);

	memset((u8 *)out + n, 0, size - n);
	memcpy(out, rq->body, n);
}

int
nl_request_attrs(const struct nl_request *rq, u32 size, struct nl_attr *attrs, u32 max)
{
	u32 at = NLMSG_ALIGN(size);

	if (rq->len <= at)
		return nl_parse(NULL, 0, attrs, max);
	return nl_parse(rq->body + at, rq->len - at, attrs, max);
}

/* ---- answers ---- */

int
nl_reply(const struct nl_request *rq, nl_filler *fill, const void *arg)
{
	struct nl_writer w;
	void *buf = kmalloc(NETLINK_CHUNK, GFP_ATOMIC);
	int r = -EMSGSIZE;

	if (!buf)
		return -ENOMEM;
	nl_writer_init(&w, buf, NETLINK_CHUNK);
	fill(&w, rq, 0, arg);
	if (!w.full)
		r = netlink_deliver(rq->from, buf, w.len);
	kfree(buf);
	return r;
}

int
nl_dump_begin(struct nl_dump *d, const struct nl_request *rq)
{
	int r = netlink_dump_start(rq->from);

	if (r)
		return r;
	d->rq = rq;
	d->error = d->result = 0;
	d->buf = kmalloc(NETLINK_CHUNK, GFP_KERNEL);
	if (!d->buf)
		return -ENOMEM;
	nl_writer_init(&d->w, d->buf, NETLINK_CHUNK);
	return 0;
}

static void
flush(struct nl_dump *d)
{
	if (d->w.len && !d->error)
		d->error = netlink_deliver(d->rq->from, d->buf, d->w.len);
	nl_writer_init(&d->w, d->buf, NETLINK_CHUNK);
}

bool
nl_dump_message(struct nl_dump *d, nl_filler *fill, const void *arg)
{
	u32 start = d->w.len;

	fill(&d->w, d->rq, NLM_F_MULTI, arg);
	if (d->w.full) {
		d->w.len = start;
		d->w.full = false;
		flush(d);
		fill(&d->w, d->rq, NLM_F_MULTI, arg);
		if (d->w.full)
			d->error = -EMSGSIZE;
	}
	return !d->error;
}

int
nl_dump_end(struct nl_dump *d)
{
	s32 *result;
	void *body;

	for (int again = 0; again < 2; again++) {
		u32 start = nl_begin(&d->w, NLMSG_DONE, NLM_F_MULTI, d->rq->h->nlmsg_seq,
				     d->rq->port, sizeof(*result), &body);
		if (!d->w.full) {
			result = body;
			*result = d->result;
			nl_end(&d->w, start);
			break;
		}
		d->w.full = false;
		flush(d);
	}
	if (!d->error)
		netlink_dump_queued(d->rq->from);
	flush(d);
	kfree(d->buf);
	return d->error;
}
