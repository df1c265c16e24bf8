OBJS-drivers/mem := mem.o kmsg.o
DEPS-drivers/mem := lib arch core sched mm task fs/vfs
