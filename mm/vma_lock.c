/* SPDX-License-Identifier: MIT */
/*
 * A lock for each mapping, so that faults on different mappings of one program never meet, nor a
 *fault and a change of some other mapping.
 *
 * A fault finds its vma under RCU, counts itself in (v->readers) and checks that the vma still is
 *the one and that nobody changes it. A changer holds mmap_lock for writing; he marks each vma
 *before he touches it and waits until those counted in have left:
 *
 *	fault					change
 *	readers++				v->write_seq = mm->write_seq
 *	(full barrier)				(full barrier)
 *	v->write_seq == mm->write_seq?		readers == 0?
 *
 * One of the two sees the other. A mark is valid as long as mm->write_seq does not move: releasing
 *mmap_lock moves it and so unmarks everything at once. A fault that finds a mark, or nothing (the
 *tree may be in the middle of a rotation), takes mmap_lock for reading and does it the slow way.
 *
 * Vmas come from a cache whose memory stays vmas for a grace period: one that was found may be
 *dead, reborn or another program's by the time it is looked at, but `readers` always counts readers
 *and `life` births. The order of the looks matters:
 *
 *	readers++
 *	life			the same at the end: all that was seen belongs to one life
 *	no mark			nobody is changing it now, and who begins later waits for us; or he
 *has finished, and what he did is seen by the looks that follow attached, mm, bounds life
 */
#include "core/rcu.h"
#include "lib/hash.h"
#include "mm_internal.h"
#include "sched/wait.h"
#include "vma.h"

#define QUEUE_BITS 4

/* Global, since a vma may be anyone's when its last reader leaves. */
static struct wait_queue drained[1 << QUEUE_BITS];

void
vma_locks_init(void)
{
	for (u32 i = 0; i < ARRAY_SIZE(drained); i++)
		wait_queue_init(&drained[i]);
}

struct vma *
vma_read_begin(struct mm *mm, u64 addr)
{
	struct vma *v;

	rcu_read_lock();
	v = vma_find_rcu(mm, addr);
	if (likely(v && READ_ONCE(v->write_seq) != READ_ONCE(mm->write_seq))) {
		u32 life;

		atomic_inc_return(&v->readers);
		life = smp_load_acquire(&v->life);
		if (likely(smp_load_acquire(&v->write_seq) != smp_load_acquire(&mm->write_seq) &&
			   READ_ONCE(v->attached) && READ_ONCE(v->mm) == mm &&
			   READ_ONCE(v->start) <= addr && addr < READ_ONCE(v->end))) {
			smp_rmb();
			if (likely(READ_ONCE(v->life) == life)) {
				rcu_read_unlock();
				return v;
			}
		}
		vma_read_end(v);
	}
	rcu_read_unlock();
	return NULL;
}

void
vma_read_end(struct vma *v)
{
	struct wait_queue *queue = &drained[hash_ptr(v, QUEUE_BITS)];

	/* From here on v may be gone. The count is changed with a full barrier before the look. */
	if (atomic_dec_and_test(&v->readers) && unlikely(wait_queue_active(queue)))
		wake_up_all(queue);
}

void
vma_write_begin(struct vma *v)
{
	struct mm *mm = v->mm;

	if (v->write_seq == mm->write_seq)
		return;
	WRITE_ONCE(v->write_seq, mm->write_seq);
	smp_mb();
	if (unlikely(atomic_read(&v->readers)))
		wait_event(&drained[hash_ptr(v, QUEUE_BITS)], !atomic_read(&v->readers));
}

void
mm_write_unlock(struct mm *mm)
{
	/* Changes first, then the marks go. */
	smp_store_release(&mm->write_seq, mm->write_seq + 1);
	rwsem_write_unlock(&mm->mmap_lock);
}

void
mm_write_downgrade(struct mm *mm)
{
	smp_store_release(&mm->write_seq, mm->write_seq + 1);
	rwsem_downgrade(&mm->mmap_lock);
}
