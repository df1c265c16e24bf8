OBJS-task := task.o pid.o cred.o signal.o kill.o pgrp.o rlimit.o
DEPS-task := lib arch core sched mm
