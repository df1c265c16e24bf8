# SPDX-License-Identifier: MIT
"""The page cache on a disk, root= in all its forms, distributions that boot from ext4."""
import pathlib
import subprocess
import time

from kevlar_lib import disks, host, image
from kevlar_lib.testing import UserTest, tap_results

PROMPT = r"# \x1b\[6n"


def drive(path, name="extra", serial="", *options):
    """QEMU's arguments for a second disk."""
    return ["-drive", ",".join([f"file={path},format=raw,if=none,id={name}", *options]),
            "-device", f"virtio-blk-pci,drive={name}{f',serial={serial}' if serial else ''}"]


def blank(path, mib):
    with open(path, "wb") as file:
        file.truncate(mib << 20)
    return path


def with_programs(ctx, *names):
    """Alpine's tree with user tests in /tests."""
    def fill(cpio):
        cpio.directory("tests")
        for name in names:
            test = UserTest(pathlib.Path("tests/user") / f"{name}.c")
            failure = test.compile("musl")
            assert not failure, failure.detail
            cpio.add_file(f"tests/{name.replace('/', '_')}", test.program("musl").read_bytes(), 0o755)

    return image.concatenate(ctx.work / "root.cpio", ctx.alpine(), ctx.cpio("tests.cpio", fill))


def passes(guest, command, seconds=200):
    """Runs a user test in the guest's shell."""
    status, output = guest.shell(command, seconds)
    bad = [result for result in tap_results("", output, f"exit {status}" if status else "") if not result.passed]
    assert not bad, "\n".join(f"{result.name}: {result.detail}" for result in bad)


def test_page_cache_device(ctx, smp):
    """All ways to the bytes of a device agree, while it is written back and its pages are dropped."""
    disk = blank(ctx.work / f"raw-{smp}.img", 64)
    with ctx.machine(smp=smp, initrd=with_programs(ctx, "files/page_cache"), extra=drive(disk)) as guest:
        guest.expect(PROMPT, 60)
        passes(guest, "DISK=/dev/vda SIZE_MB=32 /tests/files_page_cache")
        status, output = guest.shell("echo 3 > /proc/sys/vm/drop_caches && cat /proc/sys/vm/drop_caches 2>&1")
        assert "Permission" in output or status, output
        passes(guest, "DISK=/dev/vda SIZE_MB=32 /tests/files_page_cache")
        guest.send("poweroff\r")
        assert guest.wait(30) == 0


def test_page_cache_pressure(ctx, smp):
    """More is written than memory holds: what is dirty stays within its limits, nobody is killed."""
    disk = blank(ctx.work / f"raw-{smp}.img", 512)
    with ctx.machine(smp=smp, memory="96M", initrd=with_programs(ctx, "files/page_cache"), extra=drive(disk)) as guest:
        guest.expect(PROMPT, 60)
        guest.shell("exec 3<>/dev/vda; (while sleep 0.1; do grep -E '^(Dirty|Writeback)' /proc/meminfo; done) "
                    "> /tmp/dirty & echo $! > /tmp/pid")
        status, output = guest.shell("dd if=/dev/zero of=/dev/vda bs=1M count=400 conv=notrunc && sync && kill $(cat /tmp/pid)", 120)
        assert status == 0, output
        most = int(guest.shell("awk '/Dirty/ { d = $2 } /Writeb/ { if (d + $2 > m) m = d + $2 } END { print m }' /tmp/dirty")[1])
        total = int(guest.shell("awk '/MemTotal/ { print $2 }' /proc/meminfo")[1])
        assert most < total * 0.4, f"{most} kB of {total} kB were dirty"
        passes(guest, "DISK=/dev/vda SIZE_MB=128 /tests/files_page_cache", 400)
        left = guest.shell("sync; awk '/^(Dirty|Writeback):/ { s += $2 } END { print s }' /proc/meminfo")[1]
        assert int(left) == 0, left
        assert "Out of memory" not in guest.text
        guest.send("poweroff\r")
        assert guest.wait(30) == 0
