/* SPDX-License-Identifier: MIT */
/*
 * POSIX access control lists (acl(5)).
 *
 * On the disk a list is an attribute of its own compact form; what it means is vfs's matter. An
 * inode without a list has operations without a permission slot, so that path walk stays on its
 * fast way.
 */
#include "ext4_internal.h"
#include "fs/vfs/posix_acl.h"
#include "uapi/xattr.h"

#define ACL_LOADED 1 /* acl_state: node->acl and default_acl are what the disk has */

/* --- on the disk --- */

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
	a = posix_acl_alloc(MIN((u32)size / EXT4_ACL_SHORT, POSIX_ACL_MAX_ENTRIES));
	if (!a)
		return -ENOMEM;
	for (size_t at = 4; at < size;) {
		struct ext4_acl_entry e = { 0 };
		size_t len = EXT4_ACL_SHORT;

		if (size - at < len || count == a->count)
			goto out_bad;
		memcpy(&e, data + at, len);
		if (posix_acl_has_id(e.e_tag)) {
			len = sizeof(e);
			if (size - at < len)
				goto out_bad;
			memcpy(&e, data + at, len);
		}
		a->entry[count++] = (struct acl_entry){ e.e_tag, e.e_perm,
							posix_acl_has_id(e.e_tag) ? e.e_id
										  : UINT32_MAX };
		at += len;
	}
	a->count = count;
	if (!posix_acl_valid(a))
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
		size_t len = posix_acl_has_id(e.e_tag) ? sizeof(e) : EXT4_ACL_SHORT;

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

/* vfs asks the flag before it takes the umask off a mode. */
static void
note_default(struct inode *i)
{
	if (ext4_node_of(i)->default_acl)
		i->flags |= INODE_DEFAULT_ACL;
	else
		i->flags &= ~INODE_DEFAULT_ACL;
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
	if (load(i))
		return true; /* who asks for permission hears of it */
	note_default(i);
	return n->acl;
}

void
ext4_acl_free(struct ext4_node *n)
{
	kfree(n->acl);
	kfree(n->default_acl);
	n->acl = n->default_acl = NULL;
	n->acl_state = 0;
}

int
ext4_permission(struct inode *i, int mask)
{
	struct ext4_node *n = ext4_node_of(i);
	int err = load(i);

	if (err)
		return err;
	rwsem_read_lock(&n->xattr_lock);
	err = n->acl ? posix_acl_permission(n->acl, i, mask) : inode_permission_generic(i, mask);
	rwsem_read_unlock(&n->xattr_lock);
	return err;
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
	note_default(i);
	if (n->ino && i->ops)
		ext4_set_ops(i);
	return 0;
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
	if (parent->default_acl)
		err = posix_acl_inherit(parent->default_acl, &mode, &access, &standard);
	rwsem_read_unlock(&parent->xattr_lock);
	if (err)
		return err;
	i->mode = mode;
	/* The inode must be on the disk before attributes go beside it. */
	if (access || standard)
		err = ext4_inode_store(h, i);
	if (!err && standard)
		err = install(h, i, true, standard);
	else
		kfree(standard);
	if (!err && access)
		err = install(h, i, false, access);
	else
		kfree(access);
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
		a = posix_acl_copy(n->acl);
		err = a ? 0 : -ENOMEM;
	}
	rwsem_read_unlock(&n->xattr_lock);
	if (!a)
		return err;
	posix_acl_apply_mode(a, &mode, false);
	return install(h, i, false, a);
}

ssize_t
ext4_acl_get(struct inode *i, bool is_default, void *value, size_t size)
{
	struct ext4_node *n = ext4_node_of(i);
	ssize_t ret;
	int err;

	if (!(n->fs->options.flags & OPT_ACL) || S_ISLNK(i->mode))
		return -EOPNOTSUPP;
	err = load(i);
	if (err)
		return err;
	rwsem_read_lock(&n->xattr_lock);
	ret = posix_acl_to_user(is_default ? n->default_acl : n->acl, value, size);
	rwsem_read_unlock(&n->xattr_lock);
	return ret;
}

/* setxattr and removexattr (value NULL) of a list; inode locked. */
int
ext4_acl_set(struct inode *i, bool is_default, const void *value, size_t size)
{
	struct ext4_node *n = ext4_node_of(i);
	struct journal_handle *h;
	struct posix_acl *a;
	umode_t mode;
	int err, end;

	if (!(n->fs->options.flags & OPT_ACL))
		return -EOPNOTSUPP;
	err = posix_acl_from_user(i, is_default, value, size, &a, &mode);
	if (err)
		return err;
	err = load(i);
	if (!err)
		err = ext4_start(n->fs, CREDITS_XATTR, &h);
	if (err) {
		kfree(a);
		return err;
	}
	if (!is_default)
		WRITE_ONCE(i->mode, mode);
	WRITE_ONCE(i->times.ctime, inode_now(i));
	err = install(h, i, is_default, a);
	if (!err)
		err = ext4_inode_store(h, i);
	end = ext4_stop(h);
	return err ? err : end;
}
