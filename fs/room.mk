OBJS-fs := filesystems.o
DEPS-fs := lib fs/tmpfs
