/* SPDX-License-Identifier: MIT */
/*
 * Files under way, and the sockets among them that nobody can reach any more. unix(7).
 *
 * A socket sent over a socket is kept by the message that carries it. Two that wait in each
 * other's queues, closed by everybody, would live for ever. So each socket knows how many of its
 * file's references are held by messages (in_flight), and a collector looks for those that have no
 * other:
 *
 *  1. A socket is suspect if every reference to its file is a message's.
 *  2. For each message in a suspect's queue, the sockets that it carries are counted as found. A
 *     suspect found less often than it is in flight is also under way in the queue of a socket that
 *     somebody has, or in a message still being made: it can be reached.
 *  3. So can everything in the queue of what can be reached, and so on.
 *  4. From the queues of the rest all files are taken and put; the sockets then die by themselves.
 *
 * Why it is right while others send, receive and close: flight_lock is held throughout, and
 * whoever changes a count of flight waits for it. A sender counts before the message is seen in a
 * queue. A receiver, also one that only peeks, takes its references, then waits for the lock
 * (unix_flight_wait), and only then makes them known to the program. So a suspect cannot come into
 * anybody's hands during a run: its receiver would need a descriptor for the queue it is taken
 * from, whose socket was no suspect, and so it was found too seldom. References come in between
 * only for moments, from who polls or asks for a name; they make a suspect wait for the next run.
 * Messages with sockets that arrive in a suspect's queue meanwhile were counted before; whatever
 * they carry is found at least as often in step 2 as it is followed in step 3.
 *
 * A run is due when a socket is closed while others are under way, or when very many are; it costs
 * as much as there is in their queues. Files are put by file_put_late, one after the other: a chain
 * of sockets, each in the queue of the next, needs no deeper a stack than one.
 *
 * Locking: flight_lock, then unix_sock.lock, then that of an end that waits to be accepted.
 */
#include "fs/vfs/file.h"
#include "mm/slab.h"
#include "sched/work.h"
#include "task/cred.h"
#include "unix_internal.h"

/* Above this many sockets under way, who sends one more waits for a run. */
#define FLIGHT_MANY 16000

static struct mutex flight_lock = MUTEX_INIT(flight_lock, RANK_SLEEP_LEAF);
static LIST_HEAD(flying); /* struct unix_sock, by flight_node */
static u32 flying_count;
static struct work collect_work;

static struct unix_sock *
sock_of(struct file *f)
{
	struct socket *s = socket_of(f);

	return s && s->family == AF_UNIX ? s->private : NULL;
}

/* ---- counting ---- */

void
unix_flight_begin(struct unix_rights *r)
{
	bool many;

	r->sockets = false;
	for (u32 i = 0; i < r->count; i++)
		r->sockets |= sock_of(r->files[i]) != NULL;
	if (!r->sockets)
		return;
	mutex_lock(&flight_lock);
	for (u32 i = 0; i < r->count; i++) {
		struct unix_sock *u = sock_of(r->files[i]);

		if (!u || u->in_flight++)
			continue;
		u->flight_file = r->files[i];
		list_add_tail(&u->flight_node, &flying);
		flying_count++;
	}
	many = flying_count > FLIGHT_MANY;
	mutex_unlock(&flight_lock);
	if (many) {
		work_queue(&collect_work);
		work_flush(&collect_work);
	}
}

void
unix_flight_end(struct unix_rights *r)
{
	if (!r->sockets)
		return;
	mutex_lock(&flight_lock);
	for (u32 i = 0; i < r->count; i++) {
		struct unix_sock *u = sock_of(r->files[i]);

		if (!u || --u->in_flight)
			continue;
		list_del(&u->flight_node);
		flying_count--;
	}
	mutex_unlock(&flight_lock);
}

void
unix_flight_wait(const struct unix_rights *r)
{
	if (!r->sockets)
		return;
	mutex_lock(&flight_lock);
	mutex_unlock(&flight_lock);
}

/* ---- collecting ---- */

typedef void queue_visitor(struct unix_msg *m, void *ctx);

/* All messages that wait for u, also those for its ends that nobody has accepted. */
static void
visit_queues(struct unix_sock *u, queue_visitor *visit, void *ctx)
{
	struct unix_sock *end;
	struct unix_msg *m;

	spin_lock(&u->lock);
	list_for_each_entry(m, &u->queue, node) if (m->rights) visit(m, ctx);
	list_for_each_entry(end, &u->pending, pending_node)
	{
		/* The other order does not occur: an end locked by others is locked alone. */
		spin_lock_nested(&end->lock);
		list_for_each_entry(m, &end->queue, node) if (m->rights) visit(m, ctx);
		spin_unlock(&end->lock);
	}
	spin_unlock(&u->lock);
}

static void
count_found(struct unix_msg *m, void *ctx)
{
	for (u32 i = 0; m->rights->sockets && i < m->rights->count; i++) {
		struct unix_sock *u = sock_of(m->rights->files[i]);

		if (u)
			u->found++;
	}
}

static void
reach(struct unix_sock *u, struct list *reached)
{
	u->suspect = false;
	list_move_tail(&u->flight_node, reached);
}

static void
reach_carried(struct unix_msg *m, void *ctx)
{
	for (u32 i = 0; m->rights->sockets && i < m->rights->count; i++) {
		struct unix_sock *u = sock_of(m->rights->files[i]);

		if (u && u->suspect)
			reach(u, ctx);
	}
}

static void
take_rights(struct unix_msg *m, void *ctx)
{
	struct unix_rights **taken = ctx;

	m->rights->next = *taken;
	*taken = m->rights;
	m->rights = NULL;
}

static void
collect(struct work *work)
{
	struct list reached = LIST_INIT(reached), clear = LIST_INIT(clear);
	struct unix_rights *taken = NULL;
	struct unix_sock *u, *next;

	mutex_lock(&flight_lock);
	list_for_each_entry(u, &flying, flight_node)
	{
		u->found = 0;
		u->suspect = (u32)ref_read(&u->flight_file->ref) == u->in_flight;
	}
	list_for_each_entry(u, &flying, flight_node) if (u->suspect)
		visit_queues(u, count_found, NULL);
	list_for_each_entry_safe(u, next, &flying, flight_node)
	{
		if (!u->suspect)
			list_move_tail(&u->flight_node, &clear);
		else if (u->found < u->in_flight)
			reach(u, &reached);
	}
	while (!list_empty(&reached)) {
		u = list_first_entry(&reached, struct unix_sock, flight_node);
		list_move_tail(&u->flight_node, &clear);
		visit_queues(u, reach_carried, &reached);
	}
	list_for_each_entry(u, &flying, flight_node) visit_queues(u, take_rights, &taken);
	list_splice_init(&clear, &flying);
	mutex_unlock(&flight_lock);
	while (taken) {
		struct unix_rights *r = taken;

		taken = r->next;
		unix_rights_free(r);
	}
}

void
unix_collect_soon(void)
{
	if (READ_ONCE(flying_count))
		work_queue(&collect_work);
}

void
unix_garbage_init(void)
{
	work_init(&collect_work, collect);
}
