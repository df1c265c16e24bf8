# SPDX-License-Identifier: MIT
OBJS-net/inet := sock.o port.o name.o option.o message.o output.o input.o fragment.o icmp.o arp.o \
	address.o multicast.o datagram.o udp.o raw.o ping.o ioctl.o proc.o sysctl.o conf.o sysfs.o
DEPS-net/inet := lib arch core sched mm task fs/vfs fs/proc fs/sysfs net/core net/socket
