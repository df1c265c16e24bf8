/* SPDX-License-Identifier: MIT */
/* /proc/PID/stat, statm, status: the fields that ps and top read. */
#include "../compat.h"
#include "../tap.h"
#include <sys/prctl.h>

static char name[64], state;
static long f[60];

/* Fields by their number in proc(5): f[4] is ppid, f[22] starttime. */
static int
parse(const char *path)
{
	char *s = get_file(path), *open = s ? strchr(s, '(') : NULL,
	     *close = s ? strrchr(s, ')') : NULL, *p;
	int n = 3;

	if (!open || !close)
		return 0;
	f[1] = atol(s);
	snprintf(name, sizeof(name), "%.*s", (int)(close - open - 1), open + 1);
	state = close[2];
	for (p = close + 3; *p == ' ' && n < 59;)
		f[++n] = strtol(p + 1, &p, 10);
	return *p == '\n' ? n : -n;
}

static const char *
field(char *s, const char *key)
{
	static char v[200];
	char want[40], *p;

	snprintf(want, sizeof(want), "\n%s:\t", key);
	p = s ? strstr(s, want) : NULL;
	if (!p)
		return "(missing)";
	sscanf(p + strlen(want), "%199[^\n]", v);
	return v;
}

static void
spin_ms(int ms)
{
	long long end = now_ns(CLOCK_PROCESS_CPUTIME_ID) + ms * 1000000LL;

	while (now_ns(CLOCK_PROCESS_CPUTIME_ID) < end)
		;
}

int
main(void)
{
	char path[64], want[64], *s, *p;
	long v[7], up, start;
	int fd;
	pid_t pid;

	s = malloc(4 << 20);
	memset(s, 1, 4 << 20);
	is_int(parse("/proc/self/stat"), 52, "stat has 52 fields");
	is_int(f[1], getpid(), "pid");
	is_str(name, "stat", "comm");
	is_int(state, 'R', "state of a running one");
	is_int(f[4], getppid(), "ppid");
	is_int(f[5], getpgrp(), "pgrp");
	is_int(f[6], getsid(0), "session");
	is_int(f[18], 20, "priority 20");
	is_int(f[19], 0, "nice 0");
	is_int(f[20], 1, "one thread");
	ok(f[23] > 0 && f[23] % 4096 == 0, "vsize in bytes");
	ok(f[24] > 0 && f[24] * 4096 <= f[23], "rss in pages, not above vsize");
	ok(f[26] != 0 && f[27] > f[26], "start and end of the code");
	ok((uintptr_t)f[26] <= (uintptr_t)main && (uintptr_t)main < (uintptr_t)f[27],
	   "main is between them");
	ok((uintptr_t)&path < (uintptr_t)f[28], "the stack starts above a local variable");
	ok(f[39] >= 0 && f[39] < 4096, "the last CPU");
	is_int(f[41], SCHED_OTHER, "policy");
	is_int(f[38], SIGCHLD, "exit signal");
	must(syscall(SYS_setpriority, PRIO_PROCESS, 0, 5));
	parse("/proc/self/stat");
	ok(f[19] == 5 && f[18] == 25, "nice 5 is priority 25");
	spin_ms(250);
	parse("/proc/self/stat");
	ok(f[14] + f[15] >= 20 && f[14] + f[15] < 3000, "utime and stime in ticks");
	start = f[22];
	s = get_file("/proc/uptime");
	up = s ? (long)(atof(s) * 100) : 0;
	ok(start >= 0 && start <= up && up - start < 3000, "starttime in ticks since boot");
	must(prctl(PR_SET_NAME, "a) b (c"));
	s = malloc(4 << 20);
	memset(s, 1, 4 << 20);
	is_int(parse("/proc/self/stat"), 52, "parentheses in the name do no harm");
	is_str(name, "a) b (c", "and are kept");
	if ((pid = fork()) == 0)
		for (;;)
			pause();
	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	wait_state(pid, 'S');
	parse(path);
	ok(f[1] == pid && f[4] == getpid() && state == 'S', "a sleeping child");
	kill(pid, SIGSTOP);
	wait_state(pid, 'T');
	parse(path);
	is_int(state, 'T', "stopped");
	kill(pid, SIGKILL);
	wait_state(pid, 'Z');
	parse(path);
	ok(state == 'Z' && f[23] == 0 && f[24] == 0, "a zombie has no memory");
	fd = must(open(path, O_RDONLY));
	reap(pid);
	sys_err(open(path, O_RDONLY), ENOENT, "reaped: no file");
	sys_err(read(fd, want, 10), ESRCH, "an open one: ESRCH");

	s = get_file("/proc/self/statm");
	ok(s && sscanf(s, "%ld %ld %ld %ld %ld %ld %ld", &v[0], &v[1], &v[2], &v[3], &v[4], &v[5],
		       &v[6]) == 7,
	   "statm has seven fields");
	ok(v[0] >= v[1] && v[1] >= v[2] && v[3] > 0 && v[4] == 0 && v[6] == 0, "in order");

	s = get_file("/proc/self/status");
	ok(s && strncmp(s, "Name:\t", 6) == 0, "status begins with the name");
	snprintf(want, sizeof(want), "%d", getpid());
	is_str(field(s, "Pid"), want, "Pid");
	is_str(field(s, "Tgid"), want, "Tgid");
	snprintf(want, sizeof(want), "%d", getppid());
	is_str(field(s, "PPid"), want, "PPid");
	is_str(field(s, "TracerPid"), "0", "TracerPid");
	is_str(field(s, "State"), "R (running)", "State");
	is_str(field(s, "Uid"), "0\t0\t0\t0", "Uid");
	is_str(field(s, "Gid"), "0\t0\t0\t0", "Gid");
	is_str(field(s, "Threads"), "1", "Threads");
	is_str(field(s, "NoNewPrivs"), "0", "NoNewPrivs");
	is_str(field(s, "Seccomp"), "0", "Seccomp");
	ok(atol(field(s, "FDSize")) >= 32, "FDSize");
	ok(atol(field(s, "VmSize")) > 0 && strstr(field(s, "VmSize"), " kB"), "VmSize in kB");
	ok(atol(field(s, "VmRSS")) > 0 && atol(field(s, "VmHWM")) >= atol(field(s, "VmRSS")),
	   "VmRSS, VmHWM");
	ok(atol(field(s, "VmPeak")) >= atol(field(s, "VmSize")), "VmPeak");
	ok(strcmp(field(s, "VmData"), "(missing)") && strcmp(field(s, "VmStk"), "(missing)") &&
		   strcmp(field(s, "VmExe"), "(missing)"),
	   "VmData, VmStk, VmExe");
	ok(strcmp(field(s, "voluntary_ctxt_switches"), "(missing)") &&
		   strcmp(field(s, "nonvoluntary_ctxt_switches"), "(missing)"),
	   "context switches");
	ok(strcmp(field(s, "Cpus_allowed"), "(missing)") &&
		   strcmp(field(s, "Cpus_allowed_list"), "(missing)"),
	   "Cpus_allowed");
	umask(037);
	s = get_file("/proc/self/status");
	is_str(field(s, "Umask"), "0037", "Umask");
	block(SIGUSR1);
	raise(SIGUSR1);
	signal(SIGUSR2, SIG_IGN);
	handle(SIGTERM, (void (*)(int))0x1000, 0);
	s = get_file("/proc/self/status");
	is_str(field(s, "SigBlk"), "0000000000000200", "SigBlk");
	is_int(strtoul(field(s, "SigPnd"), NULL, 16) | strtoul(field(s, "ShdPnd"), NULL, 16), 0x200,
	       "SigPnd or ShdPnd");
	is_int(strtoul(field(s, "SigIgn"), NULL, 16) & 0x800, 0x800, "SigIgn");
	is_int(strtoul(field(s, "SigCgt"), NULL, 16) & 0x4000, 0x4000, "SigCgt");
	ok((p = strchr((char *)field(s, "SigQ"), '/')) != NULL && atoi(p + 1) > 0, "SigQ");
	return done();
}
