/* SOURCES: lib/xarray.c */
/* SPDX-License-Identifier: MIT */
/*
 * xarray: random operations against a plain model, with allocation failures; the canonical shape;
 * and readers without a lock beside a writer.
 */
#include "lib/atomic.h"
#include "lib/xarray.h"
#include "test.h"
#include "uapi/errno.h"
#include <pthread.h>
#include <string.h>

static long nodes_live;
static unsigned int failure_odds; /* one allocation in so many fails; 0: none */
static bool free_late;
static struct xa_node *free_list; /* nodes whose grace period has not ended */

struct xa_node *
xa_node_alloc(void)
{
	struct xa_node *node;

	if (failure_odds && test_random_below(failure_odds) == 0)
		return NULL;
	node = malloc(sizeof(*node));
	memset(node, 0xa5, sizeof(*node));
	nodes_live++;
	return node;
}

void
xa_node_free_rcu(struct xa_node *node)
{
	nodes_live--;
	if (free_late) {
		node->rcu[0] = free_list;
		free_list = node;
		return;
	}
	memset(node, 0x5a, sizeof(*node));
	free(node);
}

static void
free_late_end(void)
{
	free_late = false;
	while (free_list) {
		struct xa_node *node = free_list;

		free_list = node->rcu[0];
		free(node);
	}
}

/* The model: entries in no order. */
#define MODEL_MAX 400

struct model_entry {
	u64 index;
	void *entry;
	u8 marks;
};

static struct model_entry model[MODEL_MAX];
static size_t model_size;

static struct model_entry *
model_at(u64 index)
{
	for (size_t i = 0; i < model_size; i++) {
		if (model[i].index == index)
			return &model[i];
	}
	return NULL;
}

/* The entry of lowest index in [from, max] with the mark. */
static struct model_entry *
model_find(u64 from, u64 max, enum xa_mark mark)
{
	struct model_entry *best = NULL;

	for (size_t i = 0; i < model_size; i++) {
		struct model_entry *m = &model[i];

		if (m->index < from || m->index > max ||
		    (mark != XA_ANY && !(m->marks >> mark & 1)))
			continue;
		if (!best || m->index < best->index)
			best = m;
	}
	return best;
}

static void *
some_entry(void)
{
	if (test_random() & 1)
		return xa_mk_value(test_random() >> 1);
	return (void *)(test_random() << 3 | 8);
}

/* Indices near each other, near the ends of levels, and anywhere. */
static u64
some_index(void)
{
	switch (test_random_below(6)) {
	case 0: return test_random_below(3);
	case 1: return test_random_below(200);
	case 2: return (1UL << 6 * test_random_below(11)) - 2 + test_random_below(4);
	case 3: return UINT64_MAX - test_random_below(100);
	case 4: return 70000 + test_random_below(100);
	default: return test_random() >> test_random_below(64);
	}
}

/* Recounts what the nodes say about themselves. */
static bool
check_node(const struct xa_node *node, const struct xa_node *parent, u8 *marks, bool *full)
{
	u64 present = 0, filled = 0, marked[XA_MARKS] = { 0 };

	if (node->parent != parent)
		return false;
	for (unsigned int slot = 0; slot < XA_SLOTS; slot++) {
		void *entry = node->slots[slot];
		u8 below_marks = 0;
		bool below_full = true;

		if (!entry) {
			if (node->shift == 0 && (node->full >> slot & 1))
				return false;
			continue;
		}
		present |= BIT(slot);
		if (node->shift) {
			const struct xa_node *child = (void *)((unsigned long)entry - 2);

			if (((unsigned long)entry & 3) != 2 || child->offset != slot ||
			    child->shift != node->shift - XA_SHIFT)
				return false;
			if (!check_node(child, node, &below_marks, &below_full))
				return false;
			for (int m = 0; m < XA_MARKS; m++)
				marked[m] |= (u64)(below_marks >> m & 1) << slot;
		} else {
			if (((unsigned long)entry & 3) == 2)
				return false;
			for (int m = 0; m < XA_MARKS; m++)
				marked[m] |= node->marks[m] & BIT(slot);
		}
		filled |= (u64)below_full << slot;
	}
	*full = filled == UINT64_MAX;
	*marks = 0;
	for (int m = 0; m < XA_MARKS; m++) {
		if (node->marks[m] != marked[m])
			return false;
		*marks |= (u8)((marked[m] != 0) << m);
	}
	return present && node->present == present && node->full == filled;
}

static bool
check_shape(const struct xarray *xa)
{
	const struct xa_node *root = (void *)((unsigned long)xa->head - 2);
	u8 marks;
	bool full;

	if (((unsigned long)xa->head & 3) != 2)
		return xa->head || !xa->marks;
	return check_node(root, NULL, &marks, &full) && root->present != 1 && marks == xa->marks;
}

static void
compare_searches(struct xarray *xa)
{
	u64 from = some_index(), max = test_random() & 1 ? XA_MAX : some_index(), index = from,
	    free;
	enum xa_mark mark = (enum xa_mark)test_random_below(4);
	struct model_entry *expected = model_find(from, max, mark);
	void *entry = xa_find(xa, &index, max, mark);

	EXPECT(entry == (expected ? expected->entry : NULL));
	EXPECT(index == (expected ? expected->index : from));
	EXPECT(xa_marked(xa, XA_MARK_1) == (model_find(0, XA_MAX, XA_MARK_1) != NULL));
	free = from;
	while (model_at(free) && free < max)
		free++;
	index = from;
	EXPECT(xa_find_free(xa, &index, max) == (from <= max && !model_at(free)));
	if (from <= max && !model_at(free))
		EXPECT(index == free);
	EXPECT(xa_load(xa, from) == (model_at(from) ? model_at(from)->entry : NULL));
	for (int m = 0; m < XA_MARKS; m++)
		EXPECT(xa_get_mark(xa, from, m) ==
		       (model_at(from) && model_at(from)->marks >> m & 1));
}

static void
change(struct xarray *xa)
{
	u64 index = model_size && test_random() & 1 ? model[test_random_below(model_size)].index
						    : some_index();
	struct model_entry *m = model_at(index);
	enum xa_mark mark = (enum xa_mark)test_random_below(3);
	void *entry = some_entry(), *old = NULL;
	int error;

	switch (test_random_below(8)) {
	case 0:
	case 1:
	case 2:
		if (model_size == MODEL_MAX)
			return;
		error = xa_store(xa, index, entry, &old);
		EXPECT(error == 0 || (error == -ENOMEM && failure_odds && !m));
		if (error)
			return;
		EXPECT(old == (m ? m->entry : NULL));
		if (!m) {
			m = &model[model_size++];
			*m = (struct model_entry){ .index = index };
		}
		m->entry = entry;
		break;
	case 3:
		if (model_size == MODEL_MAX)
			return;
		error = xa_insert(xa, index, entry);
		EXPECT(error == (m ? -EBUSY : 0) || (error == -ENOMEM && failure_odds && !m));
		if (!error)
			model[model_size++] = (struct model_entry){ .index = index,
								    .entry = entry };
		break;
	case 4:
	case 5:
		EXPECT(xa_erase(xa, index) == (m ? m->entry : NULL));
		if (m)
			*m = model[--model_size];
		break;
	case 6:
		xa_set_mark(xa, index, mark);
		if (m)
			m->marks |= (u8)(1 << mark);
		break;
	case 7:
		xa_clear_mark(xa, index, mark);
		if (m)
			m->marks &= (u8) ~(1 << mark);
		break;
	}
}

static void
random_operations(unsigned int odds)
{
	struct xarray xa = XARRAY_INIT;
	u64 index;
	void *entry;
	size_t count = 0;

	model_size = 0;
	failure_odds = odds;
	for (int step = 0; step < 60000 && !test_failed; step++) {
		change(&xa);
		if (step % 16 == 0)
			EXPECT(check_shape(&xa));
		compare_searches(&xa);
		/* From time to time down to nothing. */
		if (step % 15000 == 14999) {
			while (model_size) {
				model_size--;
				EXPECT(xa_erase(&xa, model[model_size].index) ==
				       model[model_size].entry);
				EXPECT(check_shape(&xa));
			}
			EXPECT(xa_empty(&xa) && nodes_live == 0);
		}
	}
	failure_odds = 0;
	for (int i = 0; i < 300; i++)
		change(&xa);
	xa_for_each(&xa, index, entry)
	{
		EXPECT(model_at(index) && model_at(index)->entry == entry);
		count++;
	}
	EXPECT(count == model_size);
	xa_destroy(&xa);
	EXPECT(nodes_live == 0 && xa_empty(&xa));
}

static void
xarray_equals_its_model(void)
{
	random_operations(0);
}

static void
xarray_is_unchanged_when_memory_fails(void)
{
	random_operations(5);
}

static void
xarray_refuses_misaligned_pointers(void)
{
	struct xarray xa = XARRAY_INIT;

	EXPECT(xa_store(&xa, 0, (void *)0x1002, NULL) == -EINVAL);
	EXPECT(xa_store(&xa, 77, (void *)0x1002, NULL) == -EINVAL);
	EXPECT(xa_empty(&xa) && nodes_live == 0);
	EXPECT(xa_store(&xa, 77, NULL, NULL) == 0 && nodes_live == 0);
}

static void
xarray_lone_entry_at_zero_needs_no_node(void)
{
	struct xarray xa = XARRAY_INIT;

	EXPECT(xa_store(&xa, 0, xa_mk_value(7), NULL) == 0 && nodes_live == 0);
	xa_set_mark(&xa, 0, XA_MARK_2);
	EXPECT(xa_store(&xa, 1UL << 40, xa_mk_value(8), NULL) == 0);
	EXPECT(xa_get_mark(&xa, 0, XA_MARK_2) && !xa_get_mark(&xa, 1UL << 40, XA_MARK_2));
	EXPECT(xa_to_value(xa_erase(&xa, 1UL << 40)) == 8 && nodes_live == 0);
	EXPECT(xa_get_mark(&xa, 0, XA_MARK_2) && xa_to_value(xa_load(&xa, 0)) == 7);
	EXPECT(xa_erase(&xa, 0) && xa_empty(&xa) && !xa_marked(&xa, XA_MARK_2));
}

static void
xarray_allocates_the_lowest_free_id(void)
{
	struct xarray xa = XARRAY_INIT;
	u64 id, next = 0;

	for (u64 i = 0; i < 5000; i++) {
		EXPECT(xa_alloc(&xa, &id, xa_mk_value(i), 3, 5002) == 0);
		EXPECT(id == i + 3);
	}
	EXPECT(xa_alloc(&xa, &id, xa_mk_value(1), 3, 5002) == -EBUSY);
	EXPECT(xa_alloc(&xa, &id, NULL, 0, 10) == -EINVAL);
	xa_erase(&xa, 4097);
	xa_erase(&xa, 70);
	EXPECT(xa_alloc(&xa, &id, xa_mk_value(1), 3, 5002) == 0 && id == 70);
	EXPECT(xa_alloc(&xa, &id, xa_mk_value(1), 3, 5002) == 0 && id == 4097);
	xa_destroy(&xa);
	for (u64 i = 0; i < 30; i++) {
		EXPECT(xa_alloc_cyclic(&xa, &id, xa_mk_value(i), 10, 19, &next) == 0);
		EXPECT(id == 10 + i % 10);
		xa_erase(&xa, id);
	}
	EXPECT(xa_insert(&xa, 10, xa_mk_value(1)) == 0 && next == 10);
	EXPECT(xa_alloc_cyclic(&xa, &id, xa_mk_value(1), 10, 11, &next) == 0 && id == 11);
	EXPECT(xa_alloc_cyclic(&xa, &id, xa_mk_value(1), 10, 11, &next) == -EBUSY);
	xa_destroy(&xa);
	EXPECT(nodes_live == 0);
}

static void
xarray_gathers_in_order(void)
{
	struct xarray xa = XARRAY_INIT;
	void *entries[50];
	u64 indices[50], index = 0, expected = 0;
	unsigned int n;

	for (u64 i = 0; i < 1000; i++) {
		EXPECT(xa_store(&xa, i * 7, xa_mk_value(i), NULL) == 0);
		if (i % 3 == 0)
			xa_set_mark(&xa, i * 7, XA_MARK_0);
	}
	while ((n = xa_gather(&xa, &index, 6000, XA_MARK_0, entries, indices, 50))) {
		for (unsigned int i = 0; i < n; i++, expected += 3) {
			EXPECT(xa_to_value(entries[i]) == expected);
			EXPECT(indices[i] == expected * 7);
		}
		EXPECT(index == indices[n - 1] + 1);
	}
	EXPECT(expected == 858);
	xa_destroy(&xa);
}

/* A reader may meet a set bit over a slot that a writer has just emptied. */
static void
xarray_search_steps_over_a_slot_being_emptied(void)
{
	struct xarray xa = XARRAY_INIT;
	struct xa_node *root, *leaf;
	void *saved;
	u64 index = 0;

	EXPECT(xa_store(&xa, 1, xa_mk_value(1), NULL) == 0);
	EXPECT(xa_store(&xa, 2, xa_mk_value(2), NULL) == 0);
	EXPECT(xa_store(&xa, 70, xa_mk_value(70), NULL) == 0);
	root = (void *)((unsigned long)xa.head - 2);
	leaf = (void *)((unsigned long)root->slots[0] - 2);
	leaf->slots[1] = NULL;
	EXPECT(xa_find(&xa, &index, XA_MAX, XA_ANY) == xa_mk_value(2) && index == 2);
	saved = root->slots[0];
	root->slots[0] = NULL;
	index = 0;
	EXPECT(xa_find(&xa, &index, XA_MAX, XA_ANY) == xa_mk_value(70) && index == 70);
	root->slots[0] = saved;
	xa_destroy(&xa);
	EXPECT(nodes_live == 0);
}

/*
 * Entries at multiples of 1000 stay; the writer stores and erases all others. Readers must always
 * find the steady ones, through growing, shrinking and emptied nodes.
 */
static struct xarray shared = XARRAY_INIT;
static bool writer_done, reader_failed;

static void *
steady_reader(void *unused)
{
	while (!smp_load_acquire(&writer_done)) {
		u64 index, expected = 1000;
		void *entry;

		for (u64 i = 1; i <= 20; i++) {
			if (xa_load(&shared, i * 1000) != xa_mk_value(i * 1000))
				WRITE_ONCE(reader_failed, true);
		}
		xa_for_each_range(&shared, index, entry, 1000, 20000)
		{
			if (entry != xa_mk_value(index) || index > expected)
				WRITE_ONCE(reader_failed, true);
			if (index == expected)
				expected += 1000;
		}
		if (expected != 21000)
			WRITE_ONCE(reader_failed, true);
	}
	return unused;
}

static void
xarray_readers_need_no_lock(void)
{
	pthread_t readers[2];

	free_late = true;
	for (u64 i = 1; i <= 20; i++)
		EXPECT(xa_store(&shared, i * 1000, xa_mk_value(i * 1000), NULL) == 0);
	for (int i = 0; i < 2; i++)
		pthread_create(&readers[i], NULL, steady_reader, NULL);
	for (int step = 0; step < 100000; step++) {
		u64 index = test_random_below(8) ? test_random_below(21000)
						 : test_random() >> test_random_below(50);
		int error;

		if (index % 1000 == 0 && index <= 20000)
			continue;
		error = test_random() & 1
				? xa_store(&shared, index, xa_mk_value(index & INT64_MAX), NULL)
				: 0;
		if (!error && test_random() & 1)
			xa_erase(&shared, index);
		/* Big indices go again, so that the tree shrinks. */
		if (index > 21000)
			xa_erase(&shared, index);
	}
	smp_store_release(&writer_done, true);
	for (int i = 0; i < 2; i++)
		pthread_join(readers[i], NULL);
	xa_destroy(&shared);
	free_late_end();
	EXPECT(!reader_failed && nodes_live == 0);
}

int
main(void)
{
	TEST(xarray_equals_its_model);
	TEST(xarray_is_unchanged_when_memory_fails);
	TEST(xarray_refuses_misaligned_pointers);
	TEST(xarray_lone_entry_at_zero_needs_no_node);
	TEST(xarray_allocates_the_lowest_free_id);
	TEST(xarray_gathers_in_order);
	TEST(xarray_search_steps_over_a_slot_being_emptied);
	TEST(xarray_readers_need_no_lock);
	return test_done();
}
