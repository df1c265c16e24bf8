/* SPDX-License-Identifier: MIT */
/*
 * Sockets: the family-independent half. A family fills struct socket_ops; net/socket/ turns
 * descriptors and user structures into calls.
 */
#ifndef NET_SOCKET_H
#define NET_SOCKET_H

#include "core/rcu.h"
#include "core/ref.h"
#include "fs/vfs/poll.h"
#include "mm/iter.h"
#include "sched/wait.h"
#include "uapi/socket.h"

struct file;
struct socket;
struct poll_table;

#define SOCK_ADDR_MAX 128 /* sizeof(struct sockaddr_storage) */

/* A message in flight through sendmsg or recvmsg. */
struct socket_msg {
	struct iov_iter *iter;
	u8 *addr;      /* kernel buffer of SOCK_ADDR_MAX bytes, or NULL */
	u32 addr_len;  /* in: of the given address; out: of the peer's */
	void *control; /* kernel copy (send) */
	size_t control_len;
	user_ptr control_user; /* recv: where to put cmsgs: use socket_put_cmsg */
	size_t control_room, control_done;
	u32 flags;     /* MSG_* in */
	u32 out_flags; /* MSG_TRUNC, MSG_CTRUNC, MSG_EOR out */
};
/* A sender's result: -EPIPE brings SIGPIPE, unless MSG_NOSIGNAL. */
ssize_t socket_send_result(ssize_t r, u32 flags);
/* Append a control message for the receiver: sets MSG_CTRUNC when it does not fit. 0 or -EFAULT. */
int socket_put_cmsg(struct socket_msg *m, int level, int type, const void *data, size_t len);

/* NULL slots answer -EOPNOTSUPP. May sleep; no lock held. */
struct socket_ops {
	int family;
	int (*bind)(struct socket *s, const u8 *addr, u32 len);
	int (*connect)(struct socket *s, const u8 *addr, u32 len, u32 file_flags);
	int (*listen)(struct socket *s, int backlog);
	int (*accept)(struct socket *s, struct socket **out, u32 file_flags);
	int (*getname)(struct socket *s, u8 *addr, u32 *len, bool peer);
	ssize_t (*sendmsg)(struct socket *s, struct socket_msg *m);
	ssize_t (*recvmsg)(struct socket *s, struct socket_msg *m);
	int (*shutdown)(struct socket *s, int how);
	u32 (*poll)(struct socket *s, struct file *f, struct poll_table *pt);
	long (*ioctl)(struct socket *s, u32 cmd, u64 arg); /* -ENOIOCTLCMD (= -ENOTTY) passes on */
	int (*setsockopt)(
		struct socket *s, int level, int name, const void *val,
		u32 len); /* levels other than SOL_SOCKET, and what the common code does not know */
	int (*getsockopt)(struct socket *s, int level, int name, void *val, u32 *len);
	/* An option that struct socket keeps (SOL_SOCKET) was set. NULL: read where it is used. */
	void (*option_changed)(struct socket *s);
	int (*socketpair)(struct socket *a, struct socket *b);
	void (*release)(struct socket *s); /* last file reference gone */
};

struct socket {
	const struct socket_ops *ops;
	int family, type, protocol;
	struct file *file; /* back pointer; NULL before it has one */
	u64 inum;	   /* of the file; 0 before: for readers under RCU, who may outlive it */
	struct wait_queue wait; /* readers, writers, pollers */
	void *private;		/* family's */
	/* SOL_SOCKET options kept in common: net/socket/options.c */
	u64 rcv_timeout_ns, snd_timeout_ns; /* TIME_NEVER = none */
	u32 rcvbuf, sndbuf, rcvlowat;
	u32 opts; /* SOCKOPT_* bits */
	u32 linger_s;
	u32 mark, priority;
	int error;	     /* pending SO_ERROR (positive errno) */
	struct rcu_head rcu; /* freed after a grace period: families' receive paths may look */
};
#define SOCKOPT_REUSEADDR BIT(0)
#define SOCKOPT_KEEPALIVE BIT(1)
#define SOCKOPT_BROADCAST BIT(2)
#define SOCKOPT_OOBINLINE BIT(3)
#define SOCKOPT_LINGER	  BIT(4)
#define SOCKOPT_PASSCRED  BIT(5)
#define SOCKOPT_REUSEPORT BIT(6)
#define SOCKOPT_TIMESTAMP BIT(7)
#define SOCKOPT_DONTROUTE BIT(8)
#define SOCKOPT_PASSSEC	  BIT(9)

struct socket_family {
	int family;
	/* Fill s->ops and private for (type, protocol): 0, -ESOCKTNOSUPPORT, -EPROTONOSUPPORT,
	 * -ENOMEM, -EPERM. */
	int (*create)(struct socket *s, int type, int protocol);
	struct socket_family *next;
};
void socket_family_register(struct socket_family *f);
int socket_create(int family, int type, int protocol, struct socket **out);
int socket_file_create(struct socket *s, u32 flags, struct file **out);
struct socket *socket_of(struct file *f); /* NULL: not a socket */
u64 socket_inum(struct socket *s);
void socket_init(void); /* boot, after vfs_init */
/* The descriptor's socket: 0, -EBADF, -ENOTSOCK; end with fd_release. */
struct fd_ref;
int socket_lookup(int fd, struct fd_ref *ref, struct socket **out);
/* Wait limits as wait_event takes them: 0 = do not wait. */
u64 socket_deadline(const struct socket *s, bool send, bool nonblock);
void socket_free(struct socket *s);
/* Sizes of SO_RCVBUF and SO_SNDBUF: /proc/sys/net/core/rmem_default and so on. */
struct socket_buffers {
	u32 rmem_default, rmem_max, wmem_default, wmem_max;
};
extern struct socket_buffers socket_buffers;
/* What a family does not know: the ioctls of netdevice(7), on any socket; set by net/inet. */
extern long (*socket_device_ioctl)(u32 cmd, u64 arg);
/* SO_ERROR: take the pending error (positive), or 0. */
int socket_take_error(struct socket *s);
/* Address results: min(len, *ulen) bytes, true length stored. 0, -EFAULT, -EINVAL. */
int socket_addr_to_user(const u8 *addr, u32 len, user_ptr uaddr, user_ptr ulen);
int socket_addr_from_user(user_ptr uaddr, int len, u8 *addr);
#endif
