/* SPDX-License-Identifier: MIT */
/* TEST: timeout=20 */
/* Chains of processes over pipes: a megabyte through ten stages, tokens around a ring. */
#include "../tap.h"

#define STAGES 10
#define BYTES  (1 << 20)
#define RING   16
#define LAPS   200

int
main(void)
{
	static char buf[65536];
	pid_t pid[RING + 1];
	int p[2], in = -1, n, bad = 0, ring[RING][2], v;
	long total = 0;
	unsigned long sum = 0, want = 0;

	for (int i = 0; i <= STAGES; i++) {
		must(pipe2(p, O_CLOEXEC));
		if ((pid[i] = fork()) == 0) {
			close(p[0]);
			if (i == 0) {
				for (long done_ = 0; done_ < BYTES; done_ += sizeof(buf)) {
					for (unsigned k = 0; k < sizeof(buf); k++)
						buf[k] = (done_ + k) * 13 >> 3;
					for (unsigned off = 0; off < sizeof(buf); off += n)
						if ((n = write(p[1], buf + off,
							       sizeof(buf) - off)) <= 0)
							_exit(1);
				}
				_exit(0);
			}
			while ((n = read(in, buf, 1000 * i)) > 0)
				for (int off = 0, w; off < n; off += w)
					if ((w = write(p[1], buf + off, n - off)) <= 0)
						_exit(1);
			_exit(n);
		}
		close(p[1]);
		if (in >= 0)
			close(in);
		in = p[0];
	}
	while ((n = read(in, buf, sizeof(buf))) > 0) {
		for (int k = 0; k < n; k++)
			sum = sum * 31 + (unsigned char)buf[k];
		total += n;
	}
	close(in);
	for (long i = 0; i < BYTES; i++)
		want = want * 31 + (unsigned char)(i * 13 >> 3);
	is_int(total, BYTES, "a megabyte passes ten stages");
	ok(sum == want, "in order and unchanged");
	for (int i = 0; i <= STAGES; i++)
		bad += reap(pid[i]) != 0;
	is_int(bad, 0, "every stage ends well");

	for (int i = 0; i < RING; i++)
		must(pipe(ring[i]));
	for (int i = 1; i < RING; i++)
		if ((pid[i] = fork()) == 0) {
			for (int l = 0; l < LAPS; l++) {
				if (read(ring[i - 1][0], &v, sizeof(v)) != sizeof(v))
					_exit(1);
				v++;
				if (write(ring[i][1], &v, sizeof(v)) != sizeof(v))
					_exit(2);
			}
			_exit(0);
		}
	for (int l = v = 0; l < LAPS; l++) {
		must(write(ring[0][1], &v, sizeof(v)));
		must(read(ring[RING - 1][0], &v, sizeof(v)));
	}
	is_int(v, LAPS * (RING - 1), "a token goes 200 times around a ring of 16");
	for (int i = 1; i < RING; i++)
		bad += reap(pid[i]) != 0;
	is_int(bad, 0, "every member ends well");
	return done();
}
