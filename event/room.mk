# SPDX-License-Identifier: MIT
OBJS-event := poll_set.o poll.o select.o eventfd.o epoll.o timerfd.o signalfd.o inotify.o pidfd.o
DEPS-event := lib arch core sched mm task fs/vfs
