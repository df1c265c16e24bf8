/* SPDX-License-Identifier: MIT */
/* pthread_cancel: at blocking calls, with clean-up, disabled, asynchronous. */
#include "../compat.h"
#include "../tap.h"
#include <pthread.h>
#include <semaphore.h>

static int p[2];
static volatile int cleaned, tid;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static sem_t sem;

static void
cleanup(void *arg)
{
	cleaned = (int)(long)arg;
}

static void *
in_call(void *arg)
{
	char c;

	pthread_cleanup_push(cleanup, arg);
	tid = kt_gettid();
	switch ((long)arg) {
	case 1:
		if (read(p[0], &c, 1) < 0)
			return NULL;
		break;
	case 2: sleep(100); break;
	case 3: poll(NULL, 0, -1); break;
	case 4: pause(); break;
	case 5: sem_wait(&sem); break;
	case 6: waitpid(-1, NULL, 0); break;
	}
	pthread_cleanup_pop(0);
	return NULL;
}

static void
unlock(void *arg)
{
	cleaned = 7;
	pthread_mutex_unlock(arg);
}

static void *
in_cond(void *arg)
{
	(void)arg;
	pthread_mutex_lock(&lock);
	pthread_cleanup_push(unlock, &lock);
	tid = kt_gettid();
	for (;;)
		pthread_cond_wait(&cond, &lock);
	pthread_cleanup_pop(1);
	return NULL;
}

static void *
disabled(void *arg)
{
	int old;

	(void)arg;
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &old);
	tid = kt_gettid();
	sleep_ms(50);
	cleaned = 8;
	pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, NULL);
	pthread_testcancel();
	cleaned = 9;
	return NULL;
}

static void *
async(void *arg)
{
	(void)arg;
	pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, NULL);
	tid = kt_gettid();
	for (;;)
		;
	return NULL;
}

static void *
start_and_cancel(void *(*fn)(void *), long arg, int sleeps)
{
	pthread_t t;
	void *ret;

	tid = cleaned = 0;
	must(pthread_create(&t, NULL, fn, (void *)arg) ? -1 : 0);
	while (!tid)
		sleep_ms(1);
	if (sleeps)
		wait_state(tid, 'S');
	pthread_cancel(t);
	pthread_join(t, &ret);
	return ret;
}

int
main(void)
{
	static const char *const names[] = { "",      "read",	  "sleep",  "poll",
					     "pause", "sem_wait", "waitpid" };
	pid_t pid;

	must(pipe(p));
	must(sem_init(&sem, 0, 0));
	if ((pid = fork()) == 0)
		for (;;)
			pause();
	for (long i = 1; i <= 6; i++) {
		ok(start_and_cancel(in_call, i, 1) == PTHREAD_CANCELED, "cancelled in %s",
		   names[i]);
		is_int(cleaned, i, "%s: the clean-up ran", names[i]);
	}
	ok(start_and_cancel(in_cond, 0, 1) == PTHREAD_CANCELED, "cancelled in pthread_cond_wait");
	is_int(cleaned, 7, "the clean-up ran with the mutex held");
	is_int(pthread_mutex_trylock(&lock), 0, "and released it");
	ok(start_and_cancel(disabled, 0, 0) == PTHREAD_CANCELED, "disabled, then enabled");
	is_int(cleaned, 8, "it acted at the test point, not before");
	ok(start_and_cancel(async, 0, 0) == PTHREAD_CANCELED,
	   "asynchronous cancellation of a busy thread");
	kill(pid, SIGKILL);
	reap(pid);
	return done();
}
