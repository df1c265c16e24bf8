/* SPDX-License-Identifier: MIT */
/*
 * AF_UNIX sockets: unix(7).
 *
 * Each end has a queue of messages that others put there. A stream is a queue of pieces read
 * without regard to their bounds, except that bytes that came with files or from another sender are
 * not joined with what was before. A message is built (allocated, copied from user memory) before
 * any lock is taken and then linked in; a reader holds read_lock, copies from the first message
 * without the spinlock, and unlinks it when it is used up.
 *
 * Flow control: a stream's sender waits while the receiver's queue holds more than the sender's
 * SO_SNDBUF; a datagram's sender waits while the receiver has 10 messages waiting. Writers sleep
 * on the receiver's room, apart from its own pollers, to whom its reads are no news; pollers wait
 * on their own socket: each message knows its sender, who is told when it is taken.
 *
 * Lifetime: see struct unix_sock. A connected pair refers to each other; close breaks both
 * directions.
 */
#include "net/unix/unix.h"
#include "core/time.h"
#include "fs/vfs/file.h"
#include "lib/string.h"
#include "mm/iter.h"
#include "mm/slab.h"
#include "mm/user.h"
#include "task/task.h"
#include "task/user_ns.h"
#include "uapi/errno.h"
#include "uapi/fcntl.h"
#include "uapi/ioctl.h"
#include "unix_internal.h"

#define PIECE_MAX	32768
#define SHUT_R		1u
#define SHUT_W		2u
#define SOMAXCONN_LIMIT 4096

static const struct socket_ops unix_stream_ops, unix_dgram_ops;

static struct unix_sock *
of(const struct socket *s)
{
	return s->private;
}

void
unix_get(struct unix_sock *u)
{
	ref_get(&u->ref);
}

void
unix_put(struct unix_sock *u)
{
	if (u && ref_put(&u->ref)) {
		unix_list_remove(u);
		kfree(u);
	}
}

static struct unix_sock *
unix_new(int type)
{
	struct unix_sock *u = kzalloc(sizeof(*u), GFP_KERNEL);

	if (!u)
		return NULL;
	ref_init(&u->ref);
	u->type = type;
	spin_init(&u->lock, RANK_FS);
	list_init(&u->queue);
	list_init(&u->pending);
	list_init(&u->pending_node);
	mutex_init(&u->read_lock, RANK_SOCKET);
	wait_queue_init(&u->wait);
	wait_queue_init(&u->room);
	unix_list_add(u);
	return u;
}

static void
wake(struct unix_sock *u, u32 key)
{
	smp_mb();
	if (wait_queue_active(&u->wait))
		wake_up_key(&u->wait, THREAD_NORMAL, INT32_MAX, key);
}

/* Those who send or connect to u look again. */
static void
wake_room(struct unix_sock *u)
{
	wake_up_all(&u->room);
}

/* The end of a wait: a call with a time limit of its own is not restarted after a signal,
 * signal(7). */
static int
wait_result(int r, u64 deadline)
{
	if (r == -ETIMEDOUT)
		return -EAGAIN;
	return r == -ERESTARTSYS && deadline != TIME_NEVER ? -EINTR : r;
}

static struct unix_sock *
peer_get(struct unix_sock *u)
{
	spin_lock(&u->lock);
	struct unix_sock *p = u->peer;
	if (p)
		unix_get(p);
	spin_unlock(&u->lock);
	return p;
}

static void
lock_two(struct unix_sock *a, struct unix_sock *b)
{
	if (a > b) {
		struct unix_sock *t = a;

		a = b;
		b = t;
	}
	spin_lock(&a->lock);
	if (a != b)
		spin_lock_nested(&b->lock);
}

static void
unlock_two(struct unix_sock *a, struct unix_sock *b)
{
	spin_unlock(&a->lock);
	if (a != b)
		spin_unlock(&b->lock);
}

static void
msg_free(struct unix_msg *m)
{
	unix_rights_free(m->rights);
	unix_put(m->sender);
	kvfree(m);
}

/* ---- making and joining ---- */

static int
unix_create(struct socket *s, int type, int protocol)
{
	if (protocol && protocol != AF_UNIX)
		return -EPROTONOSUPPORT;
	if (type == SOCK_RAW)
		type = s->type = SOCK_DGRAM;
	if (type != SOCK_STREAM && type != SOCK_DGRAM && type != SOCK_SEQPACKET)
		return -ESOCKTNOSUPPORT;
	struct unix_sock *u = unix_new(type);
	if (!u)
		return -ENOMEM;
	s->protocol = 0;
	s->ops = type == SOCK_DGRAM ? &unix_dgram_ops : &unix_stream_ops;
	s->private = u;
	u->sock = s;
	return 0;
}

static void
join_locked(struct unix_sock *a, struct unix_sock *b)
{
	unix_get(a);
	unix_get(b);
	a->peer = b;
	b->peer = a;
	a->state = b->state = UNIX_CONNECTED;
	a->peer_cred = b->cred;
	b->peer_cred = a->cred;
}

static int
unix_socketpair(struct socket *s, struct socket *t)
{
	struct unix_sock *a = of(s), *b = of(t);

	unix_cred_current(&a->cred);
	b->cred = a->cred;
	lock_two(a, b);
	join_locked(a, b);
	unlock_two(a, b);
	return 0;
}

static int
unix_sock_bind(struct socket *s, const u8 *addr, u32 len)
{
	return unix_bind(of(s), addr, len);
}

static int
unix_listen(struct socket *s, int backlog)
{
	struct unix_sock *u = of(s);
	int r = 0;

	if (u->type == SOCK_DGRAM)
		return -EOPNOTSUPP;
	if (!u->addr_len)
		return -EINVAL;
	spin_lock(&u->lock);
	if (u->state != UNIX_NEW && u->state != UNIX_LISTENING) {
		r = -EINVAL;
	} else {
		u->state = UNIX_LISTENING;
		u->backlog = (u32)backlog > SOMAXCONN_LIMIT ? SOMAXCONN_LIMIT : (u32)backlog;
		unix_cred_current(&u->cred);
	}
	spin_unlock(&u->lock);
	if (!r) {
		wake(u, EPOLLOUT);
		wake_room(u);
	}
	return r;
}

static bool
backlog_has_room(struct unix_sock *l)
{
	spin_lock(&l->lock);
	bool r = l->state != UNIX_LISTENING || l->pending_count <= l->backlog;
	spin_unlock(&l->lock);
	return r;
}

/* One attempt: 0, -EAGAIN (backlog full), or the final error. */
static int
stream_connect_once(struct unix_sock *u, struct unix_sock *l, struct unix_sock *end)
{
	int r = 0;

	lock_two(u, l);
	if (u->state == UNIX_CONNECTED) {
		r = -EISCONN;
	} else if (u->state != UNIX_NEW) {
		r = -EINVAL;
	} else if (l->state != UNIX_LISTENING || (l->shut & SHUT_R)) {
		r = -ECONNREFUSED;
	} else if (l->pending_count > l->backlog) {
		r = -EAGAIN;
	} else {
		unix_cred_current(&u->cred);
		end->cred = l->cred;
		memcpy(end->addr, l->addr, l->addr_len);
		smp_store_release(&end->addr_len, l->addr_len);
		/* Nobody else knows `end` yet. */
		join_locked(u, end);
		unix_get(end);
		list_add_tail(&end->pending_node, &l->pending);
		l->pending_count++;
	}
	unlock_two(u, l);
	return r;
}

static int
stream_connect(struct socket *s, const u8 *addr, u32 len, u32 file_flags)
{
	struct unix_sock *u = of(s), *l, *end;
	u64 deadline = socket_deadline(s, true, file_flags & O_NONBLOCK);
	int r;

	if ((s->opts & SOCKOPT_PASSCRED) && !u->addr_len) {
		r = unix_autobind(u);
		if (r)
			return r;
	}
	end = unix_new(u->type);
	if (!end)
		return -ENOMEM;
	for (;;) {
		r = unix_find(addr, len, u->type, &l);
		if (r)
			break;
		r = stream_connect_once(u, l, end);
		if (r == 0)
			wake(l, EPOLLIN | EPOLLRDNORM);
		if (r == -EAGAIN && deadline) {
			r = wait_event_interruptible_timeout(&l->room, backlog_has_room(l),
							     deadline);
			unix_put(l);
			if (r == 0)
				continue;
			r = wait_result(r, deadline);
			break;
		}
		unix_put(l);
		break;
	}
	unix_put(end);
	return r;
}

static struct unix_sock *
pending_take(struct unix_sock *l)
{
	spin_lock(&l->lock);
	struct unix_sock *end = list_first_entry_or_null(&l->pending, struct unix_sock,
							 pending_node);
	if (end) {
		list_del_init(&end->pending_node);
		l->pending_count--;
	}
	spin_unlock(&l->lock);
	return end;
}

static int
stream_accept(struct socket *s, struct socket **out, u32 file_flags)
{
	struct unix_sock *l = of(s), *end;
	struct socket *fresh;
	int r;

	if (READ_ONCE(l->state) != UNIX_LISTENING)
		return -EINVAL;
	end = pending_take(l);
	if (!end) {
		u64 deadline = socket_deadline(s, false, file_flags & O_NONBLOCK);

		if (!deadline)
			return -EAGAIN;
		r = WAIT_EVENT_(&l->wait, (end = pending_take(l)) || (READ_ONCE(l->shut) & SHUT_R),
				THREAD_INTERRUPTIBLE, deadline, 0);
		if (r)
			return wait_result(r, deadline);
		if (!end)
			return -EINVAL;
	}
	wake_room(l);
	fresh = kzalloc(sizeof(*fresh), GFP_KERNEL);
	if (!fresh) {
		unix_put(end);
		return -ENOMEM;
	}
	*fresh = *s;
	wait_queue_init(&fresh->wait);
	fresh->file = NULL;
	fresh->error = 0;
	fresh->private = end; /* the queue's reference is now the socket's */
	spin_lock(&end->lock);
	end->sock = fresh;
	spin_unlock(&end->lock);
	*out = fresh;
	return 0;
}

static int
dgram_connect(struct socket *s, const u8 *addr, u32 len, u32 file_flags)
{
	struct unix_sock *u = of(s), *to = NULL, *old;
	u16 family = 0;
	int r = 0;

	if (len >= sizeof(family))
		memcpy(&family, addr, sizeof(family));
	if (family != AF_UNSPEC) {
		r = unix_find(addr, len, u->type, &to);
		if (r)
			return r;
		if ((s->opts & SOCKOPT_PASSCRED) && !u->addr_len)
			r = unix_autobind(u);
		if (!r) {
			/* A socket connected elsewhere hears nobody else. */
			spin_lock(&to->lock);
			if (to->peer && to->peer != u)
				r = -EPERM;
			spin_unlock(&to->lock);
		}
		if (r) {
			unix_put(to);
			return r;
		}
	}
	spin_lock(&u->lock);
	old = u->peer;
	u->peer = to;
	u->peer_closed = false;
	u->state = to ? UNIX_CONNECTED : UNIX_NEW;
	spin_unlock(&u->lock);
	if (old)
		unix_put(old);
	return 0;
}

static int
unix_getname(struct socket *s, u8 *addr, u32 *len, bool peer)
{
	struct unix_sock *u = of(s), *p = u;

	if (peer) {
		spin_lock(&u->lock);
		p = u->peer ? u->peer : u->gone;
		if (p)
			unix_get(p);
		spin_unlock(&u->lock);
		if (!p)
			return -ENOTCONN;
	}
	memset(addr, 0, sizeof(u16));
	addr[0] = AF_UNIX;
	*len = sizeof(u16);
	if (p->addr_len) {
		memcpy(addr, p->addr, p->addr_len);
		*len = p->addr_len;
	}
	if (peer)
		unix_put(p);
	return 0;
}

/* ---- sending ---- */

static int
msg_build(struct socket *s, struct socket_msg *m, size_t len, struct linux_ucred *cred,
	  struct unix_rights *rights, struct unix_msg **out)
{
	struct unix_sock *u = of(s);
	struct unix_msg *msg = kvmalloc(sizeof(*msg) + len, GFP_KERNEL);

	if (!msg)
		return -ENOBUFS;
	if (len && iter_copy_from(m->iter, msg->data, len) != len) {
		kvfree(msg);
		return -EFAULT;
	}
	msg->len = (u32)len;
	msg->taken = 0;
	msg->cred = *cred;
	msg->rights = rights;
	unix_get(u);
	msg->sender = u;
	msg->from_len = u->addr_len;
	if (u->addr_len)
		memcpy(msg->from, u->addr, u->addr_len);
	*out = msg;
	return 0;
}

static bool
room_for(struct unix_sock *to, const struct socket *from)
{
	spin_lock(&to->lock);
	bool r = to->state == UNIX_DEAD || (to->shut & SHUT_R) ||
		 (to->type == SOCK_STREAM
			  ? to->queued_bytes < from->sndbuf
			  : to->queued_msgs < DGRAM_QUEUE_MAX || (to->type == SOCK_SEQPACKET &&
								  to->queued_bytes < from->sndbuf));
	spin_unlock(&to->lock);
	return r;
}

/* Link a message into to's queue: 0, -EPIPE, -ECONNREFUSED. Takes msg over on success. */
static int
msg_put(struct unix_sock *to, struct unix_msg *msg)
{
	int r = 0;

	spin_lock(&to->lock);
	if (to->state == UNIX_DEAD)
		r = to->type == SOCK_DGRAM ? -ECONNREFUSED : -EPIPE;
	else if (to->shut & SHUT_R)
		r = -EPIPE;
	if (!r) {
		list_add_tail(&msg->node, &to->queue);
		to->queued_bytes += msg->len;
		to->queued_msgs++;
	}
	spin_unlock(&to->lock);
	if (!r) {
		smp_mb();
		if (wait_queue_active(&to->wait))
			wake_up_sync_poll(&to->wait, EPOLLIN | EPOLLRDNORM);
	}
	return r;
}

static int
wait_room(struct unix_sock *to, struct socket *s, u64 deadline)
{
	if (!deadline)
		return -EAGAIN;
	return wait_result(wait_event_interruptible_timeout(&to->room, room_for(to, s), deadline),
			   deadline);
}

static ssize_t
stream_send(struct socket *s, struct socket_msg *m)
{
	struct unix_sock *u = of(s), *to;
	u64 deadline = socket_deadline(s, true, m->flags & MSG_DONTWAIT);
	struct unix_rights *rights;
	struct linux_ucred cred;
	bool packets = u->type == SOCK_SEQPACKET;
	ssize_t done = 0;
	int r;

	if (m->flags & MSG_OOB)
		return -EOPNOTSUPP;
	if (m->addr)
		return READ_ONCE(u->peer) ? -EISCONN : -EOPNOTSUPP;
	to = peer_get(u);
	if (!to)
		return READ_ONCE(u->peer_closed) ? -EPIPE : -ENOTCONN;
	r = unix_control_parse(m, &cred, &rights);
	if (r)
		goto out_put_peer;
	if (packets && iter_count(m->iter) > s->sndbuf)
		r = -EMSGSIZE;
	while (!r && (iter_count(m->iter) || (packets && !done))) {
		size_t len = packets ? iter_count(m->iter)
				     : MIN(iter_count(m->iter), (size_t)PIECE_MAX);
		struct unix_msg *msg;

		if (READ_ONCE(u->shut) & SHUT_W) {
			r = -EPIPE;
			break;
		}
		if (!room_for(to, s)) {
			r = wait_room(to, s, deadline);
			if (r)
				break;
			continue;
		}
		r = msg_build(s, m, len, &cred, rights, &msg);
		if (r)
			break;
		rights = NULL; /* with the first piece */
		r = msg_put(to, msg);
		if (r) {
			msg_free(msg);
			break;
		}
		done += (ssize_t)len;
		if (packets)
			break;
	}
	unix_rights_free(rights);
out_put_peer:
	unix_put(to);
	return done ? done : r;
}

static ssize_t
dgram_send(struct socket *s, struct socket_msg *m)
{
	struct unix_sock *u = of(s), *to;
	u64 deadline = socket_deadline(s, true, m->flags & MSG_DONTWAIT);
	size_t len = iter_count(m->iter);
	struct unix_rights *rights;
	struct linux_ucred cred;
	struct unix_msg *msg;
	int r;

	if (m->flags & MSG_OOB)
		return -EOPNOTSUPP;
	r = unix_control_parse(m, &cred, &rights);
	if (r)
		return r;
	if (m->addr && m->addr_len) {
		r = unix_find(m->addr, m->addr_len, u->type, &to);
	} else {
		to = peer_get(u);
		r = to ? 0 : -ENOTCONN;
	}
	if (r)
		goto out_free_rights;
	if ((s->opts & SOCKOPT_PASSCRED) && !u->addr_len)
		r = unix_autobind(u);
	if (!r && len > s->sndbuf - 32)
		r = -EMSGSIZE;
	if (!r && (READ_ONCE(u->shut) & SHUT_W))
		r = -EPIPE;
	if (r)
		goto out_put;
	spin_lock(&to->lock);
	if (to->state == UNIX_DEAD)
		r = -ECONNREFUSED;
	else if (to->peer && to->peer != u)
		r = -EPERM;
	spin_unlock(&to->lock);
	if (!r && to != u && !room_for(to, s))
		r = wait_room(to, s, deadline);
	if (!r)
		r = msg_build(s, m, len, &cred, rights, &msg);
	if (!r) {
		rights = NULL;
		r = msg_put(to, msg);
		if (r)
			msg_free(msg);
	}
	if (r == -ECONNREFUSED && !m->addr) {
		/* The peer has gone: forget it, as a new connect would. */
		spin_lock(&u->lock);
		struct unix_sock *old = u->peer == to ? to : NULL;
		if (old)
			u->peer = NULL;
		spin_unlock(&u->lock);
		unix_put(old);
	}
out_put:
	unix_put(to);
out_free_rights:
	unix_rights_free(rights);
	return r ? r : (ssize_t)len;
}

/* ---- receiving ---- */

static struct unix_msg *
first_msg(struct unix_sock *u)
{
	spin_lock(&u->lock);
	struct unix_msg *m = list_first_entry_or_null(&u->queue, struct unix_msg, node);
	spin_unlock(&u->lock);
	return m;
}

static void
msg_done(struct unix_sock *u, struct unix_msg *m)
{
	spin_lock(&u->lock);
	list_del(&m->node);
	u->queued_msgs--;
	spin_unlock(&u->lock);
	wake(m->sender, EPOLLOUT | EPOLLWRNORM);
	msg_free(m);
}

static void
bytes_taken(struct unix_sock *u, struct unix_msg *m, u32 n)
{
	spin_lock(&u->lock);
	m->taken += n;
	u->queued_bytes -= n;
	spin_unlock(&u->lock);
	wake(m->sender, EPOLLOUT | EPOLLWRNORM);
}

static bool
read_may_end(struct unix_sock *u)
{
	spin_lock(&u->lock);
	bool r = !list_empty(&u->queue) || (u->shut & SHUT_R) || u->peer_closed || u->error;
	spin_unlock(&u->lock);
	return r;
}

/* Nothing is queued: 0 end of file, an error, or 1: wait is over, look again. */
static int
wait_msg(struct socket *s, struct unix_sock *u, u64 deadline)
{
	int r;

	spin_lock(&u->lock);
	int err = u->error;
	bool end = (u->shut & SHUT_R) || u->peer_closed;
	u->error = 0;
	spin_unlock(&u->lock);
	if (err)
		return -err;
	if (end && u->type != SOCK_DGRAM)
		return 0;
	if (end && (u->shut & SHUT_R))
		return 0;
	if (!deadline)
		return -EAGAIN;
	mutex_unlock(&u->read_lock);
	r = wait_event_interruptible_timeout(&u->wait, read_may_end(u), deadline);
	mutex_lock(&u->read_lock);
	return r ? wait_result(r, deadline) : 1;
}

/* As the receiver's user namespace names them. */
static struct linux_ucred
cred_shown(const struct linux_ucred *c)
{
	return (struct linux_ucred){ c->pid, uid_shown(c->uid), gid_shown(c->gid) };
}

static int
deliver_extras(struct socket *s, struct socket_msg *m, struct unix_msg *msg)
{
	struct unix_sock *u = of(s);
	int r = 0;

	if (s->opts & SOCKOPT_PASSCRED) {
		struct linux_ucred c = cred_shown(&msg->cred);

		r = socket_put_cmsg(m, SOL_SOCKET, SCM_CREDENTIALS, &c, sizeof(c));
	}
	if (!r && msg->rights) {
		r = unix_rights_deliver(m, msg->rights);
		if (!(m->flags & MSG_PEEK)) {
			struct unix_rights *rights = msg->rights;

			spin_lock(&u->lock); /* the collector looks at what is in the queue */
			msg->rights = NULL;
			spin_unlock(&u->lock);
			unix_rights_free(rights);
		}
	}
	return r;
}

static void
fill_from(struct socket_msg *m, const struct unix_msg *msg)
{
	m->addr_len = msg->from_len;
	if (m->addr && msg->from_len)
		memcpy(m->addr, msg->from, msg->from_len);
}

static ssize_t
packet_recv(struct socket *s, struct socket_msg *m)
{
	struct unix_sock *u = of(s);
	u64 deadline = socket_deadline(s, false, m->flags & MSG_DONTWAIT);
	struct unix_msg *msg;
	ssize_t r;

	if (u->type == SOCK_SEQPACKET && READ_ONCE(u->state) != UNIX_CONNECTED &&
	    !READ_ONCE(u->peer_closed))
		return -ENOTCONN;
	if (mutex_lock_interruptible(&u->read_lock))
		return -ERESTARTSYS;
	while (!(msg = first_msg(u))) {
		r = wait_msg(s, u, deadline);
		if (r <= 0)
			goto out_unlock;
	}
	u32 n = (u32)MIN((size_t)msg->len, iter_count(m->iter));
	if (n && iter_copy_to(m->iter, msg->data, n) != n) {
		r = -EFAULT;
		goto out_unlock;
	}
	if (n < msg->len)
		m->out_flags |= MSG_TRUNC;
	fill_from(m, msg);
	r = deliver_extras(s, m, msg);
	if (!r)
		r = m->flags & MSG_TRUNC ? (ssize_t)msg->len : (ssize_t)n;
	if (!(m->flags & MSG_PEEK)) {
		bytes_taken(u, msg, msg->len);
		msg_done(u, msg);
	}
out_unlock:
	mutex_unlock(&u->read_lock);
	wake_room(u);
	return r;
}

static bool
same_sender(const struct unix_msg *a, const struct linux_ucred *c)
{
	return a->cred.pid == c->pid && a->cred.uid == c->uid && a->cred.gid == c->gid;
}

static ssize_t
stream_recv(struct socket *s, struct socket_msg *m)
{
	struct unix_sock *u = of(s);
	u64 deadline = socket_deadline(s, false, m->flags & MSG_DONTWAIT);
	bool peek = m->flags & MSG_PEEK;
	size_t want = m->flags & MSG_WAITALL ? iter_count(m->iter) : 1;
	struct linux_ucred cred = { 0 };
	struct unix_msg *msg;
	ssize_t done = 0, r = 0;

	if (u->type == SOCK_SEQPACKET)
		return packet_recv(s, m);
	if (m->flags & MSG_OOB)
		return -EINVAL;
	if (READ_ONCE(u->state) != UNIX_CONNECTED && !READ_ONCE(u->peer_closed))
		return -EINVAL;
	if (mutex_lock_interruptible(&u->read_lock))
		return -ERESTARTSYS;
	while (iter_count(m->iter)) {
		msg = first_msg(u);
		if (!msg) {
			if ((size_t)done >= want)
				break;
			r = wait_msg(s, u, deadline);
			if (r <= 0)
				break;
			continue;
		}
		if (done &&
		    (msg->rights || ((s->opts & SOCKOPT_PASSCRED) && !same_sender(msg, &cred))))
			break;
		u32 n = (u32)MIN((size_t)(msg->len - msg->taken), iter_count(m->iter));
		if (iter_copy_to(m->iter, msg->data + msg->taken, n) != n) {
			r = -EFAULT;
			break;
		}
		bool had_rights = msg->rights;
		if (!done) {
			fill_from(m, msg);
			cred = msg->cred;
			r = deliver_extras(s, m, msg);
			if (r)
				break;
		}
		done += n;
		if (peek)
			break;
		bytes_taken(u, msg, n);
		if (msg->taken == msg->len)
			msg_done(u, msg);
		if (had_rights)
			break;
	}
	mutex_unlock(&u->read_lock);
	if (done && !peek)
		wake_room(u);
	return done ? done : r;
}

/* ---- ends ---- */

static int
unix_shutdown(struct socket *s, int how)
{
	struct unix_sock *u = of(s), *p;
	u32 bits = how == SHUT_RD ? SHUT_R : how == SHUT_WR ? SHUT_W : SHUT_R | SHUT_W;

	spin_lock(&u->lock);
	u->shut |= bits;
	p = u->type != SOCK_DGRAM ? u->peer : NULL;
	if (p)
		unix_get(p);
	spin_unlock(&u->lock);
	if (p) {
		spin_lock(&p->lock);
		p->shut |= (bits & SHUT_R ? SHUT_W : 0) | (bits & SHUT_W ? SHUT_R : 0);
		spin_unlock(&p->lock);
		wake(p, EPOLLIN | EPOLLOUT | EPOLLHUP | EPOLLRDHUP | EPOLLRDNORM | EPOLLWRNORM);
		wake_room(p);
		unix_put(p);
	}
	wake(u, EPOLLIN | EPOLLOUT | EPOLLHUP | EPOLLRDHUP | EPOLLRDNORM | EPOLLWRNORM);
	wake_room(u);
	return 0;
}

/* An end goes: its queue, its peer's view of it, what waits to be accepted. */
static void
unix_end(struct unix_sock *u)
{
	struct list queue = LIST_INIT(queue), pending = LIST_INIT(pending);
	struct unix_sock *p, *gone;

	unix_unbind(u);
	spin_lock(&u->lock);
	u->state = UNIX_DEAD;
	u->sock = NULL;
	p = u->peer;
	gone = u->gone;
	u->peer = u->gone = NULL;
	list_splice_init(&u->queue, &queue);
	list_splice_init(&u->pending, &pending);
	bool unread = !list_empty(&queue);
	spin_unlock(&u->lock);

	if (p && u->type != SOCK_DGRAM) {
		spin_lock(&p->lock);
		if (p->peer == u) {
			p->gone = u; /* with the reference */
			p->peer = NULL;
			p->peer_closed = true;
			p->shut |= SHUT_R | SHUT_W;
			if (unread)
				p->error = ECONNRESET;
		}
		spin_unlock(&p->lock);
		wake(p, EPOLLIN | EPOLLOUT | EPOLLHUP | EPOLLERR | EPOLLRDHUP | EPOLLRDNORM |
				EPOLLWRNORM);
		wake_room(p);
	}
	unix_put(p);
	unix_put(gone);
	wake(u, EPOLLIN | EPOLLOUT | EPOLLHUP | EPOLLERR | EPOLLRDNORM | EPOLLWRNORM);
	wake_room(u);
	while (!list_empty(&queue)) {
		struct unix_msg *m = list_first_entry(&queue, struct unix_msg, node);

		list_del(&m->node);
		msg_free(m);
	}
	while (!list_empty(&pending)) {
		struct unix_sock *end = list_first_entry(&pending, struct unix_sock, pending_node);

		list_del_init(&end->pending_node);
		unix_end(end); /* one level: what was not accepted has nothing pending */
	}
	unix_put(u);
}

static void
unix_release(struct socket *s)
{
	unix_end(of(s));
	unix_collect_soon();
}

static u32
unix_poll(struct socket *s, struct file *f, struct poll_table *pt)
{
	struct unix_sock *u = of(s), *p;
	u32 mask = 0;

	poll_wait(f, &u->wait, pt);
	p = peer_get(u);
	spin_lock(&u->lock);
	if (u->error)
		mask |= EPOLLERR;
	if (u->state == UNIX_LISTENING) {
		if (!list_empty(&u->pending))
			mask |= EPOLLIN | EPOLLRDNORM;
	} else {
		if (!list_empty(&u->queue))
			mask |= EPOLLIN | EPOLLRDNORM;
		if (u->shut & SHUT_R)
			mask |= EPOLLRDHUP | EPOLLIN | EPOLLRDNORM;
		if ((u->shut & (SHUT_R | SHUT_W)) == (SHUT_R | SHUT_W) ||
		    (u->type != SOCK_DGRAM && u->state == UNIX_NEW))
			mask |= EPOLLHUP;
	}
	bool can_write = u->state != UNIX_LISTENING;
	spin_unlock(&u->lock);
	if (can_write && (!p || p == u || room_for(p, s)))
		mask |= EPOLLOUT | EPOLLWRNORM | EPOLLWRBAND;
	unix_put(p);
	return mask;
}

static long
unix_ioctl(struct socket *s, u32 cmd, u64 arg)
{
	struct unix_sock *u = of(s), *p;
	s32 n = 0;

	switch (cmd) {
	case FIONREAD:
		spin_lock(&u->lock);
		if (u->state == UNIX_LISTENING) {
			spin_unlock(&u->lock);
			return -EINVAL;
		}
		struct unix_msg *m = list_first_entry_or_null(&u->queue, struct unix_msg, node);
		n = u->type == SOCK_DGRAM ? (m ? (s32)m->len : 0) : (s32)u->queued_bytes;
		spin_unlock(&u->lock);
		return put_user(user_ptr_of(arg), n);
	case SIOCOUTQ:
		p = peer_get(u);
		if (p) {
			n = (s32)READ_ONCE(p->queued_bytes);
			unix_put(p);
		}
		return put_user(user_ptr_of(arg), n);
	}
	return -ENOTTY;
}

static int
unix_getsockopt(struct socket *s, int level, int name, void *val, u32 *len)
{
	struct unix_sock *u = of(s);

	if (level != SOL_SOCKET)
		return -EOPNOTSUPP;
	if (name == SO_PEERCRED) {
		struct linux_ucred none = { 0, (u32)-1, (u32)-1 };

		spin_lock(&u->lock);
		if (u->state == UNIX_CONNECTED || u->peer_closed)
			none = cred_shown(&u->peer_cred);
		else if (u->state == UNIX_LISTENING)
			none = cred_shown(&u->cred);
		spin_unlock(&u->lock);
		memcpy(val, &none, sizeof(none));
		*len = sizeof(none);
		return 0;
	}
	if (name == SO_ACCEPTCONN) {
		s32 v = READ_ONCE(u->state) == UNIX_LISTENING;

		memcpy(val, &v, sizeof(v));
		*len = sizeof(v);
		return 0;
	}
	return -ENOPROTOOPT;
}

static struct socket_family unix_family = { .family = AF_UNIX, .create = unix_create };

void
unix_init(void)
{
	unix_list_init();
	unix_garbage_init();
	socket_family_register(&unix_family);
}

static const struct socket_ops unix_stream_ops = {
	.family = AF_UNIX,
	.bind = unix_sock_bind,
	.connect = stream_connect,
	.listen = unix_listen,
	.accept = stream_accept,
	.getname = unix_getname,
	.sendmsg = stream_send,
	.recvmsg = stream_recv,
	.shutdown = unix_shutdown,
	.poll = unix_poll,
	.ioctl = unix_ioctl,
	.getsockopt = unix_getsockopt,
	.socketpair = unix_socketpair,
	.release = unix_release,
};

static const struct socket_ops unix_dgram_ops = {
	.family = AF_UNIX,
	.bind = unix_sock_bind,
	.connect = dgram_connect,
	.getname = unix_getname,
	.sendmsg = dgram_send,
	.recvmsg = packet_recv,
	.shutdown = unix_shutdown,
	.poll = unix_poll,
	.ioctl = unix_ioctl,
	.getsockopt = unix_getsockopt,
	.socketpair = unix_socketpair,
	.release = unix_release,
};
