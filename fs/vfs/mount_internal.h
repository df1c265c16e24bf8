/* SPDX-License-Identifier: MIT */
/* Shared by mount.c, mount_ns.c, propagate.c, mount_show.c. */
#ifndef MOUNT_INTERNAL_H
#define MOUNT_INTERNAL_H

#include "uapi/mount.h"
#include "uapi/poll.h"
#include "vfs_internal.h"

#define MOUNTS_MAX	  100000 /* per namespace: /proc/sys/fs/mount-max */
#define PROPAGATION_FLAGS (MS_SHARED | MS_PRIVATE | MS_SLAVE | MS_UNBINDABLE)
/* The bits of mount->flags that remount and mountinfo know. */
#define MOUNT_FLAGS                                                                                \
	(MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_NOATIME | MS_NODIRATIME | MS_RELATIME | \
	 MS_NOSYMFOLLOW)

struct mount_ns {
	struct ref ref;
	struct user_ns *owner; /* [I] referenced */
	struct mount *root;
	struct list mounts; /* in the order of mounting */
	u32 count;
	u64 inum;
	u64 event; /* grows with each change */
};

extern struct rwsem mounts_lock; /* the shape of all trees: changes exclusive, reports shared */
extern struct spinlock
	mount_lock; /* hash and links, for the instant of a change; seq is mount_seq */

/* mount.c */
struct mount *mount_alloc(struct super *s, struct dentry *root, const char *source);
void mount_link(struct mount *m, struct mount *parent, struct dentry *point); /* mount_lock held */
void mount_unlink(struct mount *m);					      /* mount_lock held */
void mount_join_ns(struct mount *m, struct mount_ns *ns);
struct mount *mount_next_in_tree(struct mount *m, struct mount *top);
/* A copy of the tree at `root` in m. Copies of peers and slaves are so too; `how` says what else
 * becomes of them. */
#define COPY_UNBINDABLE BIT(0) /* take unbindable mounts along (namespaces) */
#define COPY_SLAVE	BIT(1) /* slaves of the originals */
#define COPY_SHARED	BIT(2) /* shared, if not so already */
#define COPY_PRIVATE	BIT(3)
#define COPY_RECURSIVE	BIT(4)
#define COPY_DEMOTE	BIT(5) /* slaves of those that are shared */
int mount_copy_tree(struct mount *m, struct dentry *root, u32 how, struct mount **out);
/* It came from a user namespace above: what is hidden stays hidden. */
void mount_lock_tree(struct mount *top);
void mount_drop_tree(struct mount *m);	   /* a tree that was never attached */
void mount_detach_list(struct list *list); /* by ->work: out of every tree; then mount_release_list
					      without mounts_lock */
void mount_release_list(struct list *list);
void mount_collect_tree(struct mount *m, struct list *list); /* m and all below, children first */

/* propagate.c */
static inline bool
mount_is_shared(const struct mount *m)
{
	return m->peer_group != 0;
}
void propagate_set_type(struct mount *m, u32 type);
void propagate_make_shared(struct mount *m);
void propagate_join(struct mount *m, struct mount *peer); /* the same group */
void propagate_set_master(struct mount *m, struct mount *master);
int propagate_attach(struct mount *dest, struct dentry *point, struct mount *source, u32 size,
		     struct list *copies);
void propagate_detach(struct list *list);
u32 propagate_dominating_group(const struct mount *m, const struct path *root);

extern struct mount_ns *root_mount_ns;
char *dentry_text(const struct dentry *d, char *buf, size_t size);
char *path_text_reach(const struct path *p, const struct path *root, char *buf, size_t size,
		      bool *reached);

#endif
