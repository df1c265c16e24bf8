/* SPDX-License-Identifier: MIT */
/* Device registers in the I/O port space, where the machine has one. arch_in8/16/32(port),
 * arch_out8/16/32(port, value). */
#ifndef ARCH_IO_H
#define ARCH_IO_H
#include "arch_impl/io.h"
#include "lib/types.h"
#endif
