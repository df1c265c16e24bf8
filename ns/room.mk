OBJS-ns := nsset.o unshare.o uts.o
DEPS-ns := lib arch core mm task fs/vfs
