/* SPDX-License-Identifier: MIT */
/*
 * Names of the system: uname(2), sethostname(2), setdomainname(2), uts_namespaces(7).
 *
 * Only host and domain name belong to the namespace; the rest is the kernel's. One lock for all
 * namespaces: names are short and rarely change.
 */
#include "arch/cpu.h"
#include "core/spinlock.h"
#include "generated/syscalls.h"
#include "lib/string.h"
#include "mm/slab.h"
#include "mm/user.h"
#include "ns/ns.h"
#include "task/cred.h"
#include "task/pid.h"
#include "task/task.h"
#include "task/user_ns.h"
#include "uapi/errno.h"
#include "uapi/personality.h"
#include "uapi/sysinfo.h"

const char uts_sysname[] = "Linux";
const char uts_release[] = "6.1.0-kevlar";
const char uts_version[] = "#1 SMP PREEMPT_DYNAMIC Kevlar";

static struct spinlock uts_lock = SPINLOCK_INIT(RANK_LEAF);

struct uts_ns root_uts_ns = {
	.ref = REF_INIT,
	.owner = &root_user_ns,
	.inum = 0xeffffffeu,
	.nodename = "(none)",
	.domainname = "(none)",
};

struct uts_ns *
uts_ns_get(struct uts_ns *u)
{
	ref_get(&u->ref);
	return u;
}

void
uts_ns_put(struct uts_ns *u)
{
	if (!ref_put(&u->ref))
		return;
	user_ns_put(u->owner);
	kfree(u);
}

struct uts_ns *
uts_ns_copy(struct uts_ns *old, struct user_ns *owner)
{
	struct uts_ns *u = kzalloc(sizeof(*u), GFP_KERNEL);

	if (!u)
		return NULL;
	ref_init(&u->ref);
	u->owner = user_ns_get(owner);
	u->inum = ns_next_inum();
	uts_read(old, false, u->nodename);
	uts_read(old, true, u->domainname);
	return u;
}

static char *
uts_field(struct uts_ns *u, bool domain)
{
	return domain ? u->domainname : u->nodename;
}

void
uts_read(struct uts_ns *u, bool domain, char out[65])
{
	unsigned long flags = spin_lock_irqsave(&uts_lock);

	memcpy(out, uts_field(u, domain), __NEW_UTS_LEN + 1);
	spin_unlock_irqrestore(&uts_lock, flags);
}

int
uts_write(struct uts_ns *u, bool domain, const char *name, size_t len)
{
	char *field = uts_field(u, domain);

	if (len > __NEW_UTS_LEN)
		return -EINVAL;
	unsigned long flags = spin_lock_irqsave(&uts_lock);
	memset(field, 0, __NEW_UTS_LEN + 1);
	memcpy(field, name, len);
	spin_unlock_irqrestore(&uts_lock, flags);
	return 0;
}

/* What uname(2) says in every namespace. */
static struct linux_utsname uts_common;

void
uts_init(void)
{
	strscpy(uts_common.sysname, uts_sysname, sizeof(uts_common.sysname));
	strscpy(uts_common.release, uts_release, sizeof(uts_common.release));
	strscpy(uts_common.version, uts_version, sizeof(uts_common.version));
	strscpy(uts_common.machine, arch_machine_name, sizeof(uts_common.machine));
}

long
sys_uname(user_ptr name)
{
	struct linux_utsname u = uts_common;
	struct uts_ns *ns = current->ns->uts;

	if ((current->personality & PER_MASK) == PER_LINUX32)
		strscpy(u.machine, "i686", sizeof(u.machine));
	uts_read(ns, false, u.nodename);
	uts_read(ns, true, u.domainname);
	return copy_to_user(name, &u, sizeof(u));
}

static long
uts_set(user_ptr uname, int len, bool domain)
{
	char name[__NEW_UTS_LEN];

	if (!ns_capable(current->ns->uts->owner, CAP_SYS_ADMIN))
		return -EPERM;
	if (len < 0 || len > __NEW_UTS_LEN)
		return -EINVAL;
	int r = copy_from_user(name, uname, (size_t)len);
	return r ? r : uts_write(current->ns->uts, domain, name, (size_t)len);
}

long
sys_sethostname(user_ptr name, int len)
{
	return uts_set(name, len, false);
}

long
sys_setdomainname(user_ptr name, int len)
{
	return uts_set(name, len, true);
}
