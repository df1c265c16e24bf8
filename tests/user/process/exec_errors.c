/* SPDX-License-Identifier: MIT */
/* exec refusals: paths, permissions, busy text, damaged ELF files. */
#include "../compat.h"
#include "../tap.h"
#include <elf.h>

static int
try(const char *path)
{
	int st;
	pid_t pid = must(fork());

	if (pid == 0) {
		char *argv[] = { "x", "run", NULL };

		execve(path, argv, NULL);
		_exit(errno);
	}
	st = reap(pid);
	return WIFEXITED(st) ? WEXITSTATUS(st) : 1000 + WTERMSIG(st);
}

static unsigned char image[4 << 20];
static size_t image_len;

static int
damaged(size_t off, const void *data, size_t len, size_t cut)
{
	unsigned char save[64];
	int r;

	memcpy(save, image + off, len);
	memcpy(image + off, data, len);
	put_file("elf", image, cut ? cut : image_len);
	must(chmod("elf", 0755));
	r = try("./elf");
	memcpy(image + off, save, len);
	return r;
}

int
main(int argc, char **argv)
{
	char longname[300], nested[5000];
	Elf64_Ehdr *eh = (void *)image;
	uint16_t u16;
	uint64_t u64;
	int fd, r, st;
	pid_t pid;

	(void)argv;
	if (argc > 1)
		return 77;
	scratch();
	copy_self("prog", 0755);
	is_int(try("./prog"), 77, "a copy runs");
	is_int(try("./missing"), ENOENT, "no such file");
	is_int(try("./missing/prog"), ENOENT, "no such directory");
	is_int(try("./prog/x"), ENOTDIR, "a file as directory");
	is_int(try(""), ENOENT, "empty path");
	is_int(try("."), EACCES, "a directory");
	memset(longname, 'a', 299);
	longname[299] = 0;
	is_int(try(longname), ENAMETOOLONG, "a component of 299 bytes");
	memset(nested, '/', sizeof(nested) - 1);
	nested[sizeof(nested) - 1] = 0;
	is_int(try(nested), ENAMETOOLONG, "a path of 4999 bytes");
	must(symlink("loop", "loop"));
	is_int(try("./loop"), ELOOP, "a symlink loop");
	must(symlink("prog", "link"));
	is_int(try("./link"), 77, "a symlink is followed");
	is_int(try(at(8)), EFAULT, "bad path pointer");
	must(chmod("prog", 0644));
	is_int(try("./prog"), EACCES, "no x bit, even as root");
	must(chmod("prog", 0001));
	is_int(try("./prog"), 77, "one x bit is enough for root");
	must(chmod("prog", 0711));
	if ((pid = fork()) == 0) {
		if (setgid(1000) || setuid(1000))
			_exit(100);
		_exit(try("./prog"));
	}
	is_exit(pid, 77, "a user runs a program that it cannot read");
	must(chmod("prog", 0755));
	must(mkfifo("fifo", 0755));
	is_int(try("./fifo"), EACCES, "a fifo");
	is_int(try("/dev/null"), EACCES, "a device");

	fd = must(open("prog", O_WRONLY));
	is_int(try("./prog"), ETXTBSY, "a file open for writing");
	close(fd);
	is_int(try("./prog"), 77, "runs after the close");
	if ((pid = fork()) == 0) {
		execl("./prog", "prog", NULL);
		_exit(1);
	}
	kill(pid, SIGKILL);
	reap(pid);
	fd = must(open("/proc/self/exe", O_RDONLY));
	sys_err(open("/proc/self/exe", O_WRONLY), ETXTBSY, "writing to a running program");
	sys_err(truncate("/proc/self/exe", 0), ETXTBSY, "truncating it");
	close(fd);

	fd = must(open("prog", O_RDONLY));
	image_len = read(fd, image, sizeof(image));
	close(fd);
	ok(image_len > 1000 && image_len < sizeof(image), "image read");
	is_int(damaged(0, image, 1, 0), 77, "undamaged it runs");
	is_int(damaged(0,
		       "\x7f"
		       "ELG",
		       4, 0),
	       ENOEXEC, "bad magic");
	u16 = ET_REL;
	is_int(damaged(offsetof(Elf64_Ehdr, e_type), &u16, 2, 0), ENOEXEC, "a relocatable file");
	u16 = EM_AARCH64;
	is_int(damaged(offsetof(Elf64_Ehdr, e_machine), &u16, 2, 0), ENOEXEC, "another machine");
	u16 = 0;
	is_int(damaged(offsetof(Elf64_Ehdr, e_phnum), &u16, 2, 0), ENOEXEC, "no program headers");
	u16 = 55;
	is_int(damaged(offsetof(Elf64_Ehdr, e_phentsize), &u16, 2, 0), ENOEXEC,
	       "wrong header entry size");
	u16 = 2000;
	is_int(damaged(offsetof(Elf64_Ehdr, e_phnum), &u16, 2, 0), ENOEXEC,
	       "too many program headers");
	u64 = 1UL << 40;
	r = damaged(offsetof(Elf64_Ehdr, e_phoff), &u64, 8, 0);
	ok(r != 77 && r != 0, "program headers behind the end are refused");
	is_int(damaged(0, image, 1, 20), ENOEXEC, "cut inside the ELF header");
	r = damaged(0, image, 1, eh->e_phoff + 20);
	ok(r != 77 && r != 0, "cut inside the program headers is refused");
	u64 = 0x800000000000;
	r = damaged(offsetof(Elf64_Ehdr, e_entry), &u64, 8, 0);
	ok(r != 77 && r != 0, "an entry point outside user space does not run");
	u64 = 0xffffffff80000000;
	for (int i = 0; i < eh->e_phnum; i++)
		if (((Elf64_Phdr *)(image + eh->e_phoff))[i].p_type == PT_LOAD) {
			r = damaged(eh->e_phoff + i * sizeof(Elf64_Phdr) +
					    offsetof(Elf64_Phdr, p_vaddr),
				    &u64, 8, 0);
			break;
		}
	ok(r != 77 && r != 0, "a segment in kernel space is refused");
	for (int i = 0; i < eh->e_phnum; i++)
		if (((Elf64_Phdr *)(image + eh->e_phoff))[i].p_type == PT_LOAD) {
			u64 = 1UL << 62;
			r = damaged(eh->e_phoff + i * sizeof(Elf64_Phdr) +
					    offsetof(Elf64_Phdr, p_memsz),
				    &u64, 8, 0);
			ok(r != 77 && r != 0, "a segment of 2^62 bytes is refused");
			u64 = ~0UL;
			r = damaged(eh->e_phoff + i * sizeof(Elf64_Phdr) +
					    offsetof(Elf64_Phdr, p_filesz),
				    &u64, 8, 0);
			ok(r != 77 && r != 0, "more file than memory is refused");
			break;
		}
	/* random damage: whatever happens, this process and the machine go on */
	srand(7);
	for (int i = 0; i < 60; i++) {
		unsigned char b = rand();

		pid = fork();
		if (pid == 0) {
			alarm(1);
			dup2(must(open("/dev/null", O_RDWR)), 1);
			_exit(damaged(rand() % (64 + eh->e_phnum * 56), &b, 1, 0));
		}
		waitpid(pid, &st, 0);
	}
	ok(1, "60 randomly damaged headers survived");
	is_int(damaged(0, image, 1, 0), 77, "and the good one still runs");
	return done();
}
