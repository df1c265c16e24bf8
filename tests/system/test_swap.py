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


def test_swap_file(ctx, smp):
    """A file on ext4 beside a partition of lower priority; nobody changes it, and e2fsck is content."""
    host.need("mkfs.ext4", "e2fsck")
    disk = blank(ctx.work / f"ext4-{smp}.img", 160)
    subprocess.run(["mkfs.ext4", "-q", "-F", str(disk)], check=True)
    extra = drive(disk) + drive(swap_disk(ctx, smp, 64), "second")
    with ctx.machine(smp=smp, memory="64M", initrd=with_programs(ctx, "vm/swap_pressure"), extra=extra) as guest:
        guest.expect(PROMPT, 60)
        status, output = guest.shell("mount -t ext4 /dev/vda /mnt && cd /mnt && dd if=/dev/zero of=file bs=1M count=80 && "
                                     "mkswap file && truncate -s 32M holes && mkswap holes && cd /", 60)
        assert status == 0, output
        for command, error in (("swapon /mnt/holes", "holes"), ("swapoff /mnt/file", "Invalid argument")):
            status, output = guest.shell(command)
            assert status and error in output, output
        status, output = guest.shell("swapon -p 3 /dev/vdb && swapon -p 7 /mnt/file && cat /proc/swaps")
        assert status == 0 and re.search(r"/mnt/file +file\t\t81\d+\t\t\d+\t\t7", output), output
        for command, error in (("swapon /mnt/file", "busy"), ("swapon /dev/vdb", "busy"), ("rm -f /mnt/file", "not permitted"),
                               ("echo > /mnt/file", "busy"), ("umount /mnt", "busy")):
            status, output = guest.shell(command)
            assert status and error in output, f"{command}: {output}"
        passes(guest, "SIZE_MB=80 /tests/vm_swap_pressure", 500)
        status, output = guest.shell("swapoff /mnt/file && swapoff /dev/vdb && rm /mnt/file && umount /mnt", 100)
        assert status == 0, output
        guest.send("poweroff\r")
        assert guest.wait(30) == 0
    assert subprocess.run(["e2fsck", "-fn", str(disk)], capture_output=True).returncode == 0


def test_swap_off_under_load(ctx, smp):
    """The area is taken away, and given back, while a program uses it."""
    with ctx.machine(smp=smp, memory="96M", initrd=with_programs(ctx, "vm/swap_pressure"),
                     extra=drive(swap_disk(ctx, smp, 128))) as guest:
        guest.expect(PROMPT, 60)
        guest.shell("swapon /dev/vda; ((SIZE_MB=48 /tests/vm_swap_pressure; echo status $?) > /tmp/out 2>&1 &)")
        status, output = guest.shell("n=0; while ! grep -q status /tmp/out; do swapoff /dev/vda && n=$((n + 1)); swapon /dev/vda; "
                                     "sleep 0.2; done; echo $n times; cat /tmp/out", 300)
        assert "status 0" in output and "not ok" not in output, output
        assert int(re.search(r"(\d+) times", output)[1]) > 0, output
        guest.send("poweroff\r")
        assert guest.wait(30) == 0


def test_swap_full(ctx, smp):
    """When memory and swap are full the program that has them is killed, nobody else."""
    with ctx.machine(smp=smp, memory="64M", initrd=with_programs(ctx, "vm/swap_pressure"),
                     extra=drive(swap_disk(ctx, smp, 32))) as guest:
        guest.expect(PROMPT, 60)
        guest.shell("swapon /dev/vda; echo 1 > /proc/sys/vm/overcommit_memory; (sleep 1000 & echo $! > /tmp/pid)")
        status, output = guest.shell("SIZE_MB=200 /tests/vm_swap_pressure", 200)
        assert status == 137, output
        status, output = guest.shell("kill $(cat /tmp/pid) && swapoff /dev/vda", 60)
        assert status == 0, output
        guest.send("poweroff\r")
        assert guest.wait(30) == 0


def test_swap_tmpfs(ctx, smp):
    """A tmpfs twice as large as memory: files keep their contents, also while the area is taken away."""
    with ctx.machine(smp=smp, memory="64M", initrd=with_programs(ctx, "files/page_cache"),
                     extra=drive(swap_disk(ctx, smp))) as guest:
        guest.expect(PROMPT, 60)
        status, output = guest.shell(
            "swapon /dev/vda && mkdir -p /t && mount -t tmpfs -o size=200M none /t && "
            "for i in 1 2 3 4; do seq $i 4 700000 > /t/$i; done && for i in 1 2 3 4; do dd if=/dev/urandom of=/t/r$i bs=1M count=26; done && "
            "cat /t/* | md5sum > /sum && cat /t/* | md5sum | cmp - /sum", 300)
        assert status == 0, output
        assert field(guest, "pswpout", "/proc/vmstat") > 5000
        status, output = guest.shell("cp /t/r1 /t/copy && cmp /t/r1 /t/copy && truncate -s 1M /t/copy && rm /t/copy && rm /t/r1 /t/r2 /t/r3 && "
                                     "(cat /t/r4 /t/1 | md5sum) > /two && swapoff /dev/vda && (cat /t/r4 /t/1 | md5sum) | cmp - /two", 300)
        assert status == 0, output
        status, output = guest.shell("umount /t && cat /proc/meminfo | grep -i -e shmem -e swap", 30)
        assert status == 0, output
        assert "Out of memory" not in guest.text
        guest.send("poweroff\r")
        assert guest.wait(30) == 0
