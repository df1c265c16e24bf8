OBJS-mm := boot_memory.o buddy.o page_alloc.o page.o slab.o pagetable.o gather.o vmalloc.o kstack.o usercopy.o iter.o \
	vma.o vma_lock.o mm.o map.o munmap.o mprotect.o mremap.o brk.o mlock.o madvise.o msync.o mincore.o commit.o fault.o huge.o fork.o \
	rmap.o mapping.o truncate.o reclaim.o shared_anon.o pin.o usage.o readahead.o writeback.o swap.o swap_out.o swap_in.o swap_shmem.o
DEPS-mm := lib core arch sched uapi
