/* SPDX-License-Identifier: MIT */
/* Signals and threads: directed at one thread or at the process, masks, fatal ones, stops. */
#include "../compat.h"
#include "../tap.h"
#include <pthread.h>

static volatile int hit_tid, hits, quit;
static volatile int ready;
static int *m;

static void
on(int s)
{
	(void)s;
	hit_tid = kt_gettid();
	hits++;
}

static void *
open_thread(void *arg)
{
	sigset_t s;

	sigemptyset(&s);
	sigaddset(&s, SIGUSR1);
	pthread_sigmask(arg ? SIG_BLOCK : SIG_UNBLOCK, &s, NULL);
	ready = kt_gettid();
	while (!quit)
		usleep(1000);
	return NULL;
}

static void *
waiter(void *arg)
{
	sigset_t s;
	int sig = 0;

	(void)arg;
	sigemptyset(&s);
	sigaddset(&s, SIGUSR2);
	ready = kt_gettid();
	sigwait(&s, &sig);
	return (void *)(long)sig;
}

static void *
spin(void *arg)
{
	for (;;)
		__atomic_fetch_add(&m[(long)arg], 1, __ATOMIC_RELAXED);
	return NULL;
}

static pthread_t
start(void *(*fn)(void *), void *arg)
{
	pthread_t t;

	ready = 0;
	must(pthread_create(&t, NULL, fn, arg) ? -1 : 0);
	while (!ready)
		sleep_ms(1);
	return t;
}

static void
wait_hits(int n)
{
	for (int i = 0; i < 2500 && hits < n; i++)
		sleep_ms(2);
}

int
main(void)
{
	pthread_t t;
	sigset_t pend;
	void *ret;
	int tid, a, b, st;
	pid_t pid;

	m = shared_alloc(4096);
	handle(SIGUSR1, on, 0);
	handle(SIGUSR2, on, 0);
	t = start(open_thread, NULL);
	tid = ready;
	syscall(SYS_tgkill, getpid(), tid, SIGUSR1);
	wait_hits(1);
	is_int(hit_tid, tid, "tgkill runs the handler on that thread");
	pthread_kill(t, SIGUSR1);
	wait_hits(2);
	is_int(hit_tid, tid, "pthread_kill too");
	syscall(SYS_tgkill, getpid(), getpid(), SIGUSR1);
	ok(hits == 3 && hit_tid == getpid(), "tgkill of oneself is done on return");
	block(SIGUSR1);
	kill(getpid(), SIGUSR1);
	wait_hits(4);
	is_int(hit_tid, tid, "a process signal goes to a thread that has it open");
	syscall(SYS_tgkill, getpid(), getpid(), SIGUSR1);
	sleep_ms(20);
	is_int(hits, 4, "a thread signal waits for its blocked thread");
	sigpending(&pend);
	ok(sigismember(&pend, SIGUSR1), "and is pending there");
	unblock(SIGUSR1);
	ok(hits == 5 && hit_tid == getpid(), "until that unblocks it");
	quit = 1;
	pthread_join(t, NULL);

	quit = 0;
	t = start(open_thread, (void *)1);
	tid = ready;
	block(SIGUSR1);
	kill(getpid(), SIGUSR1);
	sleep_ms(20);
	is_int(hits, 5, "blocked everywhere it is pending for the process");
	sigpending(&pend);
	ok(sigismember(&pend, SIGUSR1), "and every thread sees that");
	unblock(SIGUSR1);
	is_int(hits, 6, "whoever unblocks first gets it");
	quit = 1;
	pthread_join(t, NULL);

	block(SIGUSR2);
	t = start(waiter, NULL);
	wait_state(ready, 'S');
	kill(getpid(), SIGUSR2);
	pthread_join(t, &ret);
	is_int((long)ret, SIGUSR2, "a process signal ends another thread's sigwait");
	t = start(waiter, NULL);
	pthread_kill(t, SIGUSR2);
	pthread_join(t, &ret);
	is_int((long)ret, SIGUSR2, "a thread signal too");
	unblock(SIGUSR2);

	if ((pid = fork()) == 0) {
		signal(SIGUSR1, SIG_DFL);
		pthread_create(&t, NULL, spin, (void *)0);
		pthread_create(&t, NULL, spin, (void *)1);
		while (!m[0] || !m[1])
			sleep_ms(1);
		pthread_kill(t, SIGUSR1);
		for (;;)
			pause();
	}
	is_killed(pid, SIGUSR1, "a fatal signal to one thread ends the process");
	a = m[0];
	sleep_ms(20);
	is_int(m[0], a, "all its threads are gone");

	m[0] = m[1] = 0;
	if ((pid = fork()) == 0) {
		pthread_create(&t, NULL, spin, (void *)0);
		pthread_create(&t, NULL, spin, (void *)1);
		for (;;)
			pause();
	}
	while (!m[0] || !m[1])
		sleep_ms(1);
	kill(pid, SIGSTOP);
	is_int(waitpid(pid, &st, WUNTRACED), pid, "a stop is reported");
	a = __atomic_load_n(&m[0], __ATOMIC_RELAXED);
	b = __atomic_load_n(&m[1], __ATOMIC_RELAXED);
	sleep_ms(50);
	ok(m[0] == a && m[1] == b, "when all threads stand still");
	kill(pid, SIGCONT);
	for (int i = 0; i < 2500 && (m[0] == a || m[1] == b); i++)
		sleep_ms(2);
	ok(m[0] != a && m[1] != b, "SIGCONT moves all of them");
	kill(pid, SIGKILL);
	is_killed(pid, SIGKILL, "SIGKILL ends running threads");
	return done();
}
