/* SPDX-License-Identifier: MIT */
/* TEST: timeout=20 */
/* Path walks, opens and directory reads while mounts come and go under them. */
#include "../compat.h"
#include "../tap.h"
#include <pthread.h>
#include <sys/mount.h>

static volatile int stop;
static int bad, below, above;

static void *
walker(void *arg)
{
	struct stat st;
	char buf[8];

	(void)arg;
	while (!stop) {
		if (stat("m/f", &st) == 0)
			__atomic_fetch_add(st.st_size == 5 ? &below : &above, 1, __ATOMIC_RELAXED);
		else
			bad += errno != ENOENT;
		int fd = open("m/f", O_RDONLY | O_CLOEXEC);

		if (fd >= 0) {
			bad += read(fd, buf, 8) < 5;
			close(fd);
		} else {
			bad += errno != ENOENT;
		}
		/* a mount detached in mid-walk has nothing above its root */
		bad += stat("m/../marker", &st) && errno != ENOENT;
	}
	return NULL;
}

static void *
lister(void *arg)
{
	(void)arg;
	while (!stop) {
		DIR *d = opendir("m");

		if (!d) {
			bad++;
			continue;
		}
		while (readdir(d))
			;
		closedir(d);
		get_file("/proc/self/mountinfo");
	}
	return NULL;
}

int
main(void)
{
	pthread_t t[3];
	int errs = 0, busy = 0;

	scratch();
	must(unshare(CLONE_NEWNS));
	must(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
	must(mkdir("m", 0755));
	put_file("m/f", "below", 5);
	put_file("marker", "x", 1);
	must(mkdir("src", 0755));
	put_file("src/f", "above!", 6);
	must(pthread_create(&t[0], NULL, walker, NULL) ? -1 : 0);
	must(pthread_create(&t[1], NULL, walker, NULL) ? -1 : 0);
	must(pthread_create(&t[2], NULL, lister, NULL) ? -1 : 0);
	for (int i = 0; i < 300; i++) {
		errs += mount(i % 2 ? "src" : "none", "m", i % 2 ? NULL : "tmpfs",
			      i % 2 ? MS_BIND : 0, NULL) != 0;
		if (i % 3 == 0) {
			errs += umount2("m", MNT_DETACH) != 0;
		} else {
			while (umount("m") != 0) {
				if (errno != EBUSY) {
					errs++;
					break;
				}
				busy++;
			}
		}
	}
	stop = 1;
	for (int i = 0; i < 3; i++)
		pthread_join(t[i], NULL);
	is_int(errs, 0, "300 mounts and umounts");
	is_int(bad, 0, "walks beside them see one tree or the other, nothing else");
	ok(below > 0, "what lies below is there in between");
	struct stat st;

	must(stat("m/f", &st));
	is_int(st.st_size, 5, "and at the end");
	return done();
}
