/* SPDX-License-Identifier: MIT */
/* Concurrent writers: O_APPEND loses nothing; a shared offset neither; writes do not mix. */
#include "../tap.h"
#include <pthread.h>

#define WRITERS 4
#define RECORDS 300

struct record {
	int writer, serial, len;
	char fill[48];
};

static int shared_fd;

static void
record(struct record *r, int writer, int serial)
{
	memset(r, 0, sizeof(*r));
	r->writer = writer;
	r->serial = serial;
	memset(r->fill, 'a' + writer, sizeof(r->fill));
}

static void *
through_shared(void *arg)
{
	struct record r;

	for (int i = 0; i < RECORDS; i++) {
		record(&r, (int)(long)arg, i);
		if (write(shared_fd, &r, sizeof(r)) != sizeof(r))
			return (void *)1;
	}
	return NULL;
}

static void
verify(const char *file, const char *what)
{
	int last[WRITERS], n = 0, bad = 0, fd = must(open(file, O_RDONLY));
	struct record r, want;
	struct stat st;

	for (int i = 0; i < WRITERS; i++)
		last[i] = -1;
	while (read(fd, &r, sizeof(r)) == sizeof(r)) {
		n++;
		if (r.writer < 0 || r.writer >= WRITERS) {
			bad++;
			continue;
		}
		record(&want, r.writer, r.serial);
		bad += memcmp(&r, &want, sizeof(r)) != 0 || r.serial != last[r.writer] + 1;
		last[r.writer] = r.serial;
	}
	must(fstat(fd, &st));
	is_int(st.st_size, WRITERS * RECORDS * sizeof(r), "%s: nothing is lost", what);
	is_int(n, WRITERS * RECORDS, "%s: all records", what);
	is_int(bad, 0, "%s: whole and in order", what);
	close(fd);
}

int
main(void)
{
	pthread_t t[WRITERS];
	pid_t pid[WRITERS];
	struct record r;
	int i, bad = 0;

	scratch();
	put_file("a", "", 0);
	for (i = 0; i < WRITERS; i++)
		if ((pid[i] = fork()) == 0) {
			int fd = open("a", O_WRONLY | O_APPEND);

			for (int k = 0; k < RECORDS; k++) {
				record(&r, i, k);
				if (write(fd, &r, sizeof(r)) != sizeof(r))
					_exit(1);
			}
			_exit(0);
		}
	for (i = 0; i < WRITERS; i++)
		bad += reap(pid[i]) != 0;
	is_int(bad, 0, "four processes append");
	verify("a", "O_APPEND");
	shared_fd = must(open("b", O_WRONLY | O_CREAT, 0600));
	for (i = 0; i < WRITERS; i++)
		must(pthread_create(&t[i], NULL, through_shared, (void *)(long)i) ? -1 : 0);
	for (i = 0; i < WRITERS; i++)
		pthread_join(t[i], NULL);
	verify("b", "one descriptor, four threads");
	return done();
}
