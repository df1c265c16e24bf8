/* SPDX-License-Identifier: MIT */
/* System V shared memory: attaching, sharing, removal while attached, limits, /proc, namespaces. */
#include "../compat.h"
#include "../tap.h"
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/shm.h>

#define PAGE 4096

static int
attached(int id)
{
	struct shmid_ds ds;

	return shmctl(id, IPC_STAT, &ds) ? -1 : (int)ds.shm_nattch;
}

static int
listed(int id)
{
	char want[32], *text = get_file("/proc/sysvipc/shm");

	snprintf(want, sizeof(want), " %10d ", id);
	return text && strstr(text, want) != NULL;
}

int
main(int argc, char **argv)
{
	key_t key = 0x4b560000 + getpid();
	struct shmid_ds ds;
	char *p, *q;
	int id, other;
	pid_t pid;

	(void)argv;
	if (argc > 1)
		return 0;
	sys_err(shmget(key, PAGE, 0), ENOENT, "no segment of the key");
	sys_err(shmget(IPC_PRIVATE, 0, 0600), EINVAL, "a segment of nothing");
	id = shmget(key, 3 * PAGE - 100, IPC_CREAT | IPC_EXCL | 0600);
	ok(id >= 0, "a segment");
	is_int(shmget(key, 0, 0), id, "found by its key");
	sys_err(shmget(key, 3 * PAGE, 0), EINVAL, "too small");
	p = shmat(id, NULL, 0);
	ok(p != (void *)-1, "attached");
	ok(p[0] == 0 && p[3 * PAGE - 1] == 0, "it is zero, in whole pages");
	q = shmat(id, NULL, SHM_RDONLY);
	ok(q != (void *)-1 && q != p, "attached again");
	strcpy(p + PAGE, "hello");
	is_str(q + PAGE, "hello", "shows the same");
	sys_err(mprotect(q, PAGE, PROT_READ | PROT_WRITE), EACCES, "SHM_RDONLY stays so");
	is_int(attached(id), 2, "two are attached");
	pid = must(fork());
	if (pid == 0) {
		strcpy(p, "child");
		_exit(attached(id) != 4);
	}
	is_exit(pid, 0, "a child inherits both");
	is_str(q, "child", "and shares them");
	is_int(attached(id), 2, "its exit detaches");
	must(shmctl(id, IPC_STAT, &ds));
	ok(ds.shm_segsz == 3 * PAGE - 100 && ds.shm_cpid == getpid() && ds.shm_atime &&
		   ds.shm_dtime && ds.shm_lpid == pid,
	   "IPC_STAT");
	ok(listed(id), "/proc/sysvipc/shm lists it");
	sys_ok(shmdt(q), "detached");
	sys_err(shmdt(q), EINVAL, "once");
	sys_err(shmdt(p + 1), EINVAL, "at an address within a page");
	sys_err((long)shmat(id, p + 1, 0), EINVAL, "attach at such a one");
	ok(shmat(id, q + 5, SHM_RND) == q, "SHM_RND rounds it");
	sys_err((long)shmat(id, q, 0), EINVAL, "where something is");
	ok(shmat(id, q, SHM_REMAP) == q, "SHM_REMAP replaces it");
	is_int(attached(id), 2, "and detaches it");
	must(munmap(q + PAGE, PAGE));
	is_int(attached(id), 3, "a hole makes two of one");
	sys_ok(shmdt(q), "both are detached");
	is_int(attached(id), 1, "at once");

	sys_ok(shmctl(id, IPC_RMID, NULL), "removed while attached");
	must(shmctl(id, IPC_STAT, &ds));
	ok(ds.shm_perm.mode & 01000, "it waits for its last user");
	sys_err(shmget(key, 0, 0), ENOENT, "its key is free");
	q = shmat(id, NULL, 0);
	ok(q != (void *)-1, "it can still be attached");
	is_str(q, "child", "with what is in it");
	must(shmdt(p));
	must(shmdt(q));
	sys_err(shmctl(id, IPC_STAT, &ds), EINVAL, "then it is gone");
	ok(!listed(id), "from /proc too");

	other = must(shmget(IPC_PRIVATE, 1 << 20, 0600));
	ok(other != id, "another id");
	p = shmat(other, NULL, 0);
	memset(p, 1, 1 << 20);
	pid = must(fork());
	if (pid == 0) {
		execl("/proc/self/exe", "x", "attached", NULL);
		_exit(1);
	}
	reap(pid);
	is_int(attached(other), 1, "exec detaches");
	if (geteuid() == 0) {
		pid = must(fork());
		if (pid == 0) {
			must(setgid(54321));
			must(setuid(54321));
			_exit(!(shmat(other, NULL, SHM_RDONLY) == (void *)-1 && errno == EACCES &&
				shmctl(other, IPC_RMID, NULL) == -1 && errno == EPERM));
		}
		is_exit(pid, 0, "another user may not attach nor remove");
		pid = must(fork());
		if (pid == 0) {
			if (unshare(CLONE_NEWIPC))
				_exit(errno == EINVAL ? 0 : 1);
			if (shmctl(other, IPC_STAT, &ds) != -1 || listed(other))
				_exit(2);
			id = must(shmget(IPC_PRIVATE, PAGE, 0600));
			q = shmat(id, NULL, 0);
			*q = 1;
			_exit(p[5] == 1 ? 0 : 3);
		}
		is_exit(pid, 0, "another namespace has its own; what is attached stays");
	}
	must(shmctl(other, IPC_RMID, NULL));
	return done();
}
