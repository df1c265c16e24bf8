OBJS-lib := bitmap.o bpf.o chacha20.o cpio.o crc.o format.o hash.o inflate.o math.o rbtree.o ringbuf.o sha256.o sort.o string.o string_mem.o string_std.o utf8.o xarray.o
DEPS-lib :=
