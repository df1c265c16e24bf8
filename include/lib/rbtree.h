/* SPDX-License-Identifier: MIT */
/*
 * Red-black trees with the node embedded in the caller's object.
 *
 * The caller walks down, links the node (rb_link_node) and has the tree rebalanced
 * (rb_insert_color); rb_add and rb_find do the walk for the common case of a comparison function,
 * which is inlined. A cached root remembers the leftmost node.
 *
 * Augmented trees keep a value in each node computed from its subtree (say the highest end of all
 * ranges below it). Before linking a new node the caller brings the ancestors up to date; the
 * callbacks keep the values right through rotations and deletions.
 *
 * Locking: writers are serialised by the caller. Pointers change in an order that never shows a
 * reader a cycle, so a walk down without the lock always ends (under RCU, if nodes are freed that
 * way). During a rotation it can miss a node: such readers pair with a sequence count and retry.
 */
#ifndef LIB_RBTREE_H
#define LIB_RBTREE_H

#include "lib/atomic.h"
#include "lib/types.h"

struct rb_node {
	unsigned long parent_color; /* parent, and in bit 0 the colour: RB_RED or RB_BLACK */
	union {
		struct {
			struct rb_node *left, *right;
		};
		struct rb_node *child[2]; /* the same, for code that serves both sides */
	};
};

struct rb_root {
	struct rb_node *node;
};

struct rb_root_cached {
	struct rb_root root;
	struct rb_node *leftmost;
};

/*
 * propagate: recompute node and its ancestors, up to but not including stop (NULL: the root);
 * may end early where nothing changes. copy: node takes over the subtree value of old.
 * rotate: node has become old's parent: node takes old's value, then old is recomputed.
 */
struct rb_augment {
	void (*propagate)(struct rb_node *node, struct rb_node *stop);
	void (*copy)(struct rb_node *old, struct rb_node *node);
	void (*rotate)(struct rb_node *old, struct rb_node *node);
};

#define RB_RED	 0UL
#define RB_BLACK 1UL

#define RB_ROOT      \
	{            \
		NULL \
	}
#define RB_ROOT_CACHED         \
	{                      \
		{ NULL }, NULL \
	}

#define rb_entry(node, type, member) container_of(node, type, member)
#define rb_entry_safe(node, type, member)                           \
	({                                                          \
		struct rb_node *rb_node_ = (node);                  \
		rb_node_ ? rb_entry(rb_node_, type, member) : NULL; \
	})

static inline struct rb_node *
rb_parent(const struct rb_node *node)
{
	return (struct rb_node *)(node->parent_color & ~1UL);
}

static inline bool
rb_empty(const struct rb_root *root)
{
	return !READ_ONCE(root->node);
}

/* A node on no tree can be told from one on a tree, if the owner marks it so. */
static inline void
rb_node_clear(struct rb_node *node)
{
	node->parent_color = (unsigned long)node;
}

static inline bool
rb_node_is_clear(const struct rb_node *node)
{
	return node->parent_color == (unsigned long)node;
}

void rb_insert_color(struct rb_node *node, struct rb_root *root);
void rb_erase(struct rb_node *node, struct rb_root *root);
void rb_insert_augmented(struct rb_node *node, struct rb_root *root, const struct rb_augment *ops);
void rb_erase_augmented(struct rb_node *node, struct rb_root *root, const struct rb_augment *ops);

/* Puts node in old's place; both must sort the same. */
void rb_replace_node(struct rb_node *old, struct rb_node *node, struct rb_root *root);

struct rb_node *rb_first(const struct rb_root *root);
struct rb_node *rb_last(const struct rb_root *root);
struct rb_node *rb_next(const struct rb_node *node);
struct rb_node *rb_prev(const struct rb_node *node);

/* Children before parents, for tearing down a tree: the node returned last may be freed. */
struct rb_node *rb_first_postorder(const struct rb_root *root);
struct rb_node *rb_next_postorder(const struct rb_node *node);

#define rb_for_each_entry(entry, root, member)                                               \
	for ((entry) = rb_entry_safe(rb_first(root), __typeof__(*(entry)), member); (entry); \
	     (entry) = rb_entry_safe(rb_next(&(entry)->member), __typeof__(*(entry)), member))

#define rb_for_each_entry_postorder_safe(entry, following, root, member)                      \
	for ((entry) = rb_entry_safe(rb_first_postorder(root), __typeof__(*(entry)), member); \
	     (entry) && ((following) = rb_entry_safe(rb_next_postorder(&(entry)->member),     \
						     __typeof__(*(entry)), member),           \
			true);                                                                \
	     (entry) = (following))

static inline void
rb_link_node(struct rb_node *node, struct rb_node *parent, struct rb_node **link)
{
	node->parent_color = (unsigned long)parent | RB_RED;
	node->left = NULL;
	node->right = NULL;
	smp_store_release(link, node);
}

static inline struct rb_node *
rb_first_cached(const struct rb_root_cached *tree)
{
	return tree->leftmost;
}

static inline void
rb_insert_color_cached(struct rb_node *node, struct rb_root_cached *tree, bool leftmost)
{
	if (leftmost)
		tree->leftmost = node;
	rb_insert_color(node, &tree->root);
}

static inline void
rb_insert_augmented_cached(struct rb_node *node, struct rb_root_cached *tree, bool leftmost,
			   const struct rb_augment *ops)
{
	if (leftmost)
		tree->leftmost = node;
	rb_insert_augmented(node, &tree->root, ops);
}

/* A tree of one node needs no balancing. */
static inline bool
rb_is_only(const struct rb_node *node, const struct rb_root_cached *tree)
{
	return tree->root.node == node && !node->left && !node->right;
}

static inline void
rb_set_only(struct rb_node *node, struct rb_root_cached *tree)
{
	*node = (struct rb_node){ .parent_color = RB_BLACK };
	tree->leftmost = node;
	WRITE_ONCE(tree->root.node, node);
}

static inline void
rb_erase_cached(struct rb_node *node, struct rb_root_cached *tree)
{
	if (tree->leftmost == node)
		tree->leftmost = rb_next(node);
	rb_erase(node, &tree->root);
}

static inline void
rb_erase_augmented_cached(struct rb_node *node, struct rb_root_cached *tree,
			  const struct rb_augment *ops)
{
	if (tree->leftmost == node)
		tree->leftmost = rb_next(node);
	rb_erase_augmented(node, &tree->root, ops);
}

static inline void
rb_replace_node_cached(struct rb_node *old, struct rb_node *node, struct rb_root_cached *tree)
{
	if (tree->leftmost == old)
		tree->leftmost = node;
	rb_replace_node(old, node, &tree->root);
}

/* Inserts behind its equals. */
static __always_inline void
rb_add(struct rb_node *node, struct rb_root *root,
       bool (*less)(const struct rb_node *a, const struct rb_node *b))
{
	struct rb_node **link = &root->node, *parent = NULL;

	while (*link) {
		parent = *link;
		link = less(node, parent) ? &parent->left : &parent->right;
	}
	rb_link_node(node, parent, link);
	rb_insert_color(node, root);
}

/* The same; true if node is now the leftmost. */
static __always_inline bool
rb_add_cached(struct rb_node *node, struct rb_root_cached *tree,
	      bool (*less)(const struct rb_node *a, const struct rb_node *b))
{
	struct rb_node **link = &tree->root.node, *parent = NULL;
	bool leftmost = true;

	while (*link) {
		parent = *link;
		if (less(node, parent)) {
			link = &parent->left;
		} else {
			link = &parent->right;
			leftmost = false;
		}
	}
	rb_link_node(node, parent, link);
	rb_insert_color_cached(node, tree, leftmost);
	return leftmost;
}

/* compare: negative if key sorts before node, zero if they are equal. */
static __always_inline struct rb_node *
rb_find(const void *key, const struct rb_root *root,
	int (*compare)(const void *key, const struct rb_node *node))
{
	struct rb_node *node = root->node;

	while (node) {
		int order = compare(key, node);

		if (order == 0)
			return node;
		node = order < 0 ? node->left : node->right;
	}
	return NULL;
}

#endif
