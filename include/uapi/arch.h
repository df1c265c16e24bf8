/* SPDX-License-Identifier: MIT */
/*
 * The part of the ABI that differs from port to port, for the port being built: the one line that
 * a second port makes a choice.
 */
#ifndef UAPI_ARCH_H
#define UAPI_ARCH_H

#include "uapi/arch_x86_64.h"

#endif /* UAPI_ARCH_H */
