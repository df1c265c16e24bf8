/* SPDX-License-Identifier: MIT */
/* madvise: DONTNEED really drops, FREE may, hints are accepted, errors are precise. */
#include "../compat.h"
#include "../probe.h"

#define RW (PROT_READ | PROT_WRITE)

int
main(void)
{
	static const struct {
		int advice;
		const char *name;
	} hints[] = {
		{ MADV_NORMAL, "NORMAL" },
		{ MADV_RANDOM, "RANDOM" },
		{ MADV_SEQUENTIAL, "SEQUENTIAL" },
		{ MADV_WILLNEED, "WILLNEED" },
		{ MADV_COLD, "COLD" },
		{ MADV_PAGEOUT, "PAGEOUT" },
		{ MADV_DONTFORK, "DONTFORK" },
		{ MADV_DOFORK, "DOFORK" },
		{ MADV_DONTDUMP, "DONTDUMP" },
		{ MADV_DODUMP, "DODUMP" },
	};
	unsigned char *p = anon(16, RW), *q;
	int fd, i, bad;
	pid_t pid;

	scratch();
	for (i = 0; i < (int)ARRAY_LEN(hints); i++) {
		memset(p, 0x66, 16 * PAGE);
		sys_ok(madvise(p, 16 * PAGE, hints[i].advice), "%s is accepted", hints[i].name);
		ok(all_bytes(p, 0x66, 16 * PAGE), "%s keeps data", hints[i].name);
	}
	sys_ok(madvise(p + 2 * PAGE, 3 * PAGE, MADV_DONTNEED), "DONTNEED");
	ok(all_bytes(p + 2 * PAGE, 0, 3 * PAGE), "DONTNEED pages read as zero");
	ok(all_bytes(p, 0x66, 2 * PAGE) && all_bytes(p + 5 * PAGE, 0x66, 11 * PAGE),
	   "other pages keep data");
	sys_ok(madvise(p, 1, MADV_DONTNEED), "length is rounded up");
	ok(all_bytes(p, 0, PAGE), "to the page");
	sys_ok(madvise(p, 0, MADV_DONTNEED), "length 0");
	memset(p, 0x77, 4 * PAGE);
	sys_ok(madvise(p, 4 * PAGE, MADV_FREE), "FREE");
	for (bad = i = 0; i < 4; i++)
		bad += !(all_bytes(p + i * PAGE, 0, PAGE) || all_bytes(p + i * PAGE, 0x77, PAGE));
	is_int(bad, 0, "a freed page is whole: old or zero");
	memset(p, 0x78, 4 * PAGE);
	ok(all_bytes(p, 0x78, 4 * PAGE), "a freed page written again is kept");

	sys_ok(madvise(p, PAGE, MADV_DONTFORK), "DONTFORK one page");
	if ((pid = fork()) == 0)
		_exit(probe_read(p) == SIGSEGV && probe_read(p + PAGE) == 0 ? 0 : 1);
	is_exit(pid, 0, "the child lacks just that page");
	must(madvise(p, PAGE, MADV_DOFORK));
	sys_ok(madvise(p, PAGE, MADV_WIPEONFORK), "WIPEONFORK");
	if ((pid = fork()) == 0)
		_exit(all_bytes(p, 0, PAGE) && all_bytes(p + PAGE, 0x78, PAGE) ? 0 : 1);
	is_exit(pid, 0, "the child sees zeros just there");
	ok(all_bytes(p, 0x78, PAGE), "the parent keeps its data");
	sys_ok(madvise(p, PAGE, MADV_KEEPONFORK), "KEEPONFORK");
	if ((pid = fork()) == 0)
		_exit(all_bytes(p, 0x78, PAGE) ? 0 : 1);
	is_exit(pid, 0, "the child sees the data again");

	q = anon(4, RW);
	sys_ok(madvise(q, 4 * PAGE, MADV_POPULATE_WRITE), "POPULATE_WRITE");
	ok(all_bytes(q, 0, 4 * PAGE), "populated pages are zero");
	sys_ok(madvise(q, 4 * PAGE, MADV_POPULATE_READ), "POPULATE_READ");
	must(mprotect(q, PAGE, PROT_READ));
	sys_err(madvise(q, PAGE, MADV_POPULATE_WRITE), EINVAL,
		"POPULATE_WRITE of a read-only mapping");

	put_file("f", "abc", 3);
	fd = must(open("f", O_RDWR));
	q = mmap(NULL, PAGE, RW, MAP_PRIVATE, fd, 0);
	q[0] = 'Z';
	sys_ok(madvise(q, PAGE, MADV_DONTNEED), "DONTNEED of a private file page");
	is_mem(q, "abc", 3, "shows the file again");
	sys_err(madvise(q, PAGE, MADV_FREE), EINVAL, "FREE of a file mapping");
	sys_err(madvise(q, PAGE, MADV_WIPEONFORK), EINVAL, "WIPEONFORK of a file mapping");
	q = mmap(NULL, PAGE, RW, MAP_SHARED, fd, 0);
	q[1] = 'Y';
	sys_ok(madvise(q, PAGE, MADV_DONTNEED), "DONTNEED of a shared file page");
	is_mem(q, "aYc", 3, "keeps the file's data");
	sys_ok(madvise(q, PAGE, MADV_REMOVE), "REMOVE of a shared tmpfs page");
	ok(all_bytes(q, 0, 3), "punches a hole");

	sys_err(madvise(p + 1, PAGE, MADV_NORMAL), EINVAL, "unaligned address");
	sys_err(madvise(p, PAGE, 9999), EINVAL, "unknown advice");
	sys_err(madvise(p, -PAGE, MADV_NORMAL), EINVAL, "length that wraps");
	must(munmap(p + 2 * PAGE, PAGE));
	memset(p, 0x11, 2 * PAGE);
	p[3 * PAGE] = 0x12;
	sys_err(madvise(p, 4 * PAGE, MADV_DONTNEED), ENOMEM, "DONTNEED across a hole");
	ok(p[0] == 0 && p[3 * PAGE] == 0, "still drops what is mapped on both sides");
	sys_err(madvise(p + 2 * PAGE, PAGE, MADV_WILLNEED), ENOMEM, "nothing mapped");
	return done();
}
