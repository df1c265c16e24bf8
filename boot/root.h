/* SPDX-License-Identifier: MIT */
#ifndef BOOT_ROOT_H
#define BOOT_ROOT_H

/* Mounts what root= names and makes it the root, with devtmpfs on its /dev; panics if it cannot. */
void root_mount(const char *device);

#endif
