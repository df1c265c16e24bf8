# SPDX-License-Identifier: MIT
"""The page cache on a disk, root= in all its forms, distributions that boot from ext4."""
import os
import pathlib
import subprocess

from test_disk import write_gpt

from kevlar_lib import disks, fetch, host, image
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
        guest.shell("exec 3<>/dev/vda; (while sleep 0.1; do grep -E '^(Dirty|Writeback)' /proc/meminfo; done "
                    "> /tmp/dirty & echo $! > /tmp/pid)")  # no job of this shell: its end would print beside our typing
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


# ---- root= ----

def small_root(ctx):
    """A disk with one GPT partition that holds Alpine's minirootfs as ext4; returns it and what it is called."""
    tree = image.make_ext4(fetch.alpine(), ctx.work / "small.ext4", "48M")
    subprocess.run(["tune2fs", "-L", "small-root", "-U", "11111111-2222-3333-4444-555555555555", tree], check=True,
                   capture_output=True, env=dict(os.environ, PATH=os.environ["PATH"] + ":/usr/sbin:/sbin"))
    disk = blank(ctx.work / "gpt.img", 52)
    write_gpt(disk, [(2048, 48 << 11, "root")])
    with open(disk, "r+b") as file:
        file.seek(1 << 20)
        file.write(tree.read_bytes())
    return disk


def test_root_names(ctx):
    """Every form of root= finds the file system; ro and rw, rootfstype and rootflags are obeyed."""
    disk = small_root(ctx)
    for words, mounted in (("root=/dev/vda1 rw", "rw,"), ("root=UUID=11111111-2222-3333-4444-555555555555 ro", "ro,"),
                           ("root=LABEL=small-root", "ro,"), ("root=254:1 rw rootfstype=ext4", "rw,"),
                           ("root=PARTUUID=00000000-0000-0000-0000-000000000001 rootwait ro", "ro,")):
        with ctx.machine(initrd=None, disk=disk, snapshot=True, append=f"{words} init=/bin/sh") as guest:
            guest.expect(PROMPT, 60)
            guest.shell("mount -t proc proc /proc")
            status, line = guest.shell("grep ' / ' /proc/mounts | tail -1")
            assert line.startswith(f"/dev/root / ext4 {mounted}"), f"{words}: {line}"
            assert guest.shell("test -c /dev/null && test -b /dev/vda1")[0] == 0, words
            status, output = guest.shell("echo x > /file")
            assert (status == 0) == (mounted == "rw,"), f"{words}: {output}"


def test_root_wrong(ctx):
    """A root= that is not there: what there would be is listed before the panic."""
    disk = small_root(ctx)
    with ctx.machine(initrd=None, disk=disk, snapshot=True, append="root=/dev/vdb7") as guest:
        guest.allow_panic = True
        guest.expect(r'VFS: Cannot open root device "/dev/vdb7" or unknown-block\(0,0\): error -', 60)
        guest.expect(r"fe01 +49152 vda1")
        guest.expect(r"Kernel panic - not syncing: VFS: Unable to mount root fs on unknown-block\(0,0\)")
    with ctx.machine(initrd=None, disk=blank(ctx.work / "zero.img", 8), append="root=/dev/vda") as guest:
        guest.allow_panic = True
        guest.expect(r"Kernel panic - not syncing: VFS: Unable to mount root fs on unknown-block\(254,0\)", 60)


# ---- distributions ----

def test_alpine_disk(ctx, smp):
    """Alpine with OpenRC boots from ext4, keeps what was written, and leaves a clean file system."""
    disk = disks.copy(disks.disk("alpine-disk"), ctx.work / f"alpine-{smp}.img")
    first = disks.session(ctx, disk, smp, "256M", "echo kept > /root/kept; cp -r /etc /root/etc; rc-status -q default; "
                          "find / -xdev -type f | xargs cat | md5sum | cut -c1-8", 240)
    assert first.strip(), first
    second = disks.session(ctx, disk, smp, "256M", "cat /root/kept; diff -r /etc/apk /root/etc/apk && rm -r /root/etc; echo /root/*",
                           240)
    assert second.split() == ["kept", "/root/kept"], second
