/* SPDX-License-Identifier: MIT */
/*
 * Fair scheduling: earliest eligible virtual deadline first.
 *
 * Every entity has a virtual clock, vruntime, that runs at 1024 / weight of real time while it
 * runs. On an ideal processor, shared by all at once, the clocks would agree; their weighted
 * average V is that ideal clock. An entity's lag, V - vruntime, is what it is owed (positive) or
 * has had too much.
 *
 *	eligible:	lag >= 0
 *	request:	slice ns at a time; its deadline is the virtual time by which the ideal
 *			processor would have served it: vruntime at the start, plus
 *			slice * 1024 / weight
 *	pick:		of the eligible ones the earliest deadline
 *
 * Lag bounds the unfairness whatever the sizes of the slices, so slices are free to serve latency:
 * an entity that runs in short bursts (fair_adapt_slice) makes small requests with early deadlines,
 * and so preempts one that computes, without getting a nanosecond more than its share.
 *
 * An entity keeps its lag while it sleeps (within bounds), so neither sleeping nor moving to
 * another queue wins or loses anything.
 *
 * V needs no pass over the entities: with `base` near all clocks,
 *	V = base + sum(weight * (vruntime - base)) / sum(weight)
 * and the sums are kept at insertion and removal. "v is eligible" is v <= V without the division.
 * The tree is ordered by deadline; each node knows the least vruntime below it, so that a subtree
 * without an eligible entity is skipped: the pick is one walk down.
 *
 * Locking: the caller's run-queue lock.
 */
#include "fair.h"

/* 1024 * 1.25^-nice: one step is a tenth of the processor between two competitors. */
static const u32 weight_of_nice[40] = {
	88818, 71054, 56843, 45475, 36380, 29104, 23283, 18626, 14901, 11921,
	9537,  7629,  6104,  4883,  3906,  3125,  2500,	 2000,	1600,  1280,
	1024,  819,   655,   524,   419,   336,	  268,	 215,	172,   137,
	110,   88,    70,    56,    45,	   36,	  29,	 23,	18,    15,
};

u32
fair_weight(int nice)
{
	return weight_of_nice[nice + 20];
}

static struct sched_entity *
entity_of(const struct rb_node *node)
{
	return container_of((struct rb_node *)node, struct sched_entity, node);
}

/* Real to virtual time. */
static u64
entity_scale(const struct sched_entity *se, u64 ns)
{
	if (likely(se->weight == FAIR_WEIGHT_NICE0))
		return ns;
	return ns * FAIR_WEIGHT_NICE0 / se->weight;
}

static bool
deadline_before(const struct rb_node *a, const struct rb_node *b)
{
	return (s64)(entity_of(a)->deadline - entity_of(b)->deadline) < 0;
}

/* ---- the tree's least vruntime ---- */

static bool
subtree_update(struct sched_entity *se)
{
	u64 least = se->vruntime;

	if (se->node.left && (s64)(entity_of(se->node.left)->min_vruntime - least) < 0)
		least = entity_of(se->node.left)->min_vruntime;
	if (se->node.right && (s64)(entity_of(se->node.right)->min_vruntime - least) < 0)
		least = entity_of(se->node.right)->min_vruntime;
	if (se->min_vruntime == least)
		return false;
	se->min_vruntime = least;
	return true;
}

static void
subtree_propagate(struct rb_node *node, struct rb_node *stop)
{
	while (node != stop && subtree_update(entity_of(node)))
		node = rb_parent(node);
}

static void
subtree_copy(struct rb_node *old, struct rb_node *node)
{
	entity_of(node)->min_vruntime = entity_of(old)->min_vruntime;
}

static void
subtree_rotate(struct rb_node *old, struct rb_node *node)
{
	entity_of(node)->min_vruntime = entity_of(old)->min_vruntime;
	subtree_update(entity_of(old));
}

static const struct rb_augment subtree_ops = {
	.propagate = subtree_propagate,
	.copy = subtree_copy,
	.rotate = subtree_rotate,
};

static void
tree_insert(struct fair_queue *q, struct sched_entity *se)
{
	struct rb_node **link = &q->tree.root.node, *parent = NULL;
	bool leftmost = true;

	se->min_vruntime = se->vruntime;
	q->weight += se->weight;
	q->weighted_sum += (s64)(se->vruntime - q->base) * se->weight;
	if (!*link) {
		rb_set_only(&se->node, &q->tree);
		return;
	}
	while (*link) {
		parent = *link;
		if ((s64)(se->vruntime - entity_of(parent)->min_vruntime) < 0)
			entity_of(parent)->min_vruntime = se->vruntime;
		if (deadline_before(&se->node, parent)) {
			link = &parent->left;
		} else {
			link = &parent->right;
			leftmost = false;
		}
	}
	rb_link_node(&se->node, parent, link);
	rb_insert_augmented_cached(&se->node, &q->tree, leftmost, &subtree_ops);
}

static void
tree_remove(struct fair_queue *q, struct sched_entity *se)
{
	if (rb_is_only(&se->node, &q->tree))
		q->tree = (struct rb_root_cached)RB_ROOT_CACHED;
	else
		rb_erase_augmented_cached(&se->node, &q->tree, &subtree_ops);
	q->weight -= se->weight;
	q->weighted_sum -= (s64)(se->vruntime - q->base) * se->weight;
}

/* ---- the ideal clock ---- */

static void
queue_totals(const struct fair_queue *q, s64 *sum, s64 *weight)
{
	*sum = q->weighted_sum;
	*weight = (s64)q->weight;
	if (q->curr) {
		*sum += (s64)(q->curr->vruntime - q->base) * q->curr->weight;
		*weight += q->curr->weight;
	}
}

static inline u64
queue_average(const struct fair_queue *q)
{
	s64 sum, weight;

	queue_totals(q, &sum, &weight);
	if (!weight)
		return q->base;
	if (sum < 0)
		sum -= weight - 1; /* round down, so that the average is eligible itself */
	return q->base + (u64)(sum / weight);
}

static bool
vruntime_eligible(const struct fair_queue *q, u64 vruntime)
{
	s64 sum, weight;

	queue_totals(q, &sum, &weight);
	return (s64)(vruntime - q->base) * weight <= sum;
}

/*
 * Let base follow the least clock, so that the differences stay small. Once a request, and when the
 * queue falls empty, is often enough.
 */
static void
queue_advance_base(struct fair_queue *q)
{
	u64 least;
	s64 step;

	if (q->tree.root.node) {
		least = entity_of(q->tree.root.node)->min_vruntime;
		if (q->curr && (s64)(q->curr->vruntime - least) < 0)
			least = q->curr->vruntime;
	} else if (q->curr) {
		least = q->curr->vruntime;
	} else {
		return;
	}
	step = (s64)(least - q->base);
	if (step <= 0)
		return;
	q->base = least;
	q->weighted_sum -= step * (s64)q->weight;
}

/* ---- entry points ---- */

void
fair_queue_init(struct fair_queue *q)
{
	*q = (struct fair_queue){ .tree = RB_ROOT_CACHED };
}

void
fair_entity_init(struct sched_entity *se, u32 weight)
{
	*se = (struct sched_entity){ .slice = FAIR_SLICE_MAX_NS, .weight = weight };
}

void
fair_enqueue(struct fair_queue *q, struct sched_entity *se, enum fair_reason why)
{
	s64 sum, weight, lag = 0;
	u64 request = entity_scale(se, se->slice);

	queue_totals(q, &sum, &weight);
	if (weight && why != FAIR_NEW) {
		/*
		 * Its arrival pulls the average towards itself: of a lag l before, l * W / (W + w)
		 * would be left. Ask for more, so that it has its lag once it is there.
		 */
		lag = se->lag * (weight + se->weight) / weight;
	}
	se->vruntime = queue_average(q) - (u64)lag;
	if (why == FAIR_MOVE && se->deadline)
		se->deadline += se->vruntime; /* fair_dequeue left the distance */
	else
		se->deadline = se->vruntime + (why == FAIR_NEW ? request / 2 : request);
	se->queued = true;
	q->count++;
	tree_insert(q, se);
}

void
fair_dequeue(struct fair_queue *q, struct sched_entity *se, enum fair_reason why)
{
	s64 limit = (s64)entity_scale(se, 2 * FAIR_SLICE_MAX_NS);
	s64 lag = (s64)(queue_average(q) - se->vruntime);

	/* Queue arithmetic keeps lags small; the bound is against what a change of weights can do.
	 */
	se->lag = CLAMP(lag, -limit, limit);
	if (se == q->curr)
		q->curr = NULL;
	else
		tree_remove(q, se);
	se->queued = false;
	if (!--q->count && (s64)(se->vruntime - q->base) > 0)
		q->base = se->vruntime;
	if (why == FAIR_MOVE)
		se->deadline = (s64)(se->deadline - se->vruntime) > 0 ? se->deadline - se->vruntime
								      : 0;
}

struct sched_entity *
fair_pick(struct fair_queue *q)
{
	struct rb_node *node = q->tree.root.node;
	struct sched_entity *best = NULL, *curr = q->curr;
	s64 sum, weight;

	if (!node)
		return curr;
	queue_totals(q, &sum, &weight);
	while (node) {
		struct sched_entity *se = entity_of(node);

		if (node->left &&
		    (s64)(entity_of(node->left)->min_vruntime - q->base) * weight <= sum) {
			node = node->left;
		} else if ((s64)(se->vruntime - q->base) * weight <= sum) {
			best = se;
			break;
		} else {
			node = node->right;
		}
	}
	if (curr && (s64)(curr->vruntime - q->base) * weight <= sum &&
	    (!best || (s64)(curr->deadline - best->deadline) < 0))
		return curr;
	/* Somebody is at or below the average: best, unless that is curr or the sums have
	 * overflowed. */
	if (best)
		return best;
	return curr ? curr : entity_of(q->tree.leftmost);
}

void
fair_set_current(struct fair_queue *q, struct sched_entity *se)
{
	struct sched_entity *old = q->curr;

	if (old == se)
		return;
	tree_remove(q, se); /* first: with two entities the tree never has more than one */
	q->curr = se;
	if (old)
		tree_insert(q, old);
}

void
fair_put_current(struct fair_queue *q)
{
	struct sched_entity *se = q->curr;

	if (!se)
		return;
	q->curr = NULL;
	tree_insert(q, se);
}

bool
fair_charge(struct fair_queue *q, u64 ns)
{
	struct sched_entity *se = q->curr;

	se->vruntime += entity_scale(se, ns);
	if ((s64)(se->vruntime - se->deadline) < 0)
		return false;
	queue_advance_base(q);
	se->slice = MIN(se->slice * 2, FAIR_SLICE_MAX_NS);
	se->deadline = se->vruntime + entity_scale(se, se->slice);
	return q->count > 1;
}

bool
fair_preempts(const struct fair_queue *q, const struct sched_entity *se)
{
	const struct sched_entity *curr = q->curr;

	return curr && curr != se && (s64)(se->deadline - curr->deadline) < 0 &&
	       vruntime_eligible(q, se->vruntime);
}

void
fair_yield(struct fair_queue *q)
{
	struct sched_entity *se = q->curr;

	if (!se || q->count == 1)
		return;
	if (vruntime_eligible(q, se->vruntime)) /* then not, until the others have caught up */
		se->vruntime = queue_average(q) + 1;
	se->deadline = se->vruntime + entity_scale(se, se->slice);
}

void
fair_adapt_slice(struct sched_entity *se, u64 burst_ns)
{
	u64 wish = CLAMP(2 * burst_ns, FAIR_SLICE_MIN_NS, FAIR_SLICE_MAX_NS);

	se->slice = (se->slice + wish) / 2;
}
