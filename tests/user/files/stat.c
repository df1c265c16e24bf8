/* SPDX-License-Identifier: MIT */
/* stat, fstat, lstat, statx and statfs: every field. */
#include "../compat.h"
#include "../tap.h"
#include <sys/statfs.h>
#include <sys/sysmacros.h>

struct kt_statx {
	uint32_t mask, blksize;
	uint64_t attributes;
	uint32_t nlink, uid, gid;
	uint16_t mode, pad0;
	uint64_t ino, size, blocks, attributes_mask;
	struct {
		int64_t sec;
		uint32_t nsec;
		int32_t pad;
	} atime, btime, ctime, mtime;
	uint32_t rdev_major, rdev_minor, dev_major, dev_minor;
	uint64_t mnt_id, spare[13];
};

static long
statx_(int dir, const char *path, int flags, unsigned mask, void *buf)
{
	return syscall(SYS_statx, dir, path, flags, mask, buf);
}

int
main(void)
{
	struct stat st, s2;
	struct kt_statx x;
	struct statfs sf, sg;
	struct timespec t0, t1;
	int fd, p[2];

	scratch();
	clock_gettime(CLOCK_REALTIME_COARSE, &t0);
	fd = must(open("f", O_CREAT | O_RDWR, 0640));
	must(write(fd, "hello", 5));
	clock_gettime(CLOCK_REALTIME, &t1);
	sys_ok(fstat(fd, &st), "fstat");
	is_int(st.st_mode, S_IFREG | 0640, "mode");
	is_int(st.st_nlink, 1, "nlink");
	ok(st.st_uid == 0 && st.st_gid == 0, "owner");
	is_int(st.st_size, 5, "size");
	is_int(st.st_blksize, 4096, "blksize");
	is_int(st.st_blocks, 8, "blocks of one page");
	ok(st.st_ino != 0, "an inode number");
	ok(st.st_mtim.tv_sec >= t0.tv_sec && st.st_mtim.tv_sec <= t1.tv_sec, "mtime is now");
	sys_ok(stat("f", &s2), "stat");
	ok(memcmp(&st, &s2, sizeof(st)) == 0, "agrees in every byte");
	must(symlink("f", "l"));
	must(lstat("l", &s2));
	ok(S_ISLNK(s2.st_mode) && s2.st_size == 1 && s2.st_ino != st.st_ino, "lstat of a link");
	must(stat(".", &s2));
	ok(S_ISDIR(s2.st_mode) && s2.st_dev == st.st_dev, "a directory on the same device");
	must(stat("/dev/null", &s2));
	ok(S_ISCHR(s2.st_mode) && s2.st_rdev == makedev(1, 3) && s2.st_dev != st.st_dev,
	   "a device node");
	must(pipe(p));
	must(fstat(p[0], &s2));
	ok(S_ISFIFO(s2.st_mode) && (s2.st_mode & 0777) == 0600, "a pipe");
	sys_err(stat("missing", &st), ENOENT, "missing");
	sys_err(fstat(999, &st), EBADF, "bad descriptor");
	sys_err(syscall(SYS_fstat, fd, at(8)), EFAULT, "bad pointer");

	memset(&x, 0xff, sizeof(x));
	sys_ok(statx_(AT_FDCWD, "f", 0, 0x7ff, &x), "statx");
	is_int(x.mask & 0x7ff, 0x7ff, "all basic fields are there");
	must(stat("f", &st));
	ok(x.ino == st.st_ino && x.size == 5 && x.blocks == 8 && x.nlink == 1 && x.blksize == 4096,
	   "numbers agree");
	is_int(x.mode, st.st_mode, "mode agrees");
	ok(x.uid == 0 && x.gid == 0, "owner agrees");
	ok(x.mtime.sec == st.st_mtim.tv_sec && x.mtime.nsec == st.st_mtim.tv_nsec, "mtime agrees");
	ok(x.atime.sec == st.st_atim.tv_sec && x.ctime.sec == st.st_ctim.tv_sec,
	   "atime and ctime agree");
	ok(makedev(x.dev_major, x.dev_minor) == st.st_dev, "device agrees");
	sys_ok(statx_(AT_FDCWD, "f", 0, 0xfff, &x), "statx with birth time");
	ok(x.mask & 0x800, "tmpfs has one");
	ok(x.btime.sec >= t0.tv_sec && x.btime.sec <= t1.tv_sec, "it is the creation");
	sys_ok(statx_(AT_FDCWD, "/dev/null", 0, 0x7ff, &x), "statx of a device");
	ok(x.rdev_major == 1 && x.rdev_minor == 3, "rdev");
	sys_ok(statx_(fd, "", AT_EMPTY_PATH, 0x7ff, &x), "AT_EMPTY_PATH");
	is_int(x.size, 5, "the descriptor's file");
	sys_ok(statx_(AT_FDCWD, "l", AT_SYMLINK_NOFOLLOW, 0x7ff, &x), "AT_SYMLINK_NOFOLLOW");
	ok(S_ISLNK(x.mode), "the link");
	sys_ok(statx_(AT_FDCWD, "f", 0x2000, 0x7ff, &x), "AT_STATX_FORCE_SYNC");
	sys_err(statx_(AT_FDCWD, "f", 0x6000, 0x7ff, &x), EINVAL, "both sync flags");
	sys_err(statx_(AT_FDCWD, "f", 0x80000, 0x7ff, &x), EINVAL, "unknown flag");
	sys_err(statx_(AT_FDCWD, "f", 0, 0x80000000, &x), EINVAL, "reserved mask bit");
	sys_err(statx_(AT_FDCWD, "", 0, 0x7ff, &x), ENOENT, "empty path");
	sys_err(statx_(AT_FDCWD, "f", 0, 0x7ff, at(8)), EFAULT, "bad pointer of statx");

	sys_ok(statfs(".", &sf), "statfs");
	is_int(sf.f_type, 0x01021994, "tmpfs magic");
	is_int(sf.f_bsize, 4096, "block size");
	is_int(sf.f_namelen, 255, "longest name");
	ok(sf.f_blocks >= sf.f_bfree && sf.f_bfree >= sf.f_bavail && sf.f_files >= sf.f_ffree,
	   "counts are in order");
	must(ftruncate(fd, 0));
	must(fstatfs(fd, &sf));
	must(fallocate(fd, 0, 0, 1 << 20));
	must(fstatfs(fd, &sg));
	is_int(sf.f_bfree - sg.f_bfree, 256, "1 MiB takes 256 blocks");
	must(statfs("/proc", &sf));
	is_int(sf.f_type, 0x9fa0, "proc magic");
	must(fstatfs(p[0], &sf));
	is_int(sf.f_type, 0x50495045, "pipefs magic");
	must(statfs("/dev/null", &sf));
	ok(sf.f_type == 0x01021994 && sf.f_namelen == 255, "devtmpfs is a tmpfs");
	sys_err(statfs("missing", &sf), ENOENT, "statfs of nothing");
	sys_err(fstatfs(999, &sf), EBADF, "fstatfs bad descriptor");
	return done();
}
