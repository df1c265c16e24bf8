/* SPDX-License-Identifier: MIT */
/* What swapon(2) and swapoff(2) refuse. */
#include "../tap.h"
#include <sys/swap.h>

static int
privileged(void)
{
	/* Flags are looked at first, then the right, then the path. */
	return swapon("/nowhere/at/all", 0) == -1 && errno != EPERM;
}

int
main(void)
{
	char header[4096] = "no swap header";
	pid_t pid;
	int fd;

	sys_err(swapon("/nowhere/at/all", 0x100000), EINVAL, "unknown flags");
	pid = fork();
	if (pid == 0) {
		if (setgid(65534) || setuid(65534))
			_exit(0); /* nobody already */
		if (swapon("/dev/null", 0) != -1 || errno != EPERM)
			_exit(1);
		if (swapoff("/dev/null") != -1 || errno != EPERM)
			_exit(2);
		_exit(0);
	}
	is_exit(pid, 0, "only for the administrator");
	if (!privileged()) {
		skip("not the administrator", "paths");
		return done();
	}
	sys_err(swapon("/nowhere/at/all", 0), ENOENT, "no such file");
	sys_err(swapoff("/nowhere/at/all"), ENOENT, "no such file to take off");
	sys_err(swapon((const char *)8, 0), EFAULT, "a bad pointer");
	sys_err(swapon("/", 0), EISDIR, "a directory");
	sys_err(swapon("/dev/null", 0), EINVAL, "a device without blocks");
	fd = must(open("not-swap", O_RDWR | O_CREAT | O_TRUNC, 0600));
	for (int i = 0; i < 16; i++)
		must(write(fd, header, sizeof(header)));
	close(fd);
	sys_err(swapon("not-swap", 0), EINVAL, "a file without the header");
	sys_err(swapon("not-swap", SWAP_FLAG_PREFER | 5), EINVAL, "likewise with a priority");
	sys_err(swapoff("not-swap"), EINVAL, "a file that is no swap area");
	unlink("not-swap");
	return done();
}
