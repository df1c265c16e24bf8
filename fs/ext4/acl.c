/* SPDX-License-Identifier: MIT */
/*
 * POSIX access control lists (acl(5)).
 *
 * On the disk a list is an attribute of its own compact form; programs see system.posix_acl_access
 * and system.posix_acl_default. What a list says about owner, group class and others is the same as
 * the mode says: chmod changes the list, setting a list changes the mode. An inode without a list
 * has operations without a permission slot, so that path walk stays on its fast way.
 */
#include "ext4_internal.h"
#include "task/cred.h"
#include "uapi/xattr.h"

struct acl_entry {
	u16 tag, perm;
	u32 id;
};

struct posix_acl {
	u32 count;
	struct acl_entry entry[];
};

#define ACL_MAX_ENTRIES 512u
#define ACL_LOADED	1 /* acl_state: node->acl and default_acl are what the disk has */

/* --- forms --- */

static bool
has_id(u16 tag)
{
	return tag == ACL_USER || tag == ACL_GROUP;
}

/* One owner, one group, one other; a mask if anybody is named; sorted by tag as acl(5) lists. */
static bool
acl_valid(const struct posix_acl *a)
{
	u32 seen = 0;
	u16 before = 0;

	for (u32 i = 0; i < a->count; i++) {
		const struct acl_entry *e = &a->entry[i];

		if ((e->perm & ~7) || e->tag < before ||
		    (e->tag != ACL_USER_OBJ && e->tag != ACL_USER && e->tag != ACL_GROUP_OBJ &&
		     e->tag != ACL_GROUP && e->tag != ACL_MASK && e->tag != ACL_OTHER))
			return false;
		if (!has_id(e->tag) && (seen & e->tag))
			return false;
		seen |= e->tag;
		before = e->tag;
	}
	if ((seen & (ACL_USER_OBJ | ACL_GROUP_OBJ | ACL_OTHER)) !=
	    (ACL_USER_OBJ | ACL_GROUP_OBJ | ACL_OTHER))
		return false;
	return !(seen & (ACL_USER | ACL_GROUP)) || (seen & ACL_MASK);
}

static struct posix_acl *
acl_alloc(u32 count)
{
	struct posix_acl *a = kzalloc(sizeof(*a) + count * sizeof(a->entry[0]), GFP_NOFS);

	if (a)
		a->count = count;
	return a;
}

static int
from_disk(const u8 *data, size_t size, struct posix_acl **out)
{
	struct posix_acl *a;
	u32 count = 0, version;

	if (size < 4)
		return -EINVAL;
	memcpy(&version, data, 4);
	if (version != EXT4_ACL_VERSION)
		return -EINVAL;
	a = acl_alloc(MIN((u32)size / EXT4_ACL_SHORT, ACL_MAX_ENTRIES));
	if (!a)
		return -ENOMEM;
	for (size_t at = 4; at < size;) {
		struct ext4_acl_entry e = { 0 };
		size_t len = EXT4_ACL_SHORT;

		if (size - at < len || count == a->count)
			goto out_bad;
		memcpy(&e, data + at, len);
		if (has_id(e.e_tag)) {
			len = sizeof(e);
			if (size - at < len)
				goto out_bad;
			memcpy(&e, data + at, len);
		}
		a->entry[count++] = (struct acl_entry){ e.e_tag, e.e_perm,
							has_id(e.e_tag) ? e.e_id : UINT32_MAX };
		at += len;
	}
	a->count = count;
	if (!acl_valid(a))
		goto out_bad;
	*out = a;
	return 0;
out_bad:
	kfree(a);
	return -EINVAL;
}

static size_t
to_disk(const struct posix_acl *a, u8 *out)
{
	u32 version = EXT4_ACL_VERSION;
	size_t at = 4;

	memcpy(out, &version, 4);
	for (u32 i = 0; i < a->count; i++) {
		struct ext4_acl_entry e = { a->entry[i].tag, a->entry[i].perm, a->entry[i].id };
		size_t len = has_id(e.e_tag) ? sizeof(e) : EXT4_ACL_SHORT;

		memcpy(out + at, &e, len);
		at += len;
	}
	return at;
}

/* --- with the inode --- */

static int
load_one(struct inode *i, u8 index, struct posix_acl **out)
{
	ssize_t size = ext4_xattr_get(i, index, "", NULL, 0);
	u8 *data;
	int err;

	*out = NULL;
	if (size == -ENODATA || size == -EOPNOTSUPP)
		return 0;
	if (size < 0)
		return (int)size;
	data = kmalloc((size_t)size + 1, GFP_NOFS);
	if (!data)
		return -ENOMEM;
	size = ext4_xattr_get(i, index, "", data, (size_t)size);
	err = size < 0 ? (int)size : from_disk(data, (size_t)size, out);
	kfree(data);
	return err == -EINVAL ? -EIO : err;
}

/* The lists of the inode, from the disk when first asked for. */
static int
load(struct inode *i)
{
	struct ext4_node *n = ext4_node_of(i);
	struct posix_acl *access = NULL, *standard = NULL;
	int err;

	if (READ_ONCE(n->acl_state) & ACL_LOADED)
		return 0;
	if (n->has_xattr || n->file_acl) {
		err = load_one(i, EXT4_XATTR_ACL_ACCESS, &access);
		if (!err && S_ISDIR(i->mode))
			err = load_one(i, EXT4_XATTR_ACL_DEFAULT, &standard);
		if (err) {
			kfree(access);
			return err;
		}
	}
	rwsem_write_lock(&n->xattr_lock);
	if (!(n->acl_state & ACL_LOADED)) {
		SWAP(n->acl, access);
		SWAP(n->default_acl, standard);
		n->acl_state |= ACL_LOADED;
	}
	rwsem_write_unlock(&n->xattr_lock);
	kfree(access);
	kfree(standard);
	return 0;
}

/* For the choice of operations: might there be a list for access? */
bool
ext4_acl_present(struct inode *i)
{
	struct ext4_node *n = ext4_node_of(i);

	if (!(n->fs->options.flags & OPT_ACL) || S_ISLNK(i->mode))
		return false;
	if (!n->has_xattr && !n->file_acl)
		return false;
	return load(i) || n->acl;
}

void
ext4_acl_free(struct ext4_node *n)
{
	kfree(n->acl);
	kfree(n->default_acl);
	n->acl = n->default_acl = NULL;
	n->acl_state = 0;
}

/* --- permission --- */

/* acl(5), access check algorithm: 1 allowed, 0 denied. */
static int
acl_allows(const struct posix_acl *a, const struct inode *i, u32 want)
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
	return 0;
}

int
ext4_permission(struct inode *i, int mask)
{
	struct ext4_node *n = ext4_node_of(i);
	u32 want = (u32)mask & (MAY_READ | MAY_WRITE | MAY_EXEC);
	const struct cred *c = current_cred();
	int allowed = -1, err = load(i);

	if (err)
		return err;
	rwsem_read_lock(&n->xattr_lock);
	if (n->acl)
		allowed = acl_allows(n->acl, i, want);
	rwsem_read_unlock(&n->xattr_lock);
	if (allowed < 0)
		return inode_permission_generic(i, mask);
	if (allowed)
		return 0;
	/* What capabilities override. */
	if (S_ISDIR(i->mode)) {
		if (!(want & MAY_WRITE) && cred_capable(c, CAP_DAC_READ_SEARCH))
			return 0;
		return cred_capable(c, CAP_DAC_OVERRIDE) ? 0 : -EACCES;
	}
	if (want == MAY_READ && cred_capable(c, CAP_DAC_READ_SEARCH))
		return 0;
	if ((!(want & MAY_EXEC) || (i->mode & S_IXUGO)) && cred_capable(c, CAP_DAC_OVERRIDE))
		return 0;
	return -EACCES;
}

/* --- changing --- */

/* Takes over a (NULL: none). The inode is stored by the attribute's change. */
static int
install(struct journal_handle *h, struct inode *i, bool is_default, struct posix_acl *a)
{
	struct ext4_node *n = ext4_node_of(i);
	u8 index = is_default ? EXT4_XATTR_ACL_DEFAULT : EXT4_XATTR_ACL_ACCESS, *data = NULL;
	size_t size = 0;
	int err = 0;

	if (a) {
		data = kmalloc(4 + a->count * sizeof(struct ext4_acl_entry), GFP_NOFS);
		if (!data) {
			kfree(a);
			return -ENOMEM;
		}
		size = to_disk(a, data);
	}
	err = ext4_xattr_set(h, i, index, "", data, size, 0);
	kfree(data);
	if (err == -ENODATA && !a)
		err = 0;
	if (err) {
		kfree(a);
		return err;
	}
	rwsem_write_lock(&n->xattr_lock);
	SWAP(*(is_default ? &n->default_acl : &n->acl), a);
	rwsem_write_unlock(&n->xattr_lock);
	kfree(a);
	if (n->ino && i->ops)
		ext4_set_ops(i);
	return 0;
}

/* Mode bits that the list says; true: the list says no more than that. */
static bool
mode_of(const struct posix_acl *a, umode_t *mode)
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

/* The list follows a mode; create: it only loses what the mode lacks, and the mode what it lacks.
 */
static void
apply_mode(struct posix_acl *a, umode_t *mode, bool create)
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

static struct posix_acl *
acl_copy(const struct posix_acl *a)
{
	return kmemdup(a, sizeof(*a) + a->count * sizeof(a->entry[0]), GFP_NOFS);
}

int
ext4_acl_inherit(struct journal_handle *h, struct inode *dir, struct inode *i)
{
	struct ext4_node *parent = ext4_node_of(dir), *n = ext4_node_of(i);
	struct posix_acl *access = NULL, *standard = NULL;
	umode_t mode = i->mode;
	int err;

	n->acl_state |= ACL_LOADED;
	if (!(n->fs->options.flags & OPT_ACL) || S_ISLNK(i->mode))
		return 0;
	err = load(dir);
	if (err)
		return err;
	if (!READ_ONCE(parent->default_acl))
		return 0;
	rwsem_read_lock(&parent->xattr_lock);
	if (parent->default_acl) {
		access = acl_copy(parent->default_acl);
		if (S_ISDIR(i->mode))
			standard = acl_copy(parent->default_acl);
		if (!access || (S_ISDIR(i->mode) && !standard))
			err = -ENOMEM;
	}
	rwsem_read_unlock(&parent->xattr_lock);
	if (err || !access)
		goto out;
	apply_mode(access, &mode, true);
	i->mode = mode;
	/* The inode must be on the disk before attributes go beside it. */
	err = ext4_inode_store(h, i);
	if (!err && standard) {
		err = install(h, i, true, standard);
		standard = NULL;
	}
	if (!err) {
		umode_t unused = mode;

		if (!mode_of(access, &unused)) {
			err = install(h, i, false, access);
			access = NULL;
		}
	}
out:
	kfree(access);
	kfree(standard);
	return err;
}

int
ext4_acl_chmod(struct journal_handle *h, struct inode *i)
{
	struct ext4_node *n = ext4_node_of(i);
	struct posix_acl *a = NULL;
	umode_t mode = i->mode;
	int err;

	if (!(n->fs->options.flags & OPT_ACL) || S_ISLNK(i->mode))
		return 0;
	err = load(i);
	if (err || !n->acl)
		return err;
	rwsem_read_lock(&n->xattr_lock);
	if (n->acl) {
		a = acl_copy(n->acl);
		err = a ? 0 : -ENOMEM;
	}
	rwsem_read_unlock(&n->xattr_lock);
	if (!a)
		return err;
	apply_mode(a, &mode, false);
	return install(h, i, false, a);
}

ssize_t
ext4_acl_get(struct inode *i, bool is_default, void *value, size_t size)
{
	struct ext4_node *n = ext4_node_of(i);
	const struct posix_acl *a;
	ssize_t ret = -ENODATA;
	int err;

	if (!(n->fs->options.flags & OPT_ACL) || S_ISLNK(i->mode))
		return -EOPNOTSUPP;
	err = load(i);
	if (err)
		return err;
	rwsem_read_lock(&n->xattr_lock);
	a = is_default ? n->default_acl : n->acl;
	if (a) {
		struct linux_posix_acl_xattr_header *h = value;
		struct linux_posix_acl_xattr_entry *e = (void *)(h + 1);

		ret = (ssize_t)(sizeof(*h) + a->count * sizeof(*e));
		if (size && size < (size_t)ret) {
			ret = -ERANGE;
		} else if (size) {
			h->a_version = POSIX_ACL_XATTR_VERSION;
			for (u32 k = 0; k < a->count; k++)
				e[k] = (struct linux_posix_acl_xattr_entry){ a->entry[k].tag,
									     a->entry[k].perm,
									     a->entry[k].id };
		}
	}
	rwsem_read_unlock(&n->xattr_lock);
	return ret;
}

static int
from_user_form(const void *value, size_t size, struct posix_acl **out)
{
	const struct linux_posix_acl_xattr_header *h = value;
	const struct linux_posix_acl_xattr_entry *e = (const void *)(h + 1);
	struct posix_acl *a;
	size_t count;

	*out = NULL;
	if (size < sizeof(*h) || (size - sizeof(*h)) % sizeof(*e))
		return -EINVAL;
	if (h->a_version != POSIX_ACL_XATTR_VERSION)
		return -EOPNOTSUPP;
	count = (size - sizeof(*h)) / sizeof(*e);
	if (!count)
		return 0;
	if (count > ACL_MAX_ENTRIES)
		return -EINVAL;
	a = acl_alloc((u32)count);
	if (!a)
		return -ENOMEM;
	for (u32 k = 0; k < count; k++)
		a->entry[k] = (struct acl_entry){ e[k].e_tag, e[k].e_perm,
						  has_id(e[k].e_tag) ? e[k].e_id : UINT32_MAX };
	if (!acl_valid(a)) {
		kfree(a);
		return -EINVAL;
	}
	*out = a;
	return 0;
}

/* setxattr and removexattr (value NULL) of a list; inode locked. */
int
ext4_acl_set(struct inode *i, bool is_default, const void *value, size_t size)
{
	struct ext4_node *n = ext4_node_of(i);
	struct posix_acl *a = NULL;
	struct journal_handle *h;
	umode_t mode = i->mode;
	int err, end;

	if (!(n->fs->options.flags & OPT_ACL) || S_ISLNK(i->mode))
		return -EOPNOTSUPP;
	if (!inode_owner_or_capable(i))
		return -EPERM;
	if (value) {
		err = from_user_form(value, size, &a);
		if (err)
			return err;
	}
	err = is_default && a && !S_ISDIR(i->mode) ? -EACCES : load(i);
	if (err)
		goto out_acl;
	if (a && !is_default) {
		/* Nothing but a mode is no list. */
		bool minimal = mode_of(a, &mode);

		if (!cred_in_group(current_cred(), i->gid) && !capable(CAP_FSETID))
			mode &= ~(umode_t)S_ISGID;
		if (minimal) {
			kfree(a);
			a = NULL;
		}
	}
	err = ext4_start(n->fs, CREDITS_XATTR, &h);
	if (err)
		goto out_acl;
	WRITE_ONCE(i->mode, mode);
	WRITE_ONCE(i->times.ctime, inode_now(i));
	err = install(h, i, is_default, a);
	if (!err)
		err = ext4_inode_store(h, i);
	end = ext4_stop(h);
	return err ? err : end;
out_acl:
	kfree(a);
	return err;
}
