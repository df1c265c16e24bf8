/* SPDX-License-Identifier: MIT */
/* Directories: getdents64 layout, small buffers, many entries, seeking, changes while reading. */
#include "../compat.h"
#include "../tap.h"

#define N 2000

static char seen[N];

static int
count(const char *path)
{
	DIR *d = opendir(path);
	int n = 0;

	while (readdir(d))
		n++;
	closedir(d);
	return n;
}

static int
read_all(int fd, size_t size, int *dots)
{
	char buf[4096];
	int n, total = 0, i;

	memset(seen, 0, sizeof(seen));
	*dots = 0;
	while ((n = syscall(SYS_getdents64, fd, buf, size)) > 0) {
		for (int off = 0; off < n;) {
			struct kt_dirent64 *e = (void *)(buf + off);

			if (e->d_reclen & 7 || e->d_reclen < 24)
				return -1;
			if (sscanf(e->d_name, "file-%d", &i) == 1 && i < N)
				total++, seen[i]++;
			else
				*dots += 1;
			off += e->d_reclen;
		}
	}
	return n < 0 ? -1 : total;
}

int
main(void)
{
	char name[32];
	struct dirent *e;
	struct stat st;
	int fd, i, bad, dots, r;
	long pos[3];
	DIR *d;

	scratch();
	must(mkdir("big", 0755));
	must(mkdir("types", 0755));
	for (i = 0; i < N; i++) {
		sprintf(name, "big/file-%d", i);
		fd = must(open(name, O_CREAT | O_WRONLY, 0600));
		close(fd);
	}
	is_int(count("big"), N + 2, "2000 entries, dot and dot dot");
	fd = must(open("big", O_RDONLY | O_DIRECTORY));
	is_int(read_all(fd, 4096, &dots), N, "with a buffer of 4096 bytes");
	for (bad = i = 0; i < N; i++)
		bad += seen[i] != 1;
	ok(bad == 0 && dots == 2, "each once");
	must(lseek(fd, 0, SEEK_SET));
	is_int(read_all(fd, 40, &dots), N, "with a buffer for one entry: nothing is lost");
	must(lseek(fd, 0, SEEK_SET));
	sys_err(syscall(SYS_getdents64, fd, name, 10), EINVAL, "a buffer too small for one");
	is_int(read_all(fd, 1024, &dots), N, "after that nothing is lost either");
	is_int(syscall(SYS_getdents64, fd, name, sizeof(name)), 0, "0 at the end");

	d = opendir("big");
	for (i = 0; i < 1000; i++) {
		if (i == 10 || i == 500 || i == 999)
			pos[i == 10 ? 0 : i == 500 ? 1 : 2] = telldir(d);
		e = readdir(d);
		if (i == 500)
			strcpy(name, e->d_name);
	}
	seekdir(d, pos[1]);
	e = readdir(d);
	is_str(e ? e->d_name : NULL, name, "seekdir goes back to the same entry");
	seekdir(d, pos[2]);
	for (i = 0; readdir(d); i++)
		;
	is_int(i, N + 2 - 999, "the rest from a later place");
	rewinddir(d);
	for (i = 0; readdir(d); i++)
		;
	is_int(i, N + 2, "rewinddir");

	/* remove entries while reading: none twice, no survivor missed */
	rewinddir(d);
	memset(seen, 0, sizeof(seen));
	for (bad = r = 0; (e = readdir(d)) != NULL;) {
		if (sscanf(e->d_name, "file-%d", &i) != 1)
			continue;
		bad += seen[i]++ != 0;
		if (i % 2) {
			sprintf(name, "big/file-%d", i);
			bad += unlink(name) != 0;
		}
		r++;
	}
	ok(bad == 0 && r == N, "removing each second entry while reading");
	is_int(count("big"), N / 2 + 2, "half is left");
	rewinddir(d);
	memset(seen, 0, sizeof(seen));
	for (r = 0; (e = readdir(d)) != NULL && r < 3 * N; r++) {
		if (sscanf(e->d_name, "file-%d", &i) == 1)
			seen[i]++;
		if (r % 10 == 0) {
			sprintf(name, "big/new-%d", r);
			close(open(name, O_CREAT | O_WRONLY, 0600));
		}
	}
	for (bad = i = 0; i < N; i += 2)
		bad += seen[i] != 1;
	ok(bad == 0 && r < 3 * N, "creating while reading: old ones once each, and it ends");
	closedir(d);

	put_file("types/f", "", 0);
	must(mkdir("types/d", 0755));
	must(symlink("x", "types/l"));
	must(mkfifo("types/p", 0600));
	must(mknod("types/s", S_IFSOCK | 0600, 0));
	must(mknod("types/c", S_IFCHR | 0600, 0x103));
	d = opendir("types");
	for (bad = r = 0; (e = readdir(d)) != NULL; r++) {
		must(fstatat(dirfd(d), e->d_name, &st, AT_SYMLINK_NOFOLLOW));
		bad += e->d_type != IFTODT(st.st_mode);
		bad += strcmp(e->d_name, "..") && e->d_ino != st.st_ino;
	}
	ok(bad == 0 && r == 8, "d_type and d_ino agree with stat");
	closedir(d);
	d = opendir("types");
	must(unlink("types/f"));
	must(unlink("types/l"));
	must(unlink("types/p"));
	must(unlink("types/s"));
	must(unlink("types/c"));
	must(rmdir("types/d"));
	must(rmdir("types"));
	is_int(readdir(d) == NULL, 1, "a removed directory is empty, without dots");
	closedir(d);
	sys_err(syscall(SYS_getdents64, 999, name, 32), EBADF, "bad descriptor");
	fd = must(open("f", O_CREAT | O_RDWR, 0600));
	sys_err(syscall(SYS_getdents64, fd, name, 32), ENOTDIR, "a file");
	fd = must(open("big", O_RDONLY));
	sys_err(syscall(SYS_getdents64, fd, at(8), 1000), EFAULT, "bad pointer");
	sys_err(opendir("missing") ? 0 : -1, ENOENT, "opendir of nothing");
	return done();
}
