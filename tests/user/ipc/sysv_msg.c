/* SPDX-License-Identifier: MIT */
/* System V message queues: order, types, limits, waiting, removal, permissions. */
#include "../compat.h"
#include "../tap.h"
#include <sys/ipc.h>
#include <sys/msg.h>

#define KT_MSG_COPY 040000

static struct {
	long type;
	char text[9000];
} m;

static int
snd(int q, long type, const char *text, int flags)
{
	m.type = type;
	strcpy(m.text, text);
	return msgsnd(q, &m, strlen(text), flags);
}

static const char *
rcv(int q, long type, int flags)
{
	ssize_t n = msgrcv(q, &m, sizeof(m.text) - 1, type, flags);

	m.text[n < 0 ? 0 : n] = 0;
	return n < 0 ? strerror(errno) : m.text;
}

int
main(void)
{
	key_t key = 0x4b560000 + getpid();
	struct msqid_ds ds;
	int q, other;
	pid_t pid;

	sys_err(msgget(key, 0), ENOENT, "no queue of the key");
	q = msgget(key, IPC_CREAT | IPC_EXCL | 0640);
	ok(q >= 0, "a queue");
	is_int(msgget(key, IPC_CREAT), q, "is found by its key");
	sys_err(msgget(key, IPC_CREAT | IPC_EXCL), EEXIST, "IPC_EXCL");
	sys_err(msgrcv(q, &m, 10, 0, IPC_NOWAIT), ENOMSG, "an empty queue");
	must(snd(q, 3, "three", 0));
	must(snd(q, 1, "one", 0));
	must(snd(q, 2, "two", 0));
	must(snd(q, 3, "again", 0));
	must(msgctl(q, IPC_STAT, &ds));
	ok(ds.msg_qnum == 4 && ds.msg_lspid == getpid() && ds.msg_perm.mode == 0640 &&
		   ds.msg_stime && !ds.msg_rtime,
	   "IPC_STAT");
	is_str(rcv(q, 2, 0), "two", "by type");
	is_str(rcv(q, -2, 0), "one", "the lowest type up to one");
	is_int(m.type, 1, "with its type");
	sys_err(msgrcv(q, &m, 10, -2, IPC_NOWAIT), ENOMSG, "no such type");
	sys_err(msgrcv(q, &m, 2, 0, 0), E2BIG, "a small buffer");
	is_int(msgrcv(q, &m, 2, 0, MSG_NOERROR), 2, "MSG_NOERROR cuts");
	is_int(m.type, 3, "the first");
	is_str(rcv(q, 0, 0), "again", "the rest");
	sys_err(snd(q, 0, "x", 0), EINVAL, "type 0");
	sys_err(msgsnd(q, &m, 8193, 0), EINVAL, "too long");
	sys_err(msgsnd(q, &m, -1, 0), EINVAL, "a negative length");
	sys_err(msgsnd(-1, &m, 1, 0), EINVAL, "a negative id");
	m.type = 1;
	is_int(msgsnd(q, &m, 8192, IPC_NOWAIT), 0, "the longest");
	is_int(msgsnd(q, &m, 8192, IPC_NOWAIT), 0, "twice");
	sys_err(msgsnd(q, &m, 1, IPC_NOWAIT), EAGAIN, "full");
	is_int(msgsnd(q, &m, 0, IPC_NOWAIT), 0, "no text needs no room");
	pid = must(fork());
	if (pid == 0)
		_exit(snd(q, 9, "waited", 0) != 0);
	sleep_ms(50);
	is_int(msgrcv(q, &m, 8192, 1, 0), 8192, "room is made");
	is_exit(pid, 0, "a sender who waited goes on");
	is_str(rcv(q, 9, 0), "waited", "and its message comes");
	while (msgrcv(q, &m, 8192, 0, IPC_NOWAIT | MSG_NOERROR) >= 0)
		;
	pid = must(fork());
	if (pid == 0)
		_exit(strcmp(rcv(q, 5, 0), "five") != 0);
	sleep_ms(50);
	must(snd(q, 4, "four", 0));
	must(snd(q, 5, "five", 0));
	is_exit(pid, 0, "a receiver waits for its type");
	pid = must(fork());
	if (pid == 0)
		_exit(msgrcv(q, &m, 10, 7, 0) == -1 && errno == EIDRM ? 0 : 1);
	sleep_ms(50);
	must(msgctl(q, IPC_RMID, NULL));
	is_exit(pid, 0, "removal ends waiting: EIDRM");
	sys_err(msgctl(q, IPC_STAT, &ds), EINVAL, "the id is void");
	other = must(msgget(key, IPC_CREAT | 0600));
	ok(other != q, "a new one has another id");
	must(msgctl(other, IPC_STAT, &ds));
	ds.msg_qbytes = 10;
	ds.msg_perm.mode = 0444;
	must(msgctl(other, IPC_SET, &ds));
	must(snd(other, 1, "12345678", 0));
	sys_err(snd(other, 1, "123", IPC_NOWAIT), EAGAIN, "IPC_SET: fewer bytes");
	if (geteuid() == 0) {
		pid = must(fork());
		if (pid == 0) {
			must(setgid(54321));
			must(setuid(54321));
			_exit(!(msgsnd(other, &m, 1, IPC_NOWAIT) == -1 && errno == EACCES &&
				msgrcv(other, &m, 10, 0, IPC_NOWAIT) == 8 &&
				msgctl(other, IPC_RMID, NULL) == -1 && errno == EPERM));
		}
		is_exit(pid, 0, "another user may read, but not write nor remove");
	}
	must(msgctl(other, IPC_RMID, NULL));

	other = must(msgget(IPC_PRIVATE, 0600));
	must(snd(other, 5, "first", 0));
	must(snd(other, 6, "second", 0));
	if (msgrcv(other, &m, 10, 1, KT_MSG_COPY | IPC_NOWAIT) == -1 && errno == ENOSYS) {
		skip("Linux without CONFIG_CHECKPOINT_RESTORE", "MSG_COPY");
	} else {
		is_int(msgrcv(other, &m, 10, 1, KT_MSG_COPY | IPC_NOWAIT), 6, "MSG_COPY");
		ok(m.type == 6 && !memcmp(m.text, "second", 6), "by its place");
		must(msgctl(other, IPC_STAT, &ds));
		is_int(ds.msg_qnum, 2, "and it stays");
		sys_err(msgrcv(other, &m, 10, 2, KT_MSG_COPY | IPC_NOWAIT), ENOMSG,
			"no such place");
		sys_err(msgrcv(other, &m, 3, 0, KT_MSG_COPY | IPC_NOWAIT), E2BIG, "too long");
		sys_err(msgrcv(other, &m, 3, 0, KT_MSG_COPY | IPC_NOWAIT | MSG_NOERROR), EINVAL,
			"and not cut off");
		sys_err(msgrcv(other, &m, 10, 0, KT_MSG_COPY), EINVAL, "only without waiting");
	}
	must(msgctl(other, IPC_RMID, NULL));
	return done();
}
