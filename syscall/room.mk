OBJS-syscall := sysinfo.o reboot.o syslog.o trace.o profile.o
DEPS-syscall := lib arch core sched mm task fs/vfs fs/proc drivers proc ns drivers/mem
