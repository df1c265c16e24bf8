/* SPDX-License-Identifier: MIT */
/* arch_prctl(2): the bases of FS and GS. CPUID faulting and AMX permissions are not offered:
 * EINVAL, as on a CPU without them. */
#include "arch/cpu.h"
#include "arch/thread.h"
#include "arch/uaccess.h"
#include "generated/syscalls.h"
#include "thread.h"
#include "traps.h"
#include "uapi/arch.h"
#include "uapi/errno.h"
#include "x86.h"

long
sys_arch_prctl(int option, unsigned long address)
{
	struct arch_thread *at = this_cpu_read(arch_current);
	unsigned long flags;
	u64 value;

	switch (option) {
	case ARCH_SET_FS:
	case ARCH_SET_GS:
		if (address >= USER_END)
			return -EPERM;
		flags = arch_irq_save();
		segments_read(at);
		if (option == ARCH_SET_FS) {
			at->fs = 0;
			at->fs_base = address;
		} else {
			at->gs = 0;
			at->gs_base = address;
		}
		segments_load(at);
		arch_irq_restore(flags);
		return 0;
	case ARCH_GET_FS:
	case ARCH_GET_GS:
		flags = arch_irq_save();
		segments_read(at);
		value = option == ARCH_GET_FS ? at->fs_base : at->gs_base;
		arch_irq_restore(flags);
		if (address > USER_END - sizeof(value) || arch_put_user64((void *)address, value))
			return -EFAULT;
		return 0;
	default: return -EINVAL;
	}
}
