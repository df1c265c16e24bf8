/* SPDX-License-Identifier: MIT */
/*
 * Kernel objects: caches of equal-sized objects with per-CPU magazines, and kmalloc on top. All
 * callable from interrupts with GFP_ATOMIC.
 */
#ifndef MM_SLAB_H
#define MM_SLAB_H

#include "core/rcu.h"
#include "mm/page.h"

struct kmem_cache;

/* Memory stays of this type for a grace period after free: RCU lookups check identity again. */
#define SLAB_RCU_TYPESAFE BIT(0)
/* The objects are a cache that memory pressure can shrink. */
#define SLAB_RECLAIMABLE BIT(1)

/*
 * name: static string. ctor (may be NULL) runs once per object memory, not per allocation. Panics
 * if out of memory (boot time).
 */
struct kmem_cache *
kmem_cache_create(const char *name, size_t size, size_t align, u32 flags, void (*ctor)(void *));
void *kmem_cache_alloc(struct kmem_cache *c, u32 gfp);
void *kmem_cache_zalloc(struct kmem_cache *c, u32 gfp);
void kmem_cache_free(struct kmem_cache *c, void *obj);

void *kmalloc(size_t size, u32 gfp); /* 8-byte aligned at least; powers of two naturally aligned */
void *kzalloc(size_t size, u32 gfp);
void *kmalloc_array(size_t n, size_t size, u32 gfp); /* overflow checked */
void *krealloc(void *p, size_t size, u32 gfp);
void kfree(const void *p); /* NULL allowed */
size_t ksize(const void *p);
char *kstrdup(const char *s, u32 gfp);
void *kmemdup(const void *p, size_t n, u32 gfp);
/* kmalloc, or vmalloc when large. */
void *kvmalloc(size_t size, u32 gfp);
void kvfree(const void *p);

/*
 * Free after a grace period: `head` must be the first field or offset < 4096 within the kmalloc
 * object.
 */
void kfree_rcu_at(void *obj, struct rcu_head *head);
#define kfree_rcu(obj, field) kfree_rcu_at((obj), &(obj)->field)

/* /proc/slabinfo */
struct slab_info {
	const char *name;
	u64 active, total, object_size, per_slab, pages_per_slab, slabs;
};
bool slab_info(u32 index, struct slab_info *out);

#endif
