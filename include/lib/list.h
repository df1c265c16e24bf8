/* SPDX-License-Identifier: MIT */
/*
 * Doubly linked lists: circular ones, and ones with a one-pointer head for hash tables.
 *
 * A struct list is both head and node. list_del poisons the node, so that a second deletion or a
 * walk from a dead node faults; a node that may be tested with list_empty later is removed with
 * list_del_init instead.
 *
 * Locking: the caller's. The _rcu forms are for lists that readers walk under RCU while writers,
 * serialised by a lock, add and delete: a node is published by a release store, and a deleted one
 * keeps its forward pointer, so a reader standing on it walks on. Free or re-add it only after a
 * grace period.
 */
#ifndef LIB_LIST_H
#define LIB_LIST_H

#include "lib/atomic.h"
#include "lib/types.h"

struct list {
	struct list *next, *prev;
};

#define LIST_INIT(name)          \
	{                        \
		&(name), &(name) \
	}
#define LIST_HEAD(name) struct list name = LIST_INIT(name)

/* Non-canonical addresses on x86-64 and outside both halves on arm64: touching them faults. */
#define LIST_POISON_NEXT ((void *)0xdead000000000100UL)
#define LIST_POISON_PREV ((void *)0xdead000000000200UL)

static inline void
list_init(struct list *head)
{
	WRITE_ONCE(head->next, head);
	head->prev = head;
}

static inline bool
list_empty(const struct list *head)
{
	return READ_ONCE(head->next) == head;
}

static inline bool
list_is_singular(const struct list *head)
{
	return head->next != head && head->next == head->prev;
}

static inline bool
list_is_first(const struct list *node, const struct list *head)
{
	return node->prev == head;
}

static inline bool
list_is_last(const struct list *node, const struct list *head)
{
	return node->next == head;
}

static inline void
list_insert_between(struct list *node, struct list *prev, struct list *next)
{
	next->prev = node;
	node->next = next;
	node->prev = prev;
	WRITE_ONCE(prev->next, node);
}

/* Behind head: at the front of the list, or after any node. */
static inline void
list_add(struct list *node, struct list *head)
{
	list_insert_between(node, head, head->next);
}

/* Before head: at the end of the list, or before any node. */
static inline void
list_add_tail(struct list *node, struct list *head)
{
	list_insert_between(node, head->prev, head);
}

static inline void
list_unlink(struct list *node)
{
	node->next->prev = node->prev;
	WRITE_ONCE(node->prev->next, node->next);
}

static inline void
list_del(struct list *node)
{
	list_unlink(node);
	node->next = LIST_POISON_NEXT;
	node->prev = LIST_POISON_PREV;
}

static inline void
list_del_init(struct list *node)
{
	list_unlink(node);
	list_init(node);
}

static inline void
list_move(struct list *node, struct list *head)
{
	list_unlink(node);
	list_add(node, head);
}

static inline void
list_move_tail(struct list *node, struct list *head)
{
	list_unlink(node);
	list_add_tail(node, head);
}

/* Puts node in the place of old, which is left as it was. */
static inline void
list_replace(struct list *old, struct list *node)
{
	node->next = old->next;
	node->next->prev = node;
	node->prev = old->prev;
	WRITE_ONCE(node->prev->next, node);
}

static inline void
list_splice_between(struct list *from, struct list *prev, struct list *next)
{
	struct list *first = from->next, *last = from->prev;

	first->prev = prev;
	prev->next = first;
	last->next = next;
	next->prev = last;
}

/* Moves all of from to the front of head; from is empty afterwards. */
static inline void
list_splice_init(struct list *from, struct list *head)
{
	if (list_empty(from))
		return;
	list_splice_between(from, head, head->next);
	list_init(from);
}

static inline void
list_splice_tail_init(struct list *from, struct list *head)
{
	if (list_empty(from))
		return;
	list_splice_between(from, head->prev, head);
	list_init(from);
}

/* Moves the nodes up to and including node from the front of head to the empty list. */
static inline void
list_cut_position(struct list *list, struct list *head, struct list *node)
{
	if (node == head) {
		list_init(list);
		return;
	}
	list->next = head->next;
	list->next->prev = list;
	list->prev = node;
	head->next = node->next;
	head->next->prev = head;
	node->next = list;
}

#define list_entry(node, type, member)	     container_of(node, type, member)
#define list_first_entry(head, type, member) list_entry((head)->next, type, member)
#define list_last_entry(head, type, member)  list_entry((head)->prev, type, member)
#define list_first_entry_or_null(head, type, member)                                    \
	({                                                                              \
		struct list *list_head_ = (head);                                       \
		struct list *list_node_ = READ_ONCE(list_head_->next);                  \
		list_node_ != list_head_ ? list_entry(list_node_, type, member) : NULL; \
	})
#define list_next_entry(entry, member) \
	list_entry((entry)->member.next, __typeof__(*(entry)), member)
#define list_prev_entry(entry, member) \
	list_entry((entry)->member.prev, __typeof__(*(entry)), member)

#define list_for_each(node, head) \
	for ((node) = (head)->next; (node) != (head); (node) = (node)->next)

#define list_for_each_safe(node, following, head)                                 \
	for ((node) = (head)->next, (following) = (node)->next; (node) != (head); \
	     (node) = (following), (following) = (node)->next)

#define list_for_each_entry(entry, head, member)                             \
	for ((entry) = list_first_entry(head, __typeof__(*(entry)), member); \
	     &(entry)->member != (head); (entry) = list_next_entry(entry, member))

#define list_for_each_entry_reverse(entry, head, member)                    \
	for ((entry) = list_last_entry(head, __typeof__(*(entry)), member); \
	     &(entry)->member != (head); (entry) = list_prev_entry(entry, member))

/* From the one after entry on. */
#define list_for_each_entry_continue(entry, head, member)                          \
	for ((entry) = list_next_entry(entry, member); &(entry)->member != (head); \
	     (entry) = list_next_entry(entry, member))

/* The current entry, and no other, may be deleted or freed in the body. */
#define list_for_each_entry_safe(entry, following, head, member)             \
	for ((entry) = list_first_entry(head, __typeof__(*(entry)), member), \
	    (following) = list_next_entry(entry, member);                    \
	     &(entry)->member != (head);                                     \
	     (entry) = (following), (following) = list_next_entry(entry, member))

/* RCU forms */

static inline void
list_insert_between_rcu(struct list *node, struct list *prev, struct list *next)
{
	node->next = next;
	node->prev = prev;
	smp_store_release(&prev->next, node);
	next->prev = node;
}

static inline void
list_add_rcu(struct list *node, struct list *head)
{
	list_insert_between_rcu(node, head, head->next);
}

static inline void
list_add_tail_rcu(struct list *node, struct list *head)
{
	list_insert_between_rcu(node, head->prev, head);
}

static inline void
list_del_rcu(struct list *node)
{
	list_unlink(node);
	node->prev = LIST_POISON_PREV;
}

static inline void
list_replace_rcu(struct list *old, struct list *node)
{
	node->next = old->next;
	node->prev = old->prev;
	smp_store_release(&node->prev->next, node);
	node->next->prev = node;
	old->prev = LIST_POISON_PREV;
}

/* A dependent load orders what is read through the pointer; acquire keeps the compiler honest. */
#define list_entry_rcu(node, type, member) container_of(smp_load_acquire(&(node)), type, member)

#define list_first_or_null_rcu(head, type, member)                                      \
	({                                                                              \
		struct list *list_head_ = (head);                                       \
		struct list *list_node_ = smp_load_acquire(&list_head_->next);          \
		list_node_ != list_head_ ? list_entry(list_node_, type, member) : NULL; \
	})

#define list_for_each_entry_rcu(entry, head, member)                               \
	for ((entry) = list_entry_rcu((head)->next, __typeof__(*(entry)), member); \
	     &(entry)->member != (head);                                           \
	     (entry) = list_entry_rcu((entry)->member.next, __typeof__(*(entry)), member))

/* Lists with a head of one pointer */

struct hlist_head {
	struct hlist_node *first;
};

struct hlist_node {
	struct hlist_node *next;
	struct hlist_node **pprev; /* the pointer that points here; NULL: on no list */
};

#define HLIST_INIT   \
	{            \
		NULL \
	}

static inline void
hlist_init(struct hlist_head *head)
{
	head->first = NULL;
}

static inline void
hlist_node_init(struct hlist_node *node)
{
	node->next = NULL;
	node->pprev = NULL;
}

static inline bool
hlist_unhashed(const struct hlist_node *node)
{
	return !READ_ONCE(node->pprev);
}

static inline bool
hlist_empty(const struct hlist_head *head)
{
	return !READ_ONCE(head->first);
}

static inline void
hlist_add_head(struct hlist_node *node, struct hlist_head *head)
{
	struct hlist_node *first = head->first;

	node->next = first;
	if (first)
		WRITE_ONCE(first->pprev, &node->next);
	WRITE_ONCE(head->first, node);
	WRITE_ONCE(node->pprev, &head->first);
}

static inline void
hlist_unlink(struct hlist_node *node)
{
	struct hlist_node *next = node->next, **pprev = node->pprev;

	WRITE_ONCE(*pprev, next);
	if (next)
		WRITE_ONCE(next->pprev, pprev);
}

static inline void
hlist_del(struct hlist_node *node)
{
	hlist_unlink(node);
	node->next = LIST_POISON_NEXT;
	node->pprev = LIST_POISON_PREV;
}

static inline void
hlist_del_init(struct hlist_node *node)
{
	if (hlist_unhashed(node))
		return;
	hlist_unlink(node);
	node->next = NULL;
	WRITE_ONCE(node->pprev, NULL);
}

#define hlist_entry(node, type, member) container_of(node, type, member)
#define hlist_entry_safe(node, type, member)                                 \
	({                                                                   \
		struct hlist_node *hlist_node_ = (node);                     \
		hlist_node_ ? hlist_entry(hlist_node_, type, member) : NULL; \
	})

#define hlist_for_each_entry(entry, head, member)                                              \
	for ((entry) = hlist_entry_safe((head)->first, __typeof__(*(entry)), member); (entry); \
	     (entry) = hlist_entry_safe((entry)->member.next, __typeof__(*(entry)), member))

/* The current entry, and no other, may be deleted or freed; following is a struct hlist_node *. */
#define hlist_for_each_entry_safe(entry, following, head, member)                     \
	for ((entry) = hlist_entry_safe((head)->first, __typeof__(*(entry)), member); \
	     (entry) && ((following) = (entry)->member.next, true);                   \
	     (entry) = hlist_entry_safe(following, __typeof__(*(entry)), member))

static inline void
hlist_add_head_rcu(struct hlist_node *node, struct hlist_head *head)
{
	struct hlist_node *first = head->first;

	node->next = first;
	WRITE_ONCE(node->pprev, &head->first);
	smp_store_release(&head->first, node);
	if (first)
		WRITE_ONCE(first->pprev, &node->next);
}

static inline void
hlist_del_rcu(struct hlist_node *node)
{
	hlist_unlink(node);
	WRITE_ONCE(node->pprev, LIST_POISON_PREV);
}

/* For nodes whose owner asks hlist_unhashed later; readers standing on the node walk on. */
static inline void
hlist_del_init_rcu(struct hlist_node *node)
{
	if (hlist_unhashed(node))
		return;
	hlist_unlink(node);
	WRITE_ONCE(node->pprev, NULL);
}

#define hlist_for_each_entry_rcu(entry, head, member)                                           \
	for ((entry) = hlist_entry_safe(smp_load_acquire(&(head)->first), __typeof__(*(entry)), \
					member);                                                \
	     (entry); (entry) = hlist_entry_safe(smp_load_acquire(&(entry)->member.next),       \
						 __typeof__(*(entry)), member))

#endif
