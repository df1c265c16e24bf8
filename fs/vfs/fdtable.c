/* SPDX-License-Identifier: MIT */
/*
 * Descriptor tables. close(2), dup(2), close_range(2).
 *
 * Idea. A table that one task uses is changed by that task alone: no lock, and a descriptor that
 * the task itself looks up cannot be closed under it, so no reference either. "One user" is ref ==
 * 1; it grows only by the task's own clone, or by a reader of another task's table (/proc/PID/fd),
 * who changes nothing. With more users changes take the lock, and look-ups take a reference under
 * RCU.
 *
 * Look-up under RCU: read the slot, take a reference unless the count is 0, read the slot again.
 * struct file memory stays a struct file for a grace period, so the count is a count; if the slot
 * still holds the same pointer, the reference is on what the descriptor names now.
 *
 * The lowest free descriptor: a bit per descriptor, and a bit per word of those that says "full",
 * so that a million open files cost a few hundred words to search, and the common case none:
 * everything below `next` is taken.
 *
 * A reserved descriptor has its bit and an empty slot: nobody finds it, dup2 onto it says EBUSY.
 */
#include "core/panic.h"
#include "fd_bitmap.h"
#include "generated/syscalls.h"
#include "lib/bitmap.h"
#include "sched/sched.h"
#include "vfs_internal.h"

#define FIRST_SIZE 64

struct fd_array {
	struct fd_bitmap map;
	struct file **files;
	unsigned long *cloexec;
	struct rcu_head rcu;
};

struct fd_table {
	struct ref ref;
	struct spinlock lock;
	struct fd_array *array; /* replaced by bigger ones */
	u32 next;		/* no free descriptor is below */
	struct fd_array first;
	struct file *first_files[FIRST_SIZE];
	unsigned long first_open, first_cloexec, first_full;
};

static inline bool
lock_if_shared(struct fd_table *t)
{
	if (likely(ref_read(&t->ref) == 1))
		return false;
	spin_lock(&t->lock);
	return true;
}

static inline void
unlock_if(struct fd_table *t, bool locked)
{
	if (unlikely(locked))
		spin_unlock(&t->lock);
}

/* --- arrays --- */

static struct fd_array *
array_alloc(u32 size)
{
	u32 words = size / 64, full_words = DIV_ROUND_UP(words, 64);
	size_t bytes = sizeof(struct fd_array) + size * sizeof(struct file *) +
		       (words * 2 + full_words) * sizeof(unsigned long);
	struct fd_array *a = kvmalloc(bytes, GFP_KERNEL | GFP_ZERO);

	if (!a)
		return NULL;
	a->map.size = size;
	a->files = (struct file **)(a + 1);
	a->map.open = (unsigned long *)(a->files + size);
	a->cloexec = a->map.open + words;
	a->map.full = a->cloexec + words;
	return a;
}

static void
array_free_rcu(struct rcu_head *head)
{
	kvfree(container_of(head, struct fd_array, rcu));
}

static void
array_drop(struct fd_table *t, struct fd_array *a)
{
	if (a != &t->first)
		rcu_call(&a->rcu, array_free_rcu);
}

static void
array_copy(struct fd_array *to, const struct fd_array *from)
{
	u32 words = from->map.size / 64;

	memcpy(to->files, from->files, from->map.size * sizeof(struct file *));
	memcpy(to->map.open, from->map.open, words * sizeof(unsigned long));
	memcpy(to->cloexec, from->cloexec, words * sizeof(unsigned long));
	memcpy(to->map.full, from->map.full, DIV_ROUND_UP(words, 64) * sizeof(unsigned long));
}

/* Room for descriptor fd. Called without the lock. */
static int
grow(struct fd_table *t, u32 fd)
{
	u32 size = ALIGN_UP(fd + 1, 64u);
	struct fd_array *a, *old;
	bool locked;

	size = MAX(size, READ_ONCE(t->array)->map.size * 2);
	a = array_alloc(size);
	if (!a)
		return -ENOMEM;
	locked = lock_if_shared(t);
	old = t->array;
	if (old->map.size >= size) {
		unlock_if(t, locked);
		kvfree(a);
		return 0;
	}
	array_copy(a, old);
	smp_store_release(&t->array, a);
	unlock_if(t, locked);
	array_drop(t, old);
	return 0;
}

static inline void
mark_open(struct fd_array *a, u32 fd, bool cloexec)
{
	fd_bitmap_set(&a->map, fd);
	if (cloexec)
		bitmap_set_bit(fd, a->cloexec);
	else
		bitmap_clear_bit(fd, a->cloexec);
}

static inline void
mark_free(struct fd_table *t, struct fd_array *a, u32 fd)
{
	fd_bitmap_clear(&a->map, fd);
	bitmap_clear_bit(fd, a->cloexec);
	if (fd < t->next)
		t->next = fd;
}

/* --- tables --- */

struct fd_table *
fd_table_create(void)
{
	struct fd_table *t = kzalloc(sizeof(*t), GFP_KERNEL);

	if (!t)
		return NULL;
	ref_init(&t->ref);
	spin_init(&t->lock, RANK_FD_TABLE);
	t->first = (struct fd_array){
		.map = { FIRST_SIZE, &t->first_open, &t->first_full },
		.files = t->first_files,
		.cloexec = &t->first_cloexec,
	};
	t->array = &t->first;
	return t;
}

/* One past the last descriptor in use below max. */
static u32
used_size(const struct fd_array *a, u32 max)
{
	size_t last = find_last_bit(a->map.open, a->map.size);

	return last >= a->map.size ? 0 : MIN((u32)last + 1, max);
}

int
fd_table_dup(struct fd_table *old, u32 max_fd, struct fd_table **out)
{
	struct fd_table *t = fd_table_create();
	const struct fd_array *from;
	struct fd_array *a;
	bool locked;
	u32 used, fd;

	if (!t)
		return -ENOMEM;
	for (;;) {
		locked = lock_if_shared(old);
		from = old->array;
		used = used_size(from, max_fd);
		if (used <= t->array->map.size)
			break;
		unlock_if(old, locked);
		a = array_alloc(ALIGN_UP(used, 64u));
		if (t->array != &t->first)
			kvfree(t->array);
		t->array = a ? a : &t->first;
		if (!a) {
			fd_table_put(t);
			return -ENOMEM;
		}
	}
	a = t->array;
	for (u32 word = 0; word * 64 < used; word++) {
		for (unsigned long bits = from->map.open[word]; bits; bits &= bits - 1) {
			struct file *f;

			fd = word * 64 + (u32)__builtin_ctzl(bits);
			if (fd >= used)
				break;
			f = from->files[fd];
			if (!f)
				continue; /* reserved by a thread that stays behind */
			file_get(f);
			a->files[fd] = f;
			mark_open(a, fd, test_bit(fd, from->cloexec));
		}
	}
	unlock_if(old, locked);
	*out = t;
	return 0;
}

struct fd_table *
fd_table_get(struct fd_table *t)
{
	ref_get(&t->ref);
	return t;
}

/* A descriptor of table t is gone. */
static int
close_file(struct file *f, const struct fd_table *t)
{
	int err = 0;

	if (!(f->mode & FMODE_PATH)) {
		if (f->ops->flush)
			err = f->ops->flush(f);
		if (unlikely(READ_ONCE(f->inode->locks)))
			locks_release_posix(f, t);
		if (unlikely(READ_ONCE(f->owner)))
			dnotify_close(f, t);
	}
	file_put(f);
	return err;
}

void
fd_table_put(struct fd_table *t)
{
	struct fd_array *a;

	if (!ref_put(&t->ref))
		return;
	a = t->array; /* not before: the others could still make it grow */
	for (u32 word = 0; word < a->map.size / 64; word++) {
		for (unsigned long bits = a->map.open[word]; bits; bits &= bits - 1) {
			struct file *f = a->files[word * 64 + (u32)__builtin_ctzl(bits)];

			if (f)
				close_file(f, t);
		}
		sched_cond_resched();
	}
	if (a != &t->first)
		kvfree(a);
	kfree_rcu(t, first.rcu);
}

void
fd_table_close_on_exec(struct fd_table *t)
{
	for (u32 word = 0; word < t->array->map.size / 64; word++) {
		struct fd_array *a = t->array;
		unsigned long bits = a->cloexec[word] & a->map.open[word];

		a->cloexec[word] = 0;
		for (; bits; bits &= bits - 1) {
			u32 fd = word * 64 + (u32)__builtin_ctzl(bits);
			struct file *f = a->files[fd];

			WRITE_ONCE(a->files[fd], NULL);
			mark_free(t, a, fd);
			if (f)
				close_file(f, t);
		}
	}
}

/* The current task's table becomes its own, with the descriptors below max. */
static int
unshare_below(u32 max)
{
	struct fd_table *t = current->files, *own;
	unsigned long irq;
	int err;

	if (ref_read(&t->ref) == 1)
		return 0;
	err = fd_table_dup(t, max, &own);
	if (err)
		return err;
	irq = spin_lock_irqsave(&current->lock);
	current->files = own;
	spin_unlock_irqrestore(&current->lock, irq);
	fd_table_put(t);
	return 0;
}

int
fd_table_unshare(void)
{
	return unshare_below(UINT32_MAX);
}

/* --- look-up --- */

static struct file *
find_rcu(struct fd_table *t, u32 fd)
{
	struct file *f;

	rcu_read_lock();
	for (;;) {
		struct fd_array *a = rcu_dereference(t->array);

		f = fd < a->map.size ? smp_load_acquire(&a->files[fd]) : NULL;
		if (!f)
			break;
		if (!ref_try_get(&f->ref))
			continue; /* closed this instant: the slot is empty or taken anew by now */
		if (likely(READ_ONCE(rcu_dereference(t->array)->files[fd]) == f))
			break;
		/* Not ours: it may be anybody's by now. Not the last reference in practice, and
		 * file_put copes if it is. */
		rcu_read_unlock();
		file_put(f);
		rcu_read_lock();
	}
	rcu_read_unlock();
	return f;
}

static inline struct fd_ref
lookup(int fd, u32 refused)
{
	struct fd_table *t = current->files;
	struct fd_ref r = { NULL, false };

	if (likely(ref_read(&t->ref) == 1)) {
		struct fd_array *a = t->array;

		if (likely((u32)fd < a->map.size))
			r.file = a->files[fd];
	} else {
		r.file = find_rcu(t, (u32)fd);
		r.referenced = r.file != NULL;
	}
	if (r.file && unlikely(r.file->mode & refused)) {
		fd_release(r);
		r = (struct fd_ref){ NULL, false };
	}
	return r;
}

struct fd_ref
fd_lookup(int fd)
{
	return lookup(fd, FMODE_PATH);
}

struct fd_ref
fd_lookup_path(int fd)
{
	return lookup(fd, 0);
}

struct file *
fd_find(int fd)
{
	struct fd_ref r = fd_lookup(fd);

	if (r.file && !r.referenced)
		file_get(r.file);
	return r.file;
}

struct file *
fd_table_find(struct fd_table *t, int fd)
{
	return find_rcu(t, (u32)fd);
}

u32
fd_table_size(struct fd_table *t)
{
	rcu_read_lock();
	u32 size = (u32)rcu_dereference(t->array)->map.size;
	rcu_read_unlock();
	return size;
}

int
fd_table_next(struct fd_table *t, int fd)
{
	struct fd_array *a;
	size_t next;

	rcu_read_lock();
	a = rcu_dereference(t->array);
	next = find_next_bit(a->map.open, a->map.size, (u32)fd);
	while (next < a->map.size && !READ_ONCE(a->files[next]))
		next = find_next_bit(a->map.open, a->map.size, next + 1);
	if (next >= a->map.size)
		next = (size_t)-1;
	rcu_read_unlock();
	return (int)next;
}

bool
fd_table_cloexec(struct fd_table *t, int fd)
{
	struct fd_array *a;
	bool set;

	rcu_read_lock();
	a = rcu_dereference(t->array);
	set = (u32)fd < a->map.size && test_bit((u32)fd, a->cloexec);
	rcu_read_unlock();
	return set;
}

/* F_SETFD; 0 or -EBADF. */
int
fd_set_cloexec(int fd, bool cloexec)
{
	struct fd_table *t = current->files;
	bool locked = lock_if_shared(t);
	struct fd_array *a = t->array;
	int err = -EBADF;

	if ((u32)fd < a->map.size && a->files[fd]) {
		if (cloexec)
			bitmap_set_bit((u32)fd, a->cloexec);
		else
			bitmap_clear_bit((u32)fd, a->cloexec);
		err = 0;
	}
	unlock_if(t, locked);
	return err;
}

/* --- reserve, install, close --- */

int
fd_reserve(int min, bool cloexec)
{
	struct fd_table *t = current->files;
	u64 limit = rlimit_current(RLIMIT_NOFILE);
	u32 end = (u32)MIN(limit, (u64)INT32_MAX - 63), fd;
	bool locked;

	for (;;) {
		struct fd_array *a;

		locked = lock_if_shared(t);
		a = t->array;
		fd = fd_bitmap_find_free(&a->map, MAX((u32)min, t->next));
		if (unlikely(fd >= end)) {
			unlock_if(t, locked);
			return -EMFILE;
		}
		if (likely(fd < a->map.size)) {
			mark_open(a, fd, cloexec);
			if ((u32)min <= t->next)
				t->next = fd + 1;
			unlock_if(t, locked);
			return (int)fd;
		}
		unlock_if(t, locked);
		if (grow(t, fd))
			return -EMFILE;
	}
}

void
fd_install(int fd, struct file *f)
{
	struct fd_table *t = current->files;
	bool locked = lock_if_shared(t);

	smp_store_release(&t->array->files[fd], f);
	unlock_if(t, locked);
}

void
fd_cancel(int fd)
{
	struct fd_table *t = current->files;
	bool locked = lock_if_shared(t);

	mark_free(t, t->array, (u32)fd);
	unlock_if(t, locked);
}

int
fd_add(struct file *f, bool cloexec)
{
	int fd = fd_reserve(0, cloexec);

	if (fd < 0)
		file_put(f);
	else
		fd_install(fd, f);
	return fd;
}

/* The file out of its slot, or NULL. */
static struct file *
take(struct fd_table *t, u32 fd)
{
	bool locked = lock_if_shared(t);
	struct fd_array *a = t->array;
	struct file *f = NULL;

	if (fd < a->map.size && (f = a->files[fd])) {
		WRITE_ONCE(a->files[fd], NULL);
		mark_free(t, a, fd);
	}
	unlock_if(t, locked);
	return f;
}

int
fd_close(int fd)
{
	struct file *f = take(current->files, (u32)fd);

	return f ? close_file(f, current->files) : -EBADF;
}

/* Put f (a reference is taken over) at fd in place of what is there. */
static int
replace(u32 fd, struct file *f, bool cloexec)
{
	struct fd_table *t = current->files;
	struct fd_array *a;
	struct file *old;
	bool locked;

	if (fd >= READ_ONCE(t->array)->map.size && grow(t, fd)) {
		file_put(f);
		return -EMFILE;
	}
	locked = lock_if_shared(t);
	a = t->array;
	old = a->files[fd];
	if (!old && test_bit(fd, a->map.open)) {
		unlock_if(t, locked);
		file_put(f);
		return -EBUSY;
	}
	smp_store_release(&a->files[fd], f);
	mark_open(a, fd, cloexec);
	unlock_if(t, locked);
	if (old)
		close_file(old, t);
	return (int)fd;
}

int
fd_dup_above(int fd, int min, bool cloexec)
{
	struct fd_ref r = fd_lookup_path(fd);
	int new;

	if (!r.file)
		return -EBADF;
	new = fd_reserve(min, cloexec);
	if (new >= 0) {
		file_get(r.file);
		fd_install(new, r.file);
	}
	fd_release(r);
	return new;
}

/* --- system calls --- */

long
sys_close(int fd)
{
	int err = fd_close(fd);

	/* The descriptor is gone in any case: nothing to restart. */
	if (unlikely(err <= -ERESTARTSYS))
		err = -EINTR;
	return err;
}

long
sys_dup(int fd)
{
	return fd_dup_above(fd, 0, false);
}

static long
dup_onto(int old, int new, bool cloexec)
{
	struct fd_ref r;

	if ((u32) new >= rlimit_current(RLIMIT_NOFILE))
		return -EBADF;
	r = fd_lookup_path(old);
	if (!r.file)
		return -EBADF;
	if (!r.referenced)
		file_get(r.file);
	return replace((u32) new, r.file, cloexec);
}

long
sys_dup2(int old, int new)
{
	if (old == new) {
		struct fd_ref r = fd_lookup_path(old);

		fd_release(r);
		return r.file ? new : -EBADF;
	}
	return dup_onto(old, new, false);
}

long
sys_dup3(int old, int new, int flags)
{
	if ((flags & ~O_CLOEXEC) || old == new)
		return -EINVAL;
	return dup_onto(old, new, flags & O_CLOEXEC);
}

static void
mark_range_cloexec(struct fd_table *t, u32 first, u32 last)
{
	bool locked = lock_if_shared(t);
	struct fd_array *a = t->array;

	last = MIN(last, a->map.size - 1);
	if (first <= last)
		bitmap_set(a->cloexec, first, last - first + 1);
	unlock_if(t, locked);
}

static void
close_range_of(struct fd_table *t, u32 first, u32 last)
{
	for (;;) {
		int fd = fd_table_next(t, (int)first);

		if (fd < 0 || (u32)fd > last)
			break;
		fd_close(fd);
		first = (u32)fd + 1;
		sched_cond_resched();
	}
}

long
sys_close_range(unsigned int first, unsigned int last, unsigned int flags)
{
	struct fd_table *t;

	if ((flags & ~(CLOSE_RANGE_UNSHARE | CLOSE_RANGE_CLOEXEC)) || first > last)
		return -EINVAL;
	if (flags & CLOSE_RANGE_UNSHARE) {
		/* Do not copy what would be closed at once. */
		bool rest = !(flags & CLOSE_RANGE_CLOEXEC) &&
			    last >= READ_ONCE(current->files->array)->map.size - 1;
		int err = unshare_below(rest ? first : UINT32_MAX);

		if (err)
			return err;
	}
	t = current->files;
	if (first > INT32_MAX)
		return 0;
	if (flags & CLOSE_RANGE_CLOEXEC)
		mark_range_cloexec(t, first, last);
	else
		close_range_of(t, first, last);
	return 0;
}
