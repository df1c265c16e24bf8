/* SPDX-License-Identifier: MIT */
/*
 * What travels beside the bytes: SCM_RIGHTS (open files) and SCM_CREDENTIALS. unix(7).
 *
 * A user has no more files under way than RLIMIT_NOFILE, and those of one message; garbage.c has
 * the sockets among them.
 */
#include "fs/vfs/file.h"
#include "lib/string.h"
#include "mm/slab.h"
#include "task/rlimit.h"
#include "task/task.h"
#include "task/user_ns.h"
#include "uapi/errno.h"
#include "unix_internal.h"

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
	unix_flight_end(r);
	for (u32 i = 0; i < r->count; i++)
		file_put_late(r->files[i]);
	(void)user_count_in_flight(r->user, -(int)r->count, 0);
	user_account_put(r->user);
	kfree(r);
}

/* Not under way yet. */
static void
rights_drop(struct unix_rights *r)
{
	for (u32 i = 0; r && i < r->count; i++)
		file_put(r->files[i]);
	kfree(r);
}

/* The files of one control message, behind those of others. */
static int
rights_add(const u8 *data, size_t len, struct unix_rights **rights)
{
	struct unix_rights *old = *rights, *r;
	u32 n = (u32)(len / sizeof(s32)), had = old ? old->count : 0;

	if (n > SCM_MAX_FD - had)
		return -EINVAL;
	if (!n)
		return 0;
	r = kmalloc(sizeof(*r) + (had + n) * sizeof(r->files[0]), GFP_KERNEL);
	if (!r)
		return -ENOMEM;
	r->count = had;
	if (old)
		memcpy(r->files, old->files, had * sizeof(r->files[0]));
	kfree(old);
	*rights = r;
	for (u32 i = 0; i < n; i++, r->count++) {
		s32 fd;

		memcpy(&fd, data + i * sizeof(fd), sizeof(fd));
		r->files[r->count] = fd_find(fd);
		if (!r->files[r->count])
			return -EBADF;
	}
	return 0;
}

/* All are there: from now on unix_rights_free ends it. */
static int
rights_begin(struct unix_rights *r)
{
	u64 limit = capable(CAP_SYS_RESOURCE) || capable(CAP_SYS_ADMIN)
			    ? RLIM_INFINITY
			    : rlimit_current(RLIMIT_NOFILE);

	r->user = user_account_get(current_cred()->user);
	if (!user_count_in_flight(r->user, (int)r->count, limit)) {
		user_account_put(r->user);
		return -ETOOMANYREFS;
	}
	unix_flight_begin(r);
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
	c.uid = uid_from_user(me->user_ns, c.uid);
	c.gid = gid_from_user(me->user_ns, c.gid);
	if (c.uid == ID_NONE || c.gid == ID_NONE)
		return -EINVAL;
	if ((s32)c.pid != current_pid() && !ns_capable(current_pid_ns()->owner, CAP_SYS_ADMIN))
		return -EPERM;
	if (c.uid != me->uid && c.uid != me->euid && c.uid != me->suid &&
	    !ns_capable(me->user_ns, CAP_SETUID))
		return -EPERM;
	if (c.gid != me->gid && c.gid != me->egid && c.gid != me->sgid &&
	    !ns_capable(me->user_ns, CAP_SETGID))
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
				r = rights_add(p + sizeof(h), h.cmsg_len - sizeof(h), out);
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
	if (!r && *out)
		r = rights_begin(*out);
	if (r) {
		rights_drop(*out);
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
		fds[n] = fd;
	}
	unix_flight_wait(r);
	for (u32 i = 0; i < n; i++)
		fd_install(fds[i], r->files[i]);
	if (n)
		err = socket_put_cmsg(m, SOL_SOCKET, SCM_RIGHTS, fds, n * sizeof(s32));
	if (n < r->count)
		m->out_flags |= MSG_CTRUNC;
	return err;
}
