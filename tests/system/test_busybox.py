# SPDX-License-Identifier: MIT
"""BusyBox's applets by tests/system/busybox.sh: in the guest, and in a chroot on this Linux."""
import os
import shutil
import subprocess
import tarfile

from kevlar_lib import fetch, host, image, testing

PROMPT = r"# \x1b\[6n"
SCRIPT = host.ROOT / "tests/system/busybox.sh"

# Mounts what the guest has, then runs the script in the tree.
ROOM = """cd "$1" && mount -t proc proc proc && mount --rbind /dev dev && mount -t tmpfs tmp tmp &&
exec chroot . /bin/sh /busybox.sh"""


def test_applets_on_linux(ctx):
    tree = ctx.work / "tree"
    shutil.rmtree(tree, ignore_errors=True)
    with tarfile.open(fetch.alpine()) as tar:
        tar.extractall(tree, filter="tar")
    shutil.copy(SCRIPT, tree / "busybox.sh")
    unshare = ["unshare", "-mpf", "--kill-child"] + ([] if os.geteuid() == 0 else ["-r"])
    return testing.run_program("busybox/linux", [*unshare, "sh", "-c", ROOM, "sh", tree], 300,
                               env={"PATH": os.environ["PATH"] + ":/usr/sbin:/sbin"})


def test_applets(ctx, smp):
    overlay = ctx.cpio("overlay", lambda cpio: cpio.add_file("busybox.sh", SCRIPT.read_bytes(), 0o755))
    initrd = image.concatenate(ctx.work / "root.cpio", ctx.alpine(), overlay)
    with ctx.machine(smp=smp, memory="512M", initrd=initrd, loglevel=4) as guest:
        guest.expect(PROMPT, 60)
        status, output = guest.shell("sh /busybox.sh", 600)
    return testing.tap_results(f"busybox/smp{smp}", output, testing.ending_of(status))
