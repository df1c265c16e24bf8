/* SPDX-License-Identifier: MIT */
/*
 * xattr(7), acl(5): names, limits and the binary form of access control lists.
 */
#ifndef UAPI_XATTR_H
#define UAPI_XATTR_H

#include "lib/types.h"

#define XATTR_CREATE  0x1
#define XATTR_REPLACE 0x2

#define XATTR_NAME_MAX 255
#define XATTR_SIZE_MAX 65536
#define XATTR_LIST_MAX 65536

#define XATTR_USER_PREFIX	     "user."
#define XATTR_TRUSTED_PREFIX	     "trusted."
#define XATTR_SECURITY_PREFIX	     "security."
#define XATTR_SYSTEM_PREFIX	     "system."
#define XATTR_NAME_POSIX_ACL_ACCESS  "system.posix_acl_access"
#define XATTR_NAME_POSIX_ACL_DEFAULT "system.posix_acl_default"
#define XATTR_NAME_CAPS		     "security.capability"

/* system.posix_acl_*: a header, then entries sorted by tag and id, little-endian */
#define POSIX_ACL_XATTR_VERSION 2
#define ACL_USER_OBJ		0x01
#define ACL_USER		0x02
#define ACL_GROUP_OBJ		0x04
#define ACL_GROUP		0x08
#define ACL_MASK		0x10
#define ACL_OTHER		0x20
#define ACL_READ		0x04
#define ACL_WRITE		0x02
#define ACL_EXECUTE		0x01
#define ACL_UNDEFINED_ID	(-1)

struct linux_posix_acl_xattr_header {
	u32 a_version;
};

struct linux_posix_acl_xattr_entry {
	u16 e_tag;
	u16 e_perm;
	u32 e_id;
};

#endif /* UAPI_XATTR_H */
