/* SPDX-License-Identifier: MIT */
/* The auxiliary vector: every entry libc uses, and /proc/self/auxv. */
#include "../tap.h"
#include <elf.h>
#include <sys/auxv.h>
#ifndef AT_MINSIGSTKSZ
#define AT_MINSIGSTKSZ 51
#endif

extern char **environ;

int
main(int argc, char **argv)
{
	Elf64_auxv_t *av, *a;
	char **e = environ, *file;
	Elf64_Phdr *ph;
	unsigned long seen = 0, v, fileval = 0;
	int loads = 0, fd, n;
	char buf[4096], exe[PATH_MAX];
	unsigned char *r;
	unsigned long hwcap = 0;

	(void)argc;
	if (getenv("KT_RANDOM")) { /* second run: print the random bytes and leave */
		r = (void *)getauxval(AT_RANDOM);
		return write(3, r, 16) != 16;
	}
	while (*e++)
		;
	av = (void *)e;
	for (a = av; a->a_type != AT_NULL; a++) {
		if (a->a_type == AT_HWCAP)
			hwcap = a->a_un.a_val; /* glibc answers getauxval with its own idea */
		if (a->a_type < 64)
			seen |= 1UL << a->a_type;
	}
	ok(a - av >= 15, "the vector follows the environment");
#define HAS(t) ok(seen >> t & 1, #t " is present")
	HAS(AT_PHDR), HAS(AT_PHENT), HAS(AT_PHNUM), HAS(AT_PAGESZ), HAS(AT_BASE), HAS(AT_FLAGS),
		HAS(AT_ENTRY);
	HAS(AT_UID), HAS(AT_EUID), HAS(AT_GID), HAS(AT_EGID), HAS(AT_SECURE), HAS(AT_RANDOM),
		HAS(AT_EXECFN);
	HAS(AT_PLATFORM), HAS(AT_HWCAP), HAS(AT_HWCAP2), HAS(AT_CLKTCK), HAS(AT_SYSINFO_EHDR),
		HAS(AT_MINSIGSTKSZ);
	is_int(getauxval(AT_PAGESZ), 4096, "AT_PAGESZ");
	is_int(getauxval(AT_PHENT), sizeof(Elf64_Phdr), "AT_PHENT");
	is_int(getauxval(AT_CLKTCK), 100, "AT_CLKTCK");
	is_int(getauxval(AT_BASE), 0, "AT_BASE of a static program");
	is_int(getauxval(AT_FLAGS), 0, "AT_FLAGS");
	is_int(getauxval(AT_SECURE), 0, "AT_SECURE");
	ok(getauxval(AT_UID) == getuid() && getauxval(AT_EUID) == geteuid() &&
		   getauxval(AT_GID) == getgid() && getauxval(AT_EGID) == getegid(),
	   "the ids");
	is_str((char *)getauxval(AT_PLATFORM), "x86_64", "AT_PLATFORM");
	ok(hwcap & 1, "AT_HWCAP is CPUID 1 EDX: an FPU is there");
	ok(getauxval(AT_MINSIGSTKSZ) >= 1024 && getauxval(AT_MINSIGSTKSZ) < 65536,
	   "AT_MINSIGSTKSZ is plausible");
	ph = (void *)getauxval(AT_PHDR);
	n = getauxval(AT_PHNUM);
	for (int i = 0; i < n; i++)
		loads += ph[i].p_type == PT_LOAD;
	ok(n > 0 && loads > 0, "AT_PHDR points to the program headers");
	extern void _start(void);
	ok(getauxval(AT_ENTRY) == (uintptr_t)_start, "AT_ENTRY is _start");
	ok(memcmp((void *)getauxval(AT_SYSINFO_EHDR), ELFMAG, SELFMAG) == 0,
	   "AT_SYSINFO_EHDR is an ELF image");
	file = (char *)getauxval(AT_EXECFN);
	ok(file && access(file, X_OK) == 0, "AT_EXECFN names the program");
	exe[must(readlink("/proc/self/exe", exe, sizeof(exe) - 1))] = 0;
	ok(file && (strcmp(file, argv[0]) == 0 || strcmp(file, exe) == 0), "as it was executed");

	fd = must(open("/proc/self/auxv", O_RDONLY));
	n = read(fd, buf, sizeof(buf));
	ok(n > 0 && n % 16 == 0, "/proc/self/auxv is whole entries");
	for (a = (void *)buf; (char *)a < buf + n; a++)
		if (a->a_type == AT_ENTRY)
			fileval = a->a_un.a_val;
	ok(fileval == getauxval(AT_ENTRY), "with the same values");
	ok(memcmp(buf, av, 16 * 15) == 0, "in the same order");

	/* AT_RANDOM differs between two runs and is 16 bytes somewhere readable */
	r = (void *)getauxval(AT_RANDOM);
	for (v = 0, n = 0; n < 16; n++)
		v |= r[n];
	ok(v != 0, "AT_RANDOM is not all zero");
	int p[2];
	must(pipe(p));
	pid_t pid = fork();
	if (pid == 0) {
		char *av2[] = { "auxv", NULL }, *ev[] = { "KT_RANDOM=1", NULL };

		dup2(p[1], 3);
		execve("/proc/self/exe", av2, ev);
		_exit(127);
	}
	is_exit(pid, 0, "a second run");
	ok(read(p[0], buf, 16) == 16 && memcmp(buf, r, 16) != 0, "has other random bytes");
	return done();
}
