/* SPDX-License-Identifier: MIT */
/* SOURCES: fs/vfs/path.c fs/vfs/dentry.c fs/vfs/inode.c fs/vfs/path_text.c fs/vfs/super.c
	fs/tmpfs/dir.c fs/tmpfs/super.c fs/tmpfs/xattr.c fs/tmpfs/acl.c fs/vfs/posix_acl.c
	lib/string.c lib/format.c lib/hash.c lib/rbtree.c tests/host/core_shim.c
   tests/host/vfs_shim.c */
/*
 * Path walk over a tmpfs, in both modes, against a resolver written the simple way: random trees
 * with directories, files and links, random paths, and random changes in between. A second tmpfs is
 * mounted inside.
 */
#include "../../fs/vfs/vfs_internal.h"
#include "test.h"
#include "vfs_shim.h"

#define NODES 120

struct node {
	struct node *parent; /* NULL: free, or the root */
	char name[260];
	char *link;
	bool dir, used;
	struct inode *inode;
	struct node *mounted; /* root of the second file system */
};

static struct node nodes[NODES];
static struct node *const root = &nodes[0], *const inner = &nodes[1];
static char long_name[256], too_long_name[257];

/* --- the model --- */

static struct node *
model_child(struct node *dir, const char *name, size_t len)
{
	for (u32 i = 2; i < NODES; i++)
		if (nodes[i].used && nodes[i].parent == dir && strlen(nodes[i].name) == len &&
		    !memcmp(nodes[i].name, name, len))
			return &nodes[i];
	return NULL;
}

static struct node *
model_up(struct node *at)
{
	if (at == inner) {
		for (u32 i = 2; i < NODES; i++)
			if (nodes[i].mounted == inner)
				at = &nodes[i];
	}
	at = at == root ? root : at->parent;
	return at->mounted ? at->mounted : at;
}

static int
model_walk(struct node *at, const char *path, bool follow, u32 *links, struct node **out)
{
	if (*path == '/')
		at = root;
	while (*path == '/')
		path++;
	while (*path) {
		size_t len = strcspn(path, "/");
		const char *rest = path + len;
		struct node *next;
		bool last, slash = *rest == '/';

		while (*rest == '/')
			rest++;
		last = !*rest;
		if (len == 1 && path[0] == '.') {
			next = at;
		} else if (len == 2 && path[0] == '.' && path[1] == '.') {
			next = model_up(at);
		} else {
			if (len > NAME_MAX)
				return -ENAMETOOLONG;
			next = model_child(at, path, len);
			if (!next)
				return -ENOENT;
			if (next->mounted)
				next = next->mounted;
			if (next->link && (!last || follow || slash)) {
				int err;

				if (++*links > MAX_SYMLINKS)
					return -ELOOP;
				err = model_walk(at, next->link, true, links, &next);
				if (err)
					return err;
			}
		}
		if ((!last || slash) && !next->dir)
			return -ENOTDIR;
		at = next;
		path = rest;
	}
	*out = at;
	return 0;
}

/* --- making and changing the tree --- */

static const char *
random_name(void)
{
	static const char *const names[] = {
		"a",
		"b",
		"c",
		"d",
		"file",
		"..a",
		".b",
		"a name with spaces",
		"a name that is too long to be kept inside of a dentry"
	};
	u64 n = test_random_below(ARRAY_SIZE(names) + 1);

	return n < ARRAY_SIZE(names) ? names[n] : long_name;
}

static void
random_path(char *path, size_t size)
{
	u64 parts = test_random_below(7);
	size_t at = 0;

	path[0] = '\0';
	if (test_random_below(3) == 0)
		at += (size_t)snprintf(path, size, "%s", test_random_below(4) ? "/" : "///");
	for (u64 i = 0; i < parts || !at; i++) {
		const char *name = random_name();

		switch (test_random_below(9)) {
		case 0: name = ".."; break;
		case 1: name = "."; break;
		case 2:
			if (test_random_below(20) == 0)
				name = too_long_name;
			break;
		}
		at += (size_t)snprintf(path + at, size - at, "%s%s", name,
				       i + 1 < parts ? (test_random_below(9) ? "/" : "//") : "");
	}
	if (test_random_below(6) == 0)
		snprintf(path + at, size - at, "/");
}

static struct node *
random_dir(void)
{
	for (;;) {
		struct node *n = &nodes[test_random_below(NODES)];

		if (n->used && n->dir && !n->mounted)
			return n;
	}
}

static struct dentry *
dentry_of(struct node *n)
{
	struct qname q;
	struct dentry *dir, *d;

	if (n == root || n == inner) {
		d = shim_root(n == inner);
		dentry_get(d);
		return d;
	}
	dir = dentry_of(n->parent);
	qname_init(&q, n->name, (u32)strlen(n->name));
	if (dentry_lookup_locked(dir, &q, &d))
		abort();
	dentry_put(dir);
	return d;
}

static void
add_node(void)
{
	struct node *dir = random_dir(), *n = NULL;
	const char *name = random_name();
	struct dentry *parent, *d;
	struct qname q;
	char link[3000];
	int err;

	for (u32 i = 2; i < NODES && !n; i++)
		if (!nodes[i].used)
			n = &nodes[i];
	if (!n || model_child(dir, name, strlen(name)))
		return;
	*n = (struct node){ .used = true, .parent = dir };
	snprintf(n->name, sizeof(n->name), "%s", name);
	parent = dentry_of(dir);
	qname_init(&q, name, (u32)strlen(name));
	if (dentry_lookup_locked(parent, &q, &d))
		abort();
	switch (test_random_below(4)) {
	case 0: err = dir->inode->ops->create(dir->inode, d, S_IFREG | 0644); break;
	case 1:
		random_path(link, sizeof(link));
		n->link = kstrdup(link, GFP_KERNEL);
		err = dir->inode->ops->symlink(dir->inode, d, link);
		break;
	default: n->dir = true; err = dir->inode->ops->mkdir(dir->inode, d, S_IFDIR | 0755);
	}
	if (err)
		abort();
	n->inode = d->inode;
	dentry_put(d);
	dentry_put(parent);
}

static bool
has_children(struct node *n)
{
	for (u32 i = 2; i < NODES; i++)
		if (nodes[i].used && nodes[i].parent == n)
			return true;
	return false;
}

static void
remove_node(struct node *n)
{
	struct dentry *d = dentry_of(n);
	struct inode *dir = n->parent->inode, *i = d->inode;

	if (n->dir ? dir->ops->rmdir(dir, d) : dir->ops->unlink(dir, d))
		abort();
	inode_get(i);
	if (n->dir) {
		i->flags |= INODE_DELETED;
		dentry_prune(d);
	}
	dentry_delete(d);
	dentry_put(d);
	inode_put(i);
	free(n->link);
	n->link = NULL;
	n->used = false;
}

static bool
is_below(struct node *n, struct node *top)
{
	for (; n; n = n->parent)
		if (n == top)
			return true;
	return false;
}

static void
move_node(struct node *n)
{
	struct node *to = random_dir();
	const char *name = random_name();
	struct dentry *od, *nd, *o, *d;
	struct qname q;

	if (is_below(to, n) || model_child(to, name, strlen(name)) ||
	    is_below(to, inner) != is_below(n, inner))
		return;
	o = dentry_of(n);
	od = dentry_of(n->parent);
	nd = dentry_of(to);
	qname_init(&q, name, (u32)strlen(name));
	if (dentry_lookup_locked(nd, &q, &d))
		abort();
	if (od->inode->ops->rename(od->inode, o, nd->inode, d, 0))
		abort();
	dentry_move(o, d, false);
	dentry_put(d);
	dentry_put(nd);
	dentry_put(od);
	dentry_put(o);
	n->parent = to;
	snprintf(n->name, sizeof(n->name), "%s", name);
}

static void
change_tree(void)
{
	struct node *n = &nodes[2 + test_random_below(NODES - 2)];

	if (!n->used || test_random_below(2)) {
		add_node();
	} else if (n->mounted) {
		return;
	} else if (test_random_below(3) == 0) {
		move_node(n);
	} else if (!n->dir || !has_children(n)) {
		remove_node(n);
	}
}

/* --- the tests --- */

static struct node *
node_of(const struct inode *i)
{
	for (u32 n = 0; n < NODES; n++)
		if (nodes[n].used && nodes[n].inode == i)
			return &nodes[n];
	return NULL;
}

static u32 walks, decided_in_rcu;

static bool
agrees(const char *path, bool follow)
{
	struct node *want = NULL;
	struct walk w;
	u32 links = 0, flags = follow ? WALK_FOLLOW : 0;
	int expect = model_walk(root, path, follow, &links, &want), err;

	err = walk_lookup_rcu(&w, AT_FDCWD, path, flags);
	walks++;
	decided_in_rcu += err != -ECHILD;
	if (!err) {
		struct inode *i = w.inode;

		if (walk_rcu_done(&w) && (expect || node_of(i) != want)) {
			printf("# RCU mode found something else by \"%s\"\n", path);
			return false;
		}
	} else if (err != -ECHILD && err != expect) {
		printf("# RCU mode: %d instead of %d by \"%s\"\n", err, expect, path);
		return false;
	}
	err = walk_lookup_ref(&w, AT_FDCWD, path, flags);
	if (!err) {
		struct inode *i = w.inode;

		walk_end(&w);
		if (!expect && node_of(i) == want)
			return true;
		printf("# ref mode found something else by \"%s\"\n", path);
	} else if (err == expect) {
		return true;
	} else {
		printf("# ref mode: %d instead of %d by \"%s\"\n", err, expect, path);
	}
	return false;
}

static void
random_paths_in_a_changing_tree(void)
{
	char path[4000];

	for (u32 i = 0; i < 60000; i++) {
		if (test_random_below(4) == 0)
			change_tree();
		random_path(path, sizeof(path));
		EXPECT(agrees(path, test_random_below(2)));
		if (test_random_below(100) == 0)
			shim_grace_period();
		if (test_random_below(5000) == 0)
			dentry_shrink(50);
	}
	EXPECT(decided_in_rcu > walks / 3);
}

/* Where a walk arrives, the text of the place leads there again. */
static void
texts_lead_back(void)
{
	char buf[PATH_MAX];

	for (u32 i = 0; i < NODES; i++) {
		struct path p;
		char *text;

		if (!nodes[i].used || nodes[i].mounted)
			continue;
		p.mnt = shim_mount(is_below(&nodes[i], inner));
		p.dentry = dentry_of(&nodes[i]);
		text = path_text(&p, NULL, buf, sizeof(buf));
		dentry_put(p.dentry);
		EXPECT(text);
		EXPECT(agrees(text, false));
	}
}

static void
forty_links_and_no_more(void)
{
	struct dentry *d, *top = shim_root(false);
	struct walk w;
	struct qname q;
	char name[16], target[16];

	for (u32 i = 0; i <= 41; i++) {
		snprintf(name, sizeof(name), "l%u", i);
		snprintf(target, sizeof(target), "l%u", i + 1);
		qname_init(&q, name, (u32)strlen(name));
		EXPECT(!dentry_lookup_locked(top, &q, &d));
		if (i == 41)
			EXPECT(!top->inode->ops->mkdir(top->inode, d, S_IFDIR | 0755));
		else
			EXPECT(!top->inode->ops->symlink(top->inode, d, target));
		dentry_put(d);
	}
	EXPECT(walk_lookup_ref(&w, AT_FDCWD, "/l0", WALK_FOLLOW) == -ELOOP);
	EXPECT(walk_lookup_ref(&w, AT_FDCWD, "/l1", WALK_FOLLOW) == 0);
	walk_end(&w);
	EXPECT(walk_lookup_ref(&w, AT_FDCWD, "/l1/", 0) == 0);
	walk_end(&w);
	EXPECT(walk_lookup_rcu(&w, AT_FDCWD, "/l1", WALK_FOLLOW) == 0);
	EXPECT(walk_rcu_done(&w));
	EXPECT(walk_lookup_rcu(&w, AT_FDCWD, "/l0", WALK_FOLLOW) == -ELOOP);
}

static void
nothing_is_left(void)
{
	dentry_prune(shim_root(true));
	dentry_prune(shim_root(false));
	EXPECT(atomic_read(&shim_root(false)->refs) == 1);
	EXPECT(atomic_read(&shim_root(true)->refs) == 1);
	EXPECT(list_empty(&shim_root(false)->children));
	shim_grace_period();
}

static void
plant(void)
{
	struct dentry *d;
	struct qname q;
	struct node *at = &nodes[2];

	memset(long_name, 'n', NAME_MAX);
	memset(too_long_name, 'n', NAME_MAX + 1);
	shim_create();
	root->used = root->dir = inner->used = inner->dir = true;
	root->inode = shim_root(false)->inode;
	inner->inode = shim_root(true)->inode;
	*at = (struct node){
		.used = true, .dir = true, .parent = root, .name = "d", .mounted = inner
	};
	qname_init(&q, "d", 1);
	if (dentry_lookup_locked(shim_root(false), &q, &d) ||
	    root->inode->ops->mkdir(root->inode, d, S_IFDIR | 0755))
		abort();
	at->inode = d->inode;
	shim_mount_on(d);
	dentry_put(d);
}

int
main(void)
{
	plant();
	TEST(random_paths_in_a_changing_tree);
	TEST(texts_lead_back);
	TEST(forty_links_and_no_more);
	TEST(nothing_is_left);
	return test_done();
}
