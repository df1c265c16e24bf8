/* SPDX-License-Identifier: MIT */
/* fcntl(2) F_NOTIFY: which change of a directory gives which signal, once or each time, until when.
 */
#include "../compat.h"
#include "../tap.h"

static volatile int count, sfd, code;

static void
on(int s, siginfo_t *si, void *uc)
{
	(void)s, (void)uc;
	sfd = si->si_fd;
	code = si->si_code;
	count++;
}

/* How many signals came of what was done since. */
static int
told(void)
{
	int n = count;

	count = 0;
	return n;
}

static void
put(const char *path, const char *text)
{
	int fd = must(open(path, O_WRONLY | O_CREAT, 0644));

	must(write(fd, text, strlen(text)));
	close(fd);
}

int
main(void)
{
	char b[8];
	int d, fd, other;
	pid_t pid;

	scratch();
	must(mkdir("dir", 0755));
	must(mkdir("else", 0755));
	put("dir/file", "x");
	d = must(open("dir", O_RDONLY | O_DIRECTORY));
	fd = must(open("dir/file", O_RDWR));
	sys_err(fcntl(fd, F_NOTIFY, DN_MODIFY), ENOTDIR, "only directories");
	handle_info(SIGIO, on, 0);
	handle_info(SIGRTMIN + 2, on, 0);

	sys_ok(fcntl(d, F_NOTIFY, DN_MODIFY), "F_NOTIFY");
	is_int(fcntl(d, F_GETOWN), getpid(), "the caller becomes the owner");
	must(read(fd, b, 1));
	is_int(told(), 0, "DN_MODIFY: not of a read");
	must(write(fd, "y", 1));
	is_int(told(), 1, "of a write, at once: SIGIO");
	must(write(fd, "y", 1));
	is_int(told(), 0, "once");

	must(fcntl(d, F_SETSIG, SIGRTMIN + 2));
	sys_ok(fcntl(d, F_NOTIFY, DN_MULTISHOT | DN_CREATE), "DN_CREATE, many times");
	put("dir/new", "x");
	put("dir/newer", "x");
	must(mkdir("dir/sub", 0755));
	must(link("dir/new", "dir/link"));
	is_int(told(), 4, "a signal each");
	is_int(sfd, d, "si_fd");
	is_int(code, POLL_MSG, "si_code");
	put("dir/new", "again");
	put("dir/sub/deep", "x");
	put("else/file", "x");
	is_int(told(), 0, "not of others");
	must(rename("else/file", "dir/moved"));
	is_int(told(), 1, "of what is moved there");

	sys_ok(fcntl(d, F_NOTIFY, DN_MULTISHOT | DN_DELETE), "more events are added");
	must(unlink("dir/moved"));
	is_int(told(), 1, "DN_DELETE");
	must(rename("dir/new", "else/new"));
	is_int(told(), 1, "of what is moved away");
	put("dir/again", "x");
	is_int(told(), 1, "the former ones stay");
	sys_ok(fcntl(d, F_NOTIFY, 0), "no more");
	must(unlink("dir/again"));
	is_int(told(), 0, "none come");

	must(fcntl(d, F_NOTIFY, DN_MULTISHOT | DN_RENAME));
	must(rename("dir/newer", "dir/newest"));
	is_int(told(), 1, "DN_RENAME");
	must(rename("dir/newest", "else/newest"));
	is_int(told(), 0, "not to another directory");
	must(fcntl(d, F_NOTIFY, 0));

	must(fcntl(d, F_NOTIFY, DN_MULTISHOT | DN_ATTRIB));
	must(chmod("dir/file", 0600));
	is_int(told(), 1, "DN_ATTRIB");
	must(fcntl(d, F_NOTIFY, 0));
	must(fcntl(d, F_NOTIFY, DN_MULTISHOT | DN_ACCESS));
	must(pread(fd, b, 1, 0));
	is_int(told(), 1, "DN_ACCESS");

	/* a copy in another table is another registration; closing any copy here ends ours */
	pid = must(fork());
	if (pid == 0) {
		close(d);
		_exit(0);
	}
	reap(pid);
	told();
	must(pread(fd, b, 1, 0));
	is_int(told(), 1, "a child's close is its own");
	other = must(dup(d));
	close(other);
	must(pread(fd, b, 1, 0));
	is_int(told(), 0, "a close of ours ends it");
	close(d);
	put("dir/last", "x");
	is_int(told(), 0, "closed");
	return done();
}
