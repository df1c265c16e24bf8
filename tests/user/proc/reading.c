/* SPDX-License-Identifier: MIT */
/* How /proc files are read: in small pieces, at offsets, again after a seek, by many at once. */
#include "../tap.h"

static char whole[200000], parts[200000];

static int
read_by(const char *path, char *buf, size_t size, size_t step)
{
	int fd = open(path, O_RDONLY), n, total = 0;

	while (fd >= 0 && (n = read(fd, buf + total, step)) > 0 && total + step < size)
		total += n;
	close(fd);
	return total;
}

int
main(void)
{
	static const char *const stable[] = { "/proc/filesystems", "/proc/version",
					      "/proc/self/limits", "/proc/self/maps",
					      "/proc/devices" };
	struct stat st;
	int fd, n, m, bad = 0;
	pid_t pid[4];

	for (unsigned i = 0; i < ARRAY_LEN(stable); i++) {
		n = read_by(stable[i], whole, sizeof(whole), 65536);
		m = read_by(stable[i], parts, sizeof(parts), 7);
		ok(n > 0 && n == m && memcmp(whole, parts, n) == 0,
		   "%s reads the same in steps of 7", stable[i]);
	}
	fd = must(open("/proc/filesystems", O_RDONLY));
	n = read(fd, whole, 1000);
	is_int(read(fd, parts, 10), 0, "end of file stays");
	is_int(lseek(fd, 0, SEEK_SET), 0, "seek to the start");
	is_int(read(fd, parts, 1000), n, "reads it again");
	is_int(pread(fd, parts, 20, 5), 20, "pread");
	is_mem(parts, whole + 5, 20, "in the middle");
	is_int(lseek(fd, 10, SEEK_SET), 10, "seek into the middle");
	must(read(fd, parts, 5));
	is_mem(parts, whole + 10, 5, "goes on there");
	must(stat("/proc/version", &st));
	ok(S_ISREG(st.st_mode) && st.st_size == 0, "files of /proc have size 0");
	is_int(read_by("/proc/self/stat", whole, sizeof(whole), 1000) > 0, 1, "stat");
	/* 300 descriptors and mappings: long files are whole */
	for (n = 0; n < 300; n++) {
		must(dup(1));
		mmap(NULL, 4096 * (1 + n % 2), n % 2 ? PROT_READ : PROT_WRITE,
		     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	}
	n = read_by("/proc/self/maps", whole, sizeof(whole), 4096);
	for (m = 0; n > 0; n--)
		m += whole[n - 1] == '\n';
	ok(m >= 300, "maps lists them all");
	/* readers at the same time */
	for (n = 0; n < 4; n++)
		if ((pid[n] = fork()) == 0) {
			for (int i = 0; i < 100; i++) {
				DIR *d = opendir("/proc");
				struct dirent *e;
				char path[300];

				while ((e = readdir(d)) != NULL) {
					snprintf(path, sizeof(path), "/proc/%s/stat", e->d_name);
					if (atoi(e->d_name) > 0)
						get_file(path);
				}
				closedir(d);
				pid_t k = fork();
				if (k == 0)
					_exit(0);
				waitpid(k, NULL, 0);
			}
			_exit(0);
		}
	for (n = 0; n < 4; n++)
		bad += reap(pid[n]) != 0;
	is_int(bad, 0, "four processes read /proc while others come and go");
	return done();
}
