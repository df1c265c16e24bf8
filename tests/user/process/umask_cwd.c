/* SPDX-License-Identifier: MIT */
/* umask on every creating call; chdir, fchdir, getcwd. */
#include "../tap.h"

static int
mode(const char *p)
{
	struct stat st;

	return lstat(p, &st) ? -1 : (int)(st.st_mode & 07777);
}

int
main(void)
{
	char buf[PATH_MAX];
	int old, fd;
	pid_t pid;

	scratch();
	old = umask(027);
	is_int(umask(0777), 027, "umask returns the old mask");
	is_int(umask(01777), 0777, "all nine bits are kept");
	is_int(umask(027), 0777, "others are dropped");
	must(open("f", O_CREAT | O_WRONLY, 0666));
	is_int(mode("f"), 0640, "open");
	must(open("g", O_CREAT | O_WRONLY, 07777));
	is_int(mode("g"), 07750, "open with all bits");
	must(mkdir("d", 0777));
	is_int(mode("d"), 0750, "mkdir");
	must(mkfifo("p", 0666));
	is_int(mode("p"), 0640, "mkfifo");
	must(mknod("n", S_IFREG | 0666, 0));
	is_int(mode("n"), 0640, "mknod");
	must(symlink("f", "l"));
	is_int(mode("l"), 0777, "symlinks are always 0777");
	must(chmod("f", 0666));
	is_int(mode("f"), 0666, "chmod is not masked");
	if ((pid = fork()) == 0)
		_exit(umask(0) == 027 ? 0 : 1);
	is_exit(pid, 0, "a child inherits it");
	is_int(umask(old), 027, "and does not change the parent's");

	is_str(getcwd(buf, sizeof(buf)), tap_dir, "getcwd");
	must(chdir("d"));
	strcat(buf, "/d");
	char b2[PATH_MAX];
	is_str(getcwd(b2, sizeof(b2)), buf, "follows chdir");
	fd = must(open("..", O_RDONLY | O_DIRECTORY));
	sys_ok(fchdir(fd), "fchdir");
	is_str(getcwd(b2, sizeof(b2)), tap_dir, "follows it");
	sys_err(fchdir(999), EBADF, "fchdir bad descriptor");
	sys_err(fchdir(must(open("f", O_RDONLY))), ENOTDIR, "fchdir to a file");
	sys_err(chdir("f"), ENOTDIR, "chdir to a file");
	sys_err(chdir("missing"), ENOENT, "chdir to nothing");
	sys_err(chdir(""), ENOENT, "chdir to the empty path");
	is_int(syscall(SYS_getcwd, b2, sizeof(b2)), strlen(tap_dir) + 1,
	       "the call returns the length with NUL");
	sys_err(syscall(SYS_getcwd, b2, 3), ERANGE, "a short buffer");
	sys_err(syscall(SYS_getcwd, b2, 0), ERANGE, "no buffer");
	must(chdir("d"));
	must(rmdir("../d"));
	sys_err(syscall(SYS_getcwd, b2, sizeof(b2)), ENOENT, "getcwd in a removed directory");
	sys_err(open("x", O_CREAT | O_WRONLY, 0600), ENOENT, "nothing can be made there");
	sys_ok(chdir(".."), "but one can leave");
	is_str(getcwd(b2, sizeof(b2)), tap_dir, "upwards");
	return done();
}
