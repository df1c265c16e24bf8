/* SPDX-License-Identifier: MIT */
/* Mounts and mount namespaces. mount(2), mount_namespaces(7). */
#ifndef FS_VFS_MOUNT_H
#define FS_VFS_MOUNT_H

#include "core/ref.h"
#include "fs/vfs/dentry.h"
#include "lib/list.h"

struct fs_type;
struct super;
struct mount_ns;
struct user_ns;
struct strbuf;
struct fs_context;

/* One cache line a CPU. */
struct mount_count {
	s32 refs, writers;
} __aligned(64);

struct mount {
	struct super *super;  /* [I] */
	struct dentry *root;  /* [I] what is visible at the mount point */
	struct mount *parent; /* itself for a namespace's root and detached ones */
	struct dentry *point; /* where it sits in the parent */
	u32 flags; /* MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC, MS_NOATIME, MS_NODIRATIME,
		      MS_RELATIME, MS_NOSYMFOLLOW */
	u32 id, peer_group, master_group; /* as mountinfo shows */
	struct mount_ns *ns;
	struct hlist_node hash; /* (parent, point) */
	struct list children, child_node, ns_node;
	struct list peers; /* ring of the mounts of a peer group */
	struct list slaves, slave_node;
	struct mount *master;
	struct list work; /* of the change of the tree that is going on (mount.c) */
	struct mount *work_source;
	struct mount *copy; /* in the tree that is being made */
	u32 stamp;
	/* Of a tree that came from a user namespace above: not to be taken away alone, and these
	 * flags are not to be dropped. mounts_lock */
	bool locked;
	u32 locked_flags;
	bool expiring; /* umount2(MNT_EXPIRE) came by, and nobody used it since */
	char *source;  /* mount(2)'s first argument */
	/*
	 * References (open files, cwds, lookups) and writers, counted on the CPU where they come
	 * and go: only the sums mean something. While `attached` nobody needs the sum. mount.c
	 */
	struct mount_count *counts;
	bool attached, was_attached, doomed;
	struct rcu_head rcu;
};

extern struct mount_ns *root_mount_ns; /* of pid 1: for the first nsset */
/* Boot, after filesystems_init(): the root mount of the first namespace on a fresh tmpfs
 * ("rootfs"). */
void vfs_init(void);
/* (The boot thread's fs_context is root_fs_context, fs/vfs/path.h.) */
/* Mount `type` at a kernel path (boot: /dev, tests). */
int vfs_mount_kernel(const char *source, const char *target, const char *type, u32 flags,
		     const char *data);
/* Boot: what is mounted on dir becomes the root: moved onto "/", and root and cwd of
 * root_fs_context. */
int vfs_root_switch(const char *dir);
/* May this mount be written now? Take before changing anything, drop after. 0 or -EROFS. */
int mount_want_write(struct mount *m);
void mount_drop_write(struct mount *m);
void mount_get(struct mount *m);
void mount_put(struct mount *m);
/* A number that grows with each change of the namespace's tree, for poll of /proc/PID/mounts. A
 * change of any namespace wakes mounts_wait: it outlives them all. */
u64 mount_ns_event(struct mount_ns *ns);
extern struct wait_queue mounts_wait;
u64 mount_ns_inum(const struct mount_ns *ns);
/* A new namespace's root and cwd for the calling task: the same places in the copy. Used after
 * mount_ns_copy by unshare and clone. */
void mount_ns_move_fs(struct mount_ns *to, struct fs_context *fs);
/* setns: root and cwd at the namespace's root. */
int mount_ns_enter(struct mount_ns *ns, struct fs_context *fs);
int mount_ns_copy(struct mount_ns *old, struct user_ns *owner, struct mount_ns **out);
/* The calling task's root is not that of its mount namespace. */
bool fs_is_chrooted(void);
struct user_ns *mount_ns_owner(const struct mount_ns *ns);
struct mount_ns *mount_ns_get(struct mount_ns *ns);
void mount_ns_put(struct mount_ns *ns);
/* Text of /proc/PID/mounts (style 0), mountinfo (1), mountstats (2), as seen from root. */
void mount_show(struct mount_ns *ns, const struct path *root, int style, struct strbuf *sb);
/* Internal mount of a pseudo file system for anonymous files. NULL: it could not be made. */
struct fs_type;
struct mount *mount_internal(const struct fs_type *type);
/* The same super block from another root, with the same flags; in no tree, one reference: what a
 * stacked file system reaches its layers through. NULL: no memory. */
struct mount *mount_clone(struct mount *old, struct dentry *root);
#endif
