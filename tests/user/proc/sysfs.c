/* SPDX-License-Identifier: MIT */
/* sysfs as mdev, getty, nproc and libc read it. */
#include "../tap.h"
#include <sys/mount.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>

static int
has(const char *dir, const char *name)
{
	DIR *d = opendir(dir);
	struct dirent *e;
	int n = 0;

	while (d && (e = readdir(d)) != NULL)
		n += !strcmp(e->d_name, name);
	if (d)
		closedir(d);
	return n;
}

int
main(void)
{
	struct statfs sf;
	struct stat st;
	char buf[256], *s;
	ssize_t n;

	scratch();
	must(mkdir("sys", 0755));
	sys_ok(mount("sysfs", "sys", "sysfs", 0, NULL), "sysfs can be mounted");
	must(chdir("sys"));
	must(statfs(".", &sf));
	is_int((long)sf.f_type, 0x62656572, "its magic number");
	ok(has(".", "block") && has(".", "bus") && has(".", "class") && has(".", "dev") &&
		   has(".", "devices") && has(".", "firmware") && has(".", "fs") &&
		   has(".", "kernel") && has(".", "module"),
	   "the directories of the root");
	s = get_file("devices/system/cpu/online");
	n = sysconf(_SC_NPROCESSORS_ONLN);
	snprintf(buf, sizeof(buf), n == 1 ? "0\n" : "0-%ld\n", (long)n - 1);
	is_str(s, buf, "the CPUs online");
	s = get_file("devices/system/cpu/possible");
	ok(s && s[0] == '0', "possible");
	s = get_file("devices/system/cpu/present");
	ok(s && s[0] == '0', "present");
	is_int(has("devices/system/cpu", "cpu0"), 1, "cpu0 is listed once");
	sys_err(access("devices/system/cpu/cpu00", F_OK), ENOENT, "cpu00 is no name");
	sys_err(access("devices/system/cpu/cpu99999", F_OK), ENOENT, "nor is cpu99999");

	is_int(has("class", "mem"), 1, "the class of memory devices, once");
	is_int(has("class", "tty"), 1, "the class of terminals, once");
	is_int(has("class/mem", "null"), 1, "null is of the class mem");
	is_str(get_file("class/mem/null/dev"), "1:3\n", "its number");
	s = get_file("class/mem/null/uevent");
	ok(s && strstr(s, "MAJOR=1\nMINOR=3\nDEVNAME=null\n"), "its uevent");
	must(lstat("class/mem/null", &st));
	ok(S_ISLNK(st.st_mode), "a class has links");
	n = must(readlink("class/mem/null", buf, sizeof(buf) - 1));
	buf[n] = 0;
	is_str(buf, "../../devices/virtual/mem/null", "to the device");
	n = must(readlink("class/mem/null/subsystem", buf, sizeof(buf) - 1));
	buf[n] = 0;
	is_str(buf, "../../../../class/mem", "which knows its class");
	is_int(has("dev/char", "1:3"), 1, "listed by number");
	is_str(get_file("dev/char/1:3/dev"), "1:3\n", "found by number");
	sys_err(access("dev/char/1:250", F_OK), ENOENT, "a number of nobody");
	sys_err(access("class/mem/nothing", F_OK), ENOENT, "a name of nobody");
	s = get_file("class/tty/console/active");
	ok(s && strchr(s, '\n'), "the active consoles");
	s = get_file("kernel/mm/transparent_hugepage/enabled");
	ok(s && strchr(s, '[') && strchr(s, ']'), "huge pages");
	s = get_file("kernel/mm/transparent_hugepage/hpage_pmd_size");
	ok(s && atol(s) == 2 << 20, "of 2 MiB");
	sys_err(mkdir("class/new", 0755), EPERM, "nothing can be made");
	sys_err(open("class/new", O_CREAT | O_WRONLY, 0644), EACCES, "no file either");
	must(chdir(".."));
	sys_ok(umount("sys"), "umount");
	return done();
}
