/* SPDX-License-Identifier: MIT */
/*
 * Address spaces: struct mm and its mappings, struct vma.
 *
 * Letters: [I] fixed, [A] atomic, [M] mmap_lock (write to change, read to look), [S] page-table
 * locks.
 */
#ifndef MM_MM_H
#define MM_MM_H

#include "arch/thread.h"
#include "core/ref.h"
#include "lib/rbtree.h"
#include "mm/mapping.h"
#include "mm/user.h"
#include "sched/mutex.h"

struct mm;
struct strbuf;
struct thread;
struct vma;

/*
 * What stands behind a mapping beyond its pages: filled by fs/vfs (files), shm. All slots may be
 * NULL: nothing to do.
 */
struct vma_ops {
	/*
	 * A copy of the vma came to be (fork, split): take references. mmap_lock held for writing
	 */
	void (*open)(struct vma *v);
	void (*close)(struct vma *v); /* it goes away: drop references. May sleep */
	/*
	 * A mapping without struct mapping (device memory): provide the page. NULL: v->mapping or
	 * anonymous.
	 */
	int (*fault)(struct vma *v, u64 addr, struct page **out);
	int (*may_protect)(struct vma *v, u32 prot); /* mprotect: -EACCES. */
	/* Path for /proc/PID/maps; device and inode. NULL: anonymous. */
	void (*describe)(struct vma *v, struct strbuf *path, u64 *dev, u64 *ino);
	int (*msync)(struct vma *v, u64 start, u64 end, u32 flags);
};

/* vma->flags: VM_* of our own; PROT_ and MAP_ words are translated once. */
#define VM_READ	       BIT(0)
#define VM_WRITE       BIT(1)
#define VM_EXEC	       BIT(2)
#define VM_SHARED      BIT(3)
#define VM_MAYREAD     BIT(4)
#define VM_MAYWRITE    BIT(5)
#define VM_MAYEXEC     BIT(6)
#define VM_GROWSDOWN   BIT(7)
#define VM_LOCKED      BIT(8)
#define VM_DONTCOPY    BIT(9) /* MADV_DONTFORK */
#define VM_DONTDUMP    BIT(10)
#define VM_NORESERVE   BIT(11)
#define VM_HUGEPAGE    BIT(12)
#define VM_NOHUGEPAGE  BIT(13)
#define VM_WIPEONFORK  BIT(14)
#define VM_SPECIAL     BIT(15) /* vdso, vvar: no accounting, not mergeable */
#define VM_STACK       BIT(16)
#define VM_IO	       BIT(17)
#define VM_ACCOUNT     BIT(18)
#define VM_SEQ_READ    BIT(19)
#define VM_RAND_READ   BIT(20)
#define VM_LOCKONFAULT BIT(21)

struct vma {
	/* These are never in an undefined state: mm/vma_lock.c. */
	struct atomic32 readers; /* faults at work in it */
	u32 life;		 /* counts births */
	u64 write_seq;		 /* [M] == mm->write_seq: being changed, faults keep out */

	bool has_anon;	/* [A] set with the first private page: fork has something to copy */
	bool attached;	/* [M] on the tree */
	u32 flags;	/* [M] */
	u64 start, end; /* [M] page aligned */
	struct mm *mm;	/* [I] */
	u64 pgoff;	/* [M] page offset of start in mapping (anonymous: start >> 12) */
	struct mapping *mapping;   /* [I] NULL: anonymous */
	void *owner;		   /* [I] struct file * of fs/vfs */
	const struct vma_ops *ops; /* [I] may be NULL */
	struct rb_node node;	   /* [M] */
	u64 hole;		   /* [M] free bytes below, without a stack's guard */
	u64 gap;		   /* [M] largest hole in the subtree */
	struct rb_node rmap_node;  /* mapping->rmap_lock */
	u64 rmap_last;		   /* mapping->rmap_lock: highest page index in the rmap subtree */
};

struct user_ns;

struct mm {
	struct arch_space space;
	struct rwsem mmap_lock;
	struct rb_root vmas;   /* [M] */
	u32 vma_count;	       /* [M] */
	u64 write_seq;	       /* [M] moves when mmap_lock is released by a writer */
	struct atomic32 users; /* tasks that run in it: at zero everything is unmapped */
	/*
	 * structure and root table: users hold one together, lazy CPUs and /proc readers each one
	 */
	struct ref ref;
	u64 mmap_base; /* [I] top of the mmap area, searched downwards */
	u64 start_code, end_code, start_data, end_data; /* set by exec */
	u64 start_brk, brk;				/* [M] */
	u64 start_stack, arg_start, arg_end, env_start, env_end;
	u64 total_vm, locked_vm, data_vm, exec_vm, stack_vm;			 /* [M] pages */
	struct atomic64 rss_anon, rss_file, rss_shmem, page_tables, hiwater_rss; /* [A] pages */
	struct atomic64 swap;  /* [A] entries that stand for pages in swap */
	struct list scan_node; /* mm/swap_out.c: scan_lock */
	u32 scans;	       /* scan_lock: looks for pages to send out, under way */
	bool scanned;	       /* scan_lock: on the list */
	struct thread *forker; /* [M] copies it, and may look for pages in it meanwhile */
	u64 scan_at;	       /* where the last look ended */
	u64 def_flags;	       /* mlockall(MCL_FUTURE) */
	u64 vdso_base;
	u8 auxv[512];
	u32 auxv_len; /* /proc/PID/auxv */
	void *exe; /* struct file *, owned by proc/exec: put through mm_exe_put hook at destroy */
	u8 dumpable;
	struct user_ns *user_ns; /* of who executed into it; as exe, put by mm_user_ns_put */
	u32 membarrier_state;
};

extern void (*mm_exe_put)(void *exe);
extern void (*mm_user_ns_put)(struct user_ns *ns);

/* An empty space with one user (the caller). NULL: no memory. */
struct mm *mm_create(void);
/* fork: a copy of the current task's space (copy-on-write). 0 or -ENOMEM. */
int mm_fork(struct mm *parent, struct mm **out);
void mm_users_get(struct mm *mm);
void mm_users_put(struct mm *mm);     /* may sleep: last one unmaps all */
bool mm_users_try_get(struct mm *mm); /* for /proc, ptrace */
void mm_get(struct mm *mm);
void mm_put(struct mm *mm);
/*
 * The current thread moves to another space (exec, exit: NULL). Takes over the caller's user
 * reference; returns the old one.
 */
struct mm *mm_switch_current(struct mm *next);

/*
 * Map. `addr` 0 = anywhere (mmap_base down), else hint; MAP_FIXED and MAP_FIXED_NOREPLACE in
 * `map_flags` as mmap(2). `prot` PROT_*; `vm_extra` VM_* to add (VM_MAY* come from the file's mode:
 * caller gives). mapping/owner/ops as in struct vma; on success ops->open is NOT called: the
 * caller's reference on owner moves into the vma. Checks limits (RLIMIT_AS, RLIMIT_DATA,
 * RLIMIT_MEMLOCK through mm_limits), overcommit, map count. Returns address or -errno.
 */
struct mm_map_request {
	u64 addr, len;
	u32 prot, map_flags, vm_extra;
	u64 pgoff;
	struct mapping *mapping;
	void *owner;
	const struct vma_ops *ops;
};
long mm_map(struct mm *mm, const struct mm_map_request *rq);
/* The same for callers who hold mmap_lock for writing. */
long mm_map_locked(struct mm *mm, const struct mm_map_request *rq);
int mm_unmap(struct mm *mm, u64 addr, u64 len);
int mm_unmap_locked(struct mm *mm, u64 addr, u64 len);
/*
 * Of an object whose ops are given, all that is left of one mapping that began at addr: shmdt(2). 0
 * or -EINVAL.
 */
int mm_unmap_object(struct mm *mm, u64 addr, const struct vma_ops *ops);
int mm_protect(struct mm *mm, u64 addr, u64 len, u32 prot);
/* After mapping with MAP_POPULATE or mlock. */
int mm_populate(struct mm *mm, u64 addr, u64 len);
/* exec: set the break area. */
void mm_set_brk(struct mm *mm, u64 start);
/* vDSO and vvar pages; returns the ELF header address or -errno. */
long mm_map_vdso(struct mm *mm);

/* Resident pages, now and at most so far. */
static inline u64
mm_rss(const struct mm *mm)
{
	s64 rss = atomic64_read(&mm->rss_anon) + atomic64_read(&mm->rss_file) +
		  atomic64_read(&mm->rss_shmem);

	return rss > 0 ? (u64)rss : 0;
}

static inline u64
mm_hiwater_rss(const struct mm *mm)
{
	return MAX(mm_rss(mm), (u64)atomic64_read(&mm->hiwater_rss));
}

/* mmap_lock held: the first vma with end > addr, or NULL. */
struct vma *vma_find(struct mm *mm, u64 addr);
struct vma *vma_first(struct mm *mm);
struct vma *vma_next(struct vma *v);
struct vma *vma_prev(struct vma *v);
static inline u64
vma_pages(const struct vma *v)
{
	return (v->end - v->start) >> PAGE_SHIFT;
}

/* Limits of the process that mm serves, provided by task/ (current process). */
struct mm_limits {
	u64 as, data, stack, memlock; /* bytes; ~0 = none */
	bool memlock_exempt;	      /* CAP_IPC_LOCK */
	bool low_exempt;	      /* CAP_SYS_RAWIO: may map below 64 KiB */
	bool reserve_exempt;	      /* CAP_SYS_ADMIN: the last 3 % of the commit limit */
};
extern void (*mm_get_limits)(struct mm_limits *out);
/* OOM killer's hooks into task/ (choose and kill a victim; false: nobody left). */
extern bool (*mm_oom_kill)(const char *why);

/* Memory that is promised: -ENOMEM when it is too much. */
int __must_check commit_charge(u64 pages);
void commit_release(u64 pages);
/* vm.overcommit_memory, vm.overcommit_ratio: OVERCOMMIT_* of uapi/mman.h. */
extern u32 mm_overcommit_mode, mm_overcommit_ratio;

/*
 * A stable key for a futex word: private: (mm, addr); shared: (mapping/inode or anonymous page
 * identity, offset). Takes no reference for private keys.
 */
struct futex_key {
	u64 a, b;
	u32 offset;
	struct page *page; /* referenced, or NULL */
};
int mm_futex_key(struct mm *mm, u64 uaddr, bool shared, bool write, struct futex_key *out);
void mm_futex_key_put(struct futex_key *key);

/* Pin user pages for splice/direct I/O: number pinned or -EFAULT. */
long mm_pin_pages(u64 addr, u32 nr, bool write, struct page **pages);

#endif
