/* SPDX-License-Identifier: MIT */
/*
 * swapon(2).
 */
#pragma once

#define SWAP_FLAG_PREFER	0x8000
#define SWAP_FLAG_PRIO_MASK	0x7fff
#define SWAP_FLAG_DISCARD	0x10000
