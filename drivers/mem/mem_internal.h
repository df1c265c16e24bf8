/* SPDX-License-Identifier: MIT */
/* What the files of this room tell each other. */
#ifndef MEM_INTERNAL_H
#define MEM_INTERNAL_H

struct file_ops;
extern const struct file_ops kmsg_file_ops;
void kmsg_init(void);

#endif
