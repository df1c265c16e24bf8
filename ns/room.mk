OBJS-ns := nsfs.o nsset.o unshare.o uts.o
DEPS-ns := lib arch core sched mm task fs/vfs ipc
