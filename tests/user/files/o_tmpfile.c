/* SPDX-License-Identifier: MIT */
/* O_TMPFILE: unnamed files, linking them in, O_EXCL. */
#include "../compat.h"
#include "../tap.h"

static int
entries(void)
{
	DIR *d = opendir(".");
	int n = 0;

	while (readdir(d))
		n++;
	closedir(d);
	return n - 2;
}

int
main(void)
{
	struct stat st;
	char path[64];
	int fd;

	scratch();
	fd = must(open(".", O_TMPFILE | O_RDWR, 0640));
	must(fstat(fd, &st));
	ok(S_ISREG(st.st_mode) && st.st_nlink == 0 && (st.st_mode & 0777) == 0640,
	   "a regular file without links");
	is_int(entries(), 0, "without a name");
	is_int(write(fd, "hidden", 6), 6, "it can be written");
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	sys_ok(linkat(AT_FDCWD, path, AT_FDCWD, "named", AT_SYMLINK_FOLLOW),
	       "linked in through /proc");
	is_str(get_file("named"), "hidden", "it has its data");
	must(fstat(fd, &st));
	is_int(st.st_nlink, 1, "and one link");
	fd = must(open(".", O_TMPFILE | O_WRONLY, 0600));
	sys_ok(linkat(fd, "", AT_FDCWD, "named2", AT_EMPTY_PATH), "linked in with AT_EMPTY_PATH");
	fd = must(open(".", O_TMPFILE | O_RDWR | O_EXCL, 0600));
	sys_err(linkat(fd, "", AT_FDCWD, "named3", AT_EMPTY_PATH), ENOENT,
		"O_EXCL forbids linking");
	sys_err(open(".", O_TMPFILE | O_RDONLY, 0600), EINVAL, "read-only makes no sense");
	sys_err(open("named", O_TMPFILE | O_RDWR, 0600), ENOTDIR, "a file instead of a directory");
	sys_err(open("missing", O_TMPFILE | O_RDWR, 0600), ENOENT, "a missing directory");
	is_int(entries(), 2, "two names in all");
	return done();
}
