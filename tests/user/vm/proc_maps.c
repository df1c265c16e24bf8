/* SPDX-License-Identifier: MIT */
/* /proc/self/maps: fields, names, permissions, order, merging. */
#include "../probe.h"

struct line {
	unsigned long start, end, off, ino;
	unsigned major, minor;
	char perms[8], name[256];
};

static char *text;

static int
parse(const char *s, struct line *l)
{
	l->name[0] = 0;
	return sscanf(s, "%lx-%lx %7s %lx %x:%x %lu%*[ ]%255[^\n]", &l->start, &l->end, l->perms,
		      &l->off, &l->major, &l->minor, &l->ino, l->name) >= 7;
}

static int
find(const void *addr, const char *name, struct line *l)
{
	text = get_file("/proc/self/maps");
	for (char *s = text; s && *s; s = strchr(s, '\n') + 1) {
		if (!parse(s, l))
			return 0;
		if (addr ? (uintptr_t)addr >= l->start && (uintptr_t)addr < l->end
			 : !strcmp(l->name, name))
			return 1;
	}
	return 0;
}

int
main(void)
{
	struct line l, prev = { 0 };
	unsigned char *p;
	char want[PATH_MAX], exe[PATH_MAX], head[64];
	int fd, local, bad = 0, n = 0;
	struct stat st;

	scratch();
	must(syscall(SYS_brk, syscall(SYS_brk, 0) + 3 * PAGE));
	text = get_file("/proc/self/maps");
	for (char *s = text; s && *s; s = strchr(s, '\n') + 1, n++) {
		bad += !parse(s, &l) || l.start >= l.end || (l.start & 4095) || (l.end & 4095) ||
		       (l.start < prev.end && prev.end < 1UL << 47);
		prev = l;
	}
	ok(n >= 5 && bad == 0, "every line parses, in order, without overlap");
	ok(find(&local, NULL, &l) && !strcmp(l.name, "[stack]"), "a local variable is in [stack]");
	is_str(l.perms, "rw-p", "[stack] permissions");
	ok(find((void *)(syscall(SYS_brk, 0) - 1), NULL, &l), "the break is mapped");
	is_str(l.name, "[heap]", "as [heap]");
	is_str(l.perms, "rw-p", "[heap] permissions");
	ok(find(NULL, "[vdso]", &l), "[vdso] is there");
	is_str(l.perms, "r-xp", "[vdso] permissions");
	exe[must(readlink("/proc/self/exe", exe, sizeof(exe) - 1))] = 0;
	ok(find((void *)(uintptr_t)main, NULL, &l), "the text is mapped");
	is_str(l.name, exe, "with the program's path");
	is_str(l.perms, "r-xp", "text permissions");
	must(stat("/proc/self/exe", &st));
	is_int(l.ino, st.st_ino, "and its inode number");

	p = anon(4, PROT_READ | PROT_WRITE);
	snprintf(head, sizeof(head), "\n%08lx-", (unsigned long)p);
	must(mprotect(p, PAGE, PROT_NONE));
	find(p, NULL, &l);
	ok(l.start == (uintptr_t)p || l.end == (uintptr_t)p + PAGE,
	   "a protected page is a mapping of its own");
	is_str(l.perms, "---p", "PROT_NONE shows as ---p");
	ok(l.off == 0 && l.major == 0 && l.minor == 0 && l.ino == 0 && !l.name[0],
	   "anonymous fields are zero");
	must(mprotect(p, PAGE, PROT_READ | PROT_WRITE));
	find(p + PAGE, NULL, &l);
	ok(l.start <= (uintptr_t)p && l.end >= (uintptr_t)p + 4 * PAGE,
	   "equal neighbours merge again");
	must(munmap(p + PAGE, PAGE));
	ok(!find(p + PAGE, NULL, &l), "an unmapped page is not listed");

	put_file("name with space", "x", 1);
	fd = must(open("name with space", O_RDWR));
	must(ftruncate(fd, 3 * PAGE));
	p = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 2 * PAGE);
	ok(find(p, NULL, &l), "a file map is listed");
	snprintf(want, sizeof(want), "%s/name with space", tap_dir);
	is_str(l.name, want, "with its path");
	is_str(l.perms, "r--s", "shared permissions");
	is_int(l.off, 2 * PAGE, "and offset");
	must(unlink("name with space"));
	find(p, NULL, &l);
	strcat(want, " (deleted)");
	is_str(l.name, want, "a deleted file is marked");
	p = shared_alloc(PAGE);
	find(p, NULL, &l);
	is_str(l.name, "/dev/zero (deleted)", "shared anonymous memory has its name");
	is_str(l.perms, "rw-s", "and is shared");
	return done();
}
