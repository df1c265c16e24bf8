/* SPDX-License-Identifier: MIT */
/*
 * Revokes: notes in the log that older copies of a block in it are not to be replayed, because the
 * block was freed and may hold something else by then, such as a file's data.
 *
 * They belong to the transaction that freed the block. If it takes the block again as metadata, the
 * note goes: its own copy in the log is newer than the note, which speaks of older ones and of this
 * transaction's alike.
 */
#include "journal_internal.h"
#include "lib/hash.h"
#include "mm/slab.h"
#include "uapi/errno.h"

static struct hlist_head *
revoke_bucket(struct transaction *t, u64 block)
{
	return &t->revokes[hash_u64(block, __builtin_ctz(REVOKE_BUCKETS))];
}

static struct revoke *
revoke_find_locked(struct transaction *t, u64 block)
{
	for (struct hlist_node *n = revoke_bucket(t, block)->first; n; n = n->next) {
		struct revoke *r = hlist_entry(n, struct revoke, node);

		if (r->block == block)
			return r;
	}
	return NULL;
}

void
revoke_cancel_locked(struct transaction *t, u64 block)
{
	struct revoke *r = t->nr_revokes ? revoke_find_locked(t, block) : NULL;

	if (r) {
		hlist_del(&r->node);
		t->nr_revokes--;
		kfree(r);
	}
}

int
journal_revoke(struct journal_handle *h, u64 block)
{
	struct journal *j = h->journal;
	struct transaction *t = h->transaction;
	struct revoke *r;
	struct buffer *b;
	int err = 0;

	if (!t || READ_ONCE(j->error))
		return -EROFS;
	r = kmalloc(sizeof(*r), GFP_NOFS);
	if (!r)
		return -ENOMEM;
	r->block = block;
	b = buffer_find(j->cache, block);
	if (b) {
		err = journal_forget(h, b);
		buffer_put(b);
	}
	spin_lock(&j->lock);
	if (!err && !revoke_find_locked(t, block)) {
		hlist_add_head(&r->node, revoke_bucket(t, block));
		t->nr_revokes++;
		r = NULL;
	}
	spin_unlock(&j->lock);
	kfree(r);
	return err;
}

void
revokes_free(struct transaction *t)
{
	for (u32 i = 0; i < REVOKE_BUCKETS; i++) {
		while (t->revokes[i].first) {
			struct revoke *r = hlist_entry(t->revokes[i].first, struct revoke, node);

			hlist_del(&r->node);
			kfree(r);
		}
	}
}
