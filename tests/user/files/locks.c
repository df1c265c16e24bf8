/* SPDX-License-Identifier: MIT */
/* flock, POSIX record locks and OFD locks: ranges, owners, conflicts, blocking, deadlock. */
#include "../compat.h"
#include "../tap.h"
#include <sys/file.h>

static int fd, child_fd;
static int *m;

static int
set(int f, int cmd, int type, off_t start, off_t len)
{
	struct flock fl = { .l_type = type, .l_whence = SEEK_SET, .l_start = start, .l_len = len };

	return fcntl(f, cmd, &fl);
}

static int
in_child(int (*fn)(void))
{
	pid_t pid = must(fork());
	int st;

	if (pid == 0) {
		child_fd = open("f", O_RDWR);
		_exit(fn());
	}
	st = reap(pid);
	return WIFEXITED(st) ? WEXITSTATUS(st) : -1;
}

static int c_off, c_len, c_type;

/* 0: the range is free for us, 1: refused */
static int
try_set(void)
{
	return set(child_fd, F_SETLK, c_type, c_off, c_len) == 0 ? 0
	       : errno == EAGAIN || errno == EACCES		 ? 1
								 : 2;
}

static int
free_for(int type, int off, int len)
{
	c_type = type, c_off = off, c_len = len;
	return in_child(try_set) == 0;
}

static int
get_lock(void)
{
	struct flock fl = { .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 0, .l_len = 0 };

	if (fcntl(child_fd, F_GETLK, &fl))
		return 1;
	return fl.l_type == F_WRLCK && fl.l_start == 10 && fl.l_len == 10 &&
			       fl.l_pid == getppid() && fl.l_whence == SEEK_SET
		       ? 0
		       : 2;
}

static int
flock_try(void)
{
	return flock(child_fd, c_type | LOCK_NB) == 0 ? 0 : errno == EWOULDBLOCK ? 1 : 2;
}
static int
inherited(void)
{
	return flock(fd, LOCK_UN) ? 2 : 0;
}

int
main(void)
{
	struct flock fl;
	pid_t pid;
	int f2, f3, rd, st;

	scratch();
	m = shared_alloc(4096);
	put_file("f", "0123456789", 10);
	fd = must(open("f", O_RDWR));

	/* flock: belongs to the open file */
	sys_ok(flock(fd, LOCK_EX), "flock exclusive");
	c_type = LOCK_SH;
	is_int(in_child(flock_try), 1, "another open file cannot even share");
	sys_ok(flock(fd, LOCK_SH), "downgrade");
	is_int(in_child(flock_try), 0, "now it can");
	c_type = LOCK_EX;
	is_int(in_child(flock_try), 1, "but not exclude");
	f2 = must(dup(fd));
	sys_ok(flock(f2, LOCK_UN), "unlock through a duplicate");
	is_int(in_child(flock_try), 0, "frees it");
	must(flock(fd, LOCK_EX));
	is_int(in_child(inherited), 0, "a child unlocks through the inherited descriptor");
	is_int(in_child(flock_try), 0, "which frees it too");
	must(flock(fd, LOCK_EX));
	close(fd);
	is_int(in_child(flock_try), 1, "kept while a duplicate is open");
	close(f2);
	is_int(in_child(flock_try), 0, "gone with the last close");
	fd = must(open("f", O_RDWR));
	sys_err(flock(fd, 0), EINVAL, "no operation");
	sys_err(flock(999, LOCK_EX), EBADF, "bad descriptor");
	rd = must(open("f", O_RDONLY));
	sys_ok(flock(rd, LOCK_EX), "exclusive on a read-only descriptor");
	must(flock(rd, LOCK_UN));

	/* POSIX: belongs to the process */
	sys_ok(set(fd, F_SETLK, F_WRLCK, 10, 10), "POSIX write lock of [10,20)");
	ok(free_for(F_WRLCK, 0, 10), "[0,10) is free");
	ok(free_for(F_WRLCK, 20, 10), "[20,30) is free");
	ok(!free_for(F_RDLCK, 19, 1), "byte 19 is not");
	ok(!free_for(F_RDLCK, 0, 0), "a length of 0 runs to the end of everything");
	is_int(in_child(get_lock), 0, "F_GETLK names the owner and the range");
	sys_ok(set(fd, F_SETLK, F_UNLCK, 13, 4), "unlock the middle");
	ok(free_for(F_WRLCK, 13, 4) && !free_for(F_WRLCK, 12, 1) && !free_for(F_WRLCK, 17, 1),
	   "splits the range");
	sys_ok(set(fd, F_SETLK, F_RDLCK, 13, 4), "a read lock fills the gap");
	ok(free_for(F_RDLCK, 13, 4) && !free_for(F_WRLCK, 13, 4), "shared with readers only");
	sys_ok(set(fd, F_SETLK, F_RDLCK, 10, 10), "all to a read lock");
	ok(free_for(F_RDLCK, 10, 10) && !free_for(F_WRLCK, 10, 1), "converted");
	f2 = must(open("f", O_RDONLY));
	close(f2);
	ok(free_for(F_WRLCK, 0, 0), "closing any descriptor of the file drops the process's locks");
	must(lseek(fd, 5, SEEK_SET));
	fl = (struct flock){ .l_type = F_WRLCK, .l_whence = SEEK_CUR, .l_start = -2, .l_len = 4 };
	sys_ok(fcntl(fd, F_SETLK, &fl), "relative to the offset");
	ok(!free_for(F_WRLCK, 3, 1) && !free_for(F_WRLCK, 6, 1) && free_for(F_WRLCK, 7, 1) &&
		   free_for(F_WRLCK, 2, 1),
	   "[3,7)");
	fl = (struct flock){ .l_type = F_UNLCK, .l_whence = SEEK_END, .l_start = -10, .l_len = 0 };
	sys_ok(fcntl(fd, F_SETLK, &fl), "relative to the end");
	ok(free_for(F_WRLCK, 0, 0), "unlocks all");
	fl = (struct flock){ .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 10, .l_len = -5 };
	sys_ok(fcntl(fd, F_SETLK, &fl), "a negative length");
	ok(!free_for(F_WRLCK, 5, 1) && free_for(F_WRLCK, 10, 1) && free_for(F_WRLCK, 4, 1),
	   "is the range before");
	set(fd, F_SETLK, F_UNLCK, 0, 0);
	sys_err(set(fd, F_SETLK, F_WRLCK, -1, 1), EINVAL, "a negative start");
	sys_err(set(fd, F_SETLK, 77, 0, 1), EINVAL, "an unknown type");
	sys_err(set(rd, F_SETLK, F_WRLCK, 0, 1), EBADF, "a write lock on a read-only descriptor");
	sys_err(fcntl(fd, F_SETLK, at(8)), EFAULT, "bad pointer");
	close(rd);

	/* blocking, and the deadlock it may cause */
	must(set(fd, F_SETLK, F_WRLCK, 0, 1));
	if ((pid = fork()) == 0) {
		fd = open("f", O_RDWR);
		if (set(fd, F_SETLK, F_WRLCK, 1, 1))
			_exit(1);
		m[0] = 1;
		if (set(fd, F_SETLKW, F_WRLCK, 0, 1))
			_exit(2);
		_exit(0);
	}
	while (!m[0])
		sleep_ms(1);
	wait_state(pid, 'S');
	sys_err(set(fd, F_SETLKW, F_WRLCK, 1, 1), EDEADLK,
		"two processes waiting for each other: EDEADLK");
	must(set(fd, F_SETLK, F_UNLCK, 0, 1));
	is_exit(pid, 0, "the other one gets its lock");
	ok(free_for(F_WRLCK, 0, 0), "exit drops its locks");
	must(set(fd, F_SETLK, F_WRLCK, 0, 0));
	if ((pid = fork()) == 0)
		_exit(set(fd, F_SETLK, F_WRLCK, 0, 0) == -1 && errno == EAGAIN ? 0 : 1);
	is_exit(pid, 0, "a child does not own the parent's locks");
	must(set(fd, F_SETLK, F_UNLCK, 0, 0));

	/* OFD: belongs to the open file, not to the process */
	f2 = must(open("f", O_RDWR));
	sys_ok(set(fd, F_OFD_SETLK, F_WRLCK, 0, 10), "OFD lock");
	sys_err(set(f2, F_OFD_SETLK, F_WRLCK, 5, 1), EAGAIN, "conflicts within one process");
	sys_err(set(f2, F_SETLK, F_WRLCK, 5, 1), EAGAIN, "and with POSIX locks");
	fl = (struct flock){ .l_type = F_WRLCK, .l_whence = SEEK_SET };
	sys_ok(fcntl(f2, F_OFD_GETLK, &fl), "F_OFD_GETLK");
	ok(fl.l_type == F_WRLCK && fl.l_pid == -1 && fl.l_len == 10, "owner -1");
	f3 = must(open("f", O_RDWR));
	close(f3);
	sys_err(set(f2, F_OFD_SETLK, F_RDLCK, 5, 1), EAGAIN,
		"closing another descriptor does not drop it");
	f3 = must(dup(fd));
	sys_ok(set(f3, F_OFD_SETLK, F_RDLCK, 0, 10), "a duplicate is the same owner");
	sys_ok(set(f2, F_OFD_SETLK, F_RDLCK, 5, 1), "now shared");
	if ((pid = fork()) == 0) {
		set(fd, F_OFD_SETLK, F_UNLCK, 0, 0);
		set(f2, F_OFD_SETLK, F_UNLCK, 0, 0);
		_exit(0);
	}
	reap(pid);
	sys_ok(set(f2, F_OFD_SETLK, F_WRLCK, 0, 0),
	       "a child unlocks through inherited descriptors");
	fl = (struct flock){ .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_pid = 5 };
	sys_err(fcntl(fd, F_OFD_SETLK, &fl), EINVAL, "l_pid must be 0");
	m[0] = 0;
	if ((pid = fork()) == 0) {
		f3 = open("f", O_RDWR);
		m[0] = 1;
		_exit(set(f3, F_OFD_SETLKW, F_WRLCK, 0, 0) ? 1 : 0);
	}
	while (!m[0])
		sleep_ms(1);
	wait_state(pid, 'S');
	is_int(waitpid(pid, &st, WNOHANG), 0, "F_OFD_SETLKW waits");
	set(f2, F_OFD_SETLK, F_UNLCK, 0, 0);
	is_exit(pid, 0, "until it is free");
	return done();
}
