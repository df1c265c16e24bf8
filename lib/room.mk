OBJS-lib :=
DEPS-lib :=
