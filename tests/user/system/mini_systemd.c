/* SPDX-License-Identifier: MIT */
/*
 * A small service manager: what an init system does in its first second, in one program.
 * Mounts, capabilities, subreaper, an epoll loop over signalfd, timerfd, eventfd and a socket,
 * services that are started, watched, restarted and stopped, notification with credentials,
 * descriptors handed over, a lock file, inotify on a configuration.
 */
#include "../compat.h"
#include "../tap.h"
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <sys/un.h>

enum { SIGNALS = 1, TIMER, EVENT, NOTIFY, CONFIG };

static int ep, restarts;

static void
watch(int fd, int tag)
{
	struct epoll_event e = { .events = EPOLLIN, .data.u32 = tag };

	must(epoll_ctl(ep, EPOLL_CTL_ADD, fd, &e));
}

static int
next_event(void)
{
	struct epoll_event e;
	int n = epoll_wait(ep, &e, 1, 5000);

	return n == 1 ? (int)e.data.u32 : -1;
}

/* A service: says READY=1 on the socket it inherits, then lives or dies as told. */
static int
service(const char *kind)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	const char *path = getenv("NOTIFY_SOCKET");
	sigset_t none;
	int s = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	if (!path)
		return 90;
	strcpy(a.sun_path, path);
	if (sendto(s, "READY=1", 7, 0, (void *)&a, sizeof(a)) != 7)
		return 91;
	if (!strcmp(kind, "crash"))
		abort();
	if (!strcmp(kind, "oneshot"))
		return 0;
	if (!strcmp(kind, "double")) {
		if (fork())
			return 0;
		sleep_ms(20);
		return 17; /* an orphan for the manager to reap */
	}
	for (;;)
		pause();
}

static pid_t
start(const char *kind)
{
	pid_t pid = must(fork());

	if (pid == 0) {
		struct rlimit rl = { 0, 0 };

		setsid();
		setrlimit(RLIMIT_CORE, &rl);
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		syscall(SYS_close_range, 3, ~0U, 0);
		must(open("/dev/null", O_RDWR));
		execle("/proc/self/exe", "mini_systemd", "service", kind, NULL,
		       (char *[]){ "NOTIFY_SOCKET=notify", NULL });
		_exit(92);
	}
	return pid;
}

int
main(int argc, char **argv)
{
	struct kt_cap_header h = { KT_CAP_V3, 0 };
	struct kt_cap_data caps[2];
	struct signalfd_siginfo si;
	struct itimerspec it = { { 0, 0 }, { 0, 100000000 } };
	struct sockaddr_un a = { .sun_family = AF_UNIX, .sun_path = "notify" };
	struct iovec iov;
	struct msghdr m = { 0 };
	char buf[4096], control[256];
	int sfd, tfd, efd, nfd, ifd, lock, one = 1, sp[2], v = 0, mfd;
	uint64_t n;
	sigset_t mask;
	pid_t pid;

	if (argc == 3)
		return service(argv[2]);
	scratch();
	must(unshare(CLONE_NEWNS));
	must(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
	must(mkdir("run", 0755));
	must(mkdir("proc", 0555));
	sys_ok(mount("tmpfs", "run", "tmpfs", MS_NOSUID | MS_NODEV, "mode=755"),
	       "mount a run directory");
	sys_ok(mount("proc", "proc", "proc", 0, NULL), "mount another proc");
	sys_ok(access("proc/self/stat", R_OK), "proc/self/stat");
	ok(get_file("proc/meminfo") && strlen(get_file("proc/meminfo")) > 100, "proc/meminfo");
	ok(get_file("proc/mounts") && strstr(get_file("proc/mounts"), "/run tmpfs rw,nosuid,nodev"),
	   "proc/mounts shows the run directory");
	put_file("run/console", "", 0);
	sys_ok(mount("/dev/null", "run/console", NULL, MS_BIND, NULL),
	       "a device bound over a file");
	sys_ok(mount(NULL, "run", NULL, MS_REMOUNT | MS_BIND | MS_NOSUID | MS_NOEXEC, NULL),
	       "remount noexec");

	sys_ok(prctl(PR_SET_NAME, "mini-systemd"), "set the name");
	prctl(PR_GET_NAME, buf);
	is_str(buf, "mini-systemd", "it reads back");
	sys_ok(prctl(PR_SET_CHILD_SUBREAPER, 1), "be a subreaper");
	sys_ok(syscall(SYS_capget, &h, caps), "capget");
	is_int(caps[0].effective | 1u << KT_CAP_SYS_RESOURCE, ~0u,
	       "all of the low capabilities are effective");
	ok(getuid() == 0 && geteuid() == 0 && getgid() == 0 && getegid() == 0,
	   "all four ids are 0");

	sigemptyset(&mask);
	sigaddset(&mask, SIGCHLD);
	sigaddset(&mask, SIGTERM);
	sigaddset(&mask, SIGHUP);
	must(sigprocmask(SIG_BLOCK, &mask, NULL));
	ep = must(epoll_create1(EPOLL_CLOEXEC));
	watch(sfd = must(signalfd(-1, &mask, SFD_NONBLOCK | SFD_CLOEXEC)), SIGNALS);
	watch(tfd = must(timerfd_create(CLOCK_BOOTTIME, TFD_NONBLOCK | TFD_CLOEXEC)), TIMER);
	watch(efd = must(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)), EVENT);
	watch(nfd = must(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)), NOTIFY);
	watch(ifd = must(inotify_init1(IN_NONBLOCK | IN_CLOEXEC)), CONFIG);
	must(setsockopt(nfd, SOL_SOCKET, SO_PASSCRED, &one, sizeof(one)));
	must(bind(nfd, (void *)&a, sizeof(a)));
	must(timerfd_settime(tfd, 0, &it, NULL));
	is_int(next_event(), TIMER, "a 100 ms timer ends the first wait");
	is_int(read(tfd, &n, 8), 8, "timer read");
	n = 1;
	must(write(efd, &n, 8));
	is_int(next_event(), EVENT, "an eventfd ends the next");
	is_int(read(efd, &n, 8), 8, "eventfd read");

	pid = start("oneshot");
	is_int(next_event(), NOTIFY, "a service reports");
	iov = (struct iovec){ buf, sizeof(buf) };
	m.msg_iov = &iov, m.msg_iovlen = 1, m.msg_control = control,
	m.msg_controllen = sizeof(control);
	is_int(recvmsg(nfd, &m, 0), 7, "READY=1");
	ok(memcmp(buf, "READY=1", 7) == 0, "the text");
	is_int(*(int *)CMSG_DATA(CMSG_FIRSTHDR(&m)), pid, "from its pid");
	is_int(next_event(), SIGNALS, "SIGCHLD when it ends");
	is_int(read(sfd, &si, sizeof(si)), sizeof(si), "signalfd read");
	ok(si.ssi_signo == SIGCHLD && si.ssi_pid == (uint32_t)pid && si.ssi_status == 0,
	   "of that service");
	siginfo_t info;
	is_int(waitid(P_ALL, 0, &info, WEXITED | WNOHANG), 0, "reap");
	is_int(info.si_pid, pid, "it");

	for (int i = 0; i < 3; i++) { /* Restart=on-failure */
		pid = start("crash");
		int seen = 0;

		while (seen != 3) {
			int tag = next_event();

			if (tag == NOTIFY) {
				recv(nfd, buf, sizeof(buf), 0);
				seen |= 1;
			} else if (tag == SIGNALS) {
				while (read(sfd, &si, sizeof(si)) > 0)
					;
				if (waitid(P_PID, pid, &info, WEXITED | WNOHANG) == 0 &&
				    info.si_pid == pid) {
					restarts += (info.si_code == CLD_KILLED ||
						     info.si_code == CLD_DUMPED) &&
						    info.si_status == SIGABRT;
					seen |= 2;
				}
			} else {
				break;
			}
		}
	}
	is_int(restarts, 3, "a crashing service is started three times");

	pid = start("double");
	int got = 0;
	for (int i = 0; i < 10 && got != 3; i++) {
		int tag = next_event();

		if (tag == NOTIFY)
			recv(nfd, buf, sizeof(buf), 0);
		while (read(sfd, &si, sizeof(si)) > 0)
			;
		for (info.si_pid = 0;
		     waitid(P_ALL, 0, &info, WEXITED | WNOHANG) == 0 && info.si_pid;
		     info.si_pid = 0)
			got |= info.si_pid == pid ? 1 : info.si_status == 17 ? 2 : 0;
	}
	is_int(got, 3, "a double-forking service: both are reaped here");

	pid = start("simple");
	is_int(next_event(), NOTIFY, "a long-running service reports");
	recv(nfd, buf, sizeof(buf), 0);
	snprintf(buf, sizeof(buf), "/proc/%d/cmdline", pid);
	is_str(get_file(buf), "mini_systemd", "its cmdline");
	snprintf(buf, sizeof(buf), "/proc/%d/environ", pid);
	is_str(get_file(buf), "NOTIFY_SOCKET=notify", "its environment");
	is_int(getsid(pid), pid, "its session");
	sys_ok(kill(-pid, SIGTERM), "stop its group");
	is_int(next_event(), SIGNALS, "it ends");
	is_killed(pid, SIGTERM, "by SIGTERM");
	while (read(sfd, &si, sizeof(si)) > 0)
		;

	/* hand a memfd over a socket, as file descriptor stores do */
	must(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sp));
	mfd = must(syscall(SYS_memfd_create, "state", MFD_CLOEXEC));
	must(write(mfd, "kept state", 10));
	m = (struct msghdr){ .msg_iov = &iov,
			     .msg_iovlen = 1,
			     .msg_control = control,
			     .msg_controllen = CMSG_SPACE(4) };
	iov.iov_len = 1;
	memset(control, 0, sizeof(control));
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);
	c->cmsg_level = SOL_SOCKET, c->cmsg_type = SCM_RIGHTS, c->cmsg_len = CMSG_LEN(4);
	memcpy(CMSG_DATA(c), &mfd, 4);
	sys_ok(sendmsg(sp[0], &m, 0), "hand over a memfd");
	close(mfd);
	m.msg_controllen = sizeof(control);
	must(recvmsg(sp[1], &m, MSG_CMSG_CLOEXEC));
	memcpy(&mfd, CMSG_DATA(CMSG_FIRSTHDR(&m)), 4);
	is_int(pread(mfd, buf, 10, 0), 10, "take it back");
	is_mem(buf, "kept state", 10, "with its contents");

	must(mkdir("etc", 0755));
	must(inotify_add_watch(ifd, "etc", IN_CLOSE_WRITE | IN_MOVED_TO));
	put_file("etc/unit.new", "[Service]\n", 10);
	must(rename("etc/unit.new", "etc/unit"));
	is_int(next_event(), CONFIG, "a changed configuration is noticed");
	ok(read(ifd, buf, sizeof(buf)) > 0, "inotify read");
	lock = must(open("run/lock", O_CREAT | O_RDWR | O_CLOEXEC, 0600));
	sys_ok(flock(lock, LOCK_EX | LOCK_NB), "a lock file");
	if ((pid = fork()) == 0)
		_exit(flock(open("run/lock", O_RDWR), LOCK_EX | LOCK_NB) == -1 &&
				      errno == EWOULDBLOCK
			      ? 0
			      : 1);
	is_exit(pid, 0, "keeps a second manager out");
	while (read(sfd, &si, sizeof(si)) > 0)
		;
	kill(getpid(), SIGTERM);
	v = next_event();
	is_int(v, SIGNALS, "SIGTERM asks for the end");
	ok(read(sfd, &si, sizeof(si)) > 0 && si.ssi_signo == SIGTERM, "through the signalfd");
	sys_err(waitid(P_ALL, 0, &info, WEXITED | WNOHANG), ECHILD, "nobody is left behind");
	must(close(lock));
	sys_ok(umount2("run/console", 0), "umount the device");
	sys_ok(umount2("run", 0), "umount the run directory");
	sys_ok(umount2("proc", 0), "umount proc");
	return done();
}
