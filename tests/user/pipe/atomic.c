/* SPDX-License-Identifier: MIT */
/* Writes of up to PIPE_BUF bytes by several processes never mix; each wakes its reader. */
#include "../tap.h"

#define WRITERS 4
#define RECORDS 200

int
main(void)
{
	char rec[4096], buf[4096];
	int p[2], counts[WRITERS] = { 0 }, bad = 0, n;
	size_t sizes[WRITERS] = { 4096, 1000, 64, 3000 }, got;
	pid_t pid[WRITERS];

	must(pipe(p));
	for (int i = 0; i < WRITERS; i++)
		if ((pid[i] = fork()) == 0) {
			close(p[0]);
			memset(rec, 'A' + i, sizeof(rec));
			for (int k = 0; k < RECORDS; k++)
				if (write(p[1], rec, sizes[i]) != (ssize_t)sizes[i])
					_exit(1);
			_exit(0);
		}
	close(p[1]);
	for (;;) {
		char first;

		n = read(p[0], &first, 1);
		if (n <= 0)
			break;
		int w = first - 'A';

		if (w < 0 || w >= WRITERS) {
			bad++;
			break;
		}
		for (got = 1; got < sizes[w]; got += n) {
			n = read(p[0], buf, sizes[w] - got);
			if (n <= 0)
				break;
			for (int i = 0; i < n; i++)
				bad += buf[i] != first;
		}
		counts[w]++;
	}
	is_int(bad, 0, "no record is interrupted by another");
	for (int i = 0; i < WRITERS; i++) {
		is_int(counts[i], RECORDS, "all records of writer %d", i);
		is_exit(pid[i], 0, "writer %d ends well", i);
	}
	return done();
}
