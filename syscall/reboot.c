/* SPDX-License-Identifier: MIT */
/*
 * reboot(2): restart, halt, power off. Nothing is written back here: programs call sync(2) first,
 * as on Linux.
 *
 * In a pid namespace other than the first, restart and power-off kill that namespace's init with
 * SIGHUP or SIGINT, as pid_namespaces(7) says.
 */
#include "syscall/reboot.h"

#include "arch/cpu.h"
#include "arch/power.h"
#include "arch/smp.h"
#include "core/log.h"
#include "generated/syscalls.h"
#include "mm/user.h"
#include "task/cred.h"
#include "task/task.h"
#include "uapi/errno.h"
#include "uapi/reboot.h"

/* Whether Ctrl-Alt-Del restarts at once, or sends SIGINT to init: /proc/sys/kernel/ctrl-alt-del. */
static bool ctrl_alt_del_restarts = true;

static bool
magic_ok(u32 magic1, u32 magic2)
{
	return magic1 == LINUX_REBOOT_MAGIC1 &&
	       (magic2 == LINUX_REBOOT_MAGIC2 || magic2 == LINUX_REBOOT_MAGIC2A ||
		magic2 == LINUX_REBOOT_MAGIC2B || magic2 == LINUX_REBOOT_MAGIC2C);
}

static void __noreturn
machine_restart(const char *command)
{
	if (command)
		log_emerg("reboot: Restarting system with command '%s'\n", command);
	else
		log_emerg("reboot: Restarting system\n");
	arch_smp_stop_others();
	arch_reboot();
}

static long
pid_ns_reboot(struct pid_ns *ns, u32 command)
{
	int sig;

	switch (command) {
	case LINUX_REBOOT_CMD_RESTART:
	case LINUX_REBOOT_CMD_RESTART2: sig = SIGHUP; break;
	case LINUX_REBOOT_CMD_HALT:
	case LINUX_REBOOT_CMD_POWER_OFF: sig = SIGINT; break;
	default: return -EINVAL;
	}
	spin_lock_irq(&tasklist_lock);
	if (ns->reaper) {
		struct sighand *sh = ns->reaper->sighand;

		spin_lock(&sh->lock);
		signal_start_group_exit(ns->reaper, sig);
		spin_unlock(&sh->lock);
	}
	spin_unlock_irq(&tasklist_lock);
	return 0;
}

long
sys_reboot(unsigned int magic1, unsigned int magic2, unsigned int command, user_ptr arg)
{
	char text[256];

	if (!capable(CAP_SYS_BOOT))
		return -EPERM;
	if (!magic_ok(magic1, magic2))
		return -EINVAL;
	if (current_pid_ns() != &root_pid_ns)
		return pid_ns_reboot(current_pid_ns(), command);

	switch (command) {
	case LINUX_REBOOT_CMD_RESTART: machine_restart(NULL);
	case LINUX_REBOOT_CMD_RESTART2: {
		ssize_t n = strncpy_from_user(text, arg, sizeof(text) - 1);

		if (n < 0 && n != -ENAMETOOLONG)
			return n;
		text[sizeof(text) - 1] = '\0';
		machine_restart(text);
	}
	case LINUX_REBOOT_CMD_HALT:
		log_emerg("reboot: System halted\n");
		arch_smp_stop_others();
		arch_cpu_halt();
	case LINUX_REBOOT_CMD_POWER_OFF:
		log_emerg("reboot: Power down\n");
		arch_smp_stop_others();
		arch_power_off();
	case LINUX_REBOOT_CMD_CAD_ON: ctrl_alt_del_restarts = true; return 0;
	case LINUX_REBOOT_CMD_CAD_OFF: ctrl_alt_del_restarts = false; return 0;
	default: return -EINVAL; /* kexec, suspend: not built */
	}
}

void
ctrl_alt_del(void)
{
	if (ctrl_alt_del_restarts)
		machine_restart(NULL);
	signal_send_process(init_process, SIGINT, NULL);
}
