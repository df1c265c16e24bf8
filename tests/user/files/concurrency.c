/* SPDX-License-Identifier: MIT */
/* Threads work on the same names at the same time: each outcome is one of the allowed ones. */
#include "../compat.h"
#include "../tap.h"
#include <pthread.h>

#define THREADS 4
#define ROUNDS	300

static int bad, made, removed;

static void
fail(int cond)
{
	if (cond)
		__atomic_fetch_add(&bad, 1, __ATOMIC_RELAXED);
}

static void *
create_unlink(void *arg)
{
	char name[32];

	(void)arg;
	for (int i = 0; i < ROUNDS; i++) {
		sprintf(name, "c/%d", i % 8);
		int fd = open(name, O_CREAT | O_EXCL | O_RDWR, 0600);

		if (fd >= 0) {
			__atomic_fetch_add(&made, 1, __ATOMIC_RELAXED);
			close(fd);
		} else {
			fail(errno != EEXIST);
		}
		if (unlink(name) == 0)
			__atomic_fetch_add(&removed, 1, __ATOMIC_RELAXED);
		else
			fail(errno != ENOENT);
	}
	return NULL;
}

static void *
renamer(void *arg)
{
	long id = (long)arg;

	for (int i = 0; i < ROUNDS; i++) {
		const char *a = (i + id) % 2 ? "r/a" : "r/b", *b = (i + id) % 2 ? "r/b" : "r/a";

		fail(rename(a, b) && errno != ENOENT);
	}
	return NULL;
}

static void *
dir_mover(void *arg)
{
	long id = (long)arg;

	/* x/d -> y/d, y/d -> x/d and x -> y/sub: never a loop, never a lost tree */
	for (int i = 0; i < ROUNDS; i++) {
		if (id == 0)
			fail(rename("m/x/d", "m/y/d") && errno != ENOENT && errno != ENOTEMPTY &&
			     errno != EEXIST);
		else if (id == 1)
			fail(rename("m/y/d", "m/x/d") && errno != ENOENT && errno != ENOTEMPTY &&
			     errno != EEXIST);
		else if (id == 2)
			fail(rename("m/x", "m/y/sub") && errno != ENOENT && errno != EINVAL &&
			     errno != ENOTEMPTY);
		else
			fail(rename("m/y/sub", "m/x") && errno != ENOENT && errno != EINVAL &&
			     errno != ENOTEMPTY);
	}
	return NULL;
}

static void *
walker(void *arg)
{
	struct stat st;

	(void)arg;
	for (int i = 0; i < ROUNDS * 4; i++)
		fail(stat("w/cur/f", &st) && errno != ENOENT);
	return NULL;
}

static void *
swapper(void *arg)
{
	(void)arg;
	for (int i = 0; i < ROUNDS; i++)
		fail(syscall(SYS_renameat2, AT_FDCWD, "w/cur", AT_FDCWD, "w/other",
			     RENAME_EXCHANGE) != 0);
	return NULL;
}

static int
count(const char *dir)
{
	DIR *d = opendir(dir);
	int n = -2;

	while (d && readdir(d))
		n++;
	if (d)
		closedir(d);
	return n;
}

static void
run(void *(*fn)(void *), void *(*last)(void *))
{
	pthread_t t[THREADS];

	for (long i = 0; i < THREADS; i++)
		must(pthread_create(&t[i], NULL, i == THREADS - 1 ? last : fn, (void *)i) ? -1 : 0);
	for (int i = 0; i < THREADS; i++)
		pthread_join(t[i], NULL);
}

int
main(void)
{
	struct stat st;

	scratch();
	must(mkdir("c", 0755));
	run(create_unlink, create_unlink);
	is_int(bad, 0, "exclusive creation and unlinking: no strange error");
	is_int(made - removed, count("c"), "each created file is removed once or still there");
	must(mkdir("r", 0755));
	put_file("r/a", "A", 1);
	put_file("r/b", "B", 1);
	run(renamer, renamer);
	is_int(bad, 0, "two names renamed onto each other: no strange error");
	is_int(count("r"), 1, "one file is left");
	must(mkdir("m", 0755));
	must(mkdir("m/x", 0755));
	must(mkdir("m/y", 0755));
	must(mkdir("m/x/d", 0755));
	put_file("m/x/d/file", "treasure", 8);
	run(dir_mover, dir_mover);
	is_int(bad, 0, "directories moved across each other: no strange error");
	is_int(stat("m/x/d/file", &st) == 0 || stat("m/y/d/file", &st) == 0 ||
		       stat("m/y/sub/d/file", &st) == 0,
	       1, "the file is still reachable");
	must(mkdir("w", 0755));
	must(mkdir("w/cur", 0755));
	must(mkdir("w/other", 0755));
	put_file("w/cur/f", "1", 1);
	put_file("w/other/f", "2", 1);
	run(walker, swapper);
	is_int(bad, 0, "walks through a directory being exchanged never fail");
	return done();
}
