/* SPDX-License-Identifier: MIT */
/* What the loader handed over. */
#include "core/bootinfo.h"

struct boot_info boot_info;
