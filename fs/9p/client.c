/* SPDX-License-Identifier: MIT */
/*
 * A session with a 9P server: requests, their texts, and fids.
 *
 * A request has a buffer for the message and one for the answer, and a tag, for as long as the
 * session lasts; a few are there from the start, so that writing pages back never waits for memory.
 * Who asks takes an idle one, puts the fields in, sends it and sleeps; the answer is read in place.
 * Nothing in it is believed: reading past its end gives zeroes, and -EIO at the end.
 *
 * Fids are numbers that both sides know. One that is not used any more is given back by a request
 * that nobody waits for (Tclunk); its number is used again when the answer has come.
 *
 * Locking: client->lock, a leaf, in interrupts too.
 *
 * Limits: waiting for the server does not end for a signal, as a disk's would not.
 */
#include "core/log.h"
#include "lib/string.h"
#include "p9_internal.h"

#define MESSAGE	      8192u /* the longest without payload: Tsymlink with its two names */
#define BUFFER_ORDER  2u    /* two of them */
#define HEADER	      7u
#define NO_TAG	      0xffffu
#define REQUESTS_KEPT 4u
#define VERSION	      "9P2000.L"
#define ERRNO_MAX     4095u

static struct mutex channels_lock = MUTEX_INIT(channels_lock, RANK_SLEEP_LEAF);
static LIST_HEAD(channels);

/* --- channels --- */

void
p9_channel_add(struct p9_channel *c)
{
	mutex_lock(&channels_lock);
	list_add_tail(&c->node, &channels);
	mutex_unlock(&channels_lock);
}

static int
channel_claim(const char *tag, struct p9_channel **out)
{
	struct p9_channel *c;
	int err = -ENOENT;

	mutex_lock(&channels_lock);
	list_for_each_entry(c, &channels, node)
	{
		if (strcmp(c->tag, tag))
			continue;
		err = -EBUSY;
		if (!c->in_use) {
			c->in_use = true;
			*out = c;
			err = 0;
			break;
		}
	}
	mutex_unlock(&channels_lock);
	return err;
}

static void
channel_release(struct p9_channel *c)
{
	mutex_lock(&channels_lock);
	c->in_use = false;
	mutex_unlock(&channels_lock);
}

/* --- requests --- */

static struct p9_request *
request_create(struct p9_client *c)
{
	struct p9_request *r = kzalloc(sizeof(*r), GFP_NOFS | GFP_NOWARN);

	if (!r)
		return NULL;
	r->tx = pages_alloc(BUFFER_ORDER, GFP_NOFS | GFP_NOWARN);
	if (!r->tx) {
		kfree(r);
		return NULL;
	}
	r->rx = r->tx + MESSAGE;
	r->client = c;
	wait_queue_init(&r->wait);
	return r;
}

static void
request_idle(struct p9_request *r)
{
	struct p9_client *c = r->client;
	unsigned long flags = spin_lock_irqsave(&c->lock);

	if (r->clunked) {
		list_add(&r->clunked->node, &c->fids);
		r->clunked = NULL;
	}
	list_add(&r->node, &c->idle);
	c->busy--;
	wake_up_all(&c->room);
	spin_unlock_irqrestore(&c->lock, flags);
}

static struct p9_request *
idle_take(struct p9_client *c)
{
	unsigned long flags = spin_lock_irqsave(&c->lock);
	struct p9_request *r = list_first_entry_or_null(&c->idle, struct p9_request, node);

	if (r) {
		list_del(&r->node);
		c->busy++;
	}
	spin_unlock_irqrestore(&c->lock, flags);
	return r;
}

/* One more, if there may be more and there is memory: the tag is its number. */
static struct p9_request *
request_add(struct p9_client *c)
{
	struct p9_request *r = READ_ONCE(c->requests) < P9_SLOTS ? request_create(c) : NULL;
	unsigned long flags;

	if (!r)
		return NULL;
	flags = spin_lock_irqsave(&c->lock);
	if (c->requests < P9_SLOTS) {
		r->tag = (u16)c->requests++;
		c->busy++;
		spin_unlock_irqrestore(&c->lock, flags);
		return r;
	}
	spin_unlock_irqrestore(&c->lock, flags);
	pages_free(r->tx, BUFFER_ORDER);
	kfree(r);
	return NULL;
}

static void
request_done(struct p9_packet *p, u32 written)
{
	struct p9_request *r = container_of(p, struct p9_request, packet);

	if (r->clunked) {
		request_idle(r);
		return;
	}
	r->written = written;
	/* Under the queue's lock: the sleeper may free the request as soon as it sees this. */
	unsigned long flags = spin_lock_irqsave(&r->wait.lock);
	WRITE_ONCE(r->answered, true);
	wake_up_locked_key(&r->wait, THREAD_NORMAL, 1, 0);
	spin_unlock_irqrestore(&r->wait.lock, flags);
}

struct p9_request *
p9_begin(struct p9_client *c, enum p9_type type)
{
	struct p9_request *r = idle_take(c);

	if (!r)
		r = request_add(c);
	if (!r)
		wait_event(&c->room, (r = idle_take(c)));
	r->packet = (struct p9_packet){ .tx = r->tx, .rx = r->rx, .rx_size = MESSAGE };
	r->packet.done = request_done;
	r->type = (u8)type;
	r->at = HEADER;
	r->answered = r->bad = false;
	r->written = 0;
	return r;
}

/* --- what is put into a message --- */

static u8 *
room_for(struct p9_request *r, size_t len)
{
	u8 *p = r->tx + r->at;

	if (r->bad || len > MESSAGE - r->at) {
		r->bad = true;
		return NULL;
	}
	r->at += (u32)len;
	return p;
}

static void
put(struct p9_request *r, const void *bytes, size_t len)
{
	u8 *p = room_for(r, len);

	if (p)
		memcpy(p, bytes, len);
}

void
p9_put8(struct p9_request *r, u8 v)
{
	put(r, &v, sizeof(v));
}

void
p9_put16(struct p9_request *r, u16 v)
{
	put(r, &v, sizeof(v));
}

void
p9_put32(struct p9_request *r, u32 v)
{
	put(r, &v, sizeof(v));
}

void
p9_put64(struct p9_request *r, u64 v)
{
	put(r, &v, sizeof(v));
}

void
p9_put_bytes(struct p9_request *r, const char *text, size_t len)
{
	p9_put16(r, (u16)len);
	put(r, text, len);
}

void
p9_put_string(struct p9_request *r, const char *text)
{
	p9_put_bytes(r, text, strlen(text));
}

void
p9_put_pages(struct p9_request *r, struct page **pages, u32 offset, u32 len, bool out, u32 header)
{
	r->packet.pages = pages;
	r->packet.offset = offset;
	r->packet.len = len;
	r->packet.pages_out = out;
	if (!out)
		r->packet.rx_size = header;
}

/* --- sending, and the answer --- */

static void
request_send(struct p9_request *r)
{
	u32 size = r->at + (r->packet.pages_out ? r->packet.len : 0);
	u16 tag = r->type == P9_VERSION ? NO_TAG : r->tag;

	r->packet.tx_len = r->at;
	memcpy(r->tx, &size, sizeof(size));
	r->tx[4] = r->type;
	memcpy(r->tx + 5, &tag, sizeof(tag));
	r->client->channel->submit(r->client->channel, &r->packet);
}

static bool
is_answered(struct p9_request *r)
{
	bool yes;
	unsigned long flags;

	if (!READ_ONCE(r->answered))
		return false;
	/* Whoever answers is out of the queue's lock then. */
	flags = spin_lock_irqsave(&r->wait.lock);
	yes = r->answered;
	spin_unlock_irqrestore(&r->wait.lock, flags);
	return yes;
}

int
p9_call(struct p9_request *r)
{
	u32 size, error;
	u16 tag;
	u8 type;

	if (r->bad || r->at > r->client->msize)
		return -EIO;
	request_send(r);
	wait_event(&r->wait, is_answered(r));
	r->at = 0;
	r->end = MIN(r->written, r->packet.rx_size);
	size = p9_get32(r);
	type = p9_get8(r);
	tag = p9_get16(r);
	if (r->bad || size < HEADER || size > r->written ||
	    (r->type != P9_VERSION && tag != r->tag))
		return -EIO;
	r->end = MIN(r->end, size);
	if (type == P9_LERROR + 1) {
		error = p9_get32(r);
		return r->bad || !error || error > ERRNO_MAX ? -EIO : -(int)error;
	}
	return type == r->type + 1 ? 0 : -EIO;
}

static void
get(struct p9_request *r, void *to, u32 len)
{
	if (r->bad || len > r->end - r->at) {
		r->bad = true;
		memset(to, 0, len);
		return;
	}
	memcpy(to, r->rx + r->at, len);
	r->at += len;
}

u8
p9_get8(struct p9_request *r)
{
	u8 v;

	get(r, &v, sizeof(v));
	return v;
}

u16
p9_get16(struct p9_request *r)
{
	u16 v;

	get(r, &v, sizeof(v));
	return v;
}

u32
p9_get32(struct p9_request *r)
{
	u32 v;

	get(r, &v, sizeof(v));
	return v;
}

u64
p9_get64(struct p9_request *r)
{
	u64 v;

	get(r, &v, sizeof(v));
	return v;
}

const char *
p9_get_bytes(struct p9_request *r, u32 *len)
{
	const u8 *p;

	*len = p9_get16(r);
	if (r->bad || *len > r->end - r->at) {
		r->bad = true;
		*len = 0;
	}
	p = r->rx + r->at;
	r->at += *len;
	return (const char *)p;
}

int
p9_end(struct p9_request *r, int err)
{
	if (!err && r->bad)
		err = -EIO;
	request_idle(r);
	return err;
}

/* --- fids --- */

struct p9_fid *
p9_fid_create(struct p9_client *c)
{
	unsigned long flags = spin_lock_irqsave(&c->lock);
	struct p9_fid *f = list_first_entry_or_null(&c->fids, struct p9_fid, node);

	if (f)
		list_del(&f->node);
	spin_unlock_irqrestore(&c->lock, flags);
	if (!f) {
		f = kzalloc(sizeof(*f), GFP_KERNEL);
		if (!f)
			return NULL;
		f->client = c;
		flags = spin_lock_irqsave(&c->lock);
		f->number = c->next_fid++;
		spin_unlock_irqrestore(&c->lock, flags);
	}
	ref_init(&f->ref);
	f->readable = f->writable = false;
	return f;
}

void
p9_fid_get(struct p9_fid *f)
{
	ref_get(&f->ref);
}

void
p9_fid_forget(struct p9_fid *f)
{
	struct p9_client *c = f->client;
	unsigned long flags = spin_lock_irqsave(&c->lock);

	list_add(&f->node, &c->fids);
	spin_unlock_irqrestore(&c->lock, flags);
}

void
p9_fid_put(struct p9_fid *f)
{
	struct p9_request *r;

	if (!f || !ref_put(&f->ref))
		return;
	r = p9_begin(f->client, P9_CLUNK);
	p9_put32(r, f->number);
	r->clunked = f;
	request_send(r);
}

int
p9_fid_clunk(struct p9_fid *f)
{
	struct p9_request *r = p9_begin(f->client, P9_CLUNK);
	int err;

	p9_put32(r, f->number);
	err = p9_end(r, p9_call(r));
	p9_fid_forget(f);
	return err;
}

/* --- sessions --- */

static int
agree_on_version(struct p9_client *c)
{
	struct p9_request *r = p9_begin(c, P9_VERSION);
	const char *text;
	u32 msize, len;
	int err;

	p9_put32(r, c->msize);
	p9_put_string(r, VERSION);
	err = p9_call(r);
	if (!err) {
		msize = p9_get32(r);
		text = p9_get_bytes(r, &len);
		if (r->bad || msize < 4096 || msize > c->msize)
			err = -EREMOTEIO;
		else if (len != strlen(VERSION) || memcmp(text, VERSION, len)) {
			log_err("9p: the server speaks %.*s, not " VERSION "\n", (int)len, text);
			err = -EREMOTEIO;
		}
		c->msize = msize;
	}
	return p9_end(r, err);
}

int
p9_client_create(const char *tag, u32 msize, struct p9_client **out)
{
	struct p9_client *c = kzalloc(sizeof(*c), GFP_KERNEL);
	struct p9_request *kept[REQUESTS_KEPT];
	int err;

	if (!c)
		return -ENOMEM;
	err = channel_claim(tag, &c->channel);
	if (err) {
		kfree(c);
		return err;
	}
	spin_init(&c->lock, RANK_DEVICE);
	list_init(&c->idle);
	list_init(&c->fids);
	wait_queue_init(&c->room);
	c->msize = (u32)MIN((u64)msize, (c->channel->max_pages - 1) * PAGE_SIZE + P9_IO_HEADER);
	for (u32 i = 0; i < REQUESTS_KEPT; i++) {
		kept[i] = request_add(c);
		if (!kept[i])
			err = -ENOMEM;
	}
	for (u32 i = 0; i < REQUESTS_KEPT; i++)
		if (kept[i])
			request_idle(kept[i]);
	if (!err)
		err = agree_on_version(c);
	if (err) {
		p9_client_destroy(c);
		return err;
	}
	c->chunk = c->msize - P9_IO_HEADER;
	*out = c;
	return 0;
}

static bool
is_quiet(struct p9_client *c)
{
	unsigned long flags = spin_lock_irqsave(&c->lock);
	bool quiet = !c->busy;

	spin_unlock_irqrestore(&c->lock, flags);
	return quiet;
}

void
p9_client_destroy(struct p9_client *c)
{
	struct p9_request *r, *next_r;
	struct p9_fid *f, *next_f;

	wait_event(&c->room, is_quiet(c));
	list_for_each_entry_safe(r, next_r, &c->idle, node)
	{
		pages_free(r->tx, BUFFER_ORDER);
		kfree(r);
	}
	list_for_each_entry_safe(f, next_f, &c->fids, node) kfree(f);
	channel_release(c->channel);
	kfree(c);
}
