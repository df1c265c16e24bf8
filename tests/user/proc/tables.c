/* SPDX-License-Identifier: MIT */
/* /proc's tables of the kernel's parts, as ps, klogd, perf and init scripts parse them. */
#include "../tap.h"

int
main(void)
{
	unsigned long addr, v[11];
	unsigned major, minor;
	char name[128], flags[16], path[64], type, *s;
	int zone, n;
	pid_t pid;

	s = get_file("/proc/consoles");
	ok(s != NULL, "consoles");
	for (; s && *s; s = strchr(s, '\n') + 1)
		if (sscanf(s, "%31s %c%*c%*c (%15[^)]) %u:%u", name, &type, flags, &major,
			   &minor) != 5 ||
		    flags[0] != 'E' || !strchr(s, '\n'))
			break;
	ok(s && !*s, "each with name, abilities, flags, number");
	s = get_file("/proc/misc");
	ok(s != NULL, "misc");
	for (; s && *s && sscanf(s, "%u %127s", &minor, name) == 2; s = strchr(s, '\n') + 1)
		;
	ok(s && !*s, "each with minor and name");
	s = get_file("/proc/tty/drivers");
	ok(s && strstr(s, "/dev/tty             /dev/tty        5       0 system:/dev/tty\n"),
	   "tty/drivers: the terminal of a process");
	ok(s && strstr(s, "pty_slave            /dev/pts      136 0-1048575 pty:slave\n"),
	   "pseudo-terminals");
	for (; s && *s && sscanf(s, "%127s %63s %u %*s %*s", name, path, &major) == 3;
	     s = strchr(s, '\n') + 1)
		;
	ok(s && !*s, "each with driver, path and major");
	s = get_file("/proc/buddyinfo");
	n = s ? sscanf(s, "Node %d, zone %31s %lu %lu %lu %lu %lu %lu %lu %lu %lu %lu %lu", &zone,
		       name, v, v + 1, v + 2, v + 3, v + 4, v + 5, v + 6, v + 7, v + 8, v + 9,
		       v + 10)
	      : 0;
	is_int(n, 13, "buddyinfo: eleven sizes");
	s = get_file("/proc/kallsyms");
	ok(s && sscanf(s, "%lx %c %127s", &addr, &type, name) == 3, "kallsyms");
	if ((pid = fork()) == 0) {
		if (setgid(1000) || setuid(1000))
			_exit(1);
		s = get_file("/proc/kallsyms");
		n = s && sscanf(s, "%lx %c %127s", &addr, &type, name) == 3 && addr == 0;
		_exit(n ? 0 : 2);
	}
	is_exit(pid, 0, "without addresses for users");
	return done();
}
