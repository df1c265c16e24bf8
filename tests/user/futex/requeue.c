/* SPDX-License-Identifier: MIT */
/* FUTEX_REQUEUE, FUTEX_CMP_REQUEUE and FUTEX_WAKE_OP in all its operations. */
#include "../compat.h"
#include "../tap.h"
#include <pthread.h>

static unsigned w[2];
static volatile int tid[6];
static int woken;

static void *
waiter(void *arg)
{
	long i = (long)arg;

	tid[i] = kt_gettid();
	kt_futex(&w[i >= 4], FUTEX_WAIT, w[i >= 4], NULL, NULL, 0);
	__atomic_fetch_add(&woken, 1, __ATOMIC_SEQ_CST);
	return NULL;
}

static pthread_t t[6];

static void
start(int from, int to)
{
	for (long i = from; i < to; i++) {
		tid[i] = 0;
		must(pthread_create(&t[i], NULL, waiter, (void *)i) ? -1 : 0);
		while (!tid[i])
			sleep_ms(1);
		wait_state(tid[i], 'S');
	}
}

static void
wait_woken(int n)
{
	for (int i = 0; i < 2500 && __atomic_load_n(&woken, __ATOMIC_SEQ_CST) < n; i++)
		sleep_ms(2);
}

#define WAKE_OP(n1, n2, op) kt_futex(&w[0], FUTEX_WAKE_OP, n1, (void *)(long)(n2), &w[1], op)

int
main(void)
{
	static const struct {
		int op, arg, before, after;
		const char *name;
	} ops[] = {
		{ FUTEX_OP_SET, 9, 5, 9, "SET" },
		{ FUTEX_OP_ADD, 3, 5, 8, "ADD" },
		{ FUTEX_OP_OR, 10, 5, 15, "OR" },
		{ FUTEX_OP_ANDN, 4, 5, 1, "ANDN" },
		{ FUTEX_OP_XOR, 1, 5, 4, "XOR" },
		{ FUTEX_OP_SET | 8, 4, 5, 16, "SET of a shift" },
		{ FUTEX_OP_ADD, 0xfff, 5, 4, "ADD of a negative argument" },
	};
	static const struct {
		int cmp, arg, want;
		const char *name;
	} cmps[] = {
		{ FUTEX_OP_CMP_EQ, 5, 1, "5 == 5" },	 { FUTEX_OP_CMP_EQ, 6, 0, "5 == 6" },
		{ FUTEX_OP_CMP_NE, 6, 1, "5 != 6" },	 { FUTEX_OP_CMP_NE, 5, 0, "5 != 5" },
		{ FUTEX_OP_CMP_LT, 6, 1, "5 < 6" },	 { FUTEX_OP_CMP_LT, 5, 0, "5 < 5" },
		{ FUTEX_OP_CMP_LE, 5, 1, "5 <= 5" },	 { FUTEX_OP_CMP_LE, 4, 0, "5 <= 4" },
		{ FUTEX_OP_CMP_GT, 4, 1, "5 > 4" },	 { FUTEX_OP_CMP_GT, 5, 0, "5 > 5" },
		{ FUTEX_OP_CMP_GE, 5, 1, "5 >= 5" },	 { FUTEX_OP_CMP_GE, 6, 0, "5 >= 6" },
		{ FUTEX_OP_CMP_GT, 0xfff, 1, "5 > -1" },
	};
	int i;

	sys_err(kt_futex(&w[0], FUTEX_CMP_REQUEUE, 1, (void *)1, &w[1], 7), EAGAIN,
		"CMP_REQUEUE with a value that differs");
	is_int(kt_futex(&w[0], FUTEX_CMP_REQUEUE, 1, (void *)1, &w[1], 0), 0,
	       "CMP_REQUEUE of nobody");
	sys_err(kt_futex(&w[0], FUTEX_CMP_REQUEUE, -1, (void *)1, &w[1], 0), EINVAL,
		"a negative count");
	sys_err(kt_futex(&w[0], FUTEX_REQUEUE, 1, (void *)1, at(8), 0), EFAULT,
		"REQUEUE to a bad address");
	sys_err(kt_futex(&w[0], FUTEX_REQUEUE, 1, (void *)1, (char *)&w[1] + 1, 0), EINVAL,
		"REQUEUE to an unaligned word");
	start(0, 4);
	is_int(kt_futex(&w[0], FUTEX_CMP_REQUEUE, 1, (void *)2L, &w[1], 0), 3,
	       "CMP_REQUEUE wakes one, moves two");
	wait_woken(1);
	is_int(woken, 1, "one is awake");
	is_int(kt_futex(&w[0], FUTEX_WAKE, 10, NULL, NULL, 0), 1, "one is left on the first word");
	is_int(kt_futex(&w[1], FUTEX_WAKE, 10, NULL, NULL, 0), 2, "two are on the second");
	for (i = 0; i < 4; i++)
		pthread_join(t[i], NULL);
	is_int(woken, 4, "all are awake");
	woken = 0;
	start(0, 3);
	is_int(kt_futex(&w[0], FUTEX_REQUEUE, 0, (void *)(long)INT_MAX, &w[1], 0), 3,
	       "REQUEUE moves three");
	is_int(kt_futex(&w[0], FUTEX_WAKE, 10, NULL, NULL, 0), 0, "nobody is left");
	is_int(kt_futex(&w[1], FUTEX_WAKE, 10, NULL, NULL, 0), 3, "all had moved");
	for (i = 0; i < 3; i++)
		pthread_join(t[i], NULL);

	for (i = 0; i < (int)ARRAY_LEN(ops); i++) {
		w[1] = ops[i].before;
		is_int(WAKE_OP(1, 1, FUTEX_OP(ops[i].op, ops[i].arg, FUTEX_OP_CMP_EQ, 0)), 0,
		       "WAKE_OP %s", ops[i].name);
		is_int(w[1], ops[i].after, "%s: the result", ops[i].name);
	}
	for (i = 0; i < (int)ARRAY_LEN(cmps); i++) {
		w[0] = 0;
		w[1] = 5;
		start(0, 1);
		start(4, 5);
		is_int(WAKE_OP(1, 1, FUTEX_OP(FUTEX_OP_ADD, 1, cmps[i].cmp, cmps[i].arg)),
		       1 + cmps[i].want, "WAKE_OP %s %s the second", cmps[i].name,
		       cmps[i].want ? "wakes" : "does not wake");
		kt_futex(&w[1], FUTEX_WAKE, 1, NULL, NULL, 0);
		pthread_join(t[0], NULL);
		pthread_join(t[4], NULL);
	}
	sys_err(WAKE_OP(1, 1, FUTEX_OP(5, 0, 0, 0)), ENOSYS, "WAKE_OP unknown operation");
	sys_err(WAKE_OP(1, 1, FUTEX_OP(0, 0, 6, 0)), ENOSYS, "WAKE_OP unknown comparison");
	return done();
}
