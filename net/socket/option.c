/* SPDX-License-Identifier: MIT */
/* setsockopt(2) and getsockopt(2) at SOL_SOCKET: socket(7). Other levels, and what only a family
 * knows, go to the family. */
#include "core/time.h"
#include "fs/vfs/file.h"
#include "generated/syscalls.h"
#include "lib/string.h"
#include "mm/user.h"
#include "net/socket/socket.h"
#include "task/clock.h"
#include "task/task.h"
#include "uapi/errno.h"

#define VALUE_MAX  256
#define SNDBUF_MIN 4608
#define RCVBUF_MIN 2304

static u32
option_bit(int name)
{
	switch (name) {
	case SO_REUSEADDR: return SOCKOPT_REUSEADDR;
	case SO_REUSEPORT: return SOCKOPT_REUSEPORT;
	case SO_KEEPALIVE: return SOCKOPT_KEEPALIVE;
	case SO_BROADCAST: return SOCKOPT_BROADCAST;
	case SO_OOBINLINE: return SOCKOPT_OOBINLINE;
	case SO_PASSCRED: return SOCKOPT_PASSCRED;
	case SO_PASSSEC: return SOCKOPT_PASSSEC;
	case SO_TIMESTAMP: return SOCKOPT_TIMESTAMP;
	case SO_DONTROUTE: return SOCKOPT_DONTROUTE;
	}
	return 0;
}

/* Linux doubles what is asked for, to have room for its bookkeeping, and programs read that back.
 */
static u32
buffer_size(int v, u32 min, u32 max)
{
	u32 n = MIN((u32)v, max);

	n = MIN(n, (u32)INT32_MAX / 2);
	return MAX(n * 2, min);
}

static int
timeout_set(u64 *ns, const void *val, u32 len)
{
	struct linux_timeval tv;

	if (len < sizeof(tv))
		return -EINVAL;
	memcpy(&tv, val, sizeof(tv));
	if (tv.tv_usec < 0 || tv.tv_usec >= 1000000)
		return -EDOM;
	if (tv.tv_sec < 0)
		*ns = 0;
	else if (tv.tv_sec == 0 && tv.tv_usec == 0)
		*ns = TIME_NEVER;
	else
		*ns = tv.tv_sec > (s64)(TIME_NEVER / 2 / NSEC_PER_SEC)
			      ? TIME_NEVER
			      : (u64)tv.tv_sec * NSEC_PER_SEC + (u64)tv.tv_usec * 1000;
	return 0;
}

static int
socket_option_set(struct socket *s, int name, const void *val, u32 len)
{
	u32 bit = option_bit(name);
	int v;

	if (name == SO_RCVTIMEO_OLD || name == SO_RCVTIMEO_NEW)
		return timeout_set(&s->rcv_timeout_ns, val, len);
	if (name == SO_SNDTIMEO_OLD || name == SO_SNDTIMEO_NEW)
		return timeout_set(&s->snd_timeout_ns, val, len);
	if (name == SO_LINGER) {
		struct linux_linger l;

		if (len < sizeof(l))
			return -EINVAL;
		memcpy(&l, val, sizeof(l));
		s->opts = l.l_onoff ? s->opts | SOCKOPT_LINGER : s->opts & ~SOCKOPT_LINGER;
		s->linger_s = (u32)l.l_linger;
		return 0;
	}
	if (len < sizeof(v))
		return -EINVAL;
	memcpy(&v, val, sizeof(v));
	if (bit) {
		s->opts = v ? s->opts | bit : s->opts & ~bit;
		return 0;
	}
	switch (name) {
	case SO_RCVBUF: s->rcvbuf = buffer_size(v, RCVBUF_MIN, socket_buffers.rmem_max); return 0;
	case SO_SNDBUF: s->sndbuf = buffer_size(v, SNDBUF_MIN, socket_buffers.wmem_max); return 0;
	case SO_RCVBUFFORCE:
	case SO_SNDBUFFORCE:
		if (!capable(CAP_NET_ADMIN))
			return -EPERM;
		if (name == SO_RCVBUFFORCE)
			s->rcvbuf = buffer_size(MAX(v, 0), RCVBUF_MIN, INT32_MAX);
		else
			s->sndbuf = buffer_size(MAX(v, 0), SNDBUF_MIN, INT32_MAX);
		return 0;
	case SO_RCVLOWAT: s->rcvlowat = v < 0 ? INT32_MAX : v ? (u32)v : 1; return 0;
	case SO_PRIORITY:
		if ((v < 0 || v > 6) && !capable(CAP_NET_ADMIN))
			return -EPERM;
		s->priority = (u32)v;
		return 0;
	case SO_MARK:
		if (!capable(CAP_NET_ADMIN))
			return -EPERM;
		s->mark = (u32)v;
		return 0;
	case SO_TYPE:
	case SO_PROTOCOL:
	case SO_DOMAIN:
	case SO_ERROR:
	case SO_ACCEPTCONN: return -ENOPROTOOPT;
	}
	return s->ops->setsockopt ? s->ops->setsockopt(s, SOL_SOCKET, name, val, len)
				  : -ENOPROTOOPT;
}

static int
timeout_get(u64 ns, void *val, u32 *len)
{
	struct linux_timeval tv = { 0 };

	if (ns != TIME_NEVER) {
		tv.tv_sec = (s64)(ns / NSEC_PER_SEC);
		tv.tv_usec = (s64)(ns % NSEC_PER_SEC / 1000);
	}
	memcpy(val, &tv, sizeof(tv));
	*len = sizeof(tv);
	return 0;
}

static int
socket_option_get(struct socket *s, int name, void *val, u32 *len)
{
	u32 bit = option_bit(name);
	int v;

	if (name == SO_RCVTIMEO_OLD || name == SO_RCVTIMEO_NEW)
		return timeout_get(s->rcv_timeout_ns, val, len);
	if (name == SO_SNDTIMEO_OLD || name == SO_SNDTIMEO_NEW)
		return timeout_get(s->snd_timeout_ns, val, len);
	if (name == SO_LINGER) {
		struct linux_linger l = { .l_onoff = !!(s->opts & SOCKOPT_LINGER),
					  .l_linger = (s32)s->linger_s };

		memcpy(val, &l, sizeof(l));
		*len = sizeof(l);
		return 0;
	}
	switch (name) {
	case SO_TYPE: v = s->type; break;
	case SO_PROTOCOL: v = s->protocol; break;
	case SO_DOMAIN: v = s->family; break;
	case SO_ERROR: v = socket_take_error(s); break;
	case SO_RCVBUF: v = (int)s->rcvbuf; break;
	case SO_SNDBUF: v = (int)s->sndbuf; break;
	case SO_RCVLOWAT: v = (int)s->rcvlowat; break;
	case SO_SNDLOWAT: v = 1; break;
	case SO_PRIORITY: v = (int)s->priority; break;
	case SO_MARK: v = (int)s->mark; break;
	default:
		if (!bit)
			return s->ops->getsockopt
				       ? s->ops->getsockopt(s, SOL_SOCKET, name, val, len)
				       : -ENOPROTOOPT;
		v = !!(s->opts & bit);
	}
	memcpy(val, &v, sizeof(v));
	*len = sizeof(v);
	return 0;
}

long
sys_setsockopt(int fd, int level, int name, user_ptr uval, int len)
{
	u8 val[VALUE_MAX];
	struct socket *s;
	struct fd_ref f;
	int r;

	if (len < 0)
		return -EINVAL;
	r = socket_lookup(fd, &f, &s);
	if (r)
		return r;
	u32 n = MIN((u32)len, (u32)sizeof(val));
	r = copy_from_user(val, uval, n);
	if (!r) {
		if (level == SOL_SOCKET)
			r = socket_option_set(s, name, val, n);
		else
			r = s->ops->setsockopt ? s->ops->setsockopt(s, level, name, val, n)
					       : -EOPNOTSUPP;
	}
	if (!r && level == SOL_SOCKET && s->ops->option_changed)
		s->ops->option_changed(s);
	fd_release(f);
	return r;
}

long
sys_getsockopt(int fd, int level, int name, user_ptr uval, user_ptr ulen)
{
	u8 val[VALUE_MAX];
	struct socket *s;
	struct fd_ref f;
	u32 len = sizeof(val);
	s32 room;
	int r;

	if (get_user(&room, ulen))
		return -EFAULT;
	if (room < 0)
		return -EINVAL;
	r = socket_lookup(fd, &f, &s);
	if (r)
		return r;
	if (level == SOL_SOCKET)
		r = socket_option_get(s, name, val, &len);
	else
		r = s->ops->getsockopt ? s->ops->getsockopt(s, level, name, val, &len)
				       : -EOPNOTSUPP;
	fd_release(f);
	if (r)
		return r;
	u32 n = MIN(len, (u32)room);
	if (copy_to_user(uval, val, n))
		return -EFAULT;
	return put_user(ulen, (s32)n);
}
