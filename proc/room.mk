OBJS-proc := elf.o exec.o exit.o fork.o init.o kcmp.o membarrier.o personality.o prctl.o process_vm.o ptrace.o rseq.o script.o seccomp.o sigaction.o sigdelivery.o wait.o
DEPS-proc := lib arch core sched mm task fs/vfs ipc event drivers drivers/tty ns
