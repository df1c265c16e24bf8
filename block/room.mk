# SPDX-License-Identifier: MIT
OBJS-block := 
DEPS-block := lib arch core sched mm task fs/vfs
