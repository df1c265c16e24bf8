/* SPDX-License-Identifier: MIT */
/*
 * Extended attributes of 9P: each is a file of its own for the time of a call. A value that is
 * written is checked by the server when its fid is given back.
 */
#include "uapi/xattr.h"
#include "lib/string.h"
#include "p9_internal.h"

static bool
is_known(const char *name)
{
	return str_starts_with(name, XATTR_USER_PREFIX) ||
	       str_starts_with(name, XATTR_TRUSTED_PREFIX) ||
	       str_starts_with(name, XATTR_SECURITY_PREFIX);
}

/* A value through pages of its own: len bytes. */
static ssize_t
move_value(struct p9_fid *fid, void *value, size_t len, bool write)
{
	u32 n = (u32)DIV_ROUND_UP(len, PAGE_SIZE), made = 0;
	struct page *pages[XATTR_SIZE_MAX / PAGE_SIZE + 1];
	ssize_t done = -ENOMEM;

	while (made < n && (pages[made] = page_alloc(0, GFP_KERNEL)))
		made++;
	if (made == n) {
		for (u32 k = 0; k < n && write; k++)
			memcpy(page_to_virt(pages[k]), (u8 *)value + k * PAGE_SIZE,
			       MIN(len - k * PAGE_SIZE, PAGE_SIZE));
		done = p9_transfer(fid, 0, pages, len, write);
		for (u32 k = 0; k < n && !write && done > (ssize_t)(k * PAGE_SIZE); k++)
			memcpy((u8 *)value + k * PAGE_SIZE, page_to_virt(pages[k]),
			       MIN((size_t)done - k * PAGE_SIZE, PAGE_SIZE));
	}
	while (made)
		page_put(pages[--made]);
	return done;
}

/* name "": the list of names. */
static ssize_t
fetch(struct inode *i, const char *name, void *value, size_t size)
{
	struct p9_fid *fid = p9_node_fid(i), *x;
	u64 len;
	ssize_t ret = p9_xattrwalk(fid, name, &x, &len);

	p9_fid_put(fid);
	if (ret)
		return ret;
	if (len > XATTR_SIZE_MAX)
		ret = -E2BIG;
	else if (!size || !len)
		ret = (ssize_t)len;
	else if (len > size)
		ret = -ERANGE;
	else
		ret = move_value(x, value, len, false);
	p9_fid_put(x);
	return ret;
}

ssize_t
p9_getxattr(struct inode *i, const char *name, void *value, size_t size)
{
	return is_known(name) ? fetch(i, name, value, size) : -EOPNOTSUPP;
}

ssize_t
p9_listxattr(struct inode *i, char *list, size_t size)
{
	return fetch(i, "", list, size);
}

static int
store(struct inode *i, const char *name, const void *value, size_t size, int flags)
{
	struct p9_fid *fid = p9_node_fid(i), *x;
	int err = p9_walk(fid, NULL, 0, NULL, &x), err2;

	p9_fid_put(fid);
	if (err)
		return err;
	err = p9_xattrcreate(x, name, size, (u32)flags);
	if (!err && size) {
		ssize_t n = move_value(x, (void *)(uintptr_t)value, size, true);

		err = n < 0 ? (int)n : (size_t)n < size ? -EIO : 0;
	}
	err2 = p9_fid_clunk(x);
	return err ? err : err2;
}

int
p9_setxattr(struct inode *i, const char *name, const void *value, size_t size, int flags)
{
	return is_known(name) ? store(i, name, value, size, flags) : -EOPNOTSUPP;
}

int
p9_removexattr(struct inode *i, const char *name)
{
	/* No size and XATTR_REPLACE: it is removed. */
	return is_known(name) ? store(i, name, NULL, 0, XATTR_REPLACE) : -EOPNOTSUPP;
}
