/* SPDX-License-Identifier: MIT */
/*
 * Mount propagation: mount_namespaces(7), "shared subtrees".
 *
 * A peer group is a ring of mounts; what is mounted in one appears in all. A slave has a master,
 * one mount of the group it listens to; it may at the same time be the member of a group of its
 * own, which then hears of it through this slave. So what happens at one mount reaches its peers,
 * their slaves, those slaves' peers, and so on: a graph that users shape, walked here with a queue,
 * never by recursion. All under mounts_lock for writing.
 */
#include "mount_internal.h"

static u32 next_group;
static u32 current_stamp;

void
propagate_make_shared(struct mount *m)
{
	if (!m->peer_group)
		m->peer_group = ++next_group;
	m->flags &= ~MS_UNBINDABLE;
}

void
propagate_join(struct mount *m, struct mount *peer)
{
	m->peer_group = peer->peer_group;
	list_add(&m->peers, &peer->peers);
}

void
propagate_set_master(struct mount *m, struct mount *master)
{
	if (m->master)
		list_del_init(&m->slave_node);
	m->master = master;
	if (master)
		list_add(&m->slave_node, &master->slaves);
}

/* Leave the peer group. Its slaves, and m itself, then listen to another peer; without one, to m's
 * master, if any. */
static void
leave_group(struct mount *m)
{
	struct mount *master = m->master, *s, *following;

	if (!list_empty(&m->peers)) {
		master = list_first_entry(&m->peers, struct mount, peers);
		list_del_init(&m->peers);
	}
	m->peer_group = 0;
	list_for_each_entry_safe(s, following, &m->slaves, slave_node)
		propagate_set_master(s, master);
	propagate_set_master(m, master);
}

void
propagate_set_type(struct mount *m, u32 type)
{
	if (type == MS_SHARED) {
		propagate_make_shared(m);
		return;
	}
	if (mount_is_shared(m))
		leave_group(m);
	m->flags &= ~MS_UNBINDABLE;
	if (type == MS_SLAVE)
		return;
	propagate_set_master(m, NULL);
	if (type == MS_UNBINDABLE)
		m->flags |= MS_UNBINDABLE;
}

/* --- walking the graph --- */

static bool
mark(struct mount *m)
{
	if (m->stamp == current_stamp)
		return false;
	m->stamp = current_stamp;
	return true;
}

static struct mount *
next_peer(struct mount *m)
{
	return list_empty(&m->peers) ? m : list_first_entry(&m->peers, struct mount, peers);
}

/* Queue the slaves of m's group that were not reached yet. */
static void
queue_slaves(struct mount *m, struct list *queue)
{
	struct mount *peer = m, *s;

	do {
		list_for_each_entry(s, &peer->slaves, slave_node)
		{
			if (s->stamp != current_stamp) {
				s->work_source = m;
				list_add_tail(&s->work, queue);
				s->stamp = current_stamp;
			}
		}
		peer = next_peer(peer);
	} while (peer != m);
}

/*
 * Every mount that hears of dest gets a copy of `source` (a tree to be attached at dest, already
 * shared): peers one of the same groups, slaves one that is slave to it. Copies are gathered by
 * ->work, with parent and point set but not linked. Mounts on shared mounts multiply: more copies
 * of the `size` mounts of the tree than a namespace may have, be it in several, are refused
 * (ENOSPC).
 */
int
propagate_attach(struct mount *dest, struct dentry *point, struct mount *source, u32 size,
		 struct list *copies)
{
	LIST_HEAD(queue);
	struct mount *m, *peer, *from, *copy;
	u64 made = dest->ns->count + size;
	int err = 0;

	current_stamp++;
	mark(dest);
	for (peer = next_peer(dest); peer != dest; peer = next_peer(peer))
		mark(peer);
	/* work_source of a mount that was served: the tree that its slaves are to copy. */
	dest->work_source = source;
	m = dest;
	for (;;) {
		from = m->work_source;
		for (peer = next_peer(m); peer != m && !err; peer = next_peer(peer)) {
			mark(peer);
			if (!dentry_is_ancestor(peer->root, point))
				continue;
			made += size;
			if (made > MOUNTS_MAX) {
				err = -ENOSPC;
				break;
			}
			err = mount_copy_tree(from, from->root,
					      COPY_RECURSIVE | COPY_SHARED | COPY_UNBINDABLE,
					      &copy);
			if (!err) {
				copy->parent = peer;
				copy->point = point;
				list_add_tail(&copy->work, copies);
			}
		}
		if (err)
			break;
		queue_slaves(m, &queue);
		m = list_first_entry_or_null(&queue, struct mount, work);
		if (!m)
			break;
		list_del_init(&m->work);
		from = m->work_source->work_source;
		m->work_source = from;
		if (dentry_is_ancestor(m->root, point)) {
			made += size;
			if (made > MOUNTS_MAX) {
				err = -ENOSPC;
				break;
			}
			err = mount_copy_tree(from, from->root,
					      COPY_RECURSIVE | COPY_SLAVE | COPY_UNBINDABLE |
						      (mount_is_shared(m) ? COPY_SHARED : 0),
					      &copy);
			if (err)
				break;
			copy->parent = m;
			copy->point = point;
			list_add_tail(&copy->work, copies);
			m->work_source = copy;
		}
	}
	while (!list_empty(&queue))
		list_del_init(queue.next);
	if (!err)
		return 0;
	while ((copy = list_first_entry_or_null(copies, struct mount, work))) {
		list_del_init(&copy->work);
		copy->parent = copy;
		copy->point = NULL;
		mount_drop_tree(copy);
	}
	return err;
}

/*
 * `list` (by ->work, children first) is about to be unmounted: add what propagation had mounted
 * along with them, where nothing else is mounted on top of it.
 */
void
propagate_detach(struct list *list)
{
	struct mount *m, *peer, *child, *c;

	list_for_each_entry(m, list, work)
	{
		struct mount *parent = m->parent;

		if (parent == m || (!mount_is_shared(parent) && list_empty(&parent->slaves)))
			continue;
		/* ->work is taken: members are reached by walking peers of peers, with the stamp as
		 * memory. */
		current_stamp++;
		mark(parent);
		for (struct mount *at = parent; at;) {
			struct mount *next = NULL;

			for (peer = at;;) {
				mark(peer);
				child = peer == parent ? NULL : mount_find_rcu(peer, m->point);
				if (child && child->super == m->super && list_empty(&child->work)) {
					bool free = true;

					list_for_each_entry(c, &child->children,
							    child_node) if (list_empty(&c->work))
						free = false;
					if (free)
						list_add_tail(&child->work, list);
				}
				list_for_each_entry(c, &peer->slaves,
						    slave_node) if (c->stamp != current_stamp)
				{
					mark(c);
					c->work_source = next;
					next = c;
				}
				peer = next_peer(peer);
				if (peer == at)
					break;
			}
			/* Slaves found are chained by work_source; append them to the chain that
			 * `at` heads. */
			if (next) {
				struct mount *tail = next;

				while (tail->work_source)
					tail = tail->work_source;
				tail->work_source = at == parent ? NULL : at->work_source;
			} else {
				next = at == parent ? NULL : at->work_source;
			}
			at = next;
		}
	}
}

/* The nearest group up the chain of masters that is visible under root: mountinfo's propagate_from.
 */
u32
propagate_dominating_group(const struct mount *m, const struct path *root)
{
	for (const struct mount *master = m->master; master; master = master->master) {
		const struct mount *peer = master;

		do {
			if (peer->ns == root->mnt->ns && peer->ns)
				return peer->peer_group;
			peer = next_peer((struct mount *)peer);
		} while (peer != master);
	}
	return 0;
}
