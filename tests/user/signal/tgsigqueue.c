/* SPDX-License-Identifier: MIT */
/* rt_tgsigqueueinfo and pthread_sigqueue-like use; pending sets of thread and process. */
#include "../compat.h"
#include "../tap.h"
#include <pthread.h>

static volatile int value, tid_seen, tid, go;
static volatile siginfo_t got;

static void
on(int s, siginfo_t *si, void *uc)
{
	(void)s, (void)uc;
	*(siginfo_t *)&got = *si;
	value = si->si_value.sival_int;
	tid_seen = kt_gettid();
	go = 1;
}

static long
queue(int tgid, int t, int sig, int code, int v)
{
	siginfo_t si;

	memset(&si, 0, sizeof(si));
	si.si_signo = sig;
	si.si_code = code;
	si.si_pid = getpid();
	si.si_uid = getuid();
	si.si_value.sival_int = v;
	return syscall(SYS_rt_tgsigqueueinfo, tgid, t, sig, &si);
}

static void *
thread(void *arg)
{
	tid = kt_gettid();
	while (go != 2)
		sleep_ms(1);
	return arg;
}

int
main(void)
{
	pthread_t t;
	sigset_t s;
	pid_t pid;

	handle_info(SIGRTMIN + 1, on, 0);
	must(pthread_create(&t, NULL, thread, NULL) ? -1 : 0);
	while (!tid)
		sleep_ms(1);
	sys_ok(queue(getpid(), tid, SIGRTMIN + 1, SI_QUEUE, 77), "to a thread");
	for (int i = 0; i < 1000 && !go; i++)
		sleep_ms(2);
	ok(value == 77 && tid_seen == tid, "arrives there with its value");
	is_int(got.si_code, SI_QUEUE, "and its code");
	is_int(got.si_pid, getpid(), "and sender");
	go = 2;
	pthread_join(t, NULL);
	block(SIGRTMIN + 1);
	for (int i = 0; i < 3; i++)
		must(queue(getpid(), getpid(), SIGRTMIN + 1, SI_QUEUE, i));
	must(sigqueue(getpid(), SIGRTMIN + 1, (union sigval){ .sival_int = 10 }));
	sigpending(&s);
	ok(sigismember(&s, SIGRTMIN + 1), "pending");
	int order[4], n = 0;
	struct timespec zero = { 0, 0 };
	siginfo_t si;

	sigemptyset(&s);
	sigaddset(&s, SIGRTMIN + 1);
	while (n < 4 && sigtimedwait(&s, &si, &zero) > 0)
		order[n++] = si.si_value.sival_int;
	ok(n == 4 && order[0] == 0 && order[1] == 1 && order[2] == 2 && order[3] == 10,
	   "the thread's own queue comes before the process's");
	sys_ok(queue(getpid(), getpid(), SIGRTMIN + 1, SI_USER, 0), "to oneself with any code");
	if ((pid = fork()) == 0)
		for (;;)
			pause();
	sys_err(queue(pid, pid, SIGUSR1, SI_USER, 0), EPERM, "to another not with kill's code");
	sys_err(queue(pid, pid, SIGUSR1, SI_TKILL, 0), EPERM, "nor tkill's");
	sys_err(queue(pid, pid, 65, SI_QUEUE, 0), EINVAL, "bad signal");
	sys_err(queue(-1, pid, SIGUSR1, SI_QUEUE, 0), EINVAL, "bad group");
	sys_err(queue(getpid(), pid, SIGUSR1, SI_QUEUE, 0), ESRCH, "a thread of another group");
	sys_err(syscall(SYS_rt_tgsigqueueinfo, pid, pid, SIGUSR1, at(8)), EFAULT, "bad pointer");
	sys_ok(queue(pid, pid, SIGUSR1, SI_QUEUE, 5), "to another with SI_QUEUE");
	is_killed(pid, SIGUSR1, "arrives");
	return done();
}
