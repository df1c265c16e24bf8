/* SPDX-License-Identifier: MIT */
/* Access control lists, acl(5): who may, what chmod does to them, default lists instead of the
 * umask. */
#include "../compat.h"
#include "../tap.h"
#include <grp.h>
#include <sys/xattr.h>

#define ACCESS	"system.posix_acl_access"
#define DEFAULT "system.posix_acl_default"

enum { USER_OBJ = 1, USER = 2, GROUP_OBJ = 4, GROUP = 8, MASK = 16, OTHER = 32 };

struct entry {
	uint16_t tag, perm;
	uint32_t id;
};
struct list {
	uint32_t version;
	struct entry entry[8];
};

/* "u6 U1001:4 g4 G2000:6 m6 o0" */
static size_t
parse(struct list *l, const char *text)
{
	static const char tags[] = "uUgGmo";
	size_t n = 0;

	l->version = 2;
	for (; *text; text += strcspn(text, " "), text += strspn(text, " ")) {
		struct entry *e = &l->entry[n++];

		e->tag = (uint16_t)(1 << (strchr(tags, *text) - tags));
		e->perm = (uint16_t)(text[1] - '0');
		e->id = 0xffffffff;
		if (e->tag == USER || e->tag == GROUP) {
			e->id = (uint32_t)atoi(text + 1);
			e->perm = (uint16_t)(strchr(text, ':')[1] - '0');
		}
	}
	return 4 + n * sizeof(struct entry);
}

static const char *
show(const char *path, const char *name)
{
	static char text[200];
	struct list l;
	ssize_t size = getxattr(path, name, &l, sizeof(l));
	size_t at = 0;

	if (size < 0)
		return errno == ENODATA ? "none" : strerror(errno);
	for (size_t i = 0; i < ((size_t)size - 4) / sizeof(struct entry); i++) {
		struct entry *e = &l.entry[i];
		char tag = "uUgGmo"[__builtin_ctz(e->tag)];

		if (e->tag == USER || e->tag == GROUP)
			at += (size_t)sprintf(text + at, "%s%c%u:%u", at ? " " : "", tag, e->id,
					      e->perm);
		else
			at += (size_t)sprintf(text + at, "%s%c%u", at ? " " : "", tag, e->perm);
	}
	return text;
}

static int
set(const char *path, const char *name, const char *text)
{
	struct list l;
	size_t size = parse(&l, text);

	return setxattr(path, name, &l, size, 0);
}

static mode_t
mode_of(const char *path)
{
	struct stat st;

	must(lstat(path, &st));
	return st.st_mode & 07777;
}

/* What uid:gid may: R_OK, W_OK, X_OK of those asked for. -1: the child failed. */
static int
rights(uid_t uid, gid_t gid, const char *path)
{
	pid_t pid = must(fork());
	int status;

	if (pid == 0) {
		int may = 0;

		if (setgroups(0, NULL) || setgid(gid) || setuid(uid))
			_exit(100);
		for (int bit = 1; bit <= 4; bit <<= 1)
			may |= access(path, bit) ? 0 : bit;
		/* open agrees with access. */
		if ((open(path, O_RDONLY) >= 0) != !!(may & R_OK))
			_exit(101);
		_exit(may);
	}
	must(waitpid(pid, &status, 0));
	return WEXITSTATUS(status);
}

static void
access_lists(void)
{
	put_file("f", "abc", 3);
	must(chmod("f", 0640));
	is_str(show("f", ACCESS), "none", "a mode is no list");
	sys_ok(set("f", ACCESS, "u6 U1001:6 U1003:0 g4 G2000:6 G2001:1 m6 o0"), "set one");
	is_str(show("f", ACCESS), "u6 U1001:6 U1003:0 g4 G2000:6 G2001:1 m6 o0", "read it");
	is_int(mode_of("f"), 0660, "the mask is the group's bits of the mode");
	is_int(rights(1001, 1001, "f"), 6, "a named user");
	is_int(rights(1002, 1002, "f"), 0, "others");
	is_int(rights(1003, 2000, "f"), 0, "a user's entry comes before a group's");
	is_int(rights(1002, 0, "f"), 4, "the owning group");
	is_int(rights(1002, 2000, "f"), 6, "a named group");
	is_int(rights(1002, 2001, "f"), 0, "a group's entry is cut by the mask");
	must(chown("f", 1005, 0));
	is_int(rights(1005, 1005, "f"), 6, "the owner");
	is_int(rights(0, 0, "f"), 6, "root");

	must(chmod("f", 0640));
	is_str(show("f", ACCESS), "u6 U1001:6 U1003:0 g4 G2000:6 G2001:1 m4 o0",
	       "chmod changes the mask");
	is_int(rights(1001, 1001, "f"), 4, "which cuts a named user's rights");
	is_int(rights(1005, 1005, "f"), 6, "but not the owner's");
	must(chmod("f", 0106));
	is_str(show("f", ACCESS), "u1 U1001:6 U1003:0 g4 G2000:6 G2001:1 m0 o6",
	       "owner and others follow, too");
	is_int(rights(1002, 2000, "f"), 6,
	       "whose mode has nothing for the group: its list is not asked");
	is_int(rights(1002, 1002, "f"), 6, "others");
	sys_ok(set("f", ACCESS, "u6 g4 o4"), "a list that is a mode");
	is_str(show("f", ACCESS), "none", "is a mode");
	is_int(mode_of("f"), 0644, "it is set");
	must(set("f", ACCESS, "u6 U1001:6 g4 m6 o0"));
	sys_ok(removexattr("f", ACCESS), "remove");
	is_str(show("f", ACCESS), "none", "it is gone");
	is_int(mode_of("f"), 0660, "the mode stays");
}

static void
bad_lists(void)
{
	static const char *const bad[] = { "u6 U1001:4 g4 o0", "u6 g4", "u6 o0 g4", "u6 u6 g4 o0",
					   "u8 g4 o0" };
	struct list l;
	size_t size = parse(&l, "u6 U1001:4 g4 m4 o4");
	pid_t pid;

	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		sys_err(set("f", ACCESS, bad[i]), EINVAL, "%s", bad[i]);
	sys_err(setxattr("f", ACCESS, &l, size - 1, 0), EINVAL, "half an entry");
	sys_err(setxattr("f", ACCESS, &l, 3, 0), EINVAL, "half a header");
	l.version = 1;
	sys_err(setxattr("f", ACCESS, &l, size, 0), EOPNOTSUPP, "another version");
	sys_err(set("f", DEFAULT, "u6 g4 o4"), EACCES, "a default list of a file");
	must(symlink("f", "l"));
	l.version = 2;
	sys_err(lsetxattr("l", ACCESS, &l, size, 0), EOPNOTSUPP, "a list of a link");
	sys_err(getxattr("f", ACCESS, &l, 8) < 0 ? -1 : 0, ENODATA, "no list: no length");
	must(set("f", ACCESS, "u6 U1001:4 g4 m4 o4"));
	sys_err(getxattr("f", ACCESS, &l, 8), ERANGE, "a short buffer");
	is_int(getxattr("f", ACCESS, NULL, 0), (long)size, "the length");
	must(chown("f", 0, 0));
	pid = must(fork());
	if (pid == 0) {
		if (setgid(1001) || setuid(1001))
			_exit(100);
		_exit(set("f", ACCESS, "u6 g6 o6") == -1 && errno == EPERM ? 0 : 1);
	}
	is_exit(pid, 0, "only the owner may set one");
	must(removexattr("f", ACCESS));
}

static void
directories(void)
{
	char names[200];
	int fd;

	must(mkdir("d", 0700));
	put_file("d/inside", "x", 1);
	must(chmod("d/inside", 0644));
	is_int(rights(1001, 1001, "d/inside"), 0, "a directory that others may not search");
	must(set("d", ACCESS, "u7 U1001:1 g0 m1 o0"));
	is_int(rights(1001, 1001, "d/inside"), 4, "its list lets one user through");
	is_int(rights(1002, 1002, "d/inside"), 0, "and nobody else");

	must(set("d", ACCESS, "u7 g7 o7"));
	umask(027);
	put_file("d/before", "x", 1);
	is_int(mode_of("d/before"), 0640, "no default list: the umask");
	sys_ok(set("d", DEFAULT, "u7 U1001:6 g5 m7 o4"), "a default list");
	is_str(show("d", DEFAULT), "u7 U1001:6 g5 m7 o4", "it is there");
	is_str(show("d", ACCESS), "none", "it says nothing about the directory");
	must(fd = open("d/new", O_CREAT | O_EXCL | O_RDWR, 0666));
	is_int(mode_of("d/new"), 0664, "a new file: the list, not the umask");
	is_str(show("d/new", ACCESS), "u6 U1001:6 g5 m6 o4", "has the list, cut to its mode");
	close(fd);
	must(fd = open("d/private", O_CREAT | O_EXCL | O_RDWR, 0600));
	is_str(show("d/private", ACCESS), "u6 U1001:6 g5 m0 o0", "a private one");
	is_int(rights(1001, 1001, "d/private"), 0, "is private");
	close(fd);
	must(mkdir("d/sub", 0777));
	is_int(mode_of("d/sub"), 0774, "a new directory");
	is_str(show("d/sub", ACCESS), "u7 U1001:6 g5 m7 o4", "has the list for itself");
	is_str(show("d/sub", DEFAULT), "u7 U1001:6 g5 m7 o4", "and for what is made in it");
	must(mkfifo("d/sub/fifo", 0666));
	is_str(show("d/sub/fifo", ACCESS), "u6 U1001:6 g5 m6 o4", "a FIFO below that");
	must(symlink("x", "d/link"));
	is_int(mode_of("d/link"), 0777, "a link");
	must(set("d", DEFAULT, "u7 g5 o0"));
	must(mkdir("d/plain", 0777));
	is_int(mode_of("d/plain"), 0750, "a default list that is a mode");
	is_str(show("d/plain", ACCESS), "none", "gives a mode");
	is_str(show("d/plain", DEFAULT), "u7 g5 o0", "and is passed on");
	is_int(listxattr("d/sub", names, sizeof(names)), sizeof(ACCESS) + sizeof(DEFAULT),
	       "both are listed");
	sys_ok(removexattr("d", DEFAULT), "without it");
	put_file("d/after", "x", 1);
	is_int(mode_of("d/after"), 0640, "the umask is back");
	umask(022);
}

int
main(void)
{
	scratch();
	access_lists();
	bad_lists();
	directories();
	return done();
}
