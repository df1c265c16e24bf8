# SPDX-License-Identifier: MIT
"""The machine we work on: where things are, which programs it has."""
import os
import pathlib
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = ROOT / "build"
ARCH = os.environ.get("ARCH", "x86_64")

# Debian's package for each program that we may call.
PACKAGES = {
    "qemu-system-x86_64": "qemu-system-x86",
    "mke2fs": "e2fsprogs",
    "musl-gcc": "musl-tools",
    "gcc": "gcc",
    "gdb": "gdb",
    "mmdebstrap": "mmdebstrap",
    "unshare": "util-linux",
    "e2fsck": "e2fsprogs",
    "debugfs": "e2fsprogs",
    "tune2fs": "e2fsprogs",
}


class Failure(Exception):
    """An error whose text is for the user: printed without a traceback."""


def need(*programs):
    """Makes sure that the programs exist, installing their packages where that is possible."""
    path = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"
    missing = [program for program in programs if not shutil.which(program, path=path)]
    packages = [PACKAGES.get(program, program) for program in missing]
    if packages and subprocess.run([ROOT / "tools/need", *packages]).returncode != 0:
        raise Failure(f"missing programs: {' '.join(missing)}")


def kernel_path(debug=False):
    """The kernel to boot: $KERNEL, or what the Makefile builds."""
    if os.environ.get("KERNEL"):
        return pathlib.Path(os.environ["KERNEL"])
    return BUILD / (ARCH + ("-debug" if debug else "")) / "kevlar"


def say(text):
    print(text, file=sys.stderr, flush=True)
