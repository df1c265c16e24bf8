/* SPDX-License-Identifier: MIT */
/*
 * Names of AF_UNIX sockets. A pathname is a socket inode, found by walking the path; inode->socket
 * points to who is bound to it. An abstract name (first byte 0) is a key in a table. name_lock
 * guards both kinds of pointer: whoever finds a socket through one takes a reference under it.
 */
#include "core/random.h"
#include "fs/vfs/inode.h"
#include "fs/vfs/path.h"
#include "lib/format.h"
#include "lib/hash.h"
#include "lib/string.h"
#include "task/task.h"
#include "uapi/errno.h"
#include "unix_internal.h"

#define BUCKETS 256
static struct hlist_head abstract_names[BUCKETS];
static struct spinlock name_lock = SPINLOCK_INIT(RANK_INODE_HASH);

static struct hlist_head *
bucket(const u8 *addr, u32 len, int type)
{
	u32 h = (u32)type;

	for (u32 i = sizeof(u16); i < len; i++)
		h = h * 31 + addr[i];
	return &abstract_names[h % BUCKETS];
}

static struct unix_sock *
abstract_peek_locked(const u8 *addr, u32 len, int type)
{
	struct unix_sock *u;

	hlist_for_each_entry(u, bucket(addr, len, type), hash)
	{
		if (u->type == type && u->addr_len == len && memcmp(u->addr, addr, len) == 0)
			return u;
	}
	return NULL;
}

static int
bind_abstract(struct unix_sock *u, const u8 *addr, u32 len)
{
	int r = -EADDRINUSE;

	spin_lock(&name_lock);
	if (u->addr_len) {
		r = -EINVAL;
	} else if (!abstract_peek_locked(addr, len, u->type)) {
		memcpy(u->addr, addr, len);
		smp_store_release(&u->addr_len, len);
		hlist_add_head(&u->hash, bucket(addr, len, u->type));
		r = 0;
	}
	spin_unlock(&name_lock);
	return r;
}

int
unix_autobind(struct unix_sock *u)
{
	u8 addr[UNIX_ADDR_MAX] = { AF_UNIX, 0 };
	int r = -EADDRINUSE;

	for (u32 tries = 0; r == -EADDRINUSE && tries < 1000; tries++) {
		char name[8];

		snprintf(name, sizeof(name), "%05x", (u32)random_u64() & 0xfffff);
		memcpy(addr + 3, name, 5);
		r = bind_abstract(u, addr, 3 + 5);
	}
	return r == -EINVAL ? 0 : r; /* somebody else bound it meanwhile: it has a name */
}

static int
bind_path(struct unix_sock *u, const char *name)
{
	struct path_create pc;
	int r = path_create_begin(AT_FDCWD, name, false, &pc);

	if (r)
		return r == -EEXIST ? -EADDRINUSE : r;
	r = vfs_mknod(&pc, path_create_mode(&pc, S_IFSOCK | 0777), 0);
	if (r == 0) {
		size_t n = strlen(name);
		struct path at = { pc.parent.mnt, pc.dentry };

		path_get(&at);
		spin_lock(&name_lock);
		if (u->addr_len) {
			r = -EINVAL;
		} else {
			u->path = at;
			u->addr[0] = AF_UNIX;
			u->addr[1] = 0;
			memcpy(u->addr + 2, name, n);
			if (2 + n < UNIX_ADDR_MAX)
				u->addr[2 + n] = 0;
			smp_store_release(&u->addr_len, (u32)MIN(2 + n + 1, UNIX_ADDR_MAX));
			pc.dentry->inode->socket = u;
		}
		spin_unlock(&name_lock);
		if (r)
			path_put(&at);
	}
	path_create_done(&pc);
	return r;
}

/* The path in an address, terminated: it need not be in what the caller gave. */
static void
path_of(const u8 *addr, u32 len, char name[UNIX_PATH_MAX + 1])
{
	u32 n = len - (u32)sizeof(u16);

	memcpy(name, addr + sizeof(u16), n);
	name[n] = 0;
}

static int
addr_check(const u8 *addr, u32 len)
{
	u16 family;

	if (len < sizeof(family) || len > UNIX_ADDR_MAX)
		return -EINVAL;
	memcpy(&family, addr, sizeof(family));
	return family == AF_UNIX ? 0 : -EINVAL;
}

int
unix_bind(struct unix_sock *u, const u8 *addr, u32 len)
{
	char name[UNIX_PATH_MAX + 1];
	int r = addr_check(addr, len);

	if (r)
		return r;
	if (u->addr_len)
		return -EINVAL;
	if (len == sizeof(u16))
		return unix_autobind(u);
	if (!addr[2])
		return bind_abstract(u, addr, len);
	path_of(addr, len, name);
	return bind_path(u, name);
}

void
unix_unbind(struct unix_sock *u)
{
	struct path path = { 0 };

	spin_lock(&name_lock);
	if (u->path.dentry) {
		path = u->path;
		u->path = (struct path){ 0 };
		if (path.dentry->inode && path.dentry->inode->socket == u)
			path.dentry->inode->socket = NULL;
	} else if (!hlist_unhashed(&u->hash)) { /* an accepted end has its listener's name only */
		hlist_del_init(&u->hash);
	}
	spin_unlock(&name_lock);
	if (path.dentry)
		path_put(&path);
}

bool
unix_path_inode(const struct unix_sock *u, u64 *ino, u64 *dev)
{
	spin_lock_nested(&name_lock); /* inside a lock of the list */
	const struct inode *inode = u->path.dentry ? u->path.dentry->inode : NULL;
	if (inode) {
		*ino = inode->ino;
		*dev = inode->super->dev;
	}
	spin_unlock(&name_lock);
	return inode;
}

int
unix_find(const u8 *addr, u32 len, int type, struct unix_sock **out)
{
	char name[UNIX_PATH_MAX + 1];
	struct unix_sock *u = NULL;
	struct path p;
	int r = addr_check(addr, len);

	if (r)
		return r;
	if (len == sizeof(u16))
		return -EINVAL;
	if (!addr[2]) {
		spin_lock(&name_lock);
		u = abstract_peek_locked(addr, len, type);
		if (u && !ref_try_get(&u->ref))
			u = NULL;
		spin_unlock(&name_lock);
		*out = u;
		return u ? 0 : -ECONNREFUSED;
	}
	path_of(addr, len, name);
	r = path_lookup(AT_FDCWD, name, WALK_FOLLOW, &p);
	if (r)
		return r;
	r = inode_permission(p.dentry->inode, MAY_WRITE);
	if (!r && !S_ISSOCK(p.dentry->inode->mode))
		r = -ECONNREFUSED;
	if (!r) {
		spin_lock(&name_lock);
		u = p.dentry->inode->socket;
		if (u && !ref_try_get(&u->ref))
			u = NULL;
		spin_unlock(&name_lock);
		r = u ? 0 : -ECONNREFUSED;
	}
	path_put(&p);
	if (!r && u->type != type) {
		unix_put(u);
		r = -EPROTOTYPE;
	}
	*out = u;
	return r;
}
