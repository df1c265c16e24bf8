# SPDX-License-Identifier: MIT
"""Root file systems from their makers, each pinned by a checksum in tools/checksums.txt.

Looked for in $KEVLAR_DOWNLOADS, in shared/alpine beside the project and in build/downloads, and only
then downloaded.
"""
import hashlib
import os
import pathlib
import urllib.request

from . import host

ALPINE = {
    "x86_64": "alpine-minirootfs-3.20.3-x86_64.tar.gz",
    "arm64": "alpine-minirootfs-3.20.3-aarch64.tar.gz",
}
DOWNLOADS = host.BUILD / "downloads"


def known():
    """Returns {file name: (sha512, address)}."""
    files = {}
    for line in (host.ROOT / "tools/checksums.txt").read_text().splitlines():
        if line and not line.startswith("#"):
            checksum, address = line.split()
            files[address.rsplit("/", 1)[1]] = (checksum, address)
    return files


def sha512(path):
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha512").hexdigest()


def fetch(name):
    """Returns the path of the file of that name, its checksum verified."""
    if name not in known():
        raise host.Failure(f"{name}: not listed in tools/checksums.txt")
    checksum, address = known()[name]
    places = [host.ROOT.parent / "shared/alpine", DOWNLOADS]
    if os.environ.get("KEVLAR_DOWNLOADS"):
        places.insert(0, pathlib.Path(os.environ["KEVLAR_DOWNLOADS"]))
    for place in places:
        path = place / name
        if path.is_file():
            if sha512(path) == checksum:
                return path
            host.say(f"{path}: wrong checksum, ignored")
    DOWNLOADS.mkdir(parents=True, exist_ok=True)
    host.say(f"downloading {address}")
    partial = DOWNLOADS / (name + ".partial")
    try:
        with urllib.request.urlopen(address, timeout=60) as reply, open(partial, "wb") as file:
            while block := reply.read(1 << 16):
                file.write(block)
    except OSError as error:
        raise host.Failure(f"{name}: not found in {', '.join(map(str, places))}; "
                           f"download failed: {error}")
    if sha512(partial) != checksum:
        raise host.Failure(f"{address}: wrong checksum")
    return partial.rename(DOWNLOADS / name)


def alpine():
    return fetch(ALPINE[host.ARCH])
