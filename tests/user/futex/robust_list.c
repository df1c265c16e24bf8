/* SPDX-License-Identifier: MIT */
/* The robust list: registration, what exit does to the words, limits against bad lists. */
#include "../compat.h"
#include "../tap.h"

struct lock {
	struct kt_robust_list link;
	unsigned word;
};

static struct kt_robust_list_head *head;
static struct lock *lk;

static void
set_list(int n)
{
	head->futex_offset = offsetof(struct lock, word);
	head->list_op_pending = NULL;
	head->list.next = n ? &lk[0].link : &head->list;
	for (int i = 0; i < n; i++)
		lk[i].link.next = i == n - 1 ? &head->list : &lk[i + 1].link;
}

int
main(void)
{
	struct kt_robust_list_head *h = NULL;
	struct timespec ts = { 5, 0 };
	size_t len = 0;
	pid_t pid, w;

	head = shared_alloc(4096);
	lk = shared_alloc(4096);
	sys_err(syscall(SYS_set_robust_list, head, 8), EINVAL, "bad length");
	sys_err(syscall(SYS_set_robust_list, head, 32), EINVAL, "another bad length");
	is_int(syscall(SYS_set_robust_list, head, sizeof(*head)), 0, "set");
	is_int(syscall(SYS_get_robust_list, 0, &h, &len), 0, "get");
	ok(h == head && len == sizeof(*head), "gives what was set");
	sys_err(syscall(SYS_get_robust_list, 0x3fffffff, &h, &len), ESRCH, "get of nobody");
	set_list(0);
	if ((pid = fork()) == 0)
		_exit(syscall(SYS_get_robust_list, 0, &h, &len) == 0 && h == NULL ? 0 : 1);
	reap(pid); /* glibc registers anew in the child: nothing to compare */

	pid = fork();
	if (pid == 0) {
		syscall(SYS_set_robust_list, head, sizeof(*head));
		set_list(3);
		lk[0].word = kt_gettid();
		lk[1].word = 12345;
		lk[2].word = kt_gettid() | FUTEX_WAITERS;
		_exit(0);
	}
	is_exit(pid, 0, "a process exits as owner");
	is_int(lk[0].word, FUTEX_OWNER_DIED, "its word is marked");
	is_int(lk[1].word, 12345, "a word of another owner is not");
	is_int(lk[2].word, FUTEX_OWNER_DIED | FUTEX_WAITERS, "FUTEX_WAITERS is kept");

	lk[0].word = 0;
	pid = fork();
	if (pid == 0) {
		syscall(SYS_set_robust_list, head, sizeof(*head));
		set_list(0);
		head->list_op_pending = &lk[0].link;
		lk[0].word = kt_gettid();
		_exit(0);
	}
	is_exit(pid, 0, "an owner dies between locking and listing");
	is_int(lk[0].word, FUTEX_OWNER_DIED, "the pending entry is marked");

	/* a waiter is woken */
	lk[0].word = 0;
	pid = fork();
	if (pid == 0) {
		syscall(SYS_set_robust_list, head, sizeof(*head));
		set_list(1);
		lk[0].word = kt_gettid() | FUTEX_WAITERS;
		for (;;)
			pause();
	}
	while (!lk[0].word)
		sleep_ms(1);
	unsigned v = lk[0].word;
	if ((w = fork()) == 0)
		_exit(kt_futex(&lk[0].word, FUTEX_WAIT, v, &ts, NULL, 0) == 0 ? 0 : 1);
	wait_state(w, 'S');
	kill(pid, SIGKILL);
	is_killed(pid, SIGKILL, "the owner is killed");
	is_exit(w, 0, "a waiter is woken");
	is_int(lk[0].word, FUTEX_OWNER_DIED | FUTEX_WAITERS, "the word is marked");

	if ((pid = fork()) == 0) {
		syscall(SYS_set_robust_list, head, sizeof(*head));
		set_list(1);
		lk[0].link.next = &lk[0].link; /* circular, never reaches the head */
		_exit(7);
	}
	is_exit(pid, 7, "a circular list does not hold up the exit");
	if ((pid = fork()) == 0) {
		syscall(SYS_set_robust_list, head, sizeof(*head));
		set_list(1);
		lk[0].link.next = at(0x1000);
		_exit(8);
	}
	is_exit(pid, 8, "nor does a bad pointer");
	if ((pid = fork()) == 0) {
		syscall(SYS_set_robust_list, at(8), sizeof(*head));
		_exit(9);
	}
	is_exit(pid, 9, "nor a bad head");
	return done();
}
