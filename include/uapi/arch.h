/* SPDX-License-Identifier: MIT */
/*
 * The part of the ABI that differs from port to port, for the port being built: the one line that
 * a second port makes a choice.
 */
#pragma once

#include "uapi/arch_x86_64.h"
