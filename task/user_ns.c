/* SPDX-License-Identifier: MIT */
/*
 * User namespaces: user_namespaces(7).
 *
 * A namespace is a child of another and belongs to the user who made it. Its ids are ranges of
 * ids of the first namespace, written once each into /proc/PID/uid_map and gid_map; translations
 * look through the ranges, of which there are few.
 *
 * A task has a capability in a namespace if that is its own and the capability is effective, or if
 * it belongs to the parent of a namespace on the way up and its user made the one below.
 *
 * Lifetime: credentials, the namespaces of other kinds that it owns, and child namespaces hold one.
 * Locking: user_ns_lock, for the instant in which a map is set or setgroups forbidden; maps are
 * published with a release.
 */
#include "task/user_ns.h"

#include "lib/format.h"
#include "lib/string.h"
#include "mm/slab.h"
#include "sched/mutex.h"
#include "task/pid.h"
#include "task/task.h"
#include "task_internal.h"
#include "uapi/errno.h"

#define LEVELS_MAX 33

static struct mutex user_ns_lock = MUTEX_INIT(user_ns_lock, RANK_SLEEP_LEAF);

static struct id_map all_ids = { .count = 1, .extents = { { 0, 0, ID_NONE } } };

struct user_ns root_user_ns = {
	.ref = REF_INIT,
	.inum = 0xeffffffdu,
	.uids = &all_ids,
	.gids = &all_ids,
};

struct user_ns *
user_ns_get(struct user_ns *ns)
{
	ref_get(&ns->ref);
	return ns;
}

void
user_ns_put(struct user_ns *ns)
{
	while (ns && ref_put(&ns->ref)) {
		struct user_ns *parent = ns->parent;

		kfree(ns->uids);
		kfree(ns->gids);
		kfree(ns);
		ns = parent;
	}
}

void
user_ns_enter(struct cred *new, struct user_ns *ns)
{
	user_ns_get(ns);
	user_ns_put(new->user_ns);
	new->user_ns = ns;
	new->securebits = 0;
	new->cap_inheritable = new->cap_ambient = 0;
	new->cap_permitted = new->cap_effective = new->cap_bounding = CAP_FULL_SET;
}

int
user_ns_enter_new(struct cred *new)
{
	struct user_ns *parent = new->user_ns, *ns;

	if (parent->level >= LEVELS_MAX)
		return -ENOSPC;
	if (uid_to_user(parent, new->euid) == ID_NONE || gid_to_user(parent, new->egid) == ID_NONE)
		return -EPERM;
	ns = kzalloc(sizeof(*ns), GFP_KERNEL);
	if (!ns)
		return -ENOMEM;
	ref_init(&ns->ref);
	ns->parent = user_ns_get(parent);
	ns->level = parent->level + 1;
	ns->owner = new->euid;
	ns->group = new->egid;
	ns->inum = ns_next_inum();
	ns->parent_could_setfcap = new->cap_effective &BIT(CAP_SETFCAP);
	ns->setgroups_denied = parent->setgroups_denied;
	user_ns_enter(new, ns);
	user_ns_put(ns);
	return 0;
}

/* ---- translation ---- */

static u32
map_up(const struct id_map *m, u32 id)
{
	for (u32 i = 0; m && i < m->count; i++) {
		if (id - m->extents[i].first < m->extents[i].count)
			return id - m->extents[i].first + m->extents[i].lower;
	}
	return ID_NONE;
}

static u32
map_down(const struct id_map *m, u32 id)
{
	for (u32 i = 0; m && i < m->count; i++) {
		if (id - m->extents[i].lower < m->extents[i].count)
			return id - m->extents[i].lower + m->extents[i].first;
	}
	return ID_NONE;
}

u32
uid_from_user(const struct user_ns *ns, u32 id)
{
	return likely(ns == &root_user_ns) ? id : map_up(smp_load_acquire(&ns->uids), id);
}

u32
gid_from_user(const struct user_ns *ns, u32 id)
{
	return likely(ns == &root_user_ns) ? id : map_up(smp_load_acquire(&ns->gids), id);
}

u32
uid_to_user(const struct user_ns *ns, u32 uid)
{
	return likely(ns == &root_user_ns) ? uid : map_down(smp_load_acquire(&ns->uids), uid);
}

u32
gid_to_user(const struct user_ns *ns, u32 gid)
{
	return likely(ns == &root_user_ns) ? gid : map_down(smp_load_acquire(&ns->gids), gid);
}

u32
uid_shown_to(const struct user_ns *ns, u32 uid)
{
	u32 id = uid_to_user(ns, uid);

	return id == ID_NONE ? ID_OVERFLOW : id;
}

u32
uid_shown(u32 uid)
{
	const struct user_ns *ns = current_cred()->user_ns;

	return likely(ns == &root_user_ns) ? uid : uid_shown_to(ns, uid);
}

u32
gid_shown(u32 gid)
{
	u32 id = gid_to_user(current_cred()->user_ns, gid);

	return id == ID_NONE ? ID_OVERFLOW : id;
}

/* ---- capabilities ---- */

bool
user_ns_is_below(const struct user_ns *ns, const struct user_ns *top)
{
	while (ns->level > top->level)
		ns = ns->parent;
	return ns == top;
}

bool
cred_ns_capable(const struct cred *c, const struct user_ns *ns, int cap)
{
	for (;; ns = ns->parent) {
		if (ns == c->user_ns)
			return c->cap_effective & BIT(cap);
		if (ns->level <= c->user_ns->level)
			return false;
		if (ns->parent == c->user_ns && ns->owner == c->euid)
			return true;
	}
}

bool
ns_capable(const struct user_ns *ns, int cap)
{
	return cred_ns_capable(current_cred(), ns, cap);
}

bool
ids_capable(u32 uid, u32 gid, int cap)
{
	const struct cred *c = current_cred();

	if (!(c->cap_effective & BIT(cap)))
		return false;
	return likely(c->user_ns == &root_user_ns) ||
	       (uid_to_user(c->user_ns, uid) != ID_NONE && gid_to_user(c->user_ns, gid) != ID_NONE);
}

/* ---- /proc/PID/setgroups ---- */

bool
user_ns_may_setgroups(struct user_ns *ns)
{
	return smp_load_acquire(&ns->gids) && !READ_ONCE(ns->setgroups_denied);
}

int
user_ns_set_setgroups(struct user_ns *ns, bool allow)
{
	int r = 0;

	mutex_lock(&user_ns_lock);
	if (allow ? ns->setgroups_denied : ns->gids != NULL)
		r = -EPERM;
	else if (!allow)
		ns->setgroups_denied = true;
	mutex_unlock(&user_ns_lock);
	return r;
}

/* ---- /proc/PID/uid_map and gid_map ---- */

void
user_ns_show_map(const struct user_ns *ns, bool gids, struct strbuf *sb)
{
	const struct id_map *m = smp_load_acquire(gids ? &ns->gids : &ns->uids);
	const struct user_ns *reader = current_cred()->user_ns;

	/* Who is inside sees what its ids are outside. */
	if (reader == ns && ns->parent)
		reader = ns->parent;
	for (u32 i = 0; m && i < m->count; i++) {
		const struct id_extent *e = &m->extents[i];

		strbuf_printf(sb, "%10u %10u %10u\n", e->first,
			      gids ? gid_to_user(reader, e->lower) : uid_to_user(reader, e->lower),
			      e->count);
	}
}

static bool
overlaps(const struct id_map *m, const struct id_extent *e)
{
	for (u32 i = 0; i < m->count; i++) {
		const struct id_extent *o = &m->extents[i];

		if ((e->first < o->first + o->count && o->first < e->first + e->count) ||
		    (e->lower < o->lower + o->count && o->lower < e->lower + e->count))
			return true;
	}
	return false;
}

/* The next number of a line, which ends at its newline. */
static bool
number_next(const char **p, u32 *out)
{
	const char *s = *p;
	u64 v = 0;

	while (*s == ' ' || *s == '\t')
		s++;
	if (*s < '0' || *s > '9')
		return false;
	for (; *s >= '0' && *s <= '9'; s++) {
		v = v * 10 + (u64)(*s - '0');
		if (v > UINT32_MAX)
			return false;
	}
	*out = (u32)v;
	*p = s;
	return true;
}

/* Lines of three numbers. 0 or -EINVAL. */
static int
map_parse(const char *p, struct id_map *m)
{
	while (*p) {
		struct id_extent e;

		if (!number_next(&p, &e.first) || !number_next(&p, &e.lower) ||
		    !number_next(&p, &e.count))
			return -EINVAL;
		while (*p == ' ' || *p == '\t')
			p++;
		if (*p && *p++ != '\n')
			return -EINVAL;
		if (!e.count || e.first == ID_NONE || e.lower == ID_NONE ||
		    e.first + e.count < e.first || e.lower + e.count < e.lower ||
		    m->count == ID_EXTENTS_MAX || overlaps(m, &e))
			return -EINVAL;
		m->extents[m->count++] = e;
	}
	return m->count ? 0 : -EINVAL;
}

/* user_namespaces(7), "Defining user and group ID mappings: writing to uid_map and gid_map". The
 * lower ids are the parent's still. */
static bool
map_allowed(const struct user_ns *ns, bool gids, const struct id_map *m, const struct cred *opener)
{
	const struct cred *me = current_cred();
	int cap = gids ? CAP_SETGID : CAP_SETUID;

	for (u32 i = 0; !gids && i < m->count; i++) {
		/* Who is root outside could put capabilities on files. */
		if (m->extents[i].lower == 0 &&
		    !(opener->user_ns == ns ? ns->parent_could_setfcap
					    : cred_ns_capable(opener, ns->parent, CAP_SETFCAP)))
			return false;
	}
	if (m->count == 1 && m->extents[0].count == 1 && ns->owner == me->euid) {
		u32 id = m->extents[0].lower;

		if (gids && ns->setgroups_denied && gid_from_user(ns->parent, id) == me->egid)
			return true;
		if (!gids && uid_from_user(ns->parent, id) == me->euid)
			return true;
	}
	return cred_ns_capable(me, ns->parent, cap) && cred_ns_capable(opener, ns->parent, cap);
}

/* Each range must be within one of the parent's. */
static bool
map_to_first(const struct id_map *parent, struct id_map *m)
{
	for (u32 i = 0; i < m->count; i++) {
		struct id_extent *e = &m->extents[i];
		const struct id_extent *in = NULL;

		for (u32 j = 0; parent && j < parent->count && !in; j++) {
			const struct id_extent *p = &parent->extents[j];

			if (e->lower >= p->first && e->lower + e->count <= p->first + p->count)
				in = p;
		}
		if (!in)
			return false;
		e->lower += in->lower - in->first;
	}
	return true;
}

int
user_ns_write_map(struct user_ns *ns, bool gids, const struct cred *opener, const char *text)
{
	struct id_map **place = gids ? &ns->gids : &ns->uids, *m;
	int r;

	if (!ns->parent || (current_cred()->user_ns != ns && current_cred()->user_ns != ns->parent))
		return -EPERM;
	m = kzalloc(sizeof(*m) + ID_EXTENTS_MAX * sizeof(m->extents[0]), GFP_KERNEL);
	if (!m)
		return -ENOMEM;
	mutex_lock(&user_ns_lock);
	r = -EPERM;
	if (*place || !cred_ns_capable(opener, ns, CAP_SYS_ADMIN))
		goto out_unlock;
	r = map_parse(text, m);
	if (r)
		goto out_unlock;
	r = -EPERM;
	if (!map_allowed(ns, gids, m, opener) ||
	    !map_to_first(gids ? ns->parent->gids : ns->parent->uids, m))
		goto out_unlock;
	smp_store_release(place, m);
	m = NULL;
	r = 0;
out_unlock:
	mutex_unlock(&user_ns_lock);
	kfree(m);
	return r;
}
