/* SPDX-License-Identifier: MIT */
/*
 * System V message queues: msgget(2), msgop(2), msgctl(2).
 *
 * Messages hang on one list in the order of sending; a receiver takes the first that its type
 * allows. Who finds no room, or no message, sleeps and looks again when the queue has changed.
 */
#include "generated/syscalls.h"
#include "lib/format.h"
#include "lib/list.h"
#include "lib/string.h"
#include "mm/slab.h"
#include "sysv_internal.h"
#include "task/cred.h"
#include "task/nsset.h"
#include "task/pid.h"
#include "task/signal.h"
#include "uapi/errno.h"

struct message {
	struct list node;
	s64 type;
	u64 len;
	u8 text[];
};

struct queue {
	struct sysv_object base;
	struct list messages; /* [P], as all below */
	u64 bytes, count, bytes_max;
	s64 stime, rtime, ctime;
	s32 last_sender, last_receiver; /* pids */
	struct wait_queue senders, receivers;
};

static struct queue *
queue_of(const struct sysv_object *o)
{
	return container_of(o, struct queue, base);
}

static int
queue_create(struct ipc_ns *ns, const struct sysv_get *get, struct sysv_object **out)
{
	struct queue *q = kzalloc(sizeof(*q), GFP_KERNEL);

	if (!q)
		return -ENOMEM;
	sysv_object_init(&q->base, &msg_ops, get);
	list_init(&q->messages);
	wait_queue_init(&q->senders);
	wait_queue_init(&q->receivers);
	q->bytes_max = READ_ONCE(ns->limits.msgmnb);
	q->ctime = sysv_now();
	*out = &q->base;
	return 0;
}

static void
queue_removed(struct ipc_ns *ns, struct sysv_object *o)
{
	struct queue *q = queue_of(o);

	atomic64_sub(&ns->msg_bytes, (s64)q->bytes);
	atomic64_sub(&ns->msgs, (s64)q->count);
	wake_up_all(&q->senders);
	wake_up_all(&q->receivers);
}

static void
queue_free(struct sysv_object *o)
{
	struct queue *q = queue_of(o);
	struct message *m, *next;

	list_for_each_entry_safe(m, next, &q->messages, node) kvfree(m);
	kfree(q);
}

static void
queue_show(struct strbuf *sb, struct sysv_object *o)
{
	const struct queue *q = queue_of(o);

	strbuf_printf(sb, "%10d %10d  %4o  %10lu %10lu %5d %5d", o->key, o->id, o->mode, q->bytes,
		      q->count, q->last_sender, q->last_receiver);
	sysv_show_perm(sb, o, " %5u %5u %5u %5u");
	strbuf_printf(sb, " %10ld %10ld %10ld\n", q->stime, q->rtime, q->ctime);
}

long
sys_msgget(int key, int flags)
{
	struct sysv_get get = { .key = key, .flags = flags };

	return sysv_get(&msg_ops, &get);
}

/* ---- msgsnd(2) ---- */

static int
message_from_user(user_ptr from, u64 len, struct message **out)
{
	struct message *m;
	s64 type;

	if (get_user(&type, from))
		return -EFAULT;
	if (type < 1)
		return -EINVAL;
	m = kvmalloc(sizeof(*m) + len, GFP_KERNEL);
	if (!m)
		return -ENOMEM;
	m->type = type;
	m->len = len;
	if (copy_from_user(m->text, user_ptr_add(from, sizeof(type)), len)) {
		kvfree(m);
		return -EFAULT;
	}
	*out = m;
	return 0;
}

static bool
has_room(const struct queue *q, u64 len)
{
	return READ_ONCE(q->bytes) + len <= READ_ONCE(q->bytes_max) &&
	       READ_ONCE(q->count) + 1 <= READ_ONCE(q->bytes_max);
}

/* 0, -EAGAIN: there is no room. Locked. */
static int
send_locked(struct queue *q, struct message *m)
{
	int r;

	if (q->base.removed)
		return -EIDRM;
	r = sysv_permission(&q->base, 0222);
	if (r)
		return r;
	if (!has_room(q, m->len))
		return -EAGAIN;
	list_add_tail(&m->node, &q->messages);
	WRITE_ONCE(q->bytes, q->bytes + m->len);
	WRITE_ONCE(q->count, q->count + 1);
	q->stime = sysv_now();
	q->last_sender = sysv_pid();
	atomic64_add(&ipc_ns_current()->msg_bytes, (s64)m->len);
	atomic64_add(&ipc_ns_current()->msgs, 1);
	return 0;
}

static int
queue_send(struct queue *q, struct message *m, int flags)
{
	for (;;) {
		int r;

		spin_lock(&q->base.lock);
		r = send_locked(q, m);
		spin_unlock(&q->base.lock);
		if (r == 0)
			wake_up_all(&q->receivers);
		if (r != -EAGAIN || (flags & IPC_NOWAIT))
			return r;
		if (wait_event_interruptible(&q->senders,
					     has_room(q, m->len) || READ_ONCE(q->base.removed)))
			return -ERESTARTNOHAND;
	}
}

long
sys_msgsnd(int id, user_ptr msg, size_t length, int flags)
{
	struct sysv_object *o;
	struct message *m;
	int r;

	if (length > READ_ONCE(ipc_limits_current()->msgmax) || id < 0)
		return -EINVAL;
	r = message_from_user(msg, length, &m);
	if (r)
		return r;
	r = sysv_find(&msg_ops, id, &o);
	if (!r) {
		r = queue_send(queue_of(o), m, flags);
		sysv_put(o);
	}
	if (r)
		kvfree(m);
	return r;
}

/* ---- msgrcv(2) ---- */

static bool
type_matches(const struct message *m, s64 type, int flags)
{
	if (type == 0)
		return true;
	if (type < 0)
		return m->type <= (type == INT64_MIN ? INT64_MAX : -type);
	return flags & MSG_EXCEPT ? m->type != type : m->type == type;
}

/* The first of its type; of several types, the lowest. */
static struct message *
choose(struct queue *q, s64 type, int flags)
{
	struct message *m, *best = NULL;

	list_for_each_entry(m, &q->messages, node)
	{
		if (!type_matches(m, type, flags) || (best && m->type >= best->type))
			continue;
		best = m;
		if (type >= 0 || m->type == 1)
			break;
	}
	return best;
}

/* MSG_COPY: the message at this place stays, and is copied to *out, which has room for `room`
 * bytes. Locked. */
static int
copy_locked(struct queue *q, u64 room, s64 place, int flags, struct message *out)
{
	struct message *m, *found = NULL;
	int r;

	if (q->base.removed)
		return -EIDRM;
	r = sysv_permission(&q->base, 0444);
	if (r)
		return r;
	list_for_each_entry(m, &q->messages, node)
	{
		if (place-- == 0) {
			found = m;
			break;
		}
	}
	if (!found)
		return -ENOMSG;
	if (found->len > room)
		return flags & MSG_NOERROR ? -EINVAL : -E2BIG;
	out->type = found->type;
	out->len = found->len;
	memcpy(out->text, found->text, out->len);
	return 0;
}

static int
queue_copy(struct queue *q, u64 room, s64 place, int flags, struct message **out)
{
	struct message *copy;
	int r;

	if ((flags & MSG_EXCEPT) || !(flags & IPC_NOWAIT))
		return -EINVAL;
	room = MIN(room, READ_ONCE(ipc_limits_current()->msgmax));
	copy = kvmalloc(sizeof(*copy) + room, GFP_KERNEL);
	if (!copy)
		return -ENOMEM;
	spin_lock(&q->base.lock);
	r = copy_locked(q, room, place, flags, copy);
	spin_unlock(&q->base.lock);
	if (r)
		kvfree(copy);
	else
		*out = copy;
	return r;
}

/* 0, -EAGAIN: there is none. Locked. */
static int
receive_locked(struct queue *q, u64 room, s64 type, int flags, struct message **out)
{
	struct message *m;
	int r;

	if (q->base.removed)
		return -EIDRM;
	r = sysv_permission(&q->base, 0444);
	if (r)
		return r;
	m = choose(q, type, flags);
	if (!m)
		return flags & IPC_NOWAIT ? -ENOMSG : -EAGAIN;
	if (m->len > room && !(flags & MSG_NOERROR))
		return -E2BIG;
	list_del(&m->node);
	WRITE_ONCE(q->bytes, q->bytes - m->len);
	WRITE_ONCE(q->count, q->count - 1);
	q->rtime = sysv_now();
	q->last_receiver = sysv_pid();
	atomic64_sub(&ipc_ns_current()->msg_bytes, (s64)m->len);
	atomic64_sub(&ipc_ns_current()->msgs, 1);
	*out = m;
	return 0;
}

static int
queue_receive(struct queue *q, u64 room, s64 type, int flags, struct message **out)
{
	for (;;) {
		struct wait_entry we;
		int r, sig;

		/* Queued first: what is sent after the look wakes us. */
		wait_entry_init(&we, 0);
		sig = wait_prepare(&q->receivers, &we, THREAD_INTERRUPTIBLE);
		spin_lock(&q->base.lock);
		r = receive_locked(q, room, type, flags, out);
		spin_unlock(&q->base.lock);
		if (r == -EAGAIN && !sig)
			schedule_until(TIME_NEVER);
		wait_finish(&q->receivers, &we);
		if (r == 0)
			wake_up_all(&q->senders);
		if (r != -EAGAIN)
			return r;
		if (sig)
			return -ERESTARTNOHAND;
	}
}

long
sys_msgrcv(int id, user_ptr msg, size_t length, long type, int flags)
{
	struct sysv_object *o;
	struct message *m = NULL;
	int r;

	if (id < 0 || (ssize_t)length < 0)
		return -EINVAL;
	r = sysv_find(&msg_ops, id, &o);
	if (r)
		return r;
	r = flags & MSG_COPY ? queue_copy(queue_of(o), length, type, flags, &m)
			     : queue_receive(queue_of(o), length, type, flags, &m);
	sysv_put(o);
	if (r)
		return r;
	length = MIN(length, m->len);
	if (put_user(msg, m->type) ||
	    copy_to_user(user_ptr_add(msg, sizeof(m->type)), m->text, length))
		r = -EFAULT;
	kvfree(m);
	return r ? r : (long)length;
}

/* ---- msgctl(2) ---- */

static long
msg_info(int command, user_ptr buf)
{
	const struct ipc_ns *ns = ipc_ns_current();
	const struct ipc_limits *l = &ns->limits;
	struct linux_msginfo info = {
		.msgmax = (s32)l->msgmax,
		.msgmnb = (s32)l->msgmnb,
		.msgmni = (s32)l->msgmni,
		.msgssz = 16,
		.msgseg = 0xffff,
	};
	u32 count;
	int highest = sysv_highest(&msg_ops, &count);

	if (command == MSG_INFO) {
		info.msgpool = (s32)count;
		info.msgmap = (s32)atomic64_read(&ns->msgs);
		info.msgtql = (s32)atomic64_read(&ns->msg_bytes);
	} else {
		info.msgpool = (s32)(l->msgmni * (u64)l->msgmnb / 1024);
		info.msgmap = info.msgtql = (s32)l->msgmnb;
	}
	return copy_to_user(buf, &info, sizeof(info)) ? -EFAULT : highest;
}

static long
msg_stat(int id, int command, user_ptr buf)
{
	struct linux_msqid_ds ds = { 0 };
	struct sysv_stat st = { .by_index = command != IPC_STAT,
				.anybody = command == MSG_STAT_ANY };
	int r = sysv_stat_begin(&msg_ops, id, &st, &ds.msg_perm);

	if (r)
		return r;
	struct queue *q = queue_of(st.object);
	ds.msg_stime = q->stime;
	ds.msg_rtime = q->rtime;
	ds.msg_ctime = q->ctime;
	ds.msg_cbytes = q->bytes;
	ds.msg_qnum = q->count;
	ds.msg_qbytes = q->bytes_max;
	ds.msg_lspid = q->last_sender;
	ds.msg_lrpid = q->last_receiver;
	return sysv_stat_end(&st, buf, &ds, sizeof(ds));
}

static long
msg_set(struct sysv_object *o, const struct linux_msqid_ds *ds)
{
	struct queue *q = queue_of(o);
	int r;

	spin_lock(&o->lock);
	r = o->removed ? -EIDRM : sysv_may_change(o);
	if (!r && ds->msg_qbytes > READ_ONCE(ipc_limits_current()->msgmnb) &&
	    !capable(CAP_SYS_RESOURCE))
		r = -EPERM;
	if (!r) {
		sysv_set(o, &ds->msg_perm);
		WRITE_ONCE(q->bytes_max, ds->msg_qbytes);
		q->ctime = sysv_now();
	}
	spin_unlock(&o->lock);
	if (!r) { /* there may be room now, or no permission */
		wake_up_all(&q->senders);
		wake_up_all(&q->receivers);
	}
	return r;
}

static long
msg_remove(struct sysv_object *o)
{
	spin_lock(&o->lock);
	int r = sysv_may_change(o);
	spin_unlock(&o->lock);
	return r ? r : sysv_remove(ipc_ns_current(), o) ? 0 : -EIDRM;
}

long
sys_msgctl(int id, int command, user_ptr buf)
{
	struct linux_msqid_ds ds;
	struct sysv_object *o;
	long r;

	if (id < 0 || command < 0)
		return -EINVAL;
	switch (command) {
	case IPC_INFO:
	case MSG_INFO: return msg_info(command, buf);
	case IPC_STAT:
	case MSG_STAT:
	case MSG_STAT_ANY: return msg_stat(id, command, buf);
	case IPC_SET:
		if (copy_from_user(&ds, buf, sizeof(ds)))
			return -EFAULT;
		__fallthrough;
	case IPC_RMID:
		r = sysv_find(&msg_ops, id, &o);
		if (r)
			return r;
		r = command == IPC_SET ? msg_set(o, &ds) : msg_remove(o);
		sysv_put(o);
		return r;
	default: return -EINVAL;
	}
}

const struct sysv_ops msg_ops = {
	.kind = SYSV_MSG,
	.create = queue_create,
	.removed = queue_removed,
	.free = queue_free,
	.show = queue_show,
};
