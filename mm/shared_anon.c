/* SPDX-License-Identifier: MIT */
/*
 * What MAP_SHARED | MAP_ANONYMOUS maps: a nameless object in memory, shared over fork. It lives as
 * long as a vma refers to it and is charged in full when it is made.
 */
#include "core/ref.h"
#include "lib/format.h"
#include "mm/slab.h"
#include "mm_internal.h"
#include "uapi/mman.h"
#include "vma.h"

struct shared_anon {
	struct mapping mapping;
	struct ref ref; /* one for each vma */
	u64 size;	/* [I] */
	bool charged;	/* [I] */
	u64 number;	/* [I] shown in maps */
};

static struct atomic64 last_number;

static const struct mapping_ops shared_anon_mapping_ops = { .read_page = NULL };

static void
shared_anon_open(struct vma *v)
{
	struct shared_anon *s = v->owner;

	ref_get(&s->ref);
}

static void
shared_anon_close(struct vma *v)
{
	struct shared_anon *s = v->owner;

	if (!ref_put(&s->ref))
		return;
	mapping_fini(&s->mapping);
	if (s->charged)
		commit_release(s->size >> PAGE_SHIFT);
	kfree(s);
}

static void
shared_anon_describe(struct vma *v, struct strbuf *path, u64 *dev, u64 *ino)
{
	struct shared_anon *s = v->owner;

	strbuf_puts(path, "/dev/zero (deleted)");
	*dev = 1;
	*ino = s->number;
}

static const struct vma_ops shared_anon_vma_ops = {
	.open = shared_anon_open,
	.close = shared_anon_close,
	.describe = shared_anon_describe,
};

int
shared_anon_create(struct mm_map_request *rq)
{
	struct shared_anon *s = kzalloc(sizeof(*s), GFP_KERNEL);
	bool charge = !(rq->map_flags & MAP_NORESERVE);
	int err;

	if (!s)
		return -ENOMEM;
	s->size = rq->len;
	if (charge) {
		err = commit_charge(s->size >> PAGE_SHIFT);
		if (err) {
			kfree(s);
			return err;
		}
		s->charged = true;
	}
	mapping_init(&s->mapping, &shared_anon_mapping_ops, s);
	s->mapping.flags = MAPPING_SHMEM;
	s->mapping.size = &s->size;
	s->number = (u64)atomic64_inc_return(&last_number);
	ref_init(&s->ref);
	rq->mapping = &s->mapping;
	rq->owner = s;
	rq->ops = &shared_anon_vma_ops;
	rq->pgoff = 0;
	return 0;
}
