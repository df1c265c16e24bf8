/* SPDX-License-Identifier: MIT */
/* vfork: shared memory, the parent waits for exit or exec, the child has its own descriptors. */
#include "../tap.h"

static volatile int shared, order;

int
main(int argc, char **argv)
{
	volatile int fd;
	long long t0;
	pid_t pid;

	(void)argv;
	if (argc > 1) {
		sleep_ms(300);
		return 5;
	}
	pid = vfork();
	if (pid == 0) {
		shared = 42;
		sleep_ms(50);
		order = 1;
		_exit(7);
	}
	is_int(order, 1, "the parent resumes after the child's exit");
	is_int(shared, 42, "memory is shared");
	is_exit(pid, 7, "exit status");
	t0 = now_ms();
	pid = vfork();
	if (pid == 0) {
		execl("/proc/self/exe", "vfork", "child", NULL);
		_exit(127);
	}
	ok(task_state(pid) != 'Z' && task_state(pid) != 0,
	   "the parent resumes at exec, not at exit");
	is_exit(pid, 5, "the new program's status");
	ok(now_ms() - t0 >= 300, "it ran its course");
	fd = must(dup(1));
	pid = vfork();
	if (pid == 0) {
		close(fd);
		_exit(0);
	}
	is_exit(pid, 0, "the child closes a descriptor");
	sys_ok(fcntl(fd, F_GETFD), "the parent's stays open");
	pid = vfork();
	if (pid == 0) {
		syscall(SYS_kill, syscall(SYS_getpid),
			SIGKILL); /* libc may think it is the parent */
		_exit(0);
	}
	is_killed(pid, SIGKILL, "a killed child releases the parent");
	pid = vfork();
	if (pid == 0) {
		execl("/nonexistent", "x", NULL);
		_exit(errno == ENOENT ? 3 : 4);
	}
	is_exit(pid, 3, "a failed exec returns to the child");
	return done();
}
