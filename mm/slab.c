/* SPDX-License-Identifier: MIT */
/*
 * Slab allocator: caches of equal-sized kernel objects.
 *
 * Three layers. A magazine per CPU and cache is a small stack of free objects: allocation and
 * freeing are a pop and a push with interrupts off, no lock and no shared line. Behind it a depot,
 * the list of slabs with free objects, under the cache's lock: it is touched for half a magazine at
 * a time. A slab is a block of 2^order pages cut into objects; its struct page holds the free list
 * (index), the count in use (private), the owner (slab_cache) and the list node.
 *
 * Magazines are found through one per-CPU array indexed by the cache's number, and are made when a
 * CPU first frees or allocates in that cache, so that an unused cache costs nothing on 64 CPUs.
 *
 * The link of a free object lies in its first word; caches whose objects must keep their contents
 * while free (a constructor, SLAB_RCU_TYPESAFE) have it behind the object. SLAB_RCU_TYPESAFE slabs
 * return to the page allocator after a grace period only.
 *
 * Debug builds fill free objects with a pattern and check it at allocation, and keep a guard word
 * behind each object: use after free, double free and overrun are caught near the culprit.
 *
 * Locking: cache->lock, interrupts off, RANK_SLAB; the page allocator is called outside of it.
 */
#include "mm/slab.h"
#include "arch/cpu.h"
#include "core/spinlock.h"
#include "lib/math.h"
#include "lib/string.h"
#include "lib/xarray.h"
#include "mm_internal.h"

#define MAX_CACHES	128
#define CACHE_LINE	64u
#define KEEP_FREE_SLABS 2 /* wholly free slabs that a cache holds on to */

struct magazine {
	u32 count, size;
	void *object[];
};

struct kmem_cache {
	u32 id;	      /* [I] index of the magazines */
	u32 flags;    /* [I] */
	u32 size;     /* [I] what the user asked for */
	u32 stride;   /* [I] from object to object */
	u32 link;     /* [I] offset of the free link */
	u16 per_slab; /* [I] */
	u8 order;     /* [I] */
	bool plain;   /* [I] no constructor, not RCU: contents of a free object do not matter */
	u32 magazine_size;    /* [I] */
	const char *name;     /* [I] */
	void (*ctor)(void *); /* [I] */

	struct spinlock lock;
	struct list partial;   /* [lock] slabs with free objects */
	u32 slabs, free_slabs; /* [lock] all; wholly free ones on partial */
	u64 slab_objects;      /* [lock] objects out of the slabs: in use or in magazines */
};

static DEFINE_PERCPU(struct magazine *, magazines[MAX_CACHES]);
static struct kmem_cache caches[MAX_CACHES];
static u32 cache_count;
static struct spinlock caches_lock = SPINLOCK_INIT(RANK_SLAB);
static struct kmem_cache *magazine_cache[3], *xa_node_cache;

#define POISON_FREE 0x6b
#define GUARD	    0xa5c35a3cdeadbeeful

/* ---- debug checks ---- */

#ifdef KEVLAR_DEBUG
static u64 *
guard_of(const struct kmem_cache *c, void *obj)
{
	return (u64 *)((char *)obj + ALIGN_UP(c->size, 8));
}

static void
object_check_alloc(const struct kmem_cache *c, void *obj)
{
	if (!c->plain)
		return;
	if (*guard_of(c, obj) != ~GUARD)
		panic("slab %s: object %p is on the free list but was not freed", c->name, obj);
	*guard_of(c, obj) = GUARD;
	if (c->size > 8) {
		void *bad = memchr_inv((char *)obj + 8, POISON_FREE, c->size - 8);

		if (bad)
			panic("slab %s: object %p was written at +%lu after it was freed", c->name,
			      obj, (unsigned long)((char *)bad - (char *)obj));
	}
	memset(obj, 0x5a, c->size);
}

static void
object_check_free(const struct kmem_cache *c, void *obj)
{
	struct page *slab = virt_to_page(obj);

	if (page_flag(slab, PG_TAIL))
		slab = slab->head;
	if (!page_flag(slab, PG_SLAB) || slab->slab_cache != c)
		panic("slab %s: %p freed here is none of its objects", c->name, obj);
	if (!c->plain)
		return;
	if (*guard_of(c, obj) != GUARD)
		panic("slab %s: object %p %s", c->name, obj,
		      *guard_of(c, obj) == ~GUARD ? "is freed twice" : "was overrun");
	*guard_of(c, obj) = ~GUARD;
	memset(obj, POISON_FREE, c->size);
}

static void
object_check_new(const struct kmem_cache *c, void *obj)
{
	if (!c->plain)
		return;
	*guard_of(c, obj) = ~GUARD;
	memset(obj, POISON_FREE, c->size);
}
#else
static inline void
object_check_alloc(const struct kmem_cache *c, void *obj)
{
}
static inline void
object_check_free(const struct kmem_cache *c, void *obj)
{
}
static inline void
object_check_new(const struct kmem_cache *c, void *obj)
{
}
#endif

/* ---- slabs ---- */

static inline void **
link_of(const struct kmem_cache *c, void *obj)
{
	return (void **)((char *)obj + c->link);
}

static struct page *
slab_create(struct kmem_cache *c, u32 gfp)
{
	struct page *slab = page_alloc(c->order, gfp & ~GFP_ZERO);
	char *base;
	void *next = NULL;

	if (!slab)
		return NULL;
	base = page_to_virt(slab);
	for (u32 i = c->per_slab; i-- > 0;) {
		void *obj = base + i * c->stride;

		if (c->ctor)
			c->ctor(obj);
		object_check_new(c, obj);
		*link_of(c, obj) = next;
		next = obj;
	}
	slab->slab_cache = c;
	slab->index = (u64)(uintptr_t)next;
	slab->private = 0;
	page_set_flag(slab, PG_SLAB);
	mem_count(c->flags & SLAB_RECLAIMABLE ? MC_SLAB_RECLAIMABLE : MC_SLAB_UNRECLAIMABLE,
		  1l << c->order);
	return slab;
}

static void
slab_free_pages(struct page *slab, u32 order)
{
	page_clear_flag(slab, PG_SLAB);
	page_free(slab, order);
}

static void
slab_free_rcu(struct rcu_head *head)
{
	struct page *slab = container_of(head, struct page, rcu);

	slab_free_pages(slab, ((struct kmem_cache *)slab->slab_cache)->order);
}

/* Off all lists already. */
static void
slab_destroy(struct kmem_cache *c, struct page *slab)
{
	mem_count(c->flags & SLAB_RECLAIMABLE ? MC_SLAB_RECLAIMABLE : MC_SLAB_UNRECLAIMABLE,
		  -(1l << c->order));
	if (c->flags & SLAB_RCU_TYPESAFE)
		rcu_call(&slab->rcu, slab_free_rcu);
	else
		slab_free_pages(slab, c->order);
}

/* Lock held. Up to n objects from the partial slabs. */
static u32
depot_take(struct kmem_cache *c, void **out, u32 n)
{
	u32 got = 0;

	while (got < n && !list_empty(&c->partial)) {
		struct page *slab = list_first_entry(&c->partial, struct page, lru);

		if (!slab->private)
			c->free_slabs--;
		while (got < n && slab->index) {
			void *obj = (void *)(uintptr_t)slab->index;

			slab->index = (u64)(uintptr_t)*link_of(c, obj);
			slab->private ++;
			out[got++] = obj;
		}
		if (!slab->index)
			list_unlink(&slab->lru);
	}
	c->slab_objects += got;
	return got;
}

/* Lock held. A slab to destroy is returned through *empty (chained by lru.next). */
static void
depot_put(struct kmem_cache *c, void *obj, struct page **empty)
{
	struct page *slab = virt_to_page(obj);

	if (page_flag(slab, PG_TAIL))
		slab = slab->head;
	if (!slab->index)
		list_add(&slab->lru, &c->partial);
	*link_of(c, obj) = (void *)(uintptr_t)slab->index;
	slab->index = (u64)(uintptr_t)obj;
	c->slab_objects--;
	if (--slab->private)
		return;
	if (c->free_slabs < KEEP_FREE_SLABS) {
		c->free_slabs++;
		/* To the end: partly used slabs are filled first. */
		list_move_tail(&slab->lru, &c->partial);
		return;
	}
	list_unlink(&slab->lru);
	c->slabs--;
	slab->lru.next = (struct list *)*empty;
	*empty = slab;
}

static void
depot_put_many(struct kmem_cache *c, void **objects, u32 n)
{
	struct page *empty = NULL;
	unsigned long flags = spin_lock_irqsave(&c->lock);

	for (u32 i = 0; i < n; i++)
		depot_put(c, objects[i], &empty);
	spin_unlock_irqrestore(&c->lock, flags);
	while (empty) {
		struct page *slab = empty;

		empty = (struct page *)slab->lru.next;
		slab_destroy(c, slab);
	}
}

/* Up to n objects, with a new slab if there is no other way. */
static u32
depot_fetch(struct kmem_cache *c, void **out, u32 n, u32 gfp)
{
	for (;;) {
		unsigned long flags = spin_lock_irqsave(&c->lock);
		u32 got = depot_take(c, out, n);
		struct page *slab;

		spin_unlock_irqrestore(&c->lock, flags);
		if (got)
			return got;
		slab = slab_create(c, gfp);
		if (!slab)
			return 0;
		flags = spin_lock_irqsave(&c->lock);
		list_add(&slab->lru, &c->partial);
		c->slabs++;
		c->free_slabs++;
		spin_unlock_irqrestore(&c->lock, flags);
	}
}

/* ---- magazines ---- */

/* Sizes of the magazines themselves: their caches have no magazines. */
static struct kmem_cache *
magazine_cache_for(u32 size)
{
	return magazine_cache[size <= 14 ? 0 : size <= 30 ? 1 : 2];
}

static void
magazine_create(struct kmem_cache *c)
{
	struct magazine *m = NULL;
	unsigned long flags;

	if (!magazine_cache[2] || !c->magazine_size)
		return;
	if (!depot_fetch(magazine_cache_for(c->magazine_size), (void **)&m, 1,
			 GFP_ATOMIC | GFP_NOWARN))
		return;
	object_check_alloc(magazine_cache_for(c->magazine_size), m);
	m->count = 0;
	m->size = c->magazine_size;
	flags = arch_irq_save();
	if (!this_cpu_read(magazines[c->id])) {
		this_cpu_write(magazines[c->id], m);
		m = NULL;
	}
	arch_irq_restore(flags);
	if (m) {
		/* Moved to another CPU, or an interrupt was faster. */
		object_check_free(magazine_cache_for(c->magazine_size), m);
		depot_put_many(magazine_cache_for(c->magazine_size), (void **)&m, 1);
	}
}

static __noinline void *
alloc_slow(struct kmem_cache *c, u32 gfp)
{
	void *objects[32];
	struct magazine *m;
	unsigned long flags;
	u32 got, want;

	if (unlikely(!this_cpu_read(magazines[c->id])))
		magazine_create(c);
	want = MIN(c->magazine_size / 2 + 1, (u32)ARRAY_SIZE(objects));
	got = depot_fetch(c, objects, want, gfp);
	if (!got)
		return NULL;
	/* Whatever CPU this is now. */
	flags = arch_irq_save();
	m = this_cpu_read(magazines[c->id]);
	while (m && got > 1 && m->count < m->size)
		m->object[m->count++] = objects[--got];
	arch_irq_restore(flags);
	if (unlikely(got > 1))
		depot_put_many(c, objects + 1, got - 1);
	return objects[0];
}

static __noinline void
free_slow(struct kmem_cache *c, void *obj)
{
	void *objects[33];
	struct magazine *m;
	unsigned long flags;
	u32 n = 0;

	if (unlikely(!this_cpu_read(magazines[c->id])))
		magazine_create(c);
	flags = arch_irq_save();
	m = this_cpu_read(magazines[c->id]);
	if (m && m->count < m->size) {
		m->object[m->count++] = obj;
	} else {
		objects[n++] = obj;
		/* The older half: what was freed last is warm. */
		if (m) {
			u32 half = MIN(m->size / 2, 32u);

			memcpy(objects + n, m->object, half * sizeof(void *));
			memmove(m->object, m->object + half, (m->count - half) * sizeof(void *));
			m->count -= half;
			n += half;
		}
	}
	arch_irq_restore(flags);
	if (n)
		depot_put_many(c, objects, n);
}

static __always_inline void *
cache_alloc(struct kmem_cache *c, u32 gfp)
{
	unsigned long flags = arch_irq_save();
	struct magazine *m = this_cpu_read(magazines[c->id]);
	void *obj;

	if (likely(m && m->count)) {
		obj = m->object[--m->count];
		arch_irq_restore(flags);
	} else {
		arch_irq_restore(flags);
		obj = alloc_slow(c, gfp);
		if (!obj)
			return NULL;
	}
	object_check_alloc(c, obj);
	return obj;
}

static __always_inline void
cache_free(struct kmem_cache *c, void *obj)
{
	unsigned long flags;
	struct magazine *m;

	object_check_free(c, obj);
	flags = arch_irq_save();
	m = this_cpu_read(magazines[c->id]);
	if (likely(m && m->count < m->size)) {
		m->object[m->count++] = obj;
		arch_irq_restore(flags);
		return;
	}
	arch_irq_restore(flags);
	free_slow(c, obj);
}

void *
kmem_cache_alloc(struct kmem_cache *c, u32 gfp)
{
	return cache_alloc(c, gfp);
}

void *
kmem_cache_zalloc(struct kmem_cache *c, u32 gfp)
{
	void *obj = cache_alloc(c, gfp);

	if (obj)
		memset(obj, 0, c->size);
	return obj;
}

void
kmem_cache_free(struct kmem_cache *c, void *obj)
{
	cache_free(c, obj);
}

/* ---- caches ---- */

static void
cache_init(struct kmem_cache *c, const char *name, size_t size, size_t align, u32 flags,
	   void (*ctor)(void *), u32 magazine)
{
	u32 body = (u32)ALIGN_UP(size, 8), order;

	ASSERT(size && size <= 16384 && is_pow2(MAX(align, 1ul)) && align <= PAGE_SIZE);
	c->name = name;
	c->size = (u32)size;
	c->flags = flags;
	c->ctor = ctor;
	c->plain = !ctor && !(flags & SLAB_RCU_TYPESAFE);
	c->link = 0;
	if (!c->plain) {
		c->link = body;
		body += 8;
	}
#ifdef KEVLAR_DEBUG
	if (c->plain)
		body += 8;
#endif
	c->stride = (u32)ALIGN_UP(body, MAX(align, 8ul));
	/*
	 * The smallest block that wastes at most an eighth, of at least 8 objects unless that is
	 * over 8 pages.
	 */
	for (order = 0; order < 3; order++) {
		u32 bytes = (u32)PAGE_SIZE << order;

		if (bytes / c->stride >= 8 && bytes % c->stride <= bytes / 8)
			break;
	}
	while (((u32)PAGE_SIZE << order) < c->stride)
		order++;
	c->order = (u8)order;
	c->per_slab = (u16)(((u32)PAGE_SIZE << order) / c->stride);
	c->magazine_size = magazine;
	spin_init(&c->lock, RANK_SLAB);
	list_init(&c->partial);
}

static u32
magazine_for(size_t size)
{
	return size <= 256 ? 62 : size <= 1024 ? 30 : 14;
}

static struct kmem_cache *
cache_new(void)
{
	unsigned long flags = spin_lock_irqsave(&caches_lock);
	struct kmem_cache *c;

	ASSERT(cache_count < MAX_CACHES);
	c = &caches[cache_count];
	c->id = cache_count++;
	spin_unlock_irqrestore(&caches_lock, flags);
	return c;
}

struct kmem_cache *
kmem_cache_create(const char *name, size_t size, size_t align, u32 flags, void (*ctor)(void *))
{
	struct kmem_cache *c = cache_new();

	cache_init(c, name, size, align, flags, ctor, magazine_for(size));
	return c;
}

bool
slab_info(u32 index, struct slab_info *out)
{
	struct kmem_cache *c;
	unsigned long flags;

	if (index >= READ_ONCE(cache_count))
		return false;
	c = &caches[index];
	if (!c->per_slab)
		return false;
	flags = spin_lock_irqsave(&c->lock);
	*out = (struct slab_info){
		.name = c->name,
		.active = c->slab_objects,
		.total = (u64)c->slabs * c->per_slab,
		.object_size = c->stride,
		.per_slab = c->per_slab,
		.pages_per_slab = 1u << c->order,
		.slabs = c->slabs,
	};
	spin_unlock_irqrestore(&c->lock, flags);
	return true;
}

/* ---- kmalloc: powers of two, and two sizes in between where most requests are ---- */

static const struct {
	u16 size;
	const char *name;
} kmalloc_sizes[] = {
	{ 8, "kmalloc-8" },	{ 16, "kmalloc-16" },	{ 32, "kmalloc-32" },
	{ 64, "kmalloc-64" },	{ 96, "kmalloc-96" },	{ 128, "kmalloc-128" },
	{ 192, "kmalloc-192" }, { 256, "kmalloc-256" }, { 512, "kmalloc-512" },
	{ 1024, "kmalloc-1k" }, { 2048, "kmalloc-2k" }, { 4096, "kmalloc-4k" },
	{ 8192, "kmalloc-8k" },
};
#define KMALLOC_MAX_SLAB 8192ul
static struct kmem_cache *kmalloc_caches[ARRAY_SIZE(kmalloc_sizes)];
static u8 kmalloc_small[256 / 8 + 1]; /* (size + 7) / 8 to class */

static inline struct kmem_cache *
kmalloc_cache(size_t size)
{
	if (likely(size <= 256))
		return kmalloc_caches[kmalloc_small[(size + 7) / 8]];
	return kmalloc_caches[ilog2_up(size) - 1];
}

static __noinline void *
kmalloc_pages(size_t size, u32 gfp)
{
	u32 order = ilog2_up(DIV_ROUND_UP(size, PAGE_SIZE));

	if (order >= BUDDY_ORDERS)
		return NULL;
	return pages_alloc(order, gfp);
}

void *
kmalloc(size_t size, u32 gfp)
{
	void *p;

	if (unlikely(size > KMALLOC_MAX_SLAB))
		return kmalloc_pages(size, gfp);
	p = cache_alloc(kmalloc_cache(size), gfp);
	if (unlikely(gfp & GFP_ZERO) && p)
		memset(p, 0, size);
	return p;
}

void *
kzalloc(size_t size, u32 gfp)
{
	return kmalloc(size, gfp | GFP_ZERO);
}

void *
kmalloc_array(size_t n, size_t size, u32 gfp)
{
	size_t bytes;

	if (__builtin_mul_overflow(n, size, &bytes))
		return NULL;
	return kmalloc(bytes, gfp);
}

static struct page *
page_of(const void *p)
{
	struct page *page = virt_to_page(p);

	return page_flag(page, PG_TAIL) ? page->head : page;
}

void
kfree(const void *p)
{
	struct page *page;

	if (!p)
		return;
	page = page_of(p);
	if (likely(page_flag(page, PG_SLAB))) {
		cache_free(page->slab_cache, (void *)(uintptr_t)p);
		return;
	}
	DEBUG_ASSERT(!((uintptr_t)p & ~PAGE_MASK));
	page_free(page, page->order);
}

size_t
ksize(const void *p)
{
	struct page *page;

	if (!p)
		return 0;
	page = page_of(p);
	if (page_flag(page, PG_SLAB))
		return ((struct kmem_cache *)page->slab_cache)->size;
	return PAGE_SIZE << page->order;
}

void *
krealloc(void *p, size_t size, u32 gfp)
{
	size_t old = ksize(p);
	void *new;

	if (p && size <= old && size >= old / 4)
		return p;
	new = kmalloc(size, gfp);
	if (new &&p) {
		memcpy(new, p, MIN(old, size));
		kfree(p);
	}
	return new;
}

char *
kstrdup(const char *s, u32 gfp)
{
	return kmemdup(s, strlen(s) + 1, gfp);
}

void *
kmemdup(const void *p, size_t n, u32 gfp)
{
	void *copy = kmalloc(n, gfp);

	if (copy)
		memcpy(copy, p, n);
	return copy;
}

/*
 * The callback gets the head only. Objects of a slab are found by the address: the start of the
 * object that the head lies in. Larger ones are whole blocks.
 */
static void
kfree_rcu_callback(struct rcu_head *head)
{
	struct page *page = page_of(head);
	char *base = page_to_virt(page);

	if (page_flag(page, PG_SLAB)) {
		struct kmem_cache *c = page->slab_cache;
		size_t offset = (size_t)((char *)head - base);

		cache_free(c, base + offset / c->stride * c->stride);
	} else {
		page_free(page, page->order);
	}
}

void
kfree_rcu_at(void *obj, struct rcu_head *head)
{
	rcu_call(head, kfree_rcu_callback);
}

/* ---- radix tree nodes ---- */

struct xa_node *
xa_node_alloc(void)
{
	/* Trees are changed under spinlocks. */
	return kmem_cache_alloc(xa_node_cache, GFP_ATOMIC | GFP_NOWARN);
}

bool
xa_node_prepare(void)
{
	struct xa_node *node = kmem_cache_alloc(xa_node_cache, GFP_KERNEL);

	if (!node)
		return false;
	kmem_cache_free(xa_node_cache, node);
	return true;
}

static void
xa_node_free_callback(struct rcu_head *head)
{
	kmem_cache_free(xa_node_cache, container_of((void *)head, struct xa_node, rcu));
}

void
xa_node_free_rcu(struct xa_node *node)
{
	STATIC_ASSERT(sizeof(node->rcu) == sizeof(struct rcu_head));
	rcu_call((struct rcu_head *)node->rcu, xa_node_free_callback);
}

void
slab_init(void)
{
	static const u16 sizes[3] = { 14, 30, 62 };
	static const char *const names[3] = { "magazine-14", "magazine-30", "magazine-62" };
	u32 class = 0;

	for (u32 i = 0; i < 3; i++) {
		struct kmem_cache *c = cache_new();

		cache_init(c, names[i], sizeof(struct magazine) + sizes[i] * sizeof(void *), 8, 0,
			   NULL, 0);
		magazine_cache[i] = c;
	}
	for (u32 i = 0; i < ARRAY_SIZE(kmalloc_sizes); i++) {
		size_t size = kmalloc_sizes[i].size;

		kmalloc_caches[i] = kmem_cache_create(kmalloc_sizes[i].name, size,
						      is_pow2(size) ? MIN(size, PAGE_SIZE) : 32, 0,
						      NULL);
	}
	for (u32 i = 0; i < ARRAY_SIZE(kmalloc_small); i++) {
		while (kmalloc_sizes[class].size < i * 8)
			class ++;
		kmalloc_small[i] = (u8) class;
	}
	xa_node_cache = kmem_cache_create("xa_node", sizeof(struct xa_node), 8, SLAB_RECLAIMABLE,
					  NULL);
}
