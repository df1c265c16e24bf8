/* SPDX-License-Identifier: MIT */
/* What the files of this room tell each other: unix(7). */
#ifndef UNIX_INTERNAL_H
#define UNIX_INTERNAL_H

#include "core/ref.h"
#include "fs/vfs/dentry.h"
#include "lib/list.h"
#include "net/socket/socket.h"
#include "sched/mutex.h"
#include "sched/wait.h"
#include "uapi/un.h"

#define UNIX_ADDR_MAX	sizeof(struct linux_sockaddr_un)
#define DGRAM_QUEUE_MAX 10

struct file;
struct user_account;

/* Files under way with a message. */
struct unix_rights {
	u32 count;
	bool sockets;		   /* there are AF_UNIX sockets among them: garbage.c */
	struct user_account *user; /* referenced: who sent them, charged */
	struct unix_rights *next;  /* garbage.c */
	struct file *files[];
};

struct unix_msg {
	struct list node;
	struct linux_ucred cred;    /* of the sender, or as it claimed */
	struct unix_rights *rights; /* NULL: none */
	struct unix_sock *sender;   /* referenced: told when there is room again */
	u8 from[UNIX_ADDR_MAX];	    /* the sender's name */
	u32 from_len;
	u32 len, taken; /* bytes; read so far (streams) */
	u8 data[];
};

enum unix_state { UNIX_NEW, UNIX_LISTENING, UNIX_CONNECTED, UNIX_DEAD };

/*
 * One end. Outlives its struct socket while peers and the name table still point to it.
 * Letters: [I] fixed, [L] lock. Two ends are locked lower address first.
 */
struct unix_sock {
	struct ref ref;
	int type; /* [I] */
	struct spinlock lock;
	enum unix_state state;	       /* [L] */
	struct socket *sock;	       /* [L] NULL: not accepted yet, or closed */
	struct unix_sock *peer;	       /* [L] referenced */
	bool peer_closed;	       /* [L] the peer was there and has gone: */
	struct unix_sock *gone;	       /* [L] referenced: getpeername still tells its name */
	u32 shut;		       /* [L] bit 0: no more reading, bit 1: no more writing */
	struct list queue;	       /* [L] struct unix_msg */
	u32 queued_bytes, queued_msgs; /* [L] */
	struct mutex read_lock;	       /* one reader at a time; only it takes messages off */
	struct wait_queue wait;	       /* readers, accepters, pollers */
	struct wait_queue room;	       /* who sends or connects to us */
	int error;		       /* [L] pending, positive */

	struct list pending; /* [L] listener: connected ends nobody accepted */
	struct list pending_node;
	u32 pending_count, backlog; /* [L] */
	struct linux_ucred cred;    /* as of connect, listen, socketpair */
	struct linux_ucred peer_cred;

	u8 addr[UNIX_ADDR_MAX]; /* [L until bound] */
	u32 addr_len;		/* 0: not bound */
	struct path path;	/* [I once bound] pathname sockets: keeps the inode */
	struct hlist_node hash; /* abstract names: table lock */
	struct list all_node;	/* list.c */

	/* garbage.c, all under flight_lock; set while in_flight */
	u32 in_flight;		  /* references to our file that messages hold */
	u32 found;		  /* of them, how many the collector has seen */
	bool suspect;		  /* nobody else has one */
	struct file *flight_file; /* ours */
	struct list flight_node;
};

void unix_get(struct unix_sock *u);
void unix_put(struct unix_sock *u);

/* address.c */
int unix_bind(struct unix_sock *u, const u8 *addr, u32 len);
int unix_autobind(struct unix_sock *u);
void unix_unbind(struct unix_sock *u);
/* The inode that a path name made, by its numbers. False: there is none, or no more. */
bool unix_path_inode(const struct unix_sock *u, u64 *ino, u64 *dev);
/* The socket of a name, referenced: 0, -ECONNREFUSED, -EPROTOTYPE, -ENOENT, -EACCES ... */
int unix_find(const u8 *addr, u32 len, int type, struct unix_sock **out);

/* list.c */
void unix_list_init(void);
void unix_list_add(struct unix_sock *u);
void unix_list_remove(struct unix_sock *u);

/* rights.c */
int unix_control_parse(struct socket_msg *m, struct linux_ucred *cred, struct unix_rights **out);
int unix_rights_deliver(struct socket_msg *m, struct unix_rights *r);
void unix_rights_free(struct unix_rights *r);
void unix_cred_current(struct linux_ucred *c);

/* garbage.c */
void unix_garbage_init(void);
void unix_flight_begin(struct unix_rights *r); /* before a message with them is in a queue */
void unix_flight_end(struct unix_rights *r);   /* before the files are put */
/* References have been taken: wait until the collector knows of them. */
void unix_flight_wait(const struct unix_rights *r);
void unix_collect_soon(void); /* a socket was closed */

#endif
