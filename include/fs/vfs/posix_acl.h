/* SPDX-License-Identifier: MIT */
/*
 * POSIX access control lists (acl(5)), as file systems keep them in memory.
 *
 * What a list says about the owner, the group class and others is the same as the mode says:
 * chmod(2) changes the list, setting a list changes the mode. A directory that has a default list
 * carries INODE_DEFAULT_ACL; the umask then does not apply to what is made there, the list does.
 */
#ifndef FS_VFS_POSIX_ACL_H
#define FS_VFS_POSIX_ACL_H

#include "lib/types.h"

struct inode;

struct acl_entry {
	u16 tag, perm; /* ACL_* of uapi/xattr.h */
	u32 id;
};

struct posix_acl {
	u32 count;
	struct acl_entry entry[];
};

#define POSIX_ACL_MAX_ENTRIES 512u

/* For count entries, zeroed. NULL: no memory. Lists are freed by kfree. */
struct posix_acl *posix_acl_alloc(u32 count);
struct posix_acl *posix_acl_copy(const struct posix_acl *a);
/* One owner, one group, one other; a mask if anybody is named; sorted by tag. */
bool posix_acl_valid(const struct posix_acl *a);
static inline bool
posix_acl_has_id(u16 tag)
{
	return tag == 0x02 || tag == 0x08; /* ACL_USER, ACL_GROUP */
}

/* inode_ops.permission of an inode with this list: 0 or -EACCES. Does not sleep. */
int posix_acl_permission(const struct posix_acl *a, struct inode *i, int mask);
/* Brings what the list says into *mode. True: the list says no more than that. */
bool posix_acl_to_mode(const struct posix_acl *a, umode_t *mode);
/* The list follows a new mode. create: both lose what the other lacks. */
void posix_acl_apply_mode(struct posix_acl *a, umode_t *mode, bool create);
/*
 * The lists of a new inode in a directory whose default list is `from`; *mode follows. *access is
 * NULL if the mode says it all, *standard unless the new one is a directory. 0 or -ENOMEM.
 */
int posix_acl_inherit(const struct posix_acl *from, umode_t *mode, struct posix_acl **access,
		      struct posix_acl **standard);

/* system.posix_acl_access and system.posix_acl_default: which, or not at all. */
bool posix_acl_is_name(const char *name, bool *is_default);
/* getxattr: a NULL is -ENODATA. size 0 asks for the length. */
ssize_t posix_acl_to_user(const struct posix_acl *a, void *value, size_t size);
/*
 * setxattr (value NULL: removexattr) by whoever asks; i locked. *out may be NULL: no list. For an
 * access list *mode is what i's mode becomes. Rights are checked: -EPERM.
 */
int posix_acl_from_user(const struct inode *i, bool is_default, const void *value, size_t size,
			struct posix_acl **out, umode_t *mode);

#endif
