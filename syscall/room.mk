OBJS-syscall := sysinfo.o reboot.o syslog.o trace.o profile.o profile_calls.o $(if $(filter 1,$(LOCKSTAT)),profile_locks.o)
DEPS-syscall := lib arch core sched mm task fs/vfs fs/proc drivers proc ns drivers/mem
