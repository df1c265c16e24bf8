/* SPDX-License-Identifier: MIT */
/* Mounts and mount namespaces. mount(2), mount_namespaces(7). */
#ifndef FS_VFS_MOUNT_H
#define FS_VFS_MOUNT_H

#include "core/ref.h"
#include "fs/vfs/dentry.h"
#include "lib/list.h"

struct super;
struct mount_ns;
struct strbuf;
struct fd_table;

struct mount {
	struct super *super;		/* [I] */
	struct dentry *root;		/* [I] what is visible at the mount point */
	struct mount *parent;		/* itself for a namespace's root and detached ones */
	struct dentry *point;		/* where it sits in the parent */
	u32 flags;			/* MNT_*: read-only, nosuid, nodev, noexec, noatime ... */
	u32 id, peer_group, master_group;	/* as mountinfo shows */
	struct mount_ns *ns;
	struct hlist_node hash;		/* (parent, point) */
	struct list children, child_node, ns_node, peers, slaves, slave_node;
	struct mount *master;
	char *source;			/* mount(2)'s first argument */
	struct atomic32 refs;		/* open files, cwds, lookups */
	struct atomic32 writers;
	struct rcu_head rcu;
};

/* Boot: the root mount of the first namespace on a fresh tmpfs ("rootfs"). */
void vfs_init(void);
/* Mount `type` at a kernel path (boot: /dev, tests). */
int vfs_mount_kernel(const char *source, const char *target, const char *type, u32 flags, const char *data);
/* May this mount be written now? Take before changing anything, drop after. 0 or -EROFS. */
int mount_want_write(struct mount *m);
void mount_drop_write(struct mount *m);
void mount_get(struct mount *m);
void mount_put(struct mount *m);
int mount_ns_copy(struct mount_ns *old, struct mount_ns **out);
struct mount_ns *mount_ns_get(struct mount_ns *ns);
void mount_ns_put(struct mount_ns *ns);
/* Text of /proc/PID/mounts (style 0), mountinfo (1), mountstats (2), as seen from root. */
void mount_show(struct mount_ns *ns, const struct path *root, int style, struct strbuf *sb);
/* Internal mount of a pseudo file system for anonymous files. */
struct mount *mount_internal(const struct fs_type *type);
#endif
