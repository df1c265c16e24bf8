/* SPDX-License-Identifier: MIT */
/*
 * Red-black trees.
 *
 * The rules: the root is black; a red node has black children; every path from a node down to a
 * missing child has the same number of black nodes. So no path is longer than twice another.
 *
 * The code is written once for both sides: dir is the side of a child, !dir the other one. It is
 * inlined twice, with and without augmentation, so plain trees do not pay for the callbacks.
 *
 * Readers without the lock: each function stores child pointers in an order in which no node can
 * be reached from below itself.
 */
#include "lib/rbtree.h"

static inline bool
is_red(const struct rb_node *node)
{
	return node && !(node->parent_color & RB_BLACK);
}

static inline void
set_black(struct rb_node *node)
{
	node->parent_color |= RB_BLACK;
}

static inline void
set_red(struct rb_node *node)
{
	node->parent_color &= ~RB_BLACK;
}

static inline void
set_parent(struct rb_node *node, struct rb_node *parent)
{
	node->parent_color = (unsigned long)parent | (node->parent_color & RB_BLACK);
}

/* Makes whatever points to old point to node. */
static inline void
change_child(struct rb_node *old, struct rb_node *node, struct rb_node *parent,
	     struct rb_root *root)
{
	if (!parent)
		WRITE_ONCE(root->node, node);
	else
		WRITE_ONCE(parent->child[parent->right == old], node);
}

/*
 * Turns node down to side dir; its child of the other side comes up:
 *
 *	   node                up
 *	  /    \              /  \
 *	 a      up    ->   node   c	(dir is left)
 *	       /  \        /  \
 *	   inner   c      a   inner
 */
static __always_inline void
rotate(struct rb_node *node, bool dir, struct rb_root *root, const struct rb_augment *ops)
{
	struct rb_node *parent = rb_parent(node), *up = node->child[!dir];
	struct rb_node *inner = up->child[dir];

	WRITE_ONCE(node->child[!dir], inner);
	if (inner)
		set_parent(inner, node);
	WRITE_ONCE(up->child[dir], node);
	set_parent(up, parent);
	set_parent(node, up);
	change_child(node, up, parent, root);
	if (ops)
		ops->rotate(node, up);
}

/* node is red; it or what it becomes on the way up may have a red parent: the only rule broken. */
static __always_inline void
fix_red(struct rb_node *node, struct rb_root *root, const struct rb_augment *ops)
{
	struct rb_node *parent, *grandparent, *uncle;
	bool dir;

	while (is_red(parent = rb_parent(node))) {
		grandparent = rb_parent(parent);
		dir = grandparent->right == parent;
		uncle = grandparent->child[!dir];
		if (is_red(uncle)) {
			set_black(parent);
			set_black(uncle);
			set_red(grandparent);
			node = grandparent;
			continue;
		}
		if (parent->child[!dir] == node) {
			rotate(parent, dir, root, ops);
			parent = node;
		}
		set_black(parent);
		set_red(grandparent);
		rotate(grandparent, !dir, root, ops);
		return;
	}
	if (!parent)
		set_black(node);
}

/* The paths through node (may be NULL) have one black node less than those through its sibling. */
static __always_inline void
fix_black(struct rb_node *node, struct rb_node *parent, struct rb_root *root,
	  const struct rb_augment *ops)
{
	while (parent && !is_red(node)) {
		/* The sibling's side has a black node at least, so NULL is never ambiguous. */
		bool dir = parent->left != node;
		struct rb_node *sibling = parent->child[!dir];

		if (is_red(sibling)) {
			set_black(sibling);
			set_red(parent);
			rotate(parent, dir, root, ops);
			sibling = parent->child[!dir];
		}
		if (!is_red(sibling->left) && !is_red(sibling->right)) {
			set_red(sibling);
			node = parent;
			parent = rb_parent(node);
			continue;
		}
		if (!is_red(sibling->child[!dir])) {
			set_black(sibling->child[dir]);
			set_red(sibling);
			rotate(sibling, !dir, root, ops);
			sibling = parent->child[!dir];
		}
		if (is_red(parent))
			set_red(sibling);
		else
			set_black(sibling);
		set_black(parent);
		set_black(sibling->child[!dir]);
		rotate(parent, dir, root, ops);
		return;
	}
	if (node)
		set_black(node);
}

static __always_inline void
erase(struct rb_node *node, struct rb_root *root, const struct rb_augment *ops)
{
	struct rb_node *above = rb_parent(node), *parent, *child;
	bool black;

	if (!node->left || !node->right) {
		child = node->left ? node->left : node->right;
		parent = above;
		black = !is_red(node);
		change_child(node, child, parent, root);
		if (child)
			set_parent(child, parent);
		if (ops && parent)
			ops->propagate(parent, NULL);
	} else {
		/* The next node, which has no left child, leaves its place and takes node's. */
		struct rb_node *next = node->right;

		while (next->left)
			next = next->left;
		child = next->right;
		black = !is_red(next);
		parent = rb_parent(next);
		if (parent == node) {
			parent = next;
		} else {
			WRITE_ONCE(parent->left, child);
			if (child)
				set_parent(child, parent);
			WRITE_ONCE(next->right, node->right);
			set_parent(node->right, next);
		}
		WRITE_ONCE(next->left, node->left);
		set_parent(node->left, next);
		next->parent_color = node->parent_color;
		change_child(node, next, above, root);
		if (ops) {
			ops->copy(node, next);
			if (parent != next)
				ops->propagate(parent, next);
			ops->propagate(next, NULL);
		}
	}
	if (black)
		fix_black(child, parent, root, ops);
}

void
rb_insert_color(struct rb_node *node, struct rb_root *root)
{
	fix_red(node, root, NULL);
}

void
rb_erase(struct rb_node *node, struct rb_root *root)
{
	erase(node, root, NULL);
}

void
rb_insert_augmented(struct rb_node *node, struct rb_root *root, const struct rb_augment *ops)
{
	fix_red(node, root, ops);
}

void
rb_erase_augmented(struct rb_node *node, struct rb_root *root, const struct rb_augment *ops)
{
	erase(node, root, ops);
}

void
rb_replace_node(struct rb_node *old, struct rb_node *node, struct rb_root *root)
{
	*node = *old;
	if (node->left)
		set_parent(node->left, node);
	if (node->right)
		set_parent(node->right, node);
	smp_wmb(); /* a reader that finds node finds its children */
	change_child(old, node, rb_parent(old), root);
}

/* As far down one side as it goes. */
static struct rb_node *
rb_extreme(struct rb_node *node, bool dir)
{
	while (node && node->child[dir])
		node = node->child[dir];
	return node;
}

/* In order: the extreme of the near subtree, or the first ancestor that we are not behind. */
static __always_inline struct rb_node *
rb_step(const struct rb_node *node, bool dir)
{
	struct rb_node *parent;

	if (node->child[dir])
		return rb_extreme(node->child[dir], !dir);
	while ((parent = rb_parent(node)) && parent->child[dir] == node)
		node = parent;
	return parent;
}

struct rb_node *
rb_first(const struct rb_root *root)
{
	return rb_extreme(root->node, 0);
}

struct rb_node *
rb_last(const struct rb_root *root)
{
	return rb_extreme(root->node, 1);
}

struct rb_node *
rb_next(const struct rb_node *node)
{
	return rb_step(node, 1);
}

struct rb_node *
rb_prev(const struct rb_node *node)
{
	return rb_step(node, 0);
}

static struct rb_node *
rb_deepest(struct rb_node *node)
{
	while (node && (node->left || node->right))
		node = node->left ? node->left : node->right;
	return node;
}

struct rb_node *
rb_first_postorder(const struct rb_root *root)
{
	return rb_deepest(root->node);
}

struct rb_node *
rb_next_postorder(const struct rb_node *node)
{
	struct rb_node *parent = rb_parent(node);

	if (parent && parent->left == node && parent->right)
		return rb_deepest(parent->right);
	return parent;
}
