/* SPDX-License-Identifier: MIT */
/* overlayfs: looking through layers, copying up, whiteouts, opaque directories, renames, links,
 * open files, errors of mounting. On a tmpfs of its own, in a mount namespace of its own. */
#include "../compat.h"
#include "../tap.h"
#include <sys/mount.h>
#include <sys/statfs.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

#define OPTIONS "lowerdir=l1:l2,upperdir=u,workdir=w"

static struct stat st, st2;

static void
text(const char *path, const char *s)
{
	put_file(path, s, strlen(s));
}

/* The names of a directory, sorted, with a blank behind each. */
static const char *
names(const char *path)
{
	static char buf[4096];
	char *list[256];
	struct dirent *e;
	DIR *d = opendir(path);
	int n = 0;

	buf[0] = 0;
	if (!d)
		return strerror(errno);
	while ((e = readdir(d)) && n < 256)
		if (strcmp(e->d_name, ".") && strcmp(e->d_name, ".."))
			list[n++] = strdup(e->d_name);
	closedir(d);
	for (int i = 0; i < n; i++)
		for (int k = i + 1; k < n; k++)
			if (strcmp(list[i], list[k]) > 0) {
				char *t = list[i];

				list[i] = list[k];
				list[k] = t;
			}
	for (int i = 0; i < n; i++) {
		strcat(buf, list[i]);
		strcat(buf, " ");
		free(list[i]);
	}
	return buf;
}

static int
rename_flags(const char *old, const char *new, unsigned flags)
{
	return syscall(SYS_renameat2, AT_FDCWD, old, AT_FDCWD, new, flags);
}

static int
is_whiteout(const char *path)
{
	return lstat(path, &st) == 0 && S_ISCHR(st.st_mode) && st.st_rdev == 0;
}

static int
is_opaque(const char *path)
{
	char c = 0;

	return getxattr(path, "trusted.overlay.opaque", &c, 1) == 1 && c == 'y';
}

static void
remount(void)
{
	must(umount("m"));
	must(mount("overlay", "m", "overlay", 0, OPTIONS));
}

static void
mount_errors(void)
{
	const char *bad[] = { "",
			      "lowerdir=l1",
			      "upperdir=u,workdir=w",
			      "lowerdir=l1,upperdir=u",
			      "lowerdir=l1:l2,metacopy=maybe",
			      "lowerdir=l1,upperdir=u,workdir=u",
			      "lowerdir=l1,upperdir=u,workdir=u/in",
			      "lowerdir=l1:file",
			      "lowerdir=l1:l2,nonsense=1" };

	must(mkdir("u/in", 0755));
	for (unsigned i = 0; i < ARRAY_LEN(bad); i++)
		sys_err(mount("overlay", "m", "overlay", 0, bad[i]), EINVAL, "refused: %s", bad[i]);
	must(rmdir("u/in"));
	sys_err(mount("overlay", "m", "overlay", 0, "lowerdir=l1:nowhere"), ENOENT,
		"refused: a layer that is not there");
	sys_err(mount("overlay", "m", "overlay", 0, "lowerdir=l2:l2/d"), ELOOP,
		"refused: a layer within another");
}

static void
looking(void)
{
	struct statfs sf;

	is_str(names("m"), "cover d file gone hard1 hard2 only1 only2 white_below ",
	       "names of all layers");
	is_str(names("m/d"), "a b same ", "a merged directory");
	is_str(get_file("m/d/same"), "upper of both", "the higher layer wins");
	is_str(names("m/only2"), "deep x ", "a directory of one layer");
	sys_err(stat("m/white", &st), ENOENT, "a whiteout of a lower layer hides");
	ok(stat("m/white_below", &st) == 0, "and what is above it does not care");
	ok(S_ISREG((stat("m/cover", &st), st.st_mode)), "a file covers a directory");
	is_str(names("m/opaque_none"), strerror(ENOENT), "nothing made up");
	must(statfs("m", &sf));
	is_int(sf.f_type, 0x794c7630, "statfs says overlay");
	must(stat("m/d", &st));
	is_int(st.st_nlink, 1, "a merged directory has one link");
	must(stat("m", &st2));
	ok(st.st_dev == st2.st_dev, "directories have the overlay's device");
	must(stat("m/file", &st));
	must(stat("l2/file", &st2));
	ok(st.st_size == st2.st_size && st.st_mtim.tv_sec == st2.st_mtim.tv_sec,
	   "attributes shine through");
}

static void
copying_up(void)
{
	char buf[64] = "";
	int r = must(open("m/file", O_RDONLY)), w;
	ino_t ino;
	char *map;

	must(stat("m/file", &st));
	ino = st.st_ino;
	map = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, r, 0);
	ok(map != MAP_FAILED && !memcmp(map, "lower", 5), "mapped from the lower layer");
	sys_err(stat("u/file", &st2), ENOENT, "not yet copied");
	w = must(open("m/file", O_WRONLY | O_APPEND));
	ok(stat("u/file", &st2) == 0, "opening for writing copies");
	ok((st2.st_mode & 07777) == 0640 && st2.st_uid == 12 && st2.st_gid == 34, "mode and owner");
	is_int(st2.st_mtim.tv_sec, 1000000000, "time of change");
	is_int(getxattr("u/file", "user.colour", buf, sizeof(buf)), 3, "user attribute");
	is_mem(buf, "red", 3, "its value");
	must(fstat(r, &st2));
	is_int(st2.st_ino, ino, "the inode number stays");
	is_int(write(w, " more", 5), 5, "appended");
	is_int(pread(r, buf, sizeof(buf), 0), 15, "who had it open reads the copy");
	is_mem(buf, "lower file more", 15, "with what was appended");
	sys_ok(fsync(w), "fsync");
	sys_ok(fsync(r), "fsync of a reader");
	close(w);
	close(r);
	munmap(map, 4096);
	is_str(get_file("l2/file"), "lower file", "the lower file is as it was");
	/* Directories above come along. */
	text("m/only2/deep/f", "new text");
	ok(stat("u/only2/deep/f", &st) == 0, "with its directories");
	must(stat("u/only2", &st));
	is_int(st.st_mode & 07777, 01770, "mode of a copied directory");
	is_str(names("m/only2/deep"), "f g ", "and what is beside it is seen");
	sys_ok(chmod("m/d/a", 0600), "chmod");
	must(stat("u/d/a", &st));
	is_int(st.st_mode & 07777, 0600, "copies");
	must(stat("l2/d/a", &st));
	is_int(st.st_mode & 07777, 0644, "and leaves the lower one alone");
	sys_ok(truncate("m/d/b", 2), "truncate");
	is_str(get_file("m/d/b"), "b ", "copies what is left");
	sys_ok(setxattr("m/d/same", "user.k", "v", 1, 0), "setxattr");
	ok(getxattr("u/d/same", "user.k", buf, 8) == 1, "copies");
	w = must(open("m/d/same", O_WRONLY | O_TRUNC));
	close(w);
	must(stat("m/d/same", &st));
	is_int(st.st_size, 0, "O_TRUNC");
	w = must(open("m/big", O_CREAT | O_RDWR, 0600));
	is_int(pwrite(w, "end", 3, 300000), 3, "a new file");
	map = mmap(NULL, 303104, PROT_READ | PROT_WRITE, MAP_SHARED, w, 0);
	ok(map != MAP_FAILED, "mapped shared");
	map[5] = 'x';
	is_int(pread(w, buf, 1, 5), 1, "read");
	is_int(buf[0], 'x', "what the mapping wrote");
	is_int(lseek(w, 0, SEEK_END), 300003, "SEEK_END");
	munmap(map, 303104);
	close(w);
}

static void
removing(void)
{
	int r = must(open("m/gone", O_RDONLY));
	char buf[16];

	sys_ok(unlink("m/gone"), "unlink what is below");
	sys_err(stat("m/gone", &st), ENOENT, "it is gone");
	ok(is_whiteout("u/gone"), "a whiteout is left");
	is_int(read(r, buf, sizeof(buf)), 4, "who has it open can read");
	close(r);
	ok(!strstr(names("m"), "gone"), "not in the list");
	sys_err(mknod("m/w", S_IFCHR | 0600, makedev(0, 0)), EPERM,
		"no whiteouts through the overlay");
	text("m/gone", "again");
	is_str(get_file("m/gone"), "again", "made again");
	ok(lstat("u/gone", &st) == 0 && S_ISREG(st.st_mode), "in place of the whiteout");
	sys_ok(unlink("m/gone"), "and removed again");
	ok(is_whiteout("u/gone"), "with a whiteout again");
	text("m/fresh", "x");
	sys_ok(unlink("m/fresh"), "what is only above");
	sys_err(lstat("u/fresh", &st), ENOENT, "leaves nothing");

	sys_err(rmdir("m/d"), ENOTEMPTY, "a directory with lower names is not empty");
	sys_ok(unlink("m/d/a"), "unlink in it");
	sys_ok(unlink("m/d/b"), "another");
	sys_ok(unlink("m/d/same"), "the last");
	is_str(names("m/d"), "", "looks empty");
	ok(is_whiteout("u/d/a"), "full of whiteouts");
	sys_ok(rmdir("m/d"), "rmdir");
	ok(is_whiteout("u/d"), "covered by one whiteout");
	sys_ok(mkdir("m/d", 0750), "made again");
	is_str(names("m/d"), "", "is new and empty");
	ok(is_opaque("u/d"), "opaque");
	text("m/d/n", "n");
	remount();
	is_str(names("m/d"), "n ", "also after mounting again");
	is_str(names("w/work"), "", "nothing is left in the working directory");
}

static void
renaming(void)
{
	sys_err(rename("m/only1", "m/moved"), EXDEV, "a directory from below is not renamed");
	sys_ok(mkdir("m/own", 0755), "a directory of our own");
	text("m/own/f", "f");
	sys_ok(rename("m/own", "m/own2"), "is");
	is_str(get_file("m/own2/f"), "f", "with what is in it");
	sys_err(lstat("u/own", &st), ENOENT, "no whiteout where nothing was");
	sys_ok(rename("m/only1/one", "m/own2/one"), "a file from below");
	is_str(get_file("m/own2/one"), "first", "has its bytes");
	ok(is_whiteout("u/only1/one"), "leaves a whiteout");
	sys_err(stat("m/only1/one", &st), ENOENT, "and is gone from there");
	sys_ok(rename("m/own2/one", "m/only1/one"), "and back");
	is_str(get_file("m/only1/one"), "first", "in place of the whiteout");
	sys_ok(unlink("m/only1/one"), "unlink it");
	sys_ok(mkdir("m/only1/tmp", 0755), "a directory");
	sys_ok(rename("m/only1/tmp", "m/only1/one"), "onto a whiteout");
	ok(is_opaque("u/only1/one"), "becomes opaque");
	sys_err(lstat("u/only1/tmp", &st), ENOENT, "the whiteout does not stay behind");
	sys_ok(rename("m/own2/f", "m/only2/x"), "over a lower file");
	is_str(get_file("m/only2/x"), "f", "replaces it");
	sys_err(rename("m/own2", "m/only2"), ENOTEMPTY, "over a full directory");
	sys_err(rename_flags("m/own2", "m/only2", RENAME_NOREPLACE), EEXIST, "NOREPLACE");
	sys_err(rename_flags("m/own2", "m/o", RENAME_WHITEOUT), EINVAL, "WHITEOUT");
	text("m/e1", "one");
	text("m/e2", "two");
	sys_ok(rename_flags("m/e1", "m/e2", RENAME_EXCHANGE), "EXCHANGE");
	is_str(get_file("m/e1"), "two", "changed places");
	sys_ok(rename("m/own2", "m/only1/one"), "over an empty opaque directory");
	remount();
	is_str(names("m/only1"), "one ", "as it was, after mounting again");
}

static void
linking(void)
{
	must(stat("m/hard1", &st));
	is_int(st.st_nlink, 2, "links of a lower file");
	text("m/hard1", "apart");
	is_str(get_file("m/hard2"), "linked", "part when one is written");
	sys_ok(link("m/hard2", "m/hard3"), "link to a lower file");
	must(stat("m/hard2", &st));
	must(stat("m/hard3", &st2));
	ok(st.st_ino == st2.st_ino && st.st_dev == st2.st_dev && st.st_nlink == 2, "one inode");
	text("m/hard3", "both");
	is_str(get_file("m/hard2"), "both", "and one content");
	sys_ok(symlink("hard3", "m/soft"), "symlink");
	is_str(get_file("m/soft"), "both", "followed");
	sys_ok(unlink("m/white_below"), "a name");
	sys_ok(link("m/hard2", "m/white_below"), "link onto a whiteout");
	is_str(get_file("m/white_below"), "both", "is that file");
	sys_ok(mkfifo("m/fifo", 0600), "a fifo");
	ok(stat("m/fifo", &st) == 0 && S_ISFIFO(st.st_mode), "is one");
}

static void
attributes(void)
{
	char buf[256];
	ssize_t n;

	/* Newer kernels say that there is none. */
	ok(getxattr("m/d", "trusted.overlay.opaque", buf, 1) == -1 &&
		   (errno == EOPNOTSUPP || errno == ENODATA),
	   "the overlay's own attributes are not seen");
	sys_ok(setxattr("m/d", "trusted.mine", "1", 1, 0), "others can");
	n = listxattr("m/d", buf, sizeof(buf));
	ok(n == 13 && !memcmp(buf, "trusted.mine", 13), "and are all that is listed");
	sys_ok(removexattr("m/d", "trusted.mine"), "removed");
	sys_err(removexattr("m/d", "trusted.mine"), ENODATA, "once");
}

static void
owners(void)
{
	int fd;
	pid_t pid;

	must(chmod("m", 0777));
	must(mkdir("m/setgid", 0777));
	must(chown("m/setgid", 0, 77));
	must(chmod("m/setgid", 02777));
	must(mkdir("u2", 0755));
	pid = fork();
	if (!pid) {
		if (setgid(1234) || setuid(1234))
			_exit(1);
		umask(022);
		if (open("m/file", O_WRONLY) != -1 || errno != EACCES)
			_exit(2);
		if ((fd = open("m/gone", O_CREAT | O_WRONLY, 0644)) < 0) /* over a whiteout */
			_exit(3);
		if (fstat(fd, &st) || st.st_uid != 1234 || st.st_gid != 1234 ||
		    (st.st_mode & 07777) != 0644)
			_exit(4);
		if (mkdir("m/setgid/d", 0755) || stat("m/setgid/d", &st) || st.st_gid != 77 ||
		    !(st.st_mode & S_ISGID))
			_exit(5);
		_exit(0);
	}
	is_exit(pid, 0, "another user: refused, and owner of what it makes");
}

static void
read_only(void)
{
	must(umount("m"));
	sys_ok(mount("overlay", "m", "overlay", 0, "lowerdir=u:l1:l2"), "without an upper layer");
	sys_err(open("m/file", O_WRONLY), EROFS, "nothing is written");
	sys_err(mkdir("m/n", 0755), EROFS, "nor made");
	sys_err(unlink("m/file"), EROFS, "nor removed");
	is_str(get_file("m/file"), "lower file more", "it shows the same");
	sys_err(stat("m/only1/nothing", &st), ENOENT, "whiteouts count");
	sys_err(mount(NULL, "m", NULL, MS_REMOUNT, NULL), EROFS, "and stays read-only");
	must(umount("m"));
}

int
main(void)
{
	scratch();
	if (unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL)) {
		skip("not root", "a mount namespace");
		return done();
	}
	must(mkdir("t", 0755));
	must(mount("overlaytest", "t", "tmpfs", 0, NULL));
	must(chdir("t"));
	for (const char *s =
		     "l1\0l2\0u\0w\0m\0l1/d\0l2/d\0l1/only1\0l2/only2\0l2/only2/deep\0l2/cover\0";
	     *s; s += strlen(s) + 1)
		must(mkdir(s, 0755));
	text("file", "no directory");
	text("l2/d/a", "a");
	text("l1/d/b", "b text");
	text("l2/d/same", "lower of both");
	text("l1/d/same", "upper of both");
	text("l2/file", "lower file");
	must(chown("l2/file", 12, 34));
	must(chmod("l2/file", 0640));
	sys_ok(setxattr("l2/file", "user.colour", "red", 3, 0), "a user attribute on tmpfs");
	must(utimensat(AT_FDCWD, "l2/file",
		       (struct timespec[]){ { 900000000, 0 }, { 1000000000, 0 } }, 0));
	must(chmod("l2/only2", 01770));
	text("l2/only2/x", "x");
	text("l2/only2/deep/g", "g");
	text("l1/only1/one", "first");
	text("l1/cover", "file");
	text("l2/gone", "here");
	text("l2/white", "below a whiteout");
	must(mknod("l1/white", S_IFCHR, makedev(0, 0)));
	text("l2/white_below", "x");
	text("l2/hard1", "linked");
	must(link("l2/hard1", "l2/hard2"));

	mount_errors();
	sys_ok(mount("overlay", "m", "overlay", 0, OPTIONS), "mounted");
	looking();
	copying_up();
	removing();
	renaming();
	linking();
	attributes();
	owners();
	read_only();
	must(chdir(".."));
	must(umount2("t", MNT_DETACH));
	return done();
}
