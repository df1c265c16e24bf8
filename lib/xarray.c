/* SPDX-License-Identifier: MIT */
/*
 * xarray: the radix tree.
 *
 * Shape. The two low bits of a slot tell what it holds: 00 an aligned pointer, x1 a value, 10 a
 * node. The tree is kept canonical: no node is empty, and a root with nothing but slot 0 is
 * replaced by what is in slot 0, down to a lone entry kept in the head itself. Every store that
 * fails for want of memory restores this by pruning.
 *
 * Readers under RCU. A node's shift never changes. Slots are stored with release after what they
 * lead to is complete, and the bit maps after the slots: a set bit may lead to an empty slot, when
 * a writer is in between, and is then stepped over. A node taken out of the tree keeps its content
 * until the grace period ends, so a reader in it goes on seeing the tree of a moment ago.
 */
#include "lib/xarray.h"
#include "lib/atomic.h"
#include "lib/string.h"
#include "uapi/errno.h"

#define TAG_MASK 3UL
#define TAG_NODE 2UL

static inline bool
is_node(const void *slot)
{
	return ((unsigned long)slot & TAG_MASK) == TAG_NODE;
}

static inline struct xa_node *
to_node(const void *slot)
{
	return (struct xa_node *)((unsigned long)slot - TAG_NODE);
}

static inline void *
from_node(const struct xa_node *node)
{
	return (void *)((unsigned long)node + TAG_NODE);
}

static inline unsigned int
slot_of(const struct xa_node *node, u64 index)
{
	return (index >> node->shift) % XA_SLOTS;
}

/* The bits of an index that vary below one slot, and below the whole node. */
static inline u64
slot_span(const struct xa_node *node)
{
	return BIT(node->shift) - 1;
}

static inline u64
node_span(const struct xa_node *node)
{
	return node->shift + XA_SHIFT >= 64 ? UINT64_MAX : BIT(node->shift + XA_SHIFT) - 1;
}

/* The slots whose indices exist: the topmost possible level has four bits left of 64. */
static inline u64
node_slots(const struct xa_node *node)
{
	return node->shift + XA_SHIFT > 64 ? BIT(BIT(64 - node->shift)) - 1 : UINT64_MAX;
}

static struct xa_node *
node_create(unsigned int shift, struct xa_node *parent, unsigned int offset)
{
	struct xa_node *node = xa_node_alloc();

	if (node) {
		memset(node, 0, sizeof(*node));
		node->shift = (u8)shift;
		node->offset = (u8)offset;
		node->parent = parent;
	}
	return node;
}

static void
slot_set_full(struct xa_node *node, unsigned int slot)
{
	for (; node; slot = node->offset, node = node->parent) {
		node->full |= BIT(slot);
		if (node->full != UINT64_MAX)
			return;
	}
}

static void
slot_set_free(struct xa_node *node, unsigned int slot)
{
	bool was_full = true;

	for (; node && was_full; slot = node->offset, node = node->parent) {
		was_full = node->full == UINT64_MAX;
		node->full &= ~BIT(slot);
	}
}

static void
slot_set_mark(struct xarray *xa, struct xa_node *node, unsigned int slot, enum xa_mark mark)
{
	for (; node; slot = node->offset, node = node->parent) {
		if (node->marks[mark] & BIT(slot))
			return;
		smp_store_release(&node->marks[mark], node->marks[mark] | BIT(slot));
	}
	WRITE_ONCE(xa->marks, xa->marks | BIT(mark));
}

static void
slot_clear_mark(struct xarray *xa, struct xa_node *node, unsigned int slot, enum xa_mark mark)
{
	for (; node; slot = node->offset, node = node->parent) {
		if (!(node->marks[mark] & BIT(slot)))
			return;
		WRITE_ONCE(node->marks[mark], node->marks[mark] & ~BIT(slot));
		if (node->marks[mark])
			return;
	}
	WRITE_ONCE(xa->marks, xa->marks & ~BIT(mark));
}

/* Makes the tree canonical after node may have become empty. */
static void
prune(struct xarray *xa, struct xa_node *node)
{
	while (node && !node->present) {
		struct xa_node *parent = node->parent;

		if (parent) {
			WRITE_ONCE(parent->slots[node->offset], NULL);
			WRITE_ONCE(parent->present, parent->present & ~BIT(node->offset));
		} else {
			WRITE_ONCE(xa->head, NULL);
		}
		xa_node_free_rcu(node);
		node = parent;
	}
	while (is_node(xa->head) && to_node(xa->head)->present == 1) {
		struct xa_node *root = to_node(xa->head);

		if (is_node(root->slots[0]))
			to_node(root->slots[0])->parent = NULL;
		smp_store_release(&xa->head, root->slots[0]);
		xa_node_free_rcu(root);
	}
}

/* Puts roots above the tree until it reaches index. The marks of the head are those of slot 0. */
static bool
grow(struct xarray *xa, u64 index)
{
	while (!is_node(xa->head) || index > node_span(to_node(xa->head))) {
		void *head = xa->head;
		unsigned int shift = 0, top = index ? 63 - (unsigned int)__builtin_clzl(index) : 0;
		struct xa_node *root;

		if (is_node(head))
			shift = to_node(head)->shift + XA_SHIFT;
		else if (!head)
			shift = top / XA_SHIFT * XA_SHIFT;
		root = node_create(shift, NULL, 0);
		if (!root)
			return false;
		if (head) {
			root->slots[0] = head;
			root->present = 1;
			root->full = !is_node(head) || to_node(head)->full == UINT64_MAX;
			for (int mark = 0; mark < XA_MARKS; mark++)
				root->marks[mark] = xa->marks >> mark & 1;
			if (is_node(head))
				to_node(head)->parent = root;
		}
		smp_store_release(&xa->head, from_node(root));
	}
	return true;
}

/* The leaf for index, made if need be. NULL: no memory, and the tree is canonical again. */
static struct xa_node *
leaf_make(struct xarray *xa, u64 index)
{
	struct xa_node *node, *child;
	bool grown = grow(xa, index);

	node = is_node(xa->head) ? to_node(xa->head) : NULL;
	if (!grown)
		goto out_prune;
	while (node->shift) {
		unsigned int slot = slot_of(node, index);

		if (!node->slots[slot]) {
			child = node_create(node->shift - XA_SHIFT, node, slot);
			if (!child)
				goto out_prune;
			smp_store_release(&node->slots[slot], from_node(child));
			smp_store_release(&node->present, node->present | BIT(slot));
		}
		node = to_node(node->slots[slot]);
	}
	return node;

out_prune:
	prune(xa, node);
	return NULL;
}

/* The leaf for index as the tree is, or NULL; for the writer. */
static struct xa_node *
leaf_peek(const struct xarray *xa, u64 index)
{
	void *slot = xa->head;

	if (!is_node(slot) || index > node_span(to_node(slot)))
		return NULL;
	while (is_node(slot) && to_node(slot)->shift)
		slot = to_node(slot)->slots[slot_of(to_node(slot), index)];
	return is_node(slot) ? to_node(slot) : NULL;
}

void *
xa_load(const struct xarray *xa, u64 index)
{
	void *slot = smp_load_acquire(&xa->head);

	if (!is_node(slot))
		return index ? NULL : slot;
	if (index > node_span(to_node(slot)))
		return NULL;
	do {
		struct xa_node *node = to_node(slot);

		slot = smp_load_acquire(&node->slots[slot_of(node, index)]);
	} while (is_node(slot));
	return slot;
}

static int
store(struct xarray *xa, u64 index, void *entry, bool replace, void **old)
{
	struct xa_node *leaf;
	unsigned int slot;
	void *before;

	if (is_node(entry) || !entry)
		return -EINVAL;
	if (!index && !is_node(xa->head)) {
		before = xa->head;
		if (before && !replace)
			return -EBUSY;
		smp_store_release(&xa->head, entry);
	} else {
		leaf = leaf_make(xa, index);
		if (!leaf)
			return -ENOMEM;
		slot = slot_of(leaf, index);
		before = leaf->slots[slot];
		if (before && !replace)
			return -EBUSY;
		smp_store_release(&leaf->slots[slot], entry);
		if (!before) {
			smp_store_release(&leaf->present, leaf->present | BIT(slot));
			slot_set_full(leaf, slot);
		}
	}
	if (old)
		*old = before;
	return 0;
}

int
xa_store(struct xarray *xa, u64 index, void *entry, void **old)
{
	void *before;

	if (entry)
		return store(xa, index, entry, true, old);
	before = xa_erase(xa, index);
	if (old)
		*old = before;
	return 0;
}

int
xa_insert(struct xarray *xa, u64 index, void *entry)
{
	return store(xa, index, entry, false, NULL);
}

void *
xa_erase(struct xarray *xa, u64 index)
{
	struct xa_node *leaf;
	unsigned int slot;
	void *before;

	if (!is_node(xa->head)) {
		before = index ? NULL : xa->head;
		if (before) {
			WRITE_ONCE(xa->head, NULL);
			WRITE_ONCE(xa->marks, 0);
		}
		return before;
	}
	leaf = leaf_peek(xa, index);
	if (!leaf)
		return NULL;
	slot = slot_of(leaf, index);
	before = leaf->slots[slot];
	if (!before)
		return NULL;
	for (unsigned int mark = 0; mark < XA_MARKS; mark++)
		slot_clear_mark(xa, leaf, slot, mark);
	WRITE_ONCE(leaf->slots[slot], NULL);
	WRITE_ONCE(leaf->present, leaf->present & ~BIT(slot));
	slot_set_free(leaf, slot);
	prune(xa, leaf);
	return before;
}

void
xa_destroy(struct xarray *xa)
{
	struct xa_node *node = is_node(xa->head) ? to_node(xa->head) : NULL;

	xa_init(xa);
	while (node) {
		struct xa_node *parent = node->parent;

		if (node->shift && node->present) {
			unsigned int slot = (unsigned int)__builtin_ctzl(node->present);

			node->present &= node->present - 1;
			node = to_node(node->slots[slot]);
		} else {
			xa_node_free_rcu(node);
			node = parent;
		}
	}
}

void
xa_set_mark(struct xarray *xa, u64 index, enum xa_mark mark)
{
	struct xa_node *leaf = leaf_peek(xa, index);

	if (leaf ? leaf->slots[slot_of(leaf, index)] != NULL : xa_load(xa, index) != NULL)
		slot_set_mark(xa, leaf, leaf ? slot_of(leaf, index) : 0, mark);
}

void
xa_clear_mark(struct xarray *xa, u64 index, enum xa_mark mark)
{
	struct xa_node *leaf = leaf_peek(xa, index);

	if (leaf || xa_load(xa, index))
		slot_clear_mark(xa, leaf, leaf ? slot_of(leaf, index) : 0, mark);
}

bool
xa_get_mark(const struct xarray *xa, u64 index, enum xa_mark mark)
{
	void *slot = smp_load_acquire(&xa->head);
	struct xa_node *node;

	if (!is_node(slot))
		return slot && !index && xa_marked(xa, mark);
	if (index > node_span(to_node(slot)))
		return false;
	for (;;) {
		node = to_node(slot);
		if (!(READ_ONCE(node->marks[mark]) & BIT(slot_of(node, index))))
			return false;
		if (!node->shift)
			return true;
		slot = smp_load_acquire(&node->slots[slot_of(node, index)]);
		if (!slot)
			return false;
	}
}

static inline u64
node_bits(const struct xa_node *node, enum xa_mark mark)
{
	return smp_load_acquire(mark == XA_ANY ? &node->present : &node->marks[mark]);
}

/*
 * The leaf with the first candidate in [*index, max]; *index moves to the candidate. Whenever a
 * subtree has nothing more, the walk starts again at the root with the first index behind it.
 */
static struct xa_node *
leaf_seek(struct xa_node *root, u64 *index, u64 max, enum xa_mark mark)
{
	struct xa_node *node = root;
	u64 at = *index;

	while (at <= max && at <= node_span(root)) {
		u64 bits = node_bits(node, mark) & (~0UL << slot_of(node, at));
		u64 skip = node_span(node);

		if (bits) {
			unsigned int slot = (unsigned int)__builtin_ctzl(bits);
			void *next;

			if (slot != slot_of(node, at))
				at = (at & ~node_span(node)) | (u64)slot << node->shift;
			next = smp_load_acquire(&node->slots[slot]);
			if (next && !node->shift) {
				*index = at;
				return at <= max ? node : NULL;
			}
			if (next) {
				node = to_node(next);
				continue;
			}
			skip = slot_span(node);
		}
		if (__builtin_add_overflow(at | skip, 1, &at))
			return NULL;
		node = root;
	}
	return NULL;
}

unsigned int
xa_gather(const struct xarray *xa, u64 *index, u64 max, enum xa_mark mark, void **entries,
	  u64 *indices, unsigned int count)
{
	void *head = smp_load_acquire(&xa->head);
	unsigned int found = 0;
	u64 at = *index;

	if (!is_node(head)) {
		if (!head || at || !count || (mark != XA_ANY && !xa_marked(xa, mark)))
			return 0;
		entries[0] = head;
		if (indices)
			indices[0] = 0;
		*index = 1;
		return 1;
	}
	while (found < count) {
		struct xa_node *leaf = leaf_seek(to_node(head), &at, max, mark);
		u64 bits, base = at & ~(u64)(XA_SLOTS - 1);

		if (!leaf)
			break;
		bits = node_bits(leaf, mark) & (~0UL << slot_of(leaf, at));
		for (; bits && found < count; bits &= bits - 1) {
			unsigned int slot = (unsigned int)__builtin_ctzl(bits);
			void *entry = smp_load_acquire(&leaf->slots[slot]);

			at = base + slot;
			if (at > max)
				return found;
			if (!entry)
				continue;
			entries[found] = entry;
			if (indices)
				indices[found] = at;
			found++;
			*index = at + 1;
		}
		if (__builtin_add_overflow(at, 1, &at))
			break;
	}
	return found;
}

void *
xa_find(const struct xarray *xa, u64 *index, u64 max, enum xa_mark mark)
{
	u64 at = *index;
	void *entry;

	if (!xa_gather(xa, &at, max, mark, &entry, index, 1))
		return NULL;
	return entry;
}

void *
xa_find_after(const struct xarray *xa, u64 *index, u64 max, enum xa_mark mark)
{
	u64 at = *index + 1;
	void *entry;

	if (!at || !xa_gather(xa, &at, max, mark, &entry, index, 1))
		return NULL;
	return entry;
}

bool
xa_find_free(const struct xarray *xa, u64 *index, u64 max)
{
	struct xa_node *root, *node;
	u64 at = *index;

	if (!is_node(xa->head)) {
		if (xa->head && !at)
			at = 1;
		goto out_at;
	}
	root = node = to_node(xa->head);
	while (at <= max && at <= node_span(root)) {
		u64 bits = ~node->full & node_slots(node) & (~0UL << slot_of(node, at));

		if (bits) {
			unsigned int slot = (unsigned int)__builtin_ctzl(bits);

			if (slot != slot_of(node, at))
				at = (at & ~node_span(node)) | (u64)slot << node->shift;
			if (!node->shift || !node->slots[slot])
				goto out_at;
			node = to_node(node->slots[slot]);
			continue;
		}
		if (__builtin_add_overflow(at | node_span(node), 1, &at))
			return false;
		node = root;
	}
out_at:
	*index = at;
	return at <= max;
}

int
xa_alloc(struct xarray *xa, u64 *id, void *entry, u64 min, u64 max)
{
	u64 index = min;
	int error;

	if (!xa_find_free(xa, &index, max))
		return -EBUSY;
	error = store(xa, index, entry, false, NULL);
	if (!error)
		*id = index;
	return error;
}

int
xa_alloc_cyclic(struct xarray *xa, u64 *id, void *entry, u64 min, u64 max, u64 *next)
{
	u64 from = *next < min || *next > max ? min : *next;
	int error;

	error = xa_alloc(xa, id, entry, from, max);
	if (error == -EBUSY && from > min)
		error = xa_alloc(xa, id, entry, min, from - 1);
	if (!error)
		*next = *id == max ? min : *id + 1;
	return error;
}
