/* SPDX-License-Identifier: MIT */
/* System V semaphores: values, operations at once, waiting, SEM_UNDO, removal. */
#include "../compat.h"
#include "../tap.h"
#include <sys/ipc.h>
#include <sys/sem.h>

union semun {
	int val;
	struct semid_ds *buf;
	unsigned short *array;
};

static int s;

static int
op1(int num, int op, int flags)
{
	struct sembuf b = { num, op, flags };

	return semop(s, &b, 1);
}

static int
val(int num)
{
	return semctl(s, num, GETVAL);
}

static void
set(int num, int v)
{
	must(semctl(s, num, SETVAL, (union semun){ .val = v }));
}

static void
undo(void)
{
	pid_t pid;

	set(0, 5);
	pid = must(fork());
	if (pid == 0) {
		must(op1(0, -2, SEM_UNDO));
		must(op1(0, 1, SEM_UNDO));
		must(op1(1, 3, SEM_UNDO));
		must(op1(0, 7, 0));
		_exit(val(0) != 11);
	}
	is_exit(pid, 0, "operations to be undone");
	is_int(val(0), 12, "are, at exit");
	is_int(val(1), 0, "on each semaphore");
	set(0, 5);
	pid = must(fork());
	if (pid == 0) {
		must(op1(0, -5, SEM_UNDO));
		set(0, 1);
		_exit(0);
	}
	is_exit(pid, 0, "SETVAL");
	is_int(val(0), 1, "makes what was to be undone void");
	set(0, 0);
	pid = must(fork());
	if (pid == 0) {
		must(op1(0, 1, SEM_UNDO));
		pause();
		_exit(0);
	}
	must(op1(0, -1, 0));
	kill(pid, SIGKILL);
	reap(pid);
	is_int(val(0), 0, "a value never gets below 0");
	pid = must(fork());
	if (pid == 0) {
		must(op1(1, 1, SEM_UNDO));
		_exit(0);
	}
	set(1, 0);
	reap(pid);
}

static pid_t
waiter(int num, int op, int want_errno)
{
	pid_t pid = must(fork());

	if (pid == 0) {
		int r = op1(num, op, 0);

		_exit(want_errno ? !(r == -1 && errno == want_errno) : r);
	}
	sleep_ms(50);
	return pid;
}

static void
on_alarm(int sig)
{
	(void)sig;
}

int
main(void)
{
	key_t key = 0x4b560000 + getpid();
	struct sembuf two[2] = { { 0, -1, 0 }, { 1, -1, IPC_NOWAIT } };
	struct timespec ts = { 0, 30000000 };
	unsigned short all[3] = { 1, 2, 3 };
	struct semid_ds ds;
	pid_t a, b;
	long long t0;

	sys_err(semget(IPC_PRIVATE, 0, 0600), EINVAL, "a set of none");
	s = semget(key, 3, IPC_CREAT | IPC_EXCL | 0600);
	ok(s >= 0, "a set");
	is_int(semget(key, 2, 0), s, "found by its key");
	sys_err(semget(key, 4, 0), EINVAL, "too few");
	must(semctl(s, 0, SETALL, (union semun){ .array = all }));
	is_int(val(2), 3, "SETALL, GETVAL");
	memset(all, 0, sizeof(all));
	must(semctl(s, 0, GETALL, (union semun){ .array = all }));
	is_int(all[1], 2, "GETALL");
	must(semctl(s, 0, IPC_STAT, (union semun){ .buf = &ds }));
	ok(ds.sem_nsems == 3 && ds.sem_ctime && !ds.sem_otime, "IPC_STAT");
	sys_err(semctl(s, 3, GETVAL), EINVAL, "no such semaphore");
	sys_err(semctl(s, 0, SETVAL, (union semun){ .val = 32768 }), ERANGE, "too large a value");
	sys_err(op1(3, 1, 0), EFBIG, "semop: no such semaphore");
	sys_err(op1(0, 32767, 0), ERANGE, "semop: too large a value");
	must(op1(0, 1, 0));
	is_int(val(0), 2, "up");
	is_int(semctl(s, 0, GETPID), getpid(), "GETPID");
	sys_err(op1(0, -3, IPC_NOWAIT), EAGAIN, "no further down");
	set(1, 0);
	sys_err(semop(s, two, 2), EAGAIN, "all at once");
	is_int(val(0), 2, "or none");
	set(1, 1);
	is_int(semop(s, two, 2), 0, "both");
	ok(val(0) == 1 && val(1) == 0, "are done");
	sys_err(semop(s, two, 0), EINVAL, "no operations");
	sys_err(semop(s, two, 501), E2BIG, "too many");

	set(0, 0);
	a = waiter(0, -2, 0);
	is_int(semctl(s, 0, GETNCNT), 1, "GETNCNT");
	must(op1(0, 1, 0));
	sleep_ms(20);
	is_int(waitpid(a, NULL, WNOHANG), 0, "one is not enough");
	must(op1(0, 1, 0));
	is_exit(a, 0, "two are");
	is_int(val(0), 0, "and are taken");
	set(0, 1);
	b = waiter(0, 0, 0);
	is_int(semctl(s, 0, GETZCNT), 1, "GETZCNT");
	must(op1(0, -1, 0));
	is_exit(b, 0, "waiting for zero");
	t0 = now_ms();
	sys_err(semtimedop(s, two, 1, &ts), EAGAIN, "a time limit");
	ok(now_ms() - t0 >= 29, "of that long");
	ts.tv_nsec = 1000000000;
	sys_err(semtimedop(s, two, 1, &ts), EINVAL, "a bad time limit");
	struct sigaction sa = { .sa_handler = on_alarm, .sa_flags = SA_RESTART };
	must(sigaction(SIGALRM, &sa, NULL));
	ualarm(30000, 0);
	sys_err(semop(s, two, 1), EINTR, "a signal ends it, even with SA_RESTART");
	undo();
	a = waiter(1, -1, EIDRM);
	must(semctl(s, 0, IPC_RMID));
	is_exit(a, 0, "removal ends waiting: EIDRM");
	sys_err(op1(0, 1, 0), EINVAL, "the id is void");

	/* two processes that count together */
	s = must(semget(IPC_PRIVATE, 2, 0600));
	set(0, 1);
	a = must(fork());
	for (int i = 0; i < 500; i++) {
		if (op1(a ? 0 : 1, -1, 0) || op1(a ? 1 : 0, 1, 0))
			break;
	}
	if (!a)
		_exit(0);
	is_exit(a, 0, "500 turns");
	ok(val(0) == 1 && val(1) == 0, "none is lost");
	must(semctl(s, 0, IPC_RMID));
	return done();
}
