OBJS-mm := boot_memory.o buddy.o page_alloc.o page.o slab.o pagetable.o gather.o vmalloc.o kstack.o usercopy.o iter.o
DEPS-mm := lib core arch sched uapi
