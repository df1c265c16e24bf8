/* SPDX-License-Identifier: MIT */
/* inotify: limits of a user and their settings, the order of checks, file systems that go. */
#include "../compat.h"
#include "../tap.h"
#include <sys/inotify.h>
#include <sys/mount.h>

#define SETTINGS "/proc/sys/fs/inotify/"

static char buf[4096];

static int
setting(const char *name)
{
	char path[100];

	snprintf(path, sizeof(path), SETTINGS "%s", name);
	return atoi(get_file(path));
}

static int
set(const char *name, int value)
{
	char path[100], text[20];
	int n = snprintf(text, sizeof(text), "%d\n", value), fd, r;

	snprintf(path, sizeof(path), SETTINGS "%s", name);
	fd = open(path, O_WRONLY);
	r = fd < 0 ? -1 : write(fd, text, n);
	close(fd);
	return r == n ? 0 : -1;
}

static void
order(void)
{
	int fd = must(inotify_init1(IN_NONBLOCK));

	sys_err(inotify_add_watch(99, "/", 0), EINVAL, "an empty mask comes first");
	sys_err(inotify_add_watch(99, "/", IN_MASK_ADD | IN_MASK_CREATE | IN_OPEN), EBADF,
		"then the descriptor");
	sys_err(inotify_add_watch(fd, "/no/where", IN_MASK_ADD | IN_MASK_CREATE | IN_OPEN), EINVAL,
		"then masks that contradict themselves");
	sys_err(inotify_add_watch(fd, "/", 1 << 12), EINVAL, "a mask of unknown bits only");
	sys_err(inotify_add_watch(fd, "/", IN_OPEN | 1 << 12), EINVAL, "or with one");
	close(fd);
}

static void
limits(void)
{
	int instances = setting("max_user_instances"), watches = setting("max_user_watches");
	int queued = setting("max_queued_events"), fds[20], n = 0, fd, full;
	pid_t pid;

	ok(instances > 0 && watches >= 8192 && queued > 0, "settings: %d %d %d", instances, watches,
	   queued);
	if (set("max_user_instances", instances)) {
		skip("not root", "limits");
		return;
	}
	/* As a user who has nothing yet. */
	must(set("max_user_instances", 3));
	must(set("max_user_watches", 2));
	must(set("max_queued_events", 4));
	must(mkdir("d1", 0777));
	must(mkdir("d2", 0777));
	must(mkdir("d3", 0777));
	must(chmod("d1", 0777));
	pid = must(fork());
	if (pid == 0) {
		must(setgid(54321));
		must(setuid(54321));
		while (n < 20 && (fds[n] = inotify_init1(IN_NONBLOCK)) >= 0)
			n++;
		full = errno;
		is_int(n, 3, "instances of a user");
		is_int(full, EMFILE, "are limited");
		int a = inotify_add_watch(fds[0], "d1", IN_CREATE), b;
		ok(a > 0, "a watch");
		ok((b = inotify_add_watch(fds[1], "d1", IN_CREATE)) > 0, "another");
		sys_err(inotify_add_watch(fds[0], "d2", IN_CREATE), ENOSPC, "no third");
		ok(inotify_add_watch(fds[0], "d1", IN_CREATE | IN_OPEN) == a, "changing is none");
		must(inotify_rm_watch(fds[1], b));
		ok(inotify_add_watch(fds[0], "d3", IN_CREATE) > 0, "removing one makes room");
		close(fds[1]);
		fd = inotify_init1(0);
		ok(fd >= 0, "closing makes room");
		for (int i = 0; i < 10; i++) {
			snprintf(buf, sizeof(buf), "d1/%d", i);
			close(creat(buf, 0600));
		}
		int got = read(fds[0], buf, sizeof(buf)), last = 0, events = 0;
		for (int at = 0; at < got; events++) {
			struct inotify_event *e = (void *)(buf + at);

			last = e->mask;
			at += sizeof(*e) + e->len;
		}
		ok(last == IN_Q_OVERFLOW && events == 5, "a queue holds as many, then says so");
		_exit(done());
	}
	int st;
	must(waitpid(pid, &st, 0));
	must(set("max_user_instances", instances));
	must(set("max_user_watches", watches));
	must(set("max_queued_events", queued));
	_exit(WEXITSTATUS(st));
}

static void
unmounted(void)
{
	int fd = must(inotify_init1(IN_NONBLOCK)), wd, wf, n, unmounts = 0, ignored = 0, other = 0;

	must(mkdir("m", 0755));
	if (unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount("t", "m", "tmpfs", 0, NULL)) {
		skip("may not mount", "IN_UNMOUNT");
		return;
	}
	put_file("m/f", "x", 1);
	must(mkdir("m2", 0755));
	must(mount("m", "m2", NULL, MS_BIND, NULL));
	wd = must(inotify_add_watch(fd, "m", IN_CREATE));
	wf = must(inotify_add_watch(fd, "m/f", IN_OPEN));
	sys_ok(umount("m"), "a watch does not keep a mount");
	sys_err(read(fd, buf, sizeof(buf)), EAGAIN, "one that is left keeps the watches");
	sys_ok(umount("m2"), "the last goes");
	n = read(fd, buf, sizeof(buf));
	for (int at = 0; at < n;) {
		struct inotify_event *e = (void *)(buf + at);

		if ((e->wd == wd && e->mask == (IN_UNMOUNT | IN_ISDIR)) ||
		    (e->wd == wf && e->mask == IN_UNMOUNT))
			unmounts++;
		else if (e->mask == IN_IGNORED && (e->wd == wd || e->wd == wf))
			ignored++;
		else
			other++;
		at += sizeof(*e) + e->len;
	}
	is_int(unmounts, 2, "IN_UNMOUNT for each watch");
	is_int(ignored, 2, "and IN_IGNORED");
	is_int(other, 0, "nothing else");
	sys_err(inotify_rm_watch(fd, wd), EINVAL, "the watches are gone");
	close(fd);
}

int
main(void)
{
	scratch();
	order();
	unmounted();
	limits();
	return done();
}
