# SPDX-License-Identifier: MIT
"""Debian's Linux kernel, the peer of the benchmarks.

$KEVLAR_LINUX names another kernel, which must have its drivers built in; else the package that linux-image-amd64
stands for is downloaded by apt-get and unpacked below build/, once, with the modules that virtio and ext4 are.
"""
import collections
import os
import pathlib
import re
import shutil
import subprocess

from . import host

FOLDER = host.BUILD / "linux"
MODULES = FOLDER / "modules"
WANTED = ("virtio_pci", "virtio_blk", "virtio_net", "crc32c_generic", "crc32c-intel", "ext4")
Peer = collections.namedtuple("Peer", "kernel version modules")  # modules: files in the order of loading


def version_of(kernel):
    """What a bzImage says of itself: the setup header points at the text of uname."""
    data = kernel.read_bytes()[:65536]
    at = int.from_bytes(data[0x20E:0x210], "little") + 0x200
    text = data[at:data.index(b"\0", at)].decode(errors="replace")
    match = re.search(r"Debian [\w.+~-]+", text)
    return text.split()[0] + (f" ({match[0]})" if match else "")


def find():
    if os.environ.get("KEVLAR_LINUX"):
        kernel = pathlib.Path(os.environ["KEVLAR_LINUX"])
        return Peer(kernel, version_of(kernel), [])
    kernel = FOLDER / "vmlinuz"
    if not (kernel.exists() and MODULES.exists()):
        download(kernel)
    return Peer(kernel, version_of(kernel), sorted(MODULES.iterdir()))


def download(kernel):
    if not shutil.which("apt-get"):
        raise host.Failure("no apt-get to fetch Linux with: set KEVLAR_LINUX to a kernel (vmlinuz)")
    depends = subprocess.run(["apt-cache", "depends", "linux-image-amd64"], capture_output=True, text=True).stdout
    match = re.search(r"Depends: (linux-image-\S+)", depends)
    if not match:
        raise host.Failure("apt does not know linux-image-amd64: run apt-get update, or set KEVLAR_LINUX")
    FOLDER.mkdir(parents=True, exist_ok=True)
    host.say(f"downloading {match[1]}")
    if subprocess.run(["apt-get", "download", "-q", match[1]], cwd=FOLDER).returncode != 0:
        raise host.Failure(f"apt-get download {match[1]} failed: set KEVLAR_LINUX to a kernel (vmlinuz)")
    package = next(FOLDER.glob("linux-image-*.deb"))
    subprocess.run(["dpkg-deb", "-x", package, FOLDER / "tree"], check=True)
    shutil.copy(next((FOLDER / "tree/boot").glob("vmlinuz-*")), kernel)
    take_modules(FOLDER / "tree/lib/modules")
    shutil.rmtree(FOLDER / "tree")
    package.unlink()


def take_modules(tree):
    """Copies the wanted modules, each behind those that it needs: a number before the name is the order."""
    found = {path.stem.replace("-", "_"): path for path in tree.rglob("*.ko")}
    order = []

    def take(name):
        name = name.replace("-", "_")
        if name in found and name not in order:  # else it is part of the kernel
            depends = re.search(rb"\0depends=([^\0]*)\0", found[name].read_bytes())
            for other in depends[1].decode().split(",") if depends else ():
                take(other)
            order.append(name)

    for name in WANTED:
        take(name)
    shutil.rmtree(MODULES, ignore_errors=True)
    MODULES.mkdir()
    for number, name in enumerate(order):
        shutil.copy(found[name], MODULES / f"{number:02}-{name}.ko")
