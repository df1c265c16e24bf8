# SPDX-License-Identifier: MIT
"""Swap: programs that need more memory than the machine has, areas on partitions and in files."""
import re
import subprocess

from test_cache import PROMPT, blank, drive, passes, with_programs

from kevlar_lib import host

SWAP_MIB = 256


def swap_disk(ctx, smp, mib=SWAP_MIB):
    host.need("mkswap")
    disk = blank(ctx.work / f"swap-{smp}.img", mib)
    subprocess.run(["mkswap", "-L", "out", str(disk)], check=True, capture_output=True)
    return disk


def field(guest, name, file="/proc/meminfo"):
    return int(guest.shell(f"awk '/^{name}/ {{ print $2 }}' {file}")[1])


def off(guest, status):
    code, output = guest.shell(status)
    assert code == 0, output


def test_swap_pressure(ctx, smp):
    """Three times the memory is used, and every byte of it comes back."""
    with ctx.machine(smp=smp, memory="64M", initrd=with_programs(ctx, "vm/swap_pressure"),
                     extra=drive(swap_disk(ctx, smp))) as guest:
        guest.expect(PROMPT, 60)
        status, output = guest.shell("swapon /dev/vda && cat /proc/swaps")
        assert status == 0 and re.search(r"/dev/vda +partition\t262140\t\t\d+\t\t-2", output), output
        passes(guest, "SIZE_MB=128 /tests/vm_swap_pressure", 500)
        assert field(guest, "pswpout", "/proc/vmstat") > 20000
        status, output = guest.shell("swapoff /dev/vda && cat /proc/swaps", 100)
        assert status == 0 and "vda" not in output, output
        assert field(guest, "SwapTotal") == 0
        assert "Out of memory" not in guest.text
        guest.send("poweroff\r")
        assert guest.wait(30) == 0
