/* SPDX-License-Identifier: MIT */
/* execveat: relative to a descriptor, of the descriptor itself, flags, memfd. */
#include "../compat.h"
#include "../tap.h"

static int
try(int dir, const char *path, int flags)
{
	int st;
	pid_t pid = must(fork());

	if (pid == 0) {
		char *argv[] = { "x", "run", NULL };

		syscall(SYS_execveat, dir, path, argv, NULL, flags);
		_exit(errno);
	}
	st = reap(pid);
	return WIFEXITED(st) ? WEXITSTATUS(st) : 1000 + WTERMSIG(st);
}

int
main(int argc, char **argv)
{
	char path[PATH_MAX], buf[65536];
	int dir, fd, mfd, self;
	ssize_t n;

	(void)argv;
	if (argc > 1)
		return 77;
	scratch();
	must(mkdir("d", 0755));
	copy_self("d/prog", 0755);
	must(symlink("prog", "d/link"));
	dir = must(open("d", O_RDONLY | O_DIRECTORY));
	fd = must(open("d/prog", O_RDONLY));
	is_int(try(dir, "prog", 0), 77, "relative to a directory");
	is_int(try(AT_FDCWD, "d/prog", 0), 77, "relative to the current one");
	snprintf(path, sizeof(path), "%s/d/prog", tap_dir);
	is_int(try(-1, path, 0), 77, "an absolute path ignores the descriptor");
	is_int(try(fd, "", AT_EMPTY_PATH), 77, "the descriptor itself");
	is_int(try(open("d/prog", O_PATH), "", AT_EMPTY_PATH), 77, "an O_PATH descriptor");
	is_int(try(fd, "", 0), ENOENT, "an empty path without AT_EMPTY_PATH");
	is_int(try(dir, "link", 0), 77, "a symlink is followed");
	is_int(try(dir, "link", AT_SYMLINK_NOFOLLOW), ELOOP, "not with AT_SYMLINK_NOFOLLOW");
	is_int(try(-1, "prog", 0), EBADF, "bad descriptor");
	is_int(try(fd, "prog", 0), ENOTDIR, "relative to a file");
	is_int(try(dir, "prog", 0x8000), EINVAL, "unknown flag");
	is_int(try(dir, "", AT_EMPTY_PATH), EACCES, "a directory by descriptor");
	must(unlink("d/prog"));
	is_int(try(fd, "", AT_EMPTY_PATH), 77, "an unlinked program");
	mfd = must(syscall(SYS_memfd_create, "prog", MFD_CLOEXEC));
	self = must(open("/proc/self/exe", O_RDONLY));
	while ((n = read(self, buf, sizeof(buf))) > 0)
		must(write(mfd, buf, n));
	is_int(try(mfd, "", AT_EMPTY_PATH), 77, "a memfd, even while its writer is open");
	snprintf(path, sizeof(path), "/proc/self/fd/%d", mfd);
	fd = must(open(path, O_RDONLY | O_CLOEXEC));
	close(mfd);
	is_int(try(fd, "", AT_EMPTY_PATH), 77, "a memfd reopened read-only");
	return done();
}
