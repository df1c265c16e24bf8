# SPDX-License-Identifier: MIT
OBJS-tests/kernel := $(if $(filter 1,$(DEBUG)),selftest.o sched_selftest.o journal_selftest.o)
DEPS-tests/kernel := lib arch core sched block fs/journal mm uapi
