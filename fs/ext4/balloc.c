/* SPDX-License-Identifier: MIT */
/*
 * Free blocks: promises, allocation, freeing.
 *
 * Promises. Whoever will need blocks claims them first, as a number: delayed allocation when a page
 * becomes dirty, so that ENOSPC is known at write(2); others just before they take them. The number
 * of free blocks nobody has claimed is in one counter (fs->available) and in a stash a CPU, filled
 * by handfuls, so that claiming one block writes to no shared line. Near the end of space all
 * stashes are emptied, and the count is exact.
 *
 * Allocation. Blocks come from the group of the goal, at the goal or else in the first run that is
 * long enough, going round from there; then from the next groups; then from shorter runs. Each
 * group remembers a bound of its longest run, so full and broken ones cost nothing. A group's
 * bitmap changes under its spinlock, after write access to the buffers was had (which may sleep);
 * hence the search twice.
 *
 * Freeing. With a journal a block that was freed may be used again only when the transaction that
 * freed it is on the disk: after a crash before that it still belongs to its old owner. The bitmap
 * has it as free, as the disk should; group->pending keeps us away from it until the commit, and
 * then it may be discarded.
 */
#include "core/cpumask.h"
#include "core/percpu.h"
#include "ext4_internal.h"
#include "lib/bitmap.h"
#include "mm/vmalloc.h"
#include "task/cred.h"

#define STASH 64

/* --- promises --- */

u32
ext4_claim_level(const struct ext4_fs *fs)
{
	const struct cred *c = current_cred();

	if (c->fsuid == fs->options.resuid || cred_capable(c, CAP_SYS_RESOURCE) ||
	    (fs->options.resgid && cred_in_group(c, fs->options.resgid)))
		return CLAIM_ROOT;
	return CLAIM_USER;
}

static u64
super_reserve(const struct ext4_fs *fs)
{
	return fs->es->s_r_blocks_count_lo | (u64)fs->es->s_r_blocks_count_hi << 32;
}

/* What a claim must leave. */
static u64
floor_of(const struct ext4_fs *fs, u32 how)
{
	if (how == CLAIM_METADATA)
		return 0;
	return fs->metadata_reserve + (how == CLAIM_USER ? super_reserve(fs) : 0);
}

static bool
take(struct atomic64 *count, s64 n, s64 leave)
{
	s64 old = atomic64_read(count);

	do {
		if (old - n < leave)
			return false;
	} while (!atomic64_try_cmpxchg(count, &old, old - n));
	return true;
}

int
ext4_claim(struct ext4_fs *fs, u64 n, u32 how)
{
	struct atomic64 *stash = &fs->cpu[cpu_id()].stash;
	s64 lowest = (s64)floor_of(fs, CLAIM_USER);
	int err = 0;

	/* Another CPU's stash, if we have been moved meanwhile, is as good. */
	if (likely(take(stash, (s64)n, 0)))
		return 0;
	if (take(&fs->available, (s64)n + STASH, lowest)) {
		atomic64_add(stash, STASH);
		return 0;
	}
	spin_lock(&fs->stash_lock);
	for (u32 i = 0; i < cpu_count; i++)
		atomic64_add(&fs->available, atomic64_xchg(&fs->cpu[i].stash, 0));
	if (!take(&fs->available, (s64)n, (s64)floor_of(fs, how)))
		err = -ENOSPC;
	spin_unlock(&fs->stash_lock);
	return err;
}

void
ext4_unclaim(struct ext4_fs *fs, u64 n)
{
	if (n)
		atomic64_add(&fs->available, (s64)n);
}

/* Free and not promised, those that wait for a commit included. */
u64
ext4_free_count(struct ext4_fs *fs)
{
	s64 n = atomic64_read(&fs->available) + atomic64_read(&fs->pending);

	for (u32 i = 0; i < cpu_count; i++)
		n += atomic64_read(&fs->cpu[i].stash);
	return n > 0 ? (u64)n : 0;
}

int
ext4_balloc_init(struct ext4_fs *fs)
{
	u64 free = 0, inodes = 0, dirs = 0;

	fs->cpu = kvmalloc(cpu_count * sizeof(*fs->cpu), GFP_KERNEL);
	if (!fs->cpu)
		return -ENOMEM;
	memset(fs->cpu, 0, cpu_count * sizeof(*fs->cpu));
	spin_init(&fs->stash_lock, RANK_FS);
	for (u32 group = 0; group < fs->groups; group++) {
		const struct ext4_group_desc *gd = ext4_desc(fs, group, NULL);

		free += ext4_desc_free_blocks(fs, gd);
		inodes += ext4_desc_free_inodes(fs, gd);
		dirs += ext4_desc_dirs(fs, gd);
	}
	atomic64_set(&fs->available, (s64)free);
	atomic64_set(&fs->pending, 0);
	atomic64_set(&fs->cpu[0].free_inodes, (s64)inodes);
	atomic64_set(&fs->cpu[0].dirs, (s64)dirs);
	fs->metadata_reserve = MIN(fs->blocks / 50, 4096ul);
	return 0;
}

void
ext4_balloc_fini(struct ext4_fs *fs)
{
	kvfree(fs->cpu);
	fs->cpu = NULL;
}

/* --- searching: a block is used if it is so in either map --- */

static u32
next_in(const unsigned long *map, const unsigned long *pending, u32 size, u32 from, bool used)
{
	while (from < size) {
		u32 w = from / BITS_PER_LONG;
		unsigned long word = map[w] | (pending ? pending[w] : 0);

		if (!used)
			word = ~word;
		word &= ~0ul << (from % BITS_PER_LONG);
		if (word) {
			from = w * BITS_PER_LONG + (u32)__builtin_ctzl(word);
			return MIN(from, size);
		}
		from = (w + 1) * BITS_PER_LONG;
	}
	return size;
}

struct search {
	u32 goal;    /* bit to begin at */
	u32 need;    /* a run of so many will do */
	u32 want;    /* more than this is not taken */
	bool exact;  /* the goal itself is worth taking whatever its run */
	u32 at, len; /* found */
};

/* Group locked. */
static bool
search_range(struct search *s, struct ext4_group *g, const unsigned long *map, u32 from, u32 size,
	     u32 *longest)
{
	while (from < size) {
		u32 end;

		from = next_in(map, g->pending, size, from, false);
		if (from >= size)
			break;
		end = next_in(map, g->pending, size, from, true);
		*longest = MAX(*longest, end - from);
		if (end - from >= s->need) {
			s->at = from;
			s->len = MIN(end - from, s->want);
			return true;
		}
		from = end;
	}
	return false;
}

static bool
search_group(struct search *s, struct ext4_group *g, const unsigned long *map, u32 size)
{
	u32 longest = 0;

	if (s->exact && s->goal < size &&
	    next_in(map, g->pending, size, s->goal, false) == s->goal) {
		s->at = s->goal;
		s->len = MIN(next_in(map, g->pending, size, s->goal, true) - s->goal, s->want);
		return true;
	}
	if (s->goal && s->goal < size && search_range(s, g, map, s->goal, size, &longest))
		return true;
	if (search_range(s, g, map, 0, size, &longest))
		return true;
	g->longest = longest;
	return false;
}

/* Takes what the search finds in the group. 1: nothing there. */
static int
take_from_group(struct journal_handle *h, struct ext4_fs *fs, u32 group, struct search *s)
{
	struct ext4_group *g = &fs->group[group];
	struct buffer *gdb, *map;
	struct ext4_group_desc *gd = ext4_desc(fs, group, &gdb);
	u32 size = ext4_group_blocks(fs, group);
	bool found;
	int err = ext4_block_bitmap(fs, group, &map);

	if (err)
		return err == -EFSCORRUPTED || err == -EFSBADCRC ? 1 : err;
	spin_lock(&g->lock);
	found = search_group(s, g, (unsigned long *)map->data, size);
	spin_unlock(&g->lock);
	err = 1;
	if (!found)
		goto out;
	err = ext4_access(h, map);
	if (!err)
		err = ext4_access(h, gdb);
	if (err)
		goto out;
	spin_lock(&g->lock);
	found = search_group(s, g, (unsigned long *)map->data, size);
	if (found && ext4_desc_free_blocks(fs, gd) < s->len) {
		g->flags |= GROUP_BLOCKS_BAD;
		spin_unlock(&g->lock);
		ext4_corrupt(fs, 0, map->block, "group %u: more free blocks than counted", group);
		err = 1;
		goto out;
	}
	if (found) {
		bitmap_set((unsigned long *)map->data, s->at, s->len);
		gd->bg_flags &= (u16)~BG_BLOCK_UNINIT;
		ext4_desc_set_free_blocks(fs, gd, ext4_desc_free_blocks(fs, gd) - s->len);
		ext4_block_bitmap_seal(fs, gd, map);
		ext4_desc_seal(fs, group, gd);
	}
	spin_unlock(&g->lock);
	if (!found) {
		err = 1;
		goto out;
	}
	err = ext4_dirty(h, map);
	if (!err)
		err = ext4_dirty(h, gdb);
out:
	buffer_put(map);
	return err;
}

int
ext4_alloc_blocks(struct journal_handle *h, struct ext4_node *n, u64 goal, u32 *len, u32 how,
		  u64 *out)
{
	struct ext4_fs *fs = n->fs;
	u32 want = MIN(*len, fs->blocks_per_group), first;
	struct search s = { 0 };
	int err;

	if (how != CLAIM_DONE) {
		while ((err = ext4_claim(fs, want, how)) && want > 1)
			want /= 2;
		if (err)
			return err;
	}
	if (goal < fs->first_data_block || goal >= fs->blocks)
		goal = ext4_group_first(fs, n->group);
	first = (u32)((goal - fs->first_data_block) / fs->blocks_per_group);
	for (u32 pass = 0; pass < 3; pass++) {
		u32 need = pass == 0 ? want : pass == 1 ? MIN(want, 32u) : 1;

		for (u32 i = 0; i < fs->groups; i++) {
			u32 group = first + i < fs->groups ? first + i : first + i - fs->groups;
			struct ext4_group *g = &fs->group[group];

			if (READ_ONCE(g->longest) < (i || pass ? need : 1) ||
			    (READ_ONCE(g->flags) & GROUP_BLOCKS_BAD) ||
			    !ext4_desc_free_blocks(fs, ext4_desc(fs, group, NULL)))
				continue;
			s = (struct search){ .need = need, .want = want };
			if (!i) {
				s.goal = (u32)(goal - ext4_group_first(fs, group));
				s.exact = !pass;
			}
			err = take_from_group(h, fs, group, &s);
			if (err == 1)
				continue;
			if (err)
				goto out_unclaim;
			*out = ext4_group_first(fs, group) + s.at;
			goto found;
		}
		if (want == 1)
			break;
	}
	err = -ENOSPC;
out_unclaim:
	if (how != CLAIM_DONE)
		ext4_unclaim(fs, want);
	return err;
found:
	if (how != CLAIM_DONE)
		ext4_unclaim(fs, want - s.len);
	*len = s.len;
	if (n->inode)
		ext4_add_blocks(n->inode, s.len);
	return 0;
}

/* --- freeing --- */

struct freed {
	struct journal_callback callback;
	struct ext4_fs *fs;
	u32 group, at, len;
};

static void
discard(struct ext4_fs *fs, u32 group, u32 at, u32 len)
{
	u32 shift = fs->block_bits - SECTOR_SHIFT;

	(void)block_discard(fs->dev, (ext4_group_first(fs, group) + at) << shift,
			    (u64)len << shift);
}

/* The transaction is on the disk (or nothing will be, any more). */
static void
freed_committed(struct journal_callback *cb, int error)
{
	struct freed *f = container_of(cb, struct freed, callback);
	struct ext4_fs *fs = f->fs;
	struct ext4_group *g = &fs->group[f->group];

	if (!error && (fs->options.flags & OPT_DISCARD))
		discard(fs, f->group, f->at, f->len);
	spin_lock(&g->lock);
	bitmap_clear(g->pending, f->at, f->len);
	g->longest = UINT32_MAX;
	spin_unlock(&g->lock);
	atomic64_sub(&fs->pending, f->len);
	ext4_unclaim(fs, f->len);
	kfree(f);
}

static int
free_in_group(struct journal_handle *h, struct ext4_fs *fs, u32 group, u32 at, u32 len, u32 ino)
{
	struct ext4_group *g = &fs->group[group];
	struct buffer *gdb, *map;
	struct ext4_group_desc *gd = ext4_desc(fs, group, &gdb);
	unsigned long *pending = NULL;
	struct freed *f = NULL;
	bool was_free;
	int err = ext4_block_bitmap(fs, group, &map);

	if (err)
		return err;
	if (fs->journal) {
		f = kmalloc(sizeof(*f), GFP_NOFS | GFP_NOFAIL);
		if (!READ_ONCE(g->pending))
			pending = kzalloc(fs->block_size, GFP_NOFS | GFP_NOFAIL);
		err = -ENOMEM;
		if (!f || (!READ_ONCE(g->pending) && !pending))
			goto out;
	}
	err = ext4_access(h, map);
	if (!err)
		err = ext4_access(h, gdb);
	if (err)
		goto out;
	spin_lock(&g->lock);
	if (pending && !g->pending) {
		g->pending = pending;
		pending = NULL;
	}
	was_free = find_next_zero_bit((unsigned long *)map->data, at + len, at) < at + len;
	if (!was_free) {
		bitmap_clear((unsigned long *)map->data, at, len);
		if (f)
			bitmap_set(g->pending, at, len);
		else
			g->longest = UINT32_MAX;
		ext4_desc_set_free_blocks(fs, gd, ext4_desc_free_blocks(fs, gd) + len);
		ext4_block_bitmap_seal(fs, gd, map);
		ext4_desc_seal(fs, group, gd);
	}
	spin_unlock(&g->lock);
	if (was_free) {
		err = ext4_corrupt(fs, ino, ext4_group_first(fs, group) + at,
				   "freeing blocks that are free already");
		goto out;
	}
	err = ext4_dirty(h, map);
	if (!err)
		err = ext4_dirty(h, gdb);
	if (f) {
		f->fs = fs;
		f->group = group;
		f->at = at;
		f->len = len;
		atomic64_add(&fs->pending, len);
		journal_add_callback(h, &f->callback, freed_committed);
		f = NULL;
	} else {
		if (fs->options.flags & OPT_DISCARD)
			discard(fs, group, at, len);
		ext4_unclaim(fs, len);
	}
out:
	kfree(pending);
	kfree(f);
	buffer_put(map);
	return err;
}

int
ext4_free_blocks(struct journal_handle *h, struct ext4_node *n, u64 block, u32 len, u32 flags)
{
	struct ext4_fs *fs = n->fs;
	int err = 0;

	if (!ext4_blocks_valid(fs, block, len))
		return ext4_corrupt(fs, n->ino, block, "freeing blocks that do not exist");
	if (n->inode)
		ext4_add_blocks(n->inode, -(s64)len);
	if (flags & FREE_METADATA) {
		for (u32 i = 0; i < len && !err; i++)
			err = ext4_forget(fs, h, block + i);
	}
	while (len && !err) {
		u64 relative = block - fs->first_data_block;
		u32 group = (u32)(relative / fs->blocks_per_group),
		    at = (u32)(relative % fs->blocks_per_group),
		    part = MIN(len, fs->blocks_per_group - at);

		err = free_in_group(h, fs, group, at, part, n->ino);
		block += part;
		len -= part;
	}
	return err;
}

/* --- FITRIM --- */

/* Free runs of the group are kept away from others while the device forgets them. */
static long
trim_group(struct ext4_fs *fs, u32 group, u32 from, u32 to, u32 min_len, u64 *trimmed)
{
	struct ext4_group *g = &fs->group[group];
	struct buffer *map;
	int err = ext4_block_bitmap(fs, group, &map);

	if (err)
		return err == -EFSCORRUPTED || err == -EFSBADCRC ? 0 : err;
	while (from < to) {
		unsigned long *fresh = g->pending ? NULL : kzalloc(fs->block_size, GFP_KERNEL);
		u32 end;

		spin_lock(&g->lock);
		if (!g->pending) {
			g->pending = fresh;
			fresh = NULL;
		}
		if (!g->pending) {
			spin_unlock(&g->lock);
			buffer_put(map);
			return -ENOMEM;
		}
		from = next_in((unsigned long *)map->data, g->pending, to, from, false);
		end = next_in((unsigned long *)map->data, g->pending, to, from, true);
		if (end - from >= min_len)
			bitmap_set(g->pending, from, end - from);
		spin_unlock(&g->lock);
		kfree(fresh);
		if (from < to && end - from >= min_len) {
			u32 shift = fs->block_bits - SECTOR_SHIFT;

			err = block_discard(fs->dev, (ext4_group_first(fs, group) + from) << shift,
					    (u64)(end - from) << shift);
			spin_lock(&g->lock);
			bitmap_clear(g->pending, from, end - from);
			spin_unlock(&g->lock);
			if (err)
				break;
			*trimmed += (u64)(end - from) << fs->block_bits;
		}
		from = end;
	}
	buffer_put(map);
	return err;
}

long
ext4_trim(struct ext4_fs *fs, u64 start, u64 len, u64 min_len, u64 *trimmed)
{
	u64 first = MAX(start >> fs->block_bits, (u64)fs->first_data_block),
	    end = MIN(fs->blocks, (start >> fs->block_bits) + (len >> fs->block_bits));
	u32 min_blocks = (u32)MAX(MIN(min_len >> fs->block_bits, (u64)fs->blocks_per_group), 1ul);
	long err = 0;

	while (first < end && !err) {
		u32 group = (u32)((first - fs->first_data_block) / fs->blocks_per_group),
		    from = (u32)(first - ext4_group_first(fs, group)),
		    to = (u32)MIN((u64)ext4_group_blocks(fs, group),
				  end - ext4_group_first(fs, group));

		err = trim_group(fs, group, from, to, min_blocks, trimmed);
		first = ext4_group_first(fs, group) + to;
	}
	return err;
}
