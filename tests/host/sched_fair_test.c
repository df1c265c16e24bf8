/* SPDX-License-Identifier: MIT */
/*
 * SOURCES: sched/fair.c lib/rbtree.c
 */
/*
 * Fair scheduling: shares by weight, latency of short bursts, nothing won by sleeping, yielding or
 * moving. A simulated CPU ticks every millisecond and otherwise lets the queue decide.
 */
#include <stdio.h>
#include <stdlib.h>

#include "../../sched/fair.h"

#define TICK 1000000ull
#define MS   1000000ull

struct worker {
	struct sched_entity se;
	u64 got;
};

static int checks, failures;

static void
ok(bool good, const char *name)
{
	printf("%sok %d - %s\n", good ? "" : "not ", ++checks, name);
	failures += !good;
}

static void
pick(struct fair_queue *q)
{
	struct sched_entity *se = fair_pick(q);

	if (se)
		fair_set_current(q, se);
}

static void
run(struct fair_queue *q, u64 ns)
{
	for (u64 t = 0; t < ns; t += TICK) {
		if (!q->curr)
			pick(q);
		container_of(q->curr, struct worker, se)->got += TICK;
		if (fair_charge(q, TICK))
			pick(q);
	}
}

static void
start(struct fair_queue *q, struct worker *w, int nice)
{
	fair_entity_init(&w->se, fair_weight(nice));
	w->got = 0;
	fair_enqueue(q, &w->se, FAIR_NEW);
}

static bool
near(u64 got, u64 want, u64 slack)
{
	return got + slack >= want && got <= want + slack;
}

static void
test_equal_shares(void)
{
	static struct worker w[10];
	struct fair_queue q;
	bool good = true;

	fair_queue_init(&q);
	for (int i = 0; i < 10; i++)
		start(&q, &w[i], 0);
	run(&q, 3000 * MS);
	for (int i = 0; i < 10; i++)
		good &= near(w[i].got, 300 * MS, 7 * MS);
	ok(good, "ten equal threads get a tenth each");
}

static void
test_weights(void)
{
	struct worker a, b, c;
	struct fair_queue q;
	u64 total = fair_weight(0) + fair_weight(5) + fair_weight(-5);

	fair_queue_init(&q);
	start(&q, &a, 0);
	start(&q, &b, 5);
	start(&q, &c, -5);
	run(&q, 10000 * MS);
	ok(near(a.got, 10000 * MS * fair_weight(0) / total, 30 * MS) &&
		   near(b.got, 10000 * MS * fair_weight(5) / total, 30 * MS) &&
		   near(c.got, 10000 * MS * fair_weight(-5) / total, 30 * MS),
	   "shares follow nice values");
}

/* An interactive thread: runs 0.2 ms, sleeps 10 ms, beside computing ones. */
static void
test_short_bursts_preempt(void)
{
	struct worker hog[2], shell;
	struct fair_queue q;
	int at_once = 0, rounds = 500;

	fair_queue_init(&q);
	start(&q, &hog[0], 0);
	start(&q, &hog[1], 0);
	start(&q, &shell, 0);
	while (q.curr != &shell.se)
		run(&q, TICK);
	for (int i = 0; i < rounds; i++) {
		fair_charge(&q, MS / 5);
		fair_adapt_slice(&shell.se, MS / 5);
		fair_dequeue(&q, &shell.se, FAIR_SLEEP);
		pick(&q);
		run(&q, 10 * MS);
		fair_enqueue(&q, &shell.se, FAIR_SLEEP);
		if (fair_preempts(&q, &shell.se)) {
			pick(&q);
			at_once += q.curr == &shell.se;
		}
		while (q.curr != &shell.se)
			run(&q, TICK);
	}
	ok(at_once > rounds * 7 / 10, "a thread of short bursts mostly runs at once when it wakes");
}

static void
test_sleep_wins_nothing(void)
{
	struct worker hog, sleeper;
	struct fair_queue q;

	fair_queue_init(&q);
	start(&q, &hog, 0);
	start(&q, &sleeper, 0);
	run(&q, 100 * MS);
	fair_dequeue(&q, &sleeper.se, FAIR_SLEEP);
	run(&q, 100000 * MS);
	fair_enqueue(&q, &sleeper.se, FAIR_SLEEP);
	hog.got = sleeper.got = 0;
	run(&q, 1000 * MS);
	ok(near(hog.got, 500 * MS, 10 * MS), "a long sleep does not earn a long run");
}

static void
test_lag_survives_sleep(void)
{
	struct worker hog, cheat;
	struct fair_queue q;

	/* Runs as long as it may, sleeps just before the other would, and is back at once. */
	fair_queue_init(&q);
	start(&q, &hog, 0);
	start(&q, &cheat, 0);
	for (int i = 0; i < 1000; i++) {
		run(&q, TICK);
		if (q.curr == &cheat.se) {
			fair_dequeue(&q, &cheat.se, FAIR_SLEEP);
			fair_enqueue(&q, &cheat.se, FAIR_SLEEP);
			pick(&q);
		}
	}
	ok(near(hog.got, 500 * MS, 20 * MS),
	   "sleeping for a moment does not wipe out what was used");
}

static void
test_move_keeps_claims(void)
{
	struct worker a, b, c;
	struct fair_queue q, other;

	fair_queue_init(&q);
	fair_queue_init(&other);
	start(&q, &a, 0);
	start(&q, &b, 0);
	start(&other, &c, 0);
	run(&other, 777 * MS);
	for (int i = 0; i < 300; i++) {
		run(&q, TICK);
		fair_dequeue(&q, &b.se, FAIR_MOVE);
		fair_enqueue(&q, &b.se, FAIR_MOVE);
		pick(&q);
	}
	ok(near(a.got, 150 * MS, 10 * MS), "leaving and coming back changes no shares");
	fair_dequeue(&q, &b.se, FAIR_MOVE);
	fair_enqueue(&other, &b.se, FAIR_MOVE);
	b.got = c.got = 0;
	run(&other, 1000 * MS);
	ok(near(b.got, 500 * MS, 10 * MS), "a thread from another CPU is nobody special");
}

static void
test_yield_alternates(void)
{
	struct worker a, b;
	struct fair_queue q;
	struct sched_entity *before;
	int turns = 0;

	fair_queue_init(&q);
	start(&q, &a, 0);
	start(&q, &b, 0);
	pick(&q);
	for (int i = 0; i < 100; i++) {
		before = q.curr;
		fair_charge(&q, 1000);
		fair_yield(&q);
		pick(&q);
		turns += q.curr != before;
	}
	ok(turns >= 98, "two threads that yield take turns");
	fair_dequeue(&q, &b.se, FAIR_SLEEP);
	pick(&q);
	fair_yield(&q);
	pick(&q);
	ok(q.curr == &a.se, "yielding alone goes on");
}

static void
test_random_walk(void)
{
	enum { N = 64 };
	static struct worker w[N];
	static bool on[N];
	struct fair_queue q;
	bool good = true;
	u32 count = 0;

	srand(7);
	fair_queue_init(&q);
	for (int step = 0; step < 200000; step++) {
		int i = rand() % N;

		if (!w[i].se.weight)
			fair_entity_init(&w[i].se, fair_weight(rand() % 40 - 20));
		if (!on[i]) {
			fair_enqueue(&q, &w[i].se, rand() % 2 ? FAIR_SLEEP : FAIR_MOVE);
			on[i] = true;
			count++;
		} else if (rand() % 3 == 0) {
			fair_dequeue(&q, &w[i].se, rand() % 2 ? FAIR_SLEEP : FAIR_MOVE);
			on[i] = false;
			count--;
		}
		pick(&q);
		good &= q.count == count && (count == 0) == (q.curr == NULL);
		if (q.curr)
			fair_charge(&q, (u64)(rand() % 4000000));
	}
	/* All gone: the sums must be back at nothing. */
	for (int i = 0; i < N; i++)
		if (on[i])
			fair_dequeue(&q, &w[i].se, FAIR_SLEEP);
	good &= q.weight == 0 && q.weighted_sum == 0 && q.count == 0 && !q.tree.root.node;
	ok(good, "sums and counts stay exact through 200000 random steps");
}

int
main(void)
{
	test_equal_shares();
	test_weights();
	test_short_bursts_preempt();
	test_sleep_wins_nothing();
	test_lag_survives_sleep();
	test_move_keeps_claims();
	test_yield_alternates();
	test_random_walk();
	printf("1..%d\n", checks);
	return failures != 0;
}
