/* SPDX-License-Identifier: MIT */
/* Loop devices: a file as a disk. */
#ifndef BLOCK_LOOP_H
#define BLOCK_LOOP_H

#include "lib/types.h"

struct block_device;
struct strbuf;

/* /dev/loop-control; the disks come when they are asked for. */
void loop_init(void);
/* Is dev a loop device with a file behind it? */
bool loop_is_bound(struct block_device *dev);
/* Text of /sys/block/loopN/loop/WHAT. 0 or -ENODEV. */
int loop_show(struct block_device *dev, const char *what, struct strbuf *sb);

#endif
