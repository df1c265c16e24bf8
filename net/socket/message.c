/* SPDX-License-Identifier: MIT */
/* Sending and receiving: send(2), recv(2), sendmsg(2), recvmsg(2) and their batched forms. */
#include "core/time.h"
#include "fs/vfs/file.h"
#include "generated/syscalls.h"
#include "lib/string.h"
#include "mm/iter.h"
#include "mm/slab.h"
#include "mm/user.h"
#include "net/socket/socket.h"
#include "sched/sched.h"
#include "task/clock.h"
#include "task/task.h"
#include "uapi/errno.h"
#include "uapi/fcntl.h"

#define CONTROL_MAX 20480

int
socket_put_cmsg(struct socket_msg *m, int level, int type, const void *data, size_t len)
{
	struct linux_cmsghdr h = { .cmsg_len = CMSG_LEN(len),
				   .cmsg_level = level,
				   .cmsg_type = type };
	size_t room = m->control_room - m->control_done;

	if (room < sizeof(h)) {
		m->out_flags |= MSG_CTRUNC;
		return 0;
	}
	if (room < h.cmsg_len) {
		m->out_flags |= MSG_CTRUNC;
		h.cmsg_len = room;
		len = room - sizeof(h);
	}
	user_ptr to = user_ptr_add(m->control_user, m->control_done);
	if (copy_to_user(to, &h, sizeof(h)) || copy_to_user(user_ptr_add(to, sizeof(h)), data, len))
		return -EFAULT;
	m->control_done += MIN(CMSG_ALIGN(h.cmsg_len), room);
	return 0;
}

static u32
effective_flags(const struct fd_ref *f, u32 flags)
{
	return flags | (f->file->flags & O_NONBLOCK ? MSG_DONTWAIT : 0);
}

ssize_t
socket_send_result(ssize_t r, u32 flags)
{
	if (r == -EPIPE && !(flags & MSG_NOSIGNAL)) {
		struct linux_siginfo info;

		siginfo_from_current(&info, SIGPIPE, SI_USER);
		(void)signal_send_task(current, SIGPIPE, &info);
	}
	return r;
}

long
sys_sendto(int fd, user_ptr buf, size_t len, u32 flags, user_ptr uaddr, int addrlen)
{
	u8 addr[SOCK_ADDR_MAX];
	struct iov_iter it;
	struct socket *s;
	struct fd_ref f;
	ssize_t r;

	if (!user_range_ok(buf, len))
		return -EFAULT;
	iter_init_user(&it, false, buf, MIN(len, MAX_RW_COUNT));
	r = socket_lookup(fd, &f, &s);
	if (r)
		return r;
	struct socket_msg m = { .iter = &it, .flags = effective_flags(&f, flags) };
	if (!user_ptr_null(uaddr)) {
		r = socket_addr_from_user(uaddr, addrlen, addr);
		m.addr = addr;
		m.addr_len = (u32)addrlen;
	}
	if (!r)
		r = s->ops->sendmsg ? socket_send_result(s->ops->sendmsg(s, &m), flags)
				    : -EOPNOTSUPP;
	fd_release(f);
	return r;
}

long
sys_recvfrom(int fd, user_ptr buf, size_t len, u32 flags, user_ptr uaddr, user_ptr ulen)
{
	u8 addr[SOCK_ADDR_MAX];
	struct iov_iter it;
	struct socket *s;
	struct fd_ref f;
	ssize_t r;

	if (!user_range_ok(buf, len))
		return -EFAULT;
	iter_init_user(&it, true, buf, MIN(len, MAX_RW_COUNT));
	r = socket_lookup(fd, &f, &s);
	if (r)
		return r;
	struct socket_msg m = { .iter = &it, .flags = effective_flags(&f, flags) };
	if (!user_ptr_null(uaddr))
		m.addr = addr;
	r = s->ops->recvmsg ? s->ops->recvmsg(s, &m) : -EOPNOTSUPP;
	fd_release(f);
	if (r >= 0 && !user_ptr_null(uaddr)) {
		int e = socket_addr_to_user(addr, m.addr_len, uaddr, ulen);

		if (e)
			return e;
	}
	return r;
}

static ssize_t
sendmsg_one(struct socket *s, struct fd_ref *f, user_ptr umsg, u32 flags)
{
	struct linux_msghdr h;
	struct iov_seg fast[8], *heap;
	u8 addr[SOCK_ADDR_MAX];
	struct iov_iter it;
	u8 *control = NULL;
	ssize_t r = copy_from_user(&h, umsg, sizeof(h));

	if (r)
		return r;
	struct socket_msg m = { .iter = &it, .flags = effective_flags(f, flags) };
	if (h.msg_name && h.msg_namelen) {
		r = socket_addr_from_user(
			user_ptr_of(h.msg_name),
			h.msg_namelen > SOCK_ADDR_MAX ? SOCK_ADDR_MAX : h.msg_namelen, addr);
		if (r)
			return r;
		m.addr = addr;
		m.addr_len = MIN((u32)h.msg_namelen, (u32)SOCK_ADDR_MAX);
	}
	if (h.msg_iovlen > IOV_MAX)
		return -EMSGSIZE;
	r = iter_import(&it, false, user_ptr_of(h.msg_iov), h.msg_iovlen, fast, &heap);
	if (r)
		return r;
	if (h.msg_controllen > CONTROL_MAX) {
		r = -ENOBUFS;
		goto out_free;
	}
	if (h.msg_controllen) {
		control = kmalloc(h.msg_controllen, GFP_KERNEL);
		r = control ? copy_from_user(control, user_ptr_of(h.msg_control), h.msg_controllen)
			    : -ENOMEM;
		if (r)
			goto out_free;
		m.control = control;
		m.control_len = h.msg_controllen;
	}
	r = s->ops->sendmsg ? socket_send_result(s->ops->sendmsg(s, &m), flags) : -EOPNOTSUPP;
out_free:
	kfree(control);
	kfree(heap);
	return r;
}

static ssize_t
recvmsg_one(struct socket *s, struct fd_ref *f, user_ptr umsg, u32 flags)
{
	struct linux_msghdr h;
	struct iov_seg fast[8], *heap;
	u8 addr[SOCK_ADDR_MAX];
	struct iov_iter it;
	ssize_t r = copy_from_user(&h, umsg, sizeof(h));

	if (r)
		return r;
	if (h.msg_iovlen > IOV_MAX)
		return -EMSGSIZE;
	r = iter_import(&it, true, user_ptr_of(h.msg_iov), h.msg_iovlen, fast, &heap);
	if (r)
		return r;
	struct socket_msg m = {
		.iter = &it,
		.flags = effective_flags(f, flags),
		.addr = h.msg_name ? addr : NULL,
		.control_user = user_ptr_of(h.msg_control),
		.control_room = h.msg_control ? h.msg_controllen : 0,
	};
	r = s->ops->recvmsg ? s->ops->recvmsg(s, &m) : -EOPNOTSUPP;
	kfree(heap);
	if (r < 0)
		return r;
	if (h.msg_name) {
		if (h.msg_namelen < 0)
			return -EINVAL;
		u32 n = MIN((u32)h.msg_namelen, m.addr_len);
		if (n && copy_to_user(user_ptr_of(h.msg_name), addr, n))
			return -EFAULT;
	}
	h.msg_namelen = (s32)m.addr_len;
	h.msg_controllen = m.control_done;
	h.msg_flags = (s32)(m.out_flags | (flags & MSG_CMSG_CLOEXEC));
	if (put_user(user_ptr_add(umsg, offsetof(struct linux_msghdr, msg_namelen)),
		     h.msg_namelen) ||
	    put_user(user_ptr_add(umsg, offsetof(struct linux_msghdr, msg_controllen)),
		     h.msg_controllen) ||
	    put_user(user_ptr_add(umsg, offsetof(struct linux_msghdr, msg_flags)), h.msg_flags))
		return -EFAULT;
	return r;
}

long
sys_sendmsg(int fd, user_ptr umsg, u32 flags)
{
	struct socket *s;
	struct fd_ref f;
	ssize_t r = socket_lookup(fd, &f, &s);

	if (r)
		return r;
	r = sendmsg_one(s, &f, umsg, flags);
	fd_release(f);
	return r;
}

long
sys_recvmsg(int fd, user_ptr umsg, u32 flags)
{
	struct socket *s;
	struct fd_ref f;
	ssize_t r = socket_lookup(fd, &f, &s);

	if (r)
		return r;
	r = recvmsg_one(s, &f, umsg, flags);
	fd_release(f);
	return r;
}

/* The batched forms return how many went through; an error only if the first failed. */
long
sys_sendmmsg(int fd, user_ptr msgs, u32 count, u32 flags)
{
	struct socket *s;
	struct fd_ref f;
	u32 done = 0;
	ssize_t r = socket_lookup(fd, &f, &s);

	if (r)
		return r;
	for (count = MIN(count, (u32)IOV_MAX); done < count; done++) {
		user_ptr at = user_ptr_add(msgs, (u64)done * sizeof(struct linux_mmsghdr));

		r = sendmsg_one(s, &f, at, flags);
		if (r < 0)
			break;
		r = put_user(user_ptr_add(at, offsetof(struct linux_mmsghdr, msg_len)), (u32)r);
		if (r)
			break;
		sched_cond_resched();
	}
	fd_release(f);
	return done ? (long)done : r;
}

long
sys_recvmmsg(int fd, user_ptr msgs, u32 count, u32 flags, user_ptr timeout)
{
	struct socket *s;
	struct fd_ref f;
	u64 ns, deadline = TIME_NEVER;
	u32 done = 0;
	ssize_t r;

	if (!user_ptr_null(timeout)) {
		r = timespec_read_user(timeout, &ns);
		if (r)
			return r;
		u64 now = time_mono_ns();
		deadline = ns < TIME_NEVER - now ? now + ns : TIME_NEVER;
	}
	r = socket_lookup(fd, &f, &s);
	if (r)
		return r;
	for (count = MIN(count, (u32)IOV_MAX); done < count; done++) {
		user_ptr at = user_ptr_add(msgs, (u64)done * sizeof(struct linux_mmsghdr));

		r = recvmsg_one(s, &f, at, flags & ~(u32)MSG_WAITFORONE);
		if (r < 0)
			break;
		r = put_user(user_ptr_add(at, offsetof(struct linux_mmsghdr, msg_len)), (u32)r);
		if (r)
			break;
		if (flags & MSG_WAITFORONE)
			flags |= MSG_DONTWAIT;
		/* recvmmsg(2): the time is only looked at after each message. */
		if (deadline != TIME_NEVER && time_mono_ns() >= deadline) {
			done++;
			break;
		}
		sched_cond_resched();
	}
	fd_release(f);
	return done ? (long)done : r;
}
