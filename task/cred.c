/* SPDX-License-Identifier: MIT */
/*
 * Credentials and capabilities: credentials(7), capabilities(7).
 *
 * A struct cred is never changed once others can see it: a change makes a copy, edits and installs
 * it (cred_commit). Other tasks read ours under RCU. Each uid has an account that counts its
 * processes and queued signals; accounts live in a small hash under one lock.
 *
 * Ids are those of the first user namespace; the calls translate from and to the caller's
 * (user_ns.c), and ask for capabilities in that.
 */
#include "task/cred.h"

#include "core/spinlock.h"
#include "generated/syscalls.h"
#include "lib/hash.h"
#include "lib/sort.h"
#include "lib/string.h"
#include "mm/mm.h"
#include "mm/slab.h"
#include "mm/user.h"
#include "task/task.h"
#include "task/user_ns.h"
#include "task_internal.h"
#include "uapi/errno.h"
#include "uapi/prctl.h"
#include "uapi/securebits.h"

#define CAP_FS_SET                                                                             \
	(BIT(CAP_CHOWN) | BIT(CAP_DAC_OVERRIDE) | BIT(CAP_DAC_READ_SEARCH) | BIT(CAP_FOWNER) | \
	 BIT(CAP_FSETID) | BIT(CAP_LINUX_IMMUTABLE) | BIT(CAP_MKNOD) | BIT(CAP_MAC_OVERRIDE))
#define NGROUPS_MAX  65536
#define ID_UNCHANGED 0xffffffffu

/* ---- accounts ---- */

struct user_account {
	struct ref ref;
	u32 uid;
	struct atomic32 processes, sigpending;
	struct atomic32 inotify_groups, inotify_watches, epoll_watches, pipe_pages;
	struct atomic32 in_flight;
	struct atomic64 mq_bytes;
	struct hlist_node hash;
};

#define ACCOUNT_BUCKETS 64
static struct hlist_head accounts[ACCOUNT_BUCKETS];
static struct spinlock accounts_lock = SPINLOCK_INIT(RANK_LEAF);

static struct user_account root_account = { .ref = REF_INIT };
static struct group_list no_groups = { .ref = REF_INIT };

struct cred init_cred = {
	.ref = REF_INIT,
	.cap_permitted = CAP_FULL_SET,
	.cap_effective = CAP_FULL_SET,
	.cap_bounding = CAP_FULL_SET,
	.groups = &no_groups,
	.user = &root_account,
	.user_ns = &root_user_ns,
};

static struct hlist_head *
account_bucket(u32 uid)
{
	return &accounts[uid % ACCOUNT_BUCKETS];
}

void
cred_init(void)
{
	hlist_add_head(&root_account.hash, account_bucket(0));
}

static struct user_account *
account_peek_locked(u32 uid)
{
	struct user_account *u;

	hlist_for_each_entry(u, account_bucket(uid), hash)
	{
		if (u->uid == uid)
			return u;
	}
	return NULL;
}

struct user_account *
user_account_find(u32 uid)
{
	struct user_account *fresh = kzalloc(sizeof(*fresh), GFP_KERNEL);
	unsigned long flags = spin_lock_irqsave(&accounts_lock);
	struct user_account *u = account_peek_locked(uid);

	if (u) {
		ref_get(&u->ref);
	} else if (fresh) {
		u = fresh;
		fresh = NULL;
		ref_init(&u->ref);
		u->uid = uid;
		hlist_add_head(&u->hash, account_bucket(uid));
	}
	spin_unlock_irqrestore(&accounts_lock, flags);
	kfree(fresh);
	return u;
}

struct user_account *
user_account_get(struct user_account *u)
{
	ref_get(&u->ref);
	return u;
}

void
user_account_put(struct user_account *u)
{
	/* The decrement to zero and the removal are one step under the lock, so that a finder never
	 * sees a dying account. */
	unsigned long flags = spin_lock_irqsave(&accounts_lock);
	bool last = ref_put(&u->ref);

	if (last)
		hlist_del(&u->hash);
	spin_unlock_irqrestore(&accounts_lock, flags);
	if (last)
		kfree(u);
}

static bool
count_within(struct atomic32 *counter, int delta, u64 limit)
{
	int now = atomic_add_return(counter, delta);

	if (delta > 0 && (u64)now > limit) {
		atomic_sub(counter, delta);
		return false;
	}
	return true;
}

bool
user_count_processes(struct user_account *u, int delta, u64 limit)
{
	return count_within(&u->processes, delta, limit);
}

bool
user_exceeds_processes(const struct user_account *u, u64 limit)
{
	return u->uid != 0 && (u64)atomic_read(&u->processes) > limit;
}

bool
user_count_sigpending(struct user_account *u, int delta, u64 limit)
{
	return count_within(&u->sigpending, delta, limit);
}

bool
user_count_inotify_groups(struct user_account *u, int delta, u64 limit)
{
	return count_within(&u->inotify_groups, delta, limit);
}

bool
user_count_inotify_watches(struct user_account *u, int delta, u64 limit)
{
	return count_within(&u->inotify_watches, delta, limit);
}

bool
user_count_epoll_watches(struct user_account *u, int delta, u64 limit)
{
	return count_within(&u->epoll_watches, delta, limit);
}

bool
user_count_pipe_pages(struct user_account *u, int delta, u64 limit)
{
	return count_within(&u->pipe_pages, delta, limit);
}

bool
user_count_mq_bytes(struct user_account *u, s64 delta, u64 limit)
{
	s64 now = atomic64_add_return(&u->mq_bytes, delta);

	if (delta > 0 && (u64)now > limit) {
		atomic64_sub(&u->mq_bytes, delta);
		return false;
	}
	return true;
}

/* As Linux counts: what is there already may not be over the limit. */
bool
user_count_in_flight(struct user_account *u, int delta, u64 limit)
{
	if (delta > 0 && (u64)atomic_read(&u->in_flight) > limit)
		return false;
	atomic_add(&u->in_flight, delta);
	return true;
}

u32
user_sigpending(const struct user_account *u)
{
	return (u32)atomic_read(&u->sigpending);
}

/* ---- life of a cred ---- */

const struct cred *
current_cred(void)
{
	struct task *t = current;

	return t->thread.is_kernel ? &init_cred : t->cred;
}

struct cred *
cred_get(struct cred *c)
{
	ref_get(&c->ref);
	return c;
}

static void
group_list_put(struct group_list *g)
{
	if (ref_put(&g->ref))
		kvfree(g);
}

static void
cred_free_rcu(struct rcu_head *head)
{
	struct cred *c = container_of(head, struct cred, rcu);

	group_list_put(c->groups);
	user_account_put(c->user);
	user_ns_put(c->user_ns);
	kfree(c);
}

void
cred_put(struct cred *c)
{
	if (ref_put(&c->ref))
		rcu_call(&c->rcu, cred_free_rcu);
}

struct cred *
task_get_cred(struct task *t)
{
	struct cred *c;

	rcu_read_lock();
	do {
		c = rcu_dereference(t->cred);
	} while (!ref_try_get(&c->ref));
	rcu_read_unlock();
	return c;
}

struct cred *
cred_dup(const struct cred *old)
{
	struct cred *c = kmalloc(sizeof(*c), GFP_KERNEL);

	if (!c)
		return NULL;
	*c = *old;
	ref_init(&c->ref);
	ref_get(&c->groups->ref);
	user_account_get(c->user);
	user_ns_get(c->user_ns);
	return c;
}

/* All capabilities in it are no more than c has. */
static bool
cred_made_ns(const struct cred *c, const struct user_ns *ns)
{
	while (ns->level > c->user_ns->level + 1)
		ns = ns->parent;
	return ns->parent == c->user_ns && ns->owner == c->euid;
}

void
cred_commit(struct cred *new)
{
	struct task *t = current;
	struct cred *old = t->cred;

	if (new->user != old->user) {
		/* The process now counts against its new owner; if that had too many before, exec
		 * fails (execve(2), EAGAIN). */
		t->nproc_exceeded = user_exceeds_processes(new->user, rlimit_current(RLIMIT_NPROC));
		user_count_processes(new->user, 1, RLIM_INFINITY);
		user_count_processes(old->user, -1, 0);
	}
	if (new->euid != old->euid || new->egid != old->egid || new->fsuid != old->fsuid ||
	    new->fsgid != old->fsgid ||
	    (new->user_ns == old->user_ns ? new->cap_permitted & ~old->cap_permitted
					  : !cred_made_ns(old, new->user_ns))) {
		if (t->thread.mm)
			t->thread.mm->dumpable = 0;
		t->pdeath_signal = 0;
	}
	rcu_assign_pointer(t->cred, new);
	cred_put(old);
}

bool
capable(int cap)
{
	return cred_capable(current_cred(), cap);
}

static bool
group_list_has(const struct group_list *g, u32 gid)
{
	u32 lo = 0, hi = g->count;

	while (lo < hi) {
		u32 mid = (lo + hi) / 2;

		if (g->gids[mid] == gid)
			return true;
		if (g->gids[mid] < gid)
			lo = mid + 1;
		else
			hi = mid;
	}
	return false;
}

bool
cred_in_group(const struct cred *c, u32 gid)
{
	return c->fsgid == gid || group_list_has(c->groups, gid);
}

/* ---- uids and capabilities ---- */

/* capabilities(7), "Effect of user ID changes on capabilities". */
static void
cred_uid_fixup(struct cred *new, const struct cred *old)
{
	if (new->securebits & SECBIT_NO_SETUID_FIXUP)
		return;
	u32 root = uid_from_user(new->user_ns, 0);
	if (root == ID_NONE)
		return;
	bool had_root = old->uid == root || old->euid == root || old->suid == root;
	bool has_root = new->uid == root || new->euid == root || new->suid == root;

	if (had_root && !has_root) {
		if (!(new->securebits &SECBIT_KEEP_CAPS)) {
			new->cap_permitted = 0;
			new->cap_effective = 0;
		}
		new->cap_ambient = 0;
	}
	if (old->euid == root && new->euid != root)
		new->cap_effective = 0;
	if (old->euid != root && new->euid == root)
		new->cap_effective = new->cap_permitted;
	if (old->fsuid == root && new->fsuid != root)
		new->cap_effective &= ~CAP_FS_SET;
	if (old->fsuid != root && new->fsuid == root)
		new->cap_effective |= new->cap_permitted &CAP_FS_SET;
}

static int
cred_change_user(struct cred *c, u32 uid)
{
	struct user_account *u = user_account_find(uid);

	if (!u)
		return -EAGAIN;
	user_account_put(c->user);
	c->user = u;
	return 0;
}

/* Real, effective and saved uid become those given; ID_UNCHANGED keeps one. */
static long
cred_set_uids(u32 r, u32 e, u32 s)
{
	const struct cred *old = current_cred();
	struct cred *new = cred_dup(old);

	if (!new)
		return -ENOMEM;
	if (r != ID_UNCHANGED)
		new->uid = r;
	if (e != ID_UNCHANGED)
		new->euid = e;
	if (s != ID_UNCHANGED)
		new->suid = s;
	new->fsuid = new->euid;
	if (new->uid != old->uid) {
		int err = cred_change_user(new, new->uid);

		if (err) {
			cred_put(new);
			return err;
		}
	}
	cred_uid_fixup(new, old);
	cred_commit(new);
	return 0;
}

static long
cred_set_gids(u32 r, u32 e, u32 s)
{
	struct cred *new = cred_dup(current_cred());

	if (!new)
		return -ENOMEM;
	if (r != ID_UNCHANGED)
		new->gid = r;
	if (e != ID_UNCHANGED)
		new->egid = e;
	if (s != ID_UNCHANGED)
		new->sgid = s;
	new->fsgid = new->egid;
	cred_commit(new);
	return 0;
}

static bool
own_capable(const struct cred *c, int cap)
{
	return c->cap_effective & BIT(cap);
}

/* An id that a program gave, unless it is ID_UNCHANGED; false: its namespace does not have it. */
static bool
uid_take(u32 *id)
{
	u32 uid = uid_from_user(current_cred()->user_ns, *id);

	if (*id == ID_UNCHANGED)
		return true;
	*id = uid;
	return uid != ID_NONE;
}

static bool
gid_take(u32 *id)
{
	u32 gid = gid_from_user(current_cred()->user_ns, *id);

	if (*id == ID_UNCHANGED)
		return true;
	*id = gid;
	return gid != ID_NONE;
}

long
sys_setuid(u32 uid)
{
	const struct cred *c = current_cred();

	if (uid == ID_UNCHANGED || !uid_take(&uid))
		return -EINVAL;
	if (own_capable(c, CAP_SETUID))
		return cred_set_uids(uid, uid, uid);
	if (uid != c->uid && uid != c->suid)
		return -EPERM;
	return cred_set_uids(ID_UNCHANGED, uid, ID_UNCHANGED);
}

long
sys_setgid(u32 gid)
{
	const struct cred *c = current_cred();

	if (gid == ID_UNCHANGED || !gid_take(&gid))
		return -EINVAL;
	if (own_capable(c, CAP_SETGID))
		return cred_set_gids(gid, gid, gid);
	if (gid != c->gid && gid != c->sgid)
		return -EPERM;
	return cred_set_gids(ID_UNCHANGED, gid, ID_UNCHANGED);
}

long
sys_setreuid(u32 r, u32 e)
{
	const struct cred *c = current_cred();

	if (!uid_take(&r) || !uid_take(&e))
		return -EINVAL;
	if (!own_capable(c, CAP_SETUID)) {
		if (r != ID_UNCHANGED && r != c->uid && r != c->euid)
			return -EPERM;
		if (e != ID_UNCHANGED && e != c->uid && e != c->euid && e != c->suid)
			return -EPERM;
	}
	bool save = r != ID_UNCHANGED || (e != ID_UNCHANGED && e != c->uid);
	u32 effective = e != ID_UNCHANGED ? e : c->euid;

	return cred_set_uids(r, e, save ? effective : ID_UNCHANGED);
}

long
sys_setregid(u32 r, u32 e)
{
	const struct cred *c = current_cred();

	if (!gid_take(&r) || !gid_take(&e))
		return -EINVAL;
	if (!own_capable(c, CAP_SETGID)) {
		if (r != ID_UNCHANGED && r != c->gid && r != c->egid)
			return -EPERM;
		if (e != ID_UNCHANGED && e != c->gid && e != c->egid && e != c->sgid)
			return -EPERM;
	}
	bool save = r != ID_UNCHANGED || (e != ID_UNCHANGED && e != c->gid);
	u32 effective = e != ID_UNCHANGED ? e : c->egid;

	return cred_set_gids(r, e, save ? effective : ID_UNCHANGED);
}

static bool
id_is_one_of(u32 id, u32 a, u32 b, u32 c)
{
	return id == ID_UNCHANGED || id == a || id == b || id == c;
}

long
sys_setresuid(u32 r, u32 e, u32 s)
{
	const struct cred *c = current_cred();

	if (!uid_take(&r) || !uid_take(&e) || !uid_take(&s))
		return -EINVAL;
	if (!own_capable(c, CAP_SETUID) && (!id_is_one_of(r, c->uid, c->euid, c->suid) ||
					    !id_is_one_of(e, c->uid, c->euid, c->suid) ||
					    !id_is_one_of(s, c->uid, c->euid, c->suid)))
		return -EPERM;
	return cred_set_uids(r, e, s);
}

long
sys_setresgid(u32 r, u32 e, u32 s)
{
	const struct cred *c = current_cred();

	if (!gid_take(&r) || !gid_take(&e) || !gid_take(&s))
		return -EINVAL;
	if (!own_capable(c, CAP_SETGID) && (!id_is_one_of(r, c->gid, c->egid, c->sgid) ||
					    !id_is_one_of(e, c->gid, c->egid, c->sgid) ||
					    !id_is_one_of(s, c->gid, c->egid, c->sgid)))
		return -EPERM;
	return cred_set_gids(r, e, s);
}

static long
put_three(user_ptr a, user_ptr b, user_ptr c, u32 va, u32 vb, u32 vc)
{
	int r = put_user(a, va);

	if (r == 0)
		r = put_user(b, vb);
	if (r == 0)
		r = put_user(c, vc);
	return r;
}

long
sys_getresuid(user_ptr r, user_ptr e, user_ptr s)
{
	const struct cred *c = current_cred();

	return put_three(r, e, s, uid_shown(c->uid), uid_shown(c->euid), uid_shown(c->suid));
}

long
sys_getresgid(user_ptr r, user_ptr e, user_ptr s)
{
	const struct cred *c = current_cred();

	return put_three(r, e, s, gid_shown(c->gid), gid_shown(c->egid), gid_shown(c->sgid));
}

/* setfsuid(2): returns the former id whether it worked or not. */
long
sys_setfsuid(u32 uid)
{
	const struct cred *c = current_cred();
	u32 old = uid_shown(c->fsuid);

	if (uid == ID_UNCHANGED || !uid_take(&uid) || uid == c->fsuid)
		return old;
	if (uid != c->uid && uid != c->euid && uid != c->suid && !own_capable(c, CAP_SETUID))
		return old;
	struct cred *new = cred_dup(c);
	if (new) {
		new->fsuid = uid;
		cred_uid_fixup(new, c);
		cred_commit(new);
	}
	return old;
}

long
sys_setfsgid(u32 gid)
{
	const struct cred *c = current_cred();
	u32 old = gid_shown(c->fsgid);

	if (gid == ID_UNCHANGED || !gid_take(&gid) || gid == c->fsgid)
		return old;
	if (gid != c->gid && gid != c->egid && gid != c->sgid && !own_capable(c, CAP_SETGID))
		return old;
	struct cred *new = cred_dup(c);
	if (new) {
		new->fsgid = gid;
		cred_commit(new);
	}
	return old;
}

long
sys_getuid(void)
{
	return uid_shown(current->cred->uid);
}

long
sys_geteuid(void)
{
	return uid_shown(current->cred->euid);
}

long
sys_getgid(void)
{
	return gid_shown(current->cred->gid);
}

long
sys_getegid(void)
{
	return gid_shown(current->cred->egid);
}

/* ---- supplementary groups ---- */

static int
gid_compare(const void *a, const void *b, void *unused)
{
	u32 x = *(const u32 *)a, y = *(const u32 *)b;

	return x < y ? -1 : x > y;
}

long
sys_getgroups(int count, user_ptr groups)
{
	const struct group_list *g = current_cred()->groups;

	if (count < 0)
		return -EINVAL;
	if (count) {
		if ((u32)count < g->count)
			return -EINVAL;
		for (u32 i = 0; i < g->count; i++) {
			int r = put_user(user_ptr_add(groups, i * sizeof(u32)),
					 gid_shown(g->gids[i]));
			if (r)
				return r;
		}
	}
	return g->count;
}

long
sys_setgroups(int count, user_ptr groups)
{
	struct user_ns *ns = current_cred()->user_ns;

	if (!own_capable(current_cred(), CAP_SETGID) || !user_ns_may_setgroups(ns))
		return -EPERM;
	if (count < 0 || count > NGROUPS_MAX)
		return -EINVAL;

	struct group_list *g = kvmalloc(sizeof(*g) + (size_t)count * sizeof(u32), GFP_KERNEL);
	if (!g)
		return -ENOMEM;
	ref_init(&g->ref);
	g->count = (u32)count;
	int r = copy_from_user(g->gids, groups, (size_t)count * sizeof(u32));
	for (u32 i = 0; !r && i < g->count; i++)
		r = gid_take(&g->gids[i]) && g->gids[i] != ID_NONE ? 0 : -EINVAL;
	if (r)
		goto out_put_groups;
	sort(g->gids, g->count, sizeof(u32), gid_compare, NULL);

	struct cred *new = cred_dup(current_cred());
	r = -ENOMEM;
	if (!new)
		goto out_put_groups;
	group_list_put(new->groups);
	new->groups = g;
	cred_commit(new);
	return 0;

out_put_groups:
	group_list_put(g);
	return r;
}

/* ---- capabilities ---- */

/* How many 32-bit triples the version means, or 0: unknown (the preferred version is then told). */
static int
cap_header_read(user_ptr header, struct linux_cap_header *h)
{
	int r = copy_from_user(h, header, sizeof(*h));

	if (r)
		return r;
	switch (h->version) {
	case _LINUX_CAPABILITY_VERSION_1: return 1;
	case _LINUX_CAPABILITY_VERSION_2:
	case _LINUX_CAPABILITY_VERSION_3: return 2;
	}
	return put_user(header, (u32)_LINUX_CAPABILITY_VERSION_3);
}

long
sys_capget(user_ptr header, user_ptr data)
{
	struct linux_cap_header h;
	int words = cap_header_read(header, &h);

	if (words < 0)
		return words;
	if (words == 0)
		return user_ptr_null(data) ? 0 : -EINVAL;
	if (h.pid < 0)
		return -EINVAL;
	struct task *t = h.pid ? task_find(h.pid) : NULL;
	if (h.pid && !t)
		return -ESRCH;
	struct cred *c = t ? task_get_cred(t) : cred_get(current->cred);
	struct linux_cap_data d[2];

	for (int i = 0; i < 2; i++) {
		d[i].effective = (u32)(c->cap_effective >> (32 * i));
		d[i].permitted = (u32)(c->cap_permitted >> (32 * i));
		d[i].inheritable = (u32)(c->cap_inheritable >> (32 * i));
	}
	cred_put(c);
	if (t)
		task_put(t);
	return user_ptr_null(data) ? 0 : copy_to_user(data, d, (size_t)words * sizeof(d[0]));
}

long
sys_capset(user_ptr header, user_ptr data)
{
	struct linux_cap_header h;
	struct linux_cap_data d[2] = { 0 };
	int words = cap_header_read(header, &h);

	if (words < 0)
		return words;
	if (words == 0)
		return -EINVAL;
	if (h.pid && h.pid != task_tid(current))
		return -EPERM;
	int r = copy_from_user(d, data, (size_t)words * sizeof(d[0]));
	if (r)
		return r;

	u64 e = (d[0].effective | (u64)d[1].effective << 32) & CAP_FULL_SET;
	u64 p = (d[0].permitted | (u64)d[1].permitted << 32) & CAP_FULL_SET;
	u64 i = (d[0].inheritable | (u64)d[1].inheritable << 32) & CAP_FULL_SET;
	const struct cred *old = current_cred();

	if (!own_capable(old, CAP_SETPCAP) && (i & ~(old->cap_inheritable | old->cap_permitted)))
		return -EPERM;
	if (i & ~(old->cap_inheritable | old->cap_bounding))
		return -EPERM;
	if ((p & ~old->cap_permitted) || (e & ~p))
		return -EPERM;
	struct cred *new = cred_dup(old);
	if (!new)
		return -ENOMEM;
	new->cap_effective = e;
	new->cap_permitted = p;
	new->cap_inheritable = i;
	new->cap_ambient &= p &i;
	cred_commit(new);
	return 0;
}

/*
 * capabilities(7), "Transformation of capabilities during execve()" and "Capabilities and execution
 * of programs by root". Edits `new`, a copy of the caller's credentials.
 */
int
cred_for_exec(struct cred *new, bool setuid, u32 uid, bool setgid, u32 gid, bool has_fcaps,
	      u64 f_permitted, u64 f_inheritable, bool f_effective, bool *secure)
{
	const struct cred old = *new;

	u32 root = uid_from_user(new->user_ns, 0);

	if (current->no_new_privs)
		setuid = setgid = has_fcaps = false;
	/* Files' owners and capabilities mean something where they are known. */
	if (uid_to_user(new->user_ns, uid) == ID_NONE || gid_to_user(new->user_ns, gid) == ID_NONE)
		setuid = setgid = false;
	if (root != 0)
		has_fcaps = false;
	if (setuid)
		new->euid = uid;
	if (setgid)
		new->egid = gid;

	bool root_privileged = !(new->securebits &SECBIT_NOROOT) && root != ID_NONE &&
			       (new->uid == root || new->euid == root);
	if (root_privileged && !(has_fcaps && new->uid != root)) {
		f_permitted = CAP_FULL_SET;
		f_inheritable = CAP_FULL_SET;
		f_effective = new->euid == root;
		has_fcaps = false;
	}
	bool privileged_file = setuid || setgid || has_fcaps;
	u64 ambient = privileged_file ? 0 : old.cap_ambient;

	new->cap_permitted = (old.cap_inheritable & f_inheritable) |
			     (f_permitted & old.cap_bounding) | ambient;
	if (has_fcaps && f_effective && (f_permitted & ~new->cap_permitted))
		return -EPERM;
	new->cap_effective = f_effective ? new->cap_permitted : ambient;
	new->cap_ambient = ambient;
	new->suid = new->fsuid = new->euid;
	new->sgid = new->fsgid = new->egid;
	new->securebits &= ~(u32)SECBIT_KEEP_CAPS;
	*secure = new->euid != new->uid || new->egid != new->gid ||
		  (new->uid != root && (has_fcaps || (new->cap_permitted & ~ambient)));
	return 0;
}
