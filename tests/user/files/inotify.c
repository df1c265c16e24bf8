/* SPDX-License-Identifier: MIT */
/* inotify: every event, cookies, masks, flags, overflow-free order, errors. */
#include "../tap.h"
#include <sys/inotify.h>
#include <sys/ioctl.h>
#ifndef IN_MASK_CREATE
#define IN_MASK_CREATE 0x10000000
#endif

static int in;
static char got[4096];
static unsigned cookie[2];

/* Read everything that is there as text: "CREATE|DIR:name " ... */
static const char *
events(void)
{
	static const struct {
		unsigned bit;
		const char *name;
	} names[] = {
		{ IN_ACCESS, "ACCESS" },	   { IN_MODIFY, "MODIFY" },
		{ IN_ATTRIB, "ATTRIB" },	   { IN_CLOSE_WRITE, "CLOSE_WRITE" },
		{ IN_CLOSE_NOWRITE, "CLOSE" },	   { IN_OPEN, "OPEN" },
		{ IN_MOVED_FROM, "FROM" },	   { IN_MOVED_TO, "TO" },
		{ IN_CREATE, "CREATE" },	   { IN_DELETE, "DELETE" },
		{ IN_DELETE_SELF, "DELETE_SELF" }, { IN_MOVE_SELF, "MOVE_SELF" },
		{ IN_UNMOUNT, "UNMOUNT" },	   { IN_Q_OVERFLOW, "OVERFLOW" },
		{ IN_IGNORED, "IGNORED" },	   { IN_ISDIR, "DIR" },
	};
	char buf[8192] __attribute__((aligned(8)));
	ssize_t n = read(in, buf, sizeof(buf));
	char *p = got;
	int moves = 0;

	*p = 0;
	for (ssize_t off = 0; off < n;) {
		struct inotify_event *e = (void *)(buf + off);
		int first = 1;

		for (unsigned i = 0; i < ARRAY_LEN(names); i++)
			if (e->mask & names[i].bit) {
				p += sprintf(p, "%s%s", first ? "" : "|", names[i].name);
				first = 0;
			}
		p += sprintf(p, ":%s ", e->len ? e->name : "");
		if (e->mask & (IN_MOVED_FROM | IN_MOVED_TO) && moves < 2)
			cookie[moves++] = e->cookie;
		if (e->len % 16 && e->len)
			p += sprintf(p, "BADLEN ");
		off += sizeof(*e) + e->len;
	}
	return got;
}

int
main(void)
{
	struct pollfd pf;
	char buf[64];
	int wd, wf, fd, n;

	scratch();
	sys_ok(in = inotify_init1(IN_NONBLOCK | IN_CLOEXEC), "inotify_init1");
	ok(fcntl(in, F_GETFD) == FD_CLOEXEC && (fcntl(in, F_GETFL) & O_NONBLOCK), "its flags");
	must(mkdir("w", 0755));
	put_file("w/f", "data", 4);
	sys_ok(wd = inotify_add_watch(in, "w", IN_ALL_EVENTS), "watch a directory");
	sys_err(read(in, buf, sizeof(buf)), EAGAIN, "nothing yet");
	pf = (struct pollfd){ in, POLLIN, 0 };
	is_int(poll(&pf, 1, 0), 0, "poll: not ready");
	fd = must(open("w/new", O_CREAT | O_RDWR, 0600));
	is_int(poll(&pf, 1, 1000), 1, "poll: ready");
	ok(ioctl(in, FIONREAD, &n) == 0 && n == 2 * (16 + 16), "FIONREAD counts bytes");
	is_str(events(), "CREATE:new OPEN:new ", "create");
	must(write(fd, "abc", 3));
	is_str(events(), "MODIFY:new ", "write");
	must(pread(fd, buf, 3, 0));
	is_str(events(), "ACCESS:new ", "read");
	must(ftruncate(fd, 0));
	is_str(events(), "MODIFY:new ", "truncate");
	must(fchmod(fd, 0640));
	is_str(events(), "ATTRIB:new ", "chmod");
	close(fd);
	is_str(events(), "CLOSE_WRITE:new ", "close after writing");
	close(must(open("w/new", O_RDONLY)));
	is_str(events(), "OPEN:new CLOSE:new ", "open and close for reading");
	must(rename("w/new", "w/newer"));
	is_str(events(), "FROM:new TO:newer ", "rename inside");
	ok(cookie[0] == cookie[1] && cookie[0] != 0, "one cookie for both");
	must(rename("w/newer", "out"));
	is_str(events(), "FROM:newer ", "rename out");
	must(rename("out", "w/back"));
	is_str(events(), "TO:back ", "rename in");
	must(mkdir("w/sub", 0755));
	is_str(events(), "CREATE|DIR:sub ", "mkdir");
	must(rmdir("w/sub"));
	is_str(events(), "DELETE|DIR:sub ", "rmdir");
	must(symlink("x", "w/link"));
	is_str(events(), "CREATE:link ", "symlink");
	must(link("w/f", "w/hard"));
	is_str(events(), "CREATE:hard ", "link");
	must(unlink("w/hard"));
	is_str(events(), "DELETE:hard ", "unlink of one of two links");
	must(unlink("w/link"));
	is_str(events(), "DELETE:link ", "unlink");
	must(utimensat(AT_FDCWD, "w/f", NULL, 0));
	is_str(events(), "ATTRIB:f ", "utimensat");
	fd = must(open("w/f", O_WRONLY));
	must(write(fd, "1", 1));
	must(write(fd, "2", 1));
	must(write(fd, "3", 1));
	close(fd);
	is_str(events(), "OPEN:f MODIFY:f CLOSE_WRITE:f ", "equal events in a row are one");

	sys_ok(wf = inotify_add_watch(in, "w/f",
				      IN_DELETE_SELF | IN_MOVE_SELF | IN_ATTRIB | IN_MODIFY),
	       "watch a file");
	ok(wf != wd, "another descriptor");
	is_int(inotify_add_watch(in, "w/f", IN_MODIFY | IN_DELETE_SELF | IN_ATTRIB | IN_MOVE_SELF),
	       wf, "the same file again: the same");
	must(truncate("w/f", 1));
	is_str(events(), "MODIFY:f MODIFY: ", "both watches see a change");
	must(rename("w/f", "w/g"));
	is_str(events(), "FROM:f TO:g MOVE_SELF: ", "a move");
	must(unlink("w/g"));
	is_str(events(), "ATTRIB: DELETE_SELF: IGNORED: DELETE:g ", "the end of a watched file");
	sys_err(inotify_rm_watch(in, wf), EINVAL, "its watch is gone");
	is_int(inotify_add_watch(in, "w", IN_CREATE), wd, "change the mask");
	put_file("w/q", "x", 1);
	is_str(events(), "CREATE:q ", "only what is asked for");
	is_int(inotify_add_watch(in, "w", IN_DELETE | IN_MASK_ADD), wd, "IN_MASK_ADD");
	must(unlink("w/q"));
	is_str(events(), "DELETE:q ", "adds to it");
	sys_err(inotify_add_watch(in, "w", IN_CREATE | IN_MASK_CREATE), EEXIST,
		"IN_MASK_CREATE of an existing watch");
	is_int(inotify_add_watch(in, "w", IN_CREATE | IN_ONESHOT), wd, "IN_ONESHOT");
	put_file("w/r", "x", 1);
	put_file("w/s", "x", 1);
	is_str(events(), "CREATE:r IGNORED: ", "fires once");
	wd = must(inotify_add_watch(in, "w", IN_CREATE));
	sys_ok(inotify_rm_watch(in, wd), "inotify_rm_watch");
	is_str(events(), "IGNORED: ", "says IN_IGNORED");
	put_file("w/t", "x", 1);
	is_str(events(), "", "and nothing later");
	must(mkdir("dd", 0755));
	must(inotify_add_watch(in, "dd", IN_ALL_EVENTS | IN_ONLYDIR));
	must(rmdir("dd"));
	is_str(events(), "DELETE_SELF: IGNORED: ", "the end of a watched directory");

	sys_err(inotify_add_watch(in, "w/t", IN_CREATE | IN_ONLYDIR), ENOTDIR,
		"IN_ONLYDIR of a file");
	sys_err(inotify_add_watch(in, "missing", IN_CREATE), ENOENT, "missing");
	sys_err(inotify_add_watch(in, "w", 0), EINVAL, "an empty mask");
	sys_err(inotify_add_watch(0, "w", IN_CREATE), EINVAL, "not an inotify descriptor");
	sys_err(inotify_add_watch(999, "w", IN_CREATE), EBADF, "bad descriptor");
	sys_err(inotify_rm_watch(in, 9999), EINVAL, "no such watch");
	sys_err(inotify_init1(0x1), EINVAL, "unknown flag");
	must(inotify_add_watch(in, "w", IN_CREATE));
	put_file("w/a-name-of-some-length", "x", 1);
	sys_err(read(in, buf, 20), EINVAL, "a buffer too small for the next event");
	return done();
}
