/* SPDX-License-Identifier: MIT */
/*
 * The one file that names every room, in the order in which they start.
 *
 * kernel_main runs on the boot CPU with interrupts off until it becomes that CPU's idle thread;
 * what may sleep happens in init_thread, which at last becomes process 1.
 */
#include "arch/irq.h"
#include "arch/mmu.h"
#include "arch/smp.h"
#include "block/block.h"
#include "boot/options.h"
#include "core/arch_upcalls.h"
#include "core/bootinfo.h"
#include "core/cpumask.h"
#include "core/log.h"
#include "core/panic.h"
#include "core/percpu.h"
#include "core/random.h"
#include "core/time.h"
#include "drivers/drivers.h"
#include "drivers/mem/mem.h"
#include "drivers/random/random.h"
#include "drivers/rtc/rtc.h"
#include "drivers/serial/serial.h"
#include "drivers/tty/tty.h"
#include "fs/devtmpfs/devtmpfs.h"
#include "fs/filesystems.h"
#include "fs/initramfs/initramfs.h"
#include "fs/vfs/device.h"
#include "fs/vfs/mount.h"
#include "fs/vfs/path.h"
#include "ipc/futex.h"
#include "ipc/pipe.h"
#include "mm/page.h"
#include "mm/reclaim.h"
#include "net/core/net.h"
#include "net/inet/inet.h"
#include "net/inet6/inet6.h"
#include "net/netlink/netlink.h"
#include "net/packet/packet_socket.h"
#include "net/socket/socket.h"
#include "net/tcp/tcp.h"
#include "net/unix/unix.h"
#include "proc/exec.h"
#include "root.h"
#include "sched/sched.h"
#include "sched/work.h"
#include "syscall/profile.h"
#include "syscall/syslog.h"
#include "task/task.h"
#include "tests/selftest.h"
#include "uapi/fcntl.h"
#include "uapi/major.h"
#include "uapi/stat.h"

/* arch's entry code knows the work flags by their values: arch/x86_64/asm.h, traps.h. */
STATIC_ASSERT(TF_EXIT_WORK == 0x17 && TF_RESCHED == 0x02 && TF_ENTRY_WORK == 0x700);

/* mem=: RAM above the limit is as if it were not there. */
static void
memory_limit_apply(u64 limit)
{
	for (u32 i = 0; limit && i < boot_info.mem_count; i++) {
		struct boot_mem *m = &boot_info.mem[i];

		if (m->type == BOOT_MEM_RAM && m->start + m->len > limit) {
			m->len = m->start < limit ? limit - m->start : 0;
			if (!m->len)
				m->type = BOOT_MEM_RESERVED;
		}
	}
}

/* The two objects a root without /dev still needs: Linux's built-in initramfs has the same three.
 */
static void
root_prepare(void)
{
	struct path_create pc;

	if (path_create_begin(AT_FDCWD, "/dev", true, &pc) == 0) {
		(void)vfs_mkdir(&pc, 0755);
		path_create_done(&pc);
	}
	if (path_create_begin(AT_FDCWD, "/dev/console", false, &pc) == 0) {
		(void)vfs_mknod(&pc, S_IFCHR | 0600, DEV_MAKE(TTYAUX_MAJOR, 1));
		path_create_done(&pc);
	}
	if (path_create_begin(AT_FDCWD, "/root", true, &pc) == 0) {
		(void)vfs_mkdir(&pc, 0700);
		path_create_done(&pc);
	}
}

static void
initrd_unpack(void)
{
	if (!boot_info.initrd_len) {
		if (!boot_options.root)
			log_warn("boot: no initramfs was given (-initrd), and no root=\n");
		return;
	}
	(void)initramfs_unpack(phys_to_virt(boot_info.initrd_start), boot_info.initrd_len);
	mm_release_boot(boot_info.initrd_start, boot_info.initrd_start + boot_info.initrd_len);
	boot_info.initrd_len = 0;
}

static bool
is_there(const char *program)
{
	struct path p;

	if (path_lookup(AT_FDCWD, program, WALK_FOLLOW, &p))
		return false;
	path_put(&p);
	return true;
}

/*
 * An initramfs with /init (or what rdinit= names) is the root, and decides what comes then.
 * Without, root= is mounted. An initramfs alone, without /init and without root=, is searched like
 * a disk.
 */
static void
init_start(void)
{
	const char *rdinit = boot_options.rdinit ? boot_options.rdinit : "/init";
	bool from_disk = boot_options.root && !is_there(rdinit);
	static const char *paths[8];
	u32 n = 0;

	if (from_disk)
		root_mount(boot_options.root);
	if (!from_disk && boot_options.rdinit) {
		paths[n++] = boot_options.rdinit;
	} else if (boot_options.init && (from_disk || !boot_options.root)) {
		paths[n++] = boot_options.init;
	} else {
		if (!from_disk)
			paths[n++] = "/init";
		paths[n++] = "/sbin/init";
		paths[n++] = "/etc/init";
		paths[n++] = "/bin/init";
		paths[n++] = "/bin/sh";
	}
	init_process_start(paths, boot_options.argv, boot_options.envp);
}

/* The part of the start that may sleep. */
static void
init_thread(void *unused)
{
	/*
	 * Buses before other CPUs: finding devices moves and switches on windows of the address
	 * space, and while the emulated one changes, QEMU's TCG loses what another CPU writes to
	 * its local APIC at that moment, or crashes.
	 */
	drivers_init();
	arch_smp_start(sched_idle_stack);
	reclaim_start();
	root_prepare();
	initrd_unpack();
	arch_smp_wait();
	arch_protect_kernel();
	if (boot_options.profile_hz)
		profile_start(boot_options.profile_hz);
	if (boot_options.profile_calls)
		profile_calls_start();
#ifdef KEVLAR_LOCKSTAT
	profile_locks_start();
#endif
	log_info("boot: init after %lu ms\n", time_mono_ns() / NSEC_PER_MSEC);
#ifdef KEVLAR_DEBUG
	if (boot_options.selftest)
		selftest_run(boot_options.selftest);
#endif
	init_start();
}

void
kernel_main(void)
{
	log_notice("Linux version 6.1.0-kevlar, command line: %s\n", boot_info.cmdline);
	cmdline_parse();
	memory_limit_apply(boot_options.memory_limit);
	arch_smp_detect(boot_options.max_cpus);
	percpu_init(cpu_count);
	time_init();
	mm_init();
	random_init();
	sched_init();
	work_system_init();
	task_init();
	filesystems_init();
	vfs_init();
	devtmpfs_init();
	block_init();
	futex_init();
	pipe_init();
	socket_init();
	net_core_init();
	packet_socket_init();
	inet_init();
	inet6_init();
	tcp_init();
	netlink_init();
	unix_init();
	proc_init();
	mem_devices_init();
	syslog_init();
	random_devices_init();
	rtc_device_init();
	tty_devices_init();
	if (boot_options.console)
		tty_set_console(boot_options.console);
	serial_init();
	thread_wake(thread_create(init_thread, NULL, "init"));
	sched_idle();
}
