/* SPDX-License-Identifier: MIT */
/* Ctrl-Alt-Del, as keyboards tell it. */
#ifndef SYSCALL_REBOOT_H
#define SYSCALL_REBOOT_H

void ctrl_alt_del(void);
#endif
