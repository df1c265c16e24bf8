OBJS-drivers/random := random.o
DEPS-drivers/random := lib arch core sched mm task fs/vfs
