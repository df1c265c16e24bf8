/* SPDX-License-Identifier: MIT */
/*
 * The name cache: one hash of (parent, name), walked under RCU.
 *
 * A dentry says "this name in this directory is that inode", or "is nothing" (negative). It holds
 * its parent and its inode. Used or not it stays in the hash until reclaim, unlink or the end of
 * the file system takes it out.
 *
 * References. refs counts users; 0 means cached and free to go; DEAD (very negative) means gone,
 * which happens once, by compare-and-swap from 0, so that finding a dentry under RCU and taking a
 * reference (dentry_try_get) needs no lock. The last put leaves a hashed dentry on the list of
 * reclaim candidates; it stays there while in use, and reclaim steps over it.
 *
 * Sequence. seq is odd while name, parent or inode change, and different afterwards. A reader of
 * more than one of them (path walk) reads seq first and compares at the end. rename_seq does the
 * same for moves anywhere: a search that found nothing, or a climb to the root, is repeated if it
 * changed.
 *
 * Looking up a name nobody knows: the directory is locked, shared is enough. The first comer hashes
 * a dentry with DENTRY_LOOKUP and asks the file system; others find that dentry and wait for the
 * flag to go.
 *
 * Locks: dentry->lock guards flags' meaning, children, and changes of name, parent and inode
 * (parent before child: nested). Stripe locks guard hash chains. lru_lock guards the candidates.
 * Moves also hold rename_lock of the super block if directories differ, both directories' locks,
 * and rename_spin.
 */
#include "core/panic.h"
#include "lib/hash.h"
#include "mm/reclaim.h"
#include "vfs_internal.h"

#define DEAD	  (-0x40000000)
#define STRIPES	  256
#define WAITERS	  32
#define LRU_BATCH 32

struct long_name {
	struct ref ref;
	struct rcu_head rcu;
	char text[];
};

static struct hlist_head *hash_table;
static u32 hash_bits;
static struct spinlock stripe_lock[STRIPES];
static struct wait_queue lookup_wait[WAITERS];
static struct kmem_cache *dentry_cache;

static struct spinlock rename_spin = SPINLOCK_INIT(RANK_RENAME_SEQ);
struct seqcount rename_seq;

static struct spinlock lru_lock = SPINLOCK_INIT(RANK_LRU);
static LIST_HEAD(lru);
static u64 lru_count, lru_limit;

static u64 shrink_names(struct shrinker *s, u64 n, u32 gfp);
static struct shrinker name_shrinker = { .shrink = shrink_names, .name = "names" };

void
dentry_init(void)
{
	struct mem_stats ms;
	u32 order = 0;

	mem_stats(&ms);
	/* A bucket for each 4 pages of memory; a cached name for each 2. */
	while (order < 10 && (PAGE_SIZE << order) / sizeof(*hash_table) < ms.total / 4)
		order++;
	hash_table = pages_alloc(order, GFP_ZERO);
	if (!hash_table)
		panic("vfs: no memory for the dentry hash");
	while ((sizeof(*hash_table) << (hash_bits + 1)) <= PAGE_SIZE << order)
		hash_bits++;
	lru_limit = MAX(ms.total / 2, 4096);
	dentry_cache = kmem_cache_create("dentry", sizeof(struct dentry), 64, SLAB_RECLAIMABLE,
					 NULL);
	for (u32 i = 0; i < STRIPES; i++)
		spin_init(&stripe_lock[i], RANK_INODE_HASH);
	for (u32 i = 0; i < WAITERS; i++)
		wait_queue_init(&lookup_wait[i]);
	shrinker_register(&name_shrinker);
}

void
qname_init(struct qname *n, const char *text, u32 len)
{
	u32 hash = len;

	for (u32 i = 0; i < len; i++)
		hash = (hash ^ (u8)text[i]) * HASH_GOLDEN_32;
	*n = (struct qname){ text, len, hash };
}

static inline u32
bucket_of(const struct dentry *parent, u32 hash)
{
	return (((u64)(uintptr_t)parent >> 6 ^ (u64)hash << 20) * HASH_GOLDEN_64) >>
	       (64 - hash_bits);
}

static inline void
flag_set(struct dentry *d, u32 flag)
{
	__atomic_fetch_or(&d->flags, flag, __ATOMIC_SEQ_CST);
}

static inline void
flag_clear(struct dentry *d, u32 flag)
{
	__atomic_fetch_and(&d->flags, ~flag, __ATOMIC_SEQ_CST);
}

/* --- hash --- */

static void
hash_insert(struct dentry *d)
{
	u32 b = bucket_of(d->parent, d->name_hash);

	spin_lock(&stripe_lock[b % STRIPES]);
	flag_clear(d, DENTRY_UNHASHED);
	hlist_add_head_rcu(&d->hash, &hash_table[b]);
	spin_unlock(&stripe_lock[b % STRIPES]);
}

/* d->lock held, so that name and parent stay. */
static void
hash_remove(struct dentry *d)
{
	u32 b = bucket_of(d->parent, d->name_hash);

	if (d->flags & DENTRY_UNHASHED)
		return;
	spin_lock(&stripe_lock[b % STRIPES]);
	flag_set(d, DENTRY_UNHASHED);
	hlist_del_rcu(&d->hash);
	spin_unlock(&stripe_lock[b % STRIPES]);
}

struct dentry *
dentry_find_rcu(const struct dentry *parent, const struct qname *n, u32 *seq)
{
	struct dentry *d;

	hlist_for_each_entry_rcu(d, &hash_table[bucket_of(parent, n->hash)], hash)
	{
		if (d->name_hash != n->hash)
			continue;
		*seq = dentry_seq(d);
		if (READ_ONCE(d->parent) != parent || d->name_len != n->len ||
		    (READ_ONCE(d->flags) & (DENTRY_UNHASHED | DENTRY_DEAD)))
			continue;
		if (!memcmp(READ_ONCE(d->name), n->text, n->len))
			return d;
	}
	return NULL;
}

struct dentry *
dentry_find(struct dentry *parent, const struct qname *n)
{
	struct dentry *d;
	u32 moves, seq;

	do {
		moves = seq_read_begin(&rename_seq);
		rcu_read_lock();
		d = dentry_find_rcu(parent, n, &seq);
		if (d && !dentry_try_get(d))
			d = NULL;
		rcu_read_unlock();
		if (d && !dentry_seq_changed(d, seq))
			return d;
		if (d)
			dentry_put(d);
	} while (d || seq_read_retry(&rename_seq, moves));
	return NULL;
}

/* --- life --- */

static void
name_put(const char *name)
{
	struct long_name *ln = container_of(name, struct long_name, text[0]);

	if (ref_put(&ln->ref))
		kfree_rcu(ln, rcu);
}

struct dentry *
dentry_alloc(struct super *s, const char *name, u32 len, u32 hash)
{
	struct dentry *d = kmem_cache_alloc(dentry_cache, GFP_KERNEL);
	char *text;

	if (!d)
		return NULL;
	memset(d, 0, sizeof(*d));
	text = d->inline_name;
	if (len >= DNAME_INLINE) {
		struct long_name *ln = kmalloc(sizeof(*ln) + len + 1, GFP_KERNEL);

		if (!ln) {
			kmem_cache_free(dentry_cache, d);
			return NULL;
		}
		ref_init(&ln->ref);
		text = ln->text;
	}
	memcpy(text, name, len);
	text[len] = '\0';
	d->name = text;
	d->name_len = len;
	d->name_hash = hash;
	d->parent = d;
	d->super = s;
	d->flags = DENTRY_UNHASHED;
	spin_init(&d->lock, RANK_DENTRY);
	atomic_set(&d->refs, 1);
	list_init(&d->children);
	list_init(&d->child_node);
	list_init(&d->alias_node);
	return d;
}

static struct dentry *
alloc_child(struct dentry *parent, const struct qname *n)
{
	struct dentry *d = dentry_alloc(parent->super, n->text, n->len, n->hash);

	if (!d)
		return NULL;
	dentry_get(parent);
	d->parent = parent;
	spin_lock(&parent->lock);
	list_add(&d->child_node, &parent->children);
	spin_unlock(&parent->lock);
	return d;
}

/* d->lock held, or d is new. */
static void
attach_inode(struct dentry *d, struct inode *i)
{
	spin_lock(&i->spin);
	list_add(&d->alias_node, &i->dentries);
	spin_unlock(&i->spin);
	smp_store_release(&d->inode, i);
}

static void
detach_alias(struct dentry *d, struct inode *i)
{
	spin_lock(&i->spin);
	list_del_init(&d->alias_node);
	spin_unlock(&i->spin);
}

/* d no longer names i. */
static void
drop_inode(struct dentry *d, struct inode *i)
{
	if (!(d->flags & DENTRY_ANON)) {
		detach_alias(d, i);
		if (i->nlink == 0)
			notify(i, NULL, IN_DELETE_SELF);
	}
	inode_put(i);
}

void
dentry_add(struct dentry *d, struct inode *i)
{
	spin_lock(&d->lock);
	DEBUG_ASSERT(!d->inode);
	if (i) {
		seq_write_begin(&d->seq);
		attach_inode(d, i);
		seq_write_end(&d->seq);
	}
	spin_unlock(&d->lock);
}

struct dentry *
dentry_create_root(struct super *s, struct inode *i)
{
	struct dentry *d = dentry_alloc(s, "/", 1, 0);

	if (d)
		attach_inode(d, i);
	return d;
}

struct dentry *
dentry_create_anon(struct super *s, const char *name, struct inode *i)
{
	struct dentry *d = dentry_alloc(s, name, (u32)strlen(name), 0);

	if (!d)
		return NULL;
	d->flags |= DENTRY_ANON;
	d->inode = i; /* not on its list of names: many such dentries may share one inode */
	return d;
}

struct dentry *
dentry_create_child(struct dentry *parent, const char *name, struct inode *i)
{
	struct qname n;
	struct dentry *d;

	qname_init(&n, name, (u32)strlen(name));
	d = alloc_child(parent, &n);
	if (!d)
		return NULL;
	attach_inode(d, i);
	hash_insert(d);
	return d;
}

void
dentry_get(struct dentry *d)
{
	atomic_inc(&d->refs);
}

static void
lru_add(struct dentry *d)
{
	spin_lock(&lru_lock);
	if (!(d->flags & (DENTRY_LRU | DENTRY_DEAD))) {
		flag_set(d, DENTRY_LRU);
		list_add_tail(&d->lru, &lru);
		lru_count++;
	}
	spin_unlock(&lru_lock);
}

static void
lru_remove(struct dentry *d)
{
	spin_lock(&lru_lock);
	if (d->flags & DENTRY_LRU) {
		flag_clear(d, DENTRY_LRU);
		list_del(&d->lru);
		lru_count--;
	}
	spin_unlock(&lru_lock);
}

/* Make an unused dentry dead. False: it is used again, or somebody else was faster. RCU held or a
 * reference that cannot go. */
static bool
claim_unused(struct dentry *d)
{
	spin_lock(&d->lock);
	if (atomic_cmpxchg(&d->refs, 0, DEAD) != 0) {
		spin_unlock(&d->lock);
		return false;
	}
	flag_set(d, DENTRY_DEAD);
	hash_remove(d);
	spin_unlock(&d->lock);
	return true;
}

static void
free_rcu(struct rcu_head *head)
{
	kmem_cache_free(dentry_cache, container_of(head, struct dentry, rcu));
}

/* Free a claimed dentry; returns its parent, of which a reference is dropped by the caller, or
 * NULL. */
static struct dentry *
free_claimed(struct dentry *d)
{
	struct dentry *parent = d->parent;

	/* Under the lock: an lru_add that did not see DENTRY_DEAD yet has happened, a later one
	 * sees it. */
	if (!(d->flags & DENTRY_ANON))
		lru_remove(d);
	if (parent != d) {
		spin_lock(&parent->lock);
		list_del(&d->child_node);
		spin_unlock(&parent->lock);
	}
	if (d->inode)
		drop_inode(d, d->inode);
	if (d->name != d->inline_name)
		name_put(d->name);
	rcu_call(&d->rcu, free_rcu);
	return parent != d ? parent : NULL;
}

/*
 * The last reference is gone: keep it as a candidate for reclaim, or claim it. RCU held: the moment
 * the count is 0 others may free it.
 */
static bool
last_put(struct dentry *d)
{
	u32 flags = READ_ONCE(d->flags);

	if (flags & (DENTRY_UNHASHED | DENTRY_NO_CACHE))
		return claim_unused(d);
	if (!(flags & DENTRY_USED))
		flag_set(d, DENTRY_USED);
	if (!(flags & DENTRY_LRU))
		lru_add(d);
	return false;
}

void
dentry_put(struct dentry *d)
{
	bool claimed;

	while (d) {
		rcu_read_lock();
		if (likely(atomic_dec_return(&d->refs) != 0)) {
			rcu_read_unlock();
			return;
		}
		claimed = last_put(d);
		rcu_read_unlock();
		if (!claimed)
			break;
		d = free_claimed(d);
	}
	if (unlikely(READ_ONCE(lru_count) > lru_limit))
		dentry_shrink(LRU_BATCH);
}

/* As dentry_put, but nothing is kept: for what will not be asked for again. */
static void
put_and_forget(struct dentry *d)
{
	bool claimed;

	rcu_read_lock();
	claimed = atomic_dec_return(&d->refs) == 0 && claim_unused(d);
	rcu_read_unlock();
	if (!claimed)
		return;
	d = free_claimed(d);
	if (d)
		dentry_put(d);
}

struct dentry *
dentry_find_alias(struct inode *i)
{
	struct dentry *d, *found = NULL;

	spin_lock(&i->spin);
	list_for_each_entry(d, &i->dentries, alias_node)
	{
		if (dentry_try_get(d)) {
			found = d;
			break;
		}
	}
	spin_unlock(&i->spin);
	return found;
}

struct dentry *
dentry_get_parent(struct dentry *d)
{
	struct dentry *parent;

	for (;;) {
		rcu_read_lock();
		parent = READ_ONCE(d->parent);
		if (dentry_try_get(parent)) {
			rcu_read_unlock();
			if (likely(READ_ONCE(d->parent) == parent))
				return parent;
			dentry_put(parent);
			continue;
		}
		rcu_read_unlock();
	}
}

void
dentry_unhash(struct dentry *d)
{
	spin_lock(&d->lock);
	hash_remove(d);
	spin_unlock(&d->lock);
}

void
dentry_delete(struct dentry *d)
{
	struct inode *i = d->inode;
	bool unused;

	spin_lock(&d->lock);
	/*
	 * The sequence first, then the count: a walker takes its reference first and then compares
	 * the sequence. So either we see the reference, or the walker gives it back.
	 */
	seq_write_begin(&d->seq);
	smp_mb();
	unused = atomic_read(&d->refs) == 1 && i;
	if (unused)
		WRITE_ONCE(d->inode, NULL); /* the name stays, as a negative entry */
	seq_write_end(&d->seq);
	if (!unused)
		hash_remove(d);
	spin_unlock(&d->lock);
	if (unused)
		drop_inode(d, i);
}

/* --- lookup --- */

static bool
lookup_done(struct dentry *d)
{
	return !(READ_ONCE(d->flags) & DENTRY_LOOKUP);
}

/* Find d in its chain, or hash `fresh` in its place. Returns the one found, referenced, or NULL. */
static struct dentry *
find_or_insert(struct dentry *parent, const struct qname *n, struct dentry *fresh)
{
	u32 b = bucket_of(parent, n->hash), seq;
	struct dentry *d;

	spin_lock(&stripe_lock[b % STRIPES]);
	d = dentry_find_rcu(parent, n, &seq);
	if (d && !dentry_try_get(d))
		d = NULL;
	if (!d && fresh) {
		fresh->flags = (fresh->flags | DENTRY_LOOKUP) & ~DENTRY_UNHASHED;
		hlist_add_head_rcu(&fresh->hash, &hash_table[b]);
	}
	spin_unlock(&stripe_lock[b % STRIPES]);
	return d;
}

int
dentry_lookup_locked(struct dentry *parent, const struct qname *n, struct dentry **out)
{
	struct inode *dir = parent->inode;
	struct dentry *d, *fresh = NULL;
	int err = 0;

	for (;;) {
		d = find_or_insert(parent, n, fresh);
		if (d) {
			struct wait_queue *wq = &lookup_wait[hash_ptr(d, 5)];

			wait_event(wq, lookup_done(d));
			if (unlikely(d->flags & DENTRY_UNHASHED)) {
				dentry_put(d);
				continue;
			}
			if (unlikely(d->flags & DENTRY_REVALIDATE)) {
				const struct super_ops *so = d->super->ops;
				int valid = so->revalidate ? so->revalidate(dir, d) : 0;

				if (valid <= 0) {
					if (valid == 0)
						dentry_unhash(d);
					dentry_put(d);
					d = NULL;
					if (valid == 0)
						continue;
					err = valid;
				}
			}
			break;
		}
		if (fresh) {
			d = fresh;
			fresh = NULL;
			if (dir->nlink == 0)
				err = 0; /* a removed directory has no names: stays negative */
			else
				err = dir->ops->lookup ? dir->ops->lookup(dir, d) : -ENOTDIR;
			if (err || dir->nlink == 0)
				dentry_unhash(d);
			flag_clear(d, DENTRY_LOOKUP);
			wake_up_all(&lookup_wait[hash_ptr(d, 5)]);
			if (err) {
				dentry_put(d);
				d = NULL;
			}
			break;
		}
		fresh = alloc_child(parent, n);
		if (!fresh)
			return -ENOMEM;
	}
	if (fresh)
		put_and_forget(fresh);
	*out = d;
	return err;
}

int
dentry_lookup_child(struct dentry *parent, const char *name, size_t len, struct dentry **out)
{
	struct qname n;

	qname_init(&n, name, (u32)len);
	return dentry_lookup_locked(parent, &n, out);
}

/* --- moves --- */

bool
dentry_is_ancestor(const struct dentry *ancestor, const struct dentry *d)
{
	/* What moves meanwhile may let go of a parent that we stand on. */
	rcu_read_lock();
	while (d != ancestor && !dentry_is_root(d))
		d = READ_ONCE(d->parent);
	rcu_read_unlock();
	return d == ancestor;
}

static void
take_name(struct dentry *d, struct dentry *from)
{
	if (from->name == from->inline_name) {
		memcpy(d->inline_name, from->inline_name, DNAME_INLINE);
		WRITE_ONCE(d->name, d->inline_name);
	} else {
		ref_get(&container_of(from->name, struct long_name, text[0])->ref);
		WRITE_ONCE(d->name, from->name);
	}
	d->name_len = from->name_len;
	d->name_hash = from->name_hash;
}

static void
swap_names(struct dentry *a, struct dentry *b)
{
	const char *na = a->name, *nb = b->name;
	bool a_inline = na == a->inline_name, b_inline = nb == b->inline_name;
	char text[DNAME_INLINE];

	memcpy(text, a->inline_name, DNAME_INLINE);
	memcpy(a->inline_name, b->inline_name, DNAME_INLINE);
	memcpy(b->inline_name, text, DNAME_INLINE);
	WRITE_ONCE(a->name, b_inline ? a->inline_name : nb);
	WRITE_ONCE(b->name, a_inline ? b->inline_name : na);
	SWAP(a->name_len, b->name_len);
	SWAP(a->name_hash, b->name_hash);
}

/* d takes the place and name of target, which is forgotten, or takes d's (exchange). */
void
dentry_move(struct dentry *d, struct dentry *target, bool exchange)
{
	struct dentry *from = d->parent, *to = target->parent;
	struct dentry *first = from < to ? from : to, *second = from < to ? to : from;
	const char *old_name = d->name;
	bool old_inline = old_name == d->inline_name;

	if (from != to)
		dentry_get(to);
	spin_lock(&rename_spin);
	seq_write_begin(&rename_seq);
	/* Nobody else holds two dentry locks: any order will do; by address. */
	spin_lock(&first->lock);
	if (second != first)
		spin_lock_nested(&second->lock);
	if (d != first && d != second)
		spin_lock_nested(&d->lock);
	if (target != first && target != second)
		spin_lock_nested(&target->lock);
	seq_write_begin(&d->seq);
	seq_write_begin(&target->seq);
	hash_remove(d);
	hash_remove(target);
	if (exchange)
		swap_names(d, target);
	else
		take_name(d, target);
	if (from != to) {
		WRITE_ONCE(d->parent, to);
		list_move(&d->child_node, &to->children);
		if (exchange) {
			WRITE_ONCE(target->parent, from);
			list_move(&target->child_node, &from->children);
		}
	}
	hash_insert(d);
	if (exchange)
		hash_insert(target);
	seq_write_end(&target->seq);
	seq_write_end(&d->seq);
	if (target != first && target != second)
		spin_unlock(&target->lock);
	if (d != first && d != second)
		spin_unlock(&d->lock);
	if (second != first)
		spin_unlock(&second->lock);
	spin_unlock(&first->lock);
	seq_write_end(&rename_seq);
	spin_unlock(&rename_spin);

	if (!exchange && !old_inline)
		name_put(old_name);
	if (from != to) {
		/* The references on the parents follow: an exchange leaves both counts as they
		 * were. */
		if (exchange)
			dentry_put(to);
		else
			dentry_put(from);
	}
}

/* --- reclaim --- */

/* The first child after prev that is alive, referenced. */
static struct dentry *
next_child(struct dentry *parent, struct dentry *prev)
{
	struct dentry *c, *found = NULL;
	struct list *node;

	spin_lock(&parent->lock);
	if (!prev || prev->parent == parent) {
		for (node = prev ? prev->child_node.next : parent->children.next;
		     node != &parent->children; node = node->next) {
			c = list_entry(node, struct dentry, child_node);
			if (dentry_try_get(c)) {
				found = c;
				break;
			}
		}
	}
	spin_unlock(&parent->lock);
	return found;
}

void
dentry_prune(struct dentry *top)
{
	struct dentry *cur = top, *done = NULL, *next;

	/* Depth first; cur and done are held, hence all their ancestors. */
	for (;;) {
		next = next_child(cur, done);
		if (done)
			put_and_forget(done);
		done = NULL;
		if (next) {
			cur = next;
			continue;
		}
		if (cur == top || dentry_is_root(cur))
			break;
		done = cur;
		cur = cur->parent;
	}
	if (cur != top)
		dentry_put(cur);
}

/* Takes one candidate off the list, claimed, or NULL: all looked at are in use or were used of
 * late. */
static struct dentry *
lru_take(u32 *scan)
{
	struct dentry *d, *claimed = NULL;

	rcu_read_lock();
	while (!claimed && *scan > 0) {
		--*scan;
		spin_lock(&lru_lock);
		d = list_first_entry_or_null(&lru, struct dentry, lru);
		if (!d) {
			spin_unlock(&lru_lock);
			break;
		}
		if (atomic_read(&d->refs) == 0 && (d->flags & DENTRY_USED)) {
			flag_clear(d, DENTRY_USED);
			list_move_tail(&d->lru, &lru);
			spin_unlock(&lru_lock);
			continue;
		}
		list_del(&d->lru);
		lru_count--;
		/*
		 * The flag goes first, then the count is read; last_put drops the count first, then
		 * reads the flag: one of the two sees the other, so no unused dentry is on no list.
		 */
		flag_clear(d, DENTRY_LRU);
		spin_unlock(&lru_lock);
		if (atomic_read(&d->refs) == 0 && claim_unused(d))
			claimed = d;
	}
	rcu_read_unlock();
	return claimed;
}

/* mm asks for memory: a dentry and its inode are about a quarter of a page. */
static u64
shrink_names(struct shrinker *s, u64 n, u32 gfp)
{
	return gfp & GFP_NOFS ? 0 : dentry_shrink(n) / 4;
}

u64
dentry_shrink(u64 nr)
{
	u64 freed = 0;
	u32 scan = (u32)MIN(nr, 1u << 20) * 2 + LRU_BATCH;
	struct dentry *d;

	while (freed < nr && (d = lru_take(&scan))) {
		d = free_claimed(d);
		freed++;
		if (d)
			dentry_put(d);
	}
	return freed;
}
