/* SPDX-License-Identifier: MIT */
/*
 * POSIX access control lists: who may, what chmod(2) and a default list do, and the form that
 * programs see as system.posix_acl_access and system.posix_acl_default. File systems keep the
 * lists.
 */
#include "fs/vfs/posix_acl.h"
#include "fs/vfs/inode.h"
#include "lib/string.h"
#include "mm/slab.h"
#include "task/cred.h"
#include "uapi/errno.h"
#include "uapi/xattr.h"

struct posix_acl *
posix_acl_alloc(u32 count)
{
	struct posix_acl *a = kzalloc(sizeof(*a) + count * sizeof(a->entry[0]), GFP_NOFS);

	if (a)
		a->count = count;
	return a;
}

struct posix_acl *
posix_acl_copy(const struct posix_acl *a)
{
	return kmemdup(a, sizeof(*a) + a->count * sizeof(a->entry[0]), GFP_NOFS);
}

bool
posix_acl_valid(const struct posix_acl *a)
{
	const u32 needed = ACL_USER_OBJ | ACL_GROUP_OBJ | ACL_OTHER;
	u32 seen = 0;
	u16 before = 0;

	for (u32 i = 0; i < a->count; i++) {
		const struct acl_entry *e = &a->entry[i];

		if ((e->perm & ~7) || e->tag < before ||
		    (e->tag != ACL_USER_OBJ && e->tag != ACL_USER && e->tag != ACL_GROUP_OBJ &&
		     e->tag != ACL_GROUP && e->tag != ACL_MASK && e->tag != ACL_OTHER))
			return false;
		if (!posix_acl_has_id(e->tag) && (seen & e->tag))
			return false;
		seen |= e->tag;
		before = e->tag;
	}
	if ((seen & needed) != needed)
		return false;
	return !(seen & (ACL_USER | ACL_GROUP)) || (seen & ACL_MASK);
}

/* --- permission --- */

/* acl(5), access check algorithm. */
static bool
allows(const struct posix_acl *a, const struct inode *i, u32 want)
{
	const struct cred *c = current_cred();
	bool in_group = false, granted = false;
	u16 mask = 7;

	for (u32 k = 0; k < a->count; k++)
		if (a->entry[k].tag == ACL_MASK)
			mask = a->entry[k].perm;
	for (u32 k = 0; k < a->count; k++) {
		const struct acl_entry *e = &a->entry[k];

		switch (e->tag) {
		case ACL_USER_OBJ:
			if (c->fsuid == i->uid)
				return (e->perm & want) == want;
			break;
		case ACL_USER:
			if (c->fsuid == e->id)
				return (e->perm & mask & want) == want;
			break;
		case ACL_GROUP_OBJ:
		case ACL_GROUP:
			if (cred_in_group(c, e->tag == ACL_GROUP ? e->id : i->gid)) {
				in_group = true;
				granted |= (e->perm & mask & want) == want;
			}
			break;
		case ACL_OTHER: return in_group ? granted : (e->perm & want) == want;
		default: break;
		}
	}
	return false;
}

int
posix_acl_permission(const struct posix_acl *a, struct inode *i, int mask)
{
	u32 want = (u32)mask & (MAY_READ | MAY_WRITE | MAY_EXEC);

	/* Linux does not look at a list whose mask is empty. */
	if (!(i->mode & S_IRWXG))
		return inode_permission_generic(i, mask);
	if (allows(a, i, want))
		return 0;
	/* What capabilities override. */
	if (S_ISDIR(i->mode)) {
		if (!(want & MAY_WRITE) && inode_capable(i, CAP_DAC_READ_SEARCH))
			return 0;
		return inode_capable(i, CAP_DAC_OVERRIDE) ? 0 : -EACCES;
	}
	if (want == MAY_READ && inode_capable(i, CAP_DAC_READ_SEARCH))
		return 0;
	if ((!(want & MAY_EXEC) || (i->mode & S_IXUGO)) && inode_capable(i, CAP_DAC_OVERRIDE))
		return 0;
	return -EACCES;
}

/* --- list and mode --- */

bool
posix_acl_to_mode(const struct posix_acl *a, umode_t *mode)
{
	bool minimal = true, has_mask = false;
	umode_t bits = 0;

	for (u32 k = 0; k < a->count; k++) {
		u32 perm = a->entry[k].perm;

		switch (a->entry[k].tag) {
		case ACL_USER_OBJ: bits |= perm << 6; break;
		case ACL_GROUP_OBJ: bits |= has_mask ? 0 : perm << 3; break;
		case ACL_MASK:
			bits = (bits & ~(umode_t)070) | perm << 3;
			has_mask = true;
			minimal = false;
			break;
		case ACL_OTHER: bits |= perm; break;
		default: minimal = false; break;
		}
	}
	*mode = (*mode & ~(umode_t)0777) | bits;
	return minimal;
}

void
posix_acl_apply_mode(struct posix_acl *a, umode_t *mode, bool create)
{
	struct acl_entry *group = NULL, *mask = NULL;
	umode_t m = *mode;

	for (u32 k = 0; k < a->count; k++) {
		struct acl_entry *e = &a->entry[k];

		if (e->tag == ACL_USER_OBJ) {
			e->perm = (u16)((create ? e->perm : 7) & (m >> 6));
			m = (m & ~(umode_t)0700) | (umode_t)e->perm << 6;
		} else if (e->tag == ACL_OTHER) {
			e->perm = (u16)((create ? e->perm : 7) & m & 7);
			m = (m & ~(umode_t)07) | e->perm;
		} else if (e->tag == ACL_GROUP_OBJ) {
			group = e;
		} else if (e->tag == ACL_MASK) {
			mask = e;
		}
	}
	if (mask)
		group = mask;
	if (group) {
		group->perm = (u16)((create ? group->perm : 7) & (m >> 3) & 7);
		m = (m & ~(umode_t)070) | (umode_t)group->perm << 3;
	}
	*mode = m;
}

int
posix_acl_inherit(const struct posix_acl *from, umode_t *mode, struct posix_acl **access,
		  struct posix_acl **standard)
{
	umode_t unused;

	*standard = NULL;
	*access = posix_acl_copy(from);
	if (!*access)
		return -ENOMEM;
	if (S_ISDIR(*mode)) {
		*standard = posix_acl_copy(from);
		if (!*standard) {
			kfree(*access);
			return -ENOMEM;
		}
	}
	posix_acl_apply_mode(*access, mode, true);
	unused = *mode;
	if (posix_acl_to_mode(*access, &unused)) {
		kfree(*access);
		*access = NULL;
	}
	return 0;
}

/* --- as attributes --- */

bool
posix_acl_is_name(const char *name, bool *is_default)
{
	*is_default = !strcmp(name, XATTR_NAME_POSIX_ACL_DEFAULT);
	return *is_default || !strcmp(name, XATTR_NAME_POSIX_ACL_ACCESS);
}

ssize_t
posix_acl_to_user(const struct posix_acl *a, void *value, size_t size)
{
	struct linux_posix_acl_xattr_header *h = value;
	struct linux_posix_acl_xattr_entry *e = (void *)(h + 1);
	size_t need;

	if (!a)
		return -ENODATA;
	need = sizeof(*h) + a->count * sizeof(*e);
	if (!size)
		return (ssize_t)need;
	if (size < need)
		return -ERANGE;
	h->a_version = POSIX_ACL_XATTR_VERSION;
	for (u32 k = 0; k < a->count; k++)
		e[k] = (struct linux_posix_acl_xattr_entry){ a->entry[k].tag, a->entry[k].perm,
							     a->entry[k].id };
	return (ssize_t)need;
}

static int
parse(const void *value, size_t size, struct posix_acl **out)
{
	const struct linux_posix_acl_xattr_header *h = value;
	const struct linux_posix_acl_xattr_entry *e = (const void *)(h + 1);
	struct posix_acl *a;
	size_t count;

	if (size < sizeof(*h) || (size - sizeof(*h)) % sizeof(*e))
		return -EINVAL;
	if (h->a_version != POSIX_ACL_XATTR_VERSION)
		return -EOPNOTSUPP;
	count = (size - sizeof(*h)) / sizeof(*e);
	if (!count)
		return 0;
	if (count > POSIX_ACL_MAX_ENTRIES)
		return -EINVAL;
	a = posix_acl_alloc((u32)count);
	if (!a)
		return -ENOMEM;
	for (u32 k = 0; k < count; k++)
		a->entry[k] = (struct acl_entry){ e[k].e_tag, e[k].e_perm,
						  posix_acl_has_id(e[k].e_tag) ? e[k].e_id
									       : UINT32_MAX };
	if (!posix_acl_valid(a)) {
		kfree(a);
		return -EINVAL;
	}
	*out = a;
	return 0;
}

int
posix_acl_from_user(const struct inode *i, bool is_default, const void *value, size_t size,
		    struct posix_acl **out, umode_t *mode)
{
	int err;

	*out = NULL;
	*mode = i->mode;
	if (S_ISLNK(i->mode))
		return -EOPNOTSUPP;
	if (value) {
		err = parse(value, size, out);
		if (err)
			return err;
	}
	err = 0;
	if (is_default && !S_ISDIR(i->mode))
		err = *out ? -EACCES : 0;
	if (!inode_owner_or_capable(i))
		err = -EPERM;
	if (err) {
		kfree(*out);
		*out = NULL;
		return err;
	}
	if (*out && !is_default) {
		bool minimal = posix_acl_to_mode(*out, mode);

		if (!cred_in_group(current_cred(), i->gid) && !inode_capable(i, CAP_FSETID))
			*mode &= ~(umode_t)S_ISGID;
		if (minimal) {
			kfree(*out);
			*out = NULL;
		}
	}
	return 0;
}
