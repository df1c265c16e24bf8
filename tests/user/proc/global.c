/* SPDX-License-Identifier: MIT */
/* /proc's files about the machine, as ps, top, free, mount, df, uptime and libc parse them. */
#include "../tap.h"
#include <sys/sysinfo.h>

static long
kb(char *s, const char *key)
{
	char want[40], *p;

	snprintf(want, sizeof(want), "%s:", key);
	p = s ? strstr(s, want) : NULL;
	return p && (p == s || p[-1] == '\n') ? atol(p + strlen(want)) : -1;
}

static int
listed(char *s, const char *fs, int nodev)
{
	char want[40];

	snprintf(want, sizeof(want), "%s\t%s\n", nodev ? "nodev" : "", fs);
	return s && strstr(s, want) != NULL;
}

int
main(void)
{
	long v[10], total, n, cpus = sysconf(_SC_NPROCESSORS_ONLN);
	double up, idle, l1, l2, l3;
	int run, all, last, i;
	char *s, *p, buf[64];
	struct sysinfo si;
	DIR *d;
	struct dirent *e;
	pid_t pid;

	s = get_file("/proc/stat");
	ok(s && sscanf(s, "cpu  %ld %ld %ld %ld %ld %ld %ld %ld", &v[0], &v[1], &v[2], &v[3], &v[4],
		       &v[5], &v[6], &v[7]) == 8,
	   "stat: the sum of the CPUs");
	for (n = 0, p = s; p && (p = strstr(p, "\ncpu")) != NULL; p++)
		n++;
	ok(n >= cpus, "a line for each CPU");
	cpus = n;
	ok(strstr(s, "\nintr ") && strstr(s, "\nctxt ") && strstr(s, "\nsoftirq "),
	   "intr, ctxt, softirq");
	p = strstr(s, "\nbtime ");
	n = p ? atol(p + 7) : 0;
	s = get_file("/proc/uptime");
	ok(s && sscanf(s, "%lf %lf", &up, &idle) == 2 && up > 0 && idle >= 0,
	   "uptime: two numbers");
	ok(labs((long)time(NULL) - (long)up - n) <= 2, "btime plus uptime is now");
	s = get_file("/proc/stat");
	p = strstr(s, "\nprocesses ");
	n = p ? atol(p + 11) : 0;
	if ((pid = fork()) == 0)
		_exit(0);
	reap(pid);
	s = get_file("/proc/stat");
	p = strstr(s, "\nprocesses ");
	ok(p && atol(p + 11) > n, "processes counts forks");
	p = strstr(s, "\nprocs_running ");
	ok(p && atol(p + 15) >= 1, "procs_running");
	ok(strstr(s, "\nprocs_blocked ") != NULL, "procs_blocked");

	s = get_file("/proc/meminfo");
	total = kb(s, "MemTotal");
	ok(total > 16384 && kb(s, "MemFree") > 0 && kb(s, "MemFree") <= total,
	   "meminfo: MemTotal, MemFree");
	ok(kb(s, "MemAvailable") > 0 && kb(s, "MemAvailable") <= total, "MemAvailable");
	ok(kb(s, "Buffers") >= 0 && kb(s, "Cached") >= 0 && kb(s, "SwapTotal") >= 0 &&
		   kb(s, "SwapFree") >= 0,
	   "Buffers, Cached, Swap");
	ok(kb(s, "Active") >= 0 && kb(s, "Inactive") >= 0 && kb(s, "Dirty") >= 0 &&
		   kb(s, "Shmem") >= 0,
	   "Active, Inactive, Dirty, Shmem");
	ok(kb(s, "AnonPages") > 0 && kb(s, "Mapped") >= 0 && kb(s, "Slab") > 0 &&
		   kb(s, "PageTables") > 0,
	   "AnonPages, Mapped, Slab, PageTables");
	ok(strstr(s, " kB\n") != NULL, "in kB");
	must(sysinfo(&si));
	is_int((long)(si.totalram * si.mem_unit / 1024), total, "sysinfo agrees");

	s = get_file("/proc/loadavg");
	ok(s && sscanf(s, "%lf %lf %lf %d/%d %d", &l1, &l2, &l3, &run, &all, &last) == 6,
	   "loadavg: six numbers");
	ok(run >= 1 && all >= run && last > 0, "running, all, last pid");
	s = get_file("/proc/cpuinfo");
	for (n = 0, p = s; p && (p = strstr(p, "processor\t: ")) != NULL; p++)
		n++;
	is_int(n, cpus, "cpuinfo: each CPU");
	ok(s && strstr(s, "vendor_id\t: ") && strstr(s, "model name\t: ") &&
		   strstr(s, "cpu MHz\t\t: ") && strstr(s, "flags\t\t: "),
	   "vendor, model, MHz, flags");
	ok(s && (p = strstr(s, "flags\t\t: ")) && strstr(p, " sse2 "), "sse2 is among them");
	ok(s && strstr(s, "bogomips\t: "), "bogomips");
	s = get_file("/proc/version");
	ok(s && strncmp(s, "Linux version ", 14) == 0, "version");
	s = get_file("/proc/filesystems");
	ok(listed(s, "proc", 1) && listed(s, "tmpfs", 1) && listed(s, "devtmpfs", 1) &&
		   listed(s, "devpts", 1) && listed(s, "sysfs", 1),
	   "filesystems");
	s = get_file("/proc/mounts");
	ok(s && strstr(s, " /dev devtmpfs ") && strstr(s, " /proc proc ") &&
		   strstr(s, " /tmp tmpfs "),
	   "mounts");
	s = get_file("/proc/cmdline");
	ok(s && strlen(s) > 0 && s[strlen(s) - 1] == '\n', "cmdline is a line");
	s = get_file("/proc/interrupts");
	ok(s && strstr(s, "CPU0"), "interrupts has a heading");
	s = get_file("/proc/devices");
	ok(s && strstr(s, "Character devices:\n") && strstr(s, "  1 mem\n") &&
		   strstr(s, "136 pts\n"),
	   "devices");
	s = get_file("/proc/swaps");
	ok(s && strncmp(s, "Filename", 8) == 0, "swaps");
	s = get_file("/proc/vmstat");
	ok(s && strstr(s, "nr_free_pages ") && strstr(s, "\npgfault "), "vmstat");
	s = get_file("/proc/diskstats");
	ok(s != NULL, "diskstats");
	s = get_file("/proc/partitions");
	ok(s && (*s == 0 || strncmp(s, "major minor", 11) == 0), "partitions");

	s = get_file("/proc/sys/kernel/hostname");
	must(gethostname(buf, sizeof(buf)));
	strcat(buf, "\n");
	is_str(s, buf, "sys/kernel/hostname");
	s = get_file("/proc/sys/kernel/pid_max");
	ok(s && atoi(s) >= 32768, "sys/kernel/pid_max");
	s = get_file("/proc/sys/kernel/threads-max");
	ok(s && atoi(s) > 0, "sys/kernel/threads-max");
	is_str(get_file("/proc/sys/kernel/cap_last_cap"), "40\n", "sys/kernel/cap_last_cap");
	is_str(get_file("/proc/sys/kernel/ngroups_max"), "65536\n", "sys/kernel/ngroups_max");
	is_str(get_file("/proc/sys/kernel/overflowuid"), "65534\n", "sys/kernel/overflowuid");
	s = get_file("/proc/sys/kernel/random/boot_id");
	ok(s && strlen(s) == 37 && s[8] == '-' && s[23] == '-', "sys/kernel/random/boot_id");
	snprintf(buf, sizeof(buf), "%s", s ? s : "");
	is_str(get_file("/proc/sys/kernel/random/boot_id"), buf, "is always the same");
	s = get_file("/proc/sys/kernel/random/uuid");
	ok(s && strlen(s) == 37 && s[14] == '4', "sys/kernel/random/uuid");
	snprintf(buf, sizeof(buf), "%s", s ? s : "");
	s = get_file("/proc/sys/kernel/random/uuid");
	ok(s && strcmp(s, buf), "is always another");
	s = get_file("/proc/sys/vm/overcommit_memory");
	ok(s && *s >= '0' && *s <= '2', "sys/vm/overcommit_memory");
	s = get_file("/proc/sys/vm/max_map_count");
	ok(s && atoi(s) >= 65530, "sys/vm/max_map_count");
	s = get_file("/proc/sys/fs/nr_open");
	ok(s && atoi(s) >= 1024, "sys/fs/nr_open");
	s = get_file("/proc/sys/fs/file-max");
	ok(s && atol(s) > 0, "sys/fs/file-max");
	s = get_file("/proc/sys/fs/file-nr");
	ok(s && sscanf(s, "%ld %ld %ld", &v[0], &v[1], &v[2]) == 3 && v[0] > 0, "sys/fs/file-nr");
	s = get_file("/proc/sys/fs/pipe-max-size");
	ok(s && atoi(s) == 1048576, "sys/fs/pipe-max-size");

	d = opendir("/proc");
	for (n = i = 0; (e = readdir(d)) != NULL;) {
		i += atoi(e->d_name) == getpid();
		n += !strcmp(e->d_name, "self") || !strcmp(e->d_name, "stat") ||
		     !strcmp(e->d_name, "sys");
	}
	closedir(d);
	ok(i == 1 && n == 3, "the directory lists processes and files");
	struct stat st;
	must(stat("/proc/1", &st));
	ok(S_ISDIR(st.st_mode), "pid 1 is there");
	must(stat("/proc", &st));
	ok(st.st_ino == 1 && (st.st_mode & 07777) == 0555, "the root of proc: inode 1, mode 0555");
	return done();
}
