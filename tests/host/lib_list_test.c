/* SOURCES: */
/* SPDX-License-Identifier: MIT */
/*
 * Lists.
 */
#include "lib/list.h"
#include "test.h"

struct item {
	int value;
	struct list node;
	struct hlist_node hash;
};

static struct item items[8];

/* The values of the list as the digits of a number. */
static int
digits(struct list *head)
{
	struct item *item;
	int number = 0, backward = 0, scale = 1;

	list_for_each_entry(item, head, node) number = number * 10 + item->value;
	list_for_each_entry_reverse(item, head, node)
	{
		backward += item->value * scale;
		scale *= 10;
	}
	return number == backward ? number : -1;
}

static void
fill(struct list *head, int from, int to)
{
	list_init(head);
	for (int i = from; i <= to; i++) {
		items[i].value = i;
		list_add_tail(&items[i].node, head);
	}
}

static void
list_add_puts_in_front_and_add_tail_behind(void)
{
	LIST_HEAD(head);

	EXPECT(list_empty(&head));
	EXPECT(list_first_entry_or_null(&head, struct item, node) == NULL);
	fill(&head, 1, 3);
	items[4].value = 4;
	list_add(&items[4].node, &head);
	EXPECT(digits(&head) == 4123);
	EXPECT(list_first_entry(&head, struct item, node) == &items[4]);
	EXPECT(list_last_entry(&head, struct item, node) == &items[3]);
	EXPECT(list_is_first(&items[4].node, &head) && list_is_last(&items[3].node, &head));
}

static void
list_del_poisons_and_del_init_empties(void)
{
	struct list head;

	fill(&head, 1, 5);
	list_del(&items[3].node);
	EXPECT(items[3].node.next == LIST_POISON_NEXT);
	list_del_init(&items[1].node);
	EXPECT(list_empty(&items[1].node));
	EXPECT(digits(&head) == 245);
}

static void
list_moves_and_splices(void)
{
	struct list a, b, cut;

	fill(&a, 1, 3);
	fill(&b, 4, 6);
	list_move(&items[6].node, &b);
	EXPECT(digits(&b) == 645);
	list_move_tail(&items[6].node, &b);
	list_splice_init(&b, &a);
	EXPECT(digits(&a) == 456123 && list_empty(&b));
	list_cut_position(&cut, &a, &items[6].node);
	EXPECT(digits(&cut) == 456 && digits(&a) == 123);
	list_splice_tail_init(&cut, &a);
	EXPECT(digits(&a) == 123456 && list_empty(&cut));
	list_splice_init(&cut, &a);
	EXPECT(digits(&a) == 123456);
	items[7].value = 7;
	list_replace(&items[2].node, &items[7].node);
	EXPECT(digits(&a) == 173456);
}

static void
list_safe_walk_survives_deletion(void)
{
	struct item *item, *following;
	struct list head;

	fill(&head, 1, 6);
	list_for_each_entry_safe(item, following, &head, node)
	{
		if (item->value % 2)
			list_del(&item->node);
	}
	EXPECT(digits(&head) == 246);
}

static void
list_rcu_reader_walks_on_from_a_deleted_node(void)
{
	struct list head;
	struct item *item;
	int seen = 0;

	list_init(&head);
	for (int i = 1; i <= 3; i++) {
		items[i].value = i;
		list_add_tail_rcu(&items[i].node, &head);
	}
	list_for_each_entry_rcu(item, &head, node)
	{
		seen = seen * 10 + item->value;
		if (item->value == 2)
			list_del_rcu(&item->node);
	}
	EXPECT(seen == 123);
	EXPECT(digits(&head) == 13);
	items[4].value = 4;
	list_replace_rcu(&items[1].node, &items[4].node);
	EXPECT(digits(&head) == 43);
	EXPECT(list_first_or_null_rcu(&head, struct item, node) == &items[4]);
}

static void
hlist_adds_walks_and_deletes(void)
{
	struct hlist_head head = HLIST_INIT;
	struct hlist_node *following;
	struct item *item;
	int seen = 0;

	for (int i = 0; i < 6; i++) {
		items[i].value = i;
		hlist_node_init(&items[i].hash);
		EXPECT(hlist_unhashed(&items[i].hash));
		hlist_add_head(&items[i].hash, &head);
	}
	hlist_for_each_entry_safe(item, following, &head, hash)
	{
		if (item->value % 2)
			hlist_del_init(&item->hash);
	}
	hlist_for_each_entry(item, &head, hash) seen = seen * 10 + item->value;
	EXPECT(seen == 420);
	EXPECT(hlist_unhashed(&items[1].hash) && !hlist_unhashed(&items[2].hash));
	hlist_del_init(&items[1].hash);
	hlist_del_rcu(&items[2].hash);
	hlist_add_head_rcu(&items[5].hash, &head);
	seen = 0;
	hlist_for_each_entry_rcu(item, &head, hash) seen = seen * 10 + item->value;
	EXPECT(seen == 540);
	hlist_del(&items[5].hash);
	hlist_del_init_rcu(&items[4].hash);
	hlist_del_init_rcu(&items[0].hash);
	EXPECT(hlist_empty(&head));
}

int
main(void)
{
	TEST(list_add_puts_in_front_and_add_tail_behind);
	TEST(list_del_poisons_and_del_init_empties);
	TEST(list_moves_and_splices);
	TEST(list_safe_walk_survives_deletion);
	TEST(list_rcu_reader_walks_on_from_a_deleted_node);
	TEST(hlist_adds_walks_and_deletes);
	return test_done();
}
