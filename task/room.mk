OBJS-task := task.o oom.o access.o pid.o cred.o user_ns.o signal.o kill.o pgrp.o rlimit.o \
	clock.o cpu_timer.o nanosleep.o posix_timer.o itimer.o sched_calls.o
DEPS-task := lib arch core sched mm
