/* SPDX-License-Identifier: MIT */
/*
 * POSIX message queues: mq_overview(7).
 *
 * Queues are files of the file system "mqueue", of which each IPC namespace has one tree, made at
 * the first need; mount(2) shows it, and there open(2), unlink(2) and ls(1) work on queues too. A
 * queue lives until it is unlinked and closed.
 *
 * Messages are in a tree by priority, those of one priority in the order of sending. Who finds no
 * room, or no message, sleeps and looks again.
 *
 * Lifetime: a name holds its inode, the inode its queue. Names are kept in the directory, whose
 * lock guards them.
 *
 * mq_notify(3) with SIGEV_THREAD is a C library's own thread, which waits for a datagram on a
 * netlink socket: 32 bytes that it chose, the last one replaced by what became of the notice.
 * net/netlink sends it.
 */
#include "ipc/mqueue.h"

#include "fs/vfs/dentry.h"
#include "fs/vfs/file.h"
#include "fs/vfs/inode.h"
#include "fs/vfs/mount.h"
#include "fs/vfs/path.h"
#include "fs/vfs/poll.h"
#include "generated/syscalls.h"
#include "lib/format.h"
#include "lib/rbtree.h"
#include "lib/string.h"
#include "mm/slab.h"
#include "sysv_internal.h"
#include "task/clock.h"
#include "task/cred.h"
#include "task/pid.h"
#include "task/task.h"
#include "uapi/dirent.h"
#include "uapi/errno.h"
#include "uapi/fcntl.h"
#include "uapi/magic.h"
#include "uapi/mqueue.h"
#include "uapi/resource.h"
#include "uapi/siginfo.h"
#include "uapi/stat.h"

#define HARD_MSG_MAX	 65536
#define HARD_MSGSIZE_MAX (16 * 1024 * 1024)
#define MESSAGE_COST	 96 /* what RLIMIT_MSGQUEUE counts for one beside its text */
#define STATUS_SIZE	 80

/* What a thread is told in the last byte of its cookie. */
#define NOTIFY_COOKIE_LEN 32
#define NOTIFY_WOKENUP	  1
#define NOTIFY_REMOVED	  2

ssize_t (*mqueue_netlink_send)(struct file *f, const void *data, u32 len);

struct message {
	struct rb_node node;
	u32 priority, len;
	u8 text[];
};

/* Who asked to be told of a message to the empty queue. */
struct notice {
	struct pid *to; /* the process, referenced; NULL: nobody */
	int how, signal;
	union linux_sigval value;
	struct file *socket; /* SIGEV_THREAD: referenced, or NULL */
	u8 cookie[NOTIFY_COOKIE_LEN];
};

struct queue {
	struct spinlock lock;
	struct rb_root messages; /* [L], as all below */
	s64 count, bytes;
	s64 maxmsg, msgsize; /* [I] */
	u32 receivers;	     /* who wait */
	struct notice notice;
	struct wait_queue send_wait, receive_wait;
	struct user_account *user; /* [I] charged; referenced */
	s64 charged;		   /* [I] */
	u64 position;		   /* [I] in the directory */
	char name[NAME_MAX + 1];   /* [I] */
};

/* Of a super block. */
struct names {
	struct xarray inodes; /* by position */
	u32 count;
};

static struct fs_type mqueue_fs_type;
static const struct file_ops queue_file_ops, dir_file_ops;
static const struct inode_ops queue_inode_ops, dir_inode_ops;

static struct names *
names_of(const struct super *s)
{
	return s->private;
}

/* ---- queues ---- */

static int
attr_check(const struct linux_mq_attr *a)
{
	const struct ipc_limits *l = ipc_limits_current();
	bool free = capable(CAP_SYS_RESOURCE);

	if (a->mq_maxmsg <= 0 || a->mq_msgsize <= 0)
		return -EINVAL;
	if (a->mq_maxmsg > (free ? HARD_MSG_MAX : (s64)READ_ONCE(l->mq_msg_max)) ||
	    a->mq_msgsize > (free ? HARD_MSGSIZE_MAX : (s64)READ_ONCE(l->mq_msgsize_max)))
		return -EINVAL;
	return 0;
}

/* attr NULL: the defaults. */
static int
queue_create(const struct linux_mq_attr *attr, struct queue **out)
{
	const struct ipc_limits *l = ipc_limits_current();
	struct queue *q;
	int r = attr ? attr_check(attr) : 0;

	if (r)
		return r;
	q = kzalloc(sizeof(*q), GFP_KERNEL);
	if (!q)
		return -ENOMEM;
	spin_init(&q->lock, RANK_SYSV);
	wait_queue_init(&q->send_wait);
	wait_queue_init(&q->receive_wait);
	q->maxmsg = attr ? attr->mq_maxmsg : (s64)MIN(l->mq_msg_default, l->mq_msg_max);
	q->msgsize = attr ? attr->mq_msgsize : (s64)MIN(l->mq_msgsize_default, l->mq_msgsize_max);
	q->charged = q->maxmsg * (q->msgsize + MESSAGE_COST);
	q->user = user_account_get(current_cred()->user);
	if (!user_count_mq_bytes(q->user, q->charged, rlimit_current(RLIMIT_MSGQUEUE))) {
		user_account_put(q->user);
		kfree(q);
		return -EMFILE;
	}
	*out = q;
	return 0;
}

/* ---- notices ---- */

/* The registration, which is used up. Locked. */
static struct notice
notice_take_locked(struct queue *q)
{
	struct notice n = q->notice;

	q->notice = (struct notice){ 0 };
	return n;
}

static void
notice_put(struct notice *n)
{
	pid_put(n->to);
	if (n->socket)
		file_put(n->socket);
}

static void
notice_tell_thread(struct notice *n, u8 what)
{
	n->cookie[NOTIFY_COOKIE_LEN - 1] = what;
	if (n->socket)
		(void)mqueue_netlink_send(n->socket, n->cookie, sizeof(n->cookie));
}

static void
notice_send(struct notice *n)
{
	struct linux_siginfo info = { .si_signo = n->signal, .si_code = SI_MESGQ };
	struct process *p = NULL;

	if (!n->to)
		return;
	notice_tell_thread(n, NOTIFY_WOKENUP);
	if (n->how == SIGEV_SIGNAL && n->signal) {
		unsigned long flags = spin_lock_irqsave(&tasklist_lock);
		p = n->to->process;
		if (p)
			process_get(p);
		spin_unlock_irqrestore(&tasklist_lock, flags);
	}
	if (p) {
		info.rt.pid = sysv_pid();
		info.rt.uid = current_cred()->uid;
		info.rt.value = n->value;
		(void)signal_send_process(p, n->signal, &info);
		process_put(p);
	}
	notice_put(n);
}

/* It will not come. */
static void
notice_drop(struct notice *n)
{
	if (!n->to)
		return;
	notice_tell_thread(n, NOTIFY_REMOVED);
	notice_put(n);
}

/* ---- queues ---- */

static void
queue_destroy(struct queue *q)
{
	struct message *m, *next;

	rb_for_each_entry_postorder_safe(m, next, &q->messages, node) kvfree(m);
	notice_drop(&q->notice);
	(void)user_count_mq_bytes(q->user, -q->charged, 0);
	user_account_put(q->user);
	kfree(q);
}

static void
insert_locked(struct queue *q, struct message *m)
{
	struct rb_node **link = &q->messages.node, *parent = NULL;

	while (*link) {
		parent = *link;
		link = m->priority > rb_entry(parent, struct message, node)->priority
			       ? &parent->left
			       : &parent->right;
	}
	rb_link_node(&m->node, parent, link);
	rb_insert_color(&m->node, &q->messages);
	WRITE_ONCE(q->count, q->count + 1);
	q->bytes += m->len;
}

static struct message *
take_locked(struct queue *q)
{
	struct message *m = rb_entry(rb_first(&q->messages), struct message, node);

	rb_erase(&m->node, &q->messages);
	WRITE_ONCE(q->count, q->count - 1);
	q->bytes -= m->len;
	return m;
}

/* ---- the file system ---- */

static int
dir_lookup(struct inode *dir, struct dentry *d)
{
	struct names *names = names_of(dir->super);
	struct inode *i;
	u64 index;

	xa_for_each_range(&names->inodes, index, i, 0, XA_MAX)
	{
		const struct queue *q = i->private;

		if (strlen(q->name) == d->name_len && !memcmp(q->name, d->name, d->name_len)) {
			inode_get(i);
			dentry_add(d, i);
			return 0;
		}
	}
	dentry_add(d, NULL);
	return 0;
}

/* dir locked; takes the queue over on success. */
static int
name_queue(struct inode *dir, struct dentry *d, umode_t mode, struct queue *q)
{
	struct names *names = names_of(dir->super);
	struct inode *i;
	int r;

	if (names->count >= READ_ONCE(ipc_limits_current()->mq_queues_max) &&
	    !capable(CAP_SYS_RESOURCE))
		return -ENOSPC;
	i = inode_create(dir->super, &queue_inode_ops, &queue_file_ops, S_IFREG | (mode & 07777),
			 0);
	if (!i)
		return -ENOMEM;
	memcpy(q->name, d->name, d->name_len);
	r = xa_alloc(&names->inodes, &q->position, i, 0, UINT32_MAX);
	if (r) {
		inode_put(i);
		return r;
	}
	i->private = q;
	i->ino = q->position + 2;
	i->uid = current_cred()->fsuid;
	i->gid = current_cred()->fsgid;
	i->size = STATUS_SIZE;
	names->count++;
	dir->size += 20;
	inode_touch(dir, ATTR_MTIME);
	inode_get(i);
	dentry_add(d, i);
	return 0;
}

static int
dir_create(struct inode *dir, struct dentry *d, umode_t mode)
{
	struct queue *q;
	int r = queue_create(NULL, &q);

	if (r)
		return r;
	r = name_queue(dir, d, mode, q);
	if (r)
		queue_destroy(q);
	return r;
}

static int
dir_unlink(struct inode *dir, struct dentry *d)
{
	struct names *names = names_of(dir->super);
	const struct queue *q = d->inode->private;

	xa_erase(&names->inodes, q->position);
	names->count--;
	dir->size -= 20;
	inode_touch(dir, ATTR_MTIME);
	d->inode->nlink = 0;
	inode_put(d->inode);
	return 0;
}

static int
dir_readdir(struct file *f, struct dir_context *ctx)
{
	struct names *names = names_of(f->inode->super);
	struct inode *i;
	u64 index;

	if (ctx->pos == 0) {
		if (!ctx->emit(ctx, ".", 1, f->inode->ino, DT_DIR, 1))
			return 0;
		ctx->pos = 1;
	}
	if (ctx->pos == 1) {
		if (!ctx->emit(ctx, "..", 2, f->path.dentry->parent->inode->ino, DT_DIR, 2))
			return 0;
		ctx->pos = 2;
	}
	xa_for_each_range(&names->inodes, index, i, ctx->pos - 2, XA_MAX)
	{
		const struct queue *q = i->private;

		if (!ctx->emit(ctx, q->name, strlen(q->name), i->ino, DT_REG, index + 3))
			return 0;
		ctx->pos = index + 3;
	}
	return 0;
}

static void
mqueue_evict(struct inode *i)
{
	if (i->ops == &queue_inode_ops && i->private)
		queue_destroy(i->private);
}

static void
mqueue_put_super(struct super *s)
{
	struct names *names = names_of(s);
	struct inode *i;
	u64 index;

	xa_for_each_range(&names->inodes, index, i, 0, XA_MAX) inode_put(i);
	xa_destroy(&names->inodes);
	kfree(names);
}

static const struct super_ops mqueue_super_ops = {
	.put = mqueue_put_super,
	.evict = mqueue_evict,
};

static int
tree_create(const struct fs_type *type, const char *source, u32 flags, const char *data,
	    struct super **out)
{
	struct names *names = kzalloc(sizeof(*names), GFP_KERNEL);
	struct super *s = names ? super_create(&mqueue_fs_type, &mqueue_super_ops, MQUEUE_MAGIC)
				: NULL;
	struct inode *root;

	if (!s) {
		kfree(names);
		return -ENOMEM;
	}
	xa_init(&names->inodes);
	s->private = names;
	root = inode_create(s, &dir_inode_ops, &dir_file_ops, S_IFDIR | S_ISVTX | 0777, 1);
	if (root) {
		root->nlink = 2;
		s->root = dentry_create_root(s, root);
		if (!s->root)
			inode_put(root);
	}
	if (!s->root) {
		super_put(s);
		return -ENOMEM;
	}
	*out = s;
	return 0;
}

/* The tree of the current namespace. */
static struct mount *
current_mount(void)
{
	static const struct fs_type maker = { .name = "mqueue", .mount = tree_create };
	static struct mutex once = MUTEX_INIT(once, RANK_DIR);
	struct ipc_ns *ns = ipc_ns_current();
	struct mount *m = smp_load_acquire(&ns->mq_mount);

	if (m)
		return m;
	mutex_lock(&once);
	m = ns->mq_mount;
	if (!m) {
		m = mount_internal(&maker);
		smp_store_release(&ns->mq_mount, m);
	}
	mutex_unlock(&once);
	return m;
}

/* mount(2) */
static int
tree_show(const struct fs_type *type, const char *source, u32 flags, const char *data,
	  struct super **out)
{
	struct mount *m;

	if (!ns_capable(ipc_ns_current()->owner, CAP_SYS_ADMIN))
		return -EPERM;
	m = current_mount();
	if (!m)
		return -ENOMEM;
	ref_get(&m->super->ref);
	*out = m->super;
	return 0;
}

/* ---- files ---- */

static int
queue_open(struct file *f)
{
	f->private = f->inode->private;
	f->mode |= FMODE_NO_SYNC;
	return 0;
}

/* Who closes any descriptor of the queue gets no notice more. */
static int
queue_flush(struct file *f)
{
	struct queue *q = f->private;
	struct notice mine = { 0 };

	spin_lock(&q->lock);
	if (q->notice.to == current->process->pid)
		mine = notice_take_locked(q);
	spin_unlock(&q->lock);
	notice_drop(&mine);
	return 0;
}

static ssize_t
queue_read(struct file *f, struct iov_iter *it, u64 *pos)
{
	struct queue *q = f->private;
	char text[STATUS_SIZE];

	spin_lock(&q->lock);
	size_t len = (size_t)scnprintf(
		text, sizeof(text), "QSIZE:%-10ld NOTIFY:%-5d SIGNO:%-5d NOTIFY_PID:%-6d\n",
		q->bytes, q->notice.how, q->notice.how == SIGEV_SIGNAL ? q->notice.signal : 0,
		q->notice.to ? pid_nr(q->notice.to, current_pid_ns()) : 0);
	spin_unlock(&q->lock);
	if (*pos >= len)
		return 0;
	size_t n = MIN(iter_count(it), len - *pos), done = iter_copy_to(it, text + *pos, n);
	*pos += done;
	return done || !n ? (ssize_t)done : -EFAULT;
}

static u32
queue_poll(struct file *f, struct poll_table *pt)
{
	struct queue *q = f->private;
	s64 count;

	poll_wait(f, &q->send_wait, pt);
	poll_wait(f, &q->receive_wait, pt);
	count = READ_ONCE(q->count);
	return (count ? EPOLLIN | EPOLLRDNORM : 0) |
	       (count < q->maxmsg ? EPOLLOUT | EPOLLWRNORM : 0);
}

/* ---- mq_open(3), mq_unlink(3) ---- */

static ssize_t
name_from_user(user_ptr from, char name[NAME_MAX + 1])
{
	ssize_t len = strncpy_from_user(name, from, NAME_MAX + 1);

	if (len == 0)
		return -ENOENT;
	if (len < 0)
		return len;
	if (strchr(name, '/') || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return -EACCES;
	return len;
}

/* The directory is locked: what the name stands for is there now, or an error says why not. */
static int
open_locked(struct dentry *root, struct dentry *d, int flags, umode_t mode,
	    const struct linux_mq_attr *attr)
{
	struct queue *q;
	int r;

	if (d->inode)
		return (flags & O_CREAT) && (flags & O_EXCL) ? -EEXIST : 0;
	if (!(flags & O_CREAT))
		return -ENOENT;
	r = inode_permission(root->inode, MAY_WRITE | MAY_EXEC);
	if (r)
		return r;
	r = queue_create(attr, &q);
	if (r)
		return r;
	r = name_queue(root->inode, d, mode & ~READ_ONCE(current->fs->umask), q);
	if (r)
		queue_destroy(q);
	return r;
}

long
sys_mq_open(user_ptr name_user, int flags, umode_t mode, user_ptr attr_user)
{
	struct linux_mq_attr attr;
	bool has_attr = !user_ptr_null(attr_user);
	struct path at = { current_mount(), NULL };
	char name[NAME_MAX + 1];
	struct file *f;
	ssize_t len;
	int r;

	if (has_attr && copy_from_user(&attr, attr_user, sizeof(attr)))
		return -EFAULT;
	len = name_from_user(name_user, name);
	if (len < 0)
		return len;
	if ((flags & O_ACCMODE) == O_ACCMODE)
		return -EINVAL;
	if (!at.mnt)
		return -ENOMEM;
	struct dentry *root = at.mnt->super->root;
	rwsem_write_lock(&root->inode->lock);
	r = dentry_lookup_child(root, name, (size_t)len, &at.dentry);
	if (!r) {
		r = open_locked(root, at.dentry, flags, mode, has_attr ? &attr : NULL);
		if (r)
			dentry_put(at.dentry);
	}
	rwsem_write_unlock(&root->inode->lock);
	if (r)
		return r;
	r = file_open_path(&at, (u32)flags & (O_ACCMODE | O_NONBLOCK), &f);
	dentry_put(at.dentry);
	return r ? r : fd_add(f, true);
}

long
sys_mq_unlink(user_ptr name_user)
{
	struct mount *m = current_mount();
	char name[NAME_MAX + 1];
	struct dentry *d;
	ssize_t len = name_from_user(name_user, name);
	int r;

	if (len < 0)
		return len;
	if (!m)
		return -ENOMEM;
	struct inode *dir = m->super->root->inode;
	rwsem_write_lock(&dir->lock);
	r = dentry_lookup_child(m->super->root, name, (size_t)len, &d);
	if (!r) {
		u32 fsuid = current_cred()->fsuid;

		if (!d->inode)
			r = -ENOENT;
		else if (fsuid != d->inode->uid && fsuid != dir->uid && !capable(CAP_FOWNER))
			r = -EPERM; /* the directory is sticky */
		if (!r)
			r = dir_unlink(dir, d);
		if (!r)
			dentry_delete(d);
		dentry_put(d);
	}
	rwsem_write_unlock(&dir->lock);
	return r;
}

/* ---- messages ---- */

/* The queue behind a descriptor that may do `mode`; release *ref after use. */
static int
queue_lookup(int fd, u32 mode, struct fd_ref *ref)
{
	*ref = fd_lookup(fd);
	if (!ref->file)
		return -EBADF;
	if (ref->file->ops == &queue_file_ops && (ref->file->mode & mode) == mode)
		return 0;
	fd_release(*ref);
	return -EBADF;
}

/* A time limit by CLOCK_REALTIME, as one of the monotonic clock. */
static int
deadline_from_user(user_ptr from, u64 *out)
{
	u64 ns, now = time_real_ns();
	int r;

	*out = TIME_NEVER;
	if (user_ptr_null(from))
		return 0;
	r = timespec_read_user(from, &ns);
	if (!r)
		*out = time_mono_ns() + (ns > now ? ns - now : 0);
	return r;
}

static int
queue_send(struct queue *q, struct message *m, bool nonblock, u64 deadline)
{
	struct notice notice = { 0 };
	int r;

	for (;;) {
		spin_lock(&q->lock);
		bool room = q->count < q->maxmsg;
		if (room) {
			if (!q->count && !q->receivers)
				notice = notice_take_locked(q);
			insert_locked(q, m);
		}
		spin_unlock(&q->lock);
		if (room)
			break;
		if (nonblock)
			return -EAGAIN;
		r = wait_event_interruptible_timeout(&q->send_wait, READ_ONCE(q->count) < q->maxmsg,
						     deadline);
		if (r)
			return r;
	}
	wake_up_key(&q->receive_wait, THREAD_NORMAL, INT32_MAX, EPOLLIN | EPOLLRDNORM);
	notice_send(&notice);
	return 0;
}

long
sys_mq_timedsend(int fd, user_ptr text, size_t length, unsigned int priority, user_ptr timeout)
{
	struct fd_ref ref;
	struct message *m;
	u64 deadline;
	int r = deadline_from_user(timeout, &deadline);

	if (r)
		return r;
	if (priority >= MQ_PRIO_MAX)
		return -EINVAL;
	r = queue_lookup(fd, FMODE_WRITE, &ref);
	if (r)
		return r;
	struct queue *q = ref.file->private;
	r = -EMSGSIZE;
	if (length > (u64)q->msgsize)
		goto out_release;
	m = kvmalloc(sizeof(*m) + length, GFP_KERNEL);
	r = -ENOMEM;
	if (!m)
		goto out_release;
	m->priority = priority;
	m->len = (u32)length;
	r = copy_from_user(m->text, text, length);
	if (!r)
		r = queue_send(q, m, ref.file->flags & O_NONBLOCK, deadline);
	if (r)
		kvfree(m);
out_release:
	fd_release(ref);
	return r;
}

static int
queue_receive(struct queue *q, bool nonblock, u64 deadline, struct message **out)
{
	int r;

	for (;;) {
		spin_lock(&q->lock);
		*out = q->count ? take_locked(q) : NULL;
		if (!*out && !nonblock)
			q->receivers++;
		spin_unlock(&q->lock);
		if (*out)
			break;
		if (nonblock)
			return -EAGAIN;
		r = wait_event_interruptible_timeout(&q->receive_wait, READ_ONCE(q->count) > 0,
						     deadline);
		spin_lock(&q->lock);
		q->receivers--;
		spin_unlock(&q->lock);
		if (r)
			return r;
	}
	wake_up_key(&q->send_wait, THREAD_NORMAL, INT32_MAX, EPOLLOUT | EPOLLWRNORM);
	return 0;
}

long
sys_mq_timedreceive(int fd, user_ptr text, size_t length, user_ptr priority, user_ptr timeout)
{
	struct fd_ref ref;
	struct message *m = NULL;
	u64 deadline;
	long r = deadline_from_user(timeout, &deadline);

	if (r)
		return r;
	r = queue_lookup(fd, FMODE_READ, &ref);
	if (r)
		return r;
	struct queue *q = ref.file->private;
	r = length < (u64)q->msgsize ? -EMSGSIZE
				     : queue_receive(q, ref.file->flags & O_NONBLOCK, deadline, &m);
	if (!r) {
		r = m->len;
		if (copy_to_user(text, m->text, m->len) ||
		    (!user_ptr_null(priority) && put_user(priority, m->priority)))
			r = -EFAULT;
		kvfree(m);
	}
	fd_release(ref);
	return r;
}

/* ---- mq_notify(3), mq_getattr(3), mq_setattr(3) ---- */

/* What mq_notify(2) was given: 0, -EINVAL, -EFAULT, -EBADF, -ENOTSOCK. */
static int
notice_make(const struct linux_sigevent *ev, struct notice *n)
{
	*n = (struct notice){ .how = ev->sigev_notify,
			      .signal = ev->sigev_signo,
			      .value = ev->sigev_value };
	switch (ev->sigev_notify) {
	case SIGEV_NONE: break;
	case SIGEV_SIGNAL:
		if (ev->sigev_signo < 0 || ev->sigev_signo > SIGRTMAX)
			return -EINVAL;
		break;
	case SIGEV_THREAD:
		if (copy_from_user(n->cookie, user_ptr_of((u64)ev->sigev_value.sival_ptr),
				   sizeof(n->cookie)))
			return -EFAULT;
		n->socket = fd_find(ev->sigev_signo);
		if (!n->socket)
			return -EBADF;
		ssize_t r = mqueue_netlink_send(n->socket, NULL, 0);
		if (r < 0) {
			file_put(n->socket);
			return (int)r;
		}
		break;
	default: return -EINVAL;
	}
	n->to = current->process->pid;
	pid_get(n->to);
	return 0;
}

long
sys_mq_notify(int fd, user_ptr event)
{
	struct notice new = { 0 }, old = { 0 };
	struct linux_sigevent ev;
	struct fd_ref ref;
	int r = 0;

	if (!user_ptr_null(event)) {
		if (copy_from_user(&ev, event, sizeof(ev)))
			return -EFAULT;
		r = notice_make(&ev, &new);
		if (r)
			return r;
	}
	r = queue_lookup(fd, 0, &ref);
	if (r)
		goto out_put;
	struct queue *q = ref.file->private;
	spin_lock(&q->lock);
	if (new.to && q->notice.to) {
		r = -EBUSY;
	} else if (new.to) {
		q->notice = new;
		new = (struct notice){ 0 };
	} else if (q->notice.to == current->process->pid) {
		old = notice_take_locked(q);
	}
	spin_unlock(&q->lock);
	notice_drop(&old);
	fd_release(ref);
out_put:
	notice_put(&new);
	return r;
}

long
sys_mq_getsetattr(int fd, user_ptr new_user, user_ptr old_user)
{
	struct linux_mq_attr new, old = { 0 };
	bool set = !user_ptr_null(new_user);
	struct fd_ref ref;
	int r;

	if (set) {
		if (copy_from_user(&new, new_user, sizeof(new)))
			return -EFAULT;
		if (new.mq_flags & ~(s64)O_NONBLOCK)
			return -EINVAL;
	}
	r = queue_lookup(fd, 0, &ref);
	if (r)
		return r;
	struct queue *q = ref.file->private;
	old.mq_flags = ref.file->flags & O_NONBLOCK;
	old.mq_maxmsg = q->maxmsg;
	old.mq_msgsize = q->msgsize;
	old.mq_curmsgs = READ_ONCE(q->count);
	if (set)
		WRITE_ONCE(ref.file->flags,
			   (ref.file->flags & ~(u32)O_NONBLOCK) | (u32) new.mq_flags);
	if (!user_ptr_null(old_user) && copy_to_user(old_user, &old, sizeof(old)))
		r = -EFAULT;
	fd_release(ref);
	return r;
}

void
mqueue_register(void)
{
	fs_register(&mqueue_fs_type);
}

static struct fs_type mqueue_fs_type = {
	.name = "mqueue",
	.flags = FS_USER_MOUNT,
	.magic = MQUEUE_MAGIC,
	.mount = tree_show,
};

static const struct inode_ops queue_inode_ops = { .lookup = NULL };

static const struct inode_ops dir_inode_ops = {
	.lookup = dir_lookup,
	.create = dir_create,
	.unlink = dir_unlink,
};

static const struct file_ops dir_file_ops = {
	.readdir = dir_readdir,
	.seek = file_seek_pos,
};

static const struct file_ops queue_file_ops = {
	.open = queue_open,
	.flush = queue_flush,
	.read = queue_read,
	.poll = queue_poll,
	.seek = file_seek_pos,
};
