/* SPDX-License-Identifier: MIT */
/* /dev/kmsg: what is written can be read back as records; syslog sees it too. */
#include "../tap.h"
#include <sys/klog.h>

int
main(void)
{
	char buf[8192], *log;
	int fd, rd, found = 0, prio = -1, n;
	unsigned long long seq = 0, last = 0;
	int order = 0, count = 0;

	fd = must(open("/dev/kmsg", O_WRONLY));
	rd = must(open("/dev/kmsg", O_RDONLY | O_NONBLOCK));
	must(lseek(rd, 0, SEEK_END));
	sys_err(read(rd, buf, sizeof(buf)), EAGAIN, "nothing behind the end");
	is_int(write(fd, "<5>kevlar kmsg test\n", 20), 20, "write a line");
	for (int i = 0; i < 100 && !found; i++) {
		n = read(rd, buf, sizeof(buf) - 1);
		if (n < 0)
			continue;
		buf[n] = 0;
		if (strstr(buf, ";kevlar kmsg test\n"))
			found = sscanf(buf, "%d,%llu", &prio, &seq) == 2;
	}
	ok(found, "it is read back as prio,seq,time,-;text");
	is_int(prio & 7, 5, "with its level");
	sys_err(read(rd, buf, 5), EAGAIN, "then nothing more");
	must(lseek(rd, 0, SEEK_SET));
	while ((n = read(rd, buf, sizeof(buf))) > 0) {
		if (sscanf(buf, "%d,%llu", &prio, &seq) != 2 || (count && seq <= last))
			order++;
		last = seq;
		count++;
	}
	ok(count > 0 && order == 0, "from the start, records come in order");
	must(lseek(rd, 0, SEEK_SET));
	sys_err(read(rd, buf, 3), EINVAL, "a buffer too small for a record");
	n = klogctl(10, NULL, 0);
	log = malloc(n + 1);
	n = klogctl(3, log, n);
	ok(n > 0, "syslog reads all");
	log[n > 0 ? n : 0] = 0;
	ok(strstr(log, "kevlar kmsg test") != NULL, "and sees the line");
	sys_err(lseek(rd, 5, SEEK_SET), ESPIPE, "no other positions");
	return done();
}
