/* SPDX-License-Identifier: MIT */
/*
 * Events about devices for udevd and mdev: an action, where the device is in /sys, its class, and
 * what its `uevent` file says. They are numbered in one sequence, and sent by the network room that
 * programs listen in.
 */
#ifndef FS_VFS_UEVENT_H
#define FS_VFS_UEVENT_H

#include "lib/types.h"

enum uevent_action {
	UEVENT_ADD,
	UEVENT_REMOVE,
	UEVENT_CHANGE,
	UEVENT_MOVE,
	UEVENT_ONLINE,
	UEVENT_OFFLINE,
	UEVENT_BIND,
	UEVENT_UNBIND,
};

struct uevent {
	const char *path;	/* "/devices/virtual/net/lo" */
	const char *subsystem;	/* "net" */
	const char *properties; /* the `uevent` file's: lines NAME=VALUE */
};

/* To all who listen; lost where there is no memory. May sleep. */
void uevent_send(enum uevent_action action, const struct uevent *e);
/* What a program wrote into a `uevent` file: "ACTION [UUID [KEY=VALUE ...]]" sends that event anew.
 * 0 or -EINVAL. */
int uevent_synthesize(const char *text, size_t len, const struct uevent *e);
u64 uevent_sequence(void); /* /sys/kernel/uevent_seqnum */

/* Set by net/netlink: one message. Does not sleep. */
extern void (*uevent_broadcast)(const char *text, u32 len);

#endif
