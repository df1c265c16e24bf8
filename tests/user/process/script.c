/* SPDX-License-Identifier: MIT */
/* #! scripts: argument passing, nesting, limits, errors. */
#include "../compat.h"
#include "../tap.h"

static pid_t
run(const char *path)
{
	pid_t pid = must(fork());

	if (pid == 0) {
		char *argv[] = { "zero", "one", NULL }, *envp[] = { NULL };

		execve(path, argv, envp);
		_exit(200 + (errno == ENOENT) + 2 * (errno == EACCES) + 3 * (errno == ELOOP) +
		      4 * (errno == ENOEXEC) + 5 * (errno == ENAMETOOLONG));
	}
	return pid;
}

static void
script(const char *name, const char *text)
{
	put_file(name, text, strlen(text));
	must(chmod(name, 0755));
}

/* Run as the interpreter: check the arguments against the file "want". */
static int
interpreter(int argc, char **argv)
{
	char *want = get_file("want"), *p = want;

	for (int i = 0; i < argc; i++) {
		size_t n = strlen(argv[i]);

		if (strncmp(p, argv[i], n) || p[n] != '|')
			return 1;
		p += n + 1;
	}
	return *p != 0;
}

static void
want(const char *s)
{
	put_file("want", s, strlen(s));
}

int
main(int argc, char **argv)
{
	char path[100], text[600], w[600];
	int fd;

	if (access("want", F_OK) == 0 && access("interp", F_OK) == 0)
		return interpreter(argc, argv);
	scratch();
	copy_self("interp", 0755);
	want("interp|./s1|one|");
	script("s1", "#!interp\n");
	is_exit(run("./s1"), 0, "argv is interpreter, script path, the rest; relative interpreter");
	snprintf(path, sizeof(path), "%s/interp", tap_dir);
	snprintf(text, sizeof(text), "#!%s\n", path);
	script("s2", text);
	snprintf(w, sizeof(w), "%s|./s2|one|", path);
	want(w);
	is_exit(run("./s2"), 0, "absolute interpreter");
	script("s3", "#! \t interp \t a b  c \t\n");
	want("interp|a b  c|./s3|one|");
	is_exit(run("./s3"), 0, "one argument with inner blanks, outer ones trimmed");
	script("s4", "#!interp -x");
	want("interp|-x|./s4|one|");
	is_exit(run("./s4"), 0, "no newline at the end");
	script("n1", "#!./s5 arg1\n");
	script("s5", "#!interp arg2\n");
	want("interp|arg2|./s5|arg1|./n1|one|");
	is_exit(run("./n1"), 0, "a script as interpreter");
	script("d1", "#!interp\n");
	script("d2", "#!./d1\n");
	script("d3", "#!./d2\n");
	script("d4", "#!./d3\n");
	script("d5", "#!./d4\n");
	script("d6", "#!./d5\n");
	want("interp|./d1|./d2|./d3|./d4|one|");
	is_exit(run("./d4"), 0, "four levels");
	want("interp|./d1|./d2|./d3|./d4|./d5|one|");
	is_exit(run("./d5"), 0, "five levels");
	is_exit(run("./d6"), 203, "six levels give ELOOP");
	script("loop", "#!./loop\n");
	is_exit(run("./loop"), 203, "a script that names itself gives ELOOP");
	script("e1", "#!/nonexistent\n");
	is_exit(run("./e1"), 201, "missing interpreter gives ENOENT");
	script("e2", "#!\n");
	is_exit(run("./e2"), 204, "empty interpreter gives ENOEXEC");
	script("e3", "#!   \n");
	is_exit(run("./e3"), 204, "blank interpreter gives ENOEXEC");
	script("e4", "#!./plain\n");
	put_file("plain", "x", 1);
	is_exit(run("./e4"), 202, "interpreter without x gives EACCES");
	script("e5", "#!/\n");
	is_exit(run("./e5"), 202, "a directory as interpreter gives EACCES");
	script("e6", "echo no magic\n");
	is_exit(run("./e6"), 204, "a text file without #! gives ENOEXEC");
	script("e7", "#!interp\n");
	must(chmod("e7", 0644));
	is_exit(run("./e7"), 202, "a script without x gives EACCES");
	script("e8", "");
	is_exit(run("./e8"), 204, "an empty file gives ENOEXEC");
	script("e9", "#");
	is_exit(run("./e9"), 204, "a one-byte file gives ENOEXEC");
	strcpy(text, "#!");
	memset(text + 2, 'x', 300);
	strcpy(text + 302, "\n");
	script("e10", text);
	is_exit(run("./e10"), 204, "an interpreter name beyond 255 bytes gives ENOEXEC");
	strcpy(text, "#!interp ");
	memset(text + 9, 'y', 300);
	text[309] = 0;
	script("s6", text);
	memset(w, 'y', 300);
	snprintf(w, sizeof(w), "interp|%.*s|./s6|one|", 255 - 9, text + 9);
	want(w);
	is_exit(run("./s6"), 0, "a long argument is cut at 255 bytes");

	/* by descriptor: the interpreter gets a path to it */
	fd = must(open("s1", O_RDONLY));
	snprintf(w, sizeof(w), "interp|/dev/fd/%d|one|", fd);
	want(w);
	pid_t pid = fork();
	if (pid == 0) {
		char *av[] = { "zero", "one", NULL };

		syscall(SYS_execveat, fd, "", av, NULL, AT_EMPTY_PATH);
		_exit(99);
	}
	is_exit(pid, 0, "execveat of a script by descriptor");
	must(fcntl(fd, F_SETFD, FD_CLOEXEC));
	if ((pid = fork()) == 0) {
		char *av[] = { "zero", NULL };

		syscall(SYS_execveat, fd, "", av, NULL, AT_EMPTY_PATH);
		_exit(errno == ENOENT ? 44 : 45);
	}
	is_exit(pid, 44, "with close-on-exec set that gives ENOENT");
	return done();
}
