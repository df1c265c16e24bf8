/* SPDX-License-Identifier: MIT */
/*
 * What travels beside the bytes: SCM_RIGHTS (open files) and SCM_CREDENTIALS. unix(7).
 *
 * Limit: sockets that are under way in each other's queues, with no descriptor left, keep each
 * other alive; a process may therefore have at most as many files under way as it may have open.
 */
#include "fs/vfs/file.h"
#include "lib/string.h"
#include "mm/slab.h"
#include "task/rlimit.h"
#include "task/task.h"
#include "uapi/errno.h"
#include "unix_internal.h"

static struct atomic32 in_flight;

void
unix_cred_current(struct linux_ucred *c)
{
	const struct cred *me = current_cred();

	c->pid = current_pid();
	c->uid = me->euid;
	c->gid = me->egid;
}

void
unix_rights_free(struct unix_rights *r)
{
	if (!r)
		return;
	for (u32 i = 0; i < r->count; i++)
		file_put(r->files[i]);
	atomic_sub(&in_flight, (int)r->count);
	kfree(r);
}

struct unix_rights *
unix_rights_copy(const struct unix_rights *r)
{
	struct unix_rights *c = kmalloc(sizeof(*c) + r->count * sizeof(c->files[0]), GFP_KERNEL);

	if (!c)
		return NULL;
	c->count = r->count;
	for (u32 i = 0; i < r->count; i++) {
		c->files[i] = r->files[i];
		file_get(c->files[i]);
	}
	atomic_add(&in_flight, (int)c->count);
	return c;
}

static int
rights_take(const u8 *data, size_t len, struct unix_rights **out)
{
	u32 n = (u32)(len / sizeof(s32));

	if (n > SCM_MAX_FD || *out)
		return -EINVAL;
	if (!n)
		return 0;
	if ((u64)atomic_read(&in_flight) + n > rlimit_current(RLIMIT_NOFILE) &&
	    !capable(CAP_SYS_RESOURCE) && !capable(CAP_SYS_ADMIN))
		return -ETOOMANYREFS;
	struct unix_rights *r = kmalloc(sizeof(*r) + n * sizeof(r->files[0]), GFP_KERNEL);
	if (!r)
		return -ENOMEM;
	r->count = 0;
	for (u32 i = 0; i < n; i++) {
		s32 fd;

		memcpy(&fd, data + i * sizeof(fd), sizeof(fd));
		struct file *f = fd_find(fd);
		if (!f) {
			unix_rights_free(r);
			return -EBADF;
		}
		r->files[r->count++] = f;
		atomic_inc(&in_flight);
	}
	*out = r;
	return 0;
}

static int
cred_take(const u8 *data, size_t len, struct linux_ucred *cred)
{
	const struct cred *me = current_cred();
	struct linux_ucred c;

	if (len != sizeof(c))
		return -EINVAL;
	memcpy(&c, data, sizeof(c));
	if ((s32)c.pid != current_pid() && !cred_capable(me, CAP_SYS_ADMIN))
		return -EPERM;
	if (c.uid != me->uid && c.uid != me->euid && c.uid != me->suid &&
	    !cred_capable(me, CAP_SETUID))
		return -EPERM;
	if (c.gid != me->gid && c.gid != me->egid && c.gid != me->sgid &&
	    !cred_capable(me, CAP_SETGID))
		return -EPERM;
	*cred = c;
	return 0;
}

int
unix_control_parse(struct socket_msg *m, struct linux_ucred *cred, struct unix_rights **out)
{
	const u8 *p = m->control;
	size_t left = m->control_len;
	int r = 0;

	*out = NULL;
	unix_cred_current(cred);
	cred->uid = current_cred()->uid;
	cred->gid = current_cred()->gid;
	while (!r && left >= sizeof(struct linux_cmsghdr)) {
		struct linux_cmsghdr h;

		memcpy(&h, p, sizeof(h));
		if (h.cmsg_len < sizeof(h) || h.cmsg_len > left) {
			r = -EINVAL;
			break;
		}
		if (h.cmsg_level == SOL_SOCKET) {
			if (h.cmsg_type == SCM_RIGHTS)
				r = rights_take(p + sizeof(h), h.cmsg_len - sizeof(h), out);
			else if (h.cmsg_type == SCM_CREDENTIALS)
				r = cred_take(p + sizeof(h), h.cmsg_len - sizeof(h), cred);
			else
				r = -EINVAL;
		}
		size_t step = CMSG_ALIGN(h.cmsg_len);
		if (step >= left)
			break;
		p += step;
		left -= step;
	}
	if (r) {
		unix_rights_free(*out);
		*out = NULL;
	}
	return r;
}

/* Install as many as there is room for; what is left over is closed, and MSG_CTRUNC says so. */
int
unix_rights_deliver(struct socket_msg *m, struct unix_rights *r)
{
	s32 fds[SCM_MAX_FD];
	size_t room = m->control_room - m->control_done;
	u32 n = 0, fit = room > sizeof(struct linux_cmsghdr)
				 ? (u32)((room - sizeof(struct linux_cmsghdr)) / sizeof(s32))
				 : 0;
	int err = 0;

	for (; n < r->count && n < fit; n++) {
		int fd = fd_reserve(0, m->flags & MSG_CMSG_CLOEXEC);

		if (fd < 0)
			break;
		file_get(r->files[n]);
		fd_install(fd, r->files[n]);
		fds[n] = fd;
	}
	if (n)
		err = socket_put_cmsg(m, SOL_SOCKET, SCM_RIGHTS, fds, n * sizeof(s32));
	if (n < r->count)
		m->out_flags |= MSG_CTRUNC;
	return err;
}
