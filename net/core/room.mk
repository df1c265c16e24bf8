# SPDX-License-Identifier: MIT
OBJS-net/core := packet.o checksum.o segment.o work.o device.o transmit.o loopback.o kind.o dummy.o veth.o neighbour.o route.o filter.o
DEPS-net/core := lib arch core sched mm
