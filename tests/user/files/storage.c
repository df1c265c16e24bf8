/* SPDX-License-Identifier: MIT */
/*
 * What programs expect of a file system that keeps things: bytes by every way in and out, names,
 * modes, times, links, device nodes. It runs on tmpfs, and by tests/system on ext4.
 */
#include "../compat.h"
#include "../tap.h"
#include <sys/file.h>
#include <sys/sendfile.h>
#include <sys/sysmacros.h>
#include <sys/uio.h>

static unsigned char big[4 << 20], back[4 << 20];

static off_t
size_of(const char *path)
{
	struct stat st;

	return lstat(path, &st) ? -1 : st.st_size;
}

static void
bytes(void)
{
	struct iovec three[3] = { { "one ", 4 }, { "two ", 4 }, { "three", 5 } };
	int fd = must(open("f", O_CREAT | O_RDWR, 0644)), good = 1;
	char buf[256] = "";

	is_int(write(fd, "hello", 5), 5, "write");
	is_int(pread(fd, buf, sizeof(buf), 0), 5, "read back");
	is_str(buf, "hello", "the same");
	must(ftruncate(fd, 0));
	must(lseek(fd, 0, SEEK_SET));
	for (int i = 0; i < 64; i++)
		good &= write(fd, big + i * 4096, 4096) == 4096;
	ok(good && size_of("f") == 256 << 10, "64 pages");
	must(ftruncate(fd, 0));
	must(lseek(fd, 0, SEEK_SET));
	is_int(writev(fd, three, 3), 13, "writev");
	memset(buf, 0, sizeof(buf));
	must(pread(fd, buf, sizeof(buf), 0));
	is_str(buf, "one two three", "in one piece");
	must(pwrite(fd, "tail", 4, 100));
	is_int(size_of("f"), 104, "pwrite behind the end");
	must(pread(fd, buf, 104, 0));
	ok(!memcmp(buf + 13, (char[87]){ 0 }, 87) && !memcmp(buf + 100, "tail", 4),
	   "a hole reads as zeroes");
	close(fd);
	fd = must(open("f", O_WRONLY | O_APPEND));
	must(write(fd, "more", 4));
	is_int(size_of("f"), 108, "O_APPEND after opening again");
	must(ftruncate(fd, 8192));
	close(fd);
	fd = must(open("f", O_RDONLY));
	is_int(pread(fd, back, 8192, 0), 8192, "truncated to more");
	ok(!memcmp(back + 104, "more", 4) && !back[108] &&
		   !memcmp(back + 108, back + 109, 8192 - 109),
	   "zeroes to the new end");
	close(fd);
}

static void
mappings(void)
{
	int fd = must(open("m", O_CREAT | O_RDWR, 0644));
	char *p;

	memset(back, 't', 5000);
	must(write(fd, back, 5000));
	p = (char *)must(mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0));
	memcpy(p, "header", 6);
	is_int(msync(p, 8192, MS_SYNC), 0, "msync");
	must(pread(fd, back, 16, 0));
	ok(!memcmp(back, "headertttt", 10), "a store is seen by read");
	memcpy(p, "HEADER", 6);
	memset(p + 5000, 'x', 100);
	munmap(p, 8192);
	close(fd);
	is_int(size_of("m"), 5000, "a mapping beyond the end does not make it longer");
	fd = must(open("m", O_RDWR));
	is_int(pread(fd, back, 8192, 0), 5000, "nor what is read");
	ok(!memcmp(back, "HEADERtttt", 10) && back[4999] == 't', "a store without msync is kept");
	close(fd);

	fd = must(open("large", O_CREAT | O_RDWR, 0644));
	is_int(write(fd, big, sizeof(big)), sizeof(big), "4 MiB");
	is_int(pread(fd, back, sizeof(back), 0), sizeof(back), "read");
	ok(!memcmp(big, back, sizeof(big)), "are the same");
	p = (char *)must(mmap(NULL, sizeof(big), PROT_READ, MAP_PRIVATE, fd, 0));
	ok(!memcmp(big, p, sizeof(big)), "mapped as well");
	munmap(p, sizeof(big));
	close(fd);
}

static void
copying(void)
{
	int from = must(open("large", O_RDONLY)), to = must(open("copy", O_CREAT | O_RDWR, 0644));
	off_t at = 4096;

	is_int(sendfile(to, from, &at, 1024), 1024, "sendfile from file to file");
	ok(at == 5120 && pread(to, back, 2000, 0) == 1024 && !memcmp(back, big + 4096, 1024),
	   "its bytes");
	close(from);
	close(to);
	to = must(open("sparse", O_CREAT | O_RDWR, 0644));
	must(pwrite(to, "the end!", 8, 1 << 20));
	is_int(size_of("sparse"), (1 << 20) + 8, "a sparse file");
	ok(pread(to, back, 4096, 500000) == 4096 && !back[0] && !memcmp(back, back + 1, 4095) &&
		   pread(to, back, 8, 1 << 20) == 8 && !memcmp(back, "the end!", 8),
	   "zeroes, then the data");
	close(to);
}

static void
names(void)
{
	char target[200], text[300];
	int count = 0;
	struct dirent *e;
	struct stat st, other;
	DIR *d;

	must(mkdir("d", 0755));
	for (int i = 0; i < 50; i++) {
		snprintf(text, sizeof(text), "d/file%d", i);
		put_file(text, "x", 1);
	}
	d = opendir("d");
	while ((e = readdir(d)))
		count += e->d_name[0] != '.';
	closedir(d);
	is_int(count, 50, "50 names");
	must(rename("d/file1", "d/renamed"));
	ok(access("d/file1", F_OK) && size_of("d/renamed") == 1, "rename");
	must(unlink("d/renamed"));
	sys_err(stat("d/renamed", &st), ENOENT, "unlink");
	must(link("d/file2", "d/second"));
	must(stat("d/file2", &st));
	must(stat("d/second", &other));
	ok(st.st_ino == other.st_ino && st.st_nlink == 2, "a hard link");

	/* Longer than what fits into an inode. */
	snprintf(text, sizeof(text),
		 "./././././././././././././././././././././././././././d/file3");
	must(symlink(text, "long"));
	memset(back, 0, sizeof(text));
	is_int(readlink("long", (char *)back, sizeof(text)), (int)strlen(text),
	       "a long link's length");
	is_str((char *)back, text, "its text");
	is_int(open("long", O_RDONLY) >= 0, 1, "it is followed");
	memset(target, '/', sizeof(target) - 1);
	strcpy(target + 100, "no/such/place");
	must(symlink(target, "absolute"));
	is_int(size_of("absolute"), (int)strlen(target), "a long absolute link");
	sys_err(open("absolute", O_RDONLY), ENOENT, "which leads nowhere");
}

static void
attributes(void)
{
	static const mode_t modes[] = { 0755, 0600, 0444 };
	struct timespec t[2] = { { 1700000000, 0 }, { 1700000000, 0 } };
	struct stat st;

	for (size_t i = 0; i < ARRAY_LEN(modes); i++) {
		must(chmod("f", modes[i]));
		must(stat("f", &st));
		is_int(st.st_mode & 07777, modes[i], "chmod %o", modes[i]);
	}
	must(utimensat(AT_FDCWD, "f", t, 0));
	must(stat("f", &st));
	ok(st.st_atime == 1700000000 && st.st_mtime == 1700000000, "times that were set");
	must(utimensat(AT_FDCWD, "f", NULL, 0));
	must(stat("f", &st));
	ok(st.st_mtime > 1700000000, "and now");
}

static void
devices(void)
{
	static const struct {
		const char *name;
		mode_t kind;
		unsigned major, minor;
	} node[] = { { "null", S_IFCHR, 1, 3 },
		     { "zero", S_IFCHR, 1, 5 },
		     { "block", S_IFBLK, 7, 200 },
		     { "far", S_IFCHR, 700, 70000 },
		     { "fifo", S_IFIFO, 0, 0 } };
	struct stat st;
	char c = 1;
	int fd;

	for (size_t i = 0; i < ARRAY_LEN(node); i++) {
		dev_t dev = makedev(node[i].major, node[i].minor);

		sys_ok(mknod(node[i].name, node[i].kind | 0644, dev), "mknod %s", node[i].name);
		must(lstat(node[i].name, &st));
		ok((st.st_mode & S_IFMT) == node[i].kind && st.st_rdev == dev,
		   "is what it was made");
	}
	fd = must(open("null", O_RDWR));
	ok(write(fd, "x", 1) == 1 && read(fd, &c, 1) == 0, "a null device works");
	close(fd);
	fd = must(open("zero", O_RDONLY));
	ok(read(fd, &c, 1) == 1 && c == 0, "a zero device, too");
	close(fd);
	sys_err(mknod("null", S_IFCHR | 0644, 0), EEXIST, "mknod of a name that is there");
}

static void
locks(void)
{
	int fd = must(open("f", O_RDONLY));
	pid_t pid;

	sys_ok(flock(fd, LOCK_EX), "flock, exclusive");
	pid = must(fork());
	if (pid == 0) {
		int own = open("f", O_RDONLY);

		_exit(flock(own, LOCK_EX | LOCK_NB) == -1 && errno == EWOULDBLOCK ? 0 : 1);
	}
	is_exit(pid, 0, "keeps others out");
	sys_ok(flock(fd, LOCK_SH), "shared");
	sys_ok(flock(fd, LOCK_UN), "unlocked");
	close(fd);
}

int
main(void)
{
	scratch();
	for (size_t i = 0; i < sizeof(big); i++)
		big[i] = (unsigned char)((i * 2654435761u) >> 13);
	bytes();
	mappings();
	copying();
	names();
	attributes();
	devices();
	locks();
	return done();
}
