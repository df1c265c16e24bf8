/* SPDX-License-Identifier: MIT */
/*
 * Sockets as files, and the system calls that make, name and connect them: socket(2), bind(2),
 * listen(2), accept(2), connect(2), shutdown(2) ...
 *
 * A struct socket and its inode ("socket:[n]" on sockfs) live as long as the file. Families do the
 * work through struct socket_ops.
 */
#include "net/socket/socket.h"

#include "core/panic.h"
#include "core/time.h"
#include "fs/vfs/file.h"
#include "fs/vfs/inode.h"
#include "fs/vfs/mount.h"
#include "generated/syscalls.h"
#include "lib/format.h"
#include "lib/string.h"
#include "mm/slab.h"
#include "mm/user.h"
#include "task/task.h"
#include "uapi/errno.h"
#include "uapi/fcntl.h"
#include "uapi/ioctl.h"
#include "uapi/magic.h"
#include "uapi/stat.h"

#define FAMILY_MAX 46

static struct mount *sock_mount;
struct socket_buffers socket_buffers = { 212992, 212992, 212992, 212992 };
static struct socket_family *families;
long (*socket_device_ioctl)(u32 cmd, u64 arg);
static const struct file_ops socket_file_ops;

void
socket_family_register(struct socket_family *f)
{
	f->next = families;
	families = f;
}

int
socket_create(int family, int type, int protocol, struct socket **out)
{
	struct socket_family *f = families;
	struct socket *s;
	int r;

	if (family < 0 || family >= FAMILY_MAX)
		return -EAFNOSUPPORT;
	if (type < 0 || type > SOCK_PACKET)
		return -EINVAL;
	while (f && f->family != family)
		f = f->next;
	if (!f)
		return -EAFNOSUPPORT;
	s = kzalloc(sizeof(*s), GFP_KERNEL);
	if (!s)
		return -ENOMEM;
	s->family = family;
	s->type = type;
	s->protocol = protocol;
	wait_queue_init(&s->wait);
	s->rcv_timeout_ns = s->snd_timeout_ns = TIME_NEVER;
	s->rcvbuf = READ_ONCE(socket_buffers.rmem_default);
	s->sndbuf = READ_ONCE(socket_buffers.wmem_default);
	s->rcvlowat = 1;
	r = f->create(s, type, protocol);
	if (r) {
		kfree(s);
		return r;
	}
	*out = s;
	return 0;
}

void
socket_free(struct socket *s)
{
	if (s->ops && s->ops->release)
		s->ops->release(s);
	kfree_rcu(s, rcu);
}

/* Takes over s, also on failure. */
int
socket_file_create(struct socket *s, u32 flags, struct file **out)
{
	struct super *sb = sock_mount->super;
	struct inode *i = inode_create(sb, &anon_inode_ops, NULL, S_IFSOCK | 0777,
				       inode_next_number(sb));
	struct dentry *d = NULL;
	char name[32];
	int r = -ENOMEM;

	if (i) {
		inode_init_owner(i, NULL, i->mode);
		scnprintf(name, sizeof(name), "socket:[%lu]", i->ino);
		d = dentry_create_anon(sb, name, i);
		if (!d)
			inode_put(i);
	}
	if (d) {
		r = file_create_on(d, &socket_file_ops, s, O_RDWR | (flags & O_NONBLOCK),
				   FMODE_READ | FMODE_WRITE | FMODE_STREAM | FMODE_NO_SYNC, out);
		dentry_put(d);
	}
	if (r) {
		socket_free(s);
	} else {
		s->file = *out;
		WRITE_ONCE(s->inum, (*out)->inode->ino);
	}
	return r;
}

struct socket *
socket_of(struct file *f)
{
	return f->ops == &socket_file_ops ? f->private : NULL;
}

u64
socket_inum(struct socket *s)
{
	return READ_ONCE(s->inum);
}

int
socket_lookup(int fd, struct fd_ref *ref, struct socket **out)
{
	*ref = fd_lookup(fd);
	if (!ref->file)
		return -EBADF;
	*out = socket_of(ref->file);
	if (*out)
		return 0;
	fd_release(*ref);
	return -ENOTSOCK;
}

u64
socket_deadline(const struct socket *s, bool send, bool nonblock)
{
	u64 t = send ? s->snd_timeout_ns : s->rcv_timeout_ns;

	if (nonblock)
		return 0;
	return t == TIME_NEVER ? TIME_NEVER : time_mono_ns() + t;
}

int
socket_take_error(struct socket *s)
{
	return xchg(&s->error, 0);
}

/* ---- addresses ---- */

int
socket_addr_from_user(user_ptr uaddr, int len, u8 *addr)
{
	if (len < 0 || len > SOCK_ADDR_MAX)
		return -EINVAL;
	memset(addr, 0, SOCK_ADDR_MAX);
	return len ? copy_from_user(addr, uaddr, (size_t)len) : 0;
}

int
socket_addr_to_user(const u8 *addr, u32 len, user_ptr uaddr, user_ptr ulen)
{
	s32 room;

	if (get_user(&room, ulen))
		return -EFAULT;
	if (room < 0)
		return -EINVAL;
	u32 n = MIN((u32)room, len);
	if (n && copy_to_user(uaddr, addr, n))
		return -EFAULT;
	return put_user(ulen, (s32)len);
}

/* ---- the file ---- */

static void
socket_release(struct file *f)
{
	socket_free(f->private);
}

static ssize_t
socket_read(struct file *f, struct iov_iter *it, u64 *pos)
{
	struct socket *s = f->private;
	struct socket_msg m = { .iter = it, .flags = f->flags & O_NONBLOCK ? MSG_DONTWAIT : 0 };

	return s->ops->recvmsg ? s->ops->recvmsg(s, &m) : -EOPNOTSUPP;
}

static ssize_t
socket_write(struct file *f, struct iov_iter *it, u64 *pos)
{
	struct socket *s = f->private;
	struct socket_msg m = { .iter = it, .flags = f->flags & O_NONBLOCK ? MSG_DONTWAIT : 0 };

	return s->ops->sendmsg ? socket_send_result(s->ops->sendmsg(s, &m), 0) : -EOPNOTSUPP;
}

static u32
socket_poll(struct file *f, struct poll_table *pt)
{
	struct socket *s = f->private;

	return s->ops->poll(s, f, pt);
}

static long
socket_ioctl(struct file *f, u32 cmd, u64 arg)
{
	struct socket *s = f->private;

	long r = s->ops->ioctl ? s->ops->ioctl(s, cmd, arg) : -ENOTTY;

	if (r == -ENOTTY && socket_device_ioctl)
		r = socket_device_ioctl(cmd, arg);
	return r;
}

static const struct fs_type sock_fs_type = {
	.name = "sockfs",
	.magic = SOCKFS_MAGIC,
	.mount = anon_fs_mount,
};

void
socket_init(void)
{
	sock_mount = mount_internal(&sock_fs_type);
	if (!sock_mount)
		panic("net: no memory for sockfs");
}

/* ---- system calls ---- */

static int
type_flags(int *type, u32 *flags)
{
	*flags = (u32)*type & ~SOCK_TYPE_MASK;
	*type &= SOCK_TYPE_MASK;
	return *flags & ~(u32)(SOCK_CLOEXEC | SOCK_NONBLOCK) ? -EINVAL : 0;
}

long
sys_socket(int family, int type, int protocol)
{
	struct socket *s;
	struct file *f;
	u32 flags;
	int r = type_flags(&type, &flags);

	if (!r)
		r = socket_create(family, type, protocol, &s);
	if (!r)
		r = socket_file_create(s, flags, &f);
	return r ? r : fd_add(f, flags & SOCK_CLOEXEC);
}

long
sys_socketpair(int family, int type, int protocol, user_ptr ufds)
{
	struct socket *a, *b;
	struct file *fa, *fb;
	int fds[2], r;
	u32 flags;

	r = type_flags(&type, &flags);
	if (r)
		return r;
	r = socket_create(family, type, protocol, &a);
	if (r)
		return r;
	r = socket_create(family, type, protocol, &b);
	if (!r && !a->ops->socketpair)
		r = -EOPNOTSUPP;
	if (r) {
		socket_free(a);
		return r;
	}
	r = a->ops->socketpair(a, b);
	if (r) {
		socket_free(a);
		socket_free(b);
		return r;
	}
	r = socket_file_create(a, flags, &fa);
	if (r) {
		socket_free(b);
		return r;
	}
	r = socket_file_create(b, flags, &fb);
	if (r) {
		file_put(fa);
		return r;
	}
	fds[0] = r = fd_reserve(0, flags & SOCK_CLOEXEC);
	if (r < 0)
		goto out_put_files;
	fds[1] = r = fd_reserve(0, flags & SOCK_CLOEXEC);
	if (r < 0)
		goto out_cancel_first;
	r = copy_to_user(ufds, fds, sizeof(fds));
	if (r)
		goto out_cancel_both;
	fd_install(fds[0], fa);
	fd_install(fds[1], fb);
	return 0;

out_cancel_both:
	fd_cancel(fds[1]);
out_cancel_first:
	fd_cancel(fds[0]);
out_put_files:
	file_put(fa);
	file_put(fb);
	return r;
}

long
sys_bind(int fd, user_ptr uaddr, int len)
{
	u8 addr[SOCK_ADDR_MAX];
	struct socket *s;
	struct fd_ref f;
	int r = socket_lookup(fd, &f, &s);

	if (r)
		return r;
	r = socket_addr_from_user(uaddr, len, addr);
	if (!r)
		r = s->ops->bind ? s->ops->bind(s, addr, (u32)len) : -EOPNOTSUPP;
	fd_release(f);
	return r;
}

long
sys_connect(int fd, user_ptr uaddr, int len)
{
	u8 addr[SOCK_ADDR_MAX];
	struct socket *s;
	struct fd_ref f;
	int r = socket_lookup(fd, &f, &s);

	if (r)
		return r;
	r = socket_addr_from_user(uaddr, len, addr);
	if (!r)
		r = s->ops->connect ? s->ops->connect(s, addr, (u32)len, f.file->flags)
				    : -EOPNOTSUPP;
	fd_release(f);
	return r;
}

long
sys_listen(int fd, int backlog)
{
	struct socket *s;
	struct fd_ref f;
	int r = socket_lookup(fd, &f, &s);

	if (r)
		return r;
	r = s->ops->listen ? s->ops->listen(s, backlog) : -EOPNOTSUPP;
	fd_release(f);
	return r;
}

static int
accept_locked(struct socket *s, struct file *f, user_ptr uaddr, user_ptr ulen, int flags)
{
	u8 addr[SOCK_ADDR_MAX];
	struct socket *fresh;
	struct file *ff;
	u32 len = 0;
	int r = s->ops->accept ? s->ops->accept(s, &fresh, f->flags) : -EOPNOTSUPP;

	if (r)
		return r;
	r = socket_file_create(fresh, (u32)flags & SOCK_NONBLOCK, &ff);
	if (r)
		return r;
	if (!user_ptr_null(uaddr)) {
		r = fresh->ops->getname(fresh, addr, &len, true);
		if (!r)
			r = socket_addr_to_user(addr, len, uaddr, ulen);
		if (r) {
			file_put(ff);
			return r == -ENOTCONN ? -ECONNABORTED : r;
		}
	}
	return fd_add(ff, flags & SOCK_CLOEXEC);
}

long
sys_accept4(int fd, user_ptr uaddr, user_ptr ulen, int flags)
{
	struct socket *s;
	struct fd_ref f;
	int r;

	if (flags & ~(SOCK_CLOEXEC | SOCK_NONBLOCK))
		return -EINVAL;
	r = socket_lookup(fd, &f, &s);
	if (r)
		return r;
	r = accept_locked(s, f.file, uaddr, ulen, flags);
	fd_release(f);
	return r;
}

long
sys_accept(int fd, user_ptr uaddr, user_ptr ulen)
{
	return sys_accept4(fd, uaddr, ulen, 0);
}

static long
getname(int fd, user_ptr uaddr, user_ptr ulen, bool peer)
{
	u8 addr[SOCK_ADDR_MAX];
	struct socket *s;
	struct fd_ref f;
	u32 len = 0;
	int r = socket_lookup(fd, &f, &s);

	if (r)
		return r;
	r = s->ops->getname(s, addr, &len, peer);
	if (!r)
		r = socket_addr_to_user(addr, len, uaddr, ulen);
	fd_release(f);
	return r;
}

long
sys_getsockname(int fd, user_ptr uaddr, user_ptr ulen)
{
	return getname(fd, uaddr, ulen, false);
}

long
sys_getpeername(int fd, user_ptr uaddr, user_ptr ulen)
{
	return getname(fd, uaddr, ulen, true);
}

long
sys_shutdown(int fd, int how)
{
	struct socket *s;
	struct fd_ref f;
	int r = socket_lookup(fd, &f, &s);

	if (r)
		return r;
	if (how < SHUT_RD || how > SHUT_RDWR)
		r = -EINVAL;
	else
		r = s->ops->shutdown ? s->ops->shutdown(s, how) : -EOPNOTSUPP;
	fd_release(f);
	return r;
}

static const struct file_ops socket_file_ops = {
	.release = socket_release,
	.read = socket_read,
	.write = socket_write,
	.poll = socket_poll,
	.ioctl = socket_ioctl,
};
