/* SPDX-License-Identifier: MIT */
/* sched_setscheduler, sched_setattr, priorities and their errors. */
#include "../compat.h"
#include "../tap.h"
#include <sched.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>

struct attr {
	unsigned size, policy;
	unsigned long long flags;
	int nice;
	unsigned priority;
	unsigned long long runtime, deadline, period;
	unsigned util_min, util_max, more[2];
};

static int
set(int policy, int priority)
{
	struct sched_param sp = { .sched_priority = priority };

	return syscall(SYS_sched_setscheduler, 0, policy, &sp);
}

static int
get(void)
{
	return syscall(SYS_sched_getscheduler, 0);
}

static int
priority(void)
{
	struct sched_param sp = { .sched_priority = -1 };

	return syscall(SYS_sched_getparam, 0, &sp) ? -1 : sp.sched_priority;
}

static int
setattr(struct attr *a)
{
	return syscall(SYS_sched_setattr, 0, a, 0);
}

static void
ranges(void)
{
	static const struct {
		int policy, max, min;
	} r[] = { { SCHED_OTHER, 0, 0 },
		  { SCHED_FIFO, 99, 1 },
		  { SCHED_RR, 99, 1 },
		  { SCHED_BATCH, 0, 0 },
		  { SCHED_IDLE, 0, 0 } };

	for (unsigned i = 0; i < ARRAY_LEN(r); i++) {
		is_int(sched_get_priority_max(r[i].policy), r[i].max, "policy %d: highest",
		       r[i].policy);
		is_int(sched_get_priority_min(r[i].policy), r[i].min, "policy %d: lowest",
		       r[i].policy);
	}
	sys_err(sched_get_priority_max(4), EINVAL, "highest of no policy");
	sys_err(sched_get_priority_min(-1), EINVAL, "lowest of no policy");
}

static void
errors(void)
{
	struct sched_param sp = { 0 };
	struct timespec ts;

	sys_err(set(SCHED_OTHER, 1), EINVAL, "other with a priority");
	sys_err(set(SCHED_FIFO, 0), EINVAL, "FIFO without one");
	sys_err(set(SCHED_FIFO, 100), EINVAL, "FIFO with 100");
	sys_err(set(4, 0), EINVAL, "no such policy");
	sys_err(set(-1, 0), EINVAL, "negative policy");
	sys_err(syscall(SYS_sched_setscheduler, -1, 0, &sp), EINVAL, "negative pid");
	sys_err(syscall(SYS_sched_setscheduler, 0, 0, NULL), EINVAL, "no parameter");
	sys_err(syscall(SYS_sched_setscheduler, 0, 0, 8), EFAULT, "bad parameter");
	sys_err(syscall(SYS_sched_setscheduler, 0x3fffffff, 0, &sp), ESRCH, "nobody");
	sys_err(syscall(SYS_sched_getscheduler, -1), EINVAL, "policy of -1");
	sys_err(syscall(SYS_sched_getscheduler, 0x3fffffff), ESRCH, "policy of nobody");
	sys_err(syscall(SYS_sched_getparam, 0, NULL), EINVAL, "nowhere to put it");
	sys_err(syscall(SYS_sched_rr_get_interval, -1, &ts), EINVAL, "interval of -1");
	sys_ok(syscall(SYS_sched_rr_get_interval, 0, &ts), "own interval");
	sys_ok(sched_yield(), "yield");
}

static void
attributes(void)
{
	struct attr a = { .size = 48, .policy = SCHED_BATCH, .nice = 3 };

	sys_ok(setattr(&a), "batch with nice 3");
	is_int(get(), SCHED_BATCH, "the policy");
	is_int(getpriority(PRIO_PROCESS, 0), 3, "the nice value");
	memset(&a, 0xff, sizeof(a));
	sys_ok(syscall(SYS_sched_getattr, 0, &a, 48, 0), "read back");
	ok(a.size == 48 && a.policy == SCHED_BATCH && a.nice == 3 && a.flags == 0 &&
		   a.priority == 0,
	   "as it was set");
	sys_err(syscall(SYS_sched_getattr, 0, &a, 40, 0), EINVAL, "too short to read");
	sys_err(syscall(SYS_sched_getattr, 0, &a, 48, 1), EINVAL, "flags");
	a = (struct attr){ .size = 40 };
	sys_err(setattr(&a), E2BIG, "too short to set");
	ok(a.size >= 48, "the right size is told");
	a = (struct attr){ .size = sizeof(a), .more = { 0, 1 } };
	sys_err(setattr(&a), E2BIG, "something unknown is set");
	a = (struct attr){ .size = sizeof(a), .policy = SCHED_OTHER, .nice = 5 };
	sys_ok(setattr(&a), "more than is known, but zero");
	a = (struct attr){ .size = 0, .policy = SCHED_OTHER, .nice = 6 };
	sys_ok(setattr(&a), "size 0 is the first version");
	is_int(getpriority(PRIO_PROCESS, 0), 6, "it was taken");
	a = (struct attr){ .size = 48, .flags = 1ull << 40 };
	sys_err(setattr(&a), EINVAL, "unknown flag");
	a = (struct attr){ .size = 48, .policy = -1 };
	sys_err(setattr(&a), EINVAL, "negative policy by attributes");
	a = (struct attr){ .size = 48, .flags = 0x18 };
	sys_ok(setattr(&a), "keep policy and parameters");
	is_int(getpriority(PRIO_PROCESS, 0), 6, "kept");
	sys_err(syscall(SYS_sched_setattr, 0, &a, 1), EINVAL, "flags of the call");
	sys_err(syscall(SYS_sched_setattr, 0, NULL, 0), EINVAL, "no attributes");
}

static void
real_time(void)
{
	struct timespec ts;
	int status;
	pid_t pid;

	if (set(SCHED_FIFO, 10)) {
		skip("not allowed here", "real-time policies");
		return;
	}
	is_int(get(), SCHED_FIFO, "FIFO");
	is_int(priority(), 10, "its priority");
	sys_ok(set(SCHED_RR, 99), "round robin");
	must(syscall(SYS_sched_rr_get_interval, 0, &ts));
	ok(ts.tv_sec == 0 && ts.tv_nsec == 100000000, "100 ms each");
	sys_ok(set(SCHED_RR | 0x40000000, 1), "not for children");
	is_int(get(), SCHED_RR | 0x40000000, "it is told");
	pid = must(fork());
	if (!pid)
		_exit(get() == SCHED_OTHER && priority() == 0 ? 0 : 1);
	must(waitpid(pid, &status, 0));
	is_int(status, 0, "a child begins with the ordinary policy");
	sys_ok(set(SCHED_OTHER, 0), "back");
	is_int(get(), SCHED_OTHER, "and it inherits again");
}

static void
unprivileged(void)
{
	struct attr a = { .size = 48, .policy = SCHED_OTHER, .nice = 10 };
	struct rlimit none = { 0, 0 };
	int status, bad = 0;
	pid_t pid = must(fork());

	if (!pid) {
		setrlimit(RLIMIT_NICE, &none);
		setrlimit(RLIMIT_RTPRIO, &none);
		bad |= (setpriority(PRIO_PROCESS, 0, 0) != 0) << 0;
		bad |= (setresuid(1234, 1234, 1234) != 0) << 1;
		bad |= !(set(SCHED_FIFO, 1) == -1 && errno == EPERM) << 2;
		bad |= (setpriority(PRIO_PROCESS, 0, 10) != 0) << 3;
		bad |= !(setpriority(PRIO_PROCESS, 0, 9) == -1 && errno == EACCES) << 4;
		bad |= !(setpriority(PRIO_PROCESS, 1, 19) == -1 && errno == EPERM) << 5;
		a.nice = 9;
		bad |= !(setattr(&a) == -1 && errno == EPERM) << 6;
		bad |= (set(SCHED_IDLE, 0) != 0) << 7;
		_exit(bad);
	}
	must(waitpid(pid, &status, 0));
	is_int(status, 0, "what an ordinary user may not");
}

int
main(void)
{
	ranges();
	errors();
	attributes();
	if (geteuid() == 0) {
		real_time();
		unprivileged();
	}
	return done();
}
