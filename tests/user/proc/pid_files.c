/* SPDX-License-Identifier: MIT */
/* The other files of /proc/PID: cmdline, environ, exe, cwd, root, fd, fdinfo, limits, io, task, mem
 * ... */
#include "../compat.h"
#include "../tap.h"
#include <pthread.h>
#include <sys/prctl.h>

static volatile int tid, quit;

static void *
thread(void *arg)
{
	prctl(PR_SET_NAME, "second");
	tid = kt_gettid();
	while (!quit)
		sleep_ms(2);
	return arg;
}

static const char *
link_of(const char *path)
{
	static char buf[PATH_MAX];
	ssize_t n = readlink(path, buf, sizeof(buf) - 1);

	buf[n > 0 ? n : 0] = 0;
	return buf;
}

/* Bytes of a file with NULs inside. */
static int
whole(const char *path, char *buf, size_t size)
{
	int fd = open(path, O_RDONLY), n = 0, r;

	while (fd >= 0 && (r = read(fd, buf + n, size - n)) > 0)
		n += r;
	close(fd);
	return fd < 0 ? -1 : n;
}

static int
count(const char *dir)
{
	DIR *d = opendir(dir);
	int n = -2;

	while (d && readdir(d))
		n++;
	if (d)
		closedir(d);
	return n;
}

int
main(int argc, char **argv)
{
	char buf[8192], path[100], exe[PATH_MAX], want[100], *s;
	struct stat st, s2;
	int fd, p[2], n, before;
	unsigned long v;
	pthread_t t;
	pid_t pid;
	DIR *d;
	struct dirent *e;

	if (argc > 1 && !strcmp(argv[1], "child")) {
		n = whole("/proc/self/cmdline", buf, sizeof(buf));
		if (n != 26 || memcmp(buf, "proc test\0child\0\0last one\0", 26))
			return 1;
		n = whole("/proc/self/environ", buf, sizeof(buf));
		return n == 9 && !memcmp(buf, "A=1\0B=\xff\n\0", 9) ? 0 : 2;
	}
	scratch();
	strcpy(exe, link_of("/proc/self/exe"));
	ok(exe[0] == '/' && access(exe, X_OK) == 0, "exe is the program");
	if ((pid = fork()) == 0) {
		char *av[] = { "proc test", "child", "", "last one", NULL },
		     *ev[] = { "A=1", "B=\xff\n", NULL };

		execve("/proc/self/exe", av, ev);
		_exit(99);
	}
	is_exit(pid, 0, "cmdline and environ are argv and envp");
	is_str(link_of("/proc/self/cwd"), tap_dir, "cwd");
	is_str(link_of("/proc/self/root"), "/", "root");
	sprintf(want, "%d", getpid());
	is_str(link_of("/proc/self"), want, "/proc/self");
	sprintf(want, "%d/task/%d", getpid(), kt_gettid());
	is_str(link_of("/proc/thread-self"), want, "/proc/thread-self");
	copy_self("gone", 0755);
	if ((pid = fork()) == 0) {
		execl("./gone", "x", "child", NULL);
		_exit(99);
	}
	reap(pid);

	put_file("f", "0123456789", 10);
	fd = must(open("f", O_RDWR | O_APPEND | O_CLOEXEC));
	must(lseek(fd, 4, SEEK_SET));
	sprintf(path, "/proc/self/fd/%d", fd);
	sprintf(want, "%s/f", tap_dir);
	is_str(link_of(path), want, "fd names the file");
	must(stat(path, &st));
	must(fstat(fd, &s2));
	ok(st.st_ino == s2.st_ino, "and leads to it");
	must(lstat(path, &st));
	is_int(st.st_mode, S_IFLNK | 0700, "a link with the mode of the descriptor");
	close(must(openat(AT_FDCWD, path, O_RDONLY)));
	must(pipe(p));
	must(fstat(p[0], &st));
	sprintf(path, "/proc/self/fd/%d", p[0]);
	sprintf(want, "pipe:[%lu]", (unsigned long)st.st_ino);
	is_str(link_of(path), want, "a pipe's name");
	must(lstat(path, &st));
	is_int(st.st_mode, S_IFLNK | 0500, "read-only mode");
	before = count("/proc/self/fd");
	n = must(dup(fd));
	is_int(count("/proc/self/fd"), before + 1, "fd lists the open ones");
	sprintf(path, "/proc/self/fd/%d", n);
	must(unlink("f"));
	sprintf(want, "%s/f (deleted)", tap_dir);
	is_str(link_of(path), want, "a removed file is marked");
	close(n);
	sys_err(readlink(path, buf, 10), ENOENT, "a closed one is gone");
	sprintf(path, "/proc/self/fdinfo/%d", fd);
	s = get_file(path);
	ok(s && sscanf(s, "pos:\t%d\nflags:\t%lo\nmnt_id:\t%d", &n, &v, &before) == 3, "fdinfo");
	is_int(n, 4, "pos");
	is_int(v, O_RDWR | O_APPEND | O_CLOEXEC | 0100000, "flags, close-on-exec among them");

	must(pthread_create(&t, NULL, thread, NULL) ? -1 : 0);
	while (!tid)
		sleep_ms(1);
	is_int(count("/proc/self/task"), 2, "task lists threads");
	sprintf(path, "/proc/self/task/%d/comm", tid);
	is_str(get_file(path), "second\n", "each with its name");
	sprintf(path, "/proc/self/task/%d/stat", tid);
	s = get_file(path);
	is_int(s ? atoi(s) : 0, tid, "and its stat");
	sprintf(path, "/proc/%d/stat", tid);
	ok(access(path, F_OK) == 0, "a thread can be looked up in /proc");
	d = opendir("/proc");
	for (n = 0; (e = readdir(d)) != NULL;)
		n += atoi(e->d_name) == tid;
	closedir(d);
	is_int(n, 0, "but is not listed there");
	quit = 1;
	pthread_join(t, NULL);

	s = get_file("/proc/self/io");
	ok(s && strncmp(s, "rchar: ", 7) == 0 && strstr(s, "\nwchar: ") && strstr(s, "\nsyscr: ") &&
		   strstr(s, "\nread_bytes: "),
	   "io");
	v = s ? strtoul(strstr(s, "wchar: ") + 7, NULL, 10) : 0;
	must(write(p[1], buf, 1000));
	s = get_file("/proc/self/io");
	ok(s && strtoul(strstr(s, "wchar: ") + 7, NULL, 10) >= v + 1000, "counts bytes");
	is_str(get_file("/proc/self/oom_score_adj"), "0\n", "oom_score_adj");
	put_file("/proc/self/oom_score_adj", "500", 3);
	is_str(get_file("/proc/self/oom_score_adj"), "500\n", "can be set");
	fd = must(open("/proc/self/oom_score_adj", O_WRONLY));
	sys_err(write(fd, "1001", 4), EINVAL, "within limits");
	sys_err(write(fd, "junk", 4), EINVAL, "to a number");
	ok(get_file("/proc/self/oom_score") != NULL, "oom_score");
	s = get_file("/proc/self/limits");
	ok(s && strstr(s, "Max cpu time  "), "limits");
	s = get_file("/proc/self/mounts");
	ok(s && sscanf(s, "%*s %*s %*s %*s %d %d", &n, &before) == 2, "mounts has six fields");
	ok(s && strstr(s, " /proc proc rw"), "and lists /proc");
	s = get_file("/proc/self/mountinfo");
	ok(s && sscanf(s, "%d %d %*d:%*d %*s %*s %*s", &n, &before) == 2 && strstr(s, " - "),
	   "mountinfo");
	s = get_file("/proc/self/cgroup");
	ok(s && (strstr(s, "0::/") || *s == 0), "cgroup");
	s = get_file("/proc/self/smaps");
	ok(s && strstr(s, "\nRss: ") && strstr(s, "\nPss: ") && strstr(s, "\nPrivate_Dirty: ") &&
		   strstr(s, "\nVmFlags: "),
	   "smaps");
	s = get_file("/proc/self/smaps_rollup");
	ok(s && strstr(s, "[rollup]") && strstr(s, "\nRss: "), "smaps_rollup");
	s = get_file("/proc/self/wchan");
	ok(s != NULL, "wchan");
	is_str(get_file("/proc/self/personality"), "00000000\n", "personality");
	ok(strncmp(link_of("/proc/self/ns/uts"), "uts:[", 5) == 0 &&
		   strncmp(link_of("/proc/self/ns/mnt"), "mnt:[", 5) == 0,
	   "ns");

	/* mem */
	static volatile int word = 0x12345678;
	fd = must(open("/proc/self/mem", O_RDWR));
	n = 0;
	is_int(pread(fd, &n, 4, (off_t)(uintptr_t)&word), 4, "mem reads memory");
	is_int(n, 0x12345678, "the right value");
	n = 77;
	is_int(pwrite(fd, &n, 4, (off_t)(uintptr_t)&word), 4, "and writes it");
	is_int(word, 77, "the new value");
	sys_err(pread(fd, &n, 4, 8), EIO, "an unmapped address: EIO");

	/* others' secrets */
	if ((pid = fork()) == 0) {
		int bad = 0;

		sprintf(path, "/proc/%d/environ", getppid());
		if (setgid(1000) || setuid(1000))
			_exit(100);
		bad |= open(path, O_RDONLY) != -1 || errno != EACCES;
		sprintf(path, "/proc/%d/mem", getppid());
		bad |= (open(path, O_RDONLY) != -1 || errno != EACCES) << 1;
		sprintf(path, "/proc/%d/fd", getppid());
		bad |= (opendir(path) != NULL || errno != EACCES) << 2;
		sprintf(path, "/proc/%d/exe", getppid());
		bad |= (readlink(path, buf, 100) != -1 || errno != EACCES) << 3;
		sprintf(path, "/proc/%d/cmdline", getppid());
		bad |= (open(path, O_RDONLY) < 0) << 4;
		sprintf(path, "/proc/%d/status", getppid());
		bad |= (open(path, O_RDONLY) < 0) << 5;
		_exit(bad);
	}
	is_exit(pid, 0, "a user sees root's cmdline and status, not environ, mem, fd and exe");
	if ((pid = fork()) == 0) {
		if (setgid(1001) || setuid(1001) || prctl(PR_SET_DUMPABLE, 1))
			_exit(1);
		sleep_ms(3000);
		_exit(0);
	}
	for (n = 0; n < 1000; n++) {
		sprintf(path, "/proc/%d", pid);
		if (stat(path, &st) == 0 && st.st_uid == 1001)
			break;
		sleep_ms(1);
	}
	ok(n < 1000, "/proc/PID belongs to the process's user");
	kill(pid, SIGKILL);
	reap(pid);
	sys_err(open("/proc/0/stat", O_RDONLY), ENOENT, "/proc/0");
	sys_err(open("/proc/99999999/stat", O_RDONLY), ENOENT, "/proc of nobody");
	sys_err(open("/proc/self/nothing", O_RDONLY), ENOENT, "no such file");
	sys_err(mkdir("/proc/dir", 0755), ENOENT, "nothing can be made");
	sys_err(unlink("/proc/self/stat"), EPERM, "or removed");
	return done();
}
