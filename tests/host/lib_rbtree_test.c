/* SOURCES: lib/rbtree.c */
/* SPDX-License-Identifier: MIT */
/*
 * Red-black trees: random operations, all invariants after each.
 */
#include "lib/rbtree.h"
#include "test.h"

#define ITEMS 300

struct item {
	struct rb_node node;
	u64 key;
	u64 end, subtree_end; /* augmented: the highest end below */
	bool present;
};

static struct item items[ITEMS];

static struct item *
item_of(const struct rb_node *node)
{
	return rb_entry((struct rb_node *)(uintptr_t)node, struct item, node);
}

static bool
item_less(const struct rb_node *a, const struct rb_node *b)
{
	return item_of(a)->key < item_of(b)->key;
}

static int
key_compare(const void *key, const struct rb_node *node)
{
	u64 a = *(const u64 *)key, b = item_of(node)->key;

	return a < b ? -1 : a > b;
}

static u64
computed_end(const struct item *item)
{
	u64 end = item->end;

	if (item->node.left)
		end = MAX(end, item_of(item->node.left)->subtree_end);
	if (item->node.right)
		end = MAX(end, item_of(item->node.right)->subtree_end);
	return end;
}

static void
end_propagate(struct rb_node *node, struct rb_node *stop)
{
	for (; node != stop; node = rb_parent(node)) {
		u64 end = computed_end(item_of(node));

		if (item_of(node)->subtree_end == end)
			return;
		item_of(node)->subtree_end = end;
	}
}

static void
end_copy(struct rb_node *old, struct rb_node *node)
{
	item_of(node)->subtree_end = item_of(old)->subtree_end;
}

static void
end_rotate(struct rb_node *old, struct rb_node *node)
{
	item_of(node)->subtree_end = item_of(old)->subtree_end;
	item_of(old)->subtree_end = computed_end(item_of(old));
}

static const struct rb_augment end_augment = {
	.propagate = end_propagate,
	.copy = end_copy,
	.rotate = end_rotate,
};

static void
augmented_add(struct item *item, struct rb_root_cached *tree)
{
	struct rb_node **link = &tree->root.node, *parent = NULL;
	bool leftmost = true;

	item->subtree_end = item->end;
	while (*link) {
		parent = *link;
		item_of(parent)->subtree_end = MAX(item_of(parent)->subtree_end, item->end);
		if (item_less(&item->node, parent)) {
			link = &parent->left;
		} else {
			link = &parent->right;
			leftmost = false;
		}
	}
	rb_link_node(&item->node, parent, link);
	rb_insert_augmented_cached(&item->node, tree, leftmost, &end_augment);
}

/* Black height, or -1 if a rule is broken. */
static int
check_subtree(struct rb_node *node, struct rb_node *parent, bool augmented, int *count)
{
	int left, right;
	bool red;

	if (!node)
		return 0;
	red = !(node->parent_color & RB_BLACK);
	if (rb_parent(node) != parent || (red && (!parent || !(parent->parent_color & RB_BLACK))))
		return -1;
	if (augmented && item_of(node)->subtree_end != computed_end(item_of(node)))
		return -1;
	left = check_subtree(node->left, node, augmented, count);
	right = check_subtree(node->right, node, augmented, count);
	if (left < 0 || left != right)
		return -1;
	++*count;
	return left + !red;
}

static bool
check_tree(struct rb_root_cached *tree, int expected, bool augmented)
{
	struct rb_node *node, *before = NULL;
	int count = 0, walked = 0;

	if (check_subtree(tree->root.node, NULL, augmented, &count) < 0 || count != expected)
		return false;
	if (rb_first(&tree->root) != tree->leftmost)
		return false;
	for (node = rb_first(&tree->root); node; before = node, node = rb_next(node)) {
		if (rb_prev(node) != before || !item_of(node)->present)
			return false;
		if (before && item_less(node, before))
			return false;
		walked++;
	}
	return walked == expected && rb_last(&tree->root) == before;
}

static void
random_operations(bool augmented, u64 keys)
{
	struct rb_root_cached tree = RB_ROOT_CACHED;
	int count = 0;

	for (int i = 0; i < ITEMS; i++)
		items[i].present = false;
	for (int step = 0; step < 20000; step++) {
		/* Long waves of growth and shrinking. */
		bool grow = test_random_below(10) < (step / 2000 % 2 ? 3 : 7);
		struct item *item = &items[test_random_below(ITEMS)];

		if (item->present == grow)
			continue;
		if (grow) {
			item->key = test_random_below(keys);
			item->end = test_random_below(1000);
			item->present = true;
			if (augmented)
				augmented_add(item, &tree);
			else
				rb_add_cached(&item->node, &tree, item_less);
			count++;
		} else {
			if (augmented)
				rb_erase_augmented_cached(&item->node, &tree, &end_augment);
			else
				rb_erase_cached(&item->node, &tree);
			item->present = false;
			count--;
		}
		EXPECT(check_tree(&tree, count, augmented));
	}
}

static void
rbtree_keeps_its_rules(void)
{
	random_operations(false, 1000000);
}

static void
rbtree_takes_equal_keys(void)
{
	random_operations(false, 5);
}

static void
rbtree_augmented_values_stay_right(void)
{
	random_operations(true, 1000);
}

static void
rbtree_finds_replaces_and_tears_down(void)
{
	struct rb_root root = RB_ROOT;
	struct item *item, *following, replacement;
	int count = 0;

	EXPECT(rb_empty(&root) && !rb_first(&root) && !rb_last(&root) &&
	       !rb_first_postorder(&root));
	for (u64 i = 0; i < 100; i++) {
		items[i].key = i * 37 % 100;
		rb_add(&items[i].node, &root, item_less);
	}
	for (u64 key = 0; key < 100; key++)
		EXPECT(item_of(rb_find(&key, &root, key_compare))->key == key);
	EXPECT(rb_find(&(u64){ 100 }, &root, key_compare) == NULL);
	replacement.key = items[50].key;
	rb_replace_node(&items[50].node, &replacement.node, &root);
	EXPECT(rb_find(&replacement.key, &root, key_compare) == &replacement.node);
	rb_for_each_entry(item, &root, node) EXPECT(item->key == (u64)count++);
	EXPECT(count == 100);
	rb_for_each_entry_postorder_safe(item, following, &root, node)
	{
		EXPECT(!item->node.left || item_of(item->node.left)->key == ~0UL);
		EXPECT(!item->node.right || item_of(item->node.right)->key == ~0UL);
		item->key = ~0UL;
		count--;
	}
	EXPECT(count == 0);
}

int
main(void)
{
	TEST(rbtree_keeps_its_rules);
	TEST(rbtree_takes_equal_keys);
	TEST(rbtree_augmented_values_stay_right);
	TEST(rbtree_finds_replaces_and_tears_down);
	return test_done();
}
