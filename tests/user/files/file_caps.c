/* SPDX-License-Identifier: MIT */
/* Capabilities of a program file go when somebody writes to it, cuts it or gives it away. */
#include "../tap.h"
#include <linux/capability.h>
#include <sys/xattr.h>

#define NAME "security.capability"

static int
give(const char *path)
{
	struct vfs_cap_data caps = { .magic_etc = VFS_CAP_REVISION_2 | VFS_CAP_FLAGS_EFFECTIVE };

	caps.data[0].permitted = 1u << CAP_NET_RAW;
	return setxattr(path, NAME, &caps, sizeof(caps), 0);
}

static int
has(const char *path)
{
	char buf[64];

	return getxattr(path, NAME, buf, sizeof(buf)) > 0;
}

int
main(void)
{
	int fd;

	scratch();
	fd = must(open("program", O_RDWR | O_CREAT, 0777));
	must(write(fd, "text", 4));
	if (give("program")) {
		diag("no capabilities on files: %s", strerror(errno));
		ok(1, "nothing to try");
		return done();
	}
	ok(has("program"), "a file has capabilities");
	must(write(fd, "more", 4));
	ok(!has("program"), "a write takes them away");
	must(give("program"));
	ok(has("program"), "they can be given again");
	must(ftruncate(fd, 2));
	ok(!has("program"), "so does ftruncate");
	must(give("program"));
	must(chown("program", 1, 1));
	ok(!has("program"), "so does chown");
	must(give("program"));
	must(chmod("program", 0755));
	ok(has("program"), "chmod does not");
	close(fd);
	return done();
}
