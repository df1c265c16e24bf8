/* SPDX-License-Identifier: MIT */
/* The host as a machine: threads and address spaces have no hardware side. */
#ifndef ARCH_IMPL_THREAD_H
#define ARCH_IMPL_THREAD_H

#include "core/cpumask.h"

struct arch_thread {
	u64 sp;
};

struct arch_space {
	u64 root;
	struct cpumask cpus;
};

#endif
